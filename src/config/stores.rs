//! `[state]`, `[sessions]`: what is kept, where, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Complaint, Read, Section};
use super::reference::{Table, tables};
use super::session_store::session_store;
use super::values::path;
use super::{SessionStoreConfig, SessionsConfig};
use crate::session::{Bounds, Lifetimes};

pub(super) fn state_directory(root: &Section<'_>) -> Read<PathBuf> {
    root.section("state", &tables::STATE)?
        .read("directory", path)
}

pub(super) fn sessions(root: &Section<'_>) -> Read<SessionsConfig> {
    let sessions = root.section("sessions", &tables::SESSIONS)?;
    let store = sessions.optional("store", session_store);
    let lifetimes = lifetimes(&sessions);
    let max_staleness = sessions.duration("max_staleness");
    Ok(SessionsConfig {
        store: store?.unwrap_or(SessionStoreConfig::Embedded),
        lifetimes: lifetimes?,
        max_staleness: max_staleness?,
    })
}

fn lifetimes(sessions: &Section<'_>) -> Read<Lifetimes> {
    let access = sessions.duration("access_ttl");
    let grace = sessions.duration("refresh_grace");
    let common = Given::read(sessions);
    let kinds = KINDS.map(|kind| kind.bounds(sessions, common));
    let (access, grace) = (access?, grace?);
    let [web, remembered, native] = kinds;
    let (web, remembered, native) = (web?, remembered?, native?);
    let too_long = |name, than: &str| {
        let complaint = Complaint::new(format!("not shorter than {than}"));
        Err(sessions.note(name, complaint.wider()))
    };
    if access >= web.idle.min(remembered.idle).min(native.idle) {
        return too_long("access_ttl", "refresh_ttl");
    }
    if grace >= access {
        return too_long("refresh_grace", "access_ttl");
    }
    Ok(Lifetimes {
        access,
        grace,
        web,
        remembered,
        native,
    })
}

/// A kind of client: its table, and what counts where neither that nor `[sessions]` says it.
struct Kind {
    name: &'static str,
    table: &'static Table,
    usual: Bounds,
}

/// In the order of the fields of [`Lifetimes`]. The table of keys has the same numbers in words.
const KINDS: [Kind; 3] = [
    Kind {
        name: "web",
        table: &tables::SESSIONS_WEB,
        usual: Bounds {
            idle: Duration::from_hours(12),
            absolute: Duration::from_hours(7 * 24),
        },
    },
    Kind {
        name: "remembered",
        table: &tables::SESSIONS_REMEMBERED,
        usual: Bounds {
            idle: Duration::from_hours(7 * 24),
            absolute: Duration::from_hours(30 * 24),
        },
    },
    Kind {
        name: "native",
        table: &tables::SESSIONS_NATIVE,
        usual: Bounds {
            idle: Duration::from_hours(30 * 24),
            absolute: Duration::from_hours(365 * 24),
        },
    },
];

/// What a table says of how long sessions live.
#[derive(Clone, Copy)]
struct Given {
    idle: Option<Duration>,
    absolute: Option<Duration>,
}

impl Given {
    fn read(table: &Section<'_>) -> Read<Self> {
        let given = |name| match table.get(name) {
            Some(_) => table.duration(name).map(Some),
            None => Ok(None),
        };
        let (idle, absolute) = (given("refresh_ttl"), given("max_age"));
        Ok(Self {
            idle: idle?,
            absolute: absolute?,
        })
    }
}

impl Kind {
    /// An idle time of our own choice is cut at the age; one that was written and can never be reached
    /// is a mistake.
    fn bounds(&self, sessions: &Section<'_>, common: Read<Given>) -> Read<Bounds> {
        let table = sessions.section(self.name, self.table)?;
        let (own, common) = (Given::read(&table)?, common?);
        let absolute = own.absolute.or(common.absolute);
        let absolute = absolute.unwrap_or(self.usual.absolute);
        let said_in = if own.idle.is_some() { &table } else { sessions };
        match own.idle.or(common.idle) {
            None => Ok(Bounds {
                idle: self.usual.idle.min(absolute),
                absolute,
            }),
            Some(idle) if idle <= absolute => Ok(Bounds { idle, absolute }),
            Some(_) => {
                let longer = format!("longer than the max_age of {} sessions", self.name);
                let complaint = Complaint::new(longer).hint("set max_age too");
                Err(said_in.note("refresh_ttl", complaint.wider()))
            }
        }
    }
}
