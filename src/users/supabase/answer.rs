//! What the answers of the project mean. Whatever is not known to mean something is a failure of the
//! project or of its settings, never a verdict on a user.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::NAME;
use super::link::Reply;
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::secret::SecretText;
use crate::unavailable::Unavailable;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, Revision, Role, Roles, User};
use crate::users::directory::{DirectoryError, Proof, Verdict};

/// GoTrue's session; its refresh token is of no use here.
#[derive(Deserialize)]
struct Session {
    access_token: SecretText,
    user: JsonObject,
}

/// An error, of GoTrue in its two forms or its older third one, or of PostgREST.
#[derive(Deserialize)]
struct Complaint {
    code: Option<Value>,
    error_code: Option<String>,
    error: Option<String>,
}

impl Complaint {
    /// `code` is a number in GoTrue's older form, which has the word beside it.
    fn word(&self) -> Option<&str> {
        let code = self.code.as_ref().and_then(Value::as_str);
        self.error_code
            .as_deref()
            .or(code)
            .or(self.error.as_deref())
    }
}

/// What came of a password grant.
pub(super) fn verdict(reply: &Reply) -> Result<Verdict, DirectoryError> {
    if reply.status == StatusCode::OK {
        let session: Session = read(reply)?;
        return Ok(Verdict::Right(Proof {
            user: id(&session.user)?,
            token: session.access_token,
            told: session.user,
        }));
    }
    let complaint: Option<Complaint> = serde_json::from_slice(&reply.body).ok();
    let word = complaint.as_ref().and_then(Complaint::word);
    match (reply.status.as_u16(), word) {
        // An address or a password that GoTrue would not even look at is nobody's.
        (400 | 422, Some("invalid_credentials" | "invalid_grant" | "validation_failed")) => {
            Ok(Verdict::Wrong)
        }
        (400 | 403, Some("user_banned")) => Ok(Verdict::Closed),
        (400, Some("email_not_confirmed")) => Ok(Verdict::EmailUnverified),
        _ => Err(unexpected(reply, word)),
    }
}

/// What GoTrue says of a user; `None` where it knows none.
pub(super) fn told(reply: &Reply) -> Result<Option<JsonObject>, DirectoryError> {
    if reply.status == StatusCode::OK {
        return read(reply).map(Some);
    }
    let complaint: Option<Complaint> = serde_json::from_slice(&reply.body).ok();
    match complaint.as_ref().and_then(Complaint::word) {
        // A proxy that does not know the path answers 404 too, but not with this word.
        Some("user_not_found") if reply.status == StatusCode::NOT_FOUND => Ok(None),
        word => Err(unexpected(reply, word)),
    }
}

/// The row of a user; `None` where there is none.
pub(super) fn rows(reply: &Reply) -> Result<Option<JsonObject>, DirectoryError> {
    if reply.status != StatusCode::OK {
        let complaint: Option<Complaint> = serde_json::from_slice(&reply.body).ok();
        let word = complaint.as_ref().and_then(Complaint::word);
        return Err(unexpected(reply, word));
    }
    let mut rows: Vec<JsonObject> = read(reply)?;
    match rows.len() {
        0 => Ok(None),
        1 => Ok(rows.pop()),
        _ => Err(failure("several rows for one user")),
    }
}

/// The user whom GoTrue describes.
pub(super) fn user(
    told: &JsonObject,
    is_admin: bool,
    now: Timestamp,
) -> Result<User, DirectoryError> {
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let time = |name: &str| text(name).and_then(Timestamp::parse);
    let object = |name: &str| match told.get(name) {
        Some(Value::Object(object)) => object.clone(),
        _ => JsonObject::new(),
    };
    let email = Email::parse(text("email").unwrap_or_default());
    let is_closed = text("deleted_at").is_some()
        || text("banned_until").is_some_and(|until| {
            // A time that cannot be read is not over.
            Timestamp::parse(until).is_none_or(|until| until > now)
        });
    let is_verified = text("email_confirmed_at").is_some();
    let admin = is_admin.then(|| Role::parse(Role::ADMIN).ok()).flatten();
    Ok(User {
        id: id(told)?,
        email: email.map_err(|error| failure(format!("an address that {error}")))?,
        username: None,
        roles: Roles::from_iter(admin),
        email_status: if is_verified {
            EmailStatus::Verified
        } else {
            EmailStatus::Unverified
        },
        status: if is_closed {
            AccountStatus::Disabled
        } else {
            AccountStatus::Enabled
        },
        profile: object("user_metadata"),
        metadata: object("app_metadata"),
        created_at: time("created_at").unwrap_or(now),
        updated_at: time("updated_at").unwrap_or(now),
        // The directory counts none, and nothing is changed here.
        revision: Revision::FIRST,
    })
}

fn id(told: &JsonObject) -> Result<UserId, DirectoryError> {
    let id = told.get("id").and_then(Value::as_str);
    let id = id.and_then(|id| id.parse().ok());
    id.ok_or_else(|| failure("a user without a UUID"))
}

fn read<T: for<'de> Deserialize<'de>>(reply: &Reply) -> Result<T, DirectoryError> {
    // What serde says may show a value of the answer.
    let read = serde_json::from_slice(&reply.body);
    read.map_err(|_shows_values| failure("an answer of another form"))
}

/// Codes are short words of a fixed set; whatever looks otherwise is not shown.
fn unexpected(reply: &Reply, word: Option<&str>) -> DirectoryError {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let word = word.filter(|word| word.len() <= 40 && word.chars().all(plain));
    let word = word.unwrap_or("no code");
    failure(format!("status {} ({word})", reply.status.as_u16()))
}

fn failure(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DirectoryError {
    let error = Unavailable::new(NAME, reason);
    tracing::error!(error = ?error, "the Supabase project gave an answer that cannot be used");
    error.into()
}
