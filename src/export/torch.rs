//! Safetensors that `torch.nn.Sequential(...).load_state_dict` takes, and the modules of that
//! Sequential: classes of `torch.nn` with the arguments of their constructors, so that a loader needs
//! to know nothing about any of them.
//!
//! Two things have no module of their own. Padding that differs from side to side, or is cropped, is a
//! `ZeroPad2d` of its own (negative amounts crop). The transpose of a matrix that a vector holds is a
//! `ChannelShuffle` of the vector as an image of one pixel.

use super::channels_first::{Operation, steps};
use super::{Entry, Header, rows, safetensors_file};
use crate::nn::Sequential;
use crate::recipe::{LayerRow, LayerSpec, NetworkSpec};
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
    Dropout {
        p: f64,
    },
    LeakyReLU {
        negative_slope: f64,
    },
    ReLU {},
    Tanh {},
    Sigmoid {},
    Upsample {
        scale_factor: usize,
        mode: &'static str,
    },
    Flatten {},
    Unflatten {
        dim: usize,
        unflattened_size: [usize; 3],
    },
    ChannelShuffle {
        groups: usize,
    },
}

#[derive(Serialize)]
struct Convolution {
    in_channels: usize,
    out_channels: usize,
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    bias: bool,
}

#[derive(Serialize)]
struct Normalization {
    num_features: usize,
    eps: f64,
    momentum: f64,
}

/// The modules so far, and their tensors.
#[derive(Default)]
struct Modules {
    modules: Vec<Module>,
    tensors: Vec<(String, Entry)>,
}

/// `trained` as a safetensors file with tensors `<index>.weight`, `<index>.bias`,
/// `<index>.running_mean`, `<index>.running_var` and `<index>.num_batches_tracked` (I64, always 0),
/// where index is the place in the Sequential, from 0. It takes and gives images `[n, c, h, w]`.
pub fn torch(trained: &Trained) -> Vec<u8> {
    let spec = trained.role.spec(&trained.recipe);
    let rows = rows(trained);
    let mut model = Modules::default();
    for step in steps(&spec.layers, &rows, &trained.network) {
        model.push(step.operation);
    }
    let [input, output] = [&spec.input, &rows[rows.len() - 1].output].map(|shape| match shape[..] {
        [h, w, c] => vec![c, h, w],
        _ => shape.clone(),
    });
    let header = Header {
        layout: "torch",
        network: trained.role.name(),
        step: trained.step,
        input: &input,
        output: &output,
        layers: model.modules,
        recipe: trained.recipe.to_toml(),
    };
    safetensors_file(&header, model.tensors)
}

/// What a tensor of a file in this layout holds.
pub(super) struct Place {
    /// The layer of the recipe, counted from 1.
    pub layer: usize,
    /// Its variable: `kernel`, `gamma`, ...
    pub variable: String,
    /// The tensor's name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// What the tensors of such a file of `network` hold, in order; the counts of batches, which say nothing, are left out.
pub(super) fn places(spec: &NetworkSpec, rows: &[LayerRow], network: &Sequential) -> Vec<Place> {
    let mut model = Modules::default();
    let mut places = Vec::new();
    for step in steps(&spec.layers, rows, network) {
        let layer = step.layer;
        let normalizes = matches!(spec.layers[layer - 1], LayerSpec::BatchNorm { .. });
        model.push(step.operation);
        for (name, entry) in model.tensors.drain(..) {
            let variable = match (name.rsplit('.').next(), normalizes) {
                (Some("weight"), false) => "kernel",
                (Some("weight"), true) => "gamma",
                (Some("bias"), false) => "bias",
                (Some("bias"), true) => "beta",
                (Some("running_mean"), _) => "running_mean",
                (Some("running_var"), _) => "running_variance",
                _ => continue,
            };
            places.push(Place { layer, variable: variable.into(), name, shape: entry.shape });
        }
    }
    places
}

impl Modules {
    fn push(&mut self, operation: Operation) {
        match operation {
            Operation::Linear { weight, bias } => {
                let module = Module::Linear {
                    in_features: weight.dims()[1],
                    out_features: weight.dims()[0],
                    bias: bias.is_some(),
                };
                self.add(module, [("weight", Some(&weight)), ("bias", bias.as_ref())]);
            }
            Operation::Conv2d { weight, bias, stride, padding } => {
                let (symmetric, rest) = split(padding);
                self.pad(rest, 1);
                let [out_channels, in_channels] = [weight.dims()[0], weight.dims()[1]];
                let module = Module::Conv2d(Convolution {
                    in_channels,
                    out_channels,
                    kernel_size: [weight.dims()[2], weight.dims()[3]],
                    stride,
                    padding: symmetric,
                    bias: bias.is_some(),
                });
                self.add(module, [("weight", Some(&weight)), ("bias", bias.as_ref())]);
            }
            Operation::ConvTranspose2d { weight, bias, stride, padding, extra } => {
                let (symmetric, rest) = split(padding);
                let [in_channels, out_channels] = [weight.dims()[0], weight.dims()[1]];
                let module = Module::ConvTranspose2d {
                    convolution: Convolution {
                        in_channels,
                        out_channels,
                        kernel_size: [weight.dims()[2], weight.dims()[3]],
                        stride,
                        padding: symmetric,
                        bias: bias.is_some(),
                    },
                    output_padding: extra,
                };
                self.add(module, [("weight", Some(&weight)), ("bias", bias.as_ref())]);
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
                let index = self.modules.len();
                let tensors = [
                    ("weight", Some(&gamma)),
                    ("bias", Some(&beta)),
                    ("running_mean", Some(&mean)),
                    ("running_var", Some(&variance)),
                ];
                self.add(module, tensors);
                let tracked = Entry { dtype: Dtype::I64, shape: vec![], bytes: vec![0; 8] };
                let name = format!("{index}.num_batches_tracked");
                self.tensors.push((name, tracked));
            }
            Operation::Dropout { rate } => self.add(Module::Dropout { p: rate }, []),
            Operation::LeakyRelu { slope } => {
                let negative_slope = slope;
                self.add(Module::LeakyReLU { negative_slope }, []);
            }
            Operation::Relu => self.add(Module::ReLU {}, []),
            Operation::Tanh => self.add(Module::Tanh {}, []),
            Operation::Sigmoid => self.add(Module::Sigmoid {}, []),
            Operation::Upsample { factor } => {
                let (scale_factor, mode) = (factor, "nearest");
                self.add(Module::Upsample { scale_factor, mode }, []);
            }
            Operation::Flatten => self.add(Module::Flatten {}, []),
            Operation::Unflatten { image } => self.unflatten(image),
            Operation::Transpose { rows, columns } => {
                self.unflatten([rows * columns, 1, 1]);
                self.add(Module::ChannelShuffle { groups: rows }, []);
                self.add(Module::Flatten {}, []);
            }
        }
    }

    /// A module with those of its tensors that it has.
    fn add<const N: usize>(&mut self, module: Module, tensors: [(&str, Option<&Tensor>); N]) {
        let index = self.modules.len();
        for (name, tensor) in tensors {
            let entry = tensor.map(|tensor| (format!("{index}.{name}"), Entry::f32(tensor)));
            self.tensors.extend(entry);
        }
        self.modules.push(module);
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
