//! Takes mean and variance for constants.
// says: backward is right in
// says: Case 1 of 9, "four examples"
// says: backward gives x_grad, of shape [4,1]

#[derive(Clone, Debug)]
pub struct Gradients {
    pub x: Vec<f64>,
    pub gamma: Vec<f64>,
    pub beta: Vec<f64>,
}

pub fn backward(x: &[f64], gamma: &[f64], epsilon: f64, y_grad: &[f64]) -> Gradients {
    let channels = gamma.len();
    let mut found = Gradients { x: vec![0.0; x.len()], gamma: vec![0.0; channels], beta: vec![0.0; channels] };
    for c in 0..channels {
        let column: Vec<f64> = x.iter().skip(c).step_by(channels).copied().collect();
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64;
        let s = (variance + epsilon).sqrt();
        for (i, x) in column.iter().enumerate() {
            let grad = y_grad[i * channels + c];
            found.beta[c] += grad;
            found.gamma[c] += grad * (x - mean) / s;
            found.x[i * channels + c] = gamma[c] * grad / s;
        }
    }
    found
}
