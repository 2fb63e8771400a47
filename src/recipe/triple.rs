//! A game of three players, the Triple-GAN (Li, Xu, Zhu and Zhang, "Triple generative adversarial nets", 2017): few of
//! the images have labels, and the third player is a classifier that learns to predict the others. See
//! [`crate::gan::triple`].

use super::check::{MAX_BATCH_SIZE, MAX_EPOCHS};
use super::sizes::{check_number, check_size};
use super::{BatchSpec, LossSpec, NetworkSpec, Recipe, UpdateSpec};
use serde::{Deserialize, Serialize};

/// How the third network, the classifier, is trained. A step takes `batch_size` images without labels for its loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct TripleSpec {
    /// The number of images of the data that keep their label, equally many of each class; the seed chooses them.
    pub labelled: usize,
    /// The number of those in the classifier's loss of a step.
    pub supervised: usize,
    /// The numbers of pairs of an image and a class that the discriminator takes for real in a step: images with their
    /// label, and images with the class that the classifier predicts.
    pub pairs: [usize; 2],
    /// The number of images that the generator makes for each loss of a step, equally many of each class.
    pub generated: usize,
    /// The number of first epochs in which only the classifier learns; default: 0.
    #[serde(default)]
    pub alone: usize,
    /// Weight in the classifier's loss of the discriminator's opinion; default: 0.5.
    #[serde(default = "adversarial")]
    pub adversarial: f64,
    /// Weight of the entropy of the prediction for each image without a label; default: 0.3.
    #[serde(default = "entropy")]
    pub entropy: f64,
    /// Weight of the unevenness of the mean prediction; default: 1e-3.
    #[serde(default = "evenness")]
    pub evenness: f64,
    /// Weight of the squared weights of its last layer; default: 1e-4.
    #[serde(default = "decay")]
    pub decay: f64,
    /// Weight of its cross-entropy on the generator's images; default: 0.
    #[serde(default)]
    pub pseudo: f64,
    /// The share of the moving average of its weights, with which it is tested, that a step keeps; default: 0.99.
    #[serde(default = "average")]
    pub average: f64,
}

fn adversarial() -> f64 {
    0.5
}
fn entropy() -> f64 {
    0.3
}
fn evenness() -> f64 {
    1e-3
}
fn decay() -> f64 {
    1e-4
}
fn average() -> f64 {
    0.99
}

impl TripleSpec {
    /// Its weights by their keys, which schedules may change.
    pub(super) fn weights_mut(&mut self) -> [(&'static str, &mut f64); 5] {
        [
            ("adversarial", &mut self.adversarial),
            ("entropy", &mut self.entropy),
            ("evenness", &mut self.evenness),
            ("decay", &mut self.decay),
            ("pseudo", &mut self.pseudo),
        ]
    }

    /// The numbers of images in the discriminator's loss and in the classifier's own, in a step with `unlabelled`
    /// images for the classifier.
    pub(super) fn shown(&self, unlabelled: usize) -> [usize; 2] {
        let [labelled, told] = self.pairs;
        [labelled + told + self.generated + unlabelled, unlabelled + self.supervised + self.generated]
    }

    /// Checks every number.
    pub(super) fn check(&self, batch_size: usize) -> Result<(), String> {
        let key = |name: &str| format!("training.triple.{name}");
        check_size(&key("labelled"), self.labelled, MAX_BATCH_SIZE)?;
        check_size(&key("supervised"), self.supervised, self.labelled)?;
        check_size(&key("pairs.1"), self.pairs[0], self.labelled)?;
        check_size(&key("pairs.2"), self.pairs[1], MAX_BATCH_SIZE)?;
        check_size(&key("generated"), self.generated, MAX_BATCH_SIZE)?;
        let images = batch_size.saturating_add(self.supervised + self.pairs[0] + self.pairs[1]);
        if images > MAX_BATCH_SIZE {
            return Err(format!(
                "training.triple takes {images} images a step, more than {MAX_BATCH_SIZE}; lower {} or training.batch_size",
                key("pairs")
            ));
        }
        if self.alone > MAX_EPOCHS {
            return Err(format!("{} = {}; give a number of epochs up to {MAX_EPOCHS}", key("alone"), self.alone));
        }
        let mut weights = *self;
        for (name, weight) in weights.weights_mut() {
            check_number(&key(name), *weight, (0.0..=1e6).contains(weight), "from 0 to 1e6")?;
        }
        check_number(&key("average"), self.average, self.average > 0.0 && self.average < 1.0, "between 0 and 1")
    }
}

impl Recipe {
    /// The classifier and how it is trained, in a game of three.
    pub fn triple(&self) -> Option<(&NetworkSpec, TripleSpec)> {
        self.classifier.as_ref().zip(self.training.triple)
    }

    /// Checks that a game of three has everything it needs, and nothing that is only for two players.
    pub(super) fn check_triple(&self) -> Result<(), String> {
        let training = &self.training;
        let (classifier, triple) = match (&self.classifier, training.triple) {
            (None, None) => return Ok(()),
            (Some(_), None) => {
                return Err("classifier is the third network of a game of three; set training.triple".into());
            }
            (None, Some(_)) => {
                return Err("training.triple is for a game of three; give it the network classifier".into());
            }
            (Some(classifier), Some(triple)) => (classifier, triple),
        };
        let (Some(classes), Some(_)) = (self.generator.classes, self.discriminator.classes) else {
            return Err(
                "training.triple: the generator and the discriminator must be told the class; set classes of both"
                    .into(),
            );
        };
        for (name, count) in [("labelled", triple.labelled), ("generated", triple.generated)] {
            if !count.is_multiple_of(classes) {
                return Err(format!(
                    "training.triple.{name} = {count} can't be as many of each of {classes} classes; make it a multiple of \
                     {classes}"
                ));
            }
        }
        if classifier.classes.is_some() {
            return Err("classifier.classes: it is to tell the class, not to be told; remove the key".into());
        }
        let (image, own) = (&self.discriminator.input, &classifier.input);
        if own != image {
            return Err(format!("classifier.input = {own:?}, but discriminator.input = {image:?}; make them equal"));
        }
        let table = classifier.table().map_err(|why| format!("classifier {why}"))?;
        if table.output() != [classes] {
            let output = table.output();
            return Err(format!(
                "the classifier's output is {output:?} where it must be [{classes}]; end it with a dense layer of {classes} \
                 units"
            ));
        }
        if self.gives_probabilities() || training.loss != LossSpec::Bce {
            return Err(
                "training.triple is for training.loss = \"bce\" and a discriminator that ends without a sigmoid; make \
                        them so"
                    .into(),
            );
        }
        let for_two = [
            ("training.auxiliary", training.auxiliary.is_some()),
            ("training.augment", training.augment.is_some()),
            ("training.r1", training.r1.is_some()),
            ("training.r2", training.r2.is_some()),
            ("training.labels", training.labels.is_some()),
            ("training.batches", training.batches != BatchSpec::Separate),
            ("data.balanced", self.data.balanced),
            ("data.flip", self.data.flip),
        ];
        match for_two.iter().find(|(_, there)| *there) {
            Some((key, _)) => Err(format!("{key} does not go together with training.triple; remove one of them")),
            None if training.update != UpdateSpec::Alternating => {
                Err("training.update: a game of three is alternating; make it \"alternating\"".into())
            }
            None => Ok(()),
        }
    }
}
