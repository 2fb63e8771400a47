//! The runs of a sweep: every recipe with every combination of the axes' points, each loaded and
//! checked before the first one begins.

use std::path::Path;

use super::settings::Setting;
use super::spec::{Axis, Point, Quantity, Sweep};
use crate::recipe::Recipe;
use crate::run::memory::check_recipe;
use crate::{Error, Result};

/// The most runs of a sweep.
const MAX_RUNS: usize = 1000;

/// A sweep that can be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The sweep's name.
    pub name: String,
    /// One line for a person.
    pub description: String,
    /// The names of the axes, the recipes' first.
    pub axes: Vec<String>,
    /// The index in `axes` of the axis that charts have along x.
    pub x: usize,
    /// The quantities that charts show over it.
    pub show: Vec<Quantity>,
    /// The number of steps of each run; default: those of its recipe's epochs.
    pub steps: Option<u64>,
    /// The runs in the order of the file, where the last axis changes fastest.
    pub runs: Vec<PlannedRun>,
}

/// One run of a sweep.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// Its folder inside of the sweep's, `<recipe>-<labels>`; it is also its name.
    pub folder: String,
    /// Its label on each axis of [`Plan::axes`].
    pub labels: Vec<String>,
    /// The recipe that is trained.
    pub recipe: Recipe,
}

impl Plan {
    /// Whether the runs differ on axis `axis`.
    pub fn varies(&self, axis: usize) -> bool {
        let mut labels = self.runs.iter().map(|run| &run.labels[axis]);
        let first = labels.next();
        labels.any(|label| Some(label) != first)
    }

    /// The label of `run` on axis `axis`, for a person: `batch size 16`, or a recipe's name alone.
    pub fn word(&self, run: &PlannedRun, axis: usize) -> String {
        match axis {
            0 => run.labels[0].clone(),
            _ => format!("{} {}", self.axes[axis], run.labels[axis]),
        }
    }

    /// What distinguishes `run` from the others, for a person.
    pub fn title(&self, run: &PlannedRun) -> String {
        let varying = (0..self.axes.len()).filter(|&axis| self.varies(axis));
        let words: Vec<_> = varying.map(|axis| self.word(run, axis)).collect();
        if words.is_empty() {
            return run.folder.clone();
        }
        words.join(", ")
    }
}

impl Sweep {
    /// The runs of the sweep. With `quick` the quick settings are applied on top, and `overrides`, each of which is
    /// `key=value`, come last.
    ///
    /// # Errors
    /// [`Error::Text`] if a run's recipe can't be loaded with its settings, with the line of the setting if one is at
    /// fault; if two runs would be the same, or share a folder; and if there are more than 1000.
    pub fn plan(&self, quick: bool, overrides: &[String]) -> Result<Plan> {
        let refuse = |what: String| Error::text("sweep", &self.source, what);
        let sizes = self.axes.iter().map(|axis| axis.points.len());
        let count = sizes.fold(self.recipes.len(), usize::saturating_mul);
        if count > MAX_RUNS {
            return Err(refuse(format!(
                "the grid has {count} runs; take points away until there are at most {MAX_RUNS}"
            )));
        }
        let mut runs: Vec<PlannedRun> = Vec::new();
        for name in &self.recipes {
            for points in combinations(&self.axes) {
                let run = self.run(name, &points, quick, overrides)?;
                if let Some(other) = runs.iter().find(|other| other.folder == run.folder) {
                    let (folder, a, b) = (&run.folder, &other.labels, &run.labels);
                    return Err(refuse(format!(
                        "the runs {} and {} would both be called {folder}; change a label",
                        a.join(", "),
                        b.join(", ")
                    )));
                }
                if let Some(other) = runs.iter().find(|other| other.recipe == run.recipe) {
                    let (a, b) = (&other.folder, &run.folder);
                    let fix = "let each point set something that nothing after it sets again";
                    return Err(refuse(format!("the runs {a} and {b} are the same; {fix}")));
                }
                runs.push(run);
            }
        }
        let axes: Vec<String> = self.axis_names().map(str::to_owned).collect();
        let x = axes.iter().position(|name| *name == self.x);
        Ok(Plan {
            name: self.name.clone(),
            description: self.description.clone(),
            x: x.expect("a loaded sweep has the axis that it draws"),
            axes,
            show: self.show.clone(),
            steps: self.quick_steps.filter(|_| quick).or(self.steps),
            runs,
        })
    }

    fn run(&self, name: &str, points: &[&Point], quick: bool, overrides: &[String]) -> Result<PlannedRun> {
        let at_points = points.iter().flat_map(|point| &point.settings);
        let quick = self.quick_settings.iter().filter(|_| quick);
        let settings: Vec<_> = self.settings.iter().chain(at_points).chain(quick).collect();
        let mut entries: Vec<_> = settings.iter().map(|s| s.entry.clone()).collect();
        entries.extend_from_slice(overrides);
        let path = self.path_of(name);
        let recipe = Recipe::load(&path, &entries).and_then(|recipe| check_recipe(&recipe).map(|()| recipe));
        let recipe = recipe.map_err(|error| self.at_line(error, points, &settings))?;
        let mut labels = vec![recipe.name.clone()];
        labels.extend(points.iter().map(|point| point.label.clone()));
        let parts = labels.iter().map(|label| file_name(label));
        Ok(PlannedRun { folder: parts.collect::<Vec<_>>().join("-"), labels, recipe })
    }

    /// The path of a recipe, which a sweep's file gives relative to itself.
    fn path_of(&self, recipe: &str) -> String {
        let folder = Path::new(&self.source).parent();
        match folder {
            Some(folder) if recipe.ends_with(".toml") => folder.join(recipe).display().to_string(),
            _ => recipe.to_string(),
        }
    }

    /// The error of a run, with the line of the setting at fault if there is one.
    fn at_line(&self, error: Error, points: &[&Point], settings: &[&Setting]) -> Error {
        let said = error.to_string();
        let found = settings.iter().find_map(|setting| {
            let rest = said.strip_prefix(&format!("--set {}: ", setting.entry))?;
            Some((setting, rest))
        });
        let what = match found {
            Some((Setting { entry, line }, rest)) => format!("line {line}: {entry}: {rest}"),
            // A mistake in an override on the command line is not the sweep's fault.
            None if matches!(error, Error::Usage(_)) => return error,
            None if points.is_empty() => said,
            None => {
                let labels: Vec<_> = points.iter().map(|point| point.label.as_str()).collect();
                format!("at {}: {said}", labels.join(", "))
            }
        };
        Error::text("sweep", &self.source, what)
    }
}

/// Every choice of one point of each axis, where the last axis changes fastest; one empty choice if there are no axes.
fn combinations(axes: &[Axis]) -> Vec<Vec<&Point>> {
    axes.iter().fold(vec![Vec::new()], |choices, axis| {
        let extended =
            choices.iter().flat_map(|choice| axis.points.iter().map(move |point| [&choice[..], &[point]].concat()));
        extended.collect()
    })
}

/// `label` as part of a folder's name on any system: each run of other characters than letters, digits, `.` and `_`
/// becomes a single `-`, or nothing at the ends. A minus before a digit becomes `m`, so that -1 and 1 differ.
fn file_name(label: &str) -> String {
    let mut name = String::new();
    let mut characters = label.chars().peekable();
    while let Some(c) = characters.next() {
        let before_digit = characters.peek().is_some_and(char::is_ascii_digit);
        let after_word = name.ends_with(|c: char| c.is_ascii_alphanumeric());
        match c {
            '-' if before_digit && !after_word => name.push('m'),
            c if c.is_ascii_alphanumeric() || "._".contains(c) => name.push(c),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.trim_end_matches('-').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{LayerSpec, LossSpec};
    use crate::sweep::built_in_names;

    fn plan(rest: &str) -> Result<Plan> {
        let text = format!("name = 's'\nrecipes = ['vanilla-mnist']\n{rest}");
        Sweep::parse("s.toml", &text)?.plan(true, &[])
    }

    #[test]
    fn the_grid_is_the_product_and_later_settings_win() {
        let text = "name = 's'\nrecipes = ['vanilla-mnist', 'mlp-mnist']\n\
            [set]\ntraining.epochs = 7\ntraining.seed = 2\n\
            [[axis]]\nname = 'batch'\nkeys = ['training.batch_size']\nvalues = [16, 32]\n\
            [[axis]]\nname = 'loss'\n\
            [[axis.point]]\nlabel = 'saturating'\nset.training = { epochs = 1, batch_size = 8, \
            loss = 'minimax', update = 'alternating' }\n\
            [[axis.point]]\nlabel = 'plain'\nset.training.seed = 3\n\
            [quick]\nsteps = 5\nset.training.epochs = 2";
        let sweep = Sweep::parse("s.toml", text).unwrap();
        // A table in braces takes the place of all that was set in it before, here the batch size.
        let error = sweep.plan(false, &[]).unwrap_err().to_string();
        assert!(error.ends_with("vanilla-mnist-32-saturating are the same; let each point set something that nothing after it sets again"), "{error}");

        let text = text.replace(
            "set.training = { epochs = 1, batch_size = 8, loss = 'minimax', update = 'alternating' }",
            "set.training.loss = 'minimax'",
        );
        let sweep = Sweep::parse("s.toml", &text).unwrap();
        let full = sweep.plan(false, &[]).unwrap();
        let quick = sweep.plan(true, &["training.seed=9".to_string()]).unwrap();
        let folders: Vec<_> = full.runs.iter().map(|run| run.folder.as_str()).collect();
        assert_eq!(
            folders[..5],
            [
                "vanilla-mnist-16-saturating",
                "vanilla-mnist-16-plain",
                "vanilla-mnist-32-saturating",
                "vanilla-mnist-32-plain",
                "mlp-mnist-16-saturating",
            ]
        );
        assert_eq!((folders.len(), full.x), (8, 1));
        assert_eq!(full.axes, ["recipe", "batch", "loss"]);
        let training = full.runs[2].recipe.training;
        assert_eq!((training.batch_size, training.epochs, training.seed), (32, 7, 2));
        assert_eq!(training.loss, LossSpec::Minimax);
        assert_eq!(full.runs[3].recipe.training.seed, 3);
        assert_eq!((full.steps, quick.steps), (None, Some(5)));
        let training = quick.runs[3].recipe.training;
        assert_eq!((training.epochs, training.seed), (2, 9));
    }

    #[test]
    fn what_a_run_gets_wrong_is_named_by_line_or_point() {
        let batch = "[[axis]]\nname = 'b'\nkeys = ['training.batch_size']\nvalues = [16, 32]\n";
        let complaint = |rest: &str| plan(rest).unwrap_err().to_string();
        for (rest, start) in [
            ("[set]\ntraining.bach = 3".to_string(), "line 4: training.bach=3: unknown key `bach`, expected one of"),
            (batch.replace("32", "'many'"), "line 6: training.batch_size='many': invalid type: string \"many\""),
            (batch.replace("32", "0"), "at 0: recipe vanilla-mnist: training.batch_size = 0"),
            (
                format!("{batch}[quick]\nset.training.batch_size = 4"),
                "the runs vanilla-mnist-16 and vanilla-mnist-32 are the same; ",
            ),
            (batch.replace("[16, 32]", "[0.5, '0/5', '0 5']"), "line 6: training.batch_size=0.5: invalid type"),
        ] {
            let said = complaint(&rest);
            let start = format!("sweep s.toml: {start}");
            assert!(said.starts_with(&start), "{said}\n{start}");
        }
        let points = "[[axis]]\nname = 'a'\n[[axis.point]]\nlabel = 'x/y'\n[[axis.point]]\nlabel = 'x y'\n";
        let said = complaint(points);
        assert!(said.contains("would both be called vanilla-mnist-x-y"), "{said}");
        let numbers: Vec<_> = (1..=1001).map(|n| n.to_string()).collect();
        let many = batch.replace("16, 32", &numbers.join(","));
        assert!(complaint(&many).contains("the grid has 1001 runs"));

        let sweep = Sweep::parse("s", "name = 's'\nrecipes = ['vanilla-mnist']").unwrap();
        let error = sweep.plan(false, &["x=1".into()]).unwrap_err();
        assert!(error.to_string().starts_with("--set x=1: "), "{error}");
        assert_eq!(error.exit_code(), 2);
        let error = Sweep::parse("no/s.toml", "name = 's'\nrecipes = ['r.toml']").unwrap();
        let error = error.plan(false, &[]).unwrap_err().to_string();
        assert!(error.contains("no/r.toml"), "{error}");
    }

    #[test]
    fn labels_become_folders() {
        for (label, name) in [
            ("[-1, 1]", "m1-1"),
            ("[0, 1]", "0-1"),
            ("1e-4", "1e-4"),
            ("-0.5", "m0.5"),
            ("a/../b", "a-..-b"),
            ("σ = 2", "2"),
        ] {
            assert_eq!(file_name(label), name, "{label}");
        }
    }

    #[test]
    fn the_built_in_sweeps_are_what_they_say() {
        let runs = |name: &str, quick| {
            let plan = Sweep::load(name).unwrap().plan(quick, &[]);
            plan.unwrap_or_else(|error| panic!("{name}: {error}")).runs
        };
        let counts: Vec<_> = built_in_names().map(|name| (runs(name, false).len(), runs(name, true).len())).collect();
        assert_eq!(counts, [(8, 8), (3, 3), (5, 5), (2, 2), (2, 2), (7, 7)]);
        for name in built_in_names() {
            assert!(runs(name, true).iter().all(|run| run.recipe.data.name == "digits"));
        }
        let kernels = |layers: &[LayerSpec]| {
            let of = |layer: &LayerSpec| match layer {
                LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv) => Some(conv.kernel[0]),
                _ => None,
            };
            layers.iter().filter_map(of).collect::<Vec<_>>()
        };
        let recipe = &runs("kernel-size", false)[2].recipe;
        assert_eq!(kernels(&recipe.generator.layers), [7, 7, 7]);
        assert_eq!(kernels(&recipe.discriminator.layers), [7, 7]);
        // Exactly the recipe where the axis has its value.
        let maps = runs("feature-maps", false);
        assert_eq!(maps[2].recipe, Recipe::load("transpose-mnist", &[]).unwrap());
        let parameters = maps.iter().map(|run| {
            let table = run.recipe.generator.table().unwrap();
            table.parameters.total()
        });
        assert!(parameters.clone().is_sorted_by(|a, b| a * 2 < *b));
        let scaling = runs("scaling", false);
        assert_eq!(scaling[1].recipe.data.range, [0.0, 1.0]);
        assert_eq!(scaling[1].recipe.generator.layers[8], LayerSpec::Sigmoid {});
        assert_eq!(scaling[0].recipe, Recipe::load("transpose-mnist", &[]).unwrap());
        let labels = runs("noisy-labels", false)[1].recipe.training.labels.unwrap();
        assert_eq!((labels.flip, labels.real, labels.fake), (0.0, [1.0; 2], [0.0; 2]));
    }
}
