//! The output of the discriminator: how real an image looks and, in some games, which class it is of.

use crate::ops::slice;
use crate::tensor::Tensor;

/// D's output on a batch.
pub(super) struct Output {
    /// How real each image looks, `[n, 1]`.
    pub real: Tensor,
    /// The logits of each image's classes, `[n, classes]`, if D predicts them.
    pub classes: Option<Tensor>,
}

impl Output {
    /// The parts of `output`: `[n, 1]`, or `[n, 1 + classes]` where it has classes.
    pub fn of(output: Tensor, has_classes: bool) -> Output {
        if !has_classes {
            return Output { real: output, classes: None };
        }
        let [n, width] = [output.dims()[0], output.dims()[1]];
        Output { real: slice(&output, &[0..n, 0..1]), classes: Some(slice(&output, &[0..n, 1..width])) }
    }

    /// The same numbers without their history.
    pub fn detach(&self) -> Output {
        Output { real: self.real.detach(), classes: self.classes.as_ref().map(Tensor::detach) }
    }

    /// The outputs on the first half of the batch, and on the second.
    pub fn halves(&self) -> [Output; 2] {
        let half = |of: &Tensor, second: usize| {
            let n = of.dims()[0] / 2;
            slice(of, &[second * n..(second + 1) * n, 0..of.dims()[1]])
        };
        [0, 1].map(|second| Output {
            real: half(&self.real, second),
            classes: self.classes.as_ref().map(|classes| half(classes, second)),
        })
    }
}
