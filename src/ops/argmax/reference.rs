//! The values of one result lie `inner` apart.

/// The index along the middle axis of the largest of x `[outer, length, inner]`.
pub fn argmax(x: &[f64], length: usize, inner: usize) -> Vec<f64> {
    let mut y = Vec::new();
    for group in x.chunks_exact(length * inner) {
        for i in 0..inner {
            let value = |r: usize| group[r * inner + i];
            let mut best = 0;
            for r in 1..length {
                if value(r) > value(best) || (value(r).is_nan() && !value(best).is_nan()) {
                    best = r;
                }
            }
            y.push(best as f64);
        }
    }
    y
}
