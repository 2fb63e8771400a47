//! Sweeps: what is accepted can be planned, or is refused in words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::sweep::Sweep;

fuzz_target!(|text: &str| {
    let planned = Sweep::parse("sweep.toml", text).and_then(|sweep| sweep.plan(true, &[]));
    if let Err(error) = planned {
        assert!(!error.to_string().chars().any(char::is_control));
    }
});
