//! The book's exercises: pieces of the engine that a reader writes, and what tells whether they are right.
//!
//! An exercise is a small crate without dependencies (what [`folder`] writes): a stub whose comment derives the
//! formula, a harness that calls it, and cases with the results that are wanted, which come from the engine's own
//! reference. To check it, [`runner`] builds the crate and has it answer all cases, and [`grade`] finds the first
//! answer that is wrong; [`report`] puts it into words.
//!
//! | file | |
//! |---|---|
//! | `src/exercise/NAME/mod.rs` | the exercise NAME: its cases and hints |
//! | `src/exercise/NAME/stub.rs` | what becomes `src/lib.rs` of its crate, and is to be written (of a kernel, `stub.cu`) |
//! | `src/exercise/NAME/call.rs` | which of its functions gets which array of a case |
//! | `src/exercise/crate_files/` | the other files of a crate, the same for all |
//! | `tests/exercises/NAME.rs` | a solution made of the engine's own functions |

mod adam;
mod answers;
mod backward_walk;
mod batch_norm_backward;
mod broadcast_gradient;
mod check;
mod conv2d;
mod conv2d_gradient;
mod cuda_kernel;
pub mod folder;
mod frechet;
mod gemm;
pub mod grade;
mod gradient_penalty;
mod matmul;
mod max_ties;
mod philox;
pub mod report;
pub mod runner;
pub mod text;
mod winograd;

pub use check::{Checked, check};

use crate::random::{Purpose, Random};
use crate::storage::Device;
use crate::tensor::Tensor;
use text::{Array, Case};

/// An exercise.
#[derive(Debug)]
pub struct Exercise {
    /// What it is called in commands.
    pub name: &'static str,
    /// The chapter of the book that leads up to it.
    pub chapter: u8,
    /// What is to be written, in a few words.
    pub task: &'static str,
    /// The files of its crate that no other has.
    pub files: Files,
    /// Those in its crate, from the simplest to the hardest.
    pub cases: fn() -> Vec<Case>,
    /// Those that are checked as well, so that answers learnt by heart are found.
    pub further_cases: fn() -> Vec<Case>,
    /// As far as a result may be from the wanted one, where that is larger than 1 in proportion to it.
    pub tolerance: f64,
    /// Each says more than the one before.
    pub hints: &'static [&'static str],
    /// Where the engine does the same.
    pub solution: &'static str,
}

/// Files of an exercise's crate.
#[derive(Debug)]
pub struct Files {
    /// The path of the one that is to be written.
    pub target: &'static str,
    /// What it holds at first.
    pub stub: &'static str,
    /// `harness/call.rs`.
    pub call: &'static str,
    /// Others, by their paths.
    pub others: &'static [(&'static str, &'static str)],
    /// What NaN in a result may come of.
    pub nan: &'static str,
    /// Whether C++ is compiled, and run on the device that is emulated for it, which Linux alone has.
    pub compiles_cpp: bool,
}

/// Every exercise, in the order of the book.
pub const EXERCISES: [&Exercise; 14] = [
    &broadcast_gradient::EXERCISE,
    &backward_walk::EXERCISE,
    &matmul::EXERCISE,
    &gradient_penalty::EXERCISE,
    &max_ties::EXERCISE,
    &conv2d::EXERCISE,
    &conv2d_gradient::EXERCISE,
    &batch_norm_backward::EXERCISE,
    &adam::EXERCISE,
    &philox::EXERCISE,
    &gemm::EXERCISE,
    &winograd::EXERCISE,
    &cuda_kernel::EXERCISE,
    &frechet::EXERCISE,
];

impl Exercise {
    /// The exercise of this name.
    pub fn find(name: &str) -> Option<&'static Exercise> {
        EXERCISES.into_iter().find(|exercise| exercise.name == name)
    }

    /// The one after this in the book.
    pub fn next(&self) -> Option<&'static Exercise> {
        let mut rest = EXERCISES.into_iter().skip_while(|exercise| exercise.name != self.name);
        rest.nth(1)
    }
}

impl Files {
    /// Of an exercise in Rust.
    const fn rust(stub: &'static str, call: &'static str) -> Files {
        let nan = "NaN comes of 0 / 0, of infinity less infinity, or of the root of a negative number.";
        Files { target: "src/lib.rs", stub, call, others: &[], nan, compiles_cpp: false }
    }
}

impl Array {
    /// Its values on the reference device.
    fn tensor(&self) -> Tensor {
        Tensor::new(&self.values, &self.shape[..], Device::Reference)
    }
}

/// Quarters from -2 to 2, the same ones for the same names.
fn draw(case: &str, name: &str, shape: &[usize]) -> Array {
    let letters = case.bytes().chain(name.bytes());
    let seed = letters.fold(0, |seed: u64, letter| seed.wrapping_mul(31).wrapping_add(letter.into()));
    let count = shape.iter().product();
    let values = Random::new(seed, Purpose::CHECK).uniform(count);
    Array::new(name, shape, values.into_iter().map(|u| (17.0 * u).floor() / 4.0 - 2.0).collect())
}

/// A row of numbers that is no operand.
fn attribute(name: &str, values: &[f64]) -> Array {
    Array::new(name, &[values.len()], values.to_vec())
}

/// A number.
fn number(name: &str, value: f64) -> Array {
    Array::new(name, &[], vec![value])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn exercises_go_with_the_book_and_are_found_by_name() {
        assert!(EXERCISES.is_sorted_by_key(|exercise| exercise.chapter));
        for pair in EXERCISES.windows(2) {
            assert_eq!(pair[0].next().unwrap().name, pair[1].name);
        }
        assert!(EXERCISES[EXERCISES.len() - 1].next().is_none());
        for exercise in EXERCISES {
            assert_eq!(Exercise::find(exercise.name).unwrap().name, exercise.name);
            assert!(!exercise.hints.is_empty() && exercise.stub_has_todo(), "{}", exercise.name);
        }
        assert!(Exercise::find("conv3d").is_none());
    }

    impl Exercise {
        fn stub_has_todo(&self) -> bool {
            ["todo!()", "todo();"].iter().any(|todo| self.files.stub.contains(todo))
        }
    }

    /// Names, finite values, and that there is a file where a solution is said to be.
    #[test]
    fn cases_can_be_told_apart_and_read_back() {
        for exercise in EXERCISES {
            let cases: Vec<Case> = [(exercise.cases)(), (exercise.further_cases)()].concat();
            let names: HashSet<&str> = cases.iter().map(|case| &case.name[..]).collect();
            assert_eq!(names.len(), cases.len(), "{}", exercise.name);
            let written: String = cases.iter().map(Case::to_string).collect();
            assert_eq!(text::parse(&written).unwrap(), cases, "{}", exercise.name);
            for array in cases.iter().flat_map(|case| case.given.iter().chain(&case.wanted)) {
                assert!(array.values.iter().all(|value| value.is_finite()), "{}: {array}", exercise.name);
            }
            // Two blocks of a kernel are the most.
            let shown = (exercise.cases)().iter().flat_map(|case| &case.given).map(|a| a.values.len()).max();
            assert!(shown.unwrap() <= 128, "{}: small enough to look at", exercise.name);
            let files = exercise.solution.split(' ').filter(|word| word.contains('/'));
            for file in files.map(|file| file.trim_end_matches(',')) {
                let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
                assert!(path.is_file(), "{}: {file}", exercise.name);
            }
        }
    }

    #[test]
    fn a_line_that_is_no_part_of_a_case_is_named() {
        for (text, line) in [
            ("given x [] 1", 1),
            ("case a\ngiven x [2] 1", 2),
            ("case a\ngiven x 1", 2),
            ("case a\nwanted x [] one", 2),
            ("case a\n\nmade y [] 1", 3),
        ] {
            let problem = text::parse(text).unwrap_err();
            assert!(problem.starts_with(&format!("line {line} can't be read: ")), "{problem}");
        }
        assert_eq!([0.1, 3.0, -0.0, 1e-8, f64::NAN].map(text::number), ["0.1", "3", "-0", "1e-8", "NaN"]);
    }
}
