//! Bilinear resampling of images, as PyTorch's `interpolate(mode="bilinear", align_corners=False)` without
//! antialiasing: along each axis, output i of n' lies at place s of the n inputs, between two of them, whose values it
//! mixes,
//!
//! ```text
//! s = max((i + ½) n / n' - ½, 0)     y_i = (1 - t) x_a + t x_b,  a = ⌊s⌋, b = min(a + 1, n - 1), t = s - a
//! ```
//!
//! So an image twice as large mixes neighbours by ¼ and ¾, one half as large has the means of blocks of 2 × 2, and one
//! smaller by another even factor has the mean of the middle 2 × 2 of each block. The op is linear: its derivative rule
//! is its adjoint, whose rule is the op.

pub mod cpu;
pub mod cuda;
pub mod reference;

use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `x` `[n, h, w, c]` resampled to `[n, rows, columns, c]`, with `size` = `[rows, columns]`.
/// x̄ is [`bilinear_grad`] of ȳ.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[0.0, 4.0], [1, 1, 2, 1], Device::Cpu);
/// assert_eq!(ops::bilinear(&x, [1, 4]).to_f64(), [0.0, 1.0, 3.0, 4.0]);
/// ```
///
/// # Panics
/// If `x` doesn't have 4 axes or has no pixels, a size is 0, or the result has more values than could be in memory.
#[track_caller]
pub fn bilinear(x: &Tensor, size: [usize; 2]) -> Tensor {
    let &[n, h, w, c] = x.dims() else {
        panic!("bilinear: x {} must have 4 axes", x.shape());
    };
    let geometry = Geometry::new("bilinear", [n, h, w, c], size);
    let shape = geometry.output();
    let _span = span("bilinear", || Cost::pass(x.numel() + shape.numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::bilinear(x, &geometry)),
        Storage::Cpu(x) => Storage::Cpu(cpu::bilinear(x, &geometry)),
        Storage::Cuda(x) => Storage::Cuda(cuda::bilinear(x, &geometry)),
    };
    record(Bilinear { geometry }, &[x], shape, storage)
}

/// The adjoint of [`bilinear`] of images of `size` = `[h, w]`: from `grad` `[n, h', w', c]`, in the shape of bilinear's
/// result, the gradient `[n, h, w, c]` of its input. The gradient of `grad` is [`bilinear`] of ȳ.
///
/// # Panics
/// As [`bilinear`].
#[track_caller]
pub fn bilinear_grad(grad: &Tensor, size: [usize; 2]) -> Tensor {
    let &[n, out_h, out_w, c] = grad.dims() else {
        panic!("bilinear_grad: grad {} must have 4 axes", grad.shape());
    };
    let geometry = Geometry::new("bilinear_grad", [n, size[0], size[1], c], [out_h, out_w]);
    let shape = geometry.input();
    let _span = span("bilinear_grad", || Cost::pass(grad.numel() + shape.numel()));
    let storage = match grad.storage() {
        Storage::Reference(grad) => Storage::Reference(reference::bilinear_grad(grad, &geometry)),
        Storage::Cpu(grad) => Storage::Cpu(cpu::bilinear_grad(grad, &geometry)),
        Storage::Cuda(grad) => Storage::Cuda(cuda::bilinear_grad(grad, &geometry)),
    };
    record(BilinearGrad { geometry }, &[grad], shape, storage)
}

/// Sizes of both sides.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    n: usize,
    size: [usize; 2],
    c: usize,
    out: [usize; 2],
}

impl Geometry {
    #[track_caller]
    fn new(op: &str, [n, h, w, c]: [usize; 4], out: [usize; 2]) -> Geometry {
        assert!(
            h > 0 && w > 0 && out[0] > 0 && out[1] > 0,
            "{op}: images of {:?} and {out:?} must have pixels",
            [h, w]
        );
        let geometry = Geometry { n, size: [h, w], c, out };
        geometry.input();
        geometry.output();
        geometry
    }

    #[track_caller]
    fn input(&self) -> Shape {
        [self.n, self.size[0], self.size[1], self.c].into()
    }

    #[track_caller]
    fn output(&self) -> Shape {
        [self.n, self.out[0], self.out[1], self.c].into()
    }

    /// The taps along `axis`, 0 down and 1 along.
    fn taps(&self, axis: usize) -> Vec<Tap> {
        let [inputs, outputs] = [self.size[axis], self.out[axis]];
        (0..outputs).map(|i| Tap::new(i, inputs, outputs)).collect()
    }
}

/// What one output is made of along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tap {
    first: usize,
    second: usize,
    /// The share of the second.
    share: f64,
}

impl Tap {
    /// Output `i` of `outputs`. In whole numbers, s = ((2i + 1) n - n') / 2n'.
    fn new(i: usize, inputs: usize, outputs: usize) -> Tap {
        let place = ((2 * i + 1) * inputs).saturating_sub(outputs);
        let first = place / (2 * outputs);
        let share = (place % (2 * outputs)) as f64 / (2 * outputs) as f64;
        Tap { first, second: (first + 1).min(inputs - 1), share }
    }
}

struct Bilinear {
    geometry: Geometry,
}

impl Op for Bilinear {
    fn name(&self) -> &'static str {
        "bilinear"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(bilinear_grad(grad, self.geometry.size))]
    }
}

struct BilinearGrad {
    geometry: Geometry,
}

impl Op for BilinearGrad {
    fn name(&self) -> &'static str {
        "bilinear_grad"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(bilinear(grad, self.geometry.out))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_are_where_the_formula_has_them() {
        let tap = |first, second, share| Tap { first, second, share };
        // Twice as large, half as large, a third and a quarter.
        let taps = |inputs, outputs| (0..outputs).map(|i| Tap::new(i, inputs, outputs)).collect::<Vec<_>>();
        assert_eq!(taps(2, 4), [tap(0, 1, 0.0), tap(0, 1, 0.25), tap(0, 1, 0.75), tap(1, 1, 0.25)]);
        assert_eq!(taps(4, 2), [tap(0, 1, 0.5), tap(2, 3, 0.5)]);
        assert_eq!(taps(6, 2), [tap(1, 2, 0.0), tap(4, 5, 0.0)]);
        assert_eq!(taps(8, 2), [tap(1, 2, 0.5), tap(5, 6, 0.5)]);
        assert_eq!(taps(1, 3), [tap(0, 0, 0.0), tap(0, 0, 0.0), tap(0, 0, 1.0 / 3.0)]);
    }
}
