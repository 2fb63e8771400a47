//! One pass for the statistics, one for y = activation(a_c · x + b_c); backward, one for the column sums
//! of z̄ and z̄ (x - μ), with z what the activation reads, and one for x̄ = p_c (z̄ - mean z̄) + q_c (x - μ).

use crate::cpu::columns::{TILE_WIDTH, tile_sums};
use crate::cpu::pool::Buffer;
use crate::cpu::rows_per_task;
use crate::cpu::simd::widest;
use crate::ops::dropout::cpu::drop_values;
use crate::ops::leaky_relu::Rectifier;
use crate::ops::leaky_relu::cpu::{SlopesF32, rectified};
use rayon::prelude::*;

/// How a batch is normalised: per channel, z = a · x + b.
pub struct Affine {
    a: Buffer,
    b: Buffer,
}

impl Affine {
    /// a = γ / √(σ² + ε), b = β - μ a.
    pub fn new(gamma: &[f32], beta: &[f32], mean: &[f32], variance: &[f32], epsilon: f32) -> Affine {
        let mut a = Buffer::unspecified(gamma.len());
        let mut b = Buffer::unspecified(gamma.len());
        for c in 0..gamma.len() {
            a[c] = gamma[c] / (variance[c] + epsilon).sqrt();
            b[c] = beta[c] - mean[c] * a[c];
        }
        Affine { a, b }
    }
}

/// μ and σ² of each column of x `[rows, channels]`.
///
/// Each tile of it is summed about its own first row: `E[x²] - μ²` would cancel where |μ| ≫ σ, but a row
/// of the tile is at most √n σ from the mean of its n. From Σd and Σd² follow that mean and the sum of
/// squares about it, and tiles are merged as Chan, Golub and LeVeque (1979) do it.
pub fn statistics(x: &[f32], channels: usize) -> (Buffer, Buffer) {
    let rows = x.len() / channels;
    let sums = tile_sums(rows, channels, 2, |leaf, sums| {
        let row = |r: usize| &x[r * channels..][leaf.columns.clone()];
        widest(
            #[inline(always)]
            move || {
                let (sum, squares) = sums.split_at_mut(leaf.columns.len());
                let first = row(leaf.top);
                for r in leaf.rows.clone() {
                    let columns = sum.iter_mut().zip(squares.iter_mut());
                    for ((sum, square), (&x, &first)) in columns.zip(row(r).iter().zip(first)) {
                        let d = x - first;
                        *sum += d;
                        *square = d.mul_add(d, *square);
                    }
                }
            },
        );
    });
    let mut mean = Buffer::unspecified(channels);
    let mut variance = Buffer::unspecified(channels);
    let stacks: Vec<_> = sums.stacks().collect();
    let of_stack = mean.par_chunks_mut(TILE_WIDTH).zip(variance.par_chunks_mut(TILE_WIDTH));
    of_stack.zip(stacks).for_each(|((mean, variance), (columns, tiles))| {
        let mut merged = Moments::NONE;
        for (rows, sums) in tiles {
            let (sum, squares) = sums.split_at(columns.len());
            merged.merge(rows.len(), &x[rows.start * channels..][columns.clone()], sum, squares);
        }
        for (i, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
            *mean = merged.mean[i] as f32;
            *variance = (merged.squares[i] / merged.count) as f32;
        }
    });
    (mean, variance)
}

/// The count of some rows, and of each column of a tile the mean of its values and the sum of their squares about it.
struct Moments {
    count: f64,
    mean: [f64; TILE_WIDTH],
    squares: [f64; TILE_WIDTH],
}

impl Moments {
    /// Those of no rows.
    const NONE: Moments = Moments { count: 0.0, mean: [0.0; TILE_WIDTH], squares: [0.0; TILE_WIDTH] };

    /// Merges those of `rows` more rows, given by the sums of x - first and of its squares.
    fn merge(&mut self, rows: usize, first: &[f32], sum: &[f32], squares: &[f32]) {
        let (before, added) = (self.count, rows as f64);
        let count = before + added;
        let columns = self.mean.iter_mut().zip(&mut self.squares).zip(first).zip(sum.iter().zip(squares));
        widest(
            #[inline(always)]
            move || {
                for (((mean, all), &first), (&sum, &squares)) in columns {
                    let (first, sum, squares) = (f64::from(first), f64::from(sum), f64::from(squares));
                    let squares = squares - sum * sum / added;
                    // Not `max`, which would make 0 of NaN.
                    let squares = if squares < 0.0 { 0.0 } else { squares };
                    let apart = first + sum / added - *mean;
                    *mean += apart * added / count;
                    *all += squares + apart * apart * before * added / count;
                }
            },
        );
        self.count = count;
    }
}

/// y = activation(a · x + b).
pub fn normalise(x: &[f32], Affine { a, b }: &Affine, activation: &Rectifier) -> Buffer {
    let channels = a.len();
    let (a, b, slope) = (&a[..], &b[..], activation.slope as f32);
    let mut y = Buffer::unspecified(x.len());
    let task = rows_in_a_task(channels) * channels;
    y.par_chunks_mut(task).zip(x.par_chunks(task)).enumerate().for_each(|(i, (y, x))| {
        widest(
            #[inline(always)]
            move || {
                for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                    let values = y.iter_mut().zip(x).zip(a.iter().zip(b));
                    for ((y, &x), (&a, &b)) in values {
                        *y = rectified(x.mul_add(a, b), slope);
                    }
                }
                if let Some(mask) = &activation.mask {
                    drop_values(y, i * task, mask);
                }
            },
        );
    });
    y
}

/// A multiple of 4, so that a task's first random word is the first of its block.
fn rows_in_a_task(channels: usize) -> usize {
    rows_per_task(channels).next_multiple_of(4)
}

/// What the derivative of y is taken at.
pub struct Forward<'a> {
    /// The batch.
    pub x: &'a [f32],
    /// The output, where the activation's slopes can't be told from x: after dropout.
    pub y: Option<&'a [f32]>,
    /// What made z of x.
    pub affine: &'a Affine,
    /// The activation's slopes.
    pub slopes: SlopesF32,
}

impl Forward<'_> {
    /// z̄ from ȳ, for the values from `at` on, which are of the channels from `channel` on.
    #[inline(always)]
    fn through_activation(&self, at: usize, channel: usize, grad: &[f32], z_grad: &mut [f32]) {
        let (len, slopes) = (z_grad.len(), self.slopes);
        let grads = z_grad.iter_mut().zip(&grad[at..][..len]);
        if let Some(y) = self.y {
            for ((z_grad, &grad), &y) in grads.zip(&y[at..][..len]) {
                *z_grad = slopes.times(y, grad);
            }
        } else {
            let (a, b) = (&self.affine.a[channel..][..len], &self.affine.b[channel..][..len]);
            let values = self.x[at..][..len].iter().zip(a.iter().zip(b));
            for ((z_grad, &grad), (&x, (&a, &b))) in grads.zip(values) {
                *z_grad = slopes.times(x.mul_add(a, b), grad);
            }
        }
    }

    /// x̄, dγ and dβ from ȳ and the batch's statistics.
    pub fn grad(
        &self,
        gamma: &[f32],
        grad: &[f32],
        mean: &[f32],
        variance: &[f32],
        epsilon: f32,
    ) -> (Buffer, Buffer, Buffer) {
        let (x, channels) = (self.x, gamma.len());
        let rows = x.len() / channels;
        let sums = tile_sums(rows, channels, 2, |leaf, sums| {
            let (start, width) = (leaf.columns.start, leaf.columns.len());
            widest(
                #[inline(always)]
                move || {
                    let mean = &mean[leaf.columns.clone()];
                    let (grad_sum, product_sum) = sums.split_at_mut(width);
                    let mut z_grad = [0.0; TILE_WIDTH];
                    for row in leaf.rows.clone() {
                        let at = row * channels + start;
                        self.through_activation(at, start, grad, &mut z_grad[..width]);
                        let sums = grad_sum.iter_mut().zip(product_sum.iter_mut());
                        let values = z_grad.iter().zip(x[at..][..width].iter().zip(mean));
                        for ((grad_sum, product_sum), (&g, (&x, &mean))) in sums.zip(values) {
                            *grad_sum += g;
                            *product_sum = g.mul_add(x - mean, *product_sum);
                        }
                    }
                },
            );
        });
        let sums = sums.total();
        let (dbeta, product_sum) = sums.split_at(channels);
        let mut dgamma = Buffer::unspecified(channels);
        let mut p = Buffer::unspecified(channels);
        let mut q = Buffer::unspecified(channels);
        let mut grad_mean = Buffer::unspecified(channels);
        for c in 0..channels {
            let inverse = 1.0 / (variance[c] + epsilon).sqrt();
            dgamma[c] = product_sum[c] * inverse;
            p[c] = gamma[c] * inverse;
            q[c] = -p[c] * inverse * dgamma[c] / rows as f32;
            grad_mean[c] = dbeta[c] / rows as f32;
        }
        let (p, q, grad_mean) = (&p[..], &q[..], &grad_mean[..]);
        let mut dx = Buffer::unspecified(x.len());
        let task = rows_in_a_task(channels) * channels;
        dx.par_chunks_mut(task).enumerate().for_each(|(i, dx)| {
            widest(
                #[inline(always)]
                move || {
                    for (j, dx) in dx.chunks_exact_mut(channels).enumerate() {
                        let at = i * task + j * channels;
                        self.through_activation(at, 0, grad, dx);
                        let values = dx.iter_mut().zip(&x[at..][..channels]);
                        let means = grad_mean.iter().zip(mean);
                        let factors = p.iter().zip(q).zip(means);
                        for ((dx, &x), ((&p, &q), (&grad_mean, &mean))) in values.zip(factors) {
                            *dx = p.mul_add(*dx - grad_mean, q * (x - mean));
                        }
                    }
                },
            );
        });
        (dx, dgamma, Buffer::from(dbeta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::cases::check_random;

    /// In f32, E[x²] alone would leave nothing of σ² here.
    #[test]
    fn statistics_hold_where_the_mean_is_far_larger_than_the_spread() {
        let (rows, channels) = (3000, 17);
        let values = check_random().normal(rows * channels);
        let x: Vec<f32> = values.iter().map(|&v| 1e4 + v as f32).collect();
        let (mean, variance) = statistics(&x, channels);
        for c in 0..channels {
            let column = || x.iter().skip(c).step_by(channels).map(|&x| f64::from(x));
            let exact = column().sum::<f64>() / rows as f64;
            let spread = column().map(|x| (x - exact).powi(2)).sum::<f64>() / rows as f64;
            assert!((f64::from(mean[c]) - exact).abs() < 1e-3, "mean {} {exact}", mean[c]);
            let error = f64::from(variance[c]) / spread - 1.0;
            assert!(error.abs() < 1e-5, "variance {} {spread}", variance[c]);
        }
    }
}
