//! The kernels, as PTX inside this program: a module per file of kernels/.

/// Each stem with its PTX, which kernels/compile.py makes of kernels/`stem`.cu.
const MODULES: &[(&str, &str)] = &[
    ("binary", include_str!("../../kernels/ptx/binary.ptx")),
    ("conv2d", include_str!("../../kernels/ptx/conv2d.ptx")),
    (
        "conv2d_weight_grad",
        include_str!("../../kernels/ptx/conv2d_weight_grad.ptx"),
    ),
    (
        "conv_transpose2d",
        include_str!("../../kernels/ptx/conv_transpose2d.ptx"),
    ),
    ("dense", include_str!("../../kernels/ptx/dense.ptx")),
    ("matmul", include_str!("../../kernels/ptx/matmul.ptx")),
    ("unary", include_str!("../../kernels/ptx/unary.ptx")),
];

/// The PTX of kernels/`stem`.cu.
pub fn ptx(stem: &str) -> Option<&'static str> {
    let found = MODULES.iter().find(|(name, _)| *name == stem);
    found.map(|(_, text)| *text)
}
