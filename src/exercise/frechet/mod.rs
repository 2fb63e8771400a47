//! `frechet`: the distance of two normal distributions.

#[cfg(test)]
mod eigen;

use super::text::{Array, Case};
use super::{Exercise, Files, attribute, draw, number};
use crate::metrics::{Moments, frechet_distance, square_root};

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "frechet",
    chapter: 12,
    task: "the Fréchet distance of two normal distributions",
    files: Files {
        others: &[("src/eigen.rs", include_str!("eigen.rs"))],
        ..Files::rust(include_str!("stub.rs"), include_str!("call.rs"))
    },
    cases,
    further_cases,
    // The root of a rounding error of 1e-16 is 1e-8.
    tolerance: 1e-6,
    hints: &[
        "The root: for every k, i and j add √λ_k · vectors[k, i] · vectors[k, j] to element [i, j]. `values[k].max(0.0)` \
         keeps the root from NaN.",
        "Of √A B √A only the eigenvalues are needed, so call `eigen` with it and forget the vectors. It is two products \
         of matrices. If only the last cases are wrong, see whether you took the roots of A's elements.",
    ],
    solution: "src/metrics/frechet.rs and src/metrics/eigen.rs",
};

fn cases() -> Vec<Case> {
    let diagonal = |a: f64, b: f64| vec![a, 0.0, 0.0, b];
    vec![
        case("one feature", [vec![1.0], vec![3.0]], [vec![4.0], vec![9.0]]),
        case("equal distributions", [vec![1.0, 2.0], vec![1.0, 2.0]], [diagonal(2.0, 3.0), diagonal(2.0, 3.0)]),
        case("other means", [vec![0.0, 0.0], vec![3.0, 4.0]], [diagonal(1.0, 1.0), diagonal(1.0, 1.0)]),
        case("diagonal covariances", [vec![0.0; 2], vec![0.0; 2]], [diagonal(1.0, 4.0), diagonal(9.0, 0.25)]),
        case("correlated features", [vec![0.0; 2], vec![1.0, 0.0]], [vec![2.0, 1.0, 1.0, 2.0], diagonal(1.0, 4.0)]),
        case("both correlated", [vec![0.0; 2], vec![0.0; 2]], [vec![2.0, 1.0, 1.0, 2.0], vec![3.0, -1.0, -1.0, 1.0]]),
        case(
            "singular covariances",
            [vec![0.0; 2], vec![0.0; 2]],
            [vec![1.0, 1.0, 1.0, 1.0], vec![4.0, -2.0, -2.0, 1.0]],
        ),
    ]
}

fn further_cases() -> Vec<Case> {
    // X Xᵀ of drawn X is a covariance; with fewer columns than rows it is singular.
    let drawn = |name: &str, n: usize, columns: usize| {
        let covariance = |of: &str| {
            let x = draw(name, of, &[n, columns]).values;
            let rows = || x.chunks(columns);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            rows().flat_map(|a| rows().map(move |b| dot(a, b))).collect::<Vec<f64>>()
        };
        let mean = |of: &str| draw(name, of, &[n]).values;
        case(name, [mean("mean_a"), mean("mean_b")], [covariance("a"), covariance("b")])
    };
    vec![drawn("three features", 3, 5), drawn("five features, singular", 5, 3)]
}

fn case(name: &str, means: [Vec<f64>; 2], covariances: [Vec<f64>; 2]) -> Case {
    let n = means[0].len();
    let [mean_a, mean_b] = means;
    let [a, b] = covariances;
    let moments = |mean: &Vec<f64>, covariance: &Vec<f64>| Moments {
        count: 100,
        mean: mean.clone(),
        covariance: covariance.clone(),
    };
    let distance = frechet_distance(&moments(&mean_a, &a), &moments(&mean_b, &b));
    let square = |name, values| Array::new(name, &[n, n], values);
    Case {
        name: name.to_string(),
        wanted: vec![square("root_of_a", square_root(&a, n)), number("distance", distance)],
        given: vec![attribute("mean_a", &mean_a), square("a", a), attribute("mean_b", &mean_b), square("b", b)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the exercise gives to its reader is right.
    #[test]
    fn a_matrix_is_the_sum_over_its_eigenvectors() {
        for case in [cases(), further_cases()].concat() {
            let (a, n) = (case.values("b"), case.shape("b")[0]);
            let (values, vectors) = eigen::eigen(a, n);
            for (place, a) in a.iter().enumerate() {
                let (i, j) = (place / n, place % n);
                let sum: f64 = (0..n).map(|k| values[k] * vectors[k * n + i] * vectors[k * n + j]).sum();
                assert!((a - sum).abs() < 1e-12 * 30.0, "{}: [{i}, {j}]: {sum}, not {a}", case.name);
            }
        }
    }
    #[test]
    #[should_panic(expected = "element [1, 0] is 0, and [0, 1] is 2; a symmetric matrix is wanted")]
    fn a_matrix_without_symmetry_is_refused() {
        eigen::eigen(&[1.0, 2.0, 0.0, 1.0], 2);
    }
}
