//! # Winograd's F(2, 3): two outputs of three taps by four products
//!
//! A kernel g of three taps on four inputs d gives two outputs:
//!
//! ```text
//! y₀  =  d₀·g₀ + d₁·g₁ + d₂·g₂
//! y₁  =  d₁·g₀ + d₂·g₁ + d₃·g₂
//! ```
//!
//! These are six products. In a convolution of neural networks the taps are matrices and the inputs
//! rows of channels, so a product costs far more than a sum, and it pays to have fewer. Four are
//! enough. Consider
//!
//! ```text
//! m₁  =  (d₁ + d₂) · (g₀ + g₁ + g₂) / 2
//! m₂  =  (d₂ - d₁) · (g₀ - g₁ + g₂) / 2
//! ```
//!
//! Multiplied out, these give
//!
//! ```text
//! m₁ + m₂  =  d₂·g₀ + d₁·g₁ + d₂·g₂
//! m₁ - m₂  =  d₁·g₀ + d₂·g₁ + d₁·g₂
//! ```
//!
//! The sum is nearly y₀: it has d₂·g₀ where y₀ has d₀·g₀. The difference is nearly y₁: it has d₁·g₂
//! where y₁ has d₃·g₂. One more product each repairs that:
//!
//! ```text
//! m₀  =  (d₀ - d₂) · g₀            y₀  =  m₀ + m₁ + m₂
//! m₃  =  (d₃ - d₁) · g₂            y₁  =  m₁ - m₂ + m₃
//! ```
//!
//! The sums of taps, with their halves, are made once for a kernel, and the sums of inputs once for
//! all kernels. Each of the three steps is linear, a small matrix: y = Aᵀ [(G g) ⊙ (Bᵀ d)], where ⊙
//! multiplies value by value.
//!
//! # In two dimensions
//!
//! A kernel of 3 × 3 taps on 4 × 4 inputs gives 2 × 2 outputs,
//!
//! ```text
//! y[r, c]  =  Σ over i, j   d[r + i, c + j] · g[i, j]
//! ```
//!
//! by 36 products. Let F(2, 3) work on *rows*: in its formulas, take d₀, ..., d₃ to be the rows of
//! the inputs, g₀, g₁, g₂ the rows of the kernel, and a product of a row of d and a row of g to be
//! what F(2, 3) makes of these two, which is a row of two outputs. The formulas use nothing of
//! numbers but sums and products, so they hold as well. The four products of rows take four
//! products of numbers each: sixteen. In matrices: Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A.
//!
//! # Numbers
//!
//! [`Number`] counts the products. `a + b`, `a - b`, `-a` and `a.half()` are not counted, `a * b`
//! is.

pub mod number;

pub use number::Number;

/// y₀ and y₁, by four products.
///
/// (In cases and reports, y_of_first_rows is what it makes of the first row of d and the first of g.)
pub fn f23(d: [Number; 4], g: [Number; 3]) -> [Number; 2] {
    todo!()
}

/// The 2 × 2 outputs of 4 × 4 inputs, `d[row][column]`, and 3 × 3 taps, by sixteen products.
pub fn f23_nested(d: [[Number; 4]; 4], g: [[Number; 3]; 3]) -> [[Number; 2]; 2] {
    todo!()
}
