//! How a judge is made: its network and its training, as a TOML file says them.

use super::classifier::AT_A_TIME;
use crate::data::{Images, LastBatch};
use crate::recipe::{LayerSpec, MAX_BATCH_SIZE, MAX_EPOCHS, NetworkSpec, in_words, values};
use crate::terminal::brief;
use serde::{Deserialize, Serialize};

/// The built-in ones.
const DIGITS: &str = include_str!("../../recipes/judges/digits.toml");
const LENET: &str = include_str!("../../recipes/judges/lenet.toml");
const CONVNET: &str = include_str!("../../recipes/judges/convnet.toml");

/// The most letters of a name.
const MOST_NAME: usize = 40;
/// The most values that a layer may give for a batch.
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
    /// From images, black 0 and white 1, to a logit for each class. What goes into the last layer, or into a dropout
    /// before it, are the features.
    pub network: NetworkSpec,
}

/// How a judge is trained: on the cross-entropy of its classes, with a learning rate that falls in a straight line
/// from the optimiser's to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct JudgeTraining {
    /// How often it sees the training images.
    pub epochs: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// Of weights, dropout and the order of images.
    pub seed: u64,
}

impl JudgeTraining {
    /// Steps over `images` training images.
    pub fn steps(&self, images: usize) -> u64 {
        self.epochs as u64 * LastBatch::Drop.batches(images, self.batch_size) as u64
    }
}

impl JudgeSpec {
    /// The judge of the digits that the program draws itself.
    pub fn digits() -> JudgeSpec {
        built_in(DIGITS)
    }

    /// The built-in judge for labelled `images`: a LeNet where they are grey, a deeper network where they are
    /// coloured, with as many outputs as there are classes.
    ///
    /// # Errors
    /// In words, if the images have no labels or one class only, or are too small.
    pub fn of(images: &Images) -> Result<JudgeSpec, String> {
        let highest = images.labels.iter().max().map_or(0, |&label| usize::from(label));
        if images.classes() < 2 {
            return Err(match images.labels.is_empty() {
                true => "its images have no labels, by which a judge is trained".into(),
                false => "its images are all of one class, of which nothing is to be told apart".into(),
            });
        }
        let mut spec = built_in(if images.channels == 1 { LENET } else { CONVNET });
        spec.network.input = vec![images.height, images.width, images.channels];
        if let Some(LayerSpec::Dense { units, .. }) = spec.network.layers.last_mut() {
            *units = highest + 1;
        }
        spec.check()?;
        Ok(spec)
    }

    /// The judge that `text` describes.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<JudgeSpec, String> {
        let spec: JudgeSpec = toml::from_str(text).map_err(|error: toml::de::Error| in_words(error.message()))?;
        spec.check()?;
        Ok(spec)
    }

    /// It as TOML, with every default said.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a checked spec holds only what TOML can say")
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.network.table().map_or(0, |table| table.output()[0])
    }

    /// After how many layers the features come, and how many there are.
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
        let JudgeTraining { epochs, batch_size, seed } = self.training;
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
        let table = self.network.table().map_err(|why| format!("network {why}"))?;
        if !matches!(self.network.input[..], [_, _, 1 | 3]) {
            return Err(format!("network.input = {:?}; give [height, width, channels], 1 or 3", self.network.input));
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
        assert_eq!(JudgeSpec::of(&colour).unwrap().name, "convnet");
        for labels in [vec![], vec![3, 3]] {
            assert!(JudgeSpec::of(&Images { labels, ..images.clone() }).is_err());
        }
        let tiny = Images { height: 4, width: 4, channels: 1, pixels: vec![0; 32], labels: vec![0, 1] };
        assert!(JudgeSpec::of(&tiny).unwrap_err().contains("layer"));
    }
}
