//! To come: ops.
