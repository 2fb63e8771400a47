//! With ε added to √v, before its correction.
// says: update is right in 2 of 7 cases
// says: "the first update"
// says: The first is at [0,0]

#[derive(Clone, Copy, Debug)]
pub struct Adam {
    pub learning_rate: f64,
    pub betas: [f64; 2],
    pub epsilon: f64,
}

pub fn update(adam: &Adam, t: i32, p: &mut [f64], m: &mut [f64], v: &mut [f64], g: &[f64]) {
    let [b1, b2] = adam.betas;
    let rate = adam.learning_rate * (1.0 - b2.powi(t)).sqrt() / (1.0 - b1.powi(t));
    for i in 0..p.len() {
        m[i] = b1 * m[i] + (1.0 - b1) * g[i];
        v[i] = b2 * v[i] + (1.0 - b2) * g[i] * g[i];
        p[i] -= rate * m[i] / (v[i].sqrt() + adam.epsilon);
    }
}
