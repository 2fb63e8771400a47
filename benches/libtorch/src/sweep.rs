//! Cost against batch size: our step on dcgan-compact-mnist, per image.

use crate::pairs::{median, warm_seconds};
use crate::subjects::{Batch, random, recipe};
use minimax::Device;
use minimax::gan::model::Gan;
use std::time::Instant;

/// The batch sizes.
pub const BATCHES: [usize; 6] = [16, 32, 64, 128, 256, 512];

/// The recipe.
pub const RECIPE: &str = "dcgan-compact-mnist";

/// The median seconds of a step on `batch` images, over `steps` steps.
pub fn step_seconds(batch: usize, steps: usize) -> f64 {
    let recipe = recipe(RECIPE);
    let real = Batch::new(&recipe, batch, &mut random()).ours();
    let mut gan = Gan::new(&recipe, Device::Cpu);
    let mut step = || {
        gan.step(real.clone(), false).expect("finite losses");
    };
    warm_seconds(&mut step);
    let seconds = (0..steps).map(|_| {
        let start = Instant::now();
        step();
        start.elapsed().as_secs_f64()
    });
    median(&seconds.collect::<Vec<_>>())
}
