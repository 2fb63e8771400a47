//! The path of data, as the text that recipes and checkpoints keep. A path is a sequence of bytes, which need not be
//! text. One that isn't text is written as `bytes:` and the path, in which bytes that aren't text, and `%`, become `%`
//! and two hexadecimal digits.

use std::ffi::OsStr;
use std::path::PathBuf;

const ESCAPED: &str = "bytes:";

/// The text for `path`, from which [`path_of`] makes the same path.
pub fn name_of(path: &OsStr) -> String {
    if let Some(text) = path.to_str() {
        return text.to_string();
    }
    let mut name = ESCAPED.to_string();
    for chunk in path.as_encoded_bytes().utf8_chunks() {
        name += &chunk.valid().replace('%', "%25");
        name.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02x}")));
    }
    name
}

/// The path that `name` stands for. (A folder whose name begins with `bytes:` is reached by `./`.)
pub fn path_of(name: &str) -> PathBuf {
    #[cfg(unix)]
    if let Some(bytes) = name.strip_prefix(ESCAPED).and_then(bytes_of) {
        use std::os::unix::ffi::OsStringExt;
        return std::ffi::OsString::from_vec(bytes).into();
    }
    name.into()
}

/// The bytes of an escaped path; none if an escape isn't whole.
#[cfg(unix)]
fn bytes_of(escaped: &str) -> Option<Vec<u8>> {
    let mut parts = escaped.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    Some(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn every_path_comes_back_from_its_name() {
        for bytes in [&b"plain"[..], "bytes-é/100%".as_bytes(), b"caf\xe9/100%/25", b"\xff\xfe%e9", b""] {
            let path = OsStr::from_bytes(bytes);
            let name = name_of(path);
            assert_eq!(path_of(&name).as_os_str(), path, "{name}");
        }
        assert_eq!(name_of(OsStr::from_bytes(b"caf\xe9%")), "bytes:caf%e9%25");
        assert_eq!(path_of("bytes:%e"), PathBuf::from("bytes:%e"));
    }
}
