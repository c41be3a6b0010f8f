//! To come: route/table.
