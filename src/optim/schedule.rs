//! Numbers that change as training goes on, learning rates above all.
//!
//! Each is a function of x, the share of training that is done, which is clamped to [0, 1]:
//!
//! ```
//! use minimax::nn::{Dense, Layer};
//! use minimax::optim::{Adam, Optimizer, schedule};
//!
//! let network = Dense::new(2, 1);
//! let rule = Adam::new(1e-3).betas([0.5, 0.999]);
//! let mut optimizer = Optimizer::new(rule, &network.parameters());
//! for step in 0..1000 {
//!     let learning_rate = schedule::cosine(1e-3, 1e-5, f64::from(step) / 1000.0);
//!     optimizer.set_rule(Adam { learning_rate, ..rule });
//!     // ... and the step itself.
//! }
//! ```

use std::f64::consts::PI;

/// A straight line: from + (to - from) x.
///
/// ```
/// assert_eq!(minimax::optim::schedule::linear(1.0, 0.0, 0.25), 0.75);
/// ```
pub fn linear(from: f64, to: f64, x: f64) -> f64 {
    from + (to - from) * x.clamp(0.0, 1.0)
}

/// Half a wave of a cosine: to + (from - to) (1 + cos πx) / 2 (Loshchilov and Hutter, 2017, without restarts).
pub fn cosine(from: f64, to: f64, x: f64) -> f64 {
    to + (from - to) * (1.0 + libm::cos(PI * x.clamp(0.0, 1.0))) / 2.0
}
