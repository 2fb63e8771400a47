//! Reduces a long curve to what a chart can show: the range of its values and their running mean, column by column.

/// The unbroken stretches of `points`: a point that is not finite, or too large to calculate with, ends a stretch.
pub(super) fn stretches(points: &[(f64, f64)]) -> impl Iterator<Item = &[(f64, f64)]> {
    let drawable = |v: f64| v.abs() < 1e300;
    points.split(move |&(x, y)| !(drawable(x) && drawable(y))).filter(|stretch| !stretch.is_empty())
}

/// The part of a stretch that is in one column of a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Column {
    /// The x of its middle point.
    pub x: f64,
    /// The lowest y.
    pub low: f64,
    /// The highest y.
    pub high: f64,
    /// The running mean at its middle point.
    pub mean: f64,
}

/// `stretch` in columns of equal width, `count` of them between `low` and `high`, without those that have no point. The
/// mean is over the `window` points of the stretch around a point, and over fewer at the ends.
pub(super) fn columns(stretch: &[(f64, f64)], (low, high): (f64, f64), count: usize, window: usize) -> Vec<Column> {
    let mut sums = vec![0.0; stretch.len() + 1];
    for (i, &(_, y)) in stretch.iter().enumerate() {
        sums[i + 1] = sums[i] + y;
    }
    let mean = |i: usize| {
        let from = i.saturating_sub(window / 2);
        let to = (i + window.div_ceil(2)).min(stretch.len());
        (sums[to] - sums[from]) / (to - from) as f64
    };
    let column = |&(x, _): &(f64, f64)| ((x - low) / (high - low) * count as f64).floor();
    let mut start = 0;
    let groups = stretch.chunk_by(|a, b| column(a) == column(b));
    groups
        .map(|group| {
            let middle = group.len() / 2;
            let column = Column {
                x: group[middle].0,
                low: group.iter().map(|p| p.1).fold(f64::INFINITY, f64::min),
                high: group.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max),
                mean: mean(start + middle),
            };
            start += group.len();
            column
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_breaks_the_line() {
        let ys = [f64::NAN, 1.0, 2.0, f64::INFINITY, 1e308, 3.0];
        let points: Vec<_> = ys.iter().enumerate().map(|(x, &y)| (x as f64, y)).collect();
        let found: Vec<_> = stretches(&points).collect();
        assert_eq!(found, [&[(1.0, 1.0), (2.0, 2.0)][..], &[(5.0, 3.0)]]);
        assert_eq!(stretches(&[]).count(), 0);
    }

    #[test]
    fn the_mean_is_over_the_neighbours_and_shorter_at_the_ends() {
        let points = [(0.0, 0.0), (1.0, 3.0), (2.0, 6.0), (3.0, 0.0)];
        let means = |window| {
            let columns = columns(&points, (0.0, 4.0), 4, window);
            columns.iter().map(|column| column.mean).collect::<Vec<_>>()
        };
        assert_eq!(means(3), [1.5, 3.0, 3.0, 3.0]);
        assert_eq!(means(1), [0.0, 3.0, 6.0, 0.0]);
        assert_eq!(means(2), [0.0, 1.5, 4.5, 3.0]);
        assert_eq!(means(100), [2.25; 4]);
    }

    #[test]
    fn every_column_has_the_whole_range_of_its_values() {
        let points: Vec<_> = (0..65_536).map(|i| (f64::from(i), f64::from((i * 7919) % 65_537))).collect();
        let found = columns(&points, (0.0, 65_536.0), 64, 1);
        assert_eq!(found.len(), 64);
        for (column, points) in found.iter().zip(points.chunks(1024)) {
            let ys = points.iter().map(|p| p.1);
            let range = ys.fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
            assert_eq!((column.low, column.high), range);
            assert_eq!((column.x, column.mean), points[512]);
        }
        let sparse = columns(&[(10.0, 5.0), (90.0, 6.0)], (0.0, 100.0), 100, 1);
        let ends = [(10.0, 5.0), (90.0, 6.0)].map(|(x, y)| Column { x, low: y, high: y, mean: y });
        assert_eq!(sparse, ends);
    }
}
