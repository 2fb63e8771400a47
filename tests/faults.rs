//! A run that is killed before any of its file operations, or meets an error in one, leaves a checkpoint that loads
//! and goes on to what a run comes to that met nothing: the same bytes, all pictures drawn.
//!
//! `faults/faults.c` is preloaded for it. `cargo test` takes every so manieth case; with `MINIMAX_FAULTS=all` in the
//! environment it takes them all.
#![cfg(feature = "app")]
#![cfg(target_os = "linux")]

mod common;

use common::{minimax, one_line, read};
use minimax::report::Picture;
use minimax::run::{checkpoint, summary};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One case in so many is taken unless all are; a prime, so that each operation's turn has another kind.
const STRIDE: usize = 23;

const RECIPE: &str = "
name = 'tiny'
[data]
name = 'pictures'
[training]
epochs = 2
batch_size = 6
loss = 'bce'
update = 'alternating'
[samples]
count = 4
epochs = [1, 2]
first_step = 1
[generator]
input = [2]
optimizer = { kind = 'adam', learning_rate = 2e-4 }
layers = [
  { layer = 'dense', units = 64 },
  { layer = 'reshape', shape = [8, 8, 1] },
  { layer = 'tanh' },
]
[discriminator]
input = [8, 8, 1]
optimizer = { kind = 'adam', learning_rate = 2e-4 }
layers = [{ layer = 'flatten' }, { layer = 'dense', units = 1 }]
";

/// What is done to one operation: `kill`, `short`, or an error's number.
#[derive(Clone, Debug)]
struct Fault {
    /// Which operation, counted from 1.
    at: usize,
    kind: String,
}

impl Fault {
    /// Everything that can befall operation `at`, which is of kind `letter` as in faults.c.
    fn all(at: usize, letter: char) -> Vec<Fault> {
        const EINTR: i32 = libc::EINTR;
        const ENOSPC: i32 = libc::ENOSPC;
        const EACCES: i32 = libc::EACCES;
        const EIO: i32 = libc::EIO;
        let errors: &[i32] = match letter {
            'r' => &[EINTR, EIO],
            'l' => &[EINTR],
            _ => &[EINTR, EIO, ENOSPC, EACCES],
        };
        let mut kinds: Vec<String> = errors.iter().map(i32::to_string).collect();
        if !"rl".contains(letter) {
            kinds.push("kill".into());
        }
        if letter == 'w' {
            kinds.push("short".into());
        }
        let fault = |kind| Fault { at, kind };
        kinds.into_iter().map(fault).collect()
    }

    /// Whether the run must not be disturbed by it at all.
    fn is_harmless(&self) -> bool {
        self.kind == "short" || self.kind == libc::EINTR.to_string()
    }
}

/// Where the runs are: the recipe, its pictures and the library.
struct Place {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.toml"), RECIPE).unwrap();
        let pictures = folder.path().join("pictures");
        fs::create_dir(&pictures).unwrap();
        for i in 0..12 {
            let tones: Vec<u8> = (0..64).map(|v| (v * (2 * i + 3)) as u8).collect();
            let picture = Picture::from_pixels(&tones, 8, 8, 1);
            fs::write(pictures.join(format!("{i:02}.png")), picture.to_png()).unwrap();
        }
        let library = folder.path().join("faults.so");
        compile(&library);
        Place { folder, library }
    }

    fn run(&self, name: &str) -> PathBuf {
        // What the system calls the folder, as the program may ask for it.
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// Trains in `run`, from its checkpoint if it has one.
    fn train(&self, run: &Path, settings: &[(&str, &str)]) -> Output {
        let begins = match run.join("checkpoint.safetensors").exists() {
            true => "--resume",
            false => "tiny.toml",
        };
        let flags = "--keep-every 1 --threads 1 --device cpu";
        minimax(self.folder.path(), &format!("train {begins} {flags}"))
            .arg("--out")
            .arg(run)
            .envs(settings.iter().copied())
            .output()
            .unwrap()
    }

    /// As [`Place::train`], watched.
    fn train_with(&self, run: &Path, settings: &[(&str, &str)]) -> Output {
        let watched = [("LD_PRELOAD", self.library.to_str().unwrap()), ("FAULTS_UNDER", run.to_str().unwrap())];
        self.train(run, &[&watched, settings].concat())
    }
}

fn compile(library: &Path) {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let tool = cc::Build::new().target(&target).host(&target).opt_level(1).cargo_metadata(false).get_compiler();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/faults.c");
    let done = tool
        .to_command()
        .args(["-shared", "-fPIC", "-w", source, "-ldl", "-o"])
        .arg(library)
        .output()
        .expect("a C compiler is installed");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Every file of a run that doesn't tell how long anything took, and the tables without those columns.
fn lasting(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in ["", "samples", "kept"] {
        for entry in fs::read_dir(run.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(run).unwrap().to_str().unwrap().to_string();
            let times: &[usize] = match &name[..] {
                "log.csv" => &[6],
                "epochs.csv" => &[2, 3],
                _ => &[],
            };
            let timed = ["curves.", "report.html", "events.out", "run.toml"];
            if path.is_dir() {
                continue;
            }
            let bytes = match timed.iter().any(|start| name.starts_with(start)) {
                // That it is there is what can be compared.
                true => Vec::new(),
                false => read(run, &name),
            };
            // The event file is named after the time.
            let key = match name.starts_with("events.out") {
                true => "events.out".into(),
                false => name,
            };
            files.insert(key, without(times, bytes));
        }
    }
    files
}

fn without(columns: &[usize], bytes: Vec<u8>) -> Vec<u8> {
    if columns.is_empty() {
        return bytes;
    }
    let text = String::from_utf8(bytes).unwrap();
    let fields = |row: &str| {
        let kept = row.split(',').enumerate();
        let kept = kept.filter(|(column, _)| !columns.contains(column));
        kept.map(|(_, field)| format!("{field},")).collect::<String>()
    };
    text.lines().map(fields).collect::<Vec<_>>().join("\n").into_bytes()
}

/// That the pictures of `run` are those that its other files give.
fn assert_drawn(run: &Path, fault: &Fault) {
    const PICTURES: [&str; 5] = ["samples.gif", "comparison.png", "curves.svg", "curves.png", "report.html"];
    let drawn = PICTURES.map(|name| read(run, name));
    summary::write(run).unwrap();
    for (name, drawn) in PICTURES.into_iter().zip(drawn) {
        assert!(drawn == read(run, name), "{fault:?}: {name} was stale");
    }
}

fn assert_same(run: &Path, whole: &BTreeMap<String, Vec<u8>>, fault: &Fault) {
    let found = lasting(run);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(whole), "{fault:?}");
    for (name, bytes) in whole {
        assert!(*bytes == found[name], "{fault:?}: {name} differs");
    }
}

fn check(place: &Place, run: &Path, whole: &BTreeMap<String, Vec<u8>>, fault: &Fault) {
    let _ = fs::remove_dir_all(run);
    let at = fault.at.to_string();
    let output = place.train_with(run, &[("FAULTS_AT", &at), ("FAULTS_KIND", &fault.kind)]);
    match output.status.code() {
        None => assert_eq!(fault.kind, "kill"),
        Some(0) => assert_ne!(fault.kind, "kill", "{fault:?}"),
        Some(code) => {
            let said = one_line(&output);
            assert_eq!(code, 1, "{fault:?}: {said}");
            assert!(!fault.is_harmless(), "{fault:?}: {said}");
        }
    }
    let path = run.join("checkpoint.safetensors");
    if path.exists() {
        checkpoint::load(&path, None).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
    }
    if !fault.is_harmless() {
        let output = place.train(run, &[]);
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.success(), "{fault:?}: {said}");
    }
    assert_same(run, whole, fault);
    assert_drawn(run, fault);
}

#[test]
fn whatever_befalls_a_file_operation_the_run_goes_on_to_the_same_bytes() {
    let place = Place::new();
    let (run, log) = (place.run("whole"), place.run("operations"));
    let output = place.train_with(&run, &[("FAULTS_LOG", log.to_str().unwrap())]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let operations = fs::read_to_string(&log).unwrap();
    for letter in "orwsnml".chars() {
        assert!(operations.contains(letter), "no {letter} in {operations}");
    }
    let whole = lasting(&run);

    let faults = operations.chars().enumerate();
    let mut faults: Vec<Fault> = faults.flat_map(|(i, letter)| Fault::all(i + 1, letter)).collect();
    let all = faults.len();
    if std::env::var_os("MINIMAX_FAULTS").is_none_or(|which| which != "all") {
        faults = faults.into_iter().step_by(STRIDE).collect();
    }
    println!("{} of {all} faults of {} operations", faults.len(), operations.len());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let (place, whole, faults, next) = (&place, &whole, &faults, &next);
            scope.spawn(move || {
                let run = place.run(&format!("run-{worker}"));
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(place, &run, whole, fault);
                }
            });
        }
    });
}

/// Some network file systems have none to give. The run goes on, and says so.
#[test]
fn a_lock_that_can_not_be_taken_is_said() {
    let place = Place::new();
    let (run, log) = (place.run("run"), place.run("operations"));
    place.train_with(&run, &[("FAULTS_LOG", log.to_str().unwrap())]);
    let operations = fs::read_to_string(&log).unwrap();
    let first = operations.find('l').unwrap() + 1;
    fs::remove_dir_all(&run).unwrap();
    let [at, kind] = [first.to_string(), libc::ENOLCK.to_string()];
    let output = place.train_with(&run, &[("FAULTS_AT", &at), ("FAULTS_KIND", &kind)]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("can't be locked (No locks available"), "{told}");
}

/// That the library does what the test above takes for granted.
#[test]
fn the_library_kills_and_fails_what_it_is_told_to() {
    let place = Place::new();
    let run = place.run("run");
    let killed = place.train_with(&run, &[("FAULTS_AT", "3"), ("FAULTS_KIND", "kill")]);
    assert_eq!(killed.status.code(), None);
    let full = libc::ENOSPC.to_string();
    let failed = place.train_with(&run, &[("FAULTS_AT", "30"), ("FAULTS_KIND", &full)]);
    assert!(one_line(&failed).contains("No space left on device"));
    // What is not below the folder is left alone.
    let script =
        format!("LD_PRELOAD={} FAULTS_UNDER=/nowhere FAULTS_AT=1 FAULTS_KIND=kill true", place.library.display());
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
}
