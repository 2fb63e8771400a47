//! Files of weights: safetensors whose header has one text of this program, which begins with the SHA-256 sum of the
//! file (see `sum.rs`). A file that doesn't agree with its sum is refused, as are values that are not finite and
//! negative variances.

mod sum;

pub use sum::BLANK;

use crate::files::{self, write_whole};
use crate::nn::{Entry, are_finite, values};
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::terminal::{brief, excerpt};
use crate::{Error, Result};
use safetensors::tensor::{Metadata, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

/// The key of that text in the header. There is only one key, as the file's bytes must not depend on the order of a
/// map.
const HEADER: &str = "minimax";
/// The largest size of names, shapes and header for which the header of a file is read alone.
const MOST_HEADER: u64 = 1 << 24;

/// A kind of file of weights.
pub struct Kind<'a> {
    /// What a message calls such a file.
    pub name: &'static str,
    /// What to do about a file that isn't one.
    pub fix: &'a str,
    /// What to do about one that is damaged.
    pub spare: &'a str,
}

/// The part of a header that every kind has.
#[derive(Deserialize)]
struct Summed {
    #[serde(default)]
    sha256: Option<String>,
}

/// Writes `tensors` with `header`, whose first field is a `sha256` of [`BLANK`], which is replaced by the file's own
/// sum.
///
/// # Errors
/// If the file can't be written; an older one then stays as it was.
///
/// # Panics
/// If two tensors have the same name, or the header has no place for the sum.
pub fn write(path: &Path, header: &impl Serialize, tensors: Vec<(String, &Tensor)>) -> Result<()> {
    write_whole(path, &to_bytes(header, tensors))
}

/// The bytes that [`write`](fn@write) writes.
///
/// # Panics
/// As [`write`](fn@write).
pub fn to_bytes(header: &impl Serialize, tensors: Vec<(String, &Tensor)>) -> Vec<u8> {
    let header = serde_json::to_string(header).expect("a header is plain data");
    let entries = tensors.into_iter().map(|(name, tensor)| (name, Entry(tensor)));
    let header = HashMap::from([(HEADER.to_string(), header)]);
    let file = safetensors::serialize(entries, Some(header));
    let mut file = file.expect("names are unique and sizes agree");
    sum::fill_in(&mut file);
    file
}

/// The tensors and the header of a file of `kind` that holds `bytes`; `path` only names it in errors.
///
/// # Errors
/// If they are damaged or of another kind.
pub fn open<'a, H: DeserializeOwned>(path: &Path, bytes: &'a [u8], kind: &Kind) -> Result<(SafeTensors<'a>, H)> {
    let damaged = |why: String| {
        let Kind { name, fix, .. } = kind;
        Error::place(path, format!("is not a whole {name} ({why}); {fix}"))
    };
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(brief(&error.to_string())))?;
    let metadata = SafeTensors::read_metadata(bytes);
    let (_, metadata) = metadata.map_err(|error| damaged(brief(&error.to_string())))?;
    let header = metadata.metadata().as_ref().and_then(|map| map.get(HEADER));
    let text = header.ok_or_else(|| damaged("it has no minimax header".into()))?;
    let not_ours = |error: serde_json::Error| damaged(brief(&error.to_string()));
    let header: H = serde_json::from_str(text).map_err(not_ours)?;
    let summed: Summed = serde_json::from_str(text).map_err(not_ours)?;
    if summed.sha256.is_some_and(|digits| !sum::holds(bytes, &digits)) {
        let what = "is not as it was written: its bytes have another SHA-256 sum than its header says";
        return Err(Error::place(path, format!("{what}; {}", kind.spare)));
    }
    Ok((file, header))
}

/// The header of the file of `kind` at `path`. The rest of the file is not read, so that it may be damaged.
///
/// # Errors
/// If it can't be read, is damaged or of another kind.
pub fn read_header<H: DeserializeOwned>(path: &Path, kind: &Kind) -> Result<H> {
    let none = |why: &str| Error::place(path, format!("is no {} ({}); {}", kind.name, brief(why), kind.fix));
    let mut file = files::open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|error| none(&error.to_string()))?;
    let length = u64::from_le_bytes(length);
    if length > MOST_HEADER {
        return Err(none("its header is too long"));
    }
    let mut text = vec![0; length as usize];
    file.read_exact(&mut text).map_err(|error| none(&error.to_string()))?;
    let metadata: Metadata = serde_json::from_slice(&text).map_err(|error| none(&error.to_string()))?;
    let header = metadata.metadata().as_ref().and_then(|map| map.get(HEADER));
    let header = header.ok_or_else(|| none("it has no minimax header"))?;
    serde_json::from_str(header).map_err(|error| none(&error.to_string()))
}

/// Fills `tensor` with the values that `file` has under `name`, rounded to the element type of its device; `path` only
/// names the file in errors.
///
/// # Errors
/// If the file has no such tensor of that shape, or it has values that training doesn't leave.
pub fn read_into(path: &Path, file: &SafeTensors, name: &str, tensor: &mut Tensor) -> Result<()> {
    let other = |what: String| {
        let why = "it was made for other networks than its recipe says";
        Error::place(path, format!("{what}; {why}"))
    };
    let view = file.tensor(name).map_err(|_| other(format!("has no tensor {name}")))?;
    if view.shape() != tensor.dims() {
        let (found, wanted) = (format!("{:?}", view.shape()), tensor.dims());
        let found = excerpt(&found);
        return Err(other(format!("has {name} of shape {found}, not {wanted:?}")));
    }
    let Some(values) = values(&view) else {
        return Err(other(format!("has {name} as {:?}, not F32 or F64", view.dtype())));
    };
    check_values(path, name, &values, tensor.device())?;
    tensor.assign(Tensor::new(&values, tensor.shape(), tensor.device()));
    Ok(())
}

/// Refuses values that training never leaves: those that are not finite on `device`, and negative squares and
/// variances.
///
/// # Errors
/// If there is such a value.
pub fn check_values(path: &Path, name: &str, values: &[f64], device: Device) -> Result<()> {
    let is_square = name.ends_with(".running_variance") || name.contains("_optimizer.v.");
    let wrong = if !are_finite(values, device) {
        "values that are not finite"
    } else if is_square && values.iter().any(|&v| v < 0.0) {
        "a variance below zero"
    } else {
        return Ok(());
    };
    let fix = "the file is damaged or was not made by minimax; give another";
    Err(Error::place(path, format!("has {wrong} in {name}; {fix}")))
}
