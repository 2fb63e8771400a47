//! A training step as a CUDA graph: its launches are recorded once, and every later step of its kind asks the device
//! for all of them at once.
//!
//! ```text
//! steps 1, 2    launch by launch: kernels are loaded, the pool fills
//! step 3        captured: the same code runs, its launches are recorded and not made; then replayed
//! step 4, ...   replayed: upload what differs, launch the graph, ask for the report
//! ```
//!
//! A replay does what the code did when it was captured, to the same memory. So everything that outlives a step
//! (weights, statistics, optimiser slots) must stay where it is. What differs between steps is read from memory to
//! which it is uploaded: random positions and the batch in [`Inputs`], the update's scalars in each optimiser.

use super::classifier::Classifier;
use super::model::Gan;
use super::real::Real;
use super::report::{Gathered, Pending};
use crate::cuda::capture::{Graph, Inputs};
use crate::cuda::{self, Buffer, Context};
use crate::ops::one_hot;
use crate::optim::Optimizer;
use crate::random::Random;
use crate::shape::Shape;
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use crate::{Error, Result};
use std::collections::HashMap;

/// The number of steps of a kind that are made launch by launch before the kind is captured.
const WARM_UP: u32 = 2;

/// What distinguishes steps that launch different kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind {
    batch: Shape,
    moves_generator: bool,
    penalises: bool,
    /// Whether only the classifier of a game of three learns.
    alone: bool,
    measures: bool,
}

/// The captured steps of a run.
pub struct Graphs {
    context: &'static Context,
    /// The value of each byte of an image, on the device.
    table: Buffer,
    /// The value of each byte of a label: itself.
    numbers: Buffer,
    /// The inputs for each shape of batch.
    inputs: HashMap<Shape, Inputs>,
    steps: HashMap<Kind, State>,
    /// The kind of the latest step.
    latest: Option<Kind>,
}

/// The state of a kind of step.
enum State {
    /// It has been made this many times, launch by launch.
    Warming(u32),
    Captured(Box<Captured>),
}

struct Captured {
    graph: Graph,
    seen: Gathered,
    after: Advance,
}

/// How far a step advances the counters that the processor keeps.
#[derive(Clone, Copy)]
struct Advance {
    /// Random blocks, for each of [`streams`].
    blocks: [u64; 4],
    /// For each of [`Gan::optimizers`].
    updates: [u64; 5],
}

impl Graphs {
    /// The graphs of a run on CUDA device `ordinal` whose images are bytes; `table` has the value of each byte.
    pub fn new(ordinal: usize, table: &[f32; 256]) -> Graphs {
        let context = cuda::context(ordinal);
        Graphs {
            context,
            table: Buffer::from_slice(table, context),
            numbers: Buffer::from_slice(&std::array::from_fn::<f32, 256, _>(|byte| byte as f32), context),
            inputs: HashMap::new(),
            steps: HashMap::new(),
            latest: None,
        }
    }

    /// Makes the latest step again `times` times, from the same batch and numbers and without a report, to measure the
    /// device alone. False if the step has not been captured yet.
    pub fn replay_latest(&self, times: usize) -> bool {
        let state = self.latest.as_ref().and_then(|kind| self.steps.get(kind));
        let Some(State::Captured(captured)) = state else {
            return false;
        };
        (0..times).for_each(|_| captured.graph.replay());
        true
    }

    /// As [`Gan::begin_step`] on the images in `bytes`, of shape `batch`, and their `labels` if the game is
    /// conditional. The step is made as a graph once there is one.
    ///
    /// # Errors
    /// As [`Gan::begin_step`].
    ///
    /// # Panics
    /// If a conditional game has no label for each image.
    pub fn begin_step(
        &mut self,
        gan: &mut Gan,
        bytes: &[u8],
        labels: &[u16],
        batch: Shape,
        measures: bool,
    ) -> Result<Pending> {
        let (moves_generator, penalises) = (gan.generator_is_next(), gan.penalty_is_due());
        let alone = gan.classifier.as_ref().is_some_and(|classifier| classifier.alone);
        let kind = Kind { batch, moves_generator, penalises, alone, measures };
        self.latest = Some(kind);
        let context = self.context;
        // Labels begin at a multiple of 4 bytes, as images do.
        let padding = &[0; 3][..bytes.len().next_multiple_of(4) - bytes.len()];
        // A recipe has no more classes than a byte has values.
        let labels: Vec<u8> = gan.classes.map_or(Vec::new(), |_| labels.iter().map(|&label| label as u8).collect());
        let parts = [bytes, padding, &labels];
        let room = parts.iter().map(|part| part.len()).sum();
        let inputs = self.inputs.entry(batch).or_insert_with(|| Inputs::new(room, context));
        inputs.upload(&gan.streams().map(|random| random.position()), &parts);
        let (table, numbers, classes) = (&self.table, &self.numbers, gan.classes);
        let real = |inputs: &Inputs| real(inputs, batch, [table, numbers], classes);
        gan.optimizers().into_iter().flatten().for_each(Optimizer::upload_scalars);
        // ANCHOR: kinds
        let state = self.steps.entry(kind).or_insert(State::Warming(0));
        let captured = match state {
            State::Warming(steps) if *steps < WARM_UP => {
                *steps += 1;
                return gan.begin_step(real(inputs), measures);
            }
            State::Warming(_) => {
                let captured = capture(gan, inputs, || real(inputs), measures)?;
                *state = State::Captured(Box::new(captured));
                let State::Captured(captured) = state else { unreachable!("it has just been captured") };
                captured
            }
            State::Captured(captured) => {
                gan.advance(&captured.after);
                captured
            }
        };
        // ANCHOR_END: kinds
        captured.graph.replay();
        gan.steps += 1;
        Ok(Pending::new(gan.steps, gan.training.loss.has_critic(), captured.seen.clone()))
    }
}

/// The batch in `inputs`, of images of shape `batch` and, if there are `classes`, a label for each; `tables` has the
/// value of each byte of an image, and of a label.
fn real(inputs: &Inputs, batch: Shape, tables: [&Buffer; 2], classes: Option<usize>) -> Real {
    let (bytes, offset) = inputs.batch();
    let values = |offset, table, shape: Shape| {
        let values = crate::data::pixels::to_floats(bytes, offset, table, shape.numel());
        Tensor::from_storage(Storage::Cuda(values), shape)
    };
    let labels = classes.map(|classes| {
        let first = offset + batch.numel().next_multiple_of(4);
        one_hot(&values(first, tables[1], [batch.dims()[0]].into()), classes)
    });
    Real { images: values(offset, tables[0], batch), labels }
}

/// Captures a step; the replay that follows executes it.
fn capture(gan: &mut Gan, inputs: &Inputs, real: impl FnOnce() -> Real, measures: bool) -> Result<Captured> {
    let (places_before, count_before) = (addresses(gan), gan.count());
    let (graph, seen) = Graph::capture(inputs, || Ok::<_, Error>(gan.updates(&real(), measures)?.gather()))?;
    assert!(addresses(gan) == places_before, "a captured step moves weights, statistics or slots to other memory");
    let count = gan.count();
    Ok(Captured {
        graph,
        seen,
        after: Advance {
            blocks: std::array::from_fn(|i| count.blocks[i] - count_before.blocks[i]),
            updates: std::array::from_fn(|i| count.updates[i] - count_before.updates[i]),
        },
    })
}

/// The addresses of everything that outlives a step.
fn addresses(gan: &Gan) -> Vec<u64> {
    let address = |(_, tensor): (String, &Tensor)| match tensor.storage() {
        Storage::Cuda(buffer) => buffer.address(),
        _ => unreachable!("graphs are for CUDA devices"),
    };
    gan.named().into_iter().map(address).collect()
}

impl Gan {
    /// The graphs of this GAN's steps on images of `range`, if its device has graphs.
    pub fn graphs(&self, range: [f64; 2]) -> Option<Graphs> {
        match self.device {
            Device::Cuda(ordinal) => Some(Graphs::new(ordinal, &crate::data::pixels::table(range))),
            _ => None,
        }
    }

    fn streams(&mut self) -> [&mut Random; 4] {
        let random = &mut self.random;
        [&mut random.latents, &mut random.dropout, &mut random.labels, &mut random.penalty]
    }

    /// Everything that counts updates: the optimisers of D and G, the average of G, the optimiser of C and the average
    /// of C.
    fn optimizers(&mut self) -> [Option<&mut Optimizer>; 5] {
        let average = self.average.as_mut().map(|average| &mut average.optimizer);
        let [classifier, its_average] = match &mut self.classifier {
            Some(Classifier { optimizer, average, .. }) => [Some(optimizer), Some(&mut average.optimizer)],
            None => [None, None],
        };
        let (discriminator, generator) = (&mut self.discriminator_optimizer, &mut self.generator_optimizer);
        [Some(discriminator), Some(generator), average, classifier, its_average]
    }

    fn count(&mut self) -> Advance {
        Advance {
            blocks: self.streams().map(|random| random.position().block),
            updates: self.optimizers().map(|optimizer| optimizer.map_or(0, |optimizer| optimizer.steps())),
        }
    }

    /// Counts what a replayed step does.
    fn advance(&mut self, by: &Advance) {
        for (random, blocks) in self.streams().into_iter().zip(by.blocks) {
            random.skip(blocks);
        }
        for (optimizer, updates) in self.optimizers().into_iter().zip(by.updates) {
            if let Some(optimizer) = optimizer {
                optimizer.set_steps(optimizer.steps() + updates);
            }
        }
    }
}
