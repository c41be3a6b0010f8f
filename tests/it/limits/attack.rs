//! An account under attack stays open to its owner.

use super::*;

const LIMITS: &str = "sign_in = \"3/1h\"\nsign_in_account = \"5/1h\"\nmax_delay = \"1h\"";

/// `count` wrong passwords from as many addresses, a few at a time.
async fn attack(gateway: &Doorward, count: u32) {
    for chunk in (0..count).collect::<Vec<_>>().chunks(4) {
        let tries = chunk.iter().map(|n| async move {
            let address = format!("198.51.{}.{}", n / 250, n % 250);
            From::wrong(&address, USER).status(gateway).await
        });
        for status in futures_util::future::join_all(tries).await {
            assert_ne!(status, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn an_account_under_attack_stays_open_to_its_owner_at_home_and_on_the_way() {
    let gateway = gateway(BEHIND_A_PROXY, LIMITS).await;
    let (home, hotel) = ("192.0.2.1", "192.0.2.99");
    assert_eq!(
        From::right(home, USER).status(&gateway).await,
        StatusCode::OK
    );
    attack(&gateway, 40).await;
    // At home nothing has changed: three wrong ones an hour.
    for _ in 0..2 {
        let status = From::wrong(home, USER).status(&gateway).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        From::right(home, USER).status(&gateway).await,
        StatusCode::OK
    );
    // At a new address it takes no more than the right password; two slips are forgiven.
    for _ in 0..2 {
        let status = From::wrong(hotel, USER).status(&gateway).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(
        From::right(hotel, USER).status(&gateway).await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_account_that_nobody_has_is_under_attack_like_any_other() {
    let gateway = gateway(BEHIND_A_PROXY, LIMITS).await;
    attack(&gateway, 12).await;
    for n in 0..12 {
        let address = format!("198.51.100.{n}");
        From::wrong(&address, "nobody@example.com")
            .send(&gateway)
            .await;
    }
    for login in [USER, "nobody@example.com"] {
        for _ in 0..3 {
            let status = From::wrong("192.0.2.7", login).status(&gateway).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{login}");
        }
        let answer = From::wrong("192.0.2.7", login).send(&gateway).await;
        assert_limited(&answer, login);
    }
}
