//! Tests of the real parts together: real TLS, real stores, real upstreams.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop loudly; the allowances of clippy.toml do not reach helpers"
)]
#![allow(
    clippy::cognitive_complexity,
    reason = "each assertion counts as a branch"
)]

mod actian;
mod api;
mod api_keys;
mod audit;
mod check;
mod codes;
mod demo;
mod documents;
mod gateway;
mod gotrue;
mod insforge;
mod issuers;
mod layers;
mod limits;
mod listen;
mod mail;
mod proxy;
mod revocation;
mod scenarios;
mod schemathesis;
mod seeds;
mod sessions;
mod strikebet;
mod supabase;
mod supabase_project;
mod support;
mod users;
mod vaniyk;
