//! `exp`, `ln`, `tanh`, `sigmoid`, `softplus`, `erf` and `elu` in f32, without a branch or a table, so that a loop over
//! them becomes vectors of whatever width the machine has.
//!
//! ```text
//! eˣ = 2ᵏ · (1 + r + r² Q(r))                x = k ln 2 + r, |r| ≤ ½ ln 2
//! ln x = k ln 2 + 2 artanh(s)                x = 2ᵏ m, m in [√½, √2), s = (m - 1) / (m + 1)
//! 2 artanh(s) = 2s + s z P(z)                z = s² ≤ 1/9
//! erf x = x S(x²)                            |x| ≤ 1
//! erf x = ±(1 - e^(-|x| T(|x|)))             1 < |x| ≤ 4; beyond, it rounds to ±1
//! ```
//!
//! Q, P, S and T interpolate in Chebyshev nodes, which leaves the functions a relative error of at most 2·10⁻⁸. Each
//! function is within [`BOUND`] of the true value, as a share of it, wherever that is a normal number; the tests hold
//! them to it over the whole range.

use std::f32::consts::{FRAC_2_SQRT_PI, LOG2_E, SQRT_2};

/// The largest relative error of a function of this module: 2⁻²², four units in the last place of a
/// result just above a power of two.
pub const BOUND: f64 = 1.0 / (1 << 22) as f64;

/// ln 2 in two parts: the first has so few bits that k times it is exact.
const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];

/// Q, from the constant up.
const Q: [f32; 5] = [0.5, 0.166_665_76, 0.041_666_556, 0.008_363_179, 0.001_392_618_4];

/// P, from the constant up.
const P: [f32; 4] = [0.666_666_4, 0.400_075_6, 0.282_366_2, 0.268_515];

/// S, from the constant up.
const S: [f32; 7] =
    [FRAC_2_SQRT_PI, -0.376_126_26, 0.112_835_94, -0.026_854_211, 0.005_189_087, -8.016_864_3e-4, 7.875_875e-5];

/// T, from the constant up: -ln(1 - erf t) / t on [1, 4].
const T: [f32; 8] = [
    1.128_957_2,
    0.633_971_45,
    0.108_091_91,
    -0.025_308_6,
    0.004_373_922_6,
    -5.157_455_7e-4,
    3.659_301_2e-5,
    -1.166_032_5e-6,
];

/// eˣ.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Beyond these bounds the result is 0 or infinite; without them k would not fit into an exponent.
    let (k, r) = reduce(x.clamp(-104.0, 89.0));
    // In two steps, as 2ᵏ alone may not be a normal number where the result still is one.
    let half = k >> 1;
    (1.0 + expm1_reduced(r)) * power_of_two(half) * power_of_two(k - half)
}

/// The hyperbolic tangent, -u / (2 + u) with u = e^(-2|x|) - 1, and the sign of x.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // By then it is 1, and 2ᵏ is still a normal number.
    let (k, r) = reduce((-2.0 * x.abs()).max(-40.0));
    let scale = power_of_two(k);
    let u = scale.mul_add(expm1_reduced(r), scale - 1.0);
    let y = (-u / (2.0 + u)).copysign(x);
    if x.is_nan() { x } else { y }
}

/// The logistic function, 1 / (1 + e⁻ˣ); as eˣ / (1 + eˣ) below 0, where that loses nothing.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|), the logarithm by s = e / (2 + e).
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let e = exp(-x.abs());
    let y = twice_artanh(e / (2.0 + e)) + if x > 0.0 { x } else { 0.0 };
    if x.is_nan() { x } else { y }
}

/// The error function, 2/√π ∫₀ˣ e^(-t²) dt.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let t = x.abs().min(4.0);
    let near = polynomial(&S, t * t) * x;
    let far = (1.0 - exp(-t * polynomial(&T, t))).copysign(x);
    let y = if t <= 1.0 { near } else { far };
    if x.is_nan() { x } else { y }
}

/// x where it is positive, eˣ - 1 elsewhere.
#[inline(always)]
pub fn elu(x: f32) -> f32 {
    // By then it is -1, and 2ᵏ is still a normal number.
    let (k, r) = reduce(x.clamp(-40.0, 0.0));
    let scale = power_of_two(k);
    let below = scale.mul_add(expm1_reduced(r), scale - 1.0);
    if x < 0.0 { below } else { x }
}

/// The natural logarithm: -∞ at 0, NaN below.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    const MANTISSA: u32 = (1 << 23) - 1;
    // A subnormal number is scaled to a normal one first.
    let subnormal = x < f32::MIN_POSITIVE;
    let bits = (if subnormal { x * 8_388_608.0 } else { x }).to_bits();
    let exponent = (bits >> 23) as i32 - if subnormal { 127 + 23 } else { 127 };
    let m = f32::from_bits(bits & MANTISSA | 1.0_f32.to_bits());
    let above = m > SQRT_2;
    let m = if above { 0.5 * m } else { m };
    let k = (exponent + i32::from(above)) as f32;

    let y = k.mul_add(LN_2[0], k.mul_add(LN_2[1], twice_artanh((m - 1.0) / (m + 1.0))));
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x == 0.0 { f32::NEG_INFINITY } else { y }
}

/// k and r of x = k ln 2 + r, for |x| up to some hundreds.
#[inline(always)]
fn reduce(x: f32) -> (i32, f32) {
    // Adding it to a small number rounds that to a whole one, which is then in the lowest bits.
    const ROUND: f32 = (3 << 22) as f32;
    let shifted = x.mul_add(LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = k.mul_add(-LN_2[1], k.mul_add(-LN_2[0], x));
    ((shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32), r)
}

/// eʳ - 1 for |r| ≤ ½ ln 2.
#[inline(always)]
fn expm1_reduced(r: f32) -> f32 {
    let q = Q[4].mul_add(r, Q[3]).mul_add(r, Q[2]).mul_add(r, Q[1]).mul_add(r, Q[0]);
    (r * r).mul_add(q, r)
}

/// The polynomial of these coefficients, from the constant up.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f32; N], x: f32) -> f32 {
    coefficients[..N - 1].iter().rev().fold(coefficients[N - 1], |sum, &c| sum.mul_add(x, c))
}

/// 2 artanh(s) for |s| ≤ 1/3.
#[inline(always)]
fn twice_artanh(s: f32) -> f32 {
    let z = s * s;
    let p = P[3].mul_add(z, P[2]).mul_add(z, P[1]).mul_add(z, P[0]);
    (s * z).mul_add(p, 2.0 * s)
}

/// 2ᵏ, for k from -126 to 127.
#[inline(always)]
fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Function = (&'static str, fn(f32) -> f32, fn(f64) -> f64);

    const FUNCTIONS: [Function; 7] = [
        ("exp", exp, libm::exp),
        ("ln", ln, libm::log),
        ("tanh", tanh, libm::tanh),
        ("sigmoid", sigmoid, |x| 1.0 / (1.0 + libm::exp(-x))),
        ("softplus", softplus, |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs()))),
        ("erf", erf, libm::erf),
        ("elu", elu, |x| if x < 0.0 { libm::expm1(x) } else { x }),
    ];

    /// Numbers of every sign, exponent and size, and those around which the functions change their ways.
    fn arguments() -> impl Iterator<Item = f32> {
        let spread = (0..=u32::MAX).step_by(4093).map(f32::from_bits);
        let dense = (-400_000..400_000).map(|i| i as f32 * 3.1e-4);
        let special = [0.0, -0.0, 1.0, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN];
        spread.chain(dense).chain(special)
    }

    #[test]
    fn every_function_is_within_its_bound() {
        for (name, f, exact) in FUNCTIONS {
            let mut worst = (0.0, 0.0);
            for x in arguments() {
                let (y, exact) = (f(x), exact(f64::from(x)));
                let rounded = exact as f32;
                let error = match rounded.is_normal() && y.is_finite() {
                    true => ((f64::from(y) - exact) / exact).abs(),
                    // Zeros, infinities and NaN as they are; of subnormal numbers the last few bits, and at
                    // the largest number the step to infinity.
                    false if y == rounded || y.is_nan() && exact.is_nan() => 0.0,
                    false if (f64::from(y) - exact).abs() < 4e-45 => 0.0,
                    false if rounded == f32::INFINITY && f64::from(y) * (1.0 + BOUND) > exact => 0.0,
                    false => f64::INFINITY,
                };
                if error > worst.0 {
                    worst = (error, x);
                }
            }
            println!("{name}: {:.3e} at {:e} ({:.2} * 2^-24)", worst.0, worst.1, worst.0 * 16777216.0);
            assert!(worst.0 <= BOUND, "{name}: off by {} of it at {}", worst.0, worst.1);
        }
    }
}
