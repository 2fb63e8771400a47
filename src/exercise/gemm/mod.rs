//! `gemm`: a matrix product that is as fast as it should be.

use super::grade::SHARE_OF_LIMIT;
use super::text::{Array, Case};
use super::{Exercise, Files, attribute, draw, number};
use crate::check::cases::products::SIZES;
use crate::ops::{Transpose, matmul};

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "gemm",
    chapter: 9,
    task: "a matrix product in f32 that reaches 30% of the machine's limit",
    files: Files {
        others: &[
            (".cargo/config.toml", include_str!("config.toml")),
            ("harness/limit.rs", include_str!("../../../benches/libtorch/src/limit.rs")),
        ],
        nan: "c is full of NaN at first: its values are to be written, not added to.",
        ..Files::rust(include_str!("stub.rs"), include_str!("call.rs"))
    },
    cases,
    further_cases,
    tolerance: 1e-4,
    hints: &[
        "Make it right with plain loops first, and run the check: it tells the rate while that is too low. Then write `tile`, a function that \
         makes 4 × 16 sums in an array of its own, and call it for every whole tile; leave the edges to the plain loops.",
        "In `tile`, take the 16 numbers of B as `let b: &[f32; 16] = b[p * n + j..].first_chunk().unwrap();` and loop over \
         the 4 rows, and inside over the 16 sums with `zip`. Nothing but p may run to a length that isn't a constant.",
        "Is it still slow, or nearly fast enough? The loop over p must be the outermost in `tile`, and the sums a local array that is stored \
         after it. 8 rows of 16 are faster than 4, with AVX-512 12. Copy 16 columns of B into an array of k · 16 before the \
         tiles that use them.",
    ],
    solution: "src/cpu/gemm/mod.rs",
};

fn cases() -> Vec<Case> {
    [
        ("one number", [1, 1, 1]),
        ("no two sizes equal", [2, 3, 4]),
        ("a row by a column", [1, 5, 1]),
        ("more rows than a tile has", [9, 2, 3]),
        ("more columns than a tile has", [2, 2, 19]),
    ]
    .map(|(name, sizes)| case(name, sizes))
    .to_vec()
}

/// The sizes that the engine's own products are checked with, some around a tile's, and a product to be timed.
fn further_cases() -> Vec<Case> {
    let around = [[16, 16, 16], [17, 33, 31], [13, 70, 47]];
    let mut all: Vec<Case> =
        SIZES.iter().chain(&around).map(|&sizes @ [m, k, n]| case(&format!("{m} by {k} by {n}"), sizes)).collect();
    all.push(Case {
        name: "256 by 256 by 256, timed".into(),
        given: vec![attribute("m_k_n", &[256.0; 3])],
        wanted: vec![number(SHARE_OF_LIMIT, 0.3)],
    });
    all
}

fn case(name: &str, sizes @ [m, k, n]: [usize; 3]) -> Case {
    let [a, b] = [("a", [m, k]), ("b", [k, n])].map(|(of, shape)| draw(name, of, &shape));
    let c = matmul(&a.tensor(), &b.tensor(), Transpose::NONE);
    let wanted = vec![Array::new("c", c.dims(), c.to_f64())];
    Case { name: name.to_string(), given: vec![attribute("m_k_n", &sizes.map(|s| s as f64)), a, b], wanted }
}
