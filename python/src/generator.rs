//! A run's generator, and its samples.

use crate::device;
use crate::errors::guarded;
use crate::operand::array;
use crate::tensor::PyTensor;
use minimax::gan::latents::{Latents, rows_of_classes};
use minimax::gan::model::sample_each;
use minimax::nn::Sequential;
use minimax::ops::concat;
use minimax::recipe::Recipe;
use minimax::recipe::build::Role;
use minimax::report::columns_for;
use minimax::run::checkpoint::{self, Trained, Weights};
use minimax::run::folder::BEST;
use minimax::{Device, Error, Tensor};
use pyo3::exceptions::{PyRuntimeWarning, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ffi::CString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The most values that one call makes, as of the command: 2³⁰, 4 GiB of f32.
const MOST_VALUES: usize = 1 << 30;

/// A trained generator, as minimax.load gives it.
#[pyclass(module = "minimax", frozen)]
pub struct Generator {
    recipe: Recipe,
    step: u64,
    device: Device,
    network: Mutex<Sequential>,
}

/// The classes that samples are asked of.
#[derive(FromPyObject)]
pub enum Classes {
    /// All are to be of this one.
    One(u16),
    /// One for each sample.
    Each(Vec<u16>),
}

/// The generator of a run: its folder, or one of its .safetensors files.
///
/// best is for that of the best state, not of the last; average=False for its own weights where the run has a moving
/// average of them. device is "auto" (the first CUDA device, or "cpu"), "cpu", "cuda", "cuda:1" or "reference".
#[pyfunction]
#[pyo3(signature = (run, *, best=false, average=true, device="auto"))]
pub fn load(py: Python, run: PathBuf, best: bool, average: bool, device: &str) -> PyResult<Generator> {
    let device = device::named_or_auto(device)?;
    let weights = if average { Weights::Averaged } else { Weights::Own };
    let trained = py.detach(|| {
        guarded(|| {
            let file = if best { run.join(BEST) } else { checkpoint::generator_file(&run, weights) };
            if best && !file.is_file() {
                return Err(Error::place(&run, format!("is no run's folder with a {BEST}; leave best out")));
            }
            checkpoint::load_network(&file, Role::Generator, weights, device)
        })
    })?;
    let Trained { recipe, step, has_sum, network, .. } = trained;
    if !has_sum {
        let text = format!("{}: an older version wrote it without a sum of its bytes", run.display());
        let text = CString::new(text.replace('\0', ""))?;
        PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &text, 1)?;
    }
    Ok(Generator { recipe, step, device, network: Mutex::new(network) })
}

#[pymethods]
impl Generator {
    /// Images as a NumPy array of float32 [count, h, w, c] in the generator's own range, such as [-1, 1] of a tanh: what
    /// `minimax sample --out samples.npy` writes. Points of the plane are [count, 2].
    ///
    /// The same seed gives the same images; without a seed or a count they are the recipe's, so those of the run's own grid.
    /// Of a conditional generator, classes is one class for all or a list of one for each; without it the classes take
    /// turns as in the grid. In place of count and seed, latents [n, latent_size] may be given. The array is read-only. Up to
    /// a training batch of images it is the values as the generator made them, without a copy.
    #[pyo3(signature = (count=None, seed=None, classes=None, *, latents=None))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        count: Option<usize>,
        seed: Option<u64>,
        classes: Option<Classes>,
        latents: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let latents = match latents {
            Some(_) if count.is_some() || seed.is_some() => {
                return Err(PyValueError::new_err("sample: latents say what count and seed do; leave those out"));
            }
            Some(latents) => self.given(&latents)?,
            None => {
                let count = count.unwrap_or(self.recipe.samples.count);
                let values: usize = self.recipe.discriminator.input.iter().product();
                let most = MOST_VALUES / values.max(self.latent_size());
                if !(1..=most).contains(&count) {
                    return Err(PyValueError::new_err(format!("sample: count {count}: choose from 1 to {most}")));
                }
                Latents::fixed(seed.unwrap_or(self.recipe.training.seed), count, self.latent_size())
            }
        };
        let latents = self.of_classes(latents, classes)?;
        let images = py.detach(|| guarded(|| self.images(&latents)))?;
        PyTensor::numpy(&Bound::new(py, PyTensor(images))?)
    }

    /// The recipe's name.
    #[getter]
    fn recipe(&self) -> &str {
        &self.recipe.name
    }

    /// Steps that it was trained for.
    #[getter]
    fn step(&self) -> u64 {
        self.step
    }

    /// What it computes on.
    #[getter]
    fn device(&self) -> String {
        self.device.to_string()
    }

    /// The width of a latent.
    #[getter]
    fn latent_size(&self) -> usize {
        self.recipe.generator.input[0]
    }

    /// The shape of a sample, (h, w, c) or (2,).
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.recipe.discriminator.input)
    }

    /// Of how many classes it makes samples, if it can be asked for one.
    #[getter]
    fn classes(&self) -> Option<usize> {
        self.recipe.classes()
    }

    fn __repr__(&self) -> String {
        let Generator { recipe, step, device, .. } = self;
        format!("Generator({:?}, step={step}, device=\"{device}\")", recipe.name)
    }
}

impl Generator {
    /// Latents `[n, latent_size]` from an array.
    fn given(&self, latents: &Bound<PyAny>) -> PyResult<Latents> {
        let latents = array::<f32>(latents)?;
        let width = self.latent_size();
        match latents.as_array().shape() {
            &[count, found] if count > 0 && found == width => {
                Ok(Latents::new(latents.as_slice().expect("it is contiguous").to_vec(), width))
            }
            found => Err(PyValueError::new_err(format!("sample: latents of shape {found:?}, not [n, {width}]"))),
        }
    }

    /// `latents` with the classes that are asked for.
    fn of_classes(&self, latents: Latents, asked: Option<Classes>) -> PyResult<Latents> {
        let count = latents.count();
        let Some(classes) = self.recipe.classes() else {
            return match asked {
                None => Ok(latents),
                Some(_) => {
                    let name = &self.recipe.name;
                    Err(PyValueError::new_err(format!("sample: {name} makes images without being told of which class")))
                }
            };
        };
        let asked = match asked {
            None => rows_of_classes(count, columns_for(count, Some(classes)), classes),
            Some(Classes::One(class)) => vec![class; count],
            Some(Classes::Each(each)) => each,
        };
        if asked.len() != count {
            return Err(PyValueError::new_err(format!("sample: {} classes for {count} samples", asked.len())));
        }
        if let Some(class) = asked.iter().find(|&&class| usize::from(class) >= classes) {
            return Err(PyValueError::new_err(format!("sample: class {class} of classes 0 to {}", classes - 1)));
        }
        Ok(latents.of_classes(&asked, classes))
    }

    fn images(&self, latents: &Latents) -> minimax::Result<Tensor> {
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        let (network, batch) = (&mut *network, self.recipe.training.batch_size);
        let mut batches = Vec::new();
        // On a thread of the pool: from outside, every kernel would wake a worker and wait for it.
        rayon::scope(|_| {
            sample_each(network, latents, batch, self.device, |images| {
                batches.push(images.clone());
                Ok(())
            })
        })?;
        Ok(match &batches[..] {
            [all] => all.clone(),
            _ => concat(&batches.iter().collect::<Vec<_>>(), 0),
        })
    }
}
