//! libtorch's side: the networks of a recipe, the game, and what tch does not bind.

mod attention;
mod build;
pub mod gan;
pub mod layout;
mod loss;
pub mod network;
pub mod optimizer;
pub mod shim;
mod weight;
