//! Reads a new password: asked for twice on a terminal, otherwise the first line of standard input.
//!
//! Never an argument: arguments stand in the list of processes and in the history of the shell.

use super::{Terminal, UserError};
use crate::password::{Config, rules};
use crate::secret::SecretText;

pub(super) fn read_new(
    config: &Config,
    terminal: &mut dyn Terminal,
) -> Result<SecretText, UserError> {
    if !terminal.is_interactive() {
        let password = terminal.first_line().map_err(UserError::Input)?;
        rules::check_new(config, &password)?;
        return Ok(password);
    }
    let mut ask = |prompt| terminal.prompt(prompt).map_err(UserError::Input);
    let password = ask("New password: ")?;
    rules::check_new(config, &password)?;
    let again = ask("The same again: ")?;
    if !password.same_as(again.expose().as_bytes()) {
        return Err(UserError::Mismatch);
    }
    Ok(password)
}
