//! Safetensors that `torch.nn.Sequential(...).load_state_dict` takes, and the modules of that
//! Sequential: classes of `torch.nn` with the arguments of their constructors, so that a loader needs
//! to know nothing about any of them.
//!
//! Three things have no module of their own. Padding that differs from side to side, or is cropped, is a
//! `ZeroPad2d` of its own (negative amounts crop). A pooling whose padding does makes more than it should, which a
//! `ZeroPad2d` crops. The transpose of a matrix that a vector holds is a
//! `ChannelShuffle` of the vector as an image of one pixel. Three things a loader must know: a `Residual` of two lists of
//! modules, `Attention` and `MinibatchStddev`.

use super::channels_first::{Attention, Operation, Pool, Step, steps};
use super::{Entry, Header, rows, safetensors_file};
use crate::nn::{Resampling, Sequential};
use crate::recipe::{LayerRow, LayerSpec, NetworkSpec, all_layers};
use crate::run::checkpoint::Trained;
use crate::shape::Padding;
use crate::tensor::Tensor;
use safetensors::tensor::Dtype;
use serde::Serialize;
use std::collections::HashSet;

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
    /// No class of `torch.nn`: attention between the places of an image.
    Attention {
        channels: usize,
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
}

/// What a constructor takes unless told otherwise.
fn is_one(groups: &usize) -> bool {
    *groups == 1
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
    /// The layer whose modules are being made: see [`LayerRow::place`].
    place: String,
    modules: Vec<Module>,
    tensors: Vec<Stored>,
}

/// A tensor of the file.
struct Stored {
    name: String,
    /// What its module calls it.
    tensor: &'static str,
    entry: Entry,
    /// The layer that it belongs to.
    place: String,
}

/// `trained` as a safetensors file with tensors `<index>.weight`, `<index>.bias`,
/// `<index>.running_mean`, `<index>.running_var` and `<index>.num_batches_tracked` (I64, always 0),
/// where index is the place in the Sequential, from 0, and for the modules inside of a Residual `<index>.layers.<index>`
/// or `<index>.shortcut.<index>`; those of an Attention are `<index>.query.weight`, `<index>.key.weight`,
/// `<index>.value.weight`, `<index>.output.weight` and `<index>.gamma`. It takes and gives images `[n, c, h, w]`.
pub fn torch(trained: &Trained) -> Vec<u8> {
    let spec = trained.role.spec(&trained.recipe);
    let rows = rows(trained);
    let model = Modules::of(String::new(), steps(&spec.layers, &rows, &trained.network));
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
    let all = all_layers(&spec.layers, rows).into_iter();
    let normalizing =
        all.filter(|(layer, _)| matches!(layer, LayerSpec::BatchNorm { .. }) || layer.group_norm(1).is_some());
    let normalizing: HashSet<&str> = normalizing.map(|(_, row)| &row.place[..]).collect();
    let place = |Stored { name, tensor, entry, place }: Stored| {
        let variable = match (tensor, normalizing.contains(&place[..])) {
            ("num_batches_tracked", _) => return None,
            ("weight", true) => "gamma".into(),
            ("bias", true) => "beta".into(),
            ("running_var", _) => "running_variance".into(),
            (tensor, _) => tensor.replace("weight", "kernel"),
        };
        Some(Place { layer: place, variable, name, shape: entry.shape })
    };
    let model = Modules::of(String::new(), steps(&spec.layers, rows, network));
    model.tensors.into_iter().filter_map(place).collect()
}

impl Modules {
    /// The modules of `steps`, the names of whose tensors begin with `prefix`.
    fn of(prefix: String, steps: Vec<Step>) -> Modules {
        let mut model = Modules { prefix, ..Modules::default() };
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
                    in_features: weight.dims()[1],
                    out_features: weight.dims()[0],
                    bias: bias.is_some(),
                };
                self.add(module, [("weight", Some(&weight)), ("bias", bias.as_ref())]);
            }
            Operation::Conv2d { weight, bias, stride, padding, groups } => {
                let (symmetric, rest) = split(padding);
                self.pad(rest, 1);
                let [out_channels, in_channels] = [weight.dims()[0], weight.dims()[1] * groups];
                let module = Module::Conv2d(Convolution {
                    in_channels,
                    out_channels,
                    kernel_size: [weight.dims()[2], weight.dims()[3]],
                    stride,
                    padding: symmetric,
                    bias: bias.is_some(),
                    groups,
                });
                self.add(module, [("weight", Some(&weight)), ("bias", bias.as_ref())]);
            }
            Operation::ConvTranspose2d { weight, bias, stride, padding, extra, groups } => {
                let (symmetric, rest) = split(padding);
                let [in_channels, out_channels] = [weight.dims()[0], weight.dims()[1] * groups];
                let module = Module::ConvTranspose2d {
                    convolution: Convolution {
                        in_channels,
                        out_channels,
                        kernel_size: [weight.dims()[2], weight.dims()[3]],
                        stride,
                        padding: symmetric,
                        bias: bias.is_some(),
                        groups,
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
                let tracked = Entry { dtype: Dtype::I64, shape: vec![], bytes: vec![0; 8] };
                let tracked = self.stored("num_batches_tracked", tracked);
                let tensors = [
                    ("weight", Some(&gamma)),
                    ("bias", Some(&beta)),
                    ("running_mean", Some(&mean)),
                    ("running_var", Some(&variance)),
                ];
                self.add(module, tensors);
                self.tensors.push(tracked);
            }
            Operation::GroupNorm { gamma, beta, groups, epsilon, .. } => {
                let module = Module::GroupNorm { num_groups: groups, num_channels: gamma.numel(), eps: epsilon };
                self.add(module, [("weight", Some(&gamma)), ("bias", Some(&beta))]);
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
                let tensors = [
                    ("query.weight", Some(&query)),
                    ("key.weight", Some(&key)),
                    ("value.weight", Some(&value)),
                    ("output.weight", Some(&output)),
                    ("gamma", Some(&gamma)),
                ];
                self.add(Module::Attention { channels: output.dims()[0] }, tensors);
            }
            Operation::Residual { layers, shortcut } => {
                let within = |name: &str| format!("{}{}.{name}.", self.prefix, self.modules.len());
                let layers = Modules::of(within("layers"), layers);
                let shortcut = Modules::of(within("shortcut"), shortcut);
                self.tensors.extend(layers.tensors);
                self.tensors.extend(shortcut.tensors);
                self.modules.push(Module::Residual { layers: layers.modules, shortcut: shortcut.modules });
            }
        }
    }

    /// A module with those of its tensors that it has.
    fn add<const N: usize>(&mut self, module: Module, tensors: [(&'static str, Option<&Tensor>); N]) {
        for (name, tensor) in tensors {
            let stored = tensor.map(|tensor| self.stored(name, Entry::f32(tensor)));
            self.tensors.extend(stored);
        }
        self.modules.push(module);
    }

    /// A tensor of the next module.
    fn stored(&self, tensor: &'static str, entry: Entry) -> Stored {
        let name = format!("{}{}.{tensor}", self.prefix, self.modules.len());
        Stored { name, tensor, entry, place: self.place.clone() }
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
