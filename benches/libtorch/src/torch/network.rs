//! A recipe's network in libtorch, with the weights of ours.

use super::layout::{Layout, convolution, values};
use super::shim::{self, Convolution};
use minimax::nn::Sequential;
use minimax::recipe::{LayerSpec, NetworkSpec};
use std::collections::HashMap;
use tch::Tensor;

/// Layers one after the other.
pub struct Network {
    layers: Vec<Layer>,
    layout: Layout,
    /// What the optimiser changes, each a leaf of libtorch's graph.
    pub parameters: Vec<Tensor>,
}

enum Layer {
    Linear { weight: Tensor, bias: Option<Tensor> },
    Convolution { weight: Tensor, bias: Option<Tensor>, attributes: Convolution },
    BatchNorm { gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, momentum: f64, epsilon: f64 },
    Dropout { rate: f64 },
    LeakyRelu { slope: f64 },
    Relu,
    Tanh,
    Sigmoid,
    Flatten,
    Unflatten { image: [i64; 3] },
}

impl Network {
    /// The network of `spec`, its values those of `ours`.
    ///
    /// # Errors
    /// Where libtorch has no such layer.
    pub fn new(spec: &NetworkSpec, ours: &Sequential, layout: Layout) -> Result<Network, String> {
        let mut builder = Builder { spec, layout, tensors: ours.named().into_iter().collect(), parameters: Vec::new() };
        let table = spec.table()?;
        let mut layers = Vec::new();
        for (index, row) in table.rows.iter().enumerate() {
            layers.push(builder.layer(index, &row.input, &row.output)?);
        }
        Ok(Network { layers, layout, parameters: builder.parameters })
    }

    /// The output for a batch `x`, an image in this network's layout; `training` is about batch norm and
    /// dropout.
    pub fn forward(&self, x: &Tensor, training: bool) -> Tensor {
        let mut x = x.shallow_clone();
        for layer in &self.layers {
            x = layer.forward(&x, training, self.layout);
        }
        x
    }

    /// Whether gradients of the parameters are wanted at all.
    pub fn set_requires_grad(&self, wanted: bool) {
        for parameter in &self.parameters {
            let _ = parameter.set_requires_grad(wanted);
        }
    }
}

impl Layer {
    fn forward(&self, x: &Tensor, training: bool, layout: Layout) -> Tensor {
        match self {
            Layer::Linear { weight, bias } => x.linear(weight, bias.as_ref()),
            Layer::Convolution { weight, bias, attributes: a } => {
                x.convolution(weight, bias.as_ref(), a.stride, a.padding, [1, 1], a.transposed, a.output_padding, 1)
            }
            Layer::BatchNorm { gamma, beta, mean, variance, momentum, epsilon } => x.batch_norm(
                Some(gamma),
                Some(beta),
                Some(mean),
                Some(variance),
                training,
                // libtorch's is the share that a step replaces.
                1.0 - momentum,
                *epsilon,
                false,
            ),
            Layer::Dropout { rate } => x.dropout(*rate, training),
            Layer::LeakyRelu { slope } => shim::leaky_relu(x, *slope),
            Layer::Relu => x.relu(),
            Layer::Tanh => x.tanh(),
            Layer::Sigmoid => x.sigmoid(),
            Layer::Flatten => match layout {
                Layout::Contiguous => x.flatten(1, -1),
                Layout::ChannelsLast => x.permute([0, 2, 3, 1]).flatten(1, -1),
            },
            Layer::Unflatten { image: [h, w, c] } => match layout {
                Layout::Contiguous => x.view([-1, *c, *h, *w]),
                Layout::ChannelsLast => x.view([-1, *h, *w, *c]).permute([0, 3, 1, 2]),
            },
        }
    }
}

struct Builder<'a> {
    spec: &'a NetworkSpec,
    layout: Layout,
    tensors: HashMap<String, &'a minimax::Tensor>,
    parameters: Vec<Tensor>,
}

impl Builder<'_> {
    fn layer(&mut self, index: usize, input: &[usize], output: &[usize]) -> Result<Layer, String> {
        Ok(match &self.spec.layers[index] {
            LayerSpec::Dense { .. } => {
                let mut weight = values(self.tensor(index, "kernel")).transpose(0, 1);
                if let Some(image) = self.image_before(index) {
                    weight = weight.index_select(1, &self.layout.features(image));
                }
                let weight = self.ordered(index, weight);
                Layer::Linear { weight: self.parameter(weight), bias: self.bias(index) }
            }
            LayerSpec::Conv2d(conv) => {
                let (input, output) = ([input[0], input[1]], [output[0], output[1]]);
                let padding = conv.padding.sides(input, conv.kernel, conv.stride);
                let (kernel, stride) = (conv.kernel, conv.stride);
                let attributes = convolution(input, output, kernel, stride, padding, false)?;
                self.convolution(index, attributes)
            }
            LayerSpec::ConvTranspose2d(conv) => {
                let (input, output) = ([input[0], input[1]], [output[0], output[1]]);
                let padding = conv.padding.sides(output, conv.kernel, conv.stride);
                let (kernel, stride) = (conv.kernel, conv.stride);
                let attributes = convolution(output, input, kernel, stride, padding, true)?;
                self.convolution(index, attributes)
            }
            &LayerSpec::BatchNorm { momentum, epsilon } => {
                let ordered = |name| self.ordered(index, values(self.tensor(index, name)));
                let [gamma, beta, mean, variance] = ["gamma", "beta", "running_mean", "running_variance"].map(ordered);
                Layer::BatchNorm {
                    gamma: self.parameter(gamma),
                    beta: self.parameter(beta),
                    mean,
                    variance,
                    momentum,
                    epsilon,
                }
            }
            &LayerSpec::Dropout { rate } => Layer::Dropout { rate },
            &LayerSpec::LeakyRelu { slope } => Layer::LeakyRelu { slope },
            LayerSpec::Relu {} => Layer::Relu,
            LayerSpec::Tanh {} => Layer::Tanh,
            LayerSpec::Sigmoid {} => Layer::Sigmoid,
            LayerSpec::Flatten {} => Layer::Flatten,
            LayerSpec::Reshape { shape } => match shape[..] {
                [h, w, c] => Layer::Unflatten { image: [h, w, c].map(|n| n as i64) },
                _ => Layer::Flatten,
            },
            other => return Err(format!("no recipe here has a {}", other.kind())),
        })
    }

    fn convolution(&mut self, index: usize, attributes: Convolution) -> Layer {
        let weight = self.layout.kernel(self.tensor(index, "kernel"));
        Layer::Convolution { weight: self.parameter(weight), bias: self.bias(index), attributes }
    }

    fn bias(&mut self, index: usize) -> Option<Tensor> {
        let bias = values(self.tensors.get(&format!("layers.{}.bias", index + 1))?);
        let bias = self.ordered(index, bias);
        Some(self.parameter(bias))
    }

    /// `tensor`, whose first axis is the features that leave layer `index`, in libtorch's order of them.
    fn ordered(&self, index: usize, tensor: Tensor) -> Tensor {
        let ordered = match self.image_after(index) {
            Some(image) => tensor.index_select(0, &self.layout.features(image)),
            None => tensor,
        };
        ordered.contiguous()
    }

    fn parameter(&mut self, parameter: Tensor) -> Tensor {
        let parameter = parameter.set_requires_grad(true);
        self.parameters.push(parameter.shallow_clone());
        parameter
    }

    fn tensor(&self, index: usize, name: &str) -> &minimax::Tensor {
        self.tensors[&format!("layers.{}.{name}", index + 1)]
    }

    /// The image that the vector entering layer `index` was flattened from.
    fn image_before(&self, index: usize) -> Option<[usize; 3]> {
        let table = self.spec.table().ok()?;
        let flatten = self.spec.layers[..index]
            .iter()
            .rposition(changes_features)
            .filter(|&i| self.spec.layers[i] == LayerSpec::Flatten {})?;
        table.rows[flatten].input[..].try_into().ok()
    }

    /// The image that the vector leaving layer `index` is reshaped to.
    fn image_after(&self, index: usize) -> Option<[usize; 3]> {
        let next = self.spec.layers[index + 1..].iter().find(|layer| changes_features(layer))?;
        match next {
            LayerSpec::Reshape { shape } => shape[..].try_into().ok(),
            _ => None,
        }
    }
}

/// Whether features that leave `layer` are not, one by one, those that enter it.
fn changes_features(layer: &LayerSpec) -> bool {
    matches!(
        layer,
        LayerSpec::Dense { .. }
            | LayerSpec::Conv2d(_)
            | LayerSpec::ConvTranspose2d(_)
            | LayerSpec::Flatten {}
            | LayerSpec::Reshape { .. }
            | LayerSpec::Upsample { .. }
    )
}
