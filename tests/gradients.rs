//! Every case's first and second derivatives against finite differences, random shapes and
//! attributes of the ops that have many, and the checker itself against rules that are wrong.

use minimax::autograd::{Call, Op, record, recording};
use minimax::check::cases::{
    Case, Values, cases, elementwise, indices, layers, layout, normal, pooling, products, reductions,
};
use minimax::check::gradcheck::check;
use minimax::ops::{Transpose, add, div, log_softmax, mul, softmax, square, sub};
use minimax::{Device, Padding, Tensor};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::RngSeed;
use std::ops::Range;

#[test]
fn every_case_agrees_with_finite_differences() {
    let cases = cases();
    let rows = cases.iter().flat_map(|c| check(c, &[1, 2], Device::Reference));
    let failed = rows.filter(|row| !row.passed());
    let failed: String = failed.map(|row| format!("{row:?}\n")).collect();
    assert!(failed.is_empty(), "\n{failed}");
}

/// x², with a rule that is wrong in one way.
#[derive(Clone, Copy, Debug)]
enum WrongSquare {
    /// The gradient is a little too large.
    Factor,
    /// The gradient is right, but takes x for a constant when it is differentiated.
    ConstantInput,
    /// The gradient is right only when the walk isn't recorded.
    WhenRecorded,
    /// The gradient is no number.
    NotANumber,
    /// The gradient is missing.
    Missing,
    /// The gradient is a little too large on the CPU alone.
    FactorOnCpu,
}

impl WrongSquare {
    fn case(self) -> Case {
        Case::new("square", format!("{self:?}"), &[normal([3, 5])], move |t| {
            let y = square(&t[0].detach());
            record(self, &[&t[0]], y.shape(), y.storage().clone())
        })
    }
}

impl Op for WrongSquare {
    fn name(&self) -> &'static str {
        "square"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let x = call.input(0);
        let scaled = |factor: f64| Some(mul(grad, &(&x * (2.0 * factor))));
        vec![match self {
            WrongSquare::Factor => scaled(1.0001),
            WrongSquare::ConstantInput => Some(mul(grad, &(&x.detach() * 2.0))),
            WrongSquare::WhenRecorded => scaled(if recording() { 1.0001 } else { 1.0 }),
            WrongSquare::NotANumber => scaled(f64::NAN),
            WrongSquare::Missing => None,
            WrongSquare::FactorOnCpu => scaled(match grad.device() {
                Device::Cpu => 1.0001,
                _ => 1.0,
            }),
        }]
    }
}

#[test]
fn a_wrong_rule_is_caught() {
    use WrongSquare::*;
    // A row: the fault, which of orders 1 and 2 pass against finite differences, and which of 0, 1
    // and 2 on the CPU. A first derivative that is wrong has a right derivative of its own, so the
    // second order is there for what it alone sees.
    for (wrong, differences, parity) in [
        (Factor, [false, true], [true, true, true]),
        (ConstantInput, [true, false], [true, true, true]),
        (WhenRecorded, [false, true], [true, true, true]),
        (NotANumber, [false, false], [true, false, false]),
        (Missing, [false, true], [true, true, true]),
        (FactorOnCpu, [true, true], [true, false, false]),
    ] {
        let passed = |orders: &[u8], device| -> Vec<bool> {
            let rows = check(&wrong.case(), orders, device);
            rows.iter().map(|row| row.passed()).collect()
        };
        let found = passed(&[1, 2], Device::Reference);
        assert_eq!(found, differences, "{wrong:?}");
        assert_eq!(passed(&[0, 1, 2], Device::Cpu), parity, "{wrong:?}");
    }
}

#[test]
fn a_wrong_value_is_caught() {
    let case = Case::new("square", "values off on the CPU", &[normal([7])], |t| {
        let off = f64::from(u8::from(t[0].device() == Device::Cpu));
        &square(&t[0]) * (1.0 + 1e-4 * off)
    });
    assert!(!check(&case, &[0], Device::Cpu)[0].passed());
}

/// The limit of parity for random shapes. It is looser than the table's, since a result of a single
/// value may be a sum that cancels, of which f32 holds fewer digits; a kernel that is wrong at some
/// shape is off by about 1.
const RANDOM_PARITY_LIMIT: f64 = 1e-7;

/// Holds `case` to finite differences and the CPU to the reference, in all orders.
fn holds(case: &Case) -> Result<(), TestCaseError> {
    for row in check(case, &[1, 2], Device::Reference) {
        prop_assert!(row.passed(), "{row:?}");
    }
    for row in check(case, &[0, 1, 2], Device::Cpu) {
        prop_assert!(row.error <= RANDOM_PARITY_LIMIT, "on the CPU: {row:?}");
    }
    Ok(())
}

/// Always the same cases, so that a failure is the change's and not the day's.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 256, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() }
}

fn channels() -> impl Strategy<Value = usize> {
    select(vec![1, 2, 3, 17])
}

/// Shapes of 1 to 4 axes of lengths 1 to 5.
fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..=5_usize, 1..=4)
}

/// Image, kernel, output channels, stride and padding of a convolution whose kernel fits the padded
/// image.
fn convolution() -> impl Strategy<Value = ([usize; 4], [usize; 2], usize, [usize; 2], Padding, &'static str)> {
    let image = (1..=2_usize, 1..=8_usize, 1..=8_usize, channels());
    let image = image.prop_map(|(n, h, w, c)| [n, h, w, c]);
    let kernel = [1..=5_usize, 1..=5];
    let stride = [1..=6_usize, 1..=6];
    let padding = prop_oneof![
        Just(None),
        [0..=3_usize, 0..=3, 0..=3, 0..=3].prop_map(|[top, bottom, left, right]| Some(Padding {
            top,
            bottom,
            left,
            right
        })),
    ];
    let fits = |([_, h, w, _], [kh, kw], _, _, p, _): &([usize; 4], [usize; 2], usize, _, _, _)| {
        let p: &Padding = p;
        h + p.top + p.bottom >= *kh && w + p.left + p.right >= *kw
    };
    (image, kernel, channels(), stride, padding)
        .prop_map(|(image, kernel, c_out, stride, padding)| {
            let same = || Padding::same([image[1], image[2]], kernel, stride);
            match padding {
                None => (image, kernel, c_out, stride, same(), "same"),
                Some(padding) => (image, kernel, c_out, stride, padding, "explicit"),
            }
        })
        .prop_filter("the kernel fits", fits)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_convolutions((image, kernel, c_out, stride, padding, name) in convolution()) {
        for case in products::convolutions(image, kernel, c_out, stride, padding, name) {
            holds(&case)?;
        }
    }

    #[test]
    fn random_products(size in [1..=19_usize, 1..=19, 1..=19], a: bool, b: bool) {
        holds(&products::product(size, Transpose { a, b }))?;
        holds(&products::dense_layer(size))?;
    }

    #[test]
    fn random_reductions(
        (shape, axes) in shape().prop_flat_map(|shape| {
            let axes = subsequence((0..shape.len()).collect::<Vec<_>>(), 1..=shape.len());
            (Just(shape), axes.prop_shuffle())
        }),
    ) {
        holds(&reductions::sum_over(&shape, &axes))?;
        holds(&reductions::mean_over(&shape, &axes))?;
        holds(&reductions::max_over(&shape, &axes))?;
    }

    #[test]
    fn random_broadcasts(
        (a, b) in shape().prop_flat_map(|whole| {
            let side = |whole: Vec<usize>| {
                let kept = prop::collection::vec(any::<bool>(), whole.len());
                (0..=whole.len(), kept).prop_map(move |(missing, kept)| {
                    let axes = whole.iter().zip(kept).skip(missing);
                    axes.map(|(&n, kept)| if kept { n } else { 1 }).collect::<Vec<_>>()
                })
            };
            (side(whole.clone()), side(whole))
        }),
    ) {
        let values = [Values::Normal, Values::Positive];
        holds(&elementwise::binary("add", add, values, [&a, &b]))?;
        holds(&elementwise::binary("sub", sub, values, [&a, &b]))?;
        holds(&elementwise::binary("mul", mul, values, [&a, &b]))?;
        holds(&elementwise::binary("div", div, values, [&a, &b]))?;
    }

    #[test]
    fn random_boxes(
        axes in prop::collection::vec((0..=3_usize, 1..=4_usize, 0..=3_usize), 1..=4),
    ) {
        let inner: Vec<usize> = axes.iter().map(|&(_, n, _)| n).collect();
        let outer: Vec<usize> = axes.iter().map(|&(before, n, after)| before + n + after).collect();
        let zeros: Vec<[usize; 2]> = axes.iter().map(|&(before, _, after)| [before, after]).collect();
        let ranges: Vec<Range<usize>> = axes.iter().map(|&(before, n, _)| before..before + n).collect();
        holds(&layout::padded(&inner, &zeros))?;
        holds(&layout::sliced(&outer, &ranges))?;
    }

    #[test]
    fn random_permutations(
        (shape, axes) in shape().prop_flat_map(|shape| {
            let axes = Just((0..shape.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(shape), axes)
        }),
    ) {
        holds(&layout::permuted(&shape, &axes))?;
    }

    #[test]
    fn random_upsampling(
        n in 1..=3_usize, h in 1..=5_usize, w in 1..=5_usize, c in channels(), factor in 1..=4_usize,
    ) {
        holds(&layout::upsampled([n, h, w, c], factor))?;
        holds(&layout::downsampled([n, h, w, c], factor))?;
    }

    #[test]
    fn random_axes(
        (shape, axis) in shape().prop_flat_map(|shape| {
            let axes = 0..shape.len();
            (Just(shape), axes)
        }),
    ) {
        holds(&indices::largest(&shape, axis))?;
        holds(&layers::along("softmax", softmax, &shape, axis))?;
        holds(&layers::along("log_softmax", log_softmax, &shape, axis))?;
    }

    #[test]
    fn random_rows(rows in 1..=9_usize, width in channels(), n in 1..=20_usize) {
        for case in indices::rows([rows, width, n]) {
            holds(&case)?;
        }
    }

    #[test]
    fn random_poolings(
        ([h, w], kernel, stride, [top, bottom, left, right]) in ([1..=7_usize, 1..=7], [1..=4_usize, 1..=4])
            .prop_flat_map(|(image, kernel)| {
                let padding = [0..kernel[0], 0..kernel[0], 0..kernel[1], 0..kernel[1]];
                (Just(image), Just(kernel), [1..=4_usize, 1..=4], padding)
            })
            .prop_filter("the window fits", |([h, w], [kh, kw], _, [top, bottom, left, right])| {
                h + top + bottom >= *kh && w + left + right >= *kw
            }),
        n in 1..=2_usize,
        c in channels(),
    ) {
        for case in pooling::pooled([n, h, w, c], kernel, stride, Padding { top, bottom, left, right }) {
            holds(&case)?;
        }
    }

    // At least three rows: of two, the normalised values are ±1 but for epsilon, and x̄ cancels in f32.
    #[test]
    fn random_batch_norms(n in 3..=6_usize, h in 1..=3_usize, w in 1..=3_usize, c in channels()) {
        holds(&layers::normalised(&[n, h, w, c], 1e-3))?;
        holds(&layers::normalised(&[n * h, c], 1e-3))?;
    }
}
