//! Sweeps: a grid of training runs that differ in a few settings, and what comes of comparing them.
//!
//! [`spec`] is the TOML file that says which settings, [`grid`] the runs that it makes.

pub mod grid;
pub mod settings;
pub mod spec;

pub use grid::{Plan, PlannedRun};
pub use spec::{Quantity, Sweep, built_in_names};
