//! A generative adversarial network without a recipe: two networks, their losses and a step, written by hand.
//!
//! ```text
//! cargo run --release --example gan -- 10        ten epochs of the built-in digits, drawn to gan.png
//! ```

use minimax::data::{Batches, LastBatch, digits, pixels};
use minimax::nn::{self, *};
use minimax::ops::{binary_cross_entropy_with_logits, random_normal};
use minimax::optim::{Adam, Optimizer};
use minimax::random::{Purpose, Random};
use minimax::{Device, Error, Tensor};

const LATENT: usize = 64;
const BATCH: usize = 64;

/// From `[n, 64]` to images `[n, 28, 28, 1]` on [-1, 1].
fn generator() -> Sequential {
    Sequential::default()
        .add(Dense::new(LATENT, 7 * 7 * 64).without_bias())
        .add(BatchNorm::new(7 * 7 * 64).momentum(0.9))
        .add(Activation::Relu)
        .add(Reshape { shape: vec![7, 7, 64] })
        .add(ConvTranspose2d::new(64, 32, 5).stride(2).same().without_bias())
        .add(BatchNorm::new(32).momentum(0.9))
        .add(Activation::Relu)
        .add(ConvTranspose2d::new(32, 1, 5).stride(2).same())
        .add(Activation::Tanh)
}

/// From images to one logit each: how much it takes them for real ones.
fn discriminator() -> Sequential {
    Sequential::default()
        .add(Conv2d::new(1, 32, 5).stride(2).same())
        .add(Activation::LeakyRelu { slope: 0.2 })
        .add(Dropout { rate: 0.3 })
        .add(Conv2d::new(32, 64, 5).stride(2).same())
        .add(Activation::LeakyRelu { slope: 0.2 })
        .add(Dropout { rate: 0.3 })
        .add(Flatten)
        .add(Dense::new(7 * 7 * 64, 1))
}

fn main() -> Result<(), Error> {
    let epochs: u64 = std::env::args().nth(1).map_or(10, |count| count.parse().expect("a number of epochs"));
    nn::seed(1);
    let (mut g, mut d) = (generator(), discriminator());
    let rule = Adam::new(2e-4).betas([0.5, 0.999]);
    let (mut for_g, mut for_d) = (Optimizer::new(rule, &g.parameters()), Optimizer::new(rule, &d.parameters()));
    let [mut latents, mut dropout] = [Purpose::named("latents"), Purpose::DROPOUT].map(|of| Random::new(1, of));
    let mut batches = Batches::new(digits::render(12_000, 1).into(), BATCH, 1, LastBatch::Drop);
    let (real, fake) = (Tensor::ones([BATCH, 1], Device::Cpu), Tensor::zeros([BATCH, 1], Device::Cpu));
    for step in 0..epochs * batches.steps_per_epoch() {
        let images = batches.batch(step)?.to_images([-1.0, 1.0], Device::Cpu);
        let mut pass = Pass::training(&mut dropout);
        let made = g.forward(&random_normal(&mut latents, [BATCH, LATENT], Device::Cpu), &mut pass);

        // D's step: real images towards 1, made ones towards 0. `detach` keeps G out of it.
        let on_real = binary_cross_entropy_with_logits(&d.forward(&images, &mut pass), &real);
        let on_fake = binary_cross_entropy_with_logits(&d.forward(&made.detach(), &mut pass), &fake);
        let loss_d = on_real + on_fake;
        let shown = loss_d.item();
        for_d.minimize(loss_d, &mut d);

        // G's step: the same images towards 1, through D as it is now.
        let loss_g = binary_cross_entropy_with_logits(&d.forward(&made, &mut pass), &real);
        if (step + 1) % batches.steps_per_epoch() == 0 {
            println!("epoch {}: D {shown:.3}, G {:.3}", (step + 1) / batches.steps_per_epoch(), loss_g.item());
        }
        for_g.minimize(loss_g, &mut g);
    }

    // 8 x 8 images in one: rows of images, rows of pixels, images, pixels.
    let made = g.predict(&random_normal(&mut latents, [64, LATENT], Device::Cpu));
    let grid = made.reshape([8, 8, 28, 28]).permute(&[0, 2, 1, 3]);
    let bytes = pixels::to_bytes(&grid, [-1.0, 1.0]);
    let mut file = Vec::new();
    let mut png = png::Encoder::new(&mut file, 8 * 28, 8 * 28);
    png.set_color(png::ColorType::Grayscale);
    let mut writer = png.write_header().expect("memory takes all");
    writer.write_image_data(&bytes).and_then(|()| writer.finish()).expect("memory takes all");
    minimax::files::write_whole("gan.png".as_ref(), &file)
}
