//! The place of a tile of C: rows of one slice, or slices of their own, so that threads that share C's rows can each
//! have their own columns.

use super::microkernel::ROWS;

/// Rows of C.
pub(super) enum Rows<'a, 'b> {
    /// Where each begins in a slice.
    Within(&'a mut [f32], &'a [usize]),
    /// Each a slice of its own, and the column that they begin at: for rows that several threads share.
    Apart(&'a mut [&'b mut [f32]], usize),
}

impl<'b> Rows<'_, 'b> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Rows::Within(_, starts) => starts.len(),
            Rows::Apart(rows, _) => rows.len(),
        }
    }

    /// `count` rows from `start` on, from column `column` on.
    pub fn part(&mut self, start: usize, count: usize, column: usize) -> Rows<'_, 'b> {
        match self {
            Rows::Within(c, starts) => Rows::Within(&mut c[column..], &starts[start..][..count]),
            Rows::Apart(rows, from) => Rows::Apart(&mut rows[start..][..count], *from + column),
        }
    }

    /// A row, from its first column on.
    pub fn row(&mut self, row: usize) -> &mut [f32] {
        match self {
            Rows::Within(c, starts) => &mut c[starts[row]..],
            Rows::Apart(rows, from) => &mut rows[row][*from..],
        }
    }

    /// Whether every row has `columns` columns.
    pub fn hold(&self, columns: usize) -> bool {
        match self {
            Rows::Within(c, starts) => starts.iter().max() <= c.len().checked_sub(columns).as_ref(),
            Rows::Apart(rows, from) => {
                let end = from.saturating_add(columns);
                rows.iter().all(|row| end <= row.len())
            }
        }
    }

    /// Writes to `pointers` where the rows of a tile begin, from row `first` on. The pointers after the last row stay
    /// as they are.
    pub fn point(&mut self, first: usize, pointers: &mut [*mut f32; ROWS]) {
        match self {
            Rows::Within(c, starts) => {
                let base = c.as_mut_ptr();
                for (to, &start) in pointers.iter_mut().zip(&starts[first..]) {
                    *to = base.wrapping_add(start);
                }
            }
            Rows::Apart(rows, from) => {
                for (to, row) in pointers.iter_mut().zip(&mut rows[first..]) {
                    *to = row.as_mut_ptr().wrapping_add(*from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_lead_to_the_same_places() {
        let mut c: Vec<f32> = (0..60).map(|v| v as f32).collect();
        let firsts = |mut rows: Rows| [rows.part(1, 2, 4).row(0)[0], rows.part(1, 2, 4).row(1)[0]];
        assert_eq!(firsts(Rows::Within(&mut c, &[0, 20, 40])), [24.0, 44.0]);
        let mut rows: Vec<&mut [f32]> = c.chunks_mut(20).collect();
        assert_eq!(firsts(Rows::Apart(&mut rows, 0)), [24.0, 44.0]);
        assert_eq!(firsts(Rows::Apart(&mut rows, 3)), [27.0, 47.0]);
    }

    #[test]
    fn a_row_holds_no_more_columns_than_it_has() {
        let mut c = [0.0; 30];
        assert!(Rows::Within(&mut c, &[0, 14]).hold(16) && !Rows::Within(&mut c, &[0, 15]).hold(16));
        assert!(!Rows::Within(&mut c, &[usize::MAX - 3]).hold(16));
        let (long, short) = c.split_at_mut(16);
        let mut rows = [long, short];
        assert!(Rows::Apart(&mut rows, 0).hold(14) && !Rows::Apart(&mut rows, 0).hold(16));
        assert!(!Rows::Apart(&mut rows, usize::MAX - 3).hold(16));
    }
}
