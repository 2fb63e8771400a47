//! A game of two bells, and what the generator's losses make of the discriminator's output.

use crate::canvas::{Axes, BLUE, Canvas, FAINT, GREEN, INK, RED, SMALL, Side, TEXT, number};
use minimax::gan::loss::Loss;
use minimax::recipe::Recipe;
use minimax::{Device, Tensor, grad, ops};

fn loss(name: &str) -> Loss {
    Loss::of(&Recipe::load("dcgan-mnist", &[format!("training.loss={name}")]).expect("a recipe that comes along"))
}

/// The generator's loss where D's output on its image is `output`, and the slope there.
fn of_generator(loss: &Loss, output: f64) -> [f64; 2] {
    let fake = Tensor::new(&[output], [1, 1], Device::Reference).parameter();
    let value = loss.generator(&fake.detach(), &fake);
    [value.item(), grad(&value, &[&fake], false)[0].item()]
}

const LOSSES: [(&str, plotters::style::RGBColor); 4] =
    [("minimax", RED), ("bce", BLUE), ("least_squares", GREEN), ("hinge", FAINT)];

pub fn losses(canvas: &mut Canvas) {
    let values = Axes { x: [-6.0, 4.0], y: [-6.0, 8.0], at: (90, 150), size: (480, 560) };
    let slopes = Axes { x: [-6.0, 4.0], y: [-3.0, 1.0], at: (690, 150), size: (480, 560) };
    let labels = |from: i32, to: i32, step: usize| -> Vec<(f64, String)> {
        (from..=to).step_by(step).map(|v| (f64::from(v), number(f64::from(v)))).collect()
    };
    values.draw(canvas, &labels(-6, 4, 2), &labels(-6, 8, 2));
    slopes.draw(canvas, &labels(-6, 4, 2), &labels(-3, 1, 1));
    for (name, color) in LOSSES {
        let loss = loss(name);
        let outputs = (-120..=80).map(|i| f64::from(i) / 20.0);
        let found: Vec<_> = outputs.map(|output| (output, of_generator(&loss, output))).collect();
        for (which, axes) in [&values, &slopes].into_iter().enumerate() {
            let inside = found.iter().filter(|(_, both)| (axes.y[0]..=axes.y[1]).contains(&both[which]));
            let points: Vec<_> = inside.map(|(output, both)| axes.place(*output, both[which])).collect();
            canvas.line(&points, 6, color);
        }
    }
    canvas.text((90, 44), Side::Left, TEXT, RED, "minimax");
    canvas.text((300, 44), Side::Left, TEXT, BLUE, "non-saturating");
    canvas.text((600, 44), Side::Left, TEXT, GREEN, "least squares");
    canvas.text((880, 44), Side::Left, TEXT, FAINT, "hinge, critic");
    canvas.text((90, 106), Side::Left, SMALL, INK, "the generator's loss");
    canvas.text((690, 106), Side::Left, SMALL, INK, "its slope");
    canvas.text((330, 806), Side::Middle, SMALL, INK, "output of D on a fake");
    canvas.text((930, 806), Side::Middle, SMALL, INK, "output of D on a fake");
}

/// The density of a normal distribution about `mean` with variance 1.
fn density(mean: f64, x: f64) -> f64 {
    libm::exp(-(x - mean) * (x - mean) / 2.0) / (2.0 * std::f64::consts::PI).sqrt()
}

/// D's best logit at each of `places`, found by Newton's method on its loss there, a sum over both distributions.
fn best_logits(places: &[f64]) -> Tensor {
    let weights = |mean| {
        let values: Vec<f64> = places.iter().map(|&x| density(mean, x)).collect();
        Tensor::new(&values, [places.len()], Device::Reference)
    };
    let (p, q) = (weights(1.0), weights(-1.0));
    let mut logits = Tensor::zeros([places.len()], Device::Reference);
    for _ in 0..200 {
        logits = logits.detach().parameter();
        let loss = ops::sum(&(&p * ops::softplus(&ops::neg(&logits)) + &q * ops::softplus(&logits)), &[0]);
        let first = grad(&loss, &[&logits], true).remove(0);
        let second = grad(&ops::sum(&first, &[0]), &[&logits], false).remove(0);
        logits = &logits - 0.2 * &(first / second);
    }
    logits.detach()
}

pub fn game(canvas: &mut Canvas) {
    let above = Axes { x: [-4.0, 4.0], y: [0.0, 1.0], at: (110, 130), size: (1050, 360) };
    let below = Axes { x: [-4.0, 4.0], y: [0.0, 2.0], at: (110, 640), size: (1050, 360) };
    let xs: Vec<_> = (-4..=4).map(|x| (f64::from(x), number(f64::from(x)))).collect();
    let ys = |values: &[f64]| -> Vec<_> { values.iter().map(|&v| (v, number(v))).collect() };
    above.draw(canvas, &xs, &ys(&[0.0, 0.5, 1.0]));
    below.draw(canvas, &xs, &ys(&[0.0, 1.0, 2.0]));
    let places: Vec<f64> = (-80..=80).map(|i| f64::from(i) / 20.0).collect();
    let logits = best_logits(&places);
    let best = ops::sigmoid(&logits).to_f64();
    for (mean, color) in [(1.0, GREEN), (-1.0, RED)] {
        let bell: Vec<_> = places.iter().map(|&x| above.place(x, density(mean, x))).collect();
        canvas.line(&bell, 5, color);
    }
    let curve: Vec<_> = places.iter().zip(&best).map(|(&x, &d)| above.place(x, d)).collect();
    canvas.line(&curve, 6, BLUE);
    // Along x, D's best logit rises by 2 with each unit.
    for (name, color) in [("minimax", RED), ("bce", BLUE)] {
        let loss = loss(name);
        let pulls = places.iter().zip(logits.to_f64()).map(|(&x, logit)| {
            let [_, slope] = of_generator(&loss, logit);
            below.place(x, -2.0 * slope)
        });
        canvas.line(&pulls.collect::<Vec<_>>(), 6, color);
    }
    canvas.text((110, 44), Side::Left, TEXT, GREEN, "p, real");
    canvas.text((330, 44), Side::Left, TEXT, RED, "q, generated");
    canvas.text((650, 44), Side::Left, TEXT, BLUE, "the best D");
    canvas.text((110, 594), Side::Left, SMALL, INK, "pull on a sample:");
    canvas.text((400, 594), Side::Left, SMALL, RED, "minimax");
    canvas.text((560, 594), Side::Left, SMALL, BLUE, "non-saturating");
    canvas.text((635, 1090), Side::Middle, SMALL, INK, "x");
}
