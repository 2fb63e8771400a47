//! The attention layer of `minimax::nn::Attention`, by batched products.

use super::layout::Layout;
use super::weight::Weight;
use tch::Tensor;

/// Attention between the places of an image.
pub struct Attention {
    /// `[c / 8, c, 1, 1]`.
    pub query: Weight,
    /// `[c / 8, c, 1, 1]`.
    pub key: Weight,
    /// `[c / 2, c, 1, 1]`.
    pub value: Weight,
    /// `[c, c / 2, 1, 1]`.
    pub output: Weight,
    /// `[1]`.
    pub gamma: Tensor,
}

impl Attention {
    /// x + γ · attention of `x` `[n, c, h, w]`.
    pub fn forward(&mut self, x: &Tensor, training: bool, layout: Layout) -> Tensor {
        let pointwise = |x: &Tensor, weight: &mut Weight| {
            let (weight, none) = (weight.used(training), None::<Tensor>);
            x.convolution(&weight, none, [1, 1], [0, 0], [1, 1], false, [0, 0], 1)
        };
        let pooled = |maps: Tensor| maps.max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false);
        // [n, channels, places].
        let queries = pointwise(x, &mut self.query).flatten(2, -1);
        let keys = pooled(pointwise(x, &mut self.key)).flatten(2, -1);
        let values = pooled(pointwise(x, &mut self.value)).flatten(2, -1);
        let weights = queries.transpose(1, 2).bmm(&keys).softmax(2, None);
        let (&[n, _, h, w], half) = (&x.size()[..], values.size()[1]) else { unreachable!("images have 4 axes") };
        // In the order in which they are to lie, so that no map is copied.
        let means = match layout {
            Layout::Contiguous => values.bmm(&weights.transpose(1, 2)).view([n, half, h, w]),
            Layout::ChannelsLast => weights.bmm(&values.transpose(1, 2)).view([n, h, w, half]).permute([0, 3, 1, 2]),
        };
        x + &self.gamma * pointwise(&means, &mut self.output)
    }
}
