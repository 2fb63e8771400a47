//! Where layers draw their first weights from, unless a [`Random`] is given: a stream of numbers for each thread, so that
//! nothing depends on what other threads do.

use crate::random::{Purpose, Random};
use std::cell::RefCell;

thread_local! {
    static WEIGHTS: RefCell<Random> = RefCell::new(Random::new(0, Purpose::INITIAL));
}

/// Has the layers that are made on this thread from now on draw their weights as `seed` has it. Until this is called the
/// seed is 0, so that a program draws the same weights each time it runs.
pub fn seed(seed: u64) {
    WEIGHTS.set(Random::new(seed, Purpose::INITIAL));
}

/// What `draw` makes of this thread's next numbers.
pub(super) fn drawn<T>(draw: impl FnOnce(&mut Random) -> T) -> T {
    WEIGHTS.with_borrow_mut(draw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Dense, Layer};

    #[test]
    fn a_seed_gives_the_same_weights_again_and_layers_differ() {
        let kernel = || Dense::new(3, 2).parameters()[0].to_f32();
        let two = |number| {
            seed(number);
            [kernel(), kernel()]
        };
        let first = two(5);
        assert_ne!(first[0], first[1]);
        assert_eq!(two(5), first);
        assert_ne!(two(6), first);
    }
}
