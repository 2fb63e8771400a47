//! What bounds a product, and how a panel of B lies in memory.

use crate::canvas::{Axes, BLUE, Canvas, FAINT, GREEN, INK, RED, RULE, SMALL, Side, TEXT, number};

/// The ladder's rungs on one thread, as docs/performance.md has them: GFLOP/s.
const RUNGS: [(&str, f64); 5] =
    [("definition", 1.5), ("along rows", 19.6), ("in blocks", 27.4), ("B packed", 50.3), ("gemm", 147.7)];

/// The limit of one thread on that machine, in GFLOP/s.
const LIMIT: f64 = 175.0;

pub fn ladder(canvas: &mut Canvas) {
    let axes = Axes { x: [0.0, 5.0], y: [0.0, 200.0], at: (130, 110), size: (1030, 540) };
    let ys: Vec<_> = [0.0, 50.0, 100.0, 150.0, 200.0].map(|rate| (rate, number(rate))).into();
    axes.draw(canvas, &[], &ys);
    for (i, (name, rate)) in RUNGS.into_iter().enumerate() {
        let middle = i as f64 + 0.5;
        let (left, top) = axes.place(middle - 0.3, rate);
        let (right, bottom) = axes.place(middle + 0.3, axes.y[0]);
        canvas.area((left, top), (right - left, bottom - top), if name == "gemm" { BLUE } else { RULE }, INK);
        let (across, _) = axes.place(middle, 0.0);
        canvas.text((across, top - 30), Side::Middle, SMALL, INK, &number(rate));
        canvas.text((across, bottom + 40), Side::Middle, SMALL, INK, name);
    }
    canvas.dashes(axes.place(0.0, LIMIT), axes.place(5.0, LIMIT), RED);
    canvas.text((130, 44), Side::Left, TEXT, INK, "GFLOP/s of one thread");
    canvas.text((620, 44), Side::Left, TEXT, RED, "dashes: the limit, 175");
}

/// A B of 4 rows and 8 columns, and the same in panels of 4 columns.
pub fn panels(canvas: &mut Canvas) {
    const CELL: i32 = 66;
    let colors = [plotters::style::RGBColor(205, 225, 245), plotters::style::RGBColor(250, 225, 205)];
    canvas.text((60, 44), Side::Left, TEXT, INK, "B: the number is the place in memory");
    for k in 0..4 {
        for j in 0..8 {
            let at = (330 + j * CELL, 90 + k * CELL);
            canvas.cell(at, (CELL, CELL), colors[(j / 4) as usize], &(k * 8 + j).to_string());
        }
        canvas.text((310, 90 + k * CELL + CELL / 2), Side::Right, SMALL, FAINT, &format!("k = {k}"));
    }
    canvas.text((60, 430), Side::Left, TEXT, INK, "packed: the same values, panel after panel");
    for place in 0..32 {
        let (panel, k, j) = (place / 16, place / 4 % 4, place % 4);
        let at = (60 + place % 16 * CELL, 480 + panel * (CELL + 30));
        canvas.cell(at, (CELL, CELL), colors[panel as usize], &(k * 8 + panel * 4 + j).to_string());
    }
    for k in 0..4 {
        canvas.text((60 + (4 * k + 2) * CELL, 720), Side::Middle, SMALL, GREEN, &format!("step {k}"));
    }
}
