//! The residual layer (He, Zhang, Ren and Sun, "Deep residual learning for image recognition", 2016): what its layers make
//! of x is added to x itself, or to what a shortcut makes of it,
//!
//! ```text
//! y = layers(x) + shortcut(x)
//! ```
//!
//! so that the gradient of y reaches x undiminished, however many such layers stand one on the other. What it holds may be
//! residual in turn.

use super::sequential::numbered;
use super::{Layer, Pass, Variable, fusion};
use crate::tensor::Tensor;

/// y = layers(x) + shortcut(x).
pub struct Residual {
    layers: Vec<Box<dyn Layer>>,
    shortcut: Vec<Box<dyn Layer>>,
}

impl Residual {
    /// The sum of what `layers` give, one after the other, and what `shortcut` gives, which is x where it has no layers.
    pub fn new(layers: Vec<Box<dyn Layer>>, shortcut: Vec<Box<dyn Layer>>) -> Residual {
        Residual { layers, shortcut }
    }
}

impl Layer for Residual {
    /// # Panics
    /// Also if the two shapes differ.
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let y = fusion::forward(&mut self.layers, x, pass);
        let shortcut = fusion::forward(&mut self.shortcut, x, pass);
        let [left, right] = [y.shape(), shortcut.shape()];
        assert!(left == right, "residual: its layers make {left} of x {}, its shortcut {right}", x.shape());
        y + shortcut
    }

    /// `layers.1.kernel`, ..., `shortcut.1.kernel`, ..., layers counted from 1.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let mut variables = numbered("layers", self.layers.iter().map(|layer| layer.variables()));
        variables.extend(numbered("shortcut", self.shortcut.iter().map(|layer| layer.variables())));
        variables
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let mut variables = numbered("layers", self.layers.iter_mut().map(|layer| layer.variables_mut()));
        variables.extend(numbered("shortcut", self.shortcut.iter_mut().map(|layer| layer.variables_mut())));
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Dense, Dropout, Initializer, Sequential};
    use crate::random::{Purpose, Random};
    use crate::storage::Device;

    /// x + 2·(x + 3x) in a residual whose shortcut is one.
    fn nested() -> Sequential {
        let mut random = Random::new(0, Purpose::CHECK);
        let mut times = |factor: f64| -> Box<dyn Layer> {
            let mut layer = Dense::new(1, 1, false, Initializer::Zeros, &mut random, Device::Reference);
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
        assert_eq!(network.forward(&x, Pass::evaluation()).to_f64(), [9.0, -8.0]);
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
