//! Which function answers a case, with which of its arrays.

use super::text::Function;
use exercise::{Adam, update};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[("update", |case| {
    let [learning_rate, beta1, beta2, epsilon] =
        ["learning_rate", "beta1", "beta2", "epsilon"].map(|name| case.number(name));
    let adam = Adam { learning_rate, betas: [beta1, beta2], epsilon };
    let mut p = case.values("p").to_vec();
    let (mut m, mut v) = (vec![0.0; p.len()], vec![0.0; p.len()]);
    // A row of g for each update, and of what is found after it.
    let mut found = [Vec::new(), Vec::new(), Vec::new()];
    for (t, g) in (1..).zip(case.values("g").chunks(p.len())) {
        update(&adam, t, &mut p, &mut m, &mut v, g);
        for (rows, row) in found.iter_mut().zip([&m, &v, &p]) {
            rows.extend(row);
        }
    }
    ["m", "v", "p"].into_iter().zip(found).collect()
})];
