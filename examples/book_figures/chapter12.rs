//! Figures of samples that deceive: by how many there are, by having the right moments, by leaving out the doubtful.

use crate::canvas::{Axes, BLUE, Canvas, FAINT, GREEN, INK, RED, SMALL, Side, TEXT, number};
use minimax::data::digits;
use minimax::data::plane::Plane;
use minimax::metrics::{
    COMPARISON, Manifold, Moments, Overlap, Points, RESAMPLING, classifier_score, frechet_distance, frechet_of_samples,
    largest, square_root,
};
use minimax::random::{Purpose, Random};
use minimax::{Device, judge};

/// Features of the two generators below, and of what is real: normal, about 0 with variance 1.
const DIMENSIONS: usize = 64;

/// `count` samples of a generator whose samples are `spread` times as far apart, and whose mean is `shift` away.
fn samples(count: usize, spread: f64, shift: f64, random: &mut Random) -> Vec<f32> {
    let mut values: Vec<f32> = random.normal(count * DIMENSIONS).iter().map(|&v| (spread * v) as f32).collect();
    values.iter_mut().step_by(DIMENSIONS).for_each(|v| *v += shift as f32);
    values
}

/// Two generators: all of the variety but a mean that is off, and eight tenths of the variety.
const SHIFTED: (f64, f64) = (1.0, std::f64::consts::SQRT_2);
const TIMID: (f64, f64) = (0.8, 0.0);

pub fn bias(canvas: &mut Canvas) {
    const SETS: usize = 16;
    let real = Moments {
        count: usize::MAX,
        mean: vec![0.0; DIMENSIONS],
        covariance: (0..DIMENSIONS * DIMENSIONS).map(|at| f64::from(u8::from(at % (DIMENSIONS + 1) == 0))).collect(),
    };
    let axes = Axes { x: [0.0, 5.2], y: [0.0, 8.0], at: (110, 150), size: (1050, 560) };
    let counts = [8000, 4000, 2000, 1000, 500, 333, 250, 200];
    let per_thousand = |count: usize| 1000.0 / count as f64;
    let xs: Vec<_> = [2000, 1000, 500, 200].map(|count| (per_thousand(count), count.to_string())).into();
    let ys: Vec<_> = (0..=8).map(|v| (f64::from(v), v.to_string())).collect();
    axes.draw(canvas, &xs, &ys);
    let mut random = Random::new(12, Purpose::CHECK);
    for ((spread, shift), color) in [(SHIFTED, BLUE), (TIMID, RED)] {
        let mut line = Vec::new();
        for count in counts {
            let distances = (0..SETS).map(|_| {
                let values = samples(count, spread, shift, &mut random);
                frechet_distance(&real, &Moments::of(&Points::of(&values, DIMENSIONS)))
            });
            line.push(axes.place(per_thousand(count), distances.sum::<f64>() / SETS as f64));
        }
        canvas.dotted(&line, 9, color);
        let values = samples(4000, spread, shift, &mut random);
        let found = frechet_of_samples(&real, &Points::of(&values, DIMENSIONS), &mut Random::new(1, RESAMPLING));
        let (x, y) = axes.place(0.0, found.extrapolated);
        canvas.area((x - 12, y - 12), (24, 24), plotters::style::WHITE, color);
    }
    canvas.text((110, 44), Side::Left, TEXT, BLUE, "mean off, all variety");
    canvas.text((570, 44), Side::Left, TEXT, RED, "eight tenths of the variety");
    canvas.text((110, 106), Side::Left, SMALL, INK, "Fréchet distance of n samples, mean of 16 sets");
    canvas.text((1160, 106), Side::Right, SMALL, INK, "boxes: extrapolated");
    canvas.text((635, 806), Side::Middle, SMALL, INK, "n, on an axis of 1/n");
}

/// `count` points of the normal distribution that has the moments of `of`.
fn normal_like(of: &Moments, count: usize, random: &mut Random) -> Vec<f32> {
    let root = square_root(&of.covariance, 2);
    let steps = random.normal(2 * count);
    let point =
        |z: &[f64]| [0, 1].map(|axis| (of.mean[axis] + root[2 * axis] * z[0] + root[2 * axis + 1] * z[1]) as f32);
    steps.chunks_exact(2).flat_map(point).collect()
}

pub fn moments(canvas: &mut Canvas) {
    const COUNT: usize = 1000;
    let mut random = Random::new(7, COMPARISON);
    let ring = Plane::Ring.sample(COUNT, &mut random);
    let real = Moments::of(&Points::of(&ring, 2));
    let sets = [
        ("real", GREEN, ring.clone()),
        ("other real ones", BLUE, Plane::Ring.sample(COUNT, &mut random)),
        ("a normal distribution", RED, normal_like(&real, COUNT, &mut random)),
    ];
    let manifold = Manifold::of(&Points::of(&ring, 2));
    for (i, (name, color, points)) in sets.iter().enumerate() {
        let axes = Axes { x: [-6.5, 6.5], y: [-6.5, 6.5], at: (20 + 395 * i as i32, 80), size: (370, 370) };
        axes.draw(canvas, &[], &[]);
        for point in points.chunks_exact(2) {
            let [x, y] = [0, 1].map(|axis| f64::from(point[axis]));
            canvas.dot(axes.place(x, y), 3, *color);
        }
        canvas.text((axes.at.0, 40), Side::Left, SMALL, *color, name);
        if i == 0 {
            continue;
        }
        let points = Points::of(points, 2);
        let overlap = Overlap::of((&Points::of(&ring, 2), &manifold), (&points, &Manifold::of(&points)));
        let mut draws = Random::new(1, RESAMPLING);
        let figures = [
            ("Fréchet", frechet_distance(&real, &Moments::of(&points))),
            ("precision", overlap.precision(&mut draws).value),
            ("coverage", overlap.coverage(&mut draws).value),
        ];
        for (line, (name, value)) in figures.into_iter().enumerate() {
            let y = 500 + 48 * line as i32;
            canvas.text((axes.at.0, y), Side::Left, SMALL, INK, name);
            canvas.text((axes.at.0 + 370, y), Side::Right, SMALL, *color, &format!("{value:.3}"));
        }
    }
}

pub fn gaming(canvas: &mut Canvas) {
    const COUNT: usize = 4000;
    const CLASSES: usize = 10;
    let mut judge = judge::built_in(Device::Cpu);
    let images = digits::render(COUNT, 12);
    let seen = judge.classifier.see(&images.pixels);
    let width = seen.features.len() / COUNT;
    let sure = largest(&seen.probabilities, CLASSES);
    // Of each class by itself, so that none gets lost.
    let mut order: Vec<usize> = (0..COUNT).collect();
    order.sort_by(|&i, &j| sure[j].total_cmp(&sure[i]));
    let mut classes = vec![Vec::new(); CLASSES];
    order.into_iter().for_each(|i| classes[usize::from(images.labels[i])].push(i));
    let shares: Vec<usize> = (1..=10).map(|tenth| 10 * tenth).collect();
    let figures_of = |&share: &usize| {
        let kept = || classes.iter().flat_map(|class| &class[..class.len() * share / 100]);
        let rows = |values: &[f32], width: usize| -> Vec<f32> {
            kept().flat_map(|&i| &values[i * width..][..width]).copied().collect()
        };
        let (features, probabilities) = (rows(&seen.features, width), rows(&seen.probabilities, CLASSES));
        let distance = frechet_distance(&judge.reference, &Moments::of(&Points::of(&features, width)));
        [classifier_score(&probabilities, CLASSES, &mut Random::new(1, RESAMPLING)).value, distance]
    };
    let figures: Vec<[f64; 2]> = shares.iter().map(figures_of).collect();
    let score = Axes { x: [0.0, 100.0], y: [9.94, 10.01], at: (130, 150), size: (460, 560) };
    let distance = Axes { x: [0.0, 100.0], y: [0.0, 1.2], at: (690, 150), size: (460, 560) };
    let xs: Vec<_> = [0, 50, 100].map(|share| (f64::from(share), format!("{share}%"))).into();
    score.draw(canvas, &xs, &[9.94, 9.96, 9.98, 10.0].map(|v| (v, number(v))));
    distance.draw(canvas, &xs, &[0.0, 0.4, 0.8, 1.2].map(|v| (v, number(v))));
    for (which, (axes, color)) in [(&score, BLUE), (&distance, RED)].into_iter().enumerate() {
        let line: Vec<_> = shares.iter().zip(&figures).map(|(&share, f)| axes.place(share as f64, f[which])).collect();
        canvas.dotted(&line, 9, color);
    }
    canvas.text((130, 44), Side::Left, TEXT, BLUE, "classifier score");
    canvas.text((690, 44), Side::Left, TEXT, RED, "Fréchet distance");
    canvas.text((130, 106), Side::Left, SMALL, FAINT, "higher is better");
    canvas.text((690, 106), Side::Left, SMALL, FAINT, "lower is better");
    canvas.text((360, 806), Side::Middle, SMALL, INK, "share that is kept");
    canvas.text((920, 806), Side::Middle, SMALL, INK, "share that is kept");
}
