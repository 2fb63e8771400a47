//! Every built-in recipe trains, whatever its loss and its layers, and leaves a whole run folder.
#![cfg(feature = "app")]

mod common;

use common::{one_line, read, succeed};
use minimax::recipe::{Recipe, built_in_names};
use minimax::report::{EventFile, Picture};
use std::path::Path;

/// A folder of coloured pictures of ten classes, which are brought to any recipe's size.
fn pictures(folder: &Path) {
    for i in 0..100 {
        let rgb = (0..40 * 36 * 3).map(|v| (v * (i + 3)) as u8);
        let picture = Picture { width: 40, height: 36, rgb: rgb.collect() };
        let class = folder.join(format!("{}", i % 10));
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join(format!("{i:02}.png")), picture.to_png()).unwrap();
    }
}

#[test]
fn every_recipe_trains_and_leaves_a_whole_run_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    pictures(&at.join("pictures"));
    for name in built_in_names() {
        let recipe = Recipe::load(name, &[]).unwrap();
        let data = match recipe.discriminator.input[..] {
            [28, 28, 1] => "digits",
            [2] => name,
            _ => "pictures",
        };
        let critic = recipe.training.loss.has_critic();
        // One step of the generator where the critic moves five times before it.
        let steps = if critic { 6 } else { 3 };
        let flags = "--batch-size 2 --threads 2 --set samples.count=16 --set judge.samples=100";
        let few = ["labelled=20", "supervised=10", "pairs=[2,8]", "generated=10", "alone=0"];
        let few = few.map(|setting| format!("--set training.triple.{setting}")).join(" ");
        let triple = if recipe.triple().is_some() { &few } else { "" };
        let said = succeed(at, &format!("train {name} --data {data} --steps {steps} {flags} {triple} --out {name}"));
        assert_eq!(said.contains("W estimate"), critic, "{name}: {said}");
        let run = at.join(name);
        for file in [
            "recipe.toml",
            "run.toml",
            "log.csv",
            "epochs.csv",
            "samples/epoch-0001.png",
            "samples/real.png",
            "samples.gif",
            "comparison.png",
            "curves.svg",
            "curves.png",
            "report.html",
            "checkpoint.safetensors",
            "generator.safetensors",
            "best.safetensors",
        ] {
            assert!(!read(&run, file).is_empty(), "{name}: {file}");
        }
        let entries = std::fs::read_dir(&run).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| EventFile::is_name(name)).count(), 1);
        let log = String::from_utf8(read(&run, "log.csv")).unwrap();
        let last = log.lines().last().unwrap();
        assert!(last.starts_with(&format!("{steps},1,")), "{name}: {last}");
        let [header, last] = [log.lines().next().unwrap(), last].map(|row| row.split(',').collect::<Vec<_>>());
        let is_there = |column: &str| !last[header.iter().position(|name| *name == column).unwrap()].is_empty();
        assert_eq!(is_there("wasserstein_estimate"), critic, "{name}: {last:?}");
        assert_eq!(is_there("c_loss"), recipe.triple().is_some(), "{name}: {last:?}");
        std::fs::remove_dir_all(&run).unwrap();
    }
}

/// A step on one large image takes little; neither grids nor scores may take more than that.
#[cfg(target_os = "linux")]
#[test]
fn what_trains_in_little_memory_saves_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    pictures(&at.join("pictures"));
    std::fs::write(at.join("large.toml"), include_str!("common/large.toml")).unwrap();
    let limited = |kilobytes: u32, arguments: &str| {
        let minimax = env!("CARGO_BIN_EXE_minimax");
        let script = format!("ulimit -v {kilobytes}; exec {minimax} {arguments}");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).current_dir(at);
        command.output().unwrap()
    };
    // All of a grid's images at once would take 2 GiB and more.
    let flags = "--data pictures --steps 2 --threads 2";
    let output = limited(1 << 20, &format!("train large.toml {flags} --out run"));
    assert!(output.status.success(), "{output:?}");
    let output = limited(1 << 20, "sample run --count 64 --out again.png --threads 2");
    assert!(output.status.success(), "{output:?}");
    assert!(read(at, "again.png") == read(at, "run/samples/epoch-0001.png"));

    // What can't fit is refused before anything is written,
    let output = limited(300_000, &format!("train large.toml {flags} --out none"));
    let said = one_line(&output);
    assert!(
        said.contains("making sample grids takes about")
            && said.contains("this process's limit of (see ulimit -v) 0.3 GiB; lower samples.count"),
        "{said}"
    );
    let huge = "--set generator.layers.5.filters=1048576";
    let output = limited(1 << 20, &format!("train large.toml {flags} {huge} --out none"));
    assert_eq!(output.status.code(), Some(1));
    assert!(one_line(&output).contains("make it smaller"), "{output:?}");
    assert!(!at.join("none").exists());
    // and what nobody foresaw is one line too.
    let output = limited(350_000, "sample run --count 3000 --out none.npy --threads 2");
    assert_eq!(output.status.code(), Some(1));
    let said = one_line(&output);
    assert!(said.contains("no memory for"), "{said}");
    assert!(!at.join("none.npy").exists());
}
