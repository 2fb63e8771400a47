//! Two sides timed in alternating pairs: what else the machine does meets both, and each pair has a ratio
//! of its own.

use minimax::cpu::threads::awake;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Pairs, unless they take longer than `budget`.
    pub pairs: usize,
    /// A side is repeated within a pair until it takes about this long.
    pub sample: Duration,
    /// After so long no further pair is begun, once there are three.
    pub budget: Duration,
}

/// Both sides' medians and the ratios of the pairs.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Seconds.
    pub ours: f64,
    /// Seconds.
    pub libtorch: f64,
    /// libtorch's time over ours within a pair: lower quartile, median, upper quartile.
    pub ratio: [f64; 3],
}

/// Between libtorch's turn and ours: its workers (libgomp's) spin for up to 20 ms after their last task, on
/// cores that ours would want.
const REST: Duration = Duration::from_millis(25);

/// How long what is timed runs untimed first.
const WARM_UP: Duration = Duration::from_millis(5);

/// Times `ours` and `libtorch` in turn. Ours has its threads awake, as over a training step; libtorch's
/// workers stay awake by themselves.
pub fn alternate(plan: Plan, ours: &mut dyn FnMut(), libtorch: &mut dyn FnMut()) -> Timing {
    let repeats = [repeats(plan.sample, ours), repeats(plan.sample, libtorch)];
    let mut seconds = [Vec::new(), Vec::new()];
    let start = Instant::now();
    while seconds[0].len() < plan.pairs && (seconds[0].len() < 3 || start.elapsed() < plan.budget) {
        sleep(REST);
        seconds[0].push(awake(|| sample(repeats[0], ours)));
        sleep(REST);
        seconds[1].push(sample(repeats[1], libtorch));
    }
    let ratios = seconds[0].iter().zip(&seconds[1]).map(|(a, b)| b / a);
    let ratios = ratios.collect();
    Timing { ratio: quartiles(ratios), ours: median(&seconds[0]), libtorch: median(&seconds[1]) }
}

/// Seconds of a run of `f` once it is warm: buffers are first made and kernels first chosen in the first two
/// runs. Of what takes long, the first two runs are trusted; of the rest, the fastest of four counts.
pub fn warm_seconds(f: &mut dyn FnMut()) -> f64 {
    let times = [time(f), time(f)];
    if times[0] > 0.3 {
        return times[1];
    }
    times[1].min(time(f)).min(time(f))
}

/// The median of `values`.
pub fn median(values: &[f64]) -> f64 {
    quartiles(values.to_vec())[1]
}

/// How often `f` is to be repeated to fill `sample`, by a run that is not its first unless that fills it.
fn repeats(sample: Duration, f: &mut dyn FnMut()) -> usize {
    let mut once = time(f);
    if once < sample.as_secs_f64() {
        once = time(f).max(1e-9);
    }
    (sample.as_secs_f64() / once).ceil().clamp(1.0, 1e6) as usize
}

/// Seconds of one run, as the mean of `repeats`.
fn sample(repeats: usize, f: &mut dyn FnMut()) -> f64 {
    // What is short would pay for waking workers, for caches that the other side filled and for a clock that fell
    // while the machine rested; what is long pays as it would in training.
    let warm = Instant::now();
    while repeats > 1 && warm.elapsed() < WARM_UP {
        f();
    }
    let start = Instant::now();
    for _ in 0..repeats {
        f();
    }
    start.elapsed().as_secs_f64() / repeats as f64
}

fn time(f: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_secs_f64()
}

/// Lower quartile, median and upper quartile, between values where need be.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|share| {
        let place = share * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + place.fract() * (above - below)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_fall_between_values() {
        assert_eq!(quartiles(vec![4.0, 1.0, 3.0, 2.0]), [1.75, 2.5, 3.25]);
        assert_eq!(quartiles(vec![7.0]), [7.0; 3]);
    }
}
