//! Random numbers as tensors: the numbers of a [`Random`] stream, the same on every device. They are constants, which
//! no gradient goes through.
//!
//! Random bits, and so uniform numbers, are equal everywhere. A normal number is r cos θ or r sin θ in f64, rounded to
//! f32; a CUDA device's functions round differently, so that there a few numbers may differ in their last bit.

pub mod cuda;

use crate::cuda::context;
use crate::random::Random;
use crate::shape::Shape;
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;

/// The next numbers of `random`, from the normal distribution N(0, 1).
///
/// ```
/// use minimax::random::{Purpose, Random};
/// use minimax::{Device, ops};
///
/// let mut random = Random::new(7, Purpose::named("latents"));
/// assert_eq!(ops::random_normal(&mut random, [16, 64], Device::Cpu).dims(), [16, 64]);
/// ```
pub fn random_normal(random: &mut Random, shape: impl Into<Shape>, device: Device) -> Tensor {
    let shape = shape.into();
    match device {
        Device::Cuda(ordinal) => {
            let position = random.reserve(shape.numel().next_multiple_of(2));
            let values = cuda::normal(position, shape.numel(), context(ordinal));
            Tensor::from_storage(Storage::Cuda(values), shape)
        }
        _ => Tensor::new(&random.normal(shape.numel()), shape, device),
    }
}

/// The next numbers of `random`, uniform on [0, 1).
pub fn random_uniform(random: &mut Random, shape: impl Into<Shape>, device: Device) -> Tensor {
    let shape = shape.into();
    match device {
        Device::Cuda(ordinal) => {
            let position = random.reserve(shape.numel());
            let values = cuda::uniform(position, shape.numel(), context(ordinal));
            Tensor::from_storage(Storage::Cuda(values), shape)
        }
        _ => Tensor::new(&random.uniform(shape.numel()), shape, device),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn tensors_hold_the_numbers_of_the_stream() {
        let mut random = Random::new(5, Purpose::CHECK);
        let mut numbers = random.clone();
        let x = random_normal(&mut random, [3, 3], Device::Reference);
        assert_eq!(x.to_f64(), numbers.normal(9));
        let u = random_uniform(&mut random, [5], Device::Reference);
        assert_eq!((u.to_f64(), random), (numbers.uniform(5), numbers));
    }
}
