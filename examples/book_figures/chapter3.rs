//! A function and its first two derivatives, each the gradient of the one before.

use crate::canvas::{Axes, BLUE, Canvas, GREEN, INK, RED, Side, TEXT, number};
use minimax::{Device, Tensor, grad, ops};

pub fn bell(canvas: &mut Canvas) {
    let xs: Vec<f64> = (-150..=150).map(|i| f64::from(i) / 50.0).collect();
    let x = Tensor::new(&xs, [xs.len()], Device::Reference).parameter();
    let f = ops::exp(&-ops::square(&x));
    let first = grad(&ops::sum(&f, &[0]), &[&x], true).remove(0);
    let second = grad(&ops::sum(&first, &[0]), &[&x], true).remove(0);

    let axes = Axes { x: [-3.0, 3.0], y: [-2.2, 1.4], at: (110, 90), size: (1050, 590) };
    let ticks = |values: &[f64]| -> Vec<(f64, String)> { values.iter().map(|&v| (v, number(v))).collect() };
    axes.draw(canvas, &ticks(&[-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]), &ticks(&[-2.0, -1.0, 0.0, 1.0]));
    // Where the slope is steepest the second derivative passes through 0.
    for side in [-1.0, 1.0] {
        let x = side * std::f64::consts::FRAC_1_SQRT_2;
        canvas.dashes(axes.place(x, axes.y[0]), axes.place(x, axes.y[1]), INK);
    }
    for (values, color) in [(&f, BLUE), (&first, GREEN), (&second, RED)] {
        let points: Vec<_> = xs.iter().zip(values.to_f64()).map(|(&x, y)| axes.place(x, y)).collect();
        canvas.line(&points, 6, color);
    }
    canvas.text((110, 44), Side::Left, TEXT, BLUE, "f = e^(−x²)");
    canvas.text((450, 44), Side::Left, TEXT, GREEN, "f′ = grad of f");
    canvas.text((810, 44), Side::Left, TEXT, RED, "f″ = grad of f′");
}
