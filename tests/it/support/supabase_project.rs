//! What stands for a Supabase project: GoTrue and PostgREST behind one name, over real TLS, as far as a
//! sign-in needs them. Its own client signs in to it in a test, so that it stays what it stands for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use doorward::id::{UserId, random_bytes};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::happenings::Happenings;
use super::tls::Authority;

pub(crate) const ANON: &str = "anon-key";
pub(crate) const SERVICE: &str = "service-key";
const VERSION: &str = "x-supabase-api-version";

/// How the project is today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// 429 to everything.
    Limited,
    /// 500 to everything.
    Broken,
    /// 200 and a page to everything.
    Nonsense,
    /// A body that never ends.
    Endless,
    /// Not a word.
    Silent,
}

/// A user of the project.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: UserId,
    pub(crate) email: &'static str,
    pub(crate) password: &'static str,
    pub(crate) confirmed: bool,
    pub(crate) banned_until: Option<&'static str>,
    pub(crate) role: Option<&'static str>,
    /// `is_admin` of the row in `users.users`, if there is one.
    pub(crate) row: Option<bool>,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) what: String,
    pub(crate) api_key: String,
    pub(crate) bearer: String,
    pub(crate) profile: String,
}

pub(crate) struct SupabaseProject {
    pub(crate) url: String,
    state: Arc<State>,
    directory: TempDir,
    authority: Authority,
    _accepting: AbortOnDropHandle<()>,
}

struct State {
    mood: Mutex<Mood>,
    members: Mutex<Vec<Member>>,
    sessions: Mutex<Sessions>,
    asked: watch::Sender<Vec<Asked>>,
}

#[derive(Default)]
struct Sessions {
    by_access: HashMap<String, UserId>,
    by_refresh: HashMap<String, UserId>,
}

impl SupabaseProject {
    pub(crate) async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let authority = Authority::new();
        let files = authority.issue(directory.path(), "project", &["localhost"]);
        std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        let certificate = CertificateDer::from_pem_file(files.cert).unwrap();
        let key = PrivateKeyDer::from_pem_file(files.key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            mood: Mutex::new(Mood::Well),
            members: Mutex::default(),
            sessions: Mutex::default(),
            asked: watch::Sender::default(),
        });
        let accepting = accept(listener, TlsAcceptor::from(Arc::new(tls)), state.clone());
        Self {
            url: format!("https://localhost:{port}"),
            state,
            directory,
            authority,
            _accepting: AbortOnDropHandle::new(tokio::spawn(accepting)),
        }
    }

    pub(crate) fn ca(&self) -> String {
        self.authority.pem()
    }

    pub(crate) fn ca_file(&self) -> String {
        let path = self.directory.path().join("ca.pem");
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.state.mood.lock() = mood;
    }

    /// Adds a member, or takes the place of the one with the same address.
    pub(crate) fn has(&self, member: Member) {
        let mut members = self.state.members.lock();
        members.retain(|it| it.email != member.email);
        members.push(member);
    }

    pub(crate) fn forgets(&self, email: &str) {
        self.state.members.lock().retain(|it| it.email != email);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.borrow().clone()
    }

    pub(crate) fn open_sessions(&self) -> usize {
        self.state.sessions.lock().by_access.len()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn asked_times(&self, times: usize) {
        let mut asked = self.state.asked.subscribe();
        let came = asked.wait_for(|asked| asked.len() >= times);
        let came = tokio::time::timeout(Happenings::LIMIT, came).await;
        came.expect("the project is asked").unwrap();
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>) {
    loop {
        let (stream, _peer) = listener.accept().await.unwrap();
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else {
                return;
            };
            let service = service_fn(|request| answer(Arc::clone(&state), request));
            let connection = hyper::server::conn::http1::Builder::new();
            let _hung_up = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Answer = Response<http_body_util::Either<Full<Bytes>, Endless>>;

/// Words without an end.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        let words = Bytes::from_static(&[b' '; 4096]);
        std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(words))))
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name: &str| {
        let value = head.headers.get(name).map(|it| it.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let bearer = header("authorization");
    let asked = Asked {
        what: format!("{} {}", head.method, head.uri),
        api_key: header("apikey"),
        bearer: bearer.trim_start_matches("Bearer ").to_owned(),
        profile: header("accept-profile"),
    };
    state.asked.send_modify(|all| all.push(asked.clone()));
    let mood = *state.mood.lock();
    let (status, body) = match mood {
        Mood::Well => state.judge(&head, &asked, &body),
        Mood::Limited => (
            429,
            error(429, "over_request_rate_limit", "Request rate limit reached"),
        ),
        Mood::Broken => (500, error(500, "unexpected_failure", "Internal error")),
        Mood::Nonsense => (200, json!("<html>Please pay your bill</html>")),
        Mood::Endless => return Ok(Response::new(http_body_util::Either::Right(Endless))),
        Mood::Silent => std::future::pending().await,
    };
    Ok(shaped(&head, (status, body)))
}

/// Errors of GoTrue in the form that the client's version of the API asks for.
fn shaped(head: &Parts, (status, mut body): (u16, Value)) -> Answer {
    let is_new = head.headers.contains_key(VERSION);
    if let Some(word) = body.get("error_code").cloned()
        && is_new
    {
        body = json!({ "code": word, "message": body["msg"] });
    }
    let text = match &body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let mut response = Response::new(http_body_util::Either::Left(Full::from(text)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    if is_new {
        headers.insert(VERSION, "2024-01-01".parse().unwrap());
    }
    response
}

/// An error of GoTrue in its older form.
fn error(status: u16, code: &str, message: &str) -> Value {
    json!({ "code": status, "error_code": code, "msg": message })
}

impl State {
    fn judge(&self, head: &Parts, asked: &Asked, body: &[u8]) -> (u16, Value) {
        if ![ANON, SERVICE].contains(&asked.api_key.as_str()) {
            return (
                401,
                json!({ "message": "Invalid API key", "hint": "Double check your key." }),
            );
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let query = head.uri.query().unwrap_or_default();
        match (&head.method, head.uri.path()) {
            (&Method::POST, "/auth/v1/token") if query == "grant_type=password" => {
                self.by_password(&body)
            }
            (&Method::POST, "/auth/v1/token") if query == "grant_type=refresh_token" => {
                self.by_refresh_token(&body)
            }
            (&Method::GET, "/auth/v1/user") => match self.caller(asked) {
                Some(member) => (200, described(&member)),
                None => (
                    403,
                    error(403, "session_not_found", "Session does not exist"),
                ),
            },
            (&Method::POST, "/auth/v1/logout") => {
                let ended = self.sessions.lock().by_access.remove(&asked.bearer);
                match ended {
                    Some(_) => (204, Value::Null),
                    None => (
                        403,
                        error(403, "session_not_found", "Session does not exist"),
                    ),
                }
            }
            (&Method::GET, "/auth/v1/health") => (200, json!({ "name": "GoTrue" })),
            (&Method::GET, path) if path.starts_with("/auth/v1/admin/users/") => {
                self.by_admin(asked, path)
            }
            (&Method::GET, "/rest/v1/users") => self.rows(asked, query),
            _ => (404, json!({ "message": "no Route matched" })),
        }
    }

    fn member(&self, wanted: impl Fn(&Member) -> bool) -> Option<Member> {
        self.members.lock().iter().find(|it| wanted(it)).cloned()
    }

    fn caller(&self, asked: &Asked) -> Option<Member> {
        let id = *self.sessions.lock().by_access.get(&asked.bearer)?;
        self.member(|it| it.id == id)
    }

    /// In the order of GoTrue: closed before the password, unconfirmed after it.
    fn by_password(&self, body: &Value) -> (u16, Value) {
        let wrong = || error(400, "invalid_credentials", "Invalid login credentials");
        let Some(member) = self.member(|it| body["email"] == it.email) else {
            return (400, wrong());
        };
        if member.banned_until.is_some() {
            return (400, error(400, "user_banned", "User is banned"));
        }
        if body["password"] != member.password {
            return (400, wrong());
        }
        if !member.confirmed {
            return (
                400,
                error(400, "email_not_confirmed", "Email not confirmed"),
            );
        }
        (200, self.session(&member))
    }

    fn by_refresh_token(&self, body: &Value) -> (u16, Value) {
        let token = body["refresh_token"].as_str().unwrap_or_default();
        let id = self.sessions.lock().by_refresh.remove(token);
        match id.and_then(|id| self.member(|it| it.id == id)) {
            Some(member) => (200, self.session(&member)),
            None => (
                400,
                error(400, "refresh_token_not_found", "Invalid Refresh Token"),
            ),
        }
    }

    fn session(&self, member: &Member) -> Value {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let expires_at = 4_000_000_000_u64;
        let claims = json!({
            "sub": member.id.to_string(), "role": "authenticated", "aud": "authenticated",
            "exp": expires_at, "jti": random_bytes::<8>(),
        });
        let signature = URL_SAFE_NO_PAD.encode(random_bytes::<32>());
        let head = json!({ "alg": "HS256", "typ": "JWT" });
        let access = format!("{}.{}.{signature}", part(head), part(claims));
        let refresh = URL_SAFE_NO_PAD.encode(random_bytes::<9>());
        let mut sessions = self.sessions.lock();
        sessions.by_access.insert(access.clone(), member.id);
        sessions.by_refresh.insert(refresh.clone(), member.id);
        json!({
            "access_token": access, "token_type": "bearer", "expires_in": 3600,
            "expires_at": expires_at, "refresh_token": refresh, "user": described(member),
        })
    }

    fn by_admin(&self, asked: &Asked, path: &str) -> (u16, Value) {
        if asked.bearer != SERVICE {
            return (403, error(403, "not_admin", "User not allowed"));
        }
        match self.member(|it| path.ends_with(&it.id.to_string())) {
            Some(member) => (200, described(&member)),
            None => (404, error(404, "user_not_found", "User not found")),
        }
    }

    /// Row-level security: users see their own row, the service key every one.
    fn rows(&self, asked: &Asked, query: &str) -> (u16, Value) {
        if asked.profile != "users" {
            return (
                406,
                json!({ "code": "PGRST106", "message": "Invalid schema", "details": null, "hint": null }),
            );
        }
        let caller = self.caller(asked);
        let wanted = query.split('&').find_map(|it| it.strip_prefix("id=eq."));
        let found = self.member(|it| {
            wanted == Some(it.id.to_string().as_str())
                && (asked.bearer == SERVICE || caller.as_ref().is_some_and(|me| me.id == it.id))
        });
        let row = found.and_then(|it| {
            Some(json!({ "id": it.id.to_string(), "email": it.email, "is_admin": it.row? }))
        });
        (200, Value::Array(row.into_iter().collect()))
    }
}

fn described(member: &Member) -> Value {
    let mut user = json!({
        "id": member.id.to_string(), "aud": "authenticated", "role": "authenticated",
        "email": member.email, "phone": "",
        "app_metadata": { "provider": "email", "providers": ["email"] },
        "user_metadata": { "full_name": "A Member", "role": "admin" },
        "identities": [], "is_anonymous": false,
        "created_at": "2026-02-16T21:40:39.269764Z", "updated_at": "2026-02-16T21:40:39.269764Z",
    });
    if member.confirmed {
        user["email_confirmed_at"] = json!("2026-02-16T21:40:39.269764Z");
    }
    if let Some(until) = member.banned_until {
        user["banned_until"] = json!(until);
    }
    if let Some(role) = member.role {
        user["app_metadata"]["role"] = json!(role);
    }
    user
}
