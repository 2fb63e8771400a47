//! A few training steps of a recipe, to be held to the same ones on another device.
#![allow(dead_code, reason = "a test file uses what it needs of it")]

use minimax::cuda::catch;
use minimax::gan::graph::Graphs;
use minimax::gan::model::Gan;
use minimax::gan::real::Real;
use minimax::gan::report::StepReport;
use minimax::random::{Purpose, Random};
use minimax::recipe::Recipe;
use minimax::{Device, Result, Shape};

/// What black and white are to the networks.
const RANGE: [f64; 2] = [-1.0, 1.0];

/// How steps are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    OnCpu,
    LaunchByLaunch,
    AsGraphs,
}

/// A game that goes on, on batches of random bytes.
pub struct Game {
    gan: Gan,
    graphs: Option<Graphs>,
    batch: Shape,
    classes: Option<usize>,
    random: Random,
}

impl Game {
    pub fn new(recipe: &Recipe, how: How) -> Game {
        let device = match how {
            How::OnCpu => Device::Cpu,
            _ => Device::Cuda(0),
        };
        let gan = Gan::new(recipe, device);
        Game {
            graphs: gan.graphs(RANGE).filter(|_| how == How::AsGraphs),
            gan,
            batch: [&[recipe.training.examples()], &recipe.discriminator.input[..]].concat()[..].into(),
            classes: recipe.classes(),
            random: Random::new(7, Purpose::CHECK),
        }
    }

    pub fn step(&mut self, measures: bool) -> Result<StepReport> {
        let words = self.random.words(self.batch.numel());
        let bytes: Vec<u8> = words.into_iter().map(|word| word as u8).collect();
        let classes = self.classes.map_or(0, |classes| classes as u32);
        let words = if classes > 0 { self.random.words(self.batch.dims()[0]) } else { Vec::new() };
        let labels: Vec<u16> = words.into_iter().map(|word| (word % classes) as u16).collect();
        let (gan, batch) = (&mut self.gan, self.batch);
        match &mut self.graphs {
            Some(graphs) => graphs.begin_step(gan, &bytes, &labels, batch, measures)?.read(),
            None => {
                let device = gan.named()[0].1.device();
                let images = minimax::data::pixels::to_tensor(&bytes, batch, RANGE, device);
                let real = match self.classes {
                    Some(classes) => Real::labelled(images, &labels, classes),
                    None => Real::from(&images),
                };
                gan.step(real, measures)
            }
        }
    }
}

/// What each step reported, and all that a checkpoint would hold after them.
#[derive(PartialEq)]
pub struct Played {
    pub reports: Vec<StepReport>,
    tensors: Vec<Vec<f32>>,
}

impl Played {
    /// Of `steps` steps, every third with gradient norms.
    pub fn new(recipe: &Recipe, how: How, steps: u64) -> Result<Played> {
        catch(|| {
            let mut game = Game::new(recipe, how);
            let reports = (0..steps).map(|step| game.step(step % 3 == 1));
            let reports = reports.collect::<Result<_>>()?;
            let tensors = game.gan.named().into_iter();
            Ok(Played { reports, tensors: tensors.map(|(_, tensor)| tensor.to_f32()).collect() })
        })
    }

    /// The largest difference between two runs' reports, or between all their tensors by norm. (A bias that a batch
    /// norm takes out again has a gradient of rounding alone, which Adam makes as large as any: tensor by tensor nothing
    /// could be said of it.)
    pub fn difference(&self, other: &Played) -> f64 {
        let mut worst = 0.0f64;
        for (a, b) in self.reports.iter().zip(&other.reports) {
            for (a, b) in numbers(a).into_iter().zip(numbers(b)) {
                assert_eq!(a.is_some(), b.is_some());
                if let (Some(a), Some(b)) = (a, b) {
                    worst = larger(worst, (a - b).abs() / b.abs().max(0.1));
                }
            }
        }
        let (mut apart, mut size) = (0.0, 0.0);
        let pairs = self.tensors.iter().zip(&other.tensors);
        for (&a, &b) in pairs.flat_map(|(a, b)| a.iter().zip(b)) {
            apart += f64::from(a - b).powi(2);
            size += f64::from(b).powi(2);
        }
        larger(worst, (apart / size).sqrt())
    }
}

/// The larger of two, or what is no number.
fn larger(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

fn numbers(report: &StepReport) -> [Option<f64>; 8] {
    [
        Some(report.d_loss),
        Some(report.d_real),
        Some(report.d_fake),
        report.g_loss,
        report.c_loss,
        report.wasserstein,
        report.d_gradient_norm,
        report.g_gradient_norm,
    ]
}
