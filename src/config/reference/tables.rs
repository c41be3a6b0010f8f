//! The tables themselves, in the order in which the manual shows them.

use super::Default::{Required, Value, Words};
use super::Form::{Inline, List, Single};
use super::{Default, Key, Kind, Table};

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

const fn key(name: &'static str, kind: Kind, default: Default, meaning: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
        meaning,
    }
}

const fn span(least: &'static str, most: &'static str) -> Kind {
    Kind::Duration { least, most }
}

const fn count(least: u32, most: u32, unit: &'static str) -> Kind {
    Kind::Integer { least, most, unit }
}

const ADDRESSES: Kind = Kind::Words("a list of addresses with port, such as [\"0.0.0.0:8443\"]");
const PATH: Kind = Kind::Words("a path");
const TEXT: Kind = Kind::Words("a text that is not empty");
const TEXTS: Kind = Kind::Words("a list of texts, at least one");
const NETWORKS: Kind = Kind::Words("a list of networks, such as [\"10.0.0.0/8\"]");
const HEADER: Kind = Kind::Words("a header name of its own, such as \"X-Auth-Subject\"");
const SECRET_KIND: Kind = Kind::Words("{ env = \"NAME\" } or { file = \"/path\" }");
const LOG_KIND: Kind = Kind::Words("\"stdout\", \"off\" or { file = \"/path\" }");
const CODE_FORM: Kind = Kind::Words("\"digits\", \"link\" or \"both\"");
const LINK: Kind = Kind::Words(
    "an https URL with {token}, such as \"https://app.example.com/verify?token={token}\"",
);
const SYSLOG: Kind = Kind::Words("\"unix:/dev/log\", \"udp://host:514\" or \"tcp://host:601\"");
const AUDIT_LOG_KIND: Kind =
    Kind::Words("\"stdout\", \"off\", { file = \"/path\" } or { syslog = \"unix:/dev/log\" }");
const RULES: Kind = Kind::Words("a list of tables such as { roles = [\"staff\"] }, at least one");
const JSON: Kind = Kind::Words("a text, a number, true or false");
const JSON_LIST: Kind = Kind::Words("a list of texts, numbers, true or false; at least one");
const QUOTA: Kind = Kind::Words("\"off\", or such as \"10/1m\"");
const SYSTEM_AUTHORITIES: Default = Words("the authorities that the system trusts");
const CLAIM_PATH: Kind = Kind::Words("the path of a claim, such as \"realm_access.roles\"");

/// The file itself.
pub static ROOT: Table = Table {
    path: "",
    form: Single,
    meaning: "",
    keys: &[],
    later: &[],
};

/// `[server]`
pub static SERVER: Table = Table {
    path: "server",
    form: Single,
    meaning: "Where clients connect, and what a connection may take.",
    keys: &[
        key(
            "listen",
            ADDRESSES,
            Value("[\"0.0.0.0:8443\"]"),
            "Where HTTPS is served; at least one.",
        ),
        key(
            "redirect_http",
            ADDRESSES,
            Value("[]"),
            "Where plain HTTP is answered with 308 to `public_url`.",
        ),
        key(
            "public_url",
            Kind::Words("an https origin, such as \"https://gw.example.com\""),
            Words("`https://localhost` with the port of the first `listen`"),
            "The origin that clients use.",
        ),
        key(
            "hsts",
            Kind::Words("a span of time up to \"730d\", or \"off\""),
            Words("`\"365d\"`; `\"off\"` where `public_url` is this machine"),
            "For how long browsers shall ask for this host by https alone \
             (`Strict-Transport-Security`): told with every answer, in place of what a service says of \
             it; `\"0s\"` has them forget it. Never told with the self-signed certificate; with \
             `\"off\"` the word of the service passes.",
        ),
        key(
            "trusted_proxies",
            NETWORKS,
            Value("[]"),
            "Whose `X-Forwarded-For` is believed.",
        ),
        key(
            "max_connections",
            count(1, 1_000_000, "connections"),
            Value("10000"),
            "At once, over all listeners.",
        ),
        key(
            "max_connections_per_address",
            count(1, 1_000_000, "connections"),
            Value("1000"),
            "At once, from one client address.",
        ),
        key(
            "handshake_timeout",
            span("100ms", "5m"),
            Value("\"10s\""),
            "How long a TLS handshake may take.",
        ),
        key(
            "header_timeout",
            span("100ms", "5m"),
            Value("\"10s\""),
            "How long the head of a request may take.",
        ),
        key(
            "idle_timeout",
            span("1s", "1h"),
            Value("\"75s\""),
            "How long a connection may be idle between requests.",
        ),
        key(
            "drain_timeout",
            span("0s", "1h"),
            Value("\"30s\""),
            "How long requests in flight may go on after SIGTERM.",
        ),
        key(
            "threads",
            count(1, 1024, "threads"),
            Words("the number of cores"),
            "Worker threads.",
        ),
    ],
    later: &[],
};

/// `[tls]`, which holds nothing but certificates.
pub static TLS: Table = Table {
    path: "tls",
    form: Single,
    meaning: "",
    keys: &[],
    later: &[],
};

/// `[[tls.certificates]]`
pub static CERTIFICATES: Table = Table {
    path: "tls.certificates",
    form: List,
    meaning: "Certificates, picked by the name that the client asks for. Without any: a self-signed \
              one for localhost, and a warning.",
    keys: &[
        key(
            "cert",
            PATH,
            Required,
            "The chain as PEM, the leaf first; read again when it changes.",
        ),
        key("key", PATH, Required, "The private key as PEM."),
    ],
    later: &[],
};

/// `[state]`
pub static STATE: Table = Table {
    path: "state",
    form: Single,
    meaning: "What the gateway keeps itself: the embedded database and the key ring.",
    keys: &[key(
        "directory",
        PATH,
        Value("\"/var/lib/doorward\""),
        "Where; made where it is missing.",
    )],
    later: &[],
};

/// `[sessions]`
pub static SESSIONS: Table = Table {
    path: "sessions",
    form: Single,
    meaning: "Where sessions are kept, and how long they live.",
    keys: &[
        key(
            "store",
            Kind::Words(
                "a redis://, rediss:// or unix:// URL, or a table such as { url = \"redis://…\", password = { env = \"NAME\" } }",
            ),
            Words("embedded: a SQLite file in `state.directory`"),
            "Redis, so that several replicas share the sessions.",
        ),
        key(
            "access_ttl",
            span("1s", "1d"),
            Value("\"15m\""),
            "How long an access token holds; shorter than `refresh_ttl`.",
        ),
        key(
            "refresh_ttl",
            IDLE,
            Words("by kind of client, in the tables below"),
            "How long a session lives that is not refreshed.",
        ),
        key(
            "max_age",
            AGE,
            Words("by kind of client, in the tables below"),
            "How long a session lives at the most after its sign-in, however often it is refreshed. A \
             session keeps the end that it was opened with.",
        ),
        key(
            "refresh_grace",
            span("0s", "5m"),
            Value("\"30s\""),
            "How long a refresh token that was just used gets the same answer again (a lost answer, \
             two tabs at once); shorter than `access_ttl`.",
        ),
        key(
            "max_staleness",
            span("1s", "1h"),
            Value("\"30s\""),
            "How long a replica trusts its memory of ended sessions without a word from the store; \
             then protected routes answer 503.",
        ),
    ],
    later: &[],
};

const IDLE: Kind = span("1s", "400d");
const AGE: Kind = span("1s", "3650d");

/// `[sessions.web]`
pub static SESSIONS_WEB: Table = Table {
    path: "sessions.web",
    form: Single,
    meaning: "The sessions of browsers whose users did not ask to be remembered: the cookies go when \
              the browser is closed.",
    keys: &[
        key(
            "refresh_ttl",
            IDLE,
            Words("that of `[sessions]`; without one `\"12h\"`"),
            "As in `[sessions]`.",
        ),
        key(
            "max_age",
            AGE,
            Words("that of `[sessions]`; without one `\"7d\"`"),
            "As in `[sessions]`.",
        ),
    ],
    later: &[],
};

/// `[sessions.remembered]`
pub static SESSIONS_REMEMBERED: Table = Table {
    path: "sessions.remembered",
    form: Single,
    meaning: "The sessions of browsers whose users did (`\"remember\": true` at sign-in): the cookies \
              stay.",
    keys: &[
        key(
            "refresh_ttl",
            IDLE,
            Words("that of `[sessions]`; without one `\"7d\"`"),
            "As in `[sessions]`.",
        ),
        key(
            "max_age",
            AGE,
            Words("that of `[sessions]`; without one `\"30d\"`"),
            "As in `[sessions]`.",
        ),
    ],
    later: &[],
};

/// `[sessions.native]`
pub static SESSIONS_NATIVE: Table = Table {
    path: "sessions.native",
    form: Single,
    meaning: "The sessions of programs, such as apps on phones.",
    keys: &[
        key(
            "refresh_ttl",
            IDLE,
            Words("that of `[sessions]`; without one `\"30d\"`"),
            "As in `[sessions]`.",
        ),
        key(
            "max_age",
            AGE,
            Words("that of `[sessions]`; without one `\"365d\"`"),
            "As in `[sessions]`.",
        ),
    ],
    later: &[],
};

/// `sessions.store` as a table.
pub static SESSION_STORE: Table = Table {
    path: "sessions.store",
    form: Inline,
    meaning: "The session store: one server by `url`, a master and its replicas by `sentinels`, or a \
              `cluster`. `store = { url = …, password = … }`.",
    keys: &[
        key(
            "url",
            Kind::Words("a redis://, rediss:// or unix:// URL without a password"),
            Words("none: `sentinels` or `cluster`"),
            "`redis://[user@]host[:port][/database]`; `rediss://` over TLS; `unix:///path` of a socket.",
        ),
        key(
            "sentinels",
            Kind::Words("a list of hosts with ports, such as [\"sentinel-1:26379\"]"),
            Words("none: `url` or `cluster`"),
            "The Sentinels. What more than half of them call the master, is the master.",
        ),
        key(
            "master",
            TEXT,
            Required,
            "What the Sentinels call the master; with `sentinels` only.",
        ),
        key(
            "cluster",
            Kind::Words("a list of hosts with ports, such as [\"redis-1:6379\"]"),
            Words("none: `url` or `sentinels`"),
            "Some nodes of a Redis Cluster, of which one at least must be there at any time.",
        ),
        key(
            "user",
            TEXT,
            Words("none"),
            "The ACL user; with a redis:// URL it stands in the URL.",
        ),
        key(
            "password",
            SECRET_KIND,
            Words("none"),
            "The password of the Redis servers.",
        ),
        key(
            "sentinel_user",
            TEXT,
            Words("none"),
            "The ACL user of the Sentinels.",
        ),
        key(
            "sentinel_password",
            SECRET_KIND,
            Words("none"),
            "The password of the Sentinels.",
        ),
        key(
            "database",
            count(0, 65535, "database"),
            Value("0"),
            "The database, with `sentinels` or a socket; with a redis:// URL it stands in the URL, and a \
             Cluster has only 0.",
        ),
        key(
            "tls",
            Kind::Boolean,
            Value("false"),
            "Whether Sentinels and servers, or the nodes of the Cluster, are spoken to over TLS; with a \
             URL its scheme says so.",
        ),
        key(
            "ca",
            PATH,
            Words("the authorities of the system"),
            "The authorities that sign the servers' certificates, a PEM file.",
        ),
        key(
            "client_cert",
            PATH,
            Words("none"),
            "The certificate by which the servers know the gateway, a PEM file; with `client_key`.",
        ),
        key(
            "client_key",
            PATH,
            Words("none"),
            "The key of `client_cert`, a PEM file.",
        ),
        key(
            "key_prefix",
            TEXT,
            Value("\"doorward:\""),
            "What every key of ours begins with.",
        ),
    ],
    later: &[],
};

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

/// `[limits]`
pub static LIMITS: Table = Table {
    path: "limits",
    form: Single,
    meaning: "How often something may be tried; above it the answer is 429 with `Retry-After`. `\"10/1m\"` is \
              ten at once, given back evenly over a minute; `\"off\"` is no limit. Addresses are \
              counted by /64 where they are IPv6. Only wrong passwords count against an account.",
    keys: &[
        key(
            "sign_in",
            QUOTA,
            Value("\"10/1m\""),
            "Passwords that one address may try for one account, by whichever of its names and at \
             whichever entrance.",
        ),
        key(
            "sign_in_address",
            QUOTA,
            Value("\"100/1m\""),
            "Passwords that one address may try, right ones included.",
        ),
        key(
            "sign_in_account",
            QUOTA,
            Value("\"30/10m\""),
            "Passwords that addresses which the account does not know may try for it together; above \
             it each of them has three tries, and then waits longer each time, up to `max_delay`.",
        ),
        key(
            "admin_sign_in",
            QUOTA,
            Value("\"5/1m\""),
            "As `sign_in`, at the admin's entrance, on top of that.",
        ),
        key(
            "admin_sign_in_address",
            QUOTA,
            Value("\"30/1m\""),
            "As `sign_in_address`, at the admin's entrance.",
        ),
        key(
            "admin_sign_in_account",
            QUOTA,
            Value("\"10/10m\""),
            "As `sign_in_account`, at the admin's entrance.",
        ),
        key(
            "refresh",
            QUOTA,
            Value("\"60/1m\""),
            "Refreshes of one session. Each replica counts for itself.",
        ),
        key(
            "refresh_address",
            QUOTA,
            Value("\"3000/1m\""),
            "Refreshes from one address. Each replica counts for itself.",
        ),
        key(
            "reset",
            QUOTA,
            Value("\"3/1h\""),
            "Requests for a mail with a code (new password, sign-in, proof or change of an \
             address) for one account, all together.",
        ),
        key(
            "reset_address",
            QUOTA,
            Value("\"20/1h\""),
            "The same, from one address.",
        ),
        key(
            "code",
            QUOTA,
            Value("\"10/10m\""),
            "One-time codes that one address may try for one account.",
        ),
        key(
            "code_address",
            QUOTA,
            Value("\"60/10m\""),
            "One-time codes that one address may try.",
        ),
        key(
            "code_account",
            QUOTA,
            Value("\"20/10m\""),
            "One-time codes for one account, as `sign_in_account`.",
        ),
        key(
            "sign_up",
            QUOTA,
            Value("\"10/1h\""),
            "New accounts from one address.",
        ),
        key(
            "api_key",
            QUOTA,
            Value("\"30/1m\""),
            "Wrong API keys at the Admin API, and wrong service keys, `apikey`s and admin secrets \
             of dialects, from one address; routes of services do not count. Each replica counts \
             for itself.",
        ),
        key(
            "max_delay",
            span("1s", "1d"),
            Value("\"15m\""),
            "The longest wait that grows.",
        ),
        key(
            "familiar_for",
            span("1h", "400d"),
            Value("\"30d\""),
            "For how long an account knows an address from which it was signed in to.",
        ),
        key(
            "max_entries",
            count(1000, 10_000_000, "counts"),
            Value("100000"),
            "Counts kept in memory, at most some 200 bytes each; above it the one goes that would be \
             forgotten first. With sessions in Redis, what guards accounts is counted there.",
        ),
    ],
    later: &[],
};

/// `[accounts]`
pub static ACCOUNTS: Table = Table {
    path: "accounts",
    form: Single,
    meaning: "What people may do for their own accounts. Whether an address must be proved before a \
              sign-in is `users.require_verified_email`.",
    keys: &[
        key(
            "sign_up",
            Kind::Boolean,
            Value("false"),
            "Whether anybody may make an account. With `users.require_verified_email` it takes \
             `[mail]`.",
        ),
        key(
            "disclose_existing",
            Kind::Boolean,
            Value("false"),
            "Whether a sign-up says that an address has an account. If not, the answer is that of a \
             new address, and the owner gets a mail. Only with `users.require_verified_email`; without \
             it a new user is signed in at once, and the difference shows.",
        ),
        key(
            "email_domains",
            Kind::Words("a list of domains, such as [\"example.com\"]"),
            Value("[]"),
            "Whose addresses may sign up; empty for all. A domain does not stand for those below it.",
        ),
        key(
            "default_roles",
            Kind::Words("a list of roles, such as [\"customer\"]"),
            Value("[]"),
            "What a new account may do.",
        ),
        key(
            "code_form",
            CODE_FORM,
            Value("\"digits\""),
            "What mails hold: six digits, a link, or both. Links take `[mail.links]`.",
        ),
        key(
            "code_ttl",
            span("1m", "1h"),
            Value("\"15m\""),
            "How long six digits hold.",
        ),
        key(
            "link_ttl",
            span("1m", "7d"),
            Value("\"1h\""),
            "How long a link holds.",
        ),
        key(
            "code_attempts",
            count(1, 10, "tries"),
            Value("5"),
            "How many wrong tries kill six digits.",
        ),
        key(
            "resend_after",
            span("0s", "1h"),
            Value("\"1m\""),
            "No second code for the same account and purpose is sent sooner; the first one goes on.",
        ),
        key(
            "fresh_session",
            span("0s", "1d"),
            Value("\"10m\""),
            "For how long after a sign-in a session may change password and address, and delete the \
             account, without the password.",
        ),
    ],
    later: &[],
};

/// `[mail]`
pub static MAIL: Table = Table {
    path: "mail",
    form: Single,
    meaning: "How mails are sent. Without `smtp` or `file` everything that needs mail is off: codes, \
              links, new passwords by mail.",
    keys: &[
        key(
            "smtp",
            Kind::Words("an smtps:// or smtp:// URL without a password"),
            Words("none"),
            "`smtps://[user@]host[:465]`, or `smtp://[user@]host[:587]` with STARTTLS. Never without \
             TLS, but to a relay on this machine.",
        ),
        key(
            "password",
            SECRET_KIND,
            Words("none"),
            "The password of the user of `smtp`.",
        ),
        key(
            "ca",
            PATH,
            Words("the certificates of the system"),
            "The certificates, as PEM, that the server's must come from.",
        ),
        key(
            "from",
            Kind::Words("an address, such as \"Example <no-reply@example.com>\""),
            Words("none"),
            "Who mails are from; needed for either way of sending.",
        ),
        key(
            "file",
            PATH,
            Words("none"),
            "For development, instead of `smtp`: a directory that gets each mail as a file `.eml`.",
        ),
        key(
            "queue",
            count(1, 100_000, "mails"),
            Value("1000"),
            "How many mails may wait for the server; above it requests that need one are 503.",
        ),
    ],
    later: &[],
};

/// `[mail.links]`
pub static MAIL_LINKS: Table = Table {
    path: "mail.links",
    form: Single,
    meaning: "Where the links in mails lead: pages that show the token to the API. Needed for \
              `accounts.code_form = \"link\"` and `\"both\"`.",
    keys: &[
        key("verify", LINK, Words("none"), "To prove an address."),
        key("reset", LINK, Words("none"), "To choose a password."),
        key("sign_in", LINK, Words("none"), "To sign in."),
        key(
            "change_email",
            LINK,
            Words("none"),
            "To move an account to another address.",
        ),
    ],
    later: &[],
};

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

const CLAIM_KEYS: &[Key] = &[
    key(
        "claim",
        CLAIM_PATH,
        Required,
        "The path of the claim: object keys, joined by dots.",
    ),
    key("equals", JSON, Words("–"), "The claim is exactly this."),
    key(
        "contains",
        JSON,
        Words("–"),
        "The claim is a list that holds this, or a text one of whose words it is.",
    ),
    key(
        "one_of",
        JSON_LIST,
        Words("–"),
        "The claim is one of these.",
    ),
];

/// `[[dialects]]`
pub static DIALECTS: Table = Table {
    path: "dialects",
    form: List,
    meaning: "Login APIs that the gateway speaks beside its own, at the URLs that their clients call.",
    keys: &[
        key(
            "shape",
            Kind::Words("\"insforge\", \"supabase\", \"vaniyk\", \"strikebet\" or \"actian\""),
            Required,
            "Which API.",
        ),
        key(
            "host",
            Kind::Words("a host, or \"*.\" and a domain"),
            Words("every host"),
            "Which hosts it answers on.",
        ),
        key(
            "allowed_origins",
            Kind::Words("a list of origins, such as [\"https://app.example.com\"]"),
            Value("[]"),
            "Whose pages may call it with credentials, and the services of its host as well; exactly, \
             never `*`.",
        ),
        key(
            "prefix",
            Kind::Words("a path without \"*\" and without a slash at its end, such as \"/shop\""),
            Words("none"),
            "What stands before each of its paths. Not for `insforge`.",
        ),
        key(
            "token_secret",
            SECRET_KIND,
            Words("the key ring"),
            "What signs its access tokens, with HS256: the JWT secret of the project that they were \
             made for, at least 32 bytes. Not for `insforge`. `actian` takes `ACTIAN_VECTORAI_JWT_SECRET` of \
             the environment, else the one kept in the state directory, else makes and keeps one.",
        ),
        key(
            "api_keys",
            Kind::Words("a list of { env = \"NAME\" } or { file = \"/path\" }"),
            Value("[]"),
            "The keys of which apps must show one, at the login of `supabase` and at the sign-up of \
             `insforge`; empty: none is asked for. On routes of services they are nobody's. Not for \
             `vaniyk`, `strikebet` and `actian`.",
        ),
        key(
            "service_key",
            SECRET_KIND,
            Words("nobody administers users by this dialect"),
            "The key that may administer users, at least 32 bytes. `supabase` alone.",
        ),
        key(
            "redirect_urls",
            Kind::Words("a list of https URLs, such as [\"https://app.example.com/welcome\"]"),
            Value("[]"),
            "The pages that links in its mails may lead to, letter by letter, the usual one first; empty: \
             its mails are those of `[accounts]`. `supabase` alone.",
        ),
        key(
            "admin_secret",
            SECRET_KIND,
            Words("nobody becomes an administrator by signing up"),
            "Who shows it at `/api/auth/signup/admin` becomes an administrator; at least 32 bytes. `vaniyk` \
             alone.",
        ),
    ],
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

/// `[ops]`
pub static OPS: Table = Table {
    path: "ops",
    form: Single,
    meaning: "Health, readiness and metrics, for the machines that look after this one. Keep it off \
              the networks that clients come from.",
    keys: &[key(
        "listen",
        Kind::Words("an address with port, such as \"127.0.0.1:9090\""),
        Words("not served"),
        "Where; `127.0.0.1:9090` is a good choice.",
    )],
    later: &[],
};

/// `[log]`
pub static LOG: Table = Table {
    path: "log",
    form: Single,
    meaning: "Where the logs go, as lines of JSON.",
    keys: &[
        key(
            "access",
            LOG_KIND,
            Value("\"stdout\""),
            "One line a request.",
        ),
        key(
            "audit",
            AUDIT_LOG_KIND,
            Value("\"stdout\""),
            "One sealed line a sign-in attempt, refresh, sign-out or admin change; the database has them too, \
             see [audit].",
        ),
    ],
    later: &[],
};

/// A log target as a table.
pub static LOG_FILE: Table = Table {
    path: "log file",
    form: Inline,
    meaning: "A log that goes to the end of a file.",
    keys: &[key("file", PATH, Required, "Which.")],
    later: &[],
};

/// The audit log as a table.
pub static LOG_AUDIT: Table = Table {
    path: "log.audit",
    form: Inline,
    meaning: "An audit log that goes to the end of a file, or to a syslog server; one of the two.",
    keys: &[
        key("file", PATH, Words("–"), "Which file."),
        key(
            "syslog",
            SYSLOG,
            Words("–"),
            "The server, which is sent RFC 5424 messages. What it does not take within seconds is lost, \
             and counted.",
        ),
    ],
    later: &[],
};

/// `[audit]`
pub static AUDIT: Table = Table {
    path: "audit",
    form: Single,
    meaning: "The audit trail in the database, beside the users; `doorward audit` reads and verifies it.",
    keys: &[key(
        "keep",
        span("1d", "3650d"),
        Value("\"365d\""),
        "How long entries are kept.",
    )],
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
