//! Layers: ops together with the parameters that they use.
//!
//! A layer's parameters are tensors that gradients are asked for; its statistics are tensors that
//! the forward pass itself updates. Both have names, which a checkpoint uses.
//!
//! ```
//! use minimax::nn::{Activation, Conv2d, Dense, Flatten, Layer, MaxPool2d, Sequential};
//! use minimax::{Device, Tensor};
//!
//! let mut network = Sequential::default()
//!     .add_named("conv", Conv2d::new(1, 8, 3).same())
//!     .add(Activation::Relu)
//!     .add(MaxPool2d::new(2))
//!     .add(Flatten)
//!     .add_named("logits", Dense::new(14 * 14 * 8, 10));
//! let images = Tensor::zeros([32, 28, 28, 1], Device::Cpu);
//! assert_eq!(network.predict(&images).dims(), [32, 10]);
//! let names: Vec<_> = network.variables().into_iter().map(|v| v.name).collect();
//! assert_eq!(names, ["conv.kernel", "conv.bias", "logits.kernel", "logits.bias"]);
//! ```
//!
//! [`within`] shows a module of one's own.

mod attention;
mod batch_norm;
mod conditional_batch_norm;
mod conv2d;
mod convolution;
mod dense;
mod flow;
pub mod fusion;
mod group_norm;
mod initializer;
mod join_label;
mod layout;
mod named;
mod pass;
mod pooling;
mod projection;
mod rearrange;
mod residual;
mod saved;
mod seed;
mod sequential;
pub mod spectral_norm;
mod stateless;
mod trail;
mod variable;
mod weights;

pub use attention::Attention;
pub use batch_norm::BatchNorm;
pub use conditional_batch_norm::ConditionalBatchNorm;
pub use conv2d::{Conv2d, ConvTranspose2d};
pub use convolution::{Convolution, PaddingRule, Pair};
pub use dense::Dense;
pub use flow::{Flow, Part};
pub use fusion::{Elementwise, Epilogue};
pub use group_norm::GroupNorm;
pub use initializer::Initializer;
pub use join_label::JoinLabel;
pub use layout::Layout;
#[cfg(feature = "gan")]
pub(crate) use layout::{channels_first, from_torch};
pub use pass::{Mode, Pass};
pub use pooling::{AveragePool2d, GlobalAveragePool2d, MaxPool2d, Pooling};
pub use projection::Projection;
pub use rearrange::{MinibatchStddev, PixelShuffle};
pub use residual::Residual;
#[cfg(feature = "gan")]
pub(crate) use saved::{Entry, are_finite, values};
pub use saved::{load, load_as, save, save_as};
pub use seed::seed;
pub use sequential::Sequential;
pub use stateless::{
    Activation, BilinearDownSampling2d, BilinearUpSampling2d, Dropout, Flatten, GaussianNoise, Resampling, Reshape,
    UpSampling2d,
};
use variable::move_tensor;
pub use variable::{Variable, within};
pub use weights::unit_norm;

use crate::autograd::set_recording;
use crate::storage::Device;
use crate::tensor::Tensor;

/// A layer of a network.
pub trait Layer: Send {
    /// The output for a batch `x`, whose first axis is the batch.
    ///
    /// # Panics
    /// If the shape of `x` is not one that the layer takes.
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor;

    /// The layer's tensors, in a fixed order.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        Vec::new()
    }

    /// As [`Layer::variables`], to be changed.
    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        Vec::new()
    }

    /// The output for a batch `x` after `epilogue` too, in one pass over memory where the layer knows how; see
    /// [`fusion`].
    ///
    /// # Panics
    /// As [`Layer::forward`].
    fn forward_then(&mut self, x: &Tensor, epilogue: Epilogue, pass: &mut Pass) -> Tensor {
        let y = self.forward(x, pass);
        epilogue.of_values(&y, pass)
    }

    /// What the layer does to each value by itself, if it is something that an [`Epilogue`] is made of.
    fn elementwise(&self) -> Option<Elementwise> {
        None
    }

    /// What the layer is called where a panic says which one it came from: the name of its type.
    fn kind(&self) -> &'static str {
        let name = std::any::type_name::<Self>();
        let plain = name.split('<').next().unwrap_or(name);
        plain.rsplit("::").next().unwrap_or(plain)
    }

    /// The output for a batch `x` in evaluation, without recording.
    ///
    /// # Panics
    /// As [`Layer::forward`].
    #[track_caller]
    fn predict(&mut self, x: &Tensor) -> Tensor {
        // No closure: it would be the caller that a panic names.
        let _before = set_recording(false);
        self.forward(x, &mut Pass::evaluation())
    }

    /// What the layer does to the order of values, which files of other programs depend on; of a layer that holds others,
    /// what each does in turn. Unless a layer says so, nothing is known: see [`Flow`].
    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Unknown)
    }

    /// What an optimiser changes, in the order of [`Layer::variables`].
    fn parameters(&self) -> Vec<&Tensor> {
        self.variables().into_iter().filter(|v| v.trainable).map(|v| v.tensor).collect()
    }

    /// As [`Layer::parameters`], to be changed.
    fn parameters_mut(&mut self) -> Vec<&mut Tensor> {
        self.variables_mut().into_iter().filter(|v| v.trainable).map(|v| v.tensor).collect()
    }

    /// Moves every variable of the layer to `device`; parameters stay parameters.
    fn move_to(&mut self, device: Device) {
        self.variables_mut().into_iter().for_each(|v| move_tensor(v.tensor, device));
    }

    /// The layer, moved to `device`.
    fn to(mut self, device: Device) -> Self
    where
        Self: Sized,
    {
        self.move_to(device);
        self
    }
}
