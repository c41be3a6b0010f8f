//! How each shape says the same things.

use doorward::dialect::Shape;
use http::Method;
use serde_json::{Value, json};

/// A request of a client.
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) target: &'static str,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Option<String>,
}

pub(crate) type SignIn = fn(&str, &str) -> Ask;
type WithToken = fn(&str) -> Ask;

/// The words of a shape; `None` where it has none for it.
pub(crate) struct Words {
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) admin_sign_in: Option<SignIn>,
    pub(super) refresh: Option<WithToken>,
    pub(super) sign_out: Option<WithToken>,
    pub(super) current: Option<WithToken>,
    /// Where the tokens stand in an answer.
    pub(super) access: &'static str,
    pub(super) refresh_token: &'static str,
}

impl Words {
    pub(crate) fn of(shape: Shape) -> Self {
        match shape {
            Shape::InsForge => insforge(),
            Shape::Supabase => supabase(),
            Shape::Vaniyk => vaniyk(),
            Shape::Strikebet => strikebet(),
            Shape::Actian => actian(),
        }
    }

    /// Where sign-ins go.
    pub(super) fn target(&self) -> &'static str {
        self.sign_in.or(self.admin_sign_in).unwrap()("", "").target
    }

    /// Whether its admins say who they are.
    pub(super) fn names_admins(&self) -> bool {
        let ask = self.admin_sign_in.map(|words| words("somebody", ""));
        ask.is_some_and(|ask| ask.body.is_some_and(|body| body.contains("somebody")))
    }
}

fn post(target: &'static str, body: &Value) -> Ask {
    Ask {
        method: Method::POST,
        target,
        bearer: None,
        body: Some(body.to_string()),
    }
}

fn bare((method, target): (Method, &'static str), token: &str) -> Ask {
    Ask {
        method,
        target,
        bearer: Some(token.to_owned()),
        body: None,
    }
}

/// A body as it stands here.
pub(super) fn raw(target: &'static str, body: &str) -> Ask {
    Ask {
        method: Method::POST,
        target,
        bearer: None,
        body: Some(body.to_owned()),
    }
}

fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

fn insforge() -> Words {
    Words {
        sign_in: Some(|email, password| {
            let target = "/api/auth/sessions?client_type=mobile";
            post(target, &credentials(email, password))
        }),
        admin_sign_in: Some(|email, password| {
            post("/api/auth/admin/sessions", &credentials(email, password))
        }),
        refresh: Some(|token| {
            let target = "/api/auth/refresh?client_type=mobile";
            post(target, &json!({ "refreshToken": token }))
        }),
        sign_out: Some(|token| bare((Method::POST, "/api/auth/logout"), token)),
        current: Some(|token| bare((Method::GET, "/api/auth/sessions/current"), token)),
        access: "/accessToken",
        refresh_token: "/refreshToken",
    }
}

fn supabase() -> Words {
    Words {
        sign_in: Some(|email, password| {
            let target = "/auth/v1/token?grant_type=password";
            post(target, &credentials(email, password))
        }),
        admin_sign_in: None,
        refresh: Some(|token| {
            let target = "/auth/v1/token?grant_type=refresh_token";
            post(target, &json!({ "refresh_token": token }))
        }),
        sign_out: Some(|token| bare((Method::POST, "/auth/v1/logout?scope=local"), token)),
        current: Some(|token| bare((Method::GET, "/auth/v1/user"), token)),
        access: "/access_token",
        refresh_token: "/refresh_token",
    }
}

fn vaniyk() -> Words {
    Words {
        sign_in: Some(|email, password| post("/api/auth/login", &credentials(email, password))),
        admin_sign_in: Some(|email, password| {
            post("/api/auth/admin/login", &credentials(email, password))
        }),
        refresh: None,
        sign_out: None,
        current: Some(|token| bare((Method::GET, "/api/auth/profile"), token)),
        access: "/session/access_token",
        refresh_token: "/session/refresh_token",
    }
}

fn strikebet() -> Words {
    Words {
        sign_in: Some(|email, password| {
            let target = "/token?grant_type=password";
            post(target, &credentials(email, password))
        }),
        admin_sign_in: Some(|email, password| post("/login-admin", &credentials(email, password))),
        refresh: Some(|token| {
            let target = "/token?grant_type=refresh_token";
            post(target, &json!({ "refresh_token": token }))
        }),
        sign_out: None,
        current: None,
        access: "/access_token",
        refresh_token: "/refresh_token",
    }
}

/// One account, which need not say who it is.
fn actian() -> Words {
    Words {
        sign_in: None,
        admin_sign_in: Some(|_, password| {
            post("/auth/admin/login", &json!({ "password": password }))
        }),
        refresh: None,
        sign_out: None,
        current: Some(|token| bare((Method::GET, "/auth/enabled"), token)),
        access: "/token",
        refresh_token: "",
    }
}
