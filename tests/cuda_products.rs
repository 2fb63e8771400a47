//! Matrix products and convolutions at sizes that take large tiles, and those whose sums are split, through the
//! emulated CUDA kernels, in f32 and in TF32. The case table (tests/cuda.rs) has the small ones.

#[path = "common/emulation.rs"]
mod emulation;

use minimax::cuda::{Buffer, catch, emulator, ladder, open};
use minimax::ops::{
    Transpose, batched_matmul, conv_transpose2d, conv2d, conv2d_weight_grad, dense, grouped_conv_transpose2d,
    grouped_conv2d, grouped_conv2d_weight_grad, matmul,
};
use minimax::shape::{Conv2dGeometry, Padding};
use minimax::storage::Storage;
use minimax::{Device, Shape, Tensor};
use std::sync::Mutex;

/// Values without a pattern, between -1 and 1, of so few bits that TF32 holds them exactly.
fn values(dims: &[usize], device: Device) -> Tensor {
    let n: usize = dims.iter().product();
    let hash = |i: usize| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53;
    let values: Vec<f64> = (0..n).map(|i| hash(i) as f64 / 1024.0 - 1.0).collect();
    Tensor::new(&values, dims, device)
}

/// There is one emulated device.
static DEVICE: Mutex<()> = Mutex::new(());

/// Holds `op` of tensors of these shapes to the reference, on the f32 units and on tensor cores, with the threads
/// in two orders.
fn check(name: &str, shapes: &[&[usize]], op: impl Fn(&[Tensor]) -> Tensor) {
    emulation::start();
    let inputs = |device| shapes.iter().map(|dims| values(dims, device)).collect();
    let run = |inputs: Vec<Tensor>| op(&inputs).to_f64();
    let expected = run(inputs(Device::Reference));
    let _only = DEVICE.lock().unwrap_or_else(|e| e.into_inner());
    for (seed, tf32) in [(0, false), (1, false), (0, true), (1, true)] {
        emulator::set_order(seed);
        open(0).unwrap().set_tf32(tf32);
        let got = catch(|| Ok(run(inputs(Device::Cuda(0))))).unwrap();
        let pairs = got.iter().zip(&expected);
        let error: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
        let size: f64 = expected.iter().map(|b| b * b).sum();
        assert!(error <= 1e-10 * size, "{name}, TF32 {tf32}: {}", error / size);
    }
}

#[test]
fn large_tiles() {
    let (m, k, n) = (16_850, 20, 125);
    for (a, b) in [(false, false), (true, false), (false, true), (true, true)] {
        let shapes = [if a { [k, m] } else { [m, k] }, if b { [n, k] } else { [k, n] }];
        let transpose = Transpose { a, b };
        check("matmul", &[&shapes[0], &shapes[1]], |x| matmul(&x[0], &x[1], transpose));
    }
    check("dense", &[&[m, k], &[k, n], &[n]], |x| dense(&x[0], &x[1], &x[2]));
    let symmetric = Padding::symmetric(1);
    check("conv2d", &[&[1, 130, 130, 3], &[3, 3, 3, 128]], |x| conv2d(&x[0], &x[1], [1, 1], symmetric));
    check("conv_transpose2d", &[&[1, 65, 65, 4], &[4, 4, 128, 4]], |x| {
        conv_transpose2d(&x[0], &x[1], [130, 130], [2, 2], symmetric)
    });
}

#[test]
fn split_sums() {
    for n in [3, 40] {
        for (a, b) in [(false, false), (true, false), (false, true), (true, true)] {
            let (m, k) = (33, 1030);
            let shapes = [if a { [k, m] } else { [m, k] }, if b { [n, k] } else { [k, n] }];
            let transpose = Transpose { a, b };
            check("matmul", &[&shapes[0], &shapes[1]], |x| matmul(&x[0], &x[1], transpose));
            let shapes = shapes.map(|[rows, columns]| [2, rows, columns]);
            check("batched_matmul", &[&shapes[0], &shapes[1]], |x| batched_matmul(&x[0], &x[1], transpose));
        }
        check("dense", &[&[33, 1030], &[1030, n], &[n]], |x| dense(&x[0], &x[1], &x[2]));
        let same = Padding::same([5, 5], [5, 5], [2, 2]);
        check("conv2d", &[&[2, 5, 5, 24], &[5, 5, 24, n]], |x| conv2d(&x[0], &x[1], [2, 2], same));
        check("conv_transpose2d", &[&[2, 3, 3, 90], &[5, 5, n, 90]], |x| {
            conv_transpose2d(&x[0], &x[1], [5, 5], [2, 2], same)
        });
        let same = Padding::same([20, 20], [3, 3], [1, 1]);
        check("conv2d_weight_grad", &[&[3, 20, 20, 5], &[3, 20, 20, n]], |x| {
            conv2d_weight_grad(&x[0], &x[1], [3, 3], [1, 1], same)
        });
    }
}

/// Large tiles and sums in parts, of groups of 4 and of 5 channels and of a number that no vector divides.
#[test]
fn groups() {
    let (stride, symmetric) = ([1, 1], Padding::symmetric(1));
    for (side, images, channels, c_out, groups) in
        [(130, 1, 8, 256, 2), (20, 3, 15, 120, 3), (5, 2, 300, 100, 2), (6, 2, 150, 142, 2)]
    {
        let (x, y) = ([images, side, side, channels], [images, side, side, c_out]);
        let w = [3, 3, channels / groups, c_out];
        check("grouped_conv2d", &[&x, &w], |t| grouped_conv2d(&t[0], &t[1], groups, stride, symmetric));
        check("grouped_conv2d_weight_grad", &[&x, &y], |t| {
            grouped_conv2d_weight_grad(&t[0], &t[1], groups, [3, 3], stride, symmetric)
        });
        if side < 130 {
            check("grouped_conv_transpose2d", &[&y, &w], |t| {
                grouped_conv_transpose2d(&t[0], &t[1], groups, [side, side], stride, symmetric)
            });
        }
    }
}

/// `of` the buffers of two tensors, on whichever rung; on the reference, where there is no ladder, `op`.
fn rung(
    x: &[Tensor],
    shape: impl Into<Shape>,
    of: impl Fn(&Buffer, &Buffer) -> Buffer,
    op: impl Fn(&Tensor, &Tensor) -> Tensor,
) -> Tensor {
    match (x[0].storage(), x[1].storage()) {
        (Storage::Cuda(a), Storage::Cuda(b)) => Tensor::from_storage(Storage::Cuda(of(a, b)), shape),
        _ => op(&x[0], &x[1]),
    }
}

#[test]
fn every_rung_of_the_ladders() {
    let [m, k, n] = [130, 36, 68];
    let same = Padding::same([9, 7], [5, 3], [2, 1]);
    let g = Conv2dGeometry::new("conv2d", [3, 9, 7, 5].into(), [5, 3, 5, 70].into(), [2, 1], same);
    for number in 0..ladder::GEMM.len() {
        check(ladder::GEMM[number].name, &[&[m, k], &[k, n]], |x| {
            let product = |a: &Buffer, b: &Buffer| ladder::gemm(number, a, b, [m, k, n]);
            rung(x, [m, n], product, |a, b| matmul(a, b, Transpose::NONE))
        });
    }
    for number in 0..ladder::CONV2D.len() {
        check(ladder::CONV2D[number].name, &[&[3, 9, 7, 5], &[5, 3, 5, 70]], |x| {
            let convolution = |x: &Buffer, w: &Buffer| ladder::conv2d(number, x, w, &g);
            rung(x, g.output(), convolution, |x, w| conv2d(x, w, [2, 1], same))
        });
    }
}
