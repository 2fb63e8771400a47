//! By the definition, which is right but for the number of its products.
// says: f23 is right in 0 of 8 cases
// says: f23 gives the wrong number_of_products
// says:   found   6
// says:   wanted  4

pub mod number;

pub use number::Number;

pub fn f23(d: [Number; 4], g: [Number; 3]) -> [Number; 2] {
    std::array::from_fn(|t| d[t] * g[0] + d[t + 1] * g[1] + d[t + 2] * g[2])
}

pub fn f23_nested(d: [[Number; 4]; 4], g: [[Number; 3]; 3]) -> [[Number; 2]; 2] {
    std::array::from_fn(|r| {
        let rows: [[Number; 2]; 3] = std::array::from_fn(|i| f23(d[r + i], g[i]));
        std::array::from_fn(|c| rows[0][c] + rows[1][c] + rows[2][c])
    })
}
