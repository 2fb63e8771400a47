//! Finds out which files of a folder or an archive are pictures, which class each is of, and what is passed over.

use crate::data::picture;
use crate::terminal::excerpt;
use crate::{Error, Result, files};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Labels are bytes.
const MOST_CLASSES: usize = 256;

/// How deep pictures can be: in a sub-folder of a class's folder.
const MOST_DEPTH: usize = 3;

/// The most names of a kind that a line gives.
const MOST_NAMES: usize = 5;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file with bytes to be read.
    File,
    /// A folder.
    Folder,
    /// A pipe, a socket or a device, say.
    Special,
}

/// The contents of a folder or an archive: paths inside of it.
pub type Entries = Vec<(PathBuf, Kind)>;

/// The pictures among them.
#[derive(Debug, Default)]
pub struct Listing {
    /// Paths inside the folder or archive, in order.
    pub files: Vec<PathBuf>,
    /// The class of each, or nothing where there are no classes.
    pub labels: Vec<u8>,
    /// Lines on what is passed over, and on classes without pictures.
    pub notes: Vec<String>,
}

/// The contents of a folder, as deep as pictures can be.
///
/// # Errors
/// [`Error::Io`] where the system refuses.
pub fn walk(folder: &Path) -> Result<Entries> {
    let mut entries = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let path = folder.join(&inside);
        for path in files::list(&path)? {
            let name = path.file_name().expect("an entry of a folder has a name");
            let inside = inside.join(name);
            let kind = match path {
                _ if path.is_dir() => Kind::Folder,
                _ if path.is_file() => Kind::File,
                _ => Kind::Special,
            };
            let below = inside.iter().count() < MOST_DEPTH;
            if kind == Kind::Folder && below && !is_hidden(name.as_ref()) {
                open.push(inside.clone());
            }
            entries.push((inside, kind));
        }
    }
    Ok(entries)
}

/// Sorts the contents of `place`, whose path is used only in messages.
///
/// The folders at the top are the classes, numbered in the order of their names, whatever is in them. If none of them
/// has a picture there are no labels. Pictures come in the order of their paths, compared name by name.
///
/// # Errors
/// [`Error::Data`] if there are pictures both in folders and beside these, or more than 256 classes.
pub fn sort_out(place: &Path, mut entries: Entries) -> Result<Listing> {
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut passed = Passed::default();
    let mut classes = BTreeSet::new();
    let (mut flat, mut nested) = (Vec::new(), Vec::new());
    for (path, kind) in entries {
        let depth = path.iter().count();
        if is_hidden(&path) {
            passed.hidden += 1;
            continue;
        }
        // An archive need not list the folders of its files.
        if depth > 1 || kind == Kind::Folder {
            classes.extend(path.iter().next().map(OsStr::to_os_string));
        }
        match kind {
            Kind::Folder if depth >= MOST_DEPTH => passed.deep += 1,
            Kind::Folder => {}
            Kind::Special => passed.special += 1,
            Kind::File if depth > MOST_DEPTH => passed.deep += 1,
            Kind::File if !picture::has_ending(&path) => passed.no_picture(&path),
            Kind::File if depth == 1 => flat.push(path),
            Kind::File => nested.push(path),
        }
    }
    if flat.is_empty() && nested.is_empty() {
        return Ok(Listing::default());
    }
    if !flat.is_empty() && nested.iter().any(|path| path.iter().count() == 2) {
        let what = "has pictures beside sub-folders of them";
        let fix = "put every picture in the sub-folder of its class, or all in one folder";
        return Err(Error::data(place, what, fix));
    }
    if !flat.is_empty() {
        passed.deep += nested.len();
        return Ok(Listing { files: flat, labels: Vec::new(), notes: passed.line().into_iter().collect() });
    }
    if classes.len() > MOST_CLASSES {
        let what = format!("has {} sub-folders beside or with pictures", classes.len());
        let fix = format!("there can be {MOST_CLASSES} classes at most");
        return Err(Error::data(place, what, fix));
    }
    let numbers: BTreeMap<&OsStr, u8> = classes.iter().map(|name| name.as_os_str()).zip(0..=u8::MAX).collect();
    let class = |path: &PathBuf| path.iter().next().map_or(0, |name| numbers[name]);
    let labels: Vec<u8> = nested.iter().map(class).collect();
    let empty = numbers.iter().filter(|&(_, number)| !labels.contains(number));
    let empty: Vec<String> = empty.map(|(name, _)| format!("{:?}", excerpt(&name.to_string_lossy()))).collect();
    let mut notes: Vec<String> = passed.line().into_iter().collect();
    if !empty.is_empty() {
        notes.push(format!("class folders without a picture: {}", some(&empty)));
    }
    Ok(Listing { files: nested, labels, notes })
}

/// Whether a file is one that systems create by themselves, or is in a folder that they create.
pub fn is_hidden(path: &Path) -> bool {
    let mut names = path.iter();
    names.any(|name| name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX")
}

/// How much is passed over, by the reason.
#[derive(Default)]
struct Passed {
    hidden: usize,
    special: usize,
    deep: usize,
    no_pictures: usize,
    endings: BTreeSet<String>,
}

impl Passed {
    fn no_picture(&mut self, path: &Path) {
        self.no_pictures += 1;
        let ending = path.extension().map(OsStr::to_string_lossy);
        let shown = ending.map(|ending| format!(".{}", excerpt(&ending)));
        self.endings.insert(shown.unwrap_or("no ending".into()));
    }

    /// In one line, if there is any.
    fn line(&self) -> Option<String> {
        let endings: Vec<String> = self.endings.iter().cloned().collect();
        let parts = [
            (format!("no picture by name ({})", some(&endings)), self.no_pictures),
            ("hidden".to_string(), self.hidden),
            ("neither file nor folder".to_string(), self.special),
            ("deeper than a class's own sub-folders".to_string(), self.deep),
        ];
        let parts = parts.iter().filter(|(_, count)| *count > 0);
        let parts: Vec<String> = parts.map(|(why, count)| format!("{why}: {count}")).collect();
        (!parts.is_empty()).then(|| format!("passed over: {}", parts.join("; ")))
    }
}

/// The first few names, and how many more there are.
fn some(names: &[String]) -> String {
    let first = names[..names.len().min(MOST_NAMES)].join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(paths: &[&str]) -> Result<Listing> {
        let kind = |path: &str| match path {
            _ if path.ends_with('/') => Kind::Folder,
            _ if path.ends_with('|') => Kind::Special,
            _ => Kind::File,
        };
        let entries = paths.iter().map(|path| (PathBuf::from(path), kind(path)));
        sort_out(Path::new("some/folder"), entries.collect())
    }

    #[test]
    fn classes_are_numbered_by_their_folders_whatever_is_in_them() {
        let paths = [
            "b/2.jpg",
            "b/",
            "a/",
            "a/10.png",
            "a/9.png",
            "a/.DS_Store",
            "c/",
            "c/notes.txt",
            "d/x/2.gif",
            "d/",
            "d/x/",
            "d/1.webp",
            "d/x/y/",
            "d/x/y/3.png",
            "pipe|",
            "README",
            "a/old.tif",
        ];
        let listing = sorted(&paths).unwrap();
        let files: Vec<&str> = listing.files.iter().map(|path| path.to_str().unwrap()).collect();
        let expected = ["a/10.png", "a/9.png", "b/2.jpg", "d/1.webp", "d/x/2.gif"];
        assert_eq!(files, expected);
        assert_eq!(listing.labels, [0, 0, 1, 3, 3]);
        assert_eq!(
            listing.notes,
            [
                "passed over: no picture by name (.tif, .txt, no ending): 3; hidden: 1; neither file nor \
                 folder: 1; deeper than a class's own sub-folders: 2",
                "class folders without a picture: \"c\"",
            ]
        );
    }

    #[test]
    fn a_folder_of_pictures_has_no_classes() {
        let listing = sorted(&["2.BMP", "10.png", "notes/", "notes/a.txt", "notes/b/c.png"]).unwrap();
        assert_eq!(listing.files, [PathBuf::from("10.png"), "2.BMP".into()]);
        assert!(listing.labels.is_empty());
        assert_eq!(listing.notes.len(), 1);
        assert!(sorted(&["a.txt", "b/"]).unwrap().files.is_empty());
        assert!(sorted(&["1.png", "2.png"]).unwrap().notes.is_empty());
        let error = sorted(&["1.png", "a/2.png"]).unwrap_err().to_string();
        assert!(error.contains("beside sub-folders"), "{error}");
    }

    /// Names are shown with control characters escaped, and not all of a thousand.
    #[test]
    fn names_in_lines_are_few_and_tame() {
        let mut paths: Vec<String> = (0..100).map(|i| format!("{i}/x.e{i}")).collect();
        paths.push("a\u{1b}]0;title/b.\u{1b}x".into());
        paths.push("z/1.png".into());
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let listing = sorted(&paths).unwrap();
        assert_eq!(listing.labels, [101]);
        for line in &listing.notes {
            assert!(line.len() < 250 && !line.chars().any(char::is_control), "{line}");
        }
    }
}
