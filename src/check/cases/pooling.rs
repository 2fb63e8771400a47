//! Pooling: windows that overlap, that leave gaps, and that reach into the padding.

use super::{Case, Input, Values, input, normal};
use crate::ops::*;
use crate::shape::{Conv2dGeometry, Padding};

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let asymmetric = Padding { top: 2, bottom: 0, left: 1, right: 2 };
    let same = |[_, h, w, _]: [usize; 4], k: [usize; 2], s: [usize; 2]| Padding::same([h, w], k, s);
    // A row: the image, the window, the stride and the padding.
    let rows = [
        ([2, 4, 6, 3], [2, 2], [2, 2], Padding::VALID),
        ([1, 7, 5, 17], [2, 2], [2, 2], Padding::VALID),
        ([2, 6, 5, 1], [3, 2], [1, 1], Padding::VALID),
        ([1, 8, 9, 3], [2, 1], [3, 4], Padding::VALID),
        ([1, 5, 4, 2], [5, 4], [1, 1], Padding::VALID),
        ([2, 1, 1, 4], [1, 1], [1, 1], Padding::VALID),
        ([2, 7, 7, 3], [3, 3], [2, 2], same([2, 7, 7, 3], [3, 3], [2, 2])),
        ([1, 7, 5, 2], [2, 2], [2, 2], same([1, 7, 5, 2], [2, 2], [2, 2])),
        ([2, 5, 4, 3], [2, 3], [1, 2], same([2, 5, 4, 3], [2, 3], [1, 2])),
        ([1, 2, 3, 4], [5, 5], [1, 1], same([1, 2, 3, 4], [5, 5], [1, 1])),
        ([3, 5, 4, 2], [3, 3], [1, 2], asymmetric),
    ];
    let mut all: Vec<Case> = rows.into_iter().flat_map(|(x, k, s, p)| pooled(x, k, s, p)).collect();
    for (image, kernel, stride, padding) in
        [([2, 5, 7, 5], [2, 2], [2, 2], Padding::VALID), ([2, 5, 6, 3], [3, 3], [1, 2], asymmetric)]
    {
        let tied = largest(input(Values::Whole, image), kernel, stride, padding, ", ties");
        all.push(tied.on_kinks());
    }
    all
}

/// The largest value of each window, among values that are all different; the mean; and the adjoint of that.
pub fn pooled(image: [usize; 4], kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> [Case; 3] {
    let [_, h, w, _] = image;
    let g = Conv2dGeometry::pooling("case", image.into(), kernel, stride, padding);
    let name = name(image, kernel, stride, padding);
    let averaged = move |t: &[crate::Tensor]| avg_pool2d(&t[0], kernel, stride, padding);
    let spread = move |t: &[crate::Tensor]| avg_pool2d_grad(&t[0], [h, w], kernel, stride, padding);
    [
        largest(input(Values::Distinct, image), kernel, stride, padding, ""),
        Case::new("avg_pool2d", name.clone(), &[normal(image)], averaged),
        Case::new("avg_pool2d_grad", name, &[normal(g.output())], spread),
    ]
}

fn largest(x: Input, kernel: [usize; 2], stride: [usize; 2], padding: Padding, what: &str) -> Case {
    let image = x.shape.dims().try_into().expect("an image has 4 axes");
    let name = name(image, kernel, stride, padding) + what;
    Case::new("max_pool2d", name, &[x], move |t| max_pool2d(&t[0], kernel, stride, padding))
}

fn name([n, h, w, c]: [usize; 4], [kh, kw]: [usize; 2], [sy, sx]: [usize; 2], padding: Padding) -> String {
    let Padding { top, bottom, left, right } = padding;
    format!("{kh}x{kw} s{sy}x{sx} p{top},{bottom},{left},{right} {n}x{h}x{w} c{c}")
}
