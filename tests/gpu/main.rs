//! What tests/gpu.sh asks of a GPU and no test without one can do: built-in recipes in full batches.
//!
//! ```text
//! gpu names                             the built-in recipes
//! gpu train NAME [STEPS] [BATCH]        trains one on cuda and on cpu and holds them to each other; memory
//! ```
//!
//! `train` prints a line and ends with 0 if all is well.

#[path = "../common/play.rs"]
mod play;

use minimax::cuda::{catch, open};
use minimax::recipe::{OptimizerSpec, Recipe, built_in_names};
use minimax::{Error, Result};
use play::{Game, How, Played};
use std::process::ExitCode;

/// How far losses and all parameters together may be apart, relative to their size.
const TOLERANCE: f64 = 1e-3;

/// Steps after which every kind of step has been captured, and steps in which no memory is asked for any more.
const SETTLING: u64 = 20;
const SETTLED: u64 = 10;

fn main() -> ExitCode {
    minimax::cuda::emulator::start_if_named();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse().ok());
    let done = match arguments[..] {
        ["names"] => {
            built_in_names().for_each(|name| println!("{name}"));
            Ok(true)
        }
        ["train", name, ..] => catch(|| train(name, number(2).unwrap_or(10), number(3))),
        _ => Err(Error::Usage("gpu names | train NAME [STEPS] [BATCH]".into())),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Trains recipe `name` for `steps` steps on both devices; prints what is different, and what it takes of memory.
fn train(name: &str, steps: u64, batch: Option<u64>) -> Result<bool> {
    let batch = batch.map(|images| format!("training.batch_size={images}"));
    let recipe = Recipe::load(name, batch.as_slice())?;
    let context = open(0)?;
    let difference = |recipe: &Recipe| -> Result<f64> {
        let cuda = Played::new(recipe, How::AsGraphs, steps)?;
        Ok(cuda.difference(&Played::new(recipe, How::OnCpu, steps)?))
    };
    let (apart, drifted) = (difference(&slowed(recipe.clone()))?, difference(&recipe)?);

    context.release();
    let before = context.bytes_held();
    let mut game = Game::new(&recipe, How::AsGraphs);
    for _ in 0..SETTLING {
        game.step(false)?;
    }
    let asked = context.allocations();
    for _ in 0..SETTLED {
        game.step(false)?;
    }
    let asked = context.allocations() - asked;
    let held = (context.bytes_held() - before) as f64 / (1 << 20) as f64;
    println!(
        "{steps} steps of {} at a twentieth of its rates are apart by {apart:.1e} (limit {TOLERANCE:.0e}), at its own by \
         {drifted:.1e}; {held:.0} MiB held; {asked} allocations in steps {} to {}",
        recipe.training.batch_size,
        SETTLING + 1,
        SETTLING + SETTLED
    );
    Ok(apart <= TOLERANCE && asked == 0)
}

/// The recipe at a twentieth of its learning rates. Two devices round differently, which puts one pre-activation in some
/// millions on different sides of leaky ReLU's kink; and Adam's first steps make as much of small gradients as of
/// large ones. At the recipes' own rates losses drift apart by up to 1e-3 from nothing else: so that is printed only.
fn slowed(mut recipe: Recipe) -> Recipe {
    for network in [&mut recipe.generator, &mut recipe.discriminator] {
        *network.optimizer.learning_rate_mut() /= 20.0;
    }
    recipe
}
