//! One step of the game: what each network is shown, its loss, its gradients, and the updates in the
//! order that the recipe asks for.

use super::model::Gan;
use super::output::Output;
use super::penalty::{between, gradient_penalty, zero_centred};
use super::real::Real;
use super::report::{Pending, Scalars, StepReport, check_loss};
use crate::Result;
use crate::autograd::{grad_consuming, no_grad};
use crate::cpu::threads::awake;
use crate::nn::Pass;
use crate::ops::{concat, cross_entropy, random_normal};
use crate::optim::{clip, norm};
use crate::recipe::{BatchSpec, UpdateSpec};
use crate::storage::Device;
use crate::tensor::Tensor;

impl Gan {
    /// One step of the game on a batch `real`, images `[n, h, w, c]` (half of `batch_size` where batches are mixed);
    /// with a critic loop, the critic's step and the generator's where it is due. With `measure`, the
    /// report has the gradients' norms.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) if a loss is not a finite number. That network's
    /// parameters are then as they were (its running statistics and the random streams are not), except on a CUDA
    /// device, where a loss is known only once the updates are done.
    ///
    /// # Panics
    /// If a conditional game is given no labels, or a game of three fewer examples than a step takes.
    pub fn step(&mut self, real: impl Into<Real>, measure: bool) -> Result<StepReport> {
        self.begin_step(real, measure)?.read()
    }

    /// As [`Gan::step`], but doesn't wait for a CUDA device to do it.
    ///
    /// # Errors
    /// As [`Gan::step`]; on a CUDA device, [`Pending::read`] tells.
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
    fn simultaneous_step(&mut self, real: &Real, measure: bool) -> Result<Scalars> {
        // Nothing else holds the graph after this block, so each walk frees what it passes. D(G(z)) is in both losses:
        // the first walk frees all but what the second needs.
        let (d_loss, g_loss, mut seen) = {
            let labels = real.labels.as_ref();
            let fake = self.generate(real.images.dims()[0], labels);
            let images = self.recorded(self.training.r1, real.images.clone());
            let [on_real, on_fake] = self.judge(&images, &fake, labels);
            self.adapt(&on_real);
            let d_loss = self.discriminator_loss([&images, &fake], labels, [&on_real, &on_fake]);
            let g_loss = self.generator_loss(&on_real.real, &on_fake, labels);
            let seen = self.scalars(&d_loss, &on_real, &on_fake)?;
            (self.penalised(d_loss, [(&images, &on_real), (&fake, &on_fake)])?, g_loss, seen)
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
    fn discriminator_step(&mut self, real: &Real, measure: bool) -> Result<Scalars> {
        let (loss, mut seen) = {
            let labels = real.labels.as_ref();
            let fake = no_grad(|| self.generate(real.images.dims()[0], labels));
            let images = self.recorded(self.training.r1, real.images.clone());
            let fake = self.recorded(self.training.r2, fake);
            let [on_real, on_fake] = self.judge(&images, &fake, labels);
            self.adapt(&on_real);
            let loss = self.discriminator_loss([&images, &fake], labels, [&on_real, &on_fake]);
            let seen = self.scalars(&loss, &on_real, &on_fake)?;
            (self.penalised(loss, [(&images, &on_real), (&fake, &on_fake)])?, seen)
        };
        let grads = grad_consuming(loss, &self.discriminator.parameters());
        seen.d_gradient_norm = measure.then(|| norm(&grads));
        self.update_discriminator(&grads);
        Ok(seen)
    }

    /// The generator's step on fresh latents, a whole batch of them; what it sees is added to `seen`. Where batches are
    /// mixed, two images are of the class of each real one.
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

    /// D on real and on as many fake images of the same classes, apart or as one batch.
    fn judge(&mut self, real: &Tensor, fake: &Tensor, labels: Option<&Tensor>) -> [Output; 2] {
        match self.training.batches {
            BatchSpec::Separate => [real, fake].map(|images| self.discriminate(images, labels)),
            BatchSpec::Mixed => {
                let labels = labels.map(|labels| concat(&[labels, labels], 0));
                self.discriminate(&concat(&[real, fake], 0), labels.as_ref()).halves()
            }
        }
    }

    /// The discriminator's loss on real and fake `images`, of each of which it has made an output, with its gradient
    /// penalty and that of its classes where the recipe asks for them.
    fn discriminator_loss(
        &mut self,
        [real, fake]: [&Tensor; 2],
        labels: Option<&Tensor>,
        outputs: [&Output; 2],
    ) -> Tensor {
        let [on_real, on_fake] = outputs;
        let targets = self.loss.labels(real.dims()[0], &mut self.random.labels, &on_real.real);
        let mut loss = self.loss.discriminator(&on_real.real, &on_fake.real, &targets);
        for output in outputs {
            loss = self.with_classes(loss, output, labels);
        }
        let Some(lambda) = self.training.gradient_penalty else {
            return loss;
        };
        let between = between(real, fake, &mut self.random.penalty);
        let output = self.discriminate(&between, labels).real;
        loss + gradient_penalty(lambda, &between, &output)
    }

    /// Has the chance of augmentation follow what D makes of real images.
    fn adapt(&mut self, on_real: &Output) {
        if let Some(augment) = &mut self.augment {
            augment.adapt(&on_real.real);
        }
    }

    /// The generator's loss from D's output on real images, which only a relativistic one looks at, and on its own, with
    /// that of its classes where the recipe asks for it.
    fn generator_loss(&self, on_real: &Tensor, on_fake: &Output, labels: Option<&Tensor>) -> Tensor {
        self.with_classes(self.loss.generator(on_real, &on_fake.real), on_fake, labels)
    }

    /// `loss` and, where D tells classes, the cross-entropy of those in `output` with `labels` (Odena, Olah and Shlens
    /// 2017), by the weight that the recipe gives it.
    fn with_classes(&self, loss: Tensor, output: &Output, labels: Option<&Tensor>) -> Tensor {
        match (self.training.auxiliary, &output.classes, labels) {
            (Some(weight), Some(logits), Some(labels)) => loss + weight * &cross_entropy(logits, labels),
            _ => loss,
        }
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
    fn penalised(&self, loss: Tensor, [real, fake]: [(&Tensor, &Output); 2]) -> Result<Tensor> {
        if !self.penalty_is_due() {
            return Ok(loss);
        }
        let every = self.training.penalty_every as f64;
        let mut loss = loss;
        for (gamma, (images, output)) in [(self.training.r1, real), (self.training.r2, fake)] {
            if let Some(gamma) = gamma {
                loss = loss + zero_centred(every * gamma, images, &output.real);
            }
        }
        self.finite("discriminator", &loss)?;
        Ok(loss)
    }

    /// What is known once the discriminator's loss is.
    fn scalars(&self, d_loss: &Tensor, on_real: &Output, on_fake: &Output) -> Result<Scalars> {
        Ok(Scalars {
            d_loss: self.finite("discriminator", d_loss)?,
            d_real: self.loss.mean_output(&on_real.real),
            d_fake: self.loss.mean_output(&on_fake.real),
            g_loss: None,
            c_loss: None,
            d_gradient_norm: None,
            g_gradient_norm: None,
        })
    }

    /// The value of `loss`, which must be a finite number before anything is updated by its gradients; on a CUDA
    /// device that is seen when the step's numbers are read.
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

    /// A fake batch from the next latents, of these classes where the game is conditional, in training mode.
    pub(super) fn generate(&mut self, count: usize, labels: Option<&Tensor>) -> Tensor {
        let shape = [count, self.latent];
        let latents = random_normal(&mut self.random.latents, shape, self.device);
        self.generator.forward(&latents, Pass::training(&mut self.random.dropout).of_classes(labels))
    }

    /// D on `images`, as they are augmented where the recipe asks for it.
    pub(super) fn discriminate(&mut self, images: &Tensor, labels: Option<&Tensor>) -> Output {
        let images = match &self.augment {
            Some(augment) => augment.apply(images, &mut self.random.labels),
            None => images.clone(),
        };
        let pass = Pass::training(&mut self.random.dropout).of_classes(labels);
        Output::of(self.discriminator.forward(&images, pass), self.training.auxiliary.is_some())
    }
}
