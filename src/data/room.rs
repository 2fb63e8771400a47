//! Limits for unpacking: a few bytes of compressed data can claim to be gigabytes, and be right. So the size that a
//! file claims is compared with the free memory before any of it is read.

use crate::limits::memory_limit;
use crate::{Error, Result};
use std::io::{self, Read};
use std::path::Path;

/// Refuses `bytes` of images for which the machine has no free memory, or which the limit of a container or of the
/// process forbids, as far as the system says.
///
/// # Errors
/// [`Error::Data`] with both figures.
pub fn check(path: &Path, bytes: u64) -> Result<()> {
    match available() {
        Some(most) => check_against(path, bytes, most),
        None => Ok(()),
    }
}

fn check_against(path: &Path, bytes: u64, most: u64) -> Result<()> {
    if bytes <= most {
        return Ok(());
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    let what =
        format!("its header says that it unpacks to {} MiB, and {} MiB of memory are free", mib(bytes), mib(most));
    let fix = "free some memory, or take a smaller file if this one should be small";
    Err(Error::data(path, what, fix))
}

/// The bytes of `source`, at most one more than was `promised`, which tells a reader that it is too long. The memory
/// grows with what is really there.
///
/// # Errors
/// Those of `source`, and `OutOfMemory`.
pub fn read_promised(source: impl Read, promised: u64) -> io::Result<Vec<u8>> {
    const STEP: u64 = 1 << 20;
    let mut source = source.take(promised + 1);
    let mut bytes = Vec::new();
    loop {
        // Doubled as a vector would be, but never past what was promised, and without aborting.
        let more = (bytes.len() as u64).clamp(STEP, source.limit().max(STEP)).min(source.limit());
        if more == 0 {
            return Ok(bytes);
        }
        let reserved = bytes.try_reserve_exact(more as usize);
        reserved.map_err(|_| io::ErrorKind::OutOfMemory)?;
        if source.by_ref().take(more).read_to_end(&mut bytes)? == 0 {
            return Ok(bytes);
        }
    }
}

/// The memory in bytes that this process may use and that is free or can be made free.
fn available() -> Option<u64> {
    let limit = memory_limit(Path::new("/")).map(|limit| limit.bytes);
    free().into_iter().chain(limit).min()
}

/// The memory in bytes that the machine has free or can make free.
fn free() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes = line.trim().strip_suffix("kB")?;
    kilobytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_is_held_against_the_memory_there_is() {
        let path = Path::new("some/bomb.gz");
        assert!(check_against(path, 5 << 20, 5 << 20).is_ok());
        let error = check_against(path, 4 << 30, 512 << 20).unwrap_err();
        assert_eq!(
            error.to_string(),
            "some/bomb.gz: its header says that it unpacks to 4096 MiB, and 512 MiB of memory are free; \
             free some memory, or take a smaller file if this one should be small"
        );
    }

    #[test]
    fn no_more_is_read_than_was_promised_and_a_byte() {
        let source = vec![7; 5 << 20];
        for (promised, read) in [(0, 1), (1, 2), (3 << 20, (3 << 20) + 1), (1 << 40, 5 << 20)] {
            let bytes = read_promised(&source[..], promised).unwrap();
            assert_eq!(bytes.len(), read);
            assert!(bytes.capacity() <= 2 * read.max(1 << 20), "{}", bytes.capacity());
        }
    }
}
