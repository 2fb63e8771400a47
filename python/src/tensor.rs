//! The class `Tensor`.

use crate::device;
use crate::operand::{Operand, call, compute, tensor_of};
use minimax::ops::{self, Transpose};
use minimax::storage::Storage;
use minimax::{Device, Tensor};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// An array of numbers on a device, and, if it depends on a parameter, the record of its making.
///
/// Tensor(array, device="cpu", requires_grad=False) takes the values of a NumPy array, of whatever NumPy makes an array
/// of, or of another tensor. They are float64 on "reference" (plain loops, the oracle) and float32 on "cpu" and "cuda".
/// A tensor is never changed. With requires_grad it is a parameter: minimax.grad gives gradients with respect to it.
#[pyclass(name = "Tensor", module = "minimax", frozen)]
pub struct PyTensor(pub Tensor);

impl From<Tensor> for PyTensor {
    fn from(tensor: Tensor) -> PyTensor {
        PyTensor(tensor)
    }
}

#[pymethods]
impl PyTensor {
    #[new]
    #[pyo3(signature = (array, device="cpu", requires_grad=false))]
    fn new(array: Operand, device: &str, requires_grad: bool) -> PyResult<PyTensor> {
        let tensor = tensor_of(array, device::named(device)?)?;
        Ok(PyTensor(if requires_grad { tensor.parameter() } else { tensor }))
    }

    /// The values as a NumPy array: read-only, and without a copy unless they are on a CUDA device. The array keeps them
    /// alive.
    pub fn numpy<'py>(slf: &Bound<'py, PyTensor>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tensor = &slf.get().0;
        let here = match tensor.device() {
            Device::Cuda(_) => Bound::new(py, PyTensor(compute(py, || tensor.to(Device::Cpu))?))?,
            _ => slf.clone(),
        };
        py.import("numpy")?.call_method1("asarray", (here,))
    }

    /// What NumPy makes an array of without a copy: where the values are, and that they are not to be written to.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (address, bytes) = match self.0.storage() {
            Storage::Reference(values) => (values.as_ptr() as usize, 8),
            Storage::Cpu(values) => (values.as_ptr() as usize, 4),
            Storage::Cuda(_) => {
                let what = format!("the values are on {}; .numpy() copies them", self.0.device());
                return Err(PyTypeError::new_err(what));
            }
        };
        let order = if cfg!(target_endian = "little") { '<' } else { '>' };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", self.shape(py)?)?;
        interface.set_item("typestr", format!("{order}f{bytes}"))?;
        interface.set_item("data", (address, true))?;
        Ok(interface)
    }

    /// Has NumPy leave `array + tensor` and the like to the tensor.
    #[classattr]
    fn __array_ufunc__() -> Option<bool> {
        None
    }

    /// The lengths of its axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.dims())
    }

    /// The number of axes.
    #[getter]
    fn ndim(&self) -> usize {
        self.0.dims().len()
    }

    /// The number of values.
    #[getter]
    fn size(&self) -> usize {
        self.0.numel()
    }

    /// Where its values are: "reference", "cpu", "cuda:0" ...
    #[getter]
    fn device(&self) -> String {
        self.0.device().to_string()
    }

    /// Whether gradients reach it: it is a parameter, or was computed from one.
    #[getter]
    fn requires_grad(&self) -> bool {
        self.0.requires_grad()
    }

    /// The value of a tensor that holds one.
    fn item(&self, py: Python) -> PyResult<f64> {
        compute(py, || self.0.item())
    }

    /// The same values without their history: a constant.
    fn detach(&self) -> PyTensor {
        PyTensor(self.0.detach())
    }

    /// A constant with the same values on that device.
    fn to(&self, py: Python, device: &str) -> PyResult<PyTensor> {
        let device = device::named(device)?;
        compute(py, || self.0.to(device).into())
    }

    fn __float__(&self, py: Python) -> PyResult<f64> {
        self.item(py)
    }

    /// Whether the one value that it holds is other than 0.
    fn __bool__(&self, py: Python) -> PyResult<bool> {
        Ok(self.item(py)? != 0.0)
    }

    fn __repr__(slf: &Bound<PyTensor>) -> PyResult<String> {
        let py = slf.py();
        let options = PyDict::new(py);
        options.set_item("separator", ", ")?;
        options.set_item("prefix", "Tensor(")?;
        let values = PyTensor::numpy(slf)?;
        let values = py.import("numpy")?.call_method("array2string", (values,), Some(&options))?;
        let tensor = slf.get();
        let requires_grad = if tensor.requires_grad() { ", requires_grad=True" } else { "" };
        Ok(format!("Tensor({values}, device={:?}{requires_grad})", tensor.device()))
    }

    fn __neg__(&self, py: Python) -> PyResult<PyTensor> {
        compute(py, || ops::neg(&self.0).into())
    }

    fn __add__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [self.operand(), other], |[a, b]| ops::add(a, b).into())
    }

    fn __radd__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [other, self.operand()], |[a, b]| ops::add(a, b).into())
    }

    fn __sub__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [self.operand(), other], |[a, b]| ops::sub(a, b).into())
    }

    fn __rsub__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [other, self.operand()], |[a, b]| ops::sub(a, b).into())
    }

    fn __mul__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [self.operand(), other], |[a, b]| ops::mul(a, b).into())
    }

    fn __rmul__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [other, self.operand()], |[a, b]| ops::mul(a, b).into())
    }

    fn __truediv__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [self.operand(), other], |[a, b]| ops::div(a, b).into())
    }

    fn __rtruediv__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [other, self.operand()], |[a, b]| ops::div(a, b).into())
    }

    /// The product of two matrices or, of three axes each, of every two in turn.
    fn __matmul__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [self.operand(), other], product)
    }

    fn __rmatmul__(&self, py: Python, other: Operand) -> PyResult<PyTensor> {
        call(py, [other, self.operand()], product)
    }
}

impl PyTensor {
    fn operand(&self) -> Operand<'static> {
        Operand::Tensor(self.0.clone())
    }
}

fn product([a, b]: [&Tensor; 2]) -> PyTensor {
    match a.dims().len() {
        3 => ops::batched_matmul(a, b, Transpose::NONE).into(),
        _ => ops::matmul(a, b, Transpose::NONE).into(),
    }
}
