//! The layer that puts a label beside what a network works on, as the conditional GAN does (Mirza and Osindero, "Conditional
//! generative adversarial nets", 2014):
//!
//! ```text
//! vector x       [x | l]       or  [x | l E]
//! image x        each pixel of x with l after its channels,  or with one channel more, the map l E W + b
//! ```
//!
//! l is a row of the labels, E an embedding of so many values a class. A label is a row of probabilities, so that half one
//! class and half another is a label too; of a single class, l E is that class's row of E.

use super::{Dense, Flow, Initializer, Layer, Part, Pass, Variable};
use crate::ops::{Transpose, broadcast_to, concat, matmul, reshape};
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;

/// Joins the label of each example to it, along the last axis. The pass must have labels.
///
/// ```
/// use minimax::nn::{JoinLabel, Layer, Pass};
/// use minimax::{Device, Tensor};
///
/// let labels = Tensor::arange(2, Device::Cpu).one_hot(10);
/// let latents = Tensor::ones([2, 100], Device::Cpu);
/// let joined = JoinLabel::one_hot().forward(&latents, &mut Pass::evaluation().of_classes(Some(&labels)));
/// assert_eq!(joined.dims(), [2, 110]);
/// ```
pub struct JoinLabel {
    /// `[classes, width]`, where labels are embedded.
    embedding: Option<Tensor>,
    /// From an embedded label to a map of the image's size, where x is an image.
    map: Option<Dense>,
}

impl JoinLabel {
    /// Labels as they are: x gets as many values, or channels, more as there are classes.
    pub fn one_hot() -> JoinLabel {
        JoinLabel { embedding: None, map: None }
    }

    /// Labels of `classes` classes, each embedded in `width` values from N(0, 1), which join a vector; where `input`,
    /// without its batch, is an image `[h, w, c]`, a dense layer makes one map `[h, w]` of them.
    pub fn embedded(
        classes: usize,
        width: usize,
        input: &[usize],
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> JoinLabel {
        let normal = Initializer::Normal { stddev: 1.0 };
        let embedding = normal.sample([classes, width].into(), random, device).parameter();
        let map = match *input {
            [height, across, _] => Some(Dense::from_random(width, height * across, true, initializer, random, device)),
            _ => None,
        };
        JoinLabel { embedding: Some(embedding), map }
    }
}

impl Layer for JoinLabel {
    /// # Panics
    /// Also if the pass has no labels.
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let labels = pass.labels_for("join_label", x);
        let label = match &self.embedding {
            Some(embedding) => matmul(labels, embedding, Transpose::NONE),
            None => labels.clone(),
        };
        let &[n, h, w, _] = x.dims() else {
            return concat(&[x, &label], 1);
        };
        let joined = match &mut self.map {
            Some(map) => reshape(&map.forward(&label, pass), [n, h, w, 1]),
            None => {
                let width = label.dims()[1];
                broadcast_to(&reshape(&label, [n, 1, 1, width]), [n, h, w, width])
            }
        };
        concat(&[x, &joined], 3)
    }

    /// `embedding`, and of the map's layer `kernel` and `bias`.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let embedding = self.embedding.iter().map(|embedding| Variable::parameter("embedding", embedding));
        embedding.chain(self.map.iter().flat_map(Layer::variables)).collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let embedding = self.embedding.iter_mut().map(|embedding| Variable::parameter("embedding", embedding));
        embedding.chain(self.map.iter_mut().flat_map(Layer::variables_mut)).collect()
    }

    fn parts(&self) -> Vec<Part> {
        let flow = if self.map.is_some() { Flow::Joined { channels: 1 } } else { Flow::Unknown };
        Part::of(self, flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn a_label_joins_a_vector_and_every_pixel() {
        let device = Device::Reference;
        let labels = Tensor::new(&[0.0, 1.0, 0.5, 0.5], [2, 2], device);
        let joined =
            |x: &Tensor| JoinLabel::one_hot().forward(x, &mut Pass::evaluation().of_classes(Some(&labels))).to_f64();
        assert_eq!(joined(&Tensor::new(&[7.0, 8.0], [2, 1], device)), [7.0, 0.0, 1.0, 8.0, 0.5, 0.5]);
        let image = Tensor::new(&[1.0, 2.0, 3.0, 4.0], [2, 1, 2, 1], device);
        assert_eq!(joined(&image), [1.0, 0.0, 1.0, 2.0, 0.0, 1.0, 3.0, 0.5, 0.5, 4.0, 0.5, 0.5]);
    }

    #[test]
    fn an_embedded_label_is_its_row() {
        let (device, mut random) = (Device::Reference, Random::new(0, Purpose::CHECK));
        let mut layer = JoinLabel::embedded(2, 3, &[1], Initializer::Zeros, &mut random, device);
        let table = layer.variables()[0].tensor.to_f64();
        let labels = Tensor::new(&[0.0, 1.0], [1, 2], device);
        let x = Tensor::new(&[9.0], [1, 1], device);
        let y = layer.forward(&x, &mut Pass::evaluation().of_classes(Some(&labels))).to_f64();
        assert_eq!(y, [&[9.0], &table[3..]].concat());

        let mut layer = JoinLabel::embedded(2, 3, &[4, 5, 1], Initializer::Zeros, &mut random, device);
        layer.variables_mut()[2].tensor.assign(Tensor::full(0.25, [20], device));
        let x = Tensor::ones([1, 4, 5, 1], device);
        let y = layer.forward(&x, &mut Pass::evaluation().of_classes(Some(&labels)));
        assert_eq!((y.dims(), y.to_f64()), (&[1, 4, 5, 2][..], [1.0, 0.25].repeat(20)));
    }

    #[test]
    #[should_panic(expected = "join_label: the pass has no labels")]
    fn without_labels_it_says_so() {
        JoinLabel::one_hot().forward(&Tensor::ones([1, 1], Device::Reference), &mut Pass::evaluation());
    }
}
