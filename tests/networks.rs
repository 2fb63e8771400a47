//! The networks that are built are the networks that a recipe's tables describe.
#![cfg(feature = "gan")]

use minimax::nn::{Layer, Pass, Sequential};
use minimax::random::{Purpose, Random};
use minimax::recipe::build;
use minimax::recipe::{NetworkSpec, ParameterCount, Recipe, built_in_names};
use minimax::{Device, Tensor};

/// What the network has in each of the places of its table.
fn parameters(network: &Sequential, places: &[&str]) -> Vec<ParameterCount> {
    let mut counts = vec![ParameterCount::default(); places.len()];
    for (name, tensor) in network.named() {
        // A variable's own name may have parts, and so may its layer's place: the longest that fits is it.
        let within = |place: &&str| name.starts_with(&format!("layers.{place}."));
        let place = places.iter().filter(|place| within(place)).max_by_key(|place| place.len()).unwrap();
        let count = &mut counts[places.iter().position(|known| known == place).unwrap()];
        let kind = match tensor.requires_grad() {
            true => &mut count.trainable,
            false => &mut count.not_trainable,
        };
        *kind += tensor.numel() as u64;
    }
    counts
}

/// Holds what is built from `spec` to its table.
fn built_as_described(name: &str, spec: &NetworkSpec) {
    let table = spec.table().unwrap();
    let mut random = Random::new(1, Purpose::INITIAL);
    let mut network = build::network(spec, &mut random, Device::Cpu);

    let rows = table.all();
    let places: Vec<&str> = rows.iter().map(|row| &row.place[..]).collect();
    let described: Vec<ParameterCount> = rows.iter().map(|row| row.parameters).collect();
    assert_eq!(parameters(&network, &places), described, "{name}");
    let learned: usize = network.parameters().iter().map(|p| p.numel()).sum();
    assert_eq!(learned as u64, table.parameters.trainable, "{name}");

    let batch = |shape: &[usize]| [&[3], shape].concat();
    let x = Tensor::ones(&batch(&spec.input)[..], Device::Cpu);
    let classes = spec.classes.unwrap_or(1);
    let labels = Tensor::full(1.0 / classes as f64, [3, classes], Device::Cpu);
    for pass in [Pass::training(&mut random), Pass::evaluation()] {
        let mut pass = pass.of_classes(Some(&labels));
        assert_eq!(network.forward(&x, &mut pass).dims(), batch(table.output()), "{name}");
    }
}

fn both_as_described(recipe: &Recipe) {
    built_as_described(&format!("generator of {}", recipe.name), &recipe.generator);
    built_as_described(&format!("discriminator of {}", recipe.name), &recipe.discriminator);
    if let Some(classifier) = &recipe.classifier {
        built_as_described(&format!("classifier of {}", recipe.name), classifier);
    }
}

#[test]
fn built_in_recipes() {
    for name in built_in_names() {
        both_as_described(&Recipe::load(name, &[]).unwrap());
    }
}

/// Every kind of layer, those with a kernel with a bias and without, convolutions with each sort of
/// padding and of sizes that differ along every axis.
const EVERY_LAYER: &str = r#"
name = "every-layer"
description = "Each kind of layer"

[data]
name = "digits"

[training]
epochs = 1
batch_size = 3
loss = "bce"
update = "simultaneous"

[generator]
input = [10]
classes = 4
optimizer = { kind = "sgd", learning_rate = 0.1 }
layers = [
  { layer = "join_label", embedding = 5 },
  { layer = "dense", units = 105, bias = false, spectral_norm = true },
  { layer = "batch_norm" },
  { layer = "relu" },
  { layer = "reshape", shape = [7, 5, 3] },
  { layer = "conv_transpose2d", filters = 4, kernel = [4, 5], stride = [2, 1], bias = false },
  { layer = "batch_norm" },
  { layer = "leaky_relu" },
  { layer = "upsample", factor = 2 },
  { layer = "max_pool", size = [3, 2], stride = [2, 1] },
  { layer = "average_pool", size = 3, stride = 1, padding = "same" },
  { layer = "conv2d", filters = 2, kernel = [3, 2], stride = [1, 3], padding = "valid", bias = false },
  { layer = "conv_transpose2d", filters = 6, kernel = 3, stride = 2, padding = "valid", spectral_norm = true },
  { layer = "conditional_batch_norm" },
  { layer = "join_label", embedding = 3 },
  { layer = "flatten" },
  { layer = "join_label" },
  { layer = "gaussian_noise", stddev = 0.2 },
  { layer = "dense", units = 784, unit_norm = true },
  { layer = "softplus" },
  { layer = "group_norm", groups = 14 },
  { layer = "gelu" },
  { layer = "layer_norm" },
  { layer = "silu" },
  { layer = "elu" },
  { layer = "tanh" },
  { layer = "reshape", shape = [28, 28, 1] },
]

[discriminator]
input = [28, 28, 1]
classes = 4
spectral_norm = true
optimizer = { kind = "sgd", learning_rate = 0.1 }
layers = [
  { layer = "conv2d", filters = 5, kernel = [5, 4], stride = [3, 2] },
  { layer = "conv2d", filters = 10, kernel = 3, groups = 5 },
  { layer = "conv_transpose2d", filters = 6, kernel = 3, groups = 2 },
  { layer = "conv2d", filters = 8, kernel = 4, padding = { explicit = { top = 1, bottom = 0, left = 3, right = 2 } } },
  { layer = "instance_norm" },
  { layer = "attention" },
  { layer = "dropout", rate = 0.3 },
  { layer = "average_pool", stride = 3, padding = { explicit = { top = 0, bottom = 1, left = 1, right = 0 } } },
  { layer = "minibatch_stddev", group = 2 },
  { layer = "conv2d", filters = 32, kernel = 1 },
  { layer = "pixel_shuffle", factor = 2 },
  { layer = "upsample", factor = 2, method = "bilinear" },
  { layer = "downsample", factor = 4 },
  { layer = "max_pool" },
  { layer = "residual", layers = [
    { layer = "residual", layers = [{ layer = "conv2d", filters = 8, kernel = 3 }, { layer = "batch_norm" }] },
    { layer = "flatten" },
    { layer = "dense", units = 4 },
  ], shortcut = [
    { layer = "conv2d", filters = 4, kernel = 1, bias = false },
    { layer = "global_average_pool" },
  ] },
  { layer = "projection" },
  { layer = "sigmoid" },
]
"#;

#[test]
fn every_kind_of_layer() {
    let recipe = Recipe::parse("every-layer.toml", EVERY_LAYER, &[]).unwrap();
    both_as_described(&recipe);

    // The error of a layer that doesn't exist lists those that do.
    let text = EVERY_LAYER.replacen("\"relu\"", "\"none\"", 1);
    let error = Recipe::parse("none.toml", &text, &[]).unwrap_err().to_string();
    let (_, kinds) = error.split_once("expected one of ").expect(&error);
    let kinds: Vec<&str> = kinds.split('`').skip(1).step_by(2).collect();
    assert!(kinds.len() >= 12, "{error}");
    for kind in kinds {
        let layer = format!("layer = \"{kind}\"");
        assert!(EVERY_LAYER.contains(&layer), "no {kind} in the recipe above");
    }
}
