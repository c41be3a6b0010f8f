//! What a `gateway.toml` may hold: every table and key with its type, default and meaning.
//!
//! The reader takes its known keys, its defaults and its limits from here, and `docs/configuration.md`
//! is written from here, so that neither can say something else than the other.

use std::fmt::Write as _;

pub mod tables;

pub use tables::TABLES;

/// A table of the file.
#[derive(Debug)]
pub struct Table {
    /// Its dotted path: `tls.certificates`. Empty for the file itself.
    pub path: &'static str,
    /// How it is written.
    pub form: Form,
    /// What it is for.
    pub meaning: &'static str,
    /// What may stand in it, beside the tables whose path goes on from its own.
    pub keys: &'static [Key],
    /// Keys of the design that this version does not have yet: they get an answer of their own.
    pub later: &'static [&'static str],
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `[path]`, at most once.
    Single,
    /// `[[path]]`, any number of times.
    List,
    /// `{ … }`, as the value of a key.
    Inline,
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// What counts where it is left out.
    pub default: Default,
    /// What it does.
    pub meaning: &'static str,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A span of time within these limits, as [`units`](crate::units) reads it.
    Duration {
        /// The shortest that makes sense.
        least: &'static str,
        /// The longest that makes sense.
        most: &'static str,
    },
    /// A whole number within these limits.
    Integer {
        /// The least that makes sense.
        least: u32,
        /// The most that makes sense.
        most: u32,
        /// What it counts.
        unit: &'static str,
    },
    /// `true` or `false`.
    Boolean,
    /// Anything else, in words that follow "expected".
    Words(&'static str),
}

impl Kind {
    /// What must be there, in words that follow "expected".
    pub fn words(self) -> String {
        match self {
            Self::Duration { least, most } => {
                format!("a span of time from \"{least}\" to \"{most}\"")
            }
            Self::Integer { least, most, .. } => format!("a whole number from {least} to {most}"),
            Self::Boolean => "true or false".to_owned(),
            Self::Words(words) => words.to_owned(),
        }
    }

    /// The unit of the value.
    const fn unit(self) -> &'static str {
        match self {
            Self::Duration { .. } => "`ms` `s` `m` `h` `d`",
            Self::Integer { unit, .. } => unit,
            Self::Boolean | Self::Words(_) => "–",
        }
    }
}

/// What counts where a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// Nothing does: the key must be there.
    Required,
    /// This value, in TOML.
    Value(&'static str),
    /// What these words say.
    Words(&'static str),
}

impl Table {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Every name that may stand in this table: its keys, and the next step of deeper tables.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.keys.iter().map(|key| key.name).collect();
        for table in TABLES.iter().filter(|table| table.form != Form::Inline) {
            names.extend(child(self.path, table.path).filter(|name| !names.contains(name)));
        }
        names
    }

    /// Its head, as it is written in the file.
    fn head(&self) -> String {
        match self.form {
            Form::Single => format!("`[{}]`", self.path),
            Form::List => format!("`[[{}]]`", self.path),
            Form::Inline => format!("`{}`", self.path),
        }
    }
}

/// The step that leads from table `parent` towards table `path`.
fn child(parent: &str, path: &'static str) -> Option<&'static str> {
    let below = match parent {
        "" => path,
        _ => path.strip_prefix(parent)?.strip_prefix('.')?,
    };
    below.split('.').next().filter(|name| !name.is_empty())
}

/// `docs/configuration.md`: every key with type, default, unit and meaning.
pub fn reference_markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in TABLES.iter().filter(|table| !table.keys.is_empty()) {
        write_table(&mut page, table);
    }
    page
}

const INTRODUCTION: &str = "\
<!-- Written from src/config/reference/tables/; a test compares the two. Edit there. -->

# `gateway.toml`, key by key

A key that is not listed here is a mistake, and so is a value outside its limits: `doorward check
--config gateway.toml` prints all mistakes at once, each with its line. Relative paths are relative to
the directory of the file.

Spans of time are whole numbers with a unit each, from large to small: `\"250ms\"`, `\"15m\"`, `\"1h30m\"`.
Secrets are never written into the file; they are named by `{ env = \"NAME\" }` or `{ file = \"/path\" }`.
";

fn write_table(page: &mut String, table: &Table) {
    let mut text = format!("\n## {}\n\n{}\n\n", table.head(), table.meaning);
    text.push_str("| key | value | default | unit | meaning |\n| --- | --- | --- | --- | --- |\n");
    for key in table.keys {
        let default = match key.default {
            Default::Required => "**required**".to_owned(),
            Default::Value(value) => format!("`{value}`"),
            Default::Words(words) => words.to_owned(),
        };
        let cells = [key.kind.words(), default, key.kind.unit().to_owned()];
        let [value, default, unit] = cells.map(|cell| cell.replace('|', "\\|"));
        // Writing into a String cannot fail.
        let _infallible = writeln!(
            text,
            "| `{}` | {value} | {default} | {unit} | {} |",
            key.name, key.meaning
        );
    }
    page.push_str(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_says_what_the_reader_knows() {
        let written = include_str!("../../docs/configuration.md");
        let generated = reference_markdown();
        for (line, (written, generated)) in written.lines().zip(generated.lines()).enumerate() {
            assert_eq!(written, generated, "docs/configuration.md:{}", line + 1);
        }
        assert_eq!(
            written, generated,
            "write what config::reference::reference_markdown() returns into docs/configuration.md"
        );
    }

    #[test]
    fn a_table_knows_its_keys_and_the_tables_below_it() {
        assert_eq!(tables::TLS.names(), ["certificates"]);
        let root = tables::ROOT.names();
        assert!(root.contains(&"server") && root.contains(&"tls") && !root.contains(&"secret"));
    }

    #[test]
    fn no_table_and_no_key_is_listed_twice() {
        let mut seen = Vec::new();
        for table in TABLES {
            for key in table.keys {
                let path = (table.path, key.name);
                assert!(!seen.contains(&path), "{path:?}");
                seen.push(path);
            }
        }
        assert!(seen.len() > 80, "{}", seen.len());
    }
}
