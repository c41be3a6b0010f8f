//! Accounts from a file, whatever their roles.

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use super::record::Deed;
use super::{AdminError, Administrator, GatewayError};
use crate::audit::Action;
use crate::id::UserId;
use crate::unavailable::Unavailable;
use crate::users::import::{self, Form, Found, Importer, Place, Purpose, Reading, Refusal};

/// The most rows of a file: as many as a slow database takes in the time that a call has.
const MOST_ROWS: usize = 5_000;

/// Accounts whose entries in the trail are waited for together.
const TOLD_AT_ONCE: usize = 64;

/// A file with accounts.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// What stands in it: hashes of passwords, among others.
    pub text: Bytes,
    /// How it falls into rows.
    pub form: Form,
    /// Columns and fields that are passed over.
    pub ignored: Vec<String>,
    /// Whether accounts are made.
    pub purpose: Purpose,
}

/// What came of an import.
#[derive(Debug, Default)]
pub struct Report {
    /// How many rows were taken, or would be.
    pub taken: usize,
    /// The others.
    pub refused: Vec<(Place, Refusal)>,
}

impl Administrator {
    /// Makes the accounts of a file. Goes on to its end also where nobody waits for it any more: at no
    /// row would it be better to stop than at any other.
    pub async fn import(&self, file: ImportFile) -> Result<Report, AdminError> {
        self.keeps_users()?;
        // A file may have administrators in it.
        self.may_manage_keys()?;
        let turn = self.auth.turns.importing.take()?;
        let administrator = self.clone();
        let importing = tokio::spawn(async move {
            let _turn = turn;
            administrator.import_rows(file).await
        });
        importing.await.map_err(|_panicked| stopped())?
    }

    async fn import_rows(&self, file: ImportFile) -> Result<Report, AdminError> {
        let purpose = file.purpose;
        let rows = self.rows_of(file).await?;
        let users = &self.auth.parts.users;
        let mut importer = Importer::new(&**users, purpose);
        let mut report = Report::default();
        let mut new = Vec::new();
        for row in rows {
            let place = row.place;
            match importer.take(row).await {
                Ok(Ok(user)) => {
                    report.taken += 1;
                    new.push(user);
                }
                Ok(Err(refusal)) => report.refused.push((place, refusal)),
                Err(stopped) => {
                    self.tell_of(&mut new, purpose).await?;
                    return Err(stopped_at(place, report.taken, stopped).into());
                }
            }
            if new.len() >= TOLD_AT_ONCE {
                self.tell_of(&mut new, purpose).await?;
            }
        }
        self.tell_of(&mut new, purpose).await?;
        Ok(report)
    }

    /// Reading some megabytes takes longer than a thread that serves requests should be held up.
    async fn rows_of(&self, file: ImportFile) -> Result<Vec<Found>, AdminError> {
        let passwords = self.auth.parts.passwords.config().clone();
        let now = self.auth.now();
        let reading = spawn_blocking(move || {
            let text = str::from_utf8(&file.text);
            let text = text.map_err(|_other| GatewayError::NotText)?;
            let reading = Reading {
                form: file.form,
                ignored: &file.ignored,
                passwords: &passwords,
                now,
            };
            let rows = import::read(text, reading).map_err(GatewayError::NoRows)?;
            let rows: Vec<_> = rows.take(MOST_ROWS + 1).collect();
            if rows.len() > MOST_ROWS {
                return Err(GatewayError::TooManyRows(MOST_ROWS));
            }
            Ok(rows)
        });
        Ok(reading.await.map_err(|_panicked| stopped())??)
    }

    async fn tell_of(&self, new: &mut Vec<UserId>, purpose: Purpose) -> Result<(), AdminError> {
        let told = |user| self.told(Deed::on(user, (Action::AddUser, "imported")), Ok(()));
        match purpose {
            // Each is told, also where another could not be.
            Purpose::Write => {
                let all = join_all(new.drain(..).map(told)).await;
                all.into_iter().collect()
            }
            Purpose::Rehearse => {
                new.clear();
                Ok(())
            }
        }
    }
}

fn stopped() -> Unavailable {
    Unavailable::new("the import", "it was stopped")
}

fn stopped_at(place: Place, taken: usize, stopped: Unavailable) -> GatewayError {
    GatewayError::ImportStopped {
        place,
        taken,
        stopped,
    }
}
