//! `doorward explain`: which route a request would take, which rule would judge it, with what verdict
//! and why. Forwards nothing and changes nothing.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request};
use zeroize::Zeroizing;

use super::Exit;
use crate::api_key::UnverifiedKey;
use crate::api_key::text::Malformed;
use crate::app::dialect_secrets;
use crate::app::site::{Site, Stop, Target};
use crate::app::stores::Stores;
use crate::app::token_settings;
use crate::auth::Auth;
use crate::auth::tokens::Tokens;
use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::config::Config;
use crate::identity::{Identity, Issuer};
use crate::metrics::Metrics;
use crate::policy::{Facts, Unmet};
use crate::request::{Credential, RequestHead};
use crate::route::table::Lookup;
use crate::user::{AccountStatus, Login, User};

pub(super) mod key;

/// What to explain.
#[derive(Debug, Args)]
pub struct Explain {
    /// The method: GET, POST, …
    method: Method,
    /// The path, perhaps with a query: /admin/x
    path: String,
    /// As this user (id, address or user name), as if signed in
    #[arg(long = "as", value_name = "USER", conflicts_with = "token")]
    user: Option<String>,
    /// With the token or API key in this file
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// With this header: 'Name: value'
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,
    /// From this client address
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    from: IpAddr,
}

/// Explains to standard output.
pub fn run(explain: &Explain, config: &Config) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let text = runtime.block_on(explain.text(config))?;
    write!(io::stdout(), "{text}")?;
    Ok(Exit::Done)
}

/// Who asks, as far as it could be found out.
enum Caller {
    Nobody,
    Known(Arc<Identity>),
    Refused(String),
}

impl Explain {
    async fn text(&self, config: &Config) -> anyhow::Result<String> {
        let parts = self.request(config)?;
        let head = match RequestHead::read(&parts, self.from, &config.trusted_proxies) {
            Ok(head) => head,
            Err(bad) => {
                return Ok(format!(
                    "verdict  refused, {}\nreason   {}\n",
                    bad.status(),
                    bad.reason()
                ));
            }
        };
        let request = format!("request  {} {}{}\n", head.method, head.host, head.path);
        let site = Site::build(config, &Metrics::new()).map_err(anyhow::Error::new)?;
        let verdict = match site.find(&head.host, &head.path, head.method) {
            Lookup::Found(stop) => self.judge(config, stop, &head).await?,
            Lookup::NotFound => "route    none\nverdict  refused, 404\nreason   no route\n".into(),
            Lookup::MethodNotAllowed(methods) => format!(
                "route    none for this method\nverdict  refused, 405\nreason   the route for \
                 this path takes {methods:?}\n"
            ),
            Lookup::CaseDiffers => {
                "route    none\nverdict  refused, 400\nreason   in other letter \
                                    case the path belongs to another route\n"
                    .into()
            }
        };
        Ok(request + &verdict)
    }

    async fn judge(
        &self,
        config: &Config,
        stop: &Stop,
        head: &RequestHead<'_>,
    ) -> anyhow::Result<String> {
        let (upstream, rule) = match stop.target {
            Target::Own(_) => ("the gateway itself", "its own".to_owned()),
            Target::Upstream { index, .. } => (
                config
                    .upstreams
                    .get(index)
                    .map_or("?", |upstream| &upstream.name),
                stop.requirement.to_string(),
            ),
        };
        let route = format!("route    {} -> {upstream}\nrule     {rule}\n", stop.name);
        if matches!(stop.target, Target::Own(_)) {
            return Ok(route + "verdict  allowed\nreason   the endpoint judges for itself\n");
        }
        let (verdict, reason) = match self.caller(config, stop, head).await? {
            Caller::Refused(reason) if stop.requirement.asks_for_identity() => {
                ("refused, 401", reason)
            }
            Caller::Refused(reason) => ("refused, 401", format!("a bad credential: {reason}")),
            Caller::Nobody => verdict(stop, None, head),
            Caller::Known(identity) => verdict(stop, Some(&identity), head),
        };
        Ok(format!("{route}verdict  {verdict}\nreason   {reason}\n"))
    }

    async fn caller(
        &self,
        config: &Config,
        stop: &Stop,
        head: &RequestHead<'_>,
    ) -> anyhow::Result<Caller> {
        let clock: SharedClock = Arc::new(SystemClock);
        if let Some(name) = &self.user {
            let stores = Stores::open(config, &clock).await?;
            let user = find(&stores, name).await?;
            return Ok(match user.status {
                AccountStatus::Enabled => Caller::Known(Arc::new(as_if_signed_in(&user))),
                AccountStatus::Disabled => Caller::Refused("the account is disabled".to_owned()),
            });
        }
        let key_header = config.api_keys.header.as_ref();
        match shown(stop, head, key_header) {
            Credential::Absent => Ok(Caller::Nobody),
            Credential::Bearer(token) => match UnverifiedKey::read(token) {
                Some(key) => key::caller(config, &clock, key).await,
                None => identify(config, &clock, token).await,
            },
            Credential::Key(text) => {
                let shown = UnverifiedKey::read(text).unwrap_or(Err(Malformed));
                key::caller(config, &clock, shown).await
            }
            Credential::Cookie(token) => identify(config, &clock, token).await,
            Credential::Foreign => Ok(Caller::Refused(
                "an Authorization scheme that is not Bearer".to_owned(),
            )),
            Credential::Ambiguous => Ok(Caller::Refused(
                "more than one credential, or an unreadable one".to_owned(),
            )),
        }
    }

    fn request(&self, config: &Config) -> anyhow::Result<Parts> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .body(())?;
        let headers = request.headers_mut();
        for line in &self.headers {
            let (name, value) = line.split_once(':').context("a header is 'Name: value'")?;
            headers.append(HeaderName::try_from(name.trim())?, value.trim().parse()?);
        }
        if let Some(file) = &self.token {
            let text = std::fs::read_to_string(file)
                .map(Zeroizing::new)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim()))?;
            value.set_sensitive(true);
            headers.append(AUTHORIZATION, value);
        }
        if !headers.contains_key(HOST) {
            headers.insert(HOST, authority(config)?);
        }
        Ok(request.into_parts().0)
    }
}

/// The credential, as the gate looks for it on this route.
fn shown<'a>(
    stop: &Stop,
    head: &RequestHead<'a>,
    key_header: Option<&HeaderName>,
) -> Credential<'a> {
    let spot = stop.at(&head.host, head.path.as_str());
    match spot
        .neighbour
        .and_then(|neighbour| neighbour.key_header.as_ref())
    {
        Some(also) => head.credential_also_in(Auth::SESSION_COOKIE, key_header, also),
        None => head.credential_with(Auth::SESSION_COOKIE, key_header),
    }
}

fn authority(config: &Config) -> anyhow::Result<HeaderValue> {
    let url = &config.listen.public_url;
    let host = url.host_str().context("public_url has no host")?;
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}").parse()?,
        None => host.parse()?,
    })
}

fn verdict(
    stop: &Stop,
    identity: Option<&Identity>,
    head: &RequestHead<'_>,
) -> (&'static str, String) {
    let facts = Facts {
        identity,
        client: head.client,
        method: head.method,
    };
    match stop.requirement.judge(&facts) {
        Ok(()) => ("allowed", caller_in_words(identity)),
        Err(Unmet::NotSignedIn) => ("refused, 401", "no credential".to_owned()),
        Err(Unmet::Rule(unmet)) => (
            "refused, 403",
            format!("{} lacks: {unmet}", caller_in_words(identity)),
        ),
    }
}

fn caller_in_words(identity: Option<&Identity>) -> String {
    match identity {
        None => "nobody".to_owned(),
        Some(identity) => {
            let name = identity.email.as_deref().unwrap_or(&identity.subject);
            format!("{name} with the roles [{}]", identity.roles.join(", "))
        }
    }
}

/// What the running gateway would say of a token, but for what it alone knows: keys of other issuers
/// are read only where they are files.
async fn identify(config: &Config, clock: &SharedClock, token: &str) -> anyhow::Result<Caller> {
    let config = &dialect_secrets::settle(config.clone())?;
    let tokens = Tokens::start(token_settings(config), clock.clone())?;
    let now = clock.now();
    let identity = match tokens.identify(token, now) {
        Ok(identity) => identity,
        Err(refused) => return Ok(Caller::Refused(refused.to_string())),
    };
    let Some(session) = identity.session else {
        return Ok(Caller::Known(identity));
    };
    let stores = Stores::open(config, clock).await?;
    match stores.sessions.find(session, now).await? {
        Some(_) => Ok(Caller::Known(identity)),
        None => Ok(Caller::Refused("its session has ended".to_owned())),
    }
}

async fn find(stores: &Stores, name: &str) -> anyhow::Result<User> {
    let user = match name.parse() {
        Ok(id) => stores.users.by_id(id).await?,
        Err(_no_id) => stores
            .users
            .by_login(&Login::parse(name)?)
            .await?
            .map(|known| known.user),
    };
    match user {
        Some(user) => Ok(user),
        None => bail!("there is no user {name:?}"),
    }
}

fn as_if_signed_in(user: &User) -> Identity {
    let roles: Vec<Box<str>> = user.roles.iter().map(|role| role.as_str().into()).collect();
    let claims = serde_json::json!({
        "sub": user.id.to_string(), "email": user.email.as_str(), "roles": roles,
    });
    Identity {
        issuer: Issuer::Own,
        subject: user.id.to_string().into(),
        session: None,
        email: Some(user.email.as_str().into()),
        roles,
        scopes: Vec::new(),
        not_before: None,
        expires_at: SystemClock.now().plus(std::time::Duration::from_mins(1)),
        claims: claims.as_object().cloned().unwrap_or_default(),
    }
}
