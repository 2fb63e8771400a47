//! What is printed, and the same as JSON lines.

use crate::compare::Baseline;
use crate::memory::Memory;
use crate::pairs::Timing;
use crate::torch::layout::Layout;
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The table on standard output, and a file of JSON lines if one is wanted.
pub struct Table {
    width: usize,
    json: Option<(PathBuf, File)>,
    /// The timed rows so far.
    ratios: Vec<(String, f64)>,
}

/// What a run is measured against.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Threads of either side.
    pub threads: usize,
    /// libtorch's version.
    pub libtorch: String,
    /// The machine's load before anything was measured, where it is known.
    pub load: Option<f64>,
    /// GFLOP/s that one thread can do.
    pub limit_one_thread: f64,
    /// GFLOP/s that all threads can do at once.
    pub limit: f64,
}

/// A row's name and figures.
pub struct Measured<'a> {
    /// What was done, and to what shapes.
    pub name: &'a str,
    /// How long it took.
    pub timing: Timing,
    /// Floating-point operations, where there are products.
    pub flops: Option<f64>,
    /// GFLOP/s that the row's threads can do.
    pub limit: f64,
    /// The layout that libtorch was faster with.
    pub layout: Option<Layout>,
    /// Of a step, the largest relative difference between both sides' losses.
    pub difference: Option<f64>,
}

impl Table {
    /// A table whose names are at most `width` long.
    ///
    /// # Errors
    /// Where the file can't be made.
    pub fn new(width: usize, json: Option<&Path>) -> Result<Table, String> {
        let json = json.map(|path| {
            let file = File::create(path).map_err(|error| {
                let path = path.display();
                format!("--json {path}: {error}; name a file that can be written")
            })?;
            Ok::<_, String>((path.to_path_buf(), file))
        });
        Ok(Table { width, json: json.transpose()?, ratios: Vec::new() })
    }

    /// The lines above the rows.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn setting(&mut self, setting: &Setting) -> Result<(), String> {
        let Setting { threads, libtorch, limit_one_thread, limit, load } = setting;
        println!(
            "FMA limit: {limit_one_thread:.0} GFLOP/s on one thread, {limit:.0} on {threads}; libtorch {libtorch}"
        );
        if let Some(load) = load.filter(|&load| load > 0.5) {
            eprintln!(
                "warning: the machine is busy (load {load:.1}): libtorch's threads wait for each other by \
                 spinning, so its times suffer most; measure again on an idle machine"
            );
        }
        self.line(&serde_json::to_value(setting).expect("plain numbers"))
    }

    /// The columns' names.
    pub fn heads(&self) {
        let width = self.width;
        println!();
        for [ours, libtorch, ratio, our_rate, their_rate, share, notes] in [
            ["ours", "libtorch", "libtorch / ours", "ours", "libtorch", "of the", "libtorch's"],
            ["ms", "ms", "(quartiles)", "GFLOP/s", "GFLOP/s", "limit", "layout"],
        ] {
            println!(
                "{:width$} {ours:>10} {libtorch:>10} {ratio:>21} {our_rate:>8} {their_rate:>8} {share:>6} {notes}",
                ""
            );
        }
    }

    /// A row.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn row(&mut self, row: &Measured) -> Result<(), String> {
        let (width, name) = (self.width, row.name);
        let [low, ratio, high] = row.timing.ratio;
        let spread = format!("{ratio:.2} ({low:.2}..{high:.2})");
        let (ours, libtorch) = (1e3 * row.timing.ours, 1e3 * row.timing.libtorch);
        print!("{name:width$} {ours:>10.3} {libtorch:>10.3} {spread:>21}");
        let rate = |ms: f64| row.flops.map(|flops| flops / ms / 1e6);
        let (our_rate, their_rate) = (rate(ours), rate(libtorch));
        let share = our_rate.map(|rate| rate / row.limit);
        let number = |rate: Option<f64>| rate.map_or(String::new(), |rate| format!("{rate:.1}"));
        let percent = share.map_or(String::new(), |share| format!("{:.0}%", 100.0 * share));
        let (rate, their) = (number(our_rate), number(their_rate));
        print!(" {rate:>8} {their:>8} {percent:>6}");
        let layout = row.layout.map(Layout::name);
        print!(" {}", layout.unwrap_or_default());
        if let Some(difference) = row.difference {
            print!(", losses within {difference:.0e}");
        }
        println!();
        self.ratios.push((name.to_string(), ratio));
        self.line(&json!({
            "row": name,
            "ours_ms": ours,
            "libtorch_ms": libtorch,
            "ratio": ratio,
            "ratio_quartiles": [low, high],
            "ours_gflops": our_rate,
            "libtorch_gflops": their_rate,
            "share_of_limit": share,
            "libtorch_layout": layout,
            "loss_difference": row.difference,
        }))
    }

    /// The timed rows beside those of an earlier run.
    ///
    /// # Errors
    /// Where rows have lost more than a tenth.
    pub fn compare(&self, baseline: &Baseline) -> Result<(), String> {
        let (width, lost) = (self.width, baseline.lost(&self.ratios));
        let shared = baseline.shared(&self.ratios);
        println!("\n{} of {shared} rows lost more than a tenth of their ratio", lost.len());
        for (name, then, now) in &lost {
            println!("{name:width$} {then:.2} then, {now:.2} now");
        }
        if lost.is_empty() { Ok(()) } else { Err("there are rows that lost more than a tenth of their ratio".into()) }
    }

    /// The columns' names of the rows of memory.
    pub fn memory_heads(&self) {
        let width = self.width;
        println!(
            "\n{:width$} {:>10} {:>10} {:>15} {:>19}",
            "peak memory in MiB", "ours", "libtorch", "ours / libtorch", "our faults per step"
        );
    }

    /// A row of memory.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn memory(&mut self, name: &str, memory: &Memory) -> Result<(), String> {
        let width = self.width;
        let Memory { ours, libtorch } = memory;
        let share = ours.peak_mib / libtorch.peak_mib;
        println!(
            "{name:width$} {:>10.1} {:>10.1} {share:>15.2} {:>19.0}",
            ours.peak_mib, libtorch.peak_mib, ours.faults_per_step
        );
        self.line(&json!({"row": name, "ours": ours, "libtorch": libtorch, "ratio": share}))
    }

    /// The columns' names of the rows of the sweep.
    pub fn sweep_heads(&self) {
        let width = self.width;
        println!(
            "\n{:width$} {:>10} {:>11} {:>14}",
            "cost against batch size", "ms a step", "ms an image", "of the first's"
        );
    }

    /// A row of the sweep: seconds of a step on `batch` images, and an image's in the first row.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn sweep(&mut self, name: &str, batch: usize, seconds: f64, first: f64) -> Result<(), String> {
        let width = self.width;
        let image = seconds / batch as f64;
        let (step_ms, image_ms, share) = (1e3 * seconds, 1e3 * image, image / first);
        println!("{name:width$} {step_ms:>10.1} {image_ms:>11.3} {share:>14.2}");
        self.line(&json!({"row": name, "batch": batch, "ours_ms": step_ms, "ms_per_image": image_ms}))
    }

    #[expect(clippy::disallowed_methods, reason = "the command's printing is not this program's")]
    fn line(&mut self, value: &Value) -> Result<(), String> {
        io::stdout().flush().map_err(|error| format!("standard output: {error}"))?;
        let Some((path, file)) = &mut self.json else {
            return Ok(());
        };
        writeln!(file, "{value}").map_err(|error| format!("{}: {error}", path.display()))
    }
}
