//! Ctrl-C, SIGTERM and SIGHUP: the first asks for a clean stop, a second one ends the process at once; where there is
//! nothing to save, the first does. One that the process was started to ignore stays ignored.

use super::{bar, signals};
use crate::error::INTERRUPTED;
use crate::{Error, Result};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// How long the end of the process waits for the terminal.
const CLEARING: Duration = Duration::from_millis(500);

/// From now on, says whether a stop has been asked for.
///
/// # Errors
/// If the system refuses the handler.
pub fn watch() -> Result<impl Fn() -> bool> {
    let asked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&asked);
    on_stop(move || {
        if seen.swap(true, Ordering::Relaxed) {
            end();
        }
    })?;
    Ok(move || asked.load(Ordering::Relaxed))
}

/// From now on the first signal ends the process at once: for work that leaves nothing half done except a bar on the
/// terminal.
///
/// # Errors
/// As [`watch`].
pub fn end_at_once() -> Result<()> {
    on_stop(end)
}

/// Calls `handler` at each of the signals that isn't ignored.
fn on_stop(handler: impl FnMut() + 'static + Send) -> Result<()> {
    let ignored = signals::ignored_stops();
    ctrlc::set_handler(handler).map_err(|error| match error {
        ctrlc::Error::System(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Error::no_thread("to listen for Ctrl-C")(error)
        }
        other => Error::Usage(format!("Ctrl-C can't be caught: {other}")),
    })?;
    signals::ignore(&ignored);
    Ok(())
}

fn end() {
    clear_bar();
    std::process::exit(i32::from(INTERRUPTED));
}

/// Removes the bar from the terminal, unless the terminal is paused and takes no output.
fn clear_bar() {
    let (sender, receiver) = mpsc::channel();
    let clear = move || {
        bar::clear();
        let _ = sender.send(());
    };
    if std::thread::Builder::new().spawn(clear).is_ok() {
        let _ = receiver.recv_timeout(CLEARING);
    }
}

/// From now on, says whether the standard input has ended, which means that the program that started this one is gone,
/// or wants it to stop.
///
/// # Errors
/// If the system gives no thread to listen with.
pub fn end_of_input() -> Result<impl Fn() -> bool> {
    let ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    let listen = move || {
        // An input that can't be read counts as ended too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        seen.store(true, Ordering::Relaxed);
    };
    let thread = std::thread::Builder::new().spawn(listen);
    thread.map_err(Error::no_thread("to listen to the standard input"))?;
    Ok(move || ended.load(Ordering::Relaxed))
}
