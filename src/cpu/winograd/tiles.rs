//! Images cut into tiles, to which transforms are applied and from whose places images come back.

use super::matrices::{POINTS, Transform};
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use rayon::prelude::*;

/// Values whose sums stay in registers.
const CHUNK: usize = 64;

/// A vector, of those that fill no such chunk.
pub(super) const VECTOR: usize = 16;

/// Images `[n, h, w, c]` and the tiles that cover them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiled {
    image: [usize; 3],
    /// Tiles down and across.
    count: [usize; 2],
    /// From a tile to the next, in pixels.
    spacing: [usize; 2],
    /// How far the first tile begins before the image.
    before: [usize; 2],
    /// A tile's pixels, some of which may lie outside of the image.
    patch: [usize; 2],
}

impl Tiled {
    /// An image that is a single tile: a kernel `[kh, kw, c]`.
    pub fn kernel(size: [usize; 2], c: usize) -> Tiled {
        Tiled { image: [size[0], size[1], c], count: [1, 1], spacing: size, before: [0, 0], patch: size }
    }

    /// Outputs, cut into tiles of `patch`.
    pub fn outputs(image: [usize; 3], patch: [usize; 2]) -> Tiled {
        Tiled {
            image,
            count: [image[0].div_ceil(patch[0]), image[1].div_ceil(patch[1])],
            spacing: patch,
            before: [0, 0],
            patch,
        }
    }

    /// The inputs that the tiles of `outputs` meet.
    pub fn inputs(image: [usize; 3], outputs: &Tiled, before: [usize; 2]) -> Tiled {
        Tiled { image, before, patch: [POINTS, POINTS], ..*outputs }
    }

    /// Values of an image.
    pub fn values(&self) -> usize {
        self.image.iter().product()
    }

    /// Tiles of an image.
    pub fn tiles(&self) -> usize {
        self.count[0] * self.count[1]
    }

    pub fn channels(&self) -> usize {
        self.image[2]
    }

    /// The channels of pixel (i, j) of a tile, counted through `images`, unless it lies outside.
    fn pixel<'a>(&self, images: &'a [f32], tile: usize, i: usize, j: usize) -> Option<&'a [f32]> {
        let [h, w, c] = self.image;
        let (image, tile) = (tile / self.tiles(), tile % self.tiles());
        let [down, across] = [tile / self.count[1], tile % self.count[1]];
        let y = (down * self.spacing[0] + i).checked_sub(self.before[0])?;
        let x = (across * self.spacing[1] + j).checked_sub(self.before[1])?;
        (y < h && x < w).then(|| &images[((image * h + y) * w + x) * c..][..c])
    }

    /// Row `row` of the transformed tiles of `images`, `[8, tiles, c]`: L d Rᵀ for a tile d.
    pub fn spread(&self, images: &[f32], [l, r]: [&Transform; 2], row: usize, to: &mut [f32]) {
        let c = self.channels();
        let tiles = images.len() / self.values() * self.tiles();
        let mut columns = Buffer::unspecified(self.patch[1] * c);
        for tile in 0..tiles {
            for (j, column) in columns.chunks_exact_mut(c).enumerate() {
                let pixel = |i| self.pixel(images, tile, i, j);
                combine(&l.0[row], (0..self.patch[0]).map(pixel), column);
            }
            for (place, coefficients) in r.0.iter().enumerate() {
                let to = &mut to[(place * tiles + tile) * c..][..c];
                combine(coefficients, columns.chunks_exact(c).map(Some), to);
            }
        }
    }

    /// Back along a row: the `patch[1]` columns `[tiles, columns, c]` of a row of places `[8, tiles, c]`.
    pub fn gather_columns(&self, places: &[f32], r: &Transform, to: &mut [f32]) {
        let c = self.channels();
        let plane = places.len() / POINTS;
        for (tile, to) in to.chunks_exact_mut(self.patch[1] * c).enumerate() {
            for (coefficients, to) in r.0.iter().zip(to.chunks_exact_mut(c)) {
                let place = |place| Some(&places[place * plane + tile * c..][..c]);
                combine(coefficients, (0..POINTS).map(place), to);
            }
        }
    }

    /// Brings the rows together: `images` from `columns` `[8, tiles, columns, c]`.
    pub fn gather_rows(&self, columns: &[f32], l: &Transform, images: &mut [f32]) {
        let [h, w, c] = self.image;
        let row = columns.len() / POINTS;
        images.par_chunks_mut(w * c).enumerate().for_each(|(y, to)| {
            let (image, y) = (y / h, y % h);
            let down = image * self.count[0] + y / self.patch[0];
            for (x, to) in to.chunks_exact_mut(c).enumerate() {
                let tile = down * self.count[1] + x / self.patch[1];
                let at = (tile * self.patch[1] + x % self.patch[1]) * c;
                let place = |place| Some(&columns[place * row + at..][..c]);
                combine(&l.0[y % self.patch[0]], (0..POINTS).map(place), to);
            }
        });
    }
}

/// to = Σ_i coefficient_i · source_i, where a source that is absent is zeros, for whole vectors.
fn combine<'a>(coefficients: &[f32; POINTS], sources: impl Iterator<Item = Option<&'a [f32]>>, to: &mut [f32]) {
    assert!(to.len().is_multiple_of(VECTOR), "Winograd: whole vectors");
    let mut terms: [(f32, &[f32]); POINTS] = [(0.0, &[]); POINTS];
    let mut count = 0;
    for (&coefficient, source) in coefficients.iter().zip(sources) {
        if let (true, Some(source)) = (coefficient != 0.0, source) {
            terms[count] = (coefficient, &source[..to.len()]);
            count += 1;
        }
    }
    let terms = &terms[..count];
    widest(
        #[inline(always)]
        move || {
            let done = add_up::<CHUNK>(terms, to, 0);
            add_up::<VECTOR>(terms, to, done);
        },
    );
}

/// [`combine`] for as many whole chunks of `N` values as there are from `start` on; where they end.
#[inline(always)]
fn add_up<const N: usize>(terms: &[(f32, &[f32])], to: &mut [f32], start: usize) -> usize {
    let (chunks, _) = to[start..].as_chunks_mut::<N>();
    let end = start + chunks.len() * N;
    for (i, to) in chunks.iter_mut().enumerate() {
        let mut sum = [0.0; N];
        for (coefficient, source) in terms {
            let source = &source[start + i * N..][..N];
            for (sum, value) in sum.iter_mut().zip(source) {
                *sum = value.mul_add(*coefficient, *sum);
            }
        }
        *to = sum;
    }
    end
}
