//! Whole training steps, both sides from the same weights on the same images. Before a step is timed, five
//! steps without dropout must give both sides the same losses.

use super::{Pair, Row, fastest};
use crate::subjects::common::{RECIPES, step_name};
use crate::subjects::{images, random, recipe, to_compare};
use crate::torch::gan::{self, Noise};
use crate::torch::layout::Layout;
use minimax::Device;
use minimax::gan::model::Gan;
use minimax::recipe::{LayerSpec, NetworkSpec, Recipe, UpdateSpec};

/// The largest relative difference between losses.
const TOLERANCE: f64 = 1e-4;
/// Steps that are compared.
const COMPARED: usize = 5;

/// A row for each recipe. With `quick`, losses are compared on smaller batches.
pub fn rows(quick: bool) -> Vec<Row> {
    let row = |name| {
        let recipe: Recipe = recipe(name);
        let (name, batch) = (step_name(&recipe), recipe.training.real_images());
        let flops = step_flops(&recipe);
        let build = move || pair(&recipe, if quick { batch.min(16) } else { batch });
        Row::new(name, Some(flops), build)
    };
    RECIPES.map(row).into()
}

fn pair(recipe: &Recipe, compared_batch: usize) -> Result<Pair, String> {
    let difference = largest_difference(recipe, compared_batch)?;
    let real = images(recipe, recipe.training.real_images(), &mut random());
    let mut ours = Gan::new(recipe, Device::Cpu);
    let (libtorch, layout) = fastest(|layout| {
        let mut gan = gan::Gan::new(recipe, &ours, layout)?;
        let real = layout.images(&real);
        Ok(move || {
            gan.step(&real, &mut Noise::Own);
        })
    })?;
    let ours = move || {
        ours.step(&real, false).expect("finite losses");
    };
    Ok(Pair { difference: Some(difference), ..Pair::new(ours, libtorch).with_layout(layout) })
}

/// The largest relative difference between both sides' losses in five steps from the same start, on the
/// same images and latents.
///
/// # Errors
/// If it is more than [`TOLERANCE`]: then they don't do the same work.
fn largest_difference(recipe: &Recipe, batch: usize) -> Result<f64, String> {
    let recipe = to_compare(recipe.clone());
    let mut largest = 0.0f64;
    for layout in Layout::ALL {
        let mut ours = Gan::new(&recipe, Device::Cpu);
        let mut libtorch = gan::Gan::new(&recipe, &ours, layout)?;
        let mut random = random();
        for step in 1..=COMPARED {
            let real = images(&recipe, batch, &mut random);
            let mut noise =
                Noise::Shared { latents: ours.random.latents.clone(), penalty: ours.random.penalty.clone() };
            let report = ours.step(&real, false).map_err(|error| error.to_string())?;
            let (d_loss, g_loss) = libtorch.step(&layout.images(&real), &mut noise);
            let losses = [(Some(report.d_loss), Some(d_loss)), (report.g_loss, g_loss)];
            for (ours, theirs) in losses {
                let difference = match (ours, theirs) {
                    (Some(ours), Some(theirs)) => (ours - theirs).abs() / ours.abs(),
                    (None, None) => 0.0,
                    _ => f64::INFINITY,
                };
                if difference.is_nan() || difference > TOLERANCE {
                    let (name, layout) = (&recipe.name, layout.name());
                    return Err(format!("{name}, step {step}: our loss is {ours:?}, libtorch's ({layout}) {theirs:?}"));
                }
                largest = largest.max(difference);
            }
        }
    }
    Ok(largest)
}

/// Operations of the products in a step: forward, weight gradients and input gradients, each as many as the
/// forward pass, less the input gradient of a first layer where nothing lies before it.
fn step_flops(recipe: &Recipe) -> f64 {
    let batch = recipe.training.real_images() as f64;
    let [(g, g_first), (d, d_first)] = [&recipe.generator, &recipe.discriminator].map(image_flops);
    let d_learns = 2.0 * (3.0 * d - d_first);
    let g_learns = 3.0 * g - g_first;
    let image = match recipe.training.update {
        // D(G(z)) is shared, and its input gradient leads on to G.
        UpdateSpec::Simultaneous => g_learns + d_learns + d,
        UpdateSpec::Alternating => g + d_learns + g_learns + 2.0 * d,
        // The penalty: forward, input gradient, and the latter's own two gradients.
        UpdateSpec::CriticLoop(_) => g + d_learns + 4.0 * d,
    };
    batch * image
}

/// Operations of the forward pass on one image, in all layers and in the first that has a product.
fn image_flops(network: &NetworkSpec) -> (f64, f64) {
    let table = network.table().expect("a loaded recipe's shapes fit");
    let layers = network.layers.iter().zip(&table.rows);
    let products = layers.filter_map(|(layer, row)| {
        let values = |shape: &[usize]| shape.iter().product::<usize>();
        let multiplies = match layer {
            LayerSpec::Dense { .. } => values(&row.input) * values(&row.output),
            LayerSpec::Conv2d(conv) => values(&row.output) * values(&conv.kernel) * row.input[2],
            LayerSpec::ConvTranspose2d(conv) => values(&row.input) * values(&conv.kernel) * row.output[2],
            _ => return None,
        };
        Some(2.0 * multiplies as f64)
    });
    let products: Vec<f64> = products.collect();
    (products.iter().sum(), products[0])
}
