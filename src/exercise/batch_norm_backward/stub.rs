//! # The gradients of batch normalisation
//!
//! x is a matrix: a row for each of N examples, a column for each channel. Each column is made to
//! have mean 0 and variance 1, then gets a scale γ and a shift β of its own. For one column x₁,
//! ..., x_N:
//!
//! ```text
//! μ  =  1/N Σ xᵢ          σ²  =  1/N Σ (xᵢ - μ)²          x̂ᵢ  =  (xᵢ - μ) / s      with  s = √(σ² + ε)
//! yᵢ  =  γ · x̂ᵢ + β
//! ```
//!
//! Note the 1/N in the variance, not 1/(N - 1). Let L be a number that is calculated from y, with
//! derivatives ȳᵢ. γ and β are the same for the whole column, so their derivatives are sums over
//! it:
//!
//! ```text
//! β̄  =  Σ ȳᵢ          γ̄  =  Σ ȳᵢ · x̂ᵢ
//! ```
//!
//! x is harder, for xᵢ goes into x̂ᵢ directly, but also into every other x̂ⱼ of the column through
//! μ and s. Write hᵢ = γ · ȳᵢ for the derivative of L by x̂ᵢ, and let x change by small dxᵢ. Then
//!
//! ```text
//! dμ  =  mean(dx)                       as μ is the mean
//! s · ds  =  mean((x - μ) · (dx - dμ))  =  s · mean(x̂ · dx)         from s² = mean((x - μ)²) + ε, and as mean(x̂) = 0
//! dx̂ᵢ  =  (dxᵢ - dμ) / s - x̂ᵢ · ds / s  =  1/s · (dxᵢ - mean(dx) - x̂ᵢ · mean(x̂ · dx))
//! ```
//!
//! where mean is over the column. L changes by dL = Σ hᵢ · dx̂ᵢ. Put dx̂ᵢ in, and collect what
//! belongs to each dxᵢ. The sum Σ hᵢ · mean(dx) is N · mean(h) · mean(dx) = mean(h) · Σ dxᵢ, and
//! the last term goes the same way:
//!
//! ```text
//! x̄ᵢ  =  1/s · (hᵢ - mean(h) - x̂ᵢ · mean(x̂ · h))
//! ```
//!
//! What is taken away are the parts of h that would move the mean and the scale of the column,
//! which x can't.
//!
//! Matrices lie in memory row after row: channel c of example i is at place i · channels + c.

/// What is given back.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// x̄, of the shape of x.
    pub x: Vec<f64>,
    /// γ̄, one for each channel.
    pub gamma: Vec<f64>,
    /// β̄, one for each channel.
    pub beta: Vec<f64>,
}

/// The gradients of a batch norm of `x`, which has as many channels as `gamma`, from ȳ, which has
/// the shape of x.
pub fn backward(x: &[f64], gamma: &[f64], epsilon: f64, y_grad: &[f64]) -> Gradients {
    todo!()
}
