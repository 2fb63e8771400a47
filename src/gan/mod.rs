//! The game of two networks: what each minimises, one step of it, and that step as a CUDA graph.
//!
//! Read [`loss`] for what is minimised, [`step`] for a step and `judgement.rs` for D's part in it, [`penalty`] for what holds D, [`augment`] for what is done to what it sees; [`model`] is what it
//! changes, [`real`] and [`latents`] what it is given, [`report`] what it tells,
//! [`triple`] a step of three players,
//! [`graph`] the same step on a GPU, [`landscape`] what D makes of any place.
//! [`crate::recipe`] says which networks play and how, and [`crate::run`] makes steps a training run.

pub mod augment;
pub mod average;
pub mod classifier;
pub mod graph;
mod judgement;
pub mod landscape;
pub mod latents;
pub mod loss;
pub mod model;
mod output;
pub mod penalty;
pub mod real;
pub mod report;
pub mod step;
pub mod triple;
