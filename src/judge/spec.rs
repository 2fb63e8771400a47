//! How a judge is made: its network and its training, as a TOML file describes them.

use super::classifier::AT_A_TIME;
use crate::data::{Images, LastBatch};
use crate::recipe::{LayerSpec, MAX_BATCH_SIZE, MAX_EPOCHS, NetworkSpec, in_words, values};
use crate::terminal::brief;
use serde::{Deserialize, Serialize};

/// The built-in judges.
const DIGITS: &str = include_str!("../../recipes/judges/digits.toml");
const LENET: &str = include_str!("../../recipes/judges/lenet.toml");
const RESNET: &str = include_str!("../../recipes/judges/resnet.toml");

/// The most letters of a name.
const MOST_NAME: usize = 40;
/// The smallest size that images must have for a built-in network is at most this.
const MOST_LEAST: usize = 64;
/// The largest number of values that a layer may give for a batch.
const MOST_HELD: u64 = 1 << 28;

/// A judge's network and training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct JudgeSpec {
    /// What it is called.
    pub name: String,
    /// One line for a person.
    #[serde(default)]
    pub description: String,
    /// How it is trained.
    pub training: JudgeTraining,
    /// The network, from images, where black is 0 and white 1, to a logit for each class. The features are the input of
    /// the last layer, or of a dropout before it.
    pub network: NetworkSpec,
}

/// How a judge is trained: on the cross-entropy of its classes, with a learning rate that rises linearly to the
/// optimiser's, if there is a warm-up, and then falls linearly to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct JudgeTraining {
    /// How many times it sees the training images.
    pub epochs: usize,
    /// Batch size.
    pub batch_size: usize,
    /// The number of epochs in which the learning rate rises; default: 0.
    #[serde(default, skip_serializing_if = "is_none")]
    pub warm_up: usize,
    /// The largest number of pixels by which an image is moved, up or down and to either side, each time it is seen;
    /// default: 0.
    #[serde(default, skip_serializing_if = "is_none")]
    pub shift: usize,
    /// Random seed for weights, dropout and the order of images.
    pub seed: u64,
}

/// Whether a count is left out of the file. Defaults are not written, so that judges from before these keys existed
/// stay the same.
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl JudgeTraining {
    /// The number of steps for `images` training images.
    pub fn steps(&self, images: usize) -> u64 {
        self.epochs as u64 * LastBatch::Drop.batches(images, self.batch_size) as u64
    }

    /// The share of the optimiser's learning rate for the step after `done` of `steps`.
    pub(super) fn share(&self, done: u64, steps: u64) -> f64 {
        let rising = self.warm_up as f64 / self.epochs as f64 * steps as f64;
        match done as f64 {
            done if done < rising => (done + 1.0) / (rising + 1.0),
            done => 1.0 - (done - rising) / (steps as f64 - rising),
        }
    }
}

impl JudgeSpec {
    /// The judge of the digits that the program renders itself.
    pub fn digits() -> JudgeSpec {
        built_in(DIGITS)
    }

    /// The built-in judge for labelled `images`: a LeNet where they are grey, a residual network where they are
    /// coloured, with as many outputs as there are classes.
    ///
    /// # Errors
    /// What is wrong and what to do about it, if the images have no labels, have only one class, or have a size that
    /// the network can't take.
    pub fn of(images: &Images) -> Result<JudgeSpec, [String; 2]> {
        let highest = images.labels.iter().max().map_or(0, |&label| usize::from(label));
        if images.classes() < 2 {
            let what = match images.labels.is_empty() {
                true => "its images have no labels, by which a judge is trained",
                false => "its images are all of one class, so there is nothing to tell apart",
            };
            return Err([what, "give a data set with labels"].map(String::from));
        }
        let mut spec = built_in(if images.channels == 1 { LENET } else { RESNET });
        spec.network.input = vec![images.height, images.width, images.channels];
        if let Some(LayerSpec::Dense { units, .. }) = spec.network.layers.last_mut() {
            *units = highest + 1;
        }
        if images.height.min(images.width) < MOST_LEAST && !spec.fits(images.height, images.width) {
            let what = format!("its images of {}x{} are too small for a judge's network", images.height, images.width);
            let least = (1..=MOST_LEAST).find(|&side| spec.fits(side, side));
            let least = least.map_or(String::new(), |side| format!(", {side}x{side} at least"));
            return Err([what, format!("give larger images{least}")]);
        }
        spec.check().map_err(|what| [what, "give images of another size".into()])?;
        Ok(spec)
    }

    /// Whether its network takes images of `height` and `width`, and leaves room to move them.
    fn fits(&self, height: usize, width: usize) -> bool {
        let input = vec![height, width, self.network.input[2]];
        let network = NetworkSpec { input, ..self.network.clone() };
        self.training.shift < height.min(width) && network.table().is_ok()
    }

    /// The judge that `text` describes.
    ///
    /// # Errors
    /// A message that says what is wrong with it.
    pub fn parse(text: &str) -> Result<JudgeSpec, String> {
        let spec: JudgeSpec = toml::from_str(text).map_err(|error: toml::de::Error| in_words(error.message()))?;
        spec.check()?;
        Ok(spec)
    }

    /// The judge as TOML, with every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a checked spec holds only what TOML can say")
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.network.table().map_or(0, |table| table.output()[0])
    }

    /// The number of layers after which the features come, and the number of features.
    pub fn features(&self) -> (usize, usize) {
        let table = self.network.table().expect("a checked spec's shapes fit");
        let before = |layers: usize| table.rows[layers].input[0];
        let mut layers = self.network.layers.len() - 1;
        while matches!(self.network.layers[layers - 1], LayerSpec::Dropout { .. }) {
            layers -= 1;
        }
        (layers, before(layers))
    }

    /// Whether it can be built and trained.
    fn check(&self) -> Result<(), String> {
        let JudgeTraining { epochs, batch_size, seed, warm_up, shift } = self.training;
        if !(1..=MOST_NAME).contains(&self.name.len())
            || self.name.chars().any(|c| !c.is_ascii_alphanumeric() && c != '-')
        {
            return Err(format!("name = {:?}; use at most {MOST_NAME} letters, digits and '-'", brief(&self.name)));
        }
        if !(1..=MAX_EPOCHS).contains(&epochs) || !(1..=MAX_BATCH_SIZE).contains(&batch_size) || seed > i64::MAX as u64
        {
            return Err(format!(
                "training has {epochs} epochs of batches of {batch_size}, seed {seed}; none can be that"
            ));
        }
        self.network.check_keys().map_err(|why| format!("network.{why}"))?;
        if self.network.classes.is_some() {
            return Err("network.classes: a judge is not told the class; remove the key".into());
        }
        let table = self.network.table().map_err(|why| format!("network {why}"))?;
        if !matches!(self.network.input[..], [_, _, 1 | 3]) {
            return Err(format!("network.input = {:?}; give [height, width, channels], 1 or 3", self.network.input));
        }
        if warm_up >= epochs {
            return Err(format!("training.warm_up = {warm_up}; make it less than training.epochs, {epochs}"));
        }
        let side = self.network.input[0].min(self.network.input[1]);
        if shift >= side {
            return Err(format!("training.shift = {shift}; make it less than an image's sides, {side}"));
        }
        let most =
            table.all().iter().map(|row| values(&row.output)).max().unwrap_or(0).max(values(&self.network.input));
        if most.saturating_mul(batch_size.max(AT_A_TIME) as u64) > MOST_HELD {
            return Err(format!("network makes {most} values of an image, too many for a batch; make it smaller"));
        }
        let layers = &self.network.layers;
        let ends = matches!(layers.last(), Some(LayerSpec::Dense { units: 2..=256, .. }));
        let begins = layers.iter().any(|layer| !matches!(layer, LayerSpec::Dropout { .. } | LayerSpec::Dense { .. }));
        match ends && begins && table.output().len() == 1 {
            true => Ok(()),
            false => Err("network must end in a dense layer of 2 to 256 units, a logit for each class".into()),
        }
    }
}

fn built_in(text: &str) -> JudgeSpec {
    JudgeSpec::parse(text).unwrap_or_else(|why| panic!("a built-in judge: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_fitted_to_its_images_and_reads_back() {
        let images = Images { height: 20, width: 24, channels: 1, pixels: vec![0; 480 * 2], labels: vec![0, 6] };
        let spec = JudgeSpec::of(&images).unwrap();
        assert_eq!((spec.name.as_str(), spec.classes(), &spec.network.input[..]), ("lenet", 7, &[20, 24, 1][..]));
        assert_eq!(JudgeSpec::parse(&spec.to_toml()).unwrap(), spec);
        let colour = Images { height: 32, width: 32, channels: 3, pixels: vec![0; 3072 * 2], labels: vec![0, 9] };
        assert_eq!(JudgeSpec::of(&colour).unwrap().name, "resnet");
        // Defaults are not written, so that the file of the program's own judge stays what it was.
        assert!(!["shift", "warm_up"].iter().any(|key| JudgeSpec::digits().to_toml().contains(key)));
        for labels in [vec![], vec![3, 3]] {
            assert!(JudgeSpec::of(&Images { labels, ..images.clone() }).is_err());
        }
        let tiny = Images { height: 4, width: 4, channels: 1, pixels: vec![0; 32], labels: vec![0, 1] };
        let [what, fix] = JudgeSpec::of(&tiny).unwrap_err();
        assert!(what.contains("images of 4x4 are too small") && fix.ends_with("x16 at least"), "{what}; {fix}");
    }
    #[test]
    fn the_learning_rate_rises_for_some_epochs_and_falls_to_nothing() {
        let training = |warm_up| JudgeTraining { epochs: 5, batch_size: 1, warm_up, shift: 0, seed: 1 };
        let shares = |warm_up| -> Vec<f64> { (0..20).map(|done| training(warm_up).share(done, 20)).collect() };
        assert_eq!((0..20).map(|done| 1.0 - f64::from(done) / 20.0).collect::<Vec<_>>(), shares(0));
        let warm = shares(1);
        assert_eq!(warm[..6], [0.2, 0.4, 0.6, 0.8, 1.0, 0.9375]);
        assert_eq!(warm[19], 0.0625);
        let said = |key: &str, value: usize| {
            let text = DIGITS.replacen("seed = 1", &format!("seed = 1\n{key} = {value}"), 1);
            JudgeSpec::parse(&text).map(drop)
        };
        assert_eq!(said("warm_up", 6), Err("training.warm_up = 6; make it less than training.epochs, 6".into()));
        assert_eq!(said("shift", 28), Err("training.shift = 28; make it less than an image's sides, 28".into()));
        assert_eq!((said("warm_up", 5), said("shift", 27)), (Ok(()), Ok(())));
    }
}
