//! Login APIs of other systems, spoken word for word, so that their official clients work here.
//!
//! A dialect is an envelope: who may sign in, and for how long, is decided by [`auth`](crate::auth)
//! alone. Whoever mounts one needs to know of it no more than its [`Shape`] says.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use http::{HeaderValue, Method};

use crate::auth::Auth;
use crate::auth::tokens::form::{Form, FormConfig};
use crate::wire::cookie::Cookie;
use crate::wire::refusal::RefusalStyle;

use self::cors::Cors;

pub mod cors;
pub mod insforge;

/// Which dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `InsForge`.
    InsForge,
}

/// What a dialect is told beside the core.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The origins whose pages may call it with credentials, as browsers spell them (RFC 6454 §6.2).
    pub allowed_origins: Vec<HeaderValue>,
    /// How its access tokens are made.
    pub form: Form,
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
}

impl Shape {
    /// The endpoints that it has of its own, each by method and path; nothing else is its to answer.
    pub const fn routes(self) -> &'static [(Method, &'static str)] {
        match self {
            Self::InsForge => insforge::ROUTES,
        }
    }

    /// The endpoints themselves. Each wants a [`RequestContext`](crate::wire::context::RequestContext)
    /// among the extensions of its request.
    pub fn router(self, auth: Arc<Auth>, mount: &Mount) -> Router {
        match self {
            Self::InsForge => insforge::router(auth, mount),
        }
    }

    /// The cookies that it sets, which no upstream needs to see.
    pub const fn cookies(self) -> &'static [Cookie] {
        match self {
            Self::InsForge => insforge::COOKIES,
        }
    }

    /// How its access tokens are made.
    pub fn token_form(self, own: OwnNames<'_>) -> FormConfig {
        match self {
            Self::InsForge => insforge::token_form(own),
        }
    }

    /// How its clients want to be refused, on proxied routes too.
    pub const fn style(self) -> &'static (dyn RefusalStyle + Send + Sync) {
        match self {
            Self::InsForge => &insforge::InsForgeStyle,
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
