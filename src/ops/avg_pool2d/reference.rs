//! Every value of every window is met once, after those of each window have been counted.

use crate::ops::max_pool2d::reference::for_each_pixel;
use crate::shape::Conv2dGeometry;

/// The mean of each window of x.
pub fn avg_pool(x: &[f64], g: &Conv2dGeometry) -> Vec<f64> {
    let mut y = vec![0.0; g.output().numel()];
    for_each_pixel(g, |xi, yi| y[yi] += x[xi]);
    y.into_iter().zip(counts(g)).map(|(sum, count)| sum / count).collect()
}

/// Each of `grad`, a value for each window, spread evenly over the pixels of its window.
pub fn avg_pool_grad(grad: &[f64], g: &Conv2dGeometry) -> Vec<f64> {
    let counts = counts(g);
    let mut x = vec![0.0; g.input().numel()];
    for_each_pixel(g, |xi, yi| x[xi] += grad[yi] / counts[yi]);
    x
}

/// The number of pixels that each window has inside the image.
fn counts(g: &Conv2dGeometry) -> Vec<f64> {
    let mut counts = vec![0.0; g.output().numel()];
    for_each_pixel(g, |_, yi| counts[yi] += 1.0);
    counts
}
