//! Sound files, and what becomes of them.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{Around, SHOP, around, read_in, sound};
use crate::auth::AccountRules;
use crate::config::{
    EmailPolicy, LogTarget, MailTransport, SessionStoreConfig, Shape, UserStoreConfig,
};
use crate::keys::{JwksSource, KeySource, SigningAlgorithm};
use crate::mail::smtp::Security;
use crate::policy::{ClaimTest, Requirement, Rule};
use crate::proxy::Protocol;
use crate::route::Credentials;
use crate::route::pattern::{HostPattern, Methods};
use crate::sessions::redis::RedisConfig;
use crate::sessions::redis::place::{Place, Transport};
use crate::trust::Trust;
use crate::users::supabase::{AdminRule, RowKey};

#[test]
fn an_empty_file_is_a_gateway_of_defaults() {
    let config = sound("");
    assert_eq!(config.listen.listen, ["0.0.0.0:8443".parse().unwrap()]);
    assert_eq!(config.listen.public_url.as_str(), "https://localhost:8443/");
    assert_eq!(config.listen.threads, 6);
    assert_eq!(config.listen.max_connections, 10_000);
    assert_eq!(config.listen.idle_timeout, Duration::from_secs(75));
    assert_eq!(config.state_directory, Path::new("/var/lib/doorward"));
}

#[test]
fn an_empty_file_keeps_everything_in_the_state_directory() {
    let config = sound("");
    assert!(matches!(
        config.sessions.store,
        SessionStoreConfig::Embedded
    ));
    assert_eq!(config.sessions.lifetimes.access, Duration::from_mins(15));
    assert_eq!(config.users.email, EmailPolicy::Any);
    assert_eq!(config.passwords.memory_kib, 19_456);
    assert_eq!(config.passwords.max_concurrent, 3);
    assert!(config.passwords.breached.is_none());
}

#[test]
fn the_service_is_known_by_the_parts_of_its_host() {
    let config = sound(
        "[server]\npublic_url = \"https://GW.example.com\"\n[passwords]\nbreached = \"breached\"\n",
    );
    let names = ["example", "gw", "doorward", "gw.example.com"];
    assert_eq!(config.passwords.service_names, names);
    assert!(config.passwords.breached.is_some());
}

#[test]
fn an_empty_file_signs_tokens_and_logs_to_standard_output() {
    let config = sound("");
    assert_eq!(config.tokens.issuer, "https://localhost:8443");
    assert_eq!(config.tokens.algorithm, SigningAlgorithm::Es256);
    assert!(
        matches!(&config.tokens.keys, KeySource::Kept(path) if path == Path::new("/var/lib/doorward/keys.json"))
    );
    assert_eq!(config.headers.subject, "x-auth-subject");
    assert_eq!(config.ops, None);
    assert_eq!(
        (config.log.access, config.log.audit),
        (LogTarget::Stdout, LogTarget::Stdout)
    );
}

#[test]
fn the_issuer_of_our_tokens_is_the_public_origin() {
    let config = sound("[server]\npublic_url = \"https://GW.example.com:443/\"\n");
    assert_eq!(config.tokens.issuer, "https://gw.example.com");
}

#[test]
fn browsers_are_told_of_https_where_the_certificate_is_not_our_own() {
    const CERTIFICATE: &str =
        "[[tls.certificates]]\ncert = \"/etc/dw/tls.crt\"\nkey = \"/etc/dw/tls.key\"\n";
    let check = |server: &str, expected: Option<Duration>| {
        let config = sound(&format!("[server]\n{server}\n{CERTIFICATE}"));
        assert_eq!(config.hsts, expected, "{server}");
        assert_eq!(sound(&format!("[server]\n{server}\n")).hsts, None);
    };
    let public = "public_url = \"https://gw.example.com\"";
    let year = Duration::from_hours(365 * 24);
    check(public, Some(year));
    check("", None);
    check("public_url = \"https://127.0.0.1:8443\"", None);
    check("hsts = \"1d\"", Some(Duration::from_hours(24)));
    check(&format!("{public}\nhsts = \"0s\""), Some(Duration::ZERO));
    check(&format!("{public}\nhsts = \"off\""), None);
}

#[test]
fn relative_paths_start_where_the_file_lies() {
    let config = sound(
        "[state]\ndirectory = \"state\"\n[log]\naudit = { file = \"audit.log\" }\n\
         [[tls.certificates]]\ncert = \"tls.crt\"\nkey = \"/etc/dw/tls.key\"\n",
    );
    assert_eq!(config.state_directory, Path::new("/etc/dw/state"));
    assert_eq!(
        config.log.audit,
        LogTarget::File("/etc/dw/audit.log".into())
    );
    let certificate = &config.listen.certificates[0];
    assert_eq!(certificate.cert, Path::new("/etc/dw/tls.crt"));
    assert_eq!(certificate.key, Path::new("/etc/dw/tls.key"));
}

#[test]
fn a_secret_comes_from_a_variable_or_a_file_without_its_last_line_break() {
    for password in ["{ env = \"SECRET\" }", "{ file = \"secret\" }"] {
        let redis = redis(&format!(
            "{{ url = \"rediss://me@redis:6380/2\", password = {password} }}"
        ));
        let Place::Server {
            node,
            transport,
            database,
        } = redis.place
        else {
            panic!("{redis:?}");
        };
        assert_eq!((node.to_string().as_str(), database), ("redis:6380", 2));
        assert!(matches!(transport, Transport::Tls(files) if files.authorities.is_none()));
        let login = redis.login.unwrap();
        assert_eq!(login.user.as_deref(), Some("me"));
        assert_eq!(login.password.expose(), "hunter2");
        assert_eq!(redis.key_prefix, "doorward:");
    }
}

fn redis(store: &str) -> RedisConfig {
    match sound(&format!("[sessions]\nstore = {store}\n"))
        .sessions
        .store
    {
        SessionStoreConfig::Redis(redis) => *redis,
        SessionStoreConfig::Embedded => panic!("embedded"),
    }
}

#[test]
fn a_redis_server_is_named_by_its_url() {
    let check = |url: &str, expected: &str, number: u32| {
        let redis = redis(&format!("\"{url}\""));
        let Place::Server { node, database, .. } = redis.place else {
            panic!("{redis:?}");
        };
        assert_eq!((node.to_string().as_str(), database), (expected, number));
        assert!(redis.login.is_none());
    };
    check("redis://redis", "redis:6379", 0);
    check("redis://redis/", "redis:6379", 0);
    check("redis://[::1]:7000/3", "[::1]:7000", 3);
}

#[test]
fn a_redis_is_a_socket_sentinels_or_a_cluster() {
    let socket = redis(
        "{ url = \"unix:///run/my%20redis.sock\", user = \"me\", password = { env = \"SECRET\" }, database = 3 }",
    );
    assert!(
        matches!(&socket.place, Place::Socket { path, database: 3 } if path == Path::new("/run/my redis.sock"))
    );
    assert_eq!(socket.login.unwrap().user.as_deref(), Some("me"));

    let watched = redis(
        "{ sentinels = [\"s1:26379\", \"[::1]:26379\"], master = \"mymaster\", sentinel_user = \"me\", \
         sentinel_password = { env = \"SECRET\" }, database = 2, tls = true, ca = \"tls.crt\" }",
    );
    let Place::Sentinel(sentinel) = watched.place else {
        panic!("{watched:?}");
    };
    assert_eq!(sentinel.sentinels.len(), 2);
    assert_eq!(
        (sentinel.master.as_str(), sentinel.database),
        ("mymaster", 2)
    );
    assert!(sentinel.login.is_some() && watched.login.is_none());
    assert!(
        matches!(sentinel.transport, Transport::Tls(files) if files.authorities.as_deref() == Some(Path::new("/etc/dw/tls.crt")))
    );

    let cluster = redis(
        "{ cluster = [\"r1:6379\"], tls = true, client_cert = \"tls.crt\", client_key = \"tls.key\", key_prefix = \"shop:\" }",
    );
    assert_eq!(cluster.key_prefix, "shop:");
    assert!(
        matches!(cluster.place, Place::Cluster { nodes, transport: Transport::Tls(files) } if nodes.len() == 1 && files.client.is_some())
    );
}

#[test]
fn an_issuer_has_keys_audiences_and_an_admin_claim() {
    let config = sound(
        "[[issuers]]\nissuer = \"https://id.example.com\"\njwks = \"http://127.0.0.1:1/jwks\"\n\
         audience = \"shop\"\nadmin = { claim = \"realm.roles\", contains = \"admin\" }\n\
         [[issuers]]\nissuer = \"other\"\njwks = { file = \"jwks.json\" }\naudience = [\"a\", \"b\"]\n",
    );
    let [one, other] = &config.issuers[..] else {
        panic!("{:?}", config.issuers);
    };
    assert!(matches!(&one.jwks, JwksSource::Url(url) if url.port() == Some(1)));
    assert_eq!(one.refresh, Duration::from_mins(10));
    let admin = one.admin.as_ref().unwrap();
    assert_eq!(admin.claim, "realm.roles");
    assert_eq!(admin.test, ClaimTest::Contains(json!("admin")));
    assert_eq!(other.jwks, JwksSource::File("/etc/dw/jwks.json".into()));
    assert_eq!(other.audiences, ["a", "b"]);
}

#[test]
fn a_route_with_two_hosts_is_two_routes_from_one_place() {
    let config = sound(&format!(
        "{SHOP}[[upstreams]]\nname = \"b\"\nservers = [\"https://b\"]\n[[routes]]\n\
         host = [\"a.example.com\", \"*.example.com\"]\npath = \"/**\"\nmethods = [\"GET\"]\n\
         require = \"public\"\nupstream = \"b\"\nforward_credentials = true\n"
    ));
    let hosts = config.routes.iter().map(|route| &route.matcher.host);
    let expected = [
        HostPattern::Exact("a.example.com".into()),
        HostPattern::Below("example.com".into()),
    ];
    assert!(hosts.eq(&expected));
    let route = &config.routes[0];
    assert_eq!(
        route.matcher.methods,
        Methods::Only(vec![http::Method::GET])
    );
    assert_eq!(
        (route.upstream, route.credentials),
        (1, Credentials::Forwarded)
    );
    assert_eq!(config.sources.routes.len(), 2);
    assert_eq!(config.sources.routes[1].key, "routes[0]");
    assert_eq!(
        config.sources.routes[1].place.to_string(),
        "/etc/dw/gateway.toml:7:1"
    );
}

/// What `require` becomes.
fn requirement(require: &str) -> Requirement {
    let config = sound(&format!(
        "{SHOP}[[routes]]\npath = \"/\"\nrequire = {require}\nupstream = \"shop\"\n"
    ));
    config.routes[0].requirement.clone()
}

#[test]
fn a_requirement_is_a_word_or_a_rule() {
    let networks = crate::net::Networks::new(vec!["10.0.0.0/8".parse().unwrap()]);
    let roles = |role: &str| Rule::Roles(vec![role.into()]);
    let claim = |path: &str, test| Rule::Claim {
        path: path.into(),
        test,
    };
    let check = |require, expected| assert_eq!(requirement(require), expected, "{require}");
    check("\"public\"", Requirement::Public);
    check("\"signed-in\"", Requirement::SignedIn);
    check("\"admin\"", Requirement::Admin);
    check("{ signed_in = true }", Requirement::SignedIn);
    check("{ roles = [\"a\"] }", Requirement::Rule(roles("a")));
    check(
        "{ signed_in = false, networks = [\"::ffff:10.0.0.0/104\"] }",
        Requirement::Networks(networks.clone()),
    );
    check(
        "{ networks = [\"10.0.0.0/8\"] }",
        Requirement::Rule(Rule::Networks(networks.clone())),
    );
    check(
        "{ scopes = [\"s\"], roles = [\"a\"], claims = [{ claim = \"x.y\", equals = 1.5 }, { claim = \"z\", one_of = [1, true] }] }",
        Requirement::Rule(Rule::All(vec![
            roles("a"),
            Rule::Scopes(vec!["s".into()]),
            claim("x.y", ClaimTest::Equals(json!(1.5))),
            claim("z", ClaimTest::OneOf(vec![json!(1), json!(true)])),
        ])),
    );
    check(
        "{ any = [{ roles = [\"a\"] }, { all = [{ roles = [\"b\"] }, { networks = [\"10.0.0.0/8\"] }] }] }",
        Requirement::Rule(Rule::Any(vec![
            roles("a"),
            Rule::All(vec![roles("b"), Rule::Networks(networks)]),
        ])),
    );
}

#[test]
fn an_allowed_origin_is_spelt_as_browsers_do() {
    let config = sound(
        "[[dialects]]\nshape = \"insforge\"\nallowed_origins = [\"https://App.Example.com:443/\", \"http://localhost:5173\"]\n",
    );
    let origins = &config.dialects[0].allowed_origins;
    assert_eq!(
        origins,
        &["https://app.example.com", "http://localhost:5173"]
    );
    assert_eq!(config.dialects[0].host, HostPattern::Any);
}

#[test]
fn a_route_says_itself_whose_pages_may_call_or_leaves_it_to_the_dialect() {
    let route = |line: &str| {
        let text = format!(
            "{SHOP}[[routes]]\npath = \"/x\"\nrequire = \"public\"\nupstream = \"shop\"\n{line}"
        );
        sound(&text).routes[0].allowed_origins.clone()
    };
    assert_eq!(route(""), None);
    assert_eq!(route("allowed_origins = []\n"), Some(Vec::new()));
    let one = route("allowed_origins = [\"https://App.example.com/\"]\n").unwrap();
    assert_eq!(one, ["https://app.example.com"]);
}

#[test]
fn a_dialect_has_what_its_clients_and_services_share_with_it() {
    let config = sound(
        "[[dialects]]\nshape = \"supabase\"\nprefix = \"/shop\"\n\
         token_secret = { env = \"LONG_SECRET\" }\n\
         api_keys = [{ env = \"SECRET\" }]\nservice_key = { env = \"LONG_SECRET\" }\n\
         redirect_urls = [\"https://app.test/a\", \"http://localhost:5173\"]\n\
         [[dialects]]\nshape = \"strikebet\"\n\
         [[dialects]]\nshape = \"vaniyk\"\nadmin_secret = { env = \"LONG_SECRET\" }\n",
    );
    let [supabase, strikebet, vaniyk] = config.dialects.as_slice() else {
        panic!("three dialects");
    };
    let page = supabase.targets.choose(Some("http://localhost:5173/"));
    assert_eq!(page.unwrap().as_str(), "http://localhost:5173/");
    let page = supabase.targets.choose(None);
    assert_eq!(page.unwrap().as_str(), "https://app.test/a");
    assert!(supabase.admin_secret.is_none() && vaniyk.admin_secret.is_some());
    assert_eq!(supabase.prefix, "/shop");
    assert!(supabase.token_secret.is_some() && supabase.keys.are_asked_for());
    assert!(supabase.keys.service.is_some());
    assert_eq!(
        (strikebet.shape, &*strikebet.prefix),
        (Shape::Strikebet, "")
    );
    assert!(strikebet.token_secret.is_none() && !strikebet.keys.are_asked_for());
}

#[test]
fn the_secret_of_actian_may_stand_where_the_original_has_it() {
    const NAME: &str = "ACTIAN_VECTORAI_JWT_SECRET";
    let text = "[[dialects]]\nshape = \"actian\"\n";
    let secret = |around: Around, text: &str| {
        let config = read_in(&around, text).map_err(|mistakes| mistakes.to_string())?;
        let secret = config.dialects[0].token_secret.clone();
        Ok::<_, String>(secret.map(|secret| secret.expose().to_owned()))
    };
    let usual = "the secret that the original would take";
    assert_eq!(secret(around(), text), Ok(None));
    let with_usual = || around().variable(NAME, usual);
    assert_eq!(secret(with_usual(), text), Ok(Some(usual.to_owned())));
    let given = format!("{text}token_secret = {{ env = \"LONG_SECRET\" }}\n");
    let long = "a secret of more than thirty-two bytes";
    assert_eq!(secret(with_usual(), &given), Ok(Some(long.to_owned())));
    // It is of no other shape, and a short one is nobody's.
    let other = "[[dialects]]\nshape = \"supabase\"\n";
    assert_eq!(secret(with_usual(), other), Ok(None));
    let short = secret(around().variable(NAME, "hunter2"), text).unwrap_err();
    assert!(
        short.contains("is too short") && !short.contains("hunter2"),
        "{short}"
    );
}

#[test]
fn an_upstream_speaks_http1_unless_it_is_told() {
    let config = sound(&format!(
        "{SHOP}[[upstreams]]\nname = \"grpc\"\nservers = [\"http://h\"]\nprotocol = \"http2\"\n"
    ));
    let spoken = config.upstreams.iter().map(|upstream| upstream.protocol);
    let expected = [Protocol::Http1, Protocol::Http2];
    assert_eq!(spoken.collect::<Vec<_>>(), expected);
}

#[test]
fn listeners_may_share_a_port_on_two_addresses_and_take_any_free_one() {
    let config = sound(
        "[server]\nlisten = [\"127.0.0.1:1\", \"127.0.0.2:1\", \"127.0.0.1:0\"]\n\
         redirect_http = [\"127.0.0.1:0\"]\n[ops]\nlisten = \"[::1]:1\"\n",
    );
    assert_eq!(config.listen.listen.len(), 3);
    assert_eq!(config.ops, Some("[::1]:1".parse().unwrap()));
}

/// The bounds of browsers, remembered browsers and programs, in hours: idle and absolute.
fn bounds(text: &str) -> [[u64; 2]; 3] {
    let lifetimes = sound(text).sessions.lifetimes;
    [lifetimes.web, lifetimes.remembered, lifetimes.native]
        .map(|bounds| [bounds.idle, bounds.absolute].map(|span| span.as_secs() / 3600))
}

#[test]
fn how_long_a_session_lives_is_said_by_its_kind_else_for_all_else_by_us() {
    let usual = [[12, 168], [168, 720], [720, 8760]];
    assert_eq!(bounds(""), usual);
    let all = "[sessions]\nrefresh_ttl = \"2h\"\nmax_age = \"10h\"\n";
    assert_eq!(bounds(all), [[2, 10]; 3]);
    let one = format!("{all}[sessions.native]\nrefresh_ttl = \"5h\"\n");
    assert_eq!(bounds(&one), [[2, 10], [2, 10], [5, 10]]);
    let short = "[sessions]\nmax_age = \"6h\"\n[sessions.web]\nmax_age = \"8h\"\n";
    assert_eq!(bounds(short), [[8, 8], [6, 6], [6, 6]]);
}

#[test]
fn mail_speaks_tls_unless_it_stays_on_this_machine() {
    let check = |url: &str, more: &str, expected: (Security, u16)| {
        let config = sound(&format!(
            "[mail]\nsmtp = \"{url}\"\nfrom = \"Me <me@example.com>\"\n{more}"
        ));
        let Some(MailTransport::Smtp(server)) = config.mail.map(|mail| mail.transport) else {
            panic!("no server");
        };
        assert_eq!((server.security, server.port), expected, "{url}");
    };
    let password = "password = { env = \"SECRET\" }";
    check("smtps://mail.example.com", "", (Security::Tls, 465));
    check(
        "smtp://me@mail.example.com",
        password,
        (Security::StartTls, 587),
    );
    check("smtp://127.0.0.1:2525", "", (Security::LoopbackOnly, 2525));
    check("smtp://localhost", "", (Security::LoopbackOnly, 25));
    check("smtp://me@localhost", password, (Security::StartTls, 587));
    check(
        "smtp://127.0.0.1.example.com",
        "",
        (Security::StartTls, 587),
    );
}

#[test]
fn an_empty_file_lets_nobody_sign_up_and_sends_no_mail() {
    let config = sound("");
    assert!(config.mail.is_none());
    assert_eq!(config.accounts, AccountRules::default());
}

#[test]
fn a_supabase_project_needs_its_url_and_a_key() {
    let check = |more: &str| {
        let text = format!(
            "[users.supabase]\nurl = \"https://p.supabase.co\"\nanon_key = {{ env = \"SECRET\" }}\n{more}"
        );
        match sound(&text).users.store {
            UserStoreConfig::Supabase(project) => *project,
            other => panic!("{other:?}"),
        }
    };
    let project = check("");
    assert!(project.service_key.is_none() && project.row_key == RowKey::User);
    let AdminRule::Column {
        table,
        column,
        test,
    } = project.admin
    else {
        panic!("{:?}", project.admin);
    };
    assert_eq!(
        (table.schema.as_str(), table.name.as_str()),
        ("users", "users")
    );
    assert_eq!(column, "is_admin");
    assert!(test.holds(&true.into()) && !test.holds(&"true".into()));
    let project = check(
        "service_key = { file = \"secret\" }\nrow_key = \"service\"\nca = \"ca.pem\"\n\
         admin = { claim = \"app_metadata.role\", one_of = [\"admin\", \"owner\"] }",
    );
    assert_eq!(
        project.service_key.map(|key| key.expose().to_owned()),
        Some("hunter2".into())
    );
    assert!(matches!(project.trust, Trust::Only(_)));
    assert!(
        matches!(project.admin, AdminRule::Claim { claim, .. } if claim == "app_metadata.role")
    );
}
