//! Cuts images into tiles, transforms these, and puts images together again from transformed tiles.

use super::matrices::{MAX_POINTS, Transform};
use super::stack::Stack;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use rayon::prelude::*;

/// The longest vector of any instruction set.
pub(super) const VECTOR: usize = 16;

/// A coefficient other than 0 of a sum, and where the values lie that it belongs to: the first, and from each to the
/// next.
#[derive(Clone, Copy, Default)]
struct Term {
    coefficient: f32,
    start: usize,
    stride: usize,
}

/// A sum that a transform makes, at some places one after another.
#[derive(Clone, Copy)]
struct Terms {
    all: [Term; MAX_POINTS],
    count: usize,
}

impl Terms {
    /// A coefficient for each of `places`, given as start and stride; what has none is zeros.
    #[inline(always)]
    fn new(coefficients: &[f32; MAX_POINTS], places: impl Iterator<Item = Option<[usize; 2]>>) -> Terms {
        let mut terms = Terms { all: [Term::default(); MAX_POINTS], count: 0 };
        for (&coefficient, place) in coefficients.iter().zip(places) {
            if let (true, Some([start, stride])) = (coefficient != 0.0, place) {
                terms.all[terms.count] = Term { coefficient, start, stride };
                terms.count += 1;
            }
        }
        terms
    }

    /// to = Σ_i coefficient_i · from[start_i + index · stride_i ..], for whole vectors.
    ///
    /// # Panics
    /// If a term reaches outside of `from`.
    #[inline(always)]
    fn sum(&self, from: &[f32], index: usize, to: &mut [f32]) {
        match self.count {
            0 => to.fill(0.0),
            1 => self.sum_of::<1>(from, index, to),
            2 => self.sum_of::<2>(from, index, to),
            3 => self.sum_of::<3>(from, index, to),
            4 => self.sum_of::<4>(from, index, to),
            5 => self.sum_of::<5>(from, index, to),
            6 => self.sum_of::<6>(from, index, to),
            7 => self.sum_of::<7>(from, index, to),
            _ => self.sum_of::<8>(from, index, to),
        }
    }

    /// [`Terms::sum`] of `N` terms, a number that the compiler knows.
    #[inline(always)]
    #[expect(unsafe_code, reason = "sums of a few vectors, for which a slice of each term takes as long as the sum")]
    fn sum_of<const N: usize>(&self, from: &[f32], index: usize, to: &mut [f32]) {
        let last = from.len().checked_sub(to.len()).expect("as many values as are to be written");
        let starts: [usize; N] = std::array::from_fn(|n| {
            let start = self.all[n].start + index * self.all[n].stride;
            assert!(start <= last, "Winograd: a term outside of its values");
            start
        });
        let coefficients: [f32; N] = std::array::from_fn(|n| self.all[n].coefficient);
        for (i, to) in to.as_chunks_mut::<VECTOR>().0.iter_mut().enumerate() {
            let mut sum = [0.0; VECTOR];
            for n in 0..N {
                // SAFETY: this is the i-th of the vectors that fit into `to`, and as many values fit behind every
                // start.
                let values = unsafe { &*from.as_ptr().add(starts[n] + i * VECTOR).cast::<[f32; VECTOR]>() };
                for (sum, value) in sum.iter_mut().zip(values) {
                    *sum = value.mul_add(coefficients[n], *sum);
                }
            }
            *to = sum;
        }
    }
}

/// One axis of images, the tiles along it, and what is done to them along it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Pixels.
    pub pixels: usize,
    /// Tiles.
    pub tiles: usize,
    /// Pixels of a tile. Some may lie outside of the image.
    pub patch: usize,
    /// The first tile's first pixel.
    pub first: isize,
    /// From a pixel of a tile to the next.
    pub step: usize,
    /// From a tile to the next, in steps.
    pub spacing: usize,
    /// From a tile's pixels to points, or from points to pixels.
    pub transform: Transform,
}

impl Cut {
    /// Pixel `i` of a tile, unless it lies outside.
    fn pixel(&self, tile: usize, i: usize) -> Option<usize> {
        let at = self.first + ((tile * self.spacing + i) * self.step) as isize;
        (0..self.pixels as isize).contains(&at).then_some(at as usize)
    }

    /// The tile that pixel `at` belongs to and its place there, for tiles side by side; none if it is no tile's.
    fn place(&self, at: usize) -> Option<[usize; 2]> {
        let from = at as isize - self.first;
        let (at, rest) = (from / self.step as isize, from % self.step as isize);
        let inside = from >= 0 && rest == 0 && at < (self.tiles * self.patch) as isize;
        inside.then_some([at as usize / self.patch, at as usize % self.patch])
    }
}

/// Where the values at one point of the tiles lie: those of a tile `stride` behind the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub point: usize,
    pub start: usize,
    pub stride: usize,
}

impl Place {
    /// Where each of the tiles begins.
    pub fn tiles(self, tiles: usize) -> impl Iterator<Item = usize> {
        let Place { start, stride, .. } = self;
        (0..tiles).map(move |tile| start + tile * stride)
    }
}

/// Images `[n, h, w, c]` and the ways their axes are cut: one for each phase.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub rows: Vec<Cut>,
    pub columns: Vec<Cut>,
    pub channels: usize,
}

impl Side {
    /// Values of an image.
    pub fn values(&self) -> usize {
        self.rows[0].pixels * self.columns[0].pixels * self.channels
    }

    /// Tiles of an image, as many in each phase.
    pub fn tiles(&self) -> usize {
        self.rows[0].tiles * self.columns[0].tiles
    }

    /// All pairs of phases.
    fn phases(&self) -> impl Iterator<Item = [usize; 2]> {
        let columns = self.columns.len();
        (0..self.rows.len()).flat_map(move |h| (0..columns).map(move |w| [h, w]))
    }

    /// The images as two of the phases cut them.
    fn tiled(&self, [h, w]: [usize; 2]) -> Tiled<'_> {
        Tiled { rows: &self.rows[h], columns: &self.columns[w], channels: self.channels }
    }

    /// Row `row` of the places of `images`, as `stack` has them.
    pub fn spread(&self, images: &[f32], row: usize, stack: &Stack) -> Buffer {
        let c = self.channels;
        assert!(c.is_multiple_of(VECTOR), "Winograd: whole vectors");
        let tiles = images.len() / self.values() * self.tiles();
        let mut values = Buffer::unspecified(stack.len(tiles, c));
        for phase in self.phases() {
            self.tiled(phase).spread(images, row, &stack.places(phase, tiles, c), &mut values);
        }
        values
    }

    /// Values of the columns that a row of places gives for `values` values of images: those of a phase beside
    /// another's.
    pub fn columns_len(&self, values: usize) -> usize {
        self.phases().count() * self.phase_columns_len(values)
    }

    fn phase_columns_len(&self, values: usize) -> usize {
        let patch = self.columns.iter().map(|cut| cut.patch).max().unwrap_or(0);
        values / self.values() * self.tiles() * patch * self.channels
    }

    /// Back along a row: the columns `[phases, tiles, patch, c]` of a row of places of `tiles` tiles.
    pub fn gather_columns(&self, places: &[f32], stack: &Stack, tiles: usize, columns: &mut [f32]) {
        let length = columns.len() / self.phases().count();
        for (phase, columns) in self.phases().zip(columns.chunks_exact_mut(length)) {
            self.tiled(phase).gather_columns(places, &stack.places(phase, tiles, self.channels), tiles, columns);
        }
    }

    /// Brings the rows together: `images` from the columns of all rows of places.
    pub fn gather_rows(&self, columns: &[f32], points: usize, images: &mut [f32]) {
        let c = self.channels;
        let [row, part] = [self.columns_len(images.len()), self.phase_columns_len(images.len())];
        let [h, w] = [self.rows[0].pixels, self.columns[0].pixels];
        let place = |cuts: &[Cut], at: usize| {
            let mut places = cuts.iter().enumerate().filter_map(|(phase, cut)| Some((phase, cut.place(at)?)));
            places.next().expect("every pixel is a phase's")
        };
        let across: Vec<_> = (0..w).map(|x| place(&self.columns, x)).collect();
        images.par_chunks_mut(w * c).enumerate().for_each(|(y, to)| {
            let image = y / h;
            let (phase_down, [down, i]) = place(&self.rows, y % h);
            let terms =
                Terms::new(&self.rows[phase_down].transform.0[i], (0..points).map(|point| Some([point * row, 1])));
            let down = (image * self.rows[0].tiles + down) * self.columns[0].tiles;
            let across = &across[..];
            widest(
                #[inline(always)]
                move || {
                    for (to, &(phase, [tile, j])) in to.chunks_exact_mut(c).zip(across) {
                        let start = (phase_down * self.columns.len() + phase) * part;
                        let at = start + ((down + tile) * self.columns[phase].patch + j) * c;
                        terms.sum(columns, at, to);
                    }
                },
            );
        });
    }
}

/// Images `[n, h, w, c]` and tiles of them.
struct Tiled<'a> {
    rows: &'a Cut,
    columns: &'a Cut,
    channels: usize,
}

impl Tiled<'_> {
    /// Values of an image.
    fn values(&self) -> usize {
        self.rows.pixels * self.columns.pixels * self.channels
    }

    /// Row `row` of the transformed tiles of `images`, L d Rᵀ for a tile d, to `places`.
    fn spread(&self, images: &[f32], row: usize, places: &[Place], to: &mut [f32]) {
        let c = self.channels;
        let Cut { tiles, patch, spacing, transform: r, .. } = *self.columns;
        let rows = images.len() / self.values() * self.rows.tiles;
        // Tiles side by side share columns.
        let mut columns = Buffer::unspecified(((tiles - 1) * spacing + patch) * c);
        let starts = (0..patch).map(|j| Some([j * c, spacing * c]));
        let across: Vec<Terms> = places.iter().map(|place| Terms::new(&r.0[place.point], starts.clone())).collect();
        let (columns, across, l) = (&mut columns[..], &across[..], &self.rows.transform.0[row]);
        widest(
            #[inline(always)]
            move || {
                for row in 0..rows {
                    self.sum_columns(images, l, row, columns);
                    for tile in 0..tiles {
                        for (place, terms) in places.iter().zip(across) {
                            let at = place.start + (row * tiles + tile) * place.stride;
                            terms.sum(columns, tile, &mut to[at..][..c]);
                        }
                    }
                }
            },
        );
    }

    /// The columns that a row of tiles has of a row of L d.
    #[inline(always)]
    fn sum_columns(&self, images: &[f32], l: &[f32; MAX_POINTS], row: usize, columns: &mut [f32]) {
        let (image, down) = (row / self.rows.tiles, row % self.rows.tiles);
        let line = |i| {
            let line = image * self.rows.pixels + self.rows.pixel(down, i)?;
            Some([line * self.columns.pixels * self.channels, self.channels])
        };
        let terms = Terms::new(l, (0..self.rows.patch).map(line));
        for (j, column) in columns.chunks_exact_mut(self.channels).enumerate() {
            match self.columns.pixel(0, j) {
                Some(x) => terms.sum(images, x, column),
                None => column.fill(0.0),
            }
        }
    }

    /// Back along a row: the columns `[tiles, patch, c]` of `tiles` tiles from the `places` of a row, which lie in
    /// `from`.
    fn gather_columns(&self, from: &[f32], places: &[Place], tiles: usize, to: &mut [f32]) {
        let (c, Cut { patch, transform: r, .. }) = (self.channels, *self.columns);
        let terms = |row: &[f32; MAX_POINTS]| {
            let mut coefficients = [0.0; MAX_POINTS];
            for (coefficient, place) in coefficients.iter_mut().zip(places) {
                *coefficient = row[place.point];
            }
            Terms::new(&coefficients, places.iter().map(|place| Some([place.start, place.stride])))
        };
        let rows: Vec<Terms> = r.0[..patch].iter().map(terms).collect();
        let rows = &rows[..];
        widest(
            #[inline(always)]
            move || {
                for (tile, to) in to[..tiles * patch * c].chunks_exact_mut(patch * c).enumerate() {
                    for (terms, to) in rows.iter().zip(to.chunks_exact_mut(c)) {
                        terms.sum(from, tile, to);
                    }
                }
            },
        );
    }
}
