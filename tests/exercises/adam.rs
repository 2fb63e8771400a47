//! By the engine's own.

use minimax::optim::{Adam as Engine, Part, UpdateRule};

#[derive(Clone, Copy, Debug)]
pub struct Adam {
    pub learning_rate: f64,
    pub betas: [f64; 2],
    pub epsilon: f64,
}

pub fn update(adam: &Adam, t: i32, p: &mut [f64], m: &mut [f64], v: &mut [f64], g: &[f64]) {
    // With ε where the paper has it.
    let rule = Engine { epsilon: adam.epsilon, ..Engine::new(adam.learning_rate).betas(adam.betas) };
    rule.reference(t as u64, Part { p, g, slots: [m, v] });
}
