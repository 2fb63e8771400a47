//! C `[n, n]` = A · B, from the definition to the microkernel.

use super::{Rung, climb, draw};
use minimax::cpu::gemm::{Matrix, Start, gemm};

const N: usize = 768;

pub fn ladder(threads: usize, limit: &dyn Fn(usize) -> f64) {
    let (a, b) = (draw(N * N, 1), draw(N * N, 2));
    let (a, b) = (&a[..], &b[..]);
    let fast = |c: &mut [f32]| gemm(Matrix::new(a, N, N), Matrix::new(b, N, N), c, Start::Zero);
    let rungs = vec![
        Rung::new("definition", 1, |c| definition(a, b, c)),
        Rung::new("along rows", 1, |c| along_rows(a, b, c)),
        Rung::new("in blocks", 1, |c| in_blocks(a, b, c)),
        Rung::new("tiles in registers", 1, |c| tiles(a, b, c)),
        Rung::new("tiles, B packed", 1, |c| packed_tiles(a, b, c)),
        Rung::new("`cpu::gemm`", 1, fast),
        Rung::new("the crate matrixmultiply", 1, |c| yardstick(a, b, c)),
        Rung::new("`cpu::gemm`", threads, fast),
    ];
    let title = format!("A matrix product, {N} × {N} × {N}");
    climb(&title, N * N, 2.0 * (N as f64).powi(3), rungs, limit);
}

/// C = A · B by the crate.
#[expect(unsafe_code, reason = "the crate's only interface is raw pointers")]
fn yardstick(a: &[f32], b: &[f32], c: &mut [f32]) {
    assert!([a.len(), b.len(), c.len()] == [N * N; 3]);
    let (a, b, c, row) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), N as isize);
    // SAFETY: by the assert every index (i, j) of each matrix lies inside of its slice, and C is borrowed mutably.
    unsafe { matrixmultiply::sgemm(N, N, N, 1.0, a, row, 1, b, row, 1, 0.0, c, row, 1) }
}

// ANCHOR: definition
/// One sum after another. Each step waits for the addition before it, and B is read down a column.
fn definition(a: &[f32], b: &[f32], c: &mut [f32]) {
    for i in 0..N {
        for j in 0..N {
            c[i * N + j] = (0..N).map(|k| a[i * N + k] * b[k * N + j]).sum();
        }
    }
}
// ANCHOR_END: definition

// ANCHOR: along_rows
/// The two inner loops exchanged: a row of B at a time, in vectors, into a row of sums in cache.
fn along_rows(a: &[f32], b: &[f32], c: &mut [f32]) {
    c.fill(0.0);
    for (a, c) in a.chunks_exact(N).zip(c.chunks_exact_mut(N)) {
        for (&a, b) in a.iter().zip(b.chunks_exact(N)) {
            c.iter_mut().zip(b).for_each(|(c, &b)| *c = a.mul_add(b, *c));
        }
    }
}
// ANCHOR_END: along_rows

// ANCHOR: in_blocks
/// A part of B that fits the cache is used for all rows before the next one is touched.
fn in_blocks(a: &[f32], b: &[f32], c: &mut [f32]) {
    c.fill(0.0);
    for (block, b) in b.chunks(96 * N).enumerate() {
        for (a, c) in a.chunks_exact(N).zip(c.chunks_exact_mut(N)) {
            for (&a, b) in a[block * 96..].iter().zip(b.chunks_exact(N)) {
                c.iter_mut().zip(b).for_each(|(c, &b)| *c = a.mul_add(b, *c));
            }
        }
    }
}
// ANCHOR_END: in_blocks

/// 4 × 16 sums stay in registers while k runs: no sum is loaded or stored on the way.
fn tiles(a: &[f32], b: &[f32], c: &mut [f32]) {
    for (i, c) in c.chunks_exact_mut(4 * N).enumerate() {
        for j in (0..N).step_by(16) {
            store(&tile(&a[4 * i * N..], &b[j..], N), &mut c[j..]);
        }
    }
}

// ANCHOR: packed_tiles
/// The 16 columns of B that a tile reads lie side by side, in the order in which it reads them.
fn packed_tiles(a: &[f32], b: &[f32], c: &mut [f32]) {
    for j in (0..N).step_by(16) {
        let packed: Vec<f32> = b.chunks_exact(N).flat_map(|b| &b[j..j + 16]).copied().collect();
        for (i, c) in c.chunks_exact_mut(4 * N).enumerate() {
            store(&tile(&a[4 * i * N..], &packed, 16), &mut c[j..]);
        }
    }
}
// ANCHOR_END: packed_tiles

// ANCHOR: tile
/// Four rows of A with sixteen columns of B, whose rows are `step` apart.
fn tile(a: &[f32], b: &[f32], step: usize) -> [[f32; 16]; 4] {
    let mut sums = [[0.0f32; 16]; 4];
    for k in 0..N {
        let b: &[f32; 16] = b[k * step..].first_chunk().expect("16 columns");
        for (r, sums) in sums.iter_mut().enumerate() {
            let a = a[r * N + k];
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum = a.mul_add(b, *sum);
            }
        }
    }
    sums
}
// ANCHOR_END: tile

fn store(sums: &[[f32; 16]; 4], c: &mut [f32]) {
    for (sums, c) in sums.iter().zip(c.chunks_mut(N)) {
        c[..16].copy_from_slice(sums);
    }
}
