//! One step of the game: what each network is shown, its loss, its gradients, and the updates in the
//! order that the recipe asks for.

use super::model::Gan;
use super::penalty::{gradient_penalty, zero_centred};
use super::report::{Pending, Scalars, StepReport, check_loss};
use crate::Result;
use crate::autograd::{grad_consuming, no_grad};
use crate::cpu::threads::awake;
use crate::nn::Pass;
use crate::ops::{concat, random_normal, slice};
use crate::optim::{clip, norm};
use crate::recipe::{BatchSpec, UpdateSpec};
use crate::storage::Device;
use crate::tensor::Tensor;

impl Gan {
    /// One step of the game on a batch `real` `[n, h, w, c]` (half of `batch_size` where batches are mixed);
    /// with a critic loop, the critic's step and the generator's where it is due. With `measure`, the
    /// report has the gradients' norms.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if a loss is not a finite number. That network's
    /// parameters are then as they were (its running statistics and the random streams are not), except on a CUDA
    /// device, where a loss is known only once the updates are done.
    pub fn step(&mut self, real: &Tensor, measure: bool) -> Result<StepReport> {
        self.begin_step(real, measure)?.read()
    }

    /// As [`Gan::step`], but doesn't wait for a CUDA device to do it.
    ///
    /// # Errors
    /// As [`Gan::step`]; on a CUDA device, [`Pending::read`] tells.
    pub fn begin_step(&mut self, real: &Tensor, measure: bool) -> Result<Pending> {
        let seen = match real.device() {
            Device::Cpu => awake(|| self.updates(real, measure)),
            _ => self.updates(real, measure),
        }?;
        self.steps += 1;
        Ok(Pending::new(self.steps, self.training.loss.has_critic(), seen.gather()))
    }

    /// The updates of a step, in the recipe's order.
    pub(super) fn updates(&mut self, real: &Tensor, measure: bool) -> Result<Scalars> {
        if self.training.update == UpdateSpec::Simultaneous {
            return self.simultaneous_step(real, measure);
        }
        let moves_generator = self.generator_is_next();
        let mut seen = self.discriminator_step(real, measure)?;
        if moves_generator {
            self.generator_step(real, &mut seen, measure)?;
        }
        Ok(seen)
    }

    /// True if the next step moves the generator.
    pub(super) fn generator_is_next(&self) -> bool {
        match self.training.update {
            UpdateSpec::CriticLoop(critic_loop) => {
                critic_loop.generator_is_due(self.discriminator_optimizer.steps() + 1, self.generator_optimizer.steps())
            }
            UpdateSpec::Simultaneous | UpdateSpec::Alternating => true,
        }
    }

    /// One fake batch, both losses from the same state, then both updates.
    fn simultaneous_step(&mut self, real: &Tensor, measure: bool) -> Result<Scalars> {
        // Nothing else holds the graph after this block, so each walk frees what it passes. D(G(z)) is in both losses:
        // the first walk frees all but what the second needs.
        let (d_loss, g_loss, mut seen) = {
            let fake = self.generate(real.dims()[0]);
            let real = self.recorded(self.training.r1, real.clone());
            let (d_real, d_fake) = self.judge(&real, &fake);
            let d_loss = self.discriminator_loss(&real, &fake, &d_real, &d_fake);
            let g_loss = self.loss.generator(&d_real, &d_fake);
            let seen = self.scalars(&d_loss, &d_real, &d_fake)?;
            (self.penalised(d_loss, [(&real, &d_real), (&fake, &d_fake)])?, g_loss, seen)
        };
        seen.g_loss = Some(self.finite("generator", &g_loss)?);
        let d_grads = grad_consuming(d_loss, &self.discriminator.parameters());
        let g_grads = grad_consuming(g_loss, &self.generator.parameters());
        seen.d_gradient_norm = measure.then(|| norm(&d_grads));
        seen.g_gradient_norm = measure.then(|| norm(&g_grads));
        self.update_discriminator(&d_grads);
        self.update_generator(&g_grads);
        Ok(seen)
    }

    /// The discriminator's step, on fake images from fresh latents.
    fn discriminator_step(&mut self, real: &Tensor, measure: bool) -> Result<Scalars> {
        let (loss, mut seen) = {
            let fake = no_grad(|| self.generate(real.dims()[0]));
            let real = self.recorded(self.training.r1, real.clone());
            let fake = self.recorded(self.training.r2, fake);
            let (d_real, d_fake) = self.judge(&real, &fake);
            let loss = self.discriminator_loss(&real, &fake, &d_real, &d_fake);
            let seen = self.scalars(&loss, &d_real, &d_fake)?;
            (self.penalised(loss, [(&real, &d_real), (&fake, &d_fake)])?, seen)
        };
        let grads = grad_consuming(loss, &self.discriminator.parameters());
        seen.d_gradient_norm = measure.then(|| norm(&grads));
        self.update_discriminator(&grads);
        Ok(seen)
    }

    /// The generator's step on fresh latents, a whole batch of them; what it sees is added to `seen`.
    fn generator_step(&mut self, real: &Tensor, seen: &mut Scalars, measure: bool) -> Result<()> {
        let count = match self.training.batches {
            BatchSpec::Separate => real.dims()[0],
            BatchSpec::Mixed => 2 * real.dims()[0],
        };
        let loss = {
            let fake = self.generate(count);
            let output = self.discriminate(&fake);
            let on_real = match self.loss.is_relativistic() {
                true => no_grad(|| self.discriminate(real)),
                false => output.detach(),
            };
            self.loss.generator(&on_real, &output)
        };
        seen.g_loss = Some(self.finite("generator", &loss)?);
        let grads = grad_consuming(loss, &self.generator.parameters());
        seen.g_gradient_norm = measure.then(|| norm(&grads));
        self.update_generator(&grads);
        Ok(())
    }

    /// D(x) and D(G(z)): the discriminator on real and as many fake images, apart or as one batch.
    fn judge(&mut self, real: &Tensor, fake: &Tensor) -> (Tensor, Tensor) {
        let n = real.dims()[0];
        match self.training.batches {
            BatchSpec::Separate => (self.discriminate(real), self.discriminate(fake)),
            BatchSpec::Mixed => {
                let both = self.discriminate(&concat(&[real, fake], 0));
                (slice(&both, &[0..n, 0..1]), slice(&both, &[n..2 * n, 0..1]))
            }
        }
    }

    /// The discriminator's loss, with its gradient penalty where the recipe asks for one.
    fn discriminator_loss(&mut self, real: &Tensor, fake: &Tensor, d_real: &Tensor, d_fake: &Tensor) -> Tensor {
        let labels = self.loss.labels(real.dims()[0], &mut self.random.labels, d_real);
        let loss = self.loss.discriminator(d_real, d_fake, &labels);
        let Some(lambda) = self.training.gradient_penalty else {
            return loss;
        };
        let (discriminator, dropout) = (&mut self.discriminator, &mut self.random.dropout);
        let critic = |x: &Tensor| discriminator.forward(x, Pass::Training(dropout));
        loss + gradient_penalty(lambda, real, fake, &mut self.random.penalty, critic)
    }

    /// Whether the next step of the discriminator has the zero-centred penalties that the recipe asks for.
    pub(super) fn penalty_is_due(&self) -> bool {
        let asked = self.training.r1.or(self.training.r2).is_some();
        asked && self.discriminator_optimizer.steps().is_multiple_of(self.training.penalty_every as u64)
    }

    /// `images`, recorded from here on if a penalty at them is due.
    fn recorded(&self, gamma: Option<f64>, images: Tensor) -> Tensor {
        if gamma.is_some() && self.penalty_is_due() { images.parameter() } else { images }
    }

    /// `loss` with the zero-centred penalties that are due, at real and at fake images with D's outputs on them: every
    /// k-th step k times as large (lazy regularisation; Karras et al. 2020, "Analyzing and improving the image quality of
    /// StyleGAN").
    fn penalised(&self, loss: Tensor, [real, fake]: [(&Tensor, &Tensor); 2]) -> Result<Tensor> {
        if !self.penalty_is_due() {
            return Ok(loss);
        }
        let every = self.training.penalty_every as f64;
        let mut loss = loss;
        for (gamma, (images, output)) in [(self.training.r1, real), (self.training.r2, fake)] {
            if let Some(gamma) = gamma {
                loss = loss + zero_centred(every * gamma, images, output);
            }
        }
        self.finite("discriminator", &loss)?;
        Ok(loss)
    }

    /// What is known once the discriminator's loss is.
    fn scalars(&self, d_loss: &Tensor, d_real: &Tensor, d_fake: &Tensor) -> Result<Scalars> {
        Ok(Scalars {
            d_loss: self.finite("discriminator", d_loss)?,
            d_real: self.loss.mean_output(d_real),
            d_fake: self.loss.mean_output(d_fake),
            g_loss: None,
            d_gradient_norm: None,
            g_gradient_norm: None,
        })
    }

    /// The value of `loss`, which must be a finite number before anything is updated by its gradients; on a CUDA
    /// device that is seen when the step's numbers are read.
    fn finite(&self, network: &str, loss: &Tensor) -> Result<Tensor> {
        match loss.device() {
            Device::Cuda(_) => {}
            _ => check_loss(self.steps + 1, network, loss.item())?,
        }
        Ok(loss.detach())
    }

    fn update_discriminator(&mut self, grads: &[Tensor]) {
        self.discriminator_optimizer.step(self.discriminator.parameters_mut(), grads);
        if let Some(limit) = self.training.weight_clip {
            clip(self.discriminator.parameters_mut(), limit);
        }
    }

    fn update_generator(&mut self, grads: &[Tensor]) {
        self.generator_optimizer.step(self.generator.parameters_mut(), grads);
        if let Some(average) = &mut self.average {
            average.update(&self.generator);
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
}
