//! Which function answers a case, with which of its arrays; the case without matrices is to be timed.

#[path = "limit.rs"]
mod limit;

use super::text::{Case, Function};
use exercise::gemm;
use std::time::{Duration, Instant};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[("gemm", |case| {
    let sizes @ [m, _, n] = case.sizes("m_k_n");
    if case.given.len() == 1 {
        return vec![("share_of_limit", share_of_limit(sizes).to_vec())];
    }
    let matrix = |name| -> Vec<f32> { case.values(name).iter().map(|&value| value as f32).collect() };
    // What has not been written shows.
    let mut c = vec![f32::NAN; m * n];
    gemm(&matrix("a"), &matrix("b"), &mut c, sizes);
    vec![("c", c.into_iter().map(f64::from).collect())]
})];

/// As long as product and limit are tried in a turn.
const TURN: Duration = Duration::from_millis(80);

/// The rate of a product of these sizes and the limit, both in GFLOP/s: each the best of many tries, which take turns, so
/// that whatever else the machine does meets both.
fn share_of_limit([m, k, n]: [usize; 3]) -> [f64; 2] {
    let values = |count: usize| -> Vec<f32> { (0..count).map(|i| (i % 7) as f32 - 3.0).collect() };
    let (a, b, mut c) = (values(m * k), values(k * n), vec![0.0; m * n]);
    let (mut rate, mut limit) = (0.0f64, 0.0f64);
    for _ in 0..6 {
        limit = limit.max(limit::gflops(1, TURN));
        let turn = Instant::now();
        while turn.elapsed() < TURN {
            let start = Instant::now();
            gemm(&a, &b, &mut c, [m, k, n]);
            rate = rate.max(2e-9 * (m * k * n) as f64 / start.elapsed().as_secs_f64());
        }
    }
    [rate, limit]
}
