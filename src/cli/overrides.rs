//! Changes to a recipe on the command line: `--set key=value`, and the flags that stand for its keys.

use crate::{Error, Result};

/// A flag that stands for a key of the recipe: its name, the key, and the value that was given.
pub(super) type Flag<'a> = (&'a str, &'a str, Option<String>);

/// The overrides of `flags`, then those of `--set`.
///
/// # Errors
/// If both set the same key, or one of them a table that has the other's key.
pub(super) fn overrides(flags: &[Flag], set: &[String]) -> Result<Vec<String>> {
    let given = flags.iter().filter_map(|(flag, key, value)| {
        let value = value.as_ref()?;
        Some((flag, key, value))
    });
    let mut all = Vec::new();
    for (flag, key, value) in given {
        let says = |entry: &&String| {
            let named = entry.split('=').next().unwrap_or("").trim();
            key.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if let Some(entry) = set.iter().find(says) {
            let what = format!("{flag} and --set {entry} both say {key}");
            return Err(Error::Usage(format!("{what}; leave one of them out")));
        }
        all.push(format!("{key}={value}"));
    }
    all.extend(set.iter().cloned());
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_and_a_set_of_the_same_key_contradict_each_other() {
        let flags = [("--data", "data.name", Some("\"x\"".to_string())), ("--epochs", "training.epochs", None)];
        let with = |entry: &str| overrides(&flags, &[entry.to_string()]);
        assert_eq!(with("training.epochs=3").unwrap(), ["data.name=\"x\"", "training.epochs=3"]);
        assert_eq!(with("data.range=[0, 1]").unwrap().len(), 2);
        for entry in ["data.name=mnist", "data={ name = 'mnist' }", "data.name = y"] {
            let error = with(entry).unwrap_err().to_string();
            assert!(error.starts_with("--data and --set data"), "{error}");
        }
    }
}
