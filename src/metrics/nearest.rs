//! For each of some points, the nearest of some others by Euclidean distance. For samples and training images it shows
//! whether the generator has memorised images.

use super::pairs::near_pairs;
use super::points::Points;

/// The nearest point to another: see [`nearest`].
///
/// ```
/// use minimax::metrics::{Points, nearest};
///
/// let found = nearest(&Points::of(&[0.9, 5.0], 1), &Points::of(&[0.0, 1.0, 5.0], 1));
/// assert_eq!((found[0].place, found[1].place, found[1].distance), (1, 2, 0.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Its index, or the first of several at the same distance.
    pub place: usize,
    /// Its distance: exactly 0 for an equal point.
    pub distance: f64,
}

/// For each of `points`, the nearest of `others`. A point with a NaN is infinitely far from all.
///
/// # Panics
/// If `others` is empty, or has other dimensions.
pub fn nearest(points: &Points, others: &Points) -> Vec<Nearest> {
    assert!(!others.is_empty(), "nearest: there is nothing to be near to");
    let mut found = vec![Nearest { place: 0, distance: f64::INFINITY }; points.len()];
    // Distances are squared until all are found.
    let meet = |nearest: &mut Nearest, _, place, distance| {
        if distance < nearest.distance {
            *nearest = Nearest { place, distance };
        }
    };
    near_pairs(points, others, None, &mut found, |nearest| nearest.distance, meet);
    found.iter_mut().for_each(|nearest| nearest.distance = nearest.distance.sqrt());
    found
}

/// The indices of the `count` points with the smallest distances, in order of distance.
pub fn closest(nearest: &[Nearest], count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..nearest.len()).collect();
    order.sort_by(|&i, &j| nearest[i].distance.total_cmp(&nearest[j].distance));
    order.truncate(count);
    order
}

/// For each of `points`, the squared distances of the K nearest others of the same set, the smallest first.
///
/// # Panics
/// If there are no more than K points.
pub(super) fn nearest_in_set<const K: usize>(points: &Points) -> Vec<[f64; K]> {
    assert!(points.len() > K, "nearest_in_set: {} points have no {K} others each", points.len());
    let mut found = vec![[f64::INFINITY; K]; points.len()];
    let meet = |nearest: &mut [f64; K], i, j, distance| {
        if i != j && distance < nearest[K - 1] {
            let place = nearest.partition_point(|&other| other <= distance);
            nearest.copy_within(place..K - 1, place + 1);
            nearest[place] = distance;
        }
    };
    near_pairs(points, points, None, &mut found, |nearest| nearest[K - 1], meet);
    found
}

#[cfg(test)]
mod tests {
    use super::super::pairs::squared_distance;
    use super::*;
    use crate::random::{Purpose, Random};

    fn points(count: usize, d: usize, seed: u64) -> Vec<f32> {
        Random::new(seed, Purpose::CHECK).normal(count * d).iter().map(|&v| v as f32).collect()
    }

    #[test]
    fn the_nearest_are_those_that_plain_loops_find() {
        for (n, m, d) in [(50, 1300, 4), (2200, 70, 3), (20, 20, 100), (3, 1, 1)] {
            let (a, mut b) = (points(n, d, 1), points(m, d, 2));
            // The same image twice: its first place counts.
            b[(m - 1) * d..].copy_from_slice(&a[..d]);
            if m > 5 {
                b[5 * d..6 * d].copy_from_slice(&a[..d]);
            }
            let found = nearest(&Points::of(&a, d), &Points::of(&b, d));
            for (x, found) in a.chunks(d).zip(&found) {
                let distances = b.chunks(d).map(|y| squared_distance(x, y).sqrt()).enumerate();
                let (place, distance) = distances.min_by(|x, y| x.1.total_cmp(&y.1)).unwrap();
                assert_eq!(*found, Nearest { place, distance });
            }
            assert_eq!((found[0].place, found[0].distance), (5.min(m - 1), 0.0));
            let order = closest(&found, 10);
            assert_eq!((order.len(), order[0]), (n.min(10), 0));
            assert!(order.windows(2).all(|pair| found[pair[0]].distance <= found[pair[1]].distance));
        }
    }

    #[test]
    fn the_nearest_of_a_set_leave_out_the_point_itself_and_nothing_else() {
        let d = 3;
        let mut a = points(1500, d, 3);
        a.copy_within(..d, 7 * d);
        let found = nearest_in_set::<4>(&Points::of(&a, d));
        for (i, x) in a.chunks(d).enumerate() {
            let mut all: Vec<f64> =
                a.chunks(d).enumerate().filter(|&(j, _)| i != j).map(|(_, y)| squared_distance(x, y)).collect();
            all.sort_by(f64::total_cmp);
            assert_eq!(found[i][..], all[..4], "{i}");
        }
        assert_eq!((found[0][0], found[7][0]), (0.0, 0.0));
    }

    /// One image over and over, which leaves nothing to sift by, is no trouble.
    #[test]
    fn equal_points_are_all_0_apart() {
        let a = points(1, 20, 4).repeat(300);
        assert_eq!(nearest_in_set::<5>(&Points::of(&a, 20)), vec![[0.0; 5]; 300]);
        assert!(nearest(&Points::of(&a, 20), &Points::of(&a, 20)).iter().all(|n| (n.place, n.distance) == (0, 0.0)));
    }

    #[test]
    fn what_is_not_a_number_is_near_nothing() {
        let (a, b) = ([f32::NAN, 1.0, 2.0, 2.0], [f32::NAN, 0.0, 2.0, 3.0]);
        let found = nearest(&Points::of(&a, 2), &Points::of(&b, 2));
        assert_eq!(found[0].distance, f64::INFINITY);
        assert_eq!(found[1], Nearest { place: 1, distance: 1.0 });
    }
}
