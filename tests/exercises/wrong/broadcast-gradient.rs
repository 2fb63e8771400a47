//! Aligns the shapes at their first axes.
// says: Case 3 of 14, "a row to two rows"
// says: The first is at [0]

pub fn broadcast_gradient(y_grad: &[f64], from: &[usize], to: &[usize]) -> Vec<f64> {
    let mut x_grad = vec![0.0; from.iter().product()];
    for (place, y) in y_grad.iter().enumerate() {
        let mut at = 0;
        for (axis, &length) in from.iter().enumerate() {
            let stride: usize = to[axis + 1..].iter().product();
            let own: usize = from[axis + 1..].iter().product();
            at += own * (place / stride % to[axis]).min(length - 1);
        }
        x_grad[at] += y;
    }
    x_grad
}
