//! `minimax train` and `minimax sample` from the outside: what a run leaves, how it goes on, and what stops it.

mod common;

use common::{fail, minimax, one_line, succeed};
use minimax::cpu::pool;
use minimax::gan::model::Gan;
use minimax::gan::recipe::Recipe;
use minimax::{Device, Tensor};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The bytes of a file of a run.
fn read(folder: &Path, file: &str) -> Vec<u8> {
    let path = folder.join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The step of the last whole row of a log that may still be growing.
fn logged_steps(folder: &Path) -> u64 {
    let log = std::fs::read_to_string(folder.join("log.csv")).unwrap_or_default();
    let mut rows = log
        .lines()
        .filter_map(|row| row.split(',').next()?.parse().ok());
    rows.next_back().unwrap_or(0)
}

/// Training that never ends by itself within a test.
fn start_long_run(folder: &Path) -> Child {
    let mut command = minimax(folder, "train --batch-size 4 --epochs 1000 --out run");
    command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("minimax starts")
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "waited in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_leaves_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let said = succeed(folder.path(), "train --steps 3 --batch-size 8");
    assert!(said.contains("runs/quickstart-1"), "{said}");
    let run = folder.path().join("runs/quickstart-1");
    let log = String::from_utf8(read(&run, "log.csv")).unwrap();
    let header = "step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second";
    assert_eq!(log.lines().next(), Some(header));
    assert_eq!(log.lines().count(), 4);
    assert!(log.lines().nth(3).unwrap().starts_with("3,1,"));
    assert!(read(&run, "samples/epoch-0001.png").starts_with(b"\x89PNG"));
    for file in ["checkpoint.safetensors", "generator.safetensors"] {
        assert!(!read(&run, file).is_empty());
    }
    // The resolved recipe is itself a recipe, and gives the same run.
    succeed(&run, "train recipe.toml --steps 3 --out again");
    let again = read(&run.join("again"), "checkpoint.safetensors");
    assert_eq!(again, read(&run, "checkpoint.safetensors"));

    succeed(folder.path(), "train --steps 1 --batch-size 8");
    assert!(folder.path().join("runs/quickstart-2").is_dir());
}

#[test]
fn a_resumed_run_is_the_run_that_never_stopped_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    succeed(
        folder.path(),
        "train --steps 6 --batch-size 16 --threads 1 --out whole",
    );
    succeed(
        folder.path(),
        "train --steps 3 --batch-size 16 --threads 2 --out parts",
    );
    succeed(
        folder.path(),
        "train --steps 6 --threads 3 --out parts --resume",
    );
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    for file in [
        "checkpoint.safetensors",
        "generator.safetensors",
        "samples/epoch-0001.png",
    ] {
        assert!(read(&whole, file) == read(&parts, file), "{file} differs");
    }
    let columns = |run: &Path| -> Vec<String> {
        let log = String::from_utf8(read(run, "log.csv")).unwrap();
        let without_time = |row: &str| row.rsplit_once(',').unwrap().0.to_string();
        log.lines().map(without_time).collect()
    };
    assert_eq!(columns(&whole), columns(&parts));
}

#[test]
fn every_epoch_has_its_own_order_and_grid_and_resumes_across_its_end() {
    let folder = tempfile::tempdir().unwrap();
    // 10,000 digits in batches of 2,500 are four steps an epoch; a network of a few weights keeps that quick.
    let small = Recipe::load("vanilla-mnist", &[]).unwrap().to_toml();
    let small = ["128", "256", "512"].iter().fold(small, |text, width| {
        text.replace(&format!("units = {width}\n"), "units = 8\n")
    });
    std::fs::write(folder.path().join("small.toml"), small).unwrap();
    let flags = "train small.toml --data digits --batch-size 2500 --epochs 2";
    succeed(folder.path(), &format!("{flags} --out whole"));
    succeed(folder.path(), &format!("{flags} --steps 5 --out parts"));
    succeed(folder.path(), "train --resume --out parts");
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    for file in [
        "checkpoint.safetensors",
        "samples/epoch-0001.png",
        "samples/epoch-0002.png",
    ] {
        assert!(read(&whole, file) == read(&parts, file), "{file} differs");
    }
    let said = succeed(folder.path(), "train --resume --out parts");
    assert!(said.contains("nothing is left to do"), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_the_step_saves_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let child = start_long_run(folder.path());
    wait_for("the first step", || run.join("log.csv").is_file());
    std::thread::sleep(Duration::from_millis(300));
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = one_line(&output);
    assert!(said.contains("minimax train --resume --out run"), "{said}");
    let steps = logged_steps(&run);
    assert!(said.contains(&format!("after step {steps} ")), "{said}");
    succeed(
        folder.path(),
        &format!("train --resume --out run --steps {}", steps + 2),
    );
    assert_eq!(logged_steps(&run), steps + 2);
}

#[test]
fn a_killed_run_leaves_a_checkpoint_that_loads() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut child = start_long_run(folder.path());
    wait_for("a checkpoint", || {
        run.join("checkpoint.safetensors").is_file()
    });
    std::thread::sleep(Duration::from_millis(100));
    child.kill().unwrap();
    child.wait().unwrap();
    // And again in the middle of a resumed run, whose log has rows that its checkpoint doesn't know.
    for wait in [5, 60, 250, 600] {
        let mut child = minimax(folder.path(), "train --resume --out run");
        let mut child = child
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        succeed(folder.path(), "sample run --count 4");
    }
    succeed(folder.path(), "train --resume --out run --steps 5");
    assert_eq!(logged_steps(&run), 5);
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--batch-size 8 --set generator.optimizer.learning_rate=1e38 --out run";
    let said = fail(folder.path(), &format!("train {flags}"), 1);
    assert!(said.contains("step 2") || said.contains("step 3"), "{said}");
    assert!(said.contains("the discriminator's loss") || said.contains("the generator's loss"));
    succeed(folder.path(), "sample run --count 4");
}

#[test]
fn samples_are_the_runs_own_grid_and_follow_the_latents() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 2 --batch-size 8 --out run");
    succeed(at, "sample run --out grid.png");
    assert!(read(at, "grid.png") == read(at, "run/samples/epoch-0001.png"));

    succeed(
        at,
        "sample run --count 3 --seed 5 --format npy --out three.npy",
    );
    let three = read(at, "three.npy");
    let npy = npyz::NpyFile::new(&three[..]).unwrap();
    assert_eq!(npy.shape(), [3, 28, 28, 1]);
    let images: Vec<f32> = npy.into_vec().unwrap();
    assert!(images.iter().all(|v| v.abs() <= 1.0) && images.iter().any(|&v| v < 0.0));

    // The same latents from a file give the same images.
    use minimax::random::{Purpose, Random};
    use npyz::WriterBuilder;
    let latents: Vec<f32> = Random::new(5, Purpose::FixedLatent)
        .normal(300)
        .iter()
        .map(|&v| v as f32)
        .collect();
    let write = |name: &str, shape: &[u64], values: &[f32]| {
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape);
        let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        std::fs::write(at.join(name), bytes).unwrap();
    };
    write("z.npy", &[3, 100], &latents);
    succeed(
        at,
        "sample run --latents z.npy --format npy --out from_z.npy",
    );
    assert_eq!(read(at, "from_z.npy"), read(at, "three.npy"));

    write("narrow.npy", &[3, 99], &latents[..297]);
    std::fs::write(at.join("cut.npy"), &read(at, "z.npy")[..700]).unwrap();
    std::fs::write(at.join("text.npy"), "not an array").unwrap();
    for file in ["narrow.npy", "cut.npy", "text.npy", "missing.npy"] {
        let said = fail(
            at,
            &format!("sample run --latents {file} --out none.png"),
            1,
        );
        assert!(said.contains(file), "{said}");
    }
    assert!(!at.join("none.png").exists());
}

#[test]
fn what_a_user_gets_wrong_is_one_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let cases = [
        ("train --device cuda", 2, "--device cpu"),
        ("train --device tpu", 2, "tpu"),
        ("train --threads 0", 2, "--threads 0"),
        ("train --batch-size 20000", 2, "10000"),
        ("train --batch-size -3", 2, "-3"),
        ("train --epochs 0", 1, "epochs"),
        ("train nothing", 2, "quickstart"),
        ("train --data nowhere", 2, "nowhere"),
        ("train --set training.banana=1", 2, "banana"),
        ("train --resume", 1, "--out"),
        ("train --resume --out nowhere", 1, "nowhere"),
        ("train --out /proc/none", 1, "/proc/none"),
        ("sample nowhere", 1, "nowhere"),
        ("sample nowhere --count 3 --latents z.npy", 2, "--latents"),
    ];
    for (arguments, code, names) in cases {
        let said = fail(at, arguments, code);
        assert!(said.contains(names), "{arguments}: {said}");
    }
    assert_eq!(
        std::fs::read_dir(at).unwrap().count(),
        0,
        "something was left behind"
    );
}

#[test]
fn a_checkpoint_that_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 1 --batch-size 8 --out run");
    for (arguments, names) in [
        ("train vanilla-mnist --resume --out run", "quickstart"),
        ("train --resume --out run --batch-size 9", "batch_size"),
        (
            "train --resume --out run --device reference",
            "--device cpu",
        ),
        ("train --out run", "--resume"),
    ] {
        let said = fail(at, arguments, 1);
        assert!(said.contains(names), "{arguments}: {said}");
    }
    let whole = read(at, "run/checkpoint.safetensors");
    let path = at.join("run/checkpoint.safetensors");
    let mut wrong_name = whole.clone();
    let name = b"layers.1.kernel";
    let found = whole.windows(name.len()).position(|w| w == name).unwrap();
    wrong_name[found] = b'L';
    for bytes in [&whole[..whole.len() - 1], &whole[..7], &[], &wrong_name[..]] {
        std::fs::write(&path, bytes).unwrap();
        let said = fail(at, "train --resume --out run", 1);
        assert!(said.contains("checkpoint.safetensors"), "{said}");
    }
}

/// A whole training step, and not only an op, lives on the buffers of the steps before it.
#[test]
fn a_training_loop_asks_for_no_memory_after_its_second_step() {
    for recipe in ["quickstart", "dcgan-compact-mnist", "vanilla-mnist"] {
        let recipe = Recipe::load(recipe, &[]).unwrap();
        let mut gan = Gan::new(&recipe, Device::Cpu);
        let real = Tensor::full(0.5, [16, 28, 28, 1], Device::Cpu);
        // One thread: how many scratch buffers are in use at once must not depend on who is quick.
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        pool.install(|| {
            gan.step(&real).unwrap();
            gan.step(&real).unwrap();
            let before = pool::stats().allocations;
            for _ in 0..3 {
                gan.step(&real).unwrap();
            }
            assert_eq!(pool::stats().allocations, before, "{}", recipe.name);
        });
    }
}
