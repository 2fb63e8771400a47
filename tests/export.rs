//! `minimax export` and `minimax interpolate` from the outside: what they leave and what they refuse.
//! That exported networks compute the same is checked by `tests/interchange/check.py`.
#![cfg(feature = "app")]

mod common;

use common::{fail, read, succeed};
use prost::Message;
use safetensors::SafeTensors;

/// The first fields of an ONNX model; the rest is skipped.
#[derive(Clone, PartialEq, Message)]
struct Onnx {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(string, tag = "2")]
    producer_name: String,
}

#[test]
fn a_run_is_exported_in_every_format_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 1 --batch-size 4 --out run");
    let checkpoint = read(at, "run/checkpoint.safetensors");

    let said = succeed(at, "export run --format onnx");
    assert_eq!(said, "generator of quickstart at step 1 in generator.onnx\n");
    let model = Onnx::decode(&read(at, "generator.onnx")[..]).unwrap();
    assert_eq!((model.ir_version, &model.producer_name[..]), (8, "minimax"));

    succeed(at, "export run --format safetensors --network discriminator");
    let keras = read(at, "discriminator.keras.safetensors");
    let keras = SafeTensors::deserialize(&keras).unwrap();
    assert_eq!(keras.tensor("layers.1.kernel").unwrap().shape(), [4, 4, 1, 32]);
    succeed(at, "export run/generator.safetensors --format safetensors --layout torch --out t");
    let torch = read(at, "t");
    let torch = SafeTensors::deserialize(&torch).unwrap();
    assert_eq!(torch.tensor("0.weight").unwrap().shape(), [4704, 100]);
    assert_eq!(torch.tensor("4.weight").unwrap().shape(), [96, 48, 4, 4]);

    // The checkpoint alone serves, and the bytes are the same.
    std::fs::copy(at.join("run/checkpoint.safetensors"), at.join("c")).unwrap();
    succeed(at, "export c --format safetensors --layout torch --out again");
    assert_eq!(read(at, "again"), read(at, "t"));

    for own in ["run/generator.safetensors", "run/checkpoint.safetensors"] {
        let said = fail(at, &format!("export run --format onnx --out {own}"), 2);
        assert!(said.contains(own) && said.contains("choose another name"), "{said}");
    }
    assert_eq!(read(at, "run/checkpoint.safetensors"), checkpoint);
}

/// Every command that writes where it is told: never over a run's files, over others only when told so.
#[test]
fn no_command_writes_over_what_it_should_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 1 --batch-size 4 --out run");
    let contents = |folder: &str| {
        let entries = std::fs::read_dir(at.join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let files = paths.filter(|path| path.is_file());
        let mut files: Vec<_> = files.map(|f| (std::fs::read(&f).unwrap(), f)).collect();
        files.sort();
        files
    };
    let before = (contents("run"), contents("run/samples"));
    for own in [
        "sample run --out run/checkpoint.safetensors",
        "sample run --format png --out run/best.safetensors --force",
        "sample run --out run/comparison.png --force",
        "sample run --out run/samples/../samples/real.png",
        "sample run --out run/kept/new.npy",
        "export run --format safetensors --out run/best.safetensors",
        "export run --format safetensors --out run/generator.safetensors --force",
        "export run --format onnx --out run/log.csv --force",
        "interpolate run --from 1 --to 2 --out run/samples --force",
        "data preview digits --out run/montage.png",
    ] {
        let said = fail(at, own, 2);
        assert!(said.contains("--out run/"), "{own}: {said}");
    }
    assert!((contents("run"), contents("run/samples")) == before);

    // What a command has drawn itself it draws again; weights, and what is no picture, only when told to.
    for twice in [
        "sample run --count 4",
        "sample run --count 4 --format npy",
        "sample run --count 9 --format npy",
        "interpolate run --from 1 --to 2 --frames 2",
        "data preview digits --count 4",
    ] {
        succeed(at, twice);
        succeed(at, twice);
    }
    std::fs::write(at.join("notes"), "mine").unwrap();
    succeed(at, "export run --format onnx");
    for again in [
        "export run --format onnx",
        "export run --format safetensors --out notes",
        "sample run --out notes",
        "data preview digits --out notes",
    ] {
        let said = fail(at, again, 2);
        assert!(said.contains("is there already") && said.contains("--force"), "{said}");
    }
    succeed(at, "export run --format onnx --force");
    assert_eq!(read(at, "notes"), b"mine");
    for (name, word) in [("x.jpg", ".png"), ("x.jpg", ".npy"), ("x.safetensors", ".npy")] {
        let said = fail(at, &format!("sample run --out {name}"), 2);
        assert!(said.contains(word), "{said}");
    }
    let said = fail(at, "data preview digits --out x.jpg", 2);
    assert!(said.contains(".png"), "{said}");
}

#[test]
fn what_cant_be_exported_is_said_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 1 --batch-size 4 --out run");
    succeed(at, "export run --format safetensors --out e");
    let refusals = [
        ("export run --format onnx --layout torch", 2, "--layout"),
        ("export run", 2, "--format"),
        ("export run --format keras", 2, "keras"),
        ("export nowhere --format onnx", 1, "nowhere"),
        ("export run/log.csv --format onnx", 1, "run/log.csv"),
        ("export e --format onnx", 1, "e: is not a whole checkpoint"),
        ("export run --format onnx --out no/x", 1, "no/x"),
        ("export run/generator.safetensors --format onnx --network discriminator", 1, "checkpoint.safetensors"),
        ("interpolate run --from 1", 2, "--to"),
        ("interpolate run --from 1 --to 2 --frames 1", 2, "--frames"),
        ("interpolate e --from 1 --to 2", 1, "e: is not a whole checkpoint"),
    ];
    for (arguments, code, word) in refusals {
        let said = fail(at, arguments, code);
        assert!(said.contains(word), "{arguments}: {said}");
    }
    assert!(!at.join("generator.onnx").exists() && !at.join("interpolation.png").exists());
}

#[test]
fn an_interpolation_is_a_strip_and_a_gif_from_one_seed_to_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 1 --batch-size 4 --out run");
    succeed(at, "interpolate run --from 3 --to 5 --frames 4 --out between");
    let frames = |file: &str| {
        let bytes = read(at, file);
        let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            // Below the label.
            frames.push(frame.buffer[28 * usize::from(frame.width)..].to_vec());
        }
        frames
    };
    let forth = frames("between/interpolation.gif");
    assert_eq!(forth.len(), 4);
    assert!(forth.windows(2).all(|pair| pair[0] != pair[1]));

    // Backwards it is the same way.
    succeed(at, "interpolate run --from 5 --to 3 --frames 4");
    let back = frames("interpolation.gif");
    for (one, other) in forth.iter().zip(back.iter().rev()) {
        let near = |(&a, &b): (&u8, &u8)| a.abs_diff(b) <= 1;
        assert!(one.len() == other.len() && one.iter().zip(other).all(near));
    }
    let strip = read(at, "interpolation.png");
    let reader = png::Decoder::new(std::io::Cursor::new(strip)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (2 + 10 * 86, 2 + 86));
}

/// What leaves comes back the same, in a folder that serves like a run's.
#[test]
fn exported_weights_are_imported_bit_for_bit_and_serve_like_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 1 --batch-size 4 --out run");
    succeed(at, "sample run --count 4 --out run.png");
    for layout in ["keras", "torch"] {
        let export = format!("--format safetensors --layout {layout}");
        let import = format!("--recipe run/recipe.toml --layout {layout} --out {layout}");
        for network in ["generator", "discriminator"] {
            let file = format!("{network}.{layout}.safetensors");
            succeed(at, &format!("export run {export} --network {network}"));
            succeed(at, &format!("import {file} {import} --network {network}"));
            let again = format!("again.{file}");
            succeed(at, &format!("export {layout} {export} --network {network} --out {again}"));
            assert!(read(at, &file) == read(at, &again), "{file}");
        }
        succeed(at, &format!("sample {layout} --count 4 --out {layout}.png"));
        assert!(read(at, &format!("{layout}.png")) == read(at, "run.png"));
    }
    succeed(at, "interpolate torch --from 1 --to 2 --frames 2");
    let said = succeed(at, "train --init torch --steps 1 --batch-size 4 --out more");
    let line = said.lines().find(|line| line.starts_with("weights: ")).unwrap();
    assert!(line.ends_with("tensors from torch"), "{line}");

    let refusals = [
        ("generator.keras.safetensors --recipe quickstart --layout keras --out torch", "torch: holds "),
        ("generator.keras.safetensors --recipe quickstart --layout torch --out new", "give --layout keras"),
        (
            "generator.keras.safetensors --recipe quickstart --layout keras --network discriminator --out new",
            "give --network generator",
        ),
        ("generator.keras.safetensors --recipe vanilla-mnist --layout keras --out new", "layers.1.kernel of shape"),
        ("run.png --recipe quickstart --layout torch --out new", "run.png: is not a whole safetensors file"),
        ("nowhere --recipe quickstart --layout torch --out new", "nowhere"),
        ("run --recipe quickstart --layout torch --out new", "run: is not a file"),
    ];
    for (arguments, word) in refusals {
        let said = fail(at, &format!("import {arguments}"), 1);
        assert!(said.contains(word), "{arguments}: {said}");
    }
    assert!(!at.join("new").exists());
}
