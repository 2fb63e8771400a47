//! How far a difference quotient is from the derivative, step by step.

use crate::canvas::{Axes, BLUE, Canvas, FAINT, GREEN, INK, RED, SMALL, Side, TEXT, power};
use minimax::{Device, Tensor, grad, ops};

/// The function whose slope at 1 is looked for.
fn f(x: f64, device: Device) -> f64 {
    ops::exp(&Tensor::new(&[x], [], device)).item()
}

/// The relative errors of a quotient with steps h from 10^`smallest` to 1, as (log10 h, log10 error).
fn errors(smallest: i32, exact: f64, quotient: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let steps = (4 * smallest..=0).map(|quarter| f64::from(quarter) / 4.0);
    let found = steps.map(|power| {
        let error = (quotient(libm::pow(10.0, power)) / exact - 1.0).abs();
        (power, libm::log10(error))
    });
    found.filter(|(_, error)| error.is_finite()).collect()
}

pub fn differences(canvas: &mut Canvas) {
    let x = Tensor::new(&[1.0], [], Device::Reference).parameter();
    let exact = grad(&ops::exp(&x), &[&x], false)[0].item();
    let forward = |h: f64| (f(1.0 + h, Device::Reference) - f(1.0, Device::Reference)) / h;
    let central = |device| move |h: f64| (f(1.0 + h, device) - f(1.0 - h, device)) / (2.0 * h);

    let axes = Axes { x: [-15.0, 0.0], y: [-12.0, 1.0], at: (130, 150), size: (1030, 580) };
    let ticks = |exponents: &[i32]| -> Vec<(f64, String)> {
        exponents.iter().map(|&exponent| (f64::from(exponent), power(exponent))).collect()
    };
    axes.draw(canvas, &ticks(&[-15, -12, -9, -6, -3, 0]), &ticks(&[-12, -9, -6, -3, 0]));
    canvas.dashes(axes.place(-5.0, axes.y[0]), axes.place(-5.0, axes.y[1]), INK);
    let curves = [
        (errors(-15, exact, forward), FAINT),
        (errors(-7, exact, central(Device::Cpu)), RED),
        (errors(-15, exact, central(Device::Reference)), BLUE),
    ];
    for (points, color) in curves {
        let points: Vec<_> = points.into_iter().map(|(h, error)| axes.place(h, error.max(axes.y[0]))).collect();
        canvas.dotted(&points, 7, color);
    }
    canvas.text((130, 44), Side::Left, TEXT, BLUE, "both sides, f64");
    canvas.text((480, 44), Side::Left, TEXT, FAINT, "one side, f64");
    canvas.text((810, 44), Side::Left, TEXT, RED, "both sides, f32");
    canvas.text((130, 106), Side::Left, SMALL, INK, "relative error of the slope of eˣ at 1");
    canvas.text((1160, 106), Side::Right, SMALL, GREEN, "dashes: the project's h");
    canvas.text((645, 826), Side::Middle, SMALL, INK, "step h");
}
