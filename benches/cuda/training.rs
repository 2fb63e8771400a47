//! Training as `minimax train` does it: each step gets a batch of bytes from the processor, and what it reports is read
//! when the next one has been asked for.

use super::timing::median;
use minimax::cuda::Context;
use minimax::data::pixels;
use minimax::data::{Batch, Batches, Images, LastBatch};
use minimax::gan::graph::Graphs;
use minimax::gan::model::Gan;
use minimax::gan::report::Pending;
use minimax::random::{Purpose, Random};
use minimax::recipe::Recipe;
use minimax::{Device, Shape};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const DEVICE: Device = Device::Cuda(0);

/// A GAN with its data.
pub struct Training {
    gan: Gan,
    graphs: Option<Graphs>,
    batches: Batches,
    range: [f64; 2],
    /// Device memory that was held before.
    held_before: usize,
}

impl Training {
    /// Of `recipe` on `count` images of random bytes.
    pub fn new(recipe: &Recipe, count: usize, as_graphs: bool, context: &Context) -> Training {
        let [height, width, channels] = recipe.discriminator.input[..] else {
            panic!("an image");
        };
        let held_before = context.bytes_held();
        let gan = Gan::new(recipe, DEVICE);
        let range = recipe.data.range;
        Training {
            graphs: gan.graphs(range).filter(|_| as_graphs),
            gan,
            batches: Batches::new(
                Arc::new(Images {
                    height,
                    width,
                    channels,
                    pixels: bytes(count * height * width * channels),
                    labels: vec![0; count],
                }),
                recipe.training.real_images(),
                1,
                LastBatch::Drop,
            ),
            range,
            held_before,
        }
    }

    /// Steps of an epoch.
    pub fn epoch(&self) -> usize {
        self.batches.steps_per_epoch() as usize
    }

    /// Makes `steps` steps and waits for the last one.
    pub fn run(&mut self, steps: usize) {
        let mut before: Option<Pending> = None;
        for _ in 0..steps {
            let begun = self.begin();
            if let Some(before) = before.replace(begun) {
                before.read().expect("finite losses");
            }
        }
        before.map(|last| last.read().expect("finite losses"));
    }

    fn begin(&mut self) -> Pending {
        let Images { height, width, channels, .. } = *self.batches.images();
        let Batch { pixels: bytes, labels, .. } = self.batches.batch(self.gan.steps).expect("a thread");
        let count = bytes.len() / (height * width * channels);
        let batch: Shape = [count, height, width, channels].into();
        let begun = match &mut self.graphs {
            Some(graphs) => graphs.begin_step(&mut self.gan, bytes, labels, batch, false),
            None => {
                let real = pixels::to_tensor(bytes, batch, self.range, DEVICE);
                self.gan.begin_step(&real, false)
            }
        };
        begun.expect("finite losses")
    }

    /// Where a step takes `ms`: what it would take were each report waited for, what its graph takes back to back and,
    /// from that, the share of the time in which the device has no graph to run (gaps within a graph aren't seen);
    /// MiB of device memory held.
    pub fn figures(&mut self, context: &Context, seconds: f64, ms: f64) -> Map<String, Value> {
        let waited = median(context, seconds / 2.0, |times| {
            for _ in 0..times {
                self.begin().read().expect("finite losses");
            }
        });
        let held = context.bytes_held().saturating_sub(self.held_before);
        let mut figures = Map::from_iter([
            ("ms_waited".to_string(), json!(waited)),
            ("mib".to_string(), json!(held as f64 / f64::from(1 << 20))),
        ]);
        if let Some(graphs) = &self.graphs {
            let mut captured = true;
            let alone = median(context, seconds / 2.0, |times| {
                captured &= graphs.replay_latest(times);
            });
            if captured {
                figures.insert("ms_replayed".into(), json!(alone));
                figures.insert("idle_share".into(), json!((1.0 - alone / ms).max(0.0)));
            }
        }
        figures
    }
}

fn bytes(count: usize) -> Vec<u8> {
    let words = Random::new(1, Purpose::CHECK).words(count.div_ceil(4));
    let mut bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.truncate(count);
    bytes
}
