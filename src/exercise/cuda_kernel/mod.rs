//! `cuda-kernel`: sums of blocks by threads that share memory, on the emulated device.

use super::text::{Array, Case};
use super::{Exercise, Files, draw, number};

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "cuda-kernel",
    chapter: 11,
    task: "a CUDA kernel whose threads add up a block's values together; no GPU needed",
    files: Files {
        target: "src/kernel.cu",
        stub: include_str!("stub.cu"),
        call: include_str!("call.rs"),
        others: &[
            ("build.rs", include_str!("build.rs")),
            ("harness/program.cpp", include_str!("program.cpp")),
            ("harness/emulation/emulation.h", include_str!("../../../kernels/emulation/emulation.h")),
        ],
        nan: "Shared memory is NaN until something is written to it, and so is what lies behind the n values of x.",
        compiles_cpp: true,
    },
    cases,
    further_cases,
    tolerance: 0.0,
    hints: &[
        "First every thread writes its value, or 0 where there is none, to shared memory. Then come the steps, for half = \
         32, 16, 8, 4, 2, 1. At last thread 0 writes the sum.",
        "There has to be a barrier between any write to shared memory and another thread's read of it: after the first \
         write, and after each step. Put it outside of the `if (threadIdx.x < half)`, so that all threads come by.",
    ],
    solution: "kernels/reduce.cuh (combine_block)",
};

/// Values, and the orders that a case is run in: 0 is ascending.
const ROWS: [(&str, usize, u32); 7] = [
    ("one block, ascending order", 64, 0),
    ("one block, shuffled", 64, 1),
    ("a block that is not full, ascending order", 5, 0),
    ("a block that is not full, shuffled", 5, 2),
    ("two blocks, shuffled", 128, 3),
    ("one value in the last block, ascending order", 65, 0),
    ("one value in the last block, shuffled", 65, 4),
];

fn cases() -> Vec<Case> {
    ROWS.map(|(name, n, order)| case(name, n, order)).to_vec()
}

fn further_cases() -> Vec<Case> {
    (5..9).map(|order| case(&format!("shuffled, {order}"), 100 * order as usize - 399, order)).collect()
}

fn case(name: &str, n: usize, order: u32) -> Case {
    let x = draw(name, "x", &[n]);
    // Quarters: exact in f32 in whichever order they are added.
    let sums: Vec<f64> = x.values.chunks(64).map(|block| block.iter().sum()).collect();
    Case {
        name: name.to_string(),
        given: vec![x, number("order", order.into())],
        wanted: vec![Array::new("sums", &[sums.len()], sums)],
    }
}
