//! Listeners, certificates, tokens: what the file takes from outside.

use super::{Cases, check};

#[test]
fn listeners_and_certificates_must_be_usable() {
    check(LISTENING);
}

const LISTENING: Cases = &[
    (
        r#"[server]
listen = "0.0.0.0:8443""#,
        &[
            "2:10: server.listen: found a text, expected a list of addresses with port, at least one",
        ],
    ),
    (
        "[server]
listen = []",
        &[
            "2:10: server.listen: found an empty list, expected a list of addresses with port, at least one",
        ],
    ),
    (
        r#"[server]
listen = ["localhost:1", 5]"#,
        &[
            r#"2:11: server.listen[0]: found "localhost:1", expected an address with port, such as "0.0.0.0:8443""#,
            r#"2:26: server.listen[1]: found a whole number, expected an address with port, such as "0.0.0.0:8443""#,
        ],
    ),
    (
        r#"[server]
hsts = "800d""#,
        &[r#"2:8: server.hsts: found "800d", expected a span of time up to "730d", or "off""#],
    ),
    (
        r#"[server]
public_url = "http://gw.example.com""#,
        &[
            r#"2:14: server.public_url: found a URL of another scheme, expected an https origin, such as "https://gw.example.com""#,
        ],
    ),
    (
        r#"[server]
public_url = "https://gw.example.com/x""#,
        &[
            r#"2:14: server.public_url: found a URL with a path, expected an https origin, such as "https://gw.example.com""#,
        ],
    ),
    (
        r#"[server]
public_url = "https://me:hunter2@gw.example.com""#,
        &[
            r#"2:14: server.public_url: found a URL with a user or password, expected an https origin, such as "https://gw.example.com""#,
        ],
    ),
    (
        r#"[server]
public_url = "gw.example.com""#,
        &[
            r#"2:14: server.public_url: found a text that is no URL, expected an https origin, such as "https://gw.example.com""#,
        ],
    ),
    (
        r#"[server]
trusted_proxies = ["10.0.0.1/8"]"#,
        &[
            r#"2:20: server.trusted_proxies[0]: found "10.0.0.1/8", an address within a network, expected "10.0.0.0/8""#,
        ],
    ),
    (
        r#"[server]
trusted_proxies = ["ten"]"#,
        &[
            r#"2:20: server.trusted_proxies[0]: found "ten", expected a network, such as "10.0.0.0/8""#,
        ],
    ),
    (
        r#"[server]
listen = ["0.0.0.0:8443"]
redirect_http = ["127.0.0.1:8443"]"#,
        &[
            "3:18: server.redirect_http[0]: found 127.0.0.1:8443, expected an address of its own; server.listen[0] listens there",
        ],
    ),
    (
        r#"[ops]
listen = "127.0.0.1:8443""#,
        &[
            "2:10: ops.listen: found 127.0.0.1:8443, expected an address of its own; server.listen[0] listens there",
        ],
    ),
    (
        r#"[[tls.certificates]]
cert = "tls.crt""#,
        &["1:1: tls.certificates[0].key: missing, expected a path"],
    ),
    (
        r#"[[tls.certificates]]
cert = "none.crt"
key = "empty""#,
        &[
            "2:8: tls.certificates[0].cert: found a file that cannot be read (entity not found)",
            "3:7: tls.certificates[0].key: found an empty file",
        ],
    ),
];

#[test]
fn files_must_hold_what_they_are_for() {
    check(JUNK);
}

const JUNK: Cases = &[
    (
        r#"[[tls.certificates]]
cert = "tls.crt"
key = "junk"
[[tls.certificates]]
cert = "junk"
key = "tls.key"
[[tls.certificates]]
cert = "ca.pem"
key = "tls.key""#,
        &[
            "3:7: tls.certificates[0].key: found a file that holds no private key",
            "5:8: tls.certificates[1].cert: found a file that holds no certificate",
            "9:7: tls.certificates[2].key: found a file that is not the key of the certificate in /etc/dw/ca.pem",
        ],
    ),
    (
        r#"[sessions]
store = { url = "rediss://redis", ca = "junk" }
[users]
store = { url = "postgres://db/x", ca = "junk" }
[mail]
smtp = "smtps://mail"
from = "a@example.com"
ca = "junk""#,
        &[
            "2:40: sessions.store.ca: found a file that cannot be used (no certificates in PEM), expected the certificates of authorities, as PEM",
            "4:41: users.store.ca: found a file that cannot be used (no certificates in PEM), expected the certificates of authorities, as PEM",
            "8:6: mail.ca: found a file that cannot be used (no certificates in PEM), expected the certificates of authorities, as PEM",
        ],
    ),
    (
        r#"[tokens]
keys = { file = "junk" }
[[issuers]]
issuer = "a"
audience = "a"
jwks = "junk"
[[issuers]]
issuer = "b"
audience = "b"
jwks = { file = "junk" }"#,
        &[
            "2:8: tokens.keys: cannot be used: the given keys: not a key ring in JSON: line 1, column 1, expected a key ring, or a private key in PEM",
            "6:8: issuers[0].jwks: found a file that cannot be used (not a JSON Web Key Set), expected a JSON Web Key Set",
            "10:17: issuers[1].jwks.file: found a file that cannot be used (not a JSON Web Key Set), expected a JSON Web Key Set",
        ],
    ),
];

#[test]
fn issuers_and_keys_must_be_beyond_doubt() {
    check(TOKENS);
}

const TOKENS: Cases = &[
    (
        r#"[tokens]
algorithm = "none""#,
        &[r#"2:13: tokens.algorithm: found "none", expected "ES256", "RS256", "EdDSA" or "HS256""#],
    ),
    (
        r#"[tokens]
algorithm = "es256""#,
        &[
            r#"2:13: tokens.algorithm: found "es256", expected "ES256", "RS256", "EdDSA" or "HS256"; did you mean "ES256"?"#,
        ],
    ),
    (
        r#"[tokens]
keys = "-----BEGIN hunter2""#,
        &[
            r#"2:8: tokens.keys: found a literal value, expected { env = "NAME" } or { file = "/path" }; a secret is never written into this file; put it into an environment variable or a file and name that"#,
        ],
    ),
    (
        r#"[tokens]
audience = " ""#,
        &["2:12: tokens.audience: found an empty text, expected a text that is not empty"],
    ),
    (
        r#"[[issuers]]
issuer = "https://localhost:8443"
jwks = "jwks.json"
audience = "a""#,
        &[
            "2:10: issuers[0].issuer: found an issuer that is known already; each issuer once, and none that is the gateway's own (tokens.issuer)",
        ],
    ),
    (
        r#"[[issuers]]
issuer = "a"
jwks = "jwks.json"
audience = "a"
[[issuers]]
issuer = "a"
jwks = "jwks.json"
audience = "a""#,
        &[
            "6:10: issuers[1].issuer: found an issuer that is known already; each issuer once, and none that is the gateway's own (tokens.issuer)",
        ],
    ),
    (
        r#"[[issuers]]
issuer = "a"
jwks = "http://id.example.com/jwks"
audience = []"#,
        &[
            r#"3:8: issuers[0].jwks: found a plain http URL of another machine, expected an https URL, a path or { file = "/path" }"#,
            "4:12: issuers[0].audience: found an empty list, expected a text or a list of texts, at least one",
        ],
    ),
    (
        r#"[[issuers]]
issuer = "a"
jwks = "https://x:hunter2@id.example.com/jwks"
audience = ["a", 5]"#,
        &[
            r#"3:8: issuers[0].jwks: found a URL with a user or password, expected an https URL, a path or { file = "/path" }"#,
            "4:18: issuers[0].audience[1]: found a whole number, expected a text",
        ],
    ),
    (
        r#"[[issuers]]
issuer = "a"
jwks = "nothing.json"
audience = "a"
admin = { claim = "roles" }
refresh_min = "1h""#,
        &[
            "3:8: issuers[0].jwks: found a file that cannot be read (entity not found)",
            "5:9: issuers[0].admin: found none of them, expected exactly one of equals, contains, one_of",
            "6:15: issuers[0].refresh_min: longer than refresh",
        ],
    ),
    (
        r#"[[issuers]]
issuer = "a"
jwks = { url = "x" }
audience = "a"
admin = { claim = "a..b", equals = 1, contains = 2 }"#,
        &[
            "3:8: issuers[0].jwks.file: missing, expected a path",
            "3:10: issuers[0].jwks.url: unknown key; known here: file",
            "5:9: issuers[0].admin: found equals and contains, expected exactly one of equals, contains, one_of",
            r#"5:19: issuers[0].admin.claim: found "a..b", expected the path of a claim, such as "realm_access.roles""#,
        ],
    ),
    (
        "[[issuers]]",
        &[
            "1:1: issuers[0].issuer: missing, expected a text that is not empty",
            r#"1:1: issuers[0].jwks: missing, expected an https URL, a path or { file = "/path" }"#,
            "1:1: issuers[0].audience: missing, expected a text or a list of texts",
        ],
    ),
];
