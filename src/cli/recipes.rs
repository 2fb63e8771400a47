//! `minimax recipes`: the built-in recipes, or the layers and parameters of one.

use clap::Args;
use serde::Serialize;

use crate::Result;
use crate::cli::print;
use crate::gan::recipe::{LayerTable, NetworkSpec, Recipe, built_in_names};

/// What `minimax recipes` takes.
#[derive(Debug, Args)]
pub struct RecipesArgs {
    /// A built-in recipe or the path of a .toml file; without it, all built-in recipes are listed
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
/// What [`Recipe::load`] says of the recipe and the overrides.
pub fn run(args: RecipesArgs) -> Result<()> {
    let text = match args.recipe {
        Some(name) => {
            let recipe = Recipe::load(&name, &args.set)?;
            if args.json {
                json(&Counts::of(&recipe))
            } else {
                describe(&recipe)
            }
        }
        None => {
            let load = |name| Recipe::load(name, &[]);
            let recipes = built_in_names().map(load).collect::<Result<Vec<_>>>()?;
            if args.json {
                json(&recipes.iter().map(Counts::of).collect::<Vec<_>>())
            } else {
                list(&recipes)
            }
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
            NetworkCounts {
                total: sum.total(),
                trainable: sum.trainable,
            }
        };
        Counts {
            name: &recipe.name,
            generator: network(&recipe.generator),
            discriminator: network(&recipe.discriminator),
        }
    }
}

/// One line of JSON.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and numbers") + "\n"
}

/// One line per recipe.
fn list(recipes: &[Recipe]) -> String {
    let mut rows = vec![
        [
            "recipe",
            "data",
            "generator",
            "discriminator",
            "description",
        ]
        .map(String::from),
    ];
    rows.extend(recipes.iter().map(|recipe| {
        [
            recipe.name.clone(),
            recipe.data.name.clone(),
            thousands(table(&recipe.generator).parameters.total()),
            thousands(table(&recipe.discriminator).parameters.total()),
            recipe.description.clone(),
        ]
    }));
    align(
        &rows,
        [
            Align::Left,
            Align::Left,
            Align::Right,
            Align::Right,
            Align::Left,
        ],
    )
}

/// Which side of a column its cells keep to.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Align {
    Left,
    Right,
}

/// The rows as lines, each column as wide as its widest cell, two spaces between columns.
pub(super) fn align<const N: usize>(rows: &[[String; N]], sides: [Align; N]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells: [String; N] = std::array::from_fn(|column| {
            let (cell, width) = (&row[column], widths[column]);
            match sides[column] {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            }
        });
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// What is trained on what and how, and the layers of both networks.
fn describe(recipe: &Recipe) -> String {
    format!(
        "{}: {}\n\ndata: {}\ntraining: {}\n\n{}\n{}",
        recipe.name,
        recipe.description,
        attributes(&recipe.data),
        attributes(&recipe.training),
        network("generator", &recipe.generator),
        network("discriminator", &recipe.discriminator),
    )
}

/// The keys of a recipe's table and their values, as the recipe writes them and with every default.
fn attributes(table: &impl Serialize) -> String {
    let text = toml::to_string(table).expect("a loaded recipe holds only what TOML can say");
    // The name of a layer has a column of its own.
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("layer = "));
    lines
        .map(|line| line.replacen(" = ", "=", 1))
        .collect::<Vec<_>>()
        .join(" ")
}

/// How one network starts and is changed, and its layers.
fn network(name: &str, network: &NetworkSpec) -> String {
    let table = table(network);
    let sum = table.parameters;
    let mut lines = vec![[
        "".into(),
        name.into(),
        "".into(),
        format!("{:?}", network.input),
        "parameters".into(),
    ]];
    let layers = network.layers.iter().zip(&table.rows).enumerate();
    lines.extend(layers.map(|(index, (layer, row))| {
        [
            (index + 1).to_string(),
            row.kind.into(),
            attributes(layer),
            format!("{:?}", row.output),
            thousands(row.parameters.total()),
        ]
    }));
    for (what, count) in [
        ("total", sum.total()),
        ("trainable", sum.trainable),
        ("not trainable", sum.not_trainable),
    ] {
        lines.push([
            "".into(),
            what.into(),
            "".into(),
            "".into(),
            thousands(count),
        ]);
    }
    let sides = [
        Align::Right,
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Right,
    ];
    format!(
        "initializer: {}\noptimizer: {}\n{}",
        toml::Value::try_from(network.initializer).expect("a word or a table of numbers"),
        attributes(&network.optimizer),
        align(&lines, sides)
    )
}

/// 1234567 as 1,234,567.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups
        .map(|group| String::from_utf8_lossy(group))
        .collect::<Vec<_>>()
        .join(",")
}
