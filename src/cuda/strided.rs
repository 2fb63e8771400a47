//! Copies between a strided view and contiguous memory: broadcast, permute, slice, pad and concat.

use super::buffer::Buffer;
use super::geometry::View;
use super::launch::Call;

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
