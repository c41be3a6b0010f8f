//! Several replicas over one Redis server count together.

use super::*;
use crate::support::redis::RedisServer;

async fn replica(server: &RedisServer) -> Doorward {
    Doorward::with(Setup {
        sessions: format!("store = \"redis://{}\"", server.address()),
        more: format!("{CHEAP}[limits]\nsign_in = \"4/1h\"\n"),
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn replicas_count_together_and_nobody_signs_in_while_nobody_counts() {
    let mut server = RedisServer::start();
    let (one, two) = (replica(&server).await, replica(&server).await);
    // Each replica here has users of its own; a name that nobody has is the same everywhere.
    for gateway in [&one, &two, &one, &two] {
        let status = From::wrong("::1", "nobody").status(gateway).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    for gateway in [&one, &two] {
        assert_limited(&From::wrong("::1", "nobody").send(gateway).await, "nobody");
        assert_eq!(
            From::right("::1", USER).status(gateway).await,
            StatusCode::OK
        );
    }
    server.stop();
    let answer = From::right("::1", USER).send(&one).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after"));
}
