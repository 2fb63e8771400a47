//! Threads that stay awake from op to op.
//!
//! A thread of the pool that finds no task for about 20 µs goes to sleep, and waking it takes as long again, which is
//! longer than many ops of a small network take. In a training step, where one op follows another, it is better if
//! threads keep looking for tasks.

use rayon::{Yield, yield_now};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread looks for tasks. A thread that waits for its share of one step may find itself looking
/// on behalf of another, and the other way round: without an end the two would wait for each other for good.
/// Steps that last longer have ops that do, too.
const AT_MOST: Duration = Duration::from_millis(100);

/// `work`, while the other threads of the current pool look for its tasks and don't fall asleep, for a tenth
/// of a second at most. Each takes a core's time meanwhile, though where there are more programs than cores
/// they give way.
pub fn awake<R>(work: impl FnOnce() -> R) -> R {
    let done = AtomicBool::new(false);
    let until = Instant::now() + AT_MOST;
    let caller = rayon::current_thread_index();
    rayon::in_place_scope(|scope| {
        scope.spawn_broadcast(|_, thread| {
            // A caller of the pool comes here only while it waits for others, who may wait for it.
            if Some(thread.index()) == caller {
                return;
            }
            while !done.load(Ordering::Relaxed) && Instant::now() < until {
                if yield_now() != Some(Yield::Executed) {
                    std::thread::yield_now();
                }
            }
        });
        let _let_go = SetOnDrop(&done);
        work()
    })
}

/// Sets its flag when it is dropped, even if the work panics; otherwise the other threads would wait forever.
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
    use std::sync::mpsc::channel;

    fn pool(threads: usize) -> rayon::ThreadPool {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap()
    }

    fn sum() -> usize {
        awake(|| (0..1000).into_par_iter().with_max_len(1).sum())
    }

    #[test]
    fn work_is_done_and_threads_let_go_whoever_calls() {
        assert_eq!(sum(), 499_500);
        for threads in [1, 2, 5] {
            let pool = pool(threads);
            assert_eq!(pool.install(sum), 499_500);
            let panic = || pool.install(|| awake(|| panic!("of the work")));
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panic));
            assert!(panicked.is_err());
            assert_eq!(pool.install(|| awake(|| awake(|| 1))), 1);
        }
    }

    #[test]
    fn two_callers_in_one_pool_do_not_wait_for_each_other_for_good() {
        let (sender, finished) = channel();
        std::thread::spawn(move || {
            let go = || {
                std::thread::sleep(Duration::from_millis(1));
                (0..5).for_each(|_| assert_eq!(sum(), 499_500));
            };
            let pool = pool(4);
            for _ in 0..100 {
                pool.install(|| rayon::join(go, go));
            }
            sender.send(()).unwrap();
        });
        let patience = Duration::from_secs(100);
        finished.recv_timeout(patience).expect("a deadlock");
    }
}
