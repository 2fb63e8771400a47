//! `minimax sweep` from the outside: what it leaves, how it goes on, and that a run that fails takes
//! none of the others with it.
#![cfg(feature = "app")]

mod common;

use common::{fail, logged_steps, minimax, one_line, read, succeed, wait_for};
use minimax::recipe::Recipe;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `small.toml` in `folder`: a network of a few weights on the built-in digits.
fn write_recipe(folder: &Path) {
    let mut text = Recipe::load("vanilla-mnist", &[]).unwrap().to_toml();
    for (from, to) in [
        ("units = 128\n", "units = 8\n"),
        ("units = 256\n", "units = 8\n"),
        ("units = 512\n", "units = 8\n"),
        ("name = \"vanilla-mnist\"", "name = \"small\""),
        ("name = \"mnist\"", "name = \"digits\""),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    std::fs::write(folder.join("small.toml"), text).unwrap();
}

/// `sweep.toml` in `folder`, of the small recipe, one axis and `rest`.
fn write_sweep(folder: &Path, key: &str, values: &str, rest: &str) {
    write_recipe(folder);
    let text = format!(
        "name = 'tiny'\ndescription = 'A <tiny> sweep'\nrecipes = ['small.toml']\n{rest}\n\
         [[axis]]\nname = 'axis, the'\nkeys = ['{key}']\nvalues = {values}\n\
         [plot]\nshow = ['seconds_per_epoch', 'losses', 'probabilities', 'sliced_wasserstein', \
         'classes_present']\n\
         [quick]\nset.training.batch_size = 5000"
    );
    std::fs::write(folder.join("sweep.toml"), text).unwrap();
}

fn text(folder: &Path, file: &str) -> String {
    String::from_utf8(read(folder, file)).unwrap()
}

#[test]
fn a_sweep_leaves_its_runs_a_table_and_pictures_and_grows_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let batches = |values: &str| {
        write_sweep(folder, "training.batch_size", values, "set.training.epochs = 1");
    };
    batches("[2500, 5000]");
    let said = succeed(folder, "sweep sweep.toml");
    assert!(said.starts_with("tiny: 2 runs, the epochs of their recipes; 1 at once"), "{said}");
    assert!(said.contains("[2/2] small-5000  finished in "), "{said}");
    let out = folder.join("runs/sweep-tiny");
    let table = text(&out, "results.csv");
    let rows: Vec<_> = table.lines().collect();
    assert!(rows[0].starts_with("run,recipe,\"axis, the\",outcome,jobs,steps,seconds_per_epoch,d_loss,"), "{table}");
    assert!(rows[1].starts_with("small-2500,small,2500,finished,1,4,"), "{table}");
    assert!(rows[2].starts_with("small-5000,small,5000,finished,1,2,"), "{table}");
    for file in ["charts.png", "curves.png", "montage.png"] {
        assert!(read(&out, file).starts_with(b"\x89PNG"), "{file}");
    }
    for file in ["charts.svg", "curves.svg"] {
        assert!(text(&out, file).starts_with("<svg"), "{file}");
    }
    let page = text(&out, "report.html");
    assert!(page.contains("A &lt;tiny&gt; sweep") && page.contains("small-5000"));

    // A point more is a run more; those that are done stay as they are.
    let checkpoint = |run: &str| {
        let path = out.join(run).join("checkpoint.safetensors");
        path.metadata().unwrap().modified().unwrap()
    };
    let before = checkpoint("small-2500");
    batches("[2500, 5000, 10000]");
    let said = succeed(folder, "sweep sweep.toml");
    assert!(said.contains("[1/3] small-2500  was finished earlier"), "{said}");
    assert!(said.contains("[3/3] small-10000  finished in "), "{said}");
    assert_eq!(checkpoint("small-2500"), before);
    // One that died before its report was drawn is not yet finished.
    let page = out.join("small-5000/report.html");
    std::fs::remove_file(&page).unwrap();
    let runs = text(&out, "runs.toml");
    let begun = "[runs.small-5000]\njobs = 1\noutcome = \"begun\"";
    let runs = runs.replace(&begun.replace("begun", "finished"), begun);
    assert!(runs.contains(begun), "{runs}");
    std::fs::write(out.join("runs.toml"), runs).unwrap();
    succeed(folder, "sweep sweep.toml");
    assert!(page.is_file() && text(&out, "runs.toml").matches("finished").count() == 3);
    assert_eq!(text(&out, "results.csv").lines().count(), 4);

    // Other settings are other runs.
    let said = fail(folder, "sweep sweep.toml --set training.seed=2", 1);
    assert!(said.contains("small-2500/recipe.toml: training.seed is 1 where 2"), "{said}");
    assert!(said.contains("choose another --out"), "{said}");
    let said = fail(folder, "sweep sweep.toml --out .", 1);
    assert!(said.contains("not empty and holds no sweep"), "{said}");
}

#[test]
fn a_run_that_fails_leaves_the_others_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let key = "generator.optimizer.learning_rate";
    write_sweep(folder, key, "[1e30, 1e-3]", "steps = 3");
    for jobs in [2, 1] {
        let arguments = format!("sweep sweep.toml --out out --jobs {jobs} --threads 2");
        let output = minimax(folder, &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = one_line(&output);
        let start = "error: sweep tiny: 1 of 2 runs did not finish (small-1e30: step ";
        assert!(said.starts_with(start), "{said}");
        let lines = String::from_utf8(output.stdout).unwrap();
        assert!(lines.contains("[1/2] small-1e30  failed: step "), "{lines}");
        let good = if jobs == 2 { "finished in" } else { "was finished earlier" };
        assert!(lines.contains(&format!("[2/2] small-1e-3  {good}")), "{lines}");
        let table = text(&folder.join("out"), "results.csv");
        assert!(table.contains("small-1e30,small,1e30,failed,2,"), "{table}");
        assert!(table.contains("small-1e-3,small,1e-3,finished,"), "{table}");
        let page = text(&folder.join("out"), "report.html");
        assert!(page.contains("small-1e30: step "), "the page names the failure");
    }
}

/// A sweep of one run that never ends by itself within a test, once it has done a few steps.
fn start_long_sweep(folder: &Path) -> Child {
    write_sweep(folder, "training.batch_size", "[8]", "steps = 1000000");
    let sweep = minimax(folder, "sweep sweep.toml --out out --threads 1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("minimax starts");
    wait_for("steps", || logged_steps(&folder.join("out/small-8")) > 3);
    sweep
}

/// Waits until nothing trains in `run` any more, which it must have saved; gives its steps.
fn steps_at_rest(run: &Path) -> u64 {
    let mut last = (0, Instant::now());
    wait_for("the run to stop", || {
        let steps = logged_steps(run);
        if steps != last.0 {
            last = (steps, Instant::now());
        }
        last.1.elapsed() > Duration::from_secs(3)
    });
    last.0
}

/// That the sweep goes on after `steps` and comes to what was never stopped.
fn assert_goes_on(folder: &Path, steps: u64) {
    let last = steps + 3;
    write_sweep(folder, "training.batch_size", "[8]", &format!("steps = {last}"));
    let said = succeed(folder, "sweep sweep.toml --out out");
    assert!(said.contains("[1/1] small-8  finished in "), "{said}");
    succeed(folder, &format!("train small.toml --batch-size 8 --steps {last} --out whole"));
    let file = "checkpoint.safetensors";
    assert!(read(&folder.join("out/small-8"), file) == read(&folder.join("whole"), file));
}

#[test]
fn killed_it_leaves_no_training_behind_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut sweep = start_long_sweep(folder);
    // What may be the first one's to rename.
    let temporary = folder.join("out/.runs.toml.1.tmp");
    std::fs::write(&temporary, "").unwrap();
    let said = fail(folder, "sweep sweep.toml --out out", 75);
    assert!(temporary.exists(), "removed without the lock");
    assert!(said.contains("out: another sweep works in this folder"), "{said}");
    sweep.kill().unwrap();
    sweep.wait().unwrap();
    let steps = steps_at_rest(&folder.join("out/small-8"));
    assert_goes_on(folder, steps);
}

/// A run that a killed sweep left behind, and that has not yet stopped, is waited for and not counted as failed.
#[test]
#[cfg(target_os = "linux")]
fn killed_and_started_again_at_once_it_waits_for_what_is_still_running() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut sweep = start_long_sweep(folder);
    let signal = |name: &str, process: &str| {
        let sent = Command::new("kill").args([name, process]).status().unwrap();
        assert!(sent.success(), "{name} {process}");
    };
    let children = format!("/proc/{0}/task/{0}/children", sweep.id());
    let orphan = std::fs::read_to_string(&children).unwrap().trim().to_string();
    signal("-STOP", &orphan);
    sweep.kill().unwrap();
    sweep.wait().unwrap();
    let log = std::fs::File::create(folder.join("said")).unwrap();
    let again =
        minimax(folder, "sweep sweep.toml --out out --threads 1").stdout(log).stderr(Stdio::piped()).spawn().unwrap();
    let said = |what: &str| text(folder, "said").contains(what);
    wait_for("a word", || said("[1/1] small-8  is still being trained by another process"));
    assert!(!said("begins"));
    signal("-CONT", &orphan);
    wait_for("the run to go on", || said("[1/1] small-8  begins"));
    let steps = logged_steps(&folder.join("out/small-8"));
    wait_for("more steps", || logged_steps(&folder.join("out/small-8")) > steps);
    signal("-INT", &again.id().to_string());
    assert_eq!(again.wait_with_output().unwrap().status.code(), Some(130));
    assert!(!said("failed"), "{}", text(folder, "said"));
    assert!(text(&folder.join("out"), "runs.toml").contains("outcome = \"begun\""));
}

#[test]
#[cfg(unix)]
fn interrupted_it_waits_for_its_runs_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sweep = start_long_sweep(folder);
    let kill = format!("kill -INT {}", sweep.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let output = sweep.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "stopped with 0 of 1 runs finished, all saved; go on by running the same command again\n");
    let steps = logged_steps(&folder.join("out/small-8"));
    assert_goes_on(folder, steps);
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_sweep(folder, "training.batch_size", "[0]", "");
    for (arguments, code, what) in [
        ("sweep", 2, "<SWEEP>"),
        ("sweep batch", 2, "there is no sweep \"batch\"; choose one of batch-size, kernel-size"),
        ("sweep no.toml", 1, "no.toml: "),
        ("sweep batch-size --jobs 0", 2, "--jobs"),
        ("sweep batch-size --set training.epoch=3", 2, "--set training.epoch=3: unknown key"),
        ("sweep sweep.toml", 1, "sweep sweep.toml: at 0: recipe small.toml: training.batch_size = 0"),
        ("sweep small.toml", 1, "sweep small.toml: line "),
    ] {
        let said = fail(folder, arguments, code);
        assert!(said.contains(what), "{arguments}: {said}");
    }
    assert!(!folder.join("runs").exists());
    let list = succeed(folder, "sweep --list");
    assert!(list.starts_with("batch-size    8 runs  Report D: "), "{list}");
    assert_eq!(list.lines().count(), 6);
    // With --quick the batch size is another, and the runs fail: the data is not there.
    let said = fail(folder, "sweep sweep.toml --quick --data nowhere", 1);
    assert!(said.contains("(small-0: nowhere: neither a data set's name"), "{said}");
}
