//! What is timed: a row is a name, what the other side needs to know to do the same, and how to make it.

use super::common::{
    self, EPSILON, Elementwise, Pass, RATE, RECIPES, SAMPLED, SLOPE, UPDATED, adam_name, random, sampling_name,
    step_name,
};
use super::layers;
use super::timing::{How, Subject};
use super::training::Training;
use minimax::autograd::vjp;
use minimax::cuda::{Context, context};
use minimax::gan::latents::Latents;
use minimax::gan::model::{Gan, sample};
use minimax::nn::Layer as _;
use minimax::ops::dropout::Mask;
use minimax::ops::{Transpose, matmul, random_normal};
use minimax::random::Random;
use minimax::recipe::{OptimizerSpec, Recipe};
use minimax::{Device, Result, Shape, Tensor, no_grad, ops};
use serde_json::{Value, json};

pub const DEVICE: Device = Device::Cuda(0);

/// Makes a subject.
type Build = dyn Fn(How) -> Result<Subject> + Sync;

/// A line of the table.
pub struct Row {
    /// What is done, and to what shapes.
    pub name: String,
    /// Floating-point operations of its products, by their plain formula.
    pub flops: Option<f64>,
    pub precisions: Vec<&'static str>,
    pub ways: Vec<How>,
    /// For the other side: what it is, by `kind`.
    spec: Value,
    pub build: Box<Build>,
}

impl Row {
    /// A row of products, in both precisions and both ways.
    pub fn new(
        name: String,
        flops: Option<f64>,
        spec: Value,
        build: impl Fn(How) -> Result<Subject> + Sync + 'static,
    ) -> Row {
        Row {
            name,
            flops,
            precisions: vec!["f32", "tf32"],
            ways: vec![How::Launches, How::Graph],
            spec,
            build: Box::new(build),
        }
    }

    /// The same without products: in f32 alone.
    pub fn plain(self) -> Row {
        let precisions = vec!["f32"];
        Row { precisions, ..self }
    }

    /// As JSON, a line.
    pub fn described(&self) -> Value {
        json!({
            "row": self.name, "flops": self.flops, "precisions": self.precisions, "ways": self.ways, "spec": self.spec,
        })
    }
}

/// The recipes whose epochs are, and the seconds that report D gives for one on a Tesla T4.
const EPOCHS: [(&str, f64); 2] = [("vanilla-mnist", 4.08), ("dcgan-compact-mnist", 34.6)];

/// Every row, in the order of the table; with `quick`, of small sizes.
pub fn all(quick: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = RECIPES.map(|name| step(name, quick)).into();
    rows.extend(EPOCHS.map(|(name, t4)| epoch(name, t4, quick)));
    rows.push(sampling(quick));
    rows.extend(gemm(quick));
    rows.extend(layers::ladders(quick));
    rows.extend(elementwise(quick));
    rows.extend(layers::rows(quick));
    rows
}

/// [`common::recipe`], so slow that no loss ever runs away, however often a step is made again.
pub fn recipe(name: &str, quick: bool) -> Recipe {
    let mut recipe = common::recipe(name);
    for network in [&mut recipe.generator, &mut recipe.discriminator] {
        if let OptimizerSpec::Adam { learning_rate, .. } = &mut network.optimizer {
            *learning_rate = 1e-9;
        }
    }
    if quick {
        recipe.training.batch_size = 4;
    }
    recipe
}

/// A recipe for the other side, with the numbers of parameters that it should come to.
fn told(recipe: &Recipe) -> Value {
    let count = |network: &minimax::recipe::NetworkSpec| {
        let table = network.table().expect("a loaded recipe's shapes fit");
        table.parameters.trainable
    };
    let parameters = [&recipe.generator, &recipe.discriminator].map(count);
    json!({"recipe": recipe, "batch": recipe.training.real_images(), "parameters": parameters})
}

fn spec(kind: &str, of: Value) -> Value {
    let mut spec = of;
    spec["kind"] = json!(kind);
    spec
}

fn step(name: &'static str, quick: bool) -> Row {
    let recipe = recipe(name, quick);
    let spec = spec("step", told(&recipe));
    Row::new(step_name(&recipe), None, spec, move |how| {
        let images = 16 * recipe.training.real_images();
        let as_graphs = how == How::Graph;
        let training = Training::new(&recipe, images, as_graphs, context(0));
        Ok(Subject::Training(Box::new(training)))
    })
}

fn epoch(name: &'static str, t4: f64, quick: bool) -> Row {
    let recipe = recipe(name, quick);
    let (batch, images) = (recipe.training.real_images(), if quick { 20 } else { 60_000 });
    let mut spec = spec("epoch", told(&recipe));
    spec["images"] = json!(images);
    if !quick {
        spec["t4_seconds"] = json!(t4);
    }
    let row = format!("epoch {name} {images} x {batch}");
    Row::new(row, None, spec, move |how| {
        let as_graphs = how == How::Graph;
        let mut training = Training::new(&recipe, images, as_graphs, context(0));
        training.run(3);
        let steps = training.epoch();
        Ok(Subject::Whole(Box::new(move || training.run(steps))))
    })
}

/// The images stay on the device.
fn sampling(quick: bool) -> Row {
    let count = if quick { 8 } else { 10_000 };
    let recipe = recipe(SAMPLED, quick);
    let mut spec = spec("sample", told(&recipe));
    spec["count"] = json!(count);
    let mut row = Row::new(sampling_name(count), None, spec, move |_| {
        let mut gan = Gan::new(&recipe, DEVICE);
        let width = recipe.generator.input[0];
        let latents = Latents::fixed(1, count, width);
        Ok(Subject::Op(Box::new(move || {
            sample(&mut gan.generator, &latents, 64, DEVICE);
        })))
    });
    row.ways = vec![How::Launches];
    row
}

fn gemm(quick: bool) -> Vec<Row> {
    let sizes = if quick { vec![64] } else { vec![256, 512, 1024, 2048, 4096] };
    let row = |size: usize| {
        let spec = spec("gemm", json!({"size": size}));
        let flops = 2.0 * (size as f64).powi(3);
        Row::new(format!("gemm {size}"), Some(flops), spec, move |how| {
            let mut random = random();
            let [a, b] = [(); 2].map(|()| normal([size, size], &mut random));
            Ok(op(how, move || {
                no_grad(|| matmul(&a, &b, Transpose::NONE));
            }))
        })
    };
    sizes.into_iter().map(row).collect()
}

/// Batch norm, leaky ReLU with dropout, and Adam over all of dcgan-mnist: work without products.
fn elementwise(quick: bool) -> Vec<Row> {
    let n = if quick { 2 } else { 256 };
    let passes = common::passes(n).into_iter().map(|pass| match pass.what {
        Elementwise::BatchNorm => batch_norm(pass),
        Elementwise::LeakyDropout => leaky_dropout(pass),
    });
    passes.chain([adam()]).map(Row::plain).collect()
}

fn batch_norm(pass: Pass) -> Row {
    let name = pass.name();
    let Pass { shape, backward, .. } = pass;
    let of = json!({"shape": shape, "backward": backward, "epsilon": EPSILON});
    Row::new(name, None, spec("batch_norm", of), move |how| {
        let mut random = random();
        let (x, grad) = (normal(&shape[..], &mut random), normal(&shape[..], &mut random));
        let channels = shape[shape.len() - 1];
        let [gamma, beta] = [1.0, 0.0].map(|value| Tensor::full(value, [channels], DEVICE));
        let parameters = [x, gamma, beta].map(|tensor| tensor.parameter());
        let normalised = |[x, gamma, beta]: &[Tensor; 3]| ops::batch_norm(x, gamma, beta, EPSILON).y;
        Ok(match backward {
            false => op(how, move || {
                no_grad(|| normalised(&parameters));
            }),
            true => {
                let y = normalised(&parameters);
                op(how, move || {
                    vjp(y.clone(), grad.clone(), &parameters.each_ref(), false);
                })
            }
        })
    })
}

fn leaky_dropout(pass: Pass) -> Row {
    let name = pass.name();
    let Pass { shape, backward, .. } = pass;
    let of = json!({"shape": shape, "backward": backward, "slope": SLOPE, "rate": RATE});
    Row::new(name, None, spec("leaky_dropout", of), move |how| {
        let mut random = random();
        let (x, grad) = (normal(&shape[..], &mut random), normal(&shape[..], &mut random));
        Ok(match backward {
            false => op(how, move || {
                let mask = Mask::new(RATE, random.reserve(x.numel()));
                no_grad(|| ops::leaky_relu_dropout(&x, SLOPE, mask));
            }),
            true => {
                let mask = Mask::new(RATE, random.reserve(x.numel()));
                let x = x.parameter();
                let y = ops::leaky_relu_dropout(&x, SLOPE, mask);
                op(how, move || {
                    vjp(y.clone(), grad.clone(), &[&x], false);
                })
            }
        })
    })
}

/// A step of each network's optimiser.
fn adam() -> Row {
    let recipe = recipe(UPDATED, false);
    let spec = spec("adam", told(&recipe));
    Row::new(adam_name(), None, spec, move |how| {
        let mut gan = Gan::new(&recipe, DEVICE);
        let mut random = random();
        let mut grads = |parameters: Vec<&Tensor>| -> Vec<Tensor> {
            let draw = |p: &&Tensor| normal(p.shape(), &mut random);
            parameters.iter().map(draw).collect()
        };
        let g_grads = grads(gan.generator.parameters());
        let d_grads = grads(gan.discriminator.parameters());
        gan.generator_optimizer.upload_scalars();
        gan.discriminator_optimizer.upload_scalars();
        Ok(op(how, move || {
            let parameters = gan.generator.parameters_mut();
            gan.generator_optimizer.step(parameters, &g_grads);
            let parameters = gan.discriminator.parameters_mut();
            gan.discriminator_optimizer.step(parameters, &d_grads);
        }))
    })
}

/// An op.
pub fn op(how: How, f: impl FnMut() + 'static) -> Subject {
    let context: &'static Context = context(0);
    Subject::op(how, context, f)
}

/// Normal numbers.
pub fn normal(shape: impl Into<Shape>, random: &mut Random) -> Tensor {
    random_normal(random, shape, DEVICE)
}
