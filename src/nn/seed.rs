//! Where layers draw their first weights from, unless a [`Random`] is given: a stream of numbers for each thread, so that
//! nothing depends on what other threads do.

use crate::random::{Purpose, Random};
use std::cell::RefCell;

thread_local! {
    static WEIGHTS: RefCell<Random> = RefCell::new(Random::new(0, Purpose::INITIAL));
}

/// Sets the seed of the weights of all layers that are made on this thread from now on. Until it is called the seed is 0, so
/// that a program draws the same weights each time it runs.
///
/// ```
/// use minimax::nn::{Dense, Layer, seed};
///
/// seed(7);
/// let first = Dense::new(3, 2).parameters()[0].to_f32();
/// seed(7);
/// assert_eq!(Dense::new(3, 2).parameters()[0].to_f32(), first);
/// ```
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
    use crate::nn::{Conv2d, Convolution, Dense, Initializer, Layer, PaddingRule};
    use crate::storage::Device;

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

    /// A layer draws its kernel when it is asked for it, from numbers that were set aside when it was made; by an initialiser it
    /// draws once.
    #[test]
    fn kernels_are_those_that_would_be_drawn_one_after_the_other() {
        let mut random = Random::new(3, Purpose::INITIAL);
        let attributes = Convolution { padding: PaddingRule::Valid, ..Convolution::new(4, [3, 3]) };
        let first = Conv2d::from_random(2, &attributes, Initializer::default(), &mut random, Device::Cpu);
        random.reserve(10);
        let second = Dense::from_random(5, 2, true, Initializer::HeNormal, &mut random, Device::Cpu);
        let third = Dense::from_random(5, 2, true, Initializer::default(), &mut random, Device::Cpu);
        let kernel = |layer: &dyn Layer| layer.parameters()[0].to_f32();
        let expected = [kernel(&first), kernel(&second), kernel(&third)];

        seed(3);
        let first = Conv2d::new(2, 4, 3);
        let second = Dense::new(5, 2).initializer(Initializer::HeNormal);
        let third = Dense::new(5, 2);
        seed(4);
        let found = [kernel(&third), kernel(&second), kernel(&first)];
        assert!(found.iter().eq(expected.iter().rev()));
    }

    #[test]
    fn groups_may_come_before_an_initialiser_or_after_it() {
        let zeros = Initializer::Zeros;
        for layer in
            [Conv2d::new(4, 8, 3).groups(2).initializer(zeros), Conv2d::new(4, 8, 3).initializer(zeros).groups(2)]
        {
            let kernel = layer.parameters()[0];
            assert_eq!((kernel.dims(), kernel.to_f32()), (&[3, 3, 2, 8][..], vec![0.0; 144]));
        }
        assert!(Conv2d::new(4, 8, 3).groups(2).parameters()[0].to_f32().iter().all(|w| *w != 0.0));
    }

    #[test]
    #[should_panic(expected = "set the groups before that")]
    fn groups_after_spectral_normalisation_are_refused_where_they_are_set() {
        let mut random = Random::new(0, Purpose::INITIAL);
        let _ = Conv2d::new(4, 8, 3).spectrally_normalised(&mut random).groups(2);
    }
}
