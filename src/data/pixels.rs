//! Conversion between bytes, as data sets and pictures have them, and numbers, as networks have them.

use crate::cpu::{TASK_LENGTH, pool};
use crate::cuda;
use crate::cuda::launch::Call;
use crate::shape::Shape;
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use rayon::prelude::*;

/// Bytes as a tensor: 0 becomes the lower and 255 the upper end of `range`.
///
/// # Panics
/// If the number of bytes is not that of the values in `shape`.
pub fn to_tensor(bytes: &[u8], shape: Shape, range: [f64; 2], device: Device) -> Tensor {
    let table = table(range);
    let value = |&byte: &u8| table[usize::from(byte)];
    let storage = match device {
        Device::Reference => Storage::Reference(bytes.iter().map(|byte| f64::from(value(byte))).collect()),
        Device::Cpu => {
            let mut buffer = pool::Buffer::unspecified(bytes.len());
            let to = buffer.par_chunks_mut(TASK_LENGTH);
            to.zip(bytes.par_chunks(TASK_LENGTH)).for_each(|(to, from)| {
                let values = from.iter().map(value);
                to.iter_mut().zip(values).for_each(|(to, value)| *to = value);
            });
            Storage::Cpu(buffer)
        }
        Device::Cuda(ordinal) => {
            let context = cuda::context(ordinal);
            let table = cuda::Buffer::from_slice(&table, context);
            let from = cuda::Buffer::from_bytes(bytes, context);
            Storage::Cuda(to_floats(&from, 0, &table, bytes.len()))
        }
    };
    Tensor::from_storage(storage, shape)
}

/// Looks up each of `len` bytes, from `offset` on, in a `table` of 256 values, on the CUDA device of both
/// (kernels/pixels.cu). `offset` is a multiple of 4.
///
/// # Panics
/// If there are fewer bytes, if the table has another size, or if the two are on different devices.
pub(crate) fn to_floats(bytes: &cuda::Buffer, offset: usize, table: &cuda::Buffer, len: usize) -> cuda::Buffer {
    let there = (4 * bytes.len()).checked_sub(offset);
    assert!(
        table.len() == 256 && offset.is_multiple_of(4) && Some(len) <= there,
        "pixels: {len} bytes from {offset} on of {}, by a table of {}",
        4 * bytes.len(),
        table.len()
    );
    let mut values = cuda::Buffer::unspecified(len, table.context());
    let kernel = Call::new(table.context(), "pixels", "pixels_to_floats");
    kernel.read_from(bytes, offset).read(table).write(&mut values).value(len as i32).over(len.div_ceil(4));
    values
}

/// The number for each byte.
pub fn table([low, high]: [f64; 2]) -> [f32; 256] {
    std::array::from_fn(|byte| (low + (high - low) * byte as f64 / 255.0) as f32)
}

/// The nearest byte to each value; values outside of the range are clamped to its ends.
pub fn to_bytes(x: &Tensor, [low, high]: [f64; 2]) -> Vec<u8> {
    let byte = |v: f32| ((f64::from(v) - low) / (high - low) * 255.0).round() as u8;
    x.to_f32().into_iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_from_both_ranges() {
        let bytes: Vec<u8> = (0..=255).collect();
        for range in [[-1.0, 1.0], [0.0, 1.0]] {
            let x = to_tensor(&bytes, [256].into(), range, Device::Cpu);
            assert_eq!((x.to_f32()[0], x.to_f32()[255]), (range[0] as f32, range[1] as f32));
            assert_eq!(to_bytes(&x, range), bytes);
        }
        let beyond = Tensor::new(&[-7.0, 7.0], [2], Device::Cpu);
        assert_eq!(to_bytes(&beyond, [-1.0, 1.0]), [0, 255]);
    }
}
