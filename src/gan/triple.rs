//! A step of a game of three (Li, Xu, Zhu and Zhang, "Triple generative adversarial nets", 2017). The generator G makes
//! an image of a class, the classifier C predicts the class of an image, and the discriminator D looks at pairs of an
//! image and a class: do they come from the data, or from one of the other two? Only few images (x, y) have a label;
//! for the others, u, the class is ŷ = argmax C(u), which is as good as the classifier is at that time. H is the
//! cross-entropy, p = softmax C(u), and every line is a mean:
//!
//! ```text
//! D   -log D(x, y), -log D(u', ŷ')  -½ log(1 - D(G(z, y), y))  -½ log(1 - D(u, ŷ))
//! G   -½ log D(G(z, y), y)
//! C   H(y, C(x))                                 the images with labels
//!     + adversarial · max p · -log D(u, ŷ)       D's opinion of its pairs
//!     + entropy · H(p, p)                        so that it is certain
//!     + evenness · H(1/classes, mean p)          so that on average every class is predicted equally often
//!     + decay · Σ w²                             over the weights of its last layer
//!     + pseudo · H(y, C(G(z, y)))                images of G, from a later step on
//! ```
//!
//! The pairs (u', ŷ'), which D is to take for real, make up for the small number of (x, y). C's losses are those of the
//! authors' code, where no derivative goes through ŷ. D, G and C are updated in this order, each against the others as
//! they are then. C(u) is computed once, for D's step and for its own.

use super::classifier::{Classifier, last_kernel};
use super::model::Gan;
use super::real::Real;
use super::report::Scalars;
use crate::Result;
use crate::autograd::{grad_consuming, no_grad};
use crate::nn::{Layer, Pass};
use crate::ops::{
    argmax, concat, cross_entropy, log, mean, mean_all, neg, one_hot, slice, softmax, softplus, square, sum,
};
use crate::optim::norm;
use crate::recipe::TripleSpec;
use crate::tensor::Tensor;
use std::ops::Range;

/// The examples of a step, part by part.
struct Parts {
    /// u.
    unlabelled: Tensor,
    /// u'.
    told: Tensor,
    /// x and y of C's loss.
    supervised: [Tensor; 2],
    /// x and y of D's.
    pairs: [Tensor; 2],
}

impl Parts {
    /// The parts of a batch of [`SemiSupervised`](crate::data::SemiSupervised).
    fn of(real: &Real, triple: TripleSpec) -> Parts {
        let labels = real.labels.as_ref().expect("a game of three is conditional");
        let [labelled, told] = triple.pairs;
        let ends = real.images.dims()[0];
        let others = labelled + told + triple.supervised;
        assert!(ends > others, "triple step: {ends} examples, where it takes more than {others}");
        let [pairs, supervised, told] = [
            ends - labelled..ends,
            ends - labelled - triple.supervised..ends - labelled,
            ends - labelled - triple.supervised - told..ends - labelled - triple.supervised,
        ];
        let both = |range: &Range<usize>| [rows(&real.images, range), rows(labels, range)];
        Parts {
            unlabelled: rows(&real.images, &(0..told.start)),
            told: rows(&real.images, &told),
            supervised: both(&supervised),
            pairs: both(&pairs),
        }
    }
}

/// These examples of `x`.
fn rows(x: &Tensor, range: &Range<usize>) -> Tensor {
    let whole = x.dims()[1..].iter().map(|&length| 0..length);
    slice(x, &[range.clone()].into_iter().chain(whole).collect::<Vec<_>>())
}

/// C's output on images.
struct Told {
    /// Its logits, `[n, classes]`.
    logits: Tensor,
    /// p, `[n, classes]`.
    probabilities: Tensor,
    /// ŷ as rows of 0 and 1, a constant.
    classes: Tensor,
}

impl Gan {
    /// A step of all three.
    ///
    /// # Panics
    /// If the game doesn't have three players.
    pub(super) fn triple_step(&mut self, real: &Real, measure: bool) -> Result<Scalars> {
        let mut classifier = self.classifier.take().expect("a game of three has a classifier");
        let seen = self.moves_of_three(&mut classifier, real, measure);
        self.classifier = Some(classifier);
        seen
    }

    fn moves_of_three(&mut self, classifier: &mut Classifier, real: &Real, measure: bool) -> Result<Scalars> {
        let triple = self.training.triple.expect("a game of three has its numbers");
        let parts = Parts::of(real, triple);
        let told = self.tell(classifier, &parts.unlabelled);
        let mut seen = if classifier.alone {
            // D's numbers as they stand.
            no_grad(|| self.judge_pairs(classifier, &parts.supervised, [&parts.unlabelled, &told.classes]))?.1
        } else {
            let [x, y] = &parts.pairs;
            let pseudo = no_grad(|| self.tell(classifier, &parts.told)).classes;
            let real = [concat(&[x, &parts.told], 0), concat(&[y, &pseudo], 0)];
            let (loss, mut seen) = self.judge_pairs(classifier, &real, [&parts.unlabelled, &told.classes])?;
            let grads = grad_consuming(loss, &self.discriminator.parameters());
            seen.d_gradient_norm = measure.then(|| norm(&grads));
            self.update_discriminator(&grads);
            self.move_generator(classifier, &mut seen, measure)?;
            seen
        };
        let loss = self.classifier_loss(classifier, &parts, told, triple);
        seen.c_loss = Some(self.finite("classifier", &loss)?);
        let grads = grad_consuming(loss, &classifier.network.parameters());
        classifier.optimizer.step(classifier.network.parameters_mut(), &grads);
        classifier.average.update(&classifier.network);
        Ok(seen)
    }

    /// C on `images`, in training mode.
    fn tell(&mut self, classifier: &mut Classifier, images: &Tensor) -> Told {
        let logits = classifier.network.forward(images, &mut Pass::training(&mut self.random.dropout));
        let probabilities = softmax(&logits, 1);
        let classes = no_grad(|| one_hot(&argmax(&logits, 1), logits.dims()[1]));
        Told { logits, probabilities, classes }
    }

    /// D's loss on pairs that are to be taken for real, on G's pairs and on C's, and the numbers known so far.
    fn judge_pairs(
        &mut self,
        classifier: &Classifier,
        real: &[Tensor; 2],
        told: [&Tensor; 2],
    ) -> Result<(Tensor, Scalars)> {
        let asked = &classifier.asked;
        let fake = no_grad(|| self.generate(asked.dims()[0], Some(asked)));
        let [on_real, on_fake, on_told] = [[&real[0], &real[1]], [&fake, asked], told]
            .map(|[images, classes]| self.discriminate(images, Some(classes)).real);
        let loss = mean_all(&surprise(&on_real, true))
            + 0.5 * &mean_all(&surprise(&on_fake, false))
            + 0.5 * &mean_all(&surprise(&on_told, false));
        let seen = Scalars {
            d_loss: self.finite("discriminator", &loss)?,
            d_real: self.loss.mean_output(&on_real),
            d_fake: self.loss.mean_output(&on_fake),
            g_loss: None,
            c_loss: None,
            d_gradient_norm: None,
            g_gradient_norm: None,
        };
        Ok((loss, seen))
    }

    fn move_generator(&mut self, classifier: &Classifier, seen: &mut Scalars, measure: bool) -> Result<()> {
        let fake = self.generate(classifier.asked.dims()[0], Some(&classifier.asked));
        let on_fake = self.discriminate(&fake, Some(&classifier.asked)).real;
        let loss = 0.5 * &mean_all(&surprise(&on_fake, true));
        drop((fake, on_fake));
        seen.g_loss = Some(self.finite("generator", &loss)?);
        let grads = grad_consuming(loss, &self.generator.parameters());
        seen.g_gradient_norm = measure.then(|| norm(&grads));
        self.update_generator(&grads);
        Ok(())
    }

    /// C's loss. While only C learns, it has neither D's part nor that of G's images.
    fn classifier_loss(
        &mut self,
        classifier: &mut Classifier,
        parts: &Parts,
        told: Told,
        triple: TripleSpec,
    ) -> Tensor {
        let Told { logits, probabilities: p, classes } = told;
        let [x, y] = &parts.supervised;
        let on_labelled = classifier.network.forward(x, &mut Pass::training(&mut self.random.dropout));
        let mut loss = cross_entropy(&on_labelled, y)
            + triple.entropy * &cross_entropy(&logits, &p)
            + triple.evenness * &neg(&mean_all(&log(&(mean(&p, &[0]) + TINY))));
        if let Some(kernel) = last_kernel(&classifier.network).filter(|_| triple.decay > 0.0) {
            let axes: Vec<usize> = (0..kernel.dims().len()).collect();
            loss = loss + triple.decay * &sum(&square(kernel), &axes);
        }
        if classifier.alone {
            return loss;
        }
        if triple.adversarial > 0.0 {
            let on_told = no_grad(|| self.discriminate(&parts.unlabelled, Some(&classes))).real;
            let certainty = sum(&(&p * &classes), &[1]);
            let doubt = sum(&surprise(&on_told, true), &[1]);
            loss = loss + triple.adversarial * &mean_all(&(certainty * doubt));
        }
        if triple.pseudo > 0.0 {
            let fake = no_grad(|| self.generate(classifier.asked.dims()[0], Some(&classifier.asked)));
            let logits = classifier.network.forward(&fake, &mut Pass::training(&mut self.random.dropout));
            loss = loss + triple.pseudo * &cross_entropy(&logits, &classifier.asked);
        }
        loss
    }
}

/// Added to a mean probability, which may be 0 in f32.
const TINY: f64 = 1e-12;

/// For each of `logits` `[n, 1]`, -log D if it is to be taken for real, else -log(1 - D).
fn surprise(logits: &Tensor, is_real: bool) -> Tensor {
    softplus(&if is_real { neg(logits) } else { logits.clone() })
}
