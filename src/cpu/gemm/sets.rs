//! The instruction sets that microkernels are compiled for, and the one in use.

#[cfg(target_arch = "x86_64")]
use super::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512;
use super::portable::Portable;
use super::table::Microkernels;
use crate::cpu::isa::{self, InstructionSet};

#[cfg(target_arch = "x86_64")]
static AVX512: Microkernels = Microkernels::new::<Avx512>("AVX-512");

#[cfg(target_arch = "x86_64")]
static AVX2: Microkernels = Microkernels::new::<Avx2>("AVX2");

static PORTABLE: Microkernels = Microkernels::new::<Portable<1>>("portable");

/// The sizes of AVX-512's vectors and tiles: what is summed by these is what it sums.
#[cfg(test)]
static AS_AVX512: Microkernels = Microkernels::new::<Portable<4>>("like AVX-512");

/// Those that kernels are to run with now.
pub fn microkernels() -> &'static Microkernels {
    of(isa::current())
}

/// All that this machine can run, the widest first.
pub fn available() -> Vec<&'static Microkernels> {
    InstructionSet::available().map(of).collect()
}

/// [`available`], and the substitute for AVX-512 on machines without it.
#[cfg(test)]
pub(super) fn testable() -> Vec<&'static Microkernels> {
    let mut all = available();
    all.push(&AS_AVX512);
    all
}

fn of(set: InstructionSet) -> &'static Microkernels {
    match set {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => &AVX512,
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => &AVX2,
        _ => &PORTABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::super::dots::{self, Dots};
    use super::super::microkernel::{MAX_COLUMNS, ROWS, Start, Tile};
    use super::super::prefetch::Ahead;
    use super::super::rows::Rows;
    use super::super::walk::Walk;
    use super::*;
    use crate::random::{Purpose, Random};

    const WALK: Walk = Walk { planes: 2, plane: 230, segments: 3, segment: 40, run: 19, step: 1 };
    const IN_ONE_PLANE: Walk = Walk { planes: 1, ..WALK };

    /// Every instruction set of this machine, every size of tile and every start against the formula.
    #[test]
    fn every_tile_follows_the_formula() {
        let mut random = Random::new(4, Purpose::CHECK);
        let mut draw = |len| -> Vec<f32> { random.normal(len).into_iter().map(|v| v as f32).collect() };
        let (a, b, before, bias) = (draw(8000), draw(9000), draw(1000), draw(MAX_COLUMNS));
        let starts = [Start::Zero, Start::Sum, Start::Bias(&bias)];
        for kernels in testable() {
            for (walk, rows, columns) in tiles(kernels) {
                let a_rows: Vec<usize> = (0..rows).map(|r| (r * 7) % 5 * 90 + r).collect();
                let c_rows: Vec<usize> = (0..rows).rev().map(|r| r * 70 + 3).collect();
                let packed = columns.next_multiple_of(kernels.lanes);
                let next = Ahead { values: &b, rows: 30, step: 17 };
                // B packed, with and without something to be fetched, and with rows that lie apart or overlap.
                let ways = [(packed, Ahead::NOTHING), (packed, next), (packed + 13, next), (packed - 1, next)];
                for ((b_step, ahead), start) in ways.into_iter().flat_map(|way| starts.map(|start| (way, start))) {
                    let mut c = before.clone();
                    let tile = Tile { walk, a: &a, a_rows: &a_rows, b: &b, b_step, start, ahead };
                    kernels.run(tile, Rows::Within(&mut c, &c_rows), columns);
                    let b_at = |k, j| b[k * b_step + j];
                    let want = formula(walk, &a, &a_rows, b_at, &before, &c_rows, columns, start);
                    assert_near(&c, &want, kernels);
                }
            }
            let highest = |columns: usize| kernels.dots_rows[columns - 1];
            for (rows, columns) in (1..=dots::COLUMNS).flat_map(|c| (1..=highest(c)).map(move |r| (r, c))) {
                let a_rows: Vec<usize> = (0..rows).map(|r| r * 100).collect();
                let c_rows: Vec<usize> = (0..rows).map(|r| r * 5).collect();
                for start in starts {
                    let mut c = before.clone();
                    let dots = Dots {
                        walk: IN_ONE_PLANE,
                        a: &a,
                        a_rows: &a_rows,
                        b: &b,
                        b_column: 60,
                        c: &mut c,
                        c_rows: &c_rows,
                        start,
                    };
                    kernels.run_dots(dots, columns);
                    let b_at = |k, j| b[j * 60 + k];
                    let want = formula(IN_ONE_PLANE, &a, &a_rows, b_at, &before, &c_rows, columns, start);
                    assert_near(&c, &want, kernels);
                }
            }
        }
    }

    fn tiles(kernels: &Microkernels) -> Vec<(Walk, usize, usize)> {
        let widths = (1..=kernels.columns()).step_by(3).chain([kernels.columns()]);
        // A first tile, and others behind it.
        let sizes = widths.flat_map(|columns| (1..=2 * ROWS).map(move |rows| (rows, columns)));
        let walks = [WALK, Walk { step: 4, run: 5, segment: 31, ..WALK }];
        sizes.flat_map(|(r, c)| walks.map(|walk| (walk, r, c))).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the formula's operands")]
    fn formula(
        walk: Walk,
        a: &[f32],
        a_rows: &[usize],
        b_at: impl Fn(usize, usize) -> f32,
        c: &[f32],
        c_rows: &[usize],
        columns: usize,
        start: Start,
    ) -> Vec<f32> {
        let mut c = c.to_vec();
        for (&a_row, &c_row) in a_rows.iter().zip(c_rows) {
            for j in 0..columns {
                let mut sum = match start {
                    Start::Zero => 0.0,
                    Start::Sum => f64::from(c[c_row + j]),
                    Start::Bias(bias) => f64::from(bias[j]),
                };
                for k in 0..walk.len() {
                    let (s, r) = (k / walk.run, k % walk.run);
                    let (p, s) = (s / walk.segments, s % walk.segments);
                    let at = a_row + p * walk.plane + s * walk.segment + r * walk.step;
                    sum += f64::from(a[at]) * f64::from(b_at(k, j));
                }
                c[c_row + j] = sum as f32;
            }
        }
        c
    }

    fn assert_near(found: &[f32], want: &[f32], kernels: &Microkernels) {
        for (i, (found, want)) in found.iter().zip(want).enumerate() {
            assert!((found - want).abs() < 2e-5, "{}: value {i} is {found}, not {want}", kernels.name);
        }
    }

    #[test]
    #[should_panic(expected = "a tile reaches outside its operands")]
    fn rows_of_b_so_far_apart_that_their_end_wraps_around_are_refused() {
        let tile = Tile {
            walk: Walk::straight(3, 1),
            a: &[0.0; 3],
            a_rows: &[0],
            b: &[0.0; 64],
            // Twice that is 0.
            b_step: 1 << (usize::BITS - 1),
            start: Start::Zero,
            ahead: Ahead::NOTHING,
        };
        let c = Rows::Within(&mut [0.0; 64], &[0]);
        microkernels().run(tile, c, microkernels().lanes);
    }

    #[test]
    #[should_panic(expected = "a tile reaches outside its operands")]
    fn a_tile_that_reaches_outside_is_refused() {
        let tile = Tile {
            walk: WALK,
            a: &[0.0; 328],
            a_rows: &[0],
            b: &[0.0; 4000],
            b_step: 64,
            start: Start::Zero,
            ahead: Ahead::NOTHING,
        };
        let c = Rows::Within(&mut [0.0; 64], &[0]);
        microkernels().run(tile, c, microkernels().lanes);
    }
}
