//! minimax on a CUDA device, row by row, as lines of JSON: our side of compare.py, which holds it to PyTorch.
//!
//! `cargo bench --bench cuda -- --rows '^step'` prints what some rows take; compare.py starts this program with `--serve`
//! and asks it row by row, in turn with the other side. timing.rs says how a row is timed, the others what is.

#[path = "../common/mod.rs"]
mod common;
mod layers;
mod rows;
mod timing;
mod training;

use clap::Parser;
use minimax::cuda::{catch, open};
use minimax::{Error, Result};
use regex::Regex;
use rows::Row;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::io::{BufRead, Write};
use std::process::ExitCode;
use timing::{How, Subject};

/// Times minimax on a CUDA device.
#[derive(Parser)]
struct Arguments {
    /// Only the rows whose name matches this regular expression
    #[arg(long, value_name = "REGEX", default_value = "")]
    rows: Regex,
    /// Small sizes, to try it all out
    #[arg(long)]
    quick: bool,
    /// Seconds for a timing
    #[arg(long, value_name = "S", default_value_t = 0.2)]
    seconds: f64,
    /// Print what the rows are, each as JSON, and end
    #[arg(long)]
    list: bool,
    /// Read what is to be timed from standard input, a line of JSON each: row, precision, how, seconds
    #[arg(long)]
    serve: bool,
    /// What cargo bench adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is to be timed.
#[derive(Clone, Deserialize, PartialEq)]
struct Request {
    row: String,
    precision: Precision,
    how: How,
    seconds: f64,
}

/// What products are computed with.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Precision {
    F32,
    Tf32,
}

impl Precision {
    fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Tf32 => "tf32",
        }
    }
}

fn main() -> ExitCode {
    minimax::cuda::emulator::start_if_named();
    let arguments = Arguments::parse();
    let rows = rows::all(arguments.quick);
    let rows: Vec<Row> = rows.into_iter().filter(|row| arguments.rows.is_match(&row.name)).collect();
    let done = match (arguments.list, arguments.serve) {
        (true, _) => {
            rows.iter().for_each(|row| println!("{}", row.described()));
            Ok(())
        }
        // On a thread of the pool, as training runs.
        (false, true) => rayon::scope(|_| serve(&rows)),
        (false, false) => rayon::scope(|_| each(&rows, arguments.seconds)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Times every row in every way that it has.
fn each(rows: &[Row], seconds: f64) -> Result<()> {
    let mut bench = Bench::new()?;
    for row in rows {
        for precision in [Precision::F32, Precision::Tf32] {
            for how in [How::Launches, How::Graph] {
                if row.precisions.contains(&precision.name()) && row.ways.contains(&how) {
                    let request = Request { row: row.name.clone(), precision, how, seconds };
                    println!("{}", bench.answer(rows, &request));
                }
            }
        }
    }
    Ok(())
}

/// Answers requests until there are no more.
fn serve(rows: &[Row]) -> Result<()> {
    let mut bench = Bench::new()?;
    let context = open(0)?;
    #[expect(clippy::disallowed_methods, reason = "answers are JSON for a program")]
    let say = |answer: Value| {
        println!("{answer}");
        std::io::stdout().flush().map_err(Error::io("standard output"))
    };
    say(json!({"device": context.name()}))?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(Error::io("standard input"))?;
        say(match serde_json::from_str::<Request>(&line) {
            Ok(request) => bench.answer(rows, &request),
            Err(error) => json!({"error": format!("{line}: {error}")}),
        })?;
    }
    Ok(())
}

/// The subjects of the latest row, which the next request may be about again.
struct Bench {
    row: String,
    subjects: Vec<(Precision, How, Subject)>,
}

impl Bench {
    fn new() -> Result<Bench> {
        open(0)?;
        Ok(Bench { row: String::new(), subjects: Vec::new() })
    }

    fn answer(&mut self, rows: &[Row], request: &Request) -> Value {
        let how = json!(request.how);
        let mut answer = json!({
            "row": request.row, "side": "ours", "precision": request.precision.name(), "how": how,
        });
        let told = match self.timed(rows, request) {
            Ok(figures) => figures,
            Err(error) => Map::from_iter([("error".to_string(), json!(error.to_string()))]),
        };
        answer.as_object_mut().expect("it has just been made one").extend(told);
        answer
    }

    fn timed(&mut self, rows: &[Row], request: &Request) -> Result<Map<String, Value>> {
        let context = open(0)?;
        if self.row != request.row {
            self.subjects.clear();
            self.row.clone_from(&request.row);
            context.release();
        }
        context.set_tf32(request.precision == Precision::Tf32);
        let Request { precision, how, seconds, .. } = *request;
        let made = |subject: &&mut (Precision, How, Subject)| (subject.0, subject.1) == (precision, how);
        catch(|| {
            if let Some((.., subject)) = self.subjects.iter_mut().find(|s| made(s)) {
                return Ok(subject.time(context, seconds));
            }
            let row = rows.iter().find(|row| row.name == request.row);
            let row = row.ok_or_else(|| Error::Usage(format!("no row {}", request.row)))?;
            let mut subject = (row.build)(how)?;
            subject.warm_up(context);
            let figures = subject.time(context, seconds);
            self.subjects.push((precision, how, subject));
            Ok(figures)
        })
    }
}
