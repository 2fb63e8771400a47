//! Safetensors that `torch.nn.Sequential(...).load_state_dict` takes, with the modules of that Sequential: classes of
//! `torch.nn` with the arguments of their constructors, so that a loader needs to know nothing about most of them.
//!
//! Three things have no module of their own. Padding that differs from side to side, or is cropped, is a
//! `ZeroPad2d` of its own (negative amounts crop). A pooling whose padding does makes more than it should, which a
//! `ZeroPad2d` crops. The transpose of a matrix that a vector holds is a
//! `ChannelShuffle` of the vector as an image of one pixel. A loader must know six things: a `Residual` of two lists of
//! modules, `Attention`, `MinibatchStddev`, and `JoinLabel`, `ConditionalBatchNorm` and `Projection`, which take the
//! labels `[n, classes]` too.

mod module;

use super::channels_first::{Attention, Operation, Pool, Step, Weight, steps};
use super::{Entry, Header, rows, safetensors_file};
use crate::nn::{Resampling, Sequential};
use crate::recipe::{LayerRow, NetworkSpec};
use crate::run::checkpoint::Trained;
use crate::shape::Padding;
use crate::tensor::Tensor;
use module::*;
use safetensors::tensor::Dtype;

/// The modules of one Sequential so far, and their tensors.
#[derive(Default)]
struct Modules {
    /// The prefix of the names of its tensors: the name of the Sequential and a dot, or nothing.
    prefix: String,
    /// The number of classes, if the network takes labels.
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
    /// The layer to which it belongs.
    place: String,
    /// The layer's variable that it has: `kernel`, `gamma`, ...; `None` if it has no information.
    variable: Option<&'static str>,
}

/// `trained` as a safetensors file with tensors `<index>.weight`, `<index>.bias`,
/// `<index>.running_mean`, `<index>.running_var` and `<index>.num_batches_tracked` (I64, always 0),
/// where index is the place in the Sequential, from 0, and for the modules inside of a Residual
/// `<index>.layers.<index>` or `<index>.shortcut.<index>`; those of an Attention are `<index>.query.weight`,
/// `<index>.key.weight`, `<index>.value.weight`, `<index>.output.weight` and `<index>.gamma`. It takes and gives images
/// `[n, c, h, w]`.
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

/// The contents of a tensor of a file in this layout.
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

/// The contents of the tensors of such a file of `network`, in order, without the counts of batches, which have no
/// information.
pub(super) fn places(spec: &NetworkSpec, rows: &[LayerRow], network: &Sequential) -> Vec<Place> {
    let place = |Stored { name, entry, place, variable }: Stored| {
        Some(Place { layer: place, variable: variable?.into(), name, shape: entry.shape })
    };
    let model = Modules::of(String::new(), spec.classes, steps(&spec.layers, rows, network));
    model.tensors.into_iter().filter_map(place).collect()
}

impl Modules {
    /// The modules of `steps`, with tensors whose names begin with `prefix`.
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
                // PyTorch's momentum is the share that a step replaces, not the share that it keeps.
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
            Operation::Softplus => self.add(Module::Softplus {}, []),
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
            Operation::Attention(attention) => {
                let Attention { query, key, value, output, gamma, .. } = *attention;
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

    /// Adds a module with the tensors that it has, each with its name and the variable that it is.
    fn add<const N: usize>(&mut self, module: Module, tensors: [(&str, &'static str, Option<&Tensor>); N]) {
        for (name, variable, tensor) in tensors {
            let stored = tensor.map(|tensor| self.stored(name, Some(variable), Entry::f32(tensor)));
            self.tensors.extend(stored);
        }
        self.modules.push(module);
    }

    /// Adds a module with a weight and, if there is one, a bias.
    fn add_weighted(&mut self, module: Module, weight: Weight, bias: Option<Tensor>) {
        self.store("", ["kernel", "u", "v"], weight);
        self.add(module, [("bias", "bias", bias.as_ref())]);
    }

    /// Stores `weight` of the part `of` the next module, as these variables. With spectral normalisation the tensors
    /// are those of `torch.nn.utils.parametrizations.spectral_norm`.
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

    /// Adds a `ZeroPad2d` of `sign` times `padding`, unless that is nothing.
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
