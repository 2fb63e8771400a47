//! Sums of the gradients that reach one tensor by several paths. A sum is made in the memory of the first gradient,
//! where nothing else holds that.

use super::add;
use crate::autograd::recording;
use crate::cpu::simd;
use crate::cuda;
use crate::cuda::tensors::Tensors;
use crate::profile::{Cost, span};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;

/// a + b, stored in the place of a where nothing else holds a and nothing is recorded.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub(crate) fn add_in_place(mut a: Tensor, b: &Tensor) -> Tensor {
    assert!(a.shape() == b.shape(), "add_in_place: shapes {} and {}", a.shape(), b.shape());
    if recording() {
        return add(&a, b);
    }
    match (a.own_storage(), b.storage()) {
        (Some(Storage::Reference(a)), Storage::Reference(b)) => {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        }
        (Some(Storage::Cpu(a)), Storage::Cpu(b)) => {
            let _span = span("add", || Cost::pass(3 * b.len()));
            simd::update(a, b, |a, b| a + b);
        }
        (Some(Storage::Cuda(a)), Storage::Cuda(b)) => {
            let _span = span("add", || Cost::pass(3 * b.len()));
            add_to(a, b);
        }
        _ => return add(&a, b),
    }
    a
}

/// The sum of each list of tensors of one shape, in order. On a CUDA device, where nothing else holds the first ones,
/// one launch adds the next tensor of every list to its sum. Nothing is recorded.
///
/// # Panics
/// If a list is empty or shapes in it differ.
#[track_caller]
pub(crate) fn sums(lists: Vec<Vec<Tensor>>) -> Vec<Tensor> {
    let mut rest: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut sums: Vec<Tensor> = rest.iter_mut().map(|list| list.next().expect("a list has a tensor")).collect();
    loop {
        let terms: Vec<_> = rest.iter_mut().map(Iterator::next).collect();
        if terms.iter().all(Option::is_none) {
            return sums;
        }
        let _span = span("add", || Cost::pass(3 * terms.iter().flatten().map(Tensor::numel).sum::<usize>()));
        let mut on_device = Tensors::new();
        for (sum, term) in sums.iter_mut().zip(&terms) {
            let Some(term) = term else { continue };
            if sum.own_storage().is_none() || !matches!(term.device(), Device::Cuda(_)) {
                *sum = add_in_place(sum.clone(), term);
            } else if let (Some(Storage::Cuda(sum)), Storage::Cuda(term)) = (sum.own_storage(), term.storage()) {
                on_device.push(sum, term, [None, None]);
            }
        }
        on_device.launch(["gradient", "gradient_add"], 0, |call, _| call);
    }
}

/// a ← a + b on a CUDA device.
fn add_to(a: &mut cuda::Buffer, b: &cuda::Buffer) {
    let n = a.len();
    cuda::launch::Call::new(a.context(), "binary", "binary_add")
        .read(a)
        .value(n as i32)
        .read(b)
        .value(n as i32)
        .write(a)
        .value(n as i32)
        .over(n);
}
