//! Every distinct convolution, transposed convolution and dense layer of the recipes at its batch, forward and both
//! gradients; and the ladders, from a product and a convolution as they are written first to the ones that train.

use super::common::layers::{Dense, Geometry, Layer, Part};
use super::common::{self, RECIPES, random};
use super::rows::{DEVICE, Row, normal, op, recipe};
use super::timing::{How, Subject};
use minimax::cuda::{Buffer, ladder};
use minimax::ops::{Transpose, conv_transpose2d, conv2d, conv2d_weight_grad, dense, matmul};
use minimax::shape::Conv2dGeometry;
use minimax::storage::Storage;
use minimax::{Error, Padding, Tensor, no_grad};
use serde_json::{Value, json};

/// Three rows for each layer: convolutions first.
pub fn rows(quick: bool) -> Vec<Row> {
    let rows = common::layers::rows(RECIPES.map(|name| recipe(name, quick))).into_iter().map(|(name, layer, part)| {
        let mut spec = json!(layer);
        spec["part"] = json!(part);
        Row::new(name, Some(layer.flops()), spec, move |how| Ok(subject(layer, part, how)))
    });
    rows.collect()
}

fn subject(layer: Layer, part: Part, how: How) -> Subject {
    let mut random = random();
    match layer {
        Layer::Convolution(Geometry { batch, large, small, kernel, stride, padding, transposed }) => {
            let mut maps = |[h, w, c]: [usize; 3]| normal([batch, h, w, c], &mut random);
            let (large_maps, small_maps) = (maps(large), maps(small));
            let weight = [kernel[0], kernel[1], large[2], small[2]];
            let weight = normal(weight, &mut random);
            op(how, move || {
                no_grad(|| match (part, transposed) {
                    (Part::Forward, false) | (Part::InputGradient, true) => {
                        conv2d(&large_maps, &weight, stride, padding)
                    }
                    (Part::Forward, true) | (Part::InputGradient, false) => {
                        let size = [large[0], large[1]];
                        conv_transpose2d(&small_maps, &weight, size, stride, padding)
                    }
                    (Part::WeightGradient, _) => conv2d_weight_grad(&large_maps, &small_maps, kernel, stride, padding),
                });
            })
        }
        Layer::Dense(Dense { batch, inputs, outputs, bias }) => {
            let x = normal([batch, inputs], &mut random);
            let weight = normal([inputs, outputs], &mut random);
            let bias = bias.then(|| normal([outputs], &mut random));
            let grad = normal([batch, outputs], &mut random);
            op(how, move || {
                no_grad(|| match (part, &bias) {
                    (Part::Forward, Some(bias)) => dense(&x, &weight, bias),
                    (Part::Forward, None) => matmul(&x, &weight, Transpose::NONE),
                    (Part::InputGradient, _) => matmul(&grad, &weight, Transpose::B),
                    (Part::WeightGradient, _) => matmul(&x, &grad, Transpose::A),
                });
            })
        }
    }
}

/// The rungs of both ladders, and after each ladder the op itself. A rung's values are held to the first rung's.
pub fn ladders(quick: bool) -> Vec<Row> {
    let (size, images) = if quick { (64, 2) } else { (4096, 1024) };
    let padding = Padding::same([14, 14], [5, 5], [2, 2]);
    let g = Conv2dGeometry::new("conv2d", [images, 14, 14, 64].into(), [5, 5, 64, 128].into(), [2, 2], padding);
    let mut rows = Vec::new();
    let product = move |rung: Option<usize>, tensors: &[Tensor; 2]| match rung {
        Some(rung) => {
            let c = ladder::gemm(rung, buffer(&tensors[0]), buffer(&tensors[1]), [size; 3]);
            Tensor::from_storage(Storage::Cuda(c), [size, size])
        }
        None => no_grad(|| matmul(&tensors[0], &tensors[1], Transpose::NONE)),
    };
    let convolution = move |rung: Option<usize>, tensors: &[Tensor; 2]| match rung {
        Some(rung) => {
            let y = ladder::conv2d(rung, buffer(&tensors[0]), buffer(&tensors[1]), &g);
            Tensor::from_storage(Storage::Cuda(y), g.output())
        }
        None => no_grad(|| conv2d(&tensors[0], &tensors[1], g.stride, padding)),
    };
    let name = format!("ladder gemm {size}");
    let shapes = [[size, size].into(), [size, size].into()];
    let flops = 2.0 * (size as f64).powi(3);
    rows.extend(climb(&name, &ladder::GEMM, flops, shapes, product));
    let name = format!("ladder conv2d {images} x 14x14x64 to 7x7x128 k5 s2");
    let flops = 2.0 * (g.output().numel() * g.patch()) as f64;
    let shapes = [g.input(), g.weight()];
    rows.extend(climb(&name, &ladder::CONV2D, flops, shapes, convolution));
    rows
}

fn climb(
    name: &str,
    rungs: &'static [ladder::Rung],
    flops: f64,
    shapes: [minimax::Shape; 2],
    compute: impl Fn(Option<usize>, &[Tensor; 2]) -> Tensor + Copy + Sync + 'static,
) -> Vec<Row> {
    let row = |rung: Option<usize>| {
        let what = rung.map_or("the op", |rung| rungs[rung].name);
        let number = rung.unwrap_or(rungs.len()) + 1;
        let name = format!("{name}, {number} {what}");
        let title = name.clone();
        let spec: Value = json!({"kind": "ladder"});
        let mut row = Row::new(name, Some(flops), spec, move |how| {
            let mut random = random();
            let tensors = shapes.map(|shape| normal(shape, &mut random));
            let error = squared_error(&compute(rung, &tensors), &compute(Some(0), &tensors));
            // The first adds up one product after another, which at 4096 costs it digits; tensor cores round operands.
            let limit = if error_is_tf32(rung, rungs) { 1e-6 } else { 1e-10 };
            if error.is_nan() || error > limit {
                let what = format!("{title}: its values are off by {error:.1e} from the first rung's");
                return Err(Error::CheckFailed(what));
            }
            Ok(op(how, move || drop(compute(rung, &tensors))))
        });
        row.ways = vec![How::Graph];
        if let Some(rung) = rung {
            row.precisions = vec![if rungs[rung].tf32 { "tf32" } else { "f32" }];
        }
        row
    };
    (0..rungs.len()).map(Some).chain([None]).map(row).collect()
}

/// Whether what a rung, or the op, gives is rounded to TF32 on the way.
fn error_is_tf32(rung: Option<usize>, rungs: &[ladder::Rung]) -> bool {
    rung.map_or_else(|| minimax::cuda::context(0).tf32(), |rung| rungs[rung].tf32)
}

/// Σ (a - b)² / Σ b².
fn squared_error(a: &Tensor, b: &Tensor) -> f64 {
    let (a, b) = (a.to_f32(), b.to_f32());
    let (mut error, mut size) = (0.0, 0.0);
    for (a, b) in a.into_iter().zip(b) {
        error += f64::from(a - b).powi(2);
        size += f64::from(b).powi(2);
    }
    error / size
}

fn buffer(tensor: &Tensor) -> &Buffer {
    match tensor.storage() {
        Storage::Cuda(buffer) => buffer,
        _ => unreachable!("made on {DEVICE}"),
    }
}
