//! The services behind, who may reach them, and what they are told.

use super::shared::{CLAIM_KEYS, NETWORKS, PATH, SYSTEM_AUTHORITIES, key, span};
use crate::config::reference::Default::{Required, Value, Words};
use crate::config::reference::Form::{Inline, List, Single};
use crate::config::reference::{Kind, Table};

const TEXTS: Kind = Kind::Words("a list of texts, at least one");
const HEADER: Kind = Kind::Words("a header name of its own, such as \"X-Auth-Subject\"");
const RULES: Kind = Kind::Words("a list of tables such as { roles = [\"staff\"] }, at least one");

/// `[[upstreams]]`
pub static UPSTREAMS: Table = Table {
    path: "upstreams",
    form: List,
    meaning: "The services behind the gateway.",
    keys: &[
        key(
            "name",
            Kind::Words("a name of letters, digits, \"-\", \"_\" and \".\", at most 64"),
            Required,
            "Its name in routes, logs and metrics; given once.",
        ),
        key(
            "servers",
            Kind::Words("a list of http or https origins, such as [\"http://10.0.0.5:3000\"]"),
            Required,
            "Where it answers; at least one, no path.",
        ),
        key(
            "protocol",
            Kind::Words("\"http1\" or \"http2\""),
            Value("\"http1\""),
            "What is spoken to its servers. `http2` is for gRPC: by prior knowledge, or with TLS by ALPN; no WebSockets.",
        ),
        key(
            "ca",
            PATH,
            SYSTEM_AUTHORITIES,
            "The authorities, as PEM, that alone may have signed the certificates of its https servers.",
        ),
        key(
            "connect_timeout",
            span("10ms", "5m"),
            Value("\"5s\""),
            "How long a connection may take to be made.",
        ),
        key(
            "response_timeout",
            span("100ms", "1d"),
            Value("\"60s\""),
            "How long the head of the answer may take.",
        ),
        key(
            "idle_timeout",
            span("1s", "1d"),
            Value("\"5m\""),
            "How long a body may stand still, in either direction.",
        ),
    ],
    later: &["balance", "health"],
};

/// `[[routes]]`
pub static ROUTES: Table = Table {
    path: "routes",
    form: List,
    meaning: "Which requests go where, and who may send them. The most specific route counts; the \
              order of the file does not. What no route takes is 404.",
    keys: &[
        key(
            "host",
            Kind::Words("a host, \"*.\" and a domain, or a list of them"),
            Words("every host"),
            "Which hosts: `\"app.example.com\"`, `\"*.example.com\"`.",
        ),
        key(
            "path",
            Kind::Words("a path pattern, such as \"/admin/**\""),
            Required,
            "Which paths: `*` stands for one segment, `**` at the end for the rest.",
        ),
        key(
            "methods",
            Kind::Words("a list of methods in capitals, such as [\"GET\", \"POST\"]"),
            Words("every method"),
            "Which methods; `GET` brings `HEAD` along.",
        ),
        key(
            "require",
            Kind::Words(
                "\"public\", \"signed-in\", \"admin\" or a table such as { roles = [\"staff\"] }",
            ),
            Required,
            "What it asks of its callers.",
        ),
        key(
            "upstream",
            Kind::Words("the name of an upstream"),
            Required,
            "Where its requests go.",
        ),
        key(
            "forward_credentials",
            Kind::Boolean,
            Value("false"),
            "Whether the upstream may see the caller's token.",
        ),
        key(
            "allowed_origins",
            Kind::Words("a list of origins, such as [\"https://app.example.com\"]"),
            Words("that of the dialect beside it"),
            "Whose pages may call it with credentials; exactly, never `*`. `[]`: the service says it.",
        ),
    ],
    later: &[],
};

/// `routes.require` as a table, and the tables within its `all` and `any`.
pub static RULE: Table = Table {
    path: "routes.require",
    form: Inline,
    meaning: "A rule; every key that is given must be met, by a caller who is signed in.",
    keys: &[
        key(
            "signed_in",
            Kind::Boolean,
            Value("true"),
            "`false`, only beside `networks` alone: these networks need no credential.",
        ),
        key("roles", TEXTS, Words("–"), "One of these roles."),
        key("scopes", TEXTS, Words("–"), "All of these scopes."),
        key(
            "credential",
            Kind::Words("\"session\", \"token\" or \"api-key\", or a list of them"),
            Words("–"),
            "What the caller is known by: a session of this gateway, a token of one of the `[[issuers]]`, an API key.",
        ),
        key(
            "claims",
            Kind::Words(
                "a table such as { claim = \"team\", equals = \"red\" }, or a list of them",
            ),
            Words("–"),
            "All of these claims.",
        ),
        key(
            "networks",
            NETWORKS,
            Words("–"),
            "The client's address lies in one of these.",
        ),
        key("all", RULES, Words("–"), "Every one of these rules."),
        key("any", RULES, Words("–"), "At least one of these rules."),
    ],
    later: &[],
};

/// An entry of `routes.require.claims`.
pub static CLAIM: Table = Table {
    path: "routes.require.claims",
    form: Inline,
    meaning: "A claim of the caller's token; exactly one of the three tests.",
    keys: CLAIM_KEYS,
    later: &[],
};

/// `[headers]`
pub static HEADERS: Table = Table {
    path: "headers",
    form: Single,
    meaning: "The headers that tell an upstream who is calling. A client's own copies are dropped.",
    keys: &[
        key(
            "subject",
            HEADER,
            Value("\"X-Auth-Subject\""),
            "The subject of the token.",
        ),
        key(
            "email",
            HEADER,
            Value("\"X-Auth-Email\""),
            "The caller's address.",
        ),
        key(
            "roles",
            HEADER,
            Value("\"X-Auth-Roles\""),
            "The caller's roles, comma-separated.",
        ),
        key(
            "session",
            HEADER,
            Value("\"X-Auth-Session\""),
            "The session.",
        ),
    ],
    later: &[],
};
