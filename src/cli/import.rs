//! `minimax import`: weights from other programs, as a folder that other commands can use like a run's.

use super::export::{Layout, Network};
use super::print;
use crate::export::import;
use crate::files::{make_folder, write_whole};
use crate::recipe::Recipe;
use crate::recipe::build::Role;
use crate::run::checkpoint::save_network;
use crate::run::folder::{DISCRIMINATOR, GENERATOR, RECIPE, is_litter};
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// The largest size of the header before the values.
const MOST_HEADER: u64 = 64 << 20;

/// Arguments of `minimax import`.
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// A safetensors file of weights, as `minimax export` writes them or PyTorch saves a state_dict
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The recipe whose network it is: a built-in one or a .toml file
    #[arg(long, value_name = "RECIPE")]
    pub recipe: String,
    /// Names and layouts of its tensors (see docs/formats.md)
    #[arg(long, value_enum)]
    pub layout: Layout,
    /// Which network of the recipe it is
    #[arg(long, value_enum, default_value = "generator")]
    pub network: Network,
    /// The folder to make, or one that holds the other network of the same recipe
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Change any key of the recipe, such as generator.layers.3.slope=0.2
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// Runs `minimax import` and prints one line.
///
/// # Errors
/// Whatever is wrong with the flags, the file (see [`import::import`]) or the folder; nothing is written then.
pub fn run(args: &ImportArgs) -> Result<()> {
    let recipe = Recipe::load(&args.recipe, &args.overrides)?;
    let (role, name) = match args.network {
        Network::Generator => (Role::Generator, GENERATOR),
        Network::Discriminator => (Role::Discriminator, DISCRIMINATOR),
        Network::Classifier => {
            let what = "--network classifier: only generators and discriminators can be imported; choose one of them";
            return Err(Error::Usage(what.into()));
        }
    };
    let layout = match args.layout {
        Layout::Keras => import::Layout::Keras,
        Layout::Torch => import::Layout::Torch,
    };
    check_folder(&args.out, &recipe, name)?;
    let bytes = read(&args.file, &recipe, role)?;
    let (network, step) = import::import(&args.file, &bytes, &recipe, role, layout)?;
    make_folder(&args.out)?;
    write_whole(&args.out.join(RECIPE), recipe.to_toml().as_bytes())?;
    save_network(&args.out.join(name), role, &network, &recipe, step)?;
    print(&format!("{} of {} in {}\n", role.name(), recipe.name, args.out.display()))
}

/// Checks that `folder` is empty or doesn't exist, or has the other network of `recipe` and no file `name`.
fn check_folder(folder: &Path, recipe: &Recipe, name: &str) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        // It doesn't exist, or making it will say what is wrong.
        return Ok(());
    };
    let other = if name == GENERATOR { DISCRIMINATOR } else { GENERATOR };
    let is_of_recipe = std::fs::read(folder.join(RECIPE)).is_ok_and(|found| found == recipe.to_toml().as_bytes());
    for entry in entries.flatten() {
        let found = entry.file_name();
        let is = |one: &str| found == *one;
        if is_litter(found.as_ref()) || is_of_recipe && (is(RECIPE) || is(other)) {
            continue;
        }
        let found = found.display();
        let what = format!("holds {found}; choose another --out, or an empty folder");
        return Err(Error::place(folder, what));
    }
    Ok(())
}

/// The bytes of the file, which is no larger than such a network takes.
fn read(path: &Path, recipe: &Recipe, role: Role) -> Result<Vec<u8>> {
    let file = std::fs::metadata(path).map_err(Error::io(path))?;
    if !file.is_file() {
        let what = "is not a file; give a safetensors file";
        return Err(Error::place(path, what));
    }
    let table = role.spec(recipe).table();
    let values = table.map_or(0, |table| table.parameters.total());
    let most = values.saturating_mul(8).saturating_add(MOST_HEADER);
    if file.len() > most {
        let (found, role, recipe) = (file.len(), role.name(), &recipe.name);
        let what = format!("has {found} bytes, more than the {role} of {recipe} takes");
        return Err(Error::place(path, format!("{what}; choose its recipe")));
    }
    std::fs::read(path).map_err(Error::io(path))
}
