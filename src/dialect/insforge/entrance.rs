//! The two entrances of the dialect: the users' and the admins'. A session of one is none at the other.

use super::call::Call;
use super::fault::Fault;
use crate::session::SessionKind;
use crate::wire::cookie::{Cookie, SameSite};

/// What differs between the entrances.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entrance {
    pub(super) kind: SessionKind,
    /// Holds the refresh token of a browser. `SameSite=None`, as the app lives at another origin; the
    /// CSRF token stands in for what that gives away.
    pub(super) cookie: Cookie,
    wrong_password: &'static str,
    no_refresh_token: &'static str,
    wrong_kind: &'static str,
}

impl Entrance {
    pub(super) const USER: Self = Self {
        kind: SessionKind::User,
        cookie: Cookie::new("insforge_refresh_token", "/api/auth", SameSite::None),
        wrong_password: "Invalid credentials",
        no_refresh_token: "No refresh token provided",
        wrong_kind: "Invalid refresh session type",
    };

    pub(super) const ADMIN: Self = Self {
        kind: SessionKind::Admin,
        cookie: Cookie::new(
            "insforge_admin_refresh_token",
            "/api/auth/admin",
            SameSite::None,
        ),
        wrong_password: "Invalid admin credentials",
        no_refresh_token: "No admin refresh token provided",
        wrong_kind: "Invalid admin refresh session type",
    };

    /// Its cookie, if the call shows it: no answer clears one that was not there. A page of another
    /// site could have it cleared otherwise, in browsers that keep our cookies from such pages.
    pub(super) fn shown_cookie(&self, call: &Call) -> Option<Cookie> {
        let shown = Cookie::shown(&[self.cookie], &call.parts.headers);
        shown.first().copied()
    }

    pub(super) fn wrong_password(&self) -> Fault {
        Fault::unauthorized(self.wrong_password)
    }

    pub(super) fn no_refresh_token(&self) -> Fault {
        Fault::unauthorized(self.no_refresh_token)
    }

    pub(super) fn wrong_kind(&self) -> Fault {
        Fault::unauthorized(self.wrong_kind)
    }
}
