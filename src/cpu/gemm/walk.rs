//! How k runs through a row of A. In a matrix the values of a row are side by side, or a row's length apart if it is
//! read transposed. In a convolution's images they come in segments, one for each row of the kernel or of the image,
//! and segments of several images come in planes.

/// The most steps of k in a piece of a packed B. A tile's sums stay in registers for as long, and to begin and
/// end a tile costs as much as some ten steps.
pub const DEPTH: usize = 512;

/// Some planes of some segments of some equal steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// How many planes.
    pub planes: usize,
    /// From the beginning of a plane to that of the next, in values.
    pub plane: usize,
    /// Segments of a plane.
    pub segments: usize,
    /// Steps of a segment.
    pub run: usize,
    /// From the beginning of a segment to that of the next, in values.
    pub segment: usize,
    /// From a step to the next, in values.
    pub step: usize,
}

/// A part of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its first step, counted through the whole walk.
    pub k: usize,
    /// Where in A's rows that step lies.
    pub offset: usize,
    /// Its own steps, from there on.
    pub walk: Walk,
}

impl Walk {
    /// `length` values, `step` apart.
    pub fn straight(length: usize, step: usize) -> Walk {
        Walk { planes: 1, plane: 0, segments: 1, segment: 0, run: length, step }
    }

    /// Steps of k.
    #[expect(clippy::len_without_is_empty, reason = "a count of steps, not a container")]
    pub fn len(&self) -> usize {
        self.planes.saturating_mul(self.segments).saturating_mul(self.run)
    }

    /// Values from the first step to the last, both counted, in a row of A; so many that no row has them
    /// where the sum would overflow.
    pub fn reach(&self) -> usize {
        if self.len() == 0 {
            return 0;
        }
        let between = |count: usize, step: usize| (count - 1).saturating_mul(step);
        between(self.planes, self.plane)
            .saturating_add(between(self.segments, self.segment))
            .saturating_add(between(self.run, self.step))
            .saturating_add(1)
    }

    /// The walk in pieces of at most `depth` steps: several whole planes, or several whole segments of
    /// a plane, or a part of a segment.
    pub fn pieces(self, depth: usize) -> impl Iterator<Item = Piece> {
        let planes = (depth / (self.segments * self.run).max(1)).max(1);
        let segments = (depth / self.run.max(1)).clamp(1, self.segments.max(1));
        let parts = self.run.div_ceil(depth).max(1);
        let run = self.run.div_ceil(parts).max(1);
        let plane_starts = (0..self.planes).step_by(planes);
        let starts = plane_starts.flat_map(move |p| {
            let segment_starts = (0..self.segments).step_by(segments);
            segment_starts.flat_map(move |s| (0..self.run).step_by(run).map(move |k| [p, s, k]))
        });
        starts.map(move |[p, s, k]| Piece {
            k: (p * self.segments + s) * self.run + k,
            offset: p * self.plane + s * self.segment + k * self.step,
            walk: Walk {
                planes: planes.min(self.planes - p),
                segments: segments.min(self.segments - s),
                run: run.min(self.run - k),
                ..self
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_walk() {
        for (planes, segments, run) in
            [(1, 1, 1), (1, 1, 1000), (1, 5, 5), (1, 5, 320), (3, 28, 28), (9, 4, 4), (2, 100, 3)]
        {
            let walk = Walk { planes, plane: 1_000_000, segments, segment: 10_000, run, step: 7 };
            let steps = |walk: Walk, from: usize| {
                let planes = (0..walk.planes).map(move |p| from + p * walk.plane);
                let segments = planes.flat_map(move |at| (0..walk.segments).map(move |s| at + s * walk.segment));
                segments.flat_map(move |at| (0..walk.run).map(move |k| at + k * walk.step))
            };
            let whole: Vec<usize> = steps(walk, 0).collect();
            let mut pieces = Vec::new();
            for piece in walk.pieces(DEPTH) {
                assert!(piece.k == pieces.len() && piece.walk.len() <= DEPTH);
                pieces.extend(steps(piece.walk, piece.offset));
                assert_eq!(*pieces.last().unwrap() + 1, piece.offset + piece.walk.reach());
            }
            assert_eq!(pieces, whole);
        }
    }
}
