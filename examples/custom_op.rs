//! An op of one's own, with its derivative rule, held to finite differences by the crate's own check.
//!
//! ```text
//! cargo run --release --example custom_op
//! ```

use minimax::autograd::{Call, Keeps, Op, record};
use minimax::check::cases::{Case, normal};
use minimax::check::gradcheck::{against_differences, against_reference};
use minimax::storage::Storage;
use minimax::{Device, Tensor};
use std::f64::consts::FRAC_PI_2;

/// The sine, a number of quarter turns ahead:
///
/// ```text
/// y = sin(x + turns · π/2)        x̄ = ȳ · sin(x + (turns + 1) · π/2)
/// ```
fn sine(x: &Tensor, turns: u32) -> Tensor {
    let shift = f64::from(turns % 4) * FRAC_PI_2;
    // The reference device computes in f64. Elsewhere values are f32; on a GPU they are copied to the processor and back.
    let storage = match x.storage() {
        Storage::Reference(values) => {
            let y: Vec<f64> = values.iter().map(|x| libm::sin(x + shift)).collect();
            Storage::from_f64(&y, x.device())
        }
        _ => {
            let y: Vec<f32> = x.to_f32().iter().map(|x| libm::sinf(x + shift as f32)).collect();
            Storage::from_f32(&y, x.device())
        }
    };
    record(Sine { turns }, &[x], x.shape(), storage)
}

/// What the op is remembered as: its attributes, and its rule.
struct Sine {
    turns: u32,
}

impl Op for Sine {
    fn name(&self) -> &'static str {
        "sine"
    }

    /// The rule reads x.
    fn keeps(&self) -> Keeps {
        Keeps::Inputs
    }

    /// A rule is made of ops, here of this very one, so that it can be differentiated in turn.
    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(grad * sine(&call.input(0), self.turns + 1))]
    }
}

fn main() {
    let x = Tensor::new(&[0.0, 0.5, 1.0, 1.5], [4], Device::Cpu);
    println!("x      {x}\nsin x  {}\ncos x  {}\n", sine(&x, 0), sine(&x, 1));

    let case = Case::new("sine", "[4, 7]", &[normal([4, 7])], |t| sine(&t[0], 0));
    let rows = [
        ("first derivatives against differences", against_differences(&case, 1)),
        ("second derivatives against differences", against_differences(&case, 2)),
        ("values on the CPU against the reference", against_reference(&case, 0, Device::Cpu)),
        ("gradients on the CPU against the reference", against_reference(&case, 1, Device::Cpu)),
    ];
    for (what, row) in rows {
        println!("{what}: off by {:.1e}, allowed {:.0e}", row.error, row.limit);
        assert!(row.passed(), "{what}");
    }

    // A rule that is wrong is found out: detached, one factor of x² takes its half of the gradient with it.
    let wrong = Case::new("wrong", "[4, 7]", &[normal([4, 7])], |t| &t[0] * t[0].detach());
    let row = against_differences(&wrong, 1);
    println!("a wrong rule: off by {:.1e}, allowed {:.0e}", row.error, row.limit);
    assert!(!row.passed());
}
