//! A map of a square part of the plane: a field as colours, points as dots, and arrows.

use super::Picture;

/// Pixels of a map's side.
const SIDE: usize = 400;

/// The field's colours where it is 0, one half and 1: blue, nearly white, orange, which people with any kind of colour
/// vision can tell apart.
const COLOURS: [[f32; 3]; 3] = [[116.0, 169.0, 214.0], [250.0, 250.0, 248.0], [247.0, 176.0, 104.0]];

/// The colours of real points, of samples, and of the arrows that pull these.
const REAL: [u8; 3] = [40, 40, 40];
const SAMPLE: [u8; 3] = [178, 24, 96];
const ARROW: [u8; 3] = [96, 20, 120];

/// Radii of dots and half the width of an arrow, in pixels.
const REAL_RADIUS: f32 = 1.0;
const SAMPLE_RADIUS: f32 = 1.8;
const ARROW_RADIUS: f32 = 0.55;
/// The length of the longest arrow in pixels; barbs are a share of an arrow's length, up to a limit in pixels.
const LONGEST: f32 = 34.0;
const BARB: f32 = 0.35;
const LONGEST_BARB: f32 = 6.0;

/// The contents of a map. Places are `[x, y]` with y upwards, in a square around 0.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    /// Half of the square's side.
    pub extent: f64,
    /// `[n, n]` values from 0 to 1 at the places that [`field_places`] gives, row by row; empty for a white background.
    pub field: &'a [f64],
    /// Real points `[n, 2]`.
    pub real: &'a [f32],
    /// Samples `[n, 2]`.
    pub samples: &'a [f32],
    /// The pulls on the first samples, `[n, 2]`. The longest arrow has a fixed length; the others are shorter in
    /// proportion.
    pub pulls: &'a [f32],
}

/// The number of bytes of a map.
pub fn map_bytes() -> usize {
    SIDE * SIDE * 3
}

/// The places `[side · side, 2]` of a field's values on a map: the middles of equal squares, row by row from the upper
/// left.
pub fn field_places(extent: f64, side: usize) -> Vec<f32> {
    let along = |i: usize| extent * (2.0 * (i as f64 + 0.5) / side as f64 - 1.0);
    let place = |i: usize| [along(i % side) as f32, -along(i / side) as f32];
    (0..side * side).flat_map(place).collect()
}

impl Map<'_> {
    /// The map as a picture.
    ///
    /// # Panics
    /// If the field is not square.
    pub fn render(&self) -> Picture {
        let mut picture = Picture::new(SIDE, SIDE, [255; 3]);
        self.render_field(&mut picture);
        self.render_arrows(&mut picture);
        self.points(self.samples).for_each(|at| line(&mut picture, at, at, SAMPLE_RADIUS, SAMPLE));
        // Small, so that what is below stays visible.
        self.points(self.real).for_each(|at| line(&mut picture, at, at, REAL_RADIUS, REAL));
        picture
    }

    /// Each pixel is mixed from the four values around it.
    fn render_field(&self, picture: &mut Picture) {
        let side = self.field.len().isqrt();
        assert_eq!(side * side, self.field.len(), "Map: a field of {} values is no square", self.field.len());
        if side == 0 {
            return;
        }
        let place = |pixel: usize| {
            let at = ((pixel as f64 + 0.5) * side as f64 / SIDE as f64 - 0.5).clamp(0.0, (side - 1) as f64);
            let low = (at as usize).min(side.saturating_sub(2));
            (low, (low + 1).min(side - 1), at - low as f64)
        };
        for (row, pixels) in picture.rgb.chunks_exact_mut(3 * SIDE).enumerate() {
            let (top, bottom, down) = place(row);
            for (column, pixel) in pixels.chunks_exact_mut(3).enumerate() {
                let (left, right, across) = place(column);
                let between = |row: usize| {
                    let [a, b] = [left, right].map(|column| self.field[row * side + column]);
                    a + across * (b - a)
                };
                let value = between(top) + down * (between(bottom) - between(top));
                pixel.copy_from_slice(&colour(value));
            }
        }
    }

    fn render_arrows(&self, picture: &mut Picture) {
        let lengths = self.pulls.chunks_exact(2).map(|pull| length([pull[0], pull[1]]));
        let longest = lengths.fold(0.0, f32::max);
        if longest == 0.0 {
            return;
        }
        for (at, pull) in self.points(self.samples).zip(self.pulls.chunks_exact(2)) {
            // Downwards on a picture is upwards on a map.
            let [x, y] = [pull[0], -pull[1]].map(|v| v / longest * LONGEST);
            let end = [at[0] + x, at[1] + y];
            line(picture, at, end, ARROW_RADIUS, ARROW);
            let length = length([x, y]);
            let barb = (BARB * length).min(LONGEST_BARB) / length.max(f32::MIN_POSITIVE);
            for side in [-0.5, 0.5] {
                let [back, aside] = [-barb, side * barb];
                let tip = [end[0] + back * x - aside * y, end[1] + back * y + aside * x];
                line(picture, end, tip, ARROW_RADIUS, ARROW);
            }
        }
    }

    /// The places of `points` on the picture, in pixels; points outside are left out.
    fn points<'a>(&self, points: &'a [f32]) -> impl Iterator<Item = [f32; 2]> + use<'a> {
        let extent = self.extent as f32;
        let pixels = move |v: f32| (v / extent + 1.0) / 2.0 * SIDE as f32;
        points.chunks_exact(2).map(move |point| {
            // Clamped to the distance at which it can matter, as a huge number would overflow.
            let near = |v: f32| v.clamp(-2.0 * extent, 2.0 * extent);
            [pixels(near(point[0])), pixels(near(-point[1]))]
        })
    }
}

fn length([x, y]: [f32; 2]) -> f32 {
    (x * x + y * y).sqrt()
}

fn colour(value: f64) -> [u8; 3] {
    let place = 2.0 * value.clamp(0.0, 1.0) as f32;
    let low = (place as usize).min(1);
    let [from, to] = [COLOURS[low], COLOURS[low + 1]];
    std::array::from_fn(|i| (from[i] + (place - low as f32) * (to[i] - from[i])).round() as u8)
}

/// A line from `a` to `b` with round ends and smooth edges; a dot if both are the same place.
fn line(picture: &mut Picture, a: [f32; 2], b: [f32; 2], radius: f32, colour: [u8; 3]) {
    let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
    let square = dx * dx + dy * dy;
    let range = |axis: usize, size: usize| {
        let (low, high) = (a[axis].min(b[axis]) - radius - 1.0, a[axis].max(b[axis]) + radius + 1.0);
        low.max(0.0) as usize..(high.max(0.0) as usize + 1).min(size)
    };
    for y in range(1, picture.height) {
        for x in range(0, picture.width) {
            let [px, py] = [x as f32 + 0.5 - a[0], y as f32 + 0.5 - a[1]];
            let along = if square > 0.0 { ((px * dx + py * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
            let far = length([px - along * dx, py - along * dy]);
            // How much of the pixel is covered, nearly.
            let covered = (radius + 0.5 - far).clamp(0.0, 1.0);
            let at = 3 * (y * picture.width + x);
            for (old, new) in picture.rgb[at..at + 3].iter_mut().zip(colour) {
                *old = (f32::from(*old) * (1.0 - covered) + f32::from(new) * covered).round() as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixel(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * picture.width + x);
        [picture.rgb[at], picture.rgb[at + 1], picture.rgb[at + 2]]
    }

    /// The field's places and its pixels agree on where up is.
    #[test]
    fn a_field_that_is_high_in_the_upper_right_is_orange_there() {
        let places = field_places(2.0, 20);
        let field: Vec<f64> =
            places.chunks_exact(2).map(|at| if at[0] > 0.0 && at[1] > 0.0 { 1.0 } else { 0.0 }).collect();
        let map = Map { extent: 2.0, field: &field, real: &[], samples: &[], pulls: &[] };
        let picture = map.render();
        assert_eq!(pixel(&picture, 330, 70), [247, 176, 104]);
        assert_eq!(pixel(&picture, 330, 330), [116, 169, 214]);
        assert_eq!(pixel(&picture, 70, 70), [116, 169, 214]);
    }

    #[test]
    fn points_lie_in_their_places_and_arrows_go_where_they_are_pulled() {
        let map =
            Map { extent: 2.0, field: &[], real: &[1.0, 1.0], samples: &[0.0, -1.0, 9e30, 0.0], pulls: &[0.0, 1.0] };
        let picture = map.render();
        assert_eq!(pixel(&picture, 200, 300), SAMPLE);
        let dark = |x: usize, y: usize| pixel(&picture, x, y)[1] < 160;
        assert!(dark(300, 100) && dark(299, 99), "the real point");
        assert!(dark(200, 280), "upwards from the sample");
        assert!(!dark(200, 320) && !dark(180, 300), "and no other way");
        assert_eq!(pixel(&picture, 399, 200), [255; 3], "what lies outside is not drawn at the edge");
    }
}
