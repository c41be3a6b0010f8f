//! The tables themselves, in the order in which the manual shows them.

pub use self::accounts::{ACCOUNTS, MAIL, MAIL_LINKS};
pub use self::dialects::DIALECTS;
pub use self::limits::LIMITS;
pub use self::logs::{AUDIT, LOG, LOG_AUDIT, LOG_FILE};
pub use self::routing::{CLAIM, HEADERS, ROUTES, RULE, UPSTREAMS};
pub use self::server::{CERTIFICATES, OPS, SERVER, STATE, TLS};
pub use self::sessions::{
    SESSION_STORE, SESSIONS, SESSIONS_NATIVE, SESSIONS_REMEMBERED, SESSIONS_WEB,
};
use self::shared::{PATH, TEXT, key};
pub use self::tokens::{ADMIN_CLAIM, API_KEYS, ISSUER_KEYS, ISSUERS, TOKENS};
pub use self::users::{PASSWORDS, SUPABASE, SUPABASE_ADMIN, USER_STORE, USERS};
use super::Default::Words;
use super::Form::{Inline, Single};
use super::Table;

mod accounts;
mod dialects;
mod limits;
mod logs;
mod routing;
mod server;
mod sessions;
mod shared;
mod tokens;
mod users;

/// Every table of the file.
pub static TABLES: &[&Table] = &[
    &ROOT,
    &SERVER,
    &TLS,
    &CERTIFICATES,
    &STATE,
    &SESSIONS,
    &SESSIONS_WEB,
    &SESSIONS_REMEMBERED,
    &SESSIONS_NATIVE,
    &SESSION_STORE,
    &USERS,
    &USER_STORE,
    &SUPABASE,
    &SUPABASE_ADMIN,
    &PASSWORDS,
    &LIMITS,
    &ACCOUNTS,
    &MAIL,
    &MAIL_LINKS,
    &TOKENS,
    &ISSUERS,
    &ISSUER_KEYS,
    &ADMIN_CLAIM,
    &UPSTREAMS,
    &ROUTES,
    &RULE,
    &CLAIM,
    &DIALECTS,
    &API_KEYS,
    &HEADERS,
    &OPS,
    &LOG,
    &LOG_FILE,
    &LOG_AUDIT,
    &AUDIT,
    &SECRET,
];

/// The file itself.
pub static ROOT: Table = Table {
    path: "",
    form: Single,
    meaning: "",
    keys: &[],
    later: &[],
};

/// A secret.
pub static SECRET: Table = Table {
    path: "secret",
    form: Inline,
    meaning: "Where a secret is; exactly one of the two. Unset, unreadable or empty is a mistake.",
    keys: &[
        key(
            "env",
            TEXT,
            Words("–"),
            "The name of an environment variable.",
        ),
        key(
            "file",
            PATH,
            Words("–"),
            "A file; a line break at its end does not count.",
        ),
    ],
    later: &[],
};
