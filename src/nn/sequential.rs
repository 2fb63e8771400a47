//! Layers one after the other.

use super::{Layer, Pass, Variable, fusion};
use crate::tensor::Tensor;
use std::ops::Range;

/// A network whose layers are applied in order.
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
}

impl Sequential {
    /// The network of these layers.
    pub fn new(layers: Vec<Box<dyn Layer>>) -> Sequential {
        Sequential { layers }
    }

    /// The output for a batch `x`, whose first axis is the batch.
    ///
    /// # Panics
    /// If the shape of `x` is not one that the first layer takes.
    pub fn forward(&mut self, x: &Tensor, mut pass: Pass) -> Tensor {
        fusion::forward(&mut self.layers, x, &mut pass)
    }

    /// As [`Sequential::forward`], of `layers` alone, counted from 0.
    ///
    /// # Panics
    /// If there are fewer, or the shape of `x` is not one that the first of them takes.
    pub fn forward_layers(&mut self, layers: Range<usize>, x: &Tensor, mut pass: Pass) -> Tensor {
        fusion::forward(&mut self.layers[layers], x, &mut pass)
    }

    /// What the optimiser changes, in order.
    pub fn parameters(&self) -> Vec<&Tensor> {
        let variables = self.layers.iter().flat_map(|layer| layer.variables());
        variables.filter(|v| v.trainable).map(|v| v.tensor).collect()
    }

    /// As [`Sequential::parameters`], to be changed.
    pub fn parameters_mut(&mut self) -> Vec<&mut Tensor> {
        let variables = self.layers.iter_mut().flat_map(|layer| layer.variables_mut());
        variables.filter(|v| v.trainable).map(|v| v.tensor).collect()
    }

    /// Every tensor, parameters and statistics, by its name: `layers.3.kernel`, layers counted from 1. What is inside of a
    /// residual has the path to it: `layers.3.shortcut.1.kernel`.
    pub fn named(&self) -> Vec<(String, &Tensor)> {
        let variables = numbered("layers", self.layers.iter().map(|layer| layer.variables()));
        variables.into_iter().map(|v| (v.name.into_owned(), v.tensor)).collect()
    }

    /// As [`Sequential::named`], to be changed.
    pub fn named_mut(&mut self) -> Vec<(String, &mut Tensor)> {
        let variables = numbered("layers", self.layers.iter_mut().map(|layer| layer.variables_mut()));
        variables.into_iter().map(|v| (v.name.into_owned(), v.tensor)).collect()
    }
}

/// The variables of `layers`, which are called `name`: `name.3.kernel`, layers counted from 1.
pub(super) fn numbered<T>(name: &str, layers: impl Iterator<Item = Vec<Variable<T>>>) -> Vec<Variable<T>> {
    let mut all = Vec::new();
    for (i, variables) in layers.enumerate() {
        all.extend(
            variables.into_iter().map(|v| Variable { name: format!("{name}.{}.{}", i + 1, v.name).into(), ..v }),
        );
    }
    all
}
