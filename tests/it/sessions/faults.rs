//! What happens when the store of the sessions breaks.
