use http::Request;

use super::*;
use crate::clock::Timestamp;
use crate::id::SessionId;
use crate::identity::Issuer;

/// With `x-api-key` as the header for API keys.
fn rewriter() -> Rewriter {
    let headers = IdentityHeaders {
        subject: HeaderName::from_static("x-auth-subject"),
        email: HeaderName::from_static("x-auth-email"),
        roles: HeaderName::from_static("x-auth-roles"),
        session: HeaderName::from_static("x-auth-session"),
    };
    Rewriter::new(headers, vec!["__Host-doorward".into()])
        .keeping(Some(HeaderName::from_static("x-api-key")))
}

fn alice() -> Identity {
    Identity {
        issuer: Issuer::Own,
        subject: "alice".into(),
        session: None,
        email: None,
        roles: vec!["admin".into(), "user".into()],
        scopes: Vec::new(),
        not_before: None,
        expires_at: Timestamp::from_seconds(10),
        claims: serde_json::Map::new(),
    }
}

/// What becomes of these headers at `https://gw.example.com:8443/x`, sorted, without those that say
/// where the request came from.
fn sent(
    fields: &[(&str, &str)],
    identity: Option<&Identity>,
    credentials: Credentials,
) -> Vec<String> {
    let mut request = Request::get("/x").header("host", "gw.example.com:8443");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let caller = Caller {
        identity,
        origin: forwarded::Origin {
            client: "192.0.2.1".parse().unwrap(),
            request_id: HeaderValue::from_static("01010101-0101-0101-0101-010101010101"),
        },
        credentials,
        key_header: None,
    };
    let path = NormalPath::parse("/x").unwrap();
    let head = rewriter().head(parts, &path, caller).unwrap();
    let mut lines: Vec<String> = head
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .filter(|line| !line.starts_with("x-forwarded-") && !line.starts_with("host"))
        .filter(|line| !line.starts_with("forwarded: for=192.0.2.1;"))
        .filter(|line| !line.starts_with("x-request-id: 01010101-"))
        .collect();
    lines.sort();
    lines
}

#[test]
fn nothing_that_a_client_says_of_itself_goes_on() {
    let check = |name: &str| {
        let fields = [(name, "liar")];
        assert_eq!(
            sent(&fields, None, Credentials::Forwarded),
            [""; 0],
            "{name}"
        );
    };
    for name in [
        "X-Auth-Subject",
        "X_Auth_Subject",
        "x-auth_email",
        "X.Auth.Roles",
        "X-Forwarded-User",
        "x_forwarded_for",
        "X-Original-URL",
        "Forwarded",
        "X-Real-IP",
        "X-Request-Id",
        "X-HTTP-Method-Override",
        "Proxy",
        "Expect",
    ] {
        check(name);
    }
}

#[test]
fn a_claim_that_is_absent_is_no_header() {
    let mut alice = alice();
    let lines = sent(&[("x-auth-email", "liar")], Some(&alice), Credentials::Kept);
    assert_eq!(lines, ["x-auth-roles: admin,user", "x-auth-subject: alice"]);
    alice.roles.clear();
    alice.email = Some("".into());
    alice.session = Some(SessionId::from_bytes([7; 16]));
    let lines = sent(
        &[("x-auth-roles", "admin")],
        Some(&alice),
        Credentials::Kept,
    );
    let session = "x-auth-session: 07070707-0707-0707-0707-070707070707";
    assert_eq!(lines, [session, "x-auth-subject: alice"]);
}

#[test]
fn connection_removes_what_it_names_but_nothing_of_ours() {
    let fields = [
        ("connection", "close, x-hop, X-Auth-Subject,x-forwarded-for"),
        ("connection", "x-other, not a token, host, x-auth-roles"),
        ("x-hop", "1"),
        ("x-other", "1"),
        ("x-stays", "1"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
        ("te", "gzip"),
        ("proxy-authorization", "Basic x"),
    ];
    let lines = sent(&fields, Some(&alice()), Credentials::Kept);
    let ours = [
        "x-auth-roles: admin,user",
        "x-auth-subject: alice",
        "x-stays: 1",
    ];
    assert_eq!(lines, ours);
}

#[test]
fn the_credential_stays_here_unless_the_route_says_otherwise() {
    let fields = [
        ("authorization", "Bearer t"),
        ("cookie", "a=1; __Host-doorward=t"),
    ];
    let kept = sent(&fields, None, Credentials::Kept);
    assert_eq!(kept, ["cookie: a=1"]);
    let forwarded = sent(&fields, None, Credentials::Forwarded);
    let all = ["authorization: Bearer t", "cookie: a=1; __Host-doorward=t"];
    assert_eq!(forwarded, all);
}

#[test]
fn the_wish_for_trailers_is_passed_on() {
    let lines = sent(&[("te", "gzip;q=0.5, Trailers")], None, Credentials::Kept);
    assert_eq!(lines, ["connection: te", "te: trailers"]);
}

#[test]
fn the_path_is_the_judged_one_and_the_query_the_clients() {
    let check = |uri: &str, path: &str, expected: &str| {
        let path = NormalPath::parse(path).unwrap();
        let target = target(&uri.parse().unwrap(), &path).unwrap();
        assert_eq!(target.as_str(), expected);
    };
    check("/a?x=%2f..&&y", "/a", "/a?x=%2f..&&y");
    check("/%61?x=%2f..&&y=?", "/a", "/a?x=%2f..&&y=?");
    check("/%61?", "/a", "/a?");
    check("https://gw.example.com", "/", "/");
    check("https://gw.example.com?q", "/", "/?q");
}

#[test]
fn the_host_is_the_one_that_the_client_named() {
    let check = |uri: &str, host: Option<&'static str>, expected: Option<&'static str>| {
        let fields = host.map(|host| (HOST, HeaderValue::from_static(host)));
        let headers = HeaderMap::from_iter(fields);
        let expected = expected.map(HeaderValue::from_static);
        assert_eq!(
            super::host(&headers, &uri.parse().unwrap()),
            expected,
            "{uri}"
        );
    };
    check(
        "/",
        Some("gw.example.com:8443"),
        Some("gw.example.com:8443"),
    );
    check("https://a.example:1/", None, Some("a.example:1"));
    check("https://user:pass@a.example/", Some("b"), Some("a.example"));
    check("/", None, None);
}

#[test]
fn the_length_is_that_of_the_body_and_not_the_clients_word() {
    let check = |told: Option<&'static str>, length: Option<u64>, expected: &str| {
        let told = told.map(|told| (CONTENT_LENGTH, HeaderValue::from_static(told)));
        let mut headers = HeaderMap::from_iter(told);
        let hint = length.map_or_else(SizeHint::default, SizeHint::with_exact);
        frame(&mut headers, length == Some(0), &hint);
        assert_eq!(format!("{headers:?}"), expected);
    };
    check(None, Some(0), "{}");
    check(Some("7"), Some(0), r#"{"content-length": "0"}"#);
    check(Some("+3"), Some(5), r#"{"content-length": "5"}"#);
    check(Some("3"), None, r#"{"transfer-encoding": "chunked"}"#);
}

#[test]
fn cookies_of_several_fields_become_one() {
    let fields = [("cookie", "a=1"), ("cookie", "b=2")];
    assert_eq!(
        sent(&fields, None, Credentials::Forwarded),
        ["cookie: a=1; b=2"]
    );
}

#[test]
fn an_api_key_stays_here_unless_credentials_are_forwarded() {
    let fields = [("X-API-Key", "k"), ("X_API_Key", "k"), ("x.api.key", "k")];
    assert_eq!(sent(&fields, None, Credentials::Kept), [""; 0]);
    // Only what was judged goes on: to some services the others are the same header.
    let forwarded = sent(&fields, None, Credentials::Forwarded);
    assert_eq!(forwarded, ["x-api-key: k"]);
    let other = [("x-api-key-2", "k")];
    assert_eq!(sent(&other, None, Credentials::Kept), ["x-api-key-2: k"]);
}
