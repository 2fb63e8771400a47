//! Every case of the table through the very source of the CUDA kernels, emulated on the processor: values,
//! gradients and gradients of gradients, with the threads of each block in several orders.

#[path = "common/emulation.rs"]
mod emulation;

use minimax::Device;
use minimax::check::cases::{Case, cases};
use minimax::check::gradcheck::against_reference;
use minimax::cuda::{catch, emulator};

const CUDA: Device = Device::Cuda(0);

/// The checks of `cases` that fail, each on a line.
fn failures(cases: &[Case], orders: &[u8]) -> String {
    let mut failed = String::new();
    for case in cases {
        for &order in orders {
            match catch(|| Ok(against_reference(case, order, CUDA))) {
                Ok(row) if row.passed() => {}
                Ok(row) => failed += &format!("{row:?}\n"),
                Err(error) => failed += &format!("{} {}: {error}\n", case.op, case.name),
            }
        }
    }
    failed
}

#[test]
fn every_case_agrees_with_the_reference_in_every_order_of_threads() {
    emulation::start();
    let all = cases();
    for seed in [0, 1, 2] {
        emulator::set_order(seed);
        let failed = failures(&all, &[0, 1, 2]);
        assert!(failed.is_empty(), "threads in order {seed}\n{failed}");
    }
}
