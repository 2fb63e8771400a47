//! The values of one sum lie `inner` apart.

/// Softmax along the middle axis of x `[outer, length, inner]`.
pub fn softmax(x: &[f64], length: usize, inner: usize) -> Vec<f64> {
    let mut y = x.to_vec();
    if y.is_empty() {
        return y;
    }
    for group in y.chunks_exact_mut(length * inner) {
        for i in 0..inner {
            let places = (i..group.len()).step_by(inner);
            let largest = places.clone().map(|at| group[at]).fold(f64::NEG_INFINITY, f64::max);
            places.clone().for_each(|at| group[at] = libm::exp(group[at] - largest));
            let total: f64 = places.clone().map(|at| group[at]).sum();
            places.for_each(|at| group[at] /= total);
        }
    }
    y
}
