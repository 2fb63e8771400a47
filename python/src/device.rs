//! Devices by name.

use crate::errors::{Error, guarded};
use minimax::{Device, cuda};
use pyo3::prelude::*;

/// The device of that name, which is there: `reference`, `cpu`, `cuda`, `cuda:1` ...
pub fn named(name: &str) -> PyResult<Device> {
    let device: Device = name.parse().map_err(|error| Error::new_err(format!("device {name:?}: {error}")))?;
    if let Device::Cuda(ordinal) = device {
        guarded(|| cuda::open(ordinal).map(drop))?;
    }
    Ok(device)
}

/// As [`named`], and for `auto` the first CUDA device, or `cpu` where there is none.
pub fn named_or_auto(name: &str) -> PyResult<Device> {
    match name {
        "auto" if cuda::count().is_ok() => Ok(Device::Cuda(0)),
        "auto" => Ok(Device::Cpu),
        name => named(name),
    }
}
