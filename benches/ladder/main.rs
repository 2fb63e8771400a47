//! The ladder: a matrix product and a convolution, from the plainest loops to the kernels that train, each rung
//! checked against the first and timed as a share of what the machine's multiply-add units can do.
//!
//! `RUSTFLAGS="-C target-cpu=native" cargo bench --bench ladder` prints the table of docs/performance.md: the plainer rungs
//! are left to the compiler, which without it calls a function for each `mul_add`.

mod convolution;
#[expect(unsafe_code, reason = "intrinsics")]
#[path = "../libtorch/src/limit.rs"]
mod limit;
mod product;

use minimax::cpu::pool::Buffer;
use minimax::random::{Purpose, Random};
use std::time::{Duration, Instant};

/// How often a rung is timed; the median counts.
const TIMES: usize = 15;

/// Writes the result, over zeros or an earlier one.
type Compute<'a> = dyn FnMut(&mut [f32]) + Send + 'a;

/// One way to compute the same thing.
struct Rung<'a> {
    name: &'static str,
    threads: usize,
    compute: Box<Compute<'a>>,
}

impl<'a> Rung<'a> {
    fn new(name: &'static str, threads: usize, compute: impl FnMut(&mut [f32]) + Send + 'a) -> Rung<'a> {
        Rung { name, threads, compute: Box::new(compute) }
    }
}

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let limits = [1, threads].map(|n| limit::gflops(n, Duration::from_millis(500)));
    println!("The limit: {:.0} GFLOP/s on one thread, {:.0} on {threads}.", limits[0], limits[1]);
    let limit = |n: usize| limits[usize::from(n > 1)];
    product::ladder(threads, &limit);
    convolution::ladder(threads, &limit);
}

/// Climbs: times every rung, in `flop` operations each, and holds its `len` values to those of the first.
fn climb(title: &str, len: usize, flop: f64, rungs: Vec<Rung>, limit: &dyn Fn(usize) -> f64) {
    println!("\n{title}\n");
    println!("| rung | threads | ms | GFLOP/s | share of the limit |");
    println!("|---|---|---|---|---|");
    let mut first: Option<Buffer> = None;
    for mut rung in rungs {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(rung.threads).build();
        let mut values = Buffer::zeros(len);
        let seconds = pool.expect("threads").install(|| time(|| (rung.compute)(&mut values)));
        let error = normalised_error(&values, first.get_or_insert_with(|| values.clone()));
        assert!(error < 1e-10, "{}: normalised squared error {error:e}", rung.name);
        let rate = flop / seconds / 1e9;
        let share = 100.0 * rate / limit(rung.threads);
        println!("| {} | {} | {:.1} | {rate:.1} | {share:.0}% |", rung.name, rung.threads, 1e3 * seconds);
    }
}

/// The median of the seconds that `compute` takes; what is slow is timed twice.
fn time(mut compute: impl FnMut()) -> f64 {
    let mut seconds = Vec::new();
    while seconds.len() < TIMES && (seconds.len() < 2 || seconds.iter().sum::<f64>() < 1.0) {
        let start = Instant::now();
        compute();
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Σ (x - want)² / Σ want².
fn normalised_error(x: &[f32], want: &[f32]) -> f64 {
    let square = |v: f32| f64::from(v).powi(2);
    let error: f64 = x.iter().zip(want).map(|(&x, &want)| square(x - want)).sum();
    error / want.iter().map(|&v| square(v)).sum::<f64>()
}

/// `len` values to multiply.
fn draw(len: usize, seed: u64) -> Buffer {
    let values = Random::new(seed, Purpose::CHECK).normal(len);
    let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
    Buffer::from(&values[..])
}
