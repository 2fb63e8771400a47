//! Convolutions in groups: one for each group, on arrays of its channels alone. What is copied for that is little beside
//! the products, each value being multiplied by a whole kernel.

use super::TASK_LENGTH;
use super::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// An array `[rows, groups · width]`, the `width` columns of a group side by side.
#[derive(Clone, Copy)]
pub struct Grouped<'a> {
    /// Its values.
    pub values: &'a [f32],
    /// Columns of a group.
    pub width: usize,
}

/// The array `[rows, groups · width]` whose groups `product` makes of those of `a` and `b`, given the geometry of one.
pub fn group_by_group(
    a: Grouped,
    b: Grouped,
    width: usize,
    g: &Conv2dGeometry,
    product: impl Fn(&[f32], &[f32], &Conv2dGeometry) -> Buffer + Sync,
) -> Buffer {
    let (groups, of_group) = (g.groups, g.of_group());
    let [a, b] = [a, b].map(|array| split(array, groups));
    let of = |array: &[f32], i: usize| {
        let length = array.len() / groups;
        i * length..(i + 1) * length
    };
    let made: Vec<Buffer> =
        (0..groups).into_par_iter().map(|i| product(&a[of(&a, i)], &b[of(&b, i)], &of_group)).collect();
    join(&made, width)
}

/// `[groups, rows, width]`.
fn split(Grouped { values, width }: Grouped, groups: usize) -> Buffer {
    let mut split = Buffer::unspecified(values.len());
    if split.is_empty() {
        return split;
    }
    let rows = values.len() / (groups * width);
    split.par_chunks_mut(rows * width).enumerate().for_each(|(group, split)| {
        for (to, row) in split.chunks_exact_mut(width).zip(values.chunks_exact(groups * width)) {
            to.copy_from_slice(&row[group * width..][..width]);
        }
    });
    split
}

/// `[rows, groups · width]` of as many arrays `[rows, width]`.
fn join(groups: &[Buffer], width: usize) -> Buffer {
    let mut joined = Buffer::unspecified(groups.iter().map(|group| group.len()).sum());
    if joined.is_empty() {
        return joined;
    }
    let row = groups.len() * width;
    let rows = TASK_LENGTH.div_ceil(row);
    joined.par_chunks_mut(rows * row).enumerate().for_each(|(task, joined)| {
        for (i, joined) in joined.chunks_exact_mut(row).enumerate() {
            let from = (task * rows + i) * width;
            for (to, group) in joined.chunks_exact_mut(width).zip(groups) {
                to.copy_from_slice(&group[from..][..width]);
            }
        }
    });
    joined
}
