//! The small matrices of a Winograd convolution, by Toom and Cook: a product of polynomials is found
//! from its values at some points.
//!
//! With points p₀ … p₆ and ∞, Nᵢ = Πⱼ≠ᵢ (pᵢ - pⱼ), k taps and m = 9 - k outputs:
//!
//! ```text
//! signal   Bᵀ [8, 8]   row i: the coefficients of Πⱼ≠ᵢ (x - pⱼ);   last row: of Πⱼ (x - pⱼ)
//! filter   G  [8, k]   row i: pᵢᵗ / Nᵢ;                            last row: 1 at t = k - 1
//! outputs  Aᵀ [m, 8]   column i: pᵢᵗ;                              last column: 1 at t = m - 1
//!
//! y = Aᵀ ((G g) ⊙ (Bᵀ d))   where   y_t = Σ_i d_{t + i} · g_i
//! ```
//!
//! The points are those whose powers and differences stay small and exact in f32, which keeps the error of
//! a 5 × 5 convolution of 256 channels near 6·10⁻⁶ of its result: five times that of the same sums tap by tap.

/// Points, ∞ counted.
pub const POINTS: usize = 8;

const FINITE: [f64; POINTS - 1] = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5];

/// A matrix of at most 8 × 8; what is unused is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform(pub [[f32; POINTS]; POINTS]);

impl Transform {
    /// Bᵀ `[8, 8]`.
    pub fn signal() -> Transform {
        let mut rows = [[0.0; POINTS]; POINTS];
        for (i, row) in rows.iter_mut().enumerate() {
            let others = (0..POINTS - 1).filter(|&j| j != i).map(|j| FINITE[j]);
            *row = product_of_roots(others).map(|v| v as f32);
        }
        Transform(rows)
    }

    /// G `[8, taps]`.
    pub fn filter(taps: usize) -> Transform {
        let mut rows = [[0.0; POINTS]; POINTS];
        for (i, p) in FINITE.into_iter().enumerate() {
            let others = (0..POINTS - 1).filter(|&j| j != i);
            let n: f64 = others.map(|j| p - FINITE[j]).product();
            for (t, value) in rows[i][..taps].iter_mut().enumerate() {
                *value = (p.powi(t as i32) / n) as f32;
            }
        }
        rows[POINTS - 1][taps - 1] = 1.0;
        Transform(rows)
    }

    /// Aᵀ `[count, 8]`.
    pub fn outputs(count: usize) -> Transform {
        let mut rows = [[0.0; POINTS]; POINTS];
        for (t, row) in rows[..count].iter_mut().enumerate() {
            for (value, p) in row.iter_mut().zip(FINITE) {
                *value = p.powi(t as i32) as f32;
            }
        }
        rows[count - 1][POINTS - 1] = 1.0;
        Transform(rows)
    }

    /// The first `columns` columns in falling order: a filter's taps read backwards.
    pub fn reversed(mut self, columns: usize) -> Transform {
        for row in &mut self.0 {
            row[..columns].reverse();
        }
        self
    }
}

/// The coefficients of Π (x - root), that of 1 first.
fn product_of_roots(roots: impl Iterator<Item = f64>) -> [f64; POINTS] {
    let mut coefficients = [0.0; POINTS];
    coefficients[0] = 1.0;
    for root in roots {
        for i in (0..POINTS).rev() {
            let lower = if i > 0 { coefficients[i - 1] } else { 0.0 };
            coefficients[i] = lower - root * coefficients[i];
        }
    }
    coefficients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrices_make_a_correlation() {
        let d = [3.0, -1.0, 4.0, 1.5, -5.0, 9.0, 2.0, 6.0];
        let g = [0.5, -2.0, 7.0, 1.0, -8.0, 2.5];
        let times =
            |m: Transform, v: &[f32]| -> [f32; POINTS] { m.0.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum()) };
        for taps in 1..=6 {
            let g = &g[..taps];
            let count = POINTS + 1 - taps;
            let (v, u) = (times(Transform::signal(), &d), times(Transform::filter(taps), g));
            let products: [f32; POINTS] = std::array::from_fn(|i| u[i] * v[i]);
            let y = times(Transform::outputs(count), &products);
            for (t, y) in y[..count].iter().enumerate() {
                let want: f32 = d[t..].iter().zip(g).map(|(d, g)| d * g).sum();
                assert!((y - want).abs() < 1e-3, "{taps} taps: {y}, not {want}");
            }
            let backwards = times(Transform::filter(taps).reversed(taps), g);
            let turned: Vec<f32> = g.iter().rev().copied().collect();
            for (a, b) in backwards.iter().zip(times(Transform::filter(taps), &turned)) {
                assert!((a - b).abs() < 1e-5, "{taps} taps: {a}, not {b}");
            }
        }
    }
}
