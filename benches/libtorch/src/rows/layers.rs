//! Every distinct convolution, transposed convolution and dense layer of the recipes at its batch: the
//! forward pass and both gradients, without bias where a convolution's would be a pass of its own.

use super::{Pair, Row, fastest, normal};
use crate::subjects::{RECIPES, random, recipe};
use crate::torch::layout::{Layout, convolution, values};
use crate::torch::shim::{Convolution, convolution_backward};
use minimax::nn;
use minimax::recipe::LayerSpec;
use minimax::ops::{Transpose, conv_transpose2d, conv2d, conv2d_weight_grad, dense, matmul};
use minimax::{Padding, Tensor, no_grad};
use tch::Tensor as Torch;

/// What of a layer is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Forward,
    InputGradient,
    WeightGradient,
}

const PARTS: [(Part, &str); 3] =
    [(Part::Forward, "forward"), (Part::InputGradient, "input gradient"), (Part::WeightGradient, "weight gradient")];

/// A convolution from `large` maps to `small` ones, or, transposed, back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Geometry {
    batch: usize,
    /// `[h, w, c]`.
    large: [usize; 3],
    /// `[h, w, c]`.
    small: [usize; 3],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    transposed: bool,
}

/// A dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dense {
    batch: usize,
    inputs: usize,
    outputs: usize,
    bias: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    Convolution(Geometry),
    Dense(Dense),
}

/// Three rows for each layer: convolutions first.
pub fn rows() -> Vec<Row> {
    let (dense, convolutions): (Vec<_>, Vec<_>) =
        products().into_iter().partition(|product| matches!(product, Product::Dense(_)));
    let products = convolutions.into_iter().chain(dense);
    let rows = products.flat_map(|product| {
        PARTS.map(|(part, what)| {
            let name = format!("{}, {what}", product.name());
            let build = move || match product {
                Product::Convolution(geometry) => geometry.pair(part),
                Product::Dense(layer) => Ok(layer.pair(part)),
            };
            Row::new(name, Some(product.flops()), build)
        })
    });
    rows.collect()
}

/// Each layer with a product, once.
fn products() -> Vec<Product> {
    let mut products = Vec::new();
    for recipe in RECIPES.map(recipe) {
        let batch = recipe.training.real_images();
        for network in [&recipe.generator, &recipe.discriminator] {
            let table = network.table().expect("a loaded recipe's shapes fit");
            for (layer, row) in network.layers.iter().zip(&table.rows) {
                let product = match layer {
                    &LayerSpec::Dense { units, bias } => {
                        Product::Dense(Dense { batch, inputs: row.input[0], outputs: units, bias })
                    }
                    LayerSpec::Conv2d(conv) => Geometry::of(conv, batch, &row.input, &row.output, false),
                    LayerSpec::ConvTranspose2d(conv) => Geometry::of(conv, batch, &row.output, &row.input, true),
                    _ => continue,
                };
                if !products.contains(&product) {
                    products.push(product);
                }
            }
        }
    }
    products
}

impl Product {
    fn name(&self) -> String {
        match self {
            Product::Convolution(g) => {
                let image = |[h, w, c]: [usize; 3]| format!("{h}x{w}x{c}");
                let (op, from, to) = match g.transposed {
                    false => ("conv2d", g.large, g.small),
                    true => ("conv_transpose2d", g.small, g.large),
                };
                let (batch, kernel, stride) = (g.batch, g.kernel[0], g.stride[0]);
                let (from, to) = (image(from), image(to));
                format!("{op} {batch} x {from} to {to} k{kernel} s{stride}")
            }
            Product::Dense(d) => format!("dense {} x {} to {}", d.batch, d.inputs, d.outputs),
        }
    }

    fn flops(&self) -> f64 {
        let multiplies = match self {
            Product::Convolution(g) => {
                let [h, w, c] = g.small;
                g.batch * h * w * c * g.kernel[0] * g.kernel[1] * g.large[2]
            }
            Product::Dense(d) => d.batch * d.inputs * d.outputs,
        };
        2.0 * multiplies as f64
    }
}

impl Geometry {
    fn of(conv: &nn::Convolution, batch: usize, large: &[usize], small: &[usize], transposed: bool) -> Product {
        let [large, small] = [large, small].map(|shape| [shape[0], shape[1], shape[2]]);
        let (kernel, stride) = (conv.kernel, conv.stride);
        Product::Convolution(Geometry {
            batch,
            large,
            small,
            kernel,
            stride,
            padding: conv.sides([large[0], large[1]]),
            transposed,
        })
    }

    fn pair(self, part: Part) -> Result<Pair, String> {
        let mut random = random();
        let mut maps = |[h, w, c]: [usize; 3]| normal([self.batch, h, w, c], &mut random);
        let (large, small) = (maps(self.large), maps(self.small));
        let [kh, kw] = self.kernel;
        let weight = normal([kh, kw, self.large[2], self.small[2]], &mut random);
        let (libtorch, layout) = fastest(|layout| self.libtorch(part, layout, [&large, &small], &weight))?;
        let ours = move || {
            no_grad(|| self.ours(part, [&large, &small], &weight));
        };
        Ok(Pair::new(ours, libtorch).with_layout(layout))
    }

    /// Down is forward of a convolution and the input gradient of a transposed one; the other way round, up.
    fn ours(&self, part: Part, [large, small]: [&Tensor; 2], weight: &Tensor) -> Tensor {
        let (stride, padding) = (self.stride, self.padding);
        match (part, self.transposed) {
            (Part::Forward, false) | (Part::InputGradient, true) => conv2d(large, weight, stride, padding),
            (Part::Forward, true) | (Part::InputGradient, false) => {
                let size = [self.large[0], self.large[1]];
                conv_transpose2d(small, weight, size, stride, padding)
            }
            (Part::WeightGradient, _) => conv2d_weight_grad(large, small, self.kernel, stride, padding),
        }
    }

    fn libtorch(
        &self,
        part: Part,
        layout: Layout,
        maps: [&Tensor; 2],
        weight: &Tensor,
    ) -> Result<impl FnMut() + Send + use<>, String> {
        let size = |[h, w, _]: [usize; 3]| [h, w];
        let attributes =
            convolution(size(self.large), size(self.small), self.kernel, self.stride, self.padding, self.transposed)?;
        let [large, small] = maps.map(|images| layout.images(images));
        let (x, grad) = match self.transposed {
            false => (large, small),
            true => (small, large),
        };
        let weight = layout.kernel(weight);
        Ok(move || {
            drop(match part {
                Part::Forward => forward(&x, &weight, &attributes),
                _ => {
                    let want_input = part == Part::InputGradient;
                    convolution_backward(&grad, &x, &weight, &attributes, want_input)
                }
            });
        })
    }
}

fn forward(x: &Torch, weight: &Torch, a: &Convolution) -> Torch {
    x.convolution(weight, None::<Torch>, a.stride, a.padding, [1, 1], a.transposed, a.output_padding, 1)
}

impl Dense {
    fn pair(self, part: Part) -> Pair {
        let mut random = random();
        let x = normal([self.batch, self.inputs], &mut random);
        let weight = normal([self.inputs, self.outputs], &mut random);
        let bias = self.bias.then(|| normal([self.outputs], &mut random));
        let grad = normal([self.batch, self.outputs], &mut random);
        let [their_x, their_grad] = [&x, &grad].map(values);
        let their_weight = values(&weight).transpose(0, 1).contiguous();
        let their_bias = bias.as_ref().map(values);
        Pair::new(
            move || {
                no_grad(|| match part {
                    Part::Forward => match &bias {
                        Some(bias) => dense(&x, &weight, bias),
                        None => matmul(&x, &weight, Transpose::NONE),
                    },
                    Part::InputGradient => matmul(&grad, &weight, Transpose::B),
                    Part::WeightGradient => matmul(&x, &grad, Transpose::A),
                });
            },
            move || {
                drop(match part {
                    Part::Forward => their_x.linear(&their_weight, their_bias.as_ref()),
                    Part::InputGradient => their_grad.mm(&their_weight),
                    Part::WeightGradient => their_grad.transpose(0, 1).mm(&their_x),
                });
            },
        )
    }
}
