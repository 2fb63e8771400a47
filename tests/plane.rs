//! Runs on points of the plane: what they find, the maps that they draw, and how they are told apart from runs on
//! images.
#![cfg(feature = "app")]

mod common;

use common::{fail, read, succeed};
use minimax::report::Picture;
use minimax::run::table::Columns;
use std::path::Path;

fn last(run: &Path, column: &str) -> f64 {
    let epochs = Columns::read(&run.join("epochs.csv")).unwrap();
    epochs.column(column).into_iter().flatten().next_back().unwrap()
}

/// Trains `name` with `flags` and looks at the end: so many `modes` are `found`, and a share above `good` of the
/// samples is.
#[track_caller]
fn finds(name: &str, flags: &str, modes: u32, found: u32, good: f64) {
    let folder = tempfile::tempdir().unwrap();
    // Networks so small gain nothing from a second thread, and other tests have it.
    let said = succeed(folder.path(), &format!("train {name} {flags} --threads 1 --out {name}"));
    assert!(said.contains(&format!("{modes} modes; of real points")), "{said}");
    assert!(said.contains(&format!(" of {modes} modes")), "{said}");
    let run = folder.path().join(name);
    assert!(last(&run, "modes_found") >= f64::from(found), "{said}");
    assert_eq!(last(&run, "modes_floor"), f64::from(modes), "{said}");
    assert!(last(&run, "good_share") > good, "{said}");
    assert!(last(&run, "sliced_floor") < last(&run, "sliced_wasserstein"), "{said}");
}

#[test]
fn the_ring_is_found_by_its_recipe() {
    finds("ring-2d", "", 8, 8, 0.5);
}

#[test]
fn the_spiral_is_found_by_its_recipe() {
    finds("spiral-2d", "", 16, 16, 0.7);
}

/// It takes minutes: its beginning is enough.
#[test]
fn the_grid_is_begun_by_its_recipe() {
    finds("grid-2d", "--epochs 5", 25, 3, 0.0);
}

#[test]
fn a_map_is_drawn_at_each_epoch_and_goes_to_the_report_and_the_animation() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), "train ring-2d --epochs 2 --set samples.first_step=25 --out run");
    let run = folder.path().join("run");
    let grids = ["real", "step-000025", "step-000050", "epoch-0001", "epoch-0002"];
    let maps = grids.map(|name| Picture::read(&run.join(format!("samples/{name}.png"))).unwrap());
    let is_square = |map: &Picture| map.width == map.height && map.width >= 300;
    assert!(maps.iter().all(is_square));
    assert!(maps.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(read(&run, "samples.gif").starts_with(b"GIF89a"));
    let report = String::from_utf8(read(&run, "report.html")).unwrap();
    for part in ["Colours are the discriminator", "Modes found", "Good samples", "real ones"] {
        assert!(report.contains(part), "{part}");
    }
}

/// Also with a critic, whose penalty goes through second derivatives at points that are no images.
#[test]
fn a_run_that_was_stopped_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let critic = "--set training.loss=wasserstein --set training.gradient_penalty=10 \
                  --set training.update={critic_loop={steps=3}}";
    for (name, flags) in [("plain", ""), ("critic", critic)] {
        let train = format!("train grid-2d --epochs 2 --set samples.count=20 {flags}");
        succeed(folder.path(), &format!("{train} --out {name}-whole"));
        succeed(folder.path(), &format!("{train} --steps 130 --threads 1 --out {name}"));
        succeed(folder.path(), &format!("train --resume --out {name}"));
        for file in ["checkpoint.safetensors", "samples/epoch-0002.png"] {
            let [whole, parts] = [format!("{name}-whole"), name.into()].map(|run| read(&folder.path().join(run), file));
            assert!(whole == parts, "{name}: {file}");
        }
    }
}

#[test]
fn samples_are_points_in_a_map_and_in_an_array() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), "train spiral-2d --steps 3 --out run");
    assert!(succeed(folder.path(), "sample run --count 300").contains("300 points of spiral-2d in samples.png"));
    assert!(Picture::read(&folder.path().join("samples.png")).unwrap().width >= 300);
    succeed(folder.path(), "sample run --count 300 --out points.npy");
    let bytes = read(folder.path(), "points.npy");
    let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
    assert!(header.contains("'<f4'") && header.contains("(300, 2, )"), "{header}");
    // Its own file is written over unasked.
    succeed(folder.path(), "sample run --count 30 --out points.npy");
    succeed(folder.path(), "export run --format onnx --out generator.onnx");
}

#[test]
fn a_run_is_judged_beside_real_points() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), "train ring-2d --epochs 3 --out run");
    let table = succeed(folder.path(), "judge run --count 2000");
    for part in ["2,000 samples of ring-2d after 300 steps", "modes found, of 8", "8 [8, 8]", "good samples"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let json = succeed(folder.path(), "judge run --best --count 2000 --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let real = &json["figures"]["good_share"]["real"];
    let [value, low, high] = ["value", "low", "high"].map(|key| real[key].as_f64().unwrap());
    assert!(low < value && value < high && high - low < 0.02 && value > 0.98, "{real}");
    let [samples, real] =
        ["samples", "real"].map(|of| json["figures"]["sliced_wasserstein"][of]["value"].as_f64().unwrap());
    assert!(samples > 3.0 * real, "{json}");
}

#[test]
fn what_is_for_images_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), "train ring-2d --steps 2 --out run");
    for (arguments, code, words) in [
        ("train quickstart --data ring-2d --out x", 1, "choose a recipe for points, such as ring-2d"),
        ("train ring-2d --data digits --out x", 1, "choose data ring-2d, grid-2d or spiral-2d, or another recipe"),
        ("train ring-2d --set data.last_batch=keep --out x", 1, "ring-2d is sampled anew and has no last batch"),
        (
            "train ring-2d --set data.balanced=true --out x",
            1,
            "data.balanced = true: the points of ring-2d have no classes",
        ),
        ("train ring-2d --set data.flip=true --out x", 1, "data.flip = true: ring-2d has points, no images to mirror"),
        ("train ring-2d --batch-size 12801 --out x", 1, "choose at most 12800"),
        ("interpolate run --from 1 --to 2 --out x", 1, "points of the plane"),
        ("judge run --data digits", 2, "--data: the run makes points of ring-2d, not images"),
        ("judge run --judge x.safetensors", 2, "--judge: the run makes points"),
        ("judge train grid-2d", 1, "points of the plane"),
        ("train --resume --data grid-2d --out run", 1, "made on other data (not the points of grid-2d)"),
    ] {
        let line = fail(folder.path(), arguments, code);
        assert!(line.contains(words), "{arguments}: {line}");
    }
    assert!(!folder.path().join("x").exists());
}
