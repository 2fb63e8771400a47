//! docs/from-other-frameworks.md: what its table says of this crate is here, compiled and run.

use minimax::autograd::try_grad;
use minimax::check::cases::{Case, normal};
use minimax::check::gradcheck::against_differences;
use minimax::data::{Batches, LastBatch, digits};
use minimax::nn::{self, Activation, BatchNorm, Conv2d, Dense, Layer, Layout, MaxPool2d, Pass, Sequential};
use minimax::optim::{Adam, Optimizer};
use minimax::random::{Purpose, Random};
use minimax::{Device, Result, Tensor, grad, no_grad, ops};

#[test]
fn tensors() {
    let mut random = Random::new(1, Purpose::DROPOUT);
    let x = Tensor::zeros([2, 3], Device::Cpu);
    let y = Tensor::ones([2, 3], Device::Cpu);
    let (a, b) = (Tensor::new(&[1.0, 2.0, 3.0, 4.0], [2, 2], Device::Cpu), Tensor::ones([2, 3], Device::Cpu));
    let (p, q) = (Tensor::ones([5, 2, 3], Device::Cpu), Tensor::ones([5, 3, 4], Device::Cpu));
    let (c, table) = (Tensor::ones([3], Device::Cpu), Tensor::arange(6, Device::Cpu).reshape([3, 2]));
    let (indices, labels) = (Tensor::arange(2, Device::Cpu), Tensor::arange(2, Device::Cpu));
    assert_eq!(ops::random_normal(&mut random, [64, 100], Device::Cpu).numel(), 6400);
    assert_eq!((x.dims(), x.numel()), (&[2, 3][..], 6));
    assert_eq!(x.to_f32(), [0.0; 6]);
    assert_eq!(x.to(Device::Reference).device(), Device::Reference);
    assert_eq!((2.0 * &x + &b).to_f64(), [1.0; 6]);
    assert_eq!(x.relu().numel() + x.exp().numel(), 12);
    assert_eq!(x.pow(3.0).to_f64(), [0.0; 6]);
    assert_eq!((x.sum(..).dims(), x.mean(1).dims()), (&[][..], &[2][..]));
    assert_eq!((x.max(1).dims(), x.argmax(1).dims()), (&[2][..], &[2][..]));
    assert_eq!((a.matmul(&b).dims(), a.transposed().to_f64()), (&[2, 3][..], vec![1.0, 3.0, 2.0, 4.0]));
    assert_eq!(p.matmul(&q).dims(), [5, 2, 4]);
    assert_eq!((x.reshape([3, 2]).dims(), x.unsqueeze(0).dims()), (&[3, 2][..], &[1, 2, 3][..]));
    assert_eq!(x.permute(&[1, 0]).dims(), [3, 2]);
    assert_eq!(x.index((0, 1..)).dims(), [2]);
    assert_eq!(ops::concat(&[&x, &y], 0).dims(), [4, 3]);
    assert_eq!(ops::stack(&[&x, &y], 0).dims(), [2, 2, 3]);
    assert_eq!(c.select(&x, &y).to_f64(), x.to_f64());
    assert_eq!(ops::gather(&table, &indices).to_f64(), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(labels.one_hot(10).dims(), [2, 10]);
    assert_eq!((x.softmax(1).dims(), x.log_softmax(1).dims()), (x.dims(), x.dims()));
}

#[test]
fn gradients() -> Result<()> {
    let x = Tensor::arange(3, Device::Reference);
    let w = x.parameter();
    assert!(x.parameter().requires_grad() && !w.detach().requires_grad() && !x.detach().requires_grad());
    let loss = w.square().sum(..);
    assert_eq!(loss.item(), 5.0);
    assert_eq!(grad(&loss, &[&w], false)[0].to_f64(), [0.0, 2.0, 4.0]);
    assert!(grad(&loss, &[&w], true)[0].requires_grad());
    assert_eq!(try_grad(&loss, &[&w], false)?[0].to_f64(), [0.0, 2.0, 4.0]);
    let x = w;
    assert!(!no_grad(|| x.relu()).requires_grad());
    let case = Case::new("square", "[3]", &[normal([3])], |t| t[0].square());
    assert!(against_differences(&case, 1).passed());
    Ok(())
}

#[test]
fn networks() -> Result<()> {
    nn::seed(1);
    let mut random = Random::new(1, Purpose::DROPOUT);
    let mut network = Sequential::default().add(Dense::new(4, 8)).add(Activation::Relu).add(Dense::new(8, 10));
    let images = Tensor::ones([2, 9, 9, 3], Device::Cpu);
    let norm = BatchNorm::new(16).momentum(0.9).epsilon(1e-5);
    let mut convolutions = Sequential::default().add(Conv2d::new(3, 16, 5).stride(2)).add(norm);
    assert_eq!(convolutions.predict(&images).dims(), [2, 3, 3, 16]);
    let grouped = Conv2d::new(4, 8, 3).groups(4);
    assert_eq!(grouped.parameters()[0].dims(), [3, 3, 1, 8]);
    assert_eq!(MaxPool2d::new(3).stride(2).predict(&images).dims(), [2, 4, 4, 3]);

    let (x, labels) = (Tensor::ones([2, 4], Device::Cpu), Tensor::arange(2, Device::Cpu));
    let rule = Adam::new(1e-3);
    let mut optimizer = Optimizer::new(rule, &network.parameters());
    optimizer.set_rule(Adam { learning_rate: 1e-4, ..rule });
    let logits = network.forward(&x, &mut Pass::training(&mut random));
    let loss = ops::cross_entropy(&logits, &labels.one_hot(10));
    let before = loss.item();
    optimizer.minimize(loss, &mut network);
    let logits = network.predict(&x);
    assert!(ops::cross_entropy(&logits, &labels.one_hot(10)).item() < before);

    let folder = tempfile::tempdir().unwrap();
    let path = &folder.path().join("weights.safetensors");
    nn::save(&network, path)?;
    nn::load(&mut network, path)?;
    assert_eq!(network.predict(&x).to_f32(), logits.to_f32());
    nn::save_as(&network, path, Layout::PyTorch)?;
    nn::load_as(&mut network, path, Layout::PyTorch)?;
    assert_eq!(network.predict(&x).to_f32(), logits.to_f32());

    let images = digits::render(64, 1).into();
    let mut batches = Batches::new(images, 32, 1, LastBatch::Drop);
    assert_eq!(batches.batch(0)?.len(), 32);
    Ok(())
}

/// Code in the last column of a row of the table.
#[test]
fn the_table_says_what_is_above() {
    let page = include_str!("../docs/from-other-frameworks.md");
    let plain = |text: &str| text.split_whitespace().collect::<String>();
    let own = plain(include_str!("frameworks.rs"));
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")).collect();
    assert!(rows.len() >= 30, "{} rows", rows.len());
    for row in rows {
        // A bar within a cell has a backslash before it.
        let row = row.replace("\\|", "\u{0}");
        let cell = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap().replace('\u{0}', "|");
        for code in cell.split('`').skip(1).step_by(2) {
            assert!(own.contains(&plain(code)), "{code} is not in tests/frameworks.rs");
        }
    }
}
