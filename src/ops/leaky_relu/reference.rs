//! Value by value.

use super::Slopes;

/// x where it is positive, `slope` · x elsewhere.
pub fn leaky_relu(x: &[f64], slope: f64) -> Vec<f64> {
    let value = |&x: &f64| if x > 0.0 { x } else { slope * x };
    x.iter().map(value).collect()
}

/// ȳ times the slope that y tells.
pub fn rectify_grad(y: &[f64], grad: &[f64], slopes: Slopes) -> Vec<f64> {
    let value = |(&y, &g): (&f64, &f64)| {
        if y > 0.0 {
            slopes.above * g
        } else if y == 0.0 && y.is_sign_negative() {
            slopes.dropped * g
        } else {
            slopes.below * g
        }
    };
    y.iter().zip(grad).map(value).collect()
}
