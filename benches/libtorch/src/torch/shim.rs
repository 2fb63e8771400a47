//! What `shim.cpp` adds to tch.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr::null_mut;
use tch::Tensor;
use torch_sys::C_tensor;

/// A convolution's attributes as libtorch has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Rows and columns that the kernel moves by.
    pub stride: [i64; 2],
    /// On both sides of each axis.
    pub padding: [i64; 2],
    /// Whether it is a transposed one.
    pub transposed: bool,
    /// Rows and columns added at the far end of a transposed one's output.
    pub output_padding: [i64; 2],
}

/// Adam's hyperparameters, epsilon placed as the paper does.
#[derive(Clone, Copy, Debug)]
pub struct AdamSettings {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the moments.
    pub betas: [f64; 2],
    /// Added to the root.
    pub epsilon: f64,
}

unsafe extern "C" {
    fn yardstick_version() -> *const c_char;
    fn yardstick_leaky_relu(out: *mut *mut C_tensor, x: *const C_tensor, slope: f64) -> *const c_char;
    fn yardstick_convolution_backward(
        out: *mut *mut C_tensor,
        grad: *const C_tensor,
        x: *const C_tensor,
        weight: *const C_tensor,
        stride: *const i64,
        padding: *const i64,
        transposed: bool,
        output_padding: *const i64,
        want_input: bool,
    ) -> *const c_char;
    fn yardstick_batch_norm_backward(
        out: *mut *mut C_tensor,
        grad: *const C_tensor,
        x: *const C_tensor,
        gamma: *const C_tensor,
        mean: *const C_tensor,
        inverse_deviation: *const C_tensor,
        epsilon: f64,
    ) -> *const c_char;
    fn yardstick_fused_adam(
        parameters: *const *const C_tensor,
        grads: *const *const C_tensor,
        first: *const *const C_tensor,
        second: *const *const C_tensor,
        count: usize,
        step: f64,
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        epsilon: f64,
    ) -> *const c_char;
    fn yardstick_lerp(
        averages: *const *const C_tensor,
        weights: *const *const C_tensor,
        count: usize,
        share: f64,
    ) -> *const c_char;
    fn yardstick_read_mnist(out: *mut *mut C_tensor, folder: *const c_char) -> *const c_char;
}

/// libtorch's version.
pub fn version() -> String {
    // SAFETY: a string literal.
    unsafe { CStr::from_ptr(yardstick_version()) }.to_string_lossy().into_owned()
}

/// max(x, slope · x).
pub fn leaky_relu(x: &Tensor, slope: f64) -> Tensor {
    // SAFETY: x lives through the call.
    tensor(|out| unsafe { yardstick_leaky_relu(out, x.as_ptr(), slope) })
}

/// Of a convolution of `x` with `weight`, the gradient of `x` if `want_input`, else of `weight`.
pub fn convolution_backward(
    grad: &Tensor,
    x: &Tensor,
    weight: &Tensor,
    convolution: &Convolution,
    want_input: bool,
) -> Tensor {
    let Convolution { stride, padding, transposed, output_padding } = convolution;
    // SAFETY: tensors and pairs of numbers live through the call.
    tensor(|out| unsafe {
        yardstick_convolution_backward(
            out,
            grad.as_ptr(),
            x.as_ptr(),
            weight.as_ptr(),
            stride.as_ptr(),
            padding.as_ptr(),
            *transposed,
            output_padding.as_ptr(),
            want_input,
        )
    })
}

/// The input's gradient of batch norm, with gamma's and beta's computed too.
pub fn batch_norm_backward(
    grad: &Tensor,
    x: &Tensor,
    gamma: &Tensor,
    [mean, inverse_deviation]: [&Tensor; 2],
    epsilon: f64,
) -> Tensor {
    // SAFETY: the tensors live through the call.
    tensor(|out| unsafe {
        yardstick_batch_norm_backward(
            out,
            grad.as_ptr(),
            x.as_ptr(),
            gamma.as_ptr(),
            mean.as_ptr(),
            inverse_deviation.as_ptr(),
            epsilon,
        )
    })
}

/// Step number `step`, counted from 1, of libtorch's fused Adam.
///
/// # Panics
/// If the lists are not equally long.
pub fn fused_adam(
    settings: &AdamSettings,
    step: u64,
    parameters: &[Tensor],
    grads: &[Tensor],
    moments: [&[Tensor]; 2],
) {
    let lists = [parameters, grads, moments[0], moments[1]];
    assert!(lists.iter().all(|list| list.len() == parameters.len()), "fused_adam");
    let lists = lists.map(pointers);
    // SAFETY: each list holds as many pointers as is said, to tensors that live through the call.
    check(unsafe {
        yardstick_fused_adam(
            lists[0].as_ptr(),
            lists[1].as_ptr(),
            lists[2].as_ptr(),
            lists[3].as_ptr(),
            parameters.len(),
            step as f64,
            settings.learning_rate,
            settings.betas[0],
            settings.betas[1],
            settings.epsilon,
        )
    });
}

/// Moves each of `averages` towards its one of `weights` by `share` of the way.
///
/// # Panics
/// If the lists are not equally long.
pub fn lerp(averages: &[Tensor], weights: &[Tensor], share: f64) {
    assert_eq!(averages.len(), weights.len(), "lerp");
    let [averages, weights] = [averages, weights].map(pointers);
    // SAFETY: each list holds as many pointers as is said, to tensors that live through the call.
    check(unsafe { yardstick_lerp(averages.as_ptr(), weights.as_ptr(), averages.len(), share) });
}

fn pointers(tensors: &[Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(|t| t.as_ptr()).collect()
}

/// MNIST's training images `[n, 1, 28, 28]` in [0, 1], from plain IDX files.
pub fn read_mnist(folder: &Path) -> Tensor {
    let folder = CString::new(folder.as_os_str().as_encoded_bytes()).expect("no NUL in a path");
    // SAFETY: a string that lives through the call.
    tensor(|out| unsafe { yardstick_read_mnist(out, folder.as_ptr()) })
}

/// The tensor that `f` sets its argument to.
fn tensor(f: impl FnOnce(*mut *mut C_tensor) -> *const c_char) -> Tensor {
    let mut out = null_mut();
    check(f(&mut out));
    // SAFETY: without an error, `out` is a new tensor, which nobody else frees.
    unsafe { Tensor::from_ptr(out) }
}

/// Panics with libtorch's message, if there is one.
fn check(error: *const c_char) {
    if !error.is_null() {
        // SAFETY: a string of this thread's that lives until its next error.
        let message = unsafe { CStr::from_ptr(error) };
        panic!("libtorch: {}", message.to_string_lossy());
    }
}
