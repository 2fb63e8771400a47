//! The SHA-256 sum that a file of weights has of itself: of all its bytes, with the 64 digits of the sum itself as
//! zeros. Without it a flipped bit would go unnoticed, as it only turns a weight into another one.

use crate::data::sum::Sum;
use std::io::Read;

/// What is in the sum's place while the sum is computed.
pub const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Puts the sum of `file` where its header first has [`BLANK`].
///
/// # Panics
/// If the file has no such place.
pub(super) fn fill_in(file: &mut [u8]) {
    let at = find(file, BLANK).expect("the header has a place for the sum");
    let sum = sum_around(file, at).to_string();
    file[at..][..sum.len()].copy_from_slice(sum.as_bytes());
}

/// Whether `file` has the sum `digits` that its header says.
pub(super) fn holds(file: &[u8], digits: &str) -> bool {
    digits.len() == BLANK.len() && find(file, digits).is_some_and(|at| sum_around(file, at).to_string() == digits)
}

/// The first place of `digits`. The header is first in the file, and the sum is first in the header.
fn find(file: &[u8], digits: &str) -> Option<usize> {
    let mut windows = file.windows(digits.len());
    windows.position(|window| window == digits.as_bytes())
}

/// The sum of `file` with [`BLANK`] from byte `at` on.
fn sum_around(file: &[u8], at: usize) -> Sum {
    let (before, rest) = file.split_at(at);
    let parts = before.chain(BLANK.as_bytes()).chain(&rest[BLANK.len()..]);
    let (sum, _) = Sum::of(parts).expect("memory is read without errors");
    sum
}
