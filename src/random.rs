//! Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
//! numbers: as easy as 1, 2, 3", SC 2011).
//!
//! A number is a pure function of (seed, stream, position). Nothing depends on who asks first, so that any number of
//! threads, and any device, get the same bits.
//!
//! ```text
//! block(c, k): ten rounds of   (hi0, lo0) = 0xD2511F53 · c0    (hi1, lo1) = 0xCD9E8D57 · c2
//!                              c ← (hi1 ^ c1 ^ k0, lo1, hi0 ^ c3 ^ k1, lo0)
//!              between rounds  k ← (k0 + 0x9E3779B9, k1 + 0xBB67AE85)
//! counter = (position low, position high, stream low, stream high), key = (seed low, seed high)
//! ```
//!
//! A block has four words. An array of n numbers takes ceil(n / 4) blocks; number i is word i mod 4 of block position +
//! i / 4.

use serde::{Deserialize, Serialize};

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;

/// The key of the next round.
#[inline(always)]
fn bump(key: [u32; 2]) -> [u32; 2] {
    [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)]
}

/// One Philox4x32-10 block: four random words from a counter and a key.
#[inline]
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = bump(key);
        }
        let p0 = u64::from(counter[0]) * u64::from(M0);
        let p1 = u64::from(counter[2]) * u64::from(M1);
        counter =
            [(p1 >> 32) as u32 ^ counter[1] ^ key[0], p1 as u32, (p0 >> 32) as u32 ^ counter[3] ^ key[1], p0 as u32];
    }
    counter
}

/// The number of blocks that [`Position::words_at_once`] computes side by side.
const BLOCKS_AT_ONCE: usize = 16;

/// The number of words that [`Position::words_at_once`] computes.
pub const WORDS_AT_ONCE: usize = 4 * BLOCKS_AT_ONCE;

/// Where an array of random numbers starts: all that an op needs to draw it again.
///
/// ```
/// use minimax::random::{Purpose, Random};
///
/// let mut random = Random::new(7, Purpose::DROPOUT);
/// let start = random.reserve(100);
/// let words = Random::new(7, Purpose::DROPOUT).words(100);
/// assert_eq!(start.word(42), words[42]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Chosen by the user; one per run.
    pub seed: u64,
    /// What the numbers are for: [`Purpose::stream`].
    pub stream: u64,
    /// The number of blocks before it in the stream.
    pub block: u64,
}

impl Position {
    /// The four words of block `self.block + offset`.
    #[inline]
    pub fn words(&self, offset: u64) -> [u32; 4] {
        let at = self.block.wrapping_add(offset);
        philox(
            [at as u32, (at >> 32) as u32, self.stream as u32, (self.stream >> 32) as u32],
            [self.seed as u32, (self.seed >> 32) as u32],
        )
    }

    /// The words of the blocks from `self.block + offset` on, in order. The rounds of [`philox`] are done for many
    /// blocks side by side, so that they become vector instructions.
    ///
    /// Each word of a counter is in the lower half of a u64, whose upper half may have anything: the next round
    /// multiplies in 64 bits, and so takes its operands there.
    #[inline(always)]
    pub fn words_at_once(&self, offset: u64) -> [u32; WORDS_AT_ONCE] {
        let first = self.block.wrapping_add(offset);
        let low = |word: u64| u64::from(word as u32);
        let mut c0: [u64; BLOCKS_AT_ONCE] = std::array::from_fn(|block| first.wrapping_add(block as u64));
        let mut c1 = c0.map(|at| at >> 32);
        let mut c2 = [self.stream; BLOCKS_AT_ONCE];
        let mut c3 = [self.stream >> 32; BLOCKS_AT_ONCE];
        let mut key = [self.seed as u32, (self.seed >> 32) as u32];
        for round in 0..10 {
            if round > 0 {
                key = bump(key);
            }
            for i in 0..BLOCKS_AT_ONCE {
                let p0 = low(c0[i]) * u64::from(M0);
                let p1 = low(c2[i]) * u64::from(M1);
                c0[i] = (p1 >> 32) ^ c1[i] ^ u64::from(key[0]);
                c1[i] = p1;
                c2[i] = (p0 >> 32) ^ c3[i] ^ u64::from(key[1]);
                c3[i] = p0;
            }
        }
        let mut words = [0; WORDS_AT_ONCE];
        for (i, block) in words.chunks_exact_mut(4).enumerate() {
            block.copy_from_slice(&[c0[i] as u32, c1[i] as u32, c2[i] as u32, c3[i] as u32]);
        }
        words
    }

    /// Word `index` of the array that starts here.
    #[inline]
    pub fn word(&self, index: u64) -> u32 {
        self.words(index / 4)[(index % 4) as usize]
    }
}

/// The largest number of streams that this crate itself uses; a captured CUDA step has a place for each of them.
pub const STREAMS: usize = 32;

/// What random numbers are used for. Each purpose has its own stream, so that drawing more numbers from one never
/// shifts another.
///
/// ```
/// use minimax::random::{Purpose, Random};
///
/// const NOISE: Purpose = Purpose::named("noise on the labels");
/// let mut noise = Random::new(7, NOISE);
/// assert_eq!(noise.normal(3).len(), 3);
/// assert_ne!(Random::new(7, NOISE).words(1), Random::new(7, Purpose::DROPOUT).words(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose(u64);

impl Purpose {
    /// The initial weights.
    pub const INITIAL: Purpose = Purpose(1);
    /// Dropout masks.
    pub const DROPOUT: Purpose = Purpose(3);
    /// The order of the data in each epoch.
    pub const SHUFFLE: Purpose = Purpose(4);
    /// The inputs of tests and checks.
    pub const CHECK: Purpose = Purpose(7);

    /// A purpose of your own. Its stream follows from `name`: the probability that two names share one is about 2⁻⁶³.
    ///
    /// A captured CUDA step has no place for it, so what draws from it must stay outside of such a step.
    pub const fn named(name: &str) -> Purpose {
        // FNV-1a, with the highest bit set: the streams below are this crate's.
        let (mut hash, bytes, mut i) = (0xcbf2_9ce4_8422_2325_u64, name.as_bytes(), 0);
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
            i += 1;
        }
        Purpose(hash | 1 << 63)
    }

    /// A purpose of another module of this crate, by its stream's number, which no other purpose may have. Besides
    /// those above, these are taken: 2, 5, 8 and 9 (`gan::model`), 6 (`data::digits`), 10 and 11 (`metrics`), 12
    /// (`data::stacked`), 13 (`data::plane`), 15 (`judge::shift`), 17 (`data::flip`), 18 to 21
    /// (`data::semi_supervised`).
    ///
    /// # Panics
    /// If it is not below [`STREAMS`].
    pub(crate) const fn new(stream: u64) -> Purpose {
        assert!(stream < STREAMS as u64, "random: there are 32 streams, 0 to 31");
        Purpose(stream)
    }

    /// The number of its stream.
    pub const fn stream(self) -> u64 {
        self.0
    }
}

/// A stream of random numbers that remembers how far it has been read.
///
/// ```
/// use minimax::random::{Purpose, Random};
///
/// let mut random = Random::new(7, Purpose::named("an example"));
/// let dice: Vec<u32> = (0..5).map(|_| 1 + random.below(6)).collect();
/// assert!(dice.iter().all(|pips| (1..=6).contains(pips)));
/// assert_eq!(random.normal(1000).len(), 1000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Random {
    next: Position,
}

impl Random {
    /// The stream of `purpose` for this seed, from its start.
    pub fn new(seed: u64, purpose: Purpose) -> Random {
        Random { next: Position { seed, stream: purpose.stream(), block: 0 } }
    }

    /// Reserves `count` numbers and says where they start.
    pub fn reserve(&mut self, count: usize) -> Position {
        let start = self.next;
        self.next.block += count.div_ceil(4) as u64;
        start
    }

    /// Where the next numbers start.
    pub fn position(&self) -> Position {
        self.next
    }

    /// Skips `blocks` blocks of four words.
    pub fn skip(&mut self, blocks: u64) {
        self.next.block += blocks;
    }

    /// `count` random words of 32 bits.
    pub fn words(&mut self, count: usize) -> Vec<u32> {
        let start = self.reserve(count);
        let mut out = Vec::with_capacity(count.next_multiple_of(4));
        for block in 0..count.div_ceil(4) {
            out.extend(start.words(block as u64));
        }
        out.truncate(count);
        out
    }

    /// `count` numbers uniform on [0, 1): the upper 24 bits of a word times 2⁻²⁴, exact in f32.
    pub fn uniform(&mut self, count: usize) -> Vec<f64> {
        self.words(count).into_iter().map(unit).collect()
    }

    /// One number uniform on [low, high).
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform(1)[0]
    }

    /// One integer below `bound` (multiply-shift of one word; bias below 2⁻³² · bound).
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.words(1)[0]) * u64::from(bound)) >> 32) as u32
    }

    /// `count` numbers from N(0, 1), rounded to f32 so that every device starts from the same values.
    ///
    /// Box and Muller (1958), in f64, from pairs of words (a, b), which give two normals:
    /// r = sqrt(-2 ln(1 - unit(a))), θ = 2π unit(b), then r cos θ and r sin θ.
    pub fn normal(&mut self, count: usize) -> Vec<f64> {
        let words = self.words(count.next_multiple_of(2));
        let mut out = Vec::with_capacity(words.len());
        for pair in words.chunks_exact(2) {
            let r = (-2.0 * libm::log(1.0 - unit(pair[0]))).sqrt();
            let (sin, cos) = libm::sincos(std::f64::consts::TAU * unit(pair[1]));
            out.extend([f64::from((r * cos) as f32), f64::from((r * sin) as f32)]);
        }
        out.truncate(count);
        out
    }

    /// A random order of 0..count (Fisher and Yates).
    ///
    /// # Panics
    /// If `count` is above `u32::MAX`.
    #[track_caller]
    pub fn permutation(&mut self, count: usize) -> Vec<u32> {
        let Ok(end) = u32::try_from(count) else {
            panic!("permutation: {count} is more than {} numbers", u32::MAX);
        };
        let mut order: Vec<u32> = (0..end).collect();
        let words = self.words(count);
        for i in (1..count).rev() {
            let j = ((u64::from(words[i]) * (i as u64 + 1)) >> 32) as usize;
            order.swap(i, j);
        }
        order
    }
}

/// A word as a number on [0, 1) with 24 bits.
#[inline]
pub fn unit(word: u32) -> f64 {
    f64::from(word >> 8) * (1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that Random123 publishes for philox4x32-10.
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn reading_in_pieces_or_at_once_gives_the_same_words() {
        let mut whole = Random::new(7, Purpose::INITIAL);
        let mut pieces = whole.clone();
        let all = whole.words(24);
        let start = pieces.reserve(8);
        assert_eq!(all[5], start.word(5));
        let mut rest = pieces.words(12);
        rest.extend(pieces.words(4));
        assert_eq!(all[8..], rest);
        assert_eq!(whole, pieces);
    }

    /// Across the carry of the counter's lower word, too.
    #[test]
    fn blocks_made_at_once_are_the_same_blocks() {
        for block in [0, u64::from(u32::MAX) - 5, u64::MAX - 5] {
            let start = Position { seed: u64::MAX - 5, stream: u64::MAX / 3, block };
            let words: Vec<u32> = (3..3 + 16).flat_map(|i| start.words(i)).collect();
            assert_eq!(start.words_at_once(3)[..], words);
        }
    }

    #[test]
    fn moments_of_normal_and_uniform() {
        let mut random = Random::new(1, Purpose::CHECK);
        let x = random.normal(100_000);
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let var = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64;
        assert!(mean.abs() < 0.02 && (var - 1.0).abs() < 0.02, "{mean} {var}");
        let u = random.uniform(100_000);
        let mean = u.iter().sum::<f64>() / u.len() as f64;
        assert!((mean - 0.5).abs() < 0.005 && u.iter().all(|v| (0.0..1.0).contains(v)));
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = Random::new(3, Purpose::SHUFFLE).permutation(1000);
        assert_ne!(order[..4], [0, 1, 2, 3]);
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &v)| i as u32 == v));
    }
}
