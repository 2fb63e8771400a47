//! Batch norm takes a mean and a variance over a batch and, in images, over all pixels. For a single value these are
//! the value itself and 0: the output is the bias whatever the input, and the running variance decays to 0, so that
//! samples later overflow their activation. A recipe for which that would happen is refused.

use super::sizes::values;
use super::{BatchSpec, LayerRow, NetworkSpec, Recipe};
use crate::Error;
use crate::data::LastBatch;

/// The name, for messages, of the first batch norm that gets only one value per feature from a batch of `batch`.
fn lone_value(network: &NetworkSpec, batch: usize) -> Option<String> {
    let table = network.table().ok()?;
    let mut normalising = table.all().into_iter().filter(|row| row.normalises_batch());
    let pixels = |row: &LayerRow| values(&row.input[..row.input.len() - 1]);
    normalising.find(|row| pixels(row).saturating_mul(batch as u64) == 1).map(LayerRow::name)
}

impl Recipe {
    /// A message about the layer that gets only one value per feature in a step on `real` images of the data.
    fn starved(&self, real: usize) -> Option<String> {
        // A mixed batch is half fake: the generator makes as many images as there are real ones, and D sees both.
        let judged = match self.training.batches {
            BatchSpec::Separate => real,
            BatchSpec::Mixed => 2 * real,
        };
        let networks = [("generator", &self.generator, real), ("discriminator", &self.discriminator, judged)];
        let third = self.classifier.iter().map(|classifier| ("classifier", classifier, real));
        networks.into_iter().chain(third).find_map(|(name, network, batch)| {
            let layer = lone_value(network, batch)?;
            Some(format!("{name} {layer}"))
        })
    }

    /// Checks that whole batches give every batch norm more than one value for each feature.
    pub(super) fn check_statistics(&self) -> Result<(), String> {
        let real = self.training.real_images();
        let Some(layer) = self.starved(real) else {
            return Ok(());
        };
        let size = self.training.batch_size;
        Err(format!(
            "{layer}: training.batch_size = {size} gives it one value for each feature, and one value has no \
             variance; make training.batch_size at least {}, or take the layer away",
            2 * size / real
        ))
    }

    /// As the recipe's own check, for the short batch at the end of each epoch over `images` images, if it is kept.
    ///
    /// # Errors
    /// [`Error::Text`] with the layer and the keys to change.
    pub fn check_last_batch(&self, images: usize) -> crate::Result<()> {
        let left = images % self.training.real_images();
        if self.data.last_batch == LastBatch::Drop || left == 0 {
            return Ok(());
        }
        let Some(layer) = self.starved(left) else {
            return Ok(());
        };
        let what = format!(
            "{layer}: the last batch of each epoch, {left} of {images} images, gives it one value for each feature, and \
             one value has no variance; make data.last_batch = \"drop\", or choose another training.batch_size"
        );
        Err(Error::text("recipe", &self.name, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(set: &[&str]) -> crate::Result<Recipe> {
        let set: Vec<String> = set.iter().map(|entry| entry.to_string()).collect();
        Recipe::load("dcgan-compact-mnist", &set)
    }

    /// In front of the discriminator's only unit: one value for each feature of an image.
    const PIXEL: &str = "discriminator.layers=[{ layer = 'flatten' }, \
        { layer = 'reshape', shape = [1, 1, 784] }, { layer = 'batch_norm' }, { layer = 'flatten' }, \
        { layer = 'dense', units = 1 }]";
    /// The generator without the batch norm of a vector; on images there are many values even of one.
    const IMAGES: &str = "generator.layers.2={ layer = 'relu' }";
    /// It again, inside of a residual.
    const INSIDE: &str = "generator.layers.2={ layer = 'residual', layers = [{ layer = 'relu' }], \
        shortcut = [{ layer = 'batch_norm' }] }";

    #[test]
    fn a_batch_of_one_is_refused_where_a_layer_needs_more() {
        for (set, layer, least) in [
            (vec!["training.batch_size=1"], "generator layer 2 (batch_norm)", 2),
            (vec!["training.batch_size=1", INSIDE], "generator layer 2.shortcut.1 (batch_norm)", 2),
            (vec!["training.batch_size=1", IMAGES, PIXEL], "discriminator layer 3 (batch_norm)", 2),
            (vec!["training.batch_size=2", "training.batches=mixed"], "generator layer 2 (batch_norm)", 4),
        ] {
            let error = with(&set).unwrap_err().to_string();
            let end = format!("make training.batch_size at least {least}, or take the layer away");
            assert!(error.contains(layer) && error.ends_with(&end), "{error}");
        }
        for set in [
            vec!["training.batch_size=2"],
            vec!["training.batch_size=4", "training.batches=mixed"],
            vec!["training.batch_size=1", IMAGES],
            // Each batch of the discriminator has a real and a fake image.
            vec!["training.batch_size=2", "training.batches=mixed", IMAGES, PIXEL],
        ] {
            assert!(with(&set).is_ok(), "{set:?}");
        }
    }

    #[test]
    fn so_is_a_last_batch_of_one_if_it_is_kept() {
        let keep = "data.last_batch=keep";
        let checked = |set: &[&str], images: usize| with(set).unwrap().check_last_batch(images);
        let error = checked(&[keep], 65).unwrap_err().to_string();
        assert!(
            error.contains("generator layer 2 (batch_norm): the last batch of each epoch, 1 of 65 images")
                && error.contains("make data.last_batch = \"drop\""),
            "{error}"
        );
        assert!(checked(&[keep, "training.batches=mixed"], 33).is_err());
        assert!(checked(&[keep, IMAGES, PIXEL], 65).is_err());
        for (set, images) in [
            (vec![keep], 64),
            (vec![keep], 66),
            (vec!["data.last_batch=drop"], 65),
            (vec![keep, IMAGES], 65),
            (vec![keep, IMAGES, PIXEL, "training.batches=mixed"], 33),
        ] {
            assert!(checked(&set, images).is_ok(), "{set:?} {images}");
        }
    }
}
