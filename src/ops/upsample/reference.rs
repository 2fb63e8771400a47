//! Every large pixel and the small one that it belongs to are met once.

/// `[n, h·f, w·f, c]` from x `[n, h, w, c]`.
pub fn upsample(x: &[f64], small: [usize; 4], factor: usize) -> Vec<f64> {
    let mut y = vec![0.0; x.len() * factor * factor];
    for_each_pair(small, factor, |xi, yi| y[yi] = x[xi]);
    y
}

/// `[n, h, w, c]` from the gradient `[n, h·f, w·f, c]`.
pub fn upsample_grad(grad: &[f64], small: [usize; 4], factor: usize) -> Vec<f64> {
    let mut x = vec![0.0; small.iter().product()];
    for_each_pair(small, factor, |xi, yi| x[xi] += grad[yi]);
    x
}

fn for_each_pair([n, h, w, c]: [usize; 4], f: usize, mut visit: impl FnMut(usize, usize)) {
    for image in 0..n {
        for i in 0..h * f {
            for j in 0..w * f {
                for channel in 0..c {
                    let small = ((image * h + i / f) * w + j / f) * c + channel;
                    let large = ((image * h * f + i) * w * f + j) * c + channel;
                    visit(small, large);
                }
            }
        }
    }
}
