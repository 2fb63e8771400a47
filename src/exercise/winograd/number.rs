//! Numbers that count how often two of them are multiplied.

use std::cell::Cell;
use std::ops::{Add, Mul, Neg, Sub};

thread_local! {
    static PRODUCTS: Cell<u64> = const { Cell::new(0) };
}

/// A number. Sums, differences, a changed sign and [`Number::half`] cost nothing; a product is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Number(f64);

/// How many products there were on this thread since this was last asked.
pub fn products() -> u64 {
    PRODUCTS.replace(0)
}

impl Number {
    /// A number of this value.
    pub fn new(value: f64) -> Number {
        Number(value)
    }

    /// Its value.
    pub fn value(self) -> f64 {
        self.0
    }

    /// Half of it.
    pub fn half(self) -> Number {
        Number(0.5 * self.0)
    }
}

impl Add for Number {
    type Output = Number;

    fn add(self, other: Number) -> Number {
        Number(self.0 + other.0)
    }
}

impl Sub for Number {
    type Output = Number;

    fn sub(self, other: Number) -> Number {
        Number(self.0 - other.0)
    }
}

impl Neg for Number {
    type Output = Number;

    fn neg(self) -> Number {
        Number(-self.0)
    }
}

impl Mul for Number {
    type Output = Number;

    fn mul(self, other: Number) -> Number {
        PRODUCTS.set(PRODUCTS.get() + 1);
        Number(self.0 * other.0)
    }
}
