//! Header values of ours, written into one piece of memory.
//!
//! A value of its own costs an allocation, and another one when it is first copied, as the head of a
//! request is for a second try. Values that share their memory cost two for all of them.

use bytes::{BufMut as _, BytesMut};
use http::HeaderValue;

/// As much as usual values need together: addresses, host, identity.
const USUAL_BYTES: usize = 384;

/// Makes header values.
#[derive(Debug)]
pub(super) struct Values(BytesMut);

impl Values {
    pub(super) fn new() -> Self {
        Self(BytesMut::with_capacity(USUAL_BYTES))
    }

    /// The value that these pieces make; `None` if it is empty, or no header value.
    pub(super) fn join<'a>(
        &mut self,
        pieces: impl IntoIterator<Item = &'a str>,
    ) -> Option<HeaderValue> {
        for piece in pieces {
            self.0.put_slice(piece.as_bytes());
        }
        let bytes = self.0.split().freeze();
        HeaderValue::from_maybe_shared(bytes)
            .ok()
            .filter(|value| !value.is_empty())
    }
}
