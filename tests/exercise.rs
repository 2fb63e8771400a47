//! `minimax exercise` as a reader of the book meets it: what is said of each way to be wrong, and of being right.
#![cfg(all(feature = "app", unix))]

mod common;

use common::{fail, minimax, one_line, succeed, wait_for};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A right answer to `broadcast-gradient`, whose parts other answers are made of.
const RIGHT: &str = "pub fn broadcast_gradient(y_grad: &[f64], from: &[usize], to: &[usize]) -> Vec<f64> {
    let mut x_grad = vec![0.0; from.iter().product()];
    for (mut place, y) in y_grad.iter().enumerate() {
        let (mut at, mut stride) = (0, 1);
        for (&length, &own) in to.iter().rev().zip(from.iter().rev()) {
            at += if own == 1 { 0 } else { place % length * stride };
            (place, stride) = (place / length, stride * own);
        }
        x_grad[at] += y;
    }
    x_grad
}
";

/// A folder of this test's own, with a crate of an exercise in `crate`.
fn started(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exercise").join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    succeed(&folder, "exercise start broadcast-gradient crate");
    folder
}

/// What `check` says of `answer`.
fn checked(folder: &Path, answer: &str, flags: &str) -> Output {
    fs::write(folder.join("crate/src/lib.rs"), answer).unwrap();
    minimax(folder, &format!("exercise check crate {flags}")).output().unwrap()
}

/// What it says of an answer that is wrong, on the standard output; the error is one line with `error` in it.
#[track_caller]
fn found(folder: &Path, answer: &str, error: &str) -> String {
    let output = checked(folder, answer, "");
    let line = one_line(&output);
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains(error) && line.contains("minimax exercise check crate --hint"), "{line}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_list_has_what_start_takes() {
    let folder = started("list");
    let list = succeed(&folder, "exercise list");
    assert!(list.lines().count() > 13 && list.lines().all(|line| line.chars().count() <= 110), "{list}");
    for name in list.lines().skip(1).filter_map(|line| line.split(' ').next()) {
        let said = succeed(&folder, &format!("exercise start {name} all/{name}"));
        assert!(said.contains(&format!("minimax exercise check all/{name}")), "{said}");
        assert!(folder.join("all").join(name).join("cases.txt").is_file());
    }
}

#[test]
fn what_can_not_be_started_or_checked_is_one_line() {
    let folder = started("refused");
    fs::create_dir(folder.join("empty")).unwrap();
    for (arguments, code, what) in [
        ("exercise start conv3d new", 2, "conv3d: no such exercise; use one of broadcast-gradient, "),
        ("exercise start adam crate", 1, "crate: has something in it already; choose a folder that is empty"),
        ("exercise start adam crate/cases.txt", 1, "crate/cases.txt: is a file; choose another name"),
        ("exercise check nowhere", 1, "nowhere: isn't there; name the folder that"),
        ("exercise check empty", 1, "empty: is no exercise: it has no Cargo.toml; name the folder that"),
    ] {
        let said = fail(&folder, arguments, code);
        assert!(said.contains(what), "{arguments}: {said}");
    }
    assert!(!folder.join("new").exists());
    succeed(&folder, "exercise start adam empty");

    let without_cargo = minimax(&folder, "exercise check crate").env("PATH", "").output().unwrap();
    assert!(one_line(&without_cargo).contains("program cargo: isn't on the PATH; install Rust"));
    assert_eq!(without_cargo.status.code(), Some(1));

    let manifest = folder.join("crate/Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    fs::write(&manifest, text.replace(&version, "version = \"9.0.0\"")).unwrap();
    let said = fail(&folder, "exercise check crate", 1);
    assert!(said.contains("made by minimax 9.0.0, and this is") && said.contains("start the exercise again"), "{said}");
}

#[test]
fn each_way_to_be_wrong_has_its_words() {
    let folder = started("wrong");
    let stub = fs::read_to_string(folder.join("crate/src/lib.rs")).unwrap();
    assert_eq!(found(&folder, &stub, "broadcast_gradient, in src/lib.rs:"), "", "it is said in one line");
    let said = found(&folder, "pub fn broadcast_gradient() {", "broadcast-gradient does not compile");
    assert!(
        said.contains("error: this file contains an unclosed delimiter") && said.contains("src/lib.rs:1"),
        "{said}"
    );

    // What hints can't help with has none.
    let without_hint = |answer: &str, error: &str| {
        let line = one_line(&checked(&folder, answer, ""));
        assert!(line.contains(error) && !line.contains("--hint"), "{line}");
    };
    without_hint("pub fn broadcast_gradient() {}", "does not fit its harness; keep the names and arguments");
    let harness = folder.join("crate/harness/main.rs");
    let main = fs::read(&harness).unwrap();
    fs::remove_file(&harness).unwrap();
    without_hint(&stub, "start the exercise again elsewhere and copy it there");
    fs::write(&harness, main).unwrap();

    // Each of these is right up to a certain case.
    let wrong = |change: &str| RIGHT.replace("    let mut x_grad", &format!("    {change}\n    let mut x_grad"));
    let said = found(&folder, &wrong("if to.len() == 2 { return y_grad[..2].to_vec(); }"), "isn't right yet");
    assert!(
        said.contains("is right in ") && said.contains("Case 3 of ") && said.contains("\"a row to two rows\""),
        "{said}"
    );
    assert!(said.contains("from    [1]    3\n") && said.contains("y_grad  [2,3]  "), "{said}");
    assert!(said.contains("gives 2 values for x_grad. It should give 3: the shape is [3]."), "{said}");
    let said = found(&folder, &wrong("if to.len() == 3 { return y_grad[to[0] * 9..].to_vec(); }"), "isn't right yet");
    assert!(said.contains("panics at src/lib.rs:2:\n  range start index 18 out of range"), "{said}");
    let said = found(&folder, &wrong("if from.is_empty() { return vec![f64::NAN]; }"), "isn't right yet");
    assert!(said.contains("found   NaN") && said.contains("NaN comes of 0 / 0"), "{said}");
    let said = found(&folder, &RIGHT.replace("+= y", "-= y"), "isn't right yet");
    assert!(said.contains("The first is at [0]:") && said.contains("All values have the wrong sign."), "{said}");
    let said = found(&folder, &wrong("if to.len() == 3 { std::process::exit(3); }"), "isn't right yet");
    assert!(said.contains("ended the program without an answer (exit status: 3)"), "{said}");
}

#[test]
fn hints_come_one_after_the_other_and_a_right_answer_leads_on() {
    let folder = started("right");
    let output = checked(&folder, &RIGHT.replace("+= y", "= *y"), "--hint --hint");
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(said.contains("Hint 1 of 3: ") && said.contains("Hint 2 of 3: ") && !said.contains("Hint 3"), "{said}");
    assert!(one_line(&output).contains("for one hint more: minimax exercise check crate --hint --hint --hint"));

    let all = checked(&folder, &RIGHT.replace("+= y", "= *y"), "--hint --hint --hint");
    assert!(!one_line(&all).contains("--hint"), "there are no more to ask for");

    // What the answer prints is the reader's own.
    let output = checked(&folder, &RIGHT.replace("    x_grad\n", "    println!(\"at work\");\n    x_grad\n"), "");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{said}");
    assert!(said.starts_with("at work\n") && said.contains("broadcast-gradient: right in all "), "{said}");
    assert!(said.contains("The engine does the same in src/ops/sum/mod.rs"), "{said}");
    assert!(said.contains("Next: minimax exercise start backward-walk backward-walk (chapter 2"), "{said}");

    // An answer that has learnt cases.txt by heart, which the crate's own test takes.
    let cases = fs::read_to_string(folder.join("crate/cases.txt")).unwrap();
    let known = "Vec<f64> {\n    let known = include_str!(\"../cases.txt\").contains(&format!(\"{}\\nwanted\", \
                 from.iter().map(|l| format!(\" {l}\")).collect::<String>()));\n    if !known { return vec![]; }\n";
    assert!(cases.contains("given from [2] 3 1\nwanted"), "{cases}");
    let said = found(&folder, &RIGHT.replace("Vec<f64> {\n", known), "isn't right yet");
    assert!(said.contains(", which is not in cases.txt:"), "{said}");
}

/// A signal ends the check and the answer that never would.
#[test]
#[allow(unsafe_code, reason = "the standard library sends no signals")]
fn ctrl_c_ends_an_endless_answer() {
    let folder = started("endless");
    let answer = RIGHT.replace(
        "    let mut x_grad",
        "    std::fs::write(\"pid\", std::process::id().to_string()).unwrap();\n    loop { std::hint::spin_loop(); }\n    \
         #[allow(unreachable_code)]\n    let mut x_grad",
    );
    fs::write(folder.join("crate/src/lib.rs"), answer).unwrap();
    let mut check = minimax(&folder, "exercise check crate");
    let check = check.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut pid = 0;
    wait_for("the answer to be at work", || {
        let written = fs::read_to_string(folder.join("crate/pid")).unwrap_or_default();
        pid = written.parse().unwrap_or(0);
        pid != 0
    });
    // SAFETY: a call with two numbers.
    assert_eq!(unsafe { libc::kill(check.id() as i32, libc::SIGINT) }, 0);
    let output = check.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "stopped; nothing was graded\n");
    // SAFETY: signal 0 only asks whether there is such a process.
    assert_eq!(unsafe { libc::kill(pid, 0) }, -1, "the answer has been ended too");
}
