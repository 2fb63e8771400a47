//! As src/metrics/frechet.rs does it. That file belongs to the games, which would be compiled for nothing else here.

pub mod eigen;

pub use eigen::eigen;

pub fn square_root(a: &[f64], n: usize) -> Vec<f64> {
    let (values, vectors) = eigen(a, n);
    let root = |place: usize| {
        let of = |k: usize| values[k].max(0.0).sqrt() * vectors[k * n + place / n] * vectors[k * n + place % n];
        (0..n).map(of).sum()
    };
    (0..n * n).map(root).collect()
}

pub fn frechet_distance(mean_a: &[f64], a: &[f64], mean_b: &[f64], b: &[f64]) -> f64 {
    let n = mean_a.len();
    let root = square_root(a, n);
    let between = product(&product(&root, b, n), &root, n);
    let roots: f64 = eigen(&between, n).0.iter().map(|value| value.max(0.0).sqrt()).sum();
    let trace = |a: &[f64]| a.iter().step_by(n + 1).sum::<f64>();
    let means: f64 = mean_a.iter().zip(mean_b).map(|(a, b)| (a - b).powi(2)).sum();
    means + trace(a) + trace(b) - 2.0 * roots
}

fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|place| (0..n).map(|p| a[place / n * n + p] * b[p * n + place % n]).sum()).collect()
}
