//! Users: where they are, and what their passwords must be.

use super::shared::{
    CLAIM_PATH, JSON, JSON_LIST, PATH, SECRET_KIND, SYSTEM_AUTHORITIES, count, key, span,
};
use crate::config::reference::Default::{Required, Value, Words};
use crate::config::reference::Form::{Inline, Single};
use crate::config::reference::{Kind, Table};

/// `[users]`
pub static USERS: Table = Table {
    path: "users",
    form: Single,
    meaning: "Where users are kept.",
    keys: &[
        key(
            "store",
            Kind::Words("a postgres:// URL, or a table with more"),
            Words("embedded: a SQLite file in `state.directory`"),
            "A PostgreSQL server: `postgres://user@host:port/database`. API keys and codes go there \
             as well.",
        ),
        key(
            "require_verified_email",
            Kind::Boolean,
            Value("false"),
            "Whether only users with a verified address may sign in.",
        ),
    ],
    later: &[],
};

/// `users.store`
pub static USER_STORE: Table = Table {
    path: "users.store",
    form: Inline,
    meaning: "The user store with its password: `store = { url = …, password = … }`.",
    keys: &[
        key(
            "url",
            Kind::Words("a postgres:// URL without a password"),
            Required,
            "`postgres://user@host[:port]/database`.",
        ),
        key(
            "password",
            SECRET_KIND,
            Words("none"),
            "The password of the PostgreSQL user.",
        ),
        key(
            "ca",
            PATH,
            Words("none: TLS where the server offers it, unverified"),
            "The certificates, as PEM, that the server's must come from. With it, only verified TLS \
             to the host of the URL is spoken.",
        ),
        key(
            "max_connections",
            count(1, 1000, "connections"),
            Value("10"),
            "At the most, from this gateway.",
        ),
    ],
    later: &[],
};

/// `[users.supabase]`
pub static SUPABASE: Table = Table {
    path: "users.supabase",
    form: Single,
    meaning: "Users in a Supabase project, instead of `users.store`: it checks the passwords, and its \
              table of users says who is an admin. Accounts are managed there.",
    keys: &[
        key(
            "url",
            Kind::Words("an https URL, such as \"https://project.supabase.co\""),
            Required,
            "The project; plain http only on the machine itself.",
        ),
        key(
            "anon_key",
            SECRET_KIND,
            Required,
            "Its `anon` or publishable key.",
        ),
        key(
            "service_key",
            SECRET_KIND,
            Words("none: who is signed in stays what they were until they sign in anew"),
            "Its `service_role` or secret key. With it each refresh reads the user anew: who is gone \
             or banned is signed out, other roles count.",
        ),
        key(
            "ca",
            PATH,
            SYSTEM_AUTHORITIES,
            "The certificates, as PEM, that the project's must come from.",
        ),
        key(
            "admin",
            Kind::Words("a table such as { column = \"is_admin\", equals = true }"),
            Value("{ column = \"is_admin\", equals = true }"),
            "What makes an admin.",
        ),
        key(
            "schema",
            Kind::Words("a name of letters, digits and \"_\""),
            Value("\"users\""),
            "The schema of the table of users, which the project's API must expose.",
        ),
        key(
            "table",
            Kind::Words("a name of letters, digits and \"_\""),
            Value("\"users\""),
            "The table of users; its `id` is that of `auth.users`. Whoever has no row in it has no \
             account here.",
        ),
        key(
            "row_key",
            Kind::Words("\"user\" or \"service\""),
            Value("\"user\""),
            "Whose rights the row is read with at a sign-in: the user's own, or those of `service_key`.",
        ),
        key(
            "timeout",
            span("100ms", "1m"),
            Value("\"5s\""),
            "The longest wait for an answer. A project that fails five times in a row is left alone \
             for ten seconds; the answer is 503 meanwhile.",
        ),
        key(
            "max_concurrent",
            count(1, 1000, "questions"),
            Value("32"),
            "How many questions are asked at once; the others wait, at most `timeout`.",
        ),
    ],
    later: &[],
};

/// `users.supabase.admin`
pub static SUPABASE_ADMIN: Table = Table {
    path: "users.supabase.admin",
    form: Inline,
    meaning: "What makes an admin: a column of the user's row or a claim, and exactly one of the three \
              tests.",
    keys: &[
        key(
            "column",
            Kind::Words("a name of letters, digits and \"_\""),
            Words("–"),
            "A column of the table of users.",
        ),
        key(
            "claim",
            CLAIM_PATH,
            Words("–"),
            "What the project says of the user, such as `app_metadata.role`; then no row is read. Not \
             `user_metadata`: users write that themselves.",
        ),
        key("equals", JSON, Words("–"), "It is exactly this."),
        key(
            "contains",
            JSON,
            Words("–"),
            "It is a list that holds this, or a text one of whose words it is.",
        ),
        key("one_of", JSON_LIST, Words("–"), "It is one of these."),
    ],
    later: &[],
};

/// `[passwords]`
pub static PASSWORDS: Table = Table {
    path: "passwords",
    form: Single,
    meaning: "How passwords are hashed (argon2id; the defaults are those of the OWASP cheat sheet). \
              A hash takes `memory_kib`, and at most `max_concurrent` are computed at once: both \
              together may take 16 GiB.",
    keys: &[
        key(
            "memory_kib",
            count(7168, 1_048_576, "KiB"),
            Value("19456"),
            "Memory of one hash.",
        ),
        key(
            "iterations",
            count(1, 20, "passes"),
            Value("2"),
            "Passes over that memory.",
        ),
        key("parallelism", count(1, 16, "lanes"), Value("1"), "Lanes."),
        key(
            "max_concurrent",
            count(1, 1024, "hashes"),
            Words("half the cores, at least 1"),
            "How many hashes are computed at once.",
        ),
        key(
            "max_waiting",
            count(0, 100_000, "sign-ins"),
            Value("64"),
            "How many more may wait; above it the answer is 503 at once.",
        ),
        key(
            "max_wait",
            span("10ms", "1m"),
            Value("\"5s\""),
            "The longest wait for a place.",
        ),
        key(
            "min_length",
            count(6, 128, "characters"),
            Value("8"),
            "The shortest password that a user may choose. The longest has 1024 bytes; the user's \
             own names and that of the service are none.",
        ),
        key(
            "breached",
            PATH,
            Words("not looked up"),
            "A list of passwords that are known from breaches and cannot be chosen, made by \
             `doorward passwords compile`.",
        ),
    ],
    later: &[],
};
