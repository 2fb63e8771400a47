//! A vector as the microkernels see it.
#![expect(unsafe_code, reason = "loads and stores by raw pointer")]

/// A vector of f32. Its functions are called only where the instruction set is enabled.
///
/// # Safety
/// It is [`LANES`](Vector::LANES) values of f32 one after another and nothing else, so that any bits are one.
pub(super) unsafe trait Vector: Copy {
    const LANES: usize;
    fn splat(value: f32) -> Self;
    /// # Safety
    /// As many values as lanes can be read, and the machine has the instruction set.
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as this function's and the trait's.
        unsafe { from.cast::<Self>().read_unaligned() }
    }

    /// The first `count` lanes, at most all, and zeros beyond.
    ///
    /// # Safety
    /// As many values can be read, and the machine has the instruction set.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;
    /// # Safety
    /// As many values as lanes can be written, and the machine has the instruction set.
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as this function's and the trait's.
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }

    /// self + a.
    fn add(self, a: Self) -> Self;
    /// self + a · b, rounded once.
    fn add_product(self, a: Self, b: Self) -> Self;
    /// The sum of all lanes: the upper half is added to the lower half until one lane is left.
    fn total(self) -> f32;
}

/// Two vectors as one of twice the length.
// SAFETY: an array has nothing between its elements.
unsafe impl<V: Vector> Vector for [V; 2] {
    const LANES: usize = 2 * V::LANES;

    #[inline(always)]
    fn splat(value: f32) -> [V; 2] {
        [V::splat(value); 2]
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> [V; 2] {
        let lower = count.min(V::LANES);
        // SAFETY: as this function's.
        unsafe { [V::load_first(from, lower), V::load_first(from.add(lower), count - lower)] }
    }

    #[inline(always)]
    fn add(self, a: [V; 2]) -> [V; 2] {
        [self[0].add(a[0]), self[1].add(a[1])]
    }

    #[inline(always)]
    fn add_product(self, a: [V; 2], b: [V; 2]) -> [V; 2] {
        [self[0].add_product(a[0], b[0]), self[1].add_product(a[1], b[1])]
    }

    #[inline(always)]
    fn total(self) -> f32 {
        self[0].add(self[1]).total()
    }
}
