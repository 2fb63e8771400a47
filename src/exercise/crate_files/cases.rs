//! Compares the results of what was written with those that cases.txt wants.

#[path = "../harness/call.rs"]
mod call;
#[allow(dead_code, reason = "`minimax` itself uses all of it")]
#[path = "../harness/text.rs"]
mod text;

/// As far as a result may be from the wanted one, where that is larger than 1 in proportion to it.
const TOLERANCE: f64 = LIMIT;

#[test]
fn every_case_has_the_wanted_results() {
    let cases = text::parse(include_str!("../cases.txt")).unwrap();
    // One function after the other, so that the first can be right before the second is written.
    for (function, call) in call::FUNCTIONS {
        for case in &cases {
            for (name, found) in call(case) {
                let wanted = case.wanted.iter().find(|array| array.name == name).unwrap();
                let place = format!("case {:?}: {function} gives {name}", case.name);
                assert_eq!(found.len(), wanted.values.len(), "{place} of another length than {:?}", wanted.shape);
                for (i, (&found, &wanted)) in found.iter().zip(&wanted.values).enumerate() {
                    let close = (found - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0);
                    assert!(close, "{place}: value {i} is {found}, wanted {wanted}");
                }
            }
        }
    }
}
