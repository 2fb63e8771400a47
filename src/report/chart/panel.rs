//! The layout of a panel: lines in pixels and colours, and texts.
//!
//! From the top: the title; the legend, in as many rows as it needs; the label of y; the plot; the ticks of x; the
//! label of x, and how the lines were made.

use super::axis::{Axis, telling_range};
use super::curve::{columns, stretches};
use super::{Level, Panel, Series};
use crate::report::text;

/// Width of a panel in pixels: on a telephone's screen it is hardly reduced.
pub(super) const WIDTH: u32 = 440;
/// Its height.
pub(super) const HEIGHT: u32 = 320;
/// The free space around it.
pub(super) const MARGIN: f64 = 14.0;

pub(super) const INK: [u8; 3] = [34; 3];
const MUTED: [u8; 3] = [89; 3];
const RULE: [u8; 3] = [140; 3];
const MARK: [u8; 3] = [215; 3];
const GRID: [u8; 3] = [230; 3];
/// The colours of Okabe and Ito, "Color Universal Design" (2008), which people with any kind of colour
/// vision tell apart; without yellow, which is too light on white.
const COLOURS: [[u8; 3]; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [230, 159, 0], [0, 0, 0]];

const TITLE_SIZE: f32 = 18.0;
const TEXT_SIZE: f32 = 14.0;
/// A reader's sans-serif may be this much wider than the built-in font with which texts are measured.
pub(super) const WIDER: f64 = 1.25;
/// If a line has at most this many points, each is shown as a dot.
const DOTS: usize = 24;
/// If a line has at least this many points, it is drawn as a running mean in front of its values.
const MANY: usize = 150;
/// A running mean is over this part of the longest line.
const MEAN_PART: usize = 50;
/// The least number of points in a column for which the range is shown.
const COLUMN_PART: usize = 4;
/// The length of a level's dashes, and the distance from one beginning to the next.
const DASH: [f64; 2] = [6.0, 10.0];
/// Marks closer than this, in pixels, are thinned out.
const MARK_DISTANCE: f64 = 20.0;

/// Something drawn; points are in pixels from the upper left corner of the whole.
pub(super) struct Shape {
    pub kind: Kind,
    pub colour: [u8; 3],
    pub points: Vec<(f64, f64)>,
}

/// What is drawn through the points of a [`Shape`].
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A line of this width.
    Line(f64),
    /// A filled, faint area with the points as its corners.
    Area,
    /// A dot of this diameter on the only point.
    Dot(f64),
}

/// Which part of a text is at its x.
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text; `y` is its baseline.
pub(super) struct Label {
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub anchor: Anchor,
    pub colour: [u8; 3],
    pub text: String,
}

/// The rectangle that the lines are in.
struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Axis,
    y: Axis,
}

impl Plot {
    fn x(&self, value: f64) -> f64 {
        self.left + self.x.place(value) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.y.place(value) * (self.bottom - self.top)
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x(x), self.y(y))
    }
}

/// The lines of `panel` with its upper left corner at `corner`; its texts are added to `labels`.
pub(super) fn lay_out(panel: &Panel, corner: (f64, f64), labels: &mut Vec<Label>) -> Vec<Shape> {
    let (left, right) = (corner.0 + MARGIN, corner.0 + f64::from(WIDTH) - MARGIN);
    let bottom = corner.1 + f64::from(HEIGHT) - MARGIN;
    let mut shapes = Vec::new();

    let title_line = corner.1 + 26.0;
    labels.push(Label { size: TITLE_SIZE, ..label(left, title_line, Anchor::Start, INK, &panel.title) });
    let legend_line = legend(panel, (left, right), title_line, &mut shapes, labels);
    let y_line = legend_line + 22.0;
    labels.push(label(left, y_line, Anchor::Start, MUTED, &panel.y_label));

    let length = panel.series.iter().map(|s| s.points.len()).max();
    let length = length.unwrap_or(0);
    let (x, y, outside) = axes(panel, length);
    let widest = y.ticks.iter().map(|(_, text)| text_width(text));
    let plot = Plot {
        left: left + widest.fold(0.0, f64::max) + 8.0,
        right: right - 4.0,
        // However long the legend is, something of the plot is left.
        top: (y_line + 12.0).min(bottom - 100.0),
        bottom: bottom - 42.0,
        x,
        y,
    };
    rules(panel, &plot, &mut shapes, labels);
    levels(panel, &plot, &mut shapes, labels);

    let window = |series: &Series| (series.points.len() / MEAN_PART).max(1);
    let mut lines = Vec::new();
    for (index, series) in panel.series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        for shape in curve(&plot, &series.points, window(series)) {
            let shape = Shape { colour, ..shape };
            match shape.kind {
                Kind::Area => shapes.push(shape),
                _ => lines.push(shape),
            }
        }
    }
    // Lines come last, so that none is behind the range of another.
    shapes.extend(lines);

    let x_label = &panel.x_label;
    labels.push(label(plot.right, bottom, Anchor::End, MUTED, x_label));
    if length >= MANY {
        let windows = panel.series.iter().map(window);
        let (least, most) = (windows.clone().min(), windows.max());
        let mean = match most {
            Some(most) if least == Some(most) => format!("mean of {most}"),
            _ => format!("mean of a {MEAN_PART}th"),
        };
        let note = format!("strong: {mean}, faint: range");
        labels.push(label(plot.right, y_line, Anchor::End, MUTED, &note));
    }
    if outside > 0 {
        let note = format!("{outside} beyond the edge");
        labels.push(label(left, bottom, Anchor::Start, MUTED, &note));
    }
    shapes
}

/// The line through `points`, its dots where they are few, and its range where they are many; still
/// without colour.
fn curve(plot: &Plot, points: &[(f64, f64)], window: usize) -> Vec<Shape> {
    let shape = |kind, points| Shape { kind, colour: INK, points };
    let count = points.len();
    let mut shapes = Vec::new();
    for stretch in stretches(points) {
        let line = if count < MANY {
            stretch.iter().map(|&(x, y)| plot.at(x, y)).collect()
        } else {
            let most = (plot.right - plot.left) as usize;
            let range = (plot.x.low, plot.x.high);
            let columns = columns(stretch, range, most.min(count / COLUMN_PART), window);
            let above = columns.iter().map(|c| plot.at(c.x, c.high));
            let below = columns.iter().rev().map(|c| plot.at(c.x, c.low));
            shapes.push(shape(Kind::Area, above.chain(below).collect()));
            columns.iter().map(|c| plot.at(c.x, c.mean)).collect()
        };
        shapes.push(shape(Kind::Line(2.0), line));
        if count <= DOTS || stretch.len() == 1 {
            let places = stretch.iter().map(|&(x, y)| plot.at(x, y));
            shapes.extend(places.map(|place| shape(Kind::Dot(6.0), vec![place])));
        }
    }
    shapes
}

/// A text of the common size.
fn label(x: f64, y: f64, anchor: Anchor, colour: [u8; 3], text: &str) -> Label {
    Label { x: x as f32, y: y as f32, size: TEXT_SIZE, anchor, colour, text: text.into() }
}

fn text_width(text: &str) -> f64 {
    f64::from(text::width(text, TEXT_SIZE)) * WIDER
}

/// Draws a sample of each line and its name below `line`, in one row or in columns, and returns the last row's
/// baseline.
fn legend(
    panel: &Panel,
    (left, right): (f64, f64),
    line: f64,
    shapes: &mut Vec<Shape>,
    labels: &mut Vec<Label>,
) -> f64 {
    const SAMPLE: f64 = 20.0;
    const ROW: f64 = 20.0;
    let width = |name: &str| SAMPLE + 6.0 + text_width(name) + 14.0;
    let widths = || panel.series.iter().map(|series| width(&series.name));
    let column = if widths().sum::<f64>() > right - left { widths().fold(0.0, f64::max) } else { 0.0 };
    let (mut x, mut y) = (left, line + ROW + 2.0);
    for (index, Series { name, .. }) in panel.series.iter().enumerate() {
        if name.is_empty() {
            continue;
        }
        if x > left && x + width(name) > right + 14.0 {
            (x, y) = (left, y + ROW);
        }
        shapes.push(Shape {
            kind: Kind::Line(3.0),
            colour: COLOURS[index % COLOURS.len()],
            points: vec![(x, y - 4.5), (x + SAMPLE, y - 4.5)],
        });
        labels.push(label(x + SAMPLE + 6.0, y, Anchor::Start, INK, name));
        x += width(name).max(column);
    }
    if x > left { y } else { line }
}

/// The axes of x and y, and how many values of a long line lie beyond y's.
fn axes(panel: &Panel, length: usize) -> (Axis, Axis, usize) {
    let drawn = || {
        let series = panel.series.iter();
        let parts = series.flat_map(|series| stretches(&series.points));
        parts.flatten().copied()
    };
    let margin = if length <= DOTS { 0.03 } else { 0.0 };
    let mut x = Axis::over(drawn().map(|(x, _)| x), margin, 6, false);
    if let Some(ticks) = &panel.ticks {
        let seen = |tick: &&(f64, String)| (x.low..=x.high).contains(&tick.0);
        x.ticks = ticks.iter().filter(seen).cloned().collect();
    }
    let ys = || drawn().map(|(_, y)| y);
    let levels = || drawable_levels(panel).map(|level| level.y);
    let axis = |ys: &mut dyn Iterator<Item = f64>| Axis::over(ys.chain(levels()), 0.05, 5, panel.from_zero);
    if length < MANY {
        return (x, axis(&mut ys()), 0);
    }
    let (low, high) = telling_range(ys().collect());
    let inside = |y: &f64| (low..=high).contains(y);
    let outside = ys().filter(|y| !inside(y)).count();
    (x, axis(&mut ys().filter(inside)), outside)
}

/// The levels that can be drawn.
fn drawable_levels(panel: &Panel) -> impl Iterator<Item = &Level> {
    panel.levels.iter().filter(|level| level.y.abs() < 1e300)
}

/// Draws a dashed line across at each level, with its label at the right end above it, or below it at the top.
fn levels(panel: &Panel, plot: &Plot, shapes: &mut Vec<Shape>, labels: &mut Vec<Label>) {
    for level in drawable_levels(panel) {
        let y = plot.y(level.y);
        let mut x = plot.left;
        while x < plot.right {
            let points = vec![(x, y), ((x + DASH[0]).min(plot.right), y)];
            shapes.push(Shape { kind: Kind::Line(1.5), colour: MUTED, points });
            x += DASH[1];
        }
        let line = if y - f64::from(TEXT_SIZE) < plot.top { y + f64::from(TEXT_SIZE) + 2.0 } else { y - 5.0 };
        labels.push(label(plot.right - 2.0, line, Anchor::End, MUTED, &level.label));
    }
}

/// Grid, ticks and marks.
fn rules(panel: &Panel, plot: &Plot, shapes: &mut Vec<Shape>, labels: &mut Vec<Label>) {
    let mut rule = |points: [(f64, f64); 2], colour| {
        shapes.push(Shape { kind: Kind::Line(1.0), colour, points: points.into() });
    };
    for (value, text) in &plot.y.ticks {
        let y = plot.y(*value);
        rule([(plot.left, y), (plot.right, y)], GRID);
        labels.push(label(plot.left - 6.0, y + 4.5, Anchor::End, MUTED, text));
    }
    let mut last = f64::NEG_INFINITY;
    let seen = panel.marks.iter().filter(|mark| (plot.x.low..=plot.x.high).contains(mark));
    for x in seen.map(|&mark| plot.x(mark)) {
        if x - last >= MARK_DISTANCE {
            rule([(x, plot.top), (x, plot.bottom)], MARK);
            last = x;
        }
    }
    rule([(plot.left, plot.bottom), (plot.right, plot.bottom)], RULE);

    let mut end = f64::NEG_INFINITY;
    for (value, text) in &plot.x.ticks {
        let (x, half) = (plot.x(*value), text_width(text) / 2.0);
        rule([(x, plot.bottom), (x, plot.bottom + 4.0)], RULE);
        // A text that would run into its neighbour is left out; the tick stays.
        if x - half > end + 4.0 {
            labels.push(label(x, plot.bottom + 18.0, Anchor::Middle, MUTED, text));
            end = x + half;
        }
    }
}
