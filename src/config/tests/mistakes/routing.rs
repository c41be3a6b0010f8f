//! Upstreams, routes, rules and faces.

use super::{Cases, check_beside_shop, mistakes};

#[test]
fn an_upstream_is_a_name_and_origins() {
    check_beside_shop(UPSTREAMS);
}

const UPSTREAMS: Cases = &[
    (
        r#"[[upstreams]]
name = "shop"
servers = ["http://b"]
balance = "x"
health = {}"#,
        &[
            r#"5:8: upstreams[1].name: a second upstream named "shop", expected each name once"#,
            "7:1: upstreams[1].balance: not supported by this version",
            "8:1: upstreams[1].health: not supported by this version",
        ],
    ),
    (
        r#"[[upstreams]]
name = "a b"
servers = []"#,
        &[
            r#"5:8: upstreams[1].name: found "a b", expected a name of letters, digits, "-", "_" and ".", at most 64"#,
            "6:11: upstreams[1].servers: found an empty list, expected a list of http or https origins, at least one",
        ],
    ),
    (
        r#"[[upstreams]]
name = "b"
servers = ["http://b/x", "http://u:hunter2@b", "b:80", "http://c", "http://c/"]"#,
        &[
            r#"6:12: upstreams[1].servers[0]: found a URL with a path, expected an http or https origin, such as "http://10.0.0.5:3000""#,
            r#"6:26: upstreams[1].servers[1]: found a URL with a user or password, expected an http or https origin, such as "http://10.0.0.5:3000""#,
            r#"6:48: upstreams[1].servers[2]: found a URL of another scheme, expected an http or https origin, such as "http://10.0.0.5:3000""#,
            "6:68: upstreams[1].servers[4]: found twice, expected each once",
        ],
    ),
];

#[test]
fn a_route_says_all_that_it_must() {
    check_beside_shop(ROUTES);
}

/// What a pattern may be, [`route::pattern`](crate::route::pattern) says, and why not.
#[test]
fn a_text_that_is_no_pattern_is_told_with_its_reason() {
    let check = |key: &str, start: &str| {
        let route = "require = \"public\"\nupstream = \"shop\"\n";
        let text = format!("{}[[routes]]\n{key}\n{route}", super::super::SHOP);
        let told = mistakes(&text).join("\n");
        assert!(told.contains(start), "{text}\n{told}");
    };
    check("path = \"admin\"", "5:8: routes[0].path: found \"admin\": ");
    check(
        "path = \"/\"\nhost = [\"a/b\"]",
        "6:9: routes[0].host[0]: found \"a/b\": ",
    );
}

const ROUTES: Cases = &[
    (
        "[[routes]]",
        &[
            r#"4:1: routes[0].path: missing, expected a path pattern, such as "/admin/**""#,
            r#"4:1: routes[0].require: missing, expected "public", "signed-in", "admin" or a table such as { roles = ["staff"] }"#,
            "4:1: routes[0].upstream: missing, expected the name of an upstream",
        ],
    ),
    (
        r#"[[routes]]
path = "/**"
requires = "admin"
upstream = "shop""#,
        &[r#"6:1: routes[0].requires: unknown key; did you mean "require"?"#],
    ),
    (
        r#"[[routes]]
path = "/**"
require = "signed_in"
upstream = "shpo""#,
        &[
            r#"6:11: routes[0].require: found "signed_in", expected "public", "signed-in", "admin" or a table such as { roles = ["staff"] }; did you mean "signed-in"?"#,
            r#"7:12: routes[0].upstream: no upstream is named "shpo"; did you mean "shop"?"#,
        ],
    ),
    (
        r#"[[routes]]
path = "/x"
require = "login"
upstream = "backend""#,
        &[
            r#"6:11: routes[0].require: found "login", expected "public", "signed-in", "admin" or a table such as { roles = ["staff"] }"#,
            r#"7:12: routes[0].upstream: no upstream is named "backend"; known upstreams: shop"#,
        ],
    ),
    (
        r#"[[routes]]
host = ["a", "a", ""]
methods = ["get", "GET", "GET"]
path = "/.doorward/x"
require = "public"
upstream = "shop"
forward_credentials = 1"#,
        &[
            "5:14: routes[0].host[1]: found twice, expected each once",
            r#"5:19: routes[0].host[2]: found an empty text, expected a host, or "*." and a domain"#,
            r#"6:12: routes[0].methods[0]: found "get", expected a method in capitals, such as "GET""#,
            "6:26: routes[0].methods[2]: found twice, expected each once",
            r#"7:8: routes[0].path: found "/.doorward/x"; the gateway's own pages live under /.doorward/"#,
            "10:23: routes[0].forward_credentials: found a whole number, expected true or false",
        ],
    ),
];

#[test]
fn a_rule_never_asks_for_less_than_it_seems_to() {
    check_beside_shop(RULES);
}

const RULES: Cases = &[
    (
        r#"[[routes]]
path = "/"
require = {}
upstream = "shop""#,
        &[
            r#"6:11: routes[0].require: found a rule that asks for nothing, expected at least one of roles, scopes, credential, claims, networks, all, any; for everybody who is signed in write "signed-in""#,
        ],
    ),
    (
        r#"[[routes]]
path = "/"
require = { roles = [], scopes = "x" }
upstream = "shop""#,
        &[
            "6:21: routes[0].require.roles: found an empty list, expected a list of texts, at least one",
            "6:34: routes[0].require.scopes: found a text, expected a list of texts, at least one",
        ],
    ),
    (
        r#"[[routes]]
path = "/"
require = { signed_in = false }
upstream = "shop""#,
        &[
            r#"6:25: routes[0].require.signed_in: found false, expected false only beside networks alone; without a credential there are no roles, scopes or claims to look at; for everybody write require = "public""#,
        ],
    ),
    (
        r#"[[routes]]
path = "/"
require = { signed_in = false, networks = ["10.0.0.0/8"], roles = ["a"] }
upstream = "shop""#,
        &[
            r#"6:25: routes[0].require.signed_in: found false, expected false only beside networks alone; without a credential there are no roles, scopes or claims to look at; for everybody write require = "public""#,
        ],
    ),
    (
        r#"[[routes]]
path = "/"
require = { any = [{ signed_in = true }, {}, "admin"] }
upstream = "shop""#,
        &[
            "6:34: routes[0].require.any[0].signed_in: found within all or any, expected it at the top of require only",
            r#"6:42: routes[0].require.any[1]: found a rule that asks for nothing, expected at least one of roles, scopes, credential, claims, networks, all, any; for everybody who is signed in write "signed-in""#,
            "6:46: routes[0].require.any[2]: found a text, expected a table",
        ],
    ),
    (
        r#"[[routes]]
path = "/"
require = { all = [], claims = { claim = "a", one_of = [] } }
upstream = "shop""#,
        &[
            "6:19: routes[0].require.all: found an empty list, expected a list of tables, at least one",
            "6:56: routes[0].require.claims.one_of: found an empty list, expected a list of texts, numbers, true or false; at least one",
        ],
    ),
    (
        r#"[[routes]]
path = "/"
require = { rolse = ["a"] }
upstream = "shop""#,
        &[r#"6:13: routes[0].require.rolse: unknown key; did you mean "roles"?"#],
    ),
    (
        r#"[[routes]]
path = "/"
require = { claims = [{ claim = "a", equals = [1] }, { claim = "b", equals = inf }] }
upstream = "shop""#,
        &[
            "6:47: routes[0].require.claims[0].equals: found a list, expected a text, a number, true or false",
            "6:78: routes[0].require.claims[1].equals: found a number with a point, expected a text, a number, true or false",
        ],
    ),
];

#[test]
fn dialects_headers_and_logs_are_checked() {
    check_beside_shop(FACES);
}

const FACES: Cases = &[
    (
        r#"[[routes]]
path = "/x"
require = "public"
upstream = "shop"
allowed_origins = ["*"]"#,
        &[
            r#"8:20: routes[0].allowed_origins[0]: found a text that is no URL, expected an origin such as "https://app.example.com"; a wildcard would let every page in"#,
        ],
    ),
    (
        r#"[[dialects]]
shape = "vectorai"
[[dialects]]
shape = "insfrge"
allowed_origins = ["*", "https://a/", "https://a/b"]"#,
        &[
            r#"5:9: dialects[0].shape: found "vectorai", expected "insforge", "supabase", "vaniyk", "strikebet" or "actian""#,
            r#"7:9: dialects[1].shape: found "insfrge", expected "insforge", "supabase", "vaniyk", "strikebet" or "actian"; did you mean "insforge"?"#,
            r#"8:20: dialects[1].allowed_origins[0]: found a text that is no URL, expected an origin such as "https://app.example.com"; a wildcard would let every page in"#,
            r#"8:39: dialects[1].allowed_origins[2]: found a URL with a path, expected an origin such as "https://app.example.com"; a wildcard would let every page in"#,
        ],
    ),
    (
        r#"[[dialects]]
shape = "vaniyk"
redirect_urls = ["https://app.test"]
[[dialects]]
shape = "supabase"
redirect_urls = ["https://app.test/#a"]
admin_secret = { env = "LONG_SECRET" }
[[dialects]]
shape = "strikebet"
admin_secret = { env = "LONG_SECRET" }"#,
        &[
            "6:17: dialects[0].redirect_urls: not a setting of this shape",
            r##"9:18: dialects[1].redirect_urls[0]: found "https://app.test/#a", expected an https URL without "#", such as "https://app.example.com/welcome""##,
            "10:16: dialects[1].admin_secret: not a setting of this shape",
            "13:16: dialects[2].admin_secret: not a setting of this shape",
        ],
    ),
    (
        r#"[[dialects]]
shape = "insforge"
prefix = "/shop"
[[dialects]]
shape = "vaniyk"
service_key = { env = "LONG_SECRET" }
[[dialects]]
shape = "supabase"
prefix = "/shop/"
token_secret = { env = "SECRET" }
api_keys = ["anon"]"#,
        &[
            "6:10: dialects[0].prefix: not a setting of this shape",
            "9:15: dialects[1].service_key: not a setting of this shape",
            r#"12:10: dialects[2].prefix: found "/shop/", expected a path without "*" and without a slash at its end, such as "/shop""#,
            "13:16: dialects[2].token_secret: found a secret that is too short, expected at least 32 bytes",
            r#"14:13: dialects[2].api_keys[0]: found a literal value, expected { env = "NAME" } or { file = "/path" }; a secret is never written into this file; put it into an environment variable or a file and name that"#,
        ],
    ),
    (
        r#"[headers]
subject = "Host"
email = "X Auth"
roles = "X_Who"
session = "x-who""#,
        &[
            r#"5:11: headers.subject: found "host", which has a meaning of its own, expected a header name of its own, such as "X-Auth-Subject""#,
            r#"6:9: headers.email: found "X Auth", expected a header name of its own, such as "X-Auth-Subject""#,
            r#"8:11: headers.session: found "x-who" twice, expected a header name of its own, such as "X-Auth-Subject""#,
        ],
    ),
    (
        r#"[headers]
subject = "X-Auth-Email""#,
        &[
            r#"4:1: headers.email: found "x-auth-email" twice, expected a header name of its own, such as "X-Auth-Subject""#,
        ],
    ),
    (
        r#"[log]
access = "stderr"
audit = { fil = "x" }"#,
        &[
            r#"5:10: log.access: found "stderr", expected "stdout", "off" or { file = "/path" }"#,
            r#"6:11: log.audit.fil: unknown key; did you mean "file"?"#,
        ],
    ),
];
