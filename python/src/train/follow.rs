//! Training on a thread of the pool, while the thread that called it hears of each epoch and of Ctrl-C.
//!
//! Only Python's main thread hears of a signal, and a callback should find itself where it was handed over; the kernels are
//! fastest when they are called from within the pool. So the two are different threads, and training waits for the callback.

use super::epoch::Epoch;
use crate::errors::guarded;
use minimax::run::{Outcome, Progress, Run};
use minimax::unwind::catch;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread::sleep;
use std::time::Duration;

/// How often it is asked whether there was a Ctrl-C.
const LISTENING: Duration = Duration::from_millis(50);

/// How long training sleeps between two looks at whether the callback is done.
const WAITING: Duration = Duration::from_micros(200);

/// Trains `run` until `last` steps are done, or something stops it: `callback`, which is called at the end of each epoch
/// and of training, by returning `False` or raising an exception, or Ctrl-C. The last two are raised once all is saved.
pub fn follow(py: Python, run: &mut Run, last: u64, callback: Option<Bound<PyAny>>) -> PyResult<Outcome> {
    let callback = callback.map(Bound::unbind);
    let stop = AtomicBool::new(false);
    let mut raised = None;
    let outcome = py.detach(|| {
        guarded(|| {
            let mut outcome = None;
            rayon::in_place_scope(|scope| {
                let (tell, told) = channel();
                let (answer, answers) = channel();
                let (stop, outcome) = (&stop, &mut outcome);
                scope.spawn(move |_| {
                    let mut watch = move |progress: &Progress| {
                        if progress.ends_epoch || progress.step == last {
                            let _ = tell.send(Epoch::new(progress));
                            wait(&answers);
                        }
                    };
                    *outcome = Some(catch(|| run.train(last, &|| stop.load(Ordering::Relaxed), &mut watch)));
                });
                loop {
                    let epoch = match told.recv_timeout(LISTENING) {
                        Ok(epoch) => Some(epoch),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => break,
                    };
                    match Python::attach(|py| hear(py, epoch.as_ref(), callback.as_ref())) {
                        Ok(true) => {}
                        Ok(false) => stop.store(true, Ordering::Relaxed),
                        Err(error) => {
                            stop.store(true, Ordering::Relaxed);
                            raised.get_or_insert(error);
                        }
                    }
                    if epoch.is_some() {
                        let _ = answer.send(());
                    }
                }
            });
            outcome.expect("the scope ends when training has")
        })
    });
    match raised {
        Some(error) => Err(error),
        None => outcome,
    }
}

/// Waits until the callback is done. It may compute, and this thread may be the pool's only one: so it works meanwhile.
fn wait(answers: &Receiver<()>) {
    while let Err(TryRecvError::Empty) = answers.try_recv() {
        if rayon::yield_now() != Some(rayon::Yield::Executed) {
            sleep(WAITING);
        }
    }
}

/// Whether to go on, after `epoch` if one has ended.
fn hear(py: Python, epoch: Option<&Epoch>, callback: Option<&Py<PyAny>>) -> PyResult<bool> {
    py.check_signals()?;
    let (Some(epoch), Some(callback)) = (epoch, callback) else {
        return Ok(true);
    };
    let answer = callback.bind(py).call1((epoch.to_dict(py)?,))?;
    Ok(answer.extract::<bool>().unwrap_or(true))
}
