//! Fetches values into a cache before they are needed: if rows are far apart, the processor doesn't foresee which are
//! next, and waits for each.

/// Rows of B that a thread will need after the tiles that it is at, to be fetched into the L2 cache one by one
/// meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Ahead<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    /// From a row to the next, in values.
    pub step: usize,
}

impl Ahead<'_> {
    /// None.
    pub const NOTHING: Ahead<'static> = Ahead { values: &[], rows: 0, step: 0 };

    /// At most `count` of them, from `start` on.
    pub fn part(self, start: usize, count: usize) -> Self {
        let start = start.min(self.rows);
        Ahead {
            values: self.values.get(start * self.step..).unwrap_or(&[]),
            rows: count.min(self.rows - start),
            ..self
        }
    }
}

/// Asks for the cache line at `at` in the L1 cache.
#[inline(always)]
pub(super) fn into_l1(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    fetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at);
    let _ = at;
}

/// Asks for the cache line at `at` in the L2 cache.
#[inline(always)]
pub(super) fn into_l2(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    fetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(at);
    let _ = at;
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "an intrinsic on a raw pointer")]
fn fetch<const HINT: i32>(at: *const f32) {
    // SAFETY: a prefetch is a hint: it changes no value and, wherever it points, never faults.
    unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(at.cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_all_rows_once() {
        let values: Vec<f32> = (0..100).map(|v| v as f32).collect();
        let ahead = Ahead { values: &values, rows: 10, step: 9 };
        for share in [1, 3, 4, 10, 17] {
            let mut next = 0;
            for part in (0..12).map(|i| ahead.part(i * share, share)) {
                assert!(part.rows == 0 || part.values[0] == (9 * next) as f32);
                next += part.rows;
            }
            assert_eq!(next, 10);
        }
    }
}
