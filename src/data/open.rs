//! Finds the reader for a data set: by its name, by the files in a folder, or by the first bytes of a file.

use super::digits::{render, render_from};
use super::plane::Plane;
use super::stacked::{self, STACKED_MNIST};
use super::{Images, Opened, Wanted, cifar, folder, idx, numpy, place, svhn};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Component, Path, PathBuf};

/// The name of the digits that the program renders itself.
pub const DIGITS: &str = "digits";
/// How many of them [`open`] renders: 1,000 of each class.
const DIGIT_COUNT: usize = 10_000;
/// The sets that are looked for in `datasets/<name>/`.
const KNOWN: [&str; 5] = ["mnist", "fashion-mnist", "cifar10", "svhn", svhn::EXTRA_SET];

/// How many test digits [`open_test`] renders: those that follow the training ones.
const TEST_DIGIT_COUNT: usize = 10_000;

/// Reads a folder's images; `None` if it has none of the format's files.
type ReadFolder = fn(&Path, &Wanted) -> Result<Option<Opened>>;
/// Reads a folder's test images; `None` if it has none.
type ReadTest = fn(&Path) -> Result<Option<Images>>;

/// A format that a folder of data may be in.
struct Format {
    /// The files by which it is recognised, for a message.
    files: &'static str,
    read: ReadFolder,
    read_test: ReadTest,
}

/// Every format, in the order in which they are tried. To add a format, write a module with such a function and add a
/// row here.
const FORMATS: [Format; 4] = [
    Format {
        files: "train-images-idx3-ubyte[.gz] and, where there are labels, train-labels-idx1-ubyte[.gz]",
        read: |folder, _| Ok(idx::read_folder(folder)?.map(Opened::from)),
        read_test: idx::read_test,
    },
    Format {
        files: "data_batch_1.bin to data_batch_5.bin, or some of them",
        read: |folder, _| Ok(cifar::read_folder(folder)?.map(Opened::from)),
        read_test: cifar::read_test,
    },
    Format {
        files: svhn::FILE,
        read: |folder, wanted| Ok(svhn::read_folder(folder, wanted.extra)?.map(Opened::from)),
        read_test: svhn::read_test,
    },
    Format {
        files: "pictures: PNG, JPEG, WebP, BMP or GIF (sub-folders of them are classes)",
        read: folder::read_folder,
        read_test: |_| Ok(None),
    },
];

/// Opens a data set by its name or its path, which is one of these:
///
/// - `digits`, which the program renders itself;
/// - a name (`mnist`, `fashion-mnist`, `cifar10`, `svhn`, `svhn-extra`, or that of any other folder in `datasets/`),
///   which is looked for in `datasets/<name>/`;
/// - `stacked-mnist`, or `stacked:` and another set: images that are made of that set's (see [`stacked`]);
/// - the path of a folder, as [`place`] writes it, whose format is recognised by the files in it;
/// - the path of a file, recognised by its first bytes: a .zip of pictures, a .npy or .npz of arrays, CIFAR's .tar.gz
///   or SVHN's .mat.
///
/// ```
/// use minimax::data::{Wanted, open};
///
/// let digits = open("digits", &Wanted::default())?;
/// assert_eq!(digits.images.len(), 10_000);
/// # Ok::<(), minimax::Error>(())
/// ```
///
/// # Errors
/// [`Error::Data`] if it is none of these, holds no data that can be read, or isn't SVHN although SVHN's extra images
/// are asked for, and [`Error::Io`] if the system refuses.
pub fn open(name_or_path: &str, wanted: &Wanted) -> Result<Opened> {
    if let Some(planes) = stacked::planes_of(name_or_path) {
        return stacked::open(planes, wanted);
    }
    let path = path_of(name_or_path);
    let digits = name_or_path == DIGITS;
    if wanted.extra && (digits || path.exists() && !path.join(svhn::FILE).is_file()) {
        let what = format!("no SVHN ({}), whose images data.extra asks for", svhn::FILE);
        return Err(Error::data(path, what, "remove data.extra"));
    }
    if digits {
        return Ok(render(DIGIT_COUNT, wanted.seed).into());
    }
    if path.is_dir() {
        return open_path(&path, wanted)?.ok_or_else(|| no_data_in(&path));
    }
    if path.is_file() {
        return read_file(&path, wanted);
    }
    if Plane::named(name_or_path).is_some() {
        let fix = "choose a set of images, or train a recipe for points, such as ring-2d";
        return Err(Error::data(name_or_path, "has points of the plane and no images", fix));
    }
    check_there(name_or_path, "in place of the name")?;
    let known = KNOWN.join(", ");
    let what = format!("neither a data set's name ({DIGITS}, {known}, {STACKED_MNIST}) nor a folder or file");
    Err(Error::data(path, what, "give one of these names or a path"))
}

/// The data in a folder or a file, as [`open`] reads it, where `path` is always a path and never a set's name; `None`
/// for a folder without data.
///
/// # Errors
/// As [`open`].
pub fn open_path(path: &Path, wanted: &Wanted) -> Result<Option<Opened>> {
    if !path.is_dir() {
        return read_file(path, wanted).map(Some);
    }
    for format in &FORMATS {
        if let Some(opened) = (format.read)(path, wanted)? {
            return Ok(Some(opened));
        }
    }
    Ok(None)
}

/// Whether [`open`] opens the same set by both names, which may be written in different ways.
pub fn is_same_set(one: &str, other: &str) -> bool {
    if let (Some(one), Some(other)) = (stacked::planes_of(one), stacked::planes_of(other)) {
        return is_same_set(one, other);
    }
    let real = |name: &str| path_of(name).canonicalize().ok().filter(|_| name != DIGITS);
    one == other || real(one).is_some_and(|path| real(other) == Some(path))
}

/// Checks that the folder of `name` exists, if that is a public set; `instead` says how else the files may be given.
///
/// # Errors
/// [`Error::Data`] if it doesn't.
pub(super) fn check_there(name: &str, instead: &str) -> Result<()> {
    let path = path_of(name);
    if !KNOWN.contains(&name) || path.exists() {
        return Ok(());
    }
    let fix = format!("get it with: minimax data fetch {name}, or give the folder of its files {instead}");
    Err(Error::data(path, "there is no such folder", fix))
}

/// The test images of the set that [`open`] opens by that name, none of which are training images; `None` if the set
/// has none. Those of the built-in digits are the 10,000 that follow the training ones.
///
/// # Errors
/// As [`open`], if they exist and can't be read.
pub fn open_test(name_or_path: &str, wanted: &Wanted) -> Result<Option<Images>> {
    if let Some(planes) = stacked::planes_of(name_or_path) {
        return stacked::open_test(planes, wanted).map(Some);
    }
    if name_or_path == DIGITS {
        return Ok(Some(render_from(DIGIT_COUNT, TEST_DIGIT_COUNT, wanted.seed)));
    }
    let path = path_of(name_or_path);
    if path.is_dir() {
        for format in &FORMATS {
            if let Some(images) = (format.read_test)(&path)? {
                return Ok(Some(images));
            }
        }
    }
    Ok(None)
}

/// The folder where the set of that name is looked for, or the path itself if it is not a name.
fn path_of(name_or_path: &str) -> PathBuf {
    let here = Path::new("datasets").join(name_or_path);
    match KNOWN.contains(&name_or_path) || is_name(name_or_path) && here.is_dir() {
        true => here,
        false => place::path_of(name_or_path),
    }
}

/// The data set in one file, whose format its first bytes tell.
fn read_file(path: &Path, wanted: &Wanted) -> Result<Opened> {
    let mut source = BufReader::new(File::open(path).map_err(Error::io(path))?);
    let mut start = Vec::new();
    let read = source.by_ref().take(8).read_to_end(&mut start);
    read.map_err(Error::io(path))?;
    source.rewind().map_err(Error::io(path))?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match &start[..] {
        [b'P', b'K', ..] if ending.eq_ignore_ascii_case("npz") => numpy::read_npz(path, source).map(Opened::from),
        [b'P', b'K', ..] => folder::read_zip(path, source, wanted)?.ok_or_else(|| {
            let what = "holds no pictures";
            Error::data(path, what, "it should hold PNG, JPEG, WebP, BMP or GIF files")
        }),
        _ if start.starts_with(numpy::MAGIC) => numpy::read_npy(path, source).map(Opened::from),
        [0x1f, 0x8b, ..] => cifar::read_archive(path, source).map(Opened::from),
        _ if ending.eq_ignore_ascii_case("mat") => svhn::read(path, source).map(Opened::from),
        // It says what is wrong with one.
        _ if ending.eq_ignore_ascii_case("npz") => numpy::read_npz(path, source).map(Opened::from),
        _ => {
            let what = "not a data set in one file (.zip, .npy, .npz, CIFAR's .tar.gz, SVHN's .mat)";
            Err(Error::data(path, what, "give the folder that it is in, or such a file"))
        }
    }
}

/// Whether `text` is a name and no path.
fn is_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none()
}

fn no_data_in(folder: &Path) -> Error {
    let fix = match KNOWN.iter().find(|name| folder == Path::new("datasets").join(name)) {
        Some(name) => format!("get it with: minimax data fetch {name}"),
        None => format!("it should hold {}", expected_files()),
    };
    Error::data(folder, "no data set in this folder", fix)
}

fn expected_files() -> String {
    FORMATS.map(|format| format.files).join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_opened_is_one_line_with_the_fix() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().to_str().unwrap();
        for (name, what, fix) in [
            ("digit", "digit: neither", "digits, mnist, fashion-mnist, cifar10, svhn, svhn-extra"),
            ("no/such/folder", "no/such/folder: neither", "or a path"),
            ("Cargo.toml", "not a data set in one file", "the folder that it is in"),
            ("fashion-mnist", "datasets/fashion-mnist", "minimax data fetch fashion-mnist"),
            (empty, empty, "train-labels-idx1-ubyte[.gz]"),
        ] {
            let error = open(name, &Wanted::default()).expect_err(name).to_string();
            assert!(error.contains(what) && error.contains(fix), "{error}");
            assert!(!error.contains("--"), "a flag's name: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_set_is_the_same_however_its_folder_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap();
        let other = format!("{at}/../{}/.", folder.path().file_name().unwrap().to_str().unwrap());
        assert!(is_same_set(at, &other) && is_same_set(&format!("stacked:{at}"), &format!("stacked:{other}")));
        assert!(is_same_set("digits", "digits") && is_same_set("stacked-mnist", "stacked:mnist"));
        for (one, two) in
            [(at, "digits"), ("digits", "stacked:digits"), ("none", "other"), (at, &format!("stacked:{at}"))]
        {
            assert!(!is_same_set(one, two), "{one} {two}");
        }
    }

    #[cfg(feature = "app")]
    #[test]
    fn every_set_of_the_manifest_is_known_by_name() {
        let manifest = crate::data::manifest::Manifest::built_in();
        let names: Vec<&str> = manifest.sets.iter().map(|set| set.name.as_str()).collect();
        assert_eq!(names, KNOWN);
    }

    #[test]
    fn the_digits_are_a_thousand_of_each_class() {
        let wanted = Wanted { seed: 5, ..Wanted::default() };
        let digits = open(DIGITS, &wanted).unwrap().images;
        assert_eq!((digits.len(), digits.classes(), digits.image_len()), (10_000, 10, 784));
        for class in 0..10 {
            assert_eq!(digits.labels.iter().filter(|&&l| l == class).count(), 1000);
        }
        let test = open_test(DIGITS, &wanted).unwrap().unwrap();
        assert_eq!((test.len(), test.classes()), (10_000, 10));
        let more = render(10_003, 5);
        assert_eq!((more.image(10_002), more.labels[10_002]), (test.image(2), test.labels[2]));
    }
}
