//! im2col without the columns: a convolution as a matrix product whose first matrix is read directly from the images.
//!
//! Row p of the im2col matrix holds the patch that output pixel p sees, `[kh, kw, c_in]` flattened. In
//! NHWC a kernel row meets one contiguous run of kw · c_in inputs, and the next kernel row meets the
//! run one image row further on. So a patch is a walk of kh segments through the image, and only its
//! beginning differs from pixel to pixel:
//!
//! ```text
//! patch(y, x)[i, j·c_in + c] = image[(y·s + i)·row + (x·s)·c_in + j·c_in + c]
//! ```
//!
//! That holds where the kernel doesn't reach beyond the edge, so images are padded first, a few at a time, in a buffer
//! that stays in cache. There each group of channels has images of its own.

use super::gemm::walk::Walk;
use super::pool::Buffer;
use super::simd::{copy_few, widest};
use crate::shape::{Conv2dGeometry, Padding};

/// The number of pixels of a task, which share one pass over the packed weights.
const TASK_PIXELS: usize = 384;

/// The number of values of a task's padded images: a quarter of a megabyte.
const TASK_VALUES: usize = 1 << 16;

/// Images `[n, h, w, groups · c]` as `[groups, n, h, w, c]` with zeros around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Padded {
    /// Rows, without the padding.
    pub h: usize,
    /// Columns, without the padding.
    pub w: usize,
    /// Groups of channels.
    pub groups: usize,
    /// Channels of a group.
    pub c: usize,
    /// Zeros around.
    pub padding: Padding,
}

impl Padded {
    /// The input of the convolution `g`.
    pub fn input(g: &Conv2dGeometry) -> Padded {
        Padded { h: g.h, w: g.w, groups: g.groups, c: g.c_in / g.groups, padding: g.padding }
    }

    /// Values of a row with its padding.
    pub fn row(&self) -> usize {
        (self.padding.left + self.w + self.padding.right) * self.c
    }

    /// Values of a group's image with its padding.
    pub fn image(&self) -> usize {
        let rows = self.padding.top + self.h + self.padding.bottom;
        let values = rows.checked_mul(self.row());
        values.expect("a padded image fits into memory")
    }

    /// The number of images of a task, if each has `pixels` output pixels. It doesn't depend on the number of threads.
    pub fn images_per_task(&self, pixels: usize) -> usize {
        let by_pixels = TASK_PIXELS.div_ceil(pixels.max(1));
        by_pixels.min(TASK_VALUES / (self.groups * self.image()).max(1)).max(1)
    }

    /// Some images group by group and with their padding, in `buffer` unless they have that form already.
    pub fn pad<'a>(&self, images: &'a [f32], buffer: &'a mut Option<Buffer>) -> &'a [f32] {
        if self.padding == Padding::VALID && self.groups == 1 {
            return images;
        }
        let row = self.w * self.groups * self.c;
        let image = (self.h * row).max(1);
        let of_group = images.len() / image * self.image();
        let padded = &mut buffer.get_or_insert_with(|| Buffer::zeros(self.groups * of_group))[..self.groups * of_group];
        if padded.is_empty() {
            return padded;
        }
        for (n, image) in images.chunks_exact(image).enumerate() {
            for (y, row) in image.chunks_exact(row).enumerate() {
                let at = n * self.image() + (self.padding.top + y) * self.row() + self.padding.left * self.c;
                match self.groups {
                    1 => padded[at..][..row.len()].copy_from_slice(row),
                    _ => self.deal_out(row, &mut padded[at..], of_group),
                }
            }
        }
        padded
    }

    /// Writes the pixels of `row` to `to`, where each group's are side by side and groups are `of_group` values apart.
    fn deal_out(&self, row: &[f32], to: &mut [f32], of_group: usize) {
        let Padded { groups, c, .. } = *self;
        widest(
            #[inline(always)]
            move || {
                for (p, pixel) in row.chunks_exact(groups * c).enumerate() {
                    for (group, from) in pixel.chunks_exact(c).enumerate() {
                        copy_few(from, &mut to[group * of_group + p * c..][..c]);
                    }
                }
            },
        );
    }

    /// How a kernel of `kernel` = `[rows, columns]` walks through a patch.
    pub fn patch(&self, kernel: [usize; 2]) -> Walk {
        Walk { planes: 1, plane: 0, segments: kernel[0], segment: self.row(), run: kernel[1] * self.c, step: 1 }
    }

    /// Where the patches of `count` images begin, for an output of `size` = `[rows, columns]`: the patch of pixel
    /// (y, x) begins at pixel (y, x) · `stride` + `first`.
    pub fn patches(&self, count: usize, size: [usize; 2], first: [usize; 2], stride: [usize; 2]) -> Vec<usize> {
        let mut offsets = Vec::with_capacity(count * size[0] * size[1]);
        for image in 0..count {
            for y in 0..size[0] {
                let row = image * self.image() + (first[0] + y * stride[0]) * self.row();
                offsets.extend((0..size[1]).map(|x| row + (first[1] + x * stride[1]) * self.c));
            }
        }
        offsets
    }
}
