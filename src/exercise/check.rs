//! Checks what somebody has written: builds it, runs it, grades it.

use super::answers::Answers;
use super::grade::{Ending, Kind, Mistake, grade};
use super::runner::{Built, build, run};
use super::text::Case;
use super::{answers, folder, report};
use crate::files::{read, write_whole};
use crate::{Error, Result};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// As long as answers may take. A right answer takes a few milliseconds.
const LIMIT: Duration = Duration::from_secs(30);

/// What came of a check.
#[derive(Debug)]
pub struct Checked {
    /// What is said of it, of as many lines as it takes.
    pub report: String,
    /// What is wrong, in a few words; nothing where everything is right.
    pub wrong: Option<String>,
    /// How many hints to ask for to get one more, if there is one that may help.
    pub next_hint: Option<usize>,
}

/// Checks the exercise in `folder`, and gives as many hints as are asked for, until `stop` says so.
///
/// # Errors
/// If there is none, it can't be built for want of cargo, or `stop` has said so.
pub fn check(folder: &Path, hints: usize, stop: &dyn Fn() -> bool) -> Result<Checked> {
    let exercise = folder::open(folder)?;
    let name = exercise.name;
    let wrong = |report: String, what: String| {
        let report = report + &report::hints(exercise, hints);
        let next_hint = (hints < exercise.hints.len()).then_some(hints + 1);
        Ok(Checked { report, wrong: Some(format!("{name} {what}")), next_hint })
    };
    if exercise.files.compiles_cpp {
        cpp_compiler()?;
    }
    let program = match build(folder, stop)? {
        Built::Program(program) => program,
        Built::Refused(complaints) => {
            let target = exercise.files.target;
            let what = match blamed(&complaints) {
                Some("src") => return wrong(complaints, "does not compile".into()),
                Some("harness") => {
                    format!("does not fit its harness; keep the names and arguments that {target} had at first")
                }
                _ => format!("can't be built here, which {target} is not to blame for"),
            };
            let fix = "if other files were changed, start the exercise again elsewhere and copy it there";
            return Ok(Checked { report: complaints, wrong: Some(format!("{name} {what}; {fix}")), next_hint: None });
        }
    };
    let cases = [(exercise.cases)(), (exercise.further_cases)()].concat();
    let questions: String = cases.iter().map(|case| Case { wanted: Vec::new(), ..case.clone() }.to_string()).collect();
    let (ending, answers) = ask(&program, folder, &questions, stop)?;
    let grade = grade(&cases, &answers, &ending, exercise.tolerance);
    match &grade.mistake {
        None => Ok(Checked { report: report::of_success(exercise, cases.len()), wrong: None, next_hint: None }),
        Some(Mistake { case: 0, function, kind: Kind::Unwritten(place) }) => {
            let right = grade.functions.iter().filter(|(_, right)| *right == cases.len());
            let done: String = right.map(|(function, _)| format!("{function} is right; ")).collect();
            wrong(String::new(), format!("isn't written yet: {done}{function}, in {place}, still says todo"))
        }
        Some(mistake) => wrong(report::of_mistake(exercise, &cases, &grade, mistake), "isn't right yet".into()),
    }
}

/// The folder of the crate with the file that a compiler's first complaint is about, if it says so.
fn blamed(complaints: &str) -> Option<&str> {
    // rustc's " --> src/lib.rs:3:5", or "harness/../src/kernel.cu:3:5: error: ..." of a C++ compiler.
    let mut lines = complaints.lines().map(str::trim_start);
    let line = lines.find(|line| line.starts_with("--> ") || line.contains(": error: "))?;
    let place = line.strip_prefix("--> ").unwrap_or(line);
    let place = place.strip_prefix("harness/../").unwrap_or(place);
    place.split_once('/').map(|(folder, _)| folder)
}

/// Has `program`, which runs in `folder`, answer `questions`.
fn ask(program: &Path, folder: &Path, questions: &str, stop: &dyn Fn() -> bool) -> Result<(Ending, Answers)> {
    let folder = folder.canonicalize().map_err(Error::io(folder))?;
    // Beside the program, where cargo may write; another check of the same folder at the same time has its own.
    let of_this_check = |what: &str| program.with_file_name(format!("exercise-{what}-{}.txt", std::process::id()));
    let files @ [cases, answers] = &["cases", "answers"].map(of_this_check);
    let answered = write_whole(cases, questions.as_bytes()).and_then(|()| {
        write_whole(answers, b"")?;
        let ending = run(program, &folder, [cases, answers], LIMIT, stop)?;
        Ok((ending, answers::parse(&String::from_utf8_lossy(&read(answers)?))))
    });
    for file in files {
        // What came of the check matters more than a file that stays.
        let _ = fs::remove_file(file);
    }
    answered
}

/// That there is a compiler for C++, and a system whose device can be emulated.
fn cpp_compiler() -> Result<()> {
    let program = |what: &str| Err(Error::text("program", "c++", what));
    if !cfg!(target_os = "linux") {
        return program("the kernel would be run on an emulated device, which needs Linux; another system can't");
    }
    let mut command = Command::new("c++");
    let run = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match run {
        Ok(status) if status.success() => Ok(()),
        _ => program(
            "isn't on the PATH, or can't be run; install a C++ compiler (g++ or clang++) that goes by this name",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_to_blame_is_told_by_the_first_place() {
        for (complaints, folder) in [
            ("error: mismatched types\n  --> src/lib.rs:3:5\n", Some("src")),
            (
                "error: 3 arguments\n --> harness/call.rs:9:1\nnote: defined here\n --> src/lib.rs:1:8\n",
                Some("harness"),
            ),
            (
                "In file included from harness/program.cpp:14:\nharness/../src/kernel.cu:47:5: error: no x\n",
                Some("src"),
            ),
            ("harness/program.cpp:36:9: error: 'block_sums' was not declared\n", Some("harness")),
            ("error: linker `cc` not found\n", None),
        ] {
            assert_eq!(blamed(complaints), folder, "{complaints}");
        }
        let manifest = "error: can't find bin `answer`\n --> /home/src/a/Cargo.toml\n";
        assert!(!["src", "harness"].contains(&blamed(manifest).unwrap()));
    }
}
