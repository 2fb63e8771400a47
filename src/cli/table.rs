//! Tables on a terminal: columns as wide as what is in them, and numbers that can be read.

use crate::terminal::line;
pub(super) use crate::terminal::thousands;

/// Which side of a column its cells keep to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Align {
    Left,
    Right,
}

/// The rows as lines, each column as wide as its widest cell, two spaces between columns.
pub(super) fn align<const N: usize>(rows: &[[String; N]], sides: [Align; N]) -> String {
    // Plain first, for what is written out is wider.
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(|cell| line(cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let cells: [String; N] = std::array::from_fn(|column| {
            let (cell, width) = (&row[column], widths[column]);
            match sides[column] {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            }
        });
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
