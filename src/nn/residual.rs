//! The residual layer (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2016): what its layers make
//! of x is added to x itself, or to what a shortcut makes of it,
//!
//! ```text
//! y = layers(x) + shortcut(x)
//! ```
//!
//! so that the gradient of y reaches x undiminished, however many such layers stand one on the other. What it holds may be
//! residual in turn.

use super::named::{Named, numbered, variables, variables_mut};
use super::{Flow, Layer, Part, Pass, Variable, fusion, within};
use crate::storage::Device;
use crate::tensor::Tensor;

/// y = layers(x) + shortcut(x), in any shape that both branches agree on.
///
/// ```
/// use minimax::nn::{Activation, Conv2d, Layer, Residual};
/// use minimax::{Device, Tensor};
///
/// let layers: Vec<Box<dyn Layer>> = vec![Box::new(Conv2d::new(8, 8, 3).same()), Box::new(Activation::Relu)];
/// let mut block = Residual::new(layers, vec![]);
/// assert_eq!(block.predict(&Tensor::ones([1, 4, 4, 8], Device::Cpu)).dims(), [1, 4, 4, 8]);
/// ```
pub struct Residual {
    layers: Vec<Named>,
    shortcut: Vec<Named>,
}

impl Residual {
    /// The sum of what `layers` make of x, one after the other, and what those of `shortcut` do; an empty one leaves x as it is.
    pub fn new(layers: Vec<Box<dyn Layer>>, shortcut: Vec<Box<dyn Layer>>) -> Residual {
        Residual { layers: numbered(layers), shortcut: numbered(shortcut) }
    }
}

impl Layer for Residual {
    /// # Panics
    /// Also if the two shapes differ.
    #[track_caller]
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let y = fusion::forward("Residual's layers", 1, &mut self.layers, x, pass);
        let shortcut = fusion::forward("Residual's shortcut", 1, &mut self.shortcut, x, pass);
        let [left, right] = [y.shape(), shortcut.shape()];
        assert!(left == right, "residual: its layers make {left} of x {}, its shortcut {right}", x.shape());
        y + shortcut
    }

    /// `layers.1.kernel`, ..., `shortcut.1.kernel`, ..., layers counted from 1.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let layers = within("layers", variables(&self.layers));
        layers.chain(within("shortcut", variables(&self.shortcut))).collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let layers = within("layers", variables_mut(&mut self.layers));
        layers.chain(within("shortcut", variables_mut(&mut self.shortcut))).collect()
    }

    fn parameters(&self) -> Vec<&Tensor> {
        let all = self.layers.iter().chain(&self.shortcut);
        all.flat_map(|Named { layer, .. }| layer.parameters()).collect()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Tensor> {
        let all = self.layers.iter_mut().chain(&mut self.shortcut);
        all.flat_map(|Named { layer, .. }| layer.parameters_mut()).collect()
    }

    fn move_to(&mut self, device: Device) {
        let all = self.layers.iter_mut().chain(&mut self.shortcut);
        all.for_each(|Named { layer, .. }| layer.move_to(device));
    }

    fn parts(&self) -> Vec<Part> {
        let parts = |layers: &[Named]| -> Vec<Part> { layers.iter().flat_map(|named| named.layer.parts()).collect() };
        let [fork, branch, join] =
            [Flow::Fork, Flow::Branch, Flow::Join].map(|flow| vec![Part::without_variables(flow)]);
        [fork, parts(&self.layers), branch, parts(&self.shortcut), join].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Dense, Dropout, Initializer, Sequential};
    use crate::random::{Purpose, Random};

    /// x + 2·(x + 3x) in a residual whose shortcut is one.
    fn nested() -> Sequential {
        let times = |factor: f64| -> Box<dyn Layer> {
            let layer = Dense::new(1, 1).without_bias().initializer(Initializer::Zeros);
            let mut layer = layer.to(Device::Reference);
            layer.variables_mut()[0].tensor.assign(Tensor::full(factor, [1, 1], Device::Reference));
            Box::new(layer)
        };
        let inner: Box<dyn Layer> = Box::new(Residual::new(vec![times(3.0)], vec![]));
        Sequential::new(vec![Box::new(Residual::new(vec![Box::new(Activation::Relu)], vec![inner, times(2.0)]))])
    }

    #[test]
    fn both_branches_are_added_at_any_depth() {
        let mut network = nested();
        let x = Tensor::new(&[1.0, -1.0], [2, 1], Device::Reference);
        assert_eq!(network.predict(&x).to_f64(), [9.0, -8.0]);
    }

    #[test]
    fn names_say_where_a_variable_is() {
        let mut network = nested();
        let names = ["layers.1.shortcut.1.layers.1.kernel", "layers.1.shortcut.2.kernel"];
        assert_eq!(network.named().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
        assert_eq!(network.named_mut().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
        assert_eq!(network.parameters().len(), 2);
    }

    /// The masks of the two branches are drawn one after the other, not twice alike.
    #[test]
    fn branches_drop_other_values() {
        let drop = || -> Vec<Box<dyn Layer>> { vec![Box::new(Dropout { rate: 0.5 })] };
        let mut network = Residual::new(drop(), drop());
        let mut random = Random::new(0, Purpose::CHECK);
        let y = network.forward(&Tensor::ones([64], Device::Cpu), &mut Pass::training(&mut random)).to_f32();
        assert!([0.0, 2.0, 4.0].iter().all(|value| y.contains(value)), "{y:?}");
    }
}
