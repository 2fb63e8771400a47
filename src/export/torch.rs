//! Safetensors that `torch.nn.Sequential(...).load_state_dict` takes, and the modules of that
//! Sequential: classes of `torch.nn` with the arguments of their constructors, so that a loader needs
//! to know nothing about any of them.
//!
//! Three things have no module of their own. Padding that differs from side to side, or is cropped, is a
//! `ZeroPad2d` of its own (negative amounts crop). A pooling whose padding does makes more than it should, which a
//! `ZeroPad2d` crops. The transpose of a matrix that a vector holds is a
//! `ChannelShuffle` of the vector as an image of one pixel. A loader must know six things: a `Residual` of two lists of
//! modules, `Attention`, `MinibatchStddev`, and `JoinLabel`, `ConditionalBatchNorm` and `Projection`, which take the labels
//! `[n, classes]` too.

use super::channels_first::{Attention, Operation, Pool, Step, Weight, steps};
use super::{Entry, Header, rows, safetensors_file};
use crate::nn::{Resampling, Sequential};
use crate::recipe::{LayerRow, NetworkSpec};
use crate::run::checkpoint::Trained;
use crate::shape::Padding;
use crate::tensor::Tensor;
use safetensors::tensor::Dtype;
use serde::Serialize;

/// A module of `torch.nn`; the tag is its class, the fields are its arguments.
#[derive(Serialize)]
#[serde(tag = "module")]
enum Module {
    Linear {
        in_features: usize,
        out_features: usize,
        bias: bool,
        #[serde(skip_serializing_if = "is_false")]
        spectral_norm: bool,
    },
    Conv2d(Convolution),
    ConvTranspose2d {
        #[serde(flatten)]
        convolution: Convolution,
        output_padding: [usize; 2],
    },
    /// Left, right, top, bottom.
    ZeroPad2d {
        padding: [i64; 4],
    },
    BatchNorm1d(Normalization),
    BatchNorm2d(Normalization),
    GroupNorm {
        num_groups: usize,
        num_channels: usize,
        eps: f64,
    },
    Dropout {
        p: f64,
    },
    LeakyReLU {
        negative_slope: f64,
    },
    ReLU {},
    Tanh {},
    Sigmoid {},
    #[serde(rename = "GELU")]
    Gelu {},
    SiLU {},
    #[serde(rename = "ELU")]
    Elu {
        alpha: f64,
    },
    Upsample {
        #[serde(flatten)]
        to: Resized,
        mode: &'static str,
    },
    PixelShuffle {
        upscale_factor: usize,
    },
    /// No class of `torch.nn`: one more channel, the standard deviation over groups of examples.
    MinibatchStddev {
        group: usize,
    },
    MaxPool2d(Window),
    AvgPool2d {
        #[serde(flatten)]
        window: Window,
        count_include_pad: bool,
    },
    Flatten {},
    Unflatten {
        dim: usize,
        unflattened_size: [usize; 3],
    },
    ChannelShuffle {
        groups: usize,
    },
    AdaptiveAvgPool2d {
        output_size: usize,
    },
    /// No class of `torch.nn`: the label, or its embedding, beside x; where x is an image and it is embedded, as a map.
    JoinLabel {
        classes: usize,
        embedding: Option<usize>,
        image: Option<[usize; 2]>,
    },
    /// No class of `torch.nn`: a BatchNorm whose weight and bias are the example's class's row.
    ConditionalBatchNorm {
        classes: usize,
        #[serde(flatten)]
        normalization: Normalization,
    },
    /// No class of `torch.nn`: `linear`, a Linear to one number, and x by what `embedding`, a Linear without bias, makes of the
    /// label.
    Projection {
        classes: usize,
        in_features: usize,
        #[serde(skip_serializing_if = "is_false")]
        spectral_norm: bool,
    },
    /// No class of `torch.nn`: attention between the places of an image.
    Attention {
        channels: usize,
        #[serde(skip_serializing_if = "is_false")]
        spectral_norm: bool,
    },
    /// No class of `torch.nn`: the sum of two Sequentials, one of no modules being the identity.
    Residual {
        layers: Vec<Module>,
        shortcut: Vec<Module>,
    },
}

/// By how much, or to what size.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Resized {
    ScaleFactor(usize),
    Size([usize; 2]),
}

#[derive(Serialize)]
struct Convolution {
    in_channels: usize,
    out_channels: usize,
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    bias: bool,
    #[serde(skip_serializing_if = "is_one")]
    groups: usize,
    /// No argument: whether `torch.nn.utils.parametrizations.spectral_norm` is to be applied to the module.
    #[serde(skip_serializing_if = "is_false")]
    spectral_norm: bool,
}

/// What a constructor takes unless told otherwise.
fn is_one(groups: &usize) -> bool {
    *groups == 1
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What a convolution with this `weight` says of itself.
fn convolution(
    weight: &Weight,
    bias: &Option<Tensor>,
    stride: [usize; 2],
    padding: [usize; 2],
    groups: usize,
    transposed: bool,
) -> Convolution {
    let &[first, second, height, width] = weight.learnt.dims() else { unreachable!("a convolution's weight") };
    let [in_channels, out_channels] = if transposed { [first, second * groups] } else { [second * groups, first] };
    Convolution {
        in_channels,
        out_channels,
        kernel_size: [height, width],
        stride,
        padding,
        bias: bias.is_some(),
        groups,
        spectral_norm: weight.singular.is_some(),
    }
}

/// The tensors of a batch norm.
fn normalizing<'a>(
    [gamma, beta, mean, variance]: [&'a Tensor; 4],
) -> [(&'static str, &'static str, Option<&'a Tensor>); 4] {
    [
        ("weight", "gamma", Some(gamma)),
        ("bias", "beta", Some(beta)),
        ("running_mean", "running_mean", Some(mean)),
        ("running_var", "running_variance", Some(variance)),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Window {
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    ceil_mode: bool,
}

#[derive(Serialize)]
struct Normalization {
    num_features: usize,
    eps: f64,
    momentum: f64,
}

/// The modules so far of one Sequential, and their tensors.
#[derive(Default)]
struct Modules {
    /// What the names of its tensors begin with: that of the Sequential and a dot, or nothing.
    prefix: String,
    /// Of how many classes the labels are that the network takes, if it takes any.
    classes: Option<usize>,
    /// The layer whose modules are being made: see [`LayerRow::place`].
    place: String,
    modules: Vec<Module>,
    tensors: Vec<Stored>,
}

/// A tensor of the file.
struct Stored {
    name: String,
    entry: Entry,
    /// The layer that it belongs to.
    place: String,
    /// The layer's variable that it is: `kernel`, `gamma`, ...; none of those that say nothing.
    variable: Option<&'static str>,
}

/// `trained` as a safetensors file with tensors `<index>.weight`, `<index>.bias`,
/// `<index>.running_mean`, `<index>.running_var` and `<index>.num_batches_tracked` (I64, always 0),
/// where index is the place in the Sequential, from 0, and for the modules inside of a Residual `<index>.layers.<index>`
/// or `<index>.shortcut.<index>`; those of an Attention are `<index>.query.weight`, `<index>.key.weight`,
/// `<index>.value.weight`, `<index>.output.weight` and `<index>.gamma`. It takes and gives images `[n, c, h, w]`.
pub fn torch(trained: &Trained) -> Vec<u8> {
    let spec = trained.role.spec(&trained.recipe);
    let rows = rows(trained);
    let model = Modules::of(String::new(), spec.classes, steps(&spec.layers, &rows, &trained.network));
    let [input, output] = [&spec.input, &rows[rows.len() - 1].output].map(|shape| match shape[..] {
        [h, w, c] => vec![c, h, w],
        _ => shape.clone(),
    });
    let header = Header {
        layout: "torch",
        network: trained.role.name(),
        step: trained.step,
        input: &input,
        classes: spec.classes,
        output: &output,
        layers: model.modules,
        recipe: trained.recipe.to_toml(),
    };
    let tensors = model.tensors.into_iter().map(|Stored { name, entry, .. }| (name, entry));
    safetensors_file(&header, tensors.collect())
}

/// What a tensor of a file in this layout holds.
pub(super) struct Place {
    /// The layer of the recipe: see [`LayerRow::place`].
    pub layer: String,
    /// Its variable: `kernel`, `gamma`, ...
    pub variable: String,
    /// The tensor's name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// What the tensors of such a file of `network` hold, in order; the counts of batches, which say nothing, are left out.
pub(super) fn places(spec: &NetworkSpec, rows: &[LayerRow], network: &Sequential) -> Vec<Place> {
    let place = |Stored { name, entry, place, variable }: Stored| {
        Some(Place { layer: place, variable: variable?.into(), name, shape: entry.shape })
    };
    let model = Modules::of(String::new(), spec.classes, steps(&spec.layers, rows, network));
    model.tensors.into_iter().filter_map(place).collect()
}

impl Modules {
    /// The modules of `steps`, the names of whose tensors begin with `prefix`.
    fn of(prefix: String, classes: Option<usize>, steps: Vec<Step>) -> Modules {
        let mut model = Modules { prefix, classes, ..Modules::default() };
        for step in steps {
            model.place = step.place;
            model.push(step.operation);
        }
        model
    }

    fn push(&mut self, operation: Operation) {
        match operation {
            Operation::Linear { weight, bias } => {
                let module = Module::Linear {
                    in_features: weight.learnt.dims()[1],
                    out_features: weight.learnt.dims()[0],
                    bias: bias.is_some(),
                    spectral_norm: weight.singular.is_some(),
                };
                self.add_weighted(module, weight, bias);
            }
            Operation::Conv2d { weight, bias, stride, padding, groups } => {
                let (symmetric, rest) = split(padding);
                self.pad(rest, 1);
                let module = Module::Conv2d(convolution(&weight, &bias, stride, symmetric, groups, false));
                self.add_weighted(module, weight, bias);
            }
            Operation::ConvTranspose2d { weight, bias, stride, padding, extra, groups } => {
                let (symmetric, rest) = split(padding);
                let module = Module::ConvTranspose2d {
                    convolution: convolution(&weight, &bias, stride, symmetric, groups, true),
                    output_padding: extra,
                };
                self.add_weighted(module, weight, bias);
                self.pad(rest, -1);
            }
            Operation::BatchNorm { gamma, beta, mean, variance, epsilon, momentum, image } => {
                // PyTorch's momentum is the share that a step replaces.
                let normalization =
                    Normalization { num_features: gamma.numel(), eps: epsilon, momentum: 1.0 - momentum };
                let module = match image {
                    true => Module::BatchNorm2d(normalization),
                    false => Module::BatchNorm1d(normalization),
                };
                let tracked = Entry { dtype: Dtype::I64, shape: vec![], bytes: vec![0; 8] };
                let tracked = self.stored("num_batches_tracked", None, tracked);
                self.add(module, normalizing([&gamma, &beta, &mean, &variance]));
                self.tensors.push(tracked);
            }
            Operation::JoinLabel { embedding, map, image } => {
                let [classes, width] = match &embedding {
                    Some(table) => [table.dims()[0], table.dims()[1]].map(Some),
                    None => [self.classes, None],
                };
                let classes = classes.expect("a network with labels knows its classes");
                let [weight, bias] = map.map_or([None, None], |map| map.map(Some));
                let tensors = [
                    ("embedding", "embedding", embedding.as_ref()),
                    ("weight", "kernel", weight.as_ref()),
                    ("bias", "bias", bias.as_ref()),
                ];
                self.add(Module::JoinLabel { classes, embedding: width, image }, tensors);
            }
            Operation::ConditionalBatchNorm { gamma, beta, mean, variance, epsilon, momentum, .. } => {
                let [classes, num_features] = [gamma.dims()[0], gamma.dims()[1]];
                let normalization = Normalization { num_features, eps: epsilon, momentum: 1.0 - momentum };
                let module = Module::ConditionalBatchNorm { classes, normalization };
                self.add(module, normalizing([&gamma, &beta, &mean, &variance]));
            }
            Operation::Projection { weight, bias, embedding } => {
                let [in_features, classes] = [embedding.learnt.dims()[0], embedding.learnt.dims()[1]];
                let spectral_norm = weight.singular.is_some();
                self.store("linear.", ["kernel", "u", "v"], weight);
                let bias = self.stored("linear.bias", Some("bias"), Entry::f32(&bias));
                self.tensors.push(bias);
                self.store("embedding.", ["embedding.kernel", "embedding.u", "embedding.v"], embedding);
                self.modules.push(Module::Projection { classes, in_features, spectral_norm });
            }
            Operation::GroupNorm { gamma, beta, groups, epsilon, .. } => {
                let module = Module::GroupNorm { num_groups: groups, num_channels: gamma.numel(), eps: epsilon };
                self.add(module, [("weight", "gamma", Some(&gamma)), ("bias", "beta", Some(&beta))]);
            }
            Operation::Dropout { rate } => self.add(Module::Dropout { p: rate }, []),
            Operation::LeakyRelu { slope } => {
                let negative_slope = slope;
                self.add(Module::LeakyReLU { negative_slope }, []);
            }
            Operation::Relu => self.add(Module::ReLU {}, []),
            Operation::Tanh => self.add(Module::Tanh {}, []),
            Operation::Sigmoid => self.add(Module::Sigmoid {}, []),
            Operation::Gelu => self.add(Module::Gelu {}, []),
            Operation::Silu => self.add(Module::SiLU {}, []),
            Operation::Elu { alpha } => self.add(Module::Elu { alpha }, []),
            Operation::Upsample { factor, method } => {
                let mode = match method {
                    Resampling::Nearest => "nearest",
                    Resampling::Bilinear => "bilinear",
                };
                self.add(Module::Upsample { to: Resized::ScaleFactor(factor), mode }, []);
            }
            Operation::Downsample { size, .. } => {
                self.add(Module::Upsample { to: Resized::Size(size), mode: "bilinear" }, []);
            }
            Operation::PixelShuffle { factor } => self.add(Module::PixelShuffle { upscale_factor: factor }, []),
            Operation::MinibatchStddev { group } => self.add(Module::MinibatchStddev { group }, []),
            Operation::Pool { kind, size, stride, padding, image } => {
                let (window, crop) = pool_window(size, stride, padding, image);
                let module = match kind {
                    Pool::Max => Module::MaxPool2d(window),
                    Pool::Average => Module::AvgPool2d { window, count_include_pad: false },
                };
                self.add(module, []);
                self.pad(crop, -1);
            }
            Operation::GlobalAveragePool => self.add(Module::AdaptiveAvgPool2d { output_size: 1 }, []),
            Operation::Flatten => self.add(Module::Flatten {}, []),
            Operation::Unflatten { image } => self.unflatten(image),
            Operation::Transpose { rows, columns } => {
                self.unflatten([rows * columns, 1, 1]);
                self.add(Module::ChannelShuffle { groups: rows }, []);
                self.add(Module::Flatten {}, []);
            }
            Operation::Attention(Attention { query, key, value, output, gamma, .. }) => {
                let (channels, spectral_norm) = (output.learnt.dims()[0], output.singular.is_some());
                self.store("query.", ["query.kernel", "query.u", "query.v"], query);
                self.store("key.", ["key.kernel", "key.u", "key.v"], key);
                self.store("value.", ["value.kernel", "value.u", "value.v"], value);
                self.store("output.", ["output.kernel", "output.u", "output.v"], output);
                self.add(Module::Attention { channels, spectral_norm }, [("gamma", "gamma", Some(&gamma))]);
            }
            Operation::Residual { layers, shortcut } => {
                let within = |name: &str| format!("{}{}.{name}.", self.prefix, self.modules.len());
                let layers = Modules::of(within("layers"), self.classes, layers);
                let shortcut = Modules::of(within("shortcut"), self.classes, shortcut);
                self.tensors.extend(layers.tensors);
                self.tensors.extend(shortcut.tensors);
                self.modules.push(Module::Residual { layers: layers.modules, shortcut: shortcut.modules });
            }
        }
    }

    /// A module with those of its tensors that it has.
    ///
    /// Each has a name and the variable that it is.
    fn add<const N: usize>(&mut self, module: Module, tensors: [(&str, &'static str, Option<&Tensor>); N]) {
        for (name, variable, tensor) in tensors {
            let stored = tensor.map(|tensor| self.stored(name, Some(variable), Entry::f32(tensor)));
            self.tensors.extend(stored);
        }
        self.modules.push(module);
    }

    /// A module of a weight and, perhaps, a bias.
    fn add_weighted(&mut self, module: Module, weight: Weight, bias: Option<Tensor>) {
        self.store("", ["kernel", "u", "v"], weight);
        self.add(module, [("bias", "bias", bias.as_ref())]);
    }

    /// The tensors of `weight` of the part `of` the next module, which are these variables: where there is a spectral
    /// normalisation, as `torch.nn.utils.parametrizations.spectral_norm` has them.
    fn store(&mut self, of: &str, [kernel, u, v]: [&'static str; 3], weight: Weight) {
        let Weight { learnt, singular } = weight;
        let tensors = match singular {
            None => vec![("weight", kernel, learnt)],
            Some([left, right]) => vec![
                ("parametrizations.weight.original", kernel, learnt),
                ("parametrizations.weight.0._u", u, left),
                ("parametrizations.weight.0._v", v, right),
            ],
        };
        for (name, variable, tensor) in tensors {
            let stored = self.stored(&format!("{of}{name}"), Some(variable), Entry::f32(&tensor));
            self.tensors.push(stored);
        }
    }

    /// A tensor of the next module.
    fn stored(&self, name: &str, variable: Option<&'static str>, entry: Entry) -> Stored {
        let name = format!("{}{}.{name}", self.prefix, self.modules.len());
        Stored { name, entry, place: self.place.clone(), variable }
    }

    /// A `ZeroPad2d` of `sign` times `padding`, unless that is nothing.
    fn pad(&mut self, padding: Padding, sign: i64) {
        if padding != Padding::VALID {
            let Padding { top, bottom, left, right } = padding;
            let padding = [left, right, top, bottom].map(|side| sign * side as i64);
            self.add(Module::ZeroPad2d { padding }, []);
        }
    }

    fn unflatten(&mut self, unflattened_size: [usize; 3]) {
        let dim = 1;
        let module = Module::Unflatten { dim, unflattened_size };
        self.add(module, []);
    }
}

/// A pooling of PyTorch's, and what to crop of its result, which are together the pooling of `image` with windows of
/// `size`.
///
/// PyTorch pads both sides alike, by at most half of a window. More padding before the image, by a multiple of the stride,
/// makes whole windows before the first one; `ceil_mode` makes one more at the end that reaches beyond the padding. What
/// of a window lies beyond the image counts for nothing in either. Along an axis of n pixels with P before and after,
/// there are floor((n + 2P - k) / s) + 1 windows, or with `ceil_mode` ceil((n + 2P - k) / s) + 1, but none begins after
/// the image.
fn pool_window(size: [usize; 2], stride: [usize; 2], padding: Padding, image: [usize; 2]) -> (Window, Padding) {
    let sides = [[padding.top, padding.bottom], [padding.left, padding.right]];
    // Windows before the first.
    let extra = [0, 1].map(|axis| {
        let [before, after] = sides[axis];
        after.saturating_sub(before) / stride[axis]
    });
    let padded = [0, 1].map(|axis| sides[axis][0] + extra[axis] * stride[axis]);
    let needed = [0, 1].map(|axis| {
        let [before, after] = sides[axis];
        extra[axis] + (image[axis] + before + after - size[axis]) / stride[axis] + 1
    });
    let made = |axis: usize, ceil_mode: bool| {
        let (n, p, s) = (image[axis], padded[axis], stride[axis]);
        let reach = n + 2 * p + if ceil_mode { s - 1 } else { 0 };
        let windows = (reach + s).saturating_sub(size[axis]) / s;
        if ceil_mode { windows.min((n + p).div_ceil(s)) } else { windows }
    };
    let ceil_mode = (0..2).any(|axis| made(axis, false) < needed[axis]);
    let left_over = [0, 1].map(|axis| made(axis, ceil_mode) - needed[axis]);
    let crop = Padding { top: extra[0], bottom: left_over[0], left: extra[1], right: left_over[1] };
    (Window { kernel_size: size, stride, padding: padded, ceil_mode }, crop)
}

/// The part of `padding` that is the same on opposite sides, `[rows, columns]`, and what remains.
fn split(padding: Padding) -> ([usize; 2], Padding) {
    let rows = padding.top.min(padding.bottom);
    let columns = padding.left.min(padding.right);
    let rest = Padding {
        top: padding.top - rows,
        bottom: padding.bottom - rows,
        left: padding.left - columns,
        right: padding.right - columns,
    };
    ([rows, columns], rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::PaddingRule;

    /// Where PyTorch's windows begin along an axis, after cropping, and that they are ours.
    #[test]
    fn poolings_of_every_padding_have_the_windows_of_pytorchs() {
        for n in 1..=9 {
            for k in 1..=5 {
                for s in 1..=4 {
                    let explicit = (0..=k / 2).flat_map(|before| (0..=k / 2).map(move |after| [before, after]));
                    let same = PaddingRule::Same.sides([n, n], [k, k], [s, s]);
                    for [before, after] in explicit.chain([[same.top, same.bottom]]) {
                        if n + before + after < k {
                            continue;
                        }
                        let padding = Padding { top: before, bottom: after, left: before, right: after };
                        let (window, crop) = pool_window([k, k], [s, s], padding, [n, n]);
                        let what = format!("n {n} k {k} s {s} padding {before}, {after}: {window:?} {crop:?}");
                        let p = window.padding[0];
                        assert!(p <= k / 2, "{what}");
                        // As PyTorch's pooling_output_shape has it.
                        let room = (n + 2 * p) as i64 - k as i64 + if window.ceil_mode { s as i64 - 1 } else { 0 };
                        let mut made = room.div_euclid(s as i64) + 1;
                        if window.ceil_mode && (made - 1) * s as i64 >= (n + p) as i64 {
                            made -= 1;
                        }
                        let start = |i: i64| i * s as i64 - p as i64;
                        let theirs: Vec<i64> = (crop.top as i64..made - crop.bottom as i64).map(start).collect();
                        let ours = 0..(n + before + after - k) / s + 1;
                        let ours: Vec<i64> = ours.map(|i| (i * s) as i64 - before as i64).collect();
                        assert_eq!(theirs, ours, "{what}");
                    }
                }
            }
        }
    }
}
