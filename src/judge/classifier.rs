//! A judge's network at work: images to features and to a probability for each class.

use super::JudgeSpec;
use crate::autograd::no_grad;
use crate::cpu::batch::chosen_as_for;
use crate::data::pixels;
use crate::nn::{Pass, Sequential};
use crate::ops::{argmax, softmax};
use crate::random::Random;
use crate::recipe::build;
use crate::shape::Shape;
use crate::storage::Device;

/// The values of black and white.
pub(super) const RANGE: [f64; 2] = [0.0, 1.0];

/// The number of images that go through the network at a time.
pub(super) const AT_A_TIME: usize = 128;

/// A network that tells classes apart.
pub struct Classifier {
    pub(super) spec: JudgeSpec,
    pub(super) network: Sequential,
    /// A factor for the features that makes the mean of their squares over all training images 1, so that figures of
    /// different judges are of the same order of magnitude.
    pub(super) scale: f64,
    device: Device,
}

/// What a classifier says about some images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// `[n, features]`.
    pub features: Vec<f32>,
    /// `[n, classes]`.
    pub probabilities: Vec<f32>,
    /// The likeliest class of each, `[n]`.
    pub classes: Vec<u8>,
}

impl Classifier {
    /// The network of `spec`, with random weights from `random`.
    pub(super) fn new(spec: JudgeSpec, random: &mut Random, device: Device) -> Classifier {
        let network = build::network(&spec.network, random, device);
        Classifier { spec, network, scale: 1.0, device }
    }

    /// How it was made.
    pub fn spec(&self) -> &JudgeSpec {
        &self.spec
    }

    /// Classifies `images`, `[n, h, w, c]` of its input's size. Each image's figures have the same bits whichever other
    /// images there are.
    ///
    /// # Panics
    /// If the number of bytes is not that of whole images.
    pub fn see(&mut self, images: &[u8]) -> Seen {
        let input = &self.spec.network.input;
        let (layers, _) = self.spec.features();
        let size: usize = input.iter().product();
        assert!(images.len().is_multiple_of(size), "Classifier: {} bytes in images of {input:?}", images.len());
        let mut seen = Seen::default();
        for some in images.chunks(AT_A_TIME * size) {
            let shape = Shape::new(&[some.len() / size, input[0], input[1], input[2]]);
            let x = pixels::to_tensor(some, shape, RANGE, self.device);
            let (features, probabilities, likeliest) = no_grad(|| {
                chosen_as_for(AT_A_TIME, || {
                    let features = self.network.forward_layers(0..layers, &x, &mut Pass::evaluation());
                    let rest = layers..self.spec.network.layers.len();
                    let logits = self.network.forward_layers(rest, &features, &mut Pass::evaluation());
                    let probabilities = softmax(&logits, 1);
                    let likeliest = argmax(&probabilities, 1);
                    (features * self.scale, probabilities, likeliest)
                })
            });
            seen.classes.extend(likeliest.to_f32().into_iter().map(|class| class as u8));
            seen.features.extend(features.to_f32());
            seen.probabilities.extend(probabilities.to_f32());
        }
        seen
    }
}
