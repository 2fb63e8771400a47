//! A game whose layers hold others, as a user meets it: trained, stopped, gone on with, exported and imported.
#![cfg(feature = "app")]

mod common;

use common::{fail, read, succeed};
use safetensors::SafeTensors;
use std::collections::BTreeSet;

const RECIPE: &str = include_str!("../fuzz/residual.toml");

#[test]
fn a_run_goes_on_and_its_weights_go_out_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("r.toml"), RECIPE).unwrap();
    let flags = "--batch-size 8 --threads 2 --set judge.every=0 --set samples.count=4";
    succeed(at, &format!("train r.toml --steps 4 {flags} --out whole"));
    succeed(at, &format!("train r.toml --steps 2 {flags} --out run"));
    succeed(at, "train --resume --steps 4 --threads 2 --out run");
    for file in ["checkpoint.safetensors", "generator.safetensors"] {
        assert!(read(at, &format!("run/{file}")) == read(at, &format!("whole/{file}")), "{file}");
    }

    let bytes = read(at, "run/generator.safetensors");
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let names: BTreeSet<&str> = file.names().into_iter().collect();
    let inside = [
        "layers.3.layers.1.kernel",
        "layers.3.layers.2.beta",
        "layers.3.layers.2.gamma",
        "layers.3.layers.2.running_mean",
        "layers.3.layers.2.running_variance",
        "layers.3.layers.4.layers.1.bias",
        "layers.3.layers.4.layers.1.kernel",
        "layers.3.shortcut.1.bias",
        "layers.3.shortcut.1.kernel",
    ];
    let inside = inside.map(|name| format!("generator.{name}"));
    let found: Vec<&str> = names.into_iter().filter(|name| name.starts_with("generator.layers.3.")).collect();
    assert_eq!(found, inside);

    succeed(at, "sample run --count 3 --out run.npy");
    for layout in ["keras", "torch"] {
        succeed(at, &format!("export run --format safetensors --layout {layout} --out {layout}.safetensors"));
        succeed(at, &format!("import {layout}.safetensors --recipe r.toml --layout {layout} --out from-{layout}"));
        succeed(at, &format!("sample from-{layout} --count 3 --out {layout}.npy"));
        assert!(read(at, &format!("{layout}.npy")) == read(at, "run.npy"), "{layout}");
        let again = format!("export from-{layout} --format safetensors --layout {layout} --out again-{layout}");
        succeed(at, &again);
        let tensors = |path: &str| {
            let bytes = read(at, path);
            let file = SafeTensors::deserialize(&bytes).unwrap();
            let tensors = file.tensors().into_iter().map(|(name, view)| (name, view.data().to_vec()));
            tensors.collect::<BTreeSet<_>>()
        };
        assert!(tensors(&format!("again-{layout}")) == tensors(&format!("{layout}.safetensors")), "{layout}");
    }
    let said = fail(at, "import torch.safetensors --recipe quickstart --layout torch --out none", 1);
    assert!(said.contains("torch.safetensors"), "{said}");
}

#[test]
fn the_table_shows_what_is_inside_of_what() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("r.toml"), RECIPE).unwrap();
    let table = succeed(at, "recipes r.toml --set generator.layers.3.layers.4.layers.1.kernel=1");
    let row = |place: &str| {
        let mut rows = table.lines().filter_map(|line| line.trim_start().strip_prefix(place)?.strip_prefix("  "));
        rows.next().unwrap_or_else(|| panic!("no {place} in {table}")).to_string()
    };
    let fields = |place: &str| row(place).split_whitespace().map(String::from).collect::<Vec<_>>().join(" ");
    assert_eq!(fields("3"), "residual layers(x) + shortcut(x) [4, 4, 2] 0");
    assert_eq!(fields("3.layers.4"), "residual layers(x) + x [4, 4, 2] 0");
    assert!(row("3.layers.4").starts_with("  residual"), "indented by its depth: {table}");
    let deepest = row("3.layers.4.layers.1");
    assert!(deepest.starts_with("    conv2d") && deepest.contains("kernel=1 ") && deepest.ends_with(" 6"), "{table}");

    let said = fail(at, "recipes r.toml --set generator.layers.3.layers.4.layers.1.filters=3", 1);
    let why = "generator layer 3.layers.4 (residual): its layers give [4, 4, 3] but its input, which is the shortcut, \
               [4, 4, 2]; make them equal";
    assert!(said.contains(why), "{said}");
    let said = fail(at, "recipes r.toml --set generator.layers.3.shortcut.1.kernl=3", 2);
    assert!(said.contains("unknown key `kernl`"), "{said}");
}
