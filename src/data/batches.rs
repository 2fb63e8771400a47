//! Training batches, in a new random order for every epoch. Batch `step` is a pure function of (seed, step), so that a
//! resumed run needs to know only its step number.
//!
//! Batches are made ahead on a thread of their own, so that a training loop finds the next one ready:
//!
//! ```text
//! training loop                      prefetcher
//!   batch(step)  <- step, step + 1, ...  fills the next ones, at most AHEAD of them
//!   done with it ->    used buffers      fills them again
//! ```

use super::flip::{Flips, push_mirrored};
use super::{Images, balanced, pixels};
use crate::random::{Purpose, Random};
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How many batches are made ahead. There are a few, so that not even the time that drawing an epoch's order takes
/// delays training.
const AHEAD: usize = 4;

/// What happens to the last images of an epoch if they are too few for a whole batch.
///
/// ```
/// use minimax::data::LastBatch;
///
/// assert_eq!((LastBatch::Drop.batches(100, 32), LastBatch::Keep.batches(100, 32)), (3, 4));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastBatch {
    /// They are left out of that epoch.
    #[default]
    Drop,
    /// They make a smaller batch.
    Keep,
}

impl LastBatch {
    /// How many batches of `batch_size` images an epoch of `count` has.
    pub fn batches(self, count: usize, batch_size: usize) -> usize {
        match self {
            LastBatch::Drop => count / batch_size,
            LastBatch::Keep => count.div_ceil(batch_size),
        }
    }
}

/// A batch: images, and the class of each where the set has labels.
///
/// ```
/// use minimax::data::{Batches, LastBatch, digits};
/// use minimax::Device;
///
/// let mut batches = Batches::new(digits::render(100, 1).into(), 32, 1, LastBatch::Drop);
/// let batch = batches.batch(0)?;
/// assert_eq!(batch.to_images([0.0, 1.0], Device::Cpu).dims(), [32, 28, 28, 1]);
/// assert_eq!(batch.to_labels(Device::Cpu).one_hot(10).dims(), [32, 10]);
/// # Ok::<(), minimax::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// `[height, width, channels]` of an image.
    pub size: [usize; 3],
    /// `[batch_size, height, width, channels]`, or fewer images in an epoch's last batch where that is kept.
    pub pixels: &'a [u8],
    /// The class of each image, or empty where the set has no labels.
    pub labels: &'a [u16],
}

impl Batch<'_> {
    /// How many images it has.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.size.iter().product::<usize>()
    }

    /// Whether it has no images.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// The images as a tensor `[n, height, width, channels]`, with black at the lower and white at the upper end of
    /// `range`.
    pub fn to_images(&self, range: [f64; 2], device: Device) -> Tensor {
        let [h, w, c] = self.size;
        pixels::to_tensor(self.pixels, [self.len(), h, w, c].into(), range, device)
    }

    /// The class of each image as a tensor `[n]`.
    ///
    /// # Panics
    /// If the set has no labels.
    #[track_caller]
    pub fn to_labels(&self, device: Device) -> Tensor {
        assert!(self.labels.len() == self.len(), "to_labels: {} labels of {} images", self.labels.len(), self.len());
        let labels: Vec<f32> = self.labels.iter().map(|&label| f32::from(label)).collect();
        Tensor::from_f32(&labels, [labels.len()], device)
    }
}

/// The memory of a batch, which is used again.
#[derive(Default)]
struct Buffers {
    pixels: Vec<u8>,
    labels: Vec<u16>,
}

/// The batches of a data set.
///
/// ```
/// use minimax::data::{Batches, LastBatch, digits};
///
/// let mut batches = Batches::new(digits::render(100, 1).into(), 32, 7, LastBatch::Keep);
/// assert_eq!(batches.steps_per_epoch(), 4);
/// for step in 0..2 * batches.steps_per_epoch() {
///     let batch = batches.batch(step)?;
///     assert_eq!(batch.len(), if step % 4 == 3 { 4 } else { 32 });
/// }
/// # Ok::<(), minimax::Error>(())
/// ```
pub struct Batches {
    cut: Cut,
    /// The batch that was asked for last.
    batch: Buffers,
    /// The prefetcher, and the step whose batch it gives next. It starts when the first batch is asked for.
    prefetcher: Option<(u64, Prefetcher)>,
    waited: Duration,
}

impl Batches {
    /// Batches of `batch_size` images in an order that depends on `seed`.
    ///
    /// # Panics
    /// If `batch_size` is 0 or larger than the set.
    pub fn new(images: Arc<Images>, batch_size: usize, seed: u64, last: LastBatch) -> Batches {
        Batches::in_order_of(images, batch_size, seed, last, Purpose::SHUFFLE)
    }

    /// As [`Batches::new`], in an order from the random numbers of `purpose`: for a second set of batches in the same
    /// run.
    ///
    /// # Panics
    /// As [`Batches::new`].
    pub fn in_order_of(
        images: Arc<Images>,
        batch_size: usize,
        seed: u64,
        last: LastBatch,
        purpose: Purpose,
    ) -> Batches {
        let count = images.len();
        assert!((1..=count).contains(&batch_size), "Batches: {batch_size} of {count} images");
        let steps_per_epoch = last.batches(count, batch_size) as u64;
        Batches {
            cut: Cut { images, batch_size, seed, purpose, steps_per_epoch, is_balanced: false, flips: false },
            batch: Buffers::default(),
            prefetcher: None,
            waited: Duration::ZERO,
        }
    }

    /// With `balanced`, the same batches with each class equally often. An epoch stays as long, so that images of small
    /// classes come several times and some images of large ones don't come at all.
    ///
    /// # Panics
    /// If `balanced` is true and the set has no labels.
    pub fn balanced(mut self, balanced: bool) -> Batches {
        assert!(!balanced || !self.cut.images.labels.is_empty(), "Batches: no labels to balance");
        self.cut.is_balanced = balanced;
        self
    }

    /// With `flips`, the same batches with each image mirrored left to right, with a probability of one half in each
    /// epoch.
    pub fn flipped(mut self, flips: bool) -> Batches {
        self.cut.flips = flips;
        self
    }

    /// The data set.
    pub fn images(&self) -> &Images {
        &self.cut.images
    }

    /// How many batches an epoch has, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        self.cut.steps_per_epoch
    }

    /// The total time that [`batch`](Batches::batch) has waited, for the first batch and for any later one that wasn't
    /// ready.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Batch `step`, counted from 0 over all epochs.
    ///
    /// It is best to ask for steps one after another, as the prefetcher starts anew after any other step.
    ///
    /// # Errors
    /// If the system can't start the prefetcher's thread.
    pub fn batch(&mut self, step: u64) -> Result<Batch<'_>> {
        let used = std::mem::take(&mut self.batch);
        let prefetcher = match self.prefetcher.take() {
            Some((next, prefetcher)) if next == step => prefetcher,
            _ => Prefetcher::start(self.cut.clone(), step)?,
        };
        self.batch = prefetcher.next(used, &mut self.waited);
        // No step comes after the largest number.
        self.prefetcher = step.checked_add(1).map(|next| (next, prefetcher));
        Ok(Batch { size: self.images().size(), pixels: &self.batch.pixels, labels: &self.batch.labels })
    }
}

/// How batches are cut from a set.
#[derive(Clone)]
struct Cut {
    images: Arc<Images>,
    batch_size: usize,
    seed: u64,
    purpose: Purpose,
    steps_per_epoch: u64,
    is_balanced: bool,
    flips: bool,
}

impl Cut {
    /// The order of the images in `epoch`; each epoch has its own stretch of the stream.
    fn order(&self, epoch: u64) -> Vec<u32> {
        if self.is_balanced {
            return balanced::order(&self.images.labels, Random::new(self.seed, self.purpose), epoch);
        }
        let count = self.images.len();
        let mut random = Random::new(self.seed, self.purpose);
        random.reserve((epoch as usize).wrapping_mul(count.next_multiple_of(4)));
        random.permutation(count)
    }

    /// Fills `batch` with the batch at `place` in `epoch`, which has this `order`.
    fn fill(&self, epoch: u64, order: &[u32], place: usize, batch: &mut Buffers) {
        let first = place * self.batch_size;
        let places = &order[first..order.len().min(first + self.batch_size)];
        let (images, Buffers { pixels, labels }) = (&self.images, batch);
        let flips = self.flips.then(|| Flips::of_epoch(self.seed, epoch, order.len()));
        pixels.clear();
        for (place, &index) in (first..).zip(places) {
            let image = images.image(index as usize);
            match flips {
                Some(flips) if flips.at(place) => push_mirrored(image, [images.width, images.channels], pixels),
                _ => pixels.extend(image),
            }
        }
        labels.clear();
        if !images.labels.is_empty() {
            labels.extend(places.iter().map(|&index| images.labels[index as usize]));
        }
    }
}

/// The ends of the channels to the thread that makes batches ahead. The thread ends once they are dropped.
struct Prefetcher {
    batches: Receiver<Buffers>,
    used: Sender<Buffers>,
}

impl Prefetcher {
    /// Starts making the batches of steps `first`, `first` + 1, ...
    fn start(cut: Cut, first: u64) -> Result<Prefetcher> {
        let (made, batches) = sync_channel(AHEAD);
        let (used, reuse) = channel::<Buffers>();
        let work = move || {
            let mut epoch = first / cut.steps_per_epoch;
            let mut order = cut.order(epoch);
            for step in first..=u64::MAX {
                if step / cut.steps_per_epoch != epoch {
                    epoch += 1;
                    order = cut.order(epoch);
                }
                let mut batch = reuse.try_recv().unwrap_or_default();
                let place = (step % cut.steps_per_epoch) as usize;
                cut.fill(epoch, &order, place, &mut batch);
                if made.send(batch).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().spawn(work);
        thread.map_err(Error::no_thread("to make batches"))?;
        Ok(Prefetcher { batches, used })
    }

    /// The next batch, in exchange for the one that was `used` before. The time spent waiting is added to `waited`.
    fn next(&self, used: Buffers, waited: &mut Duration) -> Buffers {
        // Sent before the next batch is taken, so that the thread has it as soon as there is room for another. The send
        // fails only after the very last step, when the thread is gone and needs no buffer.
        let _ = self.used.send(used);
        self.batches.try_recv().unwrap_or_else(|_| {
            let start = Instant::now();
            let batch = self.batches.recv();
            *waited += start.elapsed();
            batch.expect("the thread goes on until nobody listens")
        })
    }
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
            labels: (0..count).map(|i| i as u16 + 100).collect(),
        })
    }

    /// Batches of 8 out of 50 images.
    fn batches(seed: u64, last: LastBatch) -> Batches {
        Batches::new(numbered(50), 8, seed, last)
    }

    #[test]
    fn a_batch_depends_on_seed_and_step_alone() {
        let mut forward = batches(3, LastBatch::Keep);
        let steps: Vec<Vec<u8>> = (0..30).map(|step| forward.batch(step).unwrap().pixels.to_vec()).collect();
        let mut backward = batches(3, LastBatch::Keep);
        for step in (0..30).rev() {
            assert_eq!(backward.batch(step).unwrap().pixels, steps[step as usize], "step {step}");
        }
        // As a run does that was stopped: from the middle on.
        let mut resumed = batches(3, LastBatch::Keep);
        for step in 17..30 {
            assert_eq!(resumed.batch(step).unwrap().pixels, steps[step as usize], "step {step}");
        }
        assert_ne!(batches(4, LastBatch::Keep).batch(0).unwrap().pixels, steps[0]);
    }

    #[test]
    fn an_epoch_shows_each_image_once_and_each_epoch_has_its_own_order() {
        for (last, steps, images) in [(LastBatch::Drop, 6, 48), (LastBatch::Keep, 7, 50)] {
            let mut batches = batches(0, last);
            assert_eq!(batches.steps_per_epoch(), steps);
            let mut epochs = Vec::new();
            for epoch in 0..3 {
                let mut seen = Vec::new();
                for step in 0..steps {
                    let Batch { pixels: batch, labels, .. } = batches.batch(epoch * steps + step).unwrap();
                    assert!(batch.chunks(2).map(|image| u16::from(image[0]) + 100).eq(labels.iter().copied()));
                    assert_eq!(batch.len(), if step < 6 { 16 } else { 4 });
                    assert!(batch.chunks(2).all(|image| image[0] == image[1]));
                    seen.extend(batch.iter().step_by(2).copied());
                }
                epochs.push(seen.clone());
                seen.sort_unstable();
                seen.dedup();
                assert_eq!(seen.len(), images);
            }
            assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
        }
    }

    /// What a run with a given seed is trained on must not change under it.
    #[test]
    fn the_order_is_this_one() {
        let mut batches = Batches::new(numbered(9), 9, 1, LastBatch::Drop);
        let numbers: Vec<u8> = batches.batch(2).unwrap().pixels.iter().step_by(2).copied().collect();
        assert_eq!(numbers, [2, 7, 5, 4, 1, 6, 3, 8, 0]);
    }

    #[test]
    fn the_whole_set_is_one_batch() {
        for last in [LastBatch::Drop, LastBatch::Keep] {
            let whole = Batches::new(numbered(50), 50, 0, last);
            assert_eq!(whole.steps_per_epoch(), 1);
        }
    }

    #[test]
    fn the_last_step_there_can_be_does_not_panic() {
        let mut batches = Batches::new(numbered(7), 2, 0, LastBatch::Drop);
        assert_eq!(batches.batch(u64::MAX - 1).unwrap().pixels.len(), 4);
        assert_eq!(batches.batch(u64::MAX).unwrap().pixels.len(), 4);
        assert_eq!(batches.batch(0).unwrap().pixels.len(), 4);
    }

    /// Waits up to ten seconds for what a thread is about to do.
    fn soon(holds: impl Fn() -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(10);
        while !holds() && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
        holds()
    }

    #[test]
    fn the_thread_ends_with_the_batches_and_where_a_step_is_jumped_to() {
        let images = numbered(50);
        let mut batches = Batches::new(images.clone(), 8, 0, LastBatch::Drop);
        assert_eq!(Arc::strong_count(&images), 2);
        batches.batch(0).unwrap();
        assert_eq!(Arc::strong_count(&images), 3);
        batches.batch(9).unwrap();
        assert!(soon(|| Arc::strong_count(&images) == 3));
        drop(batches);
        assert!(soon(|| Arc::strong_count(&images) == 1));
    }

    /// The buffers go round: however many steps, their addresses are few.
    #[test]
    fn buffers_are_used_again() {
        let mut batches = batches(0, LastBatch::Drop);
        let mut addresses = std::collections::HashSet::new();
        for step in 0..100 {
            addresses.insert(batches.batch(step).unwrap().pixels.as_ptr());
        }
        assert!(addresses.len() <= AHEAD + 3, "{} buffers", addresses.len());
    }
}
