//! Where the largest value of each window lies is found first; all three ops follow from that.

use crate::shape::Conv2dGeometry;

/// The value of `values` at the place of the largest of each window of x: the largest ones themselves where `values` is
/// x.
pub fn pick(values: &[f64], x: &[f64], g: &Conv2dGeometry) -> Vec<f64> {
    places(x, g).into_iter().map(|place| values[place]).collect()
}

/// Zeros of x's shape with `grad`, a value for each window, added at the place of its largest.
pub fn place(grad: &[f64], x: &[f64], g: &Conv2dGeometry) -> Vec<f64> {
    let mut to = vec![0.0; x.len()];
    for (place, grad) in places(x, g).into_iter().zip(grad) {
        to[place] += grad;
    }
    to
}

/// The index into x of the largest value of each window: the first of those that tie, the last NaN if there is one.
fn places(x: &[f64], g: &Conv2dGeometry) -> Vec<usize> {
    let mut places = vec![usize::MAX; g.output().numel()];
    for_each_pixel(g, |xi, yi| {
        let place = &mut places[yi];
        if *place == usize::MAX || x[xi] > x[*place] || x[xi].is_nan() {
            *place = xi;
        }
    });
    places
}

/// Calls `f` with the indices into x and y of every value of every window, window by window, each row by row.
pub fn for_each_pixel(g: &Conv2dGeometry, mut f: impl FnMut(usize, usize)) {
    for n in 0..g.n {
        for oy in 0..g.out_h {
            for ox in 0..g.out_w {
                for row in g.input_rows(oy) {
                    for column in g.input_columns(ox) {
                        for c in 0..g.c_in {
                            let x = ((n * g.h + row) * g.w + column) * g.c_in + c;
                            let y = ((n * g.out_h + oy) * g.out_w + ox) * g.c_in + c;
                            f(x, y);
                        }
                    }
                }
            }
        }
    }
}
