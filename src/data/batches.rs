//! Training batches in a new random order every epoch: batch `step` is a pure function of (seed, step),
//! so that a resumed run needs no more than its step number.

use super::Images;
use crate::random::{Purpose, Random};
use std::sync::Arc;

/// The batches of a data set.
pub struct Batches {
    images: Arc<Images>,
    batch_size: usize,
    seed: u64,
    /// The epoch whose order is at hand, and that order.
    epoch: u64,
    order: Vec<u32>,
    batch: Vec<u8>,
}

impl Batches {
    /// Batches of `batch_size` images. The last images of an epoch's order, too few for a batch, are
    /// left out of that epoch.
    ///
    /// # Errors
    /// Where `batch_size` is 0 or larger than the set: the recipe's key and the mend, for
    /// [`Error::recipe`](crate::Error::recipe).
    pub fn new(images: Arc<Images>, batch_size: usize, seed: u64) -> Result<Batches, String> {
        let count = images.len();
        if batch_size == 0 || batch_size > count {
            return Err(format!(
                "training.batch_size = {batch_size} but the data set has {count} images; \
                 choose from 1 to {count}"
            ));
        }
        Ok(Batches {
            order: order(seed, 0, count),
            batch: Vec::with_capacity(batch_size * images.image_len()),
            images,
            batch_size,
            seed,
            epoch: 0,
        })
    }

    /// The data set.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// How many batches an epoch has, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        (self.images.len() / self.batch_size) as u64
    }

    /// The bytes of batch `step`, counted from 0 over all epochs:
    /// `[batch_size, height, width, channels]`.
    pub fn batch(&mut self, step: u64) -> &[u8] {
        let epoch = step / self.steps_per_epoch();
        if epoch != self.epoch {
            self.order = order(self.seed, epoch, self.images.len());
            self.epoch = epoch;
        }
        let start = (step % self.steps_per_epoch()) as usize * self.batch_size;
        self.batch.clear();
        for &index in &self.order[start..start + self.batch_size] {
            self.batch.extend(self.images.image(index as usize));
        }
        &self.batch
    }
}

/// The order of `count` images in `epoch`; each epoch has its own stretch of the stream.
fn order(seed: u64, epoch: u64, count: usize) -> Vec<u32> {
    let mut random = Random::new(seed, Purpose::Shuffle);
    random.reserve((epoch as usize).wrapping_mul(count.next_multiple_of(4)));
    random.permutation(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` images of 1x1x2 whose bytes are their number.
    fn numbered(count: usize) -> Arc<Images> {
        Arc::new(Images {
            height: 1,
            width: 1,
            channels: 2,
            pixels: (0..count).flat_map(|i| [i as u8, i as u8]).collect(),
            labels: Vec::new(),
        })
    }

    #[test]
    fn a_batch_depends_on_seed_and_step_alone() {
        let mut forward = Batches::new(numbered(50), 8, 3).unwrap();
        let steps: Vec<Vec<u8>> = (0..30).map(|step| forward.batch(step).to_vec()).collect();
        let mut backward = Batches::new(numbered(50), 8, 3).unwrap();
        for step in (0..30).rev() {
            assert_eq!(backward.batch(step), steps[step as usize], "step {step}");
        }
        let mut other = Batches::new(numbered(50), 8, 4).unwrap();
        assert_ne!(other.batch(0), steps[0]);
    }

    #[test]
    fn an_epoch_shows_each_image_once_and_each_epoch_has_its_own_order() {
        let mut batches = Batches::new(numbered(50), 8, 0).unwrap();
        assert_eq!(batches.steps_per_epoch(), 6);
        let mut epochs = Vec::new();
        for epoch in 0..3 {
            let mut seen = Vec::new();
            for step in 0..6 {
                let batch = batches.batch(epoch * 6 + step);
                assert!(batch.chunks(2).all(|image| image[0] == image[1]));
                seen.extend(batch.iter().step_by(2).copied());
            }
            epochs.push(seen.clone());
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 48);
        }
        assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
    }

    #[test]
    fn the_whole_set_is_one_batch_and_no_more_than_that() {
        assert_eq!(
            Batches::new(numbered(50), 50, 0).unwrap().steps_per_epoch(),
            1
        );
        for size in [0, 51] {
            let what = Batches::new(numbered(50), size, 0).err().unwrap();
            let key = format!("training.batch_size = {size} ");
            assert!(
                what.starts_with(&key) && what.contains("from 1 to 50"),
                "{what}"
            );
        }
    }

    #[test]
    fn the_last_step_there_can_be_does_not_panic() {
        let mut batches = Batches::new(numbered(7), 2, 0).unwrap();
        assert_eq!(batches.batch(u64::MAX).len(), 4);
    }
}
