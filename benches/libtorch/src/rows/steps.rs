//! Whole training steps, both sides from the same weights on the same images. Before a step is timed, six
//! steps without dropout must give both sides the same losses. Where penalties are lazy, what is timed are the steps from
//! one that has them to the next.

use super::{Pair, Row, fastest};
use crate::subjects::common::step_name;
use crate::subjects::{Batch, random, recipe, stepped, stir, to_compare};
use crate::torch::gan::{self, Noise, Real};
use crate::torch::layout::Layout;
use minimax::Device;
use minimax::gan::model::Gan;
use minimax::nn::Attention;
use minimax::recipe::{LayerRow, LayerSpec, LossSpec, NetworkSpec, Recipe, UpdateSpec};

/// The largest relative difference between losses.
const TOLERANCE: f64 = 1e-4;
/// What a difference is relative to at least: a hinge's or a Wasserstein loss is a mean of outputs that may all but cancel.
const LEAST: f64 = 0.1;
/// Steps that are compared: the last comes after the second that has lazy penalties.
const COMPARED: usize = 6;

/// A row for each recipe. With `quick`, losses are compared on smaller batches.
pub fn rows(quick: bool) -> Vec<Row> {
    let row = |name| {
        let recipe: Recipe = recipe(name);
        let (name, batch) = (step_name(&recipe), recipe.training.real_images());
        let flops = step_flops(&recipe);
        let build = move || pair(&recipe, if quick { batch.min(16) } else { batch });
        Row::new(name, Some(flops), build)
    };
    stepped().into_iter().map(row).collect()
}

fn pair(recipe: &Recipe, compared_batch: usize) -> Result<Pair, String> {
    let difference = largest_difference(recipe, compared_batch)?;
    let batch = Batch::new(recipe, recipe.training.real_images(), &mut random());
    let steps = recipe.training.penalty_every;
    let mut ours = Gan::new(recipe, Device::Cpu);
    let (libtorch, layout) = fastest(|layout| {
        let mut gan = gan::Gan::new(recipe, &ours, layout)?;
        let real = Real::new(&batch, layout);
        Ok(move || {
            for _ in 0..steps {
                gan.step(&real, &mut Noise::Own);
            }
        })
    })?;
    let real = batch.ours();
    let ours = move || {
        for _ in 0..steps {
            ours.step(real.clone(), false).expect("finite losses");
        }
    };
    Ok(Pair { difference: Some(difference), ..Pair::new(ours, libtorch).with_layout(layout) })
}

/// The largest relative difference between both sides' losses in six steps from the same start, on the
/// same images and latents.
///
/// # Errors
/// If it is more than [`TOLERANCE`]: then they don't do the same work.
fn largest_difference(recipe: &Recipe, batch: usize) -> Result<f64, String> {
    let recipe = to_compare(recipe.clone());
    let mut largest = 0.0f64;
    for layout in Layout::ALL {
        let mut ours = Gan::new(&recipe, Device::Cpu);
        let mut random = random();
        stir(&mut ours.generator, &mut random);
        stir(&mut ours.discriminator, &mut random);
        let mut libtorch = gan::Gan::new(&recipe, &ours, layout)?;
        for step in 1..=COMPARED {
            let real = Batch::new(&recipe, batch, &mut random);
            let mut noise =
                Noise::Shared { latents: ours.random.latents.clone(), penalty: ours.random.penalty.clone() };
            let report = ours.step(real.ours(), false).map_err(|error| error.to_string())?;
            let (d_loss, g_loss) = libtorch.step(&Real::new(&real, layout), &mut noise);
            let losses = [(Some(report.d_loss), Some(d_loss)), (report.g_loss, g_loss)];
            for (ours, theirs) in losses {
                let difference = match (ours, theirs) {
                    (Some(ours), Some(theirs)) => (ours - theirs).abs() / ours.abs().max(LEAST),
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

/// Operations of the products in what is timed: forward, weight gradients and input gradients, each as many as the
/// forward pass, less the input gradients of layers that nothing lies before.
fn step_flops(recipe: &Recipe) -> f64 {
    let training = &recipe.training;
    let [g, d] = [&recipe.generator, &recipe.discriminator].map(NetworkFlops::of);
    let d_learns = 2.0 * (3.0 * d.all - d.first);
    let g_learns = 3.0 * g.all - g.first;
    let image = match training.update {
        // D(G(z)) is shared, and its input gradient leads on to G.
        UpdateSpec::Simultaneous => g_learns + d_learns + d.all,
        UpdateSpec::Alternating => g.all + d_learns + g_learns + 2.0 * d.all,
        // The penalty: forward, input gradient, and the latter's own two gradients.
        UpdateSpec::CriticLoop(_) => g.all + d_learns + 4.0 * d.all,
    };
    // D on real images in G's step.
    let relativistic = if training.loss == LossSpec::Relativistic { d.all } else { 0.0 };
    // Each penalty: input gradient, and its own two gradients; the forward pass is the loss's.
    let zero_centred = 3.0 * d.all * [training.r1, training.r2].iter().flatten().count() as f64;
    let batch = training.real_images() as f64;
    batch * (training.penalty_every as f64 * (image + relativistic) + zero_centred)
}

/// Operations of the forward pass on one image.
#[derive(Clone, Copy, Default)]
struct NetworkFlops {
    /// In all layers.
    all: f64,
    /// In those that have a product and no other with one before them.
    first: f64,
}

impl NetworkFlops {
    fn of(network: &NetworkSpec) -> NetworkFlops {
        let table = network.table().expect("a loaded recipe's shapes fit");
        NetworkFlops::default().with(&network.layers, &table.rows, true)
    }

    /// With those of `layers`, before which there is a product unless they are `first`.
    fn with(self, layers: &[LayerSpec], rows: &[LayerRow], mut first: bool) -> NetworkFlops {
        let mut sum = self;
        for (layer, row) in layers.iter().zip(rows) {
            let before = sum.all;
            let [main, shortcut] = layer.branches();
            sum = sum.with(main, &row.layers, first).with(shortcut, &row.shortcut, first);
            let own = 2.0 * multiplies(layer, row) as f64;
            sum.all += own;
            sum.first += if first { own } else { 0.0 };
            first &= sum.all == before;
        }
        sum
    }
}

/// Multiply-adds of the products of a layer itself.
fn multiplies(layer: &LayerSpec, row: &LayerRow) -> usize {
    let values = |shape: &[usize]| shape.iter().product::<usize>();
    let (input, output) = (values(&row.input), values(&row.output));
    match layer {
        LayerSpec::Dense { .. } | LayerSpec::Projection {} => input * output,
        LayerSpec::Conv2d(conv) => output * values(&conv.kernel) * row.input[2] / conv.groups,
        LayerSpec::ConvTranspose2d(conv) => input * values(&conv.kernel) * row.output[2] / conv.groups,
        LayerSpec::Attention {} => {
            let (places, channels) = (row.input[0] * row.input[1], row.input[2]);
            let (query, value) = (channels / Attention::QUERY_SHARE, channels / Attention::VALUE_SHARE);
            // Four convolutions; the scores of each place and each pooled one; the means.
            places * channels * (2 * query + 2 * value) + places * (places / 4) * (query + value)
        }
        _ => 0,
    }
}
