//! Which functions answer a case, with which of its arrays.

use super::text::Function;
use exercise::{frechet_distance, square_root};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[
    ("square_root", |case| vec![("root_of_a", square_root(case.values("a"), case.shape("a")[0]))]),
    ("frechet_distance", |case| {
        let [mean_a, a, mean_b, b] = ["mean_a", "a", "mean_b", "b"].map(|name| case.values(name));
        vec![("distance", vec![frechet_distance(mean_a, a, mean_b, b)])]
    }),
];
