//! The discriminator's output at any place where samples might be, and the direction in which the generator is pushed
//! there. If samples are points of the plane, both can be shown on a map.

use super::model::Gan;
use crate::autograd::grad;
use crate::nn::{Layer, Pass};
use crate::ops::neg;
use crate::tensor::Tensor;

impl Gan {
    /// D(x) at each of `x` `[n, ...]`, with running statistics and without dropout: a probability if the loss is a
    /// cross-entropy, else D's output itself.
    pub fn outputs_at(&mut self, x: &Tensor) -> Vec<f64> {
        let output = self.discriminator.predict(x);
        self.loss.outputs(&output)
    }

    /// -∂L/∂x at each of `x` `[n, ...]`, for the generator's loss L of these samples: the direction in which a small
    /// step of a sample lowers L the most. D runs as in [`Gan::outputs_at`].
    pub fn pull_at(&mut self, x: &Tensor) -> Tensor {
        let x = x.detach().parameter();
        let output = self.discriminator.forward(&x, &mut Pass::evaluation());
        let gradient = grad(&self.loss.generator(&output.detach(), &output), &[&x], false);
        neg(&gradient[0])
    }
}

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;
    use crate::storage::Device;
    use crate::tensor::Tensor;

    /// A small step along the pull lowers the generator's loss by its length times the step's.
    #[test]
    fn a_step_along_the_pull_lowers_the_loss_as_its_length_says() {
        let recipe = Recipe::load("ring-2d", &[]).unwrap();
        let mut gan = super::Gan::new(&recipe, Device::Reference);
        let x = Tensor::new(&[0.5, -1.0, 2.0, 0.25, -1.5, 1.0], [3, 2], Device::Reference);
        let pull = gan.pull_at(&x);
        let step = 1e-5;
        let loss = |gan: &mut super::Gan, x: &Tensor| {
            let probabilities = gan.outputs_at(x);
            -probabilities.iter().map(|&p| libm::log(p)).sum::<f64>() / 3.0
        };
        let change = loss(&mut gan, &(&x + step * &pull)) - loss(&mut gan, &(&x - step * &pull));
        let square: f64 = pull.to_f64().iter().map(|v| v * v).sum();
        assert!(square > 0.0 && (change / (2.0 * step) + square).abs() < 1e-6 * square, "{change} {square}");
    }
}
