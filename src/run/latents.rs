//! The latents of a run's own samples, and latents from a file: a NumPy array of float32 or float64, `[n, width]`.

use crate::data::floats::{self, Floats};
use crate::files;
use crate::gan::latents::{Latents, rows_of_classes};
use crate::recipe::Recipe;
use crate::report::columns_for;
use crate::terminal::excerpt;
use crate::{Error, Result};
use std::path::Path;

/// The latents of `seed` for `count` samples of `recipe`'s generator. The first `on_grid` of them are shown as a grid,
/// which has a row for each class if the game is conditional. The first ones are the same for any count.
pub fn fixed(recipe: &Recipe, seed: u64, count: usize, on_grid: usize) -> Latents {
    let latents = Latents::fixed(seed, count, recipe.generator.input[0]);
    match recipe.classes() {
        Some(of) => latents.of_classes(&classes(recipe, count, on_grid), of),
        None => latents,
    }
}

/// The classes of those samples; empty if the game is not conditional.
pub fn classes(recipe: &Recipe, count: usize, on_grid: usize) -> Vec<u16> {
    let columns = columns_for(on_grid, recipe.classes());
    recipe.classes().map_or(Vec::new(), |of| rows_of_classes(count, columns, of))
}

/// The latents in the .npy file at `path`, `[n, width]` with n from 1 to `most`, flattened.
///
/// # Errors
/// [`Error::Io`] if it can't be read, [`Error::Data`] if it isn't a regular file or doesn't have such an array.
pub fn read(path: &Path, width: usize, most: usize) -> Result<Vec<f32>> {
    let size = files::open(path)?.metadata().map_err(Error::io(path))?.len();
    if size > 8 * (most * width) as u64 + (1 << 16) {
        let what = format!("has {size} bytes, more than {most} rows take");
        return Err(wrong(path, width, what));
    }
    parse(path, &files::read(path)?, width)
}

/// As [`read`], from the file's bytes; `path` only names it in errors.
///
/// # Errors
/// [`Error::Data`] if they are not such an array.
pub fn parse(path: &Path, bytes: &[u8], width: usize) -> Result<Vec<f32>> {
    array(bytes, width).map_err(|what| wrong(path, width, what))
}

fn wrong(path: &Path, width: usize, what: String) -> Error {
    let fix = format!("save a float32 array of shape [n, {width}] with numpy.save");
    Error::data(path, what, fix)
}

fn array(bytes: &[u8], width: usize) -> std::result::Result<Vec<f32>, String> {
    let array = floats::parse(bytes)?;
    array.check_finite()?;
    let Floats { shape, values } = array;
    match shape[..] {
        [rows, columns] if columns == width && rows > 0 => Ok(values),
        _ => Err(format!("has shape {}", excerpt(&format!("{shape:?}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, values: &[f32]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    fn said(bytes: &[u8]) -> String {
        parse(Path::new("z.npy"), bytes, 2).unwrap_err().to_string()
    }

    const HEADER: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n";

    #[test]
    fn an_array_is_read_and_others_are_named() {
        let values = [1.0, -2.0, 0.5, 4.0];
        let bytes = npy(HEADER, &values);
        assert_eq!(parse(Path::new("z.npy"), &bytes, 2).unwrap(), values);
        for (from, to, what) in [
            ("(2, 2)", "(4,)", "has shape [4]"),
            ("(2, 2)", "(3, 2)", "says shape [3, 2] but has 16 bytes of values, not 24"),
            ("<f4", "<f8", "says shape [2, 2] but has 16 bytes of values, not 32"),
            ("<f4", "<i4", "holds '<i4'"),
            ("(2, 2)", "(2, x)", "has a damaged header"),
        ] {
            let error = said(&npy(&HEADER.replacen(from, to, 1), &values));
            assert!(error.starts_with(&format!("z.npy: {what}")) || error.contains(what), "{error}");
            assert!(error.ends_with("of shape [n, 2] with numpy.save"), "{error}");
        }
        assert!(said(&npy(HEADER, &[1.0, f32::NAN, 0.0, 0.0])).contains("not finite"));
        for end in 0..HEADER.len() + 12 {
            said(&bytes[..end]);
        }
    }

    /// Parsed, the first of these takes longer than anybody waits.
    #[test]
    fn a_header_of_brackets_is_refused_unparsed() {
        for bracket in ["(", "[", "{"] {
            let error = said(&npy(&bracket.repeat(10_000), &[]));
            assert!(error.contains("a header of more than 16 brackets"), "{error}");
        }
        let error = said(&npy(&HEADER.replacen("(2, 2)", &"((2,),".repeat(1700), 1), &[]));
        assert!(error.contains("characters, more than 10000"), "{error}");
        let error = said(&npy(&format!("{{'{}': 1}}", "x".repeat(9000)), &[]));
        assert!(error.len() < 300, "{error}");
    }
}
