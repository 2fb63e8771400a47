//! What a convolution layer is told, in Rust and in a recipe alike.

use super::Initializer;
use crate::shape::Padding;
use crate::tensor::Tensor;
use crate::unsaid::{is_false, is_one, one, yes};
use serde::{Deserialize, Serialize};

/// The attributes of a convolution, or of the one that a transposed convolution transposes. Kernel and stride are
/// `[height, width]`, in TOML one number where both are equal.
///
/// ```
/// use minimax::nn::Convolution;
///
/// let halving = Convolution { stride: [2, 2], bias: false, ..Convolution::new(64, [5, 5]) };
/// assert_eq!(halving.transposed_size([7, 7]), [14, 14]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Channels of the output.
    pub filters: usize,
    /// Height and width of the kernel.
    #[serde(with = "pair")]
    pub kernel: [usize; 2],
    /// How far apart the kernel's positions are, in the output if transposed; default: 1.
    #[serde(with = "pair", default = "ones")]
    pub stride: [usize; 2],
    /// Added around the input, or cropped from the full output if transposed; default: `same`.
    #[serde(default)]
    pub padding: PaddingRule,
    /// Whether each filter has a bias; default: true.
    #[serde(default = "yes")]
    pub bias: bool,
    /// How many groups the channels are in; the filters of a group see only its share of the input's channels. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
    /// The distribution that the kernel is drawn from; default: the network's. With `"zeros"` in its last layer a residual
    /// starts as its shortcut alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initializer: Option<Initializer>,
    /// Whether the kernel is divided by its largest singular value: see [`spectral_norm`](super::spectral_norm).
    #[serde(default, skip_serializing_if = "is_false")]
    pub spectral_norm: bool,
}

fn ones() -> [usize; 2] {
    [1, 1]
}

/// A height and a width, or one number for both.
///
/// ```
/// use minimax::nn::Pair;
///
/// assert_eq!(Pair::from(3), Pair([3, 3]));
/// assert_eq!(Pair::from([5, 3]), Pair([5, 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub [usize; 2]);

impl From<usize> for Pair {
    fn from(both: usize) -> Pair {
        Pair([both; 2])
    }
}

impl From<[usize; 2]> for Pair {
    fn from(pair: [usize; 2]) -> Pair {
        Pair(pair)
    }
}

/// How much is added around an image before a convolution or pooling, and how much a transposed convolution crops.
///
/// ```
/// use minimax::Padding;
/// use minimax::nn::PaddingRule;
///
/// let (image, kernel, stride) = ([28, 28], [5, 5], [2, 2]);
/// let same = Padding { top: 1, bottom: 2, left: 1, right: 2 };
/// assert_eq!(PaddingRule::Same.sides(image, kernel, stride), same);
/// let as_in_pytorch = PaddingRule::Explicit(Padding::symmetric(2));
/// assert_eq!(as_in_pytorch.sides(image, kernel, stride).bottom, 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaddingRule {
    /// TensorFlow's `same`: from length n a convolution makes ceil(n / stride), a transposed one n · stride.
    #[default]
    Same,
    /// No padding.
    Valid,
    /// So much on each side. In a recipe: `padding = { explicit = { top = 1, bottom = 2, left = 1, right = 2 } }`.
    Explicit(Padding),
}

impl PaddingRule {
    /// The padding around an image of `[height, width]`.
    ///
    /// `same` is TensorFlow's: total = max((ceil(n / s) - 1)·s + k - n, 0), the smaller half first.
    /// For a transposed convolution, give its output, which is the image that the convolution it
    /// transposes would read. A stride must not be 0.
    pub fn sides(self, image: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Padding {
        match self {
            PaddingRule::Same => Padding::same(image, kernel, stride),
            PaddingRule::Valid => Padding::VALID,
            PaddingRule::Explicit(padding) => padding,
        }
    }
}

impl Convolution {
    /// `filters` filters whose kernels have this `[height, width]`, and the defaults.
    pub fn new(filters: usize, kernel: [usize; 2]) -> Convolution {
        Convolution {
            filters,
            kernel,
            stride: ones(),
            padding: PaddingRule::default(),
            bias: yes(),
            groups: one(),
            initializer: None,
            spectral_norm: false,
        }
    }

    /// The padding around an image of `[height, width]`: see [`PaddingRule::sides`].
    pub fn sides(&self, image: [usize; 2]) -> Padding {
        self.padding.sides(image, self.kernel, self.stride)
    }

    /// `[height, width]` of what the transposed convolution makes of an image of `[h, w]`. Along one axis, with
    /// kernel k and stride s, a length n becomes
    ///
    /// ```text
    /// same       n·s
    /// valid      (n - 1)·s + max(k, s)
    /// explicit   (n - 1)·s + k - p        with p in all
    /// ```
    ///
    /// and stops at 0 and at `usize::MAX`.
    pub fn transposed_size(&self, [h, w]: [usize; 2]) -> [usize; 2] {
        let (kernel, stride) = (self.kernel, self.stride);
        let full = |n: usize, axis: usize, reach: usize| {
            n.saturating_sub(1).saturating_mul(stride[axis]).saturating_add(reach)
        };
        match self.padding {
            PaddingRule::Same => [h.saturating_mul(stride[0]), w.saturating_mul(stride[1])],
            // As in TensorFlow, a stride beyond the kernel leaves zeros after the last position too.
            PaddingRule::Valid => [full(h, 0, kernel[0].max(stride[0])), full(w, 1, kernel[1].max(stride[1]))],
            PaddingRule::Explicit(pad) => [
                full(h, 0, kernel[0]).saturating_sub(pad.top + pad.bottom),
                full(w, 1, kernel[1]).saturating_sub(pad.left + pad.right),
            ],
        }
    }
}

/// Height and width of the images `x`.
///
/// # Panics
/// Naming `op`, if they aren't `[n, h, w, c]`.
pub(super) fn size(op: &str, x: &Tensor) -> [usize; 2] {
    let &[_, h, w, _] = x.dims() else {
        panic!("{op}: x {} must have 4 axes", x.shape());
    };
    [h, w]
}

/// `[height, width]` in Rust; in TOML one number where both are equal.
pub(super) mod pair {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged, expecting = "expected a whole number or a pair [height, width] of them")]
    enum OneOrTwo {
        One(usize),
        Two([usize; 2]),
    }

    pub fn serialize<S: Serializer>(pair: &[usize; 2], to: S) -> Result<S::Ok, S::Error> {
        match *pair {
            [height, width] if height == width => OneOrTwo::One(height),
            both => OneOrTwo::Two(both),
        }
        .serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[usize; 2], D::Error> {
        Ok(match OneOrTwo::deserialize(from)? {
            OneOrTwo::One(both) => [both, both],
            OneOrTwo::Two(pair) => pair,
        })
    }
}
