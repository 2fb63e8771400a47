//! Running the command as a user would.
#![allow(dead_code, reason = "a test file uses what it needs of it")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// `minimax` with these arguments, separated by spaces, in `folder`.
pub fn minimax(folder: &Path, arguments: &str) -> Command {
    command(env!("CARGO_BIN_EXE_minimax"), folder, arguments)
}

/// `program` with these arguments, separated by spaces, in `folder`.
pub fn command(program: &str, folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments.split(' ').filter(|argument| !argument.is_empty()))
        .current_dir(folder)
        // Servers of a test's own are not behind anybody's proxy.
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null());
    #[cfg(unix)]
    hear_signals(&mut command);
    command
}

/// A script's `&` starts these tests with Ctrl-C ignored, which what they start would inherit.
#[cfg(unix)]
fn hear_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let default = || {
        for signal in [libc::SIGINT, libc::SIGHUP] {
            #[allow(unsafe_code, reason = "no other way to say it")]
            // SAFETY: the default action is no function that could be wrong.
            unsafe {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        Ok(())
    };
    #[allow(unsafe_code, reason = "runs between fork and exec")]
    // SAFETY: `signal` may be called there, and nothing else is.
    unsafe {
        command.pre_exec(default);
    }
}

/// Runs it to a success and gives what it printed.
#[track_caller]
pub fn succeed(folder: &Path, arguments: &str) -> String {
    let output = minimax(folder, arguments).output().expect("minimax starts");
    assert!(output.status.success(), "minimax {arguments}: {}", said(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs it to a failure with exit code `code` and gives the one line it said.
#[track_caller]
pub fn fail(folder: &Path, arguments: &str, code: i32) -> String {
    let output = minimax(folder, arguments).output().expect("minimax starts");
    assert_eq!(output.status.code(), Some(code), "minimax {arguments}: {}", said(&output));
    one_line(&output)
}

/// What it said on the standard error, which must be one line.
#[track_caller]
pub fn one_line(output: &Output) -> String {
    let line = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert!(line.starts_with("error: ") && line.trim_end().lines().count() == 1, "{line:?}");
    line
}

fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The bytes of a file of a run.
#[track_caller]
pub fn read(folder: &Path, file: &str) -> Vec<u8> {
    let path = folder.join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The step of the last whole row of a log that may still be growing.
pub fn logged_steps(folder: &Path) -> u64 {
    let log = std::fs::read_to_string(folder.join("log.csv")).unwrap_or_default();
    let whole = log.split_inclusive('\n').filter(|row| row.ends_with('\n'));
    let mut rows = whole.filter_map(|row| row.split(',').next()?.parse().ok());
    rows.next_back().unwrap_or(0)
}

/// Waits up to two minutes for what another process is about to do.
#[track_caller]
pub fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
