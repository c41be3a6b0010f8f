use http_body_util::BodyExt as _;

use super::*;
use crate::clock::Timestamp;
use crate::path::PathError;
use crate::token::TokenError;

/// Status and code of the body, then the headers that matter, then the whole body.
async fn answer(refusal: &Refusal) -> (u16, HeaderMap, String) {
    let response = refusal.respond(&ProblemStyle);
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(parts.headers["cache-control"], "no-store");
    assert_eq!(parts.headers["content-type"], "application/problem+json");
    (parts.status.as_u16(), parts.headers, body)
}

fn unauthenticated(reason: Unauthenticated) -> Refusal {
    Refusal::from(&Denial::Unauthenticated(reason))
}

#[tokio::test]
async fn a_challenge_tells_whether_a_token_was_shown_and_no_more() {
    let plain = r#"Bearer realm="doorward""#;
    let invalid = r#"Bearer realm="doorward", error="invalid_token""#;
    let mut bodies = Vec::new();
    for (reason, expected) in [
        (Unauthenticated::NoCredential, plain),
        (Unauthenticated::ForeignScheme, plain),
        (Unauthenticated::Ambiguous, invalid),
        (Unauthenticated::Revoked, invalid),
        (Unauthenticated::Token(TokenError::Signature), invalid),
        (Unauthenticated::Token(TokenError::Expired), invalid),
    ] {
        let (status, headers, body) = answer(&unauthenticated(reason)).await;
        assert_eq!(status, 401);
        assert_eq!(headers["www-authenticate"], expected, "{reason:?}");
        bodies.push(body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test]
async fn what_is_known_inside_stays_inside() {
    let forbidden = Denial::Forbidden {
        unmet: "role `inner-circle`".to_owned(),
    };
    let (status, headers, body) = answer(&Refusal::from(&forbidden)).await;
    assert_eq!(status, 403);
    assert!(
        headers["www-authenticate"]
            .to_str()
            .unwrap()
            .ends_with(r#"error="insufficient_scope""#)
    );
    assert!(!body.contains("inner-circle") && !format!("{headers:?}").contains("inner-circle"));

    let away = Denial::Unavailable {
        what: "redis at 10.0.0.7",
        retry_after: Duration::from_millis(1_500),
    };
    let (status, headers, body) = answer(&Refusal::from(&away)).await;
    assert_eq!(
        (status, &headers["retry-after"]),
        (503, &HeaderValue::from(2))
    );
    assert!(!body.contains("10.0.0.7"));
}

#[tokio::test]
async fn only_a_401_signs_a_browser_out() {
    let clearing = |refusal: Refusal| refusal.clearing(&[Cookie::SESSION]);
    let (_, headers, _) = answer(&clearing(unauthenticated(Unauthenticated::Revoked))).await;
    assert_eq!(headers["set-cookie"], Cookie::SESSION.clear());
    let retry_after = Duration::ZERO;
    for cause in [
        Cause::Unavailable { retry_after },
        Cause::Forbidden,
        Cause::CrossOrigin,
        Cause::NotFound,
        Cause::BadGateway,
    ] {
        let (_, headers, _) = answer(&clearing(cause.into())).await;
        assert_eq!(headers.get("set-cookie"), None);
    }
}

#[tokio::test]
async fn every_cause_has_its_status_and_word() {
    let retry_after = Duration::ZERO;
    for (cause, status, code) in [
        (
            Cause::BadRequest(PathError::DotSegment.into()),
            400,
            "ambiguous_path",
        ),
        (
            Cause::BadRequest(BadRequest::HostDisagrees),
            421,
            "host_disagrees",
        ),
        (Cause::PathCase, 400, "ambiguous_path"),
        (Cause::CrossOrigin, 403, "cross_origin"),
        (Cause::NotFound, 404, "not_found"),
        (Cause::MethodNotAllowed(vec![]), 405, "method_not_allowed"),
        (Cause::BodyTooLarge, 413, "body_too_large"),
        (Cause::BadGateway, 502, "bad_gateway"),
        (Cause::Unavailable { retry_after }, 503, "unavailable"),
        (Cause::GatewayTimeout, 504, "gateway_timeout"),
    ] {
        let (found, headers, body) = answer(&cause.clone().into()).await;
        assert_eq!(found, status, "{cause:?}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{body}");
        assert_eq!(headers.get("www-authenticate"), None);
    }
}

#[tokio::test]
async fn a_refused_method_learns_which_are_welcome() {
    let cause = Cause::MethodNotAllowed(vec![Method::GET, Method::HEAD]);
    let (_, headers, _) = answer(&cause.into()).await;
    assert_eq!(headers["allow"], "GET, HEAD");
}

#[tokio::test]
async fn a_refusal_names_its_request() {
    let id = RequestId::new(Timestamp::from_seconds(1));
    let (_, _, body) = answer(&Refusal::from(Cause::NotFound).of_request(id)).await;
    assert!(body.contains(&id.to_string()), "{body}");
}

#[test]
fn a_style_may_redirect_and_still_clears_the_cookie() {
    struct ToSignIn;
    impl RefusalStyle for ToSignIn {
        fn render(&self, _: &Refusal) -> Response<Body> {
            let to = [(header::LOCATION, "/.doorward/sign-in")];
            (StatusCode::SEE_OTHER, to).into_response()
        }
    }
    let refusal = unauthenticated(Unauthenticated::Revoked).clearing(&[Cookie::SESSION]);
    let response = refusal.respond(&ToSignIn);
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers().get("www-authenticate"), None);
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["set-cookie"], Cookie::SESSION.clear());
}
