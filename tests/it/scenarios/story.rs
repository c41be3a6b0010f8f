//! The scenarios of a shape, as one text.

use std::fmt::Write as _;

use super::answer::Answer;

/// What was told so far.
#[derive(Default)]
pub(super) struct Story(String);

impl Story {
    /// A scenario, and what came of it; nothing where the shape has no words for it.
    pub(super) fn tell(&mut self, scenario: &str, answers: impl IntoIterator<Item = Answer>) {
        writeln!(self.0, "# {scenario}\n").unwrap();
        let mut answers = answers.into_iter().peekable();
        if answers.peek().is_none() {
            writeln!(self.0, "no such thing in this shape\n").unwrap();
        }
        for answer in answers {
            answer.write(&mut self.0);
        }
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}
