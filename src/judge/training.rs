//! The training of a judge.

use super::classifier::{Classifier, RANGE};
use super::shift::{SHIFT, shifted};
use super::{About, Judge, JudgeSpec};
use crate::autograd::grad_consuming;
use crate::cpu::threads::awake;
use crate::data::pixels;
use crate::data::sum::Sum;
use crate::data::{Batches, Images, LastBatch, Split};
use crate::metrics::{Moments, Points};
use crate::nn::{Layer, Pass};
use crate::ops::{cross_entropy, one_hot};
use crate::random::{Purpose, Random};
use crate::recipe::{OptimizerSpec, build};
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A step that has been done.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The number of steps done.
    pub step: u64,
    /// The number of all steps.
    pub steps: u64,
    /// The step's cross-entropy, in nats.
    pub loss: f64,
}

/// Trains a judge as `spec` says on the training images of the set `data`, and tests it on the test images. `watch` is
/// told of every step. If `stop` says so, training ends and there is no judge.
///
/// # Errors
/// [`Error::Data`] if there are fewer images than a batch, or if test images have another size or class, and
/// [`Error::NotFinite`] if the loss is not finite.
pub fn train(
    spec: JudgeSpec,
    data: &str,
    split: &Split,
    device: Device,
    stop: &(dyn Fn() -> bool + Sync),
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Option<Judge>> {
    check(&spec, data, split)?;
    let Split { training, test, .. } = split;
    let sum = sum_of(&split.whole);
    let settings = spec.training;
    let mut classifier = Classifier::new(spec, &mut Random::new(settings.seed, Purpose::INITIAL), device);
    let mut batches = Batches::new(training.clone(), settings.batch_size, settings.seed, LastBatch::Drop);
    let steps = settings.steps(training.len());
    let [mut dropout, mut shift] = [Purpose::DROPOUT, SHIFT].map(|purpose| Random::new(settings.seed, purpose));
    let start = classifier.spec.network.optimizer;
    let mut optimizer = build::optimizer(&start, &classifier.network);
    for step in 1..=steps {
        if stop() {
            return Ok(None);
        }
        optimizer.set_rule(build::rule(&slowed(start, settings.share(step - 1, steps))));
        let batch = batches.batch(step - 1)?;
        let size @ [h, w, c] = [training.height, training.width, training.channels];
        let moved = shifted(batch.pixels, size, settings.shift, &mut shift);
        let x = pixels::to_tensor(&moved, Shape::new(&[batch.labels.len(), h, w, c]), RANGE, device);
        let labels: Vec<f32> = batch.labels.iter().map(|&label| f32::from(label)).collect();
        let targets = one_hot(&Tensor::from_f32(&labels, [labels.len()], device), classifier.spec.classes());
        let mut update = || {
            let logits = classifier.network.forward(&x, &mut Pass::training(&mut dropout));
            let loss = cross_entropy(&logits, &targets);
            drop(logits);
            let value = loss.item();
            if !value.is_finite() {
                let what = format!("step {step}: the judge's loss is {value}");
                return Err(Error::NotFinite { what, fix: "look at the data with minimax data preview".into() });
            }
            let grads = grad_consuming(loss, &classifier.network.parameters());
            optimizer.step(classifier.network.parameters_mut(), &grads);
            Ok::<f64, Error>(value)
        };
        let loss = match device {
            Device::Cpu => awake(update),
            _ => update(),
        }?;
        watch(Progress { step, steps, loss });
    }

    let right = classifier.see(&test.pixels).classes;
    let right = right.iter().zip(&test.labels).filter(|&(&found, &label)| u16::from(found) == label).count();
    let mut features = classifier.see(&training.pixels).features;
    let squares: f64 = features.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    if squares > 0.0 {
        classifier.scale = 1.0 / (squares / features.len() as f64).sqrt();
        features.iter_mut().for_each(|v| *v *= classifier.scale as f32);
    }
    let (_, width) = classifier.spec.features();
    let reference = Moments::of(&Points::of(&features, width));
    let about = About { data: data.into(), sum, training: training.len(), test: test.len(), right };
    Ok(Some(Judge { classifier, reference, about }))
}

/// The SHA-256 sum of a set's pixels and labels. A label takes one byte, as no judge knows more than 256 classes.
pub(super) fn sum_of(images: &Images) -> String {
    let labels: Vec<u8> = images.labels.iter().map(|&label| label as u8).collect();
    let both = std::io::Read::chain(&images.pixels[..], &labels[..]);
    let (sum, _) = Sum::of(both).expect("memory is read without errors");
    sum.to_string()
}

/// Checks that `spec` can be trained and tested on `split`, of the set `data`.
///
/// # Errors
/// As [`train`].
pub fn check(spec: &JudgeSpec, data: &str, split: &Split) -> Result<()> {
    let (training, test, size) = (&split.training, &split.test, spec.training.batch_size);
    let refuse = |what: String, fix: &str| Err(Error::data(data, what, fix));
    if training.len() < size {
        return refuse(
            format!("{} images to train on, fewer than a batch of {size}", training.len()),
            "give more images",
        );
    }
    if test.image_len() != training.image_len() || test.labels.len() != test.len() {
        return refuse("test images of another size, or without labels".into(), "take both from one source");
    }
    let most = training.labels.iter().chain(&test.labels).max().map_or(0, |&label| usize::from(label));
    if most >= spec.classes() {
        return refuse(
            format!("label {most} where a judge knows {} classes", spec.classes()),
            "take both from one source",
        );
    }
    Ok(())
}

/// `optimizer` with `share` of its learning rate.
fn slowed(mut optimizer: OptimizerSpec, share: f64) -> OptimizerSpec {
    *optimizer.learning_rate_mut() *= share;
    optimizer
}
