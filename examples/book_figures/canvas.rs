//! What all pictures are made of: lines, boxes, arrows and letters, by plotters, in pixels from the top left.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub const INK: RGBColor = RGBColor(30, 34, 40);
pub const FAINT: RGBColor = RGBColor(120, 126, 134);
pub const RULE: RGBColor = RGBColor(205, 209, 214);
pub const BLUE: RGBColor = RGBColor(22, 90, 170);
pub const RED: RGBColor = RGBColor(190, 40, 40);
pub const GREEN: RGBColor = RGBColor(20, 120, 70);

/// The size of letters that are still read where the picture is as wide as a telephone.
pub const TEXT: u32 = 36;
pub const SMALL: u32 = 30;

pub type Point = (i32, i32);

/// Where letters stand from their point.
#[derive(Clone, Copy)]
pub enum Side {
    Left,
    Middle,
    Right,
}

pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// The text of the picture that `draw` makes on white.
pub fn svg(size: (u32, u32), draw: impl FnOnce(&mut Canvas)) -> String {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        area.fill(&WHITE).expect("a picture in memory");
        let mut canvas = Canvas { area };
        draw(&mut canvas);
        canvas.area.present().expect("a picture in memory");
    }
    text
}

impl Canvas<'_> {
    pub fn line(&mut self, points: &[Point], width: u32, color: RGBColor) {
        let path = PathElement::new(points.to_vec(), color.stroke_width(width));
        self.area.draw(&path).expect("a picture in memory");
    }

    /// A line with a dot of this radius at each of its points.
    pub fn dotted(&mut self, points: &[Point], radius: u32, color: RGBColor) {
        self.line(points, 5, color);
        points.iter().for_each(|&at| self.dot(at, radius, color));
    }

    pub fn dashes(&mut self, from: Point, to: Point, color: RGBColor) {
        let steps = (f64::from((to.0 - from.0).pow(2) + (to.1 - from.1).pow(2)).sqrt() / 10.0) as i32;
        let at = |i: i32| (from.0 + (to.0 - from.0) * i / steps, from.1 + (to.1 - from.1) * i / steps);
        for i in (0..steps).step_by(2) {
            self.line(&[at(i), at(i + 1)], 3, color);
        }
    }

    /// A line that ends in a head at `to`.
    pub fn arrow(&mut self, from: Point, to: Point, width: u32, color: RGBColor) {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = (dx * dx + dy * dy).sqrt();
        let (ux, uy) = (dx / length, dy / length);
        let back = |along: f64, aside: f64| {
            let x = f64::from(to.0) - along * ux - aside * uy;
            let y = f64::from(to.1) - along * uy + aside * ux;
            (x.round() as i32, y.round() as i32)
        };
        self.line(&[from, back(16.0, 0.0)], width, color);
        let head = Polygon::new(vec![to, back(22.0, 10.0), back(22.0, -10.0)], color.filled());
        self.area.draw(&head).expect("a picture in memory");
    }

    /// A box with its corner at `at`, filled and framed.
    pub fn area(&mut self, at: Point, size: (i32, i32), fill: RGBColor, frame: RGBColor) {
        let corners = [at, (at.0 + size.0, at.1 + size.1)];
        self.area.draw(&Rectangle::new(corners, fill.filled())).expect("a picture in memory");
        self.area.draw(&Rectangle::new(corners, frame.stroke_width(3))).expect("a picture in memory");
    }

    /// A box with `text` in its middle.
    pub fn cell(&mut self, at: Point, size: (i32, i32), fill: RGBColor, text: &str) {
        self.area(at, size, fill, INK);
        self.text((at.0 + size.0 / 2, at.1 + size.1 / 2), Side::Middle, TEXT, INK, text);
    }

    pub fn dot(&mut self, at: Point, radius: u32, color: RGBColor) {
        self.area.draw(&Circle::new(at, radius, color.filled())).expect("a picture in memory");
    }

    /// `text` whose middle line runs through `at`.
    pub fn text(&mut self, at: Point, side: Side, size: u32, color: RGBColor, text: &str) {
        let h = match side {
            Side::Left => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Right,
        };
        // plotters draws letters of 1 / 1.24 of the size that is asked for.
        let font = ("sans-serif", f64::from(size) * 1.24).into_font();
        let style = font.color(&color).pos(Pos::new(h, VPos::Center));
        self.area.draw(&Text::new(text.to_string(), at, style)).expect("a picture in memory");
    }
}

/// A frame with an axis of x and one of y.
pub struct Axes {
    pub x: [f64; 2],
    pub y: [f64; 2],
    pub at: Point,
    pub size: (i32, i32),
}

impl Axes {
    pub fn place(&self, x: f64, y: f64) -> Point {
        let share = |value: f64, [low, high]: [f64; 2]| (value - low) / (high - low);
        let across = share(x, self.x) * f64::from(self.size.0);
        let up = share(y, self.y) * f64::from(self.size.1);
        (self.at.0 + across.round() as i32, self.at.1 + self.size.1 - up.round() as i32)
    }

    /// The frame, with lines and labels at these places.
    pub fn draw(&self, canvas: &mut Canvas, xs: &[(f64, String)], ys: &[(f64, String)]) {
        let (left, bottom) = (self.at.0, self.at.1 + self.size.1);
        for (x, label) in xs {
            let (at, _) = self.place(*x, self.y[0]);
            canvas.line(&[(at, self.at.1), (at, bottom)], 2, RULE);
            canvas.text((at, bottom + 34), Side::Middle, SMALL, INK, label);
        }
        for (y, label) in ys {
            let (_, at) = self.place(self.x[0], *y);
            canvas.line(&[(left, at), (left + self.size.0, at)], 2, RULE);
            canvas.text((left - 16, at), Side::Right, SMALL, INK, label);
        }
        let (right, top) = (left + self.size.0, self.at.1);
        canvas.line(&[(left, top), (left, bottom), (right, bottom), (right, top), (left, top)], 2, FAINT);
    }
}

/// A number as text, with a sign that is as long as a digit.
pub fn number(value: f64) -> String {
    format!("{value}").replace('-', "−")
}

/// 10 to a whole power, as text.
pub fn power(exponent: i32) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize - '0' as usize],
    };
    format!("10{}", exponent.to_string().chars().map(raised).collect::<String>())
}
