//! The emulated CUDA device finds what it is there to find: kernels that lack a barrier, read what nobody wrote or
//! write where they must not. tests/emulation/broken.cu has one of each.
#![allow(unsafe_code, reason = "launches by hand")]

#[path = "common/emulation.rs"]
mod emulation;

use minimax::cuda::driver::{Driver, Failure, Launch};
use minimax::cuda::emulator::{Emulator, set_order};
use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

const BLOCK: usize = 64;
const KERNELS: [&str; 10] = [
    "reverse",
    "reverse_without_barrier",
    "sum_rounds_without_second_barrier",
    "reverse_off_by_one",
    "shift_reads_before",
    "reads_unwritten",
    "barriers_apart",
    "never_meets",
    "copy_without_wait",
    "copy_from_between",
];

/// The order of threads is the process's.
static ORDER: Mutex<()> = Mutex::new(());

/// The folder of the compiled kernels.
fn library() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken-kernels");
        let library = folder.join("broken.so");
        // Of an earlier run, perhaps of other kernels.
        let _ = std::fs::remove_file(&library);
        let source = include_str!("emulation/broken.cu");
        emulation::compile(source, &KERNELS.map(str::to_string), &library);
        folder
    })
}

/// What `kernel` gives of 0, 1, 2, ... with threads in the order of `seed`: `last` is its last argument.
fn run(kernel: &str, blocks: usize, last: i32, seed: u64) -> Result<Vec<f32>, Failure> {
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    set_order(seed);
    // SAFETY: kernels that have just been compiled.
    let device = unsafe { Emulator::new(library()) };
    let n = blocks * BLOCK;
    let values: Vec<u8> = (0..n).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let (from, to) = (device.allocate(4 * n)?, device.allocate(4 * n)?);
    let function = device.function("broken", kernel)?;
    assert_eq!(device.argument_sizes(function), Some(vec![8, 8, 4]));
    let mut arguments: [*mut c_void; 3] =
        [(&raw const from).cast_mut().cast(), (&raw const to).cast_mut().cast(), (&raw const last).cast_mut().cast()];
    let launch = Launch { grid: [blocks as u32, 1, 1], block: [BLOCK as u32, 1, 1], shared: 0 };
    let mut bytes = vec![0; 4 * n];
    // SAFETY: both buffers have n floats, which is what the kernels take.
    let ran = unsafe {
        device.upload(from, &values)?;
        let ran = device.launch(function, launch, &mut arguments);
        device.download(&mut bytes, to)?;
        device.free(from);
        device.free(to);
        ran
    };
    ran?;
    let floats = bytes.chunks_exact(4);
    Ok(floats.map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect())
}

/// 0, 1, 2, ... reversed within blocks.
fn reversed(blocks: usize) -> Vec<f32> {
    let at = |i: usize| (i / BLOCK * BLOCK + BLOCK - 1 - i % BLOCK) as f32;
    (0..blocks * BLOCK).map(at).collect()
}

const ORDERS: [u64; 4] = [0, 1, 2, 3];

#[test]
fn a_right_kernel_is_right_in_every_order() {
    for seed in ORDERS {
        assert_eq!(run("reverse", 3, 3 * 64, seed).unwrap(), reversed(3));
    }
}

#[test]
fn a_missing_barrier_shows() {
    for kernel in ["reverse_without_barrier", "copy_without_wait"] {
        for seed in ORDERS {
            let found = run(kernel, 3, 3 * 64, seed).unwrap();
            assert_ne!(found, reversed(3), "{kernel} with threads in order {seed}");
        }
    }
    let right = |t: usize| (0..4).map(|round| (round * BLOCK + BLOCK - 1 - t) as f32).sum();
    let right: Vec<f32> = (0..BLOCK).map(right).collect();
    for seed in ORDERS {
        let found = run("sum_rounds_without_second_barrier", 4, 4, seed);
        assert_ne!(found.unwrap()[..BLOCK], right, "threads in order {seed}");
    }
}

#[test]
fn what_is_written_beyond_a_buffer_is_found() {
    let Err(Failure::Other(what)) = run("reverse_off_by_one", 2, 128, 0) else {
        panic!("it was not found");
    };
    assert_eq!(what, "reverse_off_by_one writes beyond a buffer of 512 bytes");
}

#[test]
fn what_nobody_wrote_reads_as_nan() {
    let before = run("shift_reads_before", 2, 128, 0).unwrap();
    assert!(before[0].is_nan() && before[1..].iter().all(|v| v.is_finite()));
    let unwritten = run("reads_unwritten", 2, 128, 0).unwrap();
    for (i, value) in unwritten.iter().enumerate() {
        assert_eq!(value.is_nan(), i % BLOCK == BLOCK - 1, "value {i}");
    }
}

#[test]
fn threads_that_wait_apart_are_told() {
    for (kernel, what) in [
        ("barriers_apart", "meet at the barriers of lines"),
        ("never_meets", "wait at a barrier that others of their block never reach"),
    ] {
        for seed in ORDERS {
            let Err(Failure::Other(told)) = run(kernel, 1, 64, seed) else {
                panic!("{kernel} was not found");
            };
            assert!(told.starts_with(kernel) && told.contains(what), "{told}");
        }
    }
}

#[test]
fn a_copy_from_between_is_found() {
    let Err(Failure::Other(told)) = run("copy_from_between", 1, 64, 0) else {
        panic!("it was not found");
    };
    let what = "copies 16 bytes from or to an address that is no multiple of that";
    assert_eq!(told, format!("copy_from_between: {what}"));
    assert_eq!(run("reverse", 2, 128, 1).unwrap(), reversed(2));
}

/// A fiber that was left in the middle of a kernel must not go on in the next launch.
#[test]
fn a_right_launch_follows_a_wrong_one() {
    assert!(run("never_meets", 1, 64, 0).is_err());
    assert_eq!(run("reverse", 2, 128, 1).unwrap(), reversed(2));
}
