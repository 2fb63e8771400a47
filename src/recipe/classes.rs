//! Conditional games: which of the networks are given the class, and what that requires of the data.

use super::network::CLASSES;
use super::table::all_layers;
use super::{LayerTable, NetworkSpec, Recipe};

impl Recipe {
    /// The number of classes of the images, if the game is conditional.
    pub fn classes(&self) -> Option<usize> {
        self.generator.classes.or(self.discriminator.classes)
    }

    /// Checks that both networks have the same classes, that the labels they are given are used, and that a
    /// discriminator that is to predict classes does.
    pub(super) fn check_classes(&self, tables: [&LayerTable; 2]) -> Result<(), String> {
        let networks = [("generator", &self.generator), ("discriminator", &self.discriminator)];
        if let (Some(generator), Some(discriminator)) = (self.generator.classes, self.discriminator.classes)
            && generator != discriminator
        {
            return Err(format!(
                "generator.classes = {generator} and discriminator.classes = {discriminator}; make them equal"
            ));
        }
        for ((name, network), table) in networks.into_iter().zip(tables) {
            let Some(classes) = network.classes else { continue };
            if !takes_labels(network, table) {
                return Err(format!(
                    "{name}.classes = {classes}, but none of its layers takes a label; remove the key, or put a \
                     join_label in"
                ));
            }
        }
        match (self.generator.classes, self.discriminator.classes, self.training.auxiliary) {
            (None, Some(classes), _) => {
                return Err(format!(
                    "discriminator.classes = {classes}, but the generator isn't told the class; set generator.classes too, and \
                     give it a layer that takes a label"
                ));
            }
            (Some(classes), None, None) => {
                return Err(format!(
                    "generator.classes = {classes}, but the discriminator is neither told the class nor has to tell it; set \
                     discriminator.classes, or training.auxiliary"
                ));
            }
            _ => {}
        }
        if self.training.auxiliary.is_some() && self.generator.classes.is_none() {
            return Err(
                "training.auxiliary is for a generator that is told the class; set generator.classes and give it \
                        a layer that takes a label"
                    .into(),
            );
        }
        if self.training.auxiliary.is_some() && self.gives_probabilities() {
            return Err(
                "training.auxiliary: the discriminator ends in a sigmoid, and classes are told by logits; take \
                        the sigmoid away"
                    .into(),
            );
        }
        Ok(())
    }

    /// The number of outputs of the discriminator: one for how real the image is and, if it predicts classes, a logit
    /// for each class.
    pub(super) fn outputs(&self) -> usize {
        1 + self.training.auxiliary.and(self.generator.classes).unwrap_or(0)
    }

    /// Checks that images with these `labels` are of the recipe's classes, and that there are labels if classes are to
    /// be balanced.
    ///
    /// # Errors
    /// One line that says what is wrong and what to do.
    pub fn check_labels(&self, labels: &[u16]) -> Result<(), String> {
        const WITH_CLASSES: &str = "a set with classes, such as mnist, or a folder with a sub-folder a class";
        if self.data.balanced && labels.is_empty() {
            return Err(format!(
                "data.balanced = true is for classes, and the data has none; remove it, or choose {WITH_CLASSES}"
            ));
        }
        let Some(classes) = self.classes() else {
            return Ok(());
        };
        let Some(&most) = labels.iter().max() else {
            return Err(format!(
                "is told the class of every image, of {classes}, but the data has none; choose {WITH_CLASSES}"
            ));
        };
        let found = usize::from(most) + 1;
        if found > classes {
            let networks = [("generator", &self.generator), ("discriminator", &self.discriminator)];
            let told = networks.into_iter().filter(|(_, network)| network.classes.is_some());
            let keys: Vec<String> = told.map(|(name, _)| format!("{name}.classes")).collect();
            let keys = keys.join(" and ");
            let fix = match self.training.auxiliary {
                _ if found > CLASSES[1] => format!("choose data of at most {} classes", CLASSES[1]),
                Some(_) => {
                    let units = 1 + found;
                    format!("set {keys} to {found}, and the units of the discriminator's last layer to {units}")
                }
                None => format!("set {keys} to {found}"),
            };
            return Err(format!("has {classes} classes, but the data has {found}; {fix}"));
        }
        Ok(())
    }
}

/// Whether a layer at any depth takes the label.
fn takes_labels(network: &NetworkSpec, table: &LayerTable) -> bool {
    all_layers(&network.layers, &table.rows).iter().any(|(layer, _)| layer.takes_label())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(set: &[&str]) -> String {
        let set: Vec<String> = set.iter().map(|entry| entry.to_string()).collect();
        Recipe::load("cgan-mnist", &set).unwrap_err().to_string()
    }

    #[test]
    fn classes_that_do_not_go_together() {
        for (set, what) in [
            (&["generator.classes=9"][..], "generator.classes = 9 and discriminator.classes = 10; make them equal"),
            (&["generator.classes=1"], "generator.classes = 1; choose from 2 to 256"),
            (&["generator.classes=257"], "generator.classes = 257; choose from 2 to 256"),
            (
                &["generator.layers.1={ layer = 'relu' }"],
                "generator.classes = 10, but none of its layers takes a label; remove the key, or put a join_label in",
            ),
            (&["training.auxiliary=1"], "the discriminator's output is [1] where it must be [11]"),
            (&["training.auxiliary=0"], "training.auxiliary = 0.0; it must be above 0"),
        ] {
            let said = complaint(set);
            assert!(said.contains(what), "{said}");
        }
        let without = Recipe::load("vanilla-mnist", &["generator.layers.1={ layer = 'join_label' }".into()]);
        let said = without.unwrap_err().to_string();
        assert!(said.contains("layer 1 (join_label): needs to know how many classes there are"), "{said}");
    }

    #[test]
    fn labels_that_the_recipe_does_not_know() {
        let recipe = Recipe::load("cgan-mnist", &[]).unwrap();
        assert_eq!(recipe.check_labels(&[0, 9, 3]), Ok(()));
        assert!(recipe.check_labels(&[]).unwrap_err().contains("but the data has none; choose a set with classes"));
        assert!(
            recipe
                .check_labels(&[10])
                .unwrap_err()
                .starts_with("has 10 classes, but the data has 11; set generator.classes and")
        );
        assert!(recipe.check_labels(&[999]).unwrap_err().ends_with("choose data of at most 256 classes"));
        let auxiliary = Recipe::load("acgan-mnist", &[]).unwrap().check_labels(&[11]).unwrap_err();
        assert!(
            auxiliary.ends_with("set generator.classes to 12, and the units of the discriminator's last layer to 13")
        );
        assert_eq!(Recipe::load("vanilla-mnist", &[]).unwrap().check_labels(&[]), Ok(()));
        let balanced = Recipe::load("vanilla-mnist", &["data.balanced=true".into()]).unwrap();
        assert_eq!(balanced.check_labels(&[999]), Ok(()));
        let said = balanced.check_labels(&[]).unwrap_err();
        assert!(
            said.starts_with("data.balanced = true is for classes, and the data has none; remove it, or"),
            "{said}"
        );
    }
}
