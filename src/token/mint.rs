//! The making of our own access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::signing::{PrivateKey, SigningFailed};
use super::unverified::MAX_BYTES;
use crate::clock::Timestamp;
use crate::id::{SessionId, random_bytes};
use crate::secret::SecretText;
use crate::user::{Email, JsonObject, Role, Roles};

/// The `typ` of a token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeType {
    /// `at+jwt` (RFC 9068 §2.1). It tells access tokens from every other token that a key of ours may
    /// ever sign, as RFC 8725 §3.11 asks.
    Access,
    /// `JWT`, for those behind us who know no other.
    Plain,
}

impl MadeType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Plain => "JWT",
        }
    }
}

/// The `role` of somebody who has none.
const NO_ROLE: &str = "user";

/// Why no token was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// With these claims it would be longer than what we read ourselves.
    #[error("the claims are too long for a token")]
    TooLong,
    /// The cryptographic library failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

/// What an access token of ours says.
#[derive(Clone, Debug)]
pub struct Claims {
    /// `sub`: the user.
    pub subject: String,
    /// `sid`: the session.
    pub session: SessionId,
    /// `roles`, and the highest of them as `role`: `admin` if it is there, else the first, else `user`.
    pub roles: Roles,
    /// `email`; left out where there is none.
    pub email: Option<Email>,
    /// `amr`: how the user signed in (RFC 8176), `pwd` for instance.
    pub methods: Vec<&'static str>,
    /// `iat` and `nbf`, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, in whole seconds.
    pub expires_at: Timestamp,
    /// What a dialect adds, or says in other words: `role` and `amr` may be replaced; what a verdict
    /// rests on (`iss`, `aud`, `sub`, `sid`, `roles`, `email`, `iat`, `nbf`, `exp`, `jti`) never is.
    pub extra: JsonObject,
}

/// Who makes a token, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub audience: &'a str,
    /// `typ`.
    pub token_type: MadeType,
    /// The name of the key; a secret that others share with us has none.
    pub kid: Option<&'a str>,
    /// The key.
    pub key: &'a PrivateKey,
}

impl Maker<'_> {
    /// A signed access token with these claims.
    pub fn mint(&self, claims: Claims) -> Result<SecretText, MintError> {
        let mut header = json!({
            "alg": self.key.algorithm().as_str(),
            "typ": self.token_type.as_str(),
        });
        if let (Some(header), Some(kid)) = (header.as_object_mut(), self.kid) {
            header.insert("kid".to_owned(), json!(kid));
        }
        let mut text = encode(&header);
        text.push('.');
        text.push_str(&encode(&Value::Object(self.claims(claims))));
        let signature = self.key.sign(text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        if text.len() > MAX_BYTES {
            return Err(MintError::TooLong);
        }
        Ok(SecretText::new(text))
    }

    /// What a verdict rests on is put in last.
    fn claims(&self, claims: Claims) -> JsonObject {
        let roles: Vec<&str> = claims.roles.iter().map(Role::as_str).collect();
        let mut all = JsonObject::new();
        let mut set = |name: &str, value: Value| all.insert(name.to_owned(), value);
        set("role", json!(highest(&claims.roles)));
        set("amr", json!(claims.methods));
        all.extend(claims.extra);
        let mut set = |name: &str, value: Value| all.insert(name.to_owned(), value);
        set("iss", json!(self.issuer));
        set("aud", json!(self.audience));
        set("sub", json!(claims.subject));
        set("sid", json!(claims.session.to_string()));
        set("iat", json!(claims.issued_at.as_seconds()));
        set("nbf", json!(claims.issued_at.as_seconds()));
        set("exp", json!(claims.expires_at.as_seconds()));
        set("jti", json!(URL_SAFE_NO_PAD.encode(random_bytes::<16>())));
        set("roles", json!(roles));
        match claims.email {
            Some(email) => all.insert("email".to_owned(), json!(email.as_str())),
            None => all.remove("email"),
        };
        all
    }
}

fn highest(roles: &Roles) -> &str {
    if roles.has_admin() {
        return Role::ADMIN;
    }
    roles.iter().next().map_or(NO_ROLE, Role::as_str)
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
