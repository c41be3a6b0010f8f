//! A table of the file, with the keys that it may have.

use std::time::Duration;

use toml::de::DeTable;

use super::{Complaint, Noted, Read, Reader, Value, did_you_mean, nearest, quoted_if_needed};
use crate::config::mistake::Entry;
use crate::config::reference::{Kind, TABLES, Table};
use crate::units::parse_duration;

/// A table of the file.
#[derive(Clone, Debug)]
pub(in crate::config) struct Section<'a> {
    reader: &'a Reader<'a>,
    key: String,
    offset: usize,
    entries: &'a DeTable<'a>,
    table: &'static Table,
    unknown: Vec<Unknown>,
}

/// A key that has no place in its table.
#[derive(Clone, Copy, Debug)]
struct Unknown {
    /// Which key it may have been meant for.
    meant: Option<&'static str>,
    noted: Noted,
}

impl<'a> Section<'a> {
    /// The file itself.
    pub(in crate::config) fn root(
        reader: &'a Reader<'a>,
        entries: &'a DeTable<'a>,
        table: &'static Table,
    ) -> Self {
        let section = Self {
            reader,
            key: String::new(),
            offset: 0,
            entries,
            table,
            unknown: Vec::new(),
        };
        section.without_unknown_keys()
    }

    /// The table that `value` is; `entries` are those of the value.
    pub(super) fn of(value: &Value<'a>, entries: &'a DeTable<'a>, table: &'static Table) -> Self {
        let section = Self {
            reader: value.reader,
            key: value.key.clone(),
            offset: value.offset,
            entries,
            table,
            unknown: Vec::new(),
        };
        section.without_unknown_keys()
    }

    /// A table without entries in the place of `value`, for the sake of its defaults.
    pub(in crate::config) fn empty(value: &Value<'a>, table: &'static Table) -> Self {
        Self {
            reader: value.reader,
            key: value.key.clone(),
            offset: value.offset,
            entries: &value.reader.defaults.empty,
            table,
            unknown: Vec::new(),
        }
    }

    /// The table `[name]`; empty where the file has none.
    pub(in crate::config) fn section(
        &self,
        name: &'static str,
        table: &'static Table,
    ) -> Read<Self> {
        match self.get(name) {
            Some(value) => value.section(table),
            None => Ok(Self {
                reader: self.reader,
                key: self.path_of(name),
                offset: self.offset,
                entries: &self.reader.defaults.empty,
                table,
                unknown: Vec::new(),
            }),
        }
    }

    /// The tables `[[name]]`.
    pub(in crate::config) fn sections(
        &self,
        name: &'static str,
        table: &'static Table,
    ) -> Read<Vec<Read<Self>>> {
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        let items = value.items(&format!("[[{}]]", table.path))?;
        Ok(items.iter().map(|item| item.section(table)).collect())
    }

    /// What the file has under `name`.
    pub(in crate::config) fn get(&self, name: &'static str) -> Option<Value<'a>> {
        debug_assert!(
            self.table.names().contains(&name),
            "{name} is not listed in reference::tables"
        );
        let value = self.entries.get(name)?;
        Some(Value {
            reader: self.reader,
            key: self.path_of(name),
            offset: value.span().start,
            content: value.get_ref(),
        })
    }

    /// What the file has under `name`, or the default; without either, that is a mistake.
    pub(in crate::config) fn value(&self, name: &'static str) -> Read<Value<'a>> {
        if let Some(value) = self.get(name) {
            return Ok(value);
        }
        let defaults = self.reader.defaults;
        let default = defaults.of(self.table, name).map(|value| Value {
            reader: self.reader,
            key: self.path_of(name),
            offset: self.offset,
            content: value,
        });
        default.ok_or_else(|| self.note_missing(name))
    }

    /// Reads what the file has under `name`, or the default.
    pub(in crate::config) fn read<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Value<'a>) -> Read<T>,
    ) -> Read<T> {
        read(&self.value(name)?)
    }

    /// Reads what the file has under `name`, if it has anything.
    pub(in crate::config) fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Value<'a>) -> Read<T>,
    ) -> Read<Option<T>> {
        self.get(name).map(|value| read(&value)).transpose()
    }

    /// Reads each item of a list, or of its default.
    pub(in crate::config) fn list<T>(
        &self,
        name: &'static str,
        read: impl FnMut(&Value<'a>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let items = self.value(name)?.items(&self.expected(name))?;
        all(items.iter().map(read))
    }

    /// Reads a span of time within the limits of its key.
    pub(in crate::config) fn duration(&self, name: &'static str) -> Read<Duration> {
        let expected = self.expected(name);
        let value = self.value(name)?;
        let span = value.parsed(&expected, |text| parse_duration(text).ok())?;
        match self.kind(name) {
            Some(Kind::Duration { least, most })
                if parse_duration(least).is_ok_and(|least| span < least)
                    || parse_duration(most).is_ok_and(|most| span > most) =>
            {
                Err(value.wrong(&expected))
            }
            _ => Ok(span),
        }
    }

    /// Reads a whole number within the limits of its key.
    pub(in crate::config) fn integer(&self, name: &'static str) -> Read<u32> {
        let expected = self.expected(name);
        let value = self.value(name)?;
        let number = value.integer(&expected)?;
        let (least, most) = match self.kind(name) {
            Some(Kind::Integer { least, most, .. }) => (least, most),
            _ => (0, u32::MAX),
        };
        match u32::try_from(number) {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(value.note(Complaint::new(format!("found {number}")).expected(expected))),
        }
    }

    /// Reads a text that is not empty.
    pub(in crate::config) fn text(&self, name: &'static str) -> Read<&'a str> {
        let expected = self.expected(name);
        self.value(name)?.filled_text(&expected)
    }

    /// Reads `true` or `false`.
    pub(in crate::config) fn boolean(&self, name: &'static str) -> Read<bool> {
        let expected = self.expected(name);
        self.value(name)?.boolean(&expected)
    }

    /// What must stand under `name`, in words.
    pub(in crate::config) fn expected(&self, name: &'static str) -> String {
        self.kind(name).map(Kind::words).unwrap_or_default()
    }

    /// Notes a mistake of one of its keys: at the key where the file has it, else at the table.
    pub(in crate::config) fn note(&self, name: &'static str, complaint: Complaint) -> Noted {
        let offset = self.get(name).map_or(self.offset, |value| value.offset);
        self.reader.note(offset, &self.path_of(name), complaint)
    }

    /// Notes a mistake of the table as a whole.
    pub(in crate::config) fn note_here(&self, complaint: Complaint) -> Noted {
        self.reader.note(self.offset, &self.key, complaint)
    }

    /// Which of `names` the file has.
    pub(in crate::config) fn given(&self, names: &[&'static str]) -> Vec<&'static str> {
        let given = names
            .iter()
            .filter(|name| self.entries.contains_key(**name));
        given.copied().collect()
    }

    /// Passes, unless there are keys that have no place here: what else seems to lack may be one of
    /// them, misspelt.
    pub(in crate::config) fn all_known(&self) -> Read<()> {
        match self.unknown.first() {
            Some(unknown) => Err(unknown.noted),
            None => Ok(()),
        }
    }

    /// The place and name of this table, for later checks.
    pub(in crate::config) fn entry(&self) -> Entry {
        self.reader.entry(self.offset, &self.key)
    }

    /// Who reads.
    pub(in crate::config) const fn reader(&self) -> &'a Reader<'a> {
        self.reader
    }

    fn kind(&self, name: &'static str) -> Option<Kind> {
        self.table.key(name).map(|key| key.kind)
    }

    fn path_of(&self, name: &str) -> String {
        let name = quoted_if_needed(name);
        match self.key.as_str() {
            "" => name,
            key => format!("{key}.{name}"),
        }
    }

    /// A key that is there under a misspelt name has been noted already.
    fn note_missing(&self, name: &'static str) -> Noted {
        let mut unknown = self.unknown.iter();
        if let Some(misspelt) = unknown.find(|unknown| unknown.meant == Some(name)) {
            return misspelt.noted;
        }
        let complaint = Complaint::new("missing").expected(self.expected(name));
        let key = self.path_of(name);
        self.reader.note(self.offset, &key, complaint.wider())
    }

    /// Notes every key that has no place here.
    fn without_unknown_keys(mut self) -> Self {
        let known = self.table.names();
        let names = self.entries.iter();
        let unknown = names.filter(|(name, _)| !known.contains(&name.get_ref().as_ref()));
        let unknown = unknown.map(|(name, value)| {
            let (offset, name) = (name.span().start, name.get_ref());
            let meant = nearest(name, known.iter().copied());
            let complaint = self.unknown(name, meant, value.get_ref().is_table());
            let noted = self.reader.note(offset, &self.path_of(name), complaint);
            Unknown { meant, noted }
        });
        self.unknown = unknown.collect();
        self
    }

    fn unknown(&self, name: &str, meant: Option<&str>, is_table: bool) -> Complaint {
        if self.table.later.contains(&name) {
            return Complaint::new("not supported by this version");
        }
        let complaint = Complaint::new(match (self.key.as_str(), is_table) {
            ("", true) => "unknown table",
            ("", false) => "a key outside of any table",
            _ => "unknown key",
        });
        let known = || format!("known here: {}", self.table.names().join(", "));
        let hint = meant.map(did_you_mean).or_else(|| elsewhere(name));
        complaint.hint(hint.unwrap_or_else(known))
    }
}

/// Where a key of this name has its place, if there is one such table.
fn elsewhere(name: &str) -> Option<String> {
    let mut tables = TABLES.iter().filter(|table| table.key(name).is_some());
    match (tables.next(), tables.next()) {
        (Some(table), None) => Some(format!("{name} belongs to [{}]", table.path)),
        _ => None,
    }
}

/// All of them, each of which has been read, so that no mistake hides another.
pub(in crate::config) fn all<T>(items: impl IntoIterator<Item = Read<T>>) -> Read<Vec<T>> {
    let read: Vec<Read<T>> = items.into_iter().collect();
    read.into_iter().collect()
}
