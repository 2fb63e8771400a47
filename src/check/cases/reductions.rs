//! Sums, means and maxima over every pattern of axes, and the broadcasts that undo them.

use super::{Case, Values, input, normal};
use crate::ops::*;
use crate::shape::Shape;

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let mut patterns: Vec<(&[usize], Vec<usize>)> = Vec::new();
    for subset in 1..16_usize {
        let axes = (0..4).filter(|axis| subset >> axis & 1 == 1).collect();
        patterns.push((&[2, 3, 4, 5], axes));
    }
    patterns.extend([
        (&[17][..], vec![0]),
        (&[1, 1], vec![0, 1]),
        (&[3, 1, 5], vec![1]),
        (&[5, 17], vec![1, 0]),
        (&[2, 1, 3, 2, 1, 2], vec![1, 3, 5]),
        (&[2, 1, 3, 2, 1, 2], vec![0, 2, 4]),
    ]);
    let stretches: [(&[usize], &[usize]); 7] = [
        (&[], &[2, 3]),
        (&[1], &[1, 5]),
        (&[3], &[2, 3]),
        (&[3, 1], &[3, 4]),
        (&[1, 3, 1], &[2, 3, 4]),
        (&[2, 1, 3], &[5, 2, 4, 3]),
        (&[17], &[3, 1, 17]),
    ];

    let mut all = vec![Case::new("sum", "[2, 3] over []", &[normal([2, 3])], |t| sum(&t[0], &[]))];
    all.extend(patterns.iter().map(|(shape, axes)| sum_over(shape, axes)));
    all.extend(patterns.iter().map(|(shape, axes)| mean_over(shape, axes)));
    all.extend(patterns.iter().map(|(shape, axes)| max_over(shape, axes)));
    let tied = input(Values::Whole, [4, 5, 6]);
    let ties = Case::new("max", "[4, 5, 6] over [0, 2], ties", &[tied], |t| max(&t[0], &[0, 2]));
    all.push(ties.on_kinks());
    all.extend(stretches.map(|(from, to)| {
        let (from, to) = (Shape::new(from), Shape::new(to));
        let name = format!("{from} to {to}");
        Case::new("broadcast_to", name, &[normal(from)], move |t| broadcast_to(&t[0], to))
    }));
    all.extend(stretches.map(|(to, from)| {
        let (from, to) = (Shape::new(from), Shape::new(to));
        let name = format!("{from} to {to}");
        Case::new("sum_to", name, &[normal(from)], move |t| sum_to(&t[0], to))
    }));
    all
}

/// The sum over `axes`.
pub fn sum_over(shape: &[usize], axes: &[usize]) -> Case {
    let (name, axes) = (name(shape, axes), axes.to_vec());
    Case::new("sum", name, &[normal(shape)], move |t| sum(&t[0], &axes))
}

/// The mean over `axes`.
pub fn mean_over(shape: &[usize], axes: &[usize]) -> Case {
    let (name, axes) = (name(shape, axes), axes.to_vec());
    Case::new("mean", name, &[normal(shape)], move |t| mean(&t[0], &axes))
}

/// The largest value over `axes`, among values that are all different.
pub fn max_over(shape: &[usize], axes: &[usize]) -> Case {
    let (name, axes) = (name(shape, axes), axes.to_vec());
    let x = input(Values::Distinct, shape);
    Case::new("max", name, &[x], move |t| max(&t[0], &axes))
}

fn name(shape: &[usize], axes: &[usize]) -> String {
    format!("{shape:?} over {axes:?}")
}
