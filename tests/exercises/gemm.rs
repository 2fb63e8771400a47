//! By the engine.

use minimax::cpu::gemm::{self, Matrix, Start};

pub fn gemm(a: &[f32], b: &[f32], c: &mut [f32], [m, k, n]: [usize; 3]) {
    gemm::gemm(Matrix::new(a, m, k), Matrix::new(b, k, n), c, Start::Zero);
}
