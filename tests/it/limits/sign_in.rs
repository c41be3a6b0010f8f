//! Sign-in and refresh at the real binary: no name, entrance, dialect or header goes round the limit.

use super::*;

const LIMITS: &str = "sign_in = \"3/1h\"\nadmin_sign_in = \"2/1h\"";

/// The hashes computed, once there are `least`; the figure is a second old at the most.
async fn hashes_once_they_are(gateway: &Doorward, least: u64) -> u64 {
    let mut interval = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..200 {
        interval.tick().await;
        let hashes = metric(gateway, "doorward_password_hashes_total ").await;
        if hashes >= least {
            return hashes;
        }
    }
    panic!("there never were {least} hashes");
}

async fn insforge(gateway: &Doorward, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD });
    gateway.post("/api/auth/sessions", None, &body).await
}

#[tokio::test]
async fn no_name_entrance_dialect_or_header_goes_round_the_limit() {
    let gateway = gateway("", LIMITS).await;
    for login in ["user@example.com", "user", " USER "] {
        let status = From::wrong("203.0.113.1", login).status(&gateway).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{login}");
    }
    // Even the right password: it is not looked at.
    for (n, login) in ["user@example.com", "USER@Example.COM", "user", " User"]
        .iter()
        .enumerate()
    {
        let forwarded = format!("198.51.100.{n}, 10.0.0.{n}");
        assert_limited(&From::right(&forwarded, login).send(&gateway).await, login);
    }
    let admin = From {
        path: "/.doorward/api/admin/sign-in",
        ..From::right("::1", USER)
    };
    assert_limited(&admin.send(&gateway).await, "the admin's entrance");
    let answer = insforge(&gateway, USER).await;
    assert_limited(&answer, "the dialect");
    assert_eq!(answer.json()["error"], "TOO_MANY_REQUESTS");
    assert_eq!(answer.json()["statusCode"], 429);
    assert_eq!(answer.headers["ratelimit-limit"], "3");
    assert_eq!(answer.headers["ratelimit-remaining"], "0");
    assert_eq!(answer.headers["ratelimit-policy"], "3;w=3600");
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn a_refusal_says_what_is_allowed_and_when_and_costs_no_hash() {
    let gateway = gateway("", LIMITS).await;
    for _ in 0..3 {
        From::wrong("::1", USER).send(&gateway).await;
    }
    let refused = "doorward_limited_total{purpose=\"sign-in\",bucket=\"pair\"} ";
    assert_eq!(metric(&gateway, refused).await, 0);
    for _ in 0..20 {
        let answer = From::right("::1", USER).send(&gateway).await;
        assert_limited(&answer, USER);
        assert_eq!(answer.json()["code"], "too_many_requests");
        assert_eq!(answer.headers["ratelimit-policy"], "\"sign-in\";q=3;w=3600");
        let seconds = answer.headers["retry-after"].to_str().unwrap();
        let expected = format!("\"sign-in\";r=0;t={seconds}");
        assert_eq!(answer.headers["ratelimit"], expected.as_str());
    }
    assert_eq!(metric(&gateway, refused).await, 20);
    let limited = "doorward_sign_ins_total{outcome=\"limited\"} ";
    assert_eq!(metric(&gateway, limited).await, 20);
    // One more that is hashed, so that the figure is known to be of now.
    From::wrong("::1", "nobody").send(&gateway).await;
    assert_eq!(hashes_once_they_are(&gateway, 4).await, 4);
    // The log has seen it, and is not filled. It is written behind the answers, and in their order.
    let mut interval = tokio::time::interval(Duration::from_millis(20));
    let mut audit = String::new();
    for _ in 0..1000 {
        interval.tick().await;
        audit = std::fs::read_to_string(gateway.path("audit.log")).unwrap();
        if audit.contains("\"nobody\"") {
            break;
        }
    }
    assert!(audit.contains("\"nobody\""), "{audit}");
    assert_eq!(audit.matches("\"limited\"").count(), 6, "{audit}");
    assert!(gateway.sample.seen().is_empty());
}

#[tokio::test]
async fn nobody_is_limited_like_somebody() {
    let gateway = gateway("", LIMITS).await;
    let ways = async |login: &str, others: &[&str]| {
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(From::wrong("::1", login).send(&gateway).await);
        }
        for other in others {
            answers.push(From::wrong("::1", other).send(&gateway).await);
        }
        answers
    };
    let known = ways("user", &["user@example.com", "USER"]).await;
    let unknown = ways("nobody", &["nobody@example.com", "NOBODY"]).await;
    let no_login = ways("no login", &[" No Login", "NO LOGIN"]).await;
    for answers in [&unknown, &no_login] {
        for (known, other) in known.iter().zip(answers) {
            assert_eq!(known.status, other.status);
            let headers = |answer: &Answer| {
                let names = ["content-type", "ratelimit-policy", "www-authenticate"];
                names.map(|name| answer.headers.get(name).cloned())
            };
            assert_eq!(headers(known), headers(other));
            assert_eq!(known.json()["code"], other.json()["code"]);
        }
    }
    assert_eq!(known[6].status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_admins_entrance_is_stricter() {
    let gateway = gateway("", LIMITS).await;
    let admin = || From {
        path: "/.doorward/api/admin/sign-in",
        ..From::wrong("::1", "admin")
    };
    for _ in 0..2 {
        assert_eq!(admin().status(&gateway).await, StatusCode::UNAUTHORIZED);
    }
    let answer = admin().send(&gateway).await;
    assert_limited(&answer, "admin");
    assert_eq!(
        answer.headers["ratelimit-policy"],
        "\"admin-sign-in\";q=2;w=3600"
    );
    assert_eq!(
        From::right("::1", "admin").status(&gateway).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_client_is_who_our_proxy_says_and_not_who_it_says_itself() {
    let gateway = gateway(BEHIND_A_PROXY, LIMITS).await;
    // Whatever a stranger writes stands to the left of what the proxy adds.
    for n in 0..3 {
        let forwarded = format!("198.51.100.{n}, 203.0.113.1");
        let status = From::wrong(&forwarded, USER).status(&gateway).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    for forwarded in [
        "203.0.113.1",
        "127.0.0.1, 203.0.113.1",
        "203.0.113.2, 203.0.113.1:4711",
        "::ffff:203.0.113.1",
        "junk, 203.0.113.1",
    ] {
        assert_limited(
            &From::right(forwarded, USER).send(&gateway).await,
            forwarded,
        );
    }
    let status = From::right("203.0.113.2", USER).status(&gateway).await;
    assert_eq!(status, StatusCode::OK, "another client is not limited");
    // An IPv6 customer has one bucket, not as many as addresses.
    for n in 0..3 {
        let forwarded = format!("2001:db8:0:1::{n:x}");
        From::wrong(&forwarded, USER).send(&gateway).await;
    }
    let same = From::right("[2001:db8:0:1:ffff::9]:4711", USER)
        .send(&gateway)
        .await;
    assert_limited(&same, "the same /64");
    let other = From::right("2001:db8:0:2::1", USER).status(&gateway).await;
    assert_eq!(other, StatusCode::OK);
}

#[tokio::test]
async fn right_passwords_are_no_guesses_but_an_address_has_its_limit() {
    let gateway = gateway("", "sign_in = \"2/1h\"\nsign_in_address = \"8/1h\"").await;
    for _ in 0..8 {
        assert_eq!(
            From::right("::1", USER).status(&gateway).await,
            StatusCode::OK
        );
    }
    let answer = From::right("::1", USER).send(&gateway).await;
    assert_limited(&answer, USER);
    assert_eq!(answer.headers["ratelimit-policy"], "\"sign-in\";q=8;w=3600");
}

#[tokio::test]
async fn a_refresh_that_comes_too_soon_ends_no_session() {
    let gateway = gateway("", "refresh = \"2/1h\"").await;
    let mut tokens = gateway.sign_in(USER).await;
    for _ in 0..2 {
        let answer = gateway.refresh(&tokens.refresh).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        tokens = crate::support::doorward::Tokens::of(&answer);
    }
    let answer = gateway.refresh(&tokens.refresh).await;
    assert_limited(&answer, "refresh");
    assert_eq!(answer.headers["ratelimit-policy"], "\"refresh\";q=2;w=3600");
    assert_eq!(answer.headers.get("set-cookie"), None);
    let status = gateway.get("/api/x", Some(&tokens.access)).await.status;
    assert_eq!(status, StatusCode::OK, "the session stays as it was");
    let other = gateway.sign_in(USER).await;
    let status = gateway.refresh(&other.refresh).await.status;
    assert_eq!(status, StatusCode::OK, "another session is not limited");
}
