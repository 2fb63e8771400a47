//! `minimax sample` from the outside: what it makes of a run and of latents.
#![cfg(feature = "app")]

mod common;

use common::{fail, read, succeed};
use minimax::gan::model::FIXED_LATENTS;
use minimax::random::Random;
use npyz::WriterBuilder;

#[test]
fn samples_are_the_runs_own_grid_and_follow_the_latents() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 2 --batch-size 8 --out run");
    succeed(at, "sample run --out grid.png");
    assert!(read(at, "grid.png") == read(at, "run/samples/epoch-0001.png"));

    succeed(at, "sample run --count 3 --seed 5 --format npy --out three.npy");
    let three = read(at, "three.npy");
    let npy = npyz::NpyFile::new(&three[..]).unwrap();
    assert_eq!(npy.shape(), [3, 28, 28, 1]);
    let images: Vec<f32> = npy.into_vec().unwrap();
    assert!(images.iter().all(|v| v.abs() <= 1.0) && images.iter().any(|&v| v < 0.0));

    // A checkpoint has a generator too.
    std::fs::remove_file(at.join("run/generator.safetensors")).unwrap();
    succeed(at, "sample run --count 3 --seed 5 --out again.npy");
    assert_eq!(read(at, "again.npy"), three);

    // The same latents from a file give the same images.
    let latents: Vec<f32> = Random::new(5, FIXED_LATENTS).normal(300).iter().map(|&v| v as f32).collect();
    let write = |name: &str, shape: &[u64], values: &[f32]| {
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape);
        let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        std::fs::write(at.join(name), bytes).unwrap();
    };
    write("z.npy", &[3, 100], &latents);
    succeed(at, "sample run --latents z.npy --format npy --out from_z.npy");
    assert_eq!(read(at, "from_z.npy"), read(at, "three.npy"));

    write("narrow.npy", &[3, 99], &latents[..297]);
    std::fs::write(at.join("cut.npy"), &read(at, "z.npy")[..700]).unwrap();
    std::fs::write(at.join("text.npy"), "not an array").unwrap();
    std::fs::write(at.join("bomb.npy"), b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'").unwrap();
    for file in ["narrow.npy", "cut.npy", "text.npy", "bomb.npy", "missing.npy"] {
        let said = fail(at, &format!("sample run --latents {file} --out none.png"), 1);
        assert!(said.contains(file), "{said}");
    }
    if cfg!(unix) {
        // A pipe would be waited for, and the device never ends.
        let made = std::process::Command::new("mkfifo").args(["pipe.npy", "pipe.toml"]).current_dir(at).status();
        assert!(made.unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", at.join("zero.toml")).unwrap();
        for (command, file) in [
            ("sample run --latents pipe.npy --out none.png", "pipe.npy"),
            ("sample run --latents /dev/zero --out none.png", "/dev/zero"),
            ("sample /dev/zero --out none.png", "/dev/zero"),
            ("sample pipe.npy --out none.png", "pipe.npy"),
            ("export pipe.npy --format onnx --out none.onnx", "pipe.npy"),
            ("train pipe.toml", "pipe.toml"),
            ("train zero.toml", "zero.toml"),
            ("sweep pipe.toml", "pipe.toml"),
        ] {
            let said = fail(at, command, 1);
            let what = format!("error: {file}: not a regular file; save");
            assert!(said.starts_with(&what), "{said}");
        }
    }
    assert!(!at.join("none.png").exists() && !at.join("none.onnx").exists());
}
