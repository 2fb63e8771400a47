//! The operators `+ - * /` between two tensors or a tensor and a number, and the sign `-`.
//!
//! ```
//! use minimax::{Device, Tensor};
//!
//! let x = Tensor::new(&[1.0, 2.0], [2], Device::Cpu);
//! assert_eq!((1.0 - &x * &x / 2.0).to_f64(), [0.5, -1.0]);
//! ```

use super::binary::scalar;
use super::{add, div, mul, neg, sub};
use crate::tensor::Tensor;

/// The operator of a function between tensors, owned or borrowed, and between tensors and numbers.
macro_rules! operator {
    ($trait:ident, $method:ident, $function:ident) => {
        operator!($trait, $method, &Tensor, &Tensor, |a, b| $function(a, b));
        operator!($trait, $method, &Tensor, Tensor, |a, b| $function(a, &b));
        operator!($trait, $method, Tensor, &Tensor, |a, b| $function(&a, b));
        operator!($trait, $method, Tensor, Tensor, |a, b| $function(&a, &b));
        operator!($trait, $method, &Tensor, f64, |a, b| $function(a, &scalar(b, a)));
        operator!($trait, $method, Tensor, f64, |a, b| $function(&a, &scalar(b, &a)));
        operator!($trait, $method, f64, &Tensor, |a, b| $function(&scalar(a, b), b));
        operator!($trait, $method, f64, Tensor, |a, b| $function(&scalar(a, &b), &b));
    };
    ($trait:ident, $method:ident, $left:ty, $right:ty, |$a:ident, $b:ident| $call:expr) => {
        /// # Panics
        /// If the shapes don't broadcast.
        impl std::ops::$trait<$right> for $left {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: $right) -> Tensor {
                let ($a, $b) = (self, other);
                $call
            }
        }
    };
}

operator!(Add, add, add);
operator!(Sub, sub, sub);
operator!(Mul, mul, mul);
operator!(Div, div, div);

impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        neg(self)
    }
}

impl std::ops::Neg for Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        neg(&self)
    }
}
