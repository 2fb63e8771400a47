//! One step of the game: what each network is shown, its loss, its gradients, and the updates in the
//! order that the recipe asks for.

use super::loss::gradient_penalty;
use super::model::Gan;
use super::pending::{Number, Numbers, Pending, diverged};
use crate::Result;
use crate::autograd::{grad_consuming, no_grad};
use crate::cpu::threads::awake;
use crate::nn::Pass;
use crate::ops::{concat, random_normal, slice};
use crate::optim::{clip, norm, norm_on_device};
use crate::recipe::{BatchSpec, UpdateSpec};
use crate::storage::Device;
use crate::tensor::Tensor;

/// What a step has seen, before it changed anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The discriminator's loss; see [`super::loss`].
    pub d_loss: f64,
    /// The generator's loss; none where only the critic moved.
    pub g_loss: Option<f64>,
    /// Mean D(x) over the real batch: of probabilities where the loss is a cross-entropy.
    pub d_real: f64,
    /// Mean D(G(z)) over the fake batch, likewise.
    pub d_fake: f64,
    /// With the Wasserstein loss, the estimate of the distance: minus the critic's loss, without the
    /// gradient penalty.
    pub wasserstein: Option<f64>,
    /// √Σg² over the discriminator's gradients; none unless asked for.
    pub d_gradient_norm: Option<f64>,
    /// √Σg² over the generator's gradients; none unless asked for, or where it did not move.
    pub g_gradient_norm: Option<f64>,
}

/// The discriminator's outputs, and its loss from them.
struct Judgement {
    real: Tensor,
    fake: Tensor,
    loss: Tensor,
}

impl Gan {
    /// One step of the game on a batch `real` `[n, h, w, c]`, half a batch where it is to be mixed;
    /// with a critic loop, the critic's step and the generator's where it is due. With `measure`, the
    /// report has the gradients' norms.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if a loss is not a finite number; that network has then
    /// not been changed, but for a CUDA device, where a loss is known only after all is done.
    pub fn step(&mut self, real: &Tensor, measure: bool) -> Result<StepReport> {
        self.begin_step(real, measure)?.finish()
    }

    /// As [`Gan::step`], but doesn't wait for a CUDA device to do it.
    ///
    /// # Errors
    /// As [`Gan::step`]; on a CUDA device, [`Pending::finish`] tells.
    pub fn begin_step(&mut self, real: &Tensor, measure: bool) -> Result<Pending> {
        let numbers = match real.device() {
            Device::Cpu => awake(|| self.updates(real, measure)),
            _ => self.updates(real, measure),
        }?;
        self.steps += 1;
        let (places, values) = numbers.gather();
        let is_critic = self.training.loss.has_critic();
        Ok(Pending::new(self.steps, is_critic, places, values.as_ref()))
    }

    /// The updates of a step, in the recipe's order.
    pub(super) fn updates(&mut self, real: &Tensor, measure: bool) -> Result<Numbers> {
        match self.training.update {
            UpdateSpec::Simultaneous => self.simultaneous_step(real, measure),
            UpdateSpec::Alternating => {
                self.discriminator_step(real, measure).and_then(|report| self.generator_step(real, report, measure))
            }
            UpdateSpec::CriticLoop(critic_loop) => self.discriminator_step(real, measure).and_then(|report| {
                let critic = self.discriminator_optimizer.steps();
                let generator = self.generator_optimizer.steps();
                if critic_loop.generator_is_due(critic, generator) {
                    self.generator_step(real, report, measure)
                } else {
                    Ok(report)
                }
            }),
        }
    }

    /// One fake batch, both losses from the same state, then both updates.
    fn simultaneous_step(&mut self, real: &Tensor, measure: bool) -> Result<Numbers> {
        let fake = self.generate(real.dims()[0]);
        let Judgement { real: real_output, fake: fake_output, loss: d_loss } = self.judge(real, &fake);
        let g_loss = self.loss.generator(&fake_output);
        let mut report = self.report(&real_output, &fake_output, &d_loss)?;
        report.g_loss = Some(self.finite("generator", &g_loss)?);
        // Both losses stand on D(G(z)): the first walk releases only what the second has no use for.
        drop((real_output, fake_output, fake));
        let d_grads = grad_consuming(d_loss, &self.discriminator.parameters());
        let g_grads = grad_consuming(g_loss, &self.generator.parameters());
        report.d_gradient_norm = measure.then(|| gradient_norm(&d_grads));
        report.g_gradient_norm = measure.then(|| gradient_norm(&g_grads));
        self.update_discriminator(&d_grads);
        self.generator_optimizer.step(self.generator.parameters_mut(), &g_grads);
        Ok(report)
    }

    /// The discriminator's step, on fake images from fresh latents.
    fn discriminator_step(&mut self, real: &Tensor, measure: bool) -> Result<Numbers> {
        let fake = no_grad(|| self.generate(real.dims()[0]));
        let Judgement { real: real_output, fake: fake_output, loss } = self.judge(real, &fake);
        let mut report = self.report(&real_output, &fake_output, &loss)?;
        drop((real_output, fake_output, fake));
        let grads = grad_consuming(loss, &self.discriminator.parameters());
        report.d_gradient_norm = measure.then(|| gradient_norm(&grads));
        self.update_discriminator(&grads);
        Ok(report)
    }

    /// The generator's step on fresh latents, a whole batch of them, added to `report`.
    fn generator_step(&mut self, real: &Tensor, mut report: Numbers, measure: bool) -> Result<Numbers> {
        let count = match self.training.batches {
            BatchSpec::Separate => real.dims()[0],
            BatchSpec::Mixed => 2 * real.dims()[0],
        };
        let fake = self.generate(count);
        let output = self.discriminate(&fake);
        let loss = self.loss.generator(&output);
        report.g_loss = Some(self.finite("generator", &loss)?);
        drop((output, fake));
        let grads = grad_consuming(loss, &self.generator.parameters());
        report.g_gradient_norm = measure.then(|| gradient_norm(&grads));
        self.generator_optimizer.step(self.generator.parameters_mut(), &grads);
        Ok(report)
    }

    /// The discriminator on real and as many fake images, apart or as one batch, and its loss.
    fn judge(&mut self, real: &Tensor, fake: &Tensor) -> Judgement {
        let n = real.dims()[0];
        let (real_output, fake_output) = match self.training.batches {
            BatchSpec::Separate => (self.discriminate(real), self.discriminate(fake)),
            BatchSpec::Mixed => {
                let both = self.discriminate(&concat(&[real, fake], 0));
                (slice(&both, &[0..n, 0..1]), slice(&both, &[n..2 * n, 0..1]))
            }
        };
        let labels = self.loss.labels(n, &mut self.random.labels, &real_output);
        let mut loss = self.loss.discriminator(&real_output, &fake_output, &labels);
        if let Some(lambda) = self.training.gradient_penalty {
            let (discriminator, dropout) = (&mut self.discriminator, &mut self.random.dropout);
            let critic = |x: &Tensor| discriminator.forward(x, Pass::Training(dropout));
            loss = loss + gradient_penalty(lambda, real, fake, &mut self.random.penalty, critic);
        }
        Judgement { real: real_output, fake: fake_output, loss }
    }

    /// What is known once the discriminator's loss is.
    fn report(&self, real: &Tensor, fake: &Tensor, loss: &Tensor) -> Result<Numbers> {
        let d_loss = self.finite("discriminator", loss)?;
        Ok(Numbers {
            d_loss,
            g_loss: None,
            d_real: self.loss.mean_output(real),
            d_fake: self.loss.mean_output(fake),
            d_gradient_norm: None,
            g_gradient_norm: None,
        })
    }

    fn update_discriminator(&mut self, grads: &[Tensor]) {
        self.discriminator_optimizer.step(self.discriminator.parameters_mut(), grads);
        if let Some(limit) = self.training.weight_clip {
            clip(self.discriminator.parameters_mut(), limit);
        }
    }

    /// A fake batch from the next latents, in training mode.
    fn generate(&mut self, count: usize) -> Tensor {
        let shape = [count, self.latent];
        let latents = random_normal(&mut self.random.latents, shape, self.device);
        self.generator.forward(&latents, Pass::Training(&mut self.random.dropout))
    }

    fn discriminate(&mut self, images: &Tensor) -> Tensor {
        self.discriminator.forward(images, Pass::Training(&mut self.random.dropout))
    }

    fn finite(&self, network: &'static str, loss: &Tensor) -> Result<Number> {
        let number = Number::of(loss);
        let found = match number {
            Number::Known(value) => diverged(self.steps + 1, network, value),
            Number::OnDevice(_) => None,
        };
        found.map_or(Ok(number), Err)
    }
}

/// √Σg² over `grads`.
fn gradient_norm(grads: &[Tensor]) -> Number {
    norm_on_device(grads).map_or_else(|| Number::Known(norm(grads)), Number::OnDevice)
}
