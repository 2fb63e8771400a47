//! Training on the emulated CUDA device: against the processor, as graphs and launch by launch, and across devices.

mod common;
#[path = "common/emulation.rs"]
mod emulation;
#[path = "common/play.rs"]
mod play;

use common::{fail, minimax, read};
use minimax::Device;
use minimax::cuda::emulator;
use minimax::gan::recipe::Recipe;
use minimax::ops::{random_normal, random_uniform};
use minimax::random::{Purpose, Random};
use play::{How, Played};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

const CUDA: Device = Device::Cuda(0);

/// The order of threads, and the device, are the process's.
static ORDER: Mutex<()> = Mutex::new(());

/// As [`Played::new`], with the threads of a block in an order that `seed` gives.
fn play(recipe: &Recipe, how: How, steps: u64, seed: u64) -> Played {
    let _order = ORDER
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    emulator::set_order(seed);
    Played::new(recipe, how, steps).unwrap()
}

/// Every loss, order of updates and kind of batch.
fn games() -> Vec<Recipe> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/games");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let load = |file: &std::path::PathBuf| Recipe::load(file.to_str().unwrap(), &[]).unwrap();
    files.iter().map(load).collect()
}

#[test]
fn a_graph_gives_the_bits_of_its_launches_and_nearly_those_of_the_processor() {
    for recipe in games() {
        let launches = play(&recipe, How::LaunchByLaunch, 10, 0);
        let graphs = play(&recipe, How::AsGraphs, 10, 5);
        assert!(
            launches == graphs,
            "{}: graphs give other bits",
            recipe.name
        );
        let apart = launches.difference(&play(&recipe, How::OnCpu, 10, 0));
        println!("{}: {apart:.1e} from the processor", recipe.name);
        assert!(
            apart < 1e-4,
            "{}: {apart:.1e} from the processor",
            recipe.name
        );
    }
}

/// Dropout, batch norm, transposed and upsampled convolutions, a gradient penalty: built-in recipes with every layer that
/// there is, in small batches. tests/gpu.sh runs all recipes in full ones; emulated that takes too long.
#[test]
fn recipes_train_as_on_the_processor() {
    for name in [
        "quickstart",
        "vanilla-mnist",
        "mlp-mnist",
        "dcgan-compact-mnist",
        "wgan-gp-mnist",
        "transpose-cifar10",
    ] {
        let recipe = Recipe::load(name, &["training.batch_size=4".into()]).unwrap();
        let graphs = play(&recipe, How::AsGraphs, 4, 3);
        let apart = graphs.difference(&play(&recipe, How::OnCpu, 4, 0));
        println!("{name}: {apart:.1e} from the processor");
        assert!(apart < 1e-3, "{name}: {apart:.1e} from the processor");
    }
}

#[test]
fn random_tensors_are_the_processors() {
    // What is launched while another test captures a step would become part of that.
    let _order = ORDER
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    let drawn = |device| {
        let mut random = Random::new(3, Purpose::Latent);
        let normal = random_normal(&mut random, [33, 3], device);
        let uniform = random_uniform(&mut random, [7], device);
        (normal.to_f32(), uniform.to_f32(), random)
    };
    assert_eq!(drawn(CUDA), drawn(Device::Cpu));
}

/// `minimax` with `arguments` on the emulated device.
fn emulated(folder: &Path, arguments: &str) -> Command {
    let mut command = minimax(folder, arguments);
    command.env(emulator::FOLDER, emulation::folder());
    command
}

#[test]
fn a_run_goes_on_on_another_device() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &str| {
        let output = emulated(folder.path(), arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    // Small enough to be emulated: 1,000 samples are scored at each end.
    let game = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/games/hinge.toml");
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for i in 0..24u8 {
        let pixels: Vec<u8> = (0..36).map(|p| p * 7 + i * 5).collect();
        let picture = minimax::report::grid(&pixels, 6, 6, 1, 1).unwrap();
        std::fs::write(pictures.join(format!("{i}.png")), picture.to_png()).unwrap();
    }
    let train = format!("train {} --data {}", game.display(), pictures.display());
    let told = run(&format!("{train} --steps 3 --out run"));
    assert!(
        told.starts_with("device cuda:0 (emulated on the processor)"),
        "{told}"
    );
    let told = run("train --resume --device cpu --steps 5 --out run");
    assert!(told.starts_with("device cpu"), "{told}");
    let told = run("train --resume --device cuda --no-graph --steps 7 --out run");
    assert!(told.starts_with("device cuda:0"), "{told}");
    run("sample run --out cuda.png");
    run("sample run --device cpu --out cpu.png");
    let whole = run(&format!("{train} --device cpu --steps 7 --out whole"));
    assert!(whole.starts_with("device cpu"), "{whole}");
    let losses = |run: &str| {
        let log = String::from_utf8(read(&folder.path().join(run), "log.csv")).unwrap();
        let loss = |row: &str| row.split(',').nth(2).unwrap().parse::<f64>().unwrap();
        log.lines().skip(1).map(loss).collect::<Vec<_>>()
    };
    let (mixed, whole) = (losses("run"), losses("whole"));
    assert_eq!((mixed.len(), whole.len()), (7, 7));
    for (mixed, whole) in mixed.into_iter().zip(whole) {
        assert!((mixed - whole).abs() < 1e-4, "{mixed} and {whole}");
    }
}

#[test]
fn a_device_that_is_not_there_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = emulated(folder.path(), "train --device cuda:1 --out run");
    let output = command.output().unwrap();
    let line = common::one_line(&output);
    assert_eq!(
        line.trim_end(),
        "error: cuda:1: there are 1 CUDA devices, counted from 0; choose another"
    );
    // Where there is a GPU, the plain command finds it.
    if Path::new("/dev/nvidiactl").exists() {
        return;
    }
    for command in [
        "train --device cuda --out run",
        "gradcheck --device cuda",
        "sample none --device cuda",
    ] {
        let line = fail(folder.path(), command, 1);
        assert!(
            line.contains("NVIDIA driver") && line.contains("use --device cpu"),
            "{line}"
        );
    }
    assert!(!folder.path().join("run").exists());
}
