//! What a forward pass is for, and what it is told beside its input.

use crate::random::Random;
use crate::tensor::Tensor;

/// A forward pass: training or evaluation, and the labels of the batch where there are any.
///
/// ```
/// use minimax::nn::{Dropout, Layer, Pass};
/// use minimax::random::{Purpose, Random};
/// use minimax::{Device, Tensor};
///
/// let mut random = Random::new(1, Purpose::DROPOUT);
/// let (mut layer, x) = (Dropout { rate: 0.5 }, Tensor::ones([100], Device::Cpu));
/// let trained = layer.forward(&x, &mut Pass::training(&mut random));
/// assert!(trained.to_f32().contains(&0.0));
/// assert_eq!(layer.forward(&x, &mut Pass::evaluation()).to_f32(), [1.0; 100]);
/// ```
pub struct Pass<'a> {
    /// Training or evaluation.
    pub mode: Mode<'a>,
    /// The class of each example, `[n, classes]`: a row of probabilities for each, which is a 1 among zeros where the class is
    /// certain. Layers that depend on the class read it.
    pub labels: Option<&'a Tensor>,
}

/// Whether a pass trains or evaluates.
pub enum Mode<'a> {
    /// Training: batch norm uses the batch's own statistics, and dropout and noise draw from this stream.
    Training(&'a mut Random),
    /// Sampling and evaluation: batch norm uses its running statistics, and there is no dropout or noise.
    Evaluation,
}

impl<'a> Pass<'a> {
    /// A pass that trains; dropout and noise draw from `random`.
    pub fn training(random: &'a mut Random) -> Pass<'a> {
        Pass { mode: Mode::Training(random), labels: None }
    }

    /// A pass that samples or evaluates.
    pub fn evaluation() -> Pass<'a> {
        Pass { mode: Mode::Evaluation, labels: None }
    }

    /// The pass with the classes of its examples, `[n, classes]`, if there are any.
    pub fn of_classes(self, labels: Option<&'a Tensor>) -> Pass<'a> {
        Pass { labels, ..self }
    }

    /// The classes of a batch `x`, as `layer` needs them.
    ///
    /// # Panics
    /// If there are none, or the number of rows isn't that of the examples.
    pub(super) fn labels_for(&self, layer: &str, x: &Tensor) -> &'a Tensor {
        let Some(labels) = self.labels else {
            panic!("{layer}: the pass has no labels");
        };
        let (rows, examples) = (labels.dims().first(), x.dims().first());
        assert!(rows == examples, "{layer}: labels {} for x {}", labels.shape(), x.shape());
        labels
    }
}
