//! How many digits Winograd's form costs.

use crate::canvas::{Axes, BLUE, Canvas, GREEN, INK, RED, SMALL, Side, TEXT, power};
use minimax::cpu::winograd::matrices::Transform;
use minimax::random::{Purpose, Random};

/// Taps of the kernel along each axis.
const TAPS: usize = 3;
/// Products that are summed for each value, as over channels.
const CHANNELS: usize = 64;
/// Tiles that are measured.
const TILES: usize = 40;

/// Finite points: those of the engine and on, and whole numbers alone.
const FRACTIONS: [f64; 11] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 4.0, -4.0, 0.25, -0.25];
const WHOLE: [f64; 11] = [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 4.0, -4.0, 5.0, -5.0];

type Matrix = Vec<Vec<f32>>;

/// Bᵀ, G and Aᵀ of the chapter for some finite points, and ∞.
fn transforms(finite: &[f64]) -> [Matrix; 3] {
    let (points, tile) = (finite.len() + 1, finite.len() + 2 - TAPS);
    let last = |row: usize, value: usize| if row == value { 1.0 } else { 0.0 };
    let signal = |i: usize| {
        let mut coefficients = vec![1.0];
        for (_, root) in finite.iter().enumerate().filter(|&(j, _)| j != i) {
            coefficients.push(0.0);
            for t in (0..coefficients.len()).rev() {
                let lower = if t > 0 { coefficients[t - 1] } else { 0.0 };
                coefficients[t] = lower - root * coefficients[t];
            }
        }
        coefficients.resize(points, 0.0);
        coefficients.iter().map(|&v| v as f32).collect()
    };
    let filter = |i: usize| -> Vec<f32> {
        let Some(p) = finite.get(i) else {
            return (0..TAPS).map(|t| last(t, TAPS - 1)).collect();
        };
        let n: f64 = finite.iter().filter(|&other| other != p).map(|other| p - other).product();
        (0..TAPS).map(|t| (p.powi(t as i32) / n) as f32).collect()
    };
    let output = |t: usize| -> Vec<f32> {
        let powers = finite.iter().map(|p| p.powi(t as i32) as f32);
        powers.chain([last(t, tile - 1)]).collect()
    };
    [(0..points).map(signal).collect(), (0..points).map(filter).collect(), (0..tile).map(output).collect()]
}

/// M X Mᵀ in f32.
fn both_ways(m: &Matrix, x: &Matrix) -> Matrix {
    let dot = |a: &[f32], b: &mut dyn Iterator<Item = f32>| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let down = |row: &Vec<f32>| -> Vec<f32> {
        (0..x[0].len()).map(|j| dot(row, &mut x.iter().map(|values| values[j]))).collect()
    };
    let rows: Matrix = m.iter().map(down).collect();
    rows.iter().map(|row| m.iter().map(|other| dot(other, &mut row.iter().copied())).collect()).collect()
}

fn draw(random: &mut Random, size: usize) -> Matrix {
    let values = random.normal(size * size);
    values.chunks(size).map(|row| row.iter().map(|&v| v as f32).collect()).collect()
}

/// log10 of the error of tiles in f32, by Winograd's form and by the sums as they are, against the sums in f64.
fn errors(finite: &[f64]) -> [f64; 2] {
    let [signal, filter, output] = transforms(finite);
    let (points, tile) = (signal.len(), output.len());
    let mut random = Random::new(11, Purpose::CHECK);
    let (mut size, mut wrong) = (0.0, [0.0; 2]);
    for _ in 0..TILES {
        let mut places = vec![vec![0.0f32; points]; points];
        let mut exact = vec![vec![0.0f64; tile]; tile];
        let mut plain = vec![vec![0.0f32; tile]; tile];
        for _ in 0..CHANNELS {
            let (d, g) = (draw(&mut random, points), draw(&mut random, TAPS));
            let (u, v) = (both_ways(&filter, &g), both_ways(&signal, &d));
            for (i, j) in (0..points * points).map(|at| (at / points, at % points)) {
                places[i][j] += u[i][j] * v[i][j];
            }
            for (t, s) in (0..tile * tile).map(|at| (at / tile, at % tile)) {
                for (i, j) in (0..TAPS * TAPS).map(|at| (at / TAPS, at % TAPS)) {
                    exact[t][s] += f64::from(d[t + i][s + j]) * f64::from(g[i][j]);
                    plain[t][s] += d[t + i][s + j] * g[i][j];
                }
            }
        }
        let found = both_ways(&output, &places);
        for (t, s) in (0..tile * tile).map(|at| (at / tile, at % tile)) {
            size += exact[t][s] * exact[t][s];
            for (wrong, value) in wrong.iter_mut().zip([found[t][s], plain[t][s]]) {
                *wrong += (f64::from(value) - exact[t][s]) * (f64::from(value) - exact[t][s]);
            }
        }
    }
    wrong.map(|wrong| 0.5 * libm::log10(wrong / size))
}

/// The matrices above are those that the engine has.
fn hold_to_the_engine() {
    for points in TAPS + 1..=8 {
        let [signal, filter, output] = transforms(&FRACTIONS[..points - 1]);
        let engine = [
            (signal, Transform::signal(points)),
            (filter, Transform::filter(points, TAPS)),
            (output, Transform::outputs(points, points + 1 - TAPS)),
        ];
        for (ours, theirs) in engine {
            let same = ours.iter().zip(&theirs.0).all(|(row, other)| *row == other[..row.len()]);
            assert!(same, "{points} points: {ours:?}, not {theirs:?}");
        }
    }
}

pub fn digits(canvas: &mut Canvas) {
    hold_to_the_engine();
    let axes = Axes { x: [3.5, 12.5], y: [-7.0, 0.0], at: (130, 150), size: (1030, 560) };
    let xs: Vec<_> = (4..=12).map(|points| (f64::from(points), (points - 2).to_string())).collect();
    let ys: Vec<_> = (-7..=0).map(|exponent| (f64::from(exponent), power(exponent))).collect();
    axes.draw(canvas, &xs, &ys);
    let mut lines = [Vec::new(), Vec::new(), Vec::new()];
    for count in 4..=12 {
        let [fractions, plain] = errors(&FRACTIONS[..count - 1]);
        let [whole, _] = errors(&WHOLE[..count - 1]);
        for (line, error) in lines.iter_mut().zip([fractions, whole, plain]) {
            // Above it no digit is right.
            if error < axes.y[1] {
                line.push(axes.place(count as f64, error));
            }
        }
    }
    for (line, color) in lines.iter().zip([BLUE, RED, GREEN]).rev() {
        canvas.dotted(line, 9, color);
    }
    canvas.text((130, 44), Side::Left, TEXT, BLUE, "with halves, quarters");
    canvas.text((560, 44), Side::Left, TEXT, RED, "whole numbers");
    canvas.text((890, 44), Side::Left, TEXT, GREEN, "plain sums");
    canvas.text((130, 106), Side::Left, SMALL, INK, "error of a 3 × 3 convolution of 64 channels in f32");
    canvas.text((645, 806), Side::Middle, SMALL, INK, "outputs of a tile along an axis");
}
