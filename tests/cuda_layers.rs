//! What the case table is too small for: CUDA kernels, emulated, over arrays of many blocks and tiles, over more
//! tensors than a launch takes, and numbers that must be the processor's to the bit.

#[path = "common/emulation.rs"]
mod emulation;

use minimax::autograd::grad;
use minimax::check::gradcheck::normalised_squared_error;
use minimax::cuda::emulator;
use minimax::ops::dropout::{Mask, dropout};
use minimax::ops::{
    argmax, avg_pool2d, batch_norm_evaluate, batch_norm_leaky_relu, gather, leaky_relu_dropout, max, max_pool2d, mean,
    one_hot, random_normal, random_uniform, scatter_add, softmax, sum,
};
use minimax::optim::{
    Adam, EpsilonPlacement, MovingAverage, Optimizer, RmsProp, Sgd, UpdateRule, WeightDecay, all_finite, clip, norm,
};
use minimax::random::{Position, Purpose, Random};
use minimax::{Device, Padding, Shape, Tensor};

const CUDA: Device = Device::Cuda(0);

/// N(shift, 1), rounded to f32.
fn drawn(seed: u64, shape: &[usize], shift: f64, device: Device) -> Tensor {
    let shape = Shape::new(shape);
    let values = Random::new(seed, Purpose::CHECK).normal(shape.numel());
    let values: Vec<f64> = values.iter().map(|v| f64::from((v + shift) as f32)).collect();
    Tensor::new(&values, shape, device)
}

/// Holds what `f` gives on the CUDA device to what it gives on the reference, in two orders of threads.
#[track_caller]
fn hold(what: &str, limit: f64, f: impl Fn(Device) -> Vec<Tensor>) {
    let expected = f(Device::Reference);
    for seed in [0, 5] {
        emulator::set_order(seed);
        for (i, (found, expected)) in f(CUDA).iter().zip(&expected).enumerate() {
            let error = normalised_squared_error(&found.to_f64(), &expected.to_f64());
            assert!(error <= limit, "{what}, result {i}: {error:e}");
        }
    }
}

#[test]
fn reductions_of_every_form_and_of_many_passes() {
    emulation::start();
    let cases: &[(&[usize], &[usize])] = &[
        (&[300_000], &[0]),
        (&[3, 5000], &[1]),
        (&[5, 1025], &[1]),
        (&[9000, 3], &[1]),
        (&[40_000, 3], &[0]),
        (&[3000, 70], &[0]),
        (&[900, 70], &[0]),
        (&[2, 1500, 33], &[1]),
        (&[300, 20, 12], &[1]),
        (&[17, 9, 5, 6], &[1, 3]),
        (&[1, 1], &[0, 1]),
    ];
    for (shape, axes) in cases {
        hold(&format!("sum of {shape:?} over {axes:?}"), 1e-13, |device| {
            vec![sum(&drawn(1, shape, 0.3, device), axes)]
        });
        hold(&format!("max of {shape:?} over {axes:?}"), 0.0, |device| vec![max(&drawn(1, shape, 0.0, device), axes)]);
    }
}

#[test]
fn rows_columns_and_windows_of_many_blocks() {
    emulation::start();
    for shape in [[300, 70], [3, 5000], [9000, 2]] {
        for axis in [0, 1] {
            hold(&format!("softmax of {shape:?} along {axis}"), 1e-12, |device| {
                vec![softmax(&drawn(1, &shape, 0.3, device), axis)]
            });
            hold(&format!("argmax of {shape:?} along {axis}"), 0.0, |device| {
                vec![argmax(&drawn(1, &shape, 0.0, device), axis)]
            });
        }
    }
    hold("rows by their numbers", 1e-12, |device| {
        let indices = Random::new(2, Purpose::CHECK).uniform(200);
        let indices: Vec<f64> = indices.iter().map(|u| (u * 70.0).floor()).collect();
        let indices = Tensor::new(&indices, [200], device);
        let table = drawn(1, &[70, 300], 0.0, device);
        let rows = gather(&table, &indices);
        vec![scatter_add(&rows, &indices, 70), rows, one_hot(&indices, 70)]
    });
    for (shape, kernel, stride) in [([5, 31, 30, 16], [3, 3], [2, 2]), ([9, 28, 28, 3], [2, 4], [2, 1])] {
        hold(&format!("poolings of {shape:?} by {kernel:?}"), 1e-12, |device| {
            let x = drawn(1, &shape, 0.0, device).parameter();
            let padding = Padding::same([shape[1], shape[2]], kernel, stride);
            let (max, mean) = (max_pool2d(&x, kernel, stride, padding), avg_pool2d(&x, kernel, stride, padding));
            let loss = sum(&(&max * drawn(2, max.dims(), 0.0, device) + &mean * &mean), &[0, 1, 2, 3]);
            vec![grad(&loss, &[&x], false).remove(0), max, mean]
        });
    }
}

#[test]
fn means_are_divided_and_long_sums_keep_their_digits() {
    emulation::start();
    let cases: &[(&[usize], &[usize])] = &[
        (&[41], &[0]),
        (&[135, 2], &[0]),
        (&[1000, 40], &[0]),
        (&[300_000], &[0]),
        (&[100_000, 3], &[0]),
        (&[2, 30_000, 3], &[1]),
        (&[500, 2, 300, 3], &[0, 2]),
    ];
    for (shape, axes) in cases {
        let mean_of = |value: f64| mean(&Tensor::full(value, *shape, CUDA), axes).to_f64();
        // The sums are whole numbers that f32 holds.
        assert!(mean_of(7.0).iter().all(|m| *m == 7.0), "{shape:?} over {axes:?}");
        for found in mean_of(0.1) {
            let error = (found / f64::from(0.1_f32) - 1.0).abs();
            assert!(error < 80.0 / 16_777_216.0, "{shape:?} over {axes:?}: {error:e}");
        }
    }
}

fn mask(rate: f64) -> Mask {
    Mask::new(rate, Random::new(3, Purpose::DROPOUT).reserve(1))
}

#[test]
fn batch_norm_of_many_tiles() {
    emulation::start();
    // The mean of the last ones is far from 0: their variance must not cancel.
    let cases: [(&[usize], f64); 6] = [
        (&[5000, 3], 0.0),
        (&[20_000, 1], 0.0),
        (&[300, 256], 2.0),
        (&[7, 2, 2, 512], 0.1),
        (&[9, 17, 17, 70], 50.0),
        (&[20_000, 1], -50.0),
    ];
    for (shape, shift) in cases {
        for mask in [None, Some(mask(0.3))] {
            hold(&format!("{shape:?} about {shift}, {mask:?}"), 1e-10, |device| {
                let channels = &shape[shape.len() - 1..];
                let x = drawn(1, shape, shift, device).parameter();
                let gamma = drawn(2, channels, 1.5, device).parameter();
                let beta = drawn(3, channels, 0.0, device).parameter();
                let normalised = batch_norm_leaky_relu(&x, &gamma, &beta, 1e-3, 0.2, mask);
                let axes: Vec<usize> = (0..shape.len()).collect();
                let loss = sum(&(&normalised.y * drawn(4, shape, 0.0, device)), &axes);
                let mut all = grad(&loss, &[&x, &gamma, &beta], false);
                let [x, gamma, beta] = [x, gamma, beta].map(|t| t.detach());
                let (mean, variance) = (normalised.mean, normalised.variance);
                all.push(batch_norm_evaluate(&x, &gamma, &beta, &mean, &variance, 1e-3));
                all.extend([normalised.y, mean, variance]);
                all
            });
        }
    }
}

/// Every rule, with numbers as in most recipes.
fn rules() -> Vec<Box<dyn UpdateRule>> {
    let mut rules: Vec<Box<dyn UpdateRule>> = vec![
        Box::new(Sgd { learning_rate: 0.01, momentum: 0.9, l2: 0.0 }),
        Box::new(Sgd { learning_rate: 0.01, momentum: 0.9, l2: 0.25 }),
        Box::new(MovingAverage { half_life: 2.0, warm_up: 0.5 }),
    ];
    for epsilon_placement in [EpsilonPlacement::Keras, EpsilonPlacement::Paper] {
        let (learning_rate, betas, epsilon) = (0.01, [0.5, 0.999], 1e-7);
        for weight_decay in [WeightDecay::L2(0.0), WeightDecay::L2(0.25), WeightDecay::Decoupled(0.25)] {
            rules.push(Box::new(Adam { learning_rate, betas, epsilon, epsilon_placement, weight_decay }));
        }
        for l2 in [0.0, 0.25] {
            rules.push(Box::new(RmsProp { learning_rate, rho: 0.9, epsilon, epsilon_placement, l2 }));
        }
    }
    rules
}

/// All values, one after the other.
fn joined<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Tensor {
    let values: Vec<f64> = tensors.into_iter().flat_map(Tensor::to_f64).collect();
    Tensor::new(&values, [values.len()], Device::Reference)
}

#[test]
fn optimisers_go_over_more_tensors_than_a_launch_takes() {
    emulation::start();
    // Below, at and beyond a block's 4096 values, and many small ones.
    let mut lengths = vec![4096, 4097, 3275, 1, 20_001];
    lengths.extend((0..195).map(|i| i % 9 + 1));
    for rule in 0..rules().len() {
        hold(&format!("rule {rule}"), 1e-12, |device| {
            let draw = |round: u64| -> Vec<Tensor> {
                let seeds = lengths.iter().zip(1000 * round..);
                seeds.map(|(&n, seed)| drawn(seed, &[n], 0.0, device)).collect()
            };
            let mut parameters = draw(0);
            let rule = rules().swap_remove(rule);
            let mut optimizer = Optimizer::new(rule, &parameters.iter().collect::<Vec<_>>());
            let mut norms = Vec::new();
            for step in 1..4 {
                let grads = draw(step);
                optimizer.step(parameters.iter_mut().collect(), &grads);
                norms.push(norm(&grads).item());
            }
            clip(parameters.iter_mut().collect(), 0.5);
            let slots = optimizer.named();
            vec![
                joined(&parameters),
                joined(slots.into_iter().map(|(_, slot)| slot)),
                Tensor::new(&norms, [3], Device::Reference),
            ]
        });
    }
}

#[test]
fn a_value_that_is_not_finite_is_found_wherever_it_lies() {
    emulation::start();
    let fine = drawn(1, &[5000], 0.0, CUDA);
    assert!(all_finite(&[&fine, &fine]));
    for (place, value) in [(0, f64::NAN), (4095, f64::INFINITY), (4999, f64::NEG_INFINITY)] {
        let mut values = fine.to_f64();
        values[place] = value;
        let broken = Tensor::new(&values, [5000], CUDA);
        assert!(!all_finite(&[&fine, &broken]), "{value} at {place}");
    }
}

#[test]
fn random_numbers_and_masks_are_the_processors() {
    emulation::start();
    let bits = |x: Tensor| -> Vec<u32> { x.to_f32().iter().map(|v| v.to_bits()).collect() };
    // Across the carry of the counter's lower word, too.
    let position = Position { seed: u64::MAX - 5, stream: Purpose::DROPOUT.stream(), block: u64::from(u32::MAX) - 5 };
    for n in [1, 2, 3, 5, 10_001] {
        let [mut here, mut there] = [(); 2].map(|()| Random::new(9, Purpose::INITIAL));
        assert_eq!(random_normal(&mut there, [n], CUDA).to_f64(), here.normal(n));
        assert_eq!(random_uniform(&mut there, [n], CUDA).to_f64(), here.uniform(n));

        let [x, x_there] = [Device::Cpu, CUDA].map(|device| drawn(4, &[n], 0.0, device));
        let dropped = |x| bits(dropout(x, 0.3, position));
        assert_eq!(dropped(&x_there), dropped(&x));
        let rectified = |x| bits(leaky_relu_dropout(x, 0.2, Mask::new(0.4, position)));
        assert_eq!(rectified(&x_there), rectified(&x));
    }
}

#[cfg(feature = "gan")]
#[test]
fn pixels_are_the_processors() {
    emulation::start();
    for n in [1, 2, 3, 5, 10_001] {
        let bytes: Vec<u8> = (0..n).map(|i| (i * 7 + 3) as u8).collect();
        let image = |device| minimax::data::pixels::to_tensor(&bytes, [n].into(), [-1.0, 1.0], device);
        assert_eq!(image(CUDA).to_f32(), image(Device::Cpu).to_f32());
    }
}
