//! SHA-256 sums of files and of parts of them.

use crate::terminal::excerpt;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Read};

/// A SHA-256 sum (FIPS 180-4), written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Sum([u8; 32]);

impl Sum {
    /// The sum of everything that `source` gives, and the number of its bytes.
    ///
    /// # Errors
    /// Those of `source`.
    pub fn of(mut source: impl Read) -> io::Result<(Sum, u64)> {
        let mut sum = Sha256::new();
        let mut length = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return Ok((Sum(sum.finalize().into()), length)),
                Ok(count) => {
                    sum.update(&buffer[..count]);
                    length += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl TryFrom<String> for Sum {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Sum, String> {
        let hexadecimal = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hexadecimal {
            return Err(format!("{:?} is not 64 hexadecimal digits", excerpt(&text)));
        }
        let byte = |index| u8::from_str_radix(&text[2 * index..][..2], 16).expect("digits");
        Ok(Sum(std::array::from_fn(byte)))
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_the_standard() {
        // FIPS 180-4's example for "abc".
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let (sum, length) = Sum::of(&b"abc"[..]).unwrap();
        assert_eq!((sum.to_string().as_str(), length), (text, 3));
        assert_eq!(Sum::try_from(text.to_uppercase()), Ok(sum));
        let short = Sum::try_from(text[1..].to_string()).unwrap_err();
        assert!(short.contains("64 hexadecimal digits"), "{short}");
        assert!(Sum::try_from("é".repeat(32)).is_err());
    }
}
