//! Eigenvalues of symmetric matrices, by Jacobi's method: one pair of rows and columns after another is rotated so that
//! the element where they meet becomes 0, until all elements off the diagonal are.

/// The eigenvalues of the symmetric matrix `a`, [n, n], and for each a row with its eigenvector of length 1, so that
///
/// ```text
/// a[i, j]  =  Σ over k   values[k] · vectors[k, i] · vectors[k, j]
/// ```
///
/// # Panics
/// If `a` isn't symmetric, but for rounding.
#[track_caller]
pub fn eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let scale = a.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (i, j) in (0..n).flat_map(|i| (0..i).map(move |j| (i, j))) {
        let (lower, upper) = (a[i * n + j], a[j * n + i]);
        let symmetric = (lower - upper).abs() <= 1e-9 * scale;
        assert!(
            symmetric,
            "eigen: element [{i}, {j}] is {lower}, and [{j}, {i}] is {upper}; a symmetric matrix is wanted"
        );
    }
    let mut a = a.to_vec();
    let mut vectors: Vec<f64> = (0..n * n).map(|place| if place / n == place % n { 1.0 } else { 0.0 }).collect();
    // Each round squares what is left; a dozen is more than enough.
    for _ in 0..30 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p * n + q] == 0.0 {
                    continue;
                }
                // The rotation by the angle whose tangent t solves t² + 2 θ t = 1.
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let cosine = 1.0 / (t * t + 1.0).sqrt();
                let sine = t * cosine;
                let rotate = |x: &mut f64, y: &mut f64| (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
                for i in 0..n {
                    let (mut x, mut y) = (a[i * n + p], a[i * n + q]);
                    rotate(&mut x, &mut y);
                    (a[i * n + p], a[i * n + q]) = (x, y);
                }
                for rows in [&mut a, &mut vectors] {
                    let (upper, lower) = rows.split_at_mut(q * n);
                    let pairs = upper[p * n..p * n + n].iter_mut().zip(&mut lower[..n]);
                    pairs.for_each(|(x, y)| rotate(x, y));
                }
            }
        }
    }
    ((0..n).map(|k| a[k * n + k]).collect(), vectors)
}
