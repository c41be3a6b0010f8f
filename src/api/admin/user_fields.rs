//! What may stand in a body about a user.

use std::convert::Infallible;

use serde_json::Value;

use super::ApiError;
use super::fields::{Fields, text_or_null};
use crate::auth::account::directory::{Amendment, Entry, NewPassword};
use crate::password::PasswordHash;
use crate::secret::SecretText;
use crate::user::{AccountStatus, Email, EmailStatus, JsonObject, Role, User, Username};

/// The longest that the profile or the metadata of a user may grow, in bytes.
const LARGEST_OBJECT: usize = 32 * 1024;

/// A new user.
pub(super) fn entry(mut fields: Fields) -> Result<Entry, ApiError> {
    let email = fields.text("email", Email::parse);
    let email = fields.needed("email", email);
    let username = fields
        .take("username", |value| text_or_null(&value, Username::parse))
        .flatten();
    let password = password(&mut fields);
    let roles = fields.texts("roles", Role::parse).unwrap_or_default();
    let email_status = verified(&mut fields).unwrap_or(EmailStatus::Unverified);
    let nothing = JsonObject::new();
    let profile = object(&mut fields, "profile", &nothing).unwrap_or_default();
    let metadata = object(&mut fields, "metadata", &nothing).unwrap_or_default();
    fields.finish(email.map(|email| Entry {
        id: None,
        email,
        username,
        roles: roles.into_iter().collect(),
        password,
        status: AccountStatus::Enabled,
        email_status,
        profile,
        metadata,
    }))
}

/// A change of a user as it was read (RFC 7396): what is not named stays.
pub(super) fn amendment(mut fields: Fields, user: &User) -> Result<Amendment, ApiError> {
    let amendment = Amendment {
        expected: Some(user.revision),
        email: fields.text("email", Email::parse),
        username: fields.take("username", |value| text_or_null(&value, Username::parse)),
        roles: fields
            .texts("roles", Role::parse)
            .map(|roles| roles.into_iter().collect()),
        password: password(&mut fields),
        email_status: verified(&mut fields),
        status: fields.truth("disabled").map(|is_disabled| {
            if is_disabled {
                AccountStatus::Disabled
            } else {
                AccountStatus::Enabled
            }
        }),
        profile: object(&mut fields, "profile", &user.profile),
        metadata: object(&mut fields, "metadata", &user.metadata),
    };
    fields.finish(Some(amendment))
}

fn verified(fields: &mut Fields) -> Option<EmailStatus> {
    fields.truth("email_verified").map(|is_verified| {
        if is_verified {
            EmailStatus::Verified
        } else {
            EmailStatus::Unverified
        }
    })
}

/// Whether it is any good the rules for passwords say, and of a hash, whether it can be checked.
fn password(fields: &mut Fields) -> Option<NewPassword> {
    let plain = fields.text("password", |text| {
        Ok::<_, Infallible>(SecretText::new(text.to_owned()))
    });
    let hash = fields.text("password_hash", |text| {
        Ok::<_, Infallible>(PasswordHash::new(text))
    });
    match (plain, hash) {
        (Some(_), Some(_)) => {
            fields.mistaken("password_hash", "stands beside a password".into());
            None
        }
        (Some(plain), None) => Some(NewPassword::Plain(plain)),
        (None, hash) => hash.map(NewPassword::Hash),
    }
}

/// An open object: merged into what is there, key by key; null takes a key away (RFC 7396 §2).
fn object(fields: &mut Fields, name: &'static str, before: &JsonObject) -> Option<JsonObject> {
    let patch = fields.object(name)?;
    let after = merged(before.clone(), patch);
    let length = serde_json::to_string(&after).map_or(usize::MAX, |text| text.len());
    if length > LARGEST_OBJECT {
        fields.mistaken(
            name,
            format!("is longer than {LARGEST_OBJECT} bytes").into(),
        );
        return None;
    }
    Some(after)
}

/// As deep as a body may nest, which the reader of JSON bounds.
fn merged(mut target: JsonObject, patch: JsonObject) -> JsonObject {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(&name);
            }
            Value::Object(patch) => {
                let before = match target.remove(&name) {
                    Some(Value::Object(before)) => before,
                    Some(_) | None => JsonObject::new(),
                };
                target.insert(name, Value::Object(merged(before, patch)));
            }
            other => {
                target.insert(name, other);
            }
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_is_merged_key_by_key() {
        // The cases of RFC 7396, appendix A, whose target and patch are objects.
        let check = |target: Value, patch: Value, expected: Value| {
            let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
                panic!("no objects");
            };
            assert_eq!(Value::Object(merged(target, patch)), expected);
        };
        check(json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"}));
        check(
            json!({"a": "b"}),
            json!({"b": "c"}),
            json!({"a": "b", "b": "c"}),
        );
        check(json!({"a": "b"}), json!({"a": null}), json!({}));
        check(
            json!({"a": "b", "b": "c"}),
            json!({"a": null}),
            json!({"b": "c"}),
        );
        check(json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"}));
        check(json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]}));
        check(
            json!({"a": {"b": "c"}}),
            json!({"a": {"b": "d", "c": null}}),
            json!({"a": {"b": "d"}}),
        );
        check(
            json!({"e": null}),
            json!({"a": 1}),
            json!({"e": null, "a": 1}),
        );
        check(
            json!({}),
            json!({"a": {"bb": {"ccc": null}}}),
            json!({"a": {"bb": {}}}),
        );
    }
}
