//! A dense classifier of handwritten digits: trained, tested, saved and loaded.
//!
//! ```text
//! cargo run --release --example mnist_mlp                 the built-in digits
//! cargo run --release --example mnist_mlp -- FOLDER       MNIST: its four files, gzipped or not
//! ```

use minimax::data::{Batches, Images, LastBatch, digits, idx};
use minimax::nn::{self, Activation, Dense, Dropout, Flatten, Layer, Pass, Sequential};
use minimax::optim::{Adam, Optimizer, schedule};
use minimax::random::{Purpose, Random};
use minimax::{Device, Error, ops};
use std::time::Instant;

const EPOCHS: u64 = 10;
const RANGE: [f64; 2] = [0.0, 1.0];

fn network() -> Sequential {
    Sequential::default()
        .add(Flatten)
        .add_named("hidden", Dense::new(784, 512))
        .add(Activation::Relu)
        .add(Dropout { rate: 0.3 })
        .add_named("logits", Dense::new(512, 10))
}

/// The share of `images` whose class `network` tells.
fn accuracy(network: &mut Sequential, images: &Images) -> f64 {
    let right = images.in_order(500).map(|batch| {
        let logits = network.predict(&batch.to_images(RANGE, Device::Cpu));
        ops::equal(&logits.argmax(1), &batch.to_labels(Device::Cpu)).sum(..).item()
    });
    right.sum::<f64>() / images.len() as f64
}

fn main() -> Result<(), Error> {
    let [training, test] = match std::env::args().nth(1) {
        Some(folder) => idx::read_labelled(folder.as_ref())?,
        None => [digits::render(12_000, 1), digits::render(2_000, 2)],
    };
    nn::seed(1);
    let mut network = network();
    let rule = Adam::new(1e-3);
    let mut optimizer = Optimizer::new(rule, &network.parameters());
    let mut dropout = Random::new(1, Purpose::DROPOUT);
    let mut batches = Batches::new(training.into(), 100, 1, LastBatch::Drop);
    let (steps, start) = (batches.steps_per_epoch(), Instant::now());
    for step in 0..EPOCHS * steps {
        let learning_rate = schedule::cosine(1e-3, 0.0, step as f64 / (EPOCHS * steps) as f64);
        optimizer.set_rule(Adam { learning_rate, ..rule });
        let batch = batches.batch(step)?;
        let (images, labels) = (batch.to_images(RANGE, Device::Cpu), batch.to_labels(Device::Cpu));
        let logits = network.forward(&images, &mut Pass::training(&mut dropout));
        let loss = ops::cross_entropy(&logits, &labels.one_hot(10));
        if (step + 1) % steps == 0 {
            let (epoch, right) = ((step + 1) / steps, 100.0 * accuracy(&mut network, &test));
            println!("epoch {epoch}: loss {:.4}, {right:.2}% of the test set right", loss.item());
        }
        optimizer.minimize(loss, &mut network);
    }
    println!("{:.1} s", start.elapsed().as_secs_f64());

    let path = std::env::temp_dir().join("minimax-mnist-mlp.safetensors");
    nn::save(&network, &path)?;
    let mut loaded = self::network();
    nn::load(&mut loaded, &path)?;
    println!("loaded from {}: {:.2}% right", path.display(), 100.0 * accuracy(&mut loaded, &test));
    Ok(())
}
