//! Column sums for the statistics, then one pass y = a_c · x + b_c; backward, column sums of ȳ and
//! ȳ x̂, then one pass x̄ = p_c · ȳ + q_c · x + r_c.

use crate::cpu::columns::column_sums;
use crate::cpu::pool::Buffer;
use crate::cpu::rows_per_task;
use rayon::prelude::*;

/// y, μ and σ² from x `[rows, c]`, γ `[c]` and β `[c]`.
pub fn batch_norm(
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
) -> (Buffer, Buffer, Buffer) {
    let channels = gamma.len();
    let rows = x.len() / channels;
    let row = |r: usize| &x[r * channels..][..channels];
    let mut mean = column_sums(rows, channels, 1, |r, sum| {
        sum.iter_mut().zip(row(r)).for_each(|(sum, &x)| *sum += x);
    });
    mean.iter_mut().for_each(|mean| *mean /= rows as f32);
    // A second pass about the mean: E[x²] - μ² would cancel where |μ| ≫ σ.
    let mut variance = column_sums(rows, channels, 1, |r, sum| {
        for ((sum, &x), &mean) in sum.iter_mut().zip(row(r)).zip(mean.iter()) {
            *sum += (x - mean) * (x - mean);
        }
    });
    variance
        .iter_mut()
        .for_each(|variance| *variance /= rows as f32);

    let mut scale = Buffer::unspecified(channels);
    let mut shift = Buffer::unspecified(channels);
    for c in 0..channels {
        scale[c] = gamma[c] / (variance[c] + epsilon).sqrt();
        shift[c] = beta[c] - mean[c] * scale[c];
    }
    let mut y = Buffer::unspecified(x.len());
    let block = rows_per_task(channels) * channels;
    y.par_chunks_mut(block)
        .zip(x.par_chunks(block))
        .for_each(|(y, x)| {
            for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for (((y, &x), &a), &b) in y.iter_mut().zip(x).zip(scale.iter()).zip(shift.iter()) {
                    *y = x * a + b;
                }
            }
        });
    (y, mean, variance)
}

/// x̄, γ̄ and β̄ from ȳ and the batch's statistics.
pub fn batch_norm_grad(
    x: &[f32],
    gamma: &[f32],
    grad: &[f32],
    mean: &[f32],
    variance: &[f32],
    epsilon: f32,
) -> (Buffer, Buffer, Buffer) {
    let channels = gamma.len();
    let rows = x.len() / channels;
    let sums = column_sums(rows, channels, 2, |r, sums| {
        let (x, grad) = (
            &x[r * channels..][..channels],
            &grad[r * channels..][..channels],
        );
        let (grad_sum, product_sum) = sums.split_at_mut(channels);
        for c in 0..channels {
            grad_sum[c] += grad[c];
            product_sum[c] += grad[c] * (x[c] - mean[c]);
        }
    });
    let (grad_sum, product_sum) = sums.split_at(channels);
    let (mut dgamma, dbeta) = (Buffer::unspecified(channels), Buffer::from(grad_sum));
    let mut p = Buffer::unspecified(channels);
    let mut q = Buffer::unspecified(channels);
    let mut r = Buffer::unspecified(channels);
    for c in 0..channels {
        let inverse = 1.0 / (variance[c] + epsilon).sqrt();
        dgamma[c] = product_sum[c] * inverse;
        p[c] = gamma[c] * inverse;
        q[c] = -p[c] * inverse * dgamma[c] / rows as f32;
        r[c] = -p[c] * dbeta[c] / rows as f32 - q[c] * mean[c];
    }
    let mut dx = Buffer::unspecified(x.len());
    let block = rows_per_task(channels) * channels;
    dx.par_chunks_mut(block)
        .zip(x.par_chunks(block).zip(grad.par_chunks(block)))
        .for_each(|(dx, (x, grad))| {
            let rows = x.chunks_exact(channels).zip(grad.chunks_exact(channels));
            for (dx, (x, grad)) in dx.chunks_exact_mut(channels).zip(rows) {
                for c in 0..channels {
                    dx[c] = p[c] * grad[c] + q[c] * x[c] + r[c];
                }
            }
        });
    (dx, dgamma, dbeta)
}
