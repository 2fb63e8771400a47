//! Arrays of real numbers in a .npy file (NumPy Enhancement Proposal 1): float32 or float64, in C's or Fortran's order.

use super::numpy::read_header;
use crate::terminal::{brief, excerpt};
use npyz::{NpyFile, Order};
use std::fmt::Display;

/// An array that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct Floats {
    /// Its axes.
    pub shape: Vec<usize>,
    /// Its values, the last axis the fastest.
    pub values: Vec<f32>,
}

impl Floats {
    /// Checks that all values are finite.
    ///
    /// # Errors
    /// A message that says how many aren't, to be put after the file's name.
    pub fn check_finite(&self) -> Result<(), String> {
        match self.values.iter().filter(|v| !v.is_finite()).count() {
            0 => Ok(()),
            1 => Err("holds a value that is not finite (NaN or infinite)".into()),
            many => Err(format!("holds {many} values that are not finite (NaN or infinite)")),
        }
    }
}

/// Whether the .npy file of these `bytes` holds real numbers of any kind.
///
/// # Errors
/// A message that says why it is not a .npy file, to be put after the file's name.
pub fn holds_floats(mut bytes: &[u8]) -> Result<bool, String> {
    Ok(read_header(&mut bytes)?.dtype().descr().trim_matches('\'').get(1..2) == Some("f"))
}

/// The array in the `bytes` of a .npy file.
///
/// # Errors
/// A message that says why it can't be read, to be put after the file's name.
pub fn parse(bytes: &[u8]) -> Result<Floats, String> {
    let mut values = bytes;
    let header = read_header(&mut values)?;
    let held = values.len() as u64;
    let npy = NpyFile::with_header(header, values);
    let dtype = npy.dtype().descr();
    let size = match dtype.trim_matches('\'').get(1..) {
        Some("f4") => 4,
        Some("f8") => 8,
        _ => return Err(format!("holds {}, not float32 or float64", excerpt(&dtype))),
    };
    let promised = npy.shape().iter().fold(size, |product: u64, &n| product.saturating_mul(n));
    if promised != held {
        let shape = format!("{:?}", npy.shape());
        return Err(format!("says shape {} but has {held} bytes of values, not {promised}", excerpt(&shape)));
    }
    let shape: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    let is_fortran = npy.order() == Order::Fortran;
    let damaged = |error: &dyn Display| format!("is damaged ({})", brief(&error.to_string()));
    let values: std::io::Result<Vec<f32>> = match size {
        4 => npy.data::<f32>().map_err(|error| damaged(&error))?.collect(),
        _ => npy.data::<f64>().map_err(|error| damaged(&error))?.map(|v| v.map(|v| v as f32)).collect(),
    };
    let values = values.map_err(|error| damaged(&error))?;
    let values = if is_fortran { from_fortran(&values, &shape) } else { values };
    Ok(Floats { shape, values })
}

/// `values`, stored with the first axis the fastest, in the order in which the last axis is.
fn from_fortran(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let place = |index: usize| {
        let (mut rest, mut place, mut step) = (index, 0, values.len());
        for &n in shape.iter().rev() {
            step /= n;
            place += rest % n * step;
            rest /= n;
        }
        place
    };
    (0..values.len()).map(|index| values[place(index)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, fortran: &str, shape: &str, values: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x02\x00".to_vec();
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values);
        bytes
    }

    #[test]
    fn one_array_is_read_alike_however_it_is_stored() {
        // What NumPy stores of arange(24).reshape(2, 3, 4), in either order.
        let rows: Vec<f64> = (0..24).map(f64::from).collect();
        let columns: Vec<f64> = (0..24).map(|i| f64::from(i % 2 * 12 + i / 2 % 3 * 4 + i / 6)).collect();
        let expected = Floats { shape: vec![2, 3, 4], values: rows.iter().map(|&v| v as f32).collect() };
        for (fortran, values) in [("False", &rows), ("True", &columns)] {
            let double: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let single: Vec<u8> = values.iter().flat_map(|v| (*v as f32).to_be_bytes()).collect();
            for (descr, bytes) in [("<f8", &double), (">f4", &single)] {
                assert_eq!(parse(&npy(descr, fortran, "(2, 3, 4)", bytes)).unwrap(), expected, "{descr} {fortran}");
            }
        }
        assert!(parse(&npy("<f4", "False", "(0, 4)", &[])).unwrap().values.is_empty());
    }

    #[test]
    fn what_is_no_such_array_is_named() {
        let four = [0; 16];
        for (bytes, what) in [
            (npy("|u1", "False", "(16,)", &four), "holds '|u1', not float32"),
            (npy("<f2", "False", "(8,)", &four), "holds '<f2', not float32"),
            (npy("<f4", "False", "(5,)", &four), "says shape [5] but has 16 bytes of values, not 20"),
            (npy("<f4", "False", "(3,)", &four), "says shape [3] but has 16 bytes of values, not 12"),
            (npy("<f4", "False", "(4294967295, 4294967295, 4294967295)", &four), "but has 16 bytes"),
            (npy("<f4", "True", "(0, 9223372036854775807)", &four), "but has 16 bytes of values, not 0"),
            (b"PK\x03\x04 something".to_vec(), "is not a .npy file"),
        ] {
            let said = parse(&bytes).unwrap_err();
            assert!(said.contains(what), "{what}: {said}");
        }
        for (bytes, what) in [
            (npy("<f4", "False", "(4,)", &[255; 16]), Err("holds 4 values that are not finite (NaN or infinite)")),
            (
                npy("<f8", "False", "(1,)", &[0, 0, 0, 0, 0, 0, 0xe0, 0x7f]),
                Err("holds a value that is not finite (NaN or infinite)"),
            ),
            (npy("<f4", "False", "(4,)", &four), Ok(())),
        ] {
            assert_eq!(parse(&bytes).unwrap().check_finite(), what.map_err(String::from));
        }
    }
}
