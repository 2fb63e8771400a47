//! How a run's steps are divided into epochs, whose length changes where the batch size was changed.
//!
//! ```text
//! step     0 ... origin.step | every further per_epoch steps
//! epoch    1 ... origin.epoch| origin.epoch + 1, origin.epoch + 2, ...
//! ```

use serde::{Deserialize, Serialize};

/// Where epochs began to have their present length: after `step` steps, with `epoch` epochs done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The number of steps done.
    pub step: u64,
    /// The number of epochs done.
    pub epoch: u64,
}

impl Origin {
    /// Whether epochs have had their present length from the start.
    pub fn is_start(&self) -> bool {
        *self == Origin::default()
    }
}

/// The epochs of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epochs {
    /// Where they began to have their present length.
    pub origin: Origin,
    /// The number of steps of an epoch.
    pub per_epoch: u64,
}

impl Epochs {
    /// Whether an epoch ends with step `step`, counted from 1; of the steps before the origin only the last is known.
    pub fn ends_at(&self, step: u64) -> bool {
        let since = step.checked_sub(self.origin.step);
        since.is_some_and(|steps| steps.is_multiple_of(self.per_epoch))
    }

    /// The epoch, counted from 1, of step `step`, counted from 1 and not before the origin.
    pub fn of(&self, step: u64) -> u64 {
        let since = step.saturating_sub(self.origin.step);
        (self.origin.epoch + since.div_ceil(self.per_epoch)).max(1)
    }

    /// The number of epochs done after `steps` steps, which are not before the origin.
    pub fn done(&self, steps: u64) -> u64 {
        self.origin_after(steps).epoch
    }

    /// The number of steps done when the epoch of step `step` began, or began anew. `step` is counted from 1 and not
    /// before the origin.
    pub fn start_of(&self, step: u64) -> u64 {
        let since = step.saturating_sub(self.origin.step).saturating_sub(1);
        self.origin.step + since / self.per_epoch * self.per_epoch
    }

    /// The number of epochs done after `steps` steps, with the fraction of the current one.
    pub fn progress(&self, steps: u64) -> f64 {
        let since = steps.saturating_sub(self.origin.step) as f64;
        self.origin.epoch as f64 + since / self.per_epoch as f64
    }

    /// The number of steps of a run of `epochs` epochs, at least those before the origin.
    pub fn steps_of(&self, epochs: u64) -> u64 {
        let Origin { step, epoch } = self.origin;
        step + epochs.saturating_sub(epoch) * self.per_epoch
    }

    /// The batch that follows `steps` steps, counted from 0 as if all epochs had had their present length.
    pub fn batch_after(&self, steps: u64) -> u64 {
        self.origin.epoch * self.per_epoch + steps.saturating_sub(self.origin.step)
    }

    /// Where epochs of another length begin if they begin after `steps` steps: an unfinished epoch begins anew.
    pub fn origin_after(&self, steps: u64) -> Origin {
        let since = steps.saturating_sub(self.origin.step);
        Origin { step: steps, epoch: self.origin.epoch + since / self.per_epoch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_counted_on_where_their_length_changes() {
        let first = Epochs { origin: Origin::default(), per_epoch: 4 };
        assert_eq!([0, 1, 4, 5, 8].map(|step| first.of(step)), [1, 1, 1, 2, 2]);
        assert_eq!((first.steps_of(3), first.batch_after(9)), (12, 9));
        // After two epochs and half of the third.
        assert_eq!([0, 5, 8].map(|step| first.progress(step)), [0.0, 1.25, 2.0]);
        let origin = first.origin_after(10);
        assert_eq!((origin.step, origin.epoch), (10, 2));
        let then = Epochs { origin, per_epoch: 3 };
        assert_eq!([11, 13, 14].map(|step| then.of(step)), [3, 3, 4]);
        assert_eq!([4, 10, 12, 13].map(|step| then.ends_at(step)), [false, true, false, true]);
        assert_eq!(then.batch_after(10), 6, "the third epoch begins anew");
        assert_eq!((then.steps_of(4), then.steps_of(1)), (16, 10));
        assert_eq!(then.origin_after(14), Origin { step: 14, epoch: 3 });
        assert_eq!([0, 3, 4, 9].map(|steps| first.done(steps)), [0, 0, 1, 2]);
        assert_eq!([10, 12, 13].map(|steps| then.done(steps)), [2, 2, 3]);
        assert_eq!([1, 4, 5, 8, 9].map(|step| first.start_of(step)), [0, 0, 4, 4, 8]);
        assert_eq!([11, 13, 14].map(|step| then.start_of(step)), [10, 10, 13]);
    }
}
