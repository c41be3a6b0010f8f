//! Login APIs of other systems, spoken word for word, so that their official clients work here.
//!
//! A dialect is an envelope: who may sign in, and for how long, is decided by [`auth`](crate::auth)
//! alone. Whoever mounts one needs to know of it no more than its [`Shape`] says.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use http::{HeaderName, HeaderValue, Method};

use crate::auth::Auth;
use crate::auth::tokens::form::{Form, FormConfig};
use crate::secret::SecretText;
use crate::wire::cookie::Cookie;
use crate::wire::refusal::RefusalStyle;

use self::cors::Cors;
use self::gotrue::{ApiKeys, Targets};

pub mod actian;
pub mod cors;
pub mod gotrue;
pub mod insforge;
pub mod strikebet;
pub mod supabase;
pub mod vaniyk;

/// Which dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `InsForge`.
    InsForge,
    /// GoTrue, the login service of Supabase.
    Supabase,
    /// Vaniyk Empire.
    Vaniyk,
    /// Strike Auth Service.
    Strikebet,
    /// Actian `VectorAI` DB.
    Actian,
}

/// Which part of a dialect's site a proxied route belongs to: its clients know several services there,
/// each with errors of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quarter {
    /// The service that has the data (PostgREST).
    Rest,
    /// Everything else.
    Other,
}

/// What a dialect is told beside the core.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The origins whose pages may call it with credentials, as browsers spell them (RFC 6454 §6.2).
    pub allowed_origins: Vec<HeaderValue>,
    /// How its access tokens are made.
    pub form: Form,
    /// What signs them.
    pub signing: Signing,
    /// The `iss` of its access tokens.
    pub issuer: String,
    /// What stands before each of its paths: nothing, or such as `/shop`.
    pub prefix: String,
    /// The origin where it is, as people reach it: what its links begin with.
    pub base: String,
    /// The keys that its apps show.
    pub keys: ApiKeys,
    /// Where links in its mails may lead.
    pub targets: Targets,
    /// What makes an administrator of whoever signs up with it.
    pub admin_secret: Option<SecretText>,
}

/// What signs the access tokens of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// The key ring of the gateway, whose public keys anybody may see.
    Ring,
    /// A secret that services behind the gateway share.
    Secret,
}

/// A mount without anything of its own.
impl Default for Mount {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            form: Form::OWN,
            signing: Signing::Ring,
            issuer: String::new(),
            prefix: String::new(),
            base: String::new(),
            keys: ApiKeys::default(),
            targets: Targets::default(),
            admin_secret: None,
        }
    }
}

/// What the endpoints of a dialect work with.
#[derive(Clone, Debug)]
struct Desk {
    auth: Arc<Auth>,
    form: Form,
}

impl FromRef<Desk> for Arc<Auth> {
    fn from_ref(desk: &Desk) -> Self {
        Self::clone(&desk.auth)
    }
}

impl FromRef<Desk> for Form {
    fn from_ref(desk: &Desk) -> Self {
        desk.form.clone()
    }
}

/// The names that the gateway's own tokens bear, for dialects whose tokens differ only in their words.
#[derive(Clone, Copy, Debug)]
pub struct OwnNames<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: &'a str,
    /// Where the dialect is, as its clients name it: the public origin, and the prefix.
    pub base: &'a str,
    /// The secret that services behind the gateway share, where there is one.
    pub secret: Option<&'a SecretText>,
}

impl Shape {
    /// The endpoints that it has of its own, each by method and path; nothing else is its to answer.
    pub const fn routes(self) -> &'static [(Method, &'static str)] {
        match self {
            Self::InsForge => insforge::ROUTES,
            Self::Supabase => supabase::ROUTES,
            Self::Vaniyk => vaniyk::ROUTES,
            Self::Strikebet => strikebet::ROUTES,
            Self::Actian => actian::ROUTES,
        }
    }

    /// The endpoints themselves. Each wants a [`RequestContext`](crate::wire::context::RequestContext)
    /// among the extensions of its request.
    pub fn router(self, auth: Arc<Auth>, mount: &Mount) -> Router {
        let router = match self {
            Self::InsForge => insforge::router(auth, mount),
            Self::Supabase => supabase::router(auth, mount),
            Self::Vaniyk => vaniyk::router(auth, mount),
            Self::Strikebet => strikebet::router(auth, mount),
            Self::Actian => actian::router(auth, mount),
        };
        match mount.prefix.as_str() {
            "" => router,
            prefix => Router::new().nest(prefix, router),
        }
    }

    /// Whether it may stand behind a prefix. Where it sets cookies, their paths would not fit.
    pub const fn takes_prefix(self) -> bool {
        self.cookies().is_empty()
    }

    /// Whether its clients read the tokens and show the keys of a Supabase project.
    pub const fn is_gotrue(self) -> bool {
        match self {
            Self::InsForge | Self::Actian => false,
            Self::Supabase | Self::Vaniyk | Self::Strikebet => true,
        }
    }

    /// The cookies that it sets, which no upstream needs to see.
    pub const fn cookies(self) -> &'static [Cookie] {
        match self {
            Self::InsForge => insforge::COOKIES,
            Self::Supabase | Self::Vaniyk | Self::Strikebet | Self::Actian => &[],
        }
    }

    /// The header in which its clients show their token or key, beside `Authorization` or instead of it.
    pub const fn key_header(self) -> Option<HeaderName> {
        match self {
            Self::Actian => Some(actian::KEY_HEADER),
            Self::InsForge | Self::Supabase | Self::Vaniyk | Self::Strikebet => None,
        }
    }

    /// Whether its access tokens are always signed with a secret: one is made where none is given.
    pub const fn needs_secret(self) -> bool {
        match self {
            Self::Actian => true,
            Self::InsForge | Self::Supabase | Self::Vaniyk | Self::Strikebet => false,
        }
    }

    /// How its access tokens are made.
    pub fn token_form(self, own: OwnNames<'_>) -> FormConfig {
        match self {
            Self::InsForge => insforge::token_form(own),
            Self::Supabase | Self::Vaniyk | Self::Strikebet => gotrue::form::token_form(own),
            Self::Actian => actian::form::token_form(own),
        }
    }

    /// The part of its site that lies at this path, which begins with `/`.
    pub fn quarter(self, path: &str) -> Quarter {
        let rest = path.strip_prefix(supabase::REST);
        match self {
            Self::Supabase if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) => {
                Quarter::Rest
            }
            Self::InsForge | Self::Supabase | Self::Vaniyk | Self::Strikebet | Self::Actian => {
                Quarter::Other
            }
        }
    }

    /// How its clients want to be refused, on proxied routes too.
    pub const fn style(self, quarter: Quarter) -> &'static (dyn RefusalStyle + Send + Sync) {
        match (self, quarter) {
            (Self::InsForge, _) => &insforge::InsForgeStyle,
            (Self::Supabase, Quarter::Rest) => &supabase::RestStyle,
            (Self::Supabase, Quarter::Other) => &supabase::SupabaseStyle,
            (Self::Vaniyk, _) => &vaniyk::VaniykStyle,
            (Self::Strikebet, _) => &strikebet::StrikebetStyle,
            (Self::Actian, _) => &actian::ActianStyle,
        }
    }

    /// What pages of these origins may read of answers that its router does not make, such as those of
    /// services.
    pub fn cors(self, allowed_origins: Vec<HeaderValue>) -> Cors {
        let cors = Cors::new(allowed_origins);
        match self {
            Self::InsForge => cors.sharing(insforge::SHARING),
            Self::Supabase | Self::Vaniyk | Self::Strikebet => cors.sharing(gotrue::SHARING),
            Self::Actian => cors.sharing(actian::SHARING),
        }
    }
}

impl Mount {
    /// What pages of other origins may read: for answers that the dialect's router does not make, such
    /// as refusals on proxied routes.
    pub fn cors(&self) -> Cors {
        Cors::new(self.allowed_origins.clone())
    }
}
