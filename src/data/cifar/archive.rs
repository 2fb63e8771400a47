//! The archives in which the sets are published, `cifar-10-binary.tar.gz` and `cifar-100-binary.tar.gz`,
//! read without unpacking them to the disk.

use super::{HUNDRED, TEN, TRAIN, no_images, pickle, read_batch};
use crate::data::{AGAIN, Images};
use crate::terminal::brief;
use crate::{Error, Result};
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};
use std::path::Path;
use tar::Archive;

/// The most bytes that an archive may unpack to. The larger of the two has 184 MB.
const MOST_UNPACKED: u64 = 256 << 20;

/// The training images in an archive of either set, CIFAR-10's in the order of their batches; `path` only
/// names it in errors.
///
/// # Errors
/// [`Error::Data`] if it isn't such an archive, is damaged or is one of a python version, and as [`read_batch`].
pub fn read_archive(path: &Path, source: impl BufRead) -> Result<Images> {
    let damaged = |cause: io::Error| {
        let what = format!("damaged archive ({})", brief(&cause.to_string())).replace('\n', " ");
        Error::data(path, what, AGAIN)
    };
    let mut archive = Archive::new(GzDecoder::new(source).take(MOST_UNPACKED));
    let mut batches = Vec::new();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let bytes = entry.path_bytes().into_owned();
        let mut names = bytes.rsplit(|&byte| byte == b'/');
        let (name, folder) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let batch = match name {
            [b'd', b'a', b't', b'a', b'_', b'b', b'a', b't', b'c', b'h', b'_', n @ b'1'..=b'5', rest @ ..] => {
                match rest {
                    b".bin" => (*n, TEN),
                    b"" => return Err(pickle(path)),
                    _ => continue,
                }
            }
            b"train" if folder.ends_with(b"python") => return Err(pickle(path)),
            _ if name == TRAIN.as_bytes() => (0, HUNDRED),
            _ => continue,
        };
        let mut set = no_images();
        let inside = path.join(String::from_utf8_lossy(name).as_ref());
        read_batch(&inside, &mut entry, batch.1, &mut set)?;
        batches.push((batch.0, set));
    }
    if batches.is_empty() {
        let what = format!("holds neither data_batch_1.bin to data_batch_5.bin nor {TRAIN}");
        let fix = "take cifar-10-binary.tar.gz or cifar-100-binary.tar.gz";
        return Err(Error::data(path, what, fix));
    }
    // The checksum is at the end, and is compared when that is reached.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    // In an archive they may come in any order.
    batches.sort_by_key(|(number, _)| *number);
    let mut all = no_images();
    for (_, set) in batches {
        all.pixels.extend(set.pixels);
        all.labels.extend(set.labels);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&builder.into_inner().unwrap()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Images> {
        read_archive(Path::new("some/cifar.tar.gz"), bytes)
    }

    #[test]
    fn batches_are_read_in_their_order_and_test_images_left_out() {
        let set = read(&archive(&[
            ("cifar-10-batches-bin/data_batch_2.bin", record(2, [4, 5, 6])),
            ("cifar-10-batches-bin/batches.meta.txt", b"airplane".to_vec()),
            ("cifar-10-batches-bin/test_batch.bin", record(3, [0; 3])),
            ("cifar-10-batches-bin/data_batch_1.bin", record(1, [1, 2, 3])),
        ]));
        let set = set.unwrap();
        assert_eq!((set.len(), &set.labels[..]), (2, &[1, 2][..]));
        assert_eq!(set.pixels[..3], [2, 3, 4]);
        let hundred = [vec![5], record(42, [1, 2, 3])].concat();
        let set = read(&archive(&[("cifar-100-binary/train.bin", hundred)])).unwrap();
        assert_eq!(set.labels, [42]);
    }

    #[test]
    fn what_is_no_such_archive_is_one_line() {
        let good = archive(&[("data_batch_1.bin", record(1, [1, 2, 3]))]);
        for (bytes, what) in [
            (archive(&[("cifar-10-batches-py/data_batch_1", b"\x80".to_vec())]), "python version"),
            (archive(&[("cifar-100-python/train", b"\x80".to_vec())]), "python version"),
            (archive(&[("a.txt", vec![])]), "holds neither"),
            (archive(&[("data_batch_1.bin", vec![1; 9])]), "9 bytes after 0 records"),
            (good[..good.len() - 4].to_vec(), "damaged archive"),
            (b"\x1f\x8b words".to_vec(), "damaged archive"),
        ] {
            let error = read(&bytes).expect_err(what).to_string();
            assert!(error.starts_with("some/cifar.tar.gz") && error.contains(what), "{what}: {error}");
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
    }
}
