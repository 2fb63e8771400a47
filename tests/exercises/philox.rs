//! By the engine.

pub use minimax::random::philox;
