//! How a shape says where a value lies.

use crate::canvas::{BLUE, Canvas, FAINT, GREEN, INK, Point, RED, SMALL, Side, TEXT, number};
use minimax::{Device, Shape, Tensor, ops};
use plotters::style::RGBColor;

const CELL: (i32, i32) = (110, 80);
const ROWS: [RGBColor; 2] = [RGBColor(214, 230, 248), RGBColor(253, 230, 205)];

/// A table of `values` [2, 3], a colour for each row.
fn table(canvas: &mut Canvas, at: Point, values: &[f64], colors: [RGBColor; 2]) {
    for (k, &value) in values.iter().enumerate() {
        let (i, j) = (k as i32 / 3, k as i32 % 3);
        canvas.cell((at.0 + j * CELL.0, at.1 + i * CELL.1), CELL, colors[k / 3], &number(value));
    }
    for j in 0..3 {
        canvas.text((at.0 + j * CELL.0 + CELL.0 / 2, at.1 - 26), Side::Middle, SMALL, FAINT, &format!("j = {j}"));
    }
    for i in 0..2 {
        let y = at.1 + i * CELL.1 + CELL.1 / 2;
        canvas.text((at.0 - 16, y), Side::Right, SMALL, FAINT, &format!("i = {i}"));
    }
}

/// A row of memory with the number of each place below it.
fn memory(canvas: &mut Canvas, at: Point, values: &[f64], color: impl Fn(usize) -> RGBColor) {
    for (k, &value) in values.iter().enumerate() {
        let x = at.0 + k as i32 * CELL.0;
        canvas.cell((x, at.1), CELL, color(k), &number(value));
        canvas.text((x + CELL.0 / 2, at.1 + CELL.1 + 28), Side::Middle, SMALL, FAINT, &k.to_string());
    }
}

/// A step along memory, from the middle of one place to that of another, above the row.
fn step(canvas: &mut Canvas, row: Point, from: i32, to: i32, color: RGBColor, label: &str) {
    let height = 60;
    let x = |place: i32| row.0 + place * CELL.0 + CELL.0 / 2;
    canvas.line(&[(x(from), row.1 - 10), (x(from), row.1 - height)], 4, color);
    canvas.line(&[(x(from), row.1 - height), (x(to), row.1 - height)], 4, color);
    canvas.arrow((x(to), row.1 - height), (x(to), row.1 - 6), 4, color);
    canvas.text(((x(from) + x(to)) / 2, row.1 - height - 24), Side::Middle, SMALL, color, label);
}

pub fn strides(canvas: &mut Canvas) {
    let x = Tensor::new(&[10.0, 11.0, 12.0, 20.0, 21.0, 22.0], [2, 3], Device::Reference);
    let [down, along, ..] = x.shape().strides();
    canvas.text((40, 50), Side::Left, TEXT, INK, "x, of shape [2, 3]");
    table(canvas, (150, 150), &x.to_f64(), ROWS);

    canvas.text((600, 190), Side::Left, TEXT, INK, "x[i, j] lies at");
    canvas.text((600, 250), Side::Left, TEXT, GREEN, &format!("{down} · i"));
    canvas.text((710, 250), Side::Left, TEXT, INK, "+");
    canvas.text((750, 250), Side::Left, TEXT, RED, &format!("{along} · j"));

    let row = (150, 500);
    canvas.text((40, 390), Side::Left, TEXT, INK, "in memory");
    memory(canvas, row, &x.to_f64(), |k| ROWS[k / 3]);
    step(canvas, row, 0, down as i32, GREEN, &format!("one down: + {down}"));
    step(canvas, row, 4, 4 + along as i32, RED, &format!("one along: + {along}"));
}

pub fn broadcast(canvas: &mut Canvas) {
    let b = Tensor::new(&[7.0, 8.0, 9.0], [3], Device::Reference);
    let whole = Shape::new(&[2, 3]);
    let [down, along, ..] = b.shape().broadcast_strides(whole);
    let color = ROWS[0];

    canvas.text((40, 50), Side::Left, TEXT, INK, "b, of shape [3]");
    memory(canvas, (150, 110), &b.to_f64(), |_| color);

    canvas.text((40, 300), Side::Left, TEXT, INK, "stretched to [2, 3]");
    table(canvas, (150, 380), &ops::broadcast_to(&b, whole).to_f64(), [color; 2]);

    canvas.text((600, 400), Side::Left, TEXT, INK, "b[i, j] is read at");
    canvas.text((600, 460), Side::Left, TEXT, GREEN, &format!("{down} · i"));
    canvas.text((710, 460), Side::Left, TEXT, INK, "+");
    canvas.text((750, 460), Side::Left, TEXT, RED, &format!("{along} · j"));
    canvas.text((600, 130), Side::Left, SMALL, BLUE, "three numbers in memory,");
    canvas.text((600, 175), Side::Left, SMALL, BLUE, "each read once for every i");
}
