//! What a step reports, and when that is known: at once on the processor; on a CUDA device once the step,
//! which has only been asked for, is over. Meanwhile the next one can be asked for.

use super::step::StepReport;
use crate::cuda::capture::Reading;
use crate::ops::{concat, reshape};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A number that a step has computed.
pub(super) enum Number {
    /// It is known.
    Known(f64),
    /// It is on its way: a tensor of one value on a CUDA device.
    OnDevice(Tensor),
}

impl Number {
    /// The value of a tensor that holds one.
    pub fn of(x: &Tensor) -> Number {
        match x.device() {
            Device::Cuda(_) => Number::OnDevice(x.detach()),
            _ => Number::Known(x.item()),
        }
    }
}

/// The numbers of a [`StepReport`].
pub(super) struct Numbers {
    pub d_loss: Number,
    pub g_loss: Option<Number>,
    pub d_real: Number,
    pub d_fake: Number,
    pub d_gradient_norm: Option<Number>,
    pub g_gradient_norm: Option<Number>,
}

impl Numbers {
    /// Where each is to be found, and the tensor that holds those which are still to come.
    pub fn gather(self) -> (Places, Option<Tensor>) {
        let mut on_device = Vec::new();
        let mut place = |number| match number {
            Number::Known(value) => Place::Known(value),
            Number::OnDevice(x) => {
                on_device.push(reshape(&x, [1]));
                Place::At(on_device.len() - 1)
            }
        };
        let places = Places {
            d_loss: place(self.d_loss),
            g_loss: self.g_loss.map(&mut place),
            d_real: place(self.d_real),
            d_fake: place(self.d_fake),
            d_gradient_norm: self.d_gradient_norm.map(&mut place),
            g_gradient_norm: self.g_gradient_norm.map(&mut place),
        };
        let all: Vec<&Tensor> = on_device.iter().collect();
        let values = (!all.is_empty()).then(|| concat(&all, 0));
        (places, values)
    }
}

/// Where a number is to be found.
#[derive(Clone, Copy, Debug)]
enum Place {
    Known(f64),
    /// Among the values that are read from the device.
    At(usize),
}

/// Where the numbers of a report are to be found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    d_loss: Place,
    g_loss: Option<Place>,
    d_real: Place,
    d_fake: Place,
    d_gradient_norm: Option<Place>,
    g_gradient_norm: Option<Place>,
}

/// The report of a step that has been asked for.
pub struct Pending {
    /// The step, counted from 1.
    step: u64,
    is_critic: bool,
    places: Places,
    reading: Option<Reading>,
}

impl Pending {
    /// The report of `step`, whose numbers are at `places`, some of them in `values`.
    pub(super) fn new(step: u64, is_critic: bool, places: Places, values: Option<&Tensor>) -> Pending {
        let begin = |values: &Tensor| match values.storage() {
            Storage::Cuda(buffer) => Reading::begin(buffer),
            _ => unreachable!("elsewhere numbers are known at once"),
        };
        Pending { step, is_critic, places, reading: values.map(begin) }
    }

    /// The report, once it is known.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a loss is not a finite number.
    pub fn finish(self) -> Result<StepReport> {
        let values = self.reading.map_or_else(Vec::new, Reading::finish);
        let number = |place| match place {
            Place::Known(value) => value,
            Place::At(index) => f64::from(values[index]),
        };
        let finite = |network: &'static str, place| {
            let value = number(place);
            diverged(self.step, network, value).map_or(Ok(value), Err)
        };
        let Places { d_loss, g_loss, d_real, d_fake, d_gradient_norm, g_gradient_norm } = self.places;
        let [d_real, d_fake] = [d_real, d_fake].map(number);
        Ok(StepReport {
            d_loss: finite("discriminator", d_loss)?,
            g_loss: g_loss.map(|loss| finite("generator", loss)).transpose()?,
            d_real,
            d_fake,
            wasserstein: self.is_critic.then_some(d_real - d_fake),
            d_gradient_norm: d_gradient_norm.map(number),
            g_gradient_norm: g_gradient_norm.map(number),
        })
    }
}

/// The error of step `step` if the loss of `network` is not a finite number.
pub(super) fn diverged(step: u64, network: &'static str, loss: f64) -> Option<Error> {
    (!loss.is_finite()).then(|| Error::NotFinite(format!("step {step}: the {network}'s loss is {loss}")))
}
