//! The one failure that every store shares: it could not be asked.

/// A store is away, full, locked or broken: nothing was stored, and nothing is known.
///
/// Never taken for "no such thing": whoever gets it answers 503.
#[derive(Debug, thiserror::Error)]
#[error("{store} is unavailable")]
pub struct Unavailable {
    /// Which store, in words for an operator.
    pub store: &'static str,
    /// What it said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Unavailable {
    /// The failure of `store`, for the reason `source`.
    pub fn new(
        store: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            store,
            source: source.into(),
        }
    }
}
