//! A walk over the tree of a TOML text that notes every mistake on its way and goes on.
//!
//! Knows the known keys, their defaults and limits from [`reference`](super::reference), and nothing
//! of what the values are for. Whoever reads gets a value, or the proof that a mistake was [`Noted`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::Environment;
use super::mistake::{Entry, Mistake, Place, Position};
use super::reference::{Default, TABLES, Table};

pub(super) use self::section::{Section, all};
pub(super) use self::value::Value;

mod section;
mod value;

/// Proof that a mistake was noted: the configuration will be refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noted(());

/// A value, or the proof that a mistake was noted in its place.
pub(super) type Read<T> = Result<T, Noted>;

/// How far one has to look to see a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The value itself shows it.
    Own,
    /// It takes other parts of the file. In a file that could not be read whole nobody can tell.
    Wider,
}

/// What a mistake says, beside its place.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) found: String,
    pub(super) expected: Option<String>,
    pub(super) hint: Option<String>,
    pub(super) reach: Reach,
}

impl Complaint {
    pub(super) fn new(found: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            expected: None,
            hint: None,
            reach: Reach::Own,
        }
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn wider(mut self) -> Self {
        self.reach = Reach::Wider;
        self
    }
}

/// What all sections and values of a file share.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    environment: &'a dyn Environment,
    defaults: &'a Defaults,
    noted: RefCell<Vec<(Reach, Mistake)>>,
}

/// The text to read, and what surrounds it.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
    pub(super) environment: &'a dyn Environment,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &Source<'a>, defaults: &'a Defaults) -> Self {
        Self {
            file: source.file,
            text: source.text,
            environment: source.environment,
            defaults,
            noted: RefCell::default(),
        }
    }

    pub(super) fn environment(&self) -> &'a dyn Environment {
        self.environment
    }

    /// A path of the file: relative to the directory of the file.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.file
            .parent()
            .unwrap_or_else(|| Path::new(""))
            .join(path)
    }

    fn note(&self, offset: usize, key: &str, complaint: Complaint) -> Noted {
        let mistake = Mistake {
            place: self.place(offset),
            key: key.to_owned(),
            found: complaint.found,
            expected: complaint.expected,
            hint: complaint.hint,
        };
        self.noted.borrow_mut().push((complaint.reach, mistake));
        Noted(())
    }

    /// Notes what a look at several parts of the file has found.
    pub(super) fn note_found(&self, found: Vec<Mistake>) {
        let found = found.into_iter().map(|mistake| (Reach::Wider, mistake));
        self.noted.borrow_mut().extend(found);
    }

    fn place(&self, offset: usize) -> Place {
        Place {
            file: self.file.display().to_string(),
            position: Some(Position::of(offset, self.text)),
        }
    }

    fn entry(&self, offset: usize, key: &str) -> Entry {
        Entry {
            place: self.place(offset),
            key: key.to_owned(),
        }
    }

    /// All that was noted. Beside `syntax` mistakes only those stay that do not follow from them: what
    /// a broken line held is not "missing", and below a broken head nobody knows which table it is.
    pub(super) fn mistakes(self, syntax: Vec<toml::de::Error>) -> Vec<Mistake> {
        let syntax = self.syntax_mistakes(syntax);
        let lines: Vec<_> = syntax.iter().map(line).collect();
        let broken_head = lines.iter().copied().find(|line| self.is_head(*line));
        let noted = self.noted.into_inner().into_iter();
        let noted = noted.filter(|(reach, mistake)| {
            let line = line(mistake);
            let above = broken_head.is_none_or(|head| line < head);
            lines.is_empty() || (*reach == Reach::Own && above && !lines.contains(&line))
        });
        let noted = noted.map(|(_, mistake)| mistake);
        syntax.into_iter().chain(noted).collect()
    }

    /// Whether this line is the head of a table.
    fn is_head(&self, line: Option<usize>) -> bool {
        let index = line.and_then(|line| line.checked_sub(1));
        let text = index.and_then(|index| self.text.lines().nth(index));
        text.is_some_and(|text| text.trim_start().starts_with('['))
    }

    /// The first mistake of each line: the parser stumbles on over what it has stumbled over.
    fn syntax_mistakes(&self, mut errors: Vec<toml::de::Error>) -> Vec<Mistake> {
        errors.sort_by_key(|error| error.span().map(|span| span.start));
        let mut mistakes = errors
            .iter()
            .map(|error| self.syntax_mistake(error))
            .collect::<Vec<_>>();
        mistakes.dedup_by_key(|mistake| line(mistake));
        mistakes
    }

    /// The parser's messages are fixed texts: nothing of the file is in them.
    fn syntax_mistake(&self, error: &toml::de::Error) -> Mistake {
        let (found, expected) = match error.message().split_once(", expected ") {
            Some((found, expected)) => (found, Some(expected.to_owned())),
            None => (error.message(), None),
        };
        Mistake {
            place: self.place(error.span().map_or(0, |span| span.start)),
            key: String::new(),
            found: found.to_owned(),
            expected,
            hint: None,
        }
    }
}

fn line(mistake: &Mistake) -> Option<usize> {
    mistake.place.position.map(|position| position.line)
}

/// The defaults of all keys, as trees: a default is read by the same code as what stands in a file.
#[derive(Debug)]
pub(super) struct Defaults {
    values: HashMap<&'static str, Spanned<DeValue<'static>>>,
    empty: DeTable<'static>,
}

impl Defaults {
    pub(super) fn new() -> Self {
        let keys = TABLES.iter().flat_map(|table| table.keys);
        let values = keys.filter_map(|key| match key.default {
            Default::Value(text) => Some((text, DeValue::parse(text).ok()?)),
            Default::Required | Default::Words(_) => None,
        });
        Self {
            values: values.collect(),
            empty: DeTable::new(),
        }
    }

    fn of(&self, table: &Table, name: &str) -> Option<&DeValue<'static>> {
        match table.key(name)?.default {
            Default::Value(text) => self.values.get(text).map(Spanned::get_ref),
            Default::Required | Default::Words(_) => None,
        }
    }
}

/// A name as it can stand in a dotted path: one that needs quotes gets them, and no control character
/// reaches a terminal.
fn quoted_if_needed(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A text in quotes, without control characters, cut to a length that fits on a line.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut start: String = text.chars().take(LONGEST).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("{start:?}")
}

/// `did you mean "require"?` for the one of `known` that is nearest to `name`, if any is near.
pub(super) fn suggestion<'k>(
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<String> {
    nearest(name, known).map(did_you_mean)
}

fn did_you_mean(known: &str) -> String {
    format!("did you mean {}?", quoted(known))
}

/// The one of `known` that is nearest to `name`, if any is near.
fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    let near = known.into_iter().map(|known| {
        let distance = strsim::osa_distance(&name, &known.to_lowercase());
        (distance, known)
    });
    let (distance, known) = near.min()?;
    // A third of the letters may be wrong: enough for two slips, too little for another word.
    let limit = (name.chars().count().max(known.chars().count()) / 3).max(1);
    (distance <= limit).then_some(known)
}
