//! What the tests of the dialects share that stand on GoTrue: one of them over the real core.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::audit::Audit;
use doorward::auth::account::rules::SignUpRule;
use doorward::auth::tokens::form::{Form, FormConfig, FormKey};
use doorward::auth::{AccountRules, EmailRule};
use doorward::clock::Timestamp;
use doorward::code::CodeRules;
use doorward::dialect::gotrue::{ApiKeys, Targets};
use doorward::dialect::{Mount, OwnNames, Shape, Signing};
use doorward::id::RequestId;
use doorward::id::UserId;
use doorward::limit::Policy;
use doorward::path::NormalPath;
use doorward::secret::SecretText;
use doorward::session::Lifetimes;
use doorward::user::{AccountStatus, Email, EmailStatus, JsonObject, Revision, Roles, User};
use doorward::users::UserChange;
use doorward::users::supabase;
use doorward::wire::context::RequestContext;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::core::{Core, Mail, ORIGIN, Setup, lifetimes};
use crate::support::mailbox;

pub(crate) const EMAIL: &str = "ann@example.com";
pub(crate) const ADMIN: &str = "root@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const APP: &str = "https://app.test";
/// The names that a request's headers are given by.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

/// A dialect over a core with one user and one admin.
pub(crate) struct Bench {
    pub(crate) core: Core,
    router: Router,
    pub(crate) user: User,
    pub(crate) admin: User,
}

/// How a bench is set up.
pub(crate) struct Bed {
    pub(crate) shape: Shape,
    pub(crate) secret: Option<&'static str>,
    pub(crate) keys: ApiKeys,
    pub(crate) limits: Policy,
    pub(crate) prefix: &'static str,
    pub(crate) accounts: AccountRules,
    pub(crate) email_rule: EmailRule,
    pub(crate) mail: Mail,
    pub(crate) targets: Targets,
    pub(crate) admin_secret: Option<&'static str>,
    /// The Supabase project where users are kept; none is made there.
    pub(crate) supabase: Option<supabase::Config>,
    /// Where it is audited; lines alone where it is not said.
    pub(crate) audit: Option<Audit>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Bed {
    pub(crate) fn of(shape: Shape) -> Self {
        Self {
            shape,
            secret: None,
            keys: ApiKeys::default(),
            limits: Policy::off(),
            prefix: "",
            accounts: AccountRules::default(),
            email_rule: EmailRule::MayBeUnverified,
            mail: Mail::Sent,
            targets: Targets::default(),
            admin_secret: None,
            supabase: None,
            audit: None,
        }
    }

    /// Anybody may sign up, by this rule about their address, and may ask for mails without a pause.
    pub(crate) fn open(shape: Shape, email_rule: EmailRule) -> Self {
        let codes = CodeRules {
            resend_after: Duration::ZERO,
            ..CodeRules::default()
        };
        Self {
            accounts: AccountRules {
                sign_up: SignUpRule::Open,
                codes,
                ..AccountRules::default()
            },
            email_rule,
            ..Self::of(shape)
        }
    }

    fn form(&self) -> FormConfig {
        let secret = self.secret.map(SecretText::from);
        self.shape.token_form(OwnNames {
            issuer: ORIGIN,
            audience: "doorward",
            base: &format!("{ORIGIN}{}", self.prefix),
            secret: secret.as_ref(),
        })
    }

    pub(crate) async fn start(self) -> Bench {
        let form = self.form();
        let here = self.supabase.is_none();
        let core = Box::pin(Core::of(Setup {
            forms: vec![form.clone()],
            max_staleness: Duration::from_hours(24),
            limits: self.limits,
            accounts: self.accounts,
            email_rule: self.email_rule,
            mail: self.mail,
            supabase: self.supabase,
            audit: self.audit,
            // As in all examples of these systems.
            lifetimes: Lifetimes {
                access: Duration::from_hours(1),
                ..lifetimes()
            },
            ..Setup::default()
        }))
        .await;
        let mount = Mount {
            allowed_origins: vec![APP.parse().unwrap()],
            signing: match form.key {
                FormKey::Ring => Signing::Ring,
                FormKey::Secret(_) => Signing::Secret,
            },
            issuer: form.issuer.clone(),
            form: Form::open(form).unwrap(),
            prefix: self.prefix.to_owned(),
            base: ORIGIN.to_owned(),
            keys: self.keys,
            targets: self.targets,
            admin_secret: self.admin_secret.map(SecretText::from),
        };
        let kept_here = here.then_some(&core);
        let user = person(kept_here, (EMAIL, &[])).await;
        let admin = person(kept_here, (ADMIN, &["admin"])).await;
        Bench {
            router: self.shape.router(core.auth.clone(), &mount),
            core,
            user,
            admin,
        }
    }
}

impl Bench {
    pub(crate) async fn start(shape: Shape) -> Self {
        Bed::of(shape).start().await
    }

    pub(crate) async fn post(&self, target: &str, body: Value, headers: Headers<'_>) -> Answer {
        self.send((Method::POST, target), headers, body.to_string())
            .await
    }

    pub(crate) async fn get(&self, target: &str, headers: Headers<'_>) -> Answer {
        self.send((Method::GET, target), headers, String::new())
            .await
    }

    /// Sends a text as it is, with a `Content-Type` only where the headers have one.
    pub(crate) async fn send(
        &self,
        (method, target): (Method, &str),
        headers: Headers<'_>,
        body: String,
    ) -> Answer {
        let client = Ipv4Addr::new(192, 0, 2, 7).into();
        let call = (method, target, body);
        self.send_from(client, headers, call).await
    }

    /// The same from another address.
    pub(crate) async fn send_from(
        &self,
        client: IpAddr,
        headers: Headers<'_>,
        (method, target, body): (Method, &str, String),
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        let path = NormalPath::parse(request.uri().path()).unwrap();
        let now = doorward::clock::Clock::now(&*self.core.clock);
        request.extensions_mut().insert(RequestContext {
            request_id: RequestId::new(now),
            client,
            host: "gw.test".into(),
            path,
        });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn change(&self, user: &User, change: UserChange) {
        let changed = self.core.users.change(user.id, change).await;
        assert!(changed.unwrap().is_some());
    }

    /// An account with this profile.
    pub(crate) async fn add_person(&self, (email, password): (&str, &str), profile: Value) -> User {
        self.add_person_with((email, password, &["admin"]), profile)
            .await
    }

    pub(crate) async fn add_person_with(
        &self,
        (email, password, roles): (&str, &str, &[&str]),
        profile: Value,
    ) -> User {
        let user = self.core.add_user(email, password, roles).await;
        let profile: JsonObject = serde_json::from_value(profile).unwrap();
        let change = UserChange::Profile(profile);
        let changed = self.core.users.change(user.id, change).await;
        changed.unwrap().unwrap()
    }
}

impl Bench {
    /// The text of the next mail, which is to this address.
    pub(crate) async fn mail_to(&self, email: &str) -> String {
        let mail = self.core.mails.next().await;
        assert_eq!(mail.to.as_str(), email, "{}", mail.text);
        mail.text
    }

    /// The six digits of the next mail, which is to this address.
    pub(crate) async fn digits_to(&self, email: &str) -> String {
        mailbox::digits(&self.mail_to(email).await)
    }

    /// Whether there are mails that nobody has read. What comes after an answer has had its time when
    /// a mail that was asked for later has come.
    pub(crate) async fn expect_no_other_mail(&self) {
        let nothing_else = doorward::auth::account::verify::CodeRequest {
            email: Email::parse(EMAIL).unwrap(),
            delivery: None,
            caller: caller(),
        };
        self.core.auth.request_reset(nothing_else).await.unwrap();
        self.mail_to(EMAIL).await;
        assert_eq!(self.core.mails.count(), 0);
    }
}

pub(crate) fn caller() -> doorward::auth::Caller {
    doorward::auth::Caller {
        address: [192, 0, 2, 7].into(),
        user_agent: String::new(),
        request_id: RequestId::from_bytes([0; 16]),
    }
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        self
    }

    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> &str {
        let value = self.json.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no {pointer} in {}", self.json))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .unwrap_or_else(|| panic!("no {name}"))
            .to_str()
            .unwrap()
    }
}

/// Somebody with an account, or who would have one if it were kept here.
async fn person(core: Option<&Core>, (email, roles): (&str, &[&str])) -> User {
    if let Some(core) = core {
        return core.add_user(email, PASSWORD, roles).await;
    }
    let now = Timestamp::from_seconds(0);
    User {
        id: UserId::from_bytes([0; 16]),
        email: Email::parse(email).unwrap(),
        username: None,
        roles: Roles::default(),
        email_status: EmailStatus::Verified,
        status: AccountStatus::Enabled,
        profile: JsonObject::new(),
        metadata: JsonObject::new(),
        created_at: now,
        updated_at: now,
        revision: Revision::FIRST,
    }
}

/// Whether the trail names this one for the account that was made.
#[track_caller]
pub(crate) fn assert_added_by(bench: &Bench, actor: &str) {
    let told = bench.core.audited();
    let added = told.iter().find(|line| line["action"] == "add-user");
    let added = added.unwrap_or_else(|| panic!("no account was made: {told:?}"));
    assert_eq!(
        (&added["outcome"], &added["actor"]),
        (&"success".into(), &actor.into())
    );
    assert!(added["user"].is_string());
    assert!(
        told.iter().all(|line| line["action"] != "sign-up"),
        "{told:?}"
    );
}

/// `Authorization` with this token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Header and claims of a token, unverified.
pub(crate) fn decoded(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The names in an object, in order.
pub(crate) fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

/// The text of a published document that this dialect was made by, where it is at hand.
pub(crate) fn seed(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/seeds")
        .join(name);
    std::fs::read_to_string(path).ok()
}

/// Whether a document has this JSON in it, whatever its white space.
#[track_caller]
pub(crate) fn assert_written(document: &str, json: &Value) {
    let dense = |text: &str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    let (document, json) = (dense(document), dense(&json.to_string()));
    assert!(document.contains(&json), "{json}");
}
