//! A network in libtorch: what its layers do. Made from a recipe's by [`super::build`].

use super::attention::Attention;
use super::layout::Layout;
use super::shim::{self, Convolution};
use super::weight::Weight;
use tch::{Kind, Tensor};

/// Layers one after the other.
pub struct Network {
    pub(super) layers: Vec<Layer>,
    pub(super) layout: Layout,
    /// What the optimiser changes, each a leaf of libtorch's graph.
    pub parameters: Vec<Tensor>,
    /// What batch norms keep.
    pub statistics: Vec<Tensor>,
}

/// What a forward pass is for.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    /// Whether batch norm goes by the batch's own statistics, dropout drops, and spectral norm iterates.
    pub training: bool,
    /// The class of each image, `[n]`, where the game is conditional.
    pub labels: Option<&'a Tensor>,
}

/// Weights are `[outputs, inputs]` or `[outputs, inputs, h, w]`; what a layer keeps for each class, `[classes, c]`.
pub(super) enum Layer {
    Linear { weight: Weight, bias: Option<Tensor> },
    Convolution { weight: Weight, bias: Option<Tensor>, attributes: Convolution, groups: i64 },
    BatchNorm { gamma: Tensor, beta: Tensor, norm: BatchNorm },
    ConditionalBatchNorm { gamma: Tensor, beta: Tensor, norm: BatchNorm },
    Dropout { rate: f64 },
    LeakyRelu { slope: f64 },
    Relu,
    Tanh,
    Sigmoid,
    Flatten,
    Unflatten { image: [i64; 3] },
    Upsample { factor: i64, bilinear: bool },
    Downsample { factor: i64 },
    AveragePool { size: [i64; 2], stride: [i64; 2] },
    GlobalAveragePool,
    Projection { weight: Weight, bias: Option<Tensor>, embedding: Weight },
    Attention(Box<Attention>),
    Residual { layers: Vec<Layer>, shortcut: Vec<Layer> },
}

/// Normalisation by the batch's statistics, of which it keeps a running mean.
pub(super) struct BatchNorm {
    pub mean: Tensor,
    pub variance: Tensor,
    pub momentum: f64,
    pub epsilon: f64,
}

impl Network {
    /// The output for a batch `x`, an image in this network's layout.
    pub fn forward(&mut self, x: &Tensor, pass: Pass) -> Tensor {
        forward(&mut self.layers, x, pass, self.layout)
    }

    /// Whether gradients of the parameters are wanted at all.
    pub fn set_requires_grad(&self, wanted: bool) {
        for parameter in &self.parameters {
            let _ = parameter.set_requires_grad(wanted);
        }
    }
}

impl<'a> Pass<'a> {
    /// A pass of training on images of these classes.
    pub fn training(labels: Option<&'a Tensor>) -> Pass<'a> {
        Pass { training: true, labels }
    }

    /// A pass of sampling, of no class.
    pub fn evaluation() -> Pass<'a> {
        Pass { training: false, labels: None }
    }

    /// The row of `table` `[classes, c]` of each image, `[n, c]`.
    fn of_class(self, table: &Tensor) -> Tensor {
        let labels = self.labels.expect("a conditional network is told the classes");
        Tensor::embedding(table, labels, -1, false, false)
    }
}

fn forward(layers: &mut [Layer], x: &Tensor, pass: Pass, layout: Layout) -> Tensor {
    let mut x = x.shallow_clone();
    for layer in layers {
        x = layer.forward(&x, pass, layout);
    }
    x
}

impl Layer {
    fn forward(&mut self, x: &Tensor, pass: Pass, layout: Layout) -> Tensor {
        match self {
            Layer::Linear { weight, bias } => x.linear(&weight.used(pass.training), bias.as_ref()),
            Layer::Convolution { weight, bias, attributes: a, groups } => {
                let (weight, bias) = (weight.used(pass.training), bias.as_ref());
                x.convolution(&weight, bias, a.stride, a.padding, [1, 1], a.transposed, a.output_padding, *groups)
            }
            Layer::BatchNorm { gamma, beta, norm } => norm.apply(x, Some([gamma, beta]), pass.training),
            Layer::ConditionalBatchNorm { gamma, beta, norm } => {
                let [gamma, beta] = [gamma, beta].map(|table| pass.of_class(table).unsqueeze(-1).unsqueeze(-1));
                norm.apply(x, None, pass.training) * gamma + beta
            }
            Layer::Dropout { rate } => x.dropout(*rate, pass.training),
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
            &mut Layer::Upsample { factor, bilinear } => {
                let size = size(x).map(|n| n * factor);
                match bilinear {
                    true => x.upsample_bilinear2d(size, false, None, None),
                    false => x.upsample_nearest2d(size, None, None),
                }
            }
            &mut Layer::Downsample { factor } => x.upsample_bilinear2d(size(x).map(|n| n / factor), false, None, None),
            &mut Layer::AveragePool { size, stride } => x.avg_pool2d(size, stride, [0, 0], false, true, None),
            Layer::GlobalAveragePool => x.mean_dim([2, 3].as_slice(), false, Kind::Float),
            Layer::Projection { weight, bias, embedding } => {
                let fit = (x * pass.of_class(&embedding.used(pass.training))).sum_dim_intlist(1, true, Kind::Float);
                x.linear(&weight.used(pass.training), bias.as_ref()) + fit
            }
            Layer::Attention(attention) => attention.forward(x, pass.training, layout),
            Layer::Residual { layers, shortcut } => {
                forward(layers, x, pass, layout) + forward(shortcut, x, pass, layout)
            }
        }
    }
}

impl BatchNorm {
    fn apply(&self, x: &Tensor, affine: Option<[&Tensor; 2]>, training: bool) -> Tensor {
        let [gamma, beta] = affine.map_or([None; 2], |affine| affine.map(Some));
        // libtorch's momentum is the share that a step replaces.
        let replaced = 1.0 - self.momentum;
        x.batch_norm(gamma, beta, Some(&self.mean), Some(&self.variance), training, replaced, self.epsilon, false)
    }
}

/// Height and width of images.
fn size(x: &Tensor) -> [i64; 2] {
    let size = x.size();
    [size[2], size[3]]
}
