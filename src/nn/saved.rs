//! A network's variables in a safetensors file, under their names and in the engine's own layouts, which are Keras's.

use super::{Layer, Variable};
use crate::files::{self, write_whole};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use crate::terminal::{brief, excerpt};
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};
use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

/// Writes every variable of `network` to a safetensors file at `path`: f32, or f64 from the reference device.
///
/// ```
/// use minimax::nn::{Dense, Layer, Sequential, load, save, seed};
///
/// let network = || Sequential::default().add_named("logits", Dense::new(4, 3));
/// let path = std::env::temp_dir().join("minimax-save.safetensors");
/// let trained = network();
/// save(&trained, &path)?;
/// let mut another = network();
/// load(&mut another, &path)?;
/// assert_eq!(another.parameters()[0].to_f32(), trained.parameters()[0].to_f32());
/// # Ok::<(), minimax::Error>(())
/// ```
///
/// # Errors
/// If the file can't be written; an older one then stays as it was.
///
/// # Panics
/// If two variables have one name.
#[track_caller]
pub fn save(network: &dyn Layer, path: impl AsRef<Path>) -> Result<()> {
    let variables = network.variables();
    let mut names = HashSet::new();
    for Variable { name, .. } in &variables {
        assert!(names.insert(name.clone()), "save: two variables are called {name}");
    }
    let entries = variables.into_iter().map(|v| (v.name, Entry(v.tensor)));
    let file = safetensors::serialize(entries, None).expect("sizes agree");
    write_whole(path.as_ref(), &file)
}

/// Gives every variable of `network` the values that the safetensors file at `path` has under its name, rounded to what its
/// device holds. Parameters stay parameters. If anything doesn't fit, nothing is changed.
///
/// # Errors
/// If the file can't be read or is damaged, lacks a variable, has one in another shape, not as F32 or F64 or with values that
/// aren't finite, or has a tensor that the network has no place for.
pub fn load(network: &mut dyn Layer, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let refuse = |what: String| Error::place(path, what);
    let bytes = files::read(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| {
        let why = brief(&error.to_string());
        refuse(format!("is not a whole safetensors file ({why}); save it anew"))
    })?;
    const FIX: &str = "build the network that was saved";
    let mut variables = network.variables_mut();
    let mut found = Vec::new();
    for Variable { name, tensor, .. } in &variables {
        let view = file.tensor(name).map_err(|_| {
            let mut names: Vec<String> = file.names().into_iter().map(|name| excerpt(name).to_string()).collect();
            names.sort_unstable();
            let has = match names.len() {
                0..=4 => names.join(", "),
                count => format!("{} and {} others", names[..3].join(", "), count - 3),
            };
            refuse(format!("has no tensor {name} {}, but {has}; {FIX}", tensor.shape()))
        })?;
        if view.shape() != tensor.dims() {
            let shape = format!("{:?}", view.shape());
            return Err(refuse(format!("has {name} of shape {}, not {}; {FIX}", excerpt(&shape), tensor.shape())));
        }
        let Some(values) = values(&view) else {
            return Err(refuse(format!("has {name} as {:?}; save it as F32", view.dtype())));
        };
        if !are_finite(&values, tensor.device()) {
            return Err(refuse(format!("has values in {name} that are not finite; load an earlier file")));
        }
        found.push(Tensor::new(&values, tensor.shape(), tensor.device()));
    }
    let names: HashSet<&str> = variables.iter().map(|v| &*v.name).collect();
    if let Some(name) = file.names().into_iter().find(|name| !names.contains(name)) {
        return Err(refuse(format!("has a tensor {}, for which the network has no place; {FIX}", excerpt(name))));
    }
    for (Variable { tensor, .. }, values) in variables.iter_mut().zip(found) {
        tensor.assign(values);
    }
    Ok(())
}

/// Whether all are finite as `device` holds them.
pub(crate) fn are_finite(values: &[f64], device: Device) -> bool {
    values.iter().all(|&v| match device {
        Device::Reference => v.is_finite(),
        Device::Cpu | Device::Cuda(_) => (v as f32).is_finite(),
    })
}

/// The values of a tensor in a file, if it holds F32 or F64.
pub(crate) fn values(view: &TensorView) -> Option<Vec<f64>> {
    match view.dtype() {
        Dtype::F32 => {
            let (words, _) = view.data().as_chunks();
            Some(words.iter().map(|&word| f64::from(f32::from_le_bytes(word))).collect())
        }
        Dtype::F64 => {
            let (words, _) = view.data().as_chunks();
            Some(words.iter().map(|&word| f64::from_le_bytes(word)).collect())
        }
        _ => None,
    }
}

/// A tensor as it is written: its bytes are made when their turn comes, so that no second copy of all
/// the weights is held.
pub(crate) struct Entry<'a>(pub &'a Tensor);

impl View for Entry<'_> {
    fn dtype(&self) -> Dtype {
        match self.0.device() {
            Device::Reference => Dtype::F64,
            Device::Cpu | Device::Cuda(_) => Dtype::F32,
        }
    }

    fn shape(&self) -> &[usize] {
        self.0.dims()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(match self.0.storage() {
            Storage::Reference(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Storage::Cpu(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Storage::Cuda(values) => {
                let values = values.to_vec();
                values.iter().flat_map(|v| v.to_le_bytes()).collect()
            }
        })
    }

    fn data_len(&self) -> usize {
        self.0.numel() * self.dtype().bitsize() / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{BatchNorm, Conv2d, Dense, Flatten, Sequential};

    fn network(units: usize) -> Sequential {
        let block = Sequential::default().add_named("conv", Conv2d::new(1, 2, 3)).add(BatchNorm::new(2));
        Sequential::default().add_named("block", block).add(Flatten).add_named("out", Dense::new(8, units))
    }

    fn values_of(network: &Sequential) -> Vec<Vec<f64>> {
        network.variables().iter().map(|v| v.tensor.to_f64()).collect()
    }

    #[test]
    fn what_is_saved_comes_back_under_nested_names_and_trains_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        for device in [Device::Cpu, Device::Reference] {
            let (saved, mut loaded) = (network(3).to(device), network(3).to(Device::Cpu));
            assert_ne!(values_of(&saved), values_of(&loaded));
            save(&saved, &path).unwrap();
            load(&mut loaded, &path).unwrap();
            assert_eq!(values_of(&saved), values_of(&loaded));
            assert!(loaded.parameters().iter().all(|p| p.requires_grad()));
        }
        let bytes = std::fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let mut names = file.names();
        names.sort_unstable();
        let norm = ["beta", "gamma", "running_mean", "running_variance"].map(|v| format!("block.2.{v}"));
        let expected =
            [&norm[..], &["block.conv.bias", "block.conv.kernel", "out.bias", "out.kernel"].map(String::from)];
        assert_eq!(names, expected.concat());
    }

    #[test]
    fn what_does_not_fit_is_said_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        save(&network(3), &path).unwrap();
        let mut other = network(4);
        let before = values_of(&other);
        let refused = |network: &mut Sequential| load(network, &path).unwrap_err().to_string();
        assert!(refused(&mut other).contains("has out.kernel of shape [8, 3], not [8, 4]; build the network"));
        assert_eq!(values_of(&other), before);
        let mut smaller = Sequential::default().add_named("out", Dense::new(8, 3));
        assert!(refused(&mut smaller).contains("has a tensor block."));
        let mut another = Sequential::default().add_named("into", Dense::new(8, 3));
        assert!(refused(&mut another).contains("has no tensor into.kernel [8, 3], but"));
        let mut last = network(3);
        last.parameters_mut().pop().unwrap().assign(Tensor::full(f64::NAN, [3], Device::Cpu));
        save(&last, &path).unwrap();
        assert!(refused(&mut network(3)).contains("has values in out.bias that are not finite"));
        std::fs::write(&path, b"no such file").unwrap();
        assert!(refused(&mut network(3)).contains("is not a whole safetensors file"));
    }
}
