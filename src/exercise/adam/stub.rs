//! # Adam
//!
//! Gradient descent takes from each parameter p its derivative g, times a small number α, the
//! learning rate. Adam (Kingma and Ba, 2015) keeps two running averages of each parameter's
//! derivatives, of g itself and of g²:
//!
//! ```text
//! m  ←  β₁ m + (1 - β₁) g
//! v  ←  β₂ v + (1 - β₂) g²
//! ```
//!
//! Both begin at 0, so at first they are too small. If every g were the same, m would be (1 - β₁ᵗ)
//! g after t updates: after the first it is (1 - β₁) g, and each further one brings it closer by
//! the factor β₁. Dividing by 1 - β₁ᵗ makes up for that, and so it does for v with β₂:
//!
//! ```text
//! m̂  =  m / (1 - β₁ᵗ)        v̂  =  v / (1 - β₂ᵗ)
//! p  ←  p - α · m̂ / (√v̂ + ε)
//! ```
//!
//! Updates are counted from t = 1. m and v themselves are kept as they are: only the update uses m̂
//! and v̂.
//!
//! √v̂ is about as large as g usually is, so each parameter moves by about α whatever the scale of
//! its derivatives. ε keeps the quotient finite where all of them were 0. It is added **after the
//! root, to √v̂** as in the paper. (Some programs add it to √v instead, from which v̂'s correction
//! is still missing. That is another rule where g is tiny, and not asked for here.)

/// α, β₁, β₂ and ε.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    /// α.
    pub learning_rate: f64,
    /// β₁ and β₂.
    pub betas: [f64; 2],
    /// ε.
    pub epsilon: f64,
}

/// Update number `t`, counted from 1, of all parameters `p` by their derivatives `g`.
///
/// `p`, `m` and `v` are changed in place. All four have the same length, and each parameter is
/// updated by itself. (In cases and reports, g, m, v and p have a row for each update; the first is
/// that of t = 1.)
pub fn update(adam: &Adam, t: i32, p: &mut [f64], m: &mut [f64], v: &mut [f64], g: &[f64]) {
    todo!()
}
