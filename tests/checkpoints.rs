//! Which checkpoints a run keeps, and that a run of any game goes on from one bit for bit.
#![cfg(feature = "app")]

mod common;

use common::{fail, minimax, read, succeed};
use minimax::gan::model::Gan;
use minimax::recipe::Recipe;
use minimax::recipe::build::Role;
use minimax::report::Picture;
use minimax::run::checkpoint::{self, DataIdentity, Weights};
use minimax::run::epochs::Origin;
use minimax::{Device, Tensor};
use std::path::Path;

/// A recipe of a few weights.
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/tiny.toml");

/// A run's file that was written before there were sums.
const WITHOUT_SUM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/checkpoint/checkpoint.safetensors");

/// What reads the files of a run.
const READERS: [&str; 4] = [
    "train --resume --steps 1 --out run",
    "sample run/checkpoint.safetensors --out drawn.png",
    "export run/checkpoint.safetensors --format onnx --out generator.onnx",
    "interpolate run/checkpoint.safetensors --from 1 --to 2 --out drawn",
];

/// Forty grey pictures in `folder`, which are brought to any recipe's size.
fn pictures(folder: &Path) {
    // Classes, which conditional games want and others do without.
    for class in ["a", "b", "c"] {
        std::fs::create_dir_all(folder.join(class)).unwrap();
    }
    for i in 0..40 {
        let tones: Vec<u8> = (0..64).map(|v| (v * (2 * i + 3)) as u8).collect();
        let picture = Picture::from_pixels(&tones, 8, 8, 1);
        let class = ["a", "b", "c"][i % 3];
        std::fs::write(folder.join(class).join(format!("{i:02}.png")), picture.to_png()).unwrap();
    }
}

/// `game.toml` and its `pictures` in `folder`.
fn hinge_game(folder: &Path) {
    let game = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/games/hinge.toml");
    std::fs::copy(game, folder.join("game.toml")).unwrap();
    pictures(&folder.join("pictures"));
}

/// The columns of a table, row by row, without the `times`.
fn rows(run: &Path, table: &str, times: &[usize]) -> Vec<Vec<String>> {
    let text = String::from_utf8(read(run, table)).unwrap();
    let fields = |row: &str| {
        let fields = row.split(',').enumerate();
        let kept = fields.filter(|(column, _)| !times.contains(column));
        kept.map(|(_, field)| field.to_string()).collect()
    };
    text.lines().map(fields).collect()
}

/// Every loss, update order and kind of batch, stopped in the middle of an epoch: what they draw from
/// their random streams, and where a critic's schedule stands, must not depend on the stop.
#[test]
fn every_game_goes_on_as_if_it_had_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    pictures(&at.join("pictures"));
    let games = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/games");
    let mut played = 0;
    for entry in std::fs::read_dir(games).unwrap() {
        let game = entry.unwrap().path();
        std::fs::copy(&game, at.join("game.toml")).unwrap();
        let name = game.file_stem().unwrap().to_str().unwrap();
        let mut flags = "--epochs 3 --data pictures --set data.last_batch=keep --batch-size 12".to_string();
        if name.starts_with("conditional") {
            flags += " --set data.balanced=true --set data.flip=true";
        }
        succeed(at, &format!("train game.toml {flags} --out {name}/whole"));
        succeed(at, &format!("train game.toml {flags} --out {name}/parts --steps 6"));
        succeed(at, &format!("train --resume --out {name}/parts"));
        let (whole, parts) = (at.join(name).join("whole"), at.join(name).join("parts"));
        for file in ["checkpoint.safetensors", "generator.safetensors", "samples/epoch-0003.png", "samples/real.png"] {
            assert!(read(&whole, file) == read(&parts, file), "{name}: {file}");
        }
        let log = rows(&whole, "log.csv", &[6]);
        assert_eq!(log, rows(&parts, "log.csv", &[6]), "{name}");
        // The row of the epoch in whose middle the run was ended is gone.
        let epochs = rows(&parts, "epochs.csv", &[2, 3]);
        assert_eq!(epochs.len(), 1 + 3, "{name}");
        assert_eq!(rows(&whole, "epochs.csv", &[2, 3]), epochs, "{name}");
        played += 1;
    }
    assert!(played > 0);
}

#[test]
fn the_best_the_last_and_every_second_checkpoint_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    hinge_game(at);
    succeed(at, "train game.toml --data pictures --epochs 5 --keep-every 2 --out run");
    let run = at.join("run");
    let kept = std::fs::read_dir(run.join("kept")).unwrap();
    let mut kept: Vec<_> = kept.map(|entry| entry.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["epoch-0002.safetensors", "epoch-0004.safetensors"]);
    succeed(at, "sample run/kept/epoch-0002.safetensors --count 4 --out four.png");

    let scored = rows(&run, "epochs.csv", &[]);
    let distance = |row: &Vec<String>| row[4].parse::<f64>().unwrap();
    let best = scored[1..].iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
    // The same state as that of a run that ends with the best epoch.
    let last = &best[1];
    succeed(at, &format!("train game.toml --data pictures --epochs 5 --steps {} --out again", best[0]));
    assert!(
        read(&run, "best.safetensors") == read(&at.join("again"), "checkpoint.safetensors"),
        "epoch {last} is the best"
    );
}

/// What somebody has done to the pictures and tables of a run doesn't cost the training; a second
/// process is kept out.
#[test]
fn a_folder_that_was_meddled_with_is_mended_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    hinge_game(at);
    succeed(at, "train game.toml --data pictures --epochs 2 --out run");
    let run = at.join("run");
    std::fs::write(run.join("samples/epoch-0001.png"), "no picture").unwrap();
    std::fs::write(run.join("samples/real.png"), "no picture").unwrap();
    std::fs::remove_dir(run.join("kept")).unwrap();
    std::fs::remove_file(run.join("best.safetensors")).unwrap();
    succeed(at, "train --resume --out run --epochs 3 --keep-every 1");
    read(&run, "kept/epoch-0003.safetensors");
    read(&run, "best.safetensors");
    assert!(read(&run, "samples/real.png").starts_with(b"\x89PNG"));

    // The latest grid is drawn anew; one that can't be is left out, which is said.
    let last = read(&run, "samples/epoch-0003.png");
    std::fs::write(run.join("samples/epoch-0003.png"), &last[..last.len() / 2]).unwrap();
    // A palette with a part of a colour, over which the decoder panics.
    let damaged = include_bytes!("../fuzz/seeds/picture/part-of-a-colour");
    std::fs::write(run.join("samples/epoch-0001.png"), &damaged[3..]).unwrap();
    let resume = "train --resume --out run --epochs 3 --keep-every 1";
    let output = minimax(at, resume).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(read(&run, "samples/epoch-0003.png") == last);
    let output = minimax(at, "report run").output().unwrap();
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{warning}");
    let what = "warning: left out of the pictures: run/samples/epoch-0001.png: a palette of 4 bytes";
    assert!(warning.starts_with(what) && warning.lines().count() == 1, "{warning}");
    let report = String::from_utf8(read(&run, "report.html")).unwrap();
    assert!(report.contains("left out of the pictures: run/samples/epoch-0001.png"));

    let log = read(&run, "log.csv");
    std::fs::write(run.join("log.csv"), "hello\n").unwrap();
    for command in ["train --resume --out run --epochs 4", "report run"] {
        let said = fail(at, command, 1);
        assert!(said.contains("run/log.csv: is not the table"), "{said}");
    }
    assert_eq!(read(&run, "log.csv"), b"hello\n");
    std::fs::write(run.join("log.csv"), log).unwrap();

    if cfg!(unix) {
        let held = std::fs::File::open(&run).unwrap();
        held.lock().unwrap();
        let recipe = read(&run, "recipe.toml");
        for command in ["train --resume --epochs 4", "train game.toml --data pictures"] {
            let said = fail(at, &format!("{command} --out run"), 75);
            assert!(said.contains("by another process"), "{said}");
        }
        assert!(read(&run, "recipe.toml") == recipe);
    }
    succeed(at, "train --resume --out run --epochs 4");
}

/// The sum covers the header too: the step, the learning rate and the state of the random streams are as good as weights.
#[test]
fn a_flipped_bit_is_found_in_every_file_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &format!("train {TINY} --batch-size 1000 --steps 20 --keep-every 1 --out run"));
    let run = at.join("run");
    for name in ["checkpoint.safetensors", "best.safetensors", "kept/epoch-0001.safetensors", "generator.safetensors"] {
        let (path, whole) = (run.join(name), read(&run, name));
        let load = || checkpoint::load_network(&path, Role::Generator, Weights::Averaged, Device::Cpu);
        assert!(load().unwrap().has_sum, "{name}");
        let mut flipped = 0;
        for position in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[position] ^= 1 << (position % 8);
            std::fs::write(&path, &bytes).unwrap();
            // A flip in the sum's own key makes it a file without a sum, which is said.
            if load().is_ok_and(|trained| trained.has_sum) {
                panic!("{name}: the flip of byte {position} went unseen");
            }
            flipped += 1;
        }
        assert!(flipped > 100, "{name}");
        std::fs::write(&path, &whole).unwrap();
    }

    let mut bytes = read(&run, "checkpoint.safetensors");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(run.join("checkpoint.safetensors"), bytes).unwrap();
    for command in READERS {
        let said = fail(at, command, 1);
        assert!(said.contains("run/checkpoint.safetensors") && said.contains("SHA-256"), "{said}");
    }
}

#[test]
fn values_that_no_training_leaves_are_refused_by_the_tensors_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let recipe = Recipe::load(TINY, &[]).unwrap();
    std::fs::create_dir(at.join("run")).unwrap();
    for (name, value) in [
        ("generator.layers.1.kernel", f64::NAN),
        ("generator.layers.4.bias", f64::INFINITY),
        ("generator.layers.3.running_variance", -0.5),
        ("generator_optimizer.v.0", -1.0),
    ] {
        let mut gan = Gan::new(&recipe, Device::Cpu);
        let mut named = gan.named_mut();
        let (_, tensor) = named.iter_mut().find(|(found, _)| found == name).unwrap();
        **tensor = Tensor::full(value, tensor.shape(), Device::Cpu);
        let path = at.join("run/checkpoint.safetensors");
        let data = DataIdentity { count: 1, hash: 1 };
        let origin = Origin::default();
        checkpoint::save(&path, &gan, &recipe, Device::Cpu, data, None, origin).unwrap();
        // Only what goes on reads the optimiser's part.
        let readers = if name.contains("optimizer") { 1 } else { 4 };
        for command in &READERS[..readers] {
            let said = fail(at, command, 1);
            assert!(said.contains(&format!(" in {name};")), "{command}: {said}");
        }
    }
}

#[test]
fn a_file_without_a_sum_is_read_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("run")).unwrap();
    std::fs::copy(WITHOUT_SUM, at.join("run/checkpoint.safetensors")).unwrap();
    for command in READERS {
        let output = minimax(at, command).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{command}: {said}");
        assert!(
            said.starts_with("warning: ") && said.contains("without a sum") && said.lines().count() == 1,
            "{command}: {said}"
        );
        // So old a version also drew the built-in digits otherwise.
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told.contains("drew the digits a little differently"), command == READERS[0], "{command}: {told}");
    }
    // From then on there is one.
    succeed(at, "train --resume --steps 2 --out run");
    let output = minimax(at, READERS[1]).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// The steps and epochs of the rows of `epochs.csv`.
fn epochs(run: &Path) -> Vec<[String; 2]> {
    let rows = rows(run, "epochs.csv", &[2, 3, 4, 5]);
    let pair = |row: &Vec<String>| [row[0].clone(), row[1].clone()];
    rows[1..].iter().map(pair).collect()
}

#[test]
fn what_may_change_on_the_way_is_said_kept_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    hinge_game(at);
    let change = "--resume --batch-size 8 --epochs 3 --set generator.optimizer.learning_rate=1e-5";
    for (run, steps) in [("run", ""), ("parts", " --steps 9")] {
        // In the middle of the second epoch of four steps, which begins anew with five.
        let train = "train game.toml --data pictures --batch-size 10 --epochs 4 --steps 6 --out";
        succeed(at, &format!("{train} {run}"));
        let said = succeed(at, &format!("train {change}{steps} --out {run}"));
        for word in [
            "from step 7 on: ",
            "training.batch_size from 10 to 8",
            "generator.optimizer.learning_rate from ",
            "no longer bit for bit",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
        let recipe = String::from_utf8(read(&at.join(run), "recipe.toml")).unwrap();
        let recipe: toml::Table = recipe.parse().unwrap();
        let rate = &recipe["generator"]["optimizer"]["learning_rate"];
        assert_eq!(recipe["training"]["batch_size"].as_integer(), Some(8));
        assert_eq!(rate.as_float(), Some(1e-5));
    }
    // Without flags it goes on as changed, and says nothing of it any more.
    let said = succeed(at, "train --resume --out parts");
    assert!(!said.contains("bit for bit"), "{said}");
    let (run, parts) = (at.join("run"), at.join("parts"));
    assert!(read(&run, "checkpoint.safetensors") == read(&parts, "checkpoint.safetensors"));
    for run in [&run, &parts] {
        assert_eq!(epochs(run), [["4", "1"], ["11", "2"], ["16", "3"]]);
        let log = rows(run, "log.csv", &[6]);
        let steps: Vec<String> = log[1..].iter().map(|row| row[0].clone()).collect();
        assert_eq!(steps, (1..=16).map(|n| n.to_string()).collect::<Vec<_>>());
        read(run, "samples/epoch-0003.png");
    }
    let said = fail(at, "train game.toml --data pictures --resume --out run", 1);
    assert!(said.contains("leave the recipe out"), "{said}");
}

#[test]
fn a_run_goes_back_to_its_best_state_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    hinge_game(at);
    succeed(at, "train game.toml --data pictures --epochs 4 --keep-every 1 --out run");
    let run = at.join("run");
    // As if the second epoch had been the best.
    let second = epochs(&run)[1][0].clone();
    std::fs::copy(run.join("kept/epoch-0002.safetensors"), run.join("best.safetensors")).unwrap();
    let (last, log) = (read(&run, "checkpoint.safetensors"), read(&run, "log.csv"));
    let grid = read(&run, "samples/epoch-0004.png");

    let back = format!("train --resume --from best --steps {second} --out run");
    let said = succeed(at, &back);
    assert!(said.contains(&format!("after step {second}; all that came after it is in run/left-1")), "{said}");
    assert!(read(&run, "checkpoint.safetensors") == read(&run, "best.safetensors"));
    assert_eq!(epochs(&run).len(), 2);
    for later in ["samples/epoch-0003.png", "kept/epoch-0004.safetensors"] {
        assert!(!run.join(later).exists(), "{later}");
    }
    let left = run.join("left-1");
    assert!(read(&left, "checkpoint.safetensors") == last);
    assert!(read(&left, "log.csv") == log && read(&left, "samples/epoch-0004.png") == grid);
    read(&left, "kept/epoch-0003.safetensors");
    succeed(at, "report run/left-1");
    // There is nothing to go back from; and what follows, unchanged, is what followed.
    let said = succeed(at, &back);
    assert!(!said.contains("left-"), "{said}");
    succeed(at, "train --resume --out run");
    assert!(read(&run, "checkpoint.safetensors") == last);
    assert!(read(&run, "samples/epoch-0004.png") == grid);

    // A last state that is damaged is no reason not to.
    std::fs::write(run.join("checkpoint.safetensors"), "no checkpoint").unwrap();
    succeed(at, "train --resume --from best --out run");
    assert_eq!(read(&run.join("left-2"), "checkpoint.safetensors"), b"no checkpoint");
}

#[test]
fn a_run_begins_with_the_weights_of_another_where_they_fit() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    hinge_game(at);
    succeed(at, "train game.toml --data pictures --epochs 1 --out run");
    // Steps of nothing.
    let still = "--steps 1 --set schedule=[] --set generator.optimizer.learning_rate=1e-30 --set discriminator.optimizer.learning_rate=1e-30";
    let start = format!("train game.toml --data pictures --seed 9 {still}");
    let said = succeed(at, &format!("{start} --init run --out again"));
    let line = said.lines().find(|line| line.starts_with("weights: ")).unwrap();
    assert!(line.ends_with(" tensors from run"), "{line}");
    let kernels = |folder: &str, network: &str| {
        let bytes = read(at, &format!("{folder}/checkpoint.safetensors"));
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let named = file.tensors().into_iter().filter(|(name, _)| name.ends_with(".kernel"));
        let named =
            named.filter_map(|(name, view)| Some((name.strip_prefix(network)?.to_string(), view.data().to_vec())));
        let mut all: Vec<_> = named.collect();
        all.sort();
        all
    };
    for network in ["generator.", "discriminator."] {
        assert!(!kernels("run", network).is_empty() && kernels("run", network) == kernels("again", network));
    }
    // The average begins from the weights that were taken.
    assert!(kernels("again", "average.") == kernels("run", "generator."));

    // The generator alone, then networks of which some layers fit, then none.
    let said = succeed(at, &format!("{start} --init run/generator.safetensors --out third"));
    assert!(said.contains("begun anew: discriminator.") && said.contains("(not there)"), "{said}");
    std::fs::write(at.join("text"), "no weights").unwrap();
    for (from, word) in
        [("nowhere", "nowhere"), ("text", "not a whole checkpoint"), ("pictures", "give the folder of a run")]
    {
        let said = fail(at, &format!("{start} --init {from} --out fourth"), 1);
        assert!(said.contains(word), "{said}");
    }
    let said = fail(
        at,
        "train vanilla-mnist --data pictures --init third/generator.safetensors --out fourth --batch-size 8",
        1,
    );
    assert!(said.contains("no tensor that fits the recipe's networks") && !at.join("fourth").exists(), "{said}");
}

#[test]
fn samples_are_of_averaged_weights_unless_they_are_asked_for_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    hinge_game(at);
    succeed(at, "train game.toml --data pictures --steps 7 --out run");
    let drawn = |arguments: &str| {
        succeed(at, &format!("{arguments} --out drawn.npy --force"));
        read(at, "drawn.npy")
    };
    let averaged = drawn("sample run --count 5");
    assert_eq!(drawn("sample run/checkpoint.safetensors --count 5"), averaged);
    assert_ne!(drawn("sample run --best --count 5"), drawn("sample run --best --no-average --count 5"));
    let own = drawn("sample run --no-average --count 5");
    assert_ne!(own, averaged);
    assert_eq!(drawn("sample run/checkpoint.safetensors --no-average --count 5"), own);
    let line = fail(at, "sample run/generator.safetensors --no-average", 1);
    assert!(line.contains("averages of the generator's weights only; give the run's folder"), "{line}");

    let exported = |flags: &str| {
        succeed(at, &format!("export run --format safetensors {flags} --out {}.safetensors", flags.len()));
        read(at, &format!("{}.safetensors", flags.len()))
    };
    assert_ne!(exported(""), exported("--no-average"));

    // How long it is may change in a run that goes on.
    succeed(at, "train --resume --steps 9 --set training.average.decay=0.5 --out run");
    let line = fail(at, "train --resume --steps 9 --set training.average.decay=1.5 --out run", 1);
    assert!(line.contains("training.average.decay = 1.5"), "{line}");
}
