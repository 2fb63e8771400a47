//! What a run leaves for people to look at: pictures, curves and the page that shows them. This module takes plain
//! values and knows nothing about networks.

mod animation;
pub mod chart;
mod comparison;
pub mod events;
mod grid;
pub mod map;
mod markup;
pub mod page;
mod picture;
mod text;

pub use animation::{gif, spaced};
pub use comparison::{comparison, montage};
pub use events::EventFile;
pub use grid::{columns_for, grid, grid_bytes, grid_corner, grid_png};
pub use picture::{Picture, is_own_picture};
