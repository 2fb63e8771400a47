//! `--device`, `--precision`, `--threads` and `--isa`: on what and how a command computes.

use super::{MOST_THREADS, set_threads, whole};
use crate::cpu::isa::{self, InstructionSet};
use crate::cuda;
use crate::storage::Device;
use crate::{Error, Result};
use clap::{Args, ValueEnum};
use std::fmt;
use std::str::FromStr;

/// The device flags of commands that run on any device.
#[derive(Args, Debug)]
pub struct Compute {
    /// Where to compute: auto (the first CUDA device, else the processor), cpu, cuda, cuda:1, or reference (f64, plain
    /// loops)
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: Choice,
    /// How the processor computes its part.
    #[command(flatten)]
    pub processor: Processor,
}

/// How the processor computes.
#[derive(Args, Debug)]
pub struct Processor {
    /// Number of threads; the results don't depend on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=MOST_THREADS))]
    pub threads: Option<usize>,
    /// Instruction set of the processor's kernels; the results don't depend on it
    #[arg(long, value_enum, default_value_t, value_name = "SET")]
    pub isa: Isa,
}

impl Processor {
    /// Applies the flags to this process; to be called once, before anything is computed.
    ///
    /// # Errors
    /// If this processor doesn't have the instruction set, or the system gives no threads.
    pub fn set(&self) -> Result<()> {
        set_threads(self.threads)?;
        self.isa.set()
    }
}

/// The value of `--device`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The first CUDA device, or the processor if there is none.
    #[default]
    Auto,
    /// This one.
    Given(Device),
}

impl Choice {
    /// The device.
    ///
    /// # Errors
    /// If it is a CUDA device that doesn't exist.
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

/// The precision of products and convolutions on a CUDA device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    /// f32 throughout.
    #[default]
    F32,
    /// Operands rounded to TF32, sums in f32.
    Tf32,
}

impl Precision {
    /// Makes `device` compute with this precision.
    ///
    /// # Errors
    /// If it can't.
    pub fn set(self, device: Device) -> Result<()> {
        match (device, self) {
            (Device::Cuda(ordinal), precision) => {
                cuda::open(ordinal)?.set_tf32(precision == Precision::Tf32);
                Ok(())
            }
            (_, Precision::F32) => Ok(()),
            (device, Precision::Tf32) => {
                Err(Error::Usage(format!("--precision tf32 is for CUDA devices, not for {device}; leave it out")))
            }
        }
    }
}

/// The instruction set of the processor's kernels. The results don't depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Isa {
    /// The fastest that the processor has.
    #[default]
    Auto,
    /// AVX-512 with VL, BW and DQ.
    Avx512,
    /// AVX2 and FMA.
    Avx2,
    /// What every processor has.
    Portable,
}

impl Isa {
    /// Makes kernels run with it.
    ///
    /// # Errors
    /// If this processor doesn't have it.
    pub fn set(self) -> Result<()> {
        let set = match self {
            Isa::Auto => return Ok(()),
            Isa::Avx512 => InstructionSet::Avx512,
            Isa::Avx2 => InstructionSet::Avx2,
            Isa::Portable => InstructionSet::Portable,
        };
        if !set.is_available() {
            return Err(Error::Usage(format!(
                "--isa {self}: this processor has no {set}; leave it out, the results are the same"
            )));
        }
        isa::choose(set);
        Ok(())
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Isa::Auto => "auto",
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        })
    }
}
