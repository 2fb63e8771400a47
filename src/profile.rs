//! Where the time of a training run goes: every op is recorded with its time, its floating point operations and the
//! bytes that it reads and writes, for a table and for a trace.
//!
//! A derivative rule is made of ops, so its time is listed under their names: an input gradient of `conv2d` is a
//! `conv_transpose2d`. While nothing is recorded, a span costs the load of one flag.

use crate::cuda;
use crate::shape::Conv2dGeometry;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The most spans of a trace; no viewer opens one with more.
const TRACE_SPANS: usize = 1 << 18;

static RECORDING: AtomicBool = AtomicBool::new(false);
static RECORD: Mutex<Option<Profile>> = Mutex::new(None);

/// The work of an op.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// The number of floating point operations; 0 if they don't matter, because the op waits for memory.
    pub flop: usize,
    /// The number of values read and written.
    pub values: usize,
}

impl Cost {
    /// A product of `products` multiplications and additions, whose operands and result have this many values.
    pub fn product(products: usize, values: usize) -> Cost {
        Cost { flop: 2 * products, values }
    }

    /// A convolution or one of its gradients; padding counts as if it were multiplied.
    pub fn convolution(g: &Conv2dGeometry) -> Cost {
        let values = g.input().numel() + g.weight().numel() + g.output().numel();
        Cost::product(g.output().numel() * g.patch(), values)
    }

    /// A pass over this many values, read and written.
    pub fn pass(values: usize) -> Cost {
        Cost { flop: 0, values }
    }
}

/// A span that is being timed; dropping it ends the span.
#[must_use = "a span ends where it is dropped"]
pub struct Span {
    open: Option<Open>,
}

/// A span that has not ended.
struct Open {
    name: &'static str,
    cost: Cost,
    begun: Instant,
    /// The number of launches on CUDA devices before it.
    launches: u64,
}

/// Begins to time an op.
#[inline]
pub fn span(name: &'static str, cost: impl FnOnce() -> Cost) -> Span {
    let open = || Open { name, cost: cost(), launches: cuda::launches(), begun: Instant::now() };
    Span { open: RECORDING.load(Ordering::Relaxed).then(open) }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(Open { name, cost, begun, launches }) = self.open.take() {
            // A CUDA device has only queued the work.
            cuda::settle();
            let length = begun.elapsed();
            if let Some(profile) = record().as_mut() {
                profile.add(name, cost, begun, length);
                profile.totals.entry(name).or_default().launches += cuda::launches() - launches;
            }
        }
    }
}

fn record() -> MutexGuard<'static, Option<Profile>> {
    // A panic elsewhere can't leave the record half-changed.
    RECORD.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Begins to record all spans, those of every thread.
pub fn start() {
    *record() = Some(Profile::new());
    RECORDING.store(true, Ordering::Relaxed);
}

/// Ends recording, and gives what was recorded since [`start`], if it was called.
pub fn finish() -> Option<Profile> {
    RECORDING.store(false, Ordering::Relaxed);
    let mut profile = record().take()?;
    profile.whole = profile.begun.elapsed();
    profile.launches = cuda::launches() - profile.launches_before;
    Some(profile)
}

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Profile {
    begun: Instant,
    whole: Duration,
    /// The number of launches on CUDA devices before, and since.
    launches_before: u64,
    launches: u64,
    totals: HashMap<&'static str, Total>,
    spans: Vec<Recorded>,
}

/// A span that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// The op.
    pub name: &'static str,
    /// The work of the op.
    pub cost: Cost,
    /// When it began, since recording did.
    pub begun: Duration,
    /// How long it took.
    pub length: Duration,
}

/// All spans of one name.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    calls: usize,
    launches: u64,
    time: Duration,
    flop: f64,
    bytes: f64,
}

impl Profile {
    fn new() -> Profile {
        Profile {
            begun: Instant::now(),
            whole: Duration::ZERO,
            launches_before: cuda::launches(),
            launches: 0,
            totals: HashMap::new(),
            spans: Vec::new(),
        }
    }

    fn add(&mut self, name: &'static str, cost: Cost, begun: Instant, length: Duration) {
        let total = self.totals.entry(name).or_default();
        total.calls += 1;
        total.time += length;
        total.flop += cost.flop as f64;
        total.bytes += 4.0 * cost.values as f64;
        if self.spans.len() < TRACE_SPANS {
            let begun = begun.saturating_duration_since(self.begun);
            self.spans.push(Recorded { name, cost, begun, length });
        }
    }

    /// A line per op, the longest first: calls, milliseconds, GFLOP/s, GB/s, share of the whole time and, if there were
    /// any, launches on CUDA devices. The last line is the time outside of ops.
    pub fn table(&self) -> String {
        let mut totals: Vec<_> = self.totals.iter().collect();
        totals.sort_by(|a, b| b.1.time.cmp(&a.1.time).then(a.0.cmp(b.0)));
        let whole = self.whole.as_secs_f64();
        let launches = |count: u64| match self.launches {
            0 => String::new(),
            _ => format!(" {count:>9}"),
        };
        let header = if self.launches > 0 { "  launches" } else { "" };
        let mut text =
            format!("{:<24} {:>9} {:>11} {:>9} {:>7} {:>7}{header}\n", "op", "calls", "ms", "GFLOP/s", "GB/s", "share");
        let mut rest = whole;
        let mut other_launches = self.launches;
        for (name, total) in totals {
            let seconds = total.time.as_secs_f64();
            rest -= seconds;
            other_launches -= total.launches.min(other_launches);
            let rate = |amount: f64| match amount > 0.0 && seconds > 0.0 {
                true => format!("{:.1}", amount / seconds / 1e9),
                false => "-".into(),
            };
            text += &format!(
                "{name:<24} {:>9} {:>11.1} {:>9} {:>7} {:>6.1}%{}\n",
                total.calls,
                1e3 * seconds,
                rate(total.flop),
                rate(total.bytes),
                100.0 * seconds / whole,
                launches(total.launches)
            );
        }
        text + &format!(
            "{:<24} {:>9} {:>11.1} {:>9} {:>7} {:>6.1}%{}\n",
            "outside of ops",
            "-",
            1e3 * rest.max(0.0),
            "-",
            "-",
            100.0 * rest.max(0.0) / whole,
            launches(other_launches)
        ) + &match self.launches {
            0 => String::new(),
            count => format!("{count} launches in all\n"),
        }
    }

    /// Every span, in the order in which they ended, up to a limit.
    pub fn spans(&self) -> impl Iterator<Item = Recorded> {
        self.spans.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up_and_every_span_is_kept() {
        let mut profile = Profile::new();
        let at = profile.begun;
        let ms = Duration::from_millis;
        profile.add("conv2d", Cost::product(10_000_000, 1_000), at, ms(2));
        profile.add("conv2d", Cost::product(10_000_000, 1_000), at + ms(3), ms(2));
        profile.add("sum", Cost::pass(1_000_000), at + ms(2), ms(1));
        profile.whole = ms(10);
        let table = profile.table();
        let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(words[1], ["conv2d", "2", "4.0", "10.0", "0.0", "40.0%"]);
        assert_eq!(words[2], ["sum", "1", "1.0", "-", "4.0", "10.0%"]);
        assert_eq!(words[3][3..], ["-", "5.0", "-", "-", "50.0%"]);

        profile.launches = 12;
        profile.totals.get_mut("conv2d").unwrap().launches = 7;
        let table = profile.table();
        let last_words: Vec<&str> = table.lines().map(|line| line.split_whitespace().last().unwrap()).collect();
        assert_eq!(last_words[..4], ["launches", "7", "0", "5"]);
        assert!(table.ends_with("\n12 launches in all\n"));

        let spans: Vec<Recorded> = profile.spans().collect();
        assert_eq!(spans.len(), 3);
        assert_eq!((spans[1].name, spans[1].begun), ("conv2d", ms(3)));
    }
}
