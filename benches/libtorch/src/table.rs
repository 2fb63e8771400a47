//! What is printed, and the same as JSON lines.

use crate::memory::Memory;
use crate::pairs::Timing;
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The table on standard output, and a file of JSON lines if one is wanted.
pub struct Table {
    width: usize,
    json: Option<(PathBuf, File)>,
}

/// What a run is measured against.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Threads of either side.
    pub threads: usize,
    /// libtorch's version.
    pub libtorch: String,
    /// GFLOP/s that one thread can do.
    pub limit_one_thread: f64,
    /// GFLOP/s that all threads can do at once.
    pub limit: f64,
}

impl Table {
    /// A table whose names are at most `width` long.
    ///
    /// # Errors
    /// Where the file can't be made.
    pub fn new(width: usize, json: Option<&Path>) -> Result<Table, String> {
        let json = json.map(|path| {
            let file =
                File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>((path.to_path_buf(), file))
        });
        Ok(Table {
            width,
            json: json.transpose()?,
        })
    }

    /// The lines above the rows.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn setting(&mut self, setting: &Setting) -> Result<(), String> {
        let Setting {
            threads,
            libtorch,
            limit_one_thread,
            limit,
        } = setting;
        println!(
            "FMA limit: {limit_one_thread:.0} GFLOP/s on one thread, {limit:.0} on {threads}; libtorch {libtorch}"
        );
        self.line(&serde_json::to_value(setting).expect("plain numbers"))
    }

    /// The columns' names.
    pub fn heads(&self) {
        let width = self.width;
        println!(
            "\n{:width$} {:>10} {:>11} {:>21} {:>9} {:>9} {:>7}",
            "", "ours", "libtorch", "libtorch / ours", "ours", "libtorch", "of the"
        );
        println!(
            "{:width$} {:>10} {:>11} {:>21} {:>9} {:>9} {:>7}",
            "", "ms", "ms", "(quartiles)", "GFLOP/s", "GFLOP/s", "limit"
        );
    }

    /// A row, with the GFLOP/s that its threads can do.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn row(
        &mut self,
        name: &str,
        timing: &Timing,
        flops: Option<f64>,
        limit: f64,
        note: &str,
    ) -> Result<(), String> {
        let width = self.width;
        let [low, ratio, high] = timing.ratio;
        let spread = format!("{ratio:.2} ({low:.2}..{high:.2})");
        let (ours, libtorch) = (1e3 * timing.ours, 1e3 * timing.libtorch);
        print!("{name:width$} {ours:>10.3} {libtorch:>11.3} {spread:>21}");
        let rate = |seconds: f64| flops.map(|flops| flops / seconds / 1e9);
        let rates = (rate(timing.ours), rate(timing.libtorch));
        let share = rates.0.map(|rate| rate / limit);
        if let ((Some(ours), Some(libtorch)), Some(share)) = (rates, share) {
            let percent = format!("{:.0}%", 100.0 * share);
            print!(" {ours:>9.1} {libtorch:>9.1} {percent:>7}");
        }
        println!();
        if !note.is_empty() {
            println!("  {note}");
        }
        self.line(&json!({
            "row": name,
            "ours_ms": ours,
            "libtorch_ms": libtorch,
            "ratio": ratio,
            "ratio_quartiles": [low, high],
            "ours_gflops": rates.0,
            "libtorch_gflops": rates.1,
            "share_of_limit": share,
            "note": note,
        }))
    }

    /// The columns' names of the rows of memory.
    pub fn memory_heads(&self) {
        let width = self.width;
        println!(
            "\n{:width$} {:>10} {:>11} {:>15} {:>19}",
            "peak memory", "ours MiB", "libtorch", "ours / libtorch", "our faults per step"
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
            "{name:width$} {:>10.1} {:>11.1} {share:>15.2} {:>19.0}",
            ours.peak_mib, libtorch.peak_mib, ours.faults_per_step
        );
        self.line(&json!({"row": name, "ours": ours, "libtorch": libtorch, "ratio": share}))
    }

    /// The columns' names of the rows of the sweep.
    pub fn sweep_heads(&self) {
        let width = self.width;
        println!(
            "\n{:width$} {:>10} {:>11} {:>15}",
            "cost against batch size", "ms a step", "ms an image", "of the first's"
        );
    }

    /// A row of the sweep: seconds of a step on `batch` images, and an image's in the first row.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn sweep(
        &mut self,
        name: &str,
        batch: usize,
        seconds: f64,
        first: f64,
    ) -> Result<(), String> {
        let width = self.width;
        let image = seconds / batch as f64;
        let (step_ms, image_ms, share) = (1e3 * seconds, 1e3 * image, image / first);
        println!("{name:width$} {step_ms:>10.1} {image_ms:>11.3} {share:>15.2}");
        self.line(
            &json!({"row": name, "batch": batch, "ours_ms": step_ms, "ms_per_image": image_ms}),
        )
    }

    fn line(&mut self, value: &Value) -> Result<(), String> {
        io::stdout()
            .flush()
            .map_err(|error| format!("standard output: {error}"))?;
        let Some((path, file)) = &mut self.json else {
            return Ok(());
        };
        writeln!(file, "{value}").map_err(|error| format!("{}: {error}", path.display()))
    }
}
