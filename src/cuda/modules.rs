//! The kernels, as PTX inside this program: a module per file of kernels/.

/// Each stem with its PTX, which kernels/compile.py makes of kernels/`stem`.cu.
const MODULES: &[(&str, &str)] = &[
    ("binary", include_str!("../../kernels/ptx/binary.ptx")),
    ("unary", include_str!("../../kernels/ptx/unary.ptx")),
];

/// The PTX of kernels/`stem`.cu.
pub fn ptx(stem: &str) -> Option<&'static str> {
    let found = MODULES.iter().find(|(name, _)| *name == stem);
    found.map(|(_, text)| *text)
}
