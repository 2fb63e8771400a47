//! A run's folder with one file that somebody has changed: what a report, an interpolation and a resume make of it.
//! The first byte picks the file, the rest is what stands in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::Device;
use minimax::gan::latents::Latents;
use minimax::gan::model::sample;
use minimax::recipe::Recipe;
use minimax::recipe::build::Role;
use minimax::report::Picture;
use minimax::run::checkpoint::{Weights, load_network};
use minimax::run::interpolation::{between_classes, great_circle};
use minimax::run::summary;
use minimax::run::{Run, State};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The files that are changed; seeds.py counts them as here.
const FILES: [&str; 10] = [
    "recipe.toml",
    "log.csv",
    "epochs.csv",
    "samples/epoch-0001.png",
    "samples/real.png",
    "events",
    "generator.safetensors",
    "best.safetensors",
    "checkpoint.safetensors",
    "run.toml",
];

/// A run of two steps after its first: the place of its folder and data, and its files as they were.
struct Whole {
    run: PathBuf,
    files: Vec<(PathBuf, Vec<u8>)>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let place = std::env::temp_dir().join(format!("minimax-fuzz-{}", std::process::id()));
    let (data, run) = (place.join("data"), place.join("run"));
    fs::create_dir_all(&data).unwrap();
    for shade in [0, 255] {
        let picture = Picture::new(28, 28, [shade; 3]);
        fs::write(data.join(format!("{shade}.png")), picture.to_png()).unwrap();
    }
    let recipe = include_str!("../tiny.toml").replace("digits", data.to_str().unwrap());
    let recipe = Recipe::parse("tiny", &recipe.replace("epochs = 1", "epochs = 2"), &[]).unwrap();
    let mut begun = Run::create(recipe, Device::Cpu, None, |_, _| Ok(None), |_| Ok(run.clone())).unwrap();
    begun.train(1, &|| false, &mut |_| ()).unwrap();
    drop(begun);
    let mut files = Vec::new();
    for folder in [&run, &run.join("samples")] {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.is_file()).map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        }));
    }
    Whole { run, files }
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, bytes)) = bytes.split_first() else {
        return;
    };
    let Whole { run, files } = &*WHOLE;
    let _ = fs::remove_dir_all(run);
    fs::create_dir_all(run.join("samples")).unwrap();
    for (path, whole) in files {
        fs::write(path, whole).unwrap();
    }
    let name = FILES[usize::from(pick) % FILES.len()];
    let changed = files.iter().find(|(path, _)| {
        let path = path.strip_prefix(run).unwrap().to_str().unwrap();
        path == name || name == "events" && path.starts_with("events")
    });
    fs::write(&changed.expect(name).0, bytes).unwrap();

    interpolate(&run.join("best.safetensors"));
    interpolate(&run.join("generator.safetensors"));
    let same = |recipe: &Recipe| Ok(recipe.clone());
    // To draw takes most of the time, and the end of training does.
    if let Ok(mut run) = Run::resume(run, Some(Device::Cpu), State::Last, |saved| same(&saved.recipe)) {
        let _ = run.train(2, &|| false, &mut |_| ());
    } else if let Ok(left_out) = summary::write(run) {
        assert!(left_out.len() <= 1);
    }
});

/// The images between two latents, as `minimax interpolate` has them.
fn interpolate(file: &Path) {
    let Ok(trained) = load_network(file, Role::Generator, Weights::Averaged, Device::Cpu) else {
        return;
    };
    let (mut generator, width) = (trained.network, trained.recipe.generator.input[0]);
    let [from, to] = [0, 1].map(|seed| Latents::fixed(seed, 1, width));
    let mut latents = Latents::new(great_circle(from.values(), to.values(), 3), width);
    if let Some(classes) = trained.recipe.classes() {
        latents = latents.labelled(between_classes([0, 1], classes, 3), classes);
    }
    let batch = trained.recipe.training.batch_size;
    sample(&mut generator, &latents, batch, Device::Cpu);
}
