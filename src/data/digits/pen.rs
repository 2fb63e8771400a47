//! The pen: smooth curves through the points of a stroke, and ink along them.
//!
//! ```text
//! curve, Catmull and Rom (1974), between p1 and p2 with neighbours p0 and p3, t from 0 to 1:
//!     p(t) = p1 + t (p2 - p0)/2 + t² (p0 - 5/2 p1 + 2 p2 - p3/2) + t³ (3/2 (p1 - p2) + (p3 - p0)/2)
//! ink at distance d from the curve, for a pen of radius r:   clamp(1/2 + (r - d) / EDGE, 0, 1)
//! ```

use super::strokes::Point;

/// Straight pieces that a curve between two points is drawn as.
const PIECES: usize = 6;
/// Width of the soft edge, in pixels.
const EDGE: f32 = 1.2;

/// The curve through `points` as a line of straight pieces; a point given twice is a corner.
pub fn curve(points: &[Point]) -> Vec<Point> {
    let mut line = vec![points[0]];
    let mut start = 0;
    for end in 1..=points.len() {
        if end == points.len() || points[end] == points[end - 1] {
            smooth(&points[start..end], &mut line);
            start = end;
        }
    }
    line
}

/// Adds the smooth curve through `points` to `line`, which has reached the first of them.
fn smooth(points: &[Point], line: &mut Vec<Point>) {
    for i in 1..points.len() {
        let (p1, p2) = (points[i - 1], points[i]);
        let p0 = if i > 1 { points[i - 2] } else { p1 };
        let p3 = points.get(i + 1).copied().unwrap_or(p2);
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            line.push((catmull_rom(t, p0.0, p1.0, p2.0, p3.0), catmull_rom(t, p0.1, p1.1, p2.1, p3.1)));
        }
    }
}

fn catmull_rom(t: f32, p0: f32, p1: f32, p2: f32, p3: f32) -> f32 {
    let linear = (p2 - p0) / 2.0;
    let square = p0 - 2.5 * p1 + 2.0 * p2 - p3 / 2.0;
    let cube = 1.5 * (p1 - p2) + (p3 - p0) / 2.0;
    p1 + t * (linear + t * (square + t * cube))
}

/// Inks `line`, whose points are in pixels ((0, 0) is the middle of the first pixel), onto `canvas`, a
/// square of `side` pixels that holds ink from 0 to 1. The pen's radius goes from `radius.0` at the
/// start of the line to `radius.1` at its end. Ink doesn't add up where lines cross.
pub fn ink(canvas: &mut [f32], side: usize, line: &[Point], radius: (f32, f32)) {
    let last = (line.len() - 2).max(1) as f32;
    for (i, ends) in line.windows(2).enumerate() {
        let r = radius.0 + (radius.1 - radius.0) * i as f32 / last;
        ink_piece(canvas, side, ends[0], ends[1], r);
    }
}

fn ink_piece(canvas: &mut [f32], side: usize, a: Point, b: Point, radius: f32) {
    let reach = radius + EDGE / 2.0;
    // A cast from float to integer saturates, so that pieces outside the canvas give empty ranges.
    let from = |low: f32| (low - reach).ceil().max(0.0) as usize;
    let to = |high: f32| ((high + reach).floor() + 1.0).clamp(0.0, side as f32) as usize;
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length2 = (dx * dx + dy * dy).max(f32::MIN_POSITIVE);
    for y in from(a.1.min(b.1))..to(a.1.max(b.1)) {
        for x in from(a.0.min(b.0))..to(a.0.max(b.0)) {
            let (px, py) = (x as f32 - a.0, y as f32 - a.1);
            let t = ((px * dx + py * dy) / length2).clamp(0.0, 1.0);
            let (ex, ey) = (px - t * dx, py - t * dy);
            let distance = (ex * ex + ey * ey).sqrt();
            let ink = (0.5 + (radius - distance) / EDGE).clamp(0.0, 1.0);
            let pixel = &mut canvas[y * side + x];
            *pixel = pixel.max(ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_passes_its_points_and_turns_sharply_only_at_corners() {
        let corner = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 1.0)];
        let line = curve(&corner);
        assert_eq!(line.len(), 1 + 2 * PIECES);
        assert_eq!((line[PIECES], line[2 * PIECES]), ((1.0, 0.0), (1.0, 1.0)));
        assert!(line.iter().all(|&(x, y)| y == 0.0 || x == 1.0), "{line:?}");

        let bow = curve(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
        assert_eq!((bow[PIECES], bow[2 * PIECES]), ((1.0, 0.0), (1.0, 1.0)));
        assert!(bow.iter().any(|&(x, y)| x > 1.01 || y < -0.01), "{bow:?}");
    }

    #[test]
    fn ink_is_full_on_the_line_soft_at_its_edge_and_none_beyond() {
        let mut canvas = [0.0; 15 * 15];
        ink(&mut canvas, 15, &[(3.0, 7.0), (11.0, 7.0)], (2.0, 2.0));
        let at = |x: usize, y: usize| canvas[y * 15 + x];
        assert_eq!((at(7, 7), at(7, 8), at(7, 9), at(7, 10)), (1.0, 1.0, 0.5, 0.0));
        assert_eq!((at(1, 7), at(0, 7)), (0.5, 0.0));
    }

    #[test]
    fn lines_beyond_the_canvas_are_cut_off() {
        let mut canvas = [0.0; 25];
        ink(&mut canvas, 5, &[(-90.0, -90.0), (-80.0, 90.0)], (1.0, 1.0));
        ink(&mut canvas, 5, &[(90.0, 90.0), (80.0, 90.0)], (1.0, 1.0));
        assert_eq!(canvas, [0.0; 25]);
        ink(&mut canvas, 5, &[(-50.0, 2.0), (50.0, 2.0)], (1.0, 1.0));
        assert_eq!(canvas[10..15], [1.0; 5]);
    }
}
