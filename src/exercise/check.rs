//! Checks what somebody has written: builds it, runs it, grades it.

use super::grade::{Kind, Mistake, grade};
use super::runner::{Built, build, run};
use super::text::Case;
use super::{answers, folder, report};
use crate::files::{read, write_whole};
use crate::{Error, Result};
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
        Ok(Checked { report, wrong: Some(format!("{name} {what}")) })
    };
    if exercise.files.compiles_cpp {
        cpp_compiler()?;
    }
    let program = match build(folder, stop)? {
        Built::Program(program) => program,
        Built::Refused(complaints) => return wrong(complaints, "does not compile".into()),
    };
    // Beside the program, where cargo may write.
    let [cases_file, answers_file] =
        ["cases", "answers"].map(|what| program.with_file_name(format!("exercise-{what}.txt")));
    let cases = [(exercise.cases)(), (exercise.further_cases)()].concat();
    let questions: String = cases.iter().map(|case| Case { wanted: Vec::new(), ..case.clone() }.to_string()).collect();
    write_whole(&cases_file, questions.as_bytes())?;
    // So that nothing of an earlier check is taken for an answer.
    write_whole(&answers_file, b"")?;
    let folder = folder.canonicalize().map_err(Error::io(folder))?;
    let ending = run(&program, &folder, [&cases_file, &answers_file], LIMIT, stop)?;
    let answers = answers::parse(&String::from_utf8_lossy(&read(&answers_file)?));
    let grade = grade(&cases, &answers, &ending, exercise.tolerance);
    match &grade.mistake {
        None => Ok(Checked { report: report::of_success(exercise, cases.len()), wrong: None }),
        Some(Mistake { case: 0, function, kind: Kind::Unwritten(place) }) => {
            let right = grade.functions.iter().filter(|(_, right)| *right == cases.len());
            let done: String = right.map(|(function, _)| format!("{function} is right; ")).collect();
            wrong(String::new(), format!("isn't written yet: {done}{function}, in {place}, still says todo"))
        }
        Some(mistake) => wrong(report::of_mistake(exercise, &cases, &grade, mistake), "isn't right yet".into()),
    }
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
