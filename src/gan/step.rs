//! One step of the game: what each network sees, its loss and gradients, and the updates in the recipe's order.

use super::model::Gan;
use super::output::Output;
use super::real::Real;
use super::report::{Pending, Scalars, StepReport, check_loss};
use crate::Result;
use crate::autograd::{grad_consuming, no_grad};
use crate::cpu::threads::awake;
use crate::nn::{Layer, Pass};
use crate::ops::{concat, random_normal};
use crate::optim::{clip, norm};
use crate::recipe::{BatchSpec, UpdateSpec};
use crate::storage::Device;
use crate::tensor::Tensor;

impl Gan {
    /// One step of the game on a batch `real` of images `[n, h, w, c]` (half of `batch_size` if batches are mixed).
    /// With a critic loop it is the critic's step, and the generator's if that is due. With `measure`, the report has
    /// the gradients' norms.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if a loss is not a finite number. That network's
    /// parameters are then as they were (its running statistics and the random streams are not), except on a CUDA
    /// device, where a loss is known only once the updates are done.
    ///
    /// # Panics
    /// If a conditional game is given no labels, or a game of three is given fewer examples than a step takes.
    pub fn step(&mut self, real: impl Into<Real>, measure: bool) -> Result<StepReport> {
        self.begin_step(real, measure)?.read()
    }

    /// As [`Gan::step`], but doesn't wait for a CUDA device to finish.
    ///
    /// # Errors
    /// As [`Gan::step`]; on a CUDA device, [`Pending::read`] reports it instead.
    pub fn begin_step(&mut self, real: impl Into<Real>, measure: bool) -> Result<Pending> {
        let real = real.into();
        let seen = match self.device {
            Device::Cpu => awake(|| self.updates(&real, measure)),
            _ => self.updates(&real, measure),
        }?;
        self.steps += 1;
        Ok(Pending::new(self.steps, self.training.loss.has_critic(), seen.gather()))
    }

    /// The updates of a step, in the recipe's order.
    pub(super) fn updates(&mut self, real: &Real, measure: bool) -> Result<Scalars> {
        if self.classifier.is_some() {
            return self.triple_step(real, measure);
        }
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

    /// True if the next step updates the generator.
    pub(super) fn generator_is_next(&self) -> bool {
        match self.training.update {
            UpdateSpec::CriticLoop(critic_loop) => {
                critic_loop.generator_is_due(self.discriminator_optimizer.steps() + 1, self.generator_optimizer.steps())
            }
            UpdateSpec::Simultaneous | UpdateSpec::Alternating => true,
        }
    }

    /// One fake batch, both losses from the same state, then both updates.
    fn simultaneous_step(&mut self, real: &Real, measure: bool) -> Result<Scalars> {
        // Nothing else holds the tape after this block, so each walk frees what it passes. D(G(z)) is in both losses:
        // the first walk frees all that the second doesn't need.
        let (judgement, g_loss, mut seen) = {
            let fake = self.generate(real.images.dims()[0], real.labels.as_ref());
            let (judgement, [on_real, on_fake], seen) = self.judge(real, &fake)?;
            (judgement, self.generator_loss(&on_real.real, &on_fake, real.labels.as_ref()), seen)
        };
        seen.g_loss = Some(self.finite("generator", &g_loss)?);
        let d_grads = judgement.grads(&self.discriminator.parameters());
        let g_grads = grad_consuming(g_loss, &self.generator.parameters());
        seen.d_gradient_norm = measure.then(|| norm(&d_grads));
        seen.g_gradient_norm = measure.then(|| norm(&g_grads));
        self.update_discriminator(&d_grads);
        self.update_generator(&g_grads);
        Ok(seen)
    }

    /// The discriminator's step, on fake images from fresh latents.
    fn discriminator_step(&mut self, real: &Real, measure: bool) -> Result<Scalars> {
        let (judgement, _, mut seen) = {
            let fake = no_grad(|| self.generate(real.images.dims()[0], real.labels.as_ref()));
            let fake = self.recorded(self.training.r2, fake);
            self.judge(real, &fake)?
        };
        let grads = judgement.grads(&self.discriminator.parameters());
        seen.d_gradient_norm = measure.then(|| norm(&grads));
        self.update_discriminator(&grads);
        Ok(seen)
    }

    /// The generator's step on a whole batch of fresh latents; its numbers are added to `seen`. If batches are mixed,
    /// there are two images for the class of each real one.
    fn generator_step(&mut self, real: &Real, seen: &mut Scalars, measure: bool) -> Result<()> {
        let halves = match self.training.batches {
            BatchSpec::Separate => 1,
            BatchSpec::Mixed => 2,
        };
        let labels = real.labels.as_ref().map(|labels| concat(&vec![labels; halves], 0));
        let labels = labels.as_ref();
        let loss = {
            let fake = self.generate(halves * real.images.dims()[0], labels);
            let output = self.discriminate(&fake, labels);
            let on_real = match self.loss.is_relativistic() {
                true => no_grad(|| self.discriminate(&real.images, real.labels.as_ref())).real,
                false => output.real.detach(),
            };
            self.generator_loss(&on_real, &output, labels)
        };
        seen.g_loss = Some(self.finite("generator", &loss)?);
        let grads = grad_consuming(loss, &self.generator.parameters());
        seen.g_gradient_norm = measure.then(|| norm(&grads));
        self.update_generator(&grads);
        Ok(())
    }

    /// The generator's loss from D's output on real images, on which only a relativistic loss depends, and on fake
    /// ones, with the loss of their classes if the recipe asks for it.
    fn generator_loss(&self, on_real: &Tensor, on_fake: &Output, labels: Option<&Tensor>) -> Tensor {
        self.with_classes(self.loss.generator(on_real, &on_fake.real), on_fake, labels)
    }

    /// The value of `loss`, which must be a finite number before its gradients update anything. On a CUDA device it is
    /// checked when the step's numbers are read.
    pub(super) fn finite(&self, network: &str, loss: &Tensor) -> Result<Tensor> {
        match loss.device() {
            Device::Cuda(_) => {}
            _ => check_loss(self.steps + 1, network, loss.item())?,
        }
        Ok(loss.detach())
    }

    pub(super) fn update_discriminator(&mut self, grads: &[Tensor]) {
        self.discriminator_optimizer.step(self.discriminator.parameters_mut(), grads);
        if let Some(limit) = self.training.weight_clip {
            clip(self.discriminator.parameters_mut(), limit);
        }
    }

    pub(super) fn update_generator(&mut self, grads: &[Tensor]) {
        self.generator_optimizer.step(self.generator.parameters_mut(), grads);
        if let Some(average) = &mut self.average {
            average.update(&self.generator);
        }
    }

    /// A fake batch from the next latents, in training mode, and of the classes `labels` if the game is conditional.
    pub(super) fn generate(&mut self, count: usize, labels: Option<&Tensor>) -> Tensor {
        let shape = [count, self.latent];
        let latents = random_normal(&mut self.random.latents, shape, self.device);
        self.generator.forward(&latents, &mut Pass::training(&mut self.random.dropout).of_classes(labels))
    }
}
