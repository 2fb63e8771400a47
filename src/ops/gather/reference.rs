//! Row by row, in the order of the indices.

/// The rows of `table` that `indices` name, each of `width` values.
pub fn gather(table: &[f64], indices: &[f64], width: usize) -> Vec<f64> {
    indices.iter().flat_map(|&index| &table[index as usize * width..][..width]).copied().collect()
}

/// The sums `[rows, width]` of the rows of `values` that `indices` give one number.
pub fn scatter_add(values: &[f64], indices: &[f64], [rows, width]: [usize; 2]) -> Vec<f64> {
    let mut sums = vec![0.0; rows * width];
    for (i, &index) in indices.iter().enumerate() {
        for column in 0..width {
            sums[index as usize * width + column] += values[i * width + column];
        }
    }
    sums
}
