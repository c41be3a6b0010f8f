//! What comes too soon: over the stores that count, and through the real binary.

use std::time::Duration;

use doorward::limit::Policy;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::support::doorward::{Answer, Doorward, PASSWORD, Setup, USER};

mod attack;
mod contract;
mod replicas;
mod sign_in;

/// As little work for a hash as the configuration allows: these tests are not about its cost.
const CHEAP: &str = "[passwords]\nmemory_kib = 7168\niterations = 1\n";

/// Behind a proxy on loopback, whose word on the client's address counts.
const BEHIND_A_PROXY: &str = "trusted_proxies = [\"127.0.0.1\"]";

/// A gateway with these lines of `[limits]`.
async fn gateway(server: &str, limits: &str) -> Doorward {
    Doorward::with(Setup {
        server: server.to_owned(),
        more: format!("{CHEAP}[limits]\n{limits}\n[[dialects]]\nshape = \"insforge\"\n"),
        ..Setup::default()
    })
    .await
}

/// A sign-in from `address`, by the word of a proxy.
struct From<'a> {
    forwarded_for: &'a str,
    path: &'a str,
    body: Value,
}

impl<'a> From<'a> {
    fn wrong(forwarded_for: &'a str, login: &str) -> Self {
        Self::with(forwarded_for, (login, "wrong password"))
    }

    fn right(forwarded_for: &'a str, login: &str) -> Self {
        Self::with(forwarded_for, (login, PASSWORD))
    }

    fn with(forwarded_for: &'a str, (login, password): (&str, &str)) -> Self {
        Self {
            forwarded_for,
            path: "/.doorward/api/sign-in",
            body: json!({ "login": login, "password": password, "client": "native" }),
        }
    }

    async fn send(self, gateway: &Doorward) -> Answer {
        let request = Request::post(self.path)
            .header("content-type", "application/json")
            .header("x-forwarded-for", self.forwarded_for);
        gateway
            .send(request.body(Full::from(self.body.to_string())).unwrap())
            .await
    }

    async fn status(self, gateway: &Doorward) -> StatusCode {
        self.send(gateway).await.status
    }
}

/// A figure of `/metrics`, 0 where it is not there yet.
async fn metric(gateway: &Doorward, line: &str) -> u64 {
    let page = scrape(gateway).await;
    let found = page.lines().find_map(|found| found.strip_prefix(line));
    found.map_or(0, |value| value.trim().parse().unwrap())
}

async fn scrape(gateway: &Doorward) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(gateway.ops).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nhost: ops\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}

fn policy() -> Policy {
    Policy {
        max_delay: Duration::from_mins(15),
        ..Policy::off()
    }
}

/// The refusal that a client may read, and what it says of when to come back.
fn assert_limited(answer: &Answer, login: &str) {
    assert_eq!(
        answer.status,
        StatusCode::TOO_MANY_REQUESTS,
        "{login}: {}",
        answer.text
    );
    let seconds: u64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=3600).contains(&seconds), "{seconds}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(!answer.text.contains(USER) && !answer.text.contains("127.0.0.1"));
}
