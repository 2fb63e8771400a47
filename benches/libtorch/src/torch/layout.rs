//! From our arrays to libtorch's.
//!
//! TensorFlow's `same` padding puts the larger half last, PyTorch has one number for both sides. Where the
//! stride leaves the last rows of a padded image unread, PyTorch's padding is TensorFlow's seen in a mirror:
//! so libtorch's side lives in a world whose images, kernels and feature maps are all turned by 180
//! degrees. There every convolution is PyTorch's own, and nothing is padded or cropped in a pass of its own.

use super::shim::Convolution;
use minimax::Padding;
use tch::Tensor;

/// How libtorch holds images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[n, c, h, w]` in this order in memory.
    Contiguous,
    /// `[n, c, h, w]`, in memory `[n, h, w, c]`.
    ChannelsLast,
}

impl Layout {
    /// Both.
    pub const ALL: [Layout; 2] = [Layout::Contiguous, Layout::ChannelsLast];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Contiguous => "contiguous",
            Layout::ChannelsLast => "channels-last",
        }
    }

    /// `x` `[n, c, h, w]` in this layout.
    pub fn of(self, x: &Tensor) -> Tensor {
        match self {
            Layout::Contiguous => x.contiguous(),
            Layout::ChannelsLast => x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]),
        }
    }

    /// Our images `[n, h, w, c]`.
    pub fn images(self, x: &minimax::Tensor) -> Tensor {
        self.of(&values(x).flip([1, 2]).permute([0, 3, 1, 2]))
    }

    /// Our kernel `[kh, kw, a, b]` as libtorch's `[b, a, kh, kw]`: of a convolution, outputs by inputs, of a
    /// transposed one, inputs by outputs.
    pub fn kernel(self, kernel: &minimax::Tensor) -> Tensor {
        self.turned(&values(kernel))
    }

    /// As [`Layout::kernel`], of our values.
    pub fn turned(self, kernel: &Tensor) -> Tensor {
        self.of(&kernel.flip([0, 1]).permute([3, 2, 0, 1]))
    }

    /// Where in our vectors libtorch finds its features when a vector is an image `[h, w, c]`.
    pub fn features(self, image: [usize; 3]) -> Tensor {
        let ours = Tensor::arange(image.iter().product::<usize>() as i64, (tch::Kind::Int64, tch::Device::Cpu));
        let mirrored = ours.view(image.map(|n| n as i64)).flip([0, 1]);
        match self {
            Layout::Contiguous => mirrored.permute([2, 0, 1]),
            Layout::ChannelsLast => mirrored,
        }
        .flatten(0, -1)
    }
}

/// Our values in our order.
pub fn values(x: &minimax::Tensor) -> Tensor {
    let shape: Vec<i64> = x.dims().iter().map(|&n| n as i64).collect();
    Tensor::from_slice(&x.to_f32()).view(&shape[..])
}

/// The mirrored convolution, or transposed convolution, between an image of `large` = `[h, w]` and its
/// `small` one, whose padding is around the large one.
///
/// # Errors
/// Where PyTorch has no such convolution.
pub fn convolution(
    large: [usize; 2],
    small: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    transposed: bool,
) -> Result<Convolution, String> {
    // The mirror swaps the sides: what was last is now first, and PyTorch's on both.
    let first = [padding.bottom, padding.right];
    let mut extra = [0; 2];
    for axis in 0..2 {
        let read = (small[axis] - 1) * stride[axis] + kernel[axis];
        let padded = large[axis] + 2 * first[axis];
        extra[axis] = padded
            .checked_sub(read)
            .filter(|&extra| extra < stride[axis])
            .ok_or_else(|| format!("PyTorch has no convolution of {large:?} with padding {padding:?}"))?;
    }
    let pair = |values: [usize; 2]| values.map(|n| n as i64);
    Ok(Convolution {
        stride: pair(stride),
        padding: pair(first),
        transposed,
        output_padding: if transposed { pair(extra) } else { [0; 2] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_in_the_mirror() {
        let made = |large: usize, small: usize, kernel, stride| {
            let padding = Padding::same([large; 2], [kernel; 2], [stride; 2]);
            let made = convolution([large; 2], [small; 2], [kernel; 2], [stride; 2], padding, true);
            made.map(|c| (c.padding[0], c.output_padding[0]))
        };
        assert_eq!(made(28, 14, 5, 2), Ok((2, 1)));
        assert_eq!(made(7, 4, 5, 2), Ok((2, 0)));
        assert_eq!(made(7, 7, 5, 1), Ok((2, 0)));
        assert!(made(7, 7, 4, 1).is_err());
    }
}
