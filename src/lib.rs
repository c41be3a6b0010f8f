//! Doorward: a reverse proxy that ends TLS, serves the login itself, keeps the sessions, checks every
//! request, and only then passes it on.
//!
//! `ARCHITECTURE.md` has the bird's-eye view: the way of a request, the layers, and what each of them
//! must not know.

// Layer 0, ground: knows nothing of the rest.
pub mod clock;
pub mod id;
pub mod net;
pub mod path;
pub mod secret;
pub mod unavailable;
pub mod units;

// Layer 1, rules: no input or output.
pub mod api_key;
pub mod code;
pub mod identity;
pub mod limit;
pub mod password;
pub mod policy;
pub mod request;
pub mod route;
pub mod session;
pub mod token;
pub mod user;

// Layer 2, outside: stores, keys, logs.
pub mod api_keys;
pub mod audit;
pub mod breached;
pub mod codes;
pub mod database;
pub mod keys;
pub mod limiter;
pub mod logs;
pub mod mail;
pub mod metrics;
pub mod outbound;
pub mod sessions;
pub mod trust;
pub mod users;

// Layer 3, core: who may do what.
pub mod auth;
pub mod revocation;

// Layer 4, wire: what the faces have in common.
pub mod wire;

// Layer 5, faces: what clients and upstreams see.
pub mod api;
pub mod dialect;
pub mod listen;
pub mod ops;
pub mod proxy;

// Layer 6, assembly.
pub mod app;
pub mod cli;
pub mod config;
