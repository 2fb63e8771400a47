//! Layers with their names, as a network holds them.

use super::{Layer, Sequential, Variable, within};
use crate::tensor::Tensor;

/// A layer, and what it is called within its network.
pub(super) struct Named {
    /// Without one it is called by its number, counted from 1.
    pub name: Option<String>,
    pub layer: Box<dyn Layer>,
}

/// `layers`, called by their numbers.
pub(super) fn numbered(layers: Vec<Box<dyn Layer>>) -> Vec<Named> {
    layers.into_iter().map(|layer| Named { name: None, layer }).collect()
}

/// The variables of `layers`: `3.kernel`, or `conv.kernel`.
pub(super) fn variables(layers: &[Named]) -> Vec<Variable<&Tensor>> {
    let mut all = Vec::new();
    for (i, Named { name, layer }) in layers.iter().enumerate() {
        let number = (i + 1).to_string();
        all.extend(within(name.as_deref().unwrap_or(&number), layer.variables()));
    }
    all
}

/// As [`variables`], to be changed.
pub(super) fn variables_mut(layers: &mut [Named]) -> Vec<Variable<&mut Tensor>> {
    let mut all = Vec::new();
    for (i, Named { name, layer }) in layers.iter_mut().enumerate() {
        let number = (i + 1).to_string();
        all.extend(within(name.as_deref().unwrap_or(&number), layer.variables_mut()));
    }
    all
}

impl Sequential {
    /// Every tensor, parameters and statistics, by its name within a model: `layers.3.kernel`, layers counted from 1. What
    /// is inside of a residual has the path to it: `layers.3.shortcut.1.kernel`.
    pub fn named(&self) -> Vec<(String, &Tensor)> {
        let variables = within("layers", variables(&self.layers));
        variables.map(|v| (v.name.into_owned(), v.tensor)).collect()
    }

    /// As [`Sequential::named`], to be changed.
    pub fn named_mut(&mut self) -> Vec<(String, &mut Tensor)> {
        let variables = within("layers", variables_mut(&mut self.layers));
        variables.map(|v| (v.name.into_owned(), v.tensor)).collect()
    }
}
