//! Everybody's sessions: seen page by page, and ended.

use super::*;

/// The ids on all pages of this length.
async fn all_ids(site: &Site, limit: usize) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("sessions?limit={limit}{cursor}");
        let page = site.ask("GET", &path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let sessions = page.body["sessions"].as_array().unwrap();
        assert!((1..=limit).contains(&sessions.len()));
        let ids = sessions.iter().map(|session| &session["id"]);
        seen.extend(ids.map(|id| id.as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn sessions_are_seen_page_by_page_each_once() {
    let site = Site::start().await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &[]).await;
    for _ in 0..4 {
        site.api.core.clock.advance(Duration::from_millis(1));
        token(&site.api, ALICE).await;
    }
    // A page may end within a user, or with one.
    for limit in [1, 2, 5, 50] {
        let mut seen = all_ids(&site, limit).await;
        assert_eq!(seen.len(), 5, "{limit}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5, "{limit}");
    }
    let of_alice = site.ask("GET", &format!("sessions?user={}", user.id)).await;
    assert_eq!(of_alice.body["sessions"].as_array().unwrap().len(), 4);
    let path = format!("users/{}/sessions", user.id);
    let same = site.ask("GET", &path).await;
    assert_eq!(same.body, of_alice.body);
    let created = |at: usize| same.body["sessions"][at]["created_at"].as_str().unwrap();
    assert!(created(0) > created(3), "newest first");
    let bad = site.refusal("GET", "sessions?cursor=x").await;
    assert_eq!(bad, is(400, "invalid_parameters"));
}

#[tokio::test]
async fn a_session_that_is_ended_is_refused_at_once() {
    let site = Site::start().await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &[]).await;
    let (one, two) = (token(&site.api, ALICE).await, token(&site.api, ALICE).await);
    let current = site.api.bearer("GET", "/.doorward/api/session", &one).await;
    let path = format!(
        "sessions/{}",
        current.body["session"]["id"].as_str().unwrap()
    );
    let shown = site.ask("GET", &path).await;
    assert_eq!(shown.body["user"], user.id.to_string());
    assert_eq!(shown.body["email"], ALICE);
    assert_eq!(
        site.ask("DELETE", &path).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        [site.is_good(&one).await, site.is_good(&two).await],
        [false, true]
    );
    for method in ["GET", "DELETE"] {
        assert_eq!(
            site.refusal(method, &path).await,
            is(404, "no_such_session")
        );
    }
    let all = format!("users/{}/sessions", user.id);
    assert_eq!(site.ask("DELETE", &all).await.body, json!({ "ended": 1 }));
    assert!(!site.is_good(&two).await);
    assert!(site.is_good(&site.token).await);
}

#[tokio::test]
async fn all_sessions_end_where_that_is_said() {
    let site = Site::start().await;
    let user = site.api.core.add_user(ALICE, PASSWORD, &[]).await;
    let (one, two) = (token(&site.api, ALICE).await, token(&site.api, ALICE).await);
    for (query, code) in [
        ("", "malformed"),
        ("?all=false", "invalid_parameters"),
        ("?all=true&user=x", "invalid_parameters"),
    ] {
        let path = format!("sessions{query}");
        assert_eq!(site.refusal("DELETE", &path).await, is(400, code));
    }
    assert!(site.is_good(&one).await && site.is_good(&site.token).await);
    let ended = site.ask("DELETE", "sessions?all=true").await;
    assert_eq!(ended.body, json!({ "ended": 3 }));
    for token in [&one, &two, &site.token] {
        assert!(!site.is_good(token).await);
    }
    let audited = site.api.core.audited();
    let told = audited.iter().filter(|e| e["action"] == "sign-out-all");
    let users: Vec<_> = told.map(|event| event["user"].as_str().unwrap()).collect();
    let (alice, root) = (user.id.to_string(), site.root.id.to_string());
    assert_eq!(users, [alice, root], "the caller's own come last");
    let signed_in = token(&site.api, ROOT).await;
    assert!(site.is_good(&signed_in).await, "and they sign in again");
}
