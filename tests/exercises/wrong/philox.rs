//! Increases the key before the first round already.
// says: philox is right in 0 of 9 cases
// says: Case 1 of 9, "all zero"
// says: The first is at [0]

pub fn philox(counter: [u32; 4], [mut k0, mut k1]: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    for _ in 0..10 {
        k0 = k0.wrapping_add(0x9E3779B9);
        k1 = k1.wrapping_add(0xBB67AE85);
        let p0 = u64::from(c0) * 0xD2511F53;
        let p1 = u64::from(c2) * 0xCD9E8D57;
        (c0, c1, c2, c3) = ((p1 >> 32) as u32 ^ c1 ^ k0, p1 as u32, (p0 >> 32) as u32 ^ c3 ^ k1, p0 as u32);
    }
    [c0, c1, c2, c3]
}
