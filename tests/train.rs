//! `minimax train` from the outside: what a run leaves, how it goes on, what stops it.
#![cfg(feature = "app")]

mod common;

use common::{fail, logged_steps, minimax, one_line, read, succeed, wait_for};
use minimax::cpu::isa::{ALL, InstructionSet};
use minimax::cpu::pool;
use minimax::gan::model::Gan;
use minimax::random::{Purpose, Random};
use minimax::recipe::Recipe;
use minimax::{Device, Tensor};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Training that never ends by itself within a test.
fn start_long_run(folder: &Path) -> Child {
    let mut command = minimax(folder, "train --batch-size 4 --epochs 1000 --out run");
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("minimax starts")
}

/// `small.toml` in `folder`: a network of a few weights, with four steps an epoch on 10,000 digits.
fn write_small_recipe(folder: &Path) {
    let mut text = Recipe::load("vanilla-mnist", &[]).unwrap().to_toml();
    for (from, to) in [
        ("units = 128\n", "units = 8\n"),
        ("units = 256\n", "units = 8\n"),
        ("units = 512\n", "units = 8\n"),
        ("name = \"vanilla-mnist\"", "name = \"small\""),
        ("name = \"mnist\"", "name = \"digits\""),
        ("batch_size = 64", "batch_size = 2500"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    std::fs::write(folder.join("small.toml"), text).unwrap();
}

/// A folder with `count` blank images of 28x28 as IDX files.
fn idx_folder(folder: &Path, count: u32) {
    std::fs::create_dir(folder).unwrap();
    let header = |words: &[u32]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
    let mut images = header(&[2051, count, 28, 28]);
    images.resize(images.len() + 784 * count as usize, 0);
    std::fs::write(folder.join("train-images-idx3-ubyte"), images).unwrap();
    let mut labels = header(&[2049, count]);
    labels.resize(labels.len() + count as usize, 0);
    std::fs::write(folder.join("train-labels-idx1-ubyte"), labels).unwrap();
}

#[test]
fn a_profile_is_a_table_and_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let said = succeed(folder.path(), "train --steps 2 --batch-size 8 --profile --out run");
    let calls = |op: &str| {
        let row = said.lines().find(|line| line.split_whitespace().next() == Some(op));
        let row = row.unwrap_or_else(|| panic!("no {op} in {said}"));
        row.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap()
    };
    let trace = read(&folder.path().join("run"), "profile.json");
    let trace: serde_json::Value = serde_json::from_slice(&trace).unwrap();
    let spans = trace["traceEvents"].as_array().unwrap();
    for op in ["conv2d", "conv_transpose2d", "conv2d_weight_grad", "optimizer"] {
        let traced = spans.iter().filter(|span| span["name"] == op).count();
        assert!(traced > 0 && traced == calls(op), "{op}: {traced} in the trace");
    }
    assert_eq!(calls("optimizer"), 6, "two networks and an average in two steps");
}

#[test]
fn a_run_leaves_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let said = succeed(folder.path(), "train --steps 3 --batch-size 8");
    assert!(said.contains("runs/quickstart-1"), "{said}");
    let run = folder.path().join("runs/quickstart-1");
    let log = String::from_utf8(read(&run, "log.csv")).unwrap();
    let header = "step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate,c_loss";
    assert_eq!(log.lines().next(), Some(header));
    assert_eq!(log.lines().count(), 4);
    assert!(log.lines().nth(3).unwrap().starts_with("3,1,"));
    assert!(read(&run, "samples/epoch-0001.png").starts_with(b"\x89PNG"));
    for file in ["checkpoint.safetensors", "generator.safetensors"] {
        assert!(!read(&run, file).is_empty());
    }
    // The resolved recipe is itself a recipe, and gives the same run.
    succeed(&run, "train recipe.toml --steps 3 --out again");
    let again = read(&run.join("again"), "checkpoint.safetensors");
    assert_eq!(again, read(&run, "checkpoint.safetensors"));

    // The next number, also where an earlier run has been deleted.
    succeed(folder.path(), "train --steps 1 --batch-size 8");
    std::fs::remove_dir_all(&run).unwrap();
    succeed(folder.path(), "train --steps 1 --batch-size 8");
    assert!(!run.exists() && folder.path().join("runs/quickstart-3").is_dir());
}

#[test]
fn a_resumed_run_is_the_run_that_never_stopped_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), "train --steps 6 --batch-size 16 --threads 1 --out whole");
    succeed(folder.path(), "train --steps 3 --batch-size 16 --threads 2 --out parts");
    succeed(folder.path(), "train --steps 6 --threads 3 --out parts --resume");
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    for file in ["checkpoint.safetensors", "generator.safetensors", "samples/epoch-0001.png"] {
        assert!(read(&whole, file) == read(&parts, file), "{file} differs");
    }
    let columns = |run: &Path| -> Vec<String> {
        let log = String::from_utf8(read(run, "log.csv")).unwrap();
        // All but the images per second.
        let without_time = |row: &str| row.splitn(7, ',').take(6).collect();
        log.lines().map(without_time).collect()
    };
    assert_eq!(columns(&whole), columns(&parts));
}

#[test]
fn every_epoch_has_its_own_order_and_grid_and_resumes_across_its_end() {
    let folder = tempfile::tempdir().unwrap();
    write_small_recipe(folder.path());
    let flags = "train small.toml --epochs 2";
    let said = succeed(folder.path(), &format!("{flags} --out whole"));
    succeed(folder.path(), &format!("{flags} --steps 5 --out parts"));
    let resumed = succeed(folder.path(), "train --resume --out parts");
    // The means of the epoch are over all of its steps, whichever process made them.
    let means = |said: &str| -> Vec<String> {
        let line = said.lines().find(|line| line.starts_with("epoch 2/2")).unwrap();
        let is_mean = |part: &&str| part.contains(" loss ") || part.starts_with("D(");
        line.split("  ").filter(is_mean).map(str::to_string).collect()
    };
    assert_eq!(means(&said).len(), 4, "{said}");
    assert_eq!(means(&resumed), means(&said));
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    for file in ["checkpoint.safetensors", "samples/epoch-0001.png", "samples/epoch-0002.png"] {
        assert!(read(&whole, file) == read(&parts, file), "{file} differs");
    }
    let said = succeed(folder.path(), "train --resume --out parts");
    assert!(said.contains("nothing is left to do"), "{said}");
}

/// The names of the grids in `run`.
fn grids(run: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(run.join("samples")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "real.png").collect();
    names.sort();
    names
}

#[test]
fn the_first_epoch_has_grids_of_its_own_wherever_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_small_recipe(at);
    let flags = "train small.toml --batch-size 1000 --epochs 2 --set samples.first_step=1";
    succeed(at, &format!("{flags} --out whole"));
    let whole = at.join("whole");
    let all = [
        "epoch-0001.png",
        "epoch-0002.png",
        "step-000001.png",
        "step-000002.png",
        "step-000004.png",
        "step-000008.png",
    ];
    assert_eq!(grids(&whole), all);
    let parts = at.join("parts");
    for (steps, latest) in
        [(2, "step-000002.png"), (3, "epoch-0001.png"), (4, "step-000004.png"), (20, "epoch-0002.png")]
    {
        let train = if steps == 2 { format!("{flags} --out parts") } else { "train --resume --out parts".into() };
        let said = succeed(at, &format!("{train} --steps {steps}"));
        assert!(said.contains(&format!("samples in parts/samples/{latest}")), "{said}");
        let report = String::from_utf8(read(&parts, "report.html")).unwrap();
        assert!(report.contains("step 1") && report.contains("step 2"));
        // What stood for an unfinished epoch is not there beside a later step's.
        assert_eq!(grids(&parts).contains(&"epoch-0001.png".into()), steps == 3 || steps == 20);
    }
    for file in all.map(|name| format!("samples/{name}")).iter().map(String::as_str).chain(["checkpoint.safetensors"]) {
        assert!(read(&whole, file) == read(&parts, file), "{file} differs");
    }

    // Grids of steps that the run goes back before are set aside.
    succeed(at, &format!("{flags} --out back --steps 3"));
    std::fs::rename(at.join("back/best.safetensors"), at.join("best")).unwrap();
    succeed(at, "train --resume --out back --steps 9");
    assert_eq!(grids(&at.join("back")).len(), 5);
    // As if the state after the third step had stayed the best.
    std::fs::rename(at.join("best"), at.join("back/best.safetensors")).unwrap();
    let said = succeed(at, "train --resume --out back --from best --steps 3");
    assert!(said.contains("back/left-1"), "{said}");
    assert_eq!(grids(&at.join("back")), ["epoch-0001.png", "step-000001.png", "step-000002.png"]);
    assert_eq!(grids(&at.join("back/left-1")).len(), 5);

    succeed(at, "train small.toml --batch-size 1000 --set samples.first_step=0 --steps 9 --out none");
    assert_eq!(grids(&at.join("none")), ["epoch-0001.png"]);
}

/// A run's report and first pictures are there long before its first epoch ends.
#[test]
fn a_run_shows_something_while_its_first_epoch_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_long_run(folder.path());
    let run = folder.path().join("run");
    wait_for("the first grid and the report", || {
        run.join("samples/step-000050.png").is_file() && run.join("report.html").is_file()
    });
    assert!(!run.join("samples/epoch-0001.png").exists(), "2,500 steps an epoch");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_the_step_saves_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let child = start_long_run(folder.path());
    wait_for("the first step", || run.join("log.csv").is_file());
    std::thread::sleep(Duration::from_millis(300));
    let pid = child.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("minimax train --resume --out run"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let steps = logged_steps(&run);
    assert!(said.contains(&format!("after step {steps} ")), "{said}");
    succeed(folder.path(), &format!("train --resume --out run --steps {}", steps + 2));
    assert_eq!(logged_steps(&run), steps + 2);
}

/// Four steps an epoch, each epoch saving: a kill falls into the middle of a write as often as not.
#[test]
fn a_run_killed_at_any_moment_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_small_recipe(at);
    let mut random = Random::new(3, Purpose::CHECK);
    let spawn = |arguments: &str| {
        let mut command = minimax(at, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("minimax starts")
    };
    let saved = || at.join("run/checkpoint.safetensors").exists();
    let train = || {
        let resume = if saved() { "--resume" } else { "" };
        format!("train small.toml --epochs 1000 --out run {resume}")
    };
    for kill in 0..12 {
        if kill == 4 {
            // On a slow machine every kill so far may have come before the first checkpoint.
            succeed(at, &format!("{} --steps 1", train()));
        }
        let mut child = spawn(&train());
        std::thread::sleep(Duration::from_millis(u64::from(random.below(600))));
        child.kill().unwrap();
        child.wait().unwrap();
        if saved() {
            succeed(at, "sample run --count 4");
        }
    }
    let steps = logged_steps(&at.join("run")) + 3;
    succeed(at, &format!("train --resume --out run --steps {steps}"));
    succeed(at, &format!("train small.toml --steps {steps} --epochs 1000 --out whole"));
    let (run, whole) = (at.join("run"), at.join("whole"));
    assert!(read(&run, "checkpoint.safetensors") == read(&whole, "checkpoint.safetensors"));
    let files = |run: &Path| {
        let entries = std::fs::read_dir(run.join("samples")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(files(&run), files(&whole));
    assert_eq!(logged_steps(&run), steps);
}

/// A file-size limit stands in for a full disk: writes fail half-way.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 2 --batch-size 8 --out run");
    let before = read(at, "run/checkpoint.safetensors");
    let limited = |arguments: &str| {
        let minimax = env!("CARGO_BIN_EXE_minimax");
        // In blocks of 512 bytes; the write itself fails, as on a full disk.
        let script = format!("ulimit -f 200; exec {minimax} {arguments}");
        let output = Command::new("sh").args(["-c", &script]).current_dir(at).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        one_line(&output)
    };
    let said = limited("train --steps 3 --batch-size 8 --out run --resume");
    assert!(said.contains("run/") && said.contains("ulimit -f"), "{said}");
    assert!(read(at, "run/checkpoint.safetensors") == before);
    limited("train --steps 3 --batch-size 8 --out fresh");
    limited("train --steps 3 --batch-size 8");
    assert!(!at.join("fresh").exists());
    let left = std::fs::read_dir(at.join("runs")).unwrap().count();
    assert_eq!(left, 0, "a run folder was left behind");
    succeed(at, "train --steps 3 --batch-size 8 --out run --resume");
}

/// The pictures come last: where a run dies with only them to draw, going on draws them, and only them.
#[test]
fn a_run_that_is_done_but_not_drawn_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write_small_recipe(at);
    succeed(at, "train small.toml --epochs 2 --out run");
    let run = at.join("run");
    let pictures = ["report.html", "samples.gif", "comparison.png", "curves.svg", "curves.png"];
    let drawn = pictures.map(|name| read(&run, name));
    let checkpoint = read(&run, "checkpoint.safetensors");
    std::fs::remove_file(run.join("report.html")).unwrap();
    std::fs::remove_file(run.join("comparison.png")).unwrap();
    std::fs::write(run.join("samples.gif"), "of an earlier epoch").unwrap();
    std::fs::write(run.join("curves.svg"), "of an earlier epoch").unwrap();
    let said = succeed(at, "train --resume --out run");
    assert!(said.contains("nothing is left to do"), "{said}");
    for (name, drawn) in pictures.into_iter().zip(drawn) {
        assert!(read(&run, name) == drawn, "{name}");
    }
    assert!(read(&run, "checkpoint.safetensors") == checkpoint);

    let report = String::from_utf8(read(&run, "report.html")).unwrap();
    for fact in [
        "<dt>Begun (UTC)</dt><dd>20",
        "<dt>Time of training</dt><dd>",
        "<dt>Best epoch</dt><dd>",
        "<dt>Device</dt><dd>",
        "<dt>Command</dt><dd>minimax train small.toml --epochs 2 --out run</dd>",
        concat!("<dt>Version of minimax</dt><dd>", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(report.contains(fact), "{fact}");
    }
    // A run of an older version, which left no such file, and had no such key.
    std::fs::remove_file(run.join("run.toml")).unwrap();
    let recipe = String::from_utf8(read(&run, "recipe.toml")).unwrap();
    std::fs::write(run.join("recipe.toml"), recipe.replace("first_step = 50\n", "")).unwrap();
    succeed(at, "report run");
    let report = String::from_utf8(read(&run, "report.html")).unwrap();
    assert!(!report.contains("<dt>Command") && report.contains("<dt>Best epoch"));
    succeed(at, "train --resume --out run --epochs 3");
    let report = String::from_utf8(read(&run, "report.html")).unwrap();
    assert!(report.contains("<dt>Gone on with (UTC)") && report.contains("--resume --out run --epochs 3</dd>"));
}

/// `nohup` has SIGHUP ignored, a script SIGINT of what it starts by `&`; what is not ignored still stops the run.
#[cfg(unix)]
#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let minimax = env!("CARGO_BIN_EXE_minimax");
    let script = format!("trap '' HUP INT; exec {minimax} train --batch-size 4 --epochs 1000 --out run");
    let child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(at)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let run = at.join("run");
    let pid = child.id().to_string();
    wait_for("the first steps", || logged_steps(&run) > 0);
    for signal in ["-HUP", "-INT", "-HUP", "-INT"] {
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let steps = logged_steps(&run);
        wait_for("more steps", || logged_steps(&run) > steps);
    }
    Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
}

/// Latin-1 is what an old disk may have; such bytes are no UTF-8.
#[cfg(target_os = "linux")]
#[test]
fn a_path_is_bytes_and_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let [place, data, recipe] = [&b"run\xe9"[..], b"ziffern-\xfc%", b"kl\xe9in.toml"].map(std::ffi::OsStr::from_bytes);
    idx_folder(&at.join(data), 40);
    write_small_recipe(at);
    std::fs::rename(at.join("small.toml"), at.join(recipe)).unwrap();
    let ran = |arguments: &str, paths: &[&std::ffi::OsStr]| {
        let output = minimax(at, arguments).args(paths).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.success(), "{arguments}: {said}");
    };
    let flags = "train --batch-size 20";
    ran(&format!("{flags} --steps 2"), &[recipe, "--data".as_ref(), data, "--out".as_ref(), place]);
    let run = at.join(place);
    let toml = String::from_utf8(read(&run, "recipe.toml")).unwrap();
    assert!(toml.contains("name = \"bytes:ziffern-%fc%25\""), "{toml}");
    assert!(read(&run, "report.html").starts_with(b"<!"));
    ran("train --resume --steps 3", &["--out".as_ref(), place]);
    assert_eq!(logged_steps(&run), 3);
    ran("report", &[place]);
    ran("sample --count 4 --out four.png", &[place]);
    ran("data preview --count 4 --out data.png", &[data]);
    let sweep = "name = 's'\nrecipes = ['small.toml']\nsteps = 1\n                 [[axis]]\nname = 'a'\nkeys = ['training.batch_size']\nvalues = [10]\n";
    let [file, out] = [&b"reihe\xe9.toml"[..], b"sweep\xe9"].map(std::ffi::OsStr::from_bytes);
    std::fs::write(at.join(file), sweep).unwrap();
    write_small_recipe(at);
    ran("sweep", &[file, "--data".as_ref(), data, "--out".as_ref(), out]);
    assert!(at.join(out).join("small-10/report.html").is_file());

    // What is printed to go on with is read back by a shell.
    let mut child = minimax(at, "train --resume --steps 1000000 --epochs 1000000 --out");
    let child = child.arg(place).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("more steps", || logged_steps(&run) > 3);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains(r"--out $'run\xe9'"), "{said}");
}

#[test]
fn numbers_that_are_none_stop_the_run_and_keep_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rate = "--batch-size 8 --set generator.optimizer.learning_rate=1e38";
    let said = fail(at, &format!("train {rate} --out run"), 1);
    assert!(said.contains("step 2: the discriminator's loss is"), "{said}");
    assert!(said.contains("start again with smaller steps of learning: --set generator.optimizer"), "{said}");
    // The losses of the first step are finite, the weights after it are not.
    let said = fail(at, &format!("train {rate} --steps 1 --out one"), 1);
    assert!(said.contains("step 1: the generator"), "{said}");
    for run in ["run", "one"] {
        succeed(at, &format!("sample {run} --count 4 --out four.npy"));
        let four = read(at, "four.npy");
        let images: Vec<f32> = npyz::NpyFile::new(&four[..]).unwrap().into_vec().unwrap();
        assert!(images.iter().all(|v| v.is_finite()), "{run}");
    }
}

#[test]
fn pictures_of_two_formats_are_trained_on_with_a_line_for_what_was_done_to_them() {
    let folder = tempfile::tempdir().unwrap();
    write_small_recipe(folder.path());
    let own = folder.path().join("own");
    for (class, file) in [("a", "1.png"), ("b", "2.jpg"), ("b", "notes.txt")] {
        std::fs::create_dir_all(own.join(class)).unwrap();
        std::fs::write(own.join(class).join(file), "words").unwrap();
    }
    std::fs::create_dir(own.join("empty")).unwrap();
    let grey = image::GrayImage::from_pixel(28, 28, image::Luma([9]));
    grey.save(own.join("a/1.png")).unwrap();
    let red = image::RgbImage::from_pixel(60, 40, image::Rgb([200, 0, 0]));
    red.save(own.join("b/2.jpg")).unwrap();

    let train = "train small.toml --data own --batch-size 2 --steps 2 --out run";
    let said = succeed(folder.path(), train);
    for line in [
        "small on own: 2 images of 28x28x1, 2 steps of 2, 1 an epoch",
        "passed over: no picture by name (.txt): 1",
        "class folders without a picture: \"empty\"",
        "of 2 pictures: 1 cut around their centre, 1 resized to 28x28 (triangle filter), 1 turned grey \
         (Rec. 709 luma)",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    // The same pictures as an archive are the same data.
    let mut archive = zip::ZipWriter::new(std::fs::File::create(folder.path().join("own.zip")).unwrap());
    for file in ["a/1.png", "b/2.jpg"] {
        archive.start_file(file, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, &read(&own, file)).unwrap();
    }
    archive.finish().unwrap();
    succeed(folder.path(), "train --resume --out run --data own.zip --steps 4");
}

#[test]
fn what_a_user_gets_wrong_is_one_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let cases = [
        ("train --device tpu", 2, "tpu"),
        ("train --device cuda:x", 2, "cuda:1"),
        ("train --device cpu --precision tf32", 2, "leave it out"),
        ("train --threads 0", 2, "--threads <N>': choose a whole number from 1 to 1024"),
        ("train --batch-size 20000", 1, "10000"),
        ("train --batch-size -3", 2, "-3"),
        ("train --batch-size 1", 1, "make training.batch_size at least 2"),
        (
            "train --batch-size 3333 --set data.last_batch=keep",
            1,
            "1 of 10000 images, gives it one value for each feature",
        ),
        ("train --epochs 0", 2, "--epochs"),
        ("train --steps 0", 2, "--steps"),
        ("train --seed 18446744073709551615", 2, "--seed"),
        ("train --seed -1", 2, "from 0 to 9223372036854775807"),
        ("train --seed=-1", 2, "from 0 to 9223372036854775807"),
        ("sample x --seed -1", 2, "from 0 to 18446744073709551615"),
        ("interpolate x --from -1 --to 2", 2, "from 0 to 18446744073709551615"),
        ("data preview digits --count -2", 2, "'-2'"),
        ("train --device gpu", 2, "an NVIDIA GPU is cuda"),
        ("train --lr 1e-4", 2, "--set generator.optimizer.learning_rate="),
        ("train --gpu", 2, "--device cuda"),
        ("train --data digits --set data.name=mnist", 2, "both say data.name"),
        ("train --epochs 2 --set training={}", 2, "both say training.epochs"),
        ("sweep batch-size --data digits --set data.name=mnist", 2, "both say data.name"),
        ("train nothing", 2, "quickstart"),
        ("train --data nowhere", 1, "nowhere"),
        ("train --set training.banana=1", 2, "banana"),
        ("train --resume", 1, "--out"),
        ("train --resume --out nowhere", 1, "nowhere"),
        ("train --out /proc/none", 1, "/proc/none"),
        ("sample nowhere", 1, "nowhere"),
        ("sample nowhere --count 3 --latents z.npy", 2, "--latents"),
    ];
    for (arguments, code, names) in cases {
        let said = fail(at, arguments, code);
        assert!(said.contains(names), "{arguments}: {said}");
    }
    assert_eq!(std::fs::read_dir(at).unwrap().count(), 0, "something was left behind");
}

/// What a file manager leaves in a folder is nobody's; anything else there is not to be mixed with a run.
#[test]
fn a_folder_that_a_file_manager_has_shown_is_as_good_as_empty() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("run")).unwrap();
    std::fs::write(at.join("run/notes.txt"), "mine").unwrap();
    std::fs::write(at.join("run/.DS_Store"), "").unwrap();
    let train = "train --steps 1 --batch-size 4 --out run";
    let said = fail(at, train, 1);
    assert!(said.contains("run: holds notes.txt, which belongs to no run"), "{said}");
    std::fs::remove_file(at.join("run/notes.txt")).unwrap();
    succeed(at, train);
    assert!(at.join("run/.DS_Store").exists());
}

#[test]
fn a_checkpoint_that_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, "train --steps 1 --batch-size 8 --out run");
    let recipe = String::from_utf8(read(at, "run/recipe.toml")).unwrap();
    let changed = recipe.replace("learning_rate = 0.001", "learning_rate = 0.01");
    assert_ne!(changed, recipe);
    std::fs::write(at.join("changed.toml"), changed).unwrap();
    // As many images of the same size, but others.
    idx_folder(&at.join("other"), 10_000);
    for (arguments, names) in [
        ("train vanilla-mnist --resume --out run", "quickstart"),
        ("train --resume --out run --seed 9", "training.seed"),
        ("train --resume --out run --set generator.layers.1.bias=true", "--init"),
        ("train --resume --out run --data other", "other has 10000 images too, but their pixels or their order"),
        ("train changed.toml --resume --out run", "learning_rate"),
        ("train --out run", "holds a run; go on with it by --resume"),
    ] {
        let said = fail(at, arguments, 1);
        assert!(said.contains(names), "{arguments}: {said}");
    }
    let whole = read(at, "run/checkpoint.safetensors");
    let path = at.join("run/checkpoint.safetensors");
    let mut wrong_name = whole.clone();
    let name = b"layers.1.kernel";
    let found = whole.windows(name.len()).position(|w| w == name).unwrap();
    wrong_name[found] = b'L';
    for bytes in [&whole[..whole.len() - 1], &whole[..7], &[], &wrong_name[..]] {
        std::fs::write(&path, bytes).unwrap();
        let said = fail(at, "train --resume --out run", 1);
        assert!(said.contains("checkpoint.safetensors"), "{said}");
    }
}

/// A whole training step, and not only an op, lives on the buffers of the steps before it.
#[test]
fn a_training_loop_asks_for_no_memory_after_its_second_step() {
    for recipe in ["quickstart", "dcgan-compact-mnist", "vanilla-mnist"] {
        let recipe = Recipe::load(recipe, &[]).unwrap();
        let mut gan = Gan::new(&recipe, Device::Cpu);
        let real = Tensor::full(0.5, [16, 28, 28, 1], Device::Cpu);
        // One thread: how many scratch buffers are in use at once must not depend on who is quick.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| {
            gan.step(&real, false).unwrap();
            gan.step(&real, false).unwrap();
            let before = pool::stats().allocations;
            for _ in 0..3 {
                gan.step(&real, false).unwrap();
            }
            assert_eq!(pool::stats().allocations, before, "{}", recipe.name);
        });
    }
}

/// What `--isa` calls it.
fn flag(set: InstructionSet) -> String {
    set.to_string().to_lowercase().replace('-', "")
}

#[test]
fn a_run_is_the_same_bytes_with_every_instruction_set() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for set in ALL {
        let name = flag(set);
        let train = format!("train --steps 2 --batch-size 4 --out {name} --isa {name}");
        if !set.is_available() {
            let said = fail(at, &train, 2);
            assert!(said.contains(&format!("--isa {name}: this processor has no {set}")));
            continue;
        }
        succeed(at, &train);
        succeed(at, &format!("sample {name} --count 4 --out {name}.npy --isa {name}"));
    }
    succeed(at, "train --steps 2 --batch-size 4 --out auto");
    succeed(at, "sample auto --count 4 --out auto.npy");
    for set in ALL.into_iter().filter(|set| set.is_available()) {
        let name = flag(set);
        for file in ["checkpoint.safetensors", "generator.safetensors"] {
            assert!(read(at, &format!("{name}/{file}")) == read(at, &format!("auto/{file}")), "{file} with {set}");
        }
        assert!(read(at, &format!("{name}.npy")) == read(at, "auto.npy"), "samples with {set}");
    }
}
