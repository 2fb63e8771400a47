//! Value by value.

/// x where it is positive, `slope` · x elsewhere.
pub fn leaky_relu(x: &[f64], slope: f64) -> Vec<f64> {
    let value = |&x: &f64| if x > 0.0 { x } else { slope * x };
    x.iter().map(value).collect()
}

/// ȳ where y > 0, `slope` · ȳ elsewhere.
pub fn leaky_relu_grad(y: &[f64], grad: &[f64], slope: f64) -> Vec<f64> {
    let value = |(&y, &g): (&f64, &f64)| if y > 0.0 { g } else { slope * g };
    y.iter().zip(grad).map(value).collect()
}
