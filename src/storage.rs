//! The memory in which a tensor's values are, with one variant for each kind of device.

use crate::cpu::pool::Buffer;
use crate::cuda;
use crate::memory::attempt;
use crate::unwind::unwind;
use crate::{Error, Result};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

/// What computes: the processor, in either of two ways, or an NVIDIA GPU. The device fixes the element type, so tensors
/// need no type parameter.
///
/// ```
/// use minimax::{Device, Tensor};
///
/// let third = |device| (Tensor::ones([], device) / 3.0).item();
/// assert_eq!(third(Device::Reference), 1.0 / 3.0);
/// assert_eq!(third(Device::Cpu), f64::from(1.0_f32 / 3.0));
/// assert_eq!("cuda:1".parse::<Device>()?, Device::Cuda(1));
/// # Ok::<(), minimax::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The processor in plain loops and f64: the oracle that the others are checked against.
    Reference,
    /// The processor in f32, with SIMD and threads.
    Cpu,
    /// An NVIDIA GPU in f32, by its number: 0, 1, ...
    Cuda(usize),
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(name: &str) -> Result<Device> {
        match name {
            "reference" => Ok(Device::Reference),
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda(0)),
            _ => {
                let ordinal = name.strip_prefix("cuda:").and_then(|n| n.parse().ok());
                ordinal.map(Device::Cuda).ok_or_else(|| {
                    let known = "an NVIDIA GPU is cuda, or cuda:1 for the second; the processor is \
                                 cpu, and reference is plain loops on it";
                    Error::Usage(format!("no such device; {known}"))
                })
            }
        }
    }
}

impl Device {
    /// The device's name, with the model if it is a GPU: `cuda:0 (NVIDIA H200)`.
    ///
    /// # Errors
    /// If it is a CUDA device that doesn't exist.
    pub fn described(self) -> Result<String> {
        match self {
            Device::Cuda(ordinal) => Ok(format!("{self} ({})", cuda::open(ordinal)?.name())),
            device => Ok(device.to_string()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Reference => f.write_str("reference"),
            Device::Cpu => f.write_str("cpu"),
            Device::Cuda(ordinal) => write!(f, "cuda:{ordinal}"),
        }
    }
}

// ANCHOR: storage
/// The values of a tensor, in row-major order.
///
/// The functions that make one panic if the device doesn't exist or its memory is full; within
/// [`catch`](crate::unwind::catch) that is an [`Error`] instead.
#[derive(Clone, Debug)]
pub enum Storage {
    /// On [`Device::Reference`].
    Reference(Vec<f64>),
    /// On [`Device::Cpu`].
    Cpu(Buffer),
    /// On [`Device::Cuda`].
    Cuda(cuda::Buffer),
}
// ANCHOR_END: storage

impl Storage {
    /// `values`, rounded to what `device` holds.
    #[track_caller]
    pub fn from_f64(values: &[f64], device: Device) -> Storage {
        match device {
            Device::Reference => Storage::Reference(values.to_vec()),
            Device::Cpu => {
                let mut buffer = Buffer::unspecified(values.len());
                for (to, &from) in buffer.iter_mut().zip(values) {
                    *to = from as f32;
                }
                Storage::Cpu(buffer)
            }
            Device::Cuda(_) => {
                let values: Vec<f32> = values.iter().map(|&v| v as f32).collect();
                Storage::from_f32(&values, device)
            }
        }
    }

    /// `values`, which every device holds exactly.
    #[track_caller]
    pub fn from_f32(values: &[f32], device: Device) -> Storage {
        match device {
            Device::Reference => Storage::Reference(values.iter().map(|&v| f64::from(v)).collect()),
            Device::Cpu => Storage::Cpu(Buffer::from(values)),
            Device::Cuda(ordinal) => Storage::Cuda(cuda::Buffer::from_slice(values, cuda::context(ordinal))),
        }
    }

    /// `len` times `value`.
    #[track_caller]
    pub fn full(len: usize, value: f64, device: Device) -> Storage {
        match device {
            Device::Reference => {
                let mut values = Vec::new();
                if attempt(|| values.try_reserve_exact(len)).is_err() {
                    unwind(Error::Memory { bytes: len.saturating_mul(8) });
                }
                values.resize(len, value);
                Storage::Reference(values)
            }
            Device::Cpu => Storage::Cpu(Buffer::full(len, value as f32)),
            Device::Cuda(ordinal) => Storage::Cuda(cuda::Buffer::full(len, value as f32, cuda::context(ordinal))),
        }
    }

    /// One `value` that nobody changes. A CUDA device makes each number once and keeps it: a step that computes with
    /// numbers then launches nothing for them.
    #[track_caller]
    pub(crate) fn constant(value: f64, device: Device) -> Arc<Storage> {
        /// By device and bits.
        type Kept = HashMap<(usize, u32), Arc<Storage>>;
        static KEPT: Mutex<Option<Kept>> = Mutex::new(None);
        /// Numbers that differ from step to step would fill the device.
        const MOST: usize = 1024;
        let make = || Arc::new(Storage::full(1, value, device));
        let Device::Cuda(ordinal) = device else {
            return make();
        };
        let key = (ordinal, (value as f32).to_bits());
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get_or_insert_default();
        if let Some(constant) = kept.get(&key) {
            return Arc::clone(constant);
        }
        let constant = make();
        // What a captured step makes is not there before its first replay.
        if !cuda::context(ordinal).is_capturing() {
            if kept.len() == MOST {
                kept.clear();
            }
            kept.insert(key, Arc::clone(&constant));
        }
        constant
    }

    /// Whose values these are.
    pub fn device(&self) -> Device {
        match self {
            Storage::Reference(_) => Device::Reference,
            Storage::Cpu(_) => Device::Cpu,
            Storage::Cuda(values) => Device::Cuda(values.context().ordinal()),
        }
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Storage::Reference(values) => values.len(),
            Storage::Cpu(values) => values.len(),
            Storage::Cuda(values) => values.len(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy in f64.
    #[track_caller]
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Storage::Reference(values) => values.clone(),
            Storage::Cpu(values) => values.iter().map(|&v| f64::from(v)).collect(),
            Storage::Cuda(values) => values.to_vec().into_iter().map(f64::from).collect(),
        }
    }

    /// A copy in f32.
    #[track_caller]
    pub fn to_f32(&self) -> Vec<f32> {
        match self {
            Storage::Reference(values) => values.iter().map(|&v| v as f32).collect(),
            Storage::Cpu(values) => values.to_vec(),
            Storage::Cuda(values) => values.to_vec(),
        }
    }
}
