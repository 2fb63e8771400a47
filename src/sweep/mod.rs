//! Sweeps: a grid of training runs that differ in a few settings, and their comparison.
//!
//! [`spec`] is the TOML file that has the settings, and [`grid`] makes the runs from it. [`runner`] trains each run in
//! a process of its own, [`results`] reads what they have left, and [`report`] shows it.

mod charts;
mod file;
pub mod grid;
pub mod report;
pub mod results;
pub mod runner;
pub mod settings;
pub mod spec;
pub mod state;

pub use grid::{Plan, PlannedRun};
pub use spec::{Quantity, Sweep, built_in_names};
