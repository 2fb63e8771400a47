//! One pass for the statistics, one for y = activation(a_c · x + b_c); backward, one for the column sums of z̄ and
//! z̄ (x - μ), with z what the activation reads, and one for x̄. Parts of the sums are brought together by the block that
//! comes last.

use crate::cuda::Buffer;
use crate::cuda::columns::Columns;
use crate::cuda::launch::Call;
use crate::ops::dropout::cuda::with_mask;
use crate::ops::leaky_relu::cuda::with_slopes;
use crate::ops::leaky_relu::{Rectifier, Slopes};

/// How a batch is normalised: per channel, z = a · x + b.
pub struct Affine {
    a: Buffer,
    b: Buffer,
}

impl Affine {
    fn unspecified(channels: &Buffer) -> Affine {
        let (a, b) = (channels.like(), channels.like());
        Affine { a, b }
    }

    /// a = γ / √(σ² + ε), b = β - μ a.
    pub fn new(gamma: &Buffer, beta: &Buffer, mean: &Buffer, variance: &Buffer, epsilon: f32) -> Affine {
        let mut affine = Affine::unspecified(gamma);
        let kernel = Call::new(gamma.context(), "batch_norm", "batch_norm_affine");
        kernel
            .read(gamma)
            .read(beta)
            .read(mean)
            .read(variance)
            .value(epsilon)
            .write(&mut affine.a)
            .write(&mut affine.b)
            .value(gamma.len() as i32)
            .over(gamma.len());
        affine
    }
}

/// Of a `[rows, channels]` array, how it is cut, and room for two sums of each tile's columns.
struct Tiles {
    rows: usize,
    channels: usize,
    columns: Columns,
    sums: Buffer,
}

impl Tiles {
    fn new(x: &Buffer, channels: usize) -> Tiles {
        let rows = x.len() / channels;
        let columns = Columns::cut(1, rows, channels);
        let sums = Buffer::unspecified(columns.tiles * 2 * channels, x.context());
        Tiles { rows, channels, columns, sums }
    }

    /// `call` with the lengths as arguments.
    fn with_lengths(&self, call: Call) -> Call {
        call.value(self.rows as i32)
            .value(self.channels as i32)
            .value(self.columns.tile as i32)
            .value(self.columns.width as i32)
    }

    /// A block for each tile and column of blocks.
    fn launch(&self, call: Call) {
        let Columns { tiles, across, .. } = self.columns;
        call.counters(across).grid([tiles, across, 1], self.columns.threads(), 0);
    }
}

/// Running statistics and how a batch moves them: momentum · running + share · batch, where the batch's variance is
/// multiplied by the correction first.
pub struct Running<'a> {
    /// The running mean, `[c]`.
    pub mean: &'a mut Buffer,
    /// The running variance, `[c]`.
    pub variance: &'a mut Buffer,
    /// What they keep of themselves.
    pub momentum: f32,
    /// What a batch adds.
    pub share: f32,
    /// What the batch's variance is multiplied by.
    pub correction: f32,
}

/// μ and σ² of each column of x `[rows, channels]`, and how they normalise it; the running statistics are moved.
pub fn statistics(
    x: &Buffer,
    gamma: &Buffer,
    beta: &Buffer,
    epsilon: f32,
    running: Option<Running>,
) -> (Buffer, Buffer, Affine) {
    let mut tiles = Tiles::new(x, gamma.len());
    let (mut mean, mut variance) = (gamma.like(), gamma.like());
    let mut affine = Affine::unspecified(gamma);
    let call = Call::new(x.context(), "batch_norm", "batch_norm_statistics").read(x).write(&mut tiles.sums);
    let call = tiles.with_lengths(call).read(gamma).read(beta);
    let call = call.value(epsilon).write(&mut mean).write(&mut variance);
    let call = call.write(&mut affine.a).write(&mut affine.b);
    let call = match running {
        Some(running) => {
            let call = call.write(running.mean).write(running.variance);
            call.value(running.momentum).value(running.share).value(running.correction)
        }
        None => call.read_if(None).read_if(None).value(0.0f32).value(0.0f32).value(0.0f32),
    };
    tiles.launch(call);
    (mean, variance, affine)
}

/// y = activation(a · x + b).
pub fn normalise(x: &Buffer, affine: &Affine, activation: &Rectifier) -> Buffer {
    let mut y = x.like();
    let name = match activation.mask {
        None => "batch_norm_normalise",
        Some(_) => "batch_norm_normalise_dropout",
    };
    let kernel = Call::new(x.context(), "batch_norm", name);
    let mut call = kernel
        .read(x)
        .write(&mut y)
        .value(x.len() as i32)
        .value(affine.a.len() as i32)
        .read(&affine.a)
        .read(&affine.b)
        .value(activation.slope as f32);
    if let Some(mask) = &activation.mask {
        call = with_mask(call, mask, x.context());
    }
    call.over(x.len().div_ceil(4));
    y
}

/// What the derivative of y is taken at.
pub struct Forward<'a> {
    /// The batch.
    pub x: &'a Buffer,
    /// The output, where the activation's slopes can't be told from x: after dropout.
    pub y: Option<&'a Buffer>,
    /// γ.
    pub gamma: &'a Buffer,
    /// β.
    pub beta: &'a Buffer,
    /// μ.
    pub mean: &'a Buffer,
    /// σ².
    pub variance: &'a Buffer,
    /// ε.
    pub epsilon: f32,
    /// The activation's slopes.
    pub slopes: Slopes,
}

impl Forward<'_> {
    /// `call` with what tells z from x.
    fn with_channels(&self, call: Call) -> Call {
        call.read(self.gamma).read(self.beta).read(self.mean).read(self.variance).value(self.epsilon)
    }

    /// x̄, dγ and dβ from ȳ.
    pub fn grad(&self, grad: &Buffer) -> (Buffer, Buffer, Buffer) {
        let (x, channels) = (self.x, self.gamma.len());
        let kernel = |name| Call::new(x.context(), "batch_norm_grad", name);
        let mut tiles = Tiles::new(x, channels);
        let (mut dgamma, mut dbeta) = (self.gamma.like(), self.gamma.like());
        let mut factors = Buffer::unspecified(5 * channels, x.context());
        let call = kernel("batch_norm_grad_sums").read(x).read_if(self.y);
        let call = with_slopes(self.with_channels(call.read(grad)), self.slopes);
        let call = call.write(&mut tiles.sums);
        let call = tiles.with_lengths(call);
        tiles.launch(call.write(&mut dgamma).write(&mut dbeta).write(&mut factors));

        let mut dx = x.like();
        let call = kernel("batch_norm_grad_input").read(x).read_if(self.y);
        let call = call.read(grad).read(self.mean).read(&factors);
        with_slopes(call, self.slopes)
            .write(&mut dx)
            .value(x.len() as i32)
            .value(channels as i32)
            .over(x.len().div_ceil(4));
        (dx, dgamma, dbeta)
    }
}
