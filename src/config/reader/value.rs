//! A value of the file, and the plain types that TOML has.

use toml::de::{DeInteger, DeTable, DeValue};

use super::section::Section;
use super::{Complaint, Noted, Read, Reader, quoted, suggestion};
use crate::config::mistake::Entry;
use crate::config::reference::Table;

/// A value of the file.
#[derive(Clone, Debug)]
pub(in crate::config) struct Value<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) key: String,
    pub(super) offset: usize,
    pub(super) content: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    /// The text.
    pub(in crate::config) fn text(&self, expected: &str) -> Read<&'a str> {
        match self.content {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong_type(expected)),
        }
    }

    /// The text, which must hold more than spaces.
    pub(in crate::config) fn filled_text(&self, expected: &str) -> Read<&'a str> {
        let text = self.text(expected)?;
        if text.trim().is_empty() {
            return Err(self.note(Complaint::new("found an empty text").expected(expected)));
        }
        Ok(text)
    }

    /// What `parse` makes of the text. The text is shown where it makes nothing of it: not for URLs
    /// and secrets.
    pub(in crate::config) fn parsed<T>(
        &self,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Read<T> {
        parse(self.text(expected)?).ok_or_else(|| self.wrong(expected))
    }

    /// What the text stands for among `choices`.
    pub(in crate::config) fn one_of<T: Copy>(
        &self,
        expected: &str,
        choices: &[(&str, T)],
    ) -> Read<T> {
        let text = self.text(expected)?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return Ok(*choice);
        }
        let complaint = Complaint::new(format!("found {}", quoted(text))).expected(expected);
        let hint = suggestion(text, choices.iter().map(|(name, _)| *name));
        Err(self.note(Complaint { hint, ..complaint }))
    }

    /// The number.
    pub(in crate::config) fn integer(&self, expected: &str) -> Read<i64> {
        match self.content {
            DeValue::Integer(number) => read_integer(number).ok_or_else(|| {
                self.note(Complaint::new("found a number beyond 64 bits").expected(expected))
            }),
            _ => Err(self.wrong_type(expected)),
        }
    }

    /// `true` or `false`.
    pub(in crate::config) fn boolean(&self, expected: &str) -> Read<bool> {
        match self.content {
            DeValue::Boolean(answer) => Ok(*answer),
            _ => Err(self.wrong_type(expected)),
        }
    }

    /// The items of the list.
    pub(in crate::config) fn items(&self, expected: &str) -> Read<Vec<Self>> {
        let DeValue::Array(items) = self.content else {
            return Err(self.wrong_type(expected));
        };
        let items = items.iter().enumerate().map(|(index, item)| Self {
            reader: self.reader,
            key: format!("{}[{index}]", self.key),
            // The items of a default have no place in the file; they stand where their list does.
            offset: item.span().start.max(self.offset),
            content: item.get_ref(),
        });
        Ok(items.collect())
    }

    /// The items of the list, at least one; or the one value where it is no list.
    pub(in crate::config) fn one_or_more(&self, expected: &str) -> Read<Vec<Self>> {
        match self.content {
            DeValue::Array(_) => self.at_least_one(expected),
            _ => Ok(vec![self.clone()]),
        }
    }

    /// The items of the list, at least one.
    pub(in crate::config) fn at_least_one(&self, expected: &str) -> Read<Vec<Self>> {
        let items = self.items(expected)?;
        if items.is_empty() {
            return Err(self.note(Complaint::new("found an empty list").expected(expected)));
        }
        Ok(items)
    }

    /// The table, whose keys are those of `table`.
    pub(in crate::config) fn section(&self, table: &'static Table) -> Read<Section<'a>> {
        match self.table() {
            Some(entries) => Ok(Section::of(self, entries, table)),
            None => Err(self.wrong_type("a table")),
        }
    }

    /// The entries, where it is a table.
    pub(in crate::config) fn table(&self) -> Option<&'a DeTable<'a>> {
        match self.content {
            DeValue::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The plain value as JSON: a text, a number, true or false.
    pub(in crate::config) fn json(&self, expected: &str) -> Read<serde_json::Value> {
        let json = match self.content {
            DeValue::String(text) => Some(text.as_ref().into()),
            DeValue::Boolean(answer) => Some((*answer).into()),
            DeValue::Integer(number) => read_integer(number).map(Into::into),
            DeValue::Float(number) => number.as_str().parse().ok().and_then(finite),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        };
        json.ok_or_else(|| self.wrong_type(expected))
    }

    /// Notes that its text is not what it should be, and shows it.
    pub(in crate::config) fn wrong(&self, expected: &str) -> Noted {
        let found = match self.content {
            DeValue::String(text) => format!("found {}", quoted(text)),
            _ => format!("found {}", self.type_name()),
        };
        self.note(Complaint::new(found).expected(expected))
    }

    /// Notes that it is of another type than it should be; shows nothing of it.
    pub(in crate::config) fn wrong_type(&self, expected: &str) -> Noted {
        let found = format!("found {}", self.type_name());
        self.note(Complaint::new(found).expected(expected))
    }

    /// Notes a mistake here.
    pub(in crate::config) fn note(&self, complaint: Complaint) -> Noted {
        self.reader.note(self.offset, &self.key, complaint)
    }

    /// Its place and name, for later checks.
    pub(in crate::config) fn entry(&self) -> Entry {
        self.reader.entry(self.offset, &self.key)
    }

    /// Who reads.
    pub(in crate::config) const fn reader(&self) -> &'a Reader<'a> {
        self.reader
    }

    fn type_name(&self) -> &'static str {
        match self.content {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(true) => "true",
            DeValue::Boolean(false) => "false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }
}

fn read_integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// JSON has no infinity.
fn finite(number: f64) -> Option<serde_json::Value> {
    serde_json::Number::from_f64(number).map(Into::into)
}
