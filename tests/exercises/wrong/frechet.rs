//! Takes the roots of the elements.
// says: square_root is right in
// says: "correlated features"
// says: The first is at [0,0]

pub mod eigen;

pub use eigen::eigen;

pub fn square_root(a: &[f64], _: usize) -> Vec<f64> {
    a.iter().map(|a| a.sqrt()).collect()
}

pub fn frechet_distance(mean_a: &[f64], a: &[f64], mean_b: &[f64], b: &[f64]) -> f64 {
    let means: f64 = mean_a.iter().zip(mean_b).map(|(a, b)| (a - b).powi(2)).sum();
    means + a.iter().zip(b).step_by(mean_a.len() + 1).map(|(a, b)| (a.sqrt() - b.sqrt()).powi(2)).sum::<f64>()
}
