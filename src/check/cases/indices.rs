//! Ops that give or take indices: argmax, one-hot rows, rows of a table.

use super::{Case, Input, Values, input, normal};
use crate::ops::*;

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let axes: [(&[usize], usize); 9] = [
        (&[7], 0),
        (&[1, 1], 1),
        (&[5, 10], 1),
        (&[5, 10], 0),
        (&[3, 70], 1),
        (&[2, 3, 4, 5], 0),
        (&[2, 3, 4, 5], 1),
        (&[2, 3, 4, 5], 2),
        (&[2, 3, 4, 5], 3),
    ];
    all.extend(axes.map(|(shape, axis)| largest(shape, axis)));
    for (shape, axis) in [([4, 50], 1), ([50, 4], 0)] {
        let name = format!("{shape:?} along {axis}, ties");
        let tied = input(Values::Whole, shape);
        all.push(Case::new("argmax", name, &[tied], move |t| argmax(&t[0], axis)).on_kinks());
    }
    for (n, classes) in [(5, 3), (1, 1), (17, 10)] {
        let inputs = [index(n, classes), normal([n, classes])];
        let name = format!("{n} of {classes}");
        all.push(Case::new("one_hot", name, &inputs, move |t| one_hot(&t[0], classes) * &t[1]));
    }
    // Tables with more rows than are asked for, and with fewer, so that some rows come twice.
    for sizes in [[5, 3, 4], [3, 17, 20], [1, 1, 1], [10, 1, 3], [2, 5, 1]] {
        all.extend(rows(sizes));
    }
    all
}

/// Where the largest value along `axis` is, among values that are all different.
pub fn largest(shape: &[usize], axis: usize) -> Case {
    let name = format!("{shape:?} along {axis}");
    Case::new("argmax", name, &[input(Values::Distinct, shape)], move |t| argmax(&t[0], axis))
}

/// Rows of a table and sums of them, with `[rows of the table, width, indices]`.
pub fn rows([rows, width, n]: [usize; 3]) -> [Case; 2] {
    let name = format!("{n} of {rows}x{width}");
    let indices = index(n, rows);
    [
        Case::new("gather", name.clone(), &[normal([rows, width]), indices], |t| gather(&t[0], &t[1])),
        Case::new("scatter_add", name, &[normal([n, width]), indices], move |t| scatter_add(&t[0], &t[1], rows)),
    ]
}

/// `n` whole numbers below `count`, with respect to which no gradient is taken.
fn index(n: usize, count: usize) -> Input {
    input(Values::Index(count), [n]).constant()
}
