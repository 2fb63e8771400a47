//! Every case on the CPU against the reference: values, gradients, and gradients of gradients.

use minimax::check::cases::{
    Case, Values, cases, elementwise, indices, large, layers, layout, pooling, products, reductions,
};
use minimax::check::gradcheck::{Row, against_reference};
use minimax::ops::unary::sign;
use minimax::ops::*;
use minimax::{Device, Padding, Tensor};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The checks of `cases` that fail, each on a line.
fn failures(cases: &[Case], orders: &[u8]) -> String {
    // The reference's loops take longest, each on one thread. Not on threads of the kernels' pool: there one that waits
    // for a case's kernel would begin another case in the middle of it.
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(String::new()));
    let check_some = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let rows = orders.iter().map(|&order| against_reference(case, order, Device::Cpu));
            for row in rows.filter(|row: &Row| !row.passed()) {
                *failed.lock().unwrap() += &format!("{row:?}\n");
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(check_some);
        }
    });
    failed.into_inner().unwrap()
}

#[test]
fn every_case_agrees_with_the_reference() {
    let failed = failures(&cases(), &[0, 1, 2]);
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn sizes_beyond_every_block_agree_with_the_reference() {
    let failed = failures(&large::cases(), &[0, 1, 2]);
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn arrays_without_values_agree_with_the_reference() {
    let mut cases = vec![
        elementwise::unary("exp", exp, Values::Normal, &[0, 3]),
        elementwise::binary("add", add, [Values::Normal; 2], [&[0, 3], &[3]]),
        elementwise::binary("mul", mul, [Values::Normal; 2], [&[], &[0]]),
        reductions::sum_over(&[3, 0], &[0]),
        reductions::sum_over(&[3, 0], &[1]),
        reductions::sum_over(&[0, 3], &[0]),
        reductions::sum_over(&[2, 0, 3], &[0, 2]),
        layout::permuted(&[3, 0, 2], &[2, 0, 1]),
        layout::sliced(&[3, 4], &[1..1, 0..4]),
        layout::padded(&[0, 2], &[[1, 1], [0, 1]]),
        layout::joined(&[&[0, 2], &[3, 2]], 0),
        layout::joined(&[&[0, 2], &[0, 1]], 1),
        layout::upsampled([0, 2, 2, 3], 2),
        layout::downsampled([1, 2, 2, 0], 2),
        layers::dropped(&[0], 0.5),
        layers::along("softmax", softmax, &[0, 3], 1),
        layers::along("softmax", softmax, &[3, 0], 0),
        layers::along("softmax", softmax, &[3, 0], 1),
        elementwise::selected([&[3], &[0, 3], &[]]),
        products::product([0, 3, 2], Transpose::NONE),
        products::product([2, 0, 3], Transpose::A),
        products::product([2, 3, 0], Transpose::B),
        products::batched_product(0, [3, 4, 2], Transpose::NONE),
        products::batched_product(2, [3, 0, 2], Transpose::B),
        products::batched_product(2, [0, 3, 2], Transpose::A),
        products::dense_layer([0, 3, 2]),
        products::dense_layer([3, 0, 2]),
    ];
    let finishing = |rate| products::Finishing { biased: true, slope: 0.3, rate, shift: |bias| bias.clone() };
    cases.extend(products::finished([2, 3, 3, 2], 1, 0, [1, 1], finishing(None)));
    cases.extend(products::finished([0, 3, 3, 2], 1, 3, [1, 1], finishing(Some(0.3))));
    for (n, c_in, c_out) in [(0, 3, 2), (2, 0, 3), (2, 3, 0)] {
        let (image, stride) = ([n, 5, 5, c_in], [2, 2]);
        let padding = Padding::same([5, 5], [3, 3], stride);
        cases.extend(products::convolutions(image, [3, 3], c_out, stride, padding, "empty"));
        cases.extend(products::grouped_convolutions([n, 5, 5, 2 * c_in], [3, 3], 2, 2 * c_out, stride, padding));
    }
    for sizes in [[3, 2, 0], [3, 0, 4], [0, 2, 0]] {
        cases.extend(indices::rows(sizes));
    }
    for image in [[0, 4, 4, 3], [2, 4, 4, 0]] {
        cases.extend(layout::resampled(image, [3, 8]));
        cases.extend(pooling::pooled(image, [2, 2], [2, 2], Padding::VALID));
    }
    for case in &cases {
        println!("{} {}", case.op, case.name); // which one, if it panics
        let failed = failures(std::slice::from_ref(case), &[0, 1, 2]);
        assert!(failed.is_empty(), "{failed}");
    }
}

/// Values where f32 ends: no function may overflow on the way to a finite result.
#[test]
fn extreme_arguments_agree_with_the_reference() {
    type Function = fn(&Tensor) -> Tensor;
    let functions: [(&str, Function); 19] = [
        ("exp", exp),
        ("log", log),
        ("sqrt", sqrt),
        ("square", square),
        ("tanh", tanh),
        ("sigmoid", sigmoid),
        ("softplus", softplus),
        ("erf", erf),
        ("gelu", gelu),
        ("silu", silu),
        ("elu", |x| elu(x, 1.0)),
        ("elu of 0.7", |x| elu(x, 0.7)),
        ("abs", abs),
        ("sign", sign),
        ("relu", relu),
        ("leaky_relu", |x| leaky_relu(x, 0.3)),
        ("clamp", |x| clamp(x, -0.5, 0.5)),
        ("softmax", |x| softmax(&concat(&[x, &(x * 0.5)], 0), 0)),
        ("log_softmax", |x| log_softmax(&reshape(x, [1, 1]), 1)),
    ];
    let (infinity, nan) = (f64::INFINITY, f64::NAN);
    for (name, f) in functions {
        for x in [0.0, 1e-30, 1e4, -1e4, 90.0, -90.0, 20.0, -20.0, infinity, -infinity, nan] {
            let on = |device| {
                let x = Tensor::new(&[x], [1], device).parameter();
                f(&x).to_f64()[0]
            };
            let (ours, reference) = (on(Device::Cpu), on(Device::Reference));
            // Past the largest and below the smallest f32, infinity and 0 are right.
            let reference = f64::from(reference as f32);
            let close = (ours - reference).abs() <= 1e-6 * reference.abs() + 1e-37;
            let same = ours == reference || (ours.is_nan() && reference.is_nan()) || close;
            assert!(same, "{name}({x}) is {ours}, on the reference {reference}");
        }
    }
}

/// A loss that is not a number must show: it is how a run that diverged is told.
#[test]
fn no_op_swallows_what_is_not_a_number() {
    for device in [Device::Reference, Device::Cpu] {
        let with_nan = |at: usize| {
            let mut values = [0.5; 12];
            values[at] = f64::NAN;
            Tensor::new(&values, [12], device)
        };
        let half = Tensor::full(0.5, [12], device);
        for at in [0, 5, 11] {
            let x = with_nan(at);
            let results = [
                ("maximum left", maximum(&x, &half)),
                ("maximum right", maximum(&half, &x)),
                ("minimum left", minimum(&x, &half)),
                ("minimum right", minimum(&half, &x)),
                ("clamp", clamp(&x, 0.0, 1.0)),
                ("relu", relu(&x)),
                ("max", max(&x, &[0])),
                ("max across", max(&reshape(&x, [12, 1]), &[0])),
                ("max_pool2d", max_pool2d(&reshape(&x, [1, 3, 4, 1]), [3, 2], [3, 2], Padding::VALID)),
                ("avg_pool2d", avg_pool2d(&reshape(&x, [1, 3, 4, 1]), [3, 2], [3, 2], Padding::VALID)),
                ("softmax", softmax(&x, 0)),
                ("softmax across", softmax(&reshape(&x, [12, 1]), 0)),
                ("log_softmax", log_softmax(&x, 0)),
                ("select left", select(&half, &x, &half)),
                ("select right", select(&(&half - &half), &half, &x)),
                ("binary_cross_entropy", binary_cross_entropy(&x, &half)),
                ("with logits", binary_cross_entropy_with_logits(&x, &half)),
            ];
            for (name, y) in results {
                let shown = y.to_f64().iter().any(|v| v.is_nan());
                assert!(shown, "{name} on {device}, at {at}");
            }
        }
    }
}
