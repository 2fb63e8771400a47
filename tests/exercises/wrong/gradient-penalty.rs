//! Takes the slopes of tanh for constants, and so forgets one of the two places of a weight.
// says: penalty is right in 6 of 6 cases, weight_gradient is right in 0 of 6
// says: "one value, one hidden unit"
// says: weight_gradient gives the wrong w_grad

pub fn penalty(x: &[f64], d: usize, w: &[f64], v: &[f64], lambda: f64) -> f64 {
    let all = x.chunks(d).map(|x| (slope(x, w, v).2 - 1.0).powi(2)).sum::<f64>();
    lambda * all / (x.len() / d) as f64
}

pub fn weight_gradient(x: &[f64], d: usize, w: &[f64], v: &[f64], lambda: f64) -> Vec<f64> {
    let mut gradient = vec![0.0; w.len()];
    for point in x.chunks(d) {
        let (u, g, r) = slope(point, w, v);
        for (place, gradient) in gradient.iter_mut().enumerate() {
            let (i, j) = (place / v.len(), place % v.len());
            *gradient += lambda * 2.0 * (r - 1.0) * g[i] / r * u[j] / (x.len() / d) as f64;
        }
    }
    gradient
}

fn slope(x: &[f64], w: &[f64], v: &[f64]) -> (Vec<f64>, Vec<f64>, f64) {
    let hidden = v.len();
    let a = |j: usize| x.iter().enumerate().map(|(i, x)| x * w[i * hidden + j]).sum::<f64>();
    let u: Vec<f64> = (0..hidden).map(|j| (1.0 - a(j).tanh().powi(2)) * v[j]).collect();
    let g: Vec<f64> = w.chunks(hidden).map(|row| row.iter().zip(&u).map(|(w, u)| w * u).sum()).collect();
    let r = g.iter().map(|g| g * g).sum::<f64>().sqrt();
    (u, g, r)
}
