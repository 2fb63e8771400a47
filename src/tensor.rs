//! `Tensor`: a shape, its values, and the record of how they were computed.
//!
//! A tensor is immutable and cheap to clone (two reference counts). Its values are always contiguous and row-major: the
//! last axis is the fastest. The operations on tensors are in [`crate::ops`], one module per family; this file has only
//! what makes a tensor and what reads it.
//!
//! Where a device doesn't exist, is lost or has no memory left, making, reading or computing values panics with a
//! message that says so; within [`catch`](crate::unwind::catch) it is an [`Error`](crate::Error) instead.

use crate::autograd::Node;
use crate::shape::Shape;
use crate::storage::{Device, Storage};
use std::fmt;
use std::sync::Arc;

/// An array of numbers on a device, and, if it depends on a parameter, the record of how it was computed.
///
/// ```
/// use minimax::{Device, Tensor};
/// let x = Tensor::new(&[1.0, 2.0, 3.0, 4.0], [2, 2], Device::Cpu);
/// assert_eq!((&x + 10.0).sum(0).to_f64(), [24.0, 26.0]);
/// ```
// ANCHOR: tensor
#[derive(Clone)]
pub struct Tensor {
    shape: Shape,
    storage: Arc<Storage>,
    pub(crate) node: Option<Arc<Node>>,
}
// ANCHOR_END: tensor

impl Tensor {
    /// A tensor of `values`, rounded to the element type of `device`.
    ///
    /// # Panics
    /// If that is not the number of values that `shape` holds.
    #[track_caller]
    pub fn new(values: &[f64], shape: impl Into<Shape>, device: Device) -> Tensor {
        Tensor::from_storage(Storage::from_f64(values, device), shape)
    }

    /// A tensor of f32 `values`.
    ///
    /// # Panics
    /// If that is not the number of values that `shape` holds.
    #[track_caller]
    pub fn from_f32(values: &[f32], shape: impl Into<Shape>, device: Device) -> Tensor {
        Tensor::from_storage(Storage::from_f32(values, device), shape)
    }

    /// A tensor full of `value`.
    #[track_caller]
    pub fn full(value: f64, shape: impl Into<Shape>, device: Device) -> Tensor {
        let shape = shape.into();
        Tensor::from_storage(Storage::full(shape.numel(), value, device), shape)
    }

    /// The number `value` as a constant of shape `[]`.
    #[track_caller]
    pub(crate) fn constant(value: f64, device: Device) -> Tensor {
        Tensor::from_parts(Shape::new(&[]), Storage::constant(value, device), None)
    }

    /// A tensor of zeros.
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>, device: Device) -> Tensor {
        Tensor::full(0.0, shape, device)
    }

    /// A tensor of ones.
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>, device: Device) -> Tensor {
        Tensor::full(1.0, shape, device)
    }

    /// The whole numbers from 0 up to, but not including, `end`, of shape `[end]`.
    #[track_caller]
    pub fn arange(end: usize, device: Device) -> Tensor {
        let values: Vec<f64> = (0..end).map(|i| i as f64).collect();
        Tensor::new(&values, [end], device)
    }

    /// A tensor of the values in `storage`.
    ///
    /// # Panics
    /// If that is not the number of values that `shape` holds.
    #[track_caller]
    pub fn from_storage(storage: Storage, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        assert!(
            storage.len() == shape.numel(),
            "tensor: shape {shape} holds {} values, not {}",
            shape.numel(),
            storage.len()
        );
        Tensor::from_parts(shape, Arc::new(storage), None)
    }

    pub(crate) fn from_parts(shape: Shape, storage: Arc<Storage>, node: Option<Arc<Node>>) -> Tensor {
        Tensor { shape, storage, node }
    }

    /// The same values as a parameter: a leaf that gradients are asked for.
    pub fn parameter(&self) -> Tensor {
        Tensor { node: Some(Node::leaf()), ..self.detach() }
    }

    /// The same values without their history: a constant.
    pub fn detach(&self) -> Tensor {
        Tensor { node: None, ..self.clone() }
    }

    /// True if gradients reach this tensor: it is a parameter or was computed from one.
    pub fn requires_grad(&self) -> bool {
        self.node.is_some()
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The lengths of the axes.
    pub fn dims(&self) -> &[usize] {
        self.shape.dims()
    }

    /// The number of values.
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// The device that its values are on.
    pub fn device(&self) -> Device {
        self.storage.device()
    }

    /// The values as the device holds them; [`to_f64`](Tensor::to_f64) copies them out.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(crate) fn shared_storage(&self) -> Arc<Storage> {
        Arc::clone(&self.storage)
    }

    /// The values, to be changed in place by an optimiser. If a recorded computation still needs the old values, it
    /// keeps them and this tensor gets a copy. The number of values must stay the same.
    pub(crate) fn storage_mut(&mut self) -> &mut Storage {
        Arc::make_mut(&mut self.storage)
    }

    /// The values, to be changed in place, if the tensor is a constant and nothing else shares its values.
    pub(crate) fn own_storage(&mut self) -> Option<&mut Storage> {
        match self.node {
            None => Arc::get_mut(&mut self.storage),
            Some(_) => None,
        }
    }

    /// Takes the values of `value` and stays a parameter or a constant as before. A recorded computation that still
    /// needs the old values keeps them. On a CUDA device the new values are copied to the old address, as a captured
    /// step requires, unless something else shares the old ones.
    ///
    /// # Panics
    /// If the shapes or the devices differ, or if this tensor was computed from a parameter, as its record has its
    /// values.
    #[track_caller]
    pub fn assign(&mut self, value: Tensor) {
        assert!(
            self.shape == value.shape && self.device() == value.device(),
            "assign: {} on {} for {} on {}",
            value.shape,
            value.device(),
            self.shape,
            self.device()
        );
        assert!(self.node.as_ref().is_none_or(|node| node.is_leaf()), "assign: to a tensor that was computed");
        match (Arc::get_mut(&mut self.storage), value.storage()) {
            (Some(Storage::Cuda(own)), Storage::Cuda(values)) => own.copy_from(values),
            _ => self.storage = value.storage,
        }
    }

    /// A constant with the same values on `device`.
    #[track_caller]
    pub fn to(&self, device: Device) -> Tensor {
        if device == self.device() {
            return self.detach();
        }
        Tensor::new(&self.to_f64(), self.shape, device)
    }

    /// A copy of the values in f64.
    #[track_caller]
    pub fn to_f64(&self) -> Vec<f64> {
        self.storage.to_f64()
    }

    /// A copy of the values in f32.
    #[track_caller]
    pub fn to_f32(&self) -> Vec<f32> {
        self.storage.to_f32()
    }

    /// The value of a tensor that holds a single one.
    ///
    /// # Panics
    /// If it holds several values or none.
    #[track_caller]
    pub fn item(&self) -> f64 {
        assert!(self.numel() == 1, "item: shape {} holds {} values, not one", self.shape, self.numel());
        match self.storage() {
            Storage::Reference(values) => values[0],
            Storage::Cpu(values) => f64::from(values[0]),
            Storage::Cuda(values) => f64::from(values.to_vec()[0]),
        }
    }
}

/// Only the first values are shown: `Tensor [2, 4] on cpu from add: [0.5, -1.0, 2.0, 0.0, 1.0, 3.5, ..]`.
impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 6;
        write!(f, "Tensor {} on {}", self.shape, self.device())?;
        if let Some(node) = &self.node {
            write!(f, " from {}", node.name())?;
        }
        f.write_str(": ")?;
        let mut list = f.debug_list();
        match self.storage() {
            Storage::Reference(values) => list.entries(values.iter().take(SHOWN)),
            Storage::Cpu(values) => list.entries(values.iter().take(SHOWN)),
            Storage::Cuda(values) => list.entries(values.to_vec().iter().take(SHOWN)),
        };
        match self.numel() > SHOWN {
            true => list.finish_non_exhaustive(),
            false => list.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_shape_device_origin_and_the_first_values() {
        let x = Tensor::new(&[0.1, -1.0], [2], Device::Cpu);
        assert_eq!(format!("{x:?}"), "Tensor [2] on cpu: [0.1, -1.0]");
        let y = Tensor::ones([2, 4], Device::Reference).parameter();
        let shown = "Tensor [2, 4] on reference from parameter: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, ..]";
        assert_eq!(format!("{y:?}"), shown);
    }
}
