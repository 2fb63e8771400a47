//! Gives each of those that tie the whole gradient.
// says: max_gradient is right in
// says: Case 3 of 11, "a tie of two"
// says: The first is at [0]

pub fn max_gradient(x: &[f64], shape: &[usize], axis: usize, y_grad: &[f64]) -> Vec<f64> {
    let inner: usize = shape[axis + 1..].iter().product();
    let length = shape[axis];
    let at = |i: usize| i / (length * inner) * inner + i % inner;
    let mut y = vec![f64::NEG_INFINITY; y_grad.len()];
    x.iter().enumerate().for_each(|(i, &x)| y[at(i)] = y[at(i)].max(x));
    x.iter().enumerate().map(|(i, &x)| if x == y[at(i)] { y_grad[at(i)] } else { 0.0 }).collect()
}
