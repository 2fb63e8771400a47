//! Which instruction set the kernels run with: the widest that the processor has, unless another is chosen.
//!
//! It decides how fast they are and not one bit of what they give. Each value of an elementwise kernel depends on
//! its own inputs only; a product is summed over k in one order, in sums that no vector's length decides how many
//! there are of (see [`super::gemm`]); and whatever is multiplied and added in one step is rounded once, by the
//! processor where it has the instruction and by arithmetic of the same result where it has not.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum InstructionSet {
    /// What every processor of the kind that the program is compiled for has.
    Portable = 1,
    /// AVX2 and FMA: Intel's processors from Haswell on, AMD's from Excavator on.
    Avx2,
    /// AVX-512 with the extensions VL, BW and DQ.
    Avx512,
}

/// All of them, the widest first.
pub const ALL: [InstructionSet; 3] = [InstructionSet::Avx512, InstructionSet::Avx2, InstructionSet::Portable];

/// What [`current`] gives, as a number; 0 before anybody has asked.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl InstructionSet {
    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        match self {
            InstructionSet::Portable => true,
            InstructionSet::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            InstructionSet::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && InstructionSet::Avx2.is_available()
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == InstructionSet::Portable
        }
    }

    /// Those that this processor has, the widest first.
    pub fn available() -> impl Iterator<Item = InstructionSet> {
        ALL.into_iter().filter(|set| set.is_available())
    }
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            InstructionSet::Portable => "portable",
            InstructionSet::Avx2 => "AVX2",
            InstructionSet::Avx512 => "AVX-512",
        })
    }
}

/// The one that kernels run with.
#[inline]
pub fn current() -> InstructionSet {
    match CURRENT.load(Ordering::Relaxed) {
        1 => InstructionSet::Portable,
        2 => InstructionSet::Avx2,
        3 => InstructionSet::Avx512,
        _ => choose_widest(),
    }
}

#[cold]
fn choose_widest() -> InstructionSet {
    let mut available = InstructionSet::available();
    let set = available.next().unwrap_or(InstructionSet::Portable);
    // Unless another thread has been asked for a certain one meanwhile.
    let _ = CURRENT.compare_exchange(0, set as u8, Ordering::Relaxed, Ordering::Relaxed);
    current()
}

/// Has kernels run with `set` from now on; what is under way may end with the one before.
///
/// # Panics
/// If this processor hasn't got it.
pub fn choose(set: InstructionSet) {
    assert!(set.is_available(), "isa: this processor has no {set}");
    CURRENT.store(set as u8, Ordering::Relaxed);
}
