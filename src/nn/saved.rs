//! A network's variables in a safetensors file, under our own names and in our own layouts, or in those of Keras or PyTorch.

use super::layout::{Place, places};
use super::{Layer, Layout, Variable};
use crate::files::{self, write_whole};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use crate::terminal::{brief, excerpt};
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};
use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

/// How many of the tensors that don't fit a message names.
const MOST_NAMED: usize = 4;

/// Writes every variable of `network` to a safetensors file at `path`: f32, or f64 from the reference device.
///
/// ```
/// use minimax::nn::{Dense, Layer, Sequential, load, save};
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
    save_as(network, path, Layout::Minimax)
}

/// As [`save`], under the names and in the layout of another program. From PyTorch's,
/// `model.load_state_dict(safetensors.torch.load_file(path))` takes it.
///
/// # Errors
/// As [`save`], and as [`load_as`] if the network has no such file.
///
/// # Panics
/// As [`save`].
#[track_caller]
pub fn save_as(network: &dyn Layer, path: impl AsRef<Path>, layout: Layout) -> Result<()> {
    let path = path.as_ref();
    let places = places(network, layout).map_err(|why| no_such_file(path, layout, &why))?;
    let tensors: Vec<Tensor> =
        places.iter().zip(network.variables()).map(|(place, v)| place.to_file(v.tensor)).collect();
    let entries = places.iter().zip(&tensors).map(|(place, tensor)| (&place.name, Entry(tensor)));
    let file = safetensors::serialize(entries, None).expect("sizes agree");
    write_whole(path, &file)
}

/// Gives every variable of `network` the values that the safetensors file at `path` has under its name, rounded to what its
/// device holds. Parameters stay parameters. If anything doesn't fit, nothing is changed.
///
/// # Errors
/// If the file can't be read or is damaged, lacks a variable, has one in another shape, not as F32 or F64 or with values that
/// aren't finite, or has a tensor that the network has no place for. The message names the first few that don't fit, with the
/// shape found and the one wanted.
///
/// # Panics
/// If two variables have one name.
#[track_caller]
pub fn load(network: &mut dyn Layer, path: impl AsRef<Path>) -> Result<()> {
    load_as(network, path, Layout::Minimax)
}

/// As [`load`], from a file with the names and in the layout of another program.
///
/// A file of PyTorch's is written there by `safetensors.torch.save_file(model.state_dict(), path)`, one of Keras's by
///
/// ```text
/// safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, path)
/// ```
///
/// The network must have the layers of the model, under the same names or, in PyTorch's layout, at the same numbers. (Where Keras
/// puts the name of a model before the path of a variable, it may be left out.) Kernels are transposed or permuted as needed. So
/// are the rows and columns of dense layers next to a [`Flatten`](super::Flatten) or a [`Reshape`](super::Reshape), which PyTorch
/// has in another order; for that the network must say how many channels the images have, by a convolution or a `Reshape` before.
/// A `num_batches_tracked` is passed over.
///
/// A module of one's own can't be looked into: if it flattens images, it must say by [`parts`](super::Layer::parts) in which
/// order its layers come. Images that its forward pass flattens by [`ops::reshape`](fn@crate::ops::reshape) are in another order
/// than PyTorch's, whatever the weights are; flatten them by the layer.
///
/// # Errors
/// As [`load`], and if the network doesn't tell in what order PyTorch has its vectors.
///
/// # Panics
/// As [`load`].
#[track_caller]
pub fn load_as(network: &mut dyn Layer, path: impl AsRef<Path>, layout: Layout) -> Result<()> {
    let path = path.as_ref();
    let places = places(network, layout).map_err(|why| no_such_file(path, layout, &why))?;
    let bytes = files::read(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| {
        let why = brief(&error.to_string());
        Error::place(path, format!("is not a whole safetensors file ({why}); save it anew"))
    })?;
    let mut variables = network.variables_mut();
    let mut found = Vec::new();
    let mut misfits = Vec::new();
    let names = names_in(&file, &places, layout);
    for ((place, name), Variable { tensor, .. }) in places.iter().zip(&names).zip(&variables) {
        let wanted = place.shape(tensor.dims());
        match taken(&file, name, &wanted, tensor.device()) {
            Ok(values) => found.push(place.to_network(Tensor::new(&values, &wanted[..], tensor.device()))),
            Err(why) => misfits.push(why),
        }
    }
    let known: HashSet<&str> = names.into_iter().collect();
    let is_count = |name: &str| layout == Layout::PyTorch && name.rsplit('.').next() == Some("num_batches_tracked");
    let mut rest: Vec<&str> =
        file.names().into_iter().filter(|name| !known.contains(name) && !is_count(name)).collect();
    rest.sort_unstable();
    misfits.extend(rest.into_iter().map(|name| format!("nothing takes {}", excerpt(name))));
    if !misfits.is_empty() {
        let more = match misfits.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        misfits.truncate(MOST_NAMED);
        let (all, layout) = (misfits.join(", "), layout.name());
        let fix = "build the network that was saved, and name its layers alike";
        return Err(Error::place(path, format!("doesn't fit the network in {layout}: {all}{more}; {fix}")));
    }
    for (Variable { tensor, .. }, values) in variables.iter_mut().zip(found) {
        tensor.assign(values);
    }
    Ok(())
}

/// What `file` calls the tensors at `places`: Keras may put the names of models before a path, which are passed over where
/// that leaves no doubt.
fn names_in<'a>(file: &'a SafeTensors, places: &'a [Place], layout: Layout) -> Vec<&'a str> {
    let theirs = file.names();
    let ours: HashSet<&str> = places.iter().map(|place| &*place.name).collect();
    let of_place = |Place { name, .. }: &'a Place| {
        let ends = |long: &&&str| long.strip_suffix(&**name).is_some_and(|models| models.ends_with('/'));
        let mut longer = theirs.iter().filter(|theirs| !ours.contains(**theirs)).filter(ends);
        match (longer.next(), longer.next()) {
            (Some(longer), None) if layout == Layout::Keras && !theirs.contains(&&**name) => longer,
            _ => &**name,
        }
    };
    places.iter().map(of_place).collect()
}

/// The values of the tensor `name`, if it is of shape `wanted` and they are numbers that `device` holds.
fn taken(file: &SafeTensors, name: &str, wanted: &[usize], device: Device) -> std::result::Result<Vec<f64>, String> {
    let view = file.tensor(name).map_err(|_| format!("{name} {wanted:?} is missing"))?;
    if view.shape() != wanted {
        let shape = format!("{:?}", view.shape());
        return Err(format!("{name} is {}, not {wanted:?}", excerpt(&shape)));
    }
    let values = values(&view).ok_or_else(|| format!("{name} is {:?}, not F32 or F64", view.dtype()))?;
    if !are_finite(&values, device) {
        return Err(format!("{name} has values that are not finite"));
    }
    Ok(values)
}

fn no_such_file(path: &Path, layout: Layout, why: &str) -> Error {
    Error::place(path, format!("can't be in {}: {why}", layout.name()))
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
        assert!(
            refused(&mut other)
                .contains("out.kernel is [8, 3], not [8, 4], out.bias is [3], not [4]; build the network")
        );
        assert_eq!(values_of(&other), before);
        let mut smaller = Sequential::default().add_named("out", Dense::new(8, 3));
        let said = refused(&mut smaller);
        assert!(said.contains("nothing takes block.2.beta, nothing takes block.2.gamma,"), "{said}");
        assert!(said.contains(", and 2 more;") && !said.contains('\n'), "{said}");
        let mut another = Sequential::default().add_named("into", Dense::new(8, 3));
        assert!(
            refused(&mut another).contains("into.kernel [8, 3] is missing, into.bias [3] is missing, nothing takes")
        );
        let mut last = network(3);
        last.parameters_mut().pop().unwrap().assign(Tensor::full(f64::NAN, [3], Device::Cpu));
        save(&last, &path).unwrap();
        assert!(refused(&mut network(3)).contains("out.bias has values that are not finite"));
        std::fs::write(&path, b"no such file").unwrap();
        assert!(refused(&mut network(3)).contains("is not a whole safetensors file"));
    }
}
