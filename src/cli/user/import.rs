//! `doorward user import`: accounts from a file, each row taken whole or refused with its place.

use super::{Import, Stores, Terminal, UserError};
use crate::audit::Action;
use crate::users::import::{self, Form, FormError, Importer, Purpose, Reading};

pub(super) async fn run(
    stores: &Stores<'_>,
    import: Import,
    terminal: &mut dyn Terminal,
) -> Result<(), UserError> {
    let path = import.file;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(UserError::Import { path, source }),
    };
    let reading = Reading {
        form: Form::of(&text),
        ignored: &import.ignore,
        passwords: stores.passwords.config(),
        now: stores.clock.now(),
    };
    let in_file = |source: FormError| UserError::ImportForm { path, source };
    let purpose = if import.dry_run {
        Purpose::Rehearse
    } else {
        Purpose::Write
    };
    let found: Vec<_> = import::read(&text, reading).map_err(in_file)?.collect();
    let mut importer = Importer::new(stores.users, purpose);
    let (mut added, mut refused) = (0_usize, 0_usize);
    for row in found {
        let place = row.place;
        match (importer.take(row).await?, purpose) {
            (Ok(user), Purpose::Write) => {
                (stores.record)(Action::AddUser, user);
                added += 1;
            }
            (Ok(_), Purpose::Rehearse) => added += 1,
            (Err(refusal), _) => {
                writeln!(terminal.output(), "{place}: {refusal}")?;
                refused += 1;
            }
        }
    }
    match purpose {
        Purpose::Write => writeln!(terminal.output(), "{added} added, {refused} refused")?,
        Purpose::Rehearse => writeln!(
            terminal.output(),
            "{added} would be added, {refused} refused; nothing was changed"
        )?,
    }
    match refused {
        0 => Ok(()),
        refused => Err(UserError::ImportIncomplete(refused)),
    }
}
