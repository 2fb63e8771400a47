//! A sweep file: the recipes, their common settings, the settings in which runs differ, and what is plotted.
//!
//! ```toml
//! name = "batch-size"
//! description = "Losses against the batch size"
//! recipes = ["vanilla-mnist"]          # built-in names, or .toml files beside this one
//!
//! [set]                                # on top of every recipe: any of its keys
//! training.epochs = 40
//!
//! [[axis]]                             # one run for each value, written to all of these keys
//! name = "batch size"
//! keys = ["training.batch_size"]
//! values = [16, 32]
//!
//! [[axis]]                             # or points that each set keys of their own
//! name = "labels"
//! [[axis.point]]
//! label = "soft"
//! set.training.labels = { real = [0.9, 0.9] }
//! [[axis.point]]
//! label = "hard"                       # no keys: as in the recipe
//!
//! [plot]
//! x = "batch size"                     # default: the first axis
//! show = ["seconds_per_epoch", "losses"]
//!
//! [quick]                              # with --quick, on top of all that
//! steps = 20                           # instead of the recipe's epochs
//! set.data.name = "digits"
//! ```
//!
//! The grid is every recipe with every combination of the axes' points; see [`super::grid`].

use std::ffi::OsStr;
use std::path::Path;

use serde::Deserialize;

use super::file::{MAX_NAME, SweepFile, axis_of};
use super::settings::Setting;
use crate::files;
use crate::recipe::{in_words, line_at};
use crate::terminal::excerpt;
use crate::{Error, Result};

/// The largest sweep file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The axis that every sweep has: its recipes.
pub const RECIPE_AXIS: &str = "recipe";

/// The sweeps that are built into the program.
const BUILT_IN: [(&str, &str); 6] = [
    ("batch-size", include_str!("../../recipes/sweeps/batch-size.toml")),
    ("kernel-size", include_str!("../../recipes/sweeps/kernel-size.toml")),
    ("feature-maps", include_str!("../../recipes/sweeps/feature-maps.toml")),
    ("scaling", include_str!("../../recipes/sweeps/scaling.toml")),
    ("noisy-labels", include_str!("../../recipes/sweeps/noisy-labels.toml")),
    ("best-mnist", include_str!("../../recipes/sweeps/best-mnist.toml")),
];

/// The names of the built-in sweeps.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// A sweep as its file describes it. Whether its recipes can take the settings is still unchecked.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Its name in messages: a built-in name or the file's path.
    pub source: String,
    /// The name of its folder: letters, digits, `-` and `_`.
    pub name: String,
    /// One line for a person.
    pub description: String,
    /// Names or paths of recipes.
    pub recipes: Vec<String>,
    /// The number of steps of each run; default: those of its recipe's epochs.
    pub steps: Option<u64>,
    /// The settings of every run.
    pub settings: Vec<Setting>,
    /// The axes, along which runs differ.
    pub axes: Vec<Axis>,
    /// The axis that charts have along x.
    pub x: String,
    /// The quantities that charts show over it.
    pub show: Vec<Quantity>,
    /// As `steps`, with `--quick`.
    pub quick_steps: Option<u64>,
    /// The settings of every run that are applied last with `--quick`.
    pub quick_settings: Vec<Setting>,
}

/// Something in which the runs of a sweep differ.
#[derive(Clone, Debug)]
pub struct Axis {
    /// Its name in charts.
    pub name: String,
    /// Its points, of which there is at least one.
    pub points: Vec<Point>,
}

/// A place on an axis.
#[derive(Clone, Debug)]
pub struct Point {
    /// Its label in charts; if all labels of an axis are numbers, they are also the places.
    pub label: String,
    /// The settings of the runs at this point.
    pub settings: Vec<Setting>,
}

/// A quantity that can be plotted over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The seconds of a whole epoch of training.
    SecondsPerEpoch,
    /// D's and G's losses, the mean over the last epoch.
    Losses,
    /// D(x) and D(G(z)), the mean over the last epoch.
    Probabilities,
    /// The Frechet distance between samples and data, at the end, if the data has a judge.
    FrechetDistance,
    /// The sliced Wasserstein distance between the pixels of samples and data, at the end.
    SlicedWasserstein,
    /// The number of classes among the samples, at the end.
    ClassesPresent,
    /// The number of modes among the samples, at the end, if the data has modes.
    ModesFound,
}

impl Sweep {
    /// The built-in sweep of that name, or the one in a file whose name ends in `.toml`.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no sweep of that name, [`Error::Io`] if the file can't be read, and those of
    /// [`Sweep::parse`].
    pub fn load(name_or_path: impl AsRef<OsStr>) -> Result<Sweep> {
        let asked = name_or_path.as_ref();
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == asked) {
            return Sweep::parse(name, text);
        }
        let path = Path::new(asked);
        if path.extension().is_some_and(|extension| extension == "toml") {
            return Sweep::parse(&path.display().to_string(), &read(path)?);
        }
        let known: Vec<_> = built_in_names().collect();
        Err(Error::Usage(format!(
            "there is no sweep {asked:?}; choose one of {} or give the path of a .toml file",
            known.join(", ")
        )))
    }

    /// The sweep that `text` describes; messages call it `source`.
    ///
    /// # Errors
    /// [`Error::Text`], with the line or key at fault, if it isn't a sweep.
    pub fn parse(source: &str, text: &str) -> Result<Sweep> {
        let refuse = |what: String| Error::text("sweep", source, what);
        let file: SweepFile = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            refuse(format!("line {line}: {}", in_words(error.message())))
        })?;
        let axes = file.axis.into_iter().map(|axis| {
            let line = line_at(text, axis.span().start);
            axis_of(axis.into_inner(), text).map_err(|what| format!("line {line}: axis: {what}"))
        });
        let axes = axes.collect::<std::result::Result<Vec<_>, _>>().map_err(refuse)?;
        let first = axes.first().map_or(RECIPE_AXIS, |axis| &axis.name);
        let sweep = Sweep {
            source: source.into(),
            x: file.plot.x.unwrap_or_else(|| first.into()),
            name: file.name,
            description: file.description,
            recipes: file.recipes,
            steps: file.steps,
            settings: file.set.settings(text),
            axes,
            show: file.plot.show,
            quick_steps: file.quick.steps,
            quick_settings: file.quick.set.settings(text),
        };
        sweep.check().map_err(refuse)?;
        Ok(sweep)
    }

    /// The names of all axes, the recipes' first.
    pub fn axis_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(RECIPE_AXIS).chain(self.axes.iter().map(|axis| axis.name.as_str()))
    }

    fn check(&self) -> std::result::Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let name = &self.name;
        if !(1..=MAX_NAME).contains(&name.len()) || !name.chars().all(plain) {
            return Err(format!("name = {:?}; use 1 to {MAX_NAME} letters, digits, '-' and '_'", excerpt(name)));
        }
        if self.description.chars().any(char::is_control) {
            return Err("description holds control characters; write it in one plain line".into());
        }
        if self.recipes.is_empty() {
            return Err("recipes = []; name at least one".into());
        }
        if self.show.is_empty() {
            return Err("plot.show = []; name what to plot, such as \"losses\", or leave it out".into());
        }
        for (key, steps) in [("steps", self.steps), ("quick.steps", self.quick_steps)] {
            if steps == Some(0) {
                return Err(format!("{key} = 0; train at least 1 step"));
            }
        }
        let names: Vec<_> = self.axis_names().collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(format!("there are two axes {:?}; give each a name of its own", excerpt(name)));
            }
        }
        if !names.contains(&self.x.as_str()) {
            return Err(format!("plot.x = {:?} is no axis; choose one of {}", excerpt(&self.x), names.join(", ")));
        }
        Ok(())
    }
}

/// The text of a sweep file of at most [`MAX_BYTES`].
fn read(path: &Path) -> Result<String> {
    let refuse = |what: String| Error::text("sweep", path.display().to_string(), what);
    let Some(bytes) = files::read_at_most(path, MAX_BYTES)? else {
        return Err(refuse(format!("the file is larger than {MAX_BYTES} bytes; give a sweep")));
    };
    String::from_utf8(bytes).map_err(|_| refuse("this is not UTF-8 text; give a sweep".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = 's'\nrecipes = ['vanilla-mnist']\n";

    fn complaint(rest: &str) -> String {
        let error = Sweep::parse("s.toml", &format!("{HEAD}{rest}")).unwrap_err();
        let said = error.to_string();
        assert!(!said.contains('\n'), "{said}");
        said.strip_prefix("sweep s.toml: ").unwrap().to_string()
    }

    #[test]
    fn the_example_in_the_documentation_is_a_sweep() {
        let page = include_str!("spec.rs");
        let lines = page.lines().filter_map(|line| line.strip_prefix("//!"));
        let text = lines.map(str::trim).collect::<Vec<_>>().join("\n");
        let example = text.split("```toml").nth(1).unwrap();
        let sweep = Sweep::parse("example", example.split("```").next().unwrap()).unwrap();
        let [batch, labels] = &sweep.axes[..] else { panic!("{:?}", sweep.axes) };
        assert_eq!(batch.points[1].label, "32");
        assert_eq!(batch.points[1].settings[0].entry, "training.batch_size=32");
        let soft = &labels.points[0].settings[0];
        assert_eq!(soft.entry, "training.labels={ real = [0.9, 0.9] }");
        assert!(labels.points[1].settings.is_empty());
        let written = "name = 's'\nrecipes = ['r']\n[[axis]]\nname = 'a'\nkeys = ['k']\n\
                       values = [1e-4, 0.50, 'x', [1,2]]";
        let points = Sweep::parse("s", written).unwrap().axes.remove(0).points;
        let labels: Vec<_> = points.iter().map(|point| point.label.as_str()).collect();
        assert_eq!(labels, ["1e-4", "0.50", "x", "[1, 2]"]);
        assert_eq!((sweep.steps, sweep.quick_steps), (None, Some(20)));
        assert_eq!(sweep.quick_settings[0].entry, "data.name=\"digits\"");
    }

    #[test]
    fn mistakes_are_named_by_line_or_key() {
        let axis = "[[axis]]\nname = 'a'\n";
        for (rest, start) in [
            ("recipe = 1", "line 3: unknown key `recipe`, expected one of"),
            ("steps = -1", "line 3: invalid value: integer `-1`"),
            ("set = 3", "line 3: invalid type: integer `3`, expected a table"),
            ("[plot]\nshow = ['time']", "line 4: unknown value `time`"),
            ("[plot]\nshow = []", "plot.show = []"),
            ("[plot]\nx = 'b'", "plot.x = \"b\" is no axis; choose one of recipe"),
            ("[quick]\nsteps = 0", "quick.steps = 0"),
            (axis, "line 3: axis: no points"),
            (&format!("{axis}values = [1]"), "line 3: axis: keys is missing"),
            (&format!("{axis}keys = ['k']"), "line 3: axis: values = []"),
            (&format!("{axis}keys = ['k']\nvalues = [1, 1]"), "line 3: axis: two points are called \"1\""),
            (&format!("{axis}values = [1]\n[[axis.point]]\nlabel = 1"), "line 3: axis: both values and points"),
            (&format!("{axis}[[axis.point]]\nlabel = ''"), "line 3: axis: label = \"\""),
            (&format!("{axis}[[axis.point]]\nset.training.epochs = 1"), "line 5: missing key `label`"),
            ("[[axis]]\nname = 'recipe'\nkeys = ['k']\nvalues = [1]", "there are two axes \"recipe\""),
        ] {
            let said = complaint(rest);
            assert!(said.starts_with(start), "{rest}: {said}");
        }
        let error = Sweep::parse("s", "name = '../s'\nrecipes = ['x']").unwrap_err();
        assert!(error.to_string().starts_with("sweep s: name = \"../s\""));
        let error = Sweep::load("batch").unwrap_err();
        assert!(error.to_string().contains("choose one of batch-size, "));
        assert_eq!(error.exit_code(), 2);
    }
}
