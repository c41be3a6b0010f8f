//! What a page of another site can have a browser send, and what must not come of it.

use super::*;

/// As a browser sends a form of another site: without cookies that are not `SameSite=None`.
fn forged(path: &str, kind: &str) -> http::request::Builder {
    Request::post(path)
        .header("content-type", kind)
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate")
}

impl Answer {
    /// The names of the cookies that the answer sets or clears.
    fn cookies(&self) -> Vec<&str> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines
            .map(|line| line.to_str().unwrap().split('=').next().unwrap())
            .collect()
    }
}

#[tokio::test]
async fn a_request_that_showed_no_cookie_clears_none() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    let check = async |method: &str, path: &str| {
        for token in [None, Some("Bearer junk")] {
            let mut request = Request::builder().method(method).uri(path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = api.call(request.body(String::new()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(answer.cookies(), Vec::<&str>::new(), "{method} {path}");
        }
    };
    check("POST", "/.doorward/api/sign-out").await;
    check("POST", "/.doorward/api/refresh").await;
    check("GET", "/.doorward/api/session").await;
    check("GET", "/.doorward/api/sessions").await;
    check("DELETE", "/.doorward/api/sessions/x").await;
    let form = forged(
        "/.doorward/api/sign-out",
        "application/x-www-form-urlencoded",
    );
    let answer = api.call(form.body("a=b".to_owned()).unwrap()).await;
    assert_eq!(answer.cookies(), Vec::<&str>::new());
}

#[tokio::test]
async fn a_cookie_that_was_shown_and_does_not_hold_is_cleared() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    let check = async |path: &str, shown: &str, expected: &[&str]| {
        let request = post(path).header("cookie", shown);
        let answer = api.call(request.body(String::new()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {shown}");
        assert_eq!(answer.cookies(), expected, "{path} {shown}");
    };
    let (session, refresh) = ("__Host-doorward", "__Secure-doorward-refresh");
    let both = format!("{session}=junk; {refresh}=junk");
    let (one, other) = (format!("{session}=junk"), format!("{refresh}=junk"));
    check("/.doorward/api/refresh", &both, &[session, refresh]).await;
    check("/.doorward/api/refresh", &other, &[refresh]).await;
    check("/.doorward/api/sign-out", &one, &[session]).await;
}

#[tokio::test]
async fn signing_out_clears_the_cookies_of_the_browser_that_asks() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &[]).await;
    let native = api.sign_in(ALICE, PASSWORD).await;
    let token = native.body["access_token"].as_str().unwrap();
    let program = api.bearer("POST", "/.doorward/api/sign-out", token).await;
    assert_eq!(program.status, StatusCode::NO_CONTENT);
    assert_eq!(program.cookies(), Vec::<&str>::new());

    let body = json!({ "login": ALICE, "password": PASSWORD });
    let browser = api.post("/.doorward/api/sign-in", &body).await;
    let lines = browser.headers.get_all("set-cookie").iter();
    let pairs = lines.map(|line| line.to_str().unwrap().split(';').next().unwrap());
    let request = Request::post("/.doorward/api/sign-out")
        .header("cookie", pairs.collect::<Vec<_>>().join("; "))
        .header("sec-fetch-site", "same-origin");
    let answer = api.call(request.body(String::new()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(
        answer.cookies(),
        ["__Host-doorward", "__Secure-doorward-refresh"]
    );
}

#[tokio::test]
async fn a_page_of_another_site_signs_nobody_in() {
    let api = Api::start(EmailRule::MayBeUnverified).await;
    api.core.add_user(ALICE, PASSWORD, &["admin"]).await;
    let json = json!({ "login": ALICE, "password": PASSWORD }).to_string();
    let form = format!("login={ALICE}&password={PASSWORD}");
    // A form that is sent as text can be made to read as JSON.
    let bodies = [
        ("text/plain", &json),
        ("application/x-www-form-urlencoded", &form),
        ("application/x-www-form-urlencoded", &json),
        ("multipart/form-data; boundary=x", &json),
        ("application/json", &json),
    ];
    let check = async |request: http::request::Builder, body: &str| {
        let answer = api.call(request.body(body.to_owned()).unwrap()).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
        assert_eq!(answer.cookies(), Vec::<&str>::new());
        assert!(answer.body["user"].is_null());
    };
    for path in ["/.doorward/api/sign-in", "/.doorward/api/admin/sign-in"] {
        for (kind, body) in bodies {
            check(forged(path, kind), body).await;
            check(forged(path, kind).header("origin", "null"), body).await;
            let old = Request::post(path).header("content-type", kind);
            check(old.header("origin", "https://evil.example"), body).await;
            // Nothing says where it was made: then the type alone must tell.
            if kind != "application/json" {
                check(Request::post(path).header("content-type", kind), body).await;
            }
        }
        check(Request::post(path), &json).await;
    }
}
