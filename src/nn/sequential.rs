//! Layers one after the other.

use super::named::{Named, variables, variables_mut};
use super::{Layer, Part, Pass, Variable, fusion, named};
use crate::storage::Device;
use crate::tensor::Tensor;
use std::ops::Range;

/// A network whose layers are applied in order. It is a [`Layer`] itself, so that one may be part of another.
///
/// ```
/// use minimax::nn::{Activation, Dense, Layer, Sequential};
///
/// let encoder = Sequential::default().add(Dense::new(8, 4)).add(Activation::Relu);
/// let network = Sequential::default().add_named("encoder", encoder).add(Dense::new(4, 1));
/// assert_eq!(network.variables()[0].name, "encoder.1.kernel");
/// ```
#[derive(Default)]
pub struct Sequential {
    pub(super) layers: Vec<Named>,
}

impl Sequential {
    /// The network of these layers.
    pub fn new(layers: Vec<Box<dyn Layer>>) -> Sequential {
        Sequential { layers: named::numbered(layers) }
    }

    /// The network with one more layer, whose variables are called by its number, counted from 1: `3.kernel`.
    #[expect(clippy::should_implement_trait, reason = "a network and a layer have no sum")]
    pub fn add(mut self, layer: impl Layer + 'static) -> Sequential {
        self.layers.push(Named { name: None, layer: Box::new(layer) });
        self
    }

    /// The network with one more layer, whose variables are called by `name`: `conv.kernel`.
    ///
    /// # Panics
    /// If `name` is empty, a number, has a dot in it, or is another layer's.
    #[track_caller]
    pub fn add_named(mut self, name: impl Into<String>, layer: impl Layer + 'static) -> Sequential {
        let name = name.into();
        let is_number = name.chars().all(|c| c.is_ascii_digit());
        assert!(!is_number && !name.contains('.'), "Sequential: a layer can't be called {name:?}");
        let is_taken = self.layers.iter().any(|layer| layer.name.as_ref() == Some(&name));
        assert!(!is_taken, "Sequential: two layers are called {name:?}");
        self.layers.push(Named { name: Some(name), layer: Box::new(layer) });
        self
    }

    /// How many layers it has.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether it has no layers; its output is then its input.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The output of some of the layers for a batch `x`: those in the range `layers`, counted from 0.
    ///
    /// # Panics
    /// If the range goes beyond the last layer, or the shape of `x` is not one that the first of them takes.
    #[track_caller]
    pub fn forward_layers(&mut self, layers: Range<usize>, x: &Tensor, pass: &mut Pass) -> Tensor {
        fusion::forward("Sequential", layers.start + 1, &mut self.layers[layers], x, pass)
    }
}

impl Layer for Sequential {
    #[track_caller]
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        fusion::forward("Sequential", 1, &mut self.layers, x, pass)
    }

    /// `1.kernel`, ..., or `conv.kernel` of a layer that is called `conv`.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        variables(&self.layers)
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        variables_mut(&mut self.layers)
    }

    /// Without making their names, as each step of training asks for them.
    fn parameters(&self) -> Vec<&Tensor> {
        self.layers.iter().flat_map(|Named { layer, .. }| layer.parameters()).collect()
    }

    fn parameters_mut(&mut self) -> Vec<&mut Tensor> {
        self.layers.iter_mut().flat_map(|Named { layer, .. }| layer.parameters_mut()).collect()
    }

    fn move_to(&mut self, device: Device) {
        self.layers.iter_mut().for_each(|Named { layer, .. }| layer.move_to(device));
    }

    fn parts(&self) -> Vec<Part> {
        self.layers.iter().flat_map(|Named { layer, .. }| layer.parts()).collect()
    }
}
