//! The graph of six nodes, with the numbers that go forward and those that come back.

use crate::canvas::{BLUE, Canvas, FAINT, INK, Point, RED, SMALL, Side, TEXT, number};
use minimax::{Device, Tensor, grad, ops};
use plotters::style::RGBColor;

/// Half of a node's box.
const HALF: (i32, i32) = (100, 76);

struct Place {
    name: &'static str,
    formula: &'static str,
    at: Point,
}

const PLACES: [Place; 6] = [
    Place { name: "a", formula: "a", at: (120, 210) },
    Place { name: "b", formula: "b", at: (120, 600) },
    Place { name: "p", formula: "p = a · b", at: (440, 600) },
    Place { name: "s", formula: "s = p + a", at: (560, 210) },
    Place { name: "q", formula: "q = s²", at: (840, 210) },
    Place { name: "y", formula: "y = q · p", at: (1080, 420) },
];

/// The end of the line from the middle of one box to that of another at the box's edge.
fn edge(from: Point, to: Point) -> Point {
    let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
    let share = (f64::from(HALF.0 + 6) / dx.abs()).min(f64::from(HALF.1 + 6) / dy.abs());
    (from.0 + (dx * share) as i32, from.1 + (dy * share) as i32)
}

pub fn graph(canvas: &mut Canvas) {
    let number_of = |value: f64| Tensor::new(&[value], [], Device::Reference).parameter();
    let (a, b) = (number_of(2.0), number_of(-3.0));
    let p = &a * &b;
    let s = &p + &a;
    let q = ops::square(&s);
    let y = &q * &p;
    let nodes = [&a, &b, &p, &s, &q, &y];
    let adjoints: Vec<f64> = grad(&y, &nodes, false).iter().map(Tensor::item).collect();

    // What each op hands back to each input: the adjoint of its output times its own slope there.
    let slopes = |f: fn(&Tensor, &Tensor) -> Tensor, x: &Tensor, z: &Tensor| -> Vec<f64> {
        let (x, z) = (x.detach().parameter(), z.detach().parameter());
        grad(&f(&x, &z), &[&x, &z], false).iter().map(Tensor::item).collect()
    };
    let product = slopes(|x, z| x * z, &a, &b);
    let sum = slopes(|x, z| x + z, &p, &a);
    let square = slopes(|x, _| ops::square(x), &s, &s);
    let last = slopes(|x, z| x * z, &q, &p);
    // From, to, the slope, and where its label stands.
    let edges = [
        (0, 2, product[0], (208, 420)),
        (1, 2, product[1], (280, 570)),
        (2, 3, sum[0], (548, 420)),
        (0, 3, sum[1], (340, 180)),
        (3, 4, square[0], (700, 175)),
        (4, 5, last[0], (1004, 292)),
        (2, 5, last[1], (800, 556)),
    ];

    canvas.text((30, 44), Side::Left, TEXT, BLUE, "values go forward");
    canvas.text((1170, 44), Side::Right, TEXT, RED, "gradients come back");
    for (from, to, slope, label) in edges {
        let (start, end) = (edge(PLACES[from].at, PLACES[to].at), edge(PLACES[to].at, PLACES[from].at));
        canvas.arrow(start, end, 4, FAINT);
        canvas.text(label, Side::Middle, SMALL, RED, &number(adjoints[to] * slope));
    }
    for ((place, node), adjoint) in PLACES.iter().zip(nodes).zip(&adjoints) {
        let (x, y) = place.at;
        canvas.area((x - HALF.0, y - HALF.1), (2 * HALF.0, 2 * HALF.1), RGBColor(247, 248, 250), INK);
        canvas.text((x, y - 46), Side::Middle, SMALL, INK, place.formula);
        canvas.text((x, y), Side::Middle, TEXT, BLUE, &number(node.item()));
        canvas.text((x, y + 46), Side::Middle, SMALL, RED, &format!("{}\u{304} = {}", place.name, number(*adjoint)));
    }
    canvas.text(
        (600, 720),
        Side::Middle,
        SMALL,
        INK,
        "what meets at a node is added: p\u{304} = 48 + 16, a\u{304} = 48 − 192",
    );
}
