//! Tokens and keys that are taken: ours, and those of others.

use super::shared::{CLAIM_KEYS, PATH, SECRET_KIND, SYSTEM_AUTHORITIES, TEXT, count, key, span};
use crate::config::reference::Default::{Required, Value, Words};
use crate::config::reference::Form::{Inline, List, Single};
use crate::config::reference::{Kind, Table};

/// `[tokens]`
pub static TOKENS: Table = Table {
    path: "tokens",
    form: Single,
    meaning: "The tokens that the gateway signs itself.",
    keys: &[
        key(
            "issuer",
            TEXT,
            Words("the origin of `server.public_url`"),
            "Their `iss`.",
        ),
        key("audience", TEXT, Value("\"doorward\""), "Their `aud`."),
        key(
            "algorithm",
            Kind::Words("\"ES256\", \"RS256\", \"EdDSA\" or \"HS256\""),
            Value("\"ES256\""),
            "How a new key signs.",
        ),
        key(
            "keys",
            SECRET_KIND,
            Words("made at the first start, kept in `keys.json` in `state.directory`"),
            "The key ring, where the operator brings it.",
        ),
        key(
            "leeway",
            span("0s", "5m"),
            Value("\"30s\""),
            "How far the clocks of those who make tokens may be off.",
        ),
    ],
    later: &[],
};

/// `[[issuers]]`
pub static ISSUERS: Table = Table {
    path: "issuers",
    form: List,
    meaning: "Others whose tokens are welcome.",
    keys: &[
        key(
            "issuer",
            TEXT,
            Required,
            "The `iss` of their tokens, exactly.",
        ),
        key(
            "jwks",
            Kind::Words("an https URL, a path or { file = \"/path\" }"),
            Required,
            "Their keys (RFC 7517); plain http only from the machine itself.",
        ),
        key(
            "ca",
            PATH,
            SYSTEM_AUTHORITIES,
            "The authorities, as PEM, that alone may have signed the certificate of the key server.",
        ),
        key(
            "audience",
            Kind::Words("a text or a list of texts"),
            Required,
            "The `aud` that their tokens must have; one of these.",
        ),
        key(
            "admin",
            Kind::Words("a table such as { claim = \"roles\", contains = \"admin\" }"),
            Words("nobody is an admin"),
            "Which claim makes an admin.",
        ),
        key(
            "refresh",
            span("10s", "7d"),
            Value("\"10m\""),
            "How often the keys are fetched anew.",
        ),
        key(
            "refresh_min",
            span("1s", "1d"),
            Value("\"30s\""),
            "The shortest time between two fetches, however many unknown keys are named.",
        ),
        key(
            "jwks_stale_max",
            span("1m", "30d"),
            Value("\"24h\""),
            "How long the last good keys serve on when they cannot be fetched; then 503.",
        ),
    ],
    later: &[],
};

/// `issuers.jwks` as a table.
pub static ISSUER_KEYS: Table = Table {
    path: "issuers.jwks",
    form: Inline,
    meaning: "The keys of an issuer from a file: `jwks = { file = … }`.",
    keys: &[key("file", PATH, Required, "A JSON Web Key Set.")],
    later: &[],
};

/// `issuers.admin`
pub static ADMIN_CLAIM: Table = Table {
    path: "issuers.admin",
    form: Inline,
    meaning: "Which claim of a foreign token makes an admin; exactly one of the three tests.",
    keys: CLAIM_KEYS,
    later: &[],
};

/// `[api_keys]`
pub static API_KEYS: Table = Table {
    path: "api_keys",
    form: Single,
    meaning: "Long-lived credentials of programs, welcome as `Authorization: Bearer`.",
    keys: &[
        key(
            "header",
            Kind::Words("a header name of its own, such as \"X-API-Key\""),
            Words("none"),
            "Another header in which they are welcome, beside which `Authorization` is refused.",
        ),
        key(
            "max_staleness",
            span("1s", "1h"),
            Value("\"30s\""),
            "How long a replica trusts its memory of keys without a word from their store.",
        ),
        key(
            "max_per_owner",
            count(1, 10_000, "keys"),
            Value("100"),
            "Keys that hold, of one user or service.",
        ),
    ],
    later: &[],
};
