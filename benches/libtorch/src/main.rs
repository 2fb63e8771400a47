//! The yardstick: minimax and libtorch on the same work, in one process and in alternating pairs.

mod compare;
mod limit;
mod memory;
mod pairs;
mod process;
mod rows;
mod subjects;
mod sweep;
mod table;
mod torch;

use clap::Parser;
use compare::Baseline;
use pairs::{Plan, Timing};
use regex::Regex;
use rows::{Pair, Row};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;
use table::{Measured, Setting, Table};
use torch::layout::Layout;

/// Measures minimax against libtorch, row by row, on the CPU.
///
/// Each row is timed in alternating pairs; a ratio above 1 says that minimax is faster. Before a training
/// step is timed, five steps from the same weights on the same images must give both sides the same losses.
#[derive(Parser)]
#[command(bin_name = "run.sh")]
struct Arguments {
    /// Everything within minutes: fewer and shorter pairs, losses compared on smaller batches.
    #[arg(long)]
    quick: bool,
    /// Only the rows whose name matches this regular expression, such as '^step', 'gemm 2048' or
    /// 'conv.*weight'.
    #[arg(long, value_name = "REGEX", default_value = "", hide_default_value = true)]
    rows: Regex,
    /// Prints the names of the rows and ends.
    #[arg(long)]
    list: bool,
    /// Threads of either side [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Pairs to a row, unless that takes too long [default: 15, or 3 with --quick].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pairs: Option<u16>,
    /// Also writes the results to this file, as a line of JSON each.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Then lists the rows that lost more than a tenth of the ratio that they have in this file, which --json wrote, and
    /// fails if there are any.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// A folder of MNIST's files, plain or gzipped, for the row on reading them.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Also measures peak memory and page faults of a training run, each side in a process of its own.
    #[arg(long)]
    peak_memory: bool,
    /// Also measures our cost per image for batches of 16 to 512.
    #[arg(long)]
    batch_sweep: bool,
    /// Trains by libtorch alone and prints what that takes: how --peak-memory measures it.
    #[arg(long, hide = true, num_args = 2, value_names = ["RECIPE", "LAYOUT"])]
    train_alone: Option<Vec<String>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let threads = match arguments.threads {
        Some(threads) => usize::from(threads),
        None => available_parallelism().map_or(1, usize::from),
    };
    // On a thread of the pool, as training runs: from outside it every kernel would wait to be let in.
    let done = match pool(threads) {
        Ok(pool) => pool.install(|| run(&arguments, threads)),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pool(threads: usize) -> Result<rayon::ThreadPool, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| format!("--threads {threads}: {error}"))
}

fn run(arguments: &Arguments, threads: usize) -> Result<(), String> {
    tch::set_num_threads(threads as i32);
    if let Some([recipe, layout]) = arguments.train_alone.as_deref() {
        let layout = Layout::ALL.into_iter().find(|l| l.name() == layout);
        let layout = layout.ok_or("--train-alone: a recipe and a layout")?;
        let footprint = memory::train_alone(recipe, layout)?;
        println!("{}", serde_json::to_string(&footprint).expect("plain numbers"));
        return Ok(());
    }
    let mut rows = rows::all(arguments.quick, arguments.data.as_deref());
    rows.retain(|row| arguments.rows.is_match(&row.name));
    let memory = names_if(arguments.peak_memory, arguments, &subjects::stepped(), |name| format!("memory {name}"));
    let sweep = names_if(arguments.batch_sweep, arguments, &sweep::BATCHES, |batch| {
        format!("batch {batch} of {}", sweep::RECIPE)
    });
    let names = rows.iter().map(|row| &row.name);
    let names = names.chain(memory.iter().map(|(_, name)| name));
    let names: Vec<&String> = names.chain(sweep.iter().map(|(_, name)| name)).collect();
    if arguments.list {
        names.iter().for_each(|name| println!("{name}"));
        return Ok(());
    }
    let Some(width) = names.iter().map(|name| name.len()).max() else {
        return Err(format!("--rows '{}' matches no row; --list has their names", arguments.rows));
    };
    let baseline = arguments.compare.as_deref().map(Baseline::read).transpose()?;
    if let Some(baseline) = &baseline {
        baseline.check(threads, rows.iter().map(|row| row.name.as_str()))?;
    }
    let mut table = Table::new(width, arguments.json.as_deref())?;
    let setting = setting(threads);
    table.setting(&setting)?;
    let failed = time_rows(&rows, arguments, &setting, &mut table)?;
    if !memory.is_empty() {
        table.memory_heads();
    }
    for (recipe, name) in &memory {
        table.memory(name, &memory::compare(recipe, threads)?)?;
    }
    if !sweep.is_empty() {
        table.sweep_heads();
    }
    let mut first = None;
    for &(batch, ref name) in &sweep {
        let seconds = sweep::step_seconds(batch, if arguments.quick { 3 } else { 7 });
        let first = *first.get_or_insert(seconds / batch as f64);
        table.sweep(name, batch, seconds, first)?;
    }
    if failed > 0 {
        return Err(format!("{failed} rows could not be measured"));
    }
    match baseline {
        Some(baseline) => table.compare(&baseline),
        None => Ok(()),
    }
}

/// Each of `all` that is asked for, with its row's name.
fn names_if<T: Copy>(wanted: bool, arguments: &Arguments, all: &[T], name: impl Fn(T) -> String) -> Vec<(T, String)> {
    let all = all.iter().filter(|_| wanted);
    let mut named: Vec<(T, String)> = all.map(|&one| (one, name(one))).collect();
    named.retain(|(_, name)| arguments.rows.is_match(name));
    named
}

fn setting(threads: usize) -> Setting {
    let time = Duration::from_millis(500);
    Setting {
        threads,
        load: process::load(),
        libtorch: torch::shim::version(),
        limit_one_thread: limit::gflops(1, time),
        limit: limit::gflops(threads, time),
    }
}

/// How many of `rows` could not be measured.
fn time_rows(rows: &[Row], arguments: &Arguments, setting: &Setting, table: &mut Table) -> Result<usize, String> {
    let plan = plan(arguments);
    let one = pool(1)?;
    let mut failed = 0;
    if !rows.is_empty() {
        table.heads();
    }
    for row in rows {
        let (timed, limit) = match row.alone {
            true => (one.install(|| time_row(row, plan, 1)), setting.limit_one_thread),
            false => (time_row(row, plan, setting.threads), setting.limit),
        };
        match timed {
            Ok((timing, pair)) => table.row(&Measured {
                name: &row.name,
                timing,
                flops: row.flops,
                limit,
                layout: pair.layout,
                difference: pair.difference,
            })?,
            Err(error) => {
                eprintln!("error: {}: {error}", row.name);
                failed += 1;
            }
        }
    }
    Ok(failed)
}

/// Times `row` on this thread's pool, which has `threads` threads.
fn time_row(row: &Row, plan: Plan, threads: usize) -> Result<(Timing, Pair), String> {
    // libtorch's number holds for the thread that sets it.
    tch::set_num_threads(threads as i32);
    let mut pair = (row.build)()?;
    let timing = pairs::alternate(plan, &mut pair.ours, &mut pair.libtorch);
    Ok((timing, pair))
}

fn plan(arguments: &Arguments) -> Plan {
    let (pairs, sample, budget) = match arguments.quick {
        true => (3, 10, 3),
        false => (15, 50, 60),
    };
    Plan {
        pairs: arguments.pairs.map_or(pairs, usize::from),
        sample: Duration::from_millis(sample),
        budget: Duration::from_secs(budget),
    }
}
