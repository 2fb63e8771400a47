//! What kind of numbers a network gives: probabilities, or numbers of some range. It depends on the last layer that
//! changes values; later layers (flatten, reshape, upsample, pooling, dropout in evaluation) pass them on.

use super::{LayerSpec, LossSpec, NetworkSpec, Recipe};
use crate::data::plane::Plane;

/// The share of the values a generator can give that the data should cover: a tanh for images in [-0.9, 0.9] does no
/// harm, one for images in [0, 1] wastes half of its range.
const COVERED: f64 = 0.75;

impl NetworkSpec {
    /// The index, from 0, of the last layer that changes values. ReLU and leaky ReLU don't change those of a sigmoid,
    /// which are all above 0.
    fn last_change(&self) -> Option<usize> {
        let mut places = (0..self.layers.len()).rev();
        let last = places.find(|&place| !hands_on(&self.layers[place]))?;
        let rectifies = |layer: &LayerSpec| matches!(layer, LayerSpec::Relu {} | LayerSpec::LeakyRelu { .. });
        let mut before = (0..=last).rev();
        let before = before.find(|&place| {
            let layer = &self.layers[place];
            !hands_on(layer) && !rectifies(layer)
        });
        match before {
            Some(place) if self.layers[place] == (LayerSpec::Sigmoid {}) => Some(place),
            _ => Some(last),
        }
    }

    /// The smallest and the largest number that can come out in evaluation.
    fn output_range(&self) -> [f64; 2] {
        range_after(&self.layers, [f64::NEG_INFINITY, f64::INFINITY])
    }
}

/// The smallest and the largest number that `layers` can make of those in `range`, in evaluation.
fn range_after(layers: &[LayerSpec], range: [f64; 2]) -> [f64; 2] {
    layers.iter().fold(range, |[low, high], layer| {
        let rectified = |slope: f64| {
            // A slope of 0 turns -inf into 0, too.
            let f = |v: f64| {
                if v < 0.0 && slope > 0.0 { slope * v } else { v.max(0.0) }
            };
            [f(low), f(high)]
        };
        match layer {
            LayerSpec::Sigmoid {} => [0.0, 1.0],
            LayerSpec::Tanh {} => [-1.0, 1.0],
            LayerSpec::Relu {} => rectified(0.0),
            LayerSpec::LeakyRelu { slope } => rectified(*slope),
            // The least value of each function; above 0 the result is at most the input.
            LayerSpec::Gelu {} => [-0.17, high.max(0.0)],
            LayerSpec::Silu {} => [-0.279, high.max(0.0)],
            LayerSpec::Elu { alpha } => [-alpha, high.max(0.0)],
            LayerSpec::Softplus {} => [0.0, f64::INFINITY],
            LayerSpec::Dense { .. }
            | LayerSpec::Conv2d(_)
            | LayerSpec::ConvTranspose2d(_)
            | LayerSpec::BatchNorm { .. }
            | LayerSpec::ConditionalBatchNorm { .. }
            | LayerSpec::JoinLabel { .. }
            | LayerSpec::Projection {}
            | LayerSpec::GroupNorm { .. }
            | LayerSpec::LayerNorm { .. }
            | LayerSpec::InstanceNorm { .. }
            | LayerSpec::Attention {}
            | LayerSpec::MinibatchStddev { .. } => [f64::NEG_INFINITY, f64::INFINITY],
            LayerSpec::Residual { layers, shortcut } => {
                let [left, right] = [layers, shortcut].map(|branch| range_after(branch, [low, high]));
                [left[0] + right[0], left[1] + right[1]]
            }
            LayerSpec::Dropout { .. }
            | LayerSpec::GaussianNoise { .. }
            | LayerSpec::Flatten {}
            | LayerSpec::Reshape { .. }
            | LayerSpec::Upsample { .. }
            | LayerSpec::Downsample { .. }
            | LayerSpec::PixelShuffle { .. }
            | LayerSpec::MaxPool(_)
            | LayerSpec::AveragePool(_)
            | LayerSpec::GlobalAveragePool {} => [low, high],
        }
    })
}

/// Whether a layer passes its values on unchanged, as dropout does in evaluation, or gives the largest or the mean of
/// several, which is a probability if they are.
fn hands_on(layer: &LayerSpec) -> bool {
    matches!(
        layer,
        LayerSpec::Flatten {}
            | LayerSpec::Reshape { .. }
            | LayerSpec::Upsample { .. }
            | LayerSpec::Downsample { .. }
            | LayerSpec::PixelShuffle { .. }
            | LayerSpec::Dropout { .. }
            | LayerSpec::MaxPool(_)
            | LayerSpec::AveragePool(_)
            | LayerSpec::GlobalAveragePool {}
    )
}

impl Recipe {
    /// Whether the discriminator's output is a probability, and not a logit or a score: whether the last of its
    /// layers that changes values is a sigmoid. Losses, logs, exports and checks all go by this.
    pub fn gives_probabilities(&self) -> bool {
        self.sigmoid().is_some()
    }

    /// The index, from 0, of the sigmoid that gives the discriminator's output.
    fn sigmoid(&self) -> Option<usize> {
        let discriminator = &self.discriminator;
        let last = discriminator.last_change()?;
        (discriminator.layers[last] == LayerSpec::Sigmoid {}).then_some(last)
    }

    /// What the discriminator's output is, in a few words.
    pub fn output_in_words(&self) -> &'static str {
        match self.training.loss {
            _ if self.gives_probabilities() => "a probability",
            LossSpec::Bce | LossSpec::Minimax => "a logit, whose sigmoid is the probability",
            _ => "a score",
        }
    }

    /// Checks that the discriminator's output is of the kind that the loss is made for.
    pub(super) fn check_output(&self) -> Result<(), String> {
        let augment = self.training.augment;
        if augment.is_some() && self.discriminator.input.len() != 3 {
            return Err("training.augment is for images; remove it".into());
        }
        let told = matches!(self.training.loss, LossSpec::Bce | LossSpec::Minimax | LossSpec::Hinge);
        if augment.is_some_and(|augment| augment.target.is_some()) && !told {
            return Err("training.augment.target goes by the sign of the discriminator's output, which with this training.loss \
                        says nothing by itself; take the target away, or choose bce, minimax or hinge"
                .into());
        }
        let Some(sigmoid) = self.sigmoid() else {
            return Ok(());
        };
        if augment.is_some_and(|augment| augment.target.is_some()) {
            return Err(format!(
                "discriminator layer {} (sigmoid): training.augment.target goes by the sign of the discriminator's output, \
                 and probabilities have none; take the sigmoid away",
                sigmoid + 1
            ));
        }
        let loss = self.training.loss;
        if matches!(
            loss,
            LossSpec::Wasserstein | LossSpec::Hinge | LossSpec::Relativistic | LossSpec::RelativisticAverage
        ) {
            return Err(format!(
                "discriminator layer {} (sigmoid): what comes out are probabilities, but this training.loss is for \
                 outputs without bounds; take the sigmoid away",
                sigmoid + 1
            ));
        }
        let drops = |layer: &LayerSpec| matches!(layer, LayerSpec::Dropout { rate } if *rate > 0.0);
        match self.discriminator.layers[sigmoid..].iter().position(drops) {
            Some(after) => Err(format!(
                "discriminator layer {} (dropout): it zeroes some probabilities of the sigmoid before it and scales the \
                 others beyond 1; move it before the last layer with weights",
                sigmoid + after + 1
            )),
            None => Ok(()),
        }
    }

    /// Warnings about what is allowed but seldom intended, one line each.
    pub fn warnings(&self) -> Vec<String> {
        [self.bounded_output(), self.images_out_of_range()].into_iter().flatten().collect()
    }

    /// A warning if the discriminator's logits or scores have bounds.
    fn bounded_output(&self) -> Option<String> {
        let [low, high] = self.discriminator.output_range();
        let bounded = low.is_finite() || high.is_finite();
        if self.gives_probabilities() || self.training.loss == LossSpec::LeastSquares || !bounded {
            return None;
        }
        let place = self.discriminator.last_change()?;
        Some(format!(
            "discriminator layer {} ({}) keeps its output {}, but training.loss takes it for {}; take that layer away",
            place + 1,
            self.discriminator.layers[place].kind(),
            range_in_words([low, high]),
            match self.output_in_words() {
                "a score" => "a score without bounds",
                logit => logit,
            }
        ))
    }

    /// A warning if the generator's last activation has another range than the data.
    fn images_out_of_range(&self) -> Option<String> {
        let [low, high] = self.generator.output_range();
        let plane = Plane::named(&self.data.name);
        let [black, white] = plane.map_or(self.data.range, |plane| [-plane.reach(), plane.reach()]);
        let reaches = low <= black && white <= high;
        let wastes = COVERED * (high - low) > white - black;
        // If a range is open at one end, no share of it can be said to be wasted.
        if reaches && !(wastes && (high - low).is_finite()) {
            return None;
        }
        let place = self.generator.last_change()?;
        let fix = match self.generator.layers[place] {
            _ if plane.is_some() => "end in a dense layer",
            LayerSpec::Tanh {} => "make data.range [-1, 1], or end in a sigmoid for [0, 1]",
            LayerSpec::Sigmoid {} => "make data.range [0, 1], or end in a tanh for [-1, 1]",
            _ => "end in a tanh for data.range = [-1, 1], or in a sigmoid for [0, 1]",
        };
        Some(format!(
            "generator layer {} ({}) gives values {}, but {} [{black:?}, {white:?}]; {fix}",
            place + 1,
            self.generator.layers[place].kind(),
            range_in_words([low, high]),
            if plane.is_some() { "the points lie in" } else { "data.range is" },
        ))
    }
}

fn range_in_words([low, high]: [f64; 2]) -> String {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("from {low} to {high}"),
        (true, false) => format!("from {low} up"),
        _ => format!("up to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recipe whose discriminator ends in `layers` after a layer of one unit.
    fn ending(layers: &str, set: &[&str]) -> crate::Result<Recipe> {
        let end = format!("discriminator.layers=[{{ layer = 'flatten' }}, {{ layer = 'dense', units = 1 }}, {layers}]");
        let set = set.iter().map(|entry| entry.to_string());
        Recipe::load("dcgan-mnist", &set.chain([end]).collect::<Vec<_>>())
    }

    const SIGMOID: &str = "{ layer = 'sigmoid' }";

    #[test]
    fn the_last_layer_that_changes_values_says_what_the_output_is() {
        let map = "{ layer = 'reshape', shape = [1, 1, 1] }";
        for (layers, probabilities) in [
            (SIGMOID.to_string(), true),
            (format!("{map}, {SIGMOID}, {{ layer = 'flatten' }}"), true),
            (format!("{map}, {{ layer = 'flatten' }}, {SIGMOID}"), true),
            (format!("{SIGMOID}, {{ layer = 'reshape', shape = [1] }}"), true),
            (format!("{SIGMOID}, {{ layer = 'dropout', rate = 0 }}"), true),
            (format!("{SIGMOID}, {map}, {{ layer = 'upsample', factor = 1 }}, {{ layer = 'flatten' }}"), true),
            (format!("{SIGMOID}, {{ layer = 'relu' }}, {{ layer = 'leaky_relu' }}"), true),
            (format!("{SIGMOID}, {{ layer = 'residual', layers = [{SIGMOID}] }}"), false),
            (format!("{SIGMOID}, {{ layer = 'tanh' }}"), false),
            (format!("{SIGMOID}, {{ layer = 'batch_norm' }}"), false),
            (format!("{SIGMOID}, {{ layer = 'dense', units = 1 }}"), false),
            ("{ layer = 'leaky_relu' }".to_string(), false),
            ("{ layer = 'tanh' }".to_string(), false),
            (String::new(), false),
        ] {
            let recipe = ending(&layers, &[]).unwrap();
            assert_eq!(recipe.gives_probabilities(), probabilities, "{layers}");
            let words = recipe.output_in_words();
            assert_eq!(words == "a probability", probabilities, "{layers}");
        }
    }

    #[test]
    fn probabilities_are_refused_where_the_loss_is_for_scores_whatever_hands_them_on() {
        let after = ["", "{ layer = 'flatten' }", "{ layer = 'reshape', shape = [1] }", "{ layer = 'relu' }"];
        for loss in ["hinge", "wasserstein"] {
            for after in after {
                let set = format!("training.loss={loss}");
                let error = ending(&format!("{SIGMOID}, {after}"), &[&set]).unwrap_err();
                let error = error.to_string();
                assert!(error.contains("discriminator layer 3 (sigmoid): "), "{error}");
                assert!(error.ends_with("take the sigmoid away"), "{error}");
            }
        }
        let dropped = format!("{SIGMOID}, {{ layer = 'flatten' }}, {{ layer = 'dropout', rate = 0.5 }}");
        let error = ending(&dropped, &[]).unwrap_err().to_string();
        assert!(error.contains("discriminator layer 5 (dropout): it zeroes"), "{error}");
    }

    #[test]
    fn logits_with_bounds_are_warned_of() {
        for (layers, loss, words) in [
            ("{ layer = 'relu' }", "bce", Some("layer 3 (relu) keeps its output from 0 up")),
            (
                "{ layer = 'tanh' }, { layer = 'flatten' }",
                "hinge",
                Some("layer 3 (tanh) keeps its output from -1 to 1"),
            ),
            (
                "{ layer = 'tanh' }, { layer = 'residual', layers = [{ layer = 'sigmoid' }] }",
                "hinge",
                Some("layer 4 (residual) keeps its output from -1 to 2"),
            ),
            (
                "{ layer = 'residual', layers = [{ layer = 'relu' }], shortcut = [{ layer = 'sigmoid' }] }",
                "bce",
                Some("layer 3 (residual) keeps its output from 0 up"),
            ),
            ("{ layer = 'residual', layers = [{ layer = 'relu' }] }", "bce", None),
            ("{ layer = 'tanh' }", "least_squares", None),
            ("{ layer = 'leaky_relu' }", "bce", None),
            (SIGMOID, "bce", None),
            ("", "wasserstein", None),
        ] {
            let recipe = ending(layers, &[&format!("training.loss={loss}")]).unwrap();
            let warnings = recipe.warnings();
            match words {
                None => assert!(warnings.is_empty(), "{layers}: {warnings:?}"),
                Some(words) => assert!(warnings[0].contains(words), "{layers}: {warnings:?}"),
            }
        }
    }

    #[test]
    fn an_activation_that_the_data_is_not_scaled_for_is_warned_of() {
        for (last, range, words) in [
            ("tanh", "[-1, 1]", None),
            ("tanh", "[-0.9, 0.9]", None),
            ("sigmoid", "[0, 1]", None),
            ("sigmoid", "[0.1, 0.9]", None),
            ("relu", "[0, 255]", None),
            ("batch_norm", "[-1, 1]", None),
            ("tanh", "[0, 1]", Some("layer 12 (tanh) gives values from -1 to 1, but data.range is [0.0, 1.0]; make")),
            (
                "sigmoid",
                "[-1, 1]",
                Some("layer 12 (sigmoid) gives values from 0 to 1, but data.range is [-1.0, 1.0]; make"),
            ),
            ("relu", "[-1, 1]", Some("layer 12 (relu) gives values from 0 up")),
            ("tanh", "[0, 255]", Some("from -1 to 1, but")),
        ] {
            let set = [format!("generator.layers.12.layer={last}"), format!("data.range={range}")];
            let recipe = Recipe::load("dcgan-mnist", &set).unwrap();
            let warnings = recipe.warnings();
            match words {
                None => assert!(warnings.is_empty(), "{last} {range}: {warnings:?}"),
                Some(words) => assert!(warnings[0].contains(words), "{last} {range}: {warnings:?}"),
            }
        }
    }
}
