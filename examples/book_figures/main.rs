//! Draws the pictures of the book, from values that the engine computes:
//!
//! ```text
//! cargo run --release --example book_figures
//! ```
//!
//! writes docs/book/src/figures, the same bytes each time on every machine.

mod canvas;
mod chapter1;
mod chapter10;
mod chapter11;
mod chapter12;
mod chapter2;
mod chapter3;
mod chapter4;
mod chapter5;
mod chapter6;
mod chapter7;
mod chapter8;
mod chapter9;

use canvas::Canvas;
use std::path::Path;

type Figure = fn(&mut Canvas);

/// A name, what the picture measures, and what draws it.
const FIGURES: [(&str, (u32, u32), Figure); 23] = [
    ("strides", (1200, 640), chapter1::strides),
    ("broadcast", (1200, 560), chapter1::broadcast),
    ("graph", (1200, 760), chapter2::graph),
    ("bell", (1200, 760), chapter3::bell),
    ("differences", (1200, 860), chapter4::differences),
    ("taps", (1200, 620), chapter5::taps),
    ("shift", (1000, 560), chapter5::shift),
    ("checkerboard", (1200, 680), chapter5::checkerboard),
    ("residuals", (1200, 820), chapter6::residuals),
    ("signal", (1200, 840), chapter7::signal),
    ("adam", (1200, 840), chapter7::adam),
    ("losses", (1200, 840), chapter8::losses),
    ("game", (1200, 1120), chapter8::game),
    ("ladder", (1200, 740), chapter9::ladder),
    ("panels", (1200, 760), chapter9::panels),
    ("digits", (1200, 840), chapter10::digits),
    ("roofline", (1200, 840), chapter11::roofline),
    ("sectors", (1200, 740), chapter11::sectors),
    ("tree", (1200, 740), chapter11::tree),
    ("tf32", (1200, 840), chapter11::fractions),
    ("moments", (1200, 660), chapter12::moments),
    ("bias", (1200, 840), chapter12::bias),
    ("gaming", (1200, 840), chapter12::gaming),
];

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/book/src/figures");
    std::fs::create_dir_all(&folder)?;
    for (name, size, draw) in FIGURES {
        std::fs::write(folder.join(format!("{name}.svg")), canvas::svg(size, draw))?;
    }
    Ok(())
}
