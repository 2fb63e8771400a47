//! Shapes and numbers in a recipe, and the largest that each may be.

/// The largest size along one axis: an image of 128x128 with 64 channels, flattened, just fits.
pub const MAX_SIZE: usize = 1 << 20;

/// The most values that one activation (for a whole batch) or one network's parameters may hold.
pub const MAX_VALUES: u64 = 1 << 31;

/// The number of values of a shape, at most u64::MAX.
pub(crate) fn values(shape: &[usize]) -> u64 {
    shape.iter().fold(1, |product: u64, &size| product.saturating_mul(size as u64))
}

/// Checks that `shape` is one that a network can have: `[n]` or `[h, w, c]`, not empty and not huge.
pub(super) fn check_shape(shape: &[usize]) -> Result<(), String> {
    if !matches!(shape.len(), 1 | 3) {
        return Err("a shape is [n] or [height, width, channels]".into());
    }
    if let Some(size) = shape.iter().find(|size| !(1..=MAX_SIZE).contains(*size)) {
        return Err(format!("{size} is not a size from 1 to {MAX_SIZE}"));
    }
    if values(shape) > MAX_VALUES {
        return Err(format!("that is {} values, more than {MAX_VALUES}; make it smaller", values(shape)));
    }
    Ok(())
}

/// Checks that `size`, the value of `key`, is in 1..=`most`.
pub(super) fn check_size(key: &str, size: usize, most: usize) -> Result<(), String> {
    match size {
        size if (1..=most).contains(&size) => Ok(()),
        size => Err(format!("{key} = {size}; it must be from 1 to {most}")),
    }
}

/// Checks that `value`, the value of `key`, is a number in some range, as `holds` says; `range` describes the range in
/// words.
pub(super) fn check_number(key: &str, value: f64, holds: bool, range: &str) -> Result<(), String> {
    if value.is_finite() && holds {
        return Ok(());
    }
    Err(format!("{key} = {value:?}; it must be {range}"))
}

/// Checks that `value`, the value of `key`, is finite and above 0, in f32 too.
pub(super) fn check_positive(key: &str, value: f64) -> Result<(), String> {
    let normal = value > 0.0 && (value as f32).is_normal();
    check_number(key, value, normal, "above 0, from 1.2e-38 to 3.4e38")
}

/// `shape` as an image.
pub(super) fn image(shape: &[usize]) -> Result<[usize; 3], String> {
    shape.try_into().map_err(|_| {
        format!(
            "needs an image [height, width, channels] but its input is {shape:?}; put a reshape \
             before it"
        )
    })
}

/// `shape` as a vector.
pub(super) fn vector(shape: &[usize]) -> Result<[usize; 1], String> {
    shape.try_into().map_err(|_| format!("needs a vector [n] but its input is {shape:?}; put a flatten before it"))
}
