//! The keys `vdai_…`: made, listed, rotated, deleted, in both generations of the paths.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;

use super::Desk;
use super::call::{Call, Manager};
use super::fault::Fault;
use super::fields::Fields;
use super::key_body::{Generation, KeyBody, NewKeyBody};
use crate::api_key::{ApiKey, Description, KeyName, KeyStanding, Kind, Scope, Scopes};
use crate::api_keys::KeyQuery;
use crate::auth::Caller;
use crate::auth::api_keys::{KeyCall, KeyError, NewApiKey, Succession, Whose};
use crate::user::Roles;

/// How many keys a page of the store has.
const PAGE: u32 = 500;

/// A hundred years: what is longer is a slip of the hand.
const LONGEST: u64 = 100 * 366 * 24 * 60 * 60;

macro_rules! generation {
    ($(#[$doc:meta])* $name:ident, $generation:expr) => {
        $(#[$doc])*
        pub(super) mod $name {
            use axum::extract::{Path, State};
            use axum::response::Response;

            use super::super::Desk;
            use super::super::call::Call;
            use super::super::fault::Fault;
            use super::super::fields::Fields;
            use super::super::key_body::Generation;

            const GENERATION: Generation = $generation;

            pub(in crate::dialect::actian) async fn create(
                State(desk): State<Desk>,
                call: Call,
                fields: Fields,
            ) -> Result<Response, Fault> {
                super::create(&desk, &call, (fields, GENERATION)).await
            }

            pub(in crate::dialect::actian) async fn list(
                State(desk): State<Desk>,
                call: Call,
            ) -> Result<Response, Fault> {
                super::list(&desk, &call, GENERATION).await
            }

            pub(in crate::dialect::actian) async fn rotate(
                State(desk): State<Desk>,
                call: Call,
                Path(id): Path<String>,
            ) -> Result<Response, Fault> {
                super::rotate(&desk, &call, (&id, GENERATION)).await
            }

            pub(in crate::dialect::actian) async fn remove(
                State(desk): State<Desk>,
                call: Call,
                Path(id): Path<String>,
            ) -> Result<Response, Fault> {
                super::remove(&desk, &call, (&id, GENERATION)).await
            }
        }
    };
}

generation! {
    /// Below `/auth/api_key`.
    newer, Generation::Newer
}
generation! {
    /// Below `/auth/access_token`.
    older, Generation::Older
}

/// Somebody with their keys.
struct Keyring<'a> {
    desk: &'a Desk,
    manager: Manager,
    caller: Caller,
}

impl<'a> Keyring<'a> {
    fn of(desk: &'a Desk, call: &Call) -> Result<Self, Fault> {
        Ok(Self {
            manager: call.manager(&desk.auth)?,
            caller: call.caller(),
            desk,
        })
    }

    fn call(&self) -> KeyCall<'_> {
        KeyCall {
            actor: &self.manager.identity.subject,
            whose: Whose::Only(self.manager.subject.clone()),
            caller: &self.caller,
        }
    }

    /// Those that were not deleted, newest first; expired ones are still shown.
    async fn keys(&self) -> Result<Vec<ApiKey>, Fault> {
        let mut all = Vec::new();
        for page in 0_u32.. {
            let query = KeyQuery {
                subject: None,
                limit: PAGE,
                offset: page.saturating_mul(PAGE),
            };
            let found = self.desk.auth.list_api_keys(&self.call(), query).await?;
            let is_last = found.keys.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            all.extend(found.keys.into_iter().filter(is_listed));
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The key with this number. A text that is none is nobody's.
    async fn key(&self, (id, generation): (&str, Generation)) -> Result<ApiKey, Fault> {
        let number: Option<i64> = id.parse().ok();
        let keys = self.keys().await?;
        let mut keys = keys.into_iter();
        let found = number.and_then(|number| keys.find(|key| key.number == number));
        found.ok_or_else(|| not_found(generation))
    }
}

fn is_listed(key: &ApiKey) -> bool {
    key.kind == Kind::Actian && key.revoked_at.is_none() && key.retires_at.is_none()
}

const fn word(generation: Generation) -> &'static str {
    match generation {
        Generation::Newer => "API key",
        Generation::Older => "Access token",
    }
}

fn not_found(generation: Generation) -> Fault {
    let message = format!("{} not found", word(generation));
    Fault::new(StatusCode::NOT_FOUND, message)
}

async fn create(
    desk: &Desk,
    call: &Call,
    (fields, generation): (Fields, Generation),
) -> Result<Response, Fault> {
    let ring = Keyring::of(desk, call)?;
    let (new, description) = wanted(&ring, fields)?;
    // Before the names: who may not make the key learns nothing of those that are there.
    desk.auth.may_give(&ring.manager.identity, &new)?;
    if ring.keys().await?.iter().any(|key| key.name == new.name) {
        let message = format!("{} name already exists", word(generation));
        return Err(Fault::new(StatusCode::CONFLICT, message));
    }
    let made = desk
        .auth
        .create_described_api_key(&ring.call(), (new, description))
        .await?;
    Ok(Json(NewKeyBody::of(&made, generation)).into_response())
}

/// Such a key has no roles: what it may do, its permissions say.
fn wanted(ring: &Keyring<'_>, mut fields: Fields) -> Result<(NewApiKey, Description), Fault> {
    let invalid = |name: &str| Fault::bad_request(format!("Invalid value for field: {name}"));
    let name = KeyName::parse(&fields.required("name")?).map_err(|_bad| invalid("name"))?;
    let description = fields.optional("description")?.unwrap_or_default();
    let description = Description::parse(&description).map_err(|_bad| invalid("description"))?;
    let scopes = permissions(&fields.required("permission")?);
    let scopes = scopes.ok_or_else(|| invalid("permission"))?;
    let will_expire = fields.has("will_expire") && fields.truth("will_expire")?;
    let seconds = fields.number("expires_in_seconds")?;
    if seconds > LONGEST {
        return Err(invalid("expires_in_seconds"));
    }
    let now = ring.desk.auth.now();
    let new = NewApiKey {
        kind: Kind::Actian,
        name,
        subject: ring.manager.subject.clone(),
        roles: Roles::default(),
        scopes,
        expires_at: will_expire.then(|| now.plus(Duration::from_secs(seconds))),
    };
    Ok((new, description))
}

/// `read,write` in any order; at least one, as a key without would be bounded by nothing.
fn permissions(text: &str) -> Option<Scopes> {
    let words = text.split(',').map(str::trim);
    let scopes: Option<Scopes> = words
        .map(|word| {
            let known = Scope::PERMISSIONS.contains(&word);
            Scope::parse(word).ok().filter(|_| known)
        })
        .collect();
    scopes.filter(|scopes| scopes.iter().next().is_some())
}

async fn list(desk: &Desk, call: &Call, generation: Generation) -> Result<Response, Fault> {
    let ring = Keyring::of(desk, call)?;
    let keys = ring.keys().await?;
    let keys: Vec<_> = keys.iter().map(KeyBody::of).collect();
    Ok(match generation {
        Generation::Newer => Json(json!({ "api_keys": keys })).into_response(),
        Generation::Older => Json(keys).into_response(),
    })
}

async fn rotate(desk: &Desk, call: &Call, wanted: (&str, Generation)) -> Result<Response, Fault> {
    let ring = Keyring::of(desk, call)?;
    let (_, generation) = wanted;
    let key = ring.key(wanted).await?;
    match key.standing(desk.auth.now()) {
        KeyStanding::Live => {}
        KeyStanding::Expired | KeyStanding::Retired | KeyStanding::Revoked => {
            return Err(expired(generation));
        }
    }
    refuse_wider(&ring, &key)?;
    let rotation = (key.id, Succession::AtOnce);
    let made = desk.auth.rotate_api_key(&ring.call(), rotation).await?;
    Ok(Json(NewKeyBody::of(&made, generation)).into_response())
}

/// Who rotates a key holds it then, and nobody gets more than they have.
fn refuse_wider(ring: &Keyring<'_>, key: &ApiKey) -> Result<(), KeyError> {
    let same = NewApiKey {
        kind: key.kind,
        name: key.name.clone(),
        subject: key.subject.clone(),
        roles: key.roles.clone(),
        scopes: key.scopes.clone(),
        expires_at: key.expires_at,
    };
    ring.desk.auth.may_give(&ring.manager.identity, &same)
}

/// The generations differ in the status, too.
fn expired(generation: Generation) -> Fault {
    let status = match generation {
        Generation::Newer => StatusCode::CONFLICT,
        Generation::Older => StatusCode::BAD_REQUEST,
    };
    let word = match generation {
        Generation::Newer => "API key",
        Generation::Older => "access token",
    };
    Fault::new(status, format!("Cannot rotate an expired {word}"))
}

async fn remove(desk: &Desk, call: &Call, wanted: (&str, Generation)) -> Result<Response, Fault> {
    let ring = Keyring::of(desk, call)?;
    let (_, generation) = wanted;
    let key = ring.key(wanted).await?;
    desk.auth.revoke_api_key(&ring.call(), key.id).await?;
    let message = format!("{} deleted successfully", word(generation));
    Ok(Json(json!({ "status": "success", "message": message })).into_response())
}
