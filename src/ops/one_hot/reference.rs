//! Every class is compared with every label.

/// `[n, classes]` of n labels.
pub fn one_hot(labels: &[f64], classes: usize) -> Vec<f64> {
    labels.iter().flat_map(|&label| (0..classes).map(move |c| f64::from(label == c as f64))).collect()
}
