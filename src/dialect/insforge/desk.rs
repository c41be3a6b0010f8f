//! What the endpoints of this dialect work with.

use std::sync::Arc;

use axum::extract::FromRef;

use super::redirect::Redirects;
use crate::auth::Auth;
use crate::auth::tokens::form::Form;
use crate::dialect::Mount;
use crate::dialect::gotrue::ApiKeys;

/// The core, and what the mount says.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) auth: Arc<Auth>,
    form: Form,
    /// The `anon_…` keys, which apps carry.
    pub(super) keys: Arc<ApiKeys>,
    /// Where links from mails may lead.
    pub(super) redirects: Arc<Redirects>,
}

impl Desk {
    pub(super) fn new(auth: Arc<Auth>, mount: &Mount) -> Self {
        Self {
            auth,
            form: mount.form.clone(),
            keys: Arc::new(mount.keys.clone()),
            redirects: Arc::new(Redirects::of(mount)),
        }
    }
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
