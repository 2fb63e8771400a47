//! Every distinct convolution, transposed convolution and dense layer of the recipes at its batch: the
//! forward pass and both gradients, without bias where a convolution's would be a pass of its own.

use super::{Pair, Row, fastest, normal};
use crate::subjects::common::RECIPES;
use crate::subjects::common::layers::{self, Dense, Geometry, Layer, Part};
use crate::subjects::{random, recipe};
use crate::torch::layout::{Layout, convolution, values};
use crate::torch::shim::{Convolution, convolution_backward};
use minimax::ops::{Transpose, conv_transpose2d, conv2d, conv2d_weight_grad, dense, matmul};
use minimax::{Tensor, no_grad};
use tch::Tensor as Torch;

/// Three rows for each layer: convolutions first.
pub fn rows() -> Vec<Row> {
    let rows = layers::rows(RECIPES.map(recipe)).into_iter().map(|(name, layer, part)| {
        let build = move || match layer {
            Layer::Convolution(geometry) => geometry.pair(part),
            Layer::Dense(layer) => Ok(layer.pair(part)),
        };
        Row::new(name, Some(layer.flops()), build)
    });
    rows.collect()
}

impl Geometry {
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
