//! The gateway's own JSON API.

use std::sync::Arc;

use axum::Router;

use crate::auth::Auth;

/// The endpoints.
pub fn router(_auth: Arc<Auth>) -> Router {
    Router::new()
}
