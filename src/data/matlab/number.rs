//! The types of numbers that MATLAB files have.

/// How numbers are stored, which may be narrower than their array's class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Number {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
}

impl Number {
    /// The number that an element of type `kind` holds, if it holds numbers.
    pub(super) fn of_type(kind: u32) -> Option<Number> {
        Some(match kind {
            1 => Number::I8,
            2 => Number::U8,
            3 => Number::I16,
            4 => Number::U16,
            5 => Number::I32,
            6 => Number::U32,
            7 => Number::F32,
            9 => Number::F64,
            12 => Number::I64,
            13 => Number::U64,
            _ => return None,
        })
    }

    /// Bytes of one number.
    pub(super) fn size(self) -> usize {
        match self {
            Number::I8 | Number::U8 => 1,
            Number::I16 | Number::U16 => 2,
            Number::I32 | Number::U32 | Number::F32 => 4,
            Number::F64 | Number::I64 | Number::U64 => 8,
        }
    }

    /// The number whose bytes are the lowest of `bits`.
    pub(super) fn value(self, bits: u64) -> f64 {
        match self {
            Number::I8 => f64::from(bits as i8),
            Number::U8 => f64::from(bits as u8),
            Number::I16 => f64::from(bits as i16),
            Number::U16 => f64::from(bits as u16),
            Number::I32 => f64::from(bits as i32),
            Number::U32 => f64::from(bits as u32),
            Number::F32 => f64::from(f32::from_bits(bits as u32)),
            Number::F64 => f64::from_bits(bits),
            Number::I64 => bits as i64 as f64,
            Number::U64 => bits as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_number_has_its_value() {
        for (number, bits, value) in [
            (Number::I8, 0xfe, -2.0),
            (Number::U8, 0xfe, 254.0),
            (Number::I16, 0xfffe, -2.0),
            (Number::U16, 0xfffe, 65534.0),
            (Number::I32, 0xffff_fffe, -2.0),
            (Number::U32, 0xffff_fffe, 4294967294.0),
            (Number::F32, 0xc020_0000, -2.5),
            (Number::F64, 0xc004_0000_0000_0000, -2.5),
            (Number::I64, 0xffff_ffff_ffff_fffe, -2.0),
            (Number::U64, 0x8000_0000_0000_0000, 9223372036854775808.0),
        ] {
            assert_eq!(number.value(bits), value, "{number:?}");
        }
    }
}
