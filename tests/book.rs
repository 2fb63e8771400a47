//! The book in docs/book: what its chapters quote is what the files say, and what they link to is there.
//!
//! A quote is a block of code below a line that names the place, and one that links to the file:
//!
//! ```text
//! <!-- quote src/shape.rs#strides -->
//! From [src/shape.rs](../../../src/shape.rs):
//! ```
//!
//! In the file, what is quoted stands between `// ANCHOR: strides` and `// ANCHOR_END: strides`. With `MINIMAX_BLESS=1`
//! in the environment the blocks are rewritten as the files have them.

use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn source() -> PathBuf {
    root().join("docs/book/src")
}

/// The names of the book's pages.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(source()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut pages: Vec<String> = entries.filter(|name| name.ends_with(".md")).collect();
    pages.sort();
    pages
}

fn chapters() -> Vec<String> {
    pages().into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_digit())).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines between the markers of `anchor`, without other markers and without the indentation that all have.
fn anchored(text: &str, anchor: &str) -> Option<String> {
    let (start, end) = (format!("// ANCHOR: {anchor}"), format!("// ANCHOR_END: {anchor}"));
    let mut lines = text.lines().skip_while(|line| line.trim() != start).skip(1);
    let mut quoted = Vec::new();
    loop {
        let line = lines.next()?;
        if line.trim() == end {
            break;
        }
        if !line.trim().starts_with("// ANCHOR") {
            quoted.push(line);
        }
    }
    let full = quoted.iter().filter(|line| !line.trim().is_empty());
    let indent = full.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    Some(quoted.iter().map(|line| format!("{}\n", line.get(indent..).unwrap_or(""))).collect())
}

/// The page with each quote as its file has it, the places quoted, and what is wrong with their form.
fn requoted(page: &str, text: &str) -> (String, Vec<String>, Vec<String>) {
    let marker = Regex::new(r"^<!-- quote (\S+)#(\S+) -->$").unwrap();
    let (mut out, mut places, mut wrong) = (String::new(), Vec::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        let Some(found) = marker.captures(line) else {
            if line.contains("<!-- quote") {
                wrong.push(format!("{page}: {line}"));
            }
            continue;
        };
        let (path, anchor) = (&found[1], &found[2]);
        places.push(format!("{path}#{anchor}"));
        let Some(block) = anchored(&read(&root().join(path)), anchor) else {
            wrong.push(format!("{page}: {path} has no anchor {anchor}"));
            continue;
        };
        // The link, which may take several lines, and then the block.
        let mut link = String::new();
        for line in lines.by_ref() {
            out += &format!("{line}\n");
            if line.starts_with("```") {
                if line != "```rust,ignore" {
                    wrong.push(format!("{page}: a quote of {path}#{anchor} opens with {line}"));
                }
                break;
            }
            link += line;
        }
        if !link.contains(&format!("](../../../{path})")) {
            wrong.push(format!("{page}: no link to {path} above its quote {anchor}"));
        }
        for _ in lines.by_ref().take_while(|line| *line != "```") {}
        out += &block;
        out += "```\n";
    }
    (out, places, wrong)
}

#[test]
fn quotes_are_what_the_files_say() {
    let is_blessing = std::env::var_os("MINIMAX_BLESS").is_some();
    let (mut quoted, mut wrong) = (BTreeSet::new(), Vec::new());
    for page in pages() {
        let path = source().join(&page);
        let text = read(&path);
        let (new, places, faults) = requoted(&page, &text);
        quoted.extend(places);
        wrong.extend(faults);
        if new != text && is_blessing {
            fs::write(&path, &new).unwrap();
        } else if let Some((line, _)) = new.lines().zip(text.lines()).find(|(new, old)| new != old) {
            wrong.push(format!("{page}: the file has {line:?}; MINIMAX_BLESS=1 rewrites the quotes"));
        } else if new != text {
            wrong.push(format!("{page}: a quote is longer or shorter than the file's; MINIMAX_BLESS=1 rewrites it"));
        }
    }
    for folder in ["src", "examples", "kernels", "benches"] {
        for file in files_under(&root().join(folder)) {
            let Ok(text) = fs::read_to_string(&file) else {
                continue;
            };
            for anchor in text.lines().filter_map(|line| line.trim().strip_prefix("// ANCHOR: ")) {
                let place = format!("{}#{anchor}", file.strip_prefix(root()).unwrap().display());
                if !quoted.contains(&place) {
                    wrong.push(format!("{place} is quoted nowhere"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(quoted.len() > 10, "{quoted:?}");
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

/// The lines of a page outside of its blocks of code.
fn prose(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let outside = |line: &&str| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    };
    text.lines().filter(outside).collect()
}

/// What GitHub and mdBook both make of a heading: lower case, spaces as hyphens, no punctuation.
fn heading_ids(text: &str) -> Vec<String> {
    let headings = prose(text).into_iter().filter(|line| line.starts_with('#'));
    let id = |line: &str| -> String {
        let letters = line.trim_start_matches('#').trim().chars();
        let kept = letters.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
    };
    headings.map(id).collect()
}

#[test]
fn links_and_pictures_are_there() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let code = Regex::new("`[^`]*`").unwrap();
    let (mut wrong, mut shown) = (Vec::new(), BTreeSet::new());
    for page in pages() {
        let text = read(&source().join(&page));
        let lines = prose(&text).join("\n");
        let lines = code.replace_all(&lines, "code");
        for target in link.captures_iter(&lines).map(|found| found[1].to_string()) {
            if target.starts_with("https://") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() { source().join(&page) } else { source().join(path) };
            if !file.exists() {
                wrong.push(format!("{page}: {target} is not there"));
            } else if !heading.is_empty() && !heading_ids(&read(&file)).contains(&heading.to_string()) {
                wrong.push(format!("{page}: {target} is no heading"));
            }
            shown.insert(path.to_string());
        }
    }
    for figure in files_under(&source().join("figures")) {
        let name = format!("figures/{}", figure.file_name().unwrap().display());
        if !shown.contains(&name) {
            wrong.push(format!("{name} is shown nowhere"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_chapter_is_listed_run_and_has_its_parts() {
    let summary = read(&source().join("SUMMARY.md"));
    let lib = read(&root().join("src/lib.rs"));
    for page in pages().iter().filter(|page| *page != "SUMMARY.md") {
        assert!(summary.contains(&format!("]({page})")), "SUMMARY.md doesn't list {page}");
        assert!(lib.contains(&format!("../docs/book/src/{page}\"")), "src/lib.rs doesn't run the code of {page}");
    }
    for page in chapters() {
        let text = read(&source().join(&page));
        assert!(heading_ids(&text).contains(&"exercises".to_string()), "{page} has no exercises");
        assert!(text.contains("](figures/"), "{page} has no picture");
        assert!(text.contains("\n```rust\n"), "{page} has no code to run");
    }
}

/// rustdoc takes a block without a language, and indented text, for code to run.
#[test]
fn every_block_says_what_it_is() {
    for page in pages() {
        let text = read(&source().join(&page));
        let fences: Vec<&str> = text.lines().filter(|line| line.starts_with("```")).collect();
        assert!(fences.len().is_multiple_of(2), "{page}: a block is open");
        for pair in fences.chunks(2) {
            assert!(["```rust", "```rust,ignore", "```text", "```sh"].contains(&pair[0]), "{page}: {}", pair[0]);
            assert_eq!(pair[1], "```", "{page}");
        }
        let is_indented = |line: &&&str| line.starts_with("    ") && !line.trim().is_empty();
        assert_eq!(prose(&text).iter().find(is_indented), None, "{page}: rustdoc would run this line");
    }
}

#[test]
fn what_is_anchored_is_dedented_and_without_markers() {
    let text = "mod a {\n    // ANCHOR: f\n    fn f() {\n\n        // ANCHOR: g\n        g();\n        // ANCHOR_END: g\n    }\n    // ANCHOR_END: f\n}";
    assert_eq!(anchored(text, "f").unwrap(), "fn f() {\n\n    g();\n}\n");
    assert_eq!(anchored(text, "g").unwrap(), "g();\n");
    assert_eq!(anchored(text, "h"), None);
    assert_eq!(
        heading_ids("# A list\n```text\n# no heading\n```\n## Sums, *and* so_on - 2"),
        ["a-list", "sums-and-so_on---2"]
    );
}
