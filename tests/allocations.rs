//! Memory that isn't there, at any of the large allocations of a command: it ends with one line or does without, and
//! leaves no file half-written. A program of its own, for it has an allocator of its own; it runs itself as the command.
#![allow(unsafe_code, reason = "an allocator")]

mod common;

use common::{command, read};
use minimax::memory::OneLine;
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable that makes this program the command, and says which of its large allocations fails; 0 for none, but
/// then their number is told.
const FAILS: &str = "MINIMAX_TEST_ALLOCATION";

/// Bytes from which on an allocation counts.
const LARGE: usize = 16 << 10;

/// Allocations of a command that are tried, at most; spread over all of them.
const TRIED: u64 = 10;

#[global_allocator]
static ALLOCATOR: OneLine<Failing> = OneLine(Failing);

/// The system's allocator without the memory for one allocation.
struct Failing;

static COUNT: AtomicU64 = AtomicU64::new(0);
static FAILING: AtomicU64 = AtomicU64::new(0);

fn fails(bytes: usize) -> bool {
    bytes >= LARGE && COUNT.fetch_add(1, Ordering::Relaxed) + 1 == FAILING.load(Ordering::Relaxed)
}

// SAFETY: what the system's allocator gives, or nothing.
unsafe impl GlobalAlloc for Failing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match fails(layout.size()) {
            true => std::ptr::null_mut(),
            // SAFETY: the caller's.
            false => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match fails(layout.size()) {
            true => std::ptr::null_mut(),
            // SAFETY: the caller's.
            false => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        match fails(bytes) {
            true => std::ptr::null_mut(),
            // SAFETY: the caller's.
            false => unsafe { System.realloc(at, layout, bytes) },
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(at, layout) };
    }
}

fn main() -> ExitCode {
    let Ok(failing) = std::env::var(FAILS) else {
        every_command_copes();
        println!("test every_command_copes ... ok");
        return ExitCode::SUCCESS;
    };
    let failing = failing.parse().expect("a number");
    COUNT.store(0, Ordering::Relaxed);
    FAILING.store(failing, Ordering::Relaxed);
    let code = minimax::cli::main();
    if failing == 0 {
        eprintln!("{}", COUNT.load(Ordering::Relaxed));
    }
    code
}

/// This program as the command, whose large allocation number `failing` fails.
fn run(folder: &Path, arguments: &str, failing: u64) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut command = command(this.to_str().unwrap(), folder, arguments);
    command.env(FAILS, failing.to_string());
    command
}

/// Pictures of 6 by 6 pixels.
fn pictures(folder: &Path) -> PathBuf {
    let pictures = folder.join("pictures");
    fs::create_dir(&pictures).unwrap();
    for i in 0..24u8 {
        let pixels: Vec<u8> = (0..36).map(|p| p * 7 + i * 5).collect();
        let picture = minimax::report::grid(&pixels, 6, 6, 1, 1).unwrap();
        fs::write(pictures.join(format!("{i}.png")), picture.to_png()).unwrap();
    }
    pictures
}

/// The same images of 28 by 28 pixels, or 32 by 32 in colour, as files of three formats: where each is.
fn arrays(folder: &Path) -> [PathBuf; 3] {
    let [idx, cifar, array] = ["idx", "cifar", "array.npy"].map(|name| folder.join(name));
    let pixels: Vec<u8> = (0..40 * 3072).map(|p| (p % 251) as u8).collect();
    let count = 40u32.to_be_bytes();
    let side = 28u32.to_be_bytes();
    fs::create_dir(&idx).unwrap();
    let images = [&[0, 0, 8, 3], &count[..], &side, &side, &pixels[..40 * 784]].concat();
    let labels = [&[0, 0, 8, 1], &count[..], &[7; 40]].concat();
    for (name, bytes) in [("train-images-idx3-ubyte.gz", images), ("train-labels-idx1-ubyte.gz", labels)] {
        let file = fs::File::create(idx.join(name)).unwrap();
        let mut file = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        file.write_all(&bytes).unwrap();
        file.finish().unwrap();
    }
    fs::create_dir(&cifar).unwrap();
    let records: Vec<u8> = pixels.chunks(3072).flat_map(|image| [&[3], image].concat()).collect();
    fs::write(cifar.join("data_batch_1.bin"), records).unwrap();
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (40, 28, 28), }\n";
    let length = (header.len() as u16).to_le_bytes();
    let start = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes()].concat();
    fs::write(&array, [&start, &pixels[..40 * 784]].concat()).unwrap();
    [idx, cifar, array]
}

fn every_command_copes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let game = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/games/hinge.toml");
    let pictures = pictures(folder);
    let (game, pictures) = (game.display(), pictures.display());
    let train = format!("train {game} --data {pictures} --steps 4 --threads 1 --out run");
    copes(folder, &train, "run/checkpoint.safetensors");
    copes(folder, &format!("data preview {pictures} --out grid.png"), "grid.png");
    for data in arrays(folder) {
        let preview = format!("data preview {} --out grid.png", data.display());
        copes(folder, &preview, "grid.png");
    }
    for (arguments, file) in [
        ("interpolate RUN --from 1 --to 2", "interpolation.gif"),
        ("sample RUN --count 9 --out samples.png", "samples.png"),
        ("sample RUN --count 9 --out samples.npy", "samples.npy"),
        ("export RUN --format onnx --out model.onnx", "model.onnx"),
    ] {
        let run = folder.join("whole/run");
        copes(folder, &arguments.replace("RUN", run.to_str().unwrap()), file);
    }
}

/// Holds the command, which writes `file` in the folder where it is run, to the same file or none, whichever of its
/// large allocations fails.
fn copes(folder: &Path, arguments: &str, file: &str) {
    let whole = folder.join("whole");
    fs::create_dir_all(&whole).unwrap();
    let output = run(&whole, arguments, 0).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {said}");
    let all: u64 = said.lines().last().unwrap().parse().unwrap();
    assert!(all > 0, "{arguments}: no large allocation");
    let expected = read(&whole, file);
    let tried = TRIED.min(all);
    for failing in (0..tried).map(|i| 1 + i * all / tried) {
        let case = format!("{arguments}, without allocation {failing} of {all}");
        let part = folder.join("part");
        fs::create_dir(&part).unwrap();
        let output = run(&part, arguments, failing).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let is_error = |line: &&str| line.starts_with("error: ");
        match output.status.code() {
            Some(0) => assert!(read(&part, file) == expected, "{case}: another {file}"),
            Some(1) => {
                assert_eq!(said.lines().filter(is_error).count(), 1, "{case}: {said}");
                assert!(!said.contains("panicked"), "{case}: {said}");
                let written = part.join(file);
                // What a run has saved is whole: it goes on from there.
                if written.exists() && arguments.starts_with("train") {
                    let again = "train --resume --threads 1 --steps 4 --out run";
                    let output = run(&part, again, u64::MAX).output().unwrap();
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.success(), "{case}, resumed: {said}");
                }
                assert!(!written.exists() || read(&part, file) == expected, "{case}");
            }
            _ => panic!("{case}: {}, {said}", output.status),
        }
        fs::remove_dir_all(&part).unwrap();
    }
}
