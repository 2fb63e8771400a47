//! D's outputs on real images and on fake ones, and its loss on them.
//!
//! Most losses are the sum of a part on real images and one on fake ones. For these, the gradients of the first part
//! are computed before D sees fake images, so that what D has kept of the real ones is freed first.

use super::loss::Labels;
use super::model::Gan;
use super::output::Output;
use super::penalty::{between, gradient_penalty, zero_centred};
use super::real::Real;
use super::report::Scalars;
use crate::Result;
use crate::autograd::{grad_consuming, grad_onto};
use crate::nn::{Layer, Pass};
use crate::ops::{concat, cross_entropy};
use crate::recipe::BatchSpec;
use crate::tensor::Tensor;

/// D's loss on real and fake images.
pub(super) struct Judgement {
    /// The gradients of the part on real images, if they have been computed.
    walked: Option<Vec<Tensor>>,
    /// The rest of the loss.
    left: Tensor,
}

impl Judgement {
    /// The gradients of the whole loss.
    pub fn grads(self, parameters: &[&Tensor]) -> Vec<Tensor> {
        match self.walked {
            Some(sums) => grad_onto(sums, self.left, parameters),
            None => grad_consuming(self.left, parameters),
        }
    }
}

impl Gan {
    /// D on `real` images and on as many `fake` ones of the same classes. Gives its loss, with the penalties that the
    /// recipe asks for; its outputs, of which the one on real images may be a constant; and the numbers known so far.
    pub(super) fn judge(&mut self, real: &Real, fake: &Tensor) -> Result<(Judgement, [Output; 2], Scalars)> {
        let labels = real.labels.as_ref();
        let images = self.recorded(self.training.r1, real.images.clone());
        if self.training.batches == BatchSpec::Mixed || self.loss.is_relativistic() {
            let outputs = self.outputs([&images, fake], labels);
            self.adapt(&outputs[0]);
            let targets = self.targets(&images);
            let [on_real, on_fake] = &outputs;
            let loss = self.loss.discriminator(&on_real.real, &on_fake.real, &targets);
            let loss = self.with_classes(self.with_classes(loss, on_real, labels), on_fake, labels);
            let loss = self.with_gradient_penalty(loss, [&images, fake], labels);
            let seen = self.scalars(&loss, &outputs)?;
            let loss = self.penalised(loss, self.training.r1, &images, on_real)?;
            let loss = self.penalised(loss, self.training.r2, fake, on_fake)?;
            return Ok((Judgement { walked: None, left: loss }, outputs, seen));
        }
        // Drawn before the numbers that augment fake images, which come from the same stream.
        let targets = self.targets(&images);
        let (walked, on_real, real_loss) = self.walk_real(&images, labels, &targets)?;
        let on_fake = self.discriminate(fake, labels);
        self.adapt(&on_real);
        let loss = self.with_classes(self.loss.on_fake(&on_fake.real, &targets), &on_fake, labels);
        let loss = self.with_gradient_penalty(loss, [&images, fake], labels);
        let outputs = [on_real, on_fake];
        let seen = self.scalars(&(real_loss + loss.detach()), &outputs)?;
        let loss = self.penalised(loss, self.training.r2, fake, &outputs[1])?;
        Ok((Judgement { walked: Some(walked), left: loss }, outputs, seen))
    }

    /// The labels with which D's outputs on `images`, and on as many fake ones, are compared.
    fn targets(&mut self, images: &Tensor) -> Labels {
        self.loss.labels(images.dims()[0], &mut self.random.labels, images.device())
    }

    /// The gradients of the loss on real `images`, with its penalty; and D's output and the loss without the penalty,
    /// as constants.
    fn walk_real(
        &mut self,
        images: &Tensor,
        labels: Option<&Tensor>,
        targets: &Labels,
    ) -> Result<(Vec<Tensor>, Output, Tensor)> {
        let (with_penalty, on_real, loss) = {
            let output = self.discriminate(images, labels);
            let loss = self.with_classes(self.loss.on_real(&output.real, targets), &output, labels);
            let without = self.finite("discriminator", &loss)?;
            (self.penalised(loss, self.training.r1, images, &output)?, output.detach(), without)
        };
        Ok((grad_consuming(with_penalty, &self.discriminator.parameters()), on_real, loss))
    }

    /// D on real and fake images, apart or as one batch.
    fn outputs(&mut self, [real, fake]: [&Tensor; 2], labels: Option<&Tensor>) -> [Output; 2] {
        match self.training.batches {
            BatchSpec::Separate => [real, fake].map(|images| self.discriminate(images, labels)),
            BatchSpec::Mixed => {
                let labels = labels.map(|labels| concat(&[labels, labels], 0));
                self.discriminate(&concat(&[real, fake], 0), labels.as_ref()).halves()
            }
        }
    }

    /// D on `images`, which are augmented if the recipe asks for it.
    pub(super) fn discriminate(&mut self, images: &Tensor, labels: Option<&Tensor>) -> Output {
        let images = match &self.augment {
            Some(augment) => augment.apply(images, &mut self.random.labels),
            None => images.clone(),
        };
        let mut pass = Pass::training(&mut self.random.dropout).of_classes(labels);
        Output::of(self.discriminator.forward(&images, &mut pass), self.training.auxiliary.is_some())
    }

    /// Adapts the probability of augmentation to D's output on real images.
    fn adapt(&mut self, on_real: &Output) {
        if let Some(augment) = &mut self.augment {
            augment.adapt(&on_real.real);
        }
    }

    /// `loss` and, where D tells classes, the cross-entropy of those in `output` with `labels` (Odena, Olah and Shlens
    /// 2017), by the weight that the recipe gives it.
    pub(super) fn with_classes(&self, loss: Tensor, output: &Output, labels: Option<&Tensor>) -> Tensor {
        match (self.training.auxiliary, &output.classes, labels) {
            (Some(weight), Some(logits), Some(labels)) => loss + weight * &cross_entropy(logits, labels),
            _ => loss,
        }
    }

    /// `loss` with the gradient penalty, where the recipe asks for it.
    fn with_gradient_penalty(&mut self, loss: Tensor, [real, fake]: [&Tensor; 2], labels: Option<&Tensor>) -> Tensor {
        let Some(lambda) = self.training.gradient_penalty else {
            return loss;
        };
        let between = between(real, fake, &mut self.random.penalty);
        let output = self.discriminate(&between, labels).real;
        loss + gradient_penalty(lambda, &between, &output)
    }

    /// Whether the next step of the discriminator has the zero-centred penalties that the recipe asks for.
    pub(super) fn penalty_is_due(&self) -> bool {
        let asked = self.training.r1.or(self.training.r2).is_some();
        asked && self.discriminator_optimizer.steps().is_multiple_of(self.training.penalty_every as u64)
    }

    /// `images`, recorded from here on if a penalty by `gamma` at them is due.
    pub(super) fn recorded(&self, gamma: Option<f64>, images: Tensor) -> Tensor {
        if gamma.is_some() && self.penalty_is_due() { images.parameter() } else { images }
    }

    /// `loss` with the zero-centred penalty by `gamma` at `images` if one is due, D's output on which is `output`:
    /// every k-th step k times as large (lazy regularisation; Karras et al. 2020, "Analyzing and improving the image
    /// quality of StyleGAN").
    fn penalised(&self, loss: Tensor, gamma: Option<f64>, images: &Tensor, output: &Output) -> Result<Tensor> {
        let Some(gamma) = gamma.filter(|_| self.penalty_is_due()) else {
            return Ok(loss);
        };
        let every = self.training.penalty_every as f64;
        let loss = loss + zero_centred(every * gamma, images, &output.real);
        self.finite("discriminator", &loss)?;
        Ok(loss)
    }

    /// The numbers that are known once the discriminator's loss is.
    fn scalars(&self, d_loss: &Tensor, [on_real, on_fake]: &[Output; 2]) -> Result<Scalars> {
        Ok(Scalars {
            d_loss: self.finite("discriminator", d_loss)?,
            d_real: self.loss.mean_output(&on_real.real),
            d_fake: self.loss.mean_output(&on_fake.real),
            g_loss: None,
            c_loss: None,
            d_gradient_norm: None,
            g_gradient_norm: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{grad, no_grad};
    use crate::recipe::Recipe;
    use crate::storage::Device;

    /// With a penalty three terms are added, in another order than in one walk.
    #[test]
    fn a_gradient_penalty_is_a_part_too() {
        let overrides = ["training.loss=wasserstein", "training.gradient_penalty=10"].map(String::from);
        let recipe = Recipe::load("quickstart", &overrides).unwrap();
        let [mut gan, mut other] = [(); 2].map(|()| Gan::new(&recipe, Device::Cpu));
        let real = Real::from(&Tensor::full(0.3, [4, 28, 28, 1], Device::Cpu));
        let fake = no_grad(|| gan.generate(4, None));
        let (judgement, _, _) = gan.judge(&real, &fake).unwrap();
        let parts = judgement.grads(&gan.discriminator.parameters());

        let [on_real, on_fake] = other.outputs([&real.images, &fake], None);
        let targets = other.targets(&real.images);
        let plain = other.loss.discriminator(&on_real.real, &on_fake.real, &targets);
        let whole = other.with_gradient_penalty(plain.clone(), [&real.images, &fake], None);
        let without = grad(&plain, &other.discriminator.parameters(), false);
        let whole = grad(&whole, &other.discriminator.parameters(), false);
        let [parts, whole, without] =
            [parts, whole, without].map(|grads| grads.iter().flat_map(Tensor::to_f64).collect::<Vec<_>>());
        let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        let size = apart(&whole, &vec![0.0; whole.len()]);
        assert!(apart(&parts, &whole) < 1e-5 * size && apart(&without, &whole) > 1e-2 * size);
    }

    /// Walked part by part, the loss has the gradients and the value of the whole.
    #[test]
    fn the_parts_of_the_loss_make_up_the_whole() {
        let noise = "training.labels={ flip = 0.25, real = [0.8, 1.0], fake = [0.0, 0.1] }";
        for loss in ["bce", "minimax", "least_squares", "hinge", "wasserstein"] {
            let overrides = [format!("training.loss={loss}"), noise.to_string()];
            let labelled = matches!(loss, "bce" | "minimax" | "least_squares");
            let recipe = Recipe::load("quickstart", &overrides[..1 + usize::from(labelled)]).unwrap();
            let [mut gan, mut other] = [(); 2].map(|()| Gan::new(&recipe, Device::Cpu));
            let real = Real::from(&Tensor::full(0.3, [4, 28, 28, 1], Device::Cpu));
            let fake = no_grad(|| gan.generate(4, None));
            let (judgement, outputs, seen) = gan.judge(&real, &fake).unwrap();
            assert!(judgement.walked.is_some() && !outputs[0].real.requires_grad());
            let parts = judgement.grads(&gan.discriminator.parameters());

            let [on_real, on_fake] = other.outputs([&real.images, &fake], None);
            let targets = other.loss.labels(4, &mut other.random.labels, Device::Cpu);
            let whole = other.loss.discriminator(&on_real.real, &on_fake.real, &targets);
            assert_eq!(seen.d_loss.item(), whole.item(), "{loss}");
            let whole = grad(&whole, &other.discriminator.parameters(), false);
            let [parts, whole] = [parts, whole].map(|grads| grads.iter().flat_map(Tensor::to_f32).collect::<Vec<_>>());
            assert!(whole.iter().filter(|&&value| value != 0.0).count() > whole.len() / 2);
            assert!(parts == whole, "{loss}");
        }
    }
}
