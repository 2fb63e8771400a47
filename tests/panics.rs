//! A programmer's mistake panics at the line that makes it, with the op's name and every shape.

use minimax::nn::{Activation, Conv2d, Layer, Residual, Sequential};
use minimax::ops::{self, Finish, Transpose};
use minimax::optim::{Optimizer, Sgd};
use minimax::random::{Purpose, Random};
use minimax::{Device, Padding, Shape, Tensor, grad};
use std::cell::RefCell;
use std::panic::{catch_unwind, set_hook};
use std::process::Command;

thread_local! {
    /// The file and the message of this thread's last panic.
    static LAST: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

fn ones(shape: &[usize]) -> Tensor {
    Tensor::ones(shape, Device::Cpu)
}

#[track_caller]
fn finished(finish: Finish) -> Tensor {
    ops::finished_conv2d(&ones(&[1, 2, 2, 1]), &ones(&[1, 1, 1, 2]), 1, [1, 1], Padding::VALID, finish)
}

/// A row: a mistake, and how its message begins.
const MISTAKES: &[(fn(), &str)] = &[
    (|| drop(ops::add(&ones(&[2]), &ones(&[3]))), "add: shapes [2] and [3] don't broadcast"),
    (|| drop(ones(&[2]) * ones(&[4, 3])), "mul: shapes [2] and [4, 3] don't broadcast"),
    (
        || drop(&ones(&[2]) / Tensor::ones([2], Device::Reference)),
        "div: the inputs must be on one device, not [2] on cpu and [2] on reference",
    ),
    (|| drop(ops::sum(&ones(&[2, 3]), &[1, 1])), "sum: axes [1, 1] of an input of shape [2, 3]"),
    (|| drop(ops::mean(&ones(&[2, 3]), &[2])), "mean: axes [2] of an input of shape [2, 3]"),
    (|| drop(ops::max(&ones(&[2, 0]), &[1])), "max: an input of shape [2, 0] is empty"),
    (|| drop(ops::sum_to(&ones(&[2, 3]), [2].into())), "sum_to: [2] doesn't broadcast to [2, 3]"),
    (|| drop(ops::broadcast_to(&ones(&[2]), [2, 3])), "broadcast_to: [2] can't be stretched to [2, 3]"),
    (|| drop(ops::concat(&[], 0)), "concat: shapes [] along axis 0"),
    (|| drop(ops::concat(&[&ones(&[2])], 1)), "concat: shapes [[2]] along axis 1"),
    (|| drop(ops::concat(&[&ones(&[2, 3]), &ones(&[2])], 0)), "concat: shapes [[2, 3], [2]] must agree but for axis 0"),
    (|| drop(ops::reshape(&ones(&[2, 3]), [4])), "reshape: 6 values of shape [2, 3] don't fit [4]"),
    (|| drop(ops::slice(&ones(&[2, 3]), &[0..2, 1..4])), "slice: ranges [0..2, 1..4] of an input of shape [2, 3]"),
    (|| drop(ops::pad(&ones(&[2]), &[])), "pad: [] around an input of shape [2]"),
    (|| drop(ops::permute(&ones(&[2, 3]), &[0, 0])), "permute: axes [0, 0] of an input of shape [2, 3]"),
    (|| drop(finished(Finish::with_bias(Some(&ones(&[3]))))), "grouped_conv2d: bias [3] for 2 channels"),
    (
        || drop(finished(Finish::with_bias(Some(&Tensor::ones([2], Device::Reference))))),
        "grouped_conv2d: the inputs must be on one device, not [1, 2, 2, 1] on cpu and [2] on reference",
    ),
    (|| drop(finished(Finish { slope: -0.1, ..Finish::NOTHING })), "leaky_relu: slope -0.1 must not be negative"),
    (
        || drop(ops::matmul(&ones(&[2, 3]), &ones(&[2, 3]), Transpose::NONE)),
        "matmul: inner lengths 3 and 2 of [2, 3] and [2, 3]",
    ),
    (
        || drop(ops::batched_matmul(&ones(&[2, 2, 3]), &ones(&[3, 3, 2]), Transpose::NONE)),
        "batched_matmul: [2, 2, 3] and [3, 3, 2] are of 2 and 3 matrices",
    ),
    (
        || drop(ops::batched_matmul(&ones(&[2, 2, 3]), &ones(&[2, 3, 2]), Transpose::B)),
        "batched_matmul: inner lengths 3 and 2 of [2, 2, 3] and [2, 3, 2]",
    ),
    (|| drop(ops::bilinear(&ones(&[2, 3]), [2, 2])), "bilinear: x [2, 3] must have 4 axes"),
    (|| drop(ops::bilinear(&ones(&[1, 2, 3, 1]), [2, 0])), "bilinear: images of [2, 3] and [2, 0] must have pixels"),
    (
        || drop(ops::dense(&ones(&[2, 3]), &ones(&[3, 4]), &ones(&[5]))),
        "dense: x [2, 3], weight [3, 4] and bias [5] don't fit",
    ),
    (
        || {
            let (x, weight) = (ones(&[1, 2, 2, 1]), ones(&[3, 3, 1, 1]));
            drop(ops::conv2d(&x, &weight, [1, 1], Padding::VALID));
        },
        "conv2d: weight [3, 3, 1, 1] is larger than input [1, 2, 2, 1]",
    ),
    (
        || {
            let (x, weight) = (ones(&[1, 2, 2, 6]), ones(&[1, 1, 2, 4]));
            drop(ops::grouped_conv2d(&x, &weight, 3, [1, 1], Padding::VALID));
        },
        "grouped_conv2d: 3 groups don't divide the 6 channels of input [1, 2, 2, 6] and the 4 of weight [1, 1, 2, 4]",
    ),
    (
        || drop(ops::batch_norm(&ones(&[2, 3]), &ones(&[3]), &ones(&[2]), 0.1)),
        "batch_norm: x [2, 3] with [[3], [2]] per channel",
    ),
    (|| drop(ops::upsample_nearest(&ones(&[2, 3]), 2)), "upsample_nearest: x [2, 3] must have 4 axes"),
    (|| drop(ops::argmax(&ones(&[2, 3]), 2)), "argmax: axes [2] of an input of shape [2, 3]"),
    (|| drop(ops::argmax(&ones(&[2, 0]), 0)), "argmax: an input of shape [2, 0] is empty"),
    (|| drop(ops::one_hot(&ones(&[2, 3]), 4)), "one_hot: labels [2, 3] must have one axis"),
    (|| drop(ops::one_hot(&ones(&[2]), 1)), "one_hot: label 1 must be a whole number, at least 0 and below 1"),
    (|| drop(ops::one_hot(&(ones(&[2]) * 0.5), 4)), "one_hot: label 0.5 must be a whole number"),
    (|| drop(ops::one_hot(&(ones(&[2]) * f64::NAN), 4)), "one_hot: label NaN must be a whole number"),
    (|| drop(ops::gather(&ones(&[2]), &ones(&[2]))), "gather: table [2] must have 2 axes and indices [2] one"),
    (
        || drop(ops::gather(&ones(&[2, 3]), &(ones(&[2]) * 2.0))),
        "gather: index 2 must be a whole number, at least 0 and below 2",
    ),
    (
        || drop(ops::gather(&ones(&[2, 3]), &-ones(&[2]))),
        "gather: index -1 must be a whole number, at least 0 and below 2",
    ),
    (
        || drop(ops::gather(&ones(&[2, 3]), &Tensor::ones([2], Device::Reference))),
        "gather: the inputs must be on one device, not [2, 3] on cpu and [2] on reference",
    ),
    (
        || drop(ops::scatter_add(&ones(&[2, 3]), &ones(&[3]), 4)),
        "scatter_add: values [2, 3] must have a row for each of indices [3]",
    ),
    (
        || drop(ops::scatter_add(&ones(&[2, 3]), &ones(&[2]), 1)),
        "scatter_add: index 1 must be a whole number, at least 0 and below 1",
    ),
    (|| drop(ops::select(&ones(&[2]), &ones(&[2]), &ones(&[3]))), "select: shapes [2], [2] and [3] don't broadcast"),
    (
        || drop(ops::select(&ones(&[2]), &Tensor::ones([2], Device::Reference), &ones(&[2]))),
        "select: the inputs must be on one device, not [2] on cpu and [2] on reference and [2] on cpu",
    ),
    (|| drop(ops::softmax(&ones(&[2, 3]), 2)), "softmax: axes [2] of an input of shape [2, 3]"),
    (|| drop(ops::log_softmax(&ones(&[2, 3]), 2)), "log_softmax: axis 2 of an input of shape [2, 3]"),
    (|| drop(ops::max_pool2d(&ones(&[2, 3]), [2, 2], [2, 2], Padding::VALID)), "max_pool2d: x [2, 3] must have 4 axes"),
    (
        || drop(ops::max_pool2d(&ones(&[1, 0, 2, 1]), [1, 1], [1, 1], Padding::VALID)),
        "max_pool2d: x [1, 0, 2, 1] has no pixels",
    ),
    (
        || drop(ops::avg_pool2d(&ones(&[1, 2, 2, 1]), [3, 2], [1, 1], Padding::VALID)),
        "avg_pool2d: window [3, 2] is larger than x [1, 2, 2, 1] with padding Padding { top: 0",
    ),
    (
        || drop(ops::avg_pool2d(&ones(&[1, 2, 2, 1]), [1, 2], [1, 1], Padding::symmetric(1))),
        "avg_pool2d: Padding { top: 1, bottom: 1, left: 1, right: 1 } must be less than the window [1, 2] on every side",
    ),
    (
        || drop(ops::avg_pool2d_grad(&ones(&[1, 2, 2, 1]), [2, 2], [2, 2], [2, 2], Padding::VALID)),
        "avg_pool2d_grad: windows [2, 2] of [1, 2, 2, 1] with stride [2, 2] and Padding",
    ),
    (|| drop(ops::leaky_relu(&ones(&[1]), -0.1)), "leaky_relu: slope -0.1 must not be negative"),
    (|| drop(ops::cross_entropy(&ones(&[2, 3]), &ones(&[2, 2]))), "cross_entropy: logits [2, 3] and targets [2, 2]"),
    (|| drop(ops::mean_squared_error(&ones(&[2]), &ones(&[3]))), "sub: shapes [2] and [3] don't broadcast"),
    (|| drop(Tensor::new(&[1.0], [2], Device::Cpu)), "tensor: shape [2] holds 2 values, not 1"),
    (
        || {
            ones(&[2]).item();
        },
        "item: shape [2] holds 2 values, not one",
    ),
    (|| drop(Tensor::zeros([1; 7], Device::Cpu)), "shape [1, 1, 1, 1, 1, 1, 1] has more than 6 axes"),
    (
        || drop(Tensor::zeros([1 << 40, 1 << 24], Device::Cpu)),
        "shape [1099511627776, 16777216] has more values than could be in memory",
    ),
    (
        || drop(Tensor::new(&[], [0, 1 << 40, 1 << 24], Device::Reference)),
        "shape [0, 1099511627776, 16777216] has more values than could be in memory",
    ),
    (
        || {
            Shape::new(&[2, 1 << 40]).with_axis(0, 1 << 40);
        },
        "shape [1099511627776, 1099511627776] has more values than could be in memory",
    ),
    (
        || {
            let (column, row) = (Shape::new(&[1 << 40, 1]), Shape::new(&[1 << 40]));
            column.broadcast(row);
        },
        "shape [1099511627776, 1099511627776] has more values than could be in memory",
    ),
    (
        || drop(ops::pad(&ones(&[1]), &[[usize::MAX, 2]])),
        "shape [18446744073709551615] has more values than could be in memory",
    ),
    (
        || drop(ops::upsample_nearest(&ones(&[1, 1, 1, 1]), 1 << 32)),
        "shape [1, 4294967296, 4294967296, 1] has more values than could be in memory",
    ),
    (
        || {
            let (x, weight) = (ones(&[1, 2, 2, 1]), ones(&[3, 3, 1, 1]));
            let around = Padding::symmetric(usize::MAX / 2 + 1);
            drop(ops::conv2d(&x, &weight, [1, 1], around));
        },
        "conv2d: Padding { top: 9223372036854775808, bottom: 9223372036854775808, left: \
         9223372036854775808, right: 9223372036854775808 } around [1, 2, 2, 1] is more than could be in memory",
    ),
    (
        || {
            let (x, weight) = (ones(&[1, 2, 2, 1]), ones(&[3, 3, 1, 1]));
            drop(ops::conv2d(&x, &weight, [1 << 40; 2], Padding::symmetric(1 << 30)));
        },
        "shape [1, 2147483650, 2147483650, 1] has more values than could be in memory",
    ),
    // Device 1,000 is not there, with a driver or without.
    (|| drop(Tensor::ones([3], Device::Cuda(1000))), "cuda"),
    (|| drop(ones(&[3]).to(Device::Cuda(1000))), "cuda"),
    (|| drop(Tensor::from_f32(&[1.0], [1], Device::Cuda(1000))), "cuda"),
    (|| drop(Tensor::zeros([1 << 50], Device::Cpu)), "no memory for 4503599627.4 MB more"),
    (|| drop(Tensor::zeros([1 << 50], Device::Reference)), "no memory for 9007199254.7 MB more"),
    (|| ones(&[2]).assign(ones(&[3])), "assign: [3] on cpu for [2] on cpu"),
    (|| ones(&[2]).assign(Tensor::ones([2], Device::Reference)), "assign: [2] on reference for [2] on cpu"),
    (
        || {
            Shape::new(&[2]).with_axis(1, 3);
        },
        "shape [2] has no axis 1",
    ),
    (
        || {
            Shape::new(&[2]).broadcast_strides([3].into());
        },
        "shape [2] can't be stretched to [3]",
    ),
    (
        || {
            Padding::same([4, 4], [3, 3], [0, 1]);
        },
        "same padding: stride [0, 1] must be positive",
    ),
    (|| drop(ones(&[2, 3]).index((1, 1..4))), "index: [At(1), Within(1, Some(4))] of a tensor of shape [2, 3]"),
    (|| drop(ones(&[2]).index((0, 0))), "index: [At(0), At(0)] of a tensor of shape [2]"),
    (|| drop(ones(&[2]).sum(1)), "sum: axes [1] of an input of shape [2]"),
    (|| drop(ones(&[2, 3]).squeeze(0)), "squeeze: axis 0 of a tensor of shape [2, 3]"),
    (|| drop(ones(&[2]).transposed()), "transposed: a tensor of shape [2]"),
    (|| drop(ops::stack(&[&ones(&[2]), &ones(&[3])], 0)), "stack: shapes [[2], [3]] must be one"),
    (|| drop(ops::pow(&ones(&[2]), &ones(&[3]))), "pow: shapes [2] and [3] don't broadcast"),
    (|| drop(grad(&ones(&[2]), &[], false)), "grad: the loss has shape [2] and must hold one value"),
    (
        || drop(Random::new(1, Purpose::CHECK).permutation(1 << 32)),
        "permutation: 4294967296 is more than 4294967295 numbers",
    ),
    (
        || {
            let rule = Sgd::new(0.1);
            let mut p = ones(&[2]);
            Optimizer::new(rule, &[&p]).step(vec![&mut p], &[ones(&[3])]);
        },
        "optimizer: parameter [2] and gradient [3]",
    ),
];

/// What the test below runs in a process of its own.
#[test]
#[ignore = "it panics, which is looked at from outside"]
fn a_layer_that_panics() {
    let block = Sequential::default().add(Activation::Relu).add_named("conv", Conv2d::new(3, 8, 3));
    let mut network = Sequential::default().add(Residual::new(vec![Box::new(block)], vec![]));
    network.predict(&ones(&[1, 28, 28, 1]));
}

#[test]
fn a_panic_in_a_layer_says_which_one_and_who_called_it() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--ignored", "--exact", "--nocapture", "a_layer_that_panics"];
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = [
        "conv2d: input [1, 28, 28, 1]",
        "in layer 2, conv (Conv2d) of the Sequential\n",
        "in layer 1 (Sequential) of the Residual's layers\n",
        &format!("in layer 1 (Residual) of the Sequential called at {}:", file!()),
    ];
    let mut rest = &said[..];
    for words in expected {
        let at = rest.find(words).unwrap_or_else(|| panic!("no {words:?} in {said}"));
        rest = &rest[at + words.len()..];
    }
}

#[test]
fn a_mistake_panics_where_it_is_made() {
    set_hook(Box::new(|info| {
        let file = info.location().map_or("", |at| at.file()).to_string();
        let message = info.payload_as_str().unwrap_or_default().to_string();
        LAST.set((file, message));
    }));
    let mut wrong = String::new();
    for (mistake, expected) in MISTAKES {
        let panicked = catch_unwind(mistake).is_err();
        let (file, message) = LAST.take();
        if !panicked || file != file!() || !message.starts_with(expected) {
            wrong += &format!("\n{expected}\n  was {message:?} in {file:?}");
        }
    }
    let _ = std::panic::take_hook();
    assert!(wrong.is_empty(), "{wrong}");
}
