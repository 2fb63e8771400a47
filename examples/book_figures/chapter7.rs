//! Where weights start, and how far Adam steps.

use crate::canvas::{Axes, BLUE, Canvas, FAINT, GREEN, INK, RED, SMALL, Side, TEXT, power};
use minimax::nn::Initializer;
use minimax::optim::{Adam, EpsilonPlacement, Optimizer, WeightDecay};
use minimax::random::{Purpose, Random};
use minimax::{Device, Tensor, ops};

/// log10 of the mean square of what goes into and comes out of each of thirty dense layers with ReLU.
fn mean_squares(initializer: Initializer) -> Vec<f64> {
    const UNITS: usize = 128;
    const BATCH: usize = 32;
    let mut random = Random::new(5, Purpose::CHECK);
    let mut x = Tensor::new(&random.normal(BATCH * UNITS), [BATCH, UNITS], Device::Reference);
    let mut found = Vec::new();
    for _ in 0..=30 {
        found.push(libm::log10(ops::mean(&ops::square(&x), &[0, 1]).item()));
        let w = initializer.sample([UNITS, UNITS].into(), &mut random, Device::Reference);
        x = ops::relu(&ops::matmul(&x, &w, ops::Transpose::NONE));
    }
    found
}

pub fn signal(canvas: &mut Canvas) {
    let axes = Axes { x: [0.0, 30.0], y: [-21.0, 1.0], at: (130, 150), size: (1030, 560) };
    let layers: Vec<_> = [0, 10, 20, 30].map(|layer| (f64::from(layer), layer.to_string())).into();
    let sizes: Vec<_> = [-20, -15, -10, -5, 0].map(|exponent| (f64::from(exponent), power(exponent))).into();
    axes.draw(canvas, &layers, &sizes);
    for (initializer, color) in
        [(Initializer::HeNormal, BLUE), (Initializer::GlorotNormal, GREEN), (Initializer::Normal { stddev: 0.02 }, RED)]
    {
        let found = mean_squares(initializer).into_iter().enumerate();
        let shown = found.take_while(|(_, size)| *size > axes.y[0]);
        let points: Vec<_> = shown.map(|(layer, size)| axes.place(layer as f64, size)).collect();
        canvas.dotted(&points, 7, color);
    }
    canvas.text((130, 44), Side::Left, TEXT, BLUE, "He");
    canvas.text((330, 44), Side::Left, TEXT, GREEN, "Glorot");
    canvas.text((600, 44), Side::Left, TEXT, RED, "0.02, whatever the layer");
    canvas.text((130, 106), Side::Left, SMALL, INK, "mean square of the values after each layer");
    canvas.text((645, 806), Side::Middle, SMALL, INK, "layer");
}

/// The size of Adam's step number `t` at a gradient that is always `gradient`, in units of the learning rate.
fn step(gradient: f64, epsilon_placement: EpsilonPlacement, t: usize) -> f64 {
    let weight_decay = WeightDecay::L2(0.0);
    let rule = Adam { learning_rate: 1.0, betas: [0.9, 0.999], epsilon: 1e-7, epsilon_placement, weight_decay };
    let mut p = Tensor::zeros([1], Device::Reference).parameter();
    let mut optimizer = Optimizer::new(Box::new(rule), &[&p]);
    let gradient = Tensor::new(&[gradient], [1], Device::Reference);
    let mut before = 0.0;
    for _ in 0..t {
        before = p.item();
        optimizer.step(vec![&mut p], std::slice::from_ref(&gradient));
    }
    before - p.item()
}

pub fn adam(canvas: &mut Canvas) {
    let axes = Axes { x: [-10.0, -3.0], y: [0.0, 1.1], at: (130, 150), size: (1030, 560) };
    let gradients: Vec<_> = (-10..=-3).map(|exponent| (f64::from(exponent), power(exponent))).collect();
    let steps: Vec<_> = [(0.0, "0"), (0.5, "½ α"), (1.0, "α")].map(|(at, label)| (at, label.to_string())).into();
    axes.draw(canvas, &gradients, &steps);
    for (placement, t, color) in
        [(EpsilonPlacement::Keras, 5000, FAINT), (EpsilonPlacement::Paper, 1, BLUE), (EpsilonPlacement::Keras, 1, RED)]
    {
        let exponents = (-100..=-30).map(|tenth| f64::from(tenth) / 10.0);
        let places = exponents.map(|exponent| {
            let size = step(libm::pow(10.0, exponent), placement, t);
            axes.place(exponent, size)
        });
        canvas.line(&places.collect::<Vec<_>>(), if t == 1 { 6 } else { 14 }, color);
    }
    canvas.dashes(axes.place(-6.0, axes.y[0]), axes.place(-6.0, axes.y[1]), INK);
    canvas.text((130, 44), Side::Left, TEXT, BLUE, "paper, PyTorch");
    canvas.text((530, 44), Side::Left, TEXT, RED, "Keras, step 1");
    canvas.text((870, 44), Side::Left, TEXT, FAINT, "Keras, step 5000");
    canvas.text((130, 106), Side::Left, SMALL, INK, "size of a step; dashes: the example, a gradient of 10⁻⁶");
    canvas.text((645, 806), Side::Middle, SMALL, INK, "size of the gradient");
}
