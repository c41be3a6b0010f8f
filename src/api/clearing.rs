//! The cookies of a session that has ended: cleared where the request showed them, and nowhere else.
//!
//! A page of another site can send its visitor's browser here without the cookies that it keeps for
//! us. An answer that cleared them all the same would sign the visitor out.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::SET_COOKIE;

use crate::wire::cookie::Cookie;

/// Says, among the extensions of a response, which cookies do not hold any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended(&'static [Cookie]);

impl Ended {
    /// The access token does not hold; whether the refresh token does, nobody has asked.
    pub(super) const ACCESS: Self = Self(&[Cookie::SESSION]);

    /// The session is over, and with it both of its tokens.
    pub(super) const SESSION: Self = Self(&[Cookie::SESSION, Cookie::REFRESH]);

    pub(super) fn note(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}

/// The layer around the endpoints: clears what has [`Ended`] and was shown.
pub(super) async fn clear_shown(request: Request, next: Next) -> Response {
    let shown = Cookie::shown(&[Cookie::SESSION, Cookie::REFRESH], request.headers());
    let mut response = next.run(request).await;
    if let Some(Ended(ended)) = response.extensions_mut().remove() {
        for cookie in shown.iter().filter(|cookie| ended.contains(cookie)) {
            response.headers_mut().append(SET_COOKIE, cookie.clear());
        }
    }
    response
}
