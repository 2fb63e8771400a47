//! Generative adversarial networks: what a model is (its recipe) and how it is trained.

pub mod recipe;
