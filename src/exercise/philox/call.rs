//! Which function answers a case, with which of its arrays.

use super::text::Function;
use exercise::philox;

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[("philox", |case| {
    let counter = case.sizes("counter").map(|word| word as u32);
    let key = case.sizes("key").map(|word| word as u32);
    vec![("words", philox(counter, key).map(f64::from).to_vec())]
})];
