//! `doorward passwords`: the list of breached passwords.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::breached::compile::{Lines, compile};

/// What can be typed after `doorward passwords`.
#[derive(Clone, Debug, Subcommand)]
pub enum PasswordsCommand {
    /// Make the file that `passwords.breached` names, from the list of Have I Been Pwned (SHA-1,
    /// ordered by hash)
    Compile(Compile),
}

/// `doorward passwords compile`
#[derive(Clone, Debug, Args)]
pub struct Compile {
    /// The list
    pub input: PathBuf,
    /// The file to make; one that is there is replaced when the new one is whole
    pub output: PathBuf,
    /// The list holds passwords themselves, one a line
    #[arg(long)]
    pub plain: bool,
}

/// Makes the list beside its place and moves it there when it is whole.
pub fn run(command: PasswordsCommand, out: &mut dyn Write) -> anyhow::Result<()> {
    let PasswordsCommand::Compile(Compile {
        input,
        output,
        plain,
    }) = command;
    let lines = if plain {
        Lines::Passwords
    } else {
        Lines::Hashes
    };
    let from = File::open(&input).with_context(|| format!("cannot read {}", input.display()))?;
    let from = BufReader::with_capacity(1 << 20, from);
    let mut beside = output.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let to = File::create(&beside);
    let to = to.with_context(|| format!("cannot make {}", beside.display()))?;
    let made = compile(from, lines, &to).and_then(|count| {
        to.sync_all()?;
        fs::rename(&beside, &output)?;
        Ok(count)
    });
    if made.is_err() {
        // What is left of it is no list, and takes room; that it cannot be removed is no news.
        drop(fs::remove_file(&beside));
    }
    let count = made.with_context(|| format!("no list was made of {}", input.display()))?;
    writeln!(out, "{count} passwords in {}", output.display())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breached;
    use crate::password::rules::sha1;

    #[test]
    fn a_list_takes_the_place_of_another_only_when_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let compile = |text: &str, plain| {
            fs::write(path("input"), text).unwrap();
            let command = PasswordsCommand::Compile(Compile {
                input: path("input"),
                output: path("list"),
                plain,
            });
            let mut said = Vec::new();
            run(command, &mut said).map(|()| String::from_utf8(said).unwrap())
        };
        let said = compile("correct horse\nbattery staple\ncorrect horse\n", true).unwrap();
        assert!(said.starts_with("2 passwords in "), "{said}");
        assert!(compile("correct horse\n", false).is_err());
        let list = breached::open(&path("list")).unwrap();
        assert!(list.contains(&sha1(b"battery staple")).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
