//! What is measured. A row is a name and how to make its two sides; nothing is made for rows that are not
//! asked for.

pub mod data;
pub mod elementwise;
pub mod gemm;
pub mod layers;
pub mod steps;

use crate::pairs::warm_seconds;
use crate::torch::layout::Layout;
use minimax::random::Random;
use minimax::{Device, Shape, Tensor};
use std::path::Path;

/// Both sides of a row, ready to be run as often as one likes.
pub struct Pair {
    /// minimax.
    pub ours: Box<dyn FnMut() + Send>,
    /// libtorch.
    pub libtorch: Box<dyn FnMut() + Send>,
    /// The faster of libtorch's layouts, where there are images.
    pub layout: Option<Layout>,
    /// Of a step, the largest relative difference between both sides' losses.
    pub difference: Option<f64>,
}

impl Pair {
    fn new(ours: impl FnMut() + Send + 'static, libtorch: impl FnMut() + Send + 'static) -> Pair {
        Pair { ours: Box::new(ours), libtorch: Box::new(libtorch), layout: None, difference: None }
    }

    fn with_layout(self, layout: Layout) -> Pair {
        let layout = Some(layout);
        Pair { layout, ..self }
    }
}

/// A line of the table.
pub struct Row {
    /// What is done, and to what shapes.
    pub name: String,
    /// One thread in place of all.
    pub alone: bool,
    /// Floating-point operations of the products in it, by their plain formula, a multiply-add being two;
    /// none where there is no product.
    pub flops: Option<f64>,
    /// Makes the sides.
    pub build: Box<dyn Fn() -> Result<Pair, String> + Sync>,
}

impl Row {
    fn new(name: String, flops: Option<f64>, build: impl Fn() -> Result<Pair, String> + Sync + 'static) -> Row {
        Row { name, alone: false, flops, build: Box::new(build) }
    }
}

/// Every row, in the order of the table; those about data only with a folder of it.
pub fn all(quick: bool, data: Option<&Path>) -> Vec<Row> {
    let mut rows = steps::rows(quick);
    rows.extend(layers::rows());
    rows.extend(elementwise::rows());
    rows.extend(gemm::rows());
    rows.extend(data::rows(quick, data));
    rows
}

/// The side that is fastest of those made for each layout, and its layout.
fn fastest<F: FnMut()>(mut make: impl FnMut(Layout) -> Result<F, String>) -> Result<(F, Layout), String> {
    let mut fastest: Option<(f64, F, Layout)> = None;
    for layout in Layout::ALL {
        let mut side = make(layout)?;
        let seconds = warm_seconds(&mut side);
        if fastest.as_ref().is_none_or(|(best, ..)| seconds < *best) {
            fastest = Some((seconds, side, layout));
        }
    }
    let (_, side, layout) = fastest.expect("there are layouts");
    Ok((side, layout))
}

/// Normal numbers.
fn normal(shape: impl Into<Shape>, random: &mut Random) -> Tensor {
    let shape = shape.into();
    Tensor::new(&random.normal(shape.numel()), shape, Device::Cpu)
}
