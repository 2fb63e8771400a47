//! A folder of one's own PNG images. Sub-folders with images in them are the classes, numbered in the
//! order of their names; without any there are no labels. Files are taken in the order of their names,
//! so that the same folder is the same set.

mod decode;

pub use decode::read_png;

use super::{Images, LARGEST};
use crate::{Error, Result};
use rayon::prelude::*;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Labels are bytes.
const MOST_CLASSES: usize = 256;

/// The images in `folder`, brought to `size` ([height, width, channels], of which 1 or 3), or without
/// it to the first image's size, in colour where that is. `None` where there is no PNG.
///
/// # Errors
/// [`Error::Data`] where a PNG is broken or larger than 128 MiB once decoded, where there are more than
/// 256 classes or images beside classes, and where the set would take more than 4 GiB;
/// [`Error::Io`] where the system refuses.
pub fn read_folder(folder: &Path, size: Option<[usize; 3]>) -> Result<Option<Images>> {
    let (files, labels) = list(folder)?;
    let Some(first) = files.first() else {
        return Ok(None);
    };
    let size = match size {
        Some(size) => size,
        None => decode::own_size(first, open(first)?)?,
    };
    check_size(folder, files.len(), size)?;

    let [height, width, channels] = size;
    let image_len = height * width * channels;
    let mut pixels = vec![0; files.len() * image_len];
    let images = pixels.par_chunks_exact_mut(image_len).zip(&files);
    let read = images.map(|(image, path)| {
        image.copy_from_slice(&read_png(path, open(path)?, size)?);
        Ok(())
    });
    // The first by name, whichever thread was first.
    match read.find_map_first(Result::err) {
        Some(error) => Err(error),
        None => Ok(Some(Images {
            height,
            width,
            channels,
            pixels,
            labels,
        })),
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(Error::io(path))?;
    Ok(BufReader::new(file))
}

/// The PNGs of a folder and, where it has classes, their labels.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, Vec<u8>)> {
    let (files, folders) = entries(folder)?;
    let mut classes = Vec::new();
    for folder in &folders {
        let (files, _) = entries(folder)?;
        if !files.is_empty() {
            classes.push(files);
        }
    }
    if classes.is_empty() {
        return Ok((files, Vec::new()));
    }
    if !files.is_empty() {
        let what = "has PNG images beside sub-folders of them";
        let mend = "put every image in the sub-folder of its class, or all in one folder";
        return Err(Error::data(folder, what, mend));
    }
    if classes.len() > MOST_CLASSES {
        let what = format!("has {} sub-folders of PNG images", classes.len());
        let mend = format!("there can be {MOST_CLASSES} classes at most");
        return Err(Error::data(folder, what, mend));
    }
    let labels = (0u8..=u8::MAX).zip(&classes);
    let labels = labels.flat_map(|(label, files)| vec![label; files.len()]);
    Ok((classes.concat(), labels.collect()))
}

/// The PNGs and the sub-folders in a folder, by name, without hidden ones, which systems put there.
fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    let is_png = |path: &PathBuf| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("png")) && path.is_file()
    };
    let (folders, others): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    Ok((others.into_iter().filter(is_png).collect(), folders))
}

/// Refuses a set that can't be held before anything is decoded.
fn check_size(folder: &Path, count: usize, size: [usize; 3]) -> Result<()> {
    let [height, width, channels] = size;
    if !matches!(channels, 1 | 3) || height == 0 || width == 0 {
        let what = format!("its images can't be brought to {height}x{width}x{channels}");
        let mend = "ask for sides of 1 or more and 1 (grey) or 3 (colour) channels";
        return Err(Error::data(folder, what, mend));
    }
    let bytes = [height, width, channels]
        .iter()
        .try_fold(count as u64, |bytes, &size| bytes.checked_mul(size as u64));
    if bytes.is_none_or(|bytes| bytes > LARGEST) {
        let what = format!("{count} images of {height}x{width}x{channels} bytes");
        let mend =
            format!("more than the {LARGEST} bytes allowed in all: make them smaller or fewer");
        return Err(Error::data(folder, what, mend));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::decode::tests::{grey, png};
    use super::*;
    use image::ExtendedColorType;

    #[test]
    fn sub_folders_are_classes_by_name_and_files_are_taken_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(read_folder(path, None).unwrap(), None);
        for (class, name, value) in [
            ("b", "2.png", 4),
            ("b", "10.PNG", 3),
            ("a", "z.png", 2),
            ("a", "a.png", 1),
        ] {
            fs::create_dir_all(path.join(class)).unwrap();
            fs::write(path.join(class).join(name), grey(value)).unwrap();
        }
        // No class and no images, and none that a system puts beside them.
        fs::create_dir(path.join("aa")).unwrap();
        fs::write(path.join("a/notes.txt"), "notes").unwrap();
        fs::write(path.join("a/._a.png"), "not a picture").unwrap();
        let set = read_folder(path, None).unwrap().unwrap();
        assert_eq!((set.height, set.width, set.channels), (2, 2, 1));
        assert_eq!(set.labels, [0, 0, 1, 1]);
        let values: Vec<u8> = set.pixels.iter().step_by(4).copied().collect();
        assert_eq!(values, [1, 2, 3, 4]);

        let one = read_folder(&path.join("b"), Some([3, 1, 3]))
            .unwrap()
            .unwrap();
        assert_eq!((one.height, one.width, one.channels), (3, 1, 3));
        assert_eq!((one.len(), one.classes()), (2, 0));

        fs::write(path.join("stray.png"), grey(0)).unwrap();
        let error = read_folder(path, None).unwrap_err().to_string();
        assert!(error.contains("beside sub-folders"), "{error}");
    }

    #[test]
    fn the_first_image_gives_the_size_where_none_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let red = png(3, 2, ExtendedColorType::Rgb8, &[255, 0, 0].repeat(6));
        fs::write(folder.path().join("1.png"), red).unwrap();
        fs::write(folder.path().join("2.png"), grey(8)).unwrap();
        let set = read_folder(folder.path(), None).unwrap().unwrap();
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
        let error = read_folder(folder.path(), None).unwrap_err().to_string();
        assert!(
            error.contains("257 sub-folders") && error.contains("256 classes"),
            "{error}"
        );
        fs::remove_dir_all(folder.path().join("000")).unwrap();
        let set = read_folder(folder.path(), None).unwrap().unwrap();
        assert_eq!((set.classes(), set.labels[255]), (256, 255));
    }

    /// The first broken file by name is named, in one line.
    #[test]
    fn what_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let good = png(
            40,
            40,
            ExtendedColorType::L8,
            &(0..1600).map(|i| (i * i / 7) as u8).collect::<Vec<_>>(),
        );
        let mut wrong = good.clone();
        wrong[60] ^= 1;
        fs::write(folder.path().join("a.png"), &good).unwrap();
        for (bytes, what) in [
            (&good[..good.len() / 2], "not a whole PNG"),
            (&good[..10], "not a whole PNG"),
            (&[], "not a whole PNG"),
            (b"GIF89a, by another name", "not a whole PNG"),
            (&wrong, "not a whole PNG"),
        ] {
            fs::write(folder.path().join("b.png"), bytes).unwrap();
            fs::write(folder.path().join("c.png"), b"").unwrap();
            let error = read_folder(folder.path(), Some([4, 4, 1]))
                .unwrap_err()
                .to_string();
            let path = folder.path().join("b.png");
            assert!(
                error.starts_with(&format!("{}: {what}", path.display())),
                "{error}"
            );
            assert!(
                error.contains("; remove it") && !error.contains('\n'),
                "{error}"
            );
        }
    }

    #[test]
    fn a_size_that_cannot_be_held_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.png"), grey(1)).unwrap();
        for size in [
            [usize::MAX, 2, 3],
            [40_000, 40_000, 3],
            [4, 4, 2],
            [0, 4, 1],
        ] {
            let error = read_folder(folder.path(), Some(size))
                .unwrap_err()
                .to_string();
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
    }
}
