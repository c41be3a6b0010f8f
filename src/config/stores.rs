//! `[state]`, `[sessions]`, `[users]`, `[passwords]`: what is kept, where, and for how long.

use std::path::PathBuf;

use url::Url;

use super::reader::{Complaint, Read, Section, Value};
use super::reference::tables;
use super::session_store::session_store;
use super::values::path;
use super::{EmailPolicy, SessionStoreConfig, SessionsConfig, UserStoreConfig, UsersConfig};
use crate::password;
use crate::session::Lifetimes;

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
    let refresh = sessions.duration("refresh_ttl");
    let grace = sessions.duration("refresh_grace");
    let (access, refresh, grace) = (access?, refresh?, grace?);
    let too_long = |name, than: &str| {
        let complaint = Complaint::new(format!("not shorter than {than}"));
        Err(sessions.note(name, complaint.wider()))
    };
    if access >= refresh {
        return too_long("access_ttl", "refresh_ttl");
    }
    if grace >= access {
        return too_long("refresh_grace", "access_ttl");
    }
    Ok(Lifetimes {
        access,
        refresh,
        grace,
    })
}

pub(super) fn users(root: &Section<'_>) -> Read<UsersConfig> {
    let users = root.section("users", &tables::USERS)?;
    let store = users.optional("store", user_store);
    let verified = users.boolean("require_verified_email");
    Ok(UsersConfig {
        store: store?.unwrap_or(UserStoreConfig::Embedded),
        email: if verified? {
            EmailPolicy::Verified
        } else {
            EmailPolicy::Any
        },
    })
}

/// No other store than the embedded one, which is chosen by leaving the key out.
fn user_store(value: &Value<'_>) -> Read<UserStoreConfig> {
    let hint = "leave the key out: users are kept in a SQLite file in state.directory";
    let complaint = match Url::parse(value.text("no value")?) {
        Ok(url) if ["postgres", "postgresql"].contains(&url.scheme()) => {
            Complaint::new("a Postgres store is not supported by this version")
        }
        _ => Complaint::new("found a store that is not known"),
    };
    Err(value.note(complaint.hint(hint)))
}

pub(super) fn passwords(root: &Section<'_>) -> Read<password::Config> {
    let passwords = root.section("passwords", &tables::PASSWORDS)?;
    let memory_kib = passwords.integer("memory_kib");
    let iterations = passwords.integer("iterations");
    let parallelism = passwords.integer("parallelism");
    let max_concurrent = max_concurrent(&passwords);
    let max_waiting = passwords.integer("max_waiting");
    let max_wait = passwords.duration("max_wait");
    let min_length = passwords.integer("min_length");
    let (memory_kib, max_concurrent) = (memory_kib?, max_concurrent?);
    bounded_memory(&passwords, memory_kib, max_concurrent)?;
    Ok(password::Config {
        memory_kib,
        iterations: iterations?,
        parallelism: parallelism?,
        max_concurrent: max_concurrent as usize,
        max_waiting: max_waiting? as usize,
        max_wait: max_wait?,
        min_length: min_length? as usize,
    })
}

fn max_concurrent(passwords: &Section<'_>) -> Read<u32> {
    if passwords.get("max_concurrent").is_some() {
        return passwords.integer("max_concurrent");
    }
    let half = passwords.reader().environment().cores() / 2;
    Ok(u32::try_from(half).unwrap_or(u32::MAX).clamp(1, 1024))
}

/// A pool of hashes that outgrows the machine is ended by the kernel, and the gateway with it.
fn bounded_memory(passwords: &Section<'_>, memory_kib: u32, max_concurrent: u32) -> Read<()> {
    const MOST_KIB: u64 = 16 << 20;
    let total = u64::from(memory_kib) * u64::from(max_concurrent);
    if total <= MOST_KIB {
        return Ok(());
    }
    let found = format!("{max_concurrent} hashes of {memory_kib} KiB at once take {total} KiB");
    let complaint = Complaint::new(found).expected("at most 16 GiB together");
    Err(passwords.note("memory_kib", complaint.wider()))
}
