//! What arrives at the upstream, and what comes back.

use bytes::Bytes;
use doorward::clock::Timestamp;
use doorward::id::SessionId;
use doorward::route::Credentials;
use doorward::token::mint::Claims;
use doorward::user::{Email, JsonObject, Role};
use http::{Method, Request, StatusCode};
use http_body_util::Empty;

use crate::support::canned::{Canned, Manner};
use crate::support::front::{Protocol, Setup, reason};
use crate::support::sample::{Sample, SeenRequest};

fn alice() -> Claims {
    Claims {
        subject: "alice".into(),
        session: SessionId::from_bytes([7; 16]),
        roles: ["admin", "a:b"]
            .map(|role| Role::parse(role).unwrap())
            .into_iter()
            .collect(),
        email: Some(Email::parse("zoë@example.com").unwrap()),
        methods: vec!["pwd"],
        issued_at: Timestamp::from_seconds(1_800_000_000),
        expires_at: Timestamp::from_seconds(1_800_000_900),
        extra: JsonObject::new(),
    }
}

fn get(target: &str, fields: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut request = Request::get(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Empty::new()).unwrap()
}

/// What the upstream sees of a request with these headers.
async fn seen(caller: Option<Claims>, fields: &[(&str, &str)]) -> SeenRequest {
    let sample = Sample::start().await;
    let front = Setup {
        caller,
        ..Setup::before([sample.url()])
    }
    .start()
    .await;
    let response = front.send(get("/x", fields)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    sample.seen().remove(0)
}

#[tokio::test]
async fn an_upstream_learns_who_is_calling_and_from_where() {
    let seen = seen(Some(alice()), &[("host", "gw.example.com:8443")]).await;
    let check = |name: &str, expected: &str| assert_eq!(seen.all(name), [expected], "{name}");
    check("x-auth-subject", "alice");
    check("x-auth-email", "zo%C3%AB@example.com");
    check("x-auth-roles", "a:b,admin");
    check("x-auth-session", "07070707-0707-0707-0707-070707070707");
    check("host", "gw.example.com:8443");
    check("x-forwarded-for", "2001:db8::7");
    check("x-forwarded-host", "gw.example.com:8443");
    check("x-forwarded-proto", "https");
    check(
        "forwarded",
        "for=\"[2001:db8::7]\";host=\"gw.example.com:8443\";proto=https",
    );
    check("x-request-id", "01010101-0101-0101-0101-010101010101");
}

#[tokio::test]
async fn lies_of_a_client_do_not_arrive_in_any_spelling() {
    let lies = [
        ("X-Auth-Subject", "liar"),
        ("X_Auth_Subject", "liar"),
        ("x-auth_email", "liar"),
        ("X.AUTH.ROLES", "liar"),
        ("X_Forwarded_For", "liar"),
        ("X-Forwarded-Prefix", "liar"),
        ("X-Original-URL", "liar"),
        ("Forwarded", "for=liar"),
        (
            "Connection",
            "x-auth-subject, x-auth-roles, x-forwarded-for, liar",
        ),
        ("liar", "liar"),
    ];
    for caller in [None, Some(alice())] {
        let known = caller.is_some();
        let seen = seen(caller, &lies).await;
        let shown = format!("{:?}", seen.headers);
        assert!(!shown.contains("liar"), "{shown}");
        assert_eq!(seen.all("x-auth-subject").len(), usize::from(known));
        assert_eq!(seen.all("x-forwarded-for"), ["2001:db8::7"]);
        assert_eq!(seen.all("connection"), [""; 0]);
    }
}

#[tokio::test]
async fn credentials_stay_here_unless_the_route_forwards_them() {
    let sample = Sample::start().await;
    let fields = [
        ("authorization", "Bearer token"),
        ("cookie", "theme=dark; __Host-doorward=token"),
    ];
    for credentials in [Credentials::Kept, Credentials::Forwarded] {
        let front = Setup {
            credentials,
            ..Setup::before([sample.url()])
        }
        .start()
        .await;
        front.send(get("/x", &fields)).await.unwrap();
    }
    let [kept, forwarded] = &sample.seen()[..] else {
        panic!("two requests");
    };
    assert_eq!(kept.all("cookie"), ["theme=dark"]);
    assert_eq!(kept.all("authorization"), [""; 0]);
    assert_eq!(forwarded.all("cookie"), [fields[1].1]);
    assert_eq!(forwarded.all("authorization"), ["Bearer token"]);
}

#[tokio::test]
async fn the_judged_path_is_sent_with_the_query_byte_for_byte() {
    let sample = Sample::start().await;
    let front = Setup::before([sample.url()]).start().await;
    for target in ["/%61pi/x?a=%2f&&b=/../c?", "/plain", "/?"] {
        front.get(target).await;
    }
    let targets: Vec<_> = sample.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/api/x?a=%2f&&b=/../c?", "/plain", "/?"]);
}

#[tokio::test]
async fn http_2_arrives_as_http_1_with_its_host_and_one_cookie_field() {
    let sample = Sample::start().await;
    let front = Setup {
        protocol: Protocol::Http2,
        ..Setup::before([sample.url()])
    }
    .start()
    .await;
    let fields = [("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers")];
    let response = front.send(get("/x?y", &fields)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let seen = sample.seen().remove(0);
    assert_eq!(seen.target, "/x?y");
    assert_eq!(seen.all("host"), ["gw.example.com"]);
    assert_eq!(seen.all("x-forwarded-host"), ["gw.example.com"]);
    assert_eq!(seen.all("cookie"), ["a=1; b=2"]);
    assert_eq!(seen.all("te"), ["trailers"]);
    assert_eq!(seen.all("transfer-encoding"), [""; 0]);
}

#[tokio::test]
async fn an_upgrade_that_is_no_websocket_is_an_ordinary_request() {
    let websocket = [
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let others: [&[(&str, &str)]; 4] = [
        &[("connection", "upgrade"), ("upgrade", "x")],
        &[
            ("connection", "upgrade, http2-settings"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQAAP__"),
        ],
        &websocket,
        &[("connection", "upgrade"), ("upgrade", "websocket")],
    ];
    for fields in others {
        let seen = seen(None, fields).await;
        for name in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(seen.all(name), [""; 0], "{fields:?}");
        }
    }
}

#[tokio::test]
async fn connect_and_trace_are_refused_and_not_sent() {
    let sample = Sample::start().await;
    let front = Setup::before([sample.url()]).start().await;
    for method in [Method::CONNECT, Method::TRACE] {
        let mut request = get("/x", &[]);
        if method == Method::CONNECT {
            *request.uri_mut() = "example.com:443".parse().unwrap();
        }
        *request.method_mut() = method;
        let response = front.send(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(reason(&response), Some("method"));
    }
    assert!(sample.seen().is_empty());
}

#[tokio::test]
async fn an_answer_comes_back_without_what_is_not_for_the_client() {
    let upstream = Canned::start(Manner::Close(
        "HTTP/1.0 200 OK\r\nserver: old\r\nconnection: x-hop\r\nx-hop: 1\r\n\
         keep-alive: timeout=5\r\nupgrade: h2c\r\nx_auth_subject: alice\r\n\
         set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\nok",
    ))
    .await;
    let front = Setup::before([upstream.url()]).start().await;
    let response = front.get("/").await;
    assert_eq!(response.version(), http::Version::HTTP_11);
    let mut headers = response.headers().clone();
    headers.remove("date");
    let expected =
        r#"{"server": "old", "set-cookie": "a=1", "set-cookie": "b=2", "content-length": "2"}"#;
    assert_eq!(format!("{headers:?}"), expected);
}

#[tokio::test]
async fn answers_without_a_body_keep_their_head() {
    let sample = Sample::start().await;
    let front = Setup::before([sample.url()]).start().await;
    let mut head = get("/bytes/1000", &[]);
    *head.method_mut() = Method::HEAD;
    let response = front.send(head).await.unwrap();
    assert_eq!(response.headers()["content-length"], "1000");
    for code in [204, 304] {
        assert_eq!(front.get(&format!("/status/{code}")).await.status(), code);
    }
}
