//! Has the program that build.rs has made run the kernel on the values of a case.

use super::text::Function;
use std::process::Command;

/// The kernel of src/kernel.cu by its name.
pub const FUNCTIONS: &[(&str, Function)] = &[("block_sums", |case| {
    let mut program = Command::new(concat!(env!("OUT_DIR"), "/program"));
    program.arg(case.number("order").to_string());
    program.args(case.values("x").iter().map(f64::to_string));
    let output = program.output().expect("build.rs has made the program");
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
        match said.is_empty() {
            true => panic!("it ended the program ({})", output.status),
            false => panic!("{said}"),
        }
    }
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    // Whatever else there is, the kernel has printed.
    let (sums, others): (Vec<&str>, Vec<&str>) = printed.lines().partition(|line| line.starts_with("sum "));
    others.iter().filter(|line| !line.is_empty()).for_each(|line| println!("{line}"));
    vec![("sums", sums.iter().filter_map(|sum| sum["sum ".len()..].parse().ok()).collect())]
})];
