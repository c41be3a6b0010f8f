//! What is wrong with a `gateway.toml`, and where: said so that the person who wrote it can mend it.
//!
//! No mistake holds the value of a secret, nor any URL (one may have a password in it).

use std::fmt;

/// A place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named to us.
    pub file: String,
    /// Where in it; none: the file as a whole.
    pub position: Option<Position>,
}

/// A line and a column, in the order in which a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1 on.
    pub line: usize,
    /// The column in characters, from 1 on.
    pub column: usize,
}

impl Position {
    /// Where byte `offset` of `text` stands; past its end: the end.
    pub fn of(offset: usize, text: &str) -> Self {
        let before = text.char_indices().take_while(|(at, _)| *at < offset);
        let start = Self { line: 1, column: 1 };
        before.fold(start, |at, (_, character)| match character {
            '\n' => Self {
                line: at.line + 1,
                column: 1,
            },
            _ => Self {
                column: at.column + 1,
                ..at
            },
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match self.position {
            Some(Position { line, column }) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// An entry of the file with its name, such as `routes[2]`: what a later check points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it begins.
    pub place: Place,
    /// Its dotted path.
    pub key: String,
}

/// One thing that is wrong.
///
/// Shown as `gateway.toml:12:1: routes[0].requires: unknown key; did you mean "require"?`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// The dotted path of the key (`routes[2].require`); empty for what concerns no key.
    pub key: String,
    /// What is there, as a phrase: `found an integer`, `missing`, `unknown key`.
    pub found: String,
    /// What should be there instead.
    pub expected: Option<String>,
    /// What to do, where there is more to say.
    pub hint: Option<String>,
}

impl Mistake {
    /// Two entries of which only one can count.
    pub fn conflict(later: &Entry, earlier: &Entry, found: &str) -> Self {
        let at = match earlier.place.position {
            Some(Position { line, .. }) => format!("{} (line {line})", earlier.key),
            None => earlier.key.clone(),
        };
        Self {
            place: later.place.clone(),
            key: later.key.clone(),
            found: format!("{found} as {at}"),
            expected: None,
            hint: None,
        }
    }

    /// A file that cannot be used at all.
    pub fn whole_file(file: String, found: String) -> Self {
        Self {
            place: Place {
                file,
                position: None,
            },
            key: String::new(),
            found,
            expected: None,
            hint: None,
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.found)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// All that is wrong with a file, in the order of the file; at least one mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// `value`, unless there are mistakes.
    pub fn unless_none<T>(mistakes: Vec<Mistake>, value: T) -> Result<T, Self> {
        if mistakes.is_empty() {
            return Ok(value);
        }
        Err(Self::of(mistakes))
    }

    /// These mistakes, in the order of the file.
    pub fn of(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.place.position);
        Self(mistakes)
    }

    /// The mistakes, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

/// One line a mistake.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for mistake in &self.0 {
            write!(f, "{separator}{mistake}")?;
            separator = "\n";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_and_characters_from_one() {
        let check = |offset, line, column| {
            let position = Position::of(offset, "aé\nb\r\nc");
            assert_eq!(position, Position { line, column }, "byte {offset}");
        };
        check(0, 1, 1);
        check(3, 1, 3);
        check(4, 2, 1);
        check(7, 3, 1);
        check(99, 3, 2);
    }

    #[test]
    fn a_conflict_names_both_entries() {
        let entry = |line, key: &str| Entry {
            place: Place {
                file: "gateway.toml".into(),
                position: Some(Position { line, column: 1 }),
            },
            key: key.into(),
        };
        let mistake = Mistake::conflict(
            &entry(9, "routes[1]"),
            &entry(4, "routes[0]"),
            "takes the same requests",
        );
        assert_eq!(
            mistake.to_string(),
            "gateway.toml:9:1: routes[1]: takes the same requests as routes[0] (line 4)"
        );
    }
}
