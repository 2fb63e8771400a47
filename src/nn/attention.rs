//! The attention layer of SAGAN (Zhang, Goodfellow, Metaxas and Odena, "Self-attention generative adversarial networks",
//! 2019): every place of an image gets a mean over other places, weighted by how much it asks for what is there.
//!
//! With x `[n, h, w, c]`, 1x1 convolutions without bias, f and g to c / 8 channels, v to c / 2 and o back to c:
//!
//! ```text
//! f = pool(x ∗ W_key)    g = x ∗ W_query    v = pool(x ∗ W_value)
//! β_ij = softmax over j of g_i · f_j        at place i, of place j
//! y = x + γ · ((Σ_j β_ij v_j) ∗ W_output)   γ begins at 0: the layer hands x on until it has learnt something
//! ```
//!
//! Two things are as the authors' code has them (`non_local.py` of brain-research/self-attention-gan), not as the paper's
//! figure: keys and values are max-pooled 2x2, so that β is `[h·w, h·w / 4]`, and no convolution has a bias.

use super::convolution::size;
use super::weights::Weights;
use super::{Flow, Initializer, Layer, Part, Pass, Variable, within};
use crate::ops::{Transpose, batched_matmul, conv2d, max_pool2d, reshape, softmax};
use crate::random::Random;
use crate::shape::Padding;
use crate::storage::Device;
use crate::tensor::Tensor;

/// Attention between the places of an image, from `[n, h, w, c]` to the same shape; c must be a multiple of 8, h and w of 2.
///
/// ```
/// use minimax::nn::{Attention, Initializer, Layer};
/// use minimax::random::{Purpose, Random};
/// use minimax::{Device, Tensor};
///
/// let mut random = Random::new(0, Purpose::INITIAL);
/// let mut layer = Attention::new(16, Initializer::GlorotUniform, &mut random, Device::Cpu);
/// assert_eq!(layer.predict(&Tensor::ones([2, 4, 4, 16], Device::Cpu)).dims(), [2, 4, 4, 16]);
/// ```
pub struct Attention {
    query: Weights,
    key: Weights,
    value: Weights,
    output: Weights,
    gamma: Tensor,
}

impl Attention {
    /// How many times fewer channels queries and keys have than x.
    pub const QUERY_SHARE: usize = 8;
    /// How many times fewer channels values have than x.
    pub const VALUE_SHARE: usize = 2;

    /// A layer for images of `channels` channels. Its kernels, `[1, 1, c_in, c_out]`, are drawn from `random` in the order of
    /// its variables; γ is 0, so that at first the layer returns x.
    pub fn new(channels: usize, initializer: Initializer, random: &mut Random, device: Device) -> Attention {
        let [narrow, half] = [channels / Attention::QUERY_SHARE, channels / Attention::VALUE_SHARE];
        let mut kernel =
            |from: usize, to: usize| Weights::new(initializer.sample([1, 1, from, to].into(), random, device), None);
        Attention {
            query: kernel(channels, narrow),
            key: kernel(channels, narrow),
            value: kernel(channels, half),
            output: kernel(half, channels),
            gamma: Tensor::zeros([1], device).parameter(),
        }
    }

    /// The layer with spectral normalisation of its four kernels: see [`spectral_norm`](super::spectral_norm).
    pub fn spectrally_normalised(self, random: &mut Random) -> Attention {
        let Attention { query, key, value, output, gamma } = self;
        let [query, key, value, output] =
            [query, key, value, output].map(|weights| weights.normalised_if(true, false, random));
        Attention { query, key, value, output, gamma }
    }
}

impl Layer for Attention {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let [h, w] = size("attention", x);
        let n = x.dims()[0];
        let [query, key, value, output] =
            [&mut self.query, &mut self.key, &mut self.value, &mut self.output].map(|weights| weights.kernel(pass));
        let convolved = |x: &Tensor, kernel: &Tensor| conv2d(x, kernel, [1, 1], Padding::VALID);
        let rows = |maps: &Tensor| {
            let &[n, h, w, c] = maps.dims() else { unreachable!("maps have 4 axes") };
            reshape(maps, [n, h * w, c])
        };
        let pooled = |maps: &Tensor| rows(&max_pool2d(maps, [2, 2], [2, 2], Padding::VALID));
        let queries = rows(&convolved(x, &query));
        let keys = pooled(&convolved(x, &key));
        let values = pooled(&convolved(x, &value));
        let weights = softmax(&batched_matmul(&queries, &keys, Transpose::B), 2);
        let means = batched_matmul(&weights, &values, Transpose::NONE);
        let means = reshape(&means, [n, h, w, value.dims()[3]]);
        x + &self.gamma * convolved(&means, &output)
    }

    /// `query.kernel`, `key.kernel`, `value.kernel`, `output.kernel` and `gamma`.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let Attention { query, key, value, output, gamma } = self;
        let parts = [("query", query), ("key", key), ("value", value), ("output", output)];
        let kernels = parts.into_iter().flat_map(|(name, weights)| within(name, weights.variables()));
        kernels.chain([Variable::parameter("gamma", gamma)]).collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let Attention { query, key, value, output, gamma } = self;
        let parts = [("query", query), ("key", key), ("value", value), ("output", output)];
        let kernels = parts.into_iter().flat_map(|(name, weights)| within(name, weights.variables_mut()));
        kernels.chain([Variable::parameter("gamma", gamma)]).collect()
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Joined { channels: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn it_hands_x_on_until_gamma_has_moved() {
        let mut random = Random::new(3, Purpose::CHECK);
        let x = Tensor::new(&random.normal(2 * 2 * 4 * 8), [2, 2, 4, 8], Device::Reference);
        let mut layer = Attention::new(8, Initializer::GlorotUniform, &mut random, Device::Reference);
        let mut forward = |layer: &mut Attention| layer.forward(&x, &mut Pass::training(&mut random)).to_f64();
        assert_eq!(forward(&mut layer), x.to_f64());
        layer.gamma.assign(Tensor::ones([1], Device::Reference));
        let moved = forward(&mut layer);
        assert!(moved.iter().zip(x.to_f64()).all(|(y, x)| *y != x));
    }

    /// Where all keys are alike, every place gets the mean of all pooled values.
    #[test]
    fn equal_keys_give_every_place_the_same() {
        let mut random = Random::new(3, Purpose::CHECK);
        let x = Tensor::new(&random.normal(2 * 4 * 8), [1, 2, 4, 8], Device::Reference);
        let mut layer = Attention::new(8, Initializer::GlorotUniform, &mut random, Device::Reference);
        layer.variables_mut()[1].tensor.assign(Tensor::zeros([1, 1, 8, 1], Device::Reference));
        layer.gamma.assign(Tensor::ones([1], Device::Reference));
        let added = layer.forward(&x, &mut Pass::evaluation()) - &x;
        let added = added.to_f64();
        for pixel in added.chunks(8) {
            assert!(pixel.iter().zip(&added).all(|(a, b)| (a - b).abs() < 1e-12), "{added:?}");
        }
    }
}
