//! Turns a TOML value into a [`Recipe`], and finds the place in the text of what is wrong if it isn't one.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Value;
use toml::de::{DeTable, DeValue};

use super::network::OptimizerSpec;
use super::table::{MAX_DEPTH, too_deep};
use super::{
    AugmentSpec, AverageSpec, CriticLoop, DataSpec, JudgingSpec, LabelSpec, LayerSpec, NetworkSpec, Recipe,
    SamplesSpec, ScheduleSpec, TrainingSpec, TripleSpec,
};
use crate::nn::Initializer;
use crate::terminal::brief;

/// A value of the wrong type, an unknown key or a missing one.
pub(super) struct Mistake {
    /// Its path, as in `--set`; empty for the whole recipe.
    pub path: String,
    /// A message that says what is wrong.
    pub what: String,
}

/// Checks that a value, found at a path, has some type.
type Verify = fn(&Value, &str) -> Result<(), Mistake>;

/// The parts of a recipe from the inside out, so that a mistake is found where it was made; layers are checked before
/// these.
const PARTS: [(&str, Verify); 20] = [
    ("generator.initializer", verify::<Initializer>),
    ("generator.optimizer", verify::<OptimizerSpec>),
    ("generator", verify::<NetworkSpec>),
    ("discriminator.initializer", verify::<Initializer>),
    ("discriminator.optimizer", verify::<OptimizerSpec>),
    ("discriminator", verify::<NetworkSpec>),
    ("classifier.initializer", verify::<Initializer>),
    ("classifier.optimizer", verify::<OptimizerSpec>),
    ("classifier", verify::<NetworkSpec>),
    ("data", verify::<DataSpec>),
    ("samples", verify::<SamplesSpec>),
    ("judge", verify::<JudgingSpec>),
    ("training.augment", verify::<AugmentSpec>),
    ("training.average", verify::<AverageSpec>),
    ("training.labels", verify::<LabelSpec>),
    ("training.triple", verify::<TripleSpec>),
    ("training.update.critic_loop", verify::<CriticLoop>),
    ("training", verify::<TrainingSpec>),
    ("schedule", verify::<Vec<ScheduleSpec>>),
    ("", verify::<Recipe>),
];

/// The recipe in `root`. Its keys and types are right; numbers and shapes are still unchecked.
pub(super) fn typed(root: &Value) -> Result<Recipe, Mistake> {
    for network in ["generator", "discriminator", "classifier"] {
        if let Some(inside) = root.get(network) {
            verify_layers(inside, "layers", network, 0)?;
        }
    }
    for (path, verify) in PARTS {
        let mut keys = path.split('.').filter(|key| !key.is_empty());
        // If a part is missing, the mistake is in the part around it.
        if let Some(value) = keys.try_fold(root, |value, key| value.get(key)) {
            verify(value, path)?;
        }
    }
    Ok(Recipe::deserialize(root.clone()).expect("the last part is the whole recipe"))
}

/// Verifies the layers that `holder`, which is at `path` inside of `depth` layers, has under `key`. Layers inside of a
/// layer are verified before it.
fn verify_layers(holder: &Value, key: &str, path: &str, depth: usize) -> Result<(), Mistake> {
    for (index, layer) in holder.get(key).and_then(Value::as_array).into_iter().flatten().enumerate() {
        let path = format!("{path}.{key}.{}", index + 1);
        let held = ["layers", "shortcut"].into_iter().filter(|&key| layer.get(key).is_some());
        for key in held {
            // Reading deeper ones could take very long.
            if depth == MAX_DEPTH {
                return Err(Mistake { path, what: too_deep() });
            }
            verify_layers(layer, key, &path, depth + 1)?;
        }
        verify::<LayerSpec>(layer, &path)?;
    }
    Ok(())
}

/// More keys than any table of a recipe can have; a table with more is not searched, as that could take long.
const MOST_KEYS: usize = 16;

/// Whether `value` is a `T`.
///
/// Serde doesn't say at which key of a tagged enum it failed, so the key is searched for: it is the one without which
/// the complaint is another. The tag can't be it, as nothing is known without the tag.
fn verify<T: DeserializeOwned>(value: &Value, path: &str) -> Result<(), Mistake> {
    let complaint = |value: Value| T::deserialize(value).err().map(|error| error.message().to_owned());
    let Some(first) = complaint(value.clone()) else {
        return Ok(());
    };
    let guilty = |key: &&String| {
        let mut rest = value.as_table().cloned().unwrap_or_default();
        rest.remove(*key);
        complaint(Value::Table(rest)).as_ref() != Some(&first)
    };
    let key = match value {
        Value::Table(table) if !first.starts_with("missing field") => {
            let keys = table.keys().filter(|key| *key != "layer" && *key != "kind");
            keys.take(MOST_KEYS).find(guilty)
        }
        _ => None,
    };
    let path = match key {
        Some(key) if path.is_empty() => key.clone(),
        Some(key) => format!("{path}.{key}"),
        None => path.to_owned(),
    };
    Err(Mistake { path, what: in_words(&first) })
}

/// Serde's complaint without the names of Rust's types. Only its beginning and its end are rewritten, as the middle may
/// quote what a person wrote.
pub(crate) fn in_words(complaint: &str) -> String {
    const BEGINNINGS: [(&str, &str); 4] = [
        ("unknown field", "unknown key"),
        ("missing field", "missing key"),
        ("unknown variant", "unknown value"),
        ("invalid type: floating point", "invalid type: number"),
    ];
    const ENDS: [(&str, &str); 9] = [
        ("u64 value was too large", "a whole number above 9223372036854775807; make it smaller"),
        (" as i128, expected any valid TOML value", ", which has more than 64 bits; make it smaller"),
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number from 0 to 9223372036854775807"),
        ("expected f64", "expected a number"),
        ("invalid type: unit variant, expected newtype variant", "this one takes a table"),
        ("invalid type: unit variant, expected struct variant", "this one takes a table"),
        ("invalid type: unit variant, expected string only", "expected a name or a table"),
    ];
    let mut text = brief(complaint.trim_end()).replace('\n', "; ");
    for (from, to) in BEGINNINGS {
        if let Some(rest) = text.strip_prefix(from) {
            text = format!("{to}{rest}");
        }
    }
    for (from, to) in ENDS {
        if let Some(rest) = text.strip_suffix(from) {
            text = format!("{rest}{to}");
        }
    }
    text
}

/// The index of an entry that a path counts from 1.
pub(super) fn entry(part: &str) -> Option<usize> {
    part.parse::<usize>().ok()?.checked_sub(1)
}

/// The line, counted from 1, of the value at `path`, or of what contains it if it has no place of its own.
pub(super) fn line_of(text: &str, path: &str) -> usize {
    let Ok(table) = DeTable::parse(text) else {
        return 1;
    };
    let root = DeValue::Table(table.into_inner());
    let (mut at, mut start) = (&root, 0);
    for part in path.split('.') {
        let found = match at {
            DeValue::Table(table) => table.get_key_value(part).map(|(key, value)| (key.span(), value)),
            DeValue::Array(list) => entry(part).and_then(|index| list.get(index)).map(|value| (value.span(), value)),
            _ => None,
        };
        let Some((span, value)) = found else {
            break;
        };
        (at, start) = (value.get_ref(), span.start);
    }
    line_at(text, start)
}

/// The line, counted from 1, of the byte at `offset`.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dcgan() -> &'static str {
        include_str!("../../recipes/dcgan-compact-mnist.toml")
    }

    /// The message about a built-in recipe with one text in it changed to another.
    fn complaint(from: &str, to: &str) -> String {
        assert!(dcgan().contains(from), "{from} is not in the recipe");
        let text = dcgan().replacen(from, to, 1);
        Recipe::parse("t.toml", &text, &[]).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_named_by_line_and_key() {
        let line = |text: &str| 1 + dcgan().lines().position(|line| line.contains(text)).unwrap();
        let cases = [
            ("epochs = 40", "epochs = 40 20", ""),
            ("epochs = 40", "epocs = 10", "training.epocs: unknown key `epocs`, expected one of `epochs`"),
            ("epochs = 40", "epochs = -1", "training.epochs: invalid value: integer `-1`, expected a whole"),
            ("seed = 1", "seed = 9223372036854775808", "a whole number above 9223372036854775807; make it smaller"),
            (
                "seed = 1",
                "seed = -99999999999999999999",
                "invalid type: integer `-99999999999999999999`, which has more than 64 bits",
            ),
            ("range = [-1, 1]", "range = [-1, 1, 2]", "data.range: invalid length 3, expected two numbers"),
            (
                "range = [-1, 1]",
                "background = [255, 255]",
                "data.background: invalid length 2, expected red, green and blue",
            ),
            (
                "range = [-1, 1]",
                "background = [0, 0, 256]",
                "data.background: invalid value: integer `256`, expected a whole number from 0 to 255",
            ),
            ("units = 12544", "units = 'many'", "generator.layers.1.units: invalid type: string \"many\""),
            (
                "units = 12544",
                "units = 'unknown field, expected f64, expected usize'",
                "generator.layers.1.units: invalid type: string \"unknown field, expected f64, \
                 expected usize\", expected a whole number, 0 or more",
            ),
            (
                "units = 12544",
                "unit = 12544",
                "generator.layers.1.unit: unknown key `unit`, expected one of `units`, `bias`",
            ),
            ("\"flatten\"", "\"flat\"", "discriminator.layers.9: unknown value `flat`, expected one of"),
            ("\"flatten\"", "\"flatten\", x = 1", "discriminator.layers.9.x: unknown key `x`"),
            ("filters = 1, kernel = 5", "filters = 1", "generator.layers.11: missing key `kernel`"),
            ("filters = 1, kernel = 5", "filters = 1, kernel = [5]", "generator.layers.11.kernel: expected a whole"),
            ("[generator]", "[generatr]", "generatr: unknown key `generatr`"),
        ];
        for (from, to, what) in cases {
            let message = complaint(from, to);
            let start = format!("recipe t.toml: line {}: {what}", line(from));
            assert!(message.starts_with(&start) && !message.contains('\n'), "{message}\n{start}");
        }
    }

    #[test]
    fn mistakes_inside_of_a_residual_are_named_with_the_way_to_them() {
        let complaint = |inside: &str| {
            let inner = format!("{{ layer = 'residual', layers = [{{ layer = 'relu' }}], shortcut = [{inside}] }}");
            let to = format!(
                "{{ layer = \"relu\" }},\n{{ layer = 'residual', layers = [\n{inner}] }}, {{ layer = \"flatten\" }}"
            );
            complaint("{ layer = \"flatten\" }", &to)
        };
        for (inside, what) in [
            ("{ layer = 'dense', unit = 1 }", "1.unit: unknown key `unit`, expected one of `units`, `bias`"),
            ("{ layer = 'dense' }", "1: missing key `units`"),
            ("{ layer = 'relu' }, { layer = 'flat' }", "2: unknown value `flat`, expected one of"),
            ("{ layer = 'residual', layers = 3 }", "1.layers: invalid type: integer `3`"),
            ("{ layer = 'residual', shortcut = [] }", "1: missing key `layers`"),
        ] {
            let message = complaint(inside);
            assert!(message.contains(&format!(": discriminator.layers.10.layers.1.shortcut.{what}")), "{message}");
        }
        let layer = "{ layer = 'residual', layers = [".repeat(9);
        let message = complaint(&format!("{layer}{}", "]}".repeat(9)));
        assert!(
            message.ends_with("at most 8 residuals may stand inside of one another; take it out of some"),
            "{message}"
        );
    }

    /// Two keys with the same mistake leave the search without an answer; it must end all the same.
    #[test]
    fn a_long_table_is_not_searched_for_long() {
        let unknown: String = (0..50_000).map(|key| format!("k{key} = 1\n")).collect();
        let text = format!("[training]\nbatch_size = 'a'\nepochs = 'a'\n{unknown}");
        let error = Recipe::parse("t.toml", &text, &[]).unwrap_err();
        assert!(error.to_string().starts_with("recipe t.toml: line 1: training: invalid type"));
    }
}
