//! Convolutions and poolings of a recipe: the checks of their attributes, and the sizes of their outputs.
//!
//! Along one axis, with kernel (or window) k, stride s and total padding p:
//!
//! ```text
//! conv2d, pooling   n → (n + p - k) / s + 1, rounded down      same: n → ceil(n / s)
//! conv_transpose2d  n → (n - 1)·s + max(k, s) - p              same: n → n·s
//! ```

use super::network::check_initializer;
use super::sizes::{MAX_SIZE, check_size};
use crate::nn::{Convolution, PaddingRule, Pooling};
use crate::shape::Padding;

impl Convolution {
    pub(super) fn output_shape(&self, [h, w, c]: [usize; 3]) -> Result<Vec<usize>, String> {
        self.check_groups([h, w, c])?;
        let [height, width] = positions("kernel", self.kernel, self.stride, self.sides([h, w]), [h, w, c])?;
        Ok(vec![height, width, self.filters])
    }

    pub(super) fn transposed_shape(&self, [h, w, _]: [usize; 3]) -> Vec<usize> {
        let [height, width] = self.transposed_size([h, w]);
        vec![height, width, self.filters]
    }

    /// Checks that the groups divide the channels of both sides.
    fn check_groups(&self, input: [usize; 3]) -> Result<(), String> {
        let (c, filters, groups) = (input[2], self.filters, self.groups);
        let divides = |groups: &usize| c.is_multiple_of(*groups) && filters.is_multiple_of(*groups);
        if divides(&groups) {
            return Ok(());
        }
        let fits = (1..=groups.min(c)).rev().find(divides).unwrap_or(1);
        Err(format!(
            "groups = {groups} must divide filters = {filters} and the {c} channels of its input {input:?}; {fits} does"
        ))
    }

    /// As [`check_reach`], for a transposed convolution of an image of `[h, w, c]`; also checks that its groups fit.
    pub(super) fn check_transposed(&self, [h, w, c]: [usize; 3]) -> Result<(), String> {
        self.check_groups([h, w, c])?;
        let small = [h, w];
        check_reach("kernel", self.kernel, self.stride, self.transposed_size(small), small)
    }

    pub(super) fn check_attributes(&self) -> Result<(), String> {
        check_size("filters", self.filters, MAX_SIZE)?;
        check_size("groups", self.groups, MAX_SIZE)?;
        if let Some(initializer) = self.initializer {
            check_initializer(initializer)?;
        }
        for axis in 0..2 {
            check_size("kernel", self.kernel[axis], MAX_SIZE)?;
            check_size("stride", self.stride[axis], MAX_SIZE)?;
        }
        // With more padding the kernel could lie entirely outside of the image.
        match self.padding {
            PaddingRule::Explicit(pad)
                if pad.top.max(pad.bottom) >= self.kernel[0] || pad.left.max(pad.right) >= self.kernel[1] =>
            {
                Err(format!(
                    "padding top {}, bottom {}, left {}, right {}; each must be less than the kernel \
                     {:?}",
                    pad.top, pad.bottom, pad.left, pad.right, self.kernel
                ))
            }
            _ => Ok(()),
        }
    }
}

impl Pooling {
    pub(super) fn output_shape(&self, [h, w, c]: [usize; 3]) -> Result<Vec<usize>, String> {
        let [height, width] = positions("size", self.size, self.stride, self.sides([h, w]), [h, w, c])?;
        Ok(vec![height, width, c])
    }

    pub(super) fn check_attributes(&self) -> Result<(), String> {
        for axis in 0..2 {
            check_size("size", self.size[axis], MAX_SIZE)?;
            check_size("stride", self.stride[axis], MAX_SIZE)?;
        }
        // PyTorch has no pooling with more, so that the network could not be exported.
        match self.padding {
            PaddingRule::Explicit(pad)
                if pad.top.max(pad.bottom) > self.size[0] / 2 || pad.left.max(pad.right) > self.size[1] / 2 =>
            {
                Err(format!(
                    "padding top {}, bottom {}, left {}, right {}; each must be at most half of the size {:?}",
                    pad.top, pad.bottom, pad.left, pad.right, self.size
                ))
            }
            _ => Ok(()),
        }
    }
}

/// How many positions a kernel or window has down and along an image with this padding. `key` is the recipe's name for
/// its height and width.
fn positions(
    key: &str,
    kernel: [usize; 2],
    stride: [usize; 2],
    sides: Padding,
    [h, w, c]: [usize; 3],
) -> Result<[usize; 2], String> {
    let padded = [h + sides.top + sides.bottom, w + sides.left + sides.right];
    if padded[0] < kernel[0] || padded[1] < kernel[1] {
        let input = [h, w, c];
        return Err(format!(
            "{key} {kernel:?} does not fit in its input {input:?}, which is {padded:?} with \
             padding; make the {key} smaller or the padding \"same\""
        ));
    }
    let along = |axis: usize| (padded[axis] - kernel[axis]) / stride[axis] + 1;
    let output = [along(0), along(1)];
    check_reach(key, kernel, stride, [h, w], output)?;
    Ok(output)
}

/// Checks that a kernel or window is not far larger than the part of an image of `large` that it can meet, at the
/// positions for an image of `small`: the rest of it would meet only padding.
fn check_reach(
    key: &str,
    kernel: [usize; 2],
    stride: [usize; 2],
    large: [usize; 2],
    small: [usize; 2],
) -> Result<(), String> {
    /// The kernel may be this many times as large as that part, and larger by this constant, for images of a few
    /// pixels.
    const TIMES: usize = 4;
    const MORE: usize = 16;
    for axis in 0..2 {
        let positions = (small[axis] - 1).saturating_mul(stride[axis]);
        let met = large[axis].saturating_add(positions);
        let most = met.saturating_mul(TIMES).saturating_add(MORE);
        if kernel[axis] > most {
            return Err(format!(
                "{key} {kernel:?} is far larger than the {} pixels of {large:?} that it can meet; make it at most {most} \
                 along that axis",
                large[axis]
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convolution(kernel: usize, stride: usize, padding: PaddingRule) -> Convolution {
        Convolution { stride: [stride, stride], padding, ..Convolution::new(8, [kernel, kernel]) }
    }

    #[test]
    fn same_padding_is_tensorflows() {
        let sides = |n, k, s| {
            let sides = PaddingRule::Same.sides([n, n], [k, k], [s, s]);
            assert_eq!((sides.top, sides.bottom), (sides.left, sides.right));
            (sides.top, sides.bottom)
        };
        for n in [28, 14, 32, 16, 8] {
            assert_eq!(sides(n, 5, 2), (1, 2));
        }
        assert_eq!(sides(7, 5, 2), (2, 2));
        assert_eq!(sides(28, 4, 2), (1, 1));
        assert_eq!(sides(9, 1, 3), (0, 0));
    }

    #[test]
    fn shapes_of_both_directions() {
        let one_two = PaddingRule::Explicit(Padding { top: 1, bottom: 2, left: 1, right: 2 });
        let down = |n, k, s, padding| convolution(k, s, padding).output_shape([n, n, 3]).unwrap();
        assert_eq!(down(28, 5, 2, PaddingRule::Same), [14, 14, 8]);
        assert_eq!(down(7, 5, 2, PaddingRule::Same), [4, 4, 8]);
        assert_eq!(down(5, 1, 3, PaddingRule::Same), [2, 2, 8]);
        assert_eq!(down(28, 5, 2, PaddingRule::Valid), [12, 12, 8]);
        assert_eq!(down(28, 5, 2, one_two), [14, 14, 8]);
        let up = |n, k, s, padding| convolution(k, s, padding).transposed_shape([n, n, 3]);
        assert_eq!(up(7, 5, 2, PaddingRule::Same), [14, 14, 8]);
        assert_eq!(up(7, 5, 2, PaddingRule::Valid), [17, 17, 8]);
        assert_eq!(up(7, 5, 2, one_two), [14, 14, 8]);
    }

    /// What a transposed convolution makes, the convolution that it transposes reads back to the same
    /// size.
    #[test]
    fn transposing_turns_the_shapes_round() {
        for (n, kernel, stride) in [(1, 1, 1), (7, 5, 2), (4, 4, 3), (9, 2, 3), (5, 3, 1)] {
            for padding in [PaddingRule::Same, PaddingRule::Valid] {
                let conv = convolution(kernel, stride, padding);
                let large = conv.transposed_shape([n, n, 3]);
                let small = conv.output_shape([large[0], large[1], 3]).unwrap();
                assert_eq!(small, [n, n, 8], "{n} {kernel} {stride} {padding:?}");
            }
        }
    }

    #[test]
    fn a_kernel_that_meets_mostly_padding_is_refused_on_either_axis() {
        let conv =
            |kernel: [usize; 2], stride: usize| Convolution { kernel, ..convolution(1, stride, PaddingRule::Same) };
        for kernel in [[1 << 20, 3], [3, 1 << 20], [300, 300]] {
            let what = conv(kernel, 2).output_shape([28, 28, 3]).unwrap_err();
            assert!(what.contains("is far larger than the 28 pixels") && what.contains("at most 232"), "{what}");
            assert!(conv(kernel, 2).check_transposed([14, 14, 2]).is_err());
        }
        for kernel in [[5, 5], [55, 55], [232, 1]] {
            assert!(conv(kernel, 2).output_shape([28, 28, 3]).is_ok(), "{kernel:?}");
        }
        // As a layer may well be at the end of a pyramid.
        assert!(conv([5, 5], 1).output_shape([1, 1, 3]).is_ok());
        let transposed = |kernel: usize| {
            let text = format!("layer = 'conv_transpose2d'\nfilters = 1\nkernel = [{kernel}, 3]");
            let layer: super::super::LayerSpec = toml::from_str(&text).unwrap();
            layer.output_shape(&[7, 7, 2], Default::default())
        };
        assert!(transposed(9).is_ok() && transposed(1 << 20).is_err());
    }

    #[test]
    fn groups_divide_the_channels_of_both_sides() {
        for transposed in [false, true] {
            let shape = |groups: usize, channels: usize| {
                let conv = Convolution { groups, ..convolution(3, 2, PaddingRule::Same) };
                match transposed {
                    false => conv.output_shape([6, 4, channels]).map(drop),
                    true => conv.check_transposed([6, 4, channels]),
                }
            };
            for (groups, channels) in [(1, 5), (2, 4), (4, 4), (8, 24)] {
                assert_eq!(shape(groups, channels), Ok(()), "{groups} {channels}");
            }
            assert_eq!(
                shape(6, 12).unwrap_err(),
                "groups = 6 must divide filters = 8 and the 12 channels of its input [6, 4, 12]; 4 does"
            );
            assert!(shape(8, 12).unwrap_err().ends_with("; 4 does"));
            assert!(shape(3, 5).unwrap_err().ends_with("; 1 does"));
        }
        assert!(Convolution { groups: 0, ..convolution(3, 2, PaddingRule::Same) }.check_attributes().is_err());
    }

    #[test]
    fn oblong_kernels_keep_their_axes_apart() {
        let text = "filters = 2\nkernel = [1, 3]\nstride = [2, 1]\npadding = 'valid'";
        let conv: Convolution = toml::from_str(text).unwrap();
        assert_eq!(conv.output_shape([8, 8, 4]).unwrap(), [4, 6, 2]);
        assert_eq!(conv.transposed_shape([4, 6, 4]), [8, 8, 2]);
    }

    #[test]
    fn a_pooling_has_kerass_defaults() {
        let pooling = |text: &str| toml::from_str::<Pooling>(text).unwrap();
        assert_eq!(pooling(""), Pooling { size: [2, 2], stride: [2, 2], padding: PaddingRule::Valid });
        assert_eq!(pooling("size = [3, 1]").stride, [3, 1]);
        assert_eq!(pooling("size = 3\nstride = [2, 1]").stride, [2, 1]);
        assert_eq!(pooling("").output_shape([7, 5, 3]).unwrap(), [3, 2, 3]);
        assert_eq!(pooling("size = 3\nstride = 2\npadding = 'same'").output_shape([7, 6, 3]).unwrap(), [4, 3, 3]);
        let what = pooling("size = [8, 2]").output_shape([7, 5, 3]).unwrap_err();
        assert!(what.starts_with("size [8, 2] does not fit in its input [7, 5, 3]"), "{what}");
        let what = pooling("size = 1000\npadding = 'same'").output_shape([7, 5, 3]).unwrap_err();
        assert!(what.starts_with("size [1000, 1000] is far larger than the 7 pixels"), "{what}");
        let explicit = |bottom: usize, right: usize| {
            let sides = format!("{{ top = 1, bottom = {bottom}, left = 0, right = {right} }}");
            pooling(&format!("size = [3, 4]\npadding = {{ explicit = {sides} }}")).check_attributes()
        };
        assert_eq!(explicit(1, 2), Ok(()));
        for (bottom, right) in [(2, 2), (1, 3)] {
            let what = explicit(bottom, right).unwrap_err();
            assert!(what.ends_with("each must be at most half of the size [3, 4]"), "{what}");
        }
    }
}
