//! SIGHUP: a changed `gateway.toml` is taken whole or not at all, and no request is lost over it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::support::doorward::{Doorward, USER};
use crate::support::sample::Sample;

/// Changes the file of a gateway.
fn edit(gateway: &Doorward, change: impl FnOnce(String) -> String) {
    let path = gateway.path("gateway.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, change(text)).unwrap();
}

#[tokio::test]
async fn a_changed_route_counts_after_a_hangup_and_not_before() {
    let gateway = Doorward::start().await;
    let other = Sample::start().await;
    let user = gateway.sign_in(USER).await;
    let open = ("/public/x", None);
    gateway.until(StatusCode::OK, open).await;
    let origin = other.url().origin().ascii_serialization();
    edit(&gateway, |text| {
        let walled = text.replacen("require = \"public\"", "require = \"admin\"", 1);
        format!(
            "{walled}\n[[upstreams]]\nname = \"other\"\nservers = [\"{origin}\"]\n\
             [[routes]]\npath = \"/other/**\"\nrequire = \"signed-in\"\nupstream = \"other\"\n\
             [[dialects]]\nshape = \"insforge\"\n"
        )
    });
    assert_eq!(gateway.get(open.0, None).await.status, StatusCode::OK);
    let before = gateway.sample.seen().len();
    gateway.hang_up();
    gateway.until(StatusCode::UNAUTHORIZED, open).await;
    let asked_meanwhile = gateway.sample.seen().len();
    assert_eq!(
        gateway.get("/public/x", Some(&user.access)).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(gateway.sample.seen().len(), asked_meanwhile);
    assert!(asked_meanwhile >= before);
    let routed = gateway.get("/other/x", Some(&user.access)).await;
    assert_eq!(routed.status, StatusCode::OK);
    assert_eq!(other.seen().len(), 1);
    let dialect = gateway.get("/api/auth/sessions/current", None).await;
    assert_eq!(dialect.json()["error"], "AUTH_INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_file_with_mistakes_changes_nothing_and_is_told_and_counted() {
    let gateway = Doorward::start().await;
    edit(&gateway, |text| {
        text.replace("require = \"admin\"", "require = \"public\"")
            .replace("path = \"/public/**\"", "pth = \"/public/**\"")
            + "[[routes]]\npath = \"/**\"\nrequire = \"adminn\"\nupstream = \"nobody\"\n"
    });
    gateway.hang_up();
    gateway
        .until_counted("doorward_config_mistakes_total 1")
        .await;
    let check = gateway.command(&["check"], "");
    let told = String::from_utf8(check.stdout).unwrap();
    let mistakes: Vec<_> = told.lines().filter(|line| line.contains(": ")).collect();
    assert!(mistakes.len() > 3, "{told}");
    let logged = gateway.said();
    let (_count, mistakes) = mistakes.split_last().unwrap();
    for mistake in mistakes {
        assert!(logged.contains(mistake), "{mistake}\n{logged}");
    }
    assert_eq!(
        gateway.get("/admin/x", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(gateway.get("/public/x", None).await.status, StatusCode::OK);
    // Mistakes that show only when the parts are made count, too.
    edit(&gateway, |_| "[server\n".to_owned());
    gateway.hang_up();
    gateway
        .until_counted("doorward_config_mistakes_total 2")
        .await;
    assert_eq!(
        gateway.get("/admin/x", None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(gateway.sample.seen().len(), 1);
}

#[tokio::test]
async fn what_needs_a_restart_is_named_and_the_rest_is_taken() {
    let gateway = Doorward::start().await;
    edit(&gateway, |text| {
        text.replace("[server]\n", "[server]\nidle_timeout = \"9s\"\n")
            .replace("[sessions]\n", "[sessions]\naccess_ttl = \"7m\"\n")
            .replacen("require = \"public\"", "require = \"admin\"", 1)
    });
    gateway.hang_up();
    let open = ("/public/x", None);
    gateway.until(StatusCode::UNAUTHORIZED, open).await;
    let read = |said: &str| said.contains("was read again");
    gateway.until_said(read).await;
    let said = gateway.said();
    assert!(
        said.contains("the lifetimes of [sessions] has changed"),
        "{said}"
    );
    assert!(said.contains("server.idle_timeout has changed"), "{said}");
    assert_eq!(said.matches("needs a restart").count(), 2, "{said}");
    let answer = gateway.try_sign_in(USER).await;
    assert_eq!(answer.json()["expires_in"], 900);
}

/// What is under way ends with what it began with, even where it would be refused now.
#[tokio::test]
async fn a_request_under_way_ends_as_it_began() {
    let gateway = Arc::new(Doorward::start().await);
    let user = gateway.sign_in(USER).await;
    let slow = tokio::spawn({
        let (gateway, token) = (Arc::clone(&gateway), user.access.clone());
        async move { gateway.get("/slow", Some(&token)).await.status }
    });
    gateway.sample.received(1).await;
    edit(&gateway, |text| {
        text.replace("require = \"signed-in\"", "require = \"admin\"")
    });
    gateway.hang_up();
    let walled = ("/x", Some(user.access.as_str()));
    gateway.until(StatusCode::FORBIDDEN, walled).await;
    gateway.sample.release();
    assert_eq!(slow.await.unwrap(), StatusCode::OK);
}

/// Clients that ask all the time, over connections that stay.
#[tokio::test]
async fn no_request_is_lost_over_a_reload() {
    let gateway = Arc::new(Doorward::start().await);
    let over = Arc::new(AtomicBool::new(false));
    let client = || tokio::spawn(ask_until(Arc::clone(&gateway), Arc::clone(&over)));
    let clients = [client(), client(), client(), client()];
    for round in 0..10 {
        let (from, to) = match round % 2 {
            0 => (
                "\"public\"",
                "{ signed_in = false, networks = [\"127.0.0.0/8\"] }",
            ),
            _ => (
                "{ signed_in = false, networks = [\"127.0.0.0/8\"] }",
                "\"public\"",
            ),
        };
        edit(&gateway, |text| text.replacen(from, to, 1));
        gateway.hang_up();
        let read = |said: &str| said.matches("was read again").count() > round;
        gateway.until_said(read).await;
    }
    over.store(true, Ordering::Relaxed);
    for client in clients {
        let asked = client.await.unwrap();
        assert!(asked > 10, "only {asked} requests");
    }
}

async fn ask_until(gateway: Arc<Doorward>, over: Arc<AtomicBool>) -> usize {
    let io = TokioIo::new(gateway.connect().await);
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    let running = tokio::spawn(connection);
    let mut asked = 0;
    while !over.load(Ordering::Relaxed) {
        let request = Request::get("/public/x").header("host", "localhost");
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.unwrap();
        asked += 1;
    }
    running.abort();
    asked
}
