//! The wanted files of a `.tar.gz` (POSIX.1-1988 ustar and its GNU and pax extensions). The
//! manifest alone says where they go, never a path in the archive.

use crate::data::manifest::Content;
use crate::data::sum::Sum;
use crate::files::{self, again};
use crate::{Error, Result};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use tar::{Archive, Entry};

/// What an archive may hold beyond the wanted files (readme, headers), so that one that unpacks to
/// terabytes is not followed to its end.
const SLACK: u64 = 64 << 20;

/// Writes every one of `contents` from `archive` beside it, each whole or not at all.
///
/// # Errors
/// [`Error::Data`] if the archive is damaged or lacks one of them with its size and, where it is known, its sum;
/// [`Error::Io`] if the system refuses; [`Error::Interrupted`] after `stop`.
pub fn unpack(archive: &Path, contents: &[Content], stop: &dyn Fn() -> bool) -> Result<()> {
    let broken = |what| Error::data(archive, what, "remove it and download it again");
    let damaged = |cause: io::Error| broken(format!("damaged archive ({cause})"));
    let file = File::open(archive).map_err(Error::io(archive))?;
    let wanted: u64 = contents.iter().map(|content| content.bytes).sum();
    let plain = GzDecoder::new(BufReader::new(file)).take(wanted + SLACK);
    let mut missing: Vec<_> = contents.iter().collect();
    for entry in Archive::new(plain).entries().map_err(damaged)? {
        if missing.is_empty() {
            break;
        }
        if stop() {
            return Err(Error::Interrupted(format!(
                "stopped while unpacking {}; the same command goes on with it",
                archive.display()
            )));
        }
        let mut entry = entry.map_err(damaged)?;
        let Some(index) = missing.iter().position(|content| is(&entry, content)) else {
            continue;
        };
        let content = missing.remove(index);
        // It grows with what is really there, up to what there should be and a byte.
        let mut bytes = Vec::new();
        let mut data = entry.by_ref().take(content.bytes + 1);
        data.read_to_end(&mut bytes).map_err(damaged)?;
        check(content, entry.size(), &bytes).map_err(broken)?;
        let target = archive.with_file_name(&content.name);
        // A link would be followed, and what it leads to written over.
        if target.is_symlink() {
            again(|| std::fs::remove_file(&target)).map_err(Error::io(&target))?;
        }
        files::write_whole(&target, &bytes)?;
    }
    match missing.first() {
        Some(content) => Err(broken(format!("{} is not in it", content.name))),
        None => Ok(()),
    }
}

/// Whether the entry is a file of this name, in whatever folder.
fn is(entry: &Entry<impl Read>, content: &Content) -> bool {
    let path = entry.path_bytes();
    let name = path.rsplit(|&byte| byte == b'/').next();
    entry.header().entry_type().is_file() && name == Some(content.name.as_bytes())
}

/// Whether `bytes`, of an entry that says it has `size`, are `content`.
fn check(content: &Content, size: u64, bytes: &[u8]) -> std::result::Result<(), String> {
    let Content { name, sha256, .. } = content;
    if size != content.bytes {
        let wanted = content.bytes;
        return Err(format!("{name} in it has {size} bytes, not {wanted}"));
    }
    if bytes.len() as u64 != size {
        return Err(format!("damaged archive (it ends within {name})"));
    }
    let (sum, _) = Sum::of(bytes).expect("memory can be read");
    match sha256 {
        Some(wanted) if *wanted != sum => Err(format!("the SHA-256 of {name} in it is {sum} and should be {wanted}")),
        _ => Ok(()),
    }
}
