//! What the dialects share that stand on GoTrue, the login service of Supabase: its session and user
//! objects, its tokens, its grants, its errors.
//!
//! How an error is worded is left to each of them ([`fault::Render`]).

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use http::HeaderValue;

use super::cors::Sharing;
use super::{Mount, cors};
use crate::auth::Auth;

mod account;
pub mod body;
mod call;
pub mod fault;
mod fields;
pub mod form;
pub mod grant;
mod keys;
pub(super) mod link;
mod targets;

pub use self::keys::ApiKeys;
pub use self::targets::Targets;

pub(super) use self::account::{Account, account};
pub(super) use self::call::{Call, Shown};
pub(super) use self::fault::Fault;
pub(super) use self::fields::Fields;

/// The largest body of a request, in bytes: that of the original.
const BODY_LIMIT: usize = 1024 * 1024;

/// What pages of other origins may send and read, beyond what any page may.
pub const SHARING: Sharing = Sharing {
    methods: HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"),
    headers: HeaderValue::from_static(
        "authorization, apikey, content-type, accept, accept-profile, content-profile, prefer, range, \
         range-unit, x-client-info, x-region, x-retry-count, x-supabase-api-version",
    ),
    exposed: HeaderValue::from_static(
        "content-range, content-profile, link, retry-after, sb-auth-session-id, sb-auth-user-id, \
         x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-request-id, x-sb-error-code, \
         x-supabase-api-version, x-total-count",
    ),
};

/// What the endpoints work with.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) auth: Arc<Auth>,
    pub(super) mount: Arc<Mount>,
}

impl Desk {
    pub(super) fn new(auth: Arc<Auth>, mount: &Mount) -> Self {
        Self {
            auth,
            mount: Arc::new(mount.clone()),
        }
    }
}

/// The endpoints with what is around all of them: the wording of errors, the bound of bodies, and what
/// pages of other origins may read.
pub(super) fn dressed(endpoints: Router<Desk>, desk: Desk, render: fault::Render) -> Router {
    let cors = desk.mount.cors().sharing(SHARING);
    endpoints
        .fallback(fault::unknown_path)
        .method_not_allowed_fallback(fault::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(render, fault::layer))
        .layer(middleware::from_fn_with_state(cors, cors::layer))
        .with_state(desk)
}
