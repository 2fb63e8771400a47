//! Reads weights from other programs: a safetensors file in Keras's or PyTorch's layouts as a network of a recipe.
//! Files that [`super::keras`] and [`super::torch`] write are read back bit for bit, except for a kernel that is scaled
//! to length 1 before use, which PyTorch's layout has at that length.

use super::channels_first::{Placed, placed};
use super::torch::{Place, places};
use super::{HEADER, rows_of};
use crate::nn::{Initializer, Sequential, from_torch, values};
use crate::random::{Purpose, Random};
use crate::recipe::build::{self, Role};
use crate::recipe::{LayerRow, LayerSpec, NetworkSpec, Recipe};
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::terminal::{brief, excerpt};
use crate::weights::check_values;
use crate::{Error, Result};
use safetensors::tensor::SafeTensors;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The program whose names and layouts a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `layers.<n>.<variable>`, arrays as in the engine.
    Keras,
    /// The `state_dict` of an `nn.Sequential`.
    Torch,
}

impl Layout {
    /// Its name in the header of an exported file.
    fn name(self) -> &'static str {
        match self {
            Layout::Keras => "keras",
            Layout::Torch => "torch",
        }
    }
}

/// The origin of an exported file, as its header has it.
#[derive(Deserialize)]
struct Origin {
    layout: String,
    network: String,
    step: u64,
}

/// The network `role` of `recipe` with the weights of a safetensors file, on the processor, and the number of steps for
/// which it was trained, or 0 if the file doesn't say. `path` only names the file in errors.
///
/// A file in PyTorch's layout need not have this program's header. Its modules may have any names that differ only by
/// numbers (`main.0`, `main.3`): they are taken in the order of these.
///
/// # Errors
/// If the file is incomplete, or if a tensor is missing, has another shape, has no place in the network, isn't F32 or
/// F64, or has values that aren't finite or a negative variance.
pub fn import(path: &Path, bytes: &[u8], recipe: &Recipe, role: Role, layout: Layout) -> Result<(Sequential, u64)> {
    let refuse = |what: String| Error::place(path, what);
    let step = step_of(bytes, role, layout).map_err(refuse)?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| refuse(no_file(&error)))?;
    let spec = role.spec(recipe);
    let zeros = NetworkSpec { initializer: Initializer::Zeros, ..spec.clone() };
    let mut random = Random::new(0, Purpose::INITIAL);
    let mut network = build::network(&zeros, &mut random, Device::Cpu);
    let rows = rows_of(spec);
    let places = match layout {
        Layout::Keras => in_keras(&network, &rows),
        Layout::Torch => places(spec, &rows, &network),
    };
    let names = match layout {
        Layout::Keras => HashMap::new(),
        Layout::Torch => by_order(&file, &places),
    };
    let takers: HashMap<&str, Placed> =
        placed(&spec.layers, &rows).into_iter().map(|taker| (&taker.row.place[..], taker)).collect();
    let mut variables: HashMap<String, &mut Tensor> = network.named_mut().into_iter().collect();
    let mut known = HashSet::new();
    for place in &places {
        let Place { layer, variable, name, shape } = place;
        let name = names.get(name).unwrap_or(name);
        known.insert(name.clone());
        let Placed { layer: kind, row, orders } = &takers[&layer[..]];
        let orders = match kind {
            // Of a convolution it goes along the places of the kernel and its channels.
            LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv) if variable == "v" => {
                [Some(shape[0] / (conv.kernel[0] * conv.kernel[1])), None]
            }
            _ => orders.map(|image| image.map(|[_, _, channels]| channels)),
        };
        let taker = format!("{} of the {} of {}", row.name(), role.name(), recipe.name);
        let view =
            file.tensor(name).map_err(|_| refuse(format!("has no tensor {name} {shape:?}, which {taker} takes")))?;
        if view.shape() != shape {
            let found = format!("{:?}", view.shape());
            let (name, found) = (excerpt(name), excerpt(&found));
            let what = format!("has {name} of shape {found}, where {taker} takes {shape:?}");
            return Err(refuse(what));
        }
        let values = values(&view).ok_or_else(|| {
            let name = excerpt(name);
            refuse(format!("has {name} as {:?}; save it as float32", view.dtype()))
        })?;
        let key = format!("layers.{layer}.{variable}");
        check_values(path, &key, &values, Device::Cpu)?;
        let tensor = Tensor::new(&values, &shape[..], Device::Cpu);
        let tensor = match layout {
            Layout::Keras => tensor,
            Layout::Torch => from_torch(variable.rsplit('.').next().unwrap_or(variable), &tensor, orders),
        };
        let target = variables.get_mut(&key).expect("a place is of a variable");
        target.assign(tensor);
    }
    let is_count = |name: &str| layout == Layout::Torch && name.ends_with(".num_batches_tracked");
    let is_known = |name: &&str| known.contains(*name) || is_count(name);
    let mut rest = file.names().into_iter().filter(|name| !is_known(name));
    match rest.next() {
        None => Ok((network, step)),
        Some(name) => {
            let (name, role, recipe) = (excerpt(name), role.name(), &recipe.name);
            let what = format!("has a tensor {name}, for which the {role} of {recipe} has no place");
            Err(refuse(format!("{what}; choose another recipe, or remove it")))
        }
    }
}

fn no_file(error: &dyn std::fmt::Display) -> String {
    let why = brief(&error.to_string());
    format!("is not a whole safetensors file ({why}); save it anew")
}

/// The number of steps in the header, if this program wrote it; an error if it is of another network or layout than
/// asked for.
fn step_of(bytes: &[u8], role: Role, layout: Layout) -> std::result::Result<u64, String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| no_file(&error))?;
    let Some(header) = metadata.metadata().as_ref().and_then(|map| map.get(HEADER)) else {
        return Ok(0);
    };
    // Another program's use of the key means nothing here.
    let Ok(origin) = serde_json::from_str::<Origin>(header) else {
        return Ok(0);
    };
    for (flag, asked, found) in
        [("--layout", layout.name(), &origin.layout), ("--network", role.name(), &origin.network)]
    {
        if asked != found {
            let found = excerpt(found);
            return Err(format!("says that it is {found}, not {asked}; give {flag} {found}"));
        }
    }
    Ok(origin.step)
}

/// Every variable under its own name: the layer's place and the layer's name for it.
fn in_keras(network: &Sequential, rows: &[LayerRow]) -> Vec<Place> {
    let mut variables = network.named().into_iter().peekable();
    let mut places = Vec::new();
    for row in rows.iter().flat_map(LayerRow::all).filter(|row| row.kind != "residual") {
        let prefix = format!("layers.{}.", row.place);
        while let Some((name, tensor)) = variables.next_if(|(name, _)| name.starts_with(&prefix)) {
            let (layer, variable) = (row.place.clone(), name[prefix.len()..].to_string());
            places.push(Place { layer, variable, shape: tensor.dims().to_vec(), name });
        }
    }
    places
}

/// The file's names of the tensors at `places`, if they are different ones: the modules that have tensors, in the order
/// of the numbers in their names, are those of the network. Empty if the names, or the number of modules, leave that
/// open.
fn by_order(file: &SafeTensors, places: &[Place]) -> HashMap<String, String> {
    let names = file.names();
    if places.iter().all(|place| names.contains(&&place.name[..])) {
        return HashMap::new();
    }
    let module = |name: &str| name.rsplit_once('.').map_or("", |(module, _)| module).to_string();
    let mut theirs: Vec<String> = names.iter().map(|name| module(name)).collect();
    theirs.sort();
    theirs.dedup();
    let pattern = |module: &String| -> Vec<String> {
        let part = |part: &str| match part.parse::<u64>() {
            Ok(_) => "#".to_string(),
            Err(_) => part.to_string(),
        };
        module.split('.').map(part).collect()
    };
    let mut ours: Vec<String> = places.iter().map(|place| module(&place.name)).collect();
    ours.dedup();
    let alike = theirs.windows(2).all(|pair| pattern(&pair[0]) == pattern(&pair[1]));
    if !alike || theirs.len() != ours.len() {
        return HashMap::new();
    }
    theirs.sort_by_key(|module| -> Vec<u64> { module.split('.').filter_map(|part| part.parse().ok()).collect() });
    let modules: HashMap<&String, &String> = ours.iter().zip(&theirs).collect();
    let renamed = |place: &Place| {
        let (module, tensor) = place.name.rsplit_once('.')?;
        let theirs = modules.get(&module.to_string())?;
        let name = match theirs.is_empty() {
            true => tensor.to_string(),
            false => format!("{theirs}.{tensor}"),
        };
        Some((place.name.clone(), name))
    };
    places.iter().filter_map(renamed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Entry, keras, torch};
    use crate::nn::unit_norm;
    use crate::recipe::built_in_names;
    use crate::run::checkpoint::Trained;
    use safetensors::tensor::{Dtype, TensorView};

    /// A network whose every value, those of the statistics too, is another.
    fn trained(recipe: &Recipe, role: Role) -> Trained {
        let spec = NetworkSpec { initializer: Initializer::Zeros, ..role.spec(recipe).clone() };
        let mut random = Random::new(0, Purpose::INITIAL);
        let mut network = build::network(&spec, &mut random, Device::Cpu);
        let mut next = 0u32;
        for (_, tensor) in network.named_mut() {
            let values = (0..tensor.numel()).map(|_| {
                next += 1;
                // Positive, finite, and one like no other.
                f32::from_bits(0x2000_0000 + next)
            });
            let values: Vec<f32> = values.collect();
            tensor.assign(Tensor::from_f32(&values, tensor.shape(), Device::Cpu));
        }
        Trained { recipe: recipe.clone(), step: 7, has_sum: true, role, network }
    }

    fn every_layer() -> Recipe {
        let text = include_str!("../../tests/interchange/recipes/every-layer.toml");
        Recipe::parse("every-layer", text, &[]).unwrap()
    }

    fn write(trained: &Trained, layout: Layout) -> Vec<u8> {
        match layout {
            Layout::Keras => keras(trained),
            Layout::Torch => torch(trained),
        }
    }

    fn read(bytes: &[u8], like: &Trained, layout: Layout) -> Result<(Sequential, u64)> {
        import(Path::new("f"), bytes, &like.recipe, like.role, layout)
    }

    fn bits(network: &Sequential) -> Vec<(String, Vec<u32>)> {
        let bits = |tensor: &Tensor| tensor.to_f32().into_iter().map(f32::to_bits).collect();
        let named = network.named().into_iter();
        named.map(|(name, tensor)| (name, bits(tensor))).collect()
    }

    #[test]
    fn what_is_exported_comes_back_bit_for_bit_for_every_recipe() {
        let mut recipes = vec![every_layer()];
        recipes.extend(built_in_names().map(|name| Recipe::load(name, &[]).unwrap()));
        let mut seen = Vec::new();
        for recipe in recipes {
            for role in [Role::Generator, Role::Discriminator] {
                // Several recipes train the same networks.
                let spec = role.spec(&recipe);
                let shape = (spec.input.clone(), spec.layers.clone());
                if seen.contains(&shape) {
                    continue;
                }
                seen.push(shape);
                let trained = trained(&recipe, role);
                for layout in [Layout::Keras, Layout::Torch] {
                    let bytes = write(&trained, layout);
                    let (network, step) = read(&bytes, &trained, layout).unwrap();
                    let name = &recipe.name;
                    let at_unit_length = layout == Layout::Torch
                        && spec.layers.iter().any(|layer| matches!(layer, LayerSpec::Dense { unit_norm: true, .. }));
                    match at_unit_length {
                        false => assert!(bits(&network) == bits(&trained.network), "{name} {role:?} {layout:?}"),
                        true => assert_same_but_for_lengths(&network, &trained.network),
                    }
                    assert_eq!(step, 7);
                }
            }
        }
        assert!(seen.len() > 10);
    }

    /// That `read` has the tensors of `own`, kernels as they are used where those of `own` are used at length 1.
    fn assert_same_but_for_lengths(read: &Sequential, own: &Sequential) {
        for ((name, read), (_, own)) in read.named().into_iter().zip(own.named()) {
            let own = if own.dims().len() == 2 { unit_norm(own) } else { own.detach() };
            let pairs = read.to_f32().into_iter().zip(own.to_f32());
            let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-6, "{name}: {apart}");
        }
    }

    type Tensors = Vec<(String, Entry)>;

    /// The tensors of a file, to be written again under other names.
    fn entries(bytes: &[u8]) -> Tensors {
        let file = SafeTensors::deserialize(bytes).unwrap();
        let entry = |(name, view): (String, TensorView)| {
            let entry = Entry { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() };
            (name, entry)
        };
        file.tensors().into_iter().map(entry).collect()
    }

    fn plain(entries: Tensors) -> Vec<u8> {
        safetensors::serialize(entries, None).unwrap()
    }

    #[test]
    fn a_state_dict_of_somebody_elses_modules_is_taken_in_their_order() {
        let recipe = Recipe::load("quickstart", &[]).unwrap();
        let trained = trained(&recipe, Role::Generator);
        // Other places in the Sequential, in a module of its own; as names, main.10 comes before main.4.
        let mut all = entries(&torch(&trained));
        for (name, _) in &mut all {
            let (index, rest) = name.split_once('.').unwrap();
            *name = format!("main.{}.{rest}", 2 * index.parse::<usize>().unwrap() + 1);
        }
        let (network, step) = read(&plain(all), &trained, Layout::Torch).unwrap();
        assert!(bits(&network) == bits(&trained.network));
        assert_eq!(step, 0);
        let (network, _) = read(&plain(entries(&keras(&trained))), &trained, Layout::Keras).unwrap();
        assert!(bits(&network) == bits(&trained.network));
    }

    #[test]
    fn what_does_not_fit_is_named_with_both_shapes() {
        let recipe = Recipe::load("quickstart", &[]).unwrap();
        let trained = trained(&recipe, Role::Generator);
        let change = |layout, change: &dyn Fn(&mut Tensors)| {
            let mut all = entries(&write(&trained, layout));
            change(&mut all);
            let error = read(&plain(all), &trained, layout).map(drop).unwrap_err();
            error.to_string()
        };
        let at = |all: &mut Tensors, name: &str| all.iter().position(|(other, _)| other == name).unwrap();
        let said = change(Layout::Torch, &|all| {
            let place = at(all, "0.weight");
            all[place].1.shape.reverse();
        });
        assert!(said.contains("0.weight of shape [100, 4704]") && said.contains("takes [4704, 100]"), "{said}");
        let said = change(Layout::Keras, &|all| {
            let place = at(all, "layers.2.running_variance");
            all.remove(place);
        });
        assert!(said.contains("no tensor layers.2.running_variance [4704]"), "{said}");
        for (value, word) in [(f32::NAN, "not finite"), (-1.0, "below zero")] {
            let said = change(Layout::Keras, &|all| {
                let place = at(all, "layers.2.running_variance");
                all[place].1.bytes[..4].copy_from_slice(&value.to_le_bytes());
            });
            assert!(said.contains(word) && said.contains("layers.2.running_variance"), "{said}");
        }
        let said = change(Layout::Keras, &|all| {
            let place = at(all, "layers.8.bias");
            let (name, mut entry) = all.remove(place);
            entry.dtype = Dtype::I32;
            all.push((name, entry));
        });
        assert!(said.contains("layers.8.bias as I32; save it as float32"), "{said}");
        let said = change(Layout::Torch, &|all| {
            let place = at(all, "0.weight");
            let (_, entry) = all.remove(place);
            all.push(("fc.weight".into(), entry));
        });
        assert!(said.contains("no tensor 0.weight [4704, 100]"), "{said}");
        let said = change(Layout::Keras, &|all| {
            let entry = Entry { dtype: Dtype::F32, shape: vec![0], bytes: Vec::new() };
            all.push(("extra".into(), entry));
        });
        assert!(said.contains("a tensor extra, for which"), "{said}");
        for bytes in [&b"no file"[..], &keras(&trained)[..500]] {
            let error = read(bytes, &trained, Layout::Keras).map(drop).unwrap_err();
            assert!(error.to_string().contains("not a whole safetensors file"), "{error}");
        }
        let error = read(&torch(&trained), &trained, Layout::Keras).map(drop).unwrap_err();
        assert!(error.to_string().contains("give --layout torch"), "{error}");
    }
}
