//! The CUDA kernels as plain C++, so that they run where there is no GPU: kernels/*.cu against
//! kernels/emulation/emulation.h, a shared library per stem.
#![allow(dead_code, reason = "a test file uses what it needs of it")]

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;

/// The folder of kernels/.
pub fn kernels() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels")
}

/// Makes `cuda` the emulated device, with the project's kernels.
pub fn start() {
    // SAFETY: the folder holds the project's kernels.
    #[expect(unsafe_code, reason = "code is loaded")]
    unsafe {
        minimax::cuda::emulator::start(folder())
    };
}

/// A folder with every stem's library, compiled once for as long as no kernel changes.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let stems = stems(&kernels());
        let mut hash = DefaultHasher::new();
        for file in files(&kernels()) {
            (&file, fs::read(&file).unwrap()).hash(&mut hash);
        }
        let name = format!("emulated-{:016x}", hash.finish());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        thread::scope(|scope| {
            for half in 0..2 {
                let (stems, folder) = (&stems, &folder);
                scope.spawn(move || {
                    for stem in stems.iter().skip(half).step_by(2) {
                        let ptx = kernels().join("ptx").join(format!("{stem}.ptx"));
                        let source = fs::read_to_string(kernels().join(format!("{stem}.cu"))).unwrap();
                        let ptx = fs::read_to_string(ptx).expect("kernels/compile.py has been run");
                        compile(&source, &entries(&ptx), &folder.join(format!("{stem}.so")));
                    }
                });
            }
        });
        folder
    })
}

/// Compiles kernels of these `names` to the library `target`, unless it is there.
pub fn compile(source: &str, names: &[String], target: &Path) {
    if target.exists() {
        return;
    }
    let rows: String = names.iter().map(|name| format!("    EMULATED_KERNEL({name}),\n")).collect();
    // The kernels stand in a namespace of their own, so that their shared variables are each file's own.
    let unit = format!(
        "#include \"emulation/emulation.h\"\n#include <type_traits>\nnamespace {{\n{source}\n\
         const emulation::Kernel kernels[] = {{\n{rows}}};\n}}\n#include \"emulation/module.h\"\n"
    );
    let (unit_path, made) = (target.with_extension("cpp"), target.with_extension("part"));
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::create_dir_all(unit_path.parent().unwrap()).unwrap();
    fs::write(&unit_path, unit).unwrap();
    let done = compiler()
        .arg(format!("-I{}", kernels().display()))
        .arg(&unit_path)
        .arg("-o")
        .arg(&made)
        .output()
        .expect("a C++ compiler (g++ or clang++) is installed");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}:\n{said}", unit_path.display());
    fs::rename(&made, target).unwrap();
}

fn compiler() -> Command {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let tool =
        cc::Build::new().cpp(true).target(&target).host(&target).opt_level(2).cargo_metadata(false).get_compiler();
    let mut command = tool.to_command();
    // Fibers leave stacks by longjmp, which the hardened one takes for an attack.
    command.args(["-std=c++17", "-shared", "-fPIC", "-w", "-U_FORTIFY_SOURCE"]);
    command
}

/// The kernels that PTX has.
pub fn entries(ptx: &str) -> Vec<String> {
    let names = ptx.lines().filter_map(|line| {
        let rest = line.strip_prefix(".visible .entry ")?;
        Some(rest[..rest.find('(')?].to_string())
    });
    names.collect()
}

/// Every .cu below `folder`, without its ending: `conv2d`, `ladder/gemm`.
fn stems(folder: &Path) -> Vec<String> {
    let sources = files(folder).into_iter().filter(|file| file.extension().is_some_and(|e| e == "cu"));
    let stem = |file: PathBuf| {
        let inside = file.strip_prefix(folder).unwrap().with_extension("");
        inside.to_str().unwrap().to_string()
    };
    sources.map(stem).collect()
}

/// Every source file below `folder`, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "cu" || e == "cuh" || e == "h" || e == "ptx") {
            all.push(path);
        }
    }
    all.sort();
    all
}
