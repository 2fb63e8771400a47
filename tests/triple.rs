//! A game of three from the outside: what a run tells of its classifier, and what is refused.
#![cfg(feature = "app")]

mod common;

use common::{fail, minimax, read, succeed};
use minimax::report::Picture;
use std::path::Path;

/// Pictures of a grey of their own in each of three classes, so many of each.
fn pictures(folder: &Path, count: usize) {
    for (number, class) in ["a", "b", "c"].into_iter().enumerate() {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        for i in 0..count {
            let tones: Vec<u8> = (0..16).map(|pixel| (80 * number + 3 * i + pixel) as u8).collect();
            std::fs::write(
                folder.join(class).join(format!("{i:02}.png")),
                Picture::from_pixels(&tones, 4, 4, 1).to_png(),
            )
            .unwrap();
        }
    }
}

/// The fields of column `name` of a run's table.
fn column(run: &Path, table: &str, name: &str) -> Vec<String> {
    let text = String::from_utf8(read(run, table)).unwrap();
    let mut lines = text.lines();
    let place = lines.next().unwrap().split(',').position(|column| column == name).unwrap();
    lines.map(|line| line.split(',').nth(place).unwrap().to_string()).collect()
}

/// Copies of the game with the alone epochs, which tests of all games play, in `folder`, and pictures for it.
fn game(folder: &Path) {
    let game = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/games/triple-alone.toml");
    std::fs::copy(game, folder.join("game.toml")).unwrap();
    pictures(&folder.join("pictures"), 20);
}

#[test]
fn a_classifier_learns_alone_and_then_in_the_game_and_is_tested() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    game(at);
    let said = succeed(at, "train game.toml --data pictures --epochs 4 --out run");
    assert!(said.contains("every 10th image of each class is held out"), "{said}");
    assert!(said.contains("6 of its 54 images keep their label"), "{said}");
    assert!(said.contains("C loss ") && said.contains("test error "), "{said}");
    let run = at.join("run");
    // 54 images in tens of 5; two epochs alone.
    let [g_loss, c_loss] = ["g_loss", "c_loss"].map(|name| column(&run, "log.csv", name));
    assert_eq!((g_loss.len(), c_loss.len()), (40, 40));
    assert!(g_loss[..20].iter().all(String::is_empty), "the generator waits: {g_loss:?}");
    assert!(g_loss[20..].iter().chain(&c_loss).all(|loss| loss.parse::<f64>().is_ok()));
    let errors = column(&run, "epochs.csv", "classifier_error");
    let errors: Vec<f64> = errors.iter().map(|error| error.parse().unwrap()).collect();
    // Of six test images.
    assert!(
        errors.len() == 4 && errors.iter().all(|error| (6.0 * error).fract().min(1.0 - (6.0 * error).fract()) < 1e-5)
    );
    assert!(errors[3] <= 1.0 / 6.0, "greys far apart: {errors:?}");
    succeed(at, "export run --network classifier --format onnx --out c.onnx");
    let said = fail(at, "import c.onnx --recipe game.toml --layout keras --network classifier --out i", 2);
    assert!(said.contains("only generators and discriminators can be imported"), "{said}");
    let report = String::from_utf8(read(&run, "report.html")).unwrap();
    assert!(report.contains("Error of the classifier on test images, last") && report.contains("Parameters of C"));
    // Its weights are a run's as any others.
    let all = succeed(at, "train game.toml --data pictures --epochs 1 --init run --out next");
    let taken = all.lines().find(|line| line.contains("weights: ")).unwrap_or_default();
    let numbers: Vec<&str> = taken.split(' ').filter(|word| word.parse::<u32>().is_ok()).collect();
    assert!(numbers.len() >= 2 && numbers[0] == numbers[1], "all of them: {taken}");
    let more = "train --resume --epochs 5 --set training.triple.pseudo=0.2 --out run";
    assert!(succeed(at, more).contains("training.triple.pseudo from 0.1 to 0.2"));
}

#[test]
fn what_a_game_of_three_lacks_or_has_too_much_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    game(at);
    for (set, what) in [
        ("training.triple=none", "classifier is the third network of a game of three; set training.triple"),
        ("classifier=none", "training.triple is for a game of three; give it the network classifier"),
        (
            "training.triple.labelled=7",
            "training.triple.labelled = 7 can't be as many of each of 3 classes; make it a multiple",
        ),
        ("training.triple.generated=10", "training.triple.generated = 10 can't be as many of each of 3 classes"),
        ("training.triple.supervised=9", "training.triple.supervised = 9; it must be from 1 to 6"),
        ("training.triple.pairs=[0, 3]", "training.triple.pairs.1 = 0"),
        ("training.triple.entropy=-1", "training.triple.entropy = -1.0; it must be from 0 to 1e6"),
        ("training.triple.average=1", "training.triple.average = 1.0; it must be between 0 and 1"),
        (
            "training.triple.labelled=60",
            "takes 20 images of each class, but data pictures has 18 of class 0; choose at most 54",
        ),
        ("training.triple.pairs=[2, 55]", "training.triple.pairs.2 = 55, but data pictures has 54 images; lower it"),
        ("classifier.layers.4.units=4", "the classifier's output is [4] where it must be [3]"),
        (
            "classifier.input=[5, 5, 1]",
            "classifier.input = [5, 5, 1], but discriminator.input = [4, 4, 1]; make them equal",
        ),
        ("classifier.classes=3", "classifier.classes: it is to tell the class, not to be told; remove the key"),
        ("training.loss=hinge", "training.triple is for training.loss = \"bce\""),
        ("training.update=simultaneous", "training.update: a game of three is alternating"),
        ("training.r1=1", "training.r1 does not go together with training.triple"),
        ("discriminator.layers.3.spectral_norm=true", "spectral_norm and unit_norm both divide the kernel"),
        ("discriminator.spectral_norm=true", "spectral_norm and unit_norm both divide the kernel"),
    ] {
        let mut command = minimax(at, "train game.toml --data pictures --out run --set");
        let output = command.arg(set).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.lines().count() == 1 && said.contains(what), "{set}: {said}");
    }
    std::fs::remove_dir_all(at.join("pictures/c")).unwrap();
    let said = fail(at, "train game.toml --data pictures --out run", 1);
    assert!(said.contains("has 0 of class 2"), "{said}");
    assert!(!at.join("run").exists());
}
