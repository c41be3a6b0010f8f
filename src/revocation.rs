//! To come: revocation.
