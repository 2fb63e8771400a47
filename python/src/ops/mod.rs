//! A function for each op of [`minimax::ops`]. Shapes are checked there, and what doesn't fit is a `ValueError`.

pub mod elementwise;
pub mod images;
pub mod layout;
pub mod losses;
pub mod products;
pub mod reductions;
