//! Conditional games from the outside: a row of the grid a class, samples of classes, and what is refused.
#![cfg(feature = "app")]

mod common;

use common::{fail, minimax, read, succeed};
use minimax::report::Picture;
use std::path::Path;

#[test]
fn a_conditional_run_is_asked_for_classes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train cgan-mnist --data digits --steps 20 --batch-size 32 --set samples.count=20 --out run");
    succeed(at, "sample run --out grid.png");
    assert!(read(at, "grid.png") == read(at, "run/samples/epoch-0001.png"), "a row a class, as on the run's own grid");
    let grid = Picture::read(&at.join("grid.png")).unwrap();
    assert!(grid.height > 4 * grid.width, "two columns of ten: {}x{}", grid.width, grid.height);

    let npy = |flags: &str| {
        succeed(at, &format!("sample run --format npy --force --out some.npy {flags}"));
        read(at, "some.npy")
    };
    let all = npy("--count 10 --seed 4");
    assert_eq!(npy("--count 10 --seed 4 --class all"), all);
    let sevens = npy("--count 10 --seed 4 --class 7");
    assert_ne!(sevens, all);
    // The eighth of all is a seven, from the same latent; the sizes of both headers are the same.
    let image = |bytes: &[u8], index: usize| bytes[bytes.len() - (10 - index) * 4 * 784..][..4 * 784].to_vec();
    assert_eq!(image(&sevens, 7), image(&all, 7));
    assert_ne!(image(&sevens, 6), image(&all, 6));

    succeed(at, "interpolate run --from 1 --to 1 --from-class 0 --to-class 1 --frames 3");
    let [strip, gif] = ["interpolation.png", "interpolation.gif"].map(|name| read(at, name));
    succeed(at, "interpolate run --from 1 --to 1 --frames 3 --force");
    assert_ne!(read(at, "interpolation.png"), strip, "of one latent and one class, all are alike");
    assert!(!gif.is_empty());

    for (command, what) in [
        ("sample run --class 10 --out x.png", "--class 10: the run has classes 0 to 9; choose one"),
        ("sample run --class x --out x.png", "give a class's number, from 0, or all"),
        ("interpolate run --from 1 --to 2 --to-class 10 --out x", "--to-class 10: the run has classes 0 to 9"),
    ] {
        let said = fail(at, command, 2);
        assert!(said.contains(what), "{said}");
    }
    let judged = succeed(at, "judge run --count 100 --json");
    assert!(judged.contains("asked_class"), "{judged}");
}

#[test]
fn a_run_that_was_stopped_goes_on_with_the_same_classes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let flags = "acgan-mnist --data digits --batch-size 4 --epochs 1 --set samples.count=10";
    succeed(at, &format!("train {flags} --steps 4 --out whole"));
    succeed(at, &format!("train {flags} --steps 2 --out parts"));
    succeed(at, "train --resume --out parts --steps 4");
    assert!(read(at, "whole/checkpoint.safetensors") == read(at, "parts/checkpoint.safetensors"));

    // Augmentation may begin, change and end in between; its chance is part of the state.
    for (steps, augment) in
        [(6, "{ color = true, target = 0.2, images = 100 }"), (8, "{ translation = true, cutout = true }")]
    {
        let set = format!("training.augment={augment}");
        let mut command = minimax(at, &format!("train --resume --out parts --steps {steps} --set"));
        let output = command.arg(&set).output().unwrap();
        assert!(output.status.success(), "{set}: {}", String::from_utf8_lossy(&output.stderr));
        let epochs = String::from_utf8(read(at, "parts/epochs.csv")).unwrap();
        let [first, last] = [epochs.lines().next(), epochs.lines().last()].map(Option::unwrap);
        assert!(first.ends_with(",augment_chance"), "{first}");
        let chance = last.rsplit(',').next().unwrap().parse::<f64>();
        assert_eq!(chance.is_ok_and(|chance| (0.0..=1.0).contains(&chance)), augment.contains("target"), "{last}");
    }
}

/// Two pictures in each of `classes` sub-folders.
fn pictures(folder: &Path, classes: &[&str]) {
    for (number, class) in classes.iter().enumerate() {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        for i in 0..2 {
            let tone = (60 * number + 20 * i) as u8;
            let picture = Picture { width: 28, height: 28, rgb: vec![tone; 28 * 28 * 3] };
            std::fs::write(folder.join(class).join(format!("{i}.png")), picture.to_png()).unwrap();
        }
    }
}

#[test]
fn the_data_must_have_the_classes_that_the_recipe_has() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    pictures(&at.join("plain"), &[""]);
    pictures(&at.join("three"), &["cat", "dog", "owl"]);
    let train = "train cgan-mnist --steps 2 --batch-size 2 --set samples.count=3 --out run";
    let two = "--set generator.classes=2 --set discriminator.classes=2";
    for (flags, what) in [
        ("--data plain".to_string(), "but the data has none; choose a set with classes"),
        (format!("--data three {two}"), "has 2 classes, but the data has 3; set generator.classes"),
    ] {
        let said = fail(at, &format!("{train} {flags}"), 1);
        assert!(said.contains(what), "{said}");
        assert!(!at.join("run/checkpoint.safetensors").exists());
    }
    let said = fail(at, "train vanilla-mnist --batch-size 2 --data plain --set data.balanced=true --out run", 1);
    assert!(
        said.contains("data.balanced = true is for classes, and the data has none; remove it, or choose"),
        "{said}"
    );
    let three = "--set generator.classes=3 --set discriminator.classes=3";
    succeed(at, &format!("{train} --data three {three} --set data.balanced=true"));
    succeed(at, "sample run --class 2 --count 2 --out owls.png");

    succeed(at, "train vanilla-mnist --data digits --steps 1 --batch-size 2 --out plain-run");
    let said = fail(at, "sample plain-run --class 1 --out x.png", 2);
    assert!(
        said.contains("vanilla-mnist makes images without being told of which class; leave the flag out"),
        "{said}"
    );
}
