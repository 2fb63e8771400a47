//! How long each op takes on the CPU, forward and backward, over the case table.
//!
//! `cargo bench --bench ops` runs all of it, `cargo bench --bench ops -- ^conv2d/` one op. An op is
//! timed on its large cases, or on its largest case where it has none.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use minimax::Device;
use minimax::autograd::{no_grad, vjp};
use minimax::check::cases::{Case, cases, check_random, large, normal_like};
use std::time::Duration;

fn main() {
    // On a thread of the pool, as training runs: from outside it every kernel would wait to be let in.
    rayon::scope(|_| {
        let mut criterion = Criterion::default()
            .sample_size(20)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1))
            .configure_from_args();
        for case in timed_cases() {
            bench(&mut criterion, &case);
        }
        criterion.final_summary();
    });
}

/// The cases that are worth timing, op by op.
fn timed_cases() -> Vec<Case> {
    let mut timed = large::cases();
    let mut others = cases();
    others.retain(|case| timed.iter().all(|large| large.op != case.op));
    others.sort_by_key(|case| (case.op, std::cmp::Reverse(values(case))));
    others.dedup_by_key(|case| case.op);
    timed.append(&mut others);
    timed.sort_by_key(|case| case.op);
    timed
}

/// Values that go in.
fn values(case: &Case) -> usize {
    case.inputs.iter().map(|input| input.shape.numel()).sum()
}

/// Times `OP/forward/CASE`, with nothing recorded, and `OP/backward/CASE`, the walk alone.
fn bench(criterion: &mut Criterion, case: &Case) {
    let mut random = check_random();
    let inputs = case.sample(&mut random, Device::Cpu);
    let parameters = case.differentiable(&inputs);
    let cotangent = normal_like(&case.run(&inputs), &mut random);

    let mut group = criterion.benchmark_group(case.op);
    group.throughput(Throughput::Elements(values(case) as u64));
    group.bench_function(BenchmarkId::new("forward", &case.name), |b| {
        b.iter(|| no_grad(|| case.run(&inputs)));
    });
    group.bench_function(BenchmarkId::new("backward", &case.name), |b| {
        b.iter_batched(
            || (case.run(&inputs), cotangent.clone()),
            |(y, cotangent)| vjp(y, cotangent, &parameters, false),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}
