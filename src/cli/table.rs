//! A table for people: a head, and columns as wide as their widest cell.

use std::io::{self, Write};

/// Writes a table. What would move the cursor of a terminal is written as it is spelt.
pub(super) fn write<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
    output: &mut dyn Write,
) -> io::Result<()> {
    let head = head.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(&head)
        .chain(rows)
        .map(|cells| cells.each_ref().map(|cell| plain(cell)))
        .collect();
    let mut widths = [0; COLUMNS];
    for cells in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    for cells in &rows {
        let padded = cells.iter().zip(widths);
        let line: Vec<_> = padded
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(output, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// A client may call itself anything; what it says must not steer the terminal of who reads it.
fn plain(cell: &str) -> String {
    let spelt = |character: char| {
        let steers = character.is_control();
        let spelt = steers.then(|| character.escape_default().to_string());
        spelt.unwrap_or_else(|| character.to_string())
    };
    cell.chars().map(spelt).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_and_no_cell_steers_the_terminal() {
        let rows = [["a", "long one"], ["\u{1b}[2J\n", "b"]].map(|row| row.map(str::to_owned));
        let mut written = Vec::new();
        write(["X", "Y"], &rows, &mut written).unwrap();
        let expected = [
            r"X            Y",
            r"a            long one",
            r"\u{1b}[2J\n  b",
            "",
        ];
        assert_eq!(String::from_utf8(written).unwrap(), expected.join("\n"));
    }
}
