//! Threads that stay awake from op to op.
//!
//! A thread of the pool that finds no task for about 20 µs goes to sleep, and to wake it takes as long again:
//! longer than many an op of a small network takes. Over a training step, in which one op follows another,
//! threads had better keep looking.

use rayon::{Yield, yield_now};
use std::sync::atomic::{AtomicBool, Ordering};

/// `work`, while the other threads of the current pool look for its tasks and don't fall asleep. Where
/// there are more programs than cores they give way to them.
pub fn awake<R>(work: impl FnOnce() -> R) -> R {
    let done = AtomicBool::new(false);
    let caller = rayon::current_thread_index();
    rayon::in_place_scope(|scope| {
        scope.spawn_broadcast(|_, thread| {
            // A caller of the pool comes here only while it waits for others, who may wait for it.
            if Some(thread.index()) == caller {
                return;
            }
            while !done.load(Ordering::Relaxed) {
                if yield_now() != Some(Yield::Executed) {
                    std::thread::yield_now();
                }
            }
        });
        let _let_go = SetOnDrop(&done);
        work()
    })
}

/// Sets what it holds even if the work panics, or nobody would ever be let go.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn work_is_done_and_threads_let_go_whoever_calls() {
        let sum = || awake(|| (0..1000).into_par_iter().with_max_len(1).sum::<usize>());
        assert_eq!(sum(), 499_500);
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            assert_eq!(pool.install(sum), 499_500);
            let panic = || pool.install(|| awake(|| panic!("of the work")));
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panic));
            assert!(panicked.is_err());
            assert_eq!(pool.install(|| awake(|| awake(|| 1))), 1);
        }
    }
}
