//! Calls what was written with every case of one file, and writes what they give to another, which is what
//! `minimax exercise check` reads. Whatever that prints goes to the terminal.

mod call;
#[allow(dead_code, reason = "`minimax` itself uses all of it")]
mod text;

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

thread_local! {
    /// Where the last panic was, and its message.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

fn main() -> io::Result<()> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [cases, answers] = &paths[..] else {
        eprintln!("usage: answer CASES ANSWERS; `minimax exercise check .` calls it");
        std::process::exit(2);
    };
    // Should `minimax`, which waits for half as long, be gone.
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(60));
        std::process::exit(3)
    });
    let cases = text::parse(&fs::read_to_string(cases)?).map_err(io::Error::other)?;
    let mut answers = File::create(answers)?;
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or("?".into(), |place| format!("{}:{}", place.file(), place.line()));
        let payload = panic.payload();
        let message = payload.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        PANIC.set(format!("{place} {}", message.replace('\n', " ")));
    }));
    for case in &cases {
        writeln!(answers, "case {}", case.name)?;
        for (name, function) in call::FUNCTIONS {
            // Before the call, so that one that never returns is known.
            writeln!(answers, "call {name}")?;
            match catch_unwind(AssertUnwindSafe(|| function(case))) {
                Ok(results) => {
                    for (name, values) in results {
                        writeln!(answers, "found {name}{}", text::numbers(&values))?;
                    }
                }
                Err(_) => writeln!(answers, "panic {}", PANIC.take())?,
            }
        }
    }
    writeln!(answers, "end")
}
