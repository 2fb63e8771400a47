//! `philox`: random words from a counter.

use super::text::Case;
use super::{Exercise, Files, attribute};
use crate::random::{Purpose, Random, philox};

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "philox",
    chapter: 7,
    task: "Philox4x32-10: random words from a counter and a key",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 0.0,
    hints: &[
        "`u64::from(a) * u64::from(b)` is the whole product. Its low half is `product as u32`, its high half \
         `(product >> 32) as u32`. Sums of the key are made by `wrapping_add`: a plain + panics beyond 32 bits.",
        "To find which step is wrong, do one round alone: from counter (1, 2, 3, 4) and key (5, 6) it makes \
         (5, 0x68DBA805, 2, 0xD2511F53).",
    ],
    solution: "src/random.rs (philox)",
};

fn cases() -> Vec<Case> {
    vec![
        case("all zero", [0; 4], [0; 2]),
        case("a counter of 1", [1, 0, 0, 0], [0; 2]),
        case("a key of 1", [0; 4], [1, 0]),
        case("all bits set", [u32::MAX; 4], [u32::MAX; 2]),
        case("every word another", [1, 2, 3, 4], [5, 6]),
    ]
}

fn further_cases() -> Vec<Case> {
    let words = Random::new(7, Purpose::CHECK).words(24);
    let draw = |(i, words): (usize, &[u32])| match *words {
        [a, b, c, d, k, l] => case(&format!("drawn words, {}", i + 1), [a, b, c, d], [k, l]),
        _ => unreachable!("six at a time"),
    };
    words.chunks_exact(6).enumerate().map(draw).collect()
}

fn case(name: &str, counter: [u32; 4], key: [u32; 2]) -> Case {
    Case {
        name: name.to_string(),
        given: vec![attribute("counter", &counter.map(f64::from)), attribute("key", &key.map(f64::from))],
        wanted: vec![attribute("words", &philox(counter, key).map(f64::from))],
    }
}
