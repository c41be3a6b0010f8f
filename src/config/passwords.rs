//! `[passwords]`: how they are hashed, and what a new one must be.

use url::Url;

use super::reader::{Complaint, Read, Section, Value};
use super::reference::tables;
use super::values::path;
use crate::password;
use crate::password::rules::Breached;

/// `public_url` names the service.
pub(super) fn passwords(root: &Section<'_>, public_url: Read<&Url>) -> Read<password::Config> {
    let passwords = root.section("passwords", &tables::PASSWORDS)?;
    let memory_kib = passwords.integer("memory_kib");
    let iterations = passwords.integer("iterations");
    let parallelism = passwords.integer("parallelism");
    let max_concurrent = max_concurrent(&passwords);
    let max_waiting = passwords.integer("max_waiting");
    let max_wait = passwords.duration("max_wait");
    let min_length = passwords.integer("min_length");
    let breached = passwords.optional("breached", breached);
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
        breached: breached?,
        service_names: service_names(public_url?),
    })
}

/// A list that is not there or not whole is a mistake: it would let through what it should hold back.
fn breached(value: &Value<'_>) -> Read<Breached> {
    let path = path(value)?;
    let list = value.reader().environment().breached(&path);
    list.map_err(|error| {
        let complaint = Complaint::new(format!("found a file that {error}"));
        value.note(
            complaint
                .hint("make it with `doorward passwords compile`")
                .wider(),
        )
    })
}

/// The host and each of its labels, without the last.
fn service_names(public_url: &Url) -> Vec<String> {
    let host = public_url.host_str().unwrap_or_default().to_lowercase();
    let labels = host.rsplit('.').skip(1).map(str::to_owned);
    let mut names: Vec<_> = labels.chain(["doorward".to_owned()]).collect();
    names.push(host.clone());
    names
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
