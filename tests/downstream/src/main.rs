//! What a crate of somebody else's does with the engine: a module, an op, an update rule and a stream of random numbers
//! of its own, trained, saved and loaded.

use minimax::autograd::{Call, Op, record};
use minimax::check::cases::{Case, normal};
use minimax::check::gradcheck::against_differences;
use minimax::data::{Batches, LastBatch, digits};
use minimax::nn::{self, Activation, BatchNorm, Conv2d, Dense, Flatten, Layer, MaxPool2d, Pass, Sequential, Variable};
use minimax::optim::{Optimizer, Part, UpdateRule};
use minimax::random::{Purpose, Random};
use minimax::storage::Storage;
use minimax::{Device, Result, Tensor, ops};

/// relu(norm(conv(x))) + x
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Layer for Block {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        self.norm.forward(&self.conv.forward(x, pass), pass).relu() + x
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let conv = nn::within("conv", self.conv.variables());
        conv.chain(nn::within("norm", self.norm.variables())).collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let conv = nn::within("conv", self.conv.variables_mut());
        conv.chain(nn::within("norm", self.norm.variables_mut())).collect()
    }
}

/// x³
fn cube(x: &Tensor) -> Tensor {
    let values: Vec<f64> = x.to_f64().iter().map(|x| x * x * x).collect();
    record(Cube, &[x], x.shape(), Storage::from_f64(&values, x.device()))
}

struct Cube;

impl Op for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(3.0 * grad * call.input(0).square())]
    }
}

/// p ← p - α g / (|u| + 10⁻³), u ← 0.9 u + 0.1 |g|
struct Scaled(f64);

impl UpdateRule for Scaled {
    fn slots(&self) -> &'static [&'static str] {
        &["u"]
    }

    fn reference(&self, _: u64, Part { p, g, slots: [u, _] }: Part<f64>) {
        for i in 0..p.len() {
            u[i] = 0.9 * u[i] + 0.1 * g[i].abs();
            p[i] -= self.0 * g[i] / (u[i] + 1e-3);
        }
    }

    fn cpu(&self, _: u64, Part { p, g, slots: [u, _] }: Part<f32>) {
        for i in 0..p.len() {
            u[i] = 0.9 * u[i] + 0.1 * g[i].abs();
            p[i] -= self.0 as f32 * g[i] / (u[i] + 1e-3);
        }
    }
}

const NOISE: Purpose = Purpose::named("noise on the images");

fn network() -> Sequential {
    let block = Block { conv: Conv2d::new(4, 4, 3).same(), norm: BatchNorm::new(4).momentum(0.9) };
    Sequential::default()
        .add_named("stem", Conv2d::new(1, 4, 3).stride(2).same())
        .add(Activation::Relu)
        .add_named("block", block)
        .add(MaxPool2d::new(2))
        .add(Flatten)
        .add_named("logits", Dense::new(7 * 7 * 4, 10))
}

fn main() -> Result<()> {
    let case = Case::new("cube", "[3, 4]", &[normal([3, 4])], |t| cube(&t[0]));
    assert!([1, 2].iter().all(|&order| against_differences(&case, order).passed()));

    nn::seed(3);
    let mut network = network();
    let mut optimizer = Optimizer::new(Scaled(1e-3), &network.parameters());
    let mut noise = Random::new(3, NOISE);
    let mut batches = Batches::new(digits::render(1000, 3).into(), 50, 3, LastBatch::Drop);
    let mut losses = Vec::new();
    for step in 0..60 {
        let batch = batches.batch(step)?;
        let images = batch.to_images([0.0, 1.0], Device::Cpu);
        let images = &images + 0.05 * ops::random_normal(&mut noise, images.shape(), Device::Cpu);
        let logits = network.forward(&images, &mut Pass::training(&mut noise));
        let loss = ops::cross_entropy(&logits, &batch.to_labels(Device::Cpu).one_hot(10));
        losses.push(loss.item());
        optimizer.minimize(loss, &mut network);
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    println!("loss {first:.3}, after 60 steps {last:.3}");
    assert!(last < 0.5 * first);

    let path = std::env::temp_dir().join(format!("downstream-{}.safetensors", std::process::id()));
    nn::save(&network, &path)?;
    let mut loaded = self::network();
    nn::load(&mut loaded, &path)?;
    let x = digits::render(20, 9);
    let images = x.in_order(20).next().expect("there are 20").to_images([0.0, 1.0], Device::Cpu);
    assert_eq!(loaded.predict(&images).to_f32(), network.predict(&images).to_f32());
    std::fs::remove_file(&path).map_err(minimax::Error::io(&path))
}
