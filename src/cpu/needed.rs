//! Checks that the processor has what a program compiled for newer ones (`-C target-cpu`) needs. Without such a flag
//! the program needs nothing that a processor of its architecture could lack. With one, an older processor would end it
//! by a signal, without a message.

#[cfg(target_arch = "x86_64")]
use std::hint::black_box;
use std::io::Write;

/// Extensions that the compiler may have used: whether it was allowed to, the name, and where `cpuid` tells of
/// it, as leaf, register (of eax, ebx, ecx, edx) and the bit's value.
///
/// A static with the bit's value, not its number, and read as if it were unknown: a copy of the table, a shift, or
/// a bitmap of its first column might be compiled to an instruction of those that are looked for.
#[cfg(target_arch = "x86_64")]
static EXTENSIONS: [(bool, &str, (u32, usize, u32)); 16] = [
    (cfg!(target_feature = "sse3"), "SSE3", (1, 2, 1 << 0)),
    (cfg!(target_feature = "ssse3"), "SSSE3", (1, 2, 1 << 9)),
    (cfg!(target_feature = "sse4.1"), "SSE4.1", (1, 2, 1 << 19)),
    (cfg!(target_feature = "sse4.2"), "SSE4.2", (1, 2, 1 << 20)),
    (cfg!(target_feature = "popcnt"), "POPCNT", (1, 2, 1 << 23)),
    (cfg!(target_feature = "avx"), "AVX", (1, 2, 1 << 28)),
    (cfg!(target_feature = "f16c"), "F16C", (1, 2, 1 << 29)),
    (cfg!(target_feature = "fma"), "FMA", (1, 2, 1 << 12)),
    (cfg!(target_feature = "bmi1"), "BMI1", (7, 1, 1 << 3)),
    (cfg!(target_feature = "avx2"), "AVX2", (7, 1, 1 << 5)),
    (cfg!(target_feature = "bmi2"), "BMI2", (7, 1, 1 << 8)),
    (cfg!(target_feature = "avx512f"), "AVX-512F", (7, 1, 1 << 16)),
    (cfg!(target_feature = "avx512dq"), "AVX-512DQ", (7, 1, 1 << 17)),
    (cfg!(target_feature = "avx512bw"), "AVX-512BW", (7, 1, 1 << 30)),
    (cfg!(target_feature = "avx512vl"), "AVX-512VL", (7, 1, 1 << 31)),
    (cfg!(target_feature = "lzcnt"), "LZCNT", (0x8000_0001, 2, 1 << 5)),
];

/// Ends the program with a line if it was compiled for an extension that this processor lacks.
pub fn check() {
    if let Some(extension) = lacking() {
        // Piece by piece, by what the standard library holds compiled for every processor: formatting is compiled
        // with the program.
        #[expect(clippy::disallowed_methods, reason = "too early for an error to be returned")]
        let mut stderr = std::io::stderr();
        for piece in [
            "error: this program was compiled for processors with ",
            extension,
            ", which this one lacks; build it without target-cpu in RUSTFLAGS\n",
        ] {
            let _ = stderr.write_all(piece.as_bytes());
        }
        std::process::exit(1);
    }
}

/// The first extension that the program was compiled for and this processor lacks.
#[cfg(target_arch = "x86_64")]
fn lacking() -> Option<&'static str> {
    // Not `is_x86_feature_detected`: what the compiler was allowed to use, that takes to be there.
    for (needed, name, place) in black_box(&EXTENSIONS) {
        if *needed && !has(*place) {
            return Some(name);
        }
    }
    None
}

/// The first extension that the program was compiled for and this processor lacks: unknown of this kind.
#[cfg(not(target_arch = "x86_64"))]
fn lacking() -> Option<&'static str> {
    None
}

#[cfg(target_arch = "x86_64")]
fn has((leaf, register, bit): (u32, usize, u32)) -> bool {
    let highest = cpuid(leaf & 0x8000_0000)[0];
    leaf <= highest && cpuid(leaf)[register] & bit != 0
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, unused_unsafe, reason = "safe from Rust 1.94 on, and unsafe before")]
fn cpuid(leaf: u32) -> [u32; 4] {
    // SAFETY: every x86-64 processor has the instruction, which reads and writes no memory.
    let found = unsafe { std::arch::x86_64::__cpuid_count(leaf, 0) };
    [found.eax, found.ebx, found.ecx, found.edx]
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;

    /// The standard library reads the same bits.
    #[test]
    fn every_extension_is_where_it_is_looked_for() {
        let found = |name: &str| {
            let (.., place) = EXTENSIONS[EXTENSIONS.iter().position(|e| e.1 == name).unwrap()];
            has(place)
        };
        assert_eq!(found("SSE3"), is_x86_feature_detected!("sse3"));
        assert_eq!(found("SSSE3"), is_x86_feature_detected!("ssse3"));
        assert_eq!(found("SSE4.1"), is_x86_feature_detected!("sse4.1"));
        assert_eq!(found("SSE4.2"), is_x86_feature_detected!("sse4.2"));
        assert_eq!(found("POPCNT"), is_x86_feature_detected!("popcnt"));
        assert_eq!(found("AVX"), is_x86_feature_detected!("avx"));
        assert_eq!(found("F16C"), is_x86_feature_detected!("f16c"));
        assert_eq!(found("FMA"), is_x86_feature_detected!("fma"));
        assert_eq!(found("BMI1"), is_x86_feature_detected!("bmi1"));
        assert_eq!(found("AVX2"), is_x86_feature_detected!("avx2"));
        assert_eq!(found("BMI2"), is_x86_feature_detected!("bmi2"));
        assert_eq!(found("AVX-512F"), is_x86_feature_detected!("avx512f"));
        assert_eq!(found("AVX-512DQ"), is_x86_feature_detected!("avx512dq"));
        assert_eq!(found("AVX-512BW"), is_x86_feature_detected!("avx512bw"));
        assert_eq!(found("AVX-512VL"), is_x86_feature_detected!("avx512vl"));
        assert_eq!(found("LZCNT"), is_x86_feature_detected!("lzcnt"));
        assert_eq!(lacking(), None);
    }
}
