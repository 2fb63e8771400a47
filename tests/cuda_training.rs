//! Training on the emulated CUDA device: against the processor, as graphs and launch by launch, and across devices.

mod common;
#[path = "common/emulation.rs"]
mod emulation;

use common::{fail, minimax, read};
use minimax::cuda::{catch, emulator};
use minimax::gan::model::Gan;
use minimax::gan::recipe::Recipe;
use minimax::gan::step::StepReport;
use minimax::ops::{random_normal, random_uniform};
use minimax::random::{Purpose, Random};
use minimax::{Device, Shape};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

const CUDA: Device = Device::Cuda(0);
const RANGE: [f64; 2] = [-1.0, 1.0];

/// The order of threads, and the device, are the process's.
static ORDER: Mutex<()> = Mutex::new(());

/// How a run's steps are made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    OnCpu,
    LaunchByLaunch,
    AsGraphs,
}

/// What each of `steps` steps reports, every third with gradient norms, and all that a checkpoint would hold.
fn play(recipe: &Recipe, how: How, steps: u64, order: u64) -> (Vec<StepReport>, Vec<Vec<f32>>) {
    let _order = ORDER
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    emulator::set_order(order);
    let device = if how == How::OnCpu { Device::Cpu } else { CUDA };
    let [height, width, channels] = recipe.discriminator.input[..] else {
        panic!("an image");
    };
    let shape: Shape = [recipe.training.real_images(), height, width, channels].into();
    let played = catch(|| {
        let mut gan = Gan::new(recipe, device);
        let mut graphs = gan.graphs(RANGE).filter(|_| how == How::AsGraphs);
        let mut random = Random::new(7, Purpose::Check);
        let mut reports = Vec::new();
        for step in 0..steps {
            let words = random.words(shape.numel());
            let bytes: Vec<u8> = words.into_iter().map(|word| word as u8).collect();
            let measures = step % 3 == 1;
            reports.push(match &mut graphs {
                Some(graphs) => graphs
                    .begin_step(&mut gan, &bytes, shape, measures)?
                    .finish()?,
                None => {
                    let real = minimax::gan::pixels::to_tensor(&bytes, shape, RANGE, device);
                    gan.step(&real, measures)?
                }
            });
        }
        let tensors = gan.named().into_iter().map(|(_, tensor)| tensor.to_f32());
        Ok((reports, tensors.collect()))
    });
    played.unwrap()
}

/// The largest difference between two runs' reports, or between all their tensors by norm. (A bias that a batch norm
/// takes out again has a gradient of rounding alone, which Adam makes as large as any: tensor by tensor nothing could
/// be said of it.)
fn difference(a: &(Vec<StepReport>, Vec<Vec<f32>>), b: &(Vec<StepReport>, Vec<Vec<f32>>)) -> f64 {
    let mut worst = 0.0f64;
    for (a, b) in a.0.iter().zip(&b.0) {
        let numbers = |r: &StepReport| {
            [
                Some(r.d_loss),
                Some(r.d_real),
                Some(r.d_fake),
                r.g_loss,
                r.wasserstein,
                r.d_gradient_norm,
                r.g_gradient_norm,
            ]
        };
        for (a, b) in numbers(a).into_iter().zip(numbers(b)) {
            assert_eq!(a.is_some(), b.is_some());
            if let (Some(a), Some(b)) = (a, b) {
                worst = worst.max((a - b).abs() / b.abs().max(0.1));
            }
        }
    }
    let (mut apart, mut size) = (0.0, 0.0);
    for (&a, &b) in a.1.iter().flatten().zip(b.1.iter().flatten()) {
        apart += f64::from(a - b).powi(2);
        size += f64::from(b).powi(2);
    }
    worst.max((apart / size).sqrt())
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
        let apart = difference(&launches, &play(&recipe, How::OnCpu, 10, 0));
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
        let apart = difference(
            &play(&recipe, How::AsGraphs, 4, 3),
            &play(&recipe, How::OnCpu, 4, 0),
        );
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
