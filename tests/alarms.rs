//! The recipes that fail on purpose raise their alarms, once, and those that don't raise none.
#![cfg(feature = "app")]

mod common;

use common::succeed;
use std::path::Path;

/// The alarms of a run, by their first words.
fn alarms(arguments: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let said = succeed(folder.path(), &format!("train {arguments} --out run"));
    let lines = said.lines().filter_map(|line| line.strip_prefix("alarm: "));
    lines.map(|line| line.split(':').next().unwrap().to_string()).collect()
}

#[test]
fn each_failing_recipe_raises_its_alarm_once() {
    for (name, alarm) in [
        ("mode-collapse", "classes lost"),
        ("discriminator-wins", "D won"),
        ("saturation", "saturated output"),
        ("constant-output", "constant output"),
        ("divergence", "losses without end"),
    ] {
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("recipes/failing/{name}.toml"));
        let raised = alarms(recipe.to_str().unwrap());
        assert_eq!(raised.iter().filter(|found| *found == alarm).count(), 1, "{name}: {raised:?}");
    }
}

#[test]
fn a_run_that_goes_well_raises_none() {
    assert!(alarms("quickstart --epochs 3 --set training.batch_size=128").is_empty());
}
