//! Copies between a strided view and contiguous memory: broadcast, permute, slice, pad and concat.

use super::buffer::Buffer;
use super::driver::Address;
use super::geometry::View;
use super::launch::Call;
use bytemuck::NoUninit;

/// Numbers that [`side_by_side`] takes at most.
pub const MAX_NUMBERS: usize = 8;

/// Where they lie.
#[repr(C)]
#[derive(Clone, Copy, Debug, NoUninit)]
struct Numbers {
    at: [Address; MAX_NUMBERS],
}

/// to = the values of the view `from` into `values`, in order.
pub fn gather(values: &Buffer, from: View, to: &mut Buffer) {
    let (view, length, name) = match from.merged().in_fours() {
        Some(fours) => (fours, to.len() / 4, "strided_gather_fours"),
        None => (from.merged(), to.len(), "strided_gather"),
    };
    copy(name, values, view, to, length);
}

/// Writes `values`, in order, to the view `into` into `to`; the rest of `to` stays as it is.
pub fn scatter(values: &Buffer, into: View, to: &mut Buffer) {
    let (view, length, name) = match into.merged().in_fours() {
        Some(fours) => (fours, values.len() / 4, "strided_scatter_fours"),
        None => (into.merged(), values.len(), "strided_scatter"),
    };
    copy(name, values, view, to, length);
}

fn copy(name: &'static str, from: &Buffer, view: View, to: &mut Buffer, length: usize) {
    let kernel = Call::new(from.context(), "strided", name);
    kernel.read(from).value(view).write(to).value(length as i32).over(length);
}

/// to = the first values of some buffers, in order.
///
/// # Panics
/// If there are more of them than [`MAX_NUMBERS`], or than `to` has values.
pub fn side_by_side(buffers: &[&Buffer], to: &mut Buffer) {
    assert!(buffers.len() <= MAX_NUMBERS.min(to.len()), "side_by_side: {} numbers", buffers.len());
    let mut numbers = Numbers { at: [0; MAX_NUMBERS] };
    for (at, buffer) in numbers.at.iter_mut().zip(buffers) {
        *at = buffer.address();
    }
    let call = Call::new(to.context(), "strided", "strided_numbers").value(numbers);
    let call = buffers.iter().fold(call, |call, buffer| call.uses(buffer.address()));
    let count = buffers.len();
    call.write(to).value(count as i32).grid([1, 1, 1], 1, 0);
}
