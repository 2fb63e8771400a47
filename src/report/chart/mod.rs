//! Line charts in small panels, as SVG and as PNG.
//!
//! Both come from the same drawing: plotters draws the lines, in quarters of a pixel; texts are added afterwards, as
//! text in SVG and with the built-in font in PNG.

mod axis;
mod curve;
mod panel;

use super::Picture;
use super::markup::escape;
use super::text;
use crate::Result;
use crate::files::write_whole;
use panel::{Anchor, HEIGHT, INK, Kind, Label, WIDTH};
use plotters::coord::Shift;
use plotters::prelude::*;
use std::path::Path;

/// One chart: lines over a common x.
///
/// ```
/// use minimax::report::chart::{Panel, Series, svg};
///
/// let points = (0..100).map(|i| (f64::from(i), f64::from(i * i))).collect();
/// let series = vec![Series { name: "parabola".into(), points }];
/// let panel = Panel { title: "x²".into(), series, ..Panel::default() };
/// assert!(svg("", &[panel]).starts_with("<svg"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// The title of the chart.
    pub title: String,
    /// The label of the x axis.
    pub x_label: String,
    /// The label of the y axis, with the unit.
    pub y_label: String,
    /// The lines, each in a colour of its own up to seven of them.
    pub series: Vec<Series>,
    /// x of thin vertical lines, such as the ends of epochs, in rising order.
    pub marks: Vec<f64>,
    /// x and text of the ticks, in rising order, if round numbers won't do.
    pub ticks: Option<Vec<(f64, String)>>,
    /// Whether y begins at 0, unless a value is below: for quantities that can't be negative.
    pub from_zero: bool,
    /// Values with which the lines are to be compared, such as the score of real images.
    pub levels: Vec<Level>,
}

/// A dashed line across a [`Panel`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// Its y; a level that is not finite is not drawn.
    pub y: f64,
    /// The text at the line.
    pub label: String,
}

/// A line of a [`Panel`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// (x, y) in order of x; the line is broken where one of them is not finite.
    pub points: Vec<(f64, f64)>,
}

/// Plotters takes only whole numbers, so that it is given quarters of a pixel.
const FINE: u32 = 4;
/// Pixels of the PNG for each pixel of the chart, for screens of high resolution.
const PNG_SCALE: u32 = 2;
/// Height of the strip with the title of all panels.
const TITLE_HEIGHT: u32 = 40;
/// Size of its letters, which is smaller if a long title would reach beyond the edge.
const TITLE_SIZE: f32 = 20.0;

/// Writes [`svg`] and [`png`](fn@png) to the files of these names in `folder`.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if one can't be written.
pub fn write(folder: &Path, [svg_name, png_name]: [&str; 2], title: &str, panels: &[Panel]) -> Result<()> {
    write_whole(&folder.join(svg_name), svg(title, panels).as_bytes())?;
    write_whole(&folder.join(png_name), &png(title, panels))
}

/// The panels, two in a row, under a common title if that isn't empty, as an SVG document that can also be part of
/// HTML. A line with many points is shown as the faint range of its values and a strong running mean; the panel says
/// so.
pub fn svg(title: &str, panels: &[Panel]) -> String {
    let (width, height) = size(title, panels);
    let mut lines = String::new();
    let backend = SVGBackend::with_string(&mut lines, (width * FINE, height * FINE));
    let labels = plot(backend.into_drawing_area(), title, panels, true);
    let texts: String = labels.iter().map(svg_text).collect();
    let name = if title.is_empty() { panels.first().map_or("", |panel| &panel.title) } else { title };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" role=\"img\">\n\
         <title>{}</title>\n<g transform=\"scale({})\">\n{lines}</g>\n{texts}</svg>\n",
        escape(name),
        1.0 / f64::from(FINE)
    )
}

/// The same picture as [`svg`], as PNG with twice as many pixels along each side.
pub fn png(title: &str, panels: &[Panel]) -> Vec<u8> {
    let (width, height) = size(title, panels);
    let (fine_width, fine_height) = (width * FINE, height * FINE);
    let mut fine = Picture::new(fine_width as usize, fine_height as usize, [255; 3]);
    let backend = BitMapBackend::with_buffer(&mut fine.rgb, (fine_width, fine_height));
    let labels = plot(backend.into_drawing_area(), title, panels, false);
    let mut picture = averaged(&fine, (FINE / PNG_SCALE) as usize);
    let scale = PNG_SCALE as f32;
    for label in &labels {
        let shift = match label.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        };
        let left = label.x - shift * text::width(&label.text, label.size);
        let (x, y, size) = (left * scale, label.y * scale, label.size * scale);
        picture.text(x, y, size, label.colour, &label.text);
    }
    picture.to_png()
}

/// Width and height of the whole, in pixels.
fn size(title: &str, panels: &[Panel]) -> (u32, u32) {
    let count = panels.len().max(1) as u32;
    let top = if title.is_empty() { 0 } else { TITLE_HEIGHT };
    let columns = count.min(2);
    (WIDTH * columns, top + HEIGHT * count.div_ceil(2))
}

/// Plots everything except the texts, which it returns. Unless lines are `joined`, each of their segments is drawn by
/// itself, as in plotters' bitmaps a line of many segments has spikes where it turns sharply.
fn plot<B: DrawingBackend>(area: DrawingArea<B, Shift>, title: &str, panels: &[Panel], joined: bool) -> Vec<Label> {
    // The errors of drawing are those of writing a file, and both backends write to memory.
    const IN_MEMORY: &str = "plotting to memory";
    area.fill(&WHITE).map_err(|_| ()).expect(IN_MEMORY);
    let mut labels = Vec::new();
    let mut top = 0;
    if !title.is_empty() {
        let room = size(title, panels).0 as f32 - 2.0 * panel::MARGIN as f32;
        let width = text::width(title, TITLE_SIZE) * panel::WIDER as f32;
        labels.push(Label {
            x: panel::MARGIN as f32,
            y: 28.0,
            size: TITLE_SIZE * (room / width).min(1.0),
            anchor: Anchor::Start,
            colour: INK,
            text: title.into(),
        });
        top = TITLE_HEIGHT;
    }
    for (index, panel) in panels.iter().enumerate() {
        let (row, column) = (index as u32 / 2, index as u32 % 2);
        let corner = (f64::from(column * WIDTH), f64::from(top + row * HEIGHT));
        for shape in panel::lay_out(panel, corner, &mut labels) {
            let [red, green, blue] = shape.colour;
            let colour = RGBColor(red, green, blue);
            let fine = |v: f64| (v * f64::from(FINE)).round() as i32;
            let points = shape.points.iter().map(|&(x, y)| (fine(x), fine(y)));
            let points: Vec<(i32, i32)> = points.collect();
            let plotted = match shape.kind {
                Kind::Line(width) => {
                    let style = colour.stroke_width(fine(width) as u32);
                    let part = if joined { points.len() } else { 2 };
                    let mut parts = points.windows(part);
                    parts.try_for_each(|part| area.draw(&PathElement::new(part, style)))
                }
                Kind::Area => area.draw(&Polygon::new(points, colour.mix(0.3).filled())),
                Kind::Dot(diameter) => area.draw(&Circle::new(points[0], fine(diameter / 2.0), colour.filled())),
            };
            plotted.map_err(|_| ()).expect(IN_MEMORY);
        }
    }
    area.present().map_err(|_| ()).expect(IN_MEMORY);
    labels
}

/// `fine` with each square of `side` pixels replaced by one pixel of their mean colour.
fn averaged(fine: &Picture, side: usize) -> Picture {
    let mut picture = Picture::new(fine.width / side, fine.height / side, [0; 3]);
    let area = side * side;
    for (index, value) in picture.rgb.iter_mut().enumerate() {
        let (pixel, channel) = (index / 3, index % 3);
        let (x, y) = (pixel % (fine.width / side), pixel / (fine.width / side));
        let at = |i: usize| ((y * side + i / side) * fine.width + x * side + i % side) * 3;
        let sum: usize = (0..area).map(|i| usize::from(fine.rgb[at(i) + channel])).sum();
        *value = ((sum + area / 2) / area) as u8;
    }
    picture
}

fn svg_text(label: &Label) -> String {
    let anchor = match label.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let [red, green, blue] = label.colour;
    format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{}\" text-anchor=\"{anchor}\" \
         fill=\"#{red:02x}{green:02x}{blue:02x}\">{}</text>\n",
        label.x,
        label.y,
        label.size,
        escape(&label.text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn panel(points: Vec<(f64, f64)>) -> Panel {
        Panel {
            title: "Losses <of> & both".into(),
            x_label: "step".into(),
            y_label: "loss".into(),
            series: vec![Series { name: "D".into(), points }],
            ..Panel::default()
        }
    }

    /// The y of the vertices of the lines and areas in the first series' colour, but for the legend's.
    fn heights(svg: &str) -> Vec<f64> {
        let lines = svg.lines().filter(|line| line.contains("=\"#0072B2\""));
        let points = lines.filter_map(|line| line.split("points=\"").nth(1)?.split('"').next());
        let vertices = points.map(|points| points.split_whitespace().collect::<Vec<_>>());
        let curves = vertices.filter(|vertices| vertices.len() > 2).flatten();
        let height = |vertex: &str| vertex.split_once(',').unwrap().1.parse().unwrap();
        curves.map(height).collect()
    }

    #[test]
    fn texts_are_escaped_text_of_a_generic_font_and_at_least_12_pixels() {
        let points = (0..100).map(|i| (f64::from(i), 0.5)).collect();
        let svg = svg("A & B", &[panel(points)]);
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("font-family=\"sans-serif\""));
        assert!(svg.contains(">Losses &lt;of&gt; &amp; both</text>"));
        assert!(svg.contains("<title>A &amp; B</title>"));
        for size in svg.split("font-size=\"").skip(1) {
            let size: f64 = size.split('"').next().unwrap().parse().unwrap();
            assert!(size >= 12.0, "{size}");
        }
    }

    #[test]
    fn a_line_goes_where_its_values_are() {
        // From the lower left to the upper right, and the broken place is no vertex.
        let mut points: Vec<_> = (0..=50).map(|i| (f64::from(i), f64::from(i))).collect();
        points[25].1 = f64::NAN;
        let line = heights(&svg("", &[panel(points)]));
        assert_eq!(line.len(), 50);
        assert!(line.is_sorted_by(|a, b| a > b), "{line:?}");
    }

    #[test]
    fn a_level_is_a_dashed_line_with_its_label_within_the_plot() {
        let mut chart = panel(vec![(0.0, 4.0), (1.0, 3.0), (2.0, 3.5)]);
        chart.from_zero = true;
        let level = |y, label: &str| Level { y, label: label.into() };
        chart.levels = vec![level(0.5, "real <images>"), level(9.0, "noise"), level(f64::NAN, "nothing")];
        let drawing = svg("", &[chart]);
        assert!(drawing.contains(">real &lt;images&gt;</text>") && drawing.contains(">noise</text>"));
        assert!(!drawing.contains("nothing") && !drawing.contains("NaN"));
        // Two rows of dashes, and the axis holds what is beyond the line.
        assert!(drawing.matches("#595959").count() > 40);
        for tick in [">0</text>", ">8</text>"] {
            assert!(drawing.contains(tick), "{tick}");
        }
    }

    #[test]
    fn a_hundred_thousand_points_become_a_small_drawing_that_keeps_a_spike() {
        let noise = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
        let mut points: Vec<_> = (0..100_000).map(|i| (f64::from(i), noise(i))).collect();
        let plain = heights(&svg("", &[panel(points.clone())]));
        points[70_000].1 = 1.5;
        let drawing = svg("", &[panel(points)]);
        assert!(drawing.len() < 100_000, "{} bytes", drawing.len());
        assert!(drawing.contains("mean of 2000"), "the reader is told of the mean");
        let near_the_top = |heights: &[f64]| {
            let top = heights.iter().copied().fold(f64::MAX, f64::min);
            heights.iter().filter(|&&y| y < top + 8.0).count()
        };
        assert!(near_the_top(&plain) > 50, "{}", near_the_top(&plain));
        assert_eq!(near_the_top(&heights(&drawing)), 1, "the spike");
    }

    #[test]
    fn whatever_is_given_is_drawn_without_panic() {
        let nan = f64::NAN;
        for points in [
            vec![],
            vec![(nan, nan)],
            vec![(3.0, 0.7)],
            vec![(0.0, nan), (1.0, 2.0), (2.0, nan)],
            vec![(0.0, 1.0); 500],
            (0..500).map(|i| (f64::from(i), 7.0)).collect(),
            (0..500).map(|i| (f64::from(i), f64::from(i % 2) * 1e299)).collect(),
            vec![(-1e299, -1e299), (1e299, 1e299)],
            vec![(0.0, f64::MAX), (f64::MAX, 0.0), (1.0, 1.0)],
        ] {
            let mut chart = panel(points);
            chart.marks = vec![-1.0, nan, 0.0, 0.0, 5.0, 1e300];
            for ticks in [None, Some(vec![]), Some(vec![(0.0, "first".into()), (nan, "".into())])] {
                chart.ticks = ticks;
                let drawing = svg("", std::slice::from_ref(&chart));
                assert!(!drawing.contains("NaN") && !drawing.contains("inf"));
                let image = png("", std::slice::from_ref(&chart));
                let picture = Picture::from_png(Path::new("chart"), &image).unwrap();
                assert_eq!((picture.width, picture.height), (880, 640));
            }
        }
        let long = "a title of many words ".repeat(5);
        let drawing = svg(&long, &[Panel::default()]);
        let start = drawing.find("font-size=\"").unwrap() + 11;
        let size: f32 = drawing[start..].split('"').next().unwrap().parse().unwrap();
        assert!(text::width(&long, size) < WIDTH as f32);
        for panels in [vec![], vec![Panel::default(); 3]] {
            assert!(svg("title", &panels).contains("title</text>"));
            Picture::from_png(Path::new("chart"), &png("title", &panels)).unwrap();
        }
    }
}
