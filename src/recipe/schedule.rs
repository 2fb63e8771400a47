//! Numbers of a recipe that change as training goes on.
//!
//! ```toml
//! [[schedule]]                       # a warm-up
//! keys = ["generator.optimizer.learning_rate", "discriminator.optimizer.learning_rate"]
//! from = 0                           # default: the recipe's own number
//! epochs = 1                         # how long it takes
//!
//! [[schedule]]                       # a decay
//! keys = ["generator.optimizer.learning_rate", "discriminator.optimizer.learning_rate"]
//! start = 10                         # epochs before it begins; default: 0
//! to = 1e-5                          # default: the recipe's own number
//! epochs = 40
//! shape = "cosine"                   # default: "linear"
//! ```
//!
//! With x the share of `epochs` that is done, from 0 to 1, a number is
//!
//! ```text
//! linear:  from + (to - from) x
//! cosine:  to + (from - to) (1 + cos πx) / 2        (Loshchilov and Hutter 2017, without restarts)
//! ```
//!
//! Before a schedule begins the recipe's own number holds, and after it `to`. If several have begun, the last one
//! counts.

use super::sizes::check_number;
use super::{AverageSpec, MAX_EPOCHS, OptimizerSpec, Recipe, TrainingSpec};
use crate::optim::schedule;
use crate::terminal::excerpt;
use serde::{Deserialize, Serialize};

/// The most schedules of a recipe.
const MOST: usize = 100;

/// How some numbers change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct ScheduleSpec {
    /// The keys of the numbers.
    pub keys: Vec<String>,
    /// The number at the beginning; default: the recipe's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<f64>,
    /// The number at the end; default: the recipe's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// The number of epochs before it begins; default: 0.
    #[serde(default)]
    pub start: f64,
    /// The number of epochs that it takes.
    pub epochs: f64,
    /// The shape of the curve; default: a straight line.
    #[serde(default)]
    pub shape: Shape,
}

/// The curve of a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A straight line.
    #[default]
    Linear,
    /// Half a cosine wave: slow at both ends.
    Cosine,
}

/// The numbers of a recipe that may be scheduled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Numbers {
    /// The generator's optimiser.
    pub generator: OptimizerSpec,
    /// The discriminator's.
    pub discriminator: OptimizerSpec,
    /// The classifier's, in a game of three.
    pub classifier: Option<OptimizerSpec>,
    /// Penalties, the average of weights, and the weights of the classifier's loss.
    pub training: TrainingSpec,
}

impl Numbers {
    /// The numbers of `recipe` itself, without schedules.
    pub fn of(recipe: &Recipe) -> Numbers {
        Numbers {
            generator: recipe.generator.optimizer,
            discriminator: recipe.discriminator.optimizer,
            classifier: recipe.classifier.as_ref().map(|classifier| classifier.optimizer),
            training: recipe.training,
        }
    }

    /// The number with this key, if there is one.
    fn slot(&mut self, key: &str) -> Option<&mut f64> {
        let training = &mut self.training;
        match key.split_once(".optimizer.") {
            Some(("generator", rest)) => of_optimizer(&mut self.generator, rest),
            Some(("discriminator", rest)) => of_optimizer(&mut self.discriminator, rest),
            Some(("classifier", rest)) => of_optimizer(self.classifier.as_mut()?, rest),
            _ => match (key.strip_prefix("training.")?, &mut training.average) {
                ("gradient_penalty", _) => training.gradient_penalty.as_mut(),
                ("weight_clip", _) => training.weight_clip.as_mut(),
                ("r1", _) => training.r1.as_mut(),
                ("r2", _) => training.r2.as_mut(),
                ("average.half_life", Some(AverageSpec { half_life, .. })) => half_life.as_mut(),
                ("average.decay", Some(AverageSpec { decay, .. })) => decay.as_mut(),
                (key, _) => {
                    let weights = training.triple.as_mut()?.weights_mut();
                    let name = key.strip_prefix("triple.")?;
                    weights.into_iter().find_map(|(own, weight)| (own == name).then_some(weight))
                }
            },
        }
    }
}

fn of_optimizer<'a>(optimizer: &'a mut OptimizerSpec, key: &str) -> Option<&'a mut f64> {
    use OptimizerSpec::{Adam, AdamW, RmsProp, Sgd};
    match (optimizer, key) {
        (optimizer, "learning_rate") => Some(optimizer.learning_rate_mut()),
        (Adam { weight_decay, .. }, "weight_decay")
        | (AdamW { weight_decay, .. }, "weight_decay")
        | (RmsProp { weight_decay, .. }, "weight_decay")
        | (Sgd { weight_decay, .. }, "weight_decay") => Some(weight_decay),
        (Adam { betas: [beta, _], .. } | AdamW { betas: [beta, _], .. }, "betas.1") => Some(beta),
        (Adam { betas: [_, beta], .. } | AdamW { betas: [_, beta], .. }, "betas.2") => Some(beta),
        (RmsProp { rho, .. }, "rho") => Some(rho),
        (Sgd { momentum, .. }, "momentum") => Some(momentum),
        _ => None,
    }
}

impl ScheduleSpec {
    /// The number after `epoch` epochs, if it has begun; `own` is the recipe's.
    fn at(&self, epoch: f64, own: f64) -> Option<f64> {
        let (from, to) = (self.from.unwrap_or(own), self.to.unwrap_or(own));
        let share = ((epoch - self.start) / self.epochs).min(1.0);
        (share >= 0.0).then(|| match self.shape {
            _ if share == 1.0 => to,
            Shape::Linear => schedule::linear(from, to, share),
            Shape::Cosine => schedule::cosine(from, to, share),
        })
    }
}

impl Recipe {
    /// The numbers after `epoch` epochs, which need not be whole.
    pub fn numbers_at(&self, epoch: f64) -> Numbers {
        let mut own = Numbers::of(self);
        let mut now = own;
        for schedule in &self.schedule {
            for key in &schedule.keys {
                if let (Some(&mut own), Some(now)) = (own.slot(key), now.slot(key)) {
                    *now = schedule.at(epoch, own).unwrap_or(*now);
                }
            }
        }
        now
    }

    pub(super) fn check_schedules(&self) -> Result<(), String> {
        if self.schedule.len() > MOST {
            return Err(format!("schedule has {} entries; give at most {MOST}", self.schedule.len()));
        }
        for (index, schedule) in self.schedule.iter().enumerate() {
            self.check_schedule(schedule).map_err(|why| format!("schedule.{}.{why}", index + 1))?;
        }
        Ok(())
    }

    fn check_schedule(&self, schedule: &ScheduleSpec) -> Result<(), String> {
        let ScheduleSpec { keys, from, to, start, epochs, .. } = schedule;
        let most = MAX_EPOCHS as f64;
        check_number("start", *start, (0.0..=most).contains(start), &format!("from 0 to {most}"))?;
        check_number("epochs", *epochs, 0.0 < *epochs && *epochs <= most, &format!("above 0, up to {most}"))?;
        if keys.is_empty() || from.is_none() && to.is_none() {
            return Err("keys: say which numbers change, and from or to what".into());
        }
        for key in keys {
            for (name, value) in [("from", from), ("to", to)] {
                let mut numbers = Numbers::of(self);
                let Some(slot) = numbers.slot(key) else {
                    let key = excerpt(key);
                    return Err(format!(
                        "keys: {key} is no number of this recipe that can change; learning rates, betas.1, betas.2, rho, \
                         momentum, weight_decay, penalties, weight_clip, the average's half_life or decay and the weights of training.triple \
                         can"
                    ));
                };
                let Some(value) = *value else { continue };
                *slot = value;
                if key.ends_with(".learning_rate") && value == 0.0 {
                    continue;
                }
                let optimizers = [Some(&numbers.generator), Some(&numbers.discriminator), numbers.classifier.as_ref()];
                let checked = optimizers.into_iter().flatten().try_for_each(OptimizerSpec::check);
                let checked = checked.and_then(|()| numbers.training.check());
                checked.map_err(|why| format!("{name}: {why}"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(schedules: &str) -> Result<Recipe, String> {
        let text = include_str!("../../recipes/quickstart.toml");
        let text = text.replace("[generator]\n", &format!("{schedules}\n[generator]\n"));
        Recipe::parse("quickstart", &text, &[]).map_err(|error| error.to_string())
    }

    fn rate(recipe: &Recipe, epoch: f64) -> f64 {
        recipe.numbers_at(epoch).generator.learning_rate()
    }

    #[test]
    fn a_number_rises_stays_and_falls_as_its_schedules_say() {
        let key = "keys = ['generator.optimizer.learning_rate']";
        let warm = format!("[[schedule]]\n{key}\nfrom = 0\nepochs = 2");
        let cool = format!("[[schedule]]\n{key}\nstart = 10\nto = 1e-4\nepochs = 4\nshape = 'cosine'");
        let recipe = recipe(&format!("{warm}\n{cool}")).unwrap();
        let eighth = (1.0 + libm::cos(std::f64::consts::PI / 8.0)) / 2.0;
        for (epoch, expected) in [
            (0.0, 0.0),
            (1.0, 5e-4),
            (2.0, 1e-3),
            (9.9, 1e-3),
            (10.0, 1e-3),
            (10.5, 1e-4 + 9e-4 * eighth),
            (12.0, 5.5e-4),
            (14.0, 1e-4),
            (99.0, 1e-4),
        ] {
            assert!((rate(&recipe, epoch) - expected).abs() < 1e-15, "{epoch}: {}", rate(&recipe, epoch));
        }
        assert_eq!(recipe.numbers_at(1.0).discriminator, recipe.discriminator.optimizer);
        let again = Recipe::parse("again", &recipe.to_toml(), &[]).unwrap();
        assert_eq!(again.schedule, recipe.schedule);
    }

    #[test]
    fn every_kind_of_number_can_change() {
        let set = |training: &str, keys: &str, to: f64| {
            let mut recipe = recipe("").unwrap();
            recipe.training = TrainingSpec { r1: Some(2.0), ..recipe.training };
            recipe.training.average = toml::from_str::<toml::Table>(training).ok().and_then(|t| t.try_into().ok());
            let schedule = format!("keys = ['{keys}']\nto = {to}\nepochs = 1");
            recipe.schedule = vec![toml::from_str(&schedule).unwrap()];
            recipe.check_schedules().unwrap();
            recipe.numbers_at(1.0)
        };
        assert_eq!(set("decay = 0.9", "training.r1", 0.2).training.r1, Some(0.2));
        let average = set("half_life = 5", "training.average.half_life", 50.0).training.average.unwrap();
        assert_eq!(average.half_life, Some(50.0));
        let OptimizerSpec::Adam { betas, .. } =
            set("decay = 0.9", "discriminator.optimizer.betas.2", 0.99).discriminator
        else {
            panic!("quickstart has Adam");
        };
        assert_eq!(betas, [0.5, 0.99]);
        let OptimizerSpec::Adam { weight_decay, .. } =
            set("decay = 0.9", "generator.optimizer.weight_decay", 0.125).generator
        else {
            panic!("quickstart has Adam");
        };
        assert_eq!(weight_decay, 0.125);
    }

    #[test]
    fn a_schedule_that_cannot_be_is_named() {
        let rate = "keys = ['generator.optimizer.learning_rate']";
        for (text, what) in [
            (format!("{rate}\nepochs = 1"), "schedule.1.keys: say which numbers change, and from or to what"),
            (format!("{rate}\nto = -1\nepochs = 1"), "schedule.1.to: learning_rate = -1"),
            (format!("{rate}\nto = 1\nepochs = 0"), "schedule.1.epochs = 0"),
            (format!("{rate}\nto = 1\nepochs = 1\nstart = -1"), "schedule.1.start = -1"),
            (format!("{rate}\nto = 1"), "epochs"),
            (format!("{rate}\nto = 1\nepochs = 1\nshape = 'square'"), "unknown value `square`"),
            ("keys = ['training.r1']\nto = 1\nepochs = 1".into(), "training.r1 is no number of this recipe"),
            ("keys = ['generator.optimizer.rho']\nto = 1\nepochs = 1".into(), "generator.optimizer.rho is no number"),
            ("keys = ['discriminator.optimizer.betas.1']\nto = 1\nepochs = 1".into(), "schedule.1.to: betas.1 = 1"),
            (
                "keys = ['generator.optimizer.weight_decay']\nto = -1\nepochs = 1".into(),
                "schedule.1.to: weight_decay = -1",
            ),
        ] {
            let said = recipe(&format!("[[schedule]]\n{text}")).map(|_| ()).unwrap_err();
            assert!(said.contains(what), "{text}: {said}");
        }
    }
}
