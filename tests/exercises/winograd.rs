//! By the engine's matrices.

pub mod number;

use minimax::cpu::winograd::matrices::Transform;
pub use number::Number;

pub fn f23(d: [Number; 4], g: [Number; 3]) -> [Number; 2] {
    let d: [Number; 4] = apply(&Transform::signal(4), &d);
    let g: [Number; 4] = apply(&Transform::filter(4, 3), &g);
    apply(&Transform::outputs(4, 2), &std::array::from_fn::<_, 4, _>(|i| d[i] * g[i]))
}

pub fn f23_nested(d: [[Number; 4]; 4], g: [[Number; 3]; 3]) -> [[Number; 2]; 2] {
    let d: [[Number; 4]; 4] = both(&Transform::signal(4), &d);
    let g: [[Number; 4]; 4] = both(&Transform::filter(4, 3), &g);
    let products: [[Number; 4]; 4] = std::array::from_fn(|r| std::array::from_fn(|c| d[r][c] * g[r][c]));
    both(&Transform::outputs(4, 2), &products)
}

/// M x Mᵀ.
fn both<const N: usize, const P: usize>(matrix: &Transform, x: &[[Number; N]; N]) -> [[Number; P]; P] {
    let rows: [[Number; P]; N] = std::array::from_fn(|r| apply(matrix, &x[r]));
    let columns: [[Number; P]; P] = std::array::from_fn(|c| apply(matrix, &rows.map(|row| row[c])));
    std::array::from_fn(|r| std::array::from_fn(|c| columns[c][r]))
}

/// M x, of a matrix of zeros, ones and halves.
fn apply<const N: usize, const P: usize>(matrix: &Transform, x: &[Number; N]) -> [Number; P] {
    std::array::from_fn(|r| {
        let row = matrix.0[r].iter().zip(x);
        row.fold(Number::default(), |sum, (&m, &x)| match m {
            1.0 => sum + x,
            -1.0 => sum - x,
            0.5 => sum + x.half(),
            -0.5 => sum - x.half(),
            _ => sum,
        })
    })
}
