//! Two gateways on one Redis: what ends at one is refused at the other too, and the service sees nothing.

use http::StatusCode;
use serde_json::json;

use crate::support::doorward::{ADMIN, Doorward, NO_LIMITS, PASSWORD, Setup, Tokens, USER};
use crate::support::redis::RedisServer;

struct Pair {
    here: Doorward,
    there: Doorward,
    _redis: RedisServer,
}

impl Pair {
    async fn start() -> Self {
        let redis = RedisServer::start();
        let setup = Setup {
            sessions: format!("store = \"redis://{}\"", redis.address()),
            more: NO_LIMITS.to_owned(),
            ..Setup::default()
        };
        let here = Doorward::with(setup).await;
        let there = here.replica().await;
        Self {
            here,
            there,
            _redis: redis,
        }
    }

    fn both(&self) -> [&Doorward; 2] {
        [&self.here, &self.there]
    }

    /// Runs a command beside the gateways.
    fn command(&self, words: &[&str], input: &str) -> String {
        let output = self.here.command(words, input);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The tokens are refused everywhere, and the service hears nothing of it.
    async fn refuse(&self, tokens: &Tokens) {
        let token = Some(tokens.access.as_str());
        for gateway in self.both() {
            let refused = StatusCode::UNAUTHORIZED;
            gateway.until(refused, ("/api/x", token)).await;
        }
        let seen = self.here.sample.seen().len();
        for gateway in self.both() {
            for path in ["/api/x", "/admin/x"] {
                let answer = gateway.get(path, token).await;
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            }
            let answer = gateway.refresh(&tokens.refresh).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(self.here.sample.seen().len(), seen);
    }

    /// The tokens are accepted everywhere.
    async fn accept(&self, tokens: &Tokens) {
        for gateway in self.both() {
            let answer = gateway.get("/api/x", Some(&tokens.access)).await;
            assert_eq!(answer.status, StatusCode::OK);
        }
    }
}

/// Signs a user in at one of the gateways, ends that session by `end`, and lets it be refused at both.
async fn refused_everywhere(end: impl AsyncFnOnce(&Pair, &Tokens)) {
    let pair = Pair::start().await;
    let (user, other) = (
        pair.here.sign_in(USER).await,
        pair.there.sign_in(ADMIN).await,
    );
    pair.accept(&user).await;
    end(&pair, &user).await;
    pair.refuse(&user).await;
    pair.accept(&other).await;
}

#[tokio::test]
async fn a_sign_out_is_known_everywhere() {
    refused_everywhere(async |pair, user| {
        let path = "/.doorward/api/sign-out";
        let out = pair.there.post(path, Some(&user.access), &json!({})).await;
        assert_eq!(out.status, StatusCode::NO_CONTENT);
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_is_known_everywhere() {
    refused_everywhere(async |pair, _| {
        let words = ["user", "set-password", USER];
        pair.command(&words, "another good password\n");
        for gateway in pair.both() {
            let old = gateway.try_sign_in(USER).await;
            assert_eq!(old.status, StatusCode::UNAUTHORIZED, "{PASSWORD}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_disabled_user_is_known_everywhere() {
    refused_everywhere(async |pair, _| {
        pair.command(&["user", "disable", USER], "");
    })
    .await;
}

#[tokio::test]
async fn a_removed_user_is_known_everywhere() {
    refused_everywhere(async |pair, _| {
        pair.command(&["user", "remove", USER], "");
    })
    .await;
}

#[tokio::test]
async fn an_old_refresh_token_that_is_shown_again_is_known_everywhere() {
    refused_everywhere(async |pair, user| {
        let mut newest = user.refresh.clone();
        for gateway in pair.both() {
            let answer = gateway.refresh(&newest).await;
            newest = Tokens::of(&answer).refresh;
        }
        let reused = pair.there.refresh(&user.refresh).await;
        assert_eq!(reused.status, StatusCode::UNAUTHORIZED);
        // Nobody can tell the thief from the owner: the newest token is worth nothing any more.
        let owner = pair.here.refresh(&newest).await;
        assert_eq!(owner.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_revoked_by_its_id_is_known_everywhere() {
    refused_everywhere(async |pair, _| {
        let listed = pair.command(&["session", "list", "--json", "--user", USER], "");
        let line: serde_json::Value = serde_json::from_str(listed.trim()).unwrap();
        let id = line["id"].as_str().unwrap();
        let said = pair.command(&["session", "revoke", id], "");
        assert_eq!(said, "1 session ended\n");
    })
    .await;
}

#[tokio::test]
async fn the_revoked_sessions_of_a_user_are_known_everywhere() {
    refused_everywhere(async |pair, _| {
        let another = pair.there.sign_in(USER).await;
        let said = pair.command(&["session", "revoke", "--user", "user"], "");
        assert_eq!(said, "2 sessions ended\n");
        pair.refuse(&another).await;
    })
    .await;
}

#[tokio::test]
async fn the_revoked_sessions_of_everybody_are_known_everywhere() {
    let pair = Pair::start().await;
    let user = pair.here.sign_in(USER).await;
    let admin = pair.there.sign_in(ADMIN).await;
    let said = pair.command(&["session", "revoke", "--all"], "");
    assert_eq!(said, "2 sessions ended\n");
    for tokens in [&user, &admin] {
        pair.refuse(tokens).await;
    }
    let audit = std::fs::read_to_string(pair.here.path("audit.log")).unwrap();
    let ends = audit.lines().filter(|line| {
        line.contains("\"sign-out-all\"") && line.contains("\"reason\":\"command-line\"")
    });
    assert_eq!(ends.count(), 2, "{audit}");
    // Who knows the password comes back.
    let again = pair.there.sign_in(USER).await;
    pair.accept(&again).await;
}

/// No gateway need have heard of what a command ended when the master dies, so a replica must have.
#[tokio::test]
async fn a_command_whose_ends_no_replica_confirms_says_so() {
    let master = RedisServer::start();
    let gateway = Doorward::with(Setup {
        sessions: format!("store = \"redis://{}\"", master.address()),
        ..Setup::default()
    })
    .await;
    let revoke = ["session", "revoke", "--user", USER];
    let run = |words: &[&str]| {
        let output = gateway.command(words, "");
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    assert_eq!(run(&revoke), (Some(0), String::new()), "without a replica");
    let replica = RedisServer::start_replica_of(&master).await;
    assert_eq!(run(&revoke), (Some(0), String::new()), "with a replica");

    replica.pause();
    let user = gateway.sign_in(USER).await;
    for words in [&revoke[..], &["user", "disable", USER]] {
        let (code, said) = run(words);
        assert_eq!(code, Some(1), "{words:?}");
        assert!(said.contains("no replica"), "{said}");
    }
    // It is done all the same.
    let refused = ("/api/x", Some(user.access.as_str()));
    gateway.until(StatusCode::UNAUTHORIZED, refused).await;
    replica.resume();
    let (code, said) = run(&["user", "disable", USER]);
    assert_eq!(code, Some(0), "{said}");
}

/// The old role is in the old token, and that token is worth nothing.
#[tokio::test]
async fn a_role_that_was_taken_away_is_nowhere_any_more() {
    let pair = Pair::start().await;
    let before = pair.here.sign_in(ADMIN).await;
    for gateway in pair.both() {
        let answer = gateway.get("/admin/x", Some(&before.access)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    pair.command(&["user", "roles", ADMIN, "--remove", "admin"], "");
    pair.refuse(&before).await;
    let after = pair.there.sign_in(ADMIN).await;
    let seen = pair.here.sample.seen().len();
    for gateway in pair.both() {
        let answer = gateway.get("/admin/x", Some(&after.access)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(pair.here.sample.seen().len(), seen);
    pair.accept(&after).await;
}

#[tokio::test]
async fn a_signing_key_that_an_administrator_makes_is_taken_up_everywhere() {
    let pair = Pair::start().await;
    let before = pair.here.sign_in(ADMIN).await;
    let path = "/.doorward/api/admin/signing-keys/rotate";
    let rotated = pair.here.post(path, Some(&before.access), &json!({})).await;
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.text);
    let keys = rotated.json();
    let kid = |at: usize| keys["signing_keys"][at]["kid"].as_str().unwrap().to_owned();
    let after = pair.here.signed_anew(&before).await;
    // Known everywhere when it signs, and not some time later.
    for tokens in [&after, &before] {
        pair.accept(tokens).await;
    }
    for gateway in pair.both() {
        let published = gateway.get("/.doorward/jwks.json", None).await.text;
        assert!(published.contains(&kid(0)) && published.contains(&kid(1)));
    }
    let listed = pair.command(&["key", "list"], "");
    let listed: Vec<_> = listed
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(listed, [kid(0), kid(1)]);
}
