//! Turns steps into the nodes of a graph, one after the other. ONNX's Operators.md, at opset 17, describes the
//! operators and their attributes.

use super::super::channels_first::{Attention, Operation, Pool, Step, Weight};
use super::super::f32_bytes;
use super::attributes::*;
use super::proto::*;
use crate::nn::Resampling;
use crate::ops::permute;
use crate::shape::Padding;
use crate::tensor::Tensor;

/// The input that has the class of each example.
const LABELS: &str = "labels";

/// A graph that is being built: every node takes the output of the one before it, except for the sum at the end of a
/// residual.
pub(super) struct Builder {
    graph: GraphProto,
    /// The name of the last node's output.
    current: String,
    /// The layer whose nodes are being made; its weights are named after it.
    place: String,
}

impl Builder {
    /// A graph whose input has this name and `shape`, the batch left out.
    ///
    /// With `classes`, there is a second input [`LABELS`], `[n, classes]`.
    pub fn new(input: &str, shape: &[usize], classes: Option<usize>) -> Builder {
        let labels = classes.map(|classes| value_info(LABELS, &[classes]));
        let inputs = [value_info(input, shape)].into_iter().chain(labels);
        let mut builder = Builder {
            graph: GraphProto { input: inputs.collect(), ..GraphProto::default() },
            current: input.into(),
            place: String::new(),
        };
        if shape.len() == 3 {
            builder.permute(&[0, 3, 1, 2]);
        }
        builder
    }

    /// The graph, called `name`; its output has this name and `shape`, the batch left out.
    ///
    /// # Panics
    /// If there is no node, which means that neither end of the network is an image.
    pub fn finish(mut self, name: &str, output: &str, shape: &[usize]) -> GraphProto {
        if shape.len() == 3 {
            self.permute(&[0, 2, 3, 1]);
        }
        let last = self.graph.node.last_mut().expect("one end is an image");
        last.output = vec![output.into()];
        self.graph.name = name.into();
        self.graph.output = vec![value_info(output, shape)];
        self.graph
    }

    /// Adds the nodes of `step`.
    pub fn push(&mut self, step: Step) {
        self.place = step.place;
        match step.operation {
            Operation::Linear { weight, bias } => {
                let inputs = self.weights(weight.used(false), bias);
                self.node("Gemm", inputs, vec![int("transB", 1)]);
            }
            Operation::Conv2d { weight, bias, stride, padding, groups } => {
                let weight = weight.used(false);
                let mut attributes = window(kernel_of(&weight), stride, padding);
                attributes.extend(group(groups));
                let inputs = self.weights(weight, bias);
                self.node("Conv", inputs, attributes);
            }
            Operation::ConvTranspose2d { weight, bias, stride, padding, extra, groups } => {
                let weight = weight.used(true);
                let mut attributes = window(kernel_of(&weight), stride, padding);
                attributes.extend(group(groups));
                attributes.push(ints("output_padding", &extra.map(|n| n as i64)));
                let inputs = self.weights(weight, bias);
                self.node("ConvTranspose", inputs, attributes);
            }
            Operation::BatchNorm { gamma, beta, mean, variance, epsilon, .. } => {
                let inputs = vec![
                    self.weight("gamma", gamma),
                    self.weight("beta", beta),
                    self.weight("running_mean", mean),
                    self.weight("running_variance", variance),
                ];
                let attributes = vec![float("epsilon", epsilon)];
                self.node("BatchNormalization", inputs, attributes);
            }
            Operation::JoinLabel { embedding, map, image } => {
                let label = self.label(embedding, |builder| {
                    if let Some([weight, bias]) = map {
                        let inputs = builder.weights(weight, Some(bias));
                        builder.node("Gemm", inputs, vec![int("transB", 1)]);
                        // As many rows and columns as the image has.
                        let [h, w] = image.expect("only images have maps");
                        builder.reshape(&[1, h, w]);
                    } else if let Some([h, w]) = image {
                        builder.unsqueeze();
                        let shape = builder.lengths("Expand", &[1, 1, h as i64, w as i64]);
                        builder.node("Expand", vec![shape], vec![]);
                    }
                });
                self.node("Concat", vec![label], vec![int("axis", 1)]);
            }
            Operation::ConditionalBatchNorm { gamma, beta, mean, variance, epsilon, image, .. } => {
                let channels = mean.dims()[0];
                let plain = [1.0, 0.0].map(|value| Tensor::full(value, [channels], mean.device()));
                let [one, zero] = plain;
                let inputs = vec![
                    self.weight("one", one),
                    self.weight("zero", zero),
                    self.weight("running_mean", mean),
                    self.weight("running_variance", variance),
                ];
                self.node("BatchNormalization", inputs, vec![float("epsilon", epsilon)]);
                for (operator, name, table) in [("Mul", "gamma", gamma), ("Add", "beta", beta)] {
                    let row = self.rows(name, table, image);
                    self.node(operator, vec![row], vec![]);
                }
            }
            Operation::Projection { weight, bias, embedding } => {
                let x = self.current.clone();
                let row = self.rows("embedding", permute(&embedding.used(false), &[1, 0]), false);
                self.node("Mul", vec![row], vec![]);
                let axes = self.lengths("ReduceSum", &[1]);
                self.node("ReduceSum", vec![axes], vec![]);
                let fit = std::mem::replace(&mut self.current, x);
                let inputs = self.weights(weight.used(false), Some(bias));
                self.node("Gemm", inputs, vec![int("transB", 1)]);
                self.node("Add", vec![fit], vec![]);
            }
            Operation::GroupNorm { gamma, beta, groups, epsilon, image } => {
                self.group_norm([gamma, beta], groups, epsilon, image);
            }
            // Nothing is dropped when a network is used.
            Operation::Dropout { .. } => {}
            Operation::LeakyRelu { slope } => {
                self.node("LeakyRelu", vec![], vec![float("alpha", slope)]);
            }
            Operation::Relu => self.node("Relu", vec![], vec![]),
            Operation::Tanh => self.node("Tanh", vec![], vec![]),
            Operation::Sigmoid => self.node("Sigmoid", vec![], vec![]),
            Operation::Gelu => self.gelu(),
            Operation::Silu => {
                let x = self.current.clone();
                self.node("Sigmoid", vec![], vec![]);
                self.node("Mul", vec![x], vec![]);
            }
            Operation::Softplus => self.node("Softplus", vec![], vec![]),
            Operation::Elu { alpha } => self.node("Elu", vec![], vec![float("alpha", alpha)]),
            Operation::Upsample { factor, method } => self.resize(factor as f32, method),
            Operation::Downsample { factor, .. } => self.resize(1.0 / factor as f32, Resampling::Bilinear),
            Operation::PixelShuffle { factor } => {
                let attributes = vec![int("blocksize", factor as i64), string("mode", "CRD")];
                self.node("DepthToSpace", vec![], attributes);
            }
            Operation::MinibatchStddev { .. } => unreachable!("such a network is refused"),
            // By default an average doesn't count padding.
            Operation::Pool { kind, size, stride, padding, .. } => {
                let operator = match kind {
                    Pool::Max => "MaxPool",
                    Pool::Average => "AveragePool",
                };
                self.node(operator, vec![], window(size, stride, padding));
            }
            Operation::GlobalAveragePool => self.node("GlobalAveragePool", vec![], vec![]),
            Operation::Flatten => self.node("Flatten", vec![], vec![int("axis", 1)]),
            Operation::Unflatten { image } => self.reshape(&image),
            Operation::Transpose { rows, columns } => {
                self.reshape(&[rows, columns]);
                self.permute(&[0, 2, 1]);
                self.reshape(&[rows * columns]);
            }
            Operation::Attention(attention) => self.attention(*attention),
            Operation::Residual { layers, shortcut } => {
                let x = self.current.clone();
                layers.into_iter().for_each(|step| self.push(step));
                let y = std::mem::replace(&mut self.current, x);
                shortcut.into_iter().for_each(|step| self.push(step));
                self.node("Add", vec![y], vec![]);
            }
        }
    }

    /// The name of the output of `then` for the labels, which are embedded if there is an `embedding`; the current
    /// value stays.
    fn label(&mut self, embedding: Option<Tensor>, then: impl FnOnce(&mut Builder)) -> String {
        let x = std::mem::replace(&mut self.current, LABELS.into());
        if let Some(table) = embedding {
            let table = self.weight("embedding", table);
            self.node("MatMul", vec![table], vec![]);
        }
        then(self);
        std::mem::replace(&mut self.current, x)
    }

    /// The rows of `table`, a weight of this name, that the labels pick: `[n, width]`, or `[n, width, 1, 1]` to go with
    /// an image; the current value stays.
    fn rows(&mut self, name: &str, table: Tensor, image: bool) -> String {
        let table = self.weight(name, table);
        self.label(None, |builder| {
            builder.node("MatMul", vec![table], vec![]);
            if image {
                builder.unsqueeze();
            }
        })
    }

    /// `[n, width]` as `[n, width, 1, 1]`.
    fn unsqueeze(&mut self) {
        let axes = self.lengths("Unsqueeze", &[2, 3]);
        self.node("Unsqueeze", vec![axes], vec![]);
    }

    /// Adds whole numbers that the next node, an `op_type`, takes, and returns their name.
    fn lengths(&mut self, op_type: &str, values: &[i64]) -> String {
        let name = format!("{}.lengths", self.next(op_type));
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(name, TENSOR_INT64, &[values.len()], bytes)
    }

    /// Uses the operator with a group for each channel, whose channels are the groups here, as opset 17 has none for
    /// groups.
    fn group_norm(&mut self, affine: [Tensor; 2], groups: usize, epsilon: f64, image: Option<[usize; 2]>) {
        let channels = affine[0].numel();
        let pixels = image.map_or(1, |[h, w]| h * w);
        self.reshape(&[groups, channels / groups * pixels]);
        let names = [("ones", 1.0f32), ("zeros", 0.0)].map(|(name, number)| {
            let name = format!("{}.{name}", self.next("InstanceNormalization"));
            self.constant(name, TENSOR_FLOAT, &[groups], number.to_le_bytes().repeat(groups))
        });
        self.node("InstanceNormalization", names.into(), vec![float("epsilon", epsilon)]);
        match image {
            Some([h, w]) => self.reshape(&[channels, h, w]),
            None => self.reshape(&[channels]),
        }
        for ((op_type, name), values) in [("Mul", "gamma"), ("Add", "beta")].into_iter().zip(affine) {
            let name = format!("layers.{}.{name}", self.place);
            let dims = [channels, 1, 1];
            let dims = if image.is_some() { &dims[..] } else { &dims[..1] };
            let values = self.constant(name, TENSOR_FLOAT, dims, f32_bytes(&values));
            self.node(op_type, vec![values], vec![]);
        }
    }

    /// Queries, keys and values are `[n, channels, places]`, and are transposed where a product needs it.
    fn attention(&mut self, attention: Attention) {
        let Attention { query, key, value, output, gamma, image: [h, w] } = attention;
        let x = self.current.clone();
        let [narrow, half] = [&query, &value].map(|kernel| kernel.learnt.dims()[0]);
        let pooled = window([2, 2], [2, 2], Padding::VALID);
        self.project("query.weight", query);
        self.reshape(&[narrow, h * w]);
        self.permute(&[0, 2, 1]);
        let queries = std::mem::replace(&mut self.current, x.clone());
        self.project("key.weight", key);
        self.node("MaxPool", vec![], pooled.clone());
        self.reshape(&[narrow, h * w / 4]);
        let keys = std::mem::replace(&mut self.current, queries);
        self.node("MatMul", vec![keys], vec![]);
        self.node("Softmax", vec![], vec![int("axis", 2)]);
        let weights = std::mem::replace(&mut self.current, x.clone());
        self.project("value.weight", value);
        self.node("MaxPool", vec![], pooled);
        self.reshape(&[half, h * w / 4]);
        self.permute(&[0, 2, 1]);
        let values = std::mem::replace(&mut self.current, weights);
        self.node("MatMul", vec![values], vec![]);
        self.permute(&[0, 2, 1]);
        self.reshape(&[half, h, w]);
        self.project("output.weight", output);
        let gamma = self.weight("gamma", gamma);
        self.node("Mul", vec![gamma], vec![]);
        self.node("Add", vec![x], vec![]);
    }

    /// A convolution 1x1 without bias, whose weight has this name.
    fn project(&mut self, name: &str, weight: Weight) {
        let weight = self.weight(name, weight.used(false));
        self.node("Conv", vec![weight], window([1, 1], [1, 1], Padding::VALID));
    }

    /// A node that takes the current value and then `inputs`.
    fn node(&mut self, op_type: &str, inputs: Vec<String>, attribute: Vec<AttributeProto>) {
        let name = self.next(op_type);
        let current = std::mem::replace(&mut self.current, name.clone());
        self.graph.node.push(NodeProto {
            input: [vec![current], inputs].concat(),
            output: vec![name.clone()],
            name,
            op_type: op_type.into(),
            attribute,
        });
    }

    /// The name of the next node and of its output.
    fn next(&self, op_type: &str) -> String {
        format!("{op_type}_{}", self.graph.node.len())
    }

    fn permute(&mut self, axes: &[i64]) {
        self.node("Transpose", vec![], vec![ints("perm", axes)]);
    }

    /// Gives each example another shape; a length of 0 keeps the axis's own, here the batch's.
    fn reshape(&mut self, shape: &[usize]) {
        let lengths = shape.iter().map(|&length| length as i64);
        let lengths: Vec<i64> = [0].into_iter().chain(lengths).collect();
        let shape = self.lengths("Reshape", &lengths);
        self.node("Reshape", vec![shape], vec![]);
    }

    /// 0.5 x (1 + erf(x / √2)): opset 17 has no operator for it.
    fn gelu(&mut self) {
        let x = self.current.clone();
        self.with_number("Mul", std::f32::consts::FRAC_1_SQRT_2);
        self.node("Erf", vec![], vec![]);
        self.with_number("Add", 1.0);
        self.with_number("Mul", 0.5);
        self.node("Mul", vec![x], vec![]);
    }

    /// A node that takes the current value and a number.
    fn with_number(&mut self, op_type: &str, number: f32) {
        let name = format!("{}.number", self.next(op_type));
        let number = self.constant(name, TENSOR_FLOAT, &[1], number.to_le_bytes().to_vec());
        self.node(op_type, vec![number], vec![]);
    }

    /// With the method `nearest`, output pixel i shows input pixel floor(i / factor), which is what `asymmetric` and
    /// `floor` mean.
    fn resize(&mut self, factor: f32, method: Resampling) {
        let scales = [1.0, 1.0, factor, factor];
        let bytes = scales.iter().flat_map(|v| v.to_le_bytes()).collect();
        let name = format!("{}.scales", self.next("Resize"));
        let scales = self.constant(name, TENSOR_FLOAT, &[4], bytes);
        let attributes = match method {
            Resampling::Nearest => vec![
                string("mode", "nearest"),
                string("coordinate_transformation_mode", "asymmetric"),
                string("nearest_mode", "floor"),
            ],
            Resampling::Bilinear => {
                vec![string("mode", "linear"), string("coordinate_transformation_mode", "half_pixel")]
            }
        };
        // The empty input, a region of interest, is for another mode.
        self.node("Resize", vec![String::new(), scales], attributes);
    }

    fn weights(&mut self, weight: Tensor, bias: Option<Tensor>) -> Vec<String> {
        let weight = self.weight("weight", weight);
        let bias = bias.map(|bias| self.weight("bias", bias));
        [weight].into_iter().chain(bias).collect()
    }

    /// Adds an initializer of the current layer, and returns its name.
    fn weight(&mut self, name: &str, tensor: Tensor) -> String {
        let name = format!("layers.{}.{name}", self.place);
        self.constant(name, TENSOR_FLOAT, tensor.dims(), f32_bytes(&tensor))
    }

    fn constant(&mut self, name: String, kind: i32, dims: &[usize], bytes: Vec<u8>) -> String {
        self.graph.initializer.push(TensorProto {
            dims: dims.iter().map(|&length| length as i64).collect(),
            data_type: kind,
            name: name.clone(),
            raw_data: bytes,
        });
        name
    }
}

/// Height and width of a convolution's kernel.
fn kernel_of(weight: &Tensor) -> [usize; 2] {
    [weight.dims()[2], weight.dims()[3]]
}

/// The attributes of poolings, and of convolutions in both directions.
fn window(kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Vec<AttributeProto> {
    let Padding { top, bottom, left, right } = padding;
    vec![
        ints("kernel_shape", &kernel.map(|n| n as i64)),
        ints("strides", &stride.map(|n| n as i64)),
        ints("pads", &[top, left, bottom, right].map(|n| n as i64)),
    ]
}

/// The attribute of a convolution in groups; `None` for one group.
fn group(groups: usize) -> Option<AttributeProto> {
    (groups > 1).then(|| int("group", groups as i64))
}
