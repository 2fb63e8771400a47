//! `minimax judge` from the outside: judges that are trained and kept, and what they say of samples.
#![cfg(feature = "app")]

mod common;

use common::{fail, minimax, one_line, read, succeed};
use minimax::data::Images;
use minimax::data::digits::render;
use serde_json::Value;
use std::f64::consts::LN_10;
use std::fs;
use std::path::Path;

/// Writes `images` as an IDX set in `folder`.
fn write_idx(folder: &Path, images: &Images) {
    fs::create_dir_all(folder).unwrap();
    let words = |words: &[usize]| -> Vec<u8> { words.iter().flat_map(|&word| (word as u32).to_be_bytes()).collect() };
    let sizes = words(&[0x0803, images.len(), images.height, images.width]);
    fs::write(folder.join("train-images-idx3-ubyte"), [sizes, images.pixels.clone()].concat()).unwrap();
    let count = words(&[0x0801, images.len()]);
    fs::write(
        folder.join("train-labels-idx1-ubyte"),
        [count, images.labels.iter().map(|&label| label as u8).collect()].concat(),
    )
    .unwrap();
}

/// Writes `pixels`, `[n, 28, 28, 1]`, as an array of bytes to `path`.
fn write_npy(path: &Path, pixels: &[u8]) {
    write_planes(path, pixels, 1);
}

/// As [`write_npy`], images of so many planes.
fn write_planes(path: &Path, pixels: &[u8], planes: usize) {
    let n = pixels.len() / 784 / planes;
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({n}, 28, 28, {planes}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:117}\n").bytes());
    bytes.extend(pixels);
    fs::write(path, bytes).unwrap();
}

/// What `minimax judge --json` says of the array `name` of digits.
fn judged(folder: &Path, name: &str) -> Value {
    let said = succeed(folder, &format!("judge {name} --data digits --count 1000 --json"));
    serde_json::from_str(&said).unwrap()
}

/// A figure of the samples, or of the test images.
fn figure(verdict: &Value, name: &str, of: &str) -> f64 {
    verdict["figures"][name][of]["value"].as_f64().unwrap_or_else(|| panic!("{name} of {of}: {verdict}"))
}

#[test]
fn real_images_are_at_the_floor_and_noise_and_one_digit_alone_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // Other digits than the judge was trained and tested on.
    let others = render(1000, 77);
    write_npy(&at.join("real.npy"), &others.pixels);
    let noise: Vec<u8> = (0..784_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    write_npy(&at.join("noise.npy"), &noise);
    write_npy(&at.join("one.npy"), &others.image(3).repeat(1000));

    let real = judged(at, "real.npy");
    assert_eq!((real["classes_present"].as_u64(), real["test_images"].as_u64()), (Some(10), Some(1000)));
    assert!(figure(&real, "frechet_distance", "samples") < 5.0 * figure(&real, "frechet_distance", "test"));
    for name in ["precision", "recall", "coverage", "confidence"] {
        assert!(figure(&real, name, "samples") > 0.95 * figure(&real, name, "test"), "{name}: {real}");
    }
    let near = figure(&real, "nearest_training_image", "samples") / figure(&real, "nearest_training_image", "test");
    assert!((0.95..1.05).contains(&near), "{real}");
    let distance = |verdict: &Value| figure(verdict, "frechet_distance", "samples");
    let noise = judged(at, "noise.npy");
    assert!(distance(&noise) > 100.0 * distance(&real), "{noise}");
    assert!(figure(&noise, "precision", "samples") < 0.05, "{noise}");
    let one = judged(at, "one.npy");
    assert!(distance(&one) > 100.0 * distance(&real), "{one}");
    assert_eq!((one["classes_present"].as_u64(), figure(&one, "class_entropy", "samples")), (Some(1), 0.0));
    assert!(figure(&one, "recall", "samples") < 0.01 && figure(&one, "coverage", "samples") < 0.01, "{one}");
}

#[test]
fn a_run_is_judged_by_its_last_or_best_state_and_copies_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 2 --batch-size 8 --out run");
    let said = succeed(at, "judge run --count 100");
    assert!(
        said.starts_with(
            "100 samples of quickstart after 2 steps (seed 1)\nbeside 100 test images of digits\njudge: digits"
        ),
        "{said}"
    );
    for name in ["Frechet distance", "  extrapolated", "kernel distance", "density", "near copies", "classes appear"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let report = String::from_utf8(read(at, "run/report.html")).unwrap();
    assert!(report.contains("digits of digits, 99."), "the judge is among the facts");
    assert_eq!(succeed(at, "judge run --best --count 100"), said, "it has one state");
    assert_ne!(succeed(at, "judge run --seed 2 --count 100"), said);

    // The training images themselves.
    write_npy(&at.join("copies.npy"), &render(60, 1).pixels);
    let said = succeed(at, "judge copies.npy --data digits --json --pairs pairs.png");
    let copies: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(figure(&copies, "nearest_training_image", "samples"), 0.0);
    assert_eq!(figure(&copies, "near_copies", "samples"), 1.0);
    let pairs = copies["closest_pairs"].as_array().unwrap();
    assert!(pairs.len() == 10 && pairs.iter().all(|pair| pair["sample"] == pair["training_image"]), "{copies}");
    assert!(read(at, "pairs.png").starts_with(b"\x89PNG"));
    // Of some of them, picked at random, it still says where in the file they are.
    let some: Value = serde_json::from_str(&succeed(at, "judge copies.npy --data digits --count 50 --json")).unwrap();
    let pairs = some["closest_pairs"].as_array().unwrap();
    assert!(pairs.len() == 10 && pairs.iter().all(|pair| pair["sample"] == pair["training_image"]), "{some}");
}

#[test]
fn a_judge_is_trained_once_for_a_set_with_labels_and_can_be_shared() {
    let folder = tempfile::tempdir().unwrap();
    let (at, cache) = (folder.path(), folder.path().join("cache"));
    write_idx(&at.join("data"), &render(2200, 3));
    write_npy(&at.join("some.npy"), &render(60, 4).pixels);
    let both = |arguments: &str| {
        let output = minimax(at, arguments).env("XDG_CACHE_HOME", &cache).env("HOME", at).output().unwrap();
        assert!(output.status.success(), "{arguments}: {output:?}");
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let run = |arguments: &str| both(arguments)[0].clone();
    let [said, beside] = both("judge some.npy --data data");
    assert!(beside.contains("training the lenet judge of data"), "{beside}");
    let again = run("judge some.npy --data data");
    assert!(!again.contains("training the") && said == again, "{again}");
    let said = run("judge train data");
    assert!(said.starts_with("kept already in ") && said.contains("--force trains it again"), "{said}");
    run("judge train data --out shared.safetensors");
    run("judge train stacked:data --out planes.safetensors");
    assert_eq!(read(at, "planes.safetensors"), read(at, "shared.safetensors"), "the judge of its planes");
    assert_eq!(run("judge some.npy --data data --judge shared.safetensors"), again);
    let kept: Vec<_> = fs::read_dir(cache.join("minimax/judges")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    let kept = kept[0].as_ref().unwrap().path();
    let bytes = read(at, "shared.safetensors");
    assert_eq!(fs::read(&kept).unwrap(), bytes);

    // What is damaged is named with the fix; what is of other images is passed over, which is said.
    fs::write(&kept, &bytes[..bytes.len() - 1]).unwrap();
    for (arguments, fix) in [
        ("judge some.npy --data data", "delete it, or train it anew with: minimax judge train data"),
        ("train --data data --steps 1", "minimax judge train data, or leave it out by --no-judge"),
    ] {
        let output = minimax(at, arguments).env("XDG_CACHE_HOME", &cache).output().unwrap();
        let line = one_line(&output);
        assert!(line.contains("lenet-") && line.contains("is not a whole judge") && line.contains(fix), "{line}");
    }
    fs::write(&kept, include_bytes!("../recipes/judges/digits.safetensors")).unwrap();
    let [said, beside] = both("train --data data --steps 1 --batch-size 8 --out without");
    let line = beside.lines().next().unwrap_or_default();
    assert!(
        line.contains("of digits, than those of data; it is not used") && said.contains("no judge: "),
        "{said} {beside}"
    );
    let [said, beside] = both("judge train data --force");
    assert!(said.contains("kept in ") && beside.is_empty(), "{said} {beside}");
    assert_eq!(fs::read(&kept).unwrap(), bytes);

    // A judge of another set is used where it is asked for, and not in silence.
    let [said, beside] = both("judge some.npy --data digits --judge shared.safetensors");
    let line = beside.lines().find(|line| line.starts_with("warning: shared.safetensors: ")).unwrap();
    assert!(line.contains("of data, than those of digits") && said.contains("judge: lenet"), "{line}");
    let [_, beside] = both("train --steps 1 --batch-size 8 --judge shared.safetensors --out other-set");
    assert!(
        beside.contains("warning: shared.safetensors: ") && beside.contains("of data, than those of digits"),
        "{beside}"
    );
    let [_, beside] = both("judge other-set --count 60");
    assert!(beside.contains("warning: other-set/judge.safetensors: "), "{beside}");

    // A run on the set finds it, keeps it, and goes on with it.
    let said = run("train --data data --steps 4 --batch-size 8 --out run");
    assert!(said.contains("judge: lenet") && said.contains("  Frechet "), "{said}");
    // It goes on with that judge alone, and leaves all as it was without.
    let (state, judge) = (read(at, "run/checkpoint.safetensors"), read(at, "run/judge.safetensors"));
    succeed(at, "train --data data --epochs 1 --set training.batch_size=1100 --judge shared.safetensors --out best");
    let kept = read(at, "best/judge.safetensors");
    fs::remove_file(at.join("best/judge.safetensors")).unwrap();
    let line = fail(at, "train --resume --from best --epochs 2 --out best", 1);
    assert!(line.contains("judge.safetensors: is gone, or another than"), "{line}");
    assert!(
        !at.join("best/left-1").exists()
            && fs::read_to_string(at.join("best/recipe.toml")).unwrap().contains("epochs = 1\n")
    );
    fs::write(at.join("best/judge.safetensors"), &kept[..kept.len() / 2]).unwrap();
    let line = fail(at, "train --resume --epochs 2 --out best", 1);
    assert!(line.contains("judge.safetensors: is not a whole judge") && line.contains("; put it back, or"), "{line}");
    let line = fail(at, "judge best --count 60", 1);
    assert!(line.contains("; put it back, or name another by --judge"), "{line}");
    fs::write(at.join("best/judge.safetensors"), kept).unwrap();
    succeed(at, "train --resume --epochs 2 --out best");
    assert_eq!((state, judge), (read(at, "run/checkpoint.safetensors"), read(at, "shared.safetensors")));
    assert_eq!(read(at, "run/judge.safetensors"), read(at, "shared.safetensors"));
    fs::remove_dir_all(&cache).unwrap();
    let said = run("train --resume --steps 6 --out run");
    assert!(said.contains("judge: lenet"), "{said}");
    let said = run("train --data data --steps 2 --batch-size 8 --out other");
    assert!(
        said.contains("no judge: samples are scored by pixels alone; get one with: minimax judge train data --recipe other/recipe.toml"),
        "{said}"
    );
    let said = run("train --data data --steps 2 --batch-size 8 --no-judge --out third");
    assert!(!said.contains("no judge: "), "nobody is told how to have what was declined: {said}");
    assert!(said.contains("sliced Wasserstein") && !at.join("third/judge.safetensors").exists(), "{said}");
}

/// Three of `digits` as the planes of an image, as `places` says.
fn stacked(digits: &Images, places: [usize; 3]) -> Vec<u8> {
    let planes = places.map(|place| digits.image(place));
    (0..784).flat_map(|pixel| planes.map(|plane| plane[pixel])).collect()
}

#[test]
fn modes_of_stacked_digits_are_counted_beside_those_of_test_images() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let digits = render(3000, 77);
    // Each mode once.
    let of_digit = |digit: usize, which: usize| {
        let mut places = (0..digits.len()).filter(|&place| usize::from(digits.labels[place]) == digit);
        places.nth(which).unwrap()
    };
    let of_mode = |mode: usize| [100, 10, 1].map(|unit| of_digit(mode / unit % 10, (mode + unit) % 250));
    let even: Vec<u8> = (0..1000).flat_map(|mode| stacked(&digits, of_mode(mode))).collect();
    write_planes(&at.join("even.npy"), &even, 3);
    write_planes(&at.join("alike.npy"), &(0..300).flat_map(|i| stacked(&digits, [i; 3])).collect::<Vec<u8>>(), 3);
    write_planes(&at.join("one.npy"), &stacked(&digits, [7, 8, 9]).repeat(200), 3);
    let judged = |name: &str| -> Value {
        serde_json::from_str(&succeed(at, &format!("judge {name} --data stacked:digits --json"))).unwrap()
    };
    let even = judged("even.npy");
    let of = |verdict: &Value, of: &str| (figure(verdict, "modes_found", of), figure(verdict, "modes_divergence", of));
    assert_eq!(
        (even["modes"].as_u64(), even["samples"].as_u64(), even["test_images"].as_u64()),
        (Some(1000), Some(1000), Some(1000))
    );
    // The judge errs on a digit in two hundred.
    assert!(of(&even, "samples").0 > 950.0 && of(&even, "samples").1 < 0.1, "{even}");
    // Of as many drawn at random some modes come twice: 1000 (1 - 1/e).
    assert!((590.0..675.0).contains(&of(&even, "test").0), "{even}");
    assert!(figure(&even, "confidence", "samples") > 0.98 * figure(&even, "confidence", "test"), "{even}");
    let alike = judged("alike.npy");
    assert!((10.0..20.0).contains(&of(&alike, "samples").0), "{alike}");
    assert!((of(&alike, "samples").1 - 2.0 * LN_10).abs() < 0.1, "{alike}");
    assert_eq!(alike["classes_present"].as_u64(), Some(10));
    let distance = |verdict: &Value| figure(verdict, "frechet_distance", "samples");
    assert!(distance(&alike) > 20.0 * figure(&alike, "frechet_distance", "test"), "{alike}");
    let one = judged("one.npy");
    assert_eq!((of(&one, "samples").0, one["classes_present"].as_u64()), (1.0, Some(3)));
    assert!((of(&one, "samples").1 - 3.0 * LN_10).abs() < 1e-9, "{one}");
    let said = succeed(at, "judge one.npy --data stacked:digits");
    for line in ["modes found       1 [1, 1] ", "KL to even modes", "\n1 of 1000 modes are found\n", "are left out"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");

    write_npy(&at.join("grey.npy"), &digits.pixels[..60 * 784]);
    for (arguments, code, what) in [
        (
            "judge grey.npy --data stacked:digits",
            1,
            "grey.npy: holds images of [28, 28, 1], the data set's are [28, 28, 3]",
        ),
        ("judge one.npy --data digits", 1, "one.npy: holds images of [28, 28, 3], the data set's are [28, 28, 1]"),
        ("judge one.npy --data stacked:digits --pairs pairs.png", 2, "--pairs: no pairs are looked for"),
        (
            "judge one.npy --data stacked-mnist",
            1,
            "minimax data fetch mnist, or give the folder of its files as stacked:FOLDER",
        ),
        (
            "judge train stacked-mnist",
            1,
            "datasets/mnist: there is no such folder; get it with: minimax data fetch mnist",
        ),
        ("train stacked-dcgan", 1, "or give the folder of its files as stacked:FOLDER"),
        ("data fetch stacked-mnist", 2, "stacked-mnist: made of mnist; fetch that"),
    ] {
        let line = fail(at, arguments, code);
        assert!(line.contains(what), "{arguments}: {line}");
    }
}

#[test]
fn a_run_on_stacked_digits_tells_its_modes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let flags = "--data stacked:digits --steps 2 --batch-size 8 --set judge.samples=200 --out run";
    let said = succeed(at, &format!("train stacked-dcgan {flags}"));
    assert!(said.contains("judge: digits") && said.contains(" of 1000 modes  KL "), "{said}");
    let table = String::from_utf8(read(at, "run/epochs.csv")).unwrap();
    let mut rows = table.lines().map(|row| row.split(',').map(str::to_string).collect::<Vec<String>>());
    let (names, row) = (rows.next().unwrap(), rows.next().unwrap());
    let of = |name: &str| -> f64 {
        let place = names.iter().position(|column| column == name).unwrap();
        row[place].parse().unwrap_or_else(|_| panic!("{name}: {table}"))
    };
    assert!(of("modes_found") >= 1.0 && of("modes_found") < of("modes_floor") && of("modes_floor") <= 200.0, "{table}");
    assert!(of("modes_divergence") > of("divergence_floor"), "{table}");
    // The same state, samples and judge.
    let said = succeed(at, "judge run --count 200 --json");
    let judged: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(figure(&judged, "modes_found", "samples"), of("modes_found"));
    // Without a judge nothing is said of modes, or of classes by the nearest of too few images.
    let said = succeed(at, "train stacked-dcgan --data stacked:digits --steps 1 --batch-size 8 --no-judge --out other");
    assert!(said.contains("sliced Wasserstein") && !said.contains("modes") && !said.contains("classes"), "{said}");
}

/// Long epochs are judged within, and a run that was stopped between is the run that was not.
#[test]
fn steps_within_epochs_are_judged_where_a_recipe_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rest = "--data digits --batch-size 1000 --epochs 2 --set judge.every_steps=4 --set judge.samples=100 --set samples.count=4";
    // The 10,000 digits are ten steps an epoch.
    let said = succeed(at, &format!("train vanilla-mnist {rest} --out whole"));
    let line = said.lines().find(|line| line.starts_with("step 12/20, epoch 2")).unwrap();
    assert!(line.contains("Frechet"), "{line}");
    let rows = |run: &str| -> Vec<[String; 3]> {
        let text = String::from_utf8(read(&at.join(run), "epochs.csv")).unwrap();
        let fields = |row: &str| row.split(',').map(String::from).collect::<Vec<_>>();
        text.lines().skip(1).map(fields).map(|row| [row[0].clone(), row[1].clone(), row[6].clone()]).collect()
    };
    let whole = rows("whole");
    let steps: Vec<&str> = whole.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(steps, ["4", "8", "10", "12", "16", "20"]);
    assert!(whole.iter().all(|row| row[2].parse::<f64>().is_ok()), "{whole:?}");

    for steps in [6, 8] {
        succeed(at, &format!("train vanilla-mnist {rest} --steps {steps} --out stopped-{steps}"));
        let stopped = format!("stopped-{steps}");
        assert_eq!(rows(&stopped).last().unwrap()[0], steps.to_string());
        succeed(at, &format!("train --resume --out {stopped}"));
        assert_eq!(rows(&stopped), whole, "stopped after {steps}");
    }
}

/// Writes so many pictures of 40x40, of two classes, into `folder`.
fn write_pictures(folder: &Path, count: usize) {
    for index in 0..count {
        let class = folder.join(["light", "dark"][index % 2]);
        fs::create_dir_all(&class).unwrap();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 40, 40);
        encoder.set_color(png::ColorType::Grayscale);
        let shade = |at: usize| ((at * (index + 3)) % 90 + [160, 0][index % 2]) as u8;
        let pixels: Vec<u8> = (0..1600).map(shade).collect();
        encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).unwrap();
        fs::write(class.join(format!("{index}.png")), bytes).unwrap();
    }
}

#[test]
fn pictures_are_brought_to_the_size_that_a_judge_or_a_run_takes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_pictures(&at.join("mine"), 600);
    write_npy(&at.join("some.npy"), &render(60, 4).pixels);
    succeed(at, "judge train mine --recipe quickstart --out mine.safetensors");
    succeed(at, "judge some.npy --data mine --judge mine.safetensors");
    succeed(at, "train --data mine --steps 2 --batch-size 8 --judge mine.safetensors --out run");
    for arguments in ["judge run --count 60", "judge run --count 60 --data mine/", "judge run --count 60 --data ./mine"]
    {
        let output = minimax(at, arguments).env("XDG_CACHE_HOME", at.join("none")).output().unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        // The run's own judge: another one was never trained.
        assert!(said[0].contains("judge: lenet") && !said[1].contains("training"), "{arguments}: {said:?}");
    }
    let line = fail(at, "judge some.npy --data mine", 1);
    assert!(line.contains("some.npy: holds images of [28, 28, 1]") && line.contains("make them 40x40x1"), "{line}");
}

#[test]
fn the_built_in_judge_needs_no_training() {
    let folder = tempfile::tempdir().unwrap();
    for data in ["digits", "stacked:digits"] {
        let said = succeed(folder.path(), &format!("judge train {data}"));
        assert!(said.contains("is part of this program") && said.contains("nothing is to be trained"), "{said}");
    }
}

#[test]
fn bytes_that_are_all_but_black_are_pointed_out() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let dark: Vec<u8> = render(60, 4).pixels.iter().map(|&byte| u8::from(byte > 127)).collect();
    write_npy(&at.join("dark.npy"), &dark);
    let output = minimax(at, "judge dark.npy --data digits").output().unwrap();
    let beside = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && beside.contains("warning: dark.npy: no byte is above 1"), "{beside}");
}

#[test]
fn a_picture_that_cannot_be_written_leaves_the_figures() {
    let folder = tempfile::tempdir().unwrap();
    write_npy(&folder.path().join("some.npy"), &render(60, 4).pixels);
    let output = minimax(folder.path(), "judge some.npy --data digits --pairs /dev/full").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(cfg!(not(target_os = "linux")) || said.contains("Frechet distance"), "{output:?}");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("error: /dev/full: "));
}

/// A set with labels but no judge: whatever is wrong with the samples or with where things are to go is said before one
/// is trained for it, which would take minutes.
#[test]
fn nothing_is_trained_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_idx(&at.join("data"), &render(2200, 3));
    write_npy(&at.join("few.npy"), &render(10, 1).pixels);
    write_npy(&at.join("one.npy"), &render(1, 1).pixels);
    write_npy(&at.join("some.npy"), &render(60, 1).pixels);
    write_planes(&at.join("colour.npy"), &render(180, 1).pixels, 3);
    let floats = |name: &str, shape: &str, value: f32| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{header:117}\n").bytes());
        bytes.extend(value.to_le_bytes().repeat(60 * 784));
        fs::write(at.join(name), bytes).unwrap();
    };
    floats("nan.npy", "(60, 28, 28, 1)", f32::NAN);
    floats("loud.npy", "(60, 28, 28, 1)", 7.0);
    floats("first.npy", "(60, 1, 28, 28)", 0.5);
    floats("flat.npy", "(60, 784)", 0.5);
    fs::create_dir(at.join("empty")).unwrap();
    fs::write(at.join("cache"), "a file").unwrap();
    for (arguments, code, said) in [
        ("judge missing.npy --data data", 1, "missing.npy: there is no such file or folder; name a run's folder"),
        ("judge few.npy --data data", 1, "few.npy: holds 10 images, fewer than 50; give 50 at least"),
        ("judge one.npy --data data", 1, "one.npy: holds 1 image, fewer than 50"),
        ("judge some.npy --data data --count 61", 1, "fewer than 61; give more, or a --count of at most 60"),
        ("judge colour.npy --data data", 1, "the data set's are [28, 28, 1]; make them 28x28x1, or"),
        (
            "judge nan.npy --data data",
            1,
            "nan.npy: holds 47040 values that are not finite (NaN or infinite); leave such",
        ),
        ("judge loud.npy --data data", 1, "loud.npy: holds values beyond -1 and 1; save them in [0, 1]"),
        (
            "judge first.npy --data data",
            1,
            "has shape [60, 1, 28, 28]; the data set's images are [28, 28, 1], channels last; put",
        ),
        ("judge flat.npy --data data", 1, "has shape [60, 784]; the data set's images are [28, 28, 1]; save"),
        ("judge empty --data data", 1, "empty: holds neither a run nor pictures; name a run's folder"),
        ("judge empty", 1, "empty: holds neither a run nor pictures; name a run's folder"),
        ("judge runs/quikstart-1", 1, "runs/quikstart-1: there is no such file or folder"),
        ("judge some.npy --data data --pairs none/pairs.png", 2, "--pairs none/pairs.png: there is no such folder"),
        (
            "judge some.npy --data data --pairs some.npy/pairs.png",
            2,
            "--pairs some.npy/pairs.png: some.npy is no folder",
        ),
        ("judge some.npy --data data --pairs empty", 2, "--pairs empty: is a folder"),
        ("judge train data --out none/judge.safetensors", 2, "--out none/judge.safetensors: there is no such folder"),
        ("judge train data --out some.npy/judge.safetensors", 2, "some.npy is no folder"),
        ("judge train data --out empty", 2, "--out empty: is a folder; name a file in it"),
        ("judge train data", 1, "no judge can be kept here (Not a directory"),
    ] {
        let output = minimax(at, arguments).env("XDG_CACHE_HOME", at.join("cache")).output().unwrap();
        let line = one_line(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {line}");
        assert!(line.contains(said), "{arguments}: {line}");
    }
}

#[test]
fn what_cannot_be_judged_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_npy(&at.join("few.npy"), &render(10, 1).pixels);
    write_npy(&at.join("some.npy"), &render(60, 1).pixels);
    let whole = include_bytes!("../recipes/judges/digits.safetensors");
    fs::write(at.join("cut.safetensors"), &whole[..5000]).unwrap();
    let mut flipped = whole.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(at.join("flipped.safetensors"), flipped).unwrap();
    succeed(at, "train --steps 1 --batch-size 8 --out run");
    let mut unlabelled = render(300, 1);
    unlabelled.labels = Vec::new();
    write_idx(&at.join("unlabelled"), &unlabelled);
    fs::remove_file(at.join("unlabelled/train-labels-idx1-ubyte")).unwrap();
    fs::write(at.join("cut.npz"), "no archive").unwrap();
    let pixels = vec![0; 35 * 300];
    let tiny = Images { height: 5, width: 7, channels: 1, pixels, labels: (0..300).map(|label| label % 2).collect() };
    write_idx(&at.join("tiny"), &tiny);
    for (arguments, code, said) in [
        ("judge some.npy", 2, "some.npy: say by --data which data set"),
        ("judge few.npy --data digits", 1, "few.npy: holds 10 images, fewer than 50"),
        ("judge some.npy --data digits --count 61", 1, "some.npy: holds 60 images, fewer than 61"),
        ("judge some.npy --data digits --count 49", 2, "from 50"),
        ("judge missing.npy --data digits", 1, "missing.npy"),
        ("judge missing --data digits", 1, "missing"),
        ("judge some.npy --data digits --judge cut.safetensors", 1, "cut.safetensors: is not a whole judge"),
        (
            "judge some.npy --data digits --judge flipped.safetensors",
            1,
            "flipped.safetensors: is not as it was written",
        ),
        ("judge some.npy --data digits --judge run/checkpoint.safetensors", 1, "run/checkpoint.safetensors: is not a"),
        ("judge some.npy --data unlabelled", 1, "unlabelled: its images have no labels"),
        ("judge train unlabelled", 1, "by which a judge is trained; give a data set with labels\n"),
        ("judge train missing", 1, "missing"),
        ("judge train digits --out run/checkpoint.safetensors", 2, "belongs to the run"),
        ("judge train digits --out none/judge.safetensors", 2, "there is no such folder"),
        ("judge train digits --out few.npy", 2, "few.npy"),
        ("train --steps 1 --judge cut.safetensors --set judge.every=0", 2, "judge.every = 0"),
        ("judge some.npy --best --data digits", 2, "--best: some.npy is no run's folder"),
        (
            "judge some.npy --data digits --pairs run/samples/real.png",
            2,
            "--pairs run/samples/real.png: belongs to the run",
        ),
        ("judge some.npy --data digits --pairs some.npy", 2, "--pairs some.npy: what is written is .png"),
        ("judge tarin digits", 2, "unexpected argument 'digits' found; one run, array or folder"),
        (
            "judge train tiny",
            1,
            "tiny: its images of 5x7 are too small for a judge's network; give larger images, 16x16 at least",
        ),
        ("judge train digits --recipe ring-2d", 2, "--recipe ring-2d: makes no images"),
        ("judge train unlabelled --recipe transpose-cifar10", 1, "leave --recipe out"),
        ("train ring-2d --judge nonesuch", 2, "--judge: the recipe makes points of ring-2d, not images"),
        ("judge cut.npz --data digits", 1, "cut.npz: is damaged, or no .npz archive"),
        ("sample some.npy --best", 2, "--best: some.npy is no run's folder"),
        ("train --steps 1 --judge run/checkpoint.safetensors", 1, "run/checkpoint.safetensors: is not a"),
        ("train --steps 1 --set judge.samples=5", 1, "judge.samples = 5; choose from 100 to 100000"),
        (
            "train --steps 1 --set judge.every=0 --set judge.every_steps=5",
            1,
            "judge.every_steps = 5, but with judge.every = 0",
        ),
        ("train --steps 1 --set judge.evry=5", 2, "unknown key `evry`"),
    ] {
        let line = fail(at, arguments, code);
        assert!(line.contains(said), "{arguments}: {line}");
    }
    let output = minimax(at, "judge some.npy --data").arg("").output().unwrap();
    assert!(one_line(&output).contains("--data is empty; give"), "{output:?}");
}
