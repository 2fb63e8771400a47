//! What the system says of this process and of the machine, by /proc (Linux).

use serde::{Deserialize, Serialize};
use std::fs;

/// What a training run takes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Footprint {
    /// The most memory that was resident at once, in MiB.
    pub peak_mib: f64,
    /// Minor page faults a step, once warm.
    pub faults_per_step: f64,
}

/// Steps before page faults are counted: pools fill in the first two.
const WARM_UP: usize = 3;
/// Steps over which they are.
const COUNTED: usize = 5;

/// The footprint of this process, which has done nothing but to prepare for `step`.
///
/// # Panics
/// Where there is no /proc.
pub fn footprint(mut step: impl FnMut()) -> Footprint {
    for _ in 0..WARM_UP {
        step();
    }
    let before = minor_faults();
    for _ in 0..COUNTED {
        step();
    }
    Footprint {
        faults_per_step: (minor_faults() - before) as f64 / COUNTED as f64,
        peak_mib: peak_kib() as f64 / 1024.0,
    }
}

/// Processes that wanted to run over the last minute, on average; none where there is no /proc.
pub fn load() -> Option<f64> {
    let averages = fs::read_to_string("/proc/loadavg").ok()?;
    averages.split_whitespace().next()?.parse().ok()
}

/// VmHWM.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux's /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    peak.expect("VmHWM in KiB")
}

/// The tenth field of /proc/self/stat, the eighth after the command's closing parenthesis.
fn minor_faults() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux's /proc");
    let (_, fields) = stat.rsplit_once(')').expect("a command in parentheses");
    let faults = fields.split_whitespace().nth(7);
    faults.and_then(|n| n.parse().ok()).expect("a count")
}
