//! Which input meets which output in a convolution, and what comes of that.

use crate::canvas::{BLUE, Canvas, FAINT, GREEN, INK, Point, RED, SMALL, Side, TEXT, number};
use minimax::{Device, Padding, Tensor, grad, ops};
use plotters::style::RGBColor;

const PALE: RGBColor = RGBColor(214, 230, 248);
const BLANK: RGBColor = RGBColor(247, 248, 250);

/// A row of numbers as an image of one row and one channel.
fn row(values: &[f64]) -> Tensor {
    Tensor::new(values, [1, 1, values.len(), 1], Device::Reference)
}

/// Weights `[1, k, 1, 1]`.
fn kernel(values: &[f64]) -> Tensor {
    Tensor::new(values, [1, values.len(), 1, 1], Device::Reference)
}

/// Zeros before and after a row.
fn sides(left: usize, right: usize) -> Padding {
    Padding { top: 0, bottom: 0, left, right }
}

/// Five inputs, three outputs: a line for each product, in the colour of its weight.
pub fn taps(canvas: &mut Canvas) {
    const CELL: (i32, i32) = (120, 84);
    let colors = [BLUE, RED, GREEN];
    let x = row(&[1.0, 2.0, 3.0, 4.0, 5.0]).parameter();
    let weights = [1.0, 2.0, 3.0];
    let y = ops::conv2d(&x, &kernel(&weights), [1, 2], sides(1, 1));

    let input = |i: usize| 120 + 240 * i as i32;
    let output = |o: usize| input(2 * o);
    let (top, bottom) = (130, 460);
    for o in 0..y.numel() {
        let one = ops::sum(&ops::slice(&y, &[0..1, 0..1, o..o + 1, 0..1]), &[0, 1, 2, 3]);
        // What output o says of each input is the weight between them, or 0.
        for (i, weight) in grad(&one, &[&x], false)[0].to_f64().into_iter().enumerate() {
            if let Some(tap) = weights.iter().position(|&w| w == weight) {
                let end = output(o) + 30 * (tap as i32 - 1);
                canvas.arrow((input(i), top + CELL.1 + 4), (end, bottom - 6), 5, colors[tap]);
            }
        }
    }
    for (i, value) in x.to_f64().into_iter().enumerate() {
        canvas.cell((input(i) - CELL.0 / 2, top), CELL, PALE, &number(value));
        canvas.text((input(i), top - 28), Side::Middle, SMALL, FAINT, &format!("x{}", subscript(i)));
    }
    for (o, value) in y.to_f64().into_iter().enumerate() {
        canvas.cell((output(o) - CELL.0 / 2, bottom), CELL, BLANK, &number(value));
        canvas.text((output(o), bottom + CELL.1 + 30), Side::Middle, SMALL, FAINT, &format!("y{}", subscript(o)));
    }
    for (tap, weight) in weights.into_iter().enumerate() {
        let label = format!("w{} = {}", subscript(tap), number(weight));
        canvas.text((120 + 330 * tap as i32, 44), Side::Left, TEXT, colors[tap], &label);
    }
}

fn subscript(digit: usize) -> char {
    ['₀', '₁', '₂', '₃', '₄', '₅', '₆', '₇', '₈', '₉'][digit]
}

/// One pixel through a transposed convolution, padded as TensorFlow and as PyTorch do.
pub fn shift(canvas: &mut Canvas) {
    const CELL: (i32, i32) = (108, 80);
    let x = row(&[0.0, 0.0, 1.0, 0.0]);
    let w = kernel(&[1.0, 2.0, 3.0, 4.0, 5.0]);
    let cells = |canvas: &mut Canvas, at: Point, values: Vec<f64>| {
        for (k, value) in values.into_iter().enumerate() {
            let fill = if value == 0.0 { BLANK } else { PALE };
            canvas.cell((at.0 + k as i32 * CELL.0, at.1), CELL, fill, &number(value));
        }
    };
    canvas.text((60, 44), Side::Left, TEXT, INK, "x: one pixel of four");
    cells(canvas, (60, 84), x.to_f64());
    let same = Padding::same([1, 8], [1, 5], [1, 2]);
    for (k, (padding, name)) in
        [(same, "Keras: `same`, so 1 before and 2 after"), (sides(2, 2), "PyTorch: padding = 2, output_padding = 1")]
            .into_iter()
            .enumerate()
    {
        let y = 230 + 165 * k as i32;
        canvas.text((60, y), Side::Left, TEXT, [BLUE, RED][k], &name.replace('`', ""));
        cells(canvas, (60, y + 40), ops::conv_transpose2d(&x, &w, [1, 8], [1, 2], padding).to_f64());
    }
}

/// How many products each output of a transposed convolution is the sum of.
pub fn checkerboard(canvas: &mut Canvas) {
    const CELL: i32 = 52;
    for (k, size) in [5, 4].into_iter().enumerate() {
        let x = Tensor::ones([1, 5, 5, 1], Device::Reference);
        let w = Tensor::ones([size, size, 1, 1], Device::Reference);
        let same = Padding::same([10, 10], [size, size], [2, 2]);
        let counts = ops::conv_transpose2d(&x, &w, [10, 10], [2, 2], same).to_f64();
        let left = 60 + 580 * k as i32;
        canvas.text((left, 44), Side::Left, TEXT, INK, &format!("kernel {size} × {size}, stride 2"));
        for (at, count) in counts.into_iter().enumerate() {
            // From white for none to blue for nine.
            let tone = |dark: f64| (255.0 - (255.0 - dark) * count / 9.0).round() as u8;
            let (i, j) = (at as i32 / 10, at as i32 % 10);
            let corner = (left + j * CELL, 84 + i * CELL);
            canvas.area(corner, (CELL, CELL), RGBColor(tone(22.0), tone(90.0), tone(170.0)), BLANK);
            let color = if count > 5.0 { BLANK } else { INK };
            canvas.text((corner.0 + CELL / 2, corner.1 + CELL / 2), Side::Middle, 32, color, &number(count));
        }
    }
    canvas.text((60, 640), Side::Left, SMALL, FAINT, "how many products each output is the sum of");
}
