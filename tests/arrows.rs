//! Who may use whom: a part of the library uses those below it, never one above. What is only for tests isn't held
//! to it.

use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of the library, the lowest first.
const ORDER: [&str; 31] = [
    "terminal", "limits", "unsaid", "error", "unwind", "files", "memory", "shape", "random", "cpu", "cuda", "profile",
    "storage", "tensor", "autograd", "ops", "nn", "optim", "data", "weights", "check", "metrics", "recipe", "gan",
    "judge", "report", "run", "export", "sweep", "exercise", "cli",
];

/// Arrows that run up all the same, and why.
const KNOTS: [(&str, &str, &str); 2] = [
    ("tensor", "autograd", "a tensor holds how it came to be"),
    ("autograd", "ops", "what several paths bring to one tensor is summed by an op, which can be recorded"),
];

#[test]
fn every_part_stands_on_those_below_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    let exports = exports(&lib);
    let mut parts = modules(&lib);
    let mut ranked = ORDER.map(str::to_string).to_vec();
    parts.sort();
    ranked.sort();
    assert_eq!(parts, ranked, "src/lib.rs declares these parts, and these have a place in the order");

    let rank = |part: &str| ORDER.iter().position(|known| *known == part);
    let mut knots = KNOTS.map(|(from, to, _)| (from, to)).to_vec();
    let mut wrong = Vec::new();
    for part in &parts {
        for file in files_of(&source, part) {
            let mut code = code(&fs::read_to_string(&file).unwrap());
            if file.parent() == Some(&source) {
                code = code.replace("super::", "crate::");
            }
            for used in used(&code) {
                let used = exports.get(&used).unwrap_or(&used);
                let there = rank(used).unwrap_or_else(|| panic!("{}: what is crate::{used}?", file.display()));
                if there > rank(part).unwrap() {
                    let pair = (part.as_str(), ORDER[there]);
                    match KNOTS.iter().any(|(from, to, _)| (*from, *to) == pair) {
                        true => knots.retain(|knot| *knot != pair),
                        false => wrong.push(format!("{} uses {used}", file.display())),
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that run up:\n{}", wrong.join("\n"));
    assert!(knots.is_empty(), "knots that are there no more: {knots:?}");
}

/// The modules that lib.rs declares.
fn modules(lib: &str) -> Vec<String> {
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_string).collect()
}

/// The part that each name comes from which lib.rs hands on: `pub use shape::{Padding, Shape};`.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for line in lib.lines().filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';')) {
        let (part, names) = line.split_once("::").unwrap();
        for name in names.trim_matches(['{', '}']).split(", ") {
            exports.insert(name.to_string(), part.to_string());
        }
    }
    exports
}

/// The files of a part: `part.rs`, or all in the folder `part`.
fn files_of(source: &Path, part: &str) -> Vec<PathBuf> {
    let file = source.join(format!("{part}.rs"));
    let mut files = if file.is_file() { vec![file] } else { Vec::new() };
    let mut folders = vec![source.join(part)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "{part} has no file");
    files
}

/// What is compiled into the library: without comments and without the tests at the end.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The first names of all paths that begin with `crate::`.
fn used(code: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (at, start) in code.match_indices("crate::") {
        let rest = &code[at + start.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.push(rest.split(|c| !is_name(c)).next().unwrap().to_string());
            continue;
        };
        // Of a list, what stands in no brackets of its own.
        let mut depth = 0;
        let mut outer = String::new();
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ if depth == 0 => outer.push(c),
                _ => {}
            }
        }
        let firsts = outer.split(',').map(|path| path.trim().split("::").next().unwrap());
        names.extend(firsts.filter(|name| !name.is_empty()).map(str::to_string));
    }
    names
}

#[test]
fn paths_are_found_in_every_form() {
    let code = code(
        "use crate::cpu::{gemm, pool};\nuse crate::{Error, data::{self, Images}, files};\n// crate::comment\n\
         fn f() -> crate::Result<()> { crate::run::go() }\n#[cfg(test)]\nmod tests { use crate::cli; }",
    );
    assert_eq!(used(&code), ["cpu", "Error", "data", "files", "Result", "run"]);
}

/// What lib.rs says of the length of each step of its reading path, and of all, is so, and an evening's worth.
#[test]
fn the_reading_path_is_as_long_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lib = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
    let said: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let said = said.join(" ");
    let number = |text: &str| -> usize { text.replace(',', "").parse().unwrap() };
    let mut sum = 0;
    for part in Regex::new(r"first (\d+) lines of `(\S+)`").unwrap().captures_iter(&said) {
        let text = fs::read_to_string(folder.join(&part[2])).unwrap();
        assert_eq!(text.lines().nth(number(&part[1])), Some(""), "{} is cut inside of an item", &part[2]);
        sum += number(&part[1]);
    }
    for part in Regex::new(r"`(src/\S+)`, (\d+) lines").unwrap().captures_iter(&said) {
        let text = fs::read_to_string(folder.join(&part[1])).unwrap();
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        assert_eq!(lines, number(&part[2]), "{} before its tests", &part[1]);
        sum += lines;
    }
    let all = number(&Regex::new(r"About ([\d,]+) lines").unwrap().captures(&said).expect("the length of all")[1]);
    assert!(sum.abs_diff(all) <= 50 && sum <= 2000, "the path has {sum} lines, and {all} are said");
}
