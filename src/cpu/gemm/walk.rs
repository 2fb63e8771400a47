//! How k runs through a row of A. In a matrix the values of a row lie side by side, or a row's length apart if
//! it is read across; in the images of a convolution they come in segments, one for each row of the
//! kernel.

/// The most steps of k in a piece.
pub const DEPTH: usize = 128;

/// Some segments of equal steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// How many segments.
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
        Walk {
            segments: 1,
            run: length,
            segment: 0,
            step,
        }
    }

    /// Steps of k.
    #[expect(
        clippy::len_without_is_empty,
        reason = "a count of steps, not a container"
    )]
    pub fn len(&self) -> usize {
        self.segments * self.run
    }

    /// Values from the first step to the last, both counted, in a row of A.
    pub fn reach(&self) -> usize {
        match self.len() {
            0 => 0,
            _ => (self.segments - 1) * self.segment + (self.run - 1) * self.step + 1,
        }
    }

    /// The walk in pieces of at most [`DEPTH`] steps: several whole segments, or a part of one.
    pub fn pieces(self) -> impl Iterator<Item = Piece> {
        let together = (DEPTH / self.run.max(1)).max(1);
        let parts = self.run.div_ceil(DEPTH).max(1);
        let part = self.run.div_ceil(parts).max(1);
        let segments = (0..self.segments).step_by(together);
        segments.flat_map(move |s| {
            (0..self.run).step_by(part).map(move |from| Piece {
                k: s * self.run + from,
                offset: s * self.segment + from * self.step,
                walk: Walk {
                    segments: together.min(self.segments - s),
                    run: part.min(self.run - from),
                    ..self
                },
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_are_the_walk() {
        for (segments, run) in [(1, 1), (1, 1000), (5, 5), (5, 320), (28, 28), (100, 3)] {
            let walk = Walk {
                segments,
                run,
                segment: 10_000,
                step: 7,
            };
            let steps = |walk: Walk, from: usize| {
                let segments = (0..walk.segments).map(move |s| from + s * walk.segment);
                segments.flat_map(move |at| (0..walk.run).map(move |k| at + k * walk.step))
            };
            let whole: Vec<usize> = steps(walk, 0).collect();
            let mut pieces = Vec::new();
            for piece in walk.pieces() {
                assert!(piece.k == pieces.len() && piece.walk.len() <= DEPTH);
                pieces.extend(steps(piece.walk, piece.offset));
            }
            assert_eq!(pieces, whole);
        }
    }
}
