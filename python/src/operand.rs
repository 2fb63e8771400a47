//! What ops take, and how they are called.

use crate::errors::guarded;
use crate::recording::recorded_unless_paused;
use crate::tensor::PyTensor;
use minimax::{Device, Padding, Shape, Tensor};
use numpy::{Element, PyReadonlyArrayDyn, dtype};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A tensor, or what NumPy makes an array of: a constant.
pub enum Operand<'py> {
    /// The former.
    Tensor(Tensor),
    /// The latter.
    Array(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Operand<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Operand<'py>> {
        Ok(match object.cast::<PyTensor>() {
            Ok(tensor) => Operand::Tensor(tensor.get().0.clone()),
            Err(_) => Operand::Array(object.to_owned()),
        })
    }
}

/// A constant with the values of `operand`, on `device`.
pub fn tensor_of(operand: Operand, device: Device) -> PyResult<Tensor> {
    match operand {
        Operand::Tensor(tensor) => guarded(|| Ok(tensor.to(device))),
        Operand::Array(object) if device == Device::Reference => {
            let array = array::<f64>(&object)?;
            guarded(|| Ok(Tensor::new(array.as_slice().expect("it is contiguous"), shape(&array), device)))
        }
        Operand::Array(object) => {
            let array = array::<f32>(&object)?;
            guarded(|| Ok(Tensor::from_f32(array.as_slice().expect("it is contiguous"), shape(&array), device)))
        }
    }
}

/// The shape of `array`.
///
/// # Panics
/// If it has more axes than a tensor can have.
fn shape<T: Element>(array: &PyReadonlyArrayDyn<T>) -> Shape {
    Shape::new(array.as_array().shape())
}

/// `object` as a contiguous array, row-major, without a copy if it is one already.
pub fn array<'py, T: Element>(object: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let py = object.py();
    let options = PyDict::new(py);
    options.set_item("dtype", dtype::<T>(py))?;
    options.set_item("order", "C")?;
    py.import("numpy")?.call_method("asarray", (object,), Some(&options))?.extract()
}

/// What `op` makes of `inputs` on the device of the first tensor among them, or on `cpu` where all are arrays.
pub fn call<const N: usize, T: Send>(
    py: Python,
    inputs: [Operand; N],
    op: impl FnOnce([&Tensor; N]) -> T + Send,
) -> PyResult<T> {
    let inputs = on_one_device(inputs.into())?;
    let inputs: [&Tensor; N] = std::array::from_fn(|i| &inputs[i]);
    compute(py, || op(inputs))
}

/// `operands` as tensors, where arrays come to the device of the first tensor, or to `cpu` where all are arrays.
pub fn on_one_device(operands: Vec<Operand>) -> PyResult<Vec<Tensor>> {
    let device = operands.iter().find_map(|operand| match operand {
        Operand::Tensor(tensor) => Some(tensor.device()),
        Operand::Array(_) => None,
    });
    let tensors = operands.into_iter().map(|operand| match operand {
        Operand::Tensor(tensor) => Ok(tensor),
        array => tensor_of(array, device.unwrap_or(Device::Cpu)),
    });
    tensors.collect()
}

/// What `f` gives, while other Python threads may run.
pub fn compute<T: Send>(py: Python, f: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| guarded(|| Ok(recorded_unless_paused(f))))
}

/// What is said of an argument that is none of what it may be.
fn neither(may_be: &str, found: Borrowed<PyAny>) -> PyErr {
    match found.repr() {
        Ok(found) => PyTypeError::new_err(format!("{may_be}, not {found}")),
        Err(error) => error,
    }
}

/// An axis, or several; counted from the last where they are negative.
pub enum Axes {
    /// One.
    One(isize),
    /// Several.
    Many(Vec<isize>),
}

impl FromPyObject<'_, '_> for Axes {
    type Error = PyErr;

    fn extract(object: Borrowed<PyAny>) -> PyResult<Axes> {
        match (object.extract(), object.extract()) {
            (Ok(axis), _) => Ok(Axes::One(axis)),
            (_, Ok(axes)) => Ok(Axes::Many(axes)),
            _ => Err(neither("an axis or several", object)),
        }
    }
}

impl Axes {
    /// Those of a tensor of `rank` axes, all where none are said.
    ///
    /// # Panics
    /// If there is no such axis.
    pub fn resolve(axes: Option<Axes>, rank: usize) -> Vec<usize> {
        match axes {
            None => (0..rank).collect(),
            Some(Axes::One(axis)) => vec![self::axis(axis, rank)],
            Some(Axes::Many(axes)) => axes.into_iter().map(|axis| self::axis(axis, rank)).collect(),
        }
    }
}

/// The axis `axis` of `rank`, counted from the last if it is negative.
///
/// # Panics
/// If there is no such axis.
pub fn axis(axis: isize, rank: usize) -> usize {
    let counted = if axis < 0 { axis + rank as isize } else { axis };
    let is_there = usize::try_from(counted).is_ok_and(|axis| axis < rank);
    assert!(is_there, "axis {axis} of a tensor of {rank} axes");
    counted as usize
}

/// Rows and columns, or one number for both.
#[derive(Clone, Copy)]
pub struct Pair(pub [usize; 2]);

impl FromPyObject<'_, '_> for Pair {
    type Error = PyErr;

    fn extract(object: Borrowed<PyAny>) -> PyResult<Pair> {
        match (object.extract(), object.extract()) {
            (Ok(n), _) => Ok(Pair([n, n])),
            (_, Ok(pair)) => Ok(Pair(pair)),
            _ => Err(neither("a number, 0 at least, or (rows, columns)", object)),
        }
    }
}

/// Zeros around an image.
#[derive(Clone, Copy)]
pub enum Zeros {
    /// As TensorFlow's `same` has them.
    Same,
    /// As many as that.
    These(Padding),
}

impl Zeros {
    /// None.
    pub const NONE: Zeros = Zeros::These(Padding::VALID);

    /// Those for windows of the size `kernel` over images of the size `image`.
    pub fn around(self, image: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Padding {
        match self {
            Zeros::Same => Padding::same(image, kernel, stride),
            Zeros::These(padding) => padding,
        }
    }
}

impl FromPyObject<'_, '_> for Zeros {
    type Error = PyErr;

    fn extract(object: Borrowed<PyAny>) -> PyResult<Zeros> {
        if let Ok(name) = object.extract::<String>() {
            match &name[..] {
                "same" => return Ok(Zeros::Same),
                "valid" => return Ok(Zeros::NONE),
                _ => {}
            }
        }
        match (object.extract(), object.extract::<[[usize; 2]; 2]>()) {
            (Ok(zeros), _) => Ok(Zeros::These(Padding::symmetric(zeros))),
            (_, Ok([[top, bottom], [left, right]])) => Ok(Zeros::These(Padding { top, bottom, left, right })),
            _ => Err(neither("\"same\", \"valid\", a number or ((top, bottom), (left, right))", object)),
        }
    }
}
