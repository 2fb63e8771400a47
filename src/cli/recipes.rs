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

/// Runs the subcommand.
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
enum Align {
    Left,
    Right,
}

/// The rows as lines, each column as wide as its widest cell, two spaces between columns.
fn align<const N: usize>(rows: &[[String; N]], sides: [Align; N]) -> String {
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

/// What is trained on what, and the layers of both networks.
fn describe(recipe: &Recipe) -> String {
    let (data, training) = (&recipe.data, &recipe.training);
    format!(
        "{}: {}\ndata {} scaled to [{}, {}], {} epochs in batches of {}\n\n{}\n{}",
        recipe.name,
        recipe.description,
        data.name,
        data.range[0],
        data.range[1],
        training.epochs,
        training.batch_size,
        layers("generator", &recipe.generator),
        layers("discriminator", &recipe.discriminator),
    )
}

/// The layer table of one network.
fn layers(name: &str, network: &NetworkSpec) -> String {
    let table = table(network);
    let sum = table.parameters;
    let mut lines = vec![[
        "".into(),
        name.into(),
        format!("{:?}", network.input),
        "parameters".into(),
    ]];
    lines.extend(table.rows.iter().enumerate().map(|(index, row)| {
        [
            (index + 1).to_string(),
            row.kind.into(),
            format!("{:?}", row.output),
            thousands(row.parameters.total()),
        ]
    }));
    for (what, count) in [
        ("total", sum.total()),
        ("trainable", sum.trainable),
        ("not trainable", sum.not_trainable),
    ] {
        lines.push(["".into(), what.into(), "".into(), thousands(count)]);
    }
    align(
        &lines,
        [Align::Right, Align::Left, Align::Left, Align::Right],
    )
}

/// 1234567 as 1,234,567.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups
        .map(|group| String::from_utf8_lossy(group))
        .collect::<Vec<_>>()
        .join(",")
}
