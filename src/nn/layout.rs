//! Names and layouts of a network's variables in files, our own and other programs'.
//!
//! | variable | ours, and Keras's | PyTorch's |
//! |---|---|---|
//! | dense `kernel` | `[inputs, units]` | `weight` `[units, inputs]` |
//! | convolution's `kernel` | `[kh, kw, c_in / groups, c_out]` | `weight` `[c_out, c_in / groups, kh, kw]` |
//! | transposed convolution's `kernel` | `[kh, kw, c_out / groups, c_in]` | `weight` `[c_in, c_out / groups, kh, kw]` |
//! | `bias` | `[c]` | `bias` `[c]` |
//! | a norm's `gamma`, `beta` | `[c]` | `weight`, `bias` `[c]` |
//! | `running_mean`, `running_variance` | `[c]` (Keras: `moving_mean`, `moving_variance`) | `running_mean`, `running_var` `[c]` |
//!
//! In PyTorch's layout the vectors around a dense layer may be in another order too: see [`flow`](super::flow).

use super::flow::{Flow, Part, orders};
use super::{Layer, Variable, unit_norm};
use crate::ops::{permute, reshape};
use crate::tensor::Tensor;
use std::collections::HashSet;

/// Whose names and layouts the tensors of a file have.
///
/// ```
/// use minimax::nn::{Conv2d, Layout, Sequential, load_as, save_as};
///
/// let mut network = Sequential::default().add_named("features", Conv2d::new(3, 8, 5));
/// let path = std::env::temp_dir().join("minimax-layout.safetensors");
/// save_as(&network, &path, Layout::PyTorch)?; // features.weight [8, 3, 5, 5] and features.bias [8]
/// load_as(&mut network, &path, Layout::PyTorch)?;
/// # Ok::<(), minimax::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Our own: the names of [`Layer::variables`], and the tensors as they are.
    Minimax,
    /// Keras's: the same tensors, called by the paths of Keras's variables, such as `conv/kernel` and `norm/moving_mean`. A
    /// layer must be called here as it is called there.
    Keras,
    /// PyTorch's, as `safetensors.torch.save_file(model.state_dict(), path)` writes it: `conv.weight`, `norm.running_var`. A
    /// layer without a name is called by its number, which PyTorch counts from 0.
    PyTorch,
}

impl Layout {
    /// What messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Layout::Minimax => "our own layout",
            Layout::Keras => "Keras's layout",
            Layout::PyTorch => "PyTorch's layout",
        }
    }
}

/// Where a variable of a network is in a file, and how it lies there.
pub(super) struct Place {
    /// The name of its tensor.
    pub name: String,
    layout: Layout,
    /// Its own name, without the path to it.
    variable: String,
    /// The orders of the vectors before and after its layer: see [`orders`].
    orders: [Option<usize>; 2],
    /// Whether the layer uses it with each unit's weights at length 1.
    unit_norm: bool,
}

impl Place {
    /// `x`, which the network has, as the file has it.
    pub fn to_file(&self, x: &Tensor) -> Tensor {
        let x = x.detach();
        // Neither PyTorch nor Keras does by itself what the layer does with it.
        let x = if self.unit_norm && self.layout != Layout::Minimax { unit_norm(&x) } else { x };
        match self.layout {
            Layout::PyTorch => to_torch(&self.variable, &x, self.orders),
            Layout::Minimax | Layout::Keras => x,
        }
    }

    /// `x`, which the file has, as the network has it.
    pub fn to_network(&self, x: Tensor) -> Tensor {
        match self.layout {
            Layout::PyTorch => from_torch(&self.variable, &x, self.orders),
            Layout::Minimax | Layout::Keras => x,
        }
    }

    /// The shape in the file of a variable of shape `dims`.
    pub fn shape(&self, dims: &[usize]) -> Vec<usize> {
        match (self.layout, &*self.variable, dims) {
            (Layout::PyTorch, "kernel", &[inputs, units]) => vec![units, inputs],
            (Layout::PyTorch, "kernel", &[kh, kw, a, b]) => vec![b, a, kh, kw],
            _ => dims.to_vec(),
        }
    }
}

/// The places of all variables of `network` in a file of this `layout`, in their order.
///
/// # Errors
/// Why there is no such file: which part of the network has an order of values that can't be followed.
///
/// # Panics
/// If two variables have one name.
#[track_caller]
pub(super) fn places(network: &dyn Layer, layout: Layout) -> Result<Vec<Place>, String> {
    let variables = network.variables();
    let parts = network.parts();
    let counted: usize = parts.iter().map(|part| part.variables).sum();
    assert!(counted == variables.len(), "parts: {counted} variables, where the network has {}", variables.len());
    let names: HashSet<&str> = variables.iter().map(|v| &*v.name).collect();
    let mut taken = HashSet::new();
    let mut places = Vec::new();
    let orders = match layout {
        Layout::PyTorch => orders_of(&parts, &variables)?,
        Layout::Minimax | Layout::Keras => vec![[None; 2]; parts.len()],
    };
    let of_parts =
        parts.iter().zip(&orders).flat_map(|(part, orders)| std::iter::repeat_n((part, orders), part.variables));
    for (Variable { name, tensor, .. }, (part, &orders)) in variables.iter().zip(of_parts) {
        let (path, variable) = name.rsplit_once('.').map_or((None, &**name), |(path, variable)| (Some(path), variable));
        let beside = |other: &str| path.map_or(other.to_string(), |path| format!("{path}.{other}"));
        let has = |other: &str| names.contains(&*beside(other));
        let file_name = match layout {
            Layout::Minimax => name.to_string(),
            Layout::Keras => in_keras(path, variable),
            Layout::PyTorch => in_torch(path, variable, has("beta"), has("u")),
        };
        assert!(taken.insert(file_name.clone()), "two variables are called {file_name}");
        let kernel = variables.iter().find(|v| *v.name == *beside("kernel")).map(|v| v.tensor.dims());
        let orders = match (variable, kernel) {
            // Of a convolution it goes along the places of the kernel and its channels.
            ("v", Some(&[kh, kw, _, _])) => [Some(tensor.numel() / (kh * kw)), None],
            _ => orders,
        };
        // What of it lies along the vectors before and after the layer.
        let lengths = match (variable, tensor.dims()) {
            ("kernel", &[rows, columns]) => [rows, columns],
            ("bias" | "u", &[length]) => [0, length],
            (_, &[length]) => [length, 0],
            _ => [0, 0],
        };
        let fits = |(length, order): (usize, Option<usize>)| order.is_none_or(|c| c > 0 && length.is_multiple_of(c));
        let wrong = lengths.into_iter().zip(orders).find(|&pair| !fits(pair));
        if let Some((length, Some(channels))) = wrong {
            return Err(format!("{name}: {length} values are no image of {channels} channels"));
        }
        let unit_norm = variable == "kernel" && part.flow == Flow::Dense { unit_norm: true };
        places.push(Place { name: file_name, layout, variable: variable.to_string(), orders, unit_norm });
    }
    Ok(places)
}

/// The orders of vectors around each part, in PyTorch's layout.
fn orders_of(parts: &[Part], variables: &[Variable<&Tensor>]) -> Result<Vec<[Option<usize>; 2]>, String> {
    let mut rest = variables;
    for part in parts {
        let (own, others) = rest.split_at(part.variables);
        if part.flow == Flow::Unknown {
            refuse_hidden_flattening(own)?;
        }
        rest = others;
    }
    orders(parts).map_err(|untold| {
        let before: usize = parts[..untold.part].iter().map(|part| part.variables).sum();
        let place = match (variables.get(before), before.checked_sub(1)) {
            (Some(next), _) => format!("at or before {}", next.name),
            (None, Some(last)) => format!("after {}", variables[last].name),
            (None, None) => "in the network".to_string(),
        };
        format!("a layer {place} {}", untold.why)
    })
}

/// Refuses a module whose forward pass can't be looked into and seems to flatten images: one in which a dense layer with other
/// than as many inputs as there are channels comes after a convolution.
fn refuse_hidden_flattening(variables: &[Variable<&Tensor>]) -> Result<(), String> {
    let mut channels = None;
    for Variable { name, tensor, .. } in variables {
        channels = match (tensor.dims(), channels) {
            (&[_, _, _, filters], _) => Some(filters),
            (&[length], Some(_)) => Some(length),
            (&[inputs, _], Some(channels)) if name.ends_with("kernel") && inputs != channels => {
                let fix = "say by Layer::parts of the module in which order its layers come";
                return Err(format!("{name} seems to take flattened images of a module of one's own; {fix}"));
            }
            (&[_, _], _) => None,
            (_, channels) => channels,
        };
    }
    Ok(())
}

/// Keras's path of a variable.
fn in_keras(path: Option<&str>, variable: &str) -> String {
    let variable = match variable {
        "running_mean" => "moving_mean",
        "running_variance" => "moving_variance",
        other => other,
    };
    path.map_or(variable.to_string(), |path| format!("{}/{variable}", path.replace('.', "/")))
}

/// PyTorch's name of a variable: of a norm, if there is a `beta` beside it, or of spectrally normalised weights.
fn in_torch(path: Option<&str>, variable: &str, is_norm: bool, is_spectral: bool) -> String {
    let variable = match variable {
        "kernel" if is_spectral => "parametrizations.weight.original",
        "u" => "parametrizations.weight.0._u",
        "v" => "parametrizations.weight.0._v",
        "kernel" => "weight",
        "gamma" if is_norm => "weight",
        "beta" => "bias",
        "running_variance" => "running_var",
        other => other,
    };
    let from_zero = |part: &str| match part.parse::<usize>() {
        Ok(number @ 1..) => (number - 1).to_string(),
        _ => part.to_string(),
    };
    let path = path.into_iter().flat_map(|path| path.split('.').map(from_zero));
    path.chain([variable.to_string()]).collect::<Vec<_>>().join(".")
}

/// `x`, which a layer has as `variable`, as PyTorch has it; the vectors `before` and `after` the layer are those of images with
/// so many channels.
fn to_torch(variable: &str, x: &Tensor, [before, after]: [Option<usize>; 2]) -> Tensor {
    match (variable, x.shape().rank()) {
        ("kernel", 2) => permute(&channels_first(&channels_first(x, 0, before), 1, after), &[1, 0]),
        ("kernel", 4) => permute(x, &[3, 2, 0, 1]),
        ("bias" | "u", 1) => channels_first(x, 0, after),
        (_, 1) => channels_first(x, 0, before),
        _ => x.clone(),
    }
}

/// [`to_torch`] the other way round.
pub(crate) fn from_torch(variable: &str, x: &Tensor, [before, after]: [Option<usize>; 2]) -> Tensor {
    match (variable, x.shape().rank()) {
        ("kernel", 2) => channels_last(&channels_last(&permute(x, &[1, 0]), 1, after), 0, before),
        ("kernel", 4) => permute(x, &[2, 3, 1, 0]),
        ("bias" | "u", 1) => channels_last(x, 0, after),
        (_, 1) => channels_last(x, 0, before),
        _ => x.clone(),
    }
}

/// `x` with the values along `axis`, where they are those of images with so many channels, in the order of `[c, h, w]`.
pub(crate) fn channels_first(x: &Tensor, axis: usize, channels: Option<usize>) -> Tensor {
    channels.map_or_else(|| x.clone(), |channels| turned(x, axis, [x.dims()[axis] / channels, channels]))
}

/// The same the other way round: in the order of `[h, w, c]`.
fn channels_last(x: &Tensor, axis: usize, channels: Option<usize>) -> Tensor {
    channels.map_or_else(|| x.clone(), |channels| turned(x, axis, [channels, x.dims()[axis] / channels]))
}

/// `x` with the values along `axis`, which are a matrix of these `[rows, columns]`, as those of its transpose.
fn turned(x: &Tensor, axis: usize, [rows, columns]: [usize; 2]) -> Tensor {
    let outer: usize = x.dims()[..axis].iter().product();
    let inner: usize = x.dims()[axis + 1..].iter().product();
    reshape(&permute(&reshape(x, [outer, rows, columns, inner]), &[0, 2, 1, 3]), x.shape())
}
