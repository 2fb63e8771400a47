//! What files leave unsaid: the values that a key has without being there, by which it is neither asked for nor written.

/// The usual yes.
pub fn yes() -> bool {
    true
}

/// The usual 1.
pub fn one() -> usize {
    1
}

/// Whether `value` is the usual no.
pub fn is_false(value: &bool) -> bool {
    !value
}

/// Whether `value` is the usual 1.
pub fn is_one(value: &usize) -> bool {
    *value == 1
}

/// Whether `value` is the usual 0.
pub fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
