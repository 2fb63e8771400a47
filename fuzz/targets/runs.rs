//! `runs.toml` of a sweep's folder: it is read, or refused in words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::sweep::state;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = state::check(Path::new("runs.toml"), bytes) {
        assert!(!error.to_string().chars().any(char::is_control));
    }
});
