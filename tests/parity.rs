//! Every case on the CPU against the reference: values, gradients, and gradients of gradients.

use minimax::Device;
use minimax::check::cases::{Case, cases, large};
use minimax::check::gradcheck::{Row, against_reference};

/// The checks of `cases` that fail, each on a line.
fn failures(cases: &[Case], orders: &[u8]) -> String {
    let rows = cases.iter().flat_map(|case| {
        let check = |&order: &u8| against_reference(case, order, Device::Cpu);
        orders.iter().map(check).collect::<Vec<Row>>()
    });
    let failed = rows.filter(|row| !row.passed());
    failed.map(|row| format!("{row:?}\n")).collect()
}

#[test]
fn every_case_agrees_with_the_reference() {
    let failed = failures(&cases(), &[0, 1, 2]);
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn sizes_beyond_every_block_agree_with_the_reference() {
    let failed = failures(&large::cases(), &[0, 1, 2]);
    assert!(failed.is_empty(), "\n{failed}");
}
