//! libtorch's side: the networks of a recipe, the game, and what tch does not bind.

pub mod gan;
pub mod layout;
pub mod network;
pub mod shim;
