//! Builds the crate of an exercise and has it answer cases.

use super::grade::Ending;
use crate::{Error, Result};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a process is looked at.
const POLL: Duration = Duration::from_millis(10);

/// What cargo makes of a crate.
pub enum Built {
    /// The program that answers.
    Program(PathBuf),
    /// What the compiler has against it.
    Refused(String),
}

/// Builds the crate in `folder`, until `stop` says so; in a folder `target` of its own, for two exercises have programs
/// of the same name.
///
/// # Errors
/// Without cargo, and where `stop` has said so.
pub fn build(folder: &Path, stop: &dyn Fn() -> bool) -> Result<Built> {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--bin", "answer", "--quiet", "--offline", "--color=never", "--target-dir=target"])
        .arg("--message-format=json-render-diagnostics")
        // They would take the place of those in the crate's own .cargo/config.toml.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_RUSTFLAGS")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            let what = "isn't on the PATH; install Rust (https://rustup.rs), or open a shell that has it";
            Error::text("program", "cargo", what)
        }
        _ => Error::text("program", "cargo", error.to_string()),
    })?;
    // Read at once: a pipe that is full stops who writes to it.
    let messages = reader(child.stdout.take())?;
    let complaints = reader(child.stderr.take())?;
    let ended = wait(&mut child, None, stop)?;
    let (messages, complaints) = (joined(messages), joined(complaints));
    let executable = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    };
    match messages.lines().find_map(executable) {
        Some(program) if ended.is_some_and(|status| status.success()) => Ok(Built::Program(program)),
        // Of a build script that fails, what it said stands below this line.
        _ => Ok(Built::Refused(match complaints.split_once("--- stderr\n") {
            Some((_, said)) => said.to_string(),
            None => complaints,
        })),
    }
}

/// Has `program`, which runs in `folder`, answer the cases in the file `cases`, for `limit` and no longer.
///
/// # Errors
/// Where it can't be started, and where `stop` has said so.
pub fn run(
    program: &Path,
    folder: &Path,
    [cases, answers]: [&Path; 2],
    limit: Duration,
    stop: &dyn Fn() -> bool,
) -> Result<Ending> {
    let mut command = Command::new(program);
    command.args([cases, answers]).current_dir(folder).stdin(Stdio::null());
    // What it starts in turn can then be ended with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(Error::io(program))?;
    Ok(match wait(&mut child, Some(limit), stop)? {
        Some(status) => Ending::Exited(status.to_string()),
        None => Ending::TimeOut(limit.as_secs()),
    })
}

/// Waits for the end of `child`, and ends it when time is up, which gives nothing, or `stop` says so, which is an
/// error.
fn wait(
    child: &mut Child,
    limit: Option<Duration>,
    stop: &dyn Fn() -> bool,
) -> Result<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if !stop() => return Ok(Some(status)),
            Ok(None) if !stop() => {}
            Ok(_) => {
                end(child);
                return Err(Error::Interrupted("stopped; nothing was graded".into()));
            }
            Err(error) => {
                end(child);
                return Err(Error::text("program", "cargo", error.to_string()));
            }
        }
        if limit.is_some_and(|limit| start.elapsed() >= limit) {
            end(child);
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

/// Ends `child` and, where it leads a group of processes, all of them.
fn end(child: &mut Child) {
    #[cfg(unix)]
    #[allow(unsafe_code)] // the standard library ends one process, not a group
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: a call with two numbers. The child has not been waited for, so its number is nobody else's.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    // Without a group, or on another system. What has ended already can't be ended, which is as well.
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a pipe to its end.
fn reader(pipe: Option<impl Read + Send + 'static>) -> Result<JoinHandle<io::Result<String>>> {
    let read = move || {
        let mut bytes = Vec::new();
        pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let thread = std::thread::Builder::new().spawn(read);
    thread.map_err(Error::no_thread("to listen to cargo"))
}

/// What was read.
fn joined(reader: JoinHandle<io::Result<String>>) -> String {
    reader.join().ok().and_then(|read| read.ok()).unwrap_or_default()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn ended(command: &str, limit: Duration, stop: &dyn Fn() -> bool) -> Result<Option<i32>> {
        let mut command = Command::new(command);
        let mut child = command.arg("5").stdout(Stdio::null()).spawn().unwrap();
        Ok(wait(&mut child, Some(limit), stop)?.and_then(|status| status.code()))
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let start = Instant::now();
        assert_eq!(ended("echo", Duration::from_secs(60), &|| false).unwrap(), Some(0));
        assert_eq!(ended("sleep", Duration::from_millis(50), &|| false).unwrap(), None);
        let stopped = ended("sleep", Duration::from_secs(60), &|| true).unwrap_err();
        assert_eq!(stopped.exit_code(), crate::error::INTERRUPTED);
        assert!(start.elapsed() < Duration::from_secs(4), "nothing has slept for as long as it would");
    }
}
