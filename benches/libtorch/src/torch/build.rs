//! From a recipe's network to libtorch's, with the weights of ours.

use super::attention::Attention;
use super::layout::{Layout, convolution, values};
use super::network::{BatchNorm, Layer, Network};
use super::shim::Convolution;
use super::weight::{Form, Weight};
use minimax::Padding;
use minimax::nn::{Resampling, Sequential};
use minimax::recipe::{LayerRow, LayerSpec, NetworkSpec};
use std::collections::HashMap;
use tch::Tensor;

impl Network {
    /// The network of `spec`, its values those of `ours`.
    ///
    /// # Errors
    /// Where libtorch has no such layer.
    pub fn new(spec: &NetworkSpec, ours: &Sequential, layout: Layout) -> Result<Network, String> {
        let rows = spec.table()?.rows;
        let tensors = ours.named().into_iter().collect();
        let mut builder = Builder { layout, tensors, parameters: Vec::new(), statistics: Vec::new() };
        let mut layers = Vec::new();
        for (index, (layer, row)) in spec.layers.iter().zip(&rows).enumerate() {
            let order = Order::new(layout, &spec.layers, &rows, index);
            layers.push(builder.layer(layer, row, &order)?);
        }
        let Builder { parameters, statistics, .. } = builder;
        Ok(Network { layers, layout, parameters, statistics })
    }
}

struct Builder<'a> {
    layout: Layout,
    tensors: HashMap<String, &'a minimax::Tensor>,
    parameters: Vec<Tensor>,
    statistics: Vec<Tensor>,
}

impl Builder<'_> {
    fn layer(&mut self, layer: &LayerSpec, row: &LayerRow, order: &Order) -> Result<Layer, String> {
        let place = &row.place;
        Ok(match layer {
            LayerSpec::Dense { unit_norm: false, .. } => {
                Layer::Linear { weight: self.linear(place, order), bias: self.bias(place, order) }
            }
            LayerSpec::Conv2d(conv) => {
                let padding = conv.sides(size(&row.input));
                let maps = [&row.input, &row.output].map(|shape| size(shape));
                let attributes = convolution(maps[0], maps[1], conv.kernel, conv.stride, padding, false)?;
                self.convolution(place, attributes, conv.groups)?
            }
            LayerSpec::ConvTranspose2d(conv) => {
                let padding = conv.sides(size(&row.output));
                let maps = [&row.output, &row.input].map(|shape| size(shape));
                let attributes = convolution(maps[0], maps[1], conv.kernel, conv.stride, padding, true)?;
                self.convolution(place, attributes, conv.groups)?
            }
            &LayerSpec::BatchNorm { momentum, epsilon } => {
                let [gamma, beta] = ["gamma", "beta"].map(|name| order.leaving(values(self.tensor(place, name))));
                let [gamma, beta] = [gamma, beta].map(|tensor| self.parameter(tensor));
                Layer::BatchNorm { gamma, beta, norm: self.batch_norm(place, order, momentum, epsilon) }
            }
            &LayerSpec::ConditionalBatchNorm { momentum, epsilon } => {
                let [gamma, beta] = ["gamma", "beta"].map(|name| values(self.tensor(place, name)));
                let [gamma, beta] = [gamma, beta].map(|tensor| self.parameter(tensor));
                Layer::ConditionalBatchNorm { gamma, beta, norm: self.batch_norm(place, order, momentum, epsilon) }
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
            &LayerSpec::Upsample { factor, method } => {
                Layer::Upsample { factor: factor as i64, bilinear: method == Resampling::Bilinear }
            }
            &LayerSpec::Downsample { factor } => Layer::Downsample { factor: factor as i64 },
            LayerSpec::AveragePool(pooling) if pooling.sides(size(&row.input)) == Padding::VALID => {
                let pair = |values: [usize; 2]| values.map(|n| n as i64);
                Layer::AveragePool { size: pair(pooling.size), stride: pair(pooling.stride) }
            }
            LayerSpec::GlobalAveragePool {} => Layer::GlobalAveragePool,
            LayerSpec::Projection {} => Layer::Projection {
                weight: self.linear(place, order),
                bias: self.bias(place, order),
                embedding: self.embedding(place),
            },
            LayerSpec::Attention {} => {
                let mut kernel = |name: &str| self.kernel(&format!("{place}.{name}"));
                let [query, key, value, output] = ["query", "key", "value", "output"].map(&mut kernel);
                let gamma = values(self.tensor(place, "gamma"));
                let gamma = self.parameter(gamma);
                Layer::Attention(Box::new(Attention { query, key, value, output, gamma }))
            }
            LayerSpec::Residual { layers, shortcut } => {
                let mut inside = |layers: &[LayerSpec], rows: &[LayerRow]| {
                    let layers = layers.iter().zip(rows);
                    layers.map(|(layer, row)| self.layer(layer, row, &Order::default())).collect()
                };
                let layers: Result<_, String> = inside(layers, &row.layers);
                Layer::Residual { layers: layers?, shortcut: inside(shortcut, &row.shortcut)? }
            }
            _ => return Err(format!("the yardstick knows no such {}", row.kind)),
        })
    }

    /// The weight of a dense layer.
    fn linear(&mut self, place: &str, order: &Order) -> Weight {
        let weight = values(self.tensor(place, "kernel")).transpose(0, 1);
        let weight = self.parameter(order.leaving(order.entering(weight, 1)));
        match self.norm(place) {
            Some([u, v]) => {
                let vectors = [order.leaving(values(u)), order.entering(values(v), 0)];
                Weight::normalised(weight, vectors, Form::Rows)
            }
            None => Weight::plain(weight),
        }
    }

    /// A projection's table, of which classes are the inputs.
    fn embedding(&mut self, place: &str) -> Weight {
        let place = format!("{place}.embedding");
        let table = values(self.tensor(&place, "kernel"));
        let table = self.parameter(table);
        match self.norm(&place) {
            Some(vectors) => Weight::normalised(table, vectors.map(values), Form::Columns),
            None => Weight::plain(table),
        }
    }

    /// The weight of a convolution.
    fn kernel(&mut self, place: &str) -> Weight {
        let kernel = self.tensor(place, "kernel");
        let shape = kernel.dims().to_vec();
        let weight = self.layout.kernel(kernel);
        let weight = self.parameter(weight);
        match self.norm(place) {
            Some([u, v]) => {
                let vectors = [values(u), Form::inputs(self.layout, v, &shape)];
                Weight::normalised(weight, vectors, Form::Kernel(self.layout))
            }
            None => Weight::plain(weight),
        }
    }

    fn convolution(&mut self, place: &str, attributes: Convolution, groups: usize) -> Result<Layer, String> {
        if attributes.transposed && self.norm(place).is_some() {
            return Err("the yardstick knows no spectral norm of a transposed convolution".into());
        }
        let (weight, bias) = (self.kernel(place), self.bias(place, &Order::default()));
        Ok(Layer::Convolution { weight, bias, attributes, groups: groups as i64 })
    }

    fn batch_norm(&mut self, place: &str, order: &Order, momentum: f64, epsilon: f64) -> BatchNorm {
        let kept = |name| order.leaving(values(self.tensor(place, name)));
        let [mean, variance] = ["running_mean", "running_variance"].map(kept);
        self.statistics.extend([&mean, &variance].map(Tensor::shallow_clone));
        BatchNorm { mean, variance, momentum, epsilon }
    }

    fn bias(&mut self, place: &str, order: &Order) -> Option<Tensor> {
        let bias = values(self.find(place, "bias")?);
        Some(self.parameter(order.leaving(bias)))
    }

    /// The vectors of a spectral norm, where there is one.
    fn norm(&self, place: &str) -> Option<[&minimax::Tensor; 2]> {
        Some([self.find(place, "u")?, self.find(place, "v")?])
    }

    fn parameter(&mut self, parameter: Tensor) -> Tensor {
        let parameter = parameter.set_requires_grad(true);
        self.parameters.push(parameter.shallow_clone());
        parameter
    }

    fn find(&self, place: &str, name: &str) -> Option<&minimax::Tensor> {
        self.tensors.get(&format!("layers.{place}.{name}")).copied()
    }

    fn tensor(&self, place: &str, name: &str) -> &minimax::Tensor {
        self.find(place, name).expect("a layer has its tensors")
    }
}

/// The order of the features of vectors that are images before or after: libtorch flattens channels first. Inside of
/// residuals there are none.
#[derive(Default)]
struct Order {
    entering: Option<Tensor>,
    leaving: Option<Tensor>,
}

impl Order {
    fn new(layout: Layout, layers: &[LayerSpec], rows: &[LayerRow], index: usize) -> Order {
        // The image that the vector was flattened from, and the one that it is reshaped to.
        let before = layers[..index].iter().rposition(|layer| !keeps_features(layer));
        let before = before.filter(|&i| layers[i] == LayerSpec::Flatten {}).map(|i| &rows[i].input[..]);
        let after = match layers[index + 1..].iter().find(|layer| !keeps_features(layer)) {
            Some(LayerSpec::Reshape { shape }) => Some(&shape[..]),
            _ => None,
        };
        let features = |image: &[usize]| image.try_into().ok().map(|image| layout.features(image));
        Order { entering: before.and_then(features), leaving: after.and_then(features) }
    }

    /// `tensor`, whose axis `axis` is the features that enter, in libtorch's order of them.
    fn entering(&self, tensor: Tensor, axis: i64) -> Tensor {
        match &self.entering {
            Some(order) => tensor.index_select(axis, order),
            None => tensor,
        }
    }

    /// `tensor`, whose first axis is the features that leave, in libtorch's order of them.
    fn leaving(&self, tensor: Tensor) -> Tensor {
        match &self.leaving {
            Some(order) => tensor.index_select(0, order),
            None => tensor,
        }
        .contiguous()
    }
}

/// Whether features that leave `layer` are, one by one, those that enter it.
fn keeps_features(layer: &LayerSpec) -> bool {
    matches!(
        layer,
        LayerSpec::BatchNorm { .. }
            | LayerSpec::ConditionalBatchNorm { .. }
            | LayerSpec::Dropout { .. }
            | LayerSpec::LeakyRelu { .. }
            | LayerSpec::Relu {}
            | LayerSpec::Tanh {}
            | LayerSpec::Sigmoid {}
    )
}

/// Height and width of `[h, w, c]`.
fn size(image: &[usize]) -> [usize; 2] {
    [image[0], image[1]]
}
