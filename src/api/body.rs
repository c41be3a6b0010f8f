//! Reading the JSON of a request.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The body of a request, read as JSON.
///
/// Only `application/json` is read: a form on a page of somebody else can send other types without
/// asking, and so sign a visitor in to a stranger's account.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S, T> FromRequest<S> for JsonBody<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let read = Request::from_parts(parts.clone(), body);
        let bytes = Bytes::from_request(read, state).await;
        let bytes = bytes.map_err(|rejection| rejected(rejection.status()))?;
        // The reader of a struct would take a list of its fields as well, in their order.
        let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
        let request = Request::from_parts(parts, Body::from(bytes));
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) if is_object => Ok(Self(value)),
            Ok(_list) => Err(rejected(StatusCode::BAD_REQUEST)),
            Err(rejection) => Err(rejected(rejection.status())),
        }
    }
}

/// The same where a request may come without a body.
pub(super) struct OptionalJsonBody<T>(pub(super) T);

impl<S, T> FromRequest<S> for OptionalJsonBody<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Default,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let length = request.headers().get(CONTENT_LENGTH);
        let is_empty = length.is_some_and(|length| length == "0")
            || http_body::Body::is_end_stream(request.body());
        if is_empty {
            return Ok(Self(T::default()));
        }
        let JsonBody(value) = JsonBody::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// The parser's own words may quote the body, which may hold a password.
pub(super) fn rejected(status: StatusCode) -> ApiError {
    match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::MediaType,
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _malformed => ApiError::Malformed("the body is not the JSON that is expected here"),
    }
}
