//! What the walk promises: which gradients it gives, which it never computes, and what it lets go of.

use minimax::autograd::{Call, Keeps, Op, record, try_grad, vjp};
use minimax::ops::{mul, square, sum};
use minimax::{Device, Tensor, grad, no_grad};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

fn parameter(values: &[f64]) -> Tensor {
    Tensor::new(values, [values.len()], Device::Reference).parameter()
}

fn total(x: &Tensor) -> Tensor {
    sum(x, &[0])
}

#[test]
fn a_tensor_with_a_history_may_be_asked_for() {
    let x = parameter(&[1.0, 2.0]);
    let h = &x * 3.0;
    let grads = grad(&total(&square(&h)), &[&h, &x], false);
    assert_eq!(grads[0].to_f64(), [6.0, 12.0]);
    assert_eq!(grads[1].to_f64(), [18.0, 36.0]);
}

#[test]
fn what_the_loss_does_not_depend_on_may_be_an_error() {
    let (x, other) = (parameter(&[1.0, 2.0]), parameter(&[5.0; 3]));
    let loss = total(&square(&x));
    let said = |parameters: &[&Tensor]| try_grad(&loss, parameters, false).unwrap_err().to_string();
    assert_eq!(try_grad(&loss, &[&x], false).unwrap()[0].to_f64(), [2.0, 4.0]);
    let expected = "grad: tensor 1, of shape [3]: the loss doesn't depend on it, as its record doesn't lead to it";
    assert_eq!(said(&[&x, &other]), expected);
    let expected = "grad: tensor 0, of shape [2]: the loss doesn't depend on it, as it has no record";
    assert_eq!(said(&[&x.detach()]), expected);
}

#[test]
fn what_the_loss_does_not_depend_on_gets_zeros() {
    let (x, other) = (parameter(&[1.0, 2.0]), parameter(&[5.0; 3]));
    let constant = other.detach();
    let grads = grad(&total(&x), &[&other, &constant, &x], false);
    assert_eq!(grads[0].to_f64(), [0.0; 3]);
    assert_eq!(grads[1].to_f64(), [0.0; 3]);
    assert_eq!(grads[2].to_f64(), [1.0; 2]);
    let of_constant = grad(&Tensor::ones([], Device::Reference), &[&x], false);
    assert_eq!(of_constant[0].to_f64(), [0.0; 2]);
}

#[test]
fn a_parameter_asked_twice_is_answered_twice() {
    let x = parameter(&[3.0]);
    let grads = grad(&total(&square(&x)), &[&x, &x.clone()], false);
    assert_eq!((grads[0].item(), grads[1].item()), (6.0, 6.0));
}

#[test]
fn paths_that_meet_are_added() {
    let x = parameter(&[3.0]);
    let (a, b) = (square(&x), &x * 5.0);
    let y = &mul(&a, &b) + &(&a + &x); // 5x³ + x² + x
    assert_eq!(grad(&total(&y), &[&x], false)[0].item(), 142.0);
}

#[test]
fn the_third_derivative_of_the_fourth_power() {
    let x = parameter(&[1.5, -2.0]);
    let mut y = total(&mul(&square(&x), &mul(&x, &x)));
    for _ in 0..2 {
        y = total(&grad(&y, &[&x], true)[0]);
    }
    assert_eq!(grad(&y, &[&x], false)[0].to_f64(), [36.0, -48.0]);
}

#[test]
fn nothing_is_recorded_where_recording_is_off() {
    let x = parameter(&[2.0]);
    assert!(!no_grad(|| square(&x)).requires_grad());
    assert!(square(&x).requires_grad());
    let first = grad(&total(&square(&x)), &[&x], false);
    assert!(!first[0].requires_grad());
    let panicked = std::panic::catch_unwind(|| no_grad(|| panic!("inside")));
    assert!(panicked.is_err() && square(&x).requires_grad());
}

/// a · b, counting how often the gradient of each is computed.
struct CountingProduct(Arc<[AtomicUsize; 2]>);

impl Op for CountingProduct {
    fn name(&self) -> &'static str {
        "counting_product"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let gradient = |i: usize| {
            self.0[i].fetch_add(1, Ordering::Relaxed);
            grad * &call.input(1 - i)
        };
        vec![call.wants(0).then(|| gradient(0)), call.wants(1).then(|| gradient(1))]
    }
}

/// The generator's step goes through the discriminator without computing the gradients of its weights.
#[test]
fn gradients_that_nobody_asks_for_are_not_computed() {
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let product = |a: &Tensor, b: &Tensor| {
        let value = mul(&a.detach(), &b.detach());
        let op = CountingProduct(Arc::clone(&counts));
        record(op, &[a, b], value.shape(), value.storage().clone())
    };
    let (latent, generator) = (Tensor::new(&[0.5], [1], Device::Reference), parameter(&[2.0]));
    let discriminator = parameter(&[3.0]);
    let fake = mul(&latent, &generator);
    let loss = total(&product(&product(&fake, &discriminator), &discriminator));
    let seen = || [&counts[0], &counts[1]].map(|count| count.load(Ordering::Relaxed));

    assert_eq!(grad(&loss, &[&generator], false)[0].item(), 4.5);
    assert_eq!(seen(), [2, 0]);
    // The discriminator's step stops at the fake images: the inner product's input isn't on the way.
    assert_eq!(grad(&loss, &[&discriminator], false)[0].item(), 6.0);
    assert_eq!(seen(), [3, 2]);
}

/// The identity; its rule notes how many of the ops in `later` are still alive.
struct Watching {
    later: Vec<Weak<()>>,
    alive_at_walk: Arc<Mutex<Vec<usize>>>,
    _alive: Arc<()>,
}

impl Op for Watching {
    fn name(&self) -> &'static str {
        "watching"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let alive = self.later.iter().filter(|op| op.strong_count() > 0);
        self.alive_at_walk.lock().unwrap().push(alive.count());
        vec![Some(grad.clone())]
    }
}

#[test]
fn the_walk_lets_go_of_what_it_has_passed() {
    let x = parameter(&[1.0]);
    let noted = Arc::new(Mutex::new(Vec::new()));
    let lives: Vec<Arc<()>> = (0..5).map(|_| Arc::new(())).collect();
    let mut y = x.clone();
    for i in 0..5 {
        let op = Watching {
            later: lives[i + 1..].iter().map(Arc::downgrade).collect(),
            alive_at_walk: Arc::clone(&noted),
            _alive: Arc::clone(&lives[i]),
        };
        y = record(op, &[&y], [1], y.storage().clone());
    }
    drop(lives);
    vjp(y, Tensor::ones([1], Device::Reference), &[&x], false);
    assert_eq!(*noted.lock().unwrap(), [0; 5]);
}

/// The identity; its rule gives whatever it is told to.
struct Giving(Vec<Option<Tensor>>);

impl Op for Giving {
    fn name(&self) -> &'static str {
        "giving"
    }

    fn vjp(&self, _: &Call, _: &Tensor) -> Vec<Option<Tensor>> {
        self.0.clone()
    }
}

fn walk_through(op: Giving) {
    let x = parameter(&[1.0, 2.0]);
    let y = record(op, &[&x], x.shape(), x.storage().clone());
    grad(&total(&y), &[&x], false);
}

#[test]
#[should_panic(expected = "vjp of giving: 0 gradients for inputs of shapes [[2]]")]
fn a_rule_that_gives_too_few_gradients_is_caught() {
    walk_through(Giving(vec![]));
}

#[test]
#[should_panic(expected = "vjp of giving: a gradient of shape [3] for an input of shape [2]")]
fn a_rule_that_gives_another_shape_is_caught() {
    walk_through(Giving(vec![Some(Tensor::ones([3], Device::Reference))]));
}

#[test]
fn a_long_chain_neither_walks_nor_drops_by_recursion() {
    let x = parameter(&[1.0]);
    let mut y = x.clone();
    for _ in 0..200_000 {
        y = -&y;
    }
    let first = grad(&y, &[&x], true);
    assert_eq!(first[0].item(), 1.0);
    drop((y, first));
    // Shared by a sum at every link, as in a network with skip connections.
    let mut y = x.clone();
    for _ in 0..100_000 {
        y = &(&y * 0.5) + &(&y * 0.5);
    }
    drop(y);
}
