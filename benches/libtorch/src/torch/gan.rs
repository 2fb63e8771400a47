//! The game in libtorch, as cheaply as its public operations play it: gradients are asked for by name, so
//! that no walk computes what the update doesn't use, fake images of the discriminator's own step have no
//! graph, its weights are frozen in the generator's step, and Adam is the fused one.

use super::layout::Layout;
use super::loss::Loss;
use super::network::{Network, Pass};
use super::optimizer::{Adam, Average};
use crate::subjects::Batch;
use minimax::gan::model;
use minimax::random::Random;
use minimax::recipe::{BatchSpec, Recipe, TrainingSpec, UpdateSpec};
use tch::{Device, Kind, Tensor, no_grad};

/// Both networks, their optimisers and the game's rules.
pub struct Gan {
    /// From latents to images.
    pub generator: Network,
    discriminator: Network,
    generator_adam: Adam,
    discriminator_adam: Adam,
    average: Option<Average>,
    loss: Loss,
    training: TrainingSpec,
    latent: usize,
}

/// A batch of real images.
pub struct Real {
    /// In this side's layout.
    pub images: Tensor,
    /// The class of each, `[n]`, where the game is conditional; the fake images of a step have the same ones.
    pub labels: Option<Tensor>,
}

impl Real {
    /// `batch` in `layout`.
    pub fn new(batch: &Batch, layout: Layout) -> Real {
        let numbers = |labels: &[u16]| labels.iter().map(|&label| i64::from(label)).collect::<Vec<_>>();
        let labels = batch.labels.as_ref().map(|(labels, _)| Tensor::from_slice(&numbers(labels)));
        Real { images: layout.images(&batch.images), labels }
    }
}

/// What a step draws.
pub enum Noise {
    /// libtorch's own numbers.
    Own,
    /// The numbers that our step draws from these streams.
    Shared {
        /// Of latents.
        latents: Random,
        /// Of the points where the gradient penalty is taken.
        penalty: Random,
    },
}

/// The losses of a step: the discriminator's and, where it moved, the generator's.
pub type Losses = (f64, Option<f64>);

impl Gan {
    /// The networks of `recipe` with the weights of `ours`.
    ///
    /// # Errors
    /// Where the recipe asks for what this side doesn't do.
    pub fn new(recipe: &Recipe, ours: &model::Gan, layout: Layout) -> Result<Gan, String> {
        let training = recipe.training;
        check(&training)?;
        let generator = Network::new(&recipe.generator, &ours.generator, layout)?;
        let discriminator = Network::new(&recipe.discriminator, &ours.discriminator, layout)?;
        Ok(Gan {
            generator_adam: Adam::new(&recipe.generator.optimizer, &generator)?,
            discriminator_adam: Adam::new(&recipe.discriminator.optimizer, &discriminator)?,
            average: training.average.map(|spec| Average::new(&generator, spec, training.batch_size)),
            generator,
            discriminator,
            loss: Loss::of(recipe)?,
            training,
            latent: recipe.generator.input[0],
        })
    }

    /// A step on a batch of real images. Of a critic loop, the critic's step alone.
    pub fn step(&mut self, real: &Real, noise: &mut Noise) -> Losses {
        match self.training.update {
            UpdateSpec::Simultaneous => self.simultaneous_step(real, noise),
            UpdateSpec::Alternating => {
                let d_loss = self.discriminator_step(real, noise);
                (d_loss, Some(self.generator_step(real, noise)))
            }
            UpdateSpec::CriticLoop(_) => (self.discriminator_step(real, noise), None),
        }
    }

    fn simultaneous_step(&mut self, real: &Real, noise: &mut Noise) -> Losses {
        let pass = Pass::training(real.labels.as_ref());
        let latents = noise.latents(real.images.size()[0], self.latent);
        let fake = self.generator.forward(&latents, pass);
        let on_fake = self.discriminator.forward(&fake, pass);
        let on_real = self.discriminator.forward(&real.images, pass);
        let d_loss = self.loss.discriminator(&on_real, &on_fake);
        let g_loss = self.loss.generator(&on_real, &on_fake);
        drop((on_real, on_fake));
        let losses = (d_loss.double_value(&[]), Some(g_loss.double_value(&[])));
        let d_grads = Tensor::run_backward(&[d_loss], &self.discriminator.parameters, true, false);
        let g_grads = Tensor::run_backward(&[g_loss], &self.generator.parameters, false, false);
        self.discriminator_adam.step(&self.discriminator.parameters, &d_grads);
        self.update_generator(&g_grads);
        losses
    }

    fn discriminator_step(&mut self, real: &Real, noise: &mut Noise) -> f64 {
        let pass = Pass::training(real.labels.as_ref());
        let latents = noise.latents(real.images.size()[0], self.latent);
        let fake = no_grad(|| self.generator.forward(&latents, pass));
        let due = self.discriminator_adam.steps().is_multiple_of(self.training.penalty_every as u64);
        let [r1, r2] = [self.training.r1, self.training.r2].map(|gamma| gamma.filter(|_| due));
        // As leaves of their own: a batch is shown again.
        let images = real.images.detach().set_requires_grad(r1.is_some());
        let fake = fake.set_requires_grad(r2.is_some());
        let on_real = self.discriminator.forward(&images, pass);
        let on_fake = self.discriminator.forward(&fake, pass);
        let mut loss = self.loss.discriminator(&on_real, &on_fake);
        if let Some(lambda) = self.training.gradient_penalty {
            loss += self.gradient_penalty(lambda, &images, &fake, pass, noise);
        }
        // As ours is told, without what follows.
        let value = loss.double_value(&[]);
        let penalised = [(r1, &images, &on_real), (r2, &fake, &on_fake)];
        let penalised = penalised.into_iter().filter_map(|(gamma, at, output)| Some((gamma?, at, output)));
        if let Some(penalty) = self.zero_centred(penalised) {
            loss += penalty;
        }
        drop((on_real, on_fake));
        let grads = Tensor::run_backward(&[loss], &self.discriminator.parameters, false, false);
        self.discriminator_adam.step(&self.discriminator.parameters, &grads);
        value
    }

    fn generator_step(&mut self, real: &Real, noise: &mut Noise) -> f64 {
        let pass = Pass::training(real.labels.as_ref());
        let latents = noise.latents(real.images.size()[0], self.latent);
        self.discriminator.set_requires_grad(false);
        let fake = self.generator.forward(&latents, pass);
        let on_fake = self.discriminator.forward(&fake, pass);
        let loss = match self.loss.is_relativistic() {
            true => {
                let on_real = no_grad(|| self.discriminator.forward(&real.images, pass));
                self.loss.generator(&on_real, &on_fake)
            }
            false => self.loss.generator(&on_fake, &on_fake),
        };
        drop(on_fake);
        let value = loss.double_value(&[]);
        let grads = Tensor::run_backward(&[loss], &self.generator.parameters, false, false);
        self.discriminator.set_requires_grad(true);
        self.update_generator(&grads);
        value
    }

    fn update_generator(&mut self, grads: &[Tensor]) {
        self.generator_adam.step(&self.generator.parameters, grads);
        if let Some(average) = &self.average {
            average.update(&self.generator);
        }
    }

    /// As `minimax::gan::penalty::gradient_penalty`.
    fn gradient_penalty(&mut self, lambda: f64, real: &Tensor, fake: &Tensor, pass: Pass, noise: &mut Noise) -> Tensor {
        let epsilon = noise.epsilon(real.size()[0]);
        let between: Tensor = &epsilon * real + (1.0 - &epsilon) * fake;
        let between = between.detach().set_requires_grad(true);
        let output = self.discriminator.forward(&between, pass);
        let gradient = Tensor::run_backward(&[output.sum(Kind::Float)], &[between], true, true);
        let squares = gradient[0].square();
        let norms = (squares.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Float) + 1e-12).sqrt();
        lambda * (norms - 1.0).square().mean(Kind::Float)
    }

    /// The sum of `minimax::gan::penalty::zero_centred` over each gamma, images and outputs, if there are any; the slopes
    /// of all by one walk.
    fn zero_centred<'a>(&self, penalised: impl Iterator<Item = (f64, &'a Tensor, &'a Tensor)>) -> Option<Tensor> {
        let (mut gammas, mut images, mut sums) = (Vec::new(), Vec::new(), Vec::new());
        for (gamma, at, output) in penalised {
            gammas.push(gamma);
            images.push(at);
            sums.push(output.sum(Kind::Float));
        }
        if gammas.is_empty() {
            return None;
        }
        let slopes = Tensor::run_backward(&sums, &images, true, true);
        let penalties = gammas.iter().zip(&slopes).map(|(gamma, slopes)| {
            let share = 0.5 * self.training.penalty_every as f64 * gamma / slopes.size()[0] as f64;
            slopes.square().sum(Kind::Float) * share
        });
        Some(penalties.sum())
    }
}

/// That the game is one of those that this side plays.
fn check(training: &TrainingSpec) -> Result<(), String> {
    let TrainingSpec { weight_clip, auxiliary, augment, labels, triple, batches, r1, r2, update, .. } = training;
    let zero_centred = r1.or(*r2).is_some();
    let other = [
        ("weight_clip", weight_clip.is_some()),
        ("auxiliary", auxiliary.is_some()),
        ("augment", augment.is_some()),
        ("labels", labels.is_some()),
        ("triple", triple.is_some()),
        ("batches = \"mixed\"", *batches == BatchSpec::Mixed),
        ("r1 or r2 in simultaneous updates", zero_centred && *update == UpdateSpec::Simultaneous),
    ];
    match other.into_iter().find(|(_, asked)| *asked) {
        Some((what, _)) => Err(format!("the yardstick knows no {what}")),
        None => Ok(()),
    }
}

impl Noise {
    fn latents(&mut self, count: i64, width: usize) -> Tensor {
        let shape = [count, width as i64];
        match self {
            Noise::Own => Tensor::randn(shape, (Kind::Float, Device::Cpu)),
            Noise::Shared { latents, .. } => {
                let drawn = latents.normal(count as usize * width);
                Tensor::from_slice(&drawn).to_kind(Kind::Float).view(shape)
            }
        }
    }

    /// For each image a place between fake, 0, and real, 1.
    fn epsilon(&mut self, count: i64) -> Tensor {
        let shape = [count, 1, 1, 1];
        match self {
            Noise::Own => Tensor::rand(shape, (Kind::Float, Device::Cpu)),
            Noise::Shared { penalty, .. } => {
                let drawn = penalty.uniform(count as usize);
                Tensor::from_slice(&drawn).to_kind(Kind::Float).view(shape)
            }
        }
    }
}

/// As `minimax::gan::model::sample`, in libtorch's order of axes: evaluation, in slices of 256.
pub fn sample(generator: &mut Network, latents: &Tensor) -> Tensor {
    let slices = latents.split(256, 0);
    let images = slices.iter().map(|z| generator.forward(z, Pass::evaluation()));
    no_grad(|| Tensor::cat(&images.collect::<Vec<_>>(), 0))
}
