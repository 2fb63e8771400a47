//! Value by value.

use super::Slopes;

/// x where it is positive or NaN, `slope` · x elsewhere.
pub fn leaky_relu(x: &[f64], slope: f64) -> Vec<f64> {
    let value = |&x: &f64| if x <= 0.0 { times(slope, x) } else { x };
    x.iter().map(value).collect()
}

/// slope · x; 0 where the slope is 0, whatever x is.
fn times(slope: f64, x: f64) -> f64 {
    if slope == 0.0 { 0.0 } else { slope * x }
}

/// ȳ times the slope that y tells.
pub fn rectify_grad(y: &[f64], grad: &[f64], slopes: Slopes) -> Vec<f64> {
    let value = |(&y, &g): (&f64, &f64)| {
        if y == 0.0 && y.is_sign_negative() {
            times(slopes.dropped, g)
        } else if y <= 0.0 {
            times(slopes.below, g)
        } else {
            times(slopes.above, g)
        }
    };
    y.iter().zip(grad).map(value).collect()
}
