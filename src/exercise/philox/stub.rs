//! # Random numbers from a counter: Philox4x32-10
//!
//! A usual generator has a state that each number changes, so the hundredth number needs the
//! ninety-nine before it. Philox (Salmon, Moraes, Dror and Shaw, 2011) has none. It is a function
//! from a counter and a key to four random words of 32 bits: number them, and any thread can
//! calculate any of them at any time. The key is the seed.
//!
//! The function is made of ten rounds. A round takes a counter of four words (c0, c1, c2, c3) and a
//! key of two (k0, k1). Two of the words are multiplied by constants, and each product, which has
//! 64 bits, is cut into its high and its low 32 bits:
//!
//! ```text
//! (hi0, lo0)  =  0xD2511F53 · c0
//! (hi1, lo1)  =  0xCD9E8D57 · c2
//!
//! c0  ←  hi1 ^ c1 ^ k0
//! c1  ←  lo1
//! c2  ←  hi0 ^ c3 ^ k1
//! c3  ←  lo0
//! ```
//!
//! ^ is the exclusive or, bit by bit. All four are replaced at once: the right-hand sides are the
//! old words. Note where the words cross over: c0 gets the high half of c2's product.
//!
//! Between one round and the next, so nine times in all, each word of the key is increased by a
//! constant, and what goes beyond 32 bits is lost:
//!
//! ```text
//! k0  ←  k0 + 0x9E3779B9   mod 2³²        (from the golden ratio)
//! k1  ←  k1 + 0xBB67AE85   mod 2³²        (from the root of 3)
//! ```
//!
//! The first round uses the key as it is given. The result is the counter after the tenth round.
//!
//! A multiplication mixes the lower bits of a word into the higher ones, and the crossing over
//! brings the higher ones to where the next round's multiplication finds them. A round can be
//! undone, so with one key different counters never give the same four words.
//!
//! In cases and reports the words are shown in decimal. For the counter (0, 0, 0, 0) and the key (0, 0) the
//! result is (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8).

/// The four words of a counter and a key.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    todo!()
}
