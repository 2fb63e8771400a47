//! `winograd`: F(2, 3), in one dimension and in two.

use super::text::{Array, Case};
use super::{Exercise, Files, draw, number};
use crate::ops::conv2d;
use crate::shape::Padding;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "winograd",
    chapter: 10,
    task: "Winograd's F(2, 3): two outputs by four products, and 2 × 2 by sixteen",
    files: Files {
        others: &[("src/number.rs", include_str!("number.rs"))],
        ..Files::rust(include_str!("stub.rs"), include_str!("call.rs"))
    },
    cases,
    further_cases,
    tolerance: 1e-10,
    hints: &[
        "f23 is the four products and two sums of the comment, with `half()` where it divides by 2. The halves may stand \
         at the sums of taps or at the products: the result is the same.",
        "For two dimensions, do as the comment says, or write it as matrices, in three steps: transform each row of d, then each column of what comes out (four \
         sums of the 1-D formula each time); the same with g; multiply the 4 × 4 values; go back along columns and \
         rows.",
        "The step for four inputs is (d0 - d2, d1 + d2, d2 - d1, d3 - d1), that for three taps (g0, (g0 + g1 + g2) / 2, \
         (g0 - g1 + g2) / 2, g2), and back is (m0 + m1 + m2, m1 - m2 + m3). Each is a function from an array to an array.",
    ],
    solution: "src/cpu/winograd/matrices.rs",
};

fn cases() -> Vec<Case> {
    let one = |place: usize, size: usize| (0..size).map(|i| if i == place { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
    let counted: Vec<f64> = (1..=16).map(f64::from).collect();
    vec![
        case("the first tap alone", &counted, &one(0, 9)),
        case("the middle tap alone", &counted, &one(4, 9)),
        case("one input alone", &one(0, 16), &[4.0, 1.0, -1.0, 2.0, 0.0, 3.0, 1.0, 1.0, 5.0]),
        case("all taps one", &counted, &[1.0; 9]),
        case("whole numbers", &counted, &[4.0, 1.0, -1.0, 2.0, 0.0, 3.0, 1.0, 1.0, 5.0]),
    ]
}

fn further_cases() -> Vec<Case> {
    let names = ["drawn, 1", "drawn, 2", "drawn, 3"];
    names.map(|name| case(name, &draw(name, "d", &[16]).values, &draw(name, "g", &[9]).values)).to_vec()
}

fn case(name: &str, d: &[f64], g: &[f64]) -> Case {
    let (d, g) = (Array::new("d", &[4, 4], d.to_vec()), Array::new("g", &[3, 3], g.to_vec()));
    // Of as many rows of inputs and of taps.
    let valid = |h: usize, kh: usize| {
        let image = Array::new("d", &[1, h, 4, 1], d.values[..4 * h].to_vec());
        let taps = Array::new("g", &[kh, 3, 1, 1], g.values[..3 * kh].to_vec());
        conv2d(&image.tensor(), &taps.tensor(), [1, 1], Padding::VALID).to_f64()
    };
    let wanted = vec![
        Array::new("y_of_first_rows", &[2], valid(1, 1)),
        number("number_of_products", 4.0),
        Array::new("y", &[2, 2], valid(4, 3)),
        number("number_of_nested_products", 16.0),
    ];
    Case { name: name.to_string(), given: vec![d, g], wanted }
}
