//! The settings that count from a start on, and which of them a new configuration changes.

use crate::config::{Config, LogConfig, SessionsConfig, TokensConfig, UsersConfig};
use crate::listen;

/// The keys of the settings that differ and that a reload leaves as they are.
///
/// Each struct is taken apart by name: a new setting does not compile until it is decided here whether
/// a reload takes it.
pub(super) fn changed(old: &Config, new: &Config) -> Vec<&'static str> {
    let Config {
        listen,
        state_directory,
        sessions,
        users,
        passwords,
        limits,
        accounts,
        mail,
        tokens,
        api_keys,
        ops,
        log,
        audit,
        // What a reload takes.
        hsts: _,
        trusted_proxies: _,
        issuers: _,
        upstreams: _,
        routes: _,
        dialects: _,
        headers: _,
        sources: _,
    } = new;
    let alone = [
        ("state.directory", *state_directory != old.state_directory),
        ("[passwords]", *passwords != old.passwords),
        ("[limits]", *limits != old.limits),
        ("[accounts] or [mail.links]", *accounts != old.accounts),
        ("[mail]", *mail != old.mail),
        ("[api_keys]", *api_keys != old.api_keys),
        ("ops.listen", *ops != old.ops),
        ("[audit]", *audit != old.audit),
    ];
    let all = server(&old.listen, listen)
        .into_iter()
        .chain(alone)
        .chain(self::sessions(&old.sessions, sessions))
        .chain(self::users(&old.users, users))
        .chain(self::tokens(&old.tokens, tokens))
        .chain(self::log(&old.log, log));
    all.filter(|(_, differs)| *differs)
        .map(|(key, _)| key)
        .collect()
}

/// A key, and whether its setting differs.
type Compared = (&'static str, bool);

fn server(old: &listen::Config, new: &listen::Config) -> [Compared; 11] {
    let listen::Config {
        listen,
        redirect_http,
        public_url,
        certificates,
        max_connections,
        max_connections_per_address,
        handshake_timeout,
        header_timeout,
        idle_timeout,
        drain_timeout,
        threads,
    } = new;
    let per_address = *max_connections_per_address != old.max_connections_per_address;
    let handshake = *handshake_timeout != old.handshake_timeout;
    [
        ("server.listen", *listen != old.listen),
        ("server.redirect_http", *redirect_http != old.redirect_http),
        ("server.public_url", *public_url != old.public_url),
        ("[[tls.certificates]]", *certificates != old.certificates),
        (
            "server.max_connections",
            *max_connections != old.max_connections,
        ),
        ("server.max_connections_per_address", per_address),
        ("server.handshake_timeout", handshake),
        (
            "server.header_timeout",
            *header_timeout != old.header_timeout,
        ),
        ("server.idle_timeout", *idle_timeout != old.idle_timeout),
        ("server.drain_timeout", *drain_timeout != old.drain_timeout),
        ("server.threads", *threads != old.threads),
    ]
}

fn sessions(old: &SessionsConfig, new: &SessionsConfig) -> [Compared; 3] {
    let SessionsConfig {
        store,
        lifetimes,
        max_staleness,
    } = new;
    let staleness = *max_staleness != old.max_staleness;
    [
        ("sessions.store", *store != old.store),
        ("the lifetimes of [sessions]", *lifetimes != old.lifetimes),
        ("sessions.max_staleness", staleness),
    ]
}

fn users(old: &UsersConfig, new: &UsersConfig) -> [Compared; 2] {
    let UsersConfig { store, email } = new;
    [
        ("users.store", *store != old.store),
        ("users.require_verified_email", *email != old.email),
    ]
}

fn tokens(old: &TokensConfig, new: &TokensConfig) -> [Compared; 5] {
    let TokensConfig {
        issuer,
        audience,
        algorithm,
        keys,
        leeway,
    } = new;
    [
        ("tokens.issuer", *issuer != old.issuer),
        ("tokens.audience", *audience != old.audience),
        ("tokens.algorithm", *algorithm != old.algorithm),
        ("tokens.keys", *keys != old.keys),
        ("tokens.leeway", *leeway != old.leeway),
    ]
}

fn log(old: &LogConfig, new: &LogConfig) -> [Compared; 2] {
    let LogConfig { access, audit } = new;
    [
        ("log.access", *access != old.access),
        ("log.audit", *audit != old.audit),
    ]
}
