//! The extension module `minimax._minimax`, of which the Python package `minimax` is made.
//!
//! | file | what |
//! |---|---|
//! | `tensor.rs` | the class `Tensor`: from NumPy and, without a copy, to it; operators |
//! | `operand.rs` | what ops take: tensors and arrays, axes, pairs, paddings |
//! | `ops/` | a function for each op |
//! | `gradients.rs` | `grad`, `vjp` and the gradient check of a Python function |
//! | `recording.rs` | `no_grad` |
//! | `generator.rs` | `load`, and samples |
//! | `train/` | `train` and `resume`, with a callback each epoch |
//! | `device.rs`, `errors.rs` | devices by name; errors and panics as exceptions |

mod device;
mod errors;
mod generator;
mod gradients;
mod operand;
mod ops;
mod recording;
mod tensor;
mod train;

#[pyo3::pymodule]
mod _minimax {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::generator::{Generator, load};
    #[pymodule_export]
    use crate::gradients::{grad, gradcheck, vjp};
    #[pymodule_export]
    use crate::ops::elementwise::{
        abs, add, clamp, div, dropout, elu, equal, erf, exp, gelu, greater, greater_equal, leaky_relu, log, maximum,
        minimum, mul, neg, pow, relu, select, sigmoid, silu, softplus, sqrt, square, sub, tanh,
    };
    #[pymodule_export]
    use crate::ops::images::{
        avg_pool2d, avg_pool2d_grad, bilinear, bilinear_grad, max_pool2d, upsample_nearest, upsample_nearest_grad,
    };
    #[pymodule_export]
    use crate::ops::layout::{broadcast_to, concat, gather, one_hot, pad, permute, reshape, scatter_add, slice, stack};
    #[pymodule_export]
    use crate::ops::losses::{
        binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, mean_squared_error, wasserstein,
    };
    #[pymodule_export]
    use crate::ops::products::{batched_matmul, conv_transpose2d, conv2d, conv2d_weight_grad, dense, matmul};
    #[pymodule_export]
    use crate::ops::reductions::{
        argmax, batch_norm, batch_norm_evaluate, log_softmax, max, mean, softmax, sum, sum_to,
    };
    #[pymodule_export]
    use crate::recording::{pause_recording, resume_recording};
    #[pymodule_export]
    use crate::tensor::PyTensor;
    #[pymodule_export]
    use crate::train::{Run, resume, train};

    #[pymodule_init]
    fn init(module: &Bound<PyModule>) -> PyResult<()> {
        crate::errors::quieten_panics();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("Error", module.py().get_type::<crate::errors::Error>())
    }
}
