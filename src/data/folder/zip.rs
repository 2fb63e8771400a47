//! A .zip archive of pictures, which is read like a folder of them. Nothing is unpacked to the disk: the names inside
//! only give classes and an order, wherever they would lead as paths.

use super::list::{self, Entries, Kind};
use super::{Files, assemble};
use crate::data::{AGAIN, Opened, Wanted, picture};
use crate::terminal::brief;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// The pictures in an archive, as [`read_folder`](super::read_folder) gives those of a folder; `path`
/// only names it in errors. A folder around all of them (`faces/` of `faces/a/1.png` and `faces/b/2.png`) doesn't count
/// as a class.
///
/// # Errors
/// As `read_folder`, and [`Error::Data`] if it isn't a .zip archive, is damaged or encrypted.
pub fn read_zip(path: &Path, source: impl Read + Seek, wanted: &Wanted) -> Result<Option<Opened>> {
    let archive = ZipArchive::new(source);
    let mut archive = archive.map_err(|error| broken(path, &error.to_string()))?;
    let mut indices = BTreeMap::new();
    let mut entries = Entries::new();
    for index in 0..archive.len() {
        let Some(name) = archive.name_for_index(index) else {
            continue;
        };
        // Some programs write Windows's separators.
        let inside: PathBuf = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect();
        if inside.as_os_str().is_empty() {
            continue;
        }
        let kind = match name.ends_with(['/', '\\']) {
            true => Kind::Folder,
            false => Kind::File,
        };
        // If two files have the same name the later one counts, as it would after unpacking.
        if indices.insert(inside.clone(), index).is_none() {
            entries.push((inside, kind));
        }
    }
    let around = folder_around(&entries);
    let entries = entries.into_iter().filter_map(|(inside, kind)| match inside.strip_prefix(&around) {
        Ok(inside) if inside.as_os_str().is_empty() => None,
        Ok(inside) => Some((inside.to_path_buf(), kind)),
        Err(_) if list::is_hidden(&inside) => Some((inside, kind)),
        // Beside that folder is no picture, and no class.
        Err(_) if kind == Kind::File => Some((PathBuf::from(inside.file_name()?), kind)),
        Err(_) => None,
    });
    let listing = list::sort_out(path, entries.collect())?;
    let read = |files: &[PathBuf]| -> Files {
        let mut read_one = |file: &PathBuf| {
            let index = indices[&around.join(file)];
            let entry = archive.by_index(index);
            let mut entry = entry.map_err(|error| broken(&path.join(file), &error.to_string()))?;
            picture::read_bytes(&path.join(file), &mut entry)
        };
        files.iter().map(&mut read_one).collect()
    };
    assemble(path, listing, wanted, read)
}

/// The innermost folder that has all the pictures, in itself or in its sub-folders.
fn folder_around(entries: &Entries) -> PathBuf {
    let pictures = entries
        .iter()
        .filter(|(path, kind)| *kind == Kind::File && picture::has_ending(path) && !list::is_hidden(path));
    let mut folders = pictures.filter_map(|(path, _)| path.parent());
    let mut around = folders.next().unwrap_or(Path::new("")).to_path_buf();
    for folder in folders {
        while !folder.starts_with(&around) {
            around.pop();
        }
    }
    around
}

fn broken(path: &Path, error: &str) -> Error {
    let what = format!("can't be read as a .zip archive ({})", brief(error)).replace('\n', " ");
    Error::data(path, what, AGAIN)
}

#[cfg(test)]
mod tests {
    use super::super::fit::tests::grey;
    use super::*;
    use std::io::{Cursor, Write};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Option<Opened>> {
        read_zip(Path::new("some/faces.zip"), Cursor::new(bytes), &Wanted::default())
    }

    #[test]
    fn an_archive_is_read_as_its_folder_would_be() {
        let bytes = archive(&[
            ("faces/b/2.png", &grey(4)),
            ("faces/b/10.png", &grey(3)),
            ("faces/a\\z.png", &grey(2)),
            ("faces/c/notes.txt", b"none"),
            ("__MACOSX/faces/b/._2.png", b"none"),
            ("LICENCE", b"words"),
        ]);
        let Opened { images, notes } = read(&bytes).unwrap().unwrap();
        assert_eq!(images.labels, [0, 1, 1]);
        let values: Vec<u8> = images.pixels.iter().step_by(4).copied().collect();
        assert_eq!(values, [2, 3, 4]);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[1].ends_with("\"c\""), "{notes:?}");

        let flat = archive(&[("faces/1.png", &grey(1)), ("faces/2.png", &grey(2))]);
        let flat = read(&flat).unwrap().unwrap().images;
        assert_eq!((flat.len(), flat.classes()), (2, 0));
        assert!(read(&archive(&[("a.txt", b"")])).unwrap().is_none());
    }

    /// Names that lead out are of no more use than hidden ones; nothing is written anywhere.
    #[test]
    fn names_are_not_trusted_and_damage_is_one_line() {
        let bytes = archive(&[("../../out.png", &grey(1)), ("/etc/a.png", &grey(2))]);
        let Opened { images, notes } = read(&bytes).unwrap().unwrap();
        assert_eq!(images.pixels, [2; 4]);
        assert_eq!(notes, ["passed over: hidden: 1"]);

        let mut bytes = archive(&[("a.png", &grey(1))]);
        let error = read(&bytes[..bytes.len() / 2]).unwrap_err().to_string();
        assert!(error.starts_with("some/faces.zip: can't be read"), "{error}");
        bytes[40] ^= 0xff;
        let error = read(&bytes).unwrap_err().to_string();
        assert!(error.contains("; ") && !error.contains('\n'), "{error}");
    }
}
