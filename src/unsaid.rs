//! Default values of keys in files, and the tests by which such keys are not written.

/// The default `true`.
pub fn yes() -> bool {
    true
}

/// The default 1.
pub fn one() -> usize {
    1
}

/// Whether `value` is the default `false`.
pub fn is_false(value: &bool) -> bool {
    !value
}

/// Whether `value` is the default 1.
pub fn is_one(value: &usize) -> bool {
    *value == 1
}

/// Whether `value` is the default 0.
pub fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
