//! What of a gradient gets through batch normalisation.

use crate::canvas::{Axes, BLUE, Canvas, FAINT, INK, RED, SMALL, Side, TEXT, number};
use minimax::random::{Purpose, Random};
use minimax::{Device, Tensor, grad, ops};

pub fn residuals(canvas: &mut Canvas) {
    const COUNT: usize = 14;
    let mut random = Random::new(11, Purpose::CHECK);
    let mut column = || random.normal(COUNT);
    let x = Tensor::new(&column(), [COUNT, 1], Device::Reference).parameter();
    let noise = Tensor::new(&column(), [COUNT, 1], Device::Reference);
    let [one, zero] = [1.0, 0.0].map(|value| Tensor::full(value, [1], Device::Reference));
    let normalised = ops::batch_norm(&x, &one, &zero, 0.0);
    let cotangents = 0.6 * normalised.y.detach() + 0.4 * noise + 0.5;
    let loss = ops::sum(&(&normalised.y * &cotangents), &[0, 1]);
    let reached = grad(&loss, &[&x], false).remove(0).to_f64();
    // x̄ is the residual divided by s.
    let s = normalised.variance.item().sqrt();

    let axes = Axes { x: [-2.5, 2.5], y: [-1.6, 2.6], at: (110, 130), size: (1050, 560) };
    let ticks = |values: &[f64]| -> Vec<(f64, String)> { values.iter().map(|&v| (v, number(v))).collect() };
    axes.draw(canvas, &ticks(&[-2.0, -1.0, 0.0, 1.0, 2.0]), &ticks(&[-1.0, 0.0, 1.0, 2.0]));
    let points: Vec<(f64, f64)> = normalised.y.to_f64().into_iter().zip(cotangents.to_f64()).collect();
    for ((x, y), reached) in points.iter().zip(reached) {
        canvas.line(&[axes.place(*x, *y), axes.place(*x, y - s * reached)], 6, RED);
    }
    // The line with the height mean(ȳ) and the slope mean(ȳ x̂).
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / COUNT as f64;
    let (height, slope) = (mean(|(_, y)| *y), mean(|(x, y)| x * y));
    let end = |x: f64| axes.place(x, height + slope * x);
    canvas.line(&[end(-2.5), end(2.5)], 4, FAINT);
    points.iter().for_each(|&(x, y)| canvas.dot(axes.place(x, y), 11, BLUE));
    canvas.text((110, 44), Side::Left, TEXT, BLUE, "y\u{304}, value by value");
    canvas.text((1160, 44), Side::Right, TEXT, RED, "what reaches x");
    canvas.text((110, 98), Side::Left, SMALL, FAINT, "grey: mean(y\u{304}) + x\u{302} · mean(y\u{304} · x\u{302})");
    canvas.text((635, 785), Side::Middle, SMALL, INK, "x\u{302}");
}
