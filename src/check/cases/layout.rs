//! Ops that move values without changing them: reshape, permute, slice, pad, concat and upsampling; and bilinear
//! resampling, which mixes neighbours.

use super::{Case, Input, normal};
use crate::ops::*;
use crate::shape::Shape;
use std::ops::Range;

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let reshapes: [(&[usize], &[usize]); 4] =
        [(&[2, 3, 4], &[6, 4]), (&[1], &[]), (&[5, 1, 3], &[15]), (&[4, 9], &[2, 2, 3, 3])];
    let mut orders: Vec<(&[usize], Vec<usize>)> = Vec::new();
    for code in 0..256_usize {
        let axes: Vec<usize> = (0..4).map(|i| code >> (2 * i) & 3).collect();
        if (0..4).all(|axis| axes.contains(&axis)) {
            orders.push((&[2, 3, 4, 5], axes));
        }
    }
    orders.extend([
        (&[3, 17][..], vec![1, 0]),
        (&[1, 1], vec![1, 0]),
        (&[2, 1, 3], vec![2, 0, 1]),
        (&[2, 1, 3, 2, 1, 2], vec![5, 3, 0, 4, 1, 2]),
    ]);
    let slices: [(&[usize], &[Range<usize>]); 5] = [
        (&[1, 7], &[0..1, 2..5]),
        (&[3, 4], &[0..3, 1..2]),
        (&[3, 4], &[1..2, 0..4]),
        (&[2, 5, 4, 3], &[1..2, 1..4, 0..3, 2..3]),
        (&[1, 1], &[0..1, 0..1]),
    ];
    let pads: [(&[usize], &[[usize; 2]]); 5] = [
        (&[3], &[[2, 1]]),
        (&[2, 3], &[[0, 0], [0, 4]]),
        (&[2, 3], &[[1, 0], [0, 0]]),
        (&[2, 3, 1, 2], &[[0, 1], [2, 2], [1, 3], [0, 2]]),
        (&[1, 1], &[[17, 0], [0, 3]]),
    ];
    let concats: [(&[&[usize]], usize); 8] = [
        (&[&[2, 3, 4], &[5, 3, 4]], 0),
        (&[&[2, 3, 4], &[2, 1, 4]], 1),
        (&[&[2, 3, 4], &[2, 3, 17]], 2),
        (&[&[1, 3, 2], &[2, 3, 2], &[3, 3, 2]], 0),
        (&[&[2, 1, 2], &[2, 3, 2], &[2, 2, 2]], 1),
        (&[&[2, 3, 1], &[2, 3, 3], &[2, 3, 2]], 2),
        (&[&[1], &[1], &[1]], 0),
        (&[&[2, 4, 4, 3], &[2, 4, 4, 1]], 3),
    ];

    let mut all = Vec::new();
    all.extend(reshapes.map(|(from, to)| {
        let (from, to) = (Shape::new(from), Shape::new(to));
        let name = format!("{from} to {to}");
        Case::new("reshape", name, &[normal(from)], move |t| reshape(&t[0], to))
    }));
    all.extend(orders.iter().map(|(shape, axes)| permuted(shape, axes)));
    all.extend(slices.map(|(shape, ranges)| sliced(shape, ranges)));
    all.extend(pads.map(|(shape, zeros)| padded(shape, zeros)));
    all.extend(concats.map(|(shapes, axis)| joined(shapes, axis)));
    all.extend([0, 1, 2].map(|axis| {
        let inputs = [normal([3, 4]); 3];
        Case::new("stack", format!("three of [3, 4] along {axis}"), &inputs, move |t| {
            stack(&t.iter().collect::<Vec<_>>(), axis)
        })
    }));
    for image in [[2, 3, 4, 3], [1, 1, 1, 1], [1, 2, 1, 17]] {
        all.extend([1, 2, 3].map(|factor| upsampled(image, factor)));
        all.extend([1, 2, 3].map(|factor| downsampled(image, factor)));
    }
    for (image, size) in [
        ([2, 3, 4, 3], [6, 8]),
        ([1, 4, 6, 2], [2, 3]),
        ([2, 6, 3, 5], [2, 1]),
        ([1, 4, 8, 17], [1, 2]),
        ([1, 3, 5, 1], [7, 4]),
        ([2, 1, 1, 2], [3, 2]),
        ([1, 2, 3, 4], [2, 3]),
    ] {
        all.extend(resampled(image, size));
    }
    all
}

/// Images resampled to `size`, and the adjoint of that.
pub fn resampled(image: [usize; 4], size: [usize; 2]) -> [Case; 2] {
    let [n, h, w, c] = image;
    let name = format!("{image:?} to {size:?}");
    [
        Case::new("bilinear", name.clone(), &[normal(image)], move |t| bilinear(&t[0], size)),
        Case::new("bilinear_grad", name, &[normal([n, size[0], size[1], c])], move |t| bilinear_grad(&t[0], [h, w])),
    ]
}

/// The axes in another order.
pub fn permuted(shape: &[usize], axes: &[usize]) -> Case {
    let (name, axes) = (format!("{shape:?} by {axes:?}"), axes.to_vec());
    Case::new("permute", name, &[normal(shape)], move |t| permute(&t[0], &axes))
}

/// A box cut out.
pub fn sliced(shape: &[usize], ranges: &[Range<usize>]) -> Case {
    let (name, ranges) = (format!("{shape:?} at {ranges:?}"), ranges.to_vec());
    Case::new("slice", name, &[normal(shape)], move |t| slice(&t[0], &ranges))
}

/// Zeros around.
pub fn padded(shape: &[usize], zeros: &[[usize; 2]]) -> Case {
    let (name, zeros) = (format!("{shape:?} by {zeros:?}"), zeros.to_vec());
    Case::new("pad", name, &[normal(shape)], move |t| pad(&t[0], &zeros))
}

/// Inputs of these shapes one after the other along `axis`.
pub fn joined(shapes: &[&[usize]], axis: usize) -> Case {
    let inputs: Vec<Input> = shapes.iter().map(|&shape| normal(shape)).collect();
    let name = format!("{shapes:?} along {axis}");
    Case::new("concat", name, &inputs, move |t| concat(&t.iter().collect::<Vec<_>>(), axis))
}

/// An image enlarged.
pub fn upsampled(image: [usize; 4], factor: usize) -> Case {
    let name = format!("{image:?} by {factor}");
    Case::new("upsample_nearest", name, &[normal(image)], move |t| upsample_nearest(&t[0], factor))
}

/// Blocks summed to an image of size `small`.
pub fn downsampled(small: [usize; 4], factor: usize) -> Case {
    let [n, h, w, c] = small;
    let large = [n, h * factor, w * factor, c];
    let name = format!("{large:?} by {factor}");
    Case::new("upsample_nearest_grad", name, &[normal(large)], move |t| upsample_nearest_grad(&t[0], factor))
}
