//! The memory of buffers: stretches of a few large segments, which are the only memory that is asked from the system.
//!
//! Each buffer is cut from the shortest free stretch that is long enough, of several the first, and joins its free
//! neighbours when it comes back. So buffers of some sizes leave room for those of others, and what a step takes is
//! about the most that is in use at once.
//!
//! Stretches are counted in cache lines, and places are numbered through all segments. Between two segments a number is
//! left out, so that no stretch reaches from one into the next.

use crate::cpu::LINE;
use crate::memory::attempt;
use bytemuck::allocation::try_zeroed_slice_box;
use std::collections::{BTreeMap, BTreeSet};
use std::ptr::NonNull;

/// Lines that the system is asked for at least, 32 MiB, and at most, 128 MiB, but for a buffer that is larger. What
/// isn't touched takes no memory.
const SEGMENT: usize = 1 << 19;
const LARGE_SEGMENT: usize = 4 * SEGMENT;

/// Lines `place` to `place + lines`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    place: usize,
    lines: usize,
}

/// Memory from the system, which is neither moved nor given back while a stretch of it is in use.
struct Segment {
    values: NonNull<[f32]>,
    /// The first value of a cache line.
    start: usize,
    lines: usize,
}

// SAFETY: the arena alone has these values until it lends them.
#[allow(unsafe_code)]
unsafe impl Send for Segment {}

/// All segments, and which stretches of them are free.
#[derive(Default)]
pub struct Arena {
    /// By the place of its first line.
    segments: BTreeMap<usize, Segment>,
    /// How long a free stretch is, by its place; no two of them touch.
    free: BTreeMap<usize, usize>,
    /// The same as (length, place).
    by_length: BTreeSet<(usize, usize)>,
}

impl Arena {
    /// A stretch for `len` values and the first of them, if one is free. They hold what their last owner left.
    pub fn take(&mut self, len: usize) -> Option<(Stretch, NonNull<f32>)> {
        let lines = len.div_ceil(LINE).max(1);
        let &(length, place) = self.by_length.range((lines, 0)..).next()?;
        self.remove(place, length);
        if length > lines {
            self.insert(place + lines, length - lines);
        }
        Some((Stretch { place, lines }, self.first(place)))
    }

    /// Has back what [`Arena::take`] gave.
    pub fn give_back(&mut self, Stretch { place, lines }: Stretch) {
        let (mut start, mut end) = (place, place + lines);
        if let Some((&before, &length)) = self.free.range(..start).next_back()
            && before + length == start
        {
            self.remove(before, length);
            start = before;
        }
        if let Some(&length) = self.free.get(&end) {
            self.remove(end, length);
            end += length;
        }
        self.insert(start, end - start);
    }

    /// Asks the system for a segment with room for `len` values: one as large as all before together, within bounds.
    /// Returns its bytes, or none if the system has no memory.
    pub fn grow(&mut self, len: usize) -> Option<usize> {
        let least = len.div_ceil(LINE).max(1);
        let held: usize = self.segments.values().map(|segment| segment.lines).sum();
        let lines = [least.max(held.clamp(SEGMENT, LARGE_SEGMENT)), least];
        let (lines, values) = lines.into_iter().find_map(|lines| Some((lines, zeros(lines)?)))?;
        let start = values.as_ptr().align_offset(LINE * size_of::<f32>());
        assert!(start < LINE, "the first whole line begins within a line's length");
        let place = self.segments.last_key_value().map_or(0, |(place, last)| place + last.lines + 1);
        let values = NonNull::from(Box::leak(values));
        self.segments.insert(place, Segment { values, start, lines });
        self.insert(place, lines);
        Some(bytes(lines))
    }

    /// Returns the wholly unused segments to the system, and says how many bytes they had.
    pub fn release(&mut self) -> usize {
        let unused = |(place, segment): (&usize, &Segment)| {
            (self.free.get(place) == Some(&segment.lines)).then_some((*place, segment.lines))
        };
        let unused: Vec<(usize, usize)> = self.segments.iter().filter_map(unused).collect();
        for &(place, lines) in &unused {
            self.remove(place, lines);
            let segment = self.segments.remove(&place).expect("a segment");
            // SAFETY: it was leaked from a box, and no stretch of it is in use.
            #[allow(unsafe_code)]
            drop(unsafe { Box::from_raw(segment.values.as_ptr()) });
        }
        unused.iter().map(|&(_, lines)| bytes(lines)).sum()
    }

    fn insert(&mut self, place: usize, lines: usize) {
        self.free.insert(place, lines);
        self.by_length.insert((lines, place));
    }

    fn remove(&mut self, place: usize, lines: usize) {
        self.free.remove(&place);
        self.by_length.remove(&(lines, place));
    }

    /// Where line `place` is.
    fn first(&self, place: usize) -> NonNull<f32> {
        let (&first, segment) = self.segments.range(..=place).next_back().expect("a place of a segment");
        let value = segment.start + (place - first) * LINE;
        // SAFETY: `start` is below LINE and the place one of the segment's lines, of which, and of one more,
        // `values_of` has the values.
        #[allow(unsafe_code)]
        unsafe {
            segment.values.cast::<f32>().add(value)
        }
    }
}

impl Stretch {
    /// How many bytes it takes.
    pub fn bytes(self) -> usize {
        self.lines * LINE * size_of::<f32>()
    }
}

/// How many values to ask the system for: one line more than `lines`, as the memory need not begin at a line's start.
fn values_of(lines: usize) -> usize {
    (lines + 1) * LINE
}

fn bytes(lines: usize) -> usize {
    values_of(lines) * size_of::<f32>()
}

fn zeros(lines: usize) -> Option<Box<[f32]>> {
    // No memory holds more, and what is less can be counted in bytes.
    if lines > isize::MAX as usize / (8 * LINE) {
        return None;
    }
    attempt(|| try_zeroed_slice_box(values_of(lines)).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    fn arena() -> Arena {
        let mut arena = Arena::default();
        arena.grow(1).unwrap();
        arena
    }

    #[test]
    fn what_comes_back_joins_its_neighbours() {
        let mut arena = arena();
        let stretches: Vec<Stretch> = [100, 16, 1, 0, 5000].map(|len| arena.take(len).unwrap().0).into();
        assert_eq!(stretches.iter().map(|stretch| stretch.lines).collect::<Vec<_>>(), [7, 1, 1, 1, 313]);
        // The hole that fits best is taken, and the first of those that do.
        for i in [1, 3] {
            arena.give_back(stretches[i]);
        }
        assert_eq!(arena.take(16).unwrap().0, stretches[1]);
        assert_eq!(arena.take(16).unwrap().0, stretches[3]);
        for i in [0, 2, 1, 4, 3] {
            arena.give_back(stretches[i]);
        }
        assert_eq!(arena.free, BTreeMap::from([(0, SEGMENT)]));
    }

    #[test]
    fn nothing_reaches_from_one_segment_into_the_next() {
        let mut arena = arena();
        arena.grow(LINE * (SEGMENT + 1)).unwrap();
        assert_eq!(arena.free, BTreeMap::from([(0, SEGMENT), (SEGMENT + 1, SEGMENT + 1)]));
        let (first, _) = arena.take(LINE * SEGMENT).unwrap();
        let (second, _) = arena.take(LINE).unwrap();
        arena.give_back(first);
        assert_eq!(arena.release(), bytes(SEGMENT));
        arena.give_back(second);
        assert_eq!(arena.release(), bytes(SEGMENT + 1));
        assert!(arena.take(1).is_none());
    }

    /// Each stretch is written full of its number, which must still be there when it comes back.
    #[test]
    fn no_two_stretches_share_a_value() {
        let mut arena = arena();
        let mut random = Random::new(3, Purpose::CHECK);
        let mut used: Vec<(Stretch, NonNull<f32>, usize, f32)> = Vec::new();
        let mut draw = |below: usize| (random.uniform(1)[0] * below as f64) as usize;
        for number in 0..4000 {
            if used.len() > 40 || draw(2) == 0 && !used.is_empty() {
                let (stretch, first, len, number) = used.swap_remove(draw(used.len()));
                // SAFETY: lent, `len` values long.
                #[allow(unsafe_code)]
                let values = unsafe { std::slice::from_raw_parts(first.as_ptr(), len) };
                assert!(values.iter().all(|&value| value == number));
                arena.give_back(stretch);
            } else {
                let scale = draw(16);
                let len = 1 + draw(1 << scale);
                let (stretch, first) = arena.take(len).unwrap();
                assert_eq!(first.as_ptr().align_offset(64), 0);
                // SAFETY: lent, `len` values long.
                #[allow(unsafe_code)]
                let values = unsafe { std::slice::from_raw_parts_mut(first.as_ptr(), len) };
                values.fill(number as f32);
                used.push((stretch, first, len, number as f32));
            }
            let listed: BTreeSet<(usize, usize)> = arena.free.iter().map(|(&place, &lines)| (lines, place)).collect();
            assert_eq!(listed, arena.by_length);
            let places = |(stretch, ..): &(Stretch, _, _, _)| stretch.lines;
            assert_eq!(used.iter().map(places).sum::<usize>() + arena.free.values().sum::<usize>(), SEGMENT);
        }
    }
}
