//! MATLAB level 5 files: every array is read to its last value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::matlab::for_each_array;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = for_each_array(Path::new("arrays.mat"), bytes, &mut |array, values| {
        let mut count = 0;
        while array.next_value(values).is_ok() {
            count += 1;
        }
        assert!(count <= array.sizes.iter().product());
        Ok(())
    });
});
