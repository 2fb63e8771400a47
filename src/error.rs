//! Errors that a user can make or meet, each told in one line that names the thing and says what to do.
//!
//! Mistakes that only a programmer can make (shapes that don't fit) are panics, not errors.

use crate::terminal::line;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

/// The error of everything that reads a file, a recipe, a flag or a device.
///
/// ```
/// use minimax::Device;
///
/// let error = "gpu".parse::<Device>().unwrap_err();
/// assert!(error.to_string().starts_with("no such device"));
/// assert_eq!(error.exit_code(), 2);
/// ```
#[derive(Debug)]
pub enum Error {
    /// The system refused to read or write `path`.
    Io {
        /// The file or folder at fault.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A data file that isn't what it should be.
    Data {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        fix: String,
    },
    /// A text that can't be used, such as a recipe or a sweep.
    Text {
        /// What it should be, in a word.
        kind: &'static str,
        /// Its name or path.
        name: String,
        /// Line or key, value and fix.
        what: String,
    },
    /// A flag or argument whose value can't be used (exit code 2).
    Usage(String),
    /// A file or folder that can't be used for what was asked.
    Place {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and the fix.
        what: String,
    },
    /// A folder that another process works in (exit code 75).
    Busy {
        /// The folder.
        path: PathBuf,
        /// Who works there and the fix.
        what: String,
    },
    /// Training whose numbers are no longer finite.
    NotFinite {
        /// The step, and the network's loss or the tensor at fault.
        what: String,
        /// What to do about it.
        fix: String,
    },
    /// A CUDA device that doesn't exist, or that could not do what it was asked to do.
    Cuda {
        /// `cuda`, or `cuda:0`.
        device: String,
        /// What is wrong and the fix.
        what: String,
    },
    /// A gradient with respect to a tensor that the loss doesn't depend on.
    NotRecorded {
        /// Its place among the tensors that were asked for, counted from 0, and its shape.
        what: String,
    },
    /// Memory that the system doesn't give.
    Memory {
        /// The number of bytes that were asked for.
        bytes: usize,
    },
    /// Training that Ctrl-C ended early, with everything saved (exit code 130).
    Interrupted(String),
    /// A check that did not hold; the table of them has been printed already.
    CheckFailed(String),
}

/// The exit code of a process that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;

/// The exit code of a process that found another process working in its folder: `EX_TEMPFAIL` of sysexits.h.
pub const BUSY: u8 = 75;

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wraps what the system said about `path`; for use in `map_err`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { path, source }
    }

    /// A [`Error::Data`] with its three parts.
    pub fn data(path: impl AsRef<Path>, what: impl Into<String>, fix: impl Into<String>) -> Error {
        Error::Data { path: path.as_ref().to_path_buf(), what: what.into(), fix: fix.into() }
    }

    /// A [`Error::Place`] with its two parts.
    pub fn place(path: impl AsRef<Path>, what: impl Into<String>) -> Error {
        Error::Place { path: path.as_ref().to_path_buf(), what: what.into() }
    }

    /// A [`Error::Busy`] with its two parts.
    pub fn busy(path: impl AsRef<Path>, what: impl Into<String>) -> Error {
        Error::Busy { path: path.as_ref().to_path_buf(), what: what.into() }
    }

    /// A [`Error::Text`] with its three parts.
    pub fn text(kind: &'static str, name: impl Into<String>, what: impl Into<String>) -> Error {
        Error::Text { kind, name: name.into(), what: what.into() }
    }

    /// The error if the system gives no thread for `work`; for use in `map_err` of [`std::thread::Builder::spawn`].
    pub fn no_thread(work: &str) -> impl FnOnce(std::io::Error) -> Error {
        move |source| {
            let fix = "end other programs, or raise the limit on processes (ulimit -u)";
            Error::Usage(format!("no thread {work}: {source}; {fix}"))
        }
    }

    /// The exit code of the command: 2 for usage, 130 after Ctrl-C, 75 if another process is working there, 1 for
    /// the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) => 2,
            Error::Interrupted(_) => INTERRUPTED,
            Error::Busy { .. } => BUSY,
            _ => 1,
        }
    }
}

impl Display for Error {
    /// One line that can't control a terminal, as much of it may come from a file or the network.
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let message = match self {
            Error::Io { path, source } => {
                format!("{}: {source}{}", path.display(), io_fix(source))
            }
            Error::Data { path, what, fix } => format!("{}: {what}; {fix}", path.display()),
            Error::Text { kind, name, what } => format!("{kind} {name}: {what}"),
            Error::Place { path, what } | Error::Busy { path, what } => {
                format!("{}: {what}", path.display())
            }
            Error::Cuda { device, what } => format!("{device}: {what}"),
            Error::Memory { bytes } => format!(
                "no memory for {} more; lower the batch size or the sizes of the layers, or close other programs",
                megabytes(*bytes)
            ),
            Error::NotFinite { what, fix } => format!("{what}; {fix}"),
            Error::NotRecorded { what } => format!("grad: {what}"),
            Error::Usage(what) | Error::Interrupted(what) | Error::CheckFailed(what) => what.clone(),
        };
        f.write_str(&line(&message))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// `bytes` in megabytes, or in kilobytes if that is less than one.
pub(crate) fn megabytes(bytes: usize) -> String {
    match bytes as f64 {
        few if few < 1e6 => format!("{:.1} kB", few / 1e3),
        many => format!("{:.1} MB", many / 1e6),
    }
}

/// What to do about the commonest errors of the system.
fn io_fix(source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match source.kind() {
        Kind::NotFound => "; check the path",
        Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
            "; choose a place you may write to, or change its permissions"
        }
        Kind::StorageFull | Kind::QuotaExceeded => "; free some space or choose another disk",
        Kind::FileTooLarge => "; raise the limit on the size of files (ulimit -f), or choose another disk",
        Kind::IsADirectory => "; name a file in it",
        Kind::AlreadyExists => "; choose another name",
        _ => "",
    }
}
