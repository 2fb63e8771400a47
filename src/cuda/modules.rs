//! The kernels, as PTX inside this program: a module per file of kernels/.

/// Each stem with its PTX, which kernels/compile.py makes from kernels/`stem`.cu.
const MODULES: &[(&str, &str)] = &[
    ("argmax", include_str!("../../kernels/ptx/argmax.ptx")),
    ("avg_pool2d", include_str!("../../kernels/ptx/avg_pool2d.ptx")),
    ("batch_norm", include_str!("../../kernels/ptx/batch_norm.ptx")),
    ("batch_norm_grad", include_str!("../../kernels/ptx/batch_norm_grad.ptx")),
    ("bilinear", include_str!("../../kernels/ptx/bilinear.ptx")),
    ("binary", include_str!("../../kernels/ptx/binary.ptx")),
    ("conv2d", include_str!("../../kernels/ptx/conv2d.ptx")),
    ("conv2d_weight_grad", include_str!("../../kernels/ptx/conv2d_weight_grad.ptx")),
    ("conv_transpose2d", include_str!("../../kernels/ptx/conv_transpose2d.ptx")),
    ("cross_entropy", include_str!("../../kernels/ptx/cross_entropy.ptx")),
    ("dense", include_str!("../../kernels/ptx/dense.ptx")),
    ("dropout", include_str!("../../kernels/ptx/dropout.ptx")),
    ("fill", include_str!("../../kernels/ptx/fill.ptx")),
    ("finish", include_str!("../../kernels/ptx/finish.ptx")),
    ("gather", include_str!("../../kernels/ptx/gather.ptx")),
    ("gradient", include_str!("../../kernels/ptx/gradient.ptx")),
    ("ladder/conv2d", include_str!("../../kernels/ptx/ladder/conv2d.ptx")),
    ("ladder/gemm", include_str!("../../kernels/ptx/ladder/gemm.ptx")),
    ("leaky_relu", include_str!("../../kernels/ptx/leaky_relu.ptx")),
    ("matmul", include_str!("../../kernels/ptx/matmul.ptx")),
    ("max", include_str!("../../kernels/ptx/max.ptx")),
    ("max_pool2d", include_str!("../../kernels/ptx/max_pool2d.ptx")),
    ("one_hot", include_str!("../../kernels/ptx/one_hot.ptx")),
    ("optimizer", include_str!("../../kernels/ptx/optimizer.ptx")),
    ("pixels", include_str!("../../kernels/ptx/pixels.ptx")),
    ("random", include_str!("../../kernels/ptx/random.ptx")),
    ("select", include_str!("../../kernels/ptx/select.ptx")),
    ("softmax", include_str!("../../kernels/ptx/softmax.ptx")),
    ("strided", include_str!("../../kernels/ptx/strided.ptx")),
    ("sum", include_str!("../../kernels/ptx/sum.ptx")),
    ("unary", include_str!("../../kernels/ptx/unary.ptx")),
    ("upsample", include_str!("../../kernels/ptx/upsample.ptx")),
];

// ANCHOR: ptx
/// The PTX of kernels/`stem`.cu.
pub fn ptx(stem: &str) -> Option<&'static str> {
    let found = MODULES.iter().find(|(name, _)| *name == stem);
    found.map(|(_, text)| *text)
}
// ANCHOR_END: ptx
