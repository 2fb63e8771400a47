//! A folder, or a .zip archive, of your own pictures: PNG, JPEG, WebP, BMP and the first frame of a GIF.
//!
//! Sub-folders are the classes, numbered in the order of their names; if none of them has a picture there are no
//! labels. The sub-folders of a class belong to it (`class/more/1.png` is of `class`), and deeper ones are passed over.
//! Files are taken in the order of their paths, so that the same folder is always the same set.

mod fit;
mod list;
#[cfg(feature = "gan")]
mod zip;

pub use fit::{Fitting, read_picture};
#[cfg(feature = "gan")]
pub use zip::read_zip;

use super::{Images, LARGEST, Opened, Wanted, picture};
use crate::{Error, Result};
use fit::Fitted;
use list::Listing;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// How many files are in memory at one time before they are decoded.
const AT_ONCE: usize = 64;

/// The pictures in `folder`, brought to the size that `wanted` asks for. Without one they get the size of the first
/// picture, in colour if that is. `None` if there are no pictures.
///
/// # Errors
/// [`Error::Data`] if a picture is broken or too large (see [`picture::decode`]), if there are more than 256 classes,
/// or pictures beside the classes' folders, or if the set would take more than 4 GiB; [`Error::Io`] if the system
/// refuses.
pub fn read_folder(folder: &Path, wanted: &Wanted) -> Result<Option<Opened>> {
    let listing = list::sort_out(folder, list::walk(folder)?)?;
    let read = |paths: &[PathBuf]| {
        let files = paths.par_iter().map(|path| picture::read_file(&folder.join(path)));
        files.collect()
    };
    assemble(folder, listing, wanted, read)
}

/// Some of the files of a listing: the bytes of each, or what is wrong with it.
type Files = Vec<Result<Vec<u8>>>;

/// The set made of a listing's files, which `read` reads; `place` names it in errors.
fn assemble(
    place: &Path,
    listing: Listing,
    wanted: &Wanted,
    mut read: impl FnMut(&[PathBuf]) -> Files,
) -> Result<Option<Opened>> {
    let Listing { files, labels, mut notes } = listing;
    let Some(first) = files.first() else {
        return Ok(None);
    };
    let size = match wanted.size {
        Some(size) => size,
        None => {
            let bytes = read(&files[..1]).swap_remove(0)?;
            picture::size(&place.join(first), &bytes)?
        }
    };
    check_size(place, files.len(), size)?;

    let [height, width, channels] = size;
    let image_len = height * width * channels;
    let mut pixels = vec![0; files.len() * image_len];
    let fitted = Fitted::default();
    for (chunk, paths) in pixels.chunks_mut(AT_ONCE * image_len).zip(files.chunks(AT_ONCE)) {
        let images = chunk.par_chunks_exact_mut(image_len).zip(paths);
        let made = images.zip(read(paths)).map(|((image, path), bytes)| {
            let (pixels, fitting) = read_picture(&place.join(path), &bytes?, size, wanted.background)?;
            image.copy_from_slice(&pixels);
            fitted.count(fitting);
            Ok(())
        });
        // The first by name, whichever thread was first.
        if let Some(error) = made.find_map_first(Result::err) {
            return Err(error);
        }
    }
    notes.extend(fitted.line(files.len(), size));
    let labels = labels.into_iter().map(u16::from).collect();
    let images = Images { height, width, channels, pixels, labels };
    Ok(Some(Opened { images, notes }))
}

/// Refuses a set that can't be held before anything is decoded.
fn check_size(folder: &Path, count: usize, size: [usize; 3]) -> Result<()> {
    let [height, width, channels] = size;
    if !matches!(channels, 1 | 3) || height == 0 || width == 0 {
        let what = format!("its images can't be brought to {height}x{width}x{channels}");
        let fix = "ask for sides of 1 or more and 1 (grey) or 3 (colour) channels";
        return Err(Error::data(folder, what, fix));
    }
    let bytes = [height, width, channels].iter().try_fold(count as u64, |bytes, &size| bytes.checked_mul(size as u64));
    if bytes.is_none_or(|bytes| bytes > LARGEST) {
        let what = format!("{count} images of {height}x{width}x{channels} bytes");
        let fix = format!("more than the {LARGEST} bytes allowed in all: make them smaller or fewer");
        return Err(Error::data(folder, what, fix));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::fit::tests::{grey, png};
    use super::*;
    use image::ExtendedColorType;
    use std::fs;

    /// The set in a folder, brought to a size.
    fn read(folder: &Path, size: Option<[usize; 3]>) -> Result<Option<Opened>> {
        let wanted = Wanted { size, ..Wanted::default() };
        read_folder(folder, &wanted)
    }

    fn images(folder: &Path, size: Option<[usize; 3]>) -> Images {
        read(folder, size).unwrap().unwrap().images
    }

    #[test]
    fn sub_folders_are_classes_by_name_and_files_are_taken_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(read(path, None).unwrap(), None);
        for (class, name, value) in [("b", "2.png", 4), ("b", "10.PNG", 3), ("a", "z.png", 2), ("a", "a.png", 1)] {
            fs::create_dir_all(path.join(class)).unwrap();
            fs::write(path.join(class).join(name), grey(value)).unwrap();
        }
        // A class without pictures, and what isn't one, though a system or a person puts it there.
        fs::create_dir(path.join("aa")).unwrap();
        fs::write(path.join("a/notes.txt"), "notes").unwrap();
        fs::write(path.join("a/._a.png"), "not a picture").unwrap();
        let set = images(path, None);
        assert_eq!((set.height, set.width, set.channels), (2, 2, 1));
        assert_eq!(set.labels, [0, 0, 2, 2]);
        let values: Vec<u8> = set.pixels.iter().step_by(4).copied().collect();
        assert_eq!(values, [1, 2, 3, 4]);

        let one = images(&path.join("b"), Some([3, 1, 3]));
        assert_eq!((one.height, one.width, one.channels), (3, 1, 3));
        assert_eq!((one.len(), one.classes()), (2, 0));

        fs::write(path.join("stray.png"), grey(0)).unwrap();
        let error = read(path, None).unwrap_err().to_string();
        assert!(error.contains("beside sub-folders"), "{error}");
    }

    #[test]
    fn the_first_image_gives_the_size_where_none_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let red = png(3, 2, ExtendedColorType::Rgb8, &[255, 0, 0].repeat(6));
        fs::write(folder.path().join("1.png"), red).unwrap();
        fs::write(folder.path().join("2.png"), grey(8)).unwrap();
        let set = images(folder.path(), None);
        assert_eq!((set.height, set.width, set.channels), (2, 3, 3));
        assert_eq!(set.image(1), [8; 18]);
    }

    #[test]
    fn the_257th_class_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for class in 0..257 {
            let class = folder.path().join(format!("{class:03}"));
            fs::create_dir(&class).unwrap();
            fs::write(class.join("a.png"), grey(1)).unwrap();
        }
        let error = read(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("257 sub-folders") && error.contains("256 classes"), "{error}");
        fs::remove_dir_all(folder.path().join("000")).unwrap();
        let set = images(folder.path(), None);
        assert_eq!((set.classes(), set.labels[255]), (256, 255));
    }

    /// The first broken file by name is named, in one line.
    #[test]
    fn what_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let good = png(40, 40, ExtendedColorType::L8, &(0..1600).map(|i| (i * i / 7) as u8).collect::<Vec<_>>());
        let mut wrong = good.clone();
        wrong[60] ^= 1;
        fs::write(folder.path().join("a.png"), &good).unwrap();
        for (bytes, what) in [
            (&good[..good.len() / 2], "not a whole PNG"),
            (&good[..10], "not a whole PNG"),
            (&[], "the file is empty"),
            #[cfg(feature = "gan")]
            (b"GIF89a\x02\0\x02\0\0\0\0", "not a whole GIF"),
            (b"words", "not a whole picture"),
            (&wrong, "not a whole PNG"),
        ] {
            fs::write(folder.path().join("b.png"), bytes).unwrap();
            fs::write(folder.path().join("c.png"), b"").unwrap();
            let error = read(folder.path(), Some([4, 4, 1])).unwrap_err().to_string();
            let path = folder.path().join("b.png");
            assert!(error.starts_with(&format!("{}: {what}", path.display())), "{error}");
            assert!(error.contains("; remove it") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_size_that_cannot_be_held_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), grey(1)).unwrap();
        for size in [[usize::MAX, 2, 3], [40_000, 40_000, 3], [4, 4, 2], [0, 4, 1]] {
            let error = read(folder.path(), Some(size)).unwrap_err().to_string();
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn what_was_done_to_pictures_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let red = png(4, 2, ExtendedColorType::Rgb8, &[255, 0, 0].repeat(8));
        fs::write(folder.path().join("1.png"), red).unwrap();
        fs::write(folder.path().join("2.png"), grey(8)).unwrap();
        fs::write(folder.path().join("3.txt"), "words").unwrap();
        let notes = read(folder.path(), Some([2, 2, 1])).unwrap().unwrap().notes;
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0] == "passed over: no picture by name (.txt): 1", "{notes:?}");
        assert_eq!(notes[1], "of 2 pictures: 1 cut around their centre, 1 turned grey (Rec. 709 luma)");
        let notes = read(folder.path(), Some([1, 1, 3])).unwrap().unwrap().notes;
        assert_eq!(notes[1], "of 2 pictures: 1 cut around their centre, 2 resized to 1x1 (triangle filter)");
    }
}
