//! `Strict-Transport-Security`: who is told, and who says it.

use http::StatusCode;

use crate::support::canned::{Canned, Manner};
use crate::support::doorward::{Answer, Doorward, Setup};

/// A service that speaks for the whole domain.
const OUTSPOKEN: Manner = Manner::KeepAlive(
    "HTTP/1.1 200 OK\r\nstrict-transport-security: max-age=9; includeSubDomains\r\n\
     content-length: 0\r\n\r\n",
);

async fn gateway(server: &str) -> (Doorward, Canned) {
    let service = Canned::start(OUTSPOKEN).await;
    let origin = service.url().origin().ascii_serialization();
    let more = format!(
        "[[upstreams]]\nname = \"outspoken\"\nservers = [\"{origin}\"]\n\
         [[routes]]\npath = \"/outspoken\"\nrequire = \"public\"\nupstream = \"outspoken\"\n"
    );
    let setup = Setup {
        server: server.to_owned(),
        more,
        ..Setup::default()
    };
    (Doorward::with(setup).await, service)
}

fn told(answer: &Answer) -> Vec<&str> {
    let lines = answer.headers.get_all("strict-transport-security").iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

#[tokio::test]
async fn every_answer_tells_browsers_to_come_back_by_https() {
    let (gateway, _service) = gateway("hsts = \"7d\"").await;
    let check = async |path: &str, status: StatusCode| {
        let answer = gateway.get(path, None).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(told(&answer), ["max-age=604800"], "{path}");
    };
    check("/public/x", StatusCode::OK).await;
    check("/admin/x", StatusCode::UNAUTHORIZED).await;
    check("/.doorward/api/openapi.json", StatusCode::OK).await;
    check("/.doorward/nothing", StatusCode::NOT_FOUND).await;
    check("/public/%2e%2e/x", StatusCode::BAD_REQUEST).await;
    // In place of what the service says for its neighbours too.
    check("/outspoken", StatusCode::OK).await;
}

#[tokio::test]
async fn this_machine_is_not_locked_into_https() {
    let (gateway, _service) = gateway("").await;
    for path in ["/public/x", "/admin/x", "/.doorward/jwks.json"] {
        assert_eq!(told(&gateway.get(path, None).await), Vec::<&str>::new());
    }
    let own = gateway.get("/outspoken", None).await;
    assert_eq!(told(&own), ["max-age=9; includeSubDomains"]);
}
