//! By the definition: right, and slow.
// says: 256 by 256 by 256, timed
// says: GFLOP/s
// says: 30% are wanted

pub fn gemm(a: &[f32], b: &[f32], c: &mut [f32], [m, k, n]: [usize; 3]) {
    for i in 0..m {
        for j in 0..n {
            c[i * n + j] = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
        }
    }
}
