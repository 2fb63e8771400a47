//! A training loop stops asking the system for memory. Alone in its file: the pool's counters are
//! the whole process's.

use minimax::check::cases::check_random;
use minimax::cpu::pool::{PoolStats, release, stats};
use minimax::ops::{conv2d, leaky_relu, mean, square};
use minimax::{Device, Padding, Tensor, grad};
use rayon::ThreadPoolBuilder;

/// One step of descent on two convolutions, with the weights changed in place.
fn step(x: &Tensor, weights: &mut [Tensor; 2]) -> f64 {
    let padding = Padding::same([14, 14], [5, 5], [2, 2]);
    let hidden = leaky_relu(&conv2d(x, &weights[0], [2, 2], padding), 0.3);
    let scores = conv2d(&hidden, &weights[1], [1, 1], Padding::VALID);
    let loss = mean(&square(&scores), &[0, 1, 2, 3]);
    let value = loss.item();
    let grads = grad(&loss, &[&weights[0], &weights[1]], false);
    drop((hidden, scores, loss));
    for (weight, grad) in weights.iter_mut().zip(grads) {
        let rate = Tensor::full(1e-4, [], Device::Cpu);
        weight.assign(&*weight - &rate * grad);
    }
    value
}

/// What the pool has done after each of `steps` steps, and the losses.
fn train(threads: usize, steps: usize) -> (Vec<PoolStats>, Vec<f64>) {
    let mut random = check_random();
    let mut draw = |shape: [usize; 4]| {
        let values = random.normal(shape.iter().product());
        Tensor::new(&values, shape, Device::Cpu)
    };
    let x = draw([40, 14, 14, 3]);
    let mut weights = [draw([5, 5, 3, 8]), draw([7, 7, 8, 1])].map(|w| w.parameter());
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a thread pool").install(|| {
        let one = |_| {
            let loss = step(&x, &mut weights);
            (stats(), loss)
        };
        (0..steps).map(one).unzip()
    })
}

#[test]
fn after_its_second_step_a_training_loop_allocates_nothing() {
    let (pool, losses) = train(1, 8);
    assert!(losses[7] < 0.9 * losses[0], "{losses:?}");
    assert!(pool[0].allocations > 0 && pool[0].used > 0);
    assert_eq!(pool[7], pool[1]);

    // Which threads meet in a kernel is chance, so a later step may need a scratch buffer more; but all come back.
    let (pool, _) = train(4, 40);
    assert_eq!(pool[39].used, pool[1].used);
    assert!(pool[39].most_used <= pool[1].most_used + pool[1].most_used / 4, "{pool:?}");
    assert_eq!(train(4, 8).1, losses);

    let held = stats().held;
    release();
    assert!(stats().held < held, "{held} and then {:?}", stats());
    assert_eq!(train(1, 8).1, losses);
}
