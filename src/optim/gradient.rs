//! What is done to all parameters or gradients of a network at once, besides an update.

use crate::cpu::TASK_LENGTH;
use crate::cpu::simd::widest;
use crate::cuda::tensors::Tensors;
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use rayon::prelude::*;

/// √Σg² over every value of `grads`, as a tensor of one value. Gradients on a CUDA device are summed there; others are summed
/// in f64, and the result is on the device `reference`.
///
/// ```
/// use minimax::{Device, Tensor, optim};
///
/// let mut x = Tensor::new(&[3.0, -4.0], [2], Device::Cpu);
/// assert_eq!(optim::norm(&[x.clone()]).item(), 5.0);
/// optim::clip(vec![&mut x], 1.0);
/// assert_eq!(x.to_f32(), [1.0, -1.0]);
/// assert!(optim::all_finite(&[&x]));
/// ```
pub fn norm(grads: &[Tensor]) -> Tensor {
    if let Some(norm) = norm_on_device(grads) {
        return norm;
    }
    let squares = |grad: &Tensor| -> f64 {
        match grad.storage() {
            Storage::Reference(values) => values.iter().map(|g| g * g).sum(),
            Storage::Cpu(values) => sum_of_squares(values),
            Storage::Cuda(_) => unreachable!("they are summed on the device"),
        }
    };
    Tensor::new(&[grads.iter().map(squares).sum::<f64>().sqrt()], [], Device::Reference)
}

/// Σv², task by task, so that threads change no bits.
fn sum_of_squares(values: &[f32]) -> f64 {
    const LANES: usize = 8;
    let of_task = |values: &[f32]| {
        widest(
            #[inline(always)]
            move || {
                let (chunks, rest) = values.as_chunks::<LANES>();
                let mut sums = [0.0; LANES];
                for chunk in chunks {
                    for (sum, &v) in sums.iter_mut().zip(chunk) {
                        *sum += f64::from(v) * f64::from(v);
                    }
                }
                let rest: f64 = rest.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
                sums.iter().sum::<f64>() + rest
            },
        )
    };
    let sums: Vec<f64> = values.par_chunks(TASK_LENGTH).map(of_task).collect();
    sums.iter().sum()
}

/// [`norm`] where the gradients are on a CUDA device; `None` elsewhere.
fn norm_on_device(grads: &[Tensor]) -> Option<Tensor> {
    let mut on_device = Tensors::new();
    for grad in grads {
        if let Storage::Cuda(values) = grad.storage() {
            on_device.push_read(values);
        }
    }
    let norm = on_device.norm()?;
    Some(Tensor::from_storage(Storage::Cuda(norm), []))
}

/// Clamps every value of `parameters` to [-limit, limit].
pub fn clip(parameters: Vec<&mut Tensor>, limit: f64) {
    let mut on_device = Tensors::new();
    for parameter in parameters {
        match parameter.storage_mut() {
            Storage::Reference(values) => {
                for value in values.iter_mut() {
                    *value = value.clamp(-limit, limit);
                }
            }
            Storage::Cpu(values) => {
                let limit = limit as f32;
                let values = values.par_chunks_mut(TASK_LENGTH);
                values.for_each(|values| values.iter_mut().for_each(|value| *value = value.clamp(-limit, limit)));
            }
            Storage::Cuda(values) => on_device.push_changed(values),
        }
    }
    on_device.launch(["gradient", "gradient_clip"], 0, |call, _| call.value(limit as f32));
}

/// Whether every value of `tensors` is a finite number.
pub fn all_finite(tensors: &[&Tensor]) -> bool {
    let mut on_device = Tensors::new();
    let mut finite = true;
    for tensor in tensors {
        finite &= match tensor.storage() {
            Storage::Reference(values) => values.iter().all(|v| v.is_finite()),
            Storage::Cpu(values) => values.iter().all(|v| v.is_finite()),
            Storage::Cuda(values) => {
                on_device.push_read(values);
                true
            }
        };
    }
    finite && on_device.all_finite()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Device;

    #[test]
    fn every_value_is_clipped_and_counted() {
        for device in [Device::Reference, Device::Cpu] {
            let mut a = Tensor::new(&[3.0, -0.25, -4.0], [3], device).parameter();
            let mut b = Tensor::new(&[12.0], [1], device).parameter();
            assert_eq!(norm(&[a.clone(), b.clone()]).item(), (169.0_f64 + 0.0625).sqrt());
            clip(vec![&mut a, &mut b], 0.5);
            assert_eq!(a.to_f64(), [0.5, -0.25, -0.5]);
            assert_eq!(b.to_f64(), [0.5]);
            assert!(a.requires_grad());
        }
    }
}
