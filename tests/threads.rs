//! Values and gradients on the CPU are the same bits for any number of threads and with any instruction set.

use minimax::Device;
use minimax::check::cases::{Case, cases, large};
use minimax::check::gradcheck::derivatives;
use minimax::cpu::isa::{self, InstructionSet};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The bits of what `case` gives: values, gradients by rules recorded and not, and gradients of
/// gradients.
fn bits(case: &Case, pool: &ThreadPool) -> Vec<u32> {
    let results = pool.install(|| {
        [(0, false), (1, false), (1, true), (2, false)]
            .map(|(order, create_graph)| derivatives(case, order, Device::Cpu, create_graph))
    });
    let values = results.iter().flatten().flat_map(|t| t.to_f32());
    values.map(f32::to_bits).collect()
}

fn same_for_any_number_of_threads(cases: &[Case]) {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
    let [one, others @ ..] = [1, 2, 3, 7].map(|threads| pool(threads).expect("a thread pool"));
    for case in cases {
        let alone = bits(case, &one);
        for pool in &others {
            let differing = bits(case, pool).iter().zip(&alone).filter(|(a, b)| a != b).count();
            let (op, name, threads) = (case.op, &case.name, pool.current_num_threads());
            assert_eq!(differing, 0, "{op} {name} on {threads} threads");
        }
    }
}

#[test]
fn every_case() {
    same_for_any_number_of_threads(&cases());
}

#[test]
fn sizes_beyond_every_block() {
    same_for_any_number_of_threads(&large::cases());
}

/// The only test of this file that says which set kernels run with. That it changes under the others must not
/// tell, either.
#[test]
fn every_case_with_every_instruction_set() {
    let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let sets: Vec<_> = InstructionSet::available().collect();
    // Beyond every block, and not so many products that the portable kernels take minutes.
    let large = large::cases().into_iter();
    let large = large.filter(|case| case.inputs.iter().all(|x| x.shape.numel() < 1 << 17));
    for case in cases().into_iter().chain(large) {
        let found = sets.iter().map(|&set| {
            isa::choose(set);
            bits(&case, &pool)
        });
        let found: Vec<_> = found.collect();
        for (set, bits) in sets.iter().zip(&found) {
            let (op, name, first) = (case.op, &case.name, sets[0]);
            assert!(*bits == found[0], "{op} {name}: {set} is not {first}");
        }
    }
    // The others need not go on with the portable kernels, which take far longer.
    isa::choose(sets[0]);
}
