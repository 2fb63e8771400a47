//! Which functions answer a case, with which of its arrays, and how many products they take.

use super::text::{Case, Function};
use exercise::number::products;
use exercise::{Number, f23, f23_nested};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[
    ("f23", |case| {
        // The first row of a two-dimensional case.
        let (d, g) = (rows::<4>(case, "d")[0], rows::<3>(case, "g")[0]);
        products();
        let y = f23(d, g);
        vec![("y_of_first_rows", y.map(Number::value).to_vec()), ("number_of_products", vec![products() as f64])]
    }),
    ("f23_nested", |case| {
        let d = rows::<4>(case, "d").try_into().expect("four rows");
        let g = rows::<3>(case, "g").try_into().expect("three rows");
        products();
        let y = f23_nested(d, g);
        vec![("y", y.as_flattened().iter().map(|y| y.value()).collect()), ("number_of_nested_products", vec![products() as f64])]
    }),
];

fn rows<const N: usize>(case: &Case, name: &str) -> Vec<[Number; N]> {
    let rows = case.values(name).chunks(N);
    rows.map(|row| std::array::from_fn(|i| Number::new(row[i]))).collect()
}
