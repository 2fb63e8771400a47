//! What may change in the recipe of a run when it is resumed.
//!
//! | key | then |
//! |---|---|
//! | `training.epochs`, `data.name`, `samples.epochs`, `samples.first_step`, `judge.every`, `judge.every_steps` | the run is the one that it would have been, longer or shorter |
//! | the optimisers' numbers, `training.batch_size`, `data.last_batch`, `.balanced`, `.flip`, `training.weight_clip`, `.gradient_penalty`, `.r1`, `.r2`, `.penalty_every`, `.labels`, `.auxiliary`, `.augment`, `.average`, `.triple`'s weights, `schedule` | it goes on from its state as another run would |
//! | all else: networks, an optimiser's kind, the loss, the seed, ... | what the checkpoint holds would mean nothing |

use crate::recipe::{Difference, Recipe};

/// Keys that don't change what is computed.
const HARMLESS: [&str; 6] =
    ["training.epochs", "data.name", "samples.epochs", "samples.first_step", "judge.every", "judge.every_steps"];

/// Keys that change how the run goes on, with all keys within them.
const TUNING: [&str; 22] = [
    "training.batch_size",
    "data.last_batch",
    "data.balanced",
    "data.flip",
    "training.weight_clip",
    "training.gradient_penalty",
    "training.r1",
    "training.r2",
    "training.penalty_every",
    "training.labels",
    "training.auxiliary",
    "training.augment",
    "training.average",
    "schedule",
    "generator.optimizer",
    "discriminator.optimizer",
    "classifier.optimizer",
    "training.triple.adversarial",
    "training.triple.entropy",
    "training.triple.evenness",
    "training.triple.decay",
    "training.triple.pseudo",
];

/// These can't change, as an optimiser's slots belong to its kind.
const FIXED: [&str; 3] = ["generator.optimizer.kind", "discriminator.optimizer.kind", "classifier.optimizer.kind"];

/// The changes from `saved` to `asked` that make the run another one from here on.
///
/// # Errors
/// A message on the first difference that isn't allowed, and what to do about it.
pub fn tuning(saved: &Recipe, asked: &Recipe) -> Result<Vec<Difference>, String> {
    let mut differences = saved.differences(asked);
    differences.retain(|difference| !is_any(&difference.key, &HARMLESS));
    let fixed = |difference: &&Difference| is_any(&difference.key, &FIXED) || !is_any(&difference.key, &TUNING);
    match differences.iter().find(fixed) {
        None => Ok(differences),
        Some(difference) => {
            let fix = "of a run that goes on only epochs, where its data is, batch sizes, the weights of the loss and \
                        the optimisers' numbers can change; start a new run, with --init if its weights fit";
            Err(format!("is the checkpoint of another recipe ({difference}); {fix}"))
        }
    }
}

/// Whether `key` is one of `keys` or within one.
fn is_any(key: &str, keys: &[&str]) -> bool {
    let within = |rest: &str| rest.is_empty() || rest.starts_with('.');
    keys.iter().any(|one| key.strip_prefix(one).is_some_and(within))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(set: &[&str]) -> Result<Vec<String>, String> {
        let saved = Recipe::load("dcgan-mnist", &[]).unwrap();
        let set: Vec<String> = set.iter().map(|entry| entry.to_string()).collect();
        let asked = Recipe::load("dcgan-mnist", &set).unwrap();
        tuning(&saved, &asked).map(|all| all.into_iter().map(|one| one.key).collect())
    }

    #[test]
    fn numbers_of_the_training_may_change_and_what_the_weights_hang_on_may_not() {
        assert_eq!(
            changes(&[
                "training.epochs=3",
                "data.name=digits",
                "samples.first_step=7",
                "judge.every=2",
                "judge.every_steps=9"
            ]),
            Ok(vec![])
        );
        let tuned = changes(&[
            "generator.optimizer.learning_rate=1e-5",
            "discriminator.optimizer.betas=[0.1, 0.9]",
            "training.batch_size=7",
            "training.labels.flip=0.1",
            "training.average.decay=0.9",
            "data.balanced=true",
            "data.flip=true",
            "generator.optimizer.weight_decay=0.1",
            "training.augment={ cutout = true, target = 0.6 }",
        ]);
        assert_eq!(tuned.unwrap().len(), 10);
        for fixed in [
            "training.seed=9",
            "training.loss=hinge",
            "training.update=simultaneous",
            "data.range=[0, 1]",
            "samples.count=9",
            "judge.samples=900",
            "generator.layers.1.bias=false",
            "generator.initializer=zeros",
            "generator.optimizer={ kind = 'sgd', learning_rate = 1e-3 }",
        ] {
            match changes(&[fixed]) {
                Err(said) => {
                    let key = fixed.split('=').next().unwrap();
                    assert!(said.contains(key) && said.contains("--init"), "{said}");
                }
                // The recipe has this value already.
                Ok(changes) => assert!(changes.is_empty(), "{fixed}: {changes:?}"),
            }
        }
    }
}
