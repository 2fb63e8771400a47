//! Checks whether the files of a public set are in a folder, complete and with the right SHA-256 sums.

use super::manifest::{Content, File, Manifest, Set};
use super::sum::Sum;
use crate::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs;
use std::io::{BufReader, Read};
use std::path::Path;

/// What is known about one file after looking at it.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name in the folder.
    pub name: String,
    /// Its size and sum, if it exists.
    pub found: Option<(u64, Sum)>,
    /// What that means.
    pub state: State,
}

/// Whether a file can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It can be used, and why.
    Right(&'static str),
    /// It doesn't exist.
    Absent,
    /// It can't be used, and why.
    Wrong(String),
}

impl Check {
    /// Whether the file can be used.
    pub fn is_right(&self) -> bool {
        matches!(self.state, State::Right(_))
    }
}

/// The set whose files `folder` seems to have: the one that has most of its file names there. Between sets with the
/// same names (MNIST and Fashion-MNIST) it is the one with the most right files, then the one with the folder's name.
/// `None` if there is no file of any set.
///
/// # Errors
/// [`Error::Io`] if the system refuses to read a file.
pub fn recognise<'m>(manifest: &'m Manifest, folder: &Path) -> Result<Option<&'m Set>> {
    let there = |set| present(set, folder).0;
    let most = manifest.sets.iter().map(there).max().unwrap_or(0);
    if most == 0 {
        return Ok(None);
    }
    let mut best = None;
    for set in manifest.sets.iter().filter(|set| there(set) == most) {
        let right = check(set, folder)?.iter().filter(|c| c.is_right()).count();
        let named = folder.file_name().is_some_and(|name| name == set.name.as_str());
        if best.is_none_or(|(score, _)| (right, named) > score) {
            best = Some(((right, named), set));
        }
    }
    Ok(best.map(|(_, set)| set))
}

/// How many files of the set are in `folder`, judged by their names alone, and how many there should be.
pub fn present(set: &Set, folder: &Path) -> (usize, usize) {
    let there = |name: &String| folder.join(name).is_file();
    let mut count = (0, 0);
    for file in &set.files {
        let contents = file.contents.iter().map(|content| there(&content.name));
        let (found, wanted) = match file.is_archive() {
            true => (contents.filter(|&found| found).count(), file.contents.len()),
            false => (usize::from(contents.chain([there(&file.name)]).any(|f| f)), 1),
        };
        count = (count.0 + found, count.1 + wanted);
    }
    count
}

/// Looks at every file of the set in `folder`.
///
/// # Errors
/// [`Error::Io`] if the system refuses to read a file. A file that is absent or wrong is not an error here.
pub fn check(set: &Set, folder: &Path) -> Result<Vec<Check>> {
    let checks = set.files.iter().map(|file| check_file(file, folder));
    Ok(checks.collect::<Result<Vec<_>>>()?.concat())
}

/// Looks at what a download leaves in `folder`: the files of an archive, or else the file itself.
///
/// A `.gz` whose content has the right sum is right however it was packed, and so is that content
/// without the `.gz`, which readers take first.
///
/// # Errors
/// As [`check`].
pub fn check_file(file: &File, folder: &Path) -> Result<Vec<Check>> {
    if file.is_archive() {
        let contents = file.contents.iter();
        return contents.map(|content| check_content(content, folder)).collect();
    }
    let content = file.contents.first();
    if let Some(plain) = content.filter(|plain| folder.join(&plain.name).is_file()) {
        return Ok(vec![check_content(plain, folder)?]);
    }
    let path = folder.join(&file.name);
    let found = look(&path)?;
    let state = match found {
        None => State::Absent,
        Some((_, sum)) if sum == file.sha256 => State::Right("as published"),
        Some(_) if content.is_some_and(|content| holds(&path, content)) => {
            State::Right("the published content, packed anew")
        }
        Some(found) => wrong(found, file.bytes, file.sha256),
    };
    let name = file.name.clone();
    Ok(vec![Check { name, found, state }])
}

fn check_content(content: &Content, folder: &Path) -> Result<Check> {
    let found = look(&folder.join(&content.name))?;
    let state = match (found, content.sha256) {
        (None, _) => State::Absent,
        (Some((_, sum)), Some(wanted)) if sum == wanted => State::Right("as published"),
        (Some((bytes, _)), None) if bytes == content.bytes => State::Right("the right size; its sum is not known"),
        (Some((bytes, _)), None) => State::Wrong(format!("{bytes} bytes, not {}", content.bytes)),
        (Some(found), Some(wanted)) => wrong(found, content.bytes, wanted),
    };
    let name = content.name.clone();
    Ok(Check { name, found, state })
}

/// How a file differs from the published one.
fn wrong((found, _): (u64, Sum), bytes: u64, wanted: Sum) -> State {
    State::Wrong(if found == bytes {
        format!("the right size, but its SHA-256 should be {wanted}")
    } else {
        format!("{found} bytes, not {bytes}")
    })
}

/// The size and sum of the file `path`, or `None` if there is none.
///
/// # Errors
/// [`Error::Io`] if the system refuses to read it.
pub fn look(path: &Path) -> Result<Option<(u64, Sum)>> {
    if !path.is_file() {
        return Ok(None);
    }
    let file = fs::File::open(path).map_err(Error::io(path))?;
    let (sum, bytes) = Sum::of(file).map_err(Error::io(path))?;
    Ok(Some((bytes, sum)))
}

/// Whether the gzip file `path` holds `content`. A file that isn't gzip, or is damaged, holds nothing.
fn holds(path: &Path, content: &Content) -> bool {
    let Ok(file) = fs::File::open(path) else {
        return false;
    };
    // A byte more than there should be is enough to know.
    let inside = MultiGzDecoder::new(BufReader::new(file)).take(content.bytes + 1);
    Sum::of(inside).is_ok_and(|(sum, _)| Some(sum) == content.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn sum(bytes: &[u8]) -> Sum {
        Sum::of(bytes).unwrap().0
    }

    /// Two sets with the names of MNIST's images; `bytes` and `others` are what is in them.
    fn manifest(bytes: &[u8], others: &[u8]) -> Manifest {
        let set = |name: &str, bytes: &[u8]| {
            let packed = gzip(bytes, 9);
            format!(
                "[[set]]\nname = \"{name}\"\ntitle = \"\"\ntraining = 1\ntest = 0\n\
                 shape = [1, 1, 1]\nlicence = \"\"\ncitation = \"\"\nmirrors = [\"http://x/\"]\n\
                 [[set.file]]\nname = \"a.gz\"\nbytes = {}\nsha256 = \"{}\"\n\
                 contents = [{{ name = \"a\", bytes = {}, sha256 = \"{}\" }}]\n",
                packed.len(),
                sum(&packed),
                bytes.len(),
                sum(bytes)
            )
        };
        let text = set("first", bytes) + &set("second", others);
        Manifest::parse("m.toml", &text).unwrap()
    }

    fn state(manifest: &Manifest, folder: &Path) -> State {
        check(&manifest.sets[0], folder).unwrap()[0].state.clone()
    }

    #[test]
    fn a_file_is_right_as_published_packed_anew_or_unpacked() {
        let bytes: Vec<u8> = (0..10_000).map(|i| (i * i / 7) as u8).collect();
        let manifest = manifest(&bytes, b"other");
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        assert_eq!(state(&manifest, folder.path()), State::Absent);

        write("a.gz", &gzip(&bytes, 9));
        assert_eq!(state(&manifest, folder.path()), State::Right("as published"));
        write("a.gz", &gzip(&bytes, 1));
        let State::Right(how) = state(&manifest, folder.path()) else { panic!("packed anew") };
        assert!(how.contains("packed anew"), "{how}");
        write("a", &bytes);
        assert_eq!(state(&manifest, folder.path()), State::Right("as published"));
    }

    #[test]
    fn a_wrong_file_is_told_by_its_size_its_sum_or_its_content() {
        let bytes = vec![7; 1000];
        let manifest = manifest(&bytes, b"other");
        let folder = tempfile::tempdir().unwrap();
        let wrong = |name: &str, bytes: &[u8], what: &str| {
            fs::write(folder.path().join(name), bytes).unwrap();
            match state(&manifest, folder.path()) {
                State::Wrong(said) => assert!(said.contains(what), "{said}"),
                state => panic!("{state:?} for {what}"),
            }
        };
        let mut packed = gzip(&bytes, 9);
        let size = packed.len();
        wrong("a.gz", &packed[1..], &format!("{} bytes, not {size}", size - 1));
        wrong("a.gz", &gzip(&[7; 1001], 1), &format!("not {size}"));
        *packed.last_mut().unwrap() ^= 1;
        wrong("a.gz", &packed, "SHA-256 should be");
        // The plain file is what would be read, so a right .gz beside it doesn't help.
        fs::write(folder.path().join("a.gz"), gzip(&bytes, 9)).unwrap();
        wrong("a", &bytes[1..], "999 bytes, not 1000");
    }

    #[test]
    fn a_folder_is_recognised_by_names_then_by_sums_then_by_its_own_name() {
        let manifest = manifest(b"bytes", b"other");
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("second");
        fs::create_dir(&folder).unwrap();
        let name = || {
            let set = recognise(&manifest, &folder).unwrap();
            set.map(|set| set.name.as_str())
        };
        assert_eq!(name(), None);
        fs::write(folder.join("a.gz"), b"neither").unwrap();
        assert_eq!(name(), Some("second"));
        fs::write(folder.join("a.gz"), gzip(b"bytes", 1)).unwrap();
        assert_eq!(name(), Some("first"));
        assert_eq!(present(&manifest.sets[1], &folder), (1, 1));
    }
}
