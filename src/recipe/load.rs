//! Reads a checked [`Recipe`] from TOML: built-in recipes, files, and `--set key=value` on top of either.
//!
//! Keys are paths with dots, and the entries of a list are counted from 1 (`generator.layers.3.rate`), as in every
//! message. A mistake becomes one line that has the file, the line and the key, or the `--set` at fault.

use std::path::Path;

use toml::{Table, Value};

use super::Recipe;
use super::typed::{Mistake, entry, in_words, line_at, line_of, typed};
use crate::files;
use crate::terminal::excerpt;
use crate::{Error, Result};

/// The largest recipe file, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;

/// The recipes that are built into the program, the default first.
const BUILT_IN: [(&str, &str); 34] = [
    ("quickstart", include_str!("../../recipes/quickstart.toml")),
    ("dcgan-mnist", include_str!("../../recipes/dcgan-mnist.toml")),
    ("dcgan-ema-mnist", include_str!("../../recipes/dcgan-ema-mnist.toml")),
    ("dcgan-svhn", include_str!("../../recipes/dcgan-svhn.toml")),
    ("wgan-mnist", include_str!("../../recipes/wgan-mnist.toml")),
    ("wgan-svhn", include_str!("../../recipes/wgan-svhn.toml")),
    ("wgan-clip-mnist", include_str!("../../recipes/wgan-clip-mnist.toml")),
    ("wgan-gp-mnist", include_str!("../../recipes/wgan-gp-mnist.toml")),
    ("mlp-mnist", include_str!("../../recipes/mlp-mnist.toml")),
    ("fc-mnist", include_str!("../../recipes/fc-mnist.toml")),
    ("transpose-mnist", include_str!("../../recipes/transpose-mnist.toml")),
    ("upsample-mnist", include_str!("../../recipes/upsample-mnist.toml")),
    ("upsample-fashion", include_str!("../../recipes/upsample-fashion.toml")),
    ("transpose-cifar10", include_str!("../../recipes/transpose-cifar10.toml")),
    ("vanilla-mnist", include_str!("../../recipes/vanilla-mnist.toml")),
    ("ring-2d", include_str!("../../recipes/ring-2d.toml")),
    ("grid-2d", include_str!("../../recipes/grid-2d.toml")),
    ("spiral-2d", include_str!("../../recipes/spiral-2d.toml")),
    ("dcgan-compact-mnist", include_str!("../../recipes/dcgan-compact-mnist.toml")),
    ("stacked-dcgan", include_str!("../../recipes/stacked-dcgan.toml")),
    ("cgan-mnist", include_str!("../../recipes/cgan-mnist.toml")),
    ("cdcgan-mnist", include_str!("../../recipes/cdcgan-mnist.toml")),
    ("acgan-mnist", include_str!("../../recipes/acgan-mnist.toml")),
    ("triple-gan-mnist", include_str!("../../recipes/triple-gan-mnist.toml")),
    ("triple-gan-svhn", include_str!("../../recipes/triple-gan-svhn.toml")),
    ("sngan-cifar10", include_str!("../../recipes/sngan-cifar10.toml")),
    ("sngan-resnet-cifar10", include_str!("../../recipes/sngan-resnet-cifar10.toml")),
    ("sagan-cifar10", include_str!("../../recipes/sagan-cifar10.toml")),
    ("sagan-svhn", include_str!("../../recipes/sagan-svhn.toml")),
    ("r3gan-mnist", include_str!("../../recipes/r3gan-mnist.toml")),
    ("r3gan-stacked-mnist", include_str!("../../recipes/r3gan-stacked-mnist.toml")),
    ("r3gan-cifar10", include_str!("../../recipes/r3gan-cifar10.toml")),
    ("best-mnist", include_str!("../../recipes/best-mnist.toml")),
    ("stacked-wgan-gp", include_str!("../../recipes/stacked-wgan-gp.toml")),
];

/// The names of the built-in recipes, the default first.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

impl Recipe {
    /// The built-in recipe of that name, or the one in a file whose name ends in `.toml`, with
    /// `overrides` (each `key=value`) put on top in their order, and checked.
    ///
    /// A value is read as TOML, and taken as a string where it is none: `training.loss=minimax`; `none` takes the key
    /// away. After each override every key must still be one that the recipe can have.
    ///
    /// ```
    /// use minimax::recipe::Recipe;
    ///
    /// let recipe = Recipe::load("dcgan-mnist", &["training.batch_size=128".into()])?;
    /// assert_eq!(recipe.training.batch_size, 128);
    /// # Ok::<(), minimax::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no recipe of that name, [`Error::Io`] if the file can't be read, and those of
    /// [`Recipe::parse`].
    pub fn load(name_or_path: &str, overrides: &[String]) -> Result<Recipe> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
            return Recipe::parse(name, text, overrides);
        }
        if !name_or_path.ends_with(".toml") {
            let known: Vec<_> = built_in_names().collect();
            return Err(Error::Usage(format!(
                "there is no recipe {name_or_path:?}; choose one of {} or give the path of a .toml file",
                known.join(", ")
            )));
        }
        Recipe::parse(name_or_path, &read(Path::new(name_or_path))?, overrides)
    }

    /// The recipe in the file `path`, whatever its name.
    ///
    /// # Errors
    /// [`Error::Io`] if the file can't be read, and those of [`Recipe::parse`].
    pub fn read(path: &Path, overrides: &[String]) -> Result<Recipe> {
        Recipe::parse(&path.display().to_string(), &read(path)?, overrides)
    }

    /// As [`Recipe::load`], from `text`; messages call it `source`.
    ///
    /// # Errors
    /// [`Error::Text`] if `text` isn't a recipe or the result can't be run (see [`Recipe::check`]), [`Error::Usage`] if
    /// an override isn't `key=value` with a key that the recipe can have and a value of its type.
    pub fn parse(source: &str, text: &str, overrides: &[String]) -> Result<Recipe> {
        let recipe = Recipe::resolve(source, text, overrides)?;
        recipe.check().map_err(|what| Error::text("recipe", source, what))?;
        Ok(recipe)
    }

    /// As [`Recipe::parse`], for the `text` that a run has kept of its recipe. Its networks can be used even if the way
    /// in which they were trained is refused today.
    ///
    /// # Errors
    /// [`Error::Text`] if `text` isn't a recipe, or its networks can't be built.
    pub fn parse_saved(source: &str, text: &str) -> Result<Recipe> {
        let recipe = Recipe::resolve(source, text, &[])?;
        let checked = recipe.check_networks();
        checked.map_err(|what| Error::text("recipe", source, what))?;
        Ok(recipe)
    }

    /// As [`Recipe::parse_saved`], from the file at `path`.
    ///
    /// # Errors
    /// As [`Recipe::parse_saved`], and [`Error::Io`] if the file can't be read.
    pub fn load_saved(path: &Path) -> Result<Recipe> {
        Recipe::parse_saved(&path.display().to_string(), &read(path)?)
    }

    /// The recipe in `text` with `overrides`, unchecked.
    fn resolve(source: &str, text: &str, overrides: &[String]) -> Result<Recipe> {
        let table: Table = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            Error::text("recipe", source, format!("line {line}: {}", in_words(error.message())))
        })?;
        let mut root = Value::Table(table);
        let mut recipe = typed(&root).map_err(|Mistake { path, what }| {
            let (line, key) = (line_of(text, &path), excerpt(&path));
            let colon = if path.is_empty() { "" } else { ": " };
            Error::text("recipe", source, format!("line {line}: {key}{colon}{what}"))
        })?;
        for entry in overrides {
            let refuse = |what: String| Error::Usage(format!("--set {entry}: {what} (recipe {source})"));
            let (key, value) = entry.split_once('=').ok_or_else(|| refuse("write it as key=value".into()))?;
            let value = value.parse().unwrap_or_else(|_| Value::String(value.into()));
            for table in OPTIONAL_TABLES.into_iter().filter(|table| is_inside(key, table)) {
                let place = slot(&mut root, table).map_err(refuse)?;
                if !place.is_table() {
                    *place = Value::Table(Table::new());
                }
            }
            match value.as_str() {
                Some(NONE) => remove(&mut root, key).map_err(refuse)?,
                _ => *slot(&mut root, key).map_err(refuse)? = value,
            }
            recipe = typed(&root).map_err(|Mistake { path, what }| {
                let inside = path.strip_prefix(key).and_then(|rest| rest.strip_prefix('.'));
                refuse(inside.map_or_else(|| what.clone(), |key| format!("{key}: {what}")))
            })?;
        }
        Ok(recipe)
    }
}

/// The text of a recipe file of at most [`MAX_BYTES`].
fn read(path: &Path) -> Result<String> {
    let refuse = |what: String| Error::text("recipe", path.display().to_string(), what);
    let Some(bytes) = files::read_at_most(path, MAX_BYTES)? else {
        return Err(refuse(format!("the file is larger than {MAX_BYTES} bytes; give a recipe")));
    };
    String::from_utf8(bytes).map_err(|_| refuse("this is not UTF-8 text; give a recipe".into()))
}

/// The optional tables of a recipe, which `--set` makes if it sets one of their keys.
const OPTIONAL_TABLES: [&str; 4] = ["samples", "judge", "training.average", "training.labels"];

fn is_inside(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

/// The value with which `--set` removes a key.
const NONE: &str = "none";

/// Removes `key` from inside of `value`.
fn remove(value: &mut Value, key: &str) -> std::result::Result<(), String> {
    let (path, last) = key.rsplit_once('.').unwrap_or(("", key));
    fn within<'v>(value: Option<&'v mut Value>, part: &str) -> Option<&'v mut Value> {
        match value {
            Some(Value::Table(table)) => table.get_mut(part),
            Some(Value::Array(list)) => entry(part).and_then(|index| list.get_mut(index)),
            _ => None,
        }
    }
    let taken = match path.split('.').filter(|part| !part.is_empty()).fold(Some(value), within) {
        Some(Value::Array(_)) => return Err("a list keeps its entries; give all of the list anew".into()),
        Some(Value::Table(table)) => table.remove(last),
        _ => None,
    };
    taken.map(drop).ok_or_else(|| format!("there is no `{}` to remove", excerpt(key)))
}

/// The place of `key` inside of `value`, which is made if only the last part of the key is missing.
fn slot<'v>(value: &'v mut Value, key: &str) -> std::result::Result<&'v mut Value, String> {
    let (part, rest) = key.split_once('.').unwrap_or((key, ""));
    let inside = match value {
        Value::Table(table) => {
            if !rest.is_empty() && !table.contains_key(part) {
                let known: Vec<_> = table.keys().cloned().collect();
                return Err(format!("unknown key `{part}`, expected one of {}", known.join(", ")));
            }
            table.entry(part).or_insert(Value::Boolean(false))
        }
        Value::Array(list) => {
            let count = list.len();
            entry(part)
                .and_then(|index| list.get_mut(index))
                .ok_or_else(|| format!("`{part}` is not a number from 1 to {count}, the entries of that list"))?
        }
        other => {
            let other = other.to_string();
            let other = excerpt(&other);
            return Err(format!("there is no `{part}` inside of {other}"));
        }
    };
    if rest.is_empty() { Ok(inside) } else { slot(inside, rest) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{LayerSpec, LossSpec, SamplesSpec};

    fn with(overrides: &[&str]) -> Result<Recipe> {
        let overrides: Vec<String> = overrides.iter().map(|text| text.to_string()).collect();
        Recipe::load("dcgan-compact-mnist", &overrides)
    }

    #[test]
    fn what_is_set_inside_of_a_table_that_is_not_there_makes_it() {
        let set = [
            "training.labels.flip=0.25",
            "samples.count=9",
            "data.background=[255, 128, 0]",
            "data.extra=true",
            "data.flip=true",
        ];
        let recipe = Recipe::load("quickstart", &set.map(String::from)).unwrap();
        assert_eq!((recipe.data.background, recipe.data.extra, recipe.data.flip), ([255, 128, 0], true, true));
        assert_eq!(recipe.samples.count, 9);
        let labels = recipe.training.labels.unwrap();
        assert_eq!((labels.flip, labels.real), (0.25, [1.0, 1.0]));
        for (entry, what) in [
            ("generator.layers.1=none", "a list keeps its entries"),
            ("generator.layers.99.units=none", "there is no `generator.layers.99.units` to remove"),
            ("training.nonsense=none", "there is no `training.nonsense` to remove"),
            ("nonsense.key=none", "there is no `nonsense.key` to remove"),
            ("nonsense=none", "there is no `nonsense` to remove"),
            ("training.loss=none", "missing key `loss`"),
        ] {
            let error = Recipe::load("quickstart", &[entry.into()]).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        let set = ["training.average.decay=0.5", "training.average=none", "samples.count=9", "samples=none"];
        let recipe = Recipe::load("quickstart", &set.map(String::from)).unwrap();
        assert_eq!((recipe.training.average, recipe.samples), (None, SamplesSpec::default()));
        let error = Recipe::load("quickstart", &["samples.cout=9".into()]).unwrap_err();
        assert!(error.to_string().contains("unknown key `cout`"), "{error}");
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for name in built_in_names() {
            let recipe = Recipe::load(name, &[]).unwrap();
            assert_eq!(Recipe::parse(name, &recipe.to_toml(), &[]).unwrap(), recipe);
        }
        let rare = with(&[
            "generator.initializer={ truncated_normal = { stddev = 0.1 } }",
            "generator.optimizer={ kind = 'rmsprop', learning_rate = 5e-5 }",
            "discriminator.optimizer={ kind = 'sgd', learning_rate = 1 }",
            "discriminator.layers.1.padding={ explicit = { top = 1, bottom = 2, left = 2, right = 1 } }",
            "data.balanced=true",
            "discriminator.layers.1.kernel=[5, 4]",
            "discriminator.layers.2={ layer = 'residual', layers = [{ layer = 'tanh' }, { layer = 'residual', \
             layers = [{ layer = 'conv2d', filters = 1, kernel = 3 }], shortcut = [{ layer = 'conv2d', filters = 1, \
             kernel = 1 }] }, { layer = 'conv2d', filters = 64, kernel = 1 }] }",
            "discriminator.layers.2.layers.2.layers.1.kernel=[1, 3]",
            "description=\"quotes \\\" and \\\\\"",
        ])
        .unwrap_or_else(|error| panic!("{error}"));
        let text = rare.to_toml();
        assert!(text.contains("kernel = [1, 3]"), "{text}");
        assert_eq!(Recipe::parse("rare", &text, &[]).unwrap(), rare);
        assert!(
            text.contains("balanced = true") && text.contains("rho = 0.9") && text.contains("momentum = 0.0"),
            "{text}"
        );
    }

    #[test]
    fn the_example_in_the_documentation_is_a_recipe() {
        let page = include_str!("mod.rs");
        let example: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let example = example.join("\n");
        let toml = example.split("```toml").nth(1).and_then(|rest| rest.split("```").next());
        assert_eq!(Recipe::parse("example", toml.unwrap(), &[]).unwrap().name, "tiny");
    }

    #[test]
    fn overrides_reach_every_part_in_order() {
        let recipe = with(&[
            "training.epochs=3",
            "training.loss=minimax",
            "data.range.1=0",
            "generator.layers.3.slope=0.1",
            "name=mine",
            "training.epochs=4",
        ])
        .unwrap();
        assert_eq!((recipe.training.epochs, recipe.name.as_str()), (4, "mine"));
        assert_eq!(recipe.training.loss, LossSpec::Minimax);
        assert_eq!(recipe.data.range, [0.0, 1.0]);
        assert_eq!(recipe.generator.layers[2], LayerSpec::LeakyRelu { slope: 0.1 });
    }

    #[test]
    fn overrides_that_fit_nowhere() {
        let cases = [
            ("training.bach=32", "unknown key `bach`, expected one of `epochs`"),
            ("trainin.epochs=3", "unknown key `trainin`, expected one of data,"),
            ("generator.layers.0.units=3", "`0` is not a number from 1 to 12"),
            ("generator.layers.13.units=3", "`13` is not a number from 1 to 12"),
            ("training.epochs.x=3", "there is no `x` inside of 40"),
            ("training.epochs=many", "invalid type: string \"many\""),
            (
                "generator.optimizer={kind='sgd', learning_rate='x'}",
                "learning_rate: invalid type: string \"x\", expected a number",
            ),
            (
                "training.seed=18446744073709551615",
                "invalid type: string \"18446744073709551615\", expected a whole number from 0 to \
                 9223372036854775807",
            ),
            ("training.epochs", "write it as key=value"),
        ];
        for (entry, what) in cases {
            let error = with(&[entry]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().starts_with(&format!("--set {entry}: {what}")), "{error}");
        }
    }
}
