//! Login APIs of other systems, spoken word for word, so that their official clients work here.
//!
//! A dialect is an envelope: who may sign in, and for how long, is decided by [`auth`](crate::auth)
//! alone. Whoever mounts one needs to know of it no more than its [`Shape`] says.

use std::sync::Arc;

use axum::Router;
use http::{HeaderValue, Method};

use crate::auth::Auth;
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
#[derive(Clone, Debug, Default)]
pub struct Mount {
    /// The origins whose pages may call it with credentials, as browsers spell them (RFC 6454 §6.2).
    pub allowed_origins: Vec<HeaderValue>,
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
    pub fn router(self, auth: Arc<Auth>, mount: Mount) -> Router {
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
