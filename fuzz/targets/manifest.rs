//! Lists of data sets.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::manifest::Manifest;

fuzz_target!(|text: &str| {
    if let Err(error) = Manifest::parse("manifest.toml", text) {
        assert!(!error.to_string().chars().any(char::is_control));
    }
});
