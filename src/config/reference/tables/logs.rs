//! What is written down.

use super::shared::{PATH, key, span};
use crate::config::reference::Default::{Required, Value, Words};
use crate::config::reference::Form::{Inline, Single};
use crate::config::reference::{Kind, Table};

const LOG_KIND: Kind = Kind::Words("\"stdout\", \"off\" or { file = \"/path\" }");
const SYSLOG: Kind = Kind::Words("\"unix:/dev/log\", \"udp://host:514\" or \"tcp://host:601\"");
const AUDIT_LOG_KIND: Kind =
    Kind::Words("\"stdout\", \"off\", { file = \"/path\" } or { syslog = \"unix:/dev/log\" }");

/// `[log]`
pub static LOG: Table = Table {
    path: "log",
    form: Single,
    meaning: "Where the logs go, as lines of JSON.",
    keys: &[
        key(
            "access",
            LOG_KIND,
            Value("\"stdout\""),
            "One line a request.",
        ),
        key(
            "audit",
            AUDIT_LOG_KIND,
            Value("\"stdout\""),
            "One sealed line a sign-in attempt, refresh, sign-out or admin change; the database has them too, \
             see [audit].",
        ),
    ],
    later: &[],
};

/// A log target as a table.
pub static LOG_FILE: Table = Table {
    path: "log file",
    form: Inline,
    meaning: "A log that goes to the end of a file.",
    keys: &[key("file", PATH, Required, "Which.")],
    later: &[],
};

/// The audit log as a table.
pub static LOG_AUDIT: Table = Table {
    path: "log.audit",
    form: Inline,
    meaning: "An audit log that goes to the end of a file, or to a syslog server; one of the two.",
    keys: &[
        key("file", PATH, Words("–"), "Which file."),
        key(
            "syslog",
            SYSLOG,
            Words("–"),
            "The server, which is sent RFC 5424 messages. What it does not take within seconds is lost, \
             and counted.",
        ),
    ],
    later: &[],
};

/// `[audit]`
pub static AUDIT: Table = Table {
    path: "audit",
    form: Single,
    meaning: "The audit trail in the database, beside the users; `doorward audit` reads and verifies it.",
    keys: &[key(
        "keep",
        span("1d", "3650d"),
        Value("\"365d\""),
        "How long entries are kept.",
    )],
    later: &[],
};
