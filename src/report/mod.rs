//! What a run leaves for people to look at.

mod grid;

pub use grid::{columns_for, grid_png};
