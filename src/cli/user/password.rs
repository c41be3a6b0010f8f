//! Reads a new password: asked for twice on a terminal, otherwise the first line of standard input.
//!
//! Never an argument: arguments stand in the list of processes and in the history of the shell.

use super::{Terminal, UserError};
use crate::password::pool::Passwords;
use crate::password::rules::{NewPassword, Owner};

pub(super) async fn read_new(
    passwords: &Passwords,
    owner: Owner<'_>,
    terminal: &mut dyn Terminal,
) -> Result<NewPassword, UserError> {
    if !terminal.is_interactive() {
        let password = terminal.first_line().map_err(UserError::Input)?;
        return Ok(passwords.accept(password, owner).await?);
    }
    let password = terminal.prompt("New password: ");
    let password = password.map_err(UserError::Input)?;
    // Judged before it is typed again.
    let accepted = passwords.accept(password.clone(), owner).await?;
    let again = terminal.prompt("The same again: ");
    let again = again.map_err(UserError::Input)?;
    if !password.same_as(again.expose().as_bytes()) {
        return Err(UserError::Mismatch);
    }
    Ok(accepted)
}
