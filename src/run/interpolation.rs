//! The way from one latent to another along a great circle: spherical linear interpolation (Shoemake,
//! "Animating rotation with quaternion curves", SIGGRAPH 1985; for latents White, "Sampling generative
//! networks", 2016).
//!
//! ```text
//! u = a / |a|    v = b / |b|    ω = the angle between them    w = (v - (u·v) u) / sin ω
//! z(t) = ((1 - t) |a| + t |b|) · (cos(tω) u + sin(tω) w)
//! ```
//!
//! The last factor is the usual (sin((1 - t)ω) u + sin(tω) v) / sin ω, written with a direction w that can be found
//! even where sin ω is 0. Normal latents of many values lie close to a sphere; a straight line would lead through its
//! inside, where a generator was never trained.

/// If the sine is below this, two directions are equal or opposite: their difference is only rounding.
const SMALLEST_SINE: f64 = 1e-9;

/// The labels of `count` samples on the way from one class to another, both included: rows of probabilities for
/// `classes` classes. Layers that take labels mix their parameters of the classes by these.
///
/// # Panics
/// If one of the two is not below `classes`.
pub fn between_classes([from, to]: [u16; 2], classes: usize, count: usize) -> Vec<f32> {
    let mut labels = vec![0.0; count * classes];
    for (place, row) in labels.chunks_exact_mut(classes).enumerate() {
        let t = place as f32 / (count.max(2) - 1) as f32;
        row[usize::from(from)] += 1.0 - t;
        row[usize::from(to)] += t;
    }
    labels
}

/// `count` latents from `a` to `b`, both included, as `[count, width]`; a single one is `a`.
///
/// Latents that point the same way differ only in length. Between opposite ones there is a great circle in every
/// direction, and one of them is taken. If there is none at all (for a latent of zeros, or of one value) the way is
/// straight.
///
/// # Panics
/// If `a` and `b` have different widths.
pub fn great_circle(a: &[f32], b: &[f32], count: usize) -> Vec<f32> {
    assert_eq!(a.len(), b.len(), "great_circle: the widths of two latents");
    let [a, b] = [a, b].map(|z| z.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>());
    match circle(&a, &b) {
        Some((u, w, angle)) => blends(&u, &w, count, |t| {
            let length = (1.0 - t) * norm(&a) + t * norm(&b);
            let (sin, cos) = libm::sincos(t * angle);
            [length * cos, length * sin]
        }),
        None => blends(&a, &b, count, |t| [1.0 - t, t]),
    }
}

/// `x` and `y` mixed by the weights for each t, which has `count` values from 0 to 1.
fn blends(x: &[f64], y: &[f64], count: usize, weights: impl Fn(f64) -> [f64; 2]) -> Vec<f32> {
    let mut blends = Vec::with_capacity(count * x.len());
    for i in 0..count {
        let [wx, wy] = weights(i as f64 / (count.max(2) - 1) as f64);
        blends.extend(x.iter().zip(y).map(|(x, y)| (wx * x + wy * y) as f32));
    }
    blends
}

/// The directions u and w and the angle ω, if they exist.
fn circle(a: &[f64], b: &[f64]) -> Option<(Vec<f64>, Vec<f64>, f64)> {
    let (u, v) = (unit(a)?, unit(b)?);
    let cosine = dot(&u, &v);
    let across = without(&v, &u);
    let sine = norm(&across);
    let w = match sine > SMALLEST_SINE {
        true => unit(&across)?,
        false => perpendicular(&u)?,
    };
    Some((u, w, libm::atan2(sine, cosine)))
}

/// A direction at right angles to the direction `u`: the axis along which `u` has the smallest component, less its part
/// along `u`.
fn perpendicular(u: &[f64]) -> Option<Vec<f64>> {
    let least = (0..u.len()).min_by(|&i, &j| u[i].abs().total_cmp(&u[j].abs()))?;
    let mut axis = vec![0.0; u.len()];
    axis[least] = 1.0;
    unit(&without(&axis, u))
}

/// `x` less its part along the direction `u`.
fn without(x: &[f64], u: &[f64]) -> Vec<f64> {
    let along = dot(x, u);
    x.iter().zip(u).map(|(x, u)| x - along * u).collect()
}

/// The direction of `x`, or `None` if it is zero.
fn unit(x: &[f64]) -> Option<Vec<f64>> {
    let norm = norm(x);
    (norm > 0.0).then(|| x.iter().map(|x| x / norm).collect())
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use libm::sin;

    fn close(x: &[f32], y: &[f64]) {
        assert_eq!(x.len(), y.len());
        let near = |(&x, y): (&f32, &f64)| (f64::from(x) - y).abs() < 1e-6;
        assert!(x.iter().zip(y).all(near), "{x:?} is not {y:?}");
    }

    #[test]
    fn labels_go_from_class_to_class() {
        assert_eq!(between_classes([2, 0], 3, 3), [0.0, 0.0, 1.0, 0.5, 0.0, 0.5, 1.0, 0.0, 0.0]);
        assert_eq!(between_classes([1, 1], 2, 2), [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(between_classes([1, 0], 2, 1), [0.0, 1.0]);
    }

    #[test]
    fn a_right_angle_is_cut_in_three_and_lengths_go_evenly() {
        let (s, c) = (0.5, 0.75f64.sqrt());
        let path = great_circle(&[1.0, 0.0], &[0.0, 4.0], 4);
        close(&path, &[1.0, 0.0, 2.0 * c, 2.0 * s, 3.0 * s, 3.0 * c, 0.0, 4.0]);
    }

    #[test]
    fn it_is_shoemakes_formula() {
        let (a, b) = ([1.0, 2.0, -1.0], [0.5, -1.0, 2.0]);
        let [na, nb] = [6.0f64.sqrt(), 5.25f64.sqrt()];
        let angle = libm::acos((0.5 - 2.0 - 2.0) / (na * nb));
        let expected = |t: f64, i: usize| {
            let (u, v) = (f64::from(a[i]) / na, f64::from(b[i]) / nb);
            let turned = (sin((1.0 - t) * angle) * u + sin(t * angle) * v) / sin(angle);
            ((1.0 - t) * na + t * nb) * turned
        };
        let all: Vec<f64> = (0..5 * 3).map(|k| expected((k / 3) as f64 / 4.0, k % 3)).collect();
        close(&great_circle(&a, &b, 5), &all);
    }

    #[test]
    fn equal_and_opposite_latents() {
        close(&great_circle(&[3.0, 4.0], &[3.0, 4.0], 2), &[3.0, 4.0, 3.0, 4.0]);
        let path = great_circle(&[3.0, 4.0, 0.0], &[-3.0, -4.0, 0.0], 3);
        close(&path, &[3.0, 4.0, 0.0, 0.0, 0.0, 5.0, -3.0, -4.0, 0.0]);
    }

    #[test]
    fn where_there_is_no_circle_the_way_is_straight() {
        close(&great_circle(&[1.0], &[-3.0], 3), &[1.0, -1.0, -3.0]);
        close(&great_circle(&[0.0, 0.0], &[2.0, 4.0], 3), &[0.0, 0.0, 1.0, 2.0, 2.0, 4.0]);
        close(&great_circle(&[2.0, 1.0], &[7.0, 9.0], 1), &[2.0, 1.0]);
    }
}
