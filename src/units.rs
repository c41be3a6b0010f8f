//! Spans of time and sizes as people write them: `15m`, `64KiB`.
