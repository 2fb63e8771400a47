//! The public data sets and their files, as `datasets/manifest.toml` lists them: sizes, SHA-256 sums, mirrors, licences
//! and citations.

use super::sum::Sum;
use crate::files::read_at_most;
use crate::terminal::{brief, excerpt};
use crate::{Error, Result};
use serde::Deserialize;
use std::io;
use std::path::Path;

/// The manifest that comes with the program.
const BUILT_IN: &str = include_str!("../../datasets/manifest.toml");

/// The most bytes a manifest may have.
const MAX_BYTES: u64 = 1 << 20;

/// The largest size that a manifest may give for a file: a terabyte.
const MAX_FILE_BYTES: u64 = 1 << 40;

/// All the sets that can be downloaded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// At least one; their names differ.
    #[serde(rename = "set")]
    pub sets: Vec<Set>,
}

/// A public data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The name by which commands and recipes know it, which is also its folder's name.
    pub name: String,
    /// What it shows, in a few words.
    pub title: String,
    /// How many training images it has.
    pub training: u64,
    /// How many test images it has.
    pub test: u64,
    /// Height, width and channels of an image.
    pub shape: [u32; 3],
    /// What its authors allow, in a few words.
    pub licence: String,
    /// The paper to cite.
    pub citation: String,
    /// Folders on the web (`http://` or `https://`) that hold the files; the first is tried first.
    pub mirrors: Vec<String>,
    /// What is downloaded; at least one.
    #[serde(rename = "file")]
    pub files: Vec<File>,
}

/// A file as its authors published it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name on every mirror and on the disk.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its sum.
    pub sha256: Sum,
    /// What is packed in it: the one file in a `.gz`, which stays packed; those of a `.tar.gz` that are
    /// unpacked beside it. Nothing for other files.
    #[serde(default)]
    pub contents: Vec<Content>,
}

/// A file packed in another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Its name, whatever folder an archive has it in.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its sum, where it is known.
    pub sha256: Option<Sum>,
}

impl Manifest {
    /// The program's own.
    pub fn built_in() -> Manifest {
        Manifest::parse("datasets/manifest.toml", BUILT_IN).expect("a test parses it")
    }

    /// The manifest in the file `path`.
    ///
    /// # Errors
    /// [`Error::Io`] where it can't be read, and whatever [`parse`](Manifest::parse) says.
    pub fn read(path: &Path) -> Result<Manifest> {
        let Some(bytes) = read_at_most(path, MAX_BYTES)? else {
            let what = format!("larger than {MAX_BYTES} bytes");
            return Err(Error::data(path, what, "a manifest is a short TOML file"));
        };
        let text = io::read_to_string(&bytes[..]).map_err(Error::io(path))?;
        Manifest::parse(path, &text)
    }

    /// The manifest that `text` is; `path` names it in errors.
    ///
    /// # Errors
    /// [`Error::Data`] where it isn't TOML with just these keys, where two sets or two files of a set
    /// have one name, or where a name, a size, a mirror or the contents of a file can't be used.
    pub fn parse(path: impl AsRef<Path>, text: &str) -> Result<Manifest> {
        let error = |what| Error::data(&path, what, "see datasets/manifest.toml for the form");
        let manifest: Manifest = toml::from_str(text).map_err(|cause| {
            let start = cause.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(start).filter(|&b| b == b'\n').count();
            error(format!("line {line}: {}", brief(cause.message())))
        })?;
        manifest.check().map_err(error)?;
        Ok(manifest)
    }

    /// The set of this name.
    pub fn set(&self, name: &str) -> Option<&Set> {
        self.sets.iter().find(|set| set.name == name)
    }

    /// The names of all sets, for people.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.sets.iter().map(|set| set.name.as_str()).collect();
        names.join(", ")
    }

    fn check(&self) -> std::result::Result<(), String> {
        check_names("the manifest", self.sets.iter().map(|set| &set.name))?;
        self.sets.iter().try_for_each(Set::check)
    }
}

impl Set {
    /// The bytes of all its files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn check(&self) -> std::result::Result<(), String> {
        let name = excerpt(&self.name);
        if self.mirrors.is_empty() {
            return Err(format!("set {name} has no mirrors"));
        }
        if let Some(url) = self.mirrors.iter().find(|url| !is_web_address(url)) {
            let url = excerpt(url);
            return Err(format!("set {name}: mirror {url:?} is not http:// or https://"));
        }
        let contents = self.files.iter().flat_map(|file| &file.contents);
        let names = self.files.iter().map(|file| &file.name);
        check_names(&format!("set {name}"), names.chain(contents.map(|content| &content.name)))?;
        self.files.iter().try_for_each(File::check)
    }
}

impl File {
    /// Whether it is an archive, which is unpacked after the download.
    pub fn is_archive(&self) -> bool {
        self.name.ends_with(".tar.gz")
    }

    fn check(&self) -> std::result::Result<(), String> {
        let name = &self.name;
        let sizes = self.contents.iter().map(|content| content.bytes);
        if sizes.chain([self.bytes]).any(|n| n == 0 || n > MAX_FILE_BYTES) {
            return Err(format!("file {name}: sizes are from 1 to {MAX_FILE_BYTES}"));
        }
        let names: Vec<_> = self.contents.iter().map(|c| c.name.as_str()).collect();
        match (self.is_archive(), name.strip_suffix(".gz"), &names[..]) {
            (true, _, []) => Err(format!("file {name}: contents name what to unpack")),
            (true, _, _) | (false, _, []) => Ok(()),
            (false, Some(inner), [only]) if inner == *only => Ok(()),
            (false, Some(inner), _) => Err(format!("file {name}: contents can only be {inner}")),
            (false, None, _) => Err(format!("file {name}: contents are for .gz and .tar.gz")),
        }
    }
}

/// Whether this can be a mirror.
pub fn is_web_address(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// At least one name, no name twice, and each plain enough to be a file's on any system: a manifest can't
/// lead out of the folder that it is used on.
fn check_names<'a>(whose: &str, names: impl Iterator<Item = &'a String>) -> std::result::Result<(), String> {
    let mut seen = Vec::new();
    for name in names {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            let allowed = "letters, digits, -, _ and ., which can't be the first";
            let name = excerpt(name);
            return Err(format!("{whose}: a name is of {allowed}, unlike {name:?}"));
        }
        if seen.contains(&name) {
            let name = excerpt(name);
            return Err(format!("{whose}: {name} comes twice"));
        }
        seen.push(name);
    }
    if seen.is_empty() {
        return Err(format!("{whose} has nothing in it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_manifest_has_the_sets_of_the_recipes() {
        let manifest = Manifest::built_in();
        assert_eq!(manifest.names(), "mnist, fashion-mnist, cifar10, svhn, svhn-extra");
        let mnist = manifest.set("mnist").unwrap();
        assert_eq!((mnist.training, mnist.shape), (60_000, [28, 28, 1]));
        assert_eq!(mnist.bytes(), 11_594_722);
        assert!(manifest.set("mnst").is_none());
    }

    /// The sizes of contents follow from the counts and the shape, so a slip in either shows.
    #[test]
    fn sizes_are_those_of_the_formats() {
        let manifest = Manifest::built_in();
        for set in &manifest.sets {
            let image: u64 = set.shape.iter().map(|&n| u64::from(n)).product();
            for content in set.files.iter().flat_map(|file| &file.contents) {
                let count = match content.name.starts_with("t10k") || set.name == "cifar10" {
                    true => 10_000,
                    false => 60_000,
                };
                let expected = match &content.name {
                    name if name.ends_with("images-idx3-ubyte") => 16 + count * image,
                    name if name.ends_with("labels-idx1-ubyte") => 8 + count,
                    _ => count * (1 + image),
                };
                assert_eq!(content.bytes, expected, "{} {}", set.name, content.name);
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_one_line_with_the_fix() {
        let good = BUILT_IN;
        for (from, to, what) in [
            ("[[set]]\nname", "[[set\nname", "LINE: "),
            ("bytes = 9_912_422", "bytes = 0", "sizes are from 1"),
            ("bytes = 9_912_422", "bytes = -1", "LINE: "),
            ("bytes = 9_912_422", "byts = 1", "unknown field"),
            ("sha256 = \"440f", "sha256 = \"44", "64 hexadecimal"),
            ("name = \"t10k-labels-idx1-ubyte.gz\"", "name = \"../x\"", "\"../x\""),
            ("name = \"t10k-labels-idx1-ubyte.gz\"", "name = \".x\"", "\".x\""),
            ("name = \"test_32x32.mat\"", "name = \"train_32x32.mat\"", "comes twice"),
            ("name = \"svhn\"", "name = \"mnist\"", "mnist comes twice"),
            ("[\"http://ufldl", "[\"ftp://ufldl", "\"ftp://ufldl"),
            ("[\"http://ufldl.stanford.edu/housenumbers/\"]", "[]", "no mirrors"),
            ("{ name = \"t10k-labels-idx1-ubyte\"", "{ name = \"x\"", "only be t10k"),
        ] {
            let start = good.find(from).expect(from);
            let line = 1 + good[..start].matches('\n').count();
            let what = what.replace("LINE", &format!("line {line}"));
            let bad = good.replacen(from, to, 1);
            let error = Manifest::parse("m.toml", &bad).expect_err(to).to_string();
            assert!(error.starts_with("m.toml: ") && error.contains(&what), "{error}");
            assert!(!error.contains('\n') && error.ends_with("the form"), "{error}");
        }
        let none = Manifest::parse("m.toml", "set = []").unwrap_err();
        assert!(none.to_string().contains("nothing in it"), "{none}");
    }
}
