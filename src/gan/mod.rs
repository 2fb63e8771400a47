//! The game of two networks: what each of them minimises, one step of the game, and that step as a CUDA graph.
//!
//! | module | what it has |
//! |---|---|
//! | [`loss`] | what the networks minimise |
//! | [`step`] | one step of the game; D's part in it is in `judgement.rs` |
//! | [`penalty`] | penalties on the slope of D |
//! | [`augment`] | the augmentation of the images that D sees |
//! | [`model`] | the state that a step changes: networks, optimisers, random numbers |
//! | [`real`], [`latents`] | what a step and a generator are given |
//! | [`report`] | the numbers that a step reports |
//! | [`triple`] | a step of a game of three players |
//! | [`graph`] | the same steps on a GPU |
//! | [`landscape`] | D's output at any place |
//!
//! [`crate::recipe`] says which networks play and how, and [`crate::run`] turns steps into a training run.

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
