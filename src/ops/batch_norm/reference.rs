//! The formulas as loops, channel by channel.

/// y, μ and σ² from x `[rows, c]`, γ `[c]` and β `[c]`.
pub fn batch_norm(x: &[f64], gamma: &[f64], beta: &[f64], epsilon: f64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let channels = gamma.len();
    let rows = (x.len() / channels) as f64;
    let mut y = vec![0.0; x.len()];
    let (mut means, mut variances) = (Vec::new(), Vec::new());
    for c in 0..channels {
        let column = || x.iter().skip(c).step_by(channels);
        let mean = column().sum::<f64>() / rows;
        let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / rows;
        for i in (c..x.len()).step_by(channels) {
            y[i] = gamma[c] * (x[i] - mean) / (variance + epsilon).sqrt() + beta[c];
        }
        means.push(mean);
        variances.push(variance);
    }
    (y, means, variances)
}

// ANCHOR: batch_norm_grad
/// x̄, dγ and dβ from ȳ and the batch's statistics.
pub fn batch_norm_grad(
    x: &[f64],
    gamma: &[f64],
    grad: &[f64],
    mean: &[f64],
    variance: &[f64],
    epsilon: f64,
) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let channels = gamma.len();
    let rows = (x.len() / channels) as f64;
    let mut dx = vec![0.0; x.len()];
    let (mut dgamma, mut dbeta) = (vec![0.0; channels], vec![0.0; channels]);
    for c in 0..channels {
        let deviation = (variance[c] + epsilon).sqrt();
        let normalised = |i: usize| (x[i] - mean[c]) / deviation;
        let column = || (c..x.len()).step_by(channels);
        dbeta[c] = column().map(|i| grad[i]).sum();
        dgamma[c] = column().map(|i| grad[i] * normalised(i)).sum();
        for i in column() {
            let correction = dbeta[c] / rows + normalised(i) * dgamma[c] / rows;
            dx[i] = gamma[c] / deviation * (grad[i] - correction);
        }
    }
    (dx, dgamma, dbeta)
}
// ANCHOR_END: batch_norm_grad
