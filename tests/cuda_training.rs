//! Training on the emulated CUDA device: against the processor, as graphs and launch by launch, and across devices.
#![cfg(feature = "app")]

mod common;
#[path = "common/emulation.rs"]
mod emulation;
#[path = "common/play.rs"]
mod play;

use common::{command, fail, read};
use minimax::cuda::capture::{Graph, Inputs, Reading};
use minimax::cuda::{Buffer, emulator, ladder, launches, open};
use minimax::ops::{gather, one_hot, random_normal, random_uniform, scatter_add};
use minimax::optim::{Adam, EpsilonPlacement, Optimizer, Sgd, WeightDecay};
use minimax::random::{Purpose, Random};
use minimax::recipe::Recipe;
use minimax::{Device, Tensor};
use play::{Game, How, Played};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

const CUDA: Device = Device::Cuda(0);

/// The order of threads, and the device, are the process's.
static ORDER: Mutex<()> = Mutex::new(());

/// As [`Played::new`], with the threads of a block in an order that `seed` gives.
fn play(recipe: &Recipe, how: How, steps: u64, seed: u64) -> Played {
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    emulator::set_order(seed);
    Played::new(recipe, how, steps).unwrap()
}

/// Every loss, order of updates and kind of batch.
fn games() -> Vec<Recipe> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/games");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let load = |file: &std::path::PathBuf| Recipe::load(file.to_str().unwrap(), &[]).unwrap();
    files.iter().map(load).collect()
}

#[test]
fn a_graph_gives_the_bits_of_its_launches_and_nearly_those_of_the_processor() {
    for recipe in games() {
        let launches = play(&recipe, How::LaunchByLaunch, 10, 0);
        let graphs = play(&recipe, How::AsGraphs, 10, 5);
        assert!(launches == graphs, "{}: graphs give other bits", recipe.name);
        let apart = launches.difference(&play(&recipe, How::OnCpu, 10, 0));
        println!("{}: {apart:.1e} from the processor", recipe.name);
        assert!(apart < 1e-4, "{}: {apart:.1e} from the processor", recipe.name);
    }
}

/// Dropout, batch norm, transposed and upsampled convolutions, a gradient penalty: built-in recipes with every layer that
/// there is, in small batches. tests/gpu.sh runs all recipes in full ones; emulated that takes too long.
#[test]
fn recipes_train_as_on_the_processor() {
    for name in
        ["quickstart", "vanilla-mnist", "mlp-mnist", "dcgan-compact-mnist", "wgan-gp-mnist", "transpose-cifar10"]
    {
        let recipe = Recipe::load(name, &["training.batch_size=4".into()]).unwrap();
        let graphs = play(&recipe, How::AsGraphs, 4, 3);
        let apart = graphs.difference(&play(&recipe, How::OnCpu, 4, 0));
        println!("{name}: {apart:.1e} from the processor");
        assert!(apart < 1e-3, "{name}: {apart:.1e} from the processor");
    }
}

/// Each launch of a graph takes a GPU some time, whatever it does.
#[test]
fn a_step_is_few_launches() {
    let recipe = Recipe::load("dcgan-compact-mnist", &["training.batch_size=4".into()]).unwrap();
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    let mut game = Game::new(&recipe, How::AsGraphs);
    // The third step is captured: what it launches is the graph.
    let [.., graph] = std::array::from_fn::<u64, 3, _>(|_| {
        let before = launches();
        game.step(false).unwrap();
        launches() - before
    });
    println!("{graph} launches");
    assert!(graph <= 110, "{graph} launches");
}

#[test]
fn random_tensors_are_the_processors() {
    // What is launched while another test captures a step would become part of that.
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    let drawn = |device| {
        let mut random = Random::new(3, Purpose::INITIAL);
        let normal = random_normal(&mut random, [33, 3], device);
        let uniform = random_uniform(&mut random, [7], device);
        (normal.to_f32(), uniform.to_f32(), random)
    };
    assert_eq!(drawn(CUDA), drawn(Device::Cpu));
}

#[test]
fn a_graph_keeps_what_it_reads_and_writes_as_long_as_it_lives() {
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    let context = open(0).unwrap();
    context.release();
    let held = context.bytes_held();
    let x = Tensor::ones([1000], CUDA);
    let inputs = Inputs::new(0, context);
    let captured = Graph::capture(&inputs, || {
        let within = || Graph::capture(&inputs, || Ok::<_, Infallible>(()));
        assert!(catch_unwind(AssertUnwindSafe(within)).is_err());
        Ok::<_, Infallible>(&x + &x)
    });
    let Ok((graph, sum)) = captured;
    drop((x, inputs));
    context.release();
    // Would be where x was, or the inputs, if these had been given back.
    let others: Vec<_> = (0..4).map(|_| Tensor::full(5.0, [1000], CUDA)).collect();
    graph.replay();
    assert_eq!(sum.to_f32(), [2.0; 1000]);
    drop(sum);
    let other = Tensor::full(7.0, [1000], CUDA);
    graph.replay();
    assert_eq!(other.to_f32(), [7.0; 1000]);
    assert!(others.iter().all(|other| other.to_f32() == [5.0; 1000]));
    drop((graph, other, others));
    context.release();
    assert_eq!(context.bytes_held(), held);
}

/// A captured step can't read its labels back to check them: one that is no class must show.
#[test]
fn labels_and_indices_outside_give_nan_where_they_are_not_known_yet() {
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    let labels = Tensor::new(&[1.0, 3.0, 0.5, -1.0], [4], CUDA);
    assert!(catch_unwind(AssertUnwindSafe(|| one_hot(&labels, 3))).is_err());
    let table = Tensor::new(&[1.0, 2.0, 3.0], [3, 1], CUDA);
    let inputs = Inputs::new(0, open(0).unwrap());
    let captured = Graph::capture(&inputs, || {
        let sums = scatter_add(&Tensor::ones([4, 1], CUDA), &labels, 3);
        Ok::<_, Infallible>((one_hot(&labels, 3), gather(&table, &labels), sums))
    });
    let Ok((graph, (rows, values, sums))) = captured;
    graph.replay();
    let (rows, values) = (rows.to_f32(), values.to_f32());
    assert_eq!(rows[..3], [0.0, 1.0, 0.0]);
    assert_eq!(values[0], 2.0);
    assert!(rows[3..].iter().chain(&values[1..]).all(|v| v.is_nan()), "{rows:?} {values:?}");
    assert_eq!(sums.to_f32(), [0.0, 1.0, 0.0]);
}

#[test]
fn a_replayed_update_goes_by_the_scalars_that_were_uploaded_for_it() {
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    // AdamW, at rates that fall as on a schedule: all of its scalars differ from step to step.
    let adam = |step: u64| {
        let (learning_rate, weight_decay) = (0.1 / (step + 1) as f64, WeightDecay::Decoupled(0.5));
        let epsilon_placement = EpsilonPlacement::Paper;
        Box::new(Adam { learning_rate, betas: [0.5, 0.9], epsilon: 1e-7, epsilon_placement, weight_decay })
    };
    let start = || (Tensor::ones([5], CUDA), Optimizer::new(adam(0), &[&Tensor::ones([5], CUDA)]));
    let grads = [Tensor::full(0.3, [5], CUDA)];
    let (mut expected, mut optimizer) = start();
    for step in 0..3 {
        optimizer.set_rule(adam(step));
        optimizer.step(vec![&mut expected], &grads);
    }
    let (mut p, mut optimizer) = start();
    let inputs = Inputs::new(0, open(0).unwrap());
    let mut capture = |optimizer: &mut Optimizer| {
        let captured = Graph::capture(&inputs, || {
            optimizer.step(vec![&mut p], &grads);
            Ok::<_, Infallible>(())
        });
        let Ok((graph, ())) = captured;
        graph
    };
    assert!(catch_unwind(AssertUnwindSafe(|| capture(&mut start().1))).is_err(), "nothing was uploaded");
    optimizer.upload_scalars();
    let graph = capture(&mut optimizer);
    graph.replay();
    for steps in [1, 2] {
        optimizer.set_steps(steps);
        optimizer.set_rule(adam(steps));
        optimizer.upload_scalars();
        graph.replay();
    }
    assert_eq!(p.to_f32(), expected.to_f32());
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_launched() {
    let _order = ORDER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    emulation::start();
    let context = open(0).unwrap();
    let nothing = Buffer::unspecified(0, context);
    assert!(Reading::begin(&nothing).finish().is_empty());
    // 3 times that is 2.
    let wraps = 6_148_914_691_236_517_206;
    let two = || Buffer::full(2, 1.0, open(0).unwrap());
    assert!(catch_unwind(|| ladder::gemm(0, &two(), &two(), [3, wraps, 1])).is_err());
    let step = || {
        let rule = Box::new(Sgd { learning_rate: 0.1, momentum: 0.0, l2: 0.0 });
        let mut optimizer = Optimizer::new(rule, &[&Tensor::ones([2], CUDA)]);
        let mut longer = Tensor::ones([3], CUDA);
        optimizer.step(vec![&mut longer], &[Tensor::ones([3], CUDA)]);
    };
    assert!(catch_unwind(step).is_err());
}

/// `minimax` with `arguments` on the emulated device.
fn emulated(folder: &Path, arguments: &str) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_minimax-emulated"), folder, arguments);
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
    assert!(told.starts_with("device cuda:0 (emulated on the processor)"), "{told}");
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
fn a_device_without_memory_or_lost_is_one_line_and_the_checkpoint_stays() {
    let folder = tempfile::tempdir().unwrap();
    let train = "train vanilla-mnist --data digits --device cuda --batch-size 16";
    let fails = |arguments: &str, variable: &str, value: &str| {
        let mut command = emulated(folder.path(), arguments);
        let output = command.env(variable, value).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        common::one_line(&output)
    };
    // Not enough for the weights, and not enough for a step.
    for megabytes in ["3000000", "16000000"] {
        let line = fails(&format!("{train} --steps 1 --out none"), emulator::MEMORY, megabytes);
        assert!(line.starts_with("error: cuda:0: no memory for"), "{line}");
        assert!(line.trim_end().ends_with("lower training.batch_size"), "{line}");
    }
    let two_steps = emulated(folder.path(), &format!("{train} --steps 2 --out run")).output();
    assert!(two_steps.unwrap().status.success());
    let checkpoint = read(&folder.path().join("run"), "checkpoint.safetensors");
    let line = fails("train --resume --steps 900 --out run", emulator::LAUNCHES, "400");
    assert!(line.contains("the device is lost"), "{line}");
    let run = folder.path().join("run");
    assert!(read(&run, "checkpoint.safetensors") == checkpoint);
    // What was not saved is done again.
    let output = emulated(folder.path(), "train --resume --steps 4 --out run").output();
    assert!(output.unwrap().status.success());
    assert_eq!(common::logged_steps(&run), 4);
}

#[test]
fn a_device_that_is_not_there_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = emulated(folder.path(), "train --device cuda:1 --out run");
    let output = command.output().unwrap();
    let line = common::one_line(&output);
    assert_eq!(line.trim_end(), "error: cuda:1: there are 1 CUDA devices, counted from 0; choose another");
    // Where there is a GPU, the plain command finds it.
    if Path::new("/dev/nvidiactl").exists() {
        return;
    }
    for command in ["train --device cuda --out run", "gradcheck --device cuda", "sample none --device cuda"] {
        let line = fail(folder.path(), command, 1);
        assert!(line.contains("NVIDIA driver") && line.contains("use --device cpu"), "{line}");
    }
    assert!(!folder.path().join("run").exists());
}
