//! TFRecord framing. A record is, in little-endian words,
//!
//! ```text
//! u64  length of the data
//! u32  masked CRC-32C of the eight bytes before
//! ...  the data
//! u32  masked CRC-32C of the data
//! ```
//!
//! where a sum is masked as ((crc >> 15) | (crc << 17)) + 0xa282ead8, modulo 2³².

use std::io::{self, Read, Write};

/// The longest record that is read, far longer than that of a grid of samples.
const MAX_LENGTH: u64 = 1 << 26;
/// The bytes around the data.
const FRAME: u64 = 16;

fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Appends a record with `data`.
pub(super) fn write(mut file: impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    file.write_all(&length)?;
    file.write_all(&masked(&length).to_le_bytes())?;
    file.write_all(data)?;
    file.write_all(&masked(data).to_le_bytes())
}

/// The records of a file, up to the first that is cut short, damaged or too long.
pub(super) struct Records<R> {
    reader: R,
    end: u64,
}

impl<R: Read> Records<R> {
    pub(super) fn new(reader: R) -> Records<R> {
        Records { reader, end: 0 }
    }

    /// The next record's data and where in the file it ends, or `None` after the last whole one.
    ///
    /// # Errors
    /// Those of the system, except for the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<(Vec<u8>, u64)>> {
        let Some(head) = self.take(12)? else {
            return Ok(None);
        };
        let (length, sum) = head.split_at(8);
        if sum != masked(length).to_le_bytes() {
            return Ok(None);
        }
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
        if length > MAX_LENGTH {
            return Ok(None);
        }
        let Some(mut data) = self.take(length + 4)? else {
            return Ok(None);
        };
        let sum = data.split_off(length as usize);
        if sum != masked(&data).to_le_bytes() {
            return Ok(None);
        }
        self.end += length + FRAME;
        Ok(Some((data, self.end)))
    }

    /// The next `count` bytes, if there are so many. Memory grows only with what is there.
    fn take(&mut self, count: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(count).read_to_end(&mut bytes)?;
        Ok((bytes.len() as u64 == count).then_some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<(Vec<u8>, u64)> {
        let mut records = Records::new(bytes);
        std::iter::from_fn(|| records.next().unwrap()).collect()
    }

    fn three() -> Vec<u8> {
        let mut file = Vec::new();
        for data in [&b"brain"[..], b"", &[7; 300]] {
            write(&mut file, data).unwrap();
        }
        file
    }

    /// The record that TensorFlow's writer makes of the empty string, from its format's description.
    #[test]
    fn the_frame_is_that_of_the_format() {
        let mut file = Vec::new();
        write(&mut file, b"").unwrap();
        assert_eq!(file[..8], [0; 8]);
        assert_eq!(file[8..12], [0x29, 0x03, 0x98, 0x07]);
        assert_eq!(file[12..], 0xa282_ead8_u32.to_le_bytes());
    }

    #[test]
    fn records_come_back_with_where_they_end() {
        let expected = [(b"brain".to_vec(), 21), (vec![], 37), (vec![7; 300], 353)];
        assert_eq!(all(&three()), expected);
    }

    #[test]
    fn what_is_torn_or_damaged_ends_the_file() {
        let whole = three();
        for end in 37..whole.len() {
            assert_eq!(all(&whole[..end]).len(), 2, "{end}");
        }
        for at in 37..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            assert_eq!(all(&bytes).len(), 2, "{at}");
        }
        let length = u64::MAX.to_le_bytes();
        let huge = [&length[..], &masked(&length).to_le_bytes()].concat();
        assert!(all(&huge).is_empty());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&bytes);
            // Behind a right frame, too.
            let mut framed = Vec::new();
            write(&mut framed, &bytes).unwrap();
            framed.extend(&bytes);
            prop_assert!(!all(&framed).is_empty());
        }
    }
}
