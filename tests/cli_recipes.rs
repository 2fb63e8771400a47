//! `minimax recipes` as a user meets it: what it prints, and how it refuses.

use assert_cmd::Command;
use serde_json::Value;

fn minimax(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("minimax").unwrap();
    command.args(arguments);
    command
}

fn output(arguments: &[&str]) -> String {
    let output = minimax(arguments)
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    String::from_utf8(output).unwrap()
}

/// Runs what must fail: nothing printed, one line of error with `what` in it.
fn refused(arguments: &[&str], code: i32, what: &str) {
    let assert = minimax(arguments).assert().code(code).stdout("");
    let error = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(
        error.starts_with("error: ") && error.ends_with('\n'),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(what), "{error:?} does not say {what:?}");
}

#[test]
fn the_list_names_every_recipe() {
    let list = output(&["recipes"]);
    let names: Vec<_> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(
        names,
        ["quickstart", "dcgan-compact-mnist", "vanilla-mnist"]
    );
    assert!(
        list.contains("2,330,944") && list.contains("566,273"),
        "{list}"
    );
}

#[test]
fn counts_as_json() {
    let counts: Value =
        serde_json::from_str(&output(&["recipes", "dcgan-compact-mnist", "--json"])).unwrap();
    let expected = serde_json::json!({
        "name": "dcgan-compact-mnist",
        "generator": { "total": 2_330_944, "trainable": 2_305_472 },
        "discriminator": { "total": 213_633, "trainable": 213_249 },
    });
    assert_eq!(counts, expected);
    let set = "generator.layers.10.units=10";
    let all: Value = serde_json::from_str(&output(&["recipes", "--json"])).unwrap();
    assert_eq!(all.as_array().unwrap()[1], expected);
    refused(
        &["recipes", "vanilla-mnist", "--set", set],
        1,
        "generator layer 12 (reshape): shape [28, 28, 1] holds",
    );
}

#[test]
fn the_table_has_a_row_per_layer_and_the_sums() {
    let table = output(&[
        "recipes",
        "vanilla-mnist",
        "--set",
        "training.batch_size=32",
    ]);
    for key in [
        "batch_size=32",
        "loss=\"bce\"",
        "range=[-1.0, 1.0]",
        "betas=[0.5, 0.999]",
    ] {
        assert!(table.contains(key), "{key}: {table}");
    }
    assert!(
        table.lines().all(|line| line.chars().count() <= 110),
        "{table}"
    );
    let row = |start: &str| {
        let fields = |line: &str| {
            line.split_whitespace()
                .map(String::from)
                .collect::<Vec<_>>()
        };
        table
            .lines()
            .map(fields)
            .find(|row| row.join(" ").starts_with(start))
    };
    assert_eq!(
        row("10 dense").unwrap(),
        ["10", "dense", "units=784", "bias=true", "[784]", "402,192"]
    );
    assert_eq!(
        row("12 reshape").unwrap().join(" "),
        "12 reshape shape=[28, 28, 1] [28, 28, 1] 0"
    );
    assert_eq!(row("total").unwrap(), ["total", "579,728"]);
    assert_eq!(row("not trainable").unwrap(), ["not", "trainable", "0"]);
}

#[test]
fn files_are_recipes_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let text = include_str!("../recipes/vanilla-mnist.toml");
    let mine = write(
        "mine.toml",
        text.replace("vanilla-mnist", "mine").as_bytes(),
    );
    assert!(output(&["recipes", &mine, "--json"]).contains("\"name\":\"mine\""));

    let refuse = |from: &str, to: &str, what: &str| {
        let line = 1 + text.lines().position(|line| line.contains(from)).unwrap();
        let path = write("bad.toml", text.replacen(from, to, 1).as_bytes());
        let what = what.replace("LINE", &format!("line {line}"));
        refused(&["recipes", &path], 1, &format!("bad.toml: {what}"));
    };
    refuse(
        "units = 256",
        "unit = 256",
        "LINE: generator.layers.4.unit: unknown key `unit`",
    );
    refuse(
        "units = 256",
        "units = -256",
        "LINE: generator.layers.4.units: invalid value: integer `-256`",
    );
    refuse(
        "units = 256",
        "units = 99999999999",
        "generator layer 4 (dense): units = 99999999999; it must be",
    );
    refuse(
        "shape = [28, 28, 1]",
        "shape = [32, 32, 1]",
        "generator layer 12 (reshape): shape [32, 32, 1] holds 1024",
    );
    refuse(
        "batch_size = 64",
        "batch_size = 0",
        "training.batch_size = 0; it must be from 1 to 65536",
    );
    refuse("[data]", "[data", "LINE: ");
    refused(
        &["recipes", &write("noise.toml", b"name = \"\xff\"")],
        1,
        "not UTF-8",
    );
    refused(
        &["recipes", &write("big.toml", &vec![b'\n'; (1 << 20) + 1])],
        1,
        "larger than 1048576 bytes",
    );
    refused(
        &["recipes", &write("a\nb.toml", b"")],
        1,
        "missing key `name`",
    );
    refused(
        &["recipes", folder.path().join("none.toml").to_str().unwrap()],
        1,
        "No such file",
    );
}

#[test]
fn commands_written_wrong() {
    refused(
        &["recipes", "dcgan"],
        2,
        "choose one of quickstart, dcgan-compact-mnist, vanilla-mnist",
    );
    refused(
        &["recipes", "--jsn"],
        2,
        "unexpected argument '--jsn' found; tip: ",
    );
    refused(&["recipes", "--set", "name=x"], 2, "<RECIPE>");
    refused(
        &["recipes", "quickstart", "--set", "training.epocs=1"],
        2,
        "unknown key `epocs`",
    );
    refused(
        &["recipes", "quickstart", "--set", "x\ny=1"],
        2,
        "unknown key",
    );
    refused(&["recpes"], 2, "unrecognized subcommand 'recpes'");
    refused(&[], 2, "requires a subcommand");
    assert!(output(&["--help"]).contains("recipes"));
    assert!(output(&["--version"]).starts_with("minimax "));
}

/// `minimax recipes | head -0`: the reader is gone before the first line is written.
#[test]
#[cfg(unix)]
fn a_closed_pipe_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let binary = assert_cmd::cargo::cargo_bin("minimax");
    let mut command = std::process::Command::new(binary);
    let output = command.arg("recipes").stdout(writer).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
}
