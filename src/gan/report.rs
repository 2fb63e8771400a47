//! What a step reports: scalar tensors while it runs, numbers once they are read. On the processor the numbers are
//! ready at once. On a CUDA device they are ready when the queued step has finished; meanwhile the next step can be
//! queued.

use crate::cuda::capture::Reading;
use crate::ops::{concat, reshape};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The numbers of a step. Those of each network are from just before its own update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The discriminator's loss; see [`super::loss`].
    pub d_loss: f64,
    /// The generator's loss; `None` if only the critic moved.
    pub g_loss: Option<f64>,
    /// The classifier's loss, in a game of three.
    pub c_loss: Option<f64>,
    /// Mean D(x) over the real batch, as a probability if the loss is a cross-entropy.
    pub d_real: f64,
    /// Mean D(G(z)) over the fake batch, likewise.
    pub d_fake: f64,
    /// With the Wasserstein loss, the estimate of the distance: minus the critic's loss, without the
    /// gradient penalty.
    pub wasserstein: Option<f64>,
    /// √Σg² over the discriminator's gradients, if it was asked for.
    pub d_gradient_norm: Option<f64>,
    /// √Σg² over the generator's gradients, if it was asked for and the generator moved.
    pub g_gradient_norm: Option<f64>,
}

/// The numbers of a [`StepReport`] as tensors of one value.
pub(super) struct Scalars {
    pub d_loss: Tensor,
    pub d_real: Tensor,
    pub d_fake: Tensor,
    pub g_loss: Option<Tensor>,
    pub c_loss: Option<Tensor>,
    pub d_gradient_norm: Option<Tensor>,
    pub g_gradient_norm: Option<Tensor>,
}

/// [`Scalars`] in one tensor, which is read in one go.
#[derive(Clone)]
pub(super) struct Gathered {
    /// Which of the last four exist.
    optional: [bool; 4],
    values: Tensor,
}

impl Scalars {
    /// The numbers in this order: d_loss, d_real, d_fake, then those of the optional ones that exist.
    pub fn gather(&self) -> Gathered {
        let always = [&self.d_loss, &self.d_real, &self.d_fake];
        let optional = [&self.g_loss, &self.c_loss, &self.d_gradient_norm, &self.g_gradient_norm];
        let all: Vec<&Tensor> = always.into_iter().chain(optional.into_iter().flatten()).collect();
        let values = match self.d_loss.device() {
            Device::Cuda(_) => {
                let rows: Vec<Tensor> = all.into_iter().map(|x| reshape(&x.detach(), [1])).collect();
                concat(&rows.iter().collect::<Vec<_>>(), 0)
            }
            _ => {
                let values: Vec<f64> = all.into_iter().map(Tensor::item).collect();
                Tensor::new(&values, [values.len()], Device::Reference)
            }
        };
        Gathered { optional: optional.map(Option::is_some), values }
    }
}

/// The report of a step that has been asked for.
pub struct Pending {
    /// The step, counted from 1.
    step: u64,
    has_critic: bool,
    gathered: Gathered,
    /// The transfer of the values, if they come from a device.
    reading: Option<Reading>,
}

impl Pending {
    /// The report of `step`, whose numbers are `gathered` and begin to be read.
    pub(super) fn new(step: u64, has_critic: bool, gathered: Gathered) -> Pending {
        let reading = match gathered.values.storage() {
            Storage::Cuda(buffer) => Some(Reading::begin(buffer)),
            _ => None,
        };
        Pending { step, has_critic, gathered, reading }
    }

    /// The report, once it is known.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a loss is not a finite number.
    pub fn read(self) -> Result<StepReport> {
        let values: Vec<f64> = match self.reading {
            Some(reading) => reading.finish().into_iter().map(f64::from).collect(),
            None => self.gathered.values.to_f64(),
        };
        let mut values = values.into_iter();
        let mut next = || values.next().expect("it was gathered");
        let [d_loss, d_real, d_fake] = std::array::from_fn(|_| next());
        let [g_loss, c_loss, d_gradient_norm, g_gradient_norm] =
            self.gathered.optional.map(|there| there.then(&mut next));
        check_loss(self.step, "discriminator", d_loss)?;
        for (network, loss) in [("generator", g_loss), ("classifier", c_loss)] {
            loss.map_or(Ok(()), |loss| check_loss(self.step, network, loss))?;
        }
        let wasserstein = self.has_critic.then_some(d_real - d_fake);
        Ok(StepReport { d_loss, g_loss, c_loss, d_real, d_fake, wasserstein, d_gradient_norm, g_gradient_norm })
    }
}

/// Checks that the loss of `network` in step `step` is a finite number.
///
/// # Errors
/// [`Error::NotFinite`] if it isn't.
pub(super) fn check_loss(step: u64, network: &str, loss: f64) -> Result<()> {
    match loss.is_finite() {
        true => Ok(()),
        false => Err(not_finite(step, &format!("the {network}'s loss is {loss}"))),
    }
}

/// The error for step `step`, after which `what` are no longer finite. It suggests the commonest fix.
pub(crate) fn not_finite(step: u64, what: &str) -> Error {
    let rates = "generator.optimizer.learning_rate or discriminator.optimizer.learning_rate";
    Error::NotFinite { what: format!("step {step}: {what}"), fix: kept(&format!("a lower {rates}")) }
}

/// The words that say that the last checkpoint is good, and what to change before going on.
pub(crate) fn kept(change: &str) -> String {
    format!("the last good checkpoint is kept, start again with {change}")
}
