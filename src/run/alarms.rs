//! Alarms: failures of training that a person should hear about while there is time. A process raises each of them
//! once. docs/failures.md has how they look in the curves and what to do, with recipes that fail in these ways on
//! purpose.
//!
//! | alarm | when |
//! |---|---|
//! | classes lost | three epochs after another, as far as their samples are judged, at most half of the classes appear, or three fewer than once did; of a set of modes, at most half of those that as many real ones show; an epoch that shows more than all before it is none of the three |
//! | D won | for three epochs, mean D(x) is above 0.95 and mean D(G(z)) below 0.05, where D gives probabilities |
//! | constant output | all samples are the same, to a byte's step of a picture |
//! | saturated output | nearly all values of the samples are black or white, and not of the real images |
//! | losses without end | for three epochs a mean loss has grown, to above 100 and twice that of the first epoch |

use super::means::Means;

/// The number of epochs for which a failure of outputs or classes lasts before the alarm.
const LASTING: u64 = 3;
/// The number of epochs for which a loss has grown before the alarm.
const GROWING: usize = 3;
/// A loss that is bounded in any way stays below this.
const LARGE: f64 = 100.0;
/// D has won a game in which mean D(x) is above this and mean D(G(z)) below 1 minus this.
const WON: f64 = 0.95;
/// A share of black and white values above this is saturation.
const SATURATED: f64 = 0.99;

/// What is known at the end of an epoch.
pub(super) struct Epoch<'a> {
    pub means: &'a Means,
    /// Whether D(x) and D(G(z)) are probabilities.
    pub gives_probabilities: bool,
    /// The norm of G's gradient when it was last measured.
    pub g_gradient_norm: Option<f64>,
    /// The number of classes that appear, and the number of all classes.
    pub classes: Option<[usize; 2]>,
    /// The number of modes among the samples, and among as many real images.
    pub modes: Option<[usize; 2]>,
    /// Whether all samples are the same.
    pub is_constant: bool,
    /// The shares of black and white values, of samples and of real images, unless they are points.
    pub extremes: Option<[f64; 2]>,
}

/// What has been seen so far.
#[derive(Default)]
pub(super) struct Alarms {
    raised: Vec<&'static str>,
    most_present: usize,
    most_modes: usize,
    lost: u64,
    won: u64,
    /// D's and G's mean loss in each epoch.
    losses: Vec<[f64; 2]>,
}

impl Alarms {
    /// The alarms of an epoch that has ended, one line each.
    pub fn epoch(&mut self, epoch: &Epoch) -> Vec<String> {
        let found = [
            ("classes lost", self.classes_lost(epoch)),
            ("D won", self.discriminator_won(epoch)),
            ("constant output", constant(epoch)),
            ("saturated output", saturated(epoch)),
            ("losses without end", self.losses_grow(epoch)),
        ];
        let mut lines = Vec::new();
        for (kind, line) in found {
            if let Some(line) = line
                && !self.raised.contains(&kind)
            {
                self.raised.push(kind);
                lines.push(format!("{kind}: {line}; see docs/failures.md"));
            }
        }
        lines
    }

    fn classes_lost(&mut self, epoch: &Epoch) -> Option<String> {
        let [present, found] = [epoch.classes, epoch.modes].map(|counted| counted.map_or(0, |[count, _]| count));
        let is_rising = present > self.most_present || found > self.most_modes;
        self.most_present = self.most_present.max(present);
        self.most_modes = self.most_modes.max(found);
        let classes = epoch.classes.filter(|[present, of]| 2 * present <= *of || present + 3 <= self.most_present);
        let modes = epoch.modes.filter(|[found, floor]| 2 * found <= *floor);
        self.lost = match (epoch.classes.or(epoch.modes), classes.or(modes)) {
            // The epoch was not judged, or the number of classes is still rising.
            (None, _) => self.lost,
            (_, Some(_)) if is_rising => self.lost,
            (_, Some(_)) => self.lost + 1,
            (_, None) => 0,
        };
        let fix = "a lower learning rate for G, a larger batch, or a Wasserstein loss may bring them back";
        let words = match (modes, classes) {
            (Some([found, floor]), _) => {
                format!("{found} modes appear among the samples, {floor} among as many real ones")
            }
            (_, Some([present, of])) => format!("{present} of {of} classes appear among the samples"),
            (None, None) => return None,
        };
        (self.lost >= LASTING).then(|| format!("{words}; {fix}"))
    }

    fn discriminator_won(&mut self, epoch: &Epoch) -> Option<String> {
        let (real, fake) = (epoch.means.d_real()?, epoch.means.d_fake()?);
        let won = epoch.gives_probabilities && real > WON && fake < 1.0 - WON;
        self.won = if won { self.won + 1 } else { 0 };
        let gradient =
            epoch.g_gradient_norm.map_or(String::new(), |norm| format!(", G's gradient has norm {norm:.1e}"));
        let fix =
            "a lower learning rate for D, dropout in it, noisy labels, or a loss that doesn't saturate may help G";
        (self.won >= LASTING).then(|| format!("D(x) is {real:.3}, D(G(z)) {fake:.3}{gradient}; {fix}"))
    }

    fn losses_grow(&mut self, epoch: &Epoch) -> Option<String> {
        let all = [epoch.means.d_loss()?, epoch.means.g_loss()?];
        self.losses.push(all);
        let recent = self.losses.len().checked_sub(GROWING + 1)?;
        let fix = "a bound on the critic (gradient penalty, clipped weights) or lower learning rates may hold them";
        ["D", "G"].into_iter().enumerate().find_map(|(index, name)| {
            let size = |losses: &[f64; 2]| losses[index].abs();
            let grown = self.losses[recent..].windows(2).all(|pair| size(&pair[1]) > size(&pair[0]));
            let (first, last) = (size(&self.losses[0]), size(&all));
            let large = last > 2.0 * first && last > LARGE;
            (grown && large).then(|| {
                format!("{name}'s loss has gone from {:.3} to {:.3}; {fix}", self.losses[0][index], all[index])
            })
        })
    }
}

fn constant(epoch: &Epoch) -> Option<String> {
    let fix = "a lower learning rate for both, or another seed, may start it anew";
    epoch.is_constant.then(|| format!("all samples are the same, whatever the latent; {fix}"))
}

/// Whether all images of `samples` `[n, size]`, of which there is at least one, are equal up to one step of a byte.
pub(super) fn is_constant(samples: &[u8], size: usize) -> bool {
    let mut images = samples.chunks_exact(size);
    let near = |a: &u8, b: &u8| a.abs_diff(*b) <= 1;
    images.next().is_some_and(|first| images.all(|image| image.iter().zip(first).all(|(a, b)| near(a, b))))
}

fn saturated(epoch: &Epoch) -> Option<String> {
    let [share, real] = epoch.extremes?;
    let fix = "a lower learning rate for G, or batch norm in it, keeps values where the last activation has a slope";
    (share > SATURATED && real < SATURATED - 0.05)
        .then(|| format!("{:.1}% of the samples' values are black or white; {fix}", 100.0 * share))
}

/// The share of values that are black or white.
pub(super) fn extremes(values: &[u8]) -> f64 {
    let count = values.iter().filter(|&&value| value == 0 || value == 255).count();
    count as f64 / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::report::StepReport;
    use std::time::Duration;

    fn means(d_loss: f64, d_real: f64, d_fake: f64) -> Means {
        let report = StepReport {
            d_loss,
            c_loss: None,
            g_loss: Some(1.0),
            d_real,
            d_fake,
            wasserstein: None,
            d_gradient_norm: None,
            g_gradient_norm: None,
        };
        let mut means = Means::new(0);
        means.step(&report, 1, Duration::ZERO);
        means
    }

    fn epoch(means: &Means, classes: Option<[usize; 2]>) -> Epoch<'_> {
        Epoch {
            means,
            gives_probabilities: true,
            g_gradient_norm: Some(1e-7),
            classes,
            modes: None,
            is_constant: false,
            extremes: Some([0.5, 0.8]),
        }
    }

    fn kinds(lines: &[String]) -> Vec<&str> {
        lines.iter().map(|line| line.split(':').next().unwrap()).collect()
    }

    #[test]
    fn a_game_that_goes_well_raises_none() {
        let mut alarms = Alarms::default();
        for present in [4, 7, 10, 9, 10, 8, 10] {
            assert!(alarms.epoch(&epoch(&means(1.3, 0.6, 0.4), Some([present, 10]))).is_empty(), "{present}");
        }
    }

    #[test]
    fn lost_classes_are_said_once_after_three_epochs() {
        let mut alarms = Alarms::default();
        let means = means(1.3, 0.6, 0.4);
        let mut said = |present| alarms.epoch(&epoch(&means, Some([present, 10])));
        assert!(said(9).is_empty() && said(6).is_empty() && said(6).is_empty());
        let lines = said(6);
        assert_eq!(kinds(&lines), ["classes lost"]);
        assert!(lines[0].contains("6 of 10 classes") && lines[0].ends_with("see docs/failures.md"), "{lines:?}");
        assert!(said(1).is_empty());
    }

    #[test]
    fn classes_that_are_still_being_found_are_not_lost_and_epochs_that_are_not_judged_do_not_count() {
        let mut alarms = Alarms::default();
        let means = means(1.3, 0.6, 0.4);
        let mut said = |present: Option<usize>| alarms.epoch(&epoch(&means, present.map(|n| [n, 10]))).len();
        assert_eq!([1, 2, 3, 4, 5].map(|present| said(Some(present))), [0; 5]);
        assert_eq!([Some(4), None, Some(5), None].map(&mut said), [0; 4]);
        assert_eq!(said(Some(3)), 1);
    }

    #[test]
    fn lost_modes_are_said_even_where_all_classes_appear() {
        let means = means(1.3, 0.6, 0.4);
        let mut alarms = Alarms::default();
        let mut said = |found| alarms.epoch(&Epoch { modes: Some([found, 632]), ..epoch(&means, Some([10, 10])) });
        assert!([600, 317, 316, 316].iter().all(|&found| said(found).is_empty()));
        let lines = said(99);
        assert!(lines[0].contains("classes lost: 99 modes appear among the samples, 632 among"), "{lines:?}");
    }

    #[test]
    fn a_won_game_is_said_where_outputs_are_probabilities() {
        let won = means(0.02, 0.99, 0.01);
        let mut alarms = Alarms::default();
        assert!((0..2).all(|_| alarms.epoch(&epoch(&won, None)).is_empty()));
        let lines = alarms.epoch(&epoch(&won, None));
        assert_eq!(kinds(&lines), ["D won"]);
        assert!(lines[0].contains("G's gradient has norm 1.0e-7"), "{lines:?}");
        let mut scores = Alarms::default();
        for _ in 0..4 {
            let epoch = Epoch { gives_probabilities: false, ..epoch(&won, None) };
            assert!(scores.epoch(&epoch).is_empty());
        }
    }

    #[test]
    fn outputs_without_variety_or_without_tones_are_said_at_once() {
        let means = means(1.3, 0.6, 0.4);
        let said = |change: fn(&mut Epoch)| {
            let mut epoch = epoch(&means, None);
            change(&mut epoch);
            Alarms::default().epoch(&epoch)
        };
        assert_eq!(kinds(&said(|epoch| epoch.is_constant = true)), ["constant output"]);
        assert_eq!(kinds(&said(|epoch| epoch.extremes = Some([1.0, 0.8]))), ["saturated output"]);
        assert!(said(|epoch| epoch.extremes = Some([1.0, 0.99])).is_empty(), "real images are so, too");
        assert!(said(|epoch| epoch.extremes = None).is_empty(), "points");
        assert!(is_constant(&[10, 20, 30, 11, 19, 30], 3));
        assert!(!is_constant(&[10, 20, 30, 12, 20, 30], 3) && !is_constant(&[], 3));
        assert_eq!(extremes(&[0, 255, 1, 254]), 0.5);
    }

    #[test]
    fn losses_that_grow_and_grow_are_said() {
        let mut alarms = Alarms::default();
        let mut said = |loss| {
            let means = means(loss, 0.6, 0.4);
            kinds(&alarms.epoch(&epoch(&means, None))).len()
        };
        assert_eq!([-1.0, -5.0, -30.0, -20.0, -40.0, -90.0].map(&mut said), [0; 6]);
        assert_eq!(said(-200.0), 1);
        assert_eq!(said(-900.0), 0, "once");
    }
}
