//! Generative adversarial networks: a recipe (TOML) says what they are, the rest trains them.
//!
//! Read [`recipe`] for what can be said, [`step`] for one step of the game, [`loss`] for what is
//! minimised, and [`run`] for the loop around it and the folder that it fills.

pub mod change;
pub mod checkpoint;
pub mod curves;
pub mod epochs;
pub mod folder;
pub mod graph;
mod init;
pub mod interpolation;
pub mod latents;
pub mod log;
pub mod loss;
pub mod model;
pub mod network;
pub mod ownership;
pub mod pending;
pub mod pixels;
pub mod recipe;
pub mod run;
mod save;
pub mod scores;
pub mod step;
mod sum;
pub mod summary;
pub mod table;
pub mod tensorboard;
mod training;
