//! Latents in a NumPy array.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::run::latents;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(latents) = latents::parse(Path::new("latents.npy"), bytes, 2) {
        assert!(!latents.is_empty() && latents.len() % 2 == 0);
        assert!(latents.iter().all(|value| value.is_finite()));
    }
});
