//! `minimax recipes`: the built-in recipes, or the layers and parameters of one.

use clap::Args;
use serde::Serialize;

use crate::Result;
use crate::cli::print;
use crate::cli::table::{Align, align, thousands};
use crate::recipe::{LayerSpec, LayerTable, NetworkSpec, Recipe, all_layers, built_in_names};
use crate::terminal::excerpt;

/// Arguments of `minimax recipes`.
#[derive(Debug, Args)]
pub struct RecipesArgs {
    /// A built-in recipe or the path of a .toml file; without one, all built-in recipes are listed
    #[arg(value_name = "RECIPE")]
    recipe: Option<String>,
    /// Print parameter counts as JSON
    #[arg(long)]
    json: bool,
    /// Change one key of the recipe, such as training.batch_size=32 or generator.layers.3.slope=0.2
    #[arg(long, value_name = "KEY=VALUE", requires = "recipe")]
    set: Vec<String>,
}

/// Runs `minimax recipes`.
///
/// # Errors
/// Those of [`Recipe::load`].
pub fn run(args: RecipesArgs) -> Result<()> {
    let text = match args.recipe {
        Some(name) => {
            let recipe = Recipe::load(&name, &args.set)?;
            if args.json { json(&Counts::of(&recipe)) } else { describe(&recipe) }
        }
        None => {
            let load = |name| Recipe::load(name, &[]);
            let recipes = built_in_names().map(load).collect::<Result<Vec<_>>>()?;
            if args.json { json(&recipes.iter().map(Counts::of).collect::<Vec<_>>()) } else { list(&recipes) }
        }
    };
    print(&text)
}

/// The layer table of a network of a loaded recipe, which has one.
fn table(network: &NetworkSpec) -> LayerTable {
    network.table().expect("a loaded recipe has been checked")
}

/// What `--json` prints of a recipe.
#[derive(Serialize)]
struct Counts<'r> {
    name: &'r str,
    generator: NetworkCounts,
    discriminator: NetworkCounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    classifier: Option<NetworkCounts>,
}

#[derive(Serialize)]
struct NetworkCounts {
    total: u64,
    trainable: u64,
}

impl Counts<'_> {
    fn of(recipe: &Recipe) -> Counts<'_> {
        let network = |network| {
            let sum = table(network).parameters;
            NetworkCounts { total: sum.total(), trainable: sum.trainable }
        };
        Counts {
            name: &recipe.name,
            generator: network(&recipe.generator),
            discriminator: network(&recipe.discriminator),
            classifier: recipe.classifier.as_ref().map(network),
        }
    }
}

/// One line of JSON.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and numbers") + "\n"
}

/// One line per recipe.
fn list(recipes: &[Recipe]) -> String {
    let mut rows = vec![["recipe", "data", "generator", "discriminator", "description"].map(String::from)];
    rows.extend(recipes.iter().map(|recipe| {
        [
            recipe.name.clone(),
            excerpt(&recipe.data.name).to_string(),
            thousands(table(&recipe.generator).parameters.total()),
            thousands(table(&recipe.discriminator).parameters.total()),
            excerpt(&recipe.description).to_string(),
        ]
    }));
    align(&rows, [Align::Left, Align::Left, Align::Right, Align::Right, Align::Left])
}

/// The data and the training, and the layers of both networks.
fn describe(recipe: &Recipe) -> String {
    let warnings = recipe.warnings().into_iter();
    let warnings: String = warnings.map(|line| format!("warning: {line}\n")).collect();
    let schedules = recipe.schedule.iter().map(|schedule| format!("schedule: {}\n", attributes(schedule)));
    let schedules: String = schedules.collect();
    let classifier = recipe.classifier.as_ref().map(|classifier| network("classifier", classifier) + "\n");
    format!(
        "{}: {}\n\ndata: {}\ntraining: {}\n{schedules}\n{}\n{}{}output: {}\n{warnings}",
        recipe.name,
        excerpt(&recipe.description),
        attributes(&recipe.data),
        attributes(&recipe.training),
        network("generator", &recipe.generator),
        classifier.unwrap_or_default(),
        network("discriminator", &recipe.discriminator),
        recipe.output_in_words(),
    )
}

/// The keys of a recipe's table and their values, as in a recipe, with every default.
fn attributes(table: &impl Serialize) -> String {
    let text = toml::to_string(table).expect("a loaded recipe holds only what TOML can say");
    // The name of a layer has a column of its own.
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("layer = "));
    lines.map(|line| excerpt(&line.replacen(" = ", "=", 1)).to_string()).collect::<Vec<_>>().join(" ")
}

/// The initial weights and the optimiser of one network, and its layers.
fn network(name: &str, network: &NetworkSpec) -> String {
    let table = table(network);
    let sum = table.parameters;
    let mut lines = vec![["".into(), name.into(), "".into(), format!("{:?}", network.input), "parameters".into()]];
    lines.extend(all_layers(&network.layers, &table.rows).into_iter().map(|(layer, row)| {
        [
            row.place.clone(),
            format!("{}{}", "  ".repeat(row.depth()), row.kind),
            match layer {
                LayerSpec::Residual { shortcut, .. } if shortcut.is_empty() => "layers(x) + x".into(),
                LayerSpec::Residual { .. } => "layers(x) + shortcut(x)".into(),
                _ => attributes(layer),
            },
            format!("{:?}", row.output),
            thousands(row.parameters.total()),
        ]
    }));
    for (what, count) in [("total", sum.total()), ("trainable", sum.trainable), ("not trainable", sum.not_trainable)] {
        lines.push(["".into(), what.into(), "".into(), "".into(), thousands(count)]);
    }
    let sides = [Align::Right, Align::Left, Align::Left, Align::Left, Align::Right];
    format!(
        "initializer: {}\noptimizer: {}\n{}",
        toml::Value::try_from(network.initializer).expect("a word or a table of numbers"),
        attributes(&network.optimizer),
        align(&lines, sides)
    )
}
