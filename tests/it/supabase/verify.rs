//! `POST verify` with the token of a link, and `GET verify`: the link of a mail.

use std::collections::HashMap;

use doorward::auth::EmailRule;
use doorward::dialect::gotrue::Targets;
use url::{Url, form_urlencoded};

use super::*;
use crate::support::core::ORIGIN;
use crate::support::mailbox::token;

const VERIFY: &str = "/auth/v1/verify";
const HOME: &str = "https://app.test/welcome?a=1";
const RESET: &str = "https://app.test/reset";

async fn start() -> Bench {
    let pages = [HOME, RESET].map(|page| Targets::page(page).unwrap());
    let bed = Bed {
        targets: Targets::new(pages.to_vec()),
        ..Bed::open(Shape::Supabase, EmailRule::MustBeVerified)
    };
    bed.start().await
}

/// The link in a mail, as its path here.
fn link(mail: &str) -> String {
    let (_, rest) = mail.split_once("Your link:\n").expect("a link");
    let link = rest.lines().next().unwrap();
    link.strip_prefix(ORIGIN)
        .expect("a link to here")
        .to_owned()
}

async fn recover(bench: &Bench, query: &str) -> String {
    let path = format!("/auth/v1/recover{query}");
    bench
        .post(&path, json!({ "email": EMAIL }), &[])
        .await
        .expect(200);
    link(&bench.mail_to(EMAIL).await)
}

/// Where a link leads, and what it brings along.
#[track_caller]
fn followed(answer: &Answer) -> (String, HashMap<String, String>) {
    assert_eq!(answer.status, 303, "{}", answer.json);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    let mut url = Url::parse(answer.header("location")).unwrap();
    let fragment = url.fragment().unwrap().to_owned();
    url.set_fragment(None);
    let pairs = form_urlencoded::parse(fragment.as_bytes()).into_owned();
    (url.into(), pairs.collect())
}

#[tokio::test]
async fn a_link_goes_on_to_its_page_with_a_session() {
    let bench = start().await;
    let redirect = "?redirect_to=https%3A%2F%2Fapp.test%2Freset";
    let link = recover(&bench, redirect).await;
    let (page, brought) = followed(&bench.get(&link, &[]).await);
    assert_eq!(page, RESET);
    assert_eq!(brought["type"], "recovery");
    assert_eq!(brought["token_type"], "bearer");
    assert_eq!(brought["expires_in"], "3600");
    user(&bench, &brought["access_token"]).await.expect(200);
    refresh(&bench, &brought["refresh_token"]).await.expect(200);
    let (_, claims) = decoded(&brought["access_token"]);
    assert_eq!(claims["exp"].to_string(), brought["expires_at"]);
    // Once.
    let (page, brought) = followed(&bench.get(&link, &[]).await);
    assert_eq!(page, RESET);
    assert_eq!(brought["error_code"], "otp_expired");
    assert_eq!(brought["error"], "access_denied");
    assert!(!brought.contains_key("access_token"));
}

#[tokio::test]
async fn a_link_leads_to_no_page_that_is_not_listed() {
    let bench = start().await;
    for wanted in [
        "https://evil.test/",
        "https://app.test.evil.test/reset",
        "https://app.test@evil.test/",
        "https://app.test/reset?next=https://evil.test",
        "https://app.test/welcome",
        "javascript:alert(1)",
    ] {
        let wanted: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let link = recover(&bench, &format!("?redirect_to={wanted}")).await;
        assert!(!link.contains("evil"), "{link}");
        let (before, _) = link.split_once("&redirect_to=").unwrap();
        let bent = format!("{before}&redirect_to={wanted}");
        let (page, brought) = followed(&bench.get(&bent, &[]).await);
        assert_eq!(page, HOME);
        assert!(brought.contains_key("access_token"));
    }
}

#[tokio::test]
async fn each_kind_of_mail_has_a_link_of_its_kind() {
    let bench = start().await;
    let post = async |path: &str, body: Value| {
        bench
            .post(&format!("/auth/v1/{path}"), body, &[])
            .await
            .expect(200)
    };
    let follow = async |email: &str, kind: &str| {
        let link = link(&bench.mail_to(email).await);
        assert!(link.contains(&format!("&type={kind}&")), "{link}");
        let (_, brought) = followed(&bench.get(&link, &[]).await);
        assert_eq!(brought["type"], kind);
        user(&bench, &brought["access_token"]).await.expect(200)
    };
    let new = "new@example.com";
    post("signup", json!({ "email": new, "password": PASSWORD })).await;
    follow(new, "signup").await;
    post("otp", json!({ "email": new })).await;
    follow(new, "magiclink").await;
    let session = sign_in(&bench).await;
    let token = bearer(session.text("/access_token"));
    let headers = [("authorization", token.as_str())];
    let body = json!({ "email": "ann@new.test" }).to_string();
    bench
        .send((Method::PUT, USER), &headers, body)
        .await
        .expect(200);
    let moved = follow("ann@new.test", "email_change").await;
    assert_eq!(moved.json["email"], "ann@new.test");
}

#[tokio::test]
async fn only_following_a_link_uses_it_up() {
    let bench = start().await;
    let link = recover(&bench, "").await;
    let head = bench.send((Method::HEAD, &link), &[], String::new()).await;
    assert_eq!(head.status, 405);
    let (_, brought) = followed(&bench.get(&link, &[]).await);
    assert!(brought.contains_key("access_token"));
}

#[tokio::test]
async fn a_page_may_show_the_token_of_a_link_itself() {
    let bench = start().await;
    let link = recover(&bench, "").await;
    let token = token(&link);
    let check = async |body: Value, (status, code): (u16, &str)| {
        assert_fault(&bench.post(VERIFY, body, &[]).await, status, code);
    };
    let invalid = (400, "validation_failed");
    check(json!({ "token_hash": token }), invalid).await;
    check(json!({ "type": "sms", "token_hash": token }), invalid).await;
    check(json!({ "type": "recovery" }), invalid).await;
    let body = json!({ "type": "recovery", "token_hash": token, "email": EMAIL });
    check(body, invalid).await;
    check(json!({ "type": "recovery", "token": "123456" }), invalid).await;
    let body = json!({ "type": "recovery", "token": token, "token_hash": token });
    check(body, invalid).await;
    let body = json!({ "type": "email", "token_hash": token });
    check(body, (403, "otp_expired")).await;
    let body = json!({ "type": "recovery", "token_hash": token });
    bench.post(VERIFY, body.clone(), &[]).await.expect(200);
    check(body, (403, "otp_expired")).await;
}

#[tokio::test]
async fn a_link_needs_no_key_and_a_page_to_go_to() {
    let bench = start().await;
    let check = async |query: &str| {
        let answer = bench.get(&format!("{VERIFY}{query}"), &[]).await;
        assert_fault(&answer, 400, "validation_failed");
    };
    check("").await;
    check("?type=signup").await;
    check("?type=signup&token=").await;
    check("?type=odd&token=abc").await;
    let keys = ApiKeys {
        public: vec![SecretText::from("anon")],
        service: None,
    };
    let bed = Bed {
        keys,
        ..Bed::of(Shape::Supabase)
    };
    let bench = bed.start().await;
    let answer = bench
        .get(&format!("{VERIFY}?type=signup&token=abc"), &[])
        .await;
    assert_fault(&answer, 400, "validation_failed");
    assert_eq!(answer.json["msg"], "There is no page to go on to");
}

#[tokio::test]
async fn whose_account_is_closed_is_told_so_at_the_page() {
    let bench = start().await;
    let link = recover(&bench, "").await;
    let disable = UserChange::Status(AccountStatus::Disabled);
    bench.change(&bench.user, disable).await;
    let (page, brought) = followed(&bench.get(&link, &[]).await);
    assert_eq!(page, HOME);
    assert_eq!(brought["error_code"], "user_banned");
}
