//! The game in libtorch, as cheaply as its public operations play it: gradients are asked for by name, so
//! that no walk computes what the update doesn't use, fake images of the discriminator's own step have no
//! graph, its weights are frozen in the generator's step, and Adam is the fused one.

use super::layout::Layout;
use super::network::Network;
use super::shim::{AdamSettings, fused_adam};
use minimax::gan::model;
use minimax::random::Random;
use minimax::recipe::{LossSpec, OptimizerSpec, Recipe, UpdateSpec};
use tch::{Device, Kind, Reduction, Tensor, no_grad};

/// Both networks, their optimisers and the game's rules.
pub struct Gan {
    /// From latents to images.
    pub generator: Network,
    discriminator: Network,
    generator_adam: Adam,
    discriminator_adam: Adam,
    loss: Loss,
    update: UpdateSpec,
    gradient_penalty: Option<f64>,
    latent: usize,
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
        let generator = Network::new(&recipe.generator, &ours.generator, layout)?;
        let discriminator = Network::new(&recipe.discriminator, &ours.discriminator, layout)?;
        Ok(Gan {
            generator_adam: Adam::new(&recipe.generator.optimizer, &generator)?,
            discriminator_adam: Adam::new(&recipe.discriminator.optimizer, &discriminator)?,
            generator,
            discriminator,
            loss: match (recipe.training.loss, recipe.gives_probabilities()) {
                (LossSpec::Bce, true) => Loss::OfProbabilities,
                (LossSpec::Bce, false) => Loss::OfLogits,
                (LossSpec::Wasserstein, _) => Loss::Wasserstein,
                _ => return Err("the yardstick knows bce and wasserstein".into()),
            },
            update: recipe.training.update,
            gradient_penalty: recipe.training.gradient_penalty,
            latent: recipe.generator.input[0],
        })
    }

    /// A step on real images in this side's layout. Of a critic loop, the critic's step alone.
    pub fn step(&mut self, real: &Tensor, noise: &mut Noise) -> Losses {
        match self.update {
            UpdateSpec::Simultaneous => self.simultaneous_step(real, noise),
            UpdateSpec::Alternating => {
                let d_loss = self.discriminator_step(real, noise);
                (d_loss, Some(self.generator_step(real, noise)))
            }
            UpdateSpec::CriticLoop(_) => (self.discriminator_step(real, noise), None),
        }
    }

    fn simultaneous_step(&mut self, real: &Tensor, noise: &mut Noise) -> Losses {
        let latents = noise.latents(real.size()[0], self.latent);
        let fake = self.generator.forward(&latents, true);
        let on_fake = self.discriminator.forward(&fake, true);
        let d_loss = {
            let on_real = self.discriminator.forward(real, true);
            self.loss.discriminator(&on_real, &on_fake)
        };
        let g_loss = self.loss.generator(&on_fake);
        let losses = (d_loss.double_value(&[]), Some(g_loss.double_value(&[])));
        let parameters = &self.discriminator.parameters;
        let d_grads = Tensor::run_backward(&[d_loss], parameters, true, false);
        let g_grads = Tensor::run_backward(&[g_loss], &self.generator.parameters, false, false);
        self.discriminator_adam.step(parameters, &d_grads);
        self.generator_adam.step(&self.generator.parameters, &g_grads);
        losses
    }

    fn discriminator_step(&mut self, real: &Tensor, noise: &mut Noise) -> f64 {
        let latents = noise.latents(real.size()[0], self.latent);
        let fake = no_grad(|| self.generator.forward(&latents, true));
        let on_real = self.discriminator.forward(real, true);
        let on_fake = self.discriminator.forward(&fake, true);
        let mut loss = self.loss.discriminator(&on_real, &on_fake);
        if let Some(lambda) = self.gradient_penalty {
            loss += self.penalty(lambda, real, &fake, noise);
        }
        let value = loss.double_value(&[]);
        let parameters = &self.discriminator.parameters;
        let grads = Tensor::run_backward(&[loss], parameters, false, false);
        self.discriminator_adam.step(parameters, &grads);
        value
    }

    fn generator_step(&mut self, real: &Tensor, noise: &mut Noise) -> f64 {
        let latents = noise.latents(real.size()[0], self.latent);
        self.discriminator.set_requires_grad(false);
        let fake = self.generator.forward(&latents, true);
        let loss = self.loss.generator(&self.discriminator.forward(&fake, true));
        let value = loss.double_value(&[]);
        let grads = Tensor::run_backward(&[loss], &self.generator.parameters, false, false);
        self.discriminator.set_requires_grad(true);
        self.generator_adam.step(&self.generator.parameters, &grads);
        value
    }

    /// As `minimax::gan::penalty::gradient_penalty`.
    fn penalty(&self, lambda: f64, real: &Tensor, fake: &Tensor, noise: &mut Noise) -> Tensor {
        let epsilon = noise.epsilon(real.size()[0]);
        let between: Tensor = &epsilon * real + (1.0 - &epsilon) * fake;
        let between = between.set_requires_grad(true);
        let output = self.discriminator.forward(&between, true);
        let gradient = Tensor::run_backward(&[output.sum(Kind::Float)], &[between], true, true);
        let squares = gradient[0].square();
        let norms = (squares.sum_dim_intlist([1, 2, 3].as_slice(), false, Kind::Float) + 1e-12).sqrt();
        lambda * (norms - 1.0).square().mean(Kind::Float)
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

#[derive(Clone, Copy)]
enum Loss {
    OfProbabilities,
    OfLogits,
    Wasserstein,
}

impl Loss {
    fn discriminator(self, real: &Tensor, fake: &Tensor) -> Tensor {
        match self {
            Loss::Wasserstein => fake.mean(Kind::Float) - real.mean(Kind::Float),
            _ => self.cross_entropy(real, 1.0) + self.cross_entropy(fake, 0.0),
        }
    }

    fn generator(self, fake: &Tensor) -> Tensor {
        match self {
            Loss::Wasserstein => -fake.mean(Kind::Float),
            _ => self.cross_entropy(fake, 1.0),
        }
    }

    fn cross_entropy(self, output: &Tensor, label: f64) -> Tensor {
        let (labels, none) = (output.full_like(label), None::<Tensor>);
        match self {
            Loss::OfProbabilities => output.binary_cross_entropy(&labels, none, Reduction::Mean),
            _ => output.binary_cross_entropy_with_logits(&labels, none, None, Reduction::Mean),
        }
    }
}

/// The fused Adam with its state.
pub struct Adam {
    settings: AdamSettings,
    steps: u64,
    moments: [Vec<Tensor>; 2],
}

impl Adam {
    /// Fresh state for the parameters of `network`.
    ///
    /// # Errors
    /// Where `spec` is not Adam without weight decay.
    pub fn new(spec: &OptimizerSpec, network: &Network) -> Result<Adam, String> {
        let &OptimizerSpec::Adam { learning_rate, betas, epsilon, weight_decay: 0.0, .. } = spec else {
            return Err("the yardstick's optimiser is Adam without weight decay".into());
        };
        let zeros = || network.parameters.iter().map(Tensor::zeros_like).collect();
        Ok(Adam { settings: AdamSettings { learning_rate, betas, epsilon }, steps: 0, moments: [zeros(), zeros()] })
    }

    /// Changes `parameters` by their gradients.
    pub fn step(&mut self, parameters: &[Tensor], grads: &[Tensor]) {
        self.steps += 1;
        let [first, second] = &self.moments;
        fused_adam(&self.settings, self.steps, parameters, grads, [first, second]);
    }
}

/// As `minimax::gan::model::sample`, in libtorch's order of axes: evaluation, in slices of 256.
pub fn sample(generator: &Network, latents: &Tensor) -> Tensor {
    let slices = latents.split(256, 0);
    let images = slices.iter().map(|z| generator.forward(z, false));
    no_grad(|| Tensor::cat(&images.collect::<Vec<_>>(), 0))
}
