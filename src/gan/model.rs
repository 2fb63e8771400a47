//! A GAN in training: both networks, both optimisers, the random state, and one step of the game.

use super::loss::Loss;
use super::network;
use super::recipe::{Recipe, UpdateSpec};
use crate::autograd::{grad_consuming, no_grad};
use crate::nn::{Pass, Sequential};
use crate::ops::concat;
use crate::optim::Optimizer;
use crate::random::{Purpose, Random};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A GAN in training.
pub struct Gan {
    /// From latents to images.
    pub generator: Sequential,
    /// From images to one number.
    pub discriminator: Sequential,
    /// Changes the generator.
    pub generator_optimizer: Optimizer,
    /// Changes the discriminator.
    pub discriminator_optimizer: Optimizer,
    /// How far the random streams have been read.
    pub random: RandomState,
    /// Steps done.
    pub steps: u64,
    loss: Loss,
    update: UpdateSpec,
    latent: usize,
    device: Device,
}

/// The streams that a training step reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomState {
    /// Of latents.
    pub latents: Random,
    /// Of dropout masks.
    pub dropout: Random,
}

/// What a step has seen, before it changed anything.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The discriminator's loss, real and fake summed.
    pub d_loss: f64,
    /// The generator's loss.
    pub g_loss: f64,
    /// Mean D(x) over the real batch, as a probability.
    pub d_real: f64,
    /// Mean D(G(z)) over the fake batch, as a probability.
    pub d_fake: f64,
}

impl Gan {
    /// The networks of `recipe` at their start.
    pub fn new(recipe: &Recipe, device: Device) -> Gan {
        let seed = recipe.training.seed;
        let mut initial = Random::new(seed, Purpose::Initial);
        let generator = network::build(&recipe.generator, &mut initial, device);
        let discriminator = network::build(&recipe.discriminator, &mut initial, device);
        Gan {
            generator_optimizer: network::optimizer(&recipe.generator.optimizer, &generator),
            discriminator_optimizer: network::optimizer(
                &recipe.discriminator.optimizer,
                &discriminator,
            ),
            generator,
            discriminator,
            random: RandomState {
                latents: Random::new(seed, Purpose::Latent),
                dropout: Random::new(seed, Purpose::Dropout),
            },
            steps: 0,
            loss: Loss::of(recipe),
            update: recipe.training.update,
            latent: recipe.generator.input[0],
            device,
        }
    }

    /// One step of the game on a batch `real` `[n, h, w, c]` and as many fake images.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a loss is not a finite number; that network has then not been changed.
    pub fn step(&mut self, real: &Tensor) -> Result<StepReport> {
        let report = match self.update {
            UpdateSpec::Simultaneous => self.simultaneous_step(real),
            UpdateSpec::Alternating => self.alternating_step(real),
        }?;
        self.steps += 1;
        Ok(report)
    }

    /// One fake batch, both losses from the same state, then both updates.
    fn simultaneous_step(&mut self, real: &Tensor) -> Result<StepReport> {
        let fake = self.generate(real.dims()[0]);
        let (real_output, fake_output) = (self.discriminate(real), self.discriminate(&fake));
        let d_loss = self.loss.discriminator(&real_output, &fake_output);
        let g_loss = self.loss.generator(&fake_output);
        let report = StepReport {
            d_loss: self.finite("discriminator", &d_loss)?,
            g_loss: self.finite("generator", &g_loss)?,
            d_real: self.loss.mean_probability(&real_output),
            d_fake: self.loss.mean_probability(&fake_output),
        };
        // Both losses stand on D(G(z)): the first walk releases only what the second has no use for.
        drop((real_output, fake_output, fake));
        let d_grads = grad_consuming(d_loss, &self.discriminator.parameters());
        let g_grads = grad_consuming(g_loss, &self.generator.parameters());
        self.discriminator_optimizer
            .step(self.discriminator.parameters_mut(), &d_grads);
        self.generator_optimizer
            .step(self.generator.parameters_mut(), &g_grads);
        Ok(report)
    }

    /// The discriminator's step, then the generator's on fresh latents.
    fn alternating_step(&mut self, real: &Tensor) -> Result<StepReport> {
        let count = real.dims()[0];
        let fake = no_grad(|| self.generate(count));
        let (real_output, fake_output) = (self.discriminate(real), self.discriminate(&fake));
        let loss = self.loss.discriminator(&real_output, &fake_output);
        let (d_loss, d_real, d_fake) = (
            self.finite("discriminator", &loss)?,
            self.loss.mean_probability(&real_output),
            self.loss.mean_probability(&fake_output),
        );
        drop((real_output, fake_output, fake));
        let grads = grad_consuming(loss, &self.discriminator.parameters());
        self.discriminator_optimizer
            .step(self.discriminator.parameters_mut(), &grads);

        let fake = self.generate(count);
        let fake_output = self.discriminate(&fake);
        let loss = self.loss.generator(&fake_output);
        let g_loss = self.finite("generator", &loss)?;
        drop((fake_output, fake));
        let grads = grad_consuming(loss, &self.generator.parameters());
        self.generator_optimizer
            .step(self.generator.parameters_mut(), &grads);
        Ok(StepReport {
            d_loss,
            g_loss,
            d_real,
            d_fake,
        })
    }

    /// A fake batch from the next latents, in training mode.
    fn generate(&mut self, count: usize) -> Tensor {
        let latents = self.random.latents.normal(count * self.latent);
        let latents = Tensor::new(&latents, [count, self.latent], self.device);
        self.generator
            .forward(&latents, Pass::Training(&mut self.random.dropout))
    }

    fn discriminate(&mut self, images: &Tensor) -> Tensor {
        self.discriminator
            .forward(images, Pass::Training(&mut self.random.dropout))
    }

    fn finite(&self, network: &'static str, loss: &Tensor) -> Result<f64> {
        let value = loss.item();
        if value.is_finite() {
            return Ok(value);
        }
        Err(Error::Diverged {
            step: self.steps + 1,
            what: format!("the {network}'s loss is {value}"),
        })
    }

    /// That every weight, statistic and optimiser slot is a finite number: a step with finite losses can
    /// still leave others behind.
    ///
    /// # Errors
    /// [`Error::Diverged`], with the name of the first tensor that isn't.
    pub fn check_finite(&self) -> Result<()> {
        let finite = |tensor: &Tensor| match tensor.storage() {
            Storage::Reference(values) => values.iter().all(|v| v.is_finite()),
            Storage::Cpu(values) => values.iter().all(|v| v.is_finite()),
        };
        let broken = self.named().into_iter().find(|(_, tensor)| !finite(tensor));
        broken.map_or(Ok(()), |(name, _)| {
            Err(Error::Diverged {
                step: self.steps,
                what: format!("{name} holds values that are not finite"),
            })
        })
    }

    /// Every tensor that a checkpoint keeps, by name.
    pub fn named(&self) -> Vec<(String, &Tensor)> {
        let groups = [
            ("generator", self.generator.named()),
            ("discriminator", self.discriminator.named()),
            ("generator_optimizer", self.generator_optimizer.named()),
            (
                "discriminator_optimizer",
                self.discriminator_optimizer.named(),
            ),
        ];
        prefixed(groups)
    }

    /// As [`Gan::named`], to be changed.
    pub fn named_mut(&mut self) -> Vec<(String, &mut Tensor)> {
        let groups = [
            ("generator", self.generator.named_mut()),
            ("discriminator", self.discriminator.named_mut()),
            ("generator_optimizer", self.generator_optimizer.named_mut()),
            (
                "discriminator_optimizer",
                self.discriminator_optimizer.named_mut(),
            ),
        ];
        prefixed(groups)
    }
}

fn prefixed<T>(groups: [(&str, Vec<(String, T)>); 4]) -> Vec<(String, T)> {
    let mut all = Vec::new();
    for (prefix, group) in groups {
        all.extend(
            group
                .into_iter()
                .map(|(name, tensor)| (format!("{prefix}.{name}"), tensor)),
        );
    }
    all
}

/// `count` latents of `width` values each, for samples that can be drawn again: a function of `seed`.
pub fn fixed_latents(seed: u64, count: usize, width: usize) -> Vec<f32> {
    let latents = Random::new(seed, Purpose::FixedLatent).normal(count * width);
    latents.into_iter().map(|v| v as f32).collect()
}

/// Images `[n, h, w, c]` in the generator's own range from `latents` `[n, width]`, in evaluation mode:
/// by running statistics and without dropout. In slices of 256, so that activations don't grow with n.
pub fn sample(generator: &mut Sequential, latents: &[f32], width: usize, device: Device) -> Tensor {
    let slices = latents.chunks(256 * width).map(|slice| {
        let z = Tensor::from_f32(slice, [slice.len() / width, width], device);
        no_grad(|| generator.forward(&z, Pass::Evaluation))
    });
    let slices: Vec<Tensor> = slices.collect();
    concat(&slices.iter().collect::<Vec<_>>(), 0)
}
