//! Sweeps: a grid of training runs that differ in a few settings, and what comes of comparing them.
//!
//! [`spec`] is the TOML file that says which settings, [`grid`] the runs that it makes, [`runner`]
//! trains each in a process of its own, and [`results`] reads what they have left.

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
