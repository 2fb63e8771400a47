//! The structs of kernels/geometry.cuh, field by field.

use super::context::Context;
use crate::random;
use crate::shape::{self, MAX_RANK, Shape};
use bytemuck::NoUninit;

/// A convolution.
#[repr(C)]
#[derive(Clone, Copy, Debug, NoUninit)]
pub struct Conv2dGeometry {
    n: i32,
    h: i32,
    w: i32,
    c_in: i32,
    out_h: i32,
    out_w: i32,
    c_out: i32,
    groups: i32,
    kh: i32,
    kw: i32,
    stride_h: i32,
    stride_w: i32,
    top: i32,
    left: i32,
}

impl From<&shape::Conv2dGeometry> for Conv2dGeometry {
    fn from(g: &shape::Conv2dGeometry) -> Conv2dGeometry {
        let int = |length: usize| i32::try_from(length).expect("buffers are shorter than 2³¹ values");
        Conv2dGeometry {
            n: int(g.n),
            h: int(g.h),
            w: int(g.w),
            c_in: int(g.c_in),
            out_h: int(g.out_h),
            out_w: int(g.out_w),
            c_out: int(g.c_out),
            groups: int(g.groups),
            kh: int(g.kh),
            kw: int(g.kw),
            stride_h: int(g.stride[0]),
            stride_w: int(g.stride[1]),
            top: int(g.padding.top),
            left: int(g.padding.left),
        }
    }
}

/// Values read in another order.
#[repr(C)]
#[derive(Clone, Copy, Debug, NoUninit)]
pub struct View {
    dims: [i32; MAX_RANK],
    strides: [i32; MAX_RANK],
    offset: i32,
}

impl View {
    /// A view of `shape`: the first value lies at `offset`, and neighbours along each axis lie `strides` apart.
    pub fn new(shape: Shape, strides: &[usize], offset: usize) -> View {
        let missing = MAX_RANK - shape.rank();
        let mut view = View { dims: [1; MAX_RANK], strides: [0; MAX_RANK], offset: offset as i32 };
        for (axis, (&length, &stride)) in shape.dims().iter().zip(strides).enumerate() {
            view.dims[missing + axis] = length as i32;
            view.strides[missing + axis] = stride as i32;
        }
        view
    }

    /// The same values with neighbouring axes made one wherever they can be: kernels divide less then.
    pub fn merged(self) -> View {
        let mut merged = View { dims: [1; MAX_RANK], strides: [0; MAX_RANK], offset: self.offset };
        let mut last = MAX_RANK;
        for axis in (0..MAX_RANK).rev().filter(|&axis| self.dims[axis] != 1) {
            let (length, stride) = (self.dims[axis], self.strides[axis]);
            if last < MAX_RANK && stride == merged.dims[last] * merged.strides[last] {
                merged.dims[last] *= length;
            } else {
                last -= 1;
                (merged.dims[last], merged.strides[last]) = (length, stride);
            }
        }
        merged
    }

    /// The same values counted in fours, if each of them lies together and at a multiple of 4.
    pub fn in_fours(mut self) -> Option<View> {
        let last = MAX_RANK - 1;
        let fours = |n: &mut i32| {
            let fits = *n % 4 == 0;
            *n /= 4;
            fits
        };
        let fits = self.strides[last] == 1
            && self.strides[..last].iter_mut().all(fours)
            && [&mut self.dims[last], &mut self.offset].into_iter().all(fours);
        fits.then_some(self)
    }
}

/// Where an array of random numbers starts.
#[repr(C)]
#[derive(Clone, Copy, Debug, NoUninit)]
pub struct Position {
    seed: u64,
    stream: u64,
    block: u64,
    base: u64,
}

impl Position {
    /// `position`; within a captured step its block is counted from the one at which the step begins to read the
    /// stream, which a replay finds at address `base`.
    pub fn new(position: random::Position, context: &Context) -> Position {
        let (first, base) = context.start_of(position.stream);
        let block = position.block.wrapping_sub(first);
        Position { seed: position.seed, stream: position.stream, block, base }
    }
}
