//! `--device`: which device a command computes on.

use crate::cuda;
use crate::storage::Device;
use crate::{Error, Result};
use std::str::FromStr;

/// What `--device` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The first CUDA device, or the processor where there is none.
    #[default]
    Auto,
    /// This one.
    Given(Device),
}

impl Choice {
    /// The device.
    ///
    /// # Errors
    /// If it is a CUDA device that isn't there.
    pub fn resolve(self) -> Result<Device> {
        match self {
            Choice::Auto if cuda::count().is_ok() => Ok(Device::Cuda(0)),
            Choice::Auto => Ok(Device::Cpu),
            Choice::Given(device) => {
                if let Device::Cuda(ordinal) = device {
                    cuda::open(ordinal)?;
                }
                Ok(device)
            }
        }
    }
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Choice> {
        match name {
            "auto" => Ok(Choice::Auto),
            name => name.parse().map(Choice::Given),
        }
    }
}

/// The device's name with what tells it apart: `cuda:0 (NVIDIA H200)`.
///
/// # Errors
/// If it is a CUDA device that isn't there.
pub fn described(device: Device) -> Result<String> {
    match device {
        Device::Cuda(ordinal) => Ok(format!("{device} ({})", cuda::open(ordinal)?.name())),
        device => Ok(device.to_string()),
    }
}
