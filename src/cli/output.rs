//! `--out` and similar flags: whether a command may write the file that they name. One function decides for all of
//! them.
//!
//! | what is at the path | |
//! |---|---|
//! | nothing | written |
//! | a file of a run, or a file that would become one | refused, even with `--force` |
//! | a file that the command reads | refused, even with `--force` |
//! | a picture that this program made, an array of such images | replaced by another of its kind |
//! | any other file | replaced only with `--force` |
//! | not a file (a pipe, a device) | written to |

use crate::files::{check_writable, remove_temporary_of};
use crate::report::is_own_picture;
use crate::run::ownership::{place_of, run_of};
use crate::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a command is about to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A picture.
    Png,
    /// An animation.
    Gif,
    /// An array of images `[n, h, w, c]` or of points `[n, 2]`, with all sizes except the first.
    Npy(&'a [usize]),
    /// A graph for an ONNX runtime.
    Onnx,
    /// Weights.
    Safetensors,
}

impl Kind<'_> {
    /// The ending of such files' names.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Kind::Png => "png",
            Kind::Gif => "gif",
            Kind::Npy(_) => "npy",
            Kind::Onnx => "onnx",
            Kind::Safetensors => "safetensors",
        }
    }

    /// Whether a file that begins with `start` is another such file that this program made and that can be made again.
    fn is_own(self, start: &[u8]) -> bool {
        match self {
            Kind::Png => start.starts_with(b"\x89PNG") && is_own_picture(start),
            Kind::Gif => start.starts_with(b"GIF8") && is_own_picture(start),
            Kind::Npy(sizes) => holds_samples(start, sizes),
            // Weights may have taken days.
            Kind::Onnx | Kind::Safetensors => false,
        }
    }
}

/// The number of bytes of a file that [`Kind::is_own`] looks at.
const START: u64 = 4096;

/// Checks that a file of `kind` may be written to `path`, which `flag` or its default has named; `inputs` are the files
/// and folders that the command reads. Removes what a killed process has left of such a file.
///
/// # Errors
/// [`Error::Usage`] if it must not be written.
pub(super) fn check(path: &Path, flag: &str, kind: Kind<'_>, force: bool, inputs: &[&Path]) -> Result<()> {
    let out = path.display();
    let refuse = |what: String| Err(Error::Usage(format!("{flag} {out}: {what}")));
    let place = place_of(path);
    if let Some(run) = place.as_deref().ok().and_then(run_of) {
        let run = run.display();
        return refuse(format!("belongs to the run in {run}; choose another name"));
    }
    let ending = kind.extension();
    match path.extension() {
        Some(found) if !found.eq_ignore_ascii_case(ending) => {
            return refuse(format!("what is written is .{ending}; end the name in that"));
        }
        _ => {}
    }
    // If the folder doesn't exist there is nothing to lose, and writing will say what is wrong.
    let Ok(place) = place else {
        return Ok(());
    };
    for input in inputs.iter().filter_map(|input| input.canonicalize().ok()) {
        if place == input {
            return refuse("is what it is made from; choose another name".into());
        }
        if input.is_dir() && place.starts_with(&input) {
            let what = "is in the folder that is read, and would be read as part of it";
            return refuse(format!("{what}; choose another folder"));
        }
    }
    if place.is_dir() {
        return refuse("is a folder; name a file in it".into());
    }
    if force || !place.is_file() || kind.is_own(&start_of(&place)) {
        remove_temporary_of(&place);
        return Ok(());
    }
    refuse("is there already; choose another name, or write over it with --force".into())
}

/// Checks that the folder of `path`, which `flag` has named, exists and takes a file, for a command that would find out
/// only after minutes of work.
///
/// # Errors
/// [`Error::Usage`] if it doesn't.
pub(super) fn check_folder(path: &Path, flag: &str) -> Result<()> {
    let refuse = |what: String| Err(Error::Usage(format!("{flag} {}: {what}", path.display())));
    match path.parent().filter(|folder| *folder != Path::new("")) {
        Some(folder) if !folder.exists() => return refuse("there is no such folder; make it first".into()),
        Some(folder) if !folder.is_dir() => {
            return refuse(format!("{} is no folder; choose another place", folder.display()));
        }
        _ => {}
    }
    match check_writable(path) {
        Err(Error::Io { source, .. }) => refuse(format!("can't be written ({source}); choose another place")),
        checked => checked,
    }
}

/// The first bytes of a file; empty if it can't be read.
fn start_of(path: &Path) -> Vec<u8> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(START).read_to_end(&mut start));
    read.map(|_| start).unwrap_or_default()
}

/// Whether a file that begins with `start` is an array of float32 images or points of these sizes, as `minimax sample`
/// writes them.
fn holds_samples(start: &[u8], sizes: &[usize]) -> bool {
    let [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, header @ ..] = start else {
        return false;
    };
    let header = header.get(..usize::from(u16::from_le_bytes([*low, *high])));
    let Some(Ok(header)) = header.map(std::str::from_utf8) else {
        return false;
    };
    let header = header.replace(' ', "");
    let Some((_, shape)) = header.split_once("'shape':(") else {
        return false;
    };
    let rest = shape.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let sizes: String = sizes.iter().map(|size| format!(",{size}")).collect();
    let has_sizes = rest.strip_prefix(&sizes).is_some_and(|end| end.starts_with(')') || end.starts_with(",)"));
    header.contains("<f4") && header.contains("False") && has_sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Picture, gif};
    use std::fs;

    const IMAGE: &[usize] = &[28, 28, 1];

    #[test]
    fn only_what_is_ours_and_of_the_same_kind_is_replaced_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let picture = Picture::new(3, 2, [7, 8, 9]);
        fs::write(at("own.png"), picture.to_png()).unwrap();
        let animation = gif(1, 10, |_| Ok(("one".into(), picture.clone()))).unwrap();
        fs::write(at("own.gif"), &animation).unwrap();
        let mut photograph = Vec::new();
        let encoder = png::Encoder::new(&mut photograph, 1, 1);
        let written = encoder.write_header().and_then(|mut w| w.write_image_data(&[1]));
        written.unwrap();
        fs::write(at("photograph.png"), photograph).unwrap();
        fs::write(at("notes"), "words").unwrap();

        let may = |name: &str, kind| check(&at(name), "--pairs", kind, false, &[]);
        for (name, kind) in
            [("new.png", Kind::Png), ("new", Kind::Onnx), ("own.png", Kind::Png), ("own.gif", Kind::Gif)]
        {
            may(name, kind).unwrap();
        }
        for (name, kind, word) in [
            ("photograph.png", Kind::Png, "--force"),
            ("notes", Kind::Png, "--force"),
            ("notes", Kind::Npy(IMAGE), "--force"),
            ("own.png", Kind::Gif, ".gif"),
            ("x.jpg", Kind::Png, ".png"),
            ("x.png", Kind::Npy(IMAGE), ".npy"),
            ("", Kind::Onnx, "name a file"),
        ] {
            let error = may(name, kind).unwrap_err();
            assert!(error.to_string().starts_with("--pairs ") && error.to_string().contains(word), "{name}: {error}");
            assert_eq!(error.exit_code(), 2);
        }
        check(&at("notes"), "--out", Kind::Onnx, true, &[]).unwrap();
        let inputs = [at("notes"), folder.path().to_path_buf()];
        for (name, input) in [("notes", 0), ("new.png", 1), ("own.png", 1)] {
            let kind = if input == 0 { Kind::Onnx } else { Kind::Png };
            check(&at(name), "--out", kind, true, &[&inputs[input]]).unwrap_err();
        }
    }

    #[test]
    fn a_folder_that_takes_no_file_is_told_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "words").unwrap();
        for name in ["new", "file"] {
            check_folder(&at(name), "--out").unwrap();
        }
        for (name, what) in
            [("none/new", "there is no such folder"), ("file/new", "file is no folder"), ("", "can't be")]
        {
            let error = check_folder(&at(name), "--out").unwrap_err();
            assert!(error.to_string().starts_with("--out ") && error.to_string().contains(what), "{name}: {error}");
            assert_eq!(error.exit_code(), 2);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left of the trial");
    }

    #[test]
    fn an_array_of_other_numbers_is_somebodys_data() {
        let npy = |header: &str| {
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend((header.len() as u16).to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes
        };
        let own = "{'descr': '<f4', 'fortran_order': False, 'shape': (64, 28, 28, 1), }\n";
        assert!(Kind::Npy(IMAGE).is_own(&npy(own)));
        assert!(Kind::Npy(IMAGE).is_own(&npy(&own.replace("1)", "1, )"))));
        for other in [own.replace("f4", "f8"), own.replace("28, 1", "28, 3"), own.replace("64, 28, 28, 1", "64, 100")] {
            assert!(!Kind::Npy(IMAGE).is_own(&npy(&other)), "{other}");
        }
        assert!(Kind::Npy(&[2]).is_own(&npy(&own.replace("28, 28, 1", "2"))));
        assert!(!Kind::Npy(&[1]).is_own(&npy(own)));
        assert!(!Kind::Npy(IMAGE).is_own(&npy(own)[..40]));
    }
}
