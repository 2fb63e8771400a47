//! IDX, the format of MNIST (LeCun, Cortes and Burges, "The MNIST database of handwritten digits"),
//! plain or gzipped:
//!
//! ```text
//! images: 2051, count, height, width    labels: 2049, count      32-bit words, big-endian
//!         count · height · width bytes          count bytes
//! ```

use super::{AGAIN, Images, LARGEST, damage, room};
use crate::{Error, Result};
use byteorder::{BigEndian, ReadBytesExt};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Magic numbers: 8 stands for unsigned bytes, the last digit for the number of sizes that follow.
const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// The file names of a set's images and labels; each may also end in `.gz`.
struct Names {
    images: [&'static str; 2],
    labels: [&'static str; 2],
}

const TRAINING: Names = Names {
    images: ["train-images-idx3-ubyte", "train-images.idx3-ubyte"],
    labels: ["train-labels-idx1-ubyte", "train-labels.idx1-ubyte"],
};
const TEST: Names = Names {
    images: ["t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"],
    labels: ["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"],
};

/// The training set in `folder`, or `None` if it has neither an image file nor a label file. Without a label file the
/// images have no labels.
///
/// # Errors
/// [`Error::Data`] if there are labels without images, if a file isn't IDX, is cut short, too long or empty or claims
/// an absurd size, or if the two files have different counts.
pub fn read_folder(folder: &Path) -> Result<Option<Images>> {
    read_set(folder, &TRAINING)
}

/// As [`read_folder`], for the test set.
///
/// # Errors
/// As [`read_folder`].
pub fn read_test(folder: &Path) -> Result<Option<Images>> {
    read_set(folder, &TEST)
}

/// The training and the test set in `folder`, both with labels.
///
/// # Errors
/// As [`read_folder`], and [`Error::Data`] if one of the four files is missing.
pub fn read_labelled(folder: &Path) -> Result<[Images; 2]> {
    let one = |names: &Names| match read_set(folder, names)? {
        Some(images) if !images.labels.is_empty() => Ok(images),
        found => {
            let name = if found.is_some() { names.labels[0] } else { names.images[0] };
            Err(Error::data(folder, format!("no {name}"), format!("put {name}[.gz] there")))
        }
    };
    Ok([one(&TRAINING)?, one(&TEST)?])
}

fn read_set(folder: &Path, names: &Names) -> Result<Option<Images>> {
    let labels = find(folder, names.labels);
    let Some(images) = find(folder, names.images) else {
        let fix = format!("put {}[.gz] there", names.images[0]);
        return match labels {
            Some(_) => Err(Error::data(folder, "labels but no images", fix)),
            None => Ok(None),
        };
    };
    let ([count, height, width], pixels) = read_images(&images, open(&images)?)?;
    let labels = match labels {
        Some(path) => labels_for(&path, count, &images)?.into_iter().map(u16::from).collect(),
        None => Vec::new(),
    };
    Ok(Some(Images { height, width, channels: 1, pixels, labels }))
}

/// The labels in the file `path`, one for each of the `count` images of the file `images`.
fn labels_for(path: &Path, count: usize, images: &Path) -> Result<Vec<u8>> {
    let labels = read_labels(path, open(path)?)?;
    if labels.len() == count {
        return Ok(labels);
    }
    let (found, images) = (labels.len(), images.display());
    let what = format!("{found} labels for the {count} images of {images}");
    Err(Error::data(path, what, "take both files from one source"))
}

fn find(folder: &Path, names: [&str; 2]) -> Option<PathBuf> {
    names.iter().flat_map(|name| [folder.join(name), folder.join(format!("{name}.gz"))]).find(|path| path.is_file())
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = crate::files::open(path)?;
    Ok(BufReader::new(file))
}

/// The count, height and width and the pixels in a file of images, plain or gzipped; `path` only names
/// it in errors.
///
/// # Errors
/// [`Error::Data`] if it isn't such a file, is cut short, too long or empty, or claims an absurd size.
pub fn read_images(path: &Path, source: impl BufRead) -> Result<([usize; 3], Vec<u8>)> {
    read(path, source, IMAGES)
}

/// The labels in a file of labels, plain or gzipped; `path` only names it in errors.
///
/// # Errors
/// As [`read_images`].
pub fn read_labels(path: &Path, source: impl BufRead) -> Result<Vec<u8>> {
    let ([_], labels) = read(path, source, LABELS)?;
    Ok(labels)
}

/// The `N` sizes and the bytes of one IDX file.
fn read<const N: usize>(path: &Path, mut source: impl BufRead, magic: u32) -> Result<([usize; N], Vec<u8>)> {
    // Recognised by the first bytes, not by the name: browsers and scripts unpack files and keep the name.
    let start = source.fill_buf().map_err(Error::io(path))?;
    if start.is_empty() {
        return Err(Error::data(path, "the file is empty", AGAIN));
    }
    if start.starts_with(&[0x1f, 0x8b]) {
        read_plain(path, MultiGzDecoder::new(source), magic)
    } else {
        read_plain(path, source, magic)
    }
}

fn read_plain<const N: usize>(path: &Path, mut source: impl Read, magic: u32) -> Result<([usize; N], Vec<u8>)> {
    let mut word = || {
        let word = source.read_u32::<BigEndian>();
        word.map_err(|error| damage(path, error))
    };
    let kind = if magic == IMAGES { "images" } else { "labels" };
    let found = word()?;
    if found != magic {
        return Err(Error::data(
            path,
            format!("not IDX {kind}, which begin with {magic}; this begins with {found}"),
            "check that the file is what its name says",
        ));
    }
    let mut sizes = [0; N];
    for size in &mut sizes {
        *size = word()? as usize;
    }
    // At most three 32-bit sizes: their product fits.
    let promised: u128 = sizes.iter().map(|&size| size as u128).product();
    if promised == 0 || promised > u128::from(LARGEST) {
        let what = match promised {
            0 => format!("its header says sizes {sizes:?}, so it holds no {kind}"),
            _ => format!("its header says sizes {sizes:?}, more than the {LARGEST} bytes allowed"),
        };
        return Err(Error::data(path, what, AGAIN));
    }
    room::check(path, promised as u64)?;
    let bytes = room::read_promised(source, promised as u64).map_err(|error| damage(path, error))?;
    let got = bytes.len() as u128;
    if got != promised {
        let what = if got < promised {
            format!("cut short: {got} bytes of {kind} where its header says {promised}")
        } else {
            format!("goes on after the {promised} bytes of {kind} that its header says")
        };
        return Err(Error::data(path, what, AGAIN));
    }
    Ok((sizes, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::fs;
    use std::io::Write;

    fn idx(magic: u32, sizes: &[u32], body: &[u8]) -> Vec<u8> {
        let words = std::iter::once(&magic).chain(sizes);
        let header = words.flat_map(|word| word.to_be_bytes());
        header.chain(body.iter().copied()).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn good_images() -> Vec<u8> {
        let body: Vec<u8> = (0..24).collect();
        idx(IMAGES, &[2, 3, 4], &body)
    }

    fn images(bytes: &[u8]) -> Result<([usize; 3], Vec<u8>)> {
        read_images(Path::new("some/train-images"), bytes)
    }

    /// One line that names the file, says `what` and gives a fix.
    fn assert_refused(bytes: &[u8], what: &str) {
        let error = images(bytes).expect_err(what).to_string();
        assert!(error.starts_with("some/train-images: "), "{error}");
        assert!(error.contains(what), "{what}: {error}");
        assert!(error.contains("; ") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn plain_and_gzipped_files_hold_the_same() {
        let expected = ([2, 3, 4], (0..24).collect::<Vec<u8>>());
        assert_eq!(images(&good_images()).unwrap(), expected);
        assert_eq!(images(&gzip(&good_images())).unwrap(), expected);
    }

    #[test]
    fn every_kind_of_damage_is_named() {
        let good = good_images();
        let zipped = gzip(&good);
        assert_refused(&[], "the file is empty");
        assert_refused(&gzip(&[]), "cut short");
        assert_refused(&good[..2], "cut short");
        assert_refused(&good[..14], "cut short");
        assert_refused(&good[..39], "cut short: 23 bytes of images where its header says 24");
        assert_refused(&[&good[..], &[0]].concat(), "goes on after the 24 bytes");
        assert_refused(&gzip(&[&good[..], &[0]].concat()), "goes on after the 24 bytes");
        assert_refused(&idx(LABELS, &[1], &[7]), "this begins with 2049");
        assert_refused(b"<html>Not Found</html>", "not IDX images");
        for sizes in [[0, 28, 28], [10, 0, 28], [10, 28, 0]] {
            assert_refused(&idx(IMAGES, &sizes, &[]), "holds no images");
        }
        assert_refused(&idx(IMAGES, &[u32::MAX; 3], &[]), "more than the 4294967295 bytes");
        assert_refused(&idx(IMAGES, &[u32::MAX, u32::MAX, 0], &[]), "holds no images");
        for end in [3, 12, zipped.len() - 1] {
            assert_refused(&zipped[..end], "cut short");
        }
        let mut wrong_sum = zipped.clone();
        let at = wrong_sum.len() - 8;
        wrong_sum[at] ^= 1;
        assert_refused(&wrong_sum, "damaged compressed data");
        assert_refused(&[&zipped[..], &[7; 20]].concat(), "damaged compressed data");
    }

    /// A promise of 4 GB that 16 bytes make costs no memory; a bomb is read one byte past its promise.
    #[test]
    fn memory_follows_what_is_there_and_what_was_promised() {
        assert_refused(&idx(IMAGES, &[u32::MAX, 1, 1], &[]), "cut short: 0 bytes");
        let bomb = gzip(&idx(IMAGES, &[1, 2, 2], &vec![0; 50_000_000]));
        let mut read_so_far = bomb.as_slice();
        assert!(read_images(Path::new("bomb"), &mut read_so_far).is_err());
        assert!(read_so_far.len() > bomb.len() / 2, "{} bytes left", read_so_far.len());
    }

    #[test]
    fn a_folder_needs_images_and_one_label_each_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(read_folder(path).unwrap().is_none());

        let labels = path.join("train-labels.idx1-ubyte.gz");
        fs::write(&labels, gzip(&idx(LABELS, &[2], &[3, 255]))).unwrap();
        let error = read_folder(path).unwrap_err().to_string();
        assert!(error.contains("put train-images-idx3-ubyte[.gz] there"), "{error}");

        fs::write(path.join("train-images-idx3-ubyte"), good_images()).unwrap();
        let set = read_folder(path).unwrap().unwrap();
        assert_eq!((set.len(), set.height, set.width, set.channels), (2, 3, 4, 1));
        assert_eq!(set.labels, [3, 255]);
        assert_eq!(set.image(1), (12..24).collect::<Vec<u8>>());

        fs::write(&labels, idx(LABELS, &[3], &[1, 2, 3])).unwrap();
        let error = read_folder(path).unwrap_err().to_string();
        assert!(error.starts_with(&labels.display().to_string()), "{error}");
        assert!(error.contains("3 labels for the 2 images"), "{error}");

        fs::write(&labels, []).unwrap();
        let error = read_folder(path).unwrap_err().to_string();
        assert!(error.contains("the file is empty"), "{error}");

        fs::remove_file(&labels).unwrap();
        let set = read_folder(path).unwrap().unwrap();
        assert_eq!((set.len(), set.labels.len(), set.classes()), (2, 0, 0));

        assert!(read_test(path).unwrap().is_none());
        fs::write(path.join("t10k-images-idx3-ubyte"), idx(IMAGES, &[1, 1, 2], &[8, 9])).unwrap();
        assert_eq!(read_test(path).unwrap().unwrap().pixels, [8, 9]);
    }

    #[test]
    fn mnist_is_read_where_it_is_present() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/datasets/mnist");
        if !folder.exists() {
            eprintln!("skipped: no MNIST in {}", folder.display());
            return;
        }
        let set = read_folder(&folder).unwrap().unwrap();
        assert_eq!((set.len(), set.height, set.width), (60_000, 28, 28));
        assert_eq!(set.labels[..5], [5, 0, 4, 1, 9]);
        let mean = set.pixels.iter().map(|&p| f64::from(p)).sum::<f64>() / set.pixels.len() as f64;
        assert!((mean / 255.0 - 0.1307).abs() < 1e-4, "{mean}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = images(&bytes);
            let _ = images(&gzip(&bytes));
            let _ = read_labels(Path::new("labels"), &bytes[..]);
        }

        #[test]
        fn a_mutated_file_is_refused_or_read_whole(
            zipped in any::<bool>(),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = if zipped { gzip(&good_images()) } else { good_images() };
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            bytes.truncate(1 + end.index(bytes.len()));
            if let Ok((sizes, pixels)) = images(&bytes) {
                prop_assert_eq!(sizes.iter().product::<usize>(), pixels.len());
            }
        }
    }
}
