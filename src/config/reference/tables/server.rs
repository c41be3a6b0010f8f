//! Where clients connect, what the gateway keeps, and what operators see.

use super::shared::{NETWORKS, PATH, count, key, span};
use crate::config::reference::Default::{Required, Value, Words};
use crate::config::reference::Form::{List, Single};
use crate::config::reference::{Kind, Table};

const ADDRESSES: Kind = Kind::Words("a list of addresses with port, such as [\"0.0.0.0:8443\"]");

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
