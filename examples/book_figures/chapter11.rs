//! What bounds a kernel on a GPU, what a warp's reads fetch, in which order a block adds, and what TF32 costs.

use crate::canvas::{Axes, BLUE, Canvas, FAINT, GREEN, INK, RED, RULE, SMALL, Side, TEXT, power};
use minimax::random::{Purpose, Random};
use minimax::{Device, Tensor};
use plotters::style::RGBColor;
use std::collections::BTreeSet;

const PALE: RGBColor = RGBColor(205, 225, 245);

/// An H200 by its data sheet: TFLOP/s of the f32 units and of the tensor cores in TF32, and TB/s of memory.
const F32: f64 = 67.0;
const TF32: f64 = 494.0;
const MEMORY: f64 = 4.8;

/// What was measured of a product of 4096 cubed (docs/cuda.md), in TFLOP/s.
const MEASURED: [(f64, RGBColor); 2] = [(38.0, BLUE), (128.0, RED)];

pub fn roofline(canvas: &mut Canvas) {
    let axes = Axes { x: [-2.0, 3.0], y: [-2.0, 3.0], at: (150, 150), size: (1010, 560) };
    let ticks: Vec<_> = (-2..=3).map(|exponent| (f64::from(exponent), power(exponent))).collect();
    axes.draw(canvas, &ticks, &ticks);
    let place = |intensity: f64, speed: f64| axes.place(libm::log10(intensity), libm::log10(speed));
    for (limit, color) in [(TF32, RED), (F32, BLUE)] {
        canvas.line(&[place(limit / MEMORY, limit), place(1000.0, limit)], 6, color);
    }
    canvas.line(&[place(0.01, 0.01 * MEMORY), place(F32 / MEMORY, F32)], 6, BLUE);
    canvas.line(&[place(F32 / MEMORY, F32), place(TF32 / MEMORY, TF32)], 6, RED);
    // An addition, and a step of Adam: 13 operations for seven values read or written.
    for (intensity, name) in [(1.0 / 12.0, "add"), (13.0 / 28.0, "Adam")] {
        let at = place(intensity, intensity * MEMORY);
        canvas.dot(at, 11, GREEN);
        canvas.text((at.0 + 24, at.1 + 26), Side::Left, SMALL, GREEN, name);
    }
    // Each matrix across once: 2 n³ operations for 3 n² values.
    for (speed, color) in MEASURED {
        canvas.dot(place(4096.0 / 6.0, speed), 11, color);
    }
    canvas.text((150, 44), Side::Left, TEXT, RED, "tensor cores, TF32: 494");
    canvas.text((650, 44), Side::Left, TEXT, BLUE, "f32 units: 67 TFLOP/s");
    canvas.text((150, 106), Side::Left, SMALL, INK, "TFLOP/s, an H200 by its data sheet");
    canvas.text((1160, 106), Side::Right, SMALL, INK, "dots: 4096³, measured");
    canvas.text((655, 806), Side::Middle, SMALL, INK, "operations for each byte of memory");
}

/// Lanes of a warp, and bytes that memory gives at a time.
const LANES: usize = 32;
const SECTOR: usize = 32;

pub fn sectors(canvas: &mut Canvas) {
    const WIDTH: i32 = 33;
    // x[step · i + first] in lane i.
    let rows = [("x[i]", 1, 0), ("x[i + 1]", 1, 1), ("x[2 · i]", 2, 0), ("x[8 · i]", 8, 0)];
    canvas.text((40, 44), Side::Left, TEXT, INK, "sectors of 32 bytes that the 32 lanes of a warp touch");
    for (row, (name, step, first)) in rows.into_iter().enumerate() {
        let top = 120 + 150 * row as i32;
        let touched: BTreeSet<usize> = (0..LANES).map(|lane| 4 * (step * lane + first) / SECTOR).collect();
        for sector in 0..34 {
            let fill = if touched.contains(&sector) { BLUE } else { PALE };
            canvas.area((40 + sector as i32 * WIDTH, top + 46), (WIDTH, 46), fill, FAINT);
        }
        let fetched = touched.len() * SECTOR;
        let share = (100 * 4 * LANES) as f64 / fetched as f64;
        canvas.text((40, top + 12), Side::Left, TEXT, INK, name);
        let text = format!("{} sectors, {fetched} bytes, {share}% used", touched.len());
        canvas.text((1162, top + 12), Side::Right, SMALL, BLUE, &text);
    }
}

pub fn tree(canvas: &mut Canvas) {
    const CELL: (i32, i32) = (90, 66);
    let place = |level: usize, thread: usize| (290 + 110 * thread as i32, 110 + 180 * level as i32);
    canvas.text((40, 44), Side::Left, TEXT, INK, "eight threads of a block bring their sums together");
    let mut values = [3, 1, 4, 1, 5, 9, 2, 6];
    for (level, half) in [8, 4, 2, 1].into_iter().enumerate() {
        if level > 0 {
            for thread in 0..half {
                for from in [thread, thread + half] {
                    let ((from_x, from_y), (x, y)) = (place(level - 1, from), place(level, thread));
                    let color = if from == thread { FAINT } else { BLUE };
                    let end = x + CELL.0 / 2 + if from == thread { 0 } else { 20 };
                    canvas.arrow((from_x + CELL.0 / 2, from_y + CELL.1), (end, y), 4, color);
                }
                values[thread] += values[thread + half];
            }
        }
        for (thread, value) in values[..half].iter().enumerate() {
            canvas.cell(place(level, thread), CELL, if level == 0 { RULE } else { PALE }, &value.to_string());
        }
        let label = if level == 0 { "at first".into() } else { format!("half = {half}") };
        canvas.text((40, place(level, 0).1 + CELL.1 / 2), Side::Left, SMALL, INK, &label);
    }
}

/// The nearest number with so many `bits` of fraction, ties away from zero, as `to_tf32` in kernels/tensor_cores.cuh.
fn rounded(value: f32, bits: u32) -> f32 {
    let dropped = 23 - bits;
    f32::from_bits((value.to_bits() + (1 << (dropped - 1))) & !((1 << dropped) - 1))
}

/// Rows and columns of the products that errors are averaged over.
const SIDE: usize = 48;

/// log10 of the error of sums of `k` products of normal numbers: in f32, and of factors with 10 and 7 bits of fraction.
fn errors(k: usize) -> [f64; 3] {
    let mut random = Random::new(k as u64, Purpose::CHECK);
    let mut draw = || -> Vec<f32> { random.normal(SIDE * k).iter().map(|&v| v as f32).collect() };
    let (a, b) = (draw(), draw());
    let product = |bits: u32, device| {
        let of = |values: &[f32]| -> Vec<f32> {
            values.iter().map(|&v| if bits == 23 { v } else { rounded(v, bits) }).collect()
        };
        let (a, b) = (Tensor::from_f32(&of(&a), [SIDE, k], device), Tensor::from_f32(&of(&b), [k, SIDE], device));
        a.matmul(&b).to_f64()
    };
    let exact = product(23, Device::Reference);
    [23, 10, 7].map(|bits| {
        let found = product(bits, Device::Cpu);
        let wrong: f64 = found.iter().zip(&exact).map(|(found, exact)| (found - exact) * (found - exact)).sum();
        0.5 * libm::log10(wrong / exact.iter().map(|v| v * v).sum::<f64>())
    })
}

pub fn fractions(canvas: &mut Canvas) {
    let axes = Axes { x: [3.5, 14.5], y: [-8.0, -1.0], at: (150, 150), size: (1010, 560) };
    let xs: Vec<_> = (4..=14).step_by(2).map(|power| (f64::from(power), (1 << power).to_string())).collect();
    let ys: Vec<_> = (-8..=-1).map(|exponent| (f64::from(exponent), power(exponent))).collect();
    axes.draw(canvas, &xs, &ys);
    let mut lines = [Vec::new(), Vec::new(), Vec::new()];
    for power in 4..=14 {
        for (line, error) in lines.iter_mut().zip(errors(1 << power)) {
            line.push(axes.place(f64::from(power), error));
        }
    }
    for (line, color) in lines.iter().zip([GREEN, BLUE, RED]) {
        canvas.dotted(line, 9, color);
    }
    canvas.text((150, 44), Side::Left, TEXT, RED, "7 bits of fraction");
    canvas.text((520, 44), Side::Left, TEXT, BLUE, "10 bits, TF32");
    canvas.text((840, 44), Side::Left, TEXT, GREEN, "23 bits, f32");
    canvas.text((150, 106), Side::Left, SMALL, INK, "error of a product whose sums are in f32");
    canvas.text((655, 806), Side::Middle, SMALL, INK, "products in a sum");
}
