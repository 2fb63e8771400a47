//! `minimax recipes` as a user meets it: what it prints, and how it refuses.
#![cfg(feature = "app")]

mod common;

use std::collections::BTreeSet;

use common::{minimax, one_line, succeed};
use serde_json::Value;
use std::path::Path;

/// A folder for commands that read and write no files.
const ANYWHERE: &str = env!("CARGO_TARGET_TMPDIR");

#[track_caller]
fn output(arguments: &str) -> String {
    succeed(Path::new(ANYWHERE), arguments)
}

#[track_caller]
fn refused(arguments: &str, code: i32, what: &str) {
    refused_in(Path::new(ANYWHERE), arguments, code, what);
}

/// Runs what must fail: nothing printed, one line of error with `what` in it.
#[track_caller]
fn refused_in(folder: &Path, arguments: &str, code: i32, what: &str) {
    let output = minimax(folder, arguments).output().unwrap();
    let error = one_line(&output);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(output.stdout.is_empty(), "{output:?}");
    assert!(error.contains(what), "{error:?} does not say {what:?}");
}

#[test]
fn the_list_names_every_recipe() {
    let list = output("recipes");
    let names: Vec<_> = list.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/recipes")).unwrap();
    let files = files.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".toml").map(str::to_string)
    });
    let files: BTreeSet<String> = files.collect();
    assert_eq!(names[0], "quickstart", "the default comes first");
    assert_eq!(names.len(), files.len());
    assert!(names.iter().all(|&name| files.contains(name)), "{names:?}");
    assert!(list.contains("2,330,944") && list.contains("566,273"), "{list}");
}

#[test]
fn counts_as_json() {
    let counts: Value = serde_json::from_str(&output("recipes dcgan-compact-mnist --json")).unwrap();
    let expected = serde_json::json!({
        "name": "dcgan-compact-mnist",
        "generator": { "total": 2_330_944, "trainable": 2_305_472 },
        "discriminator": { "total": 213_633, "trainable": 213_249 },
    });
    assert_eq!(counts, expected);
    let all: Value = serde_json::from_str(&output("recipes --json")).unwrap();
    assert!(all.as_array().unwrap().contains(&expected));
    refused(
        "recipes vanilla-mnist --set generator.layers.10.units=10",
        1,
        "generator layer 12 (reshape): shape [28, 28, 1] holds",
    );
}

#[test]
fn the_table_has_a_row_per_layer_and_the_sums() {
    let table = output("recipes vanilla-mnist --set training.batch_size=32");
    for key in ["batch_size=32", "loss=\"bce\"", "range=[-1.0, 1.0]", "betas=[0.5, 0.999]"] {
        assert!(table.contains(key), "{key}: {table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 110), "{table}");
    let row = |start: &str| {
        let fields = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
        table.lines().map(fields).find(|row| row.join(" ").starts_with(start))
    };
    assert_eq!(row("10 dense").unwrap(), ["10", "dense", "units=784", "bias=true", "[784]", "402,192"]);
    assert_eq!(row("12 reshape").unwrap().join(" "), "12 reshape shape=[28, 28, 1] [28, 28, 1] 0");
    assert_eq!(row("total").unwrap(), ["total", "579,728"]);
    assert_eq!(row("not trainable").unwrap(), ["not", "trainable", "0"]);
}

#[test]
fn what_the_discriminator_gives_and_what_is_seldom_meant_is_said() {
    assert!(output("recipes vanilla-mnist").ends_with("\noutput: a probability\n"));
    assert!(output("recipes dcgan-mnist").contains("\noutput: a logit, whose sigmoid is the probability\n"));
    assert!(output("recipes wgan-mnist").contains("\noutput: a score\n"));
    let schedule = "keys=[\"generator.optimizer.learning_rate\"] to=0.0 start=0.0 epochs=9.0 shape=\"linear\"";
    let toml = "schedule=[{keys=['generator.optimizer.learning_rate'],to=0,epochs=9}]";
    assert!(output(&format!("recipes dcgan-mnist --set {toml}")).contains(&format!("\nschedule: {schedule}\n")));
    let said = output("recipes dcgan-mnist --set data.balanced=true --set data.flip=true");
    assert!(said.contains(" extra=false balanced=true flip=true\n"), "{said}");
    let optimizer = "--set generator.optimizer={kind='adamw',learning_rate=1e-4}";
    let said = output(&format!("recipes dcgan-mnist {optimizer}"));
    assert!(
        said.contains("\noptimizer: kind=\"adamw\" learning_rate=0.0001 ") && said.contains(" weight_decay=0.01\n"),
        "{said}"
    );

    let said = output("recipes dcgan-mnist --set data.range=[0,1]");
    let warning = said.lines().last().unwrap();
    assert!(
        warning
            .starts_with("warning: generator layer 12 (tanh) gives values from -1 to 1, but data.range is [0.0, 1.0]"),
        "{said}"
    );
}

#[test]
fn files_are_recipes_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    let refused = |file: &str, what: &str| {
        refused_in(folder.path(), &format!("recipes {file}"), 1, what);
    };
    let text = include_str!("../recipes/vanilla-mnist.toml");
    write("mine.toml", text.replace("vanilla-mnist", "mine").as_bytes());
    let mine = succeed(folder.path(), "recipes mine.toml --json");
    assert!(mine.contains("\"name\":\"mine\""));

    let refuse = |from: &str, to: &str, what: &str| {
        let line = 1 + text.lines().position(|line| line.contains(from)).unwrap();
        write("bad.toml", text.replacen(from, to, 1).as_bytes());
        let what = what.replace("LINE", &format!("line {line}"));
        refused("bad.toml", &format!("bad.toml: {what}"));
    };
    refuse("units = 256", "unit = 256", "LINE: generator.layers.4.unit: unknown key `unit`");
    refuse("units = 256", "units = -256", "LINE: generator.layers.4.units: invalid value: integer `-256`");
    refuse("units = 256", "units = 99999999999", "generator layer 4 (dense): units = 99999999999; it must be");
    refuse("shape = [28, 28, 1]", "shape = [32, 32, 1]", "generator layer 12 (reshape): shape [32, 32, 1] holds 1024");
    refuse("batch_size = 64", "batch_size = 0", "training.batch_size = 0; it must be from 1 to 65536");
    refuse("[data]", "[data", "LINE: ");
    write("noise.toml", b"name = \"\xff\"");
    refused("noise.toml", "not UTF-8");
    write("big.toml", &vec![b'\n'; (1 << 20) + 1]);
    refused("big.toml", "larger than 1048576 bytes");
    write("a\nb.toml", b"");
    refused("a\nb.toml", "missing key `name`");
    refused("none.toml", "No such file");
}

#[test]
fn commands_written_wrong() {
    refused("recipes dcgan", 2, "choose one of quickstart, dcgan-mnist, ");
    refused("recipes --jsn", 2, "unexpected argument '--jsn' found; tip: ");
    refused("recipes --set name=x", 2, "<RECIPE>");
    refused("recipes quickstart --set training.epocs=1", 2, "unknown key `epocs`");
    refused("recipes quickstart --set x\ny=1", 2, "unknown key");
    refused("recpes", 2, "unrecognized subcommand 'recpes'");
    for (alone, word) in [("", "gradcheck"), ("data", "preview")] {
        assert!(output(alone).contains(word), "minimax {alone} prints its help");
    }
    assert!(output("--help").contains("recipes"));
    assert!(output("--version").starts_with("minimax "));
}

/// `minimax recipes | head -0`: the reader is gone before the first line is written.
#[test]
#[cfg(unix)]
fn a_closed_pipe_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = minimax(Path::new(ANYWHERE), "recipes");
    let output = command.stdout(writer).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

/// Whether a terminal would do anything else with `text` than show it.
fn steers(text: &str) -> bool {
    text.chars().any(|c| c != '\n' && c.is_control() || "\u{202e}\u{2066}\u{2028}".contains(c))
}

#[test]
fn what_a_file_says_does_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let quickstart = include_str!("../recipes/quickstart.toml");
    // Sets the window's title, clears the screen, turns the reading direction; a megabyte of it.
    let nasty = "\\u001b]0;owned\\u0007\\u001b[2J\\u202e\\n\\u009b".repeat(20_000);
    for (from, to) in [
        ("loss = \"bce\"", format!("loss = \"{nasty}\"")),
        ("loss = \"bce\"", format!("\"{nasty}\" = 1")),
        ("layer = \"flatten\"", format!("layer = \"{nasty}\"")),
        ("name = \"digits\"", format!("name = \"{nasty}\"")),
        ("name = \"quickstart\"", format!("name = \"{nasty}\"")),
        ("seed = 1", format!("seed = \"{nasty}\"")),
    ] {
        assert!(quickstart.contains(from), "{from}");
        let recipe = quickstart.replacen(from, &to, 1);
        std::fs::write(folder.path().join("r.toml"), recipe).unwrap();
        let output = minimax(folder.path(), "recipes r.toml").output().unwrap();
        let line = one_line(&output);
        assert!(!steers(line.trim_end()), "{line:?}");
        assert!(line.chars().count() < 1200, "{to:.40}: {line}");
    }

    let turned = quickstart.replacen("description = \"", "description = \"\\u202eBoo\\u2066", 1);
    std::fs::write(folder.path().join("r.toml"), turned).unwrap();
    let shown = succeed(folder.path(), "recipes r.toml");
    assert!(shown.contains("\\u202eBoo\\u2066") && !steers(&shown), "{shown}");

    let manifest = include_str!("../datasets/manifest.toml");
    let title = "title = \"\\u001b[2J\\u202e\\n\\\"";
    let manifest = manifest.replacen("title = \"", title, 1);
    std::fs::write(folder.path().join("m.toml"), manifest).unwrap();
    let list = succeed(folder.path(), "data list --manifest m.toml");
    assert!(!steers(&list) && list.contains("\\u001b[2J\\u202e\\n\""), "{list}");
    let json = succeed(folder.path(), "data list --json --manifest m.toml");
    let rows: Value = serde_json::from_str(&json).unwrap();
    assert!(!steers(json.trim_end()), "{json}");
    let title = rows[1]["title"].as_str().unwrap();
    assert!(title.starts_with("\u{1b}[2J\u{202e}\n\""), "{title:?}");
}

/// No thread can have a stack of so many bytes.
#[cfg(target_os = "linux")]
#[test]
fn where_there_are_no_threads_it_is_said_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("recipe.toml"), "").unwrap();
    for command in [
        "train --out run",
        "train --threads 2 --out run",
        "report .",
        "data list",
        "sweep scaling --quick --out sweep",
        "gradcheck",
    ] {
        let mut command = minimax(folder.path(), command);
        let output = command.env("RUST_MIN_STACK", "1000000000000000").output();
        let line = one_line(&output.unwrap());
        assert!(line.contains("threads") && line.contains("ulimit -u"), "{line}");
    }
    assert!(!folder.path().join("run").exists() && !folder.path().join("sweep").exists());
}
