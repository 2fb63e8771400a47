//! The instruction set of the kernels: the widest that the processor has, unless another is chosen.
//!
//! It determines how fast they are, but not a single bit of their results. Each value of an elementwise kernel depends
//! only on its own inputs. A product is summed over k in one order, in a number of partial sums that doesn't depend on
//! the vectors' length (see [`super::gemm`]). A fused multiply-add is rounded once: by the processor if it has the
//! instruction, and otherwise by arithmetic with the same result.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum InstructionSet {
    /// The instructions of every processor of the architecture for which the program is compiled.
    Portable = 1,
    /// AVX2 and FMA: Intel's processors from Haswell on, AMD's from Excavator on.
    Avx2,
    /// AVX-512 with the extensions VL, BW and DQ.
    Avx512,
}

/// All of them, the widest first.
pub const ALL: [InstructionSet; 3] = [InstructionSet::Avx512, InstructionSet::Avx2, InstructionSet::Portable];

/// The result of [`current`] as a number; 0 before its first call.
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

    /// The instruction sets that this processor has, the widest first.
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

/// The instruction set with which kernels run.
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
    // Unless another thread has chosen one meanwhile.
    let _ = CURRENT.compare_exchange(0, set as u8, Ordering::Relaxed, Ordering::Relaxed);
    current()
}

/// Makes kernels run with `set` from now on; work that has begun may finish with the one before.
///
/// # Panics
/// If this processor doesn't have it.
pub fn choose(set: InstructionSet) {
    assert!(set.is_available(), "isa: this processor has no {set}");
    CURRENT.store(set as u8, Ordering::Relaxed);
}
