//! What all faces share on the wire: problem bodies, refusals, cookies.
//!
//! An error becomes a response here, once. Inside we distinguish, outside we merge.

pub mod context;
pub mod cookie;
pub mod problem;
pub mod rate_limit;
pub mod refusal;
pub mod request_body;
