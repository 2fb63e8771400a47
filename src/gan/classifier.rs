//! The third player of a game of three: the network, its optimiser, and the moving average of its weights with which it
//! is tested.

use super::average::Average;
use super::model::MOST_AT_A_TIME;
use super::real::one_hot;
use crate::autograd::no_grad;
use crate::data::Images;
use crate::data::pixels;
use crate::nn::{Layer, Pass, Sequential};
use crate::ops::argmax;
use crate::optim::{MovingAverage, Optimizer};
use crate::random::Random;
use crate::recipe::{AverageSpec, OptimizerSpec, Recipe, TripleSpec, build};
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;

/// A classifier in training.
pub struct Classifier {
    /// From images to logits of the classes.
    pub network: Sequential,
    /// The optimiser of the network.
    pub optimizer: Optimizer,
    /// The moving average of its weights.
    pub average: Average,
    /// Whether only the classifier learns so far.
    pub alone: bool,
    /// The classes of the images that the generator makes for it, equally many of each, `[generated, classes]`. They
    /// are on the device before a step is captured.
    pub(super) asked: Tensor,
}

impl Classifier {
    /// The initial classifier of `recipe`, if its game has three players.
    pub(super) fn of(recipe: &Recipe, random: &mut Random, device: Device) -> Option<Classifier> {
        let (spec, triple) = recipe.triple()?;
        let network = build::network(spec, random, device);
        let classes = recipe.classes().expect("a game of three has classes");
        let asked: Vec<u16> = (0..triple.generated).map(|i| (i % classes) as u16).collect();
        Some(Classifier {
            optimizer: build::optimizer(&spec.optimizer, &network),
            average: Average::new(spec, rule(triple), &network, device),
            alone: triple.alone > 0,
            asked: Tensor::from_f32(&one_hot(&asked, classes), [asked.len(), classes], device),
            network,
        })
    }

    /// Takes over the numbers of `optimizer` and `triple` for the next steps.
    ///
    /// # Panics
    /// If the optimiser is of another kind.
    pub(super) fn tune(&mut self, optimizer: &OptimizerSpec, triple: TripleSpec) {
        self.optimizer.set_rule(build::rule(optimizer));
        self.average.optimizer.set_rule(rule(triple));
    }

    /// The share of `images`, scaled to `range`, that the network with the averaged weights classifies wrongly.
    ///
    /// # Panics
    /// If they have no labels, or have another size.
    pub fn error(&mut self, images: &Images, range: [f64; 2], device: Device) -> f64 {
        let (size, count) = (images.image_len(), images.len());
        let mut wrong = 0;
        for first in (0..count).step_by(MOST_AT_A_TIME) {
            let last = (first + MOST_AT_A_TIME).min(count);
            let shape: Shape = [last - first, images.height, images.width, images.channels].into();
            let x = pixels::to_tensor(&images.pixels[first * size..last * size], shape, range, device);
            let told = no_grad(|| argmax(&self.average.network.forward(&x, &mut Pass::evaluation()), 1)).to_f32();
            let labels = &images.labels[first..last];
            wrong += told.iter().zip(labels).filter(|(told, label)| **told != f32::from(**label)).count();
        }
        wrong as f64 / count as f64
    }

    /// Its tensors by name, as a checkpoint keeps them: the network's, the optimiser's and the averages.
    pub(super) fn named(&self) -> Vec<(&'static str, Vec<(String, &Tensor)>)> {
        vec![
            (NETWORK, self.network.named()),
            (OPTIMIZER, self.optimizer.named()),
            (AVERAGE, self.average.network.named()),
        ]
    }

    /// As [`Classifier::named`], to be changed.
    pub(super) fn named_mut(&mut self) -> Vec<(&'static str, Vec<(String, &mut Tensor)>)> {
        vec![
            (NETWORK, self.network.named_mut()),
            (OPTIMIZER, self.optimizer.named_mut()),
            (AVERAGE, self.average.network.named_mut()),
        ]
    }
}

const NETWORK: &str = "classifier";
const OPTIMIZER: &str = "classifier_optimizer";
/// The prefix of the names of the averages of the classifier's weights.
pub const AVERAGE: &str = "classifier_average";

/// The rule of the average, which is over fewer steps at first.
fn rule(triple: TripleSpec) -> MovingAverage {
    // The decay is per update, whatever the batch size.
    build::moving_average(AverageSpec::of_decay(triple.average), 1)
}

/// The kernel of a classifier's last layer that has one.
pub(super) fn last_kernel(network: &Sequential) -> Option<&Tensor> {
    let mut from_the_end = network.named().into_iter().rev();
    from_the_end.find(|(name, _)| name.ends_with(".kernel")).map(|(_, kernel)| kernel)
}
