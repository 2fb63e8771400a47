//! Files that are well formed in every way there is, and damaged in every way.

use super::writer::*;
use super::*;
use proptest::prelude::*;

type Found = (String, Vec<usize>, Number, Vec<f64>);

/// Every array in a file, with all its values.
fn read(bytes: &[u8]) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for_each_array(Path::new("some/arrays.mat"), bytes, &mut |array, values| {
        let numbers = std::iter::from_fn(|| array.next_value(values).ok()).collect();
        let (name, sizes) = (array.name.clone(), array.sizes.clone());
        found.push((name, sizes, array.number, numbers));
        Ok(())
    })?;
    Ok(found)
}

fn expected(name: &str, sizes: &[usize], number: Number, values: &[f64]) -> Found {
    (name.into(), sizes.to_vec(), number, values.to_vec())
}

fn assert_refused(bytes: &[u8], what: &str) {
    let error = read(bytes).expect_err(what).to_string();
    assert!(error.starts_with("some/arrays.mat: "), "{error}");
    assert!(error.contains(what), "{what}: {error}");
    assert!(error.contains("; ") && !error.contains('\n'), "{error}");
}

#[test]
fn arrays_are_read_in_both_byte_orders_plain_and_compressed() {
    for order in ORDERS {
        let numbers = [1.5, -2.0, 1e300, 0.0, 7.0, 8.0];
        let arrays = [
            order.array(DOUBLE_CLASS, "a", &[2, 3], F64, &order.doubles(&numbers)),
            // A class of doubles stored as bytes, few enough to stand in the tag.
            order.array(DOUBLE_CLASS, "few", &[3, 1], U8, &[9, 0, 255]),
            order.array(DOUBLE_CLASS, "long_name", &[2], U16, &order.words16(&[258, 3])),
            order.array(DOUBLE_CLASS, "none", &[0, 4], F64, &[]),
        ];
        let expected = [
            expected("a", &[2, 3], Number::F64, &numbers),
            expected("few", &[3, 1], Number::U8, &[9.0, 0.0, 255.0]),
            expected("long_name", &[2], Number::U16, &[258.0, 3.0]),
            expected("none", &[0, 4], Number::F64, &[]),
        ];
        assert_eq!(read(&order.file(&arrays)).unwrap(), expected, "{order:?}");
        let packed = arrays.map(|array| order.compressed(&array));
        assert_eq!(read(&order.file(&packed)).unwrap(), expected, "{order:?}");
    }
}

#[test]
fn what_is_no_array_of_real_numbers_is_passed_over() {
    for order in ORDERS {
        let array = order.array(DOUBLE_CLASS, "a", &[1, 1], U8, &[5]);
        let elements = [
            order.array(CELL_CLASS, "cell", &[1, 1], U8, &[0]),
            order.array(DOUBLE_CLASS | COMPLEX, "complex", &[1, 1], U8, &[0]),
            order.element(ARRAY, &[]),
            order.element(U8, &[1, 2, 3, 4, 5]),
            order.compressed(&order.element(U8, &[1, 2, 3, 4, 5])),
            array,
        ];
        let found = read(&order.file(&elements)).unwrap();
        assert_eq!(found, [expected("a", &[1, 1], Number::U8, &[5.0])]);
    }
}

#[test]
fn values_that_nobody_reads_are_passed_over() {
    for order in ORDERS {
        let array = order.array(UINT8_CLASS, "a", &[1, 20], U8, &[7; 20]);
        for element in [order.compressed(&array), array] {
            let file = order.file(&[element.clone(), element]);
            let mut names = String::new();
            for_each_array(Path::new(""), &file[..], &mut |array, _| {
                names += &array.name;
                Ok(())
            })
            .unwrap();
            assert_eq!(names, "aa");
        }
    }
}

#[test]
fn every_kind_of_damage_is_named() {
    let order = ORDERS[0];
    let array = order.array(UINT8_CLASS, "a", &[1, 20], U8, &[7; 20]);
    let (plain, packed) = (order.file(std::slice::from_ref(&array)), order.file(&[order.compressed(&array)]));
    for end in (0..plain.len()).filter(|&end| end != 128) {
        assert_refused(&plain[..end], "cut short");
    }
    for end in (0..packed.len()).filter(|&end| end != 128) {
        assert_refused(&packed[..end], "cut short");
    }
    let changed = |bytes: &[u8], at: usize, value: u8| {
        let mut bytes = bytes.to_vec();
        bytes[at] = value;
        bytes
    };
    assert_refused(&changed(&plain, 126, b'X'), "not a MATLAB level 5 file");
    assert_refused(&changed(&plain, 125, 2), "a MATLAB 7.3 file, which is HDF5; save it");
    assert_refused(b"\x89HDF\r\n\x1a\n\0", "a MATLAB 7.3 file, which is HDF5; save it");
    // Type, rows, columns, no imaginary part and a name of two bytes, in either byte order.
    for level_4 in [[50u32, 2, 1, 0, 2].map(u32::to_le_bytes), [1050, 2, 1, 0, 2].map(u32::to_be_bytes)] {
        let bytes = [&level_4.concat()[..], b"X\0\x01\x02"].concat();
        assert_refused(&bytes, "a MATLAB level 4 file; save it");
    }
    // The zlib stream's first byte, then its checksum.
    assert_refused(&changed(&packed, 136, 0), "damaged compressed data");
    let last = packed.len() - 1;
    assert_refused(&changed(&packed, last, !packed[last]), "damaged compressed data");
    assert_refused(&changed(&plain, 138, 5), "an element of 5 bytes in 4");

    let bad = |array: Vec<u8>, what: &str| {
        assert_refused(&order.file(&[order.compressed(&array)]), what);
        assert_refused(&order.file(&[array]), what);
    };
    bad(order.element(ARRAY, &order.element(U32, &[6, 0])), "without flags");
    bad(order.array(UINT8_CLASS, "a", &[1; 33], U8, &[7]), "an array's sizes in 132 bytes");
    bad(order.array(UINT8_CLASS, &"a".repeat(257), &[1], U8, &[7]), "an array's name in 257 bytes");
    bad(order.array(UINT8_CLASS, "a", &[1], 14, &[7]), "values of type 14");
    bad(order.array(UINT8_CLASS, "a", &[3, 3], U8, &[7; 8]), "\"a\" of sizes [3, 3] has 8 bytes of U8");
    bad(order.array(UINT8_CLASS, "a", &[u32::MAX; 4], U8, &[7; 8]), "has 8 bytes of U8");
    let longer = [array, vec![0]].concat();
    assert_refused(&order.file(&[order.compressed(&longer)]), "goes on after its end");
}

/// A small stream that makes much is inflated no further than the array in it says.
#[test]
fn a_bomb_is_not_set_off() {
    let order = ORDERS[0];
    let array = order.array(UINT8_CLASS, "a", &[1, 20], U8, &[7; 20]);
    let mut bomb = order.compressed(&[array, vec![0; 50_000_000]].concat());
    // What the checksum would find at the end, were it reached.
    *bomb.last_mut().unwrap() ^= 1;
    assert_refused(&order.file(&[bomb]), "goes on after its end");
}

proptest! {
    #[test]
    fn a_mutated_file_never_panics(
        big_endian in any::<bool>(),
        packed in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let order = Writer { big_endian };
        let array = order.array(UINT8_CLASS, "a", &[1, 20], U8, &[7; 20]);
        let element = if packed { order.compressed(&array) } else { array };
        let mut bytes = order.file(&[element.clone(), element]);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = read(&bytes);
    }
}
