//! Which layer a panic came from: an op names itself and its shapes, but not which of twenty convolutions it was.

use crate::terminal::line;
use crate::unwind;
use std::fmt;
use std::io::Write;
use std::panic::Location;

/// A layer while its forward pass runs. Where a panic goes through, it says so on standard error, below the panic's own
/// words, from the innermost network outwards.
pub(super) struct Place<'a> {
    /// What holds the layer.
    pub network: &'static str,
    /// Its place there, counted from 1.
    pub number: usize,
    /// Its name there, if it was given one.
    pub name: Option<&'a str>,
    /// Its type.
    pub kind: &'static str,
    /// Who called the network: the user's line, or a line of this folder where another network did.
    pub caller: &'static Location<'static>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { network, number, name, kind, caller } = self;
        write!(f, "in layer {number}")?;
        if let Some(name) = name {
            write!(f, ", {name}")?;
        }
        write!(f, " ({kind}) of the {network}")?;
        // Of a network within another only the outer one's caller helps, which follows.
        match file!().strip_suffix("trail.rs").is_some_and(|folder| caller.file().starts_with(folder)) {
            true => Ok(()),
            false => write!(f, " called at {caller}"),
        }
    }
}

impl Drop for Place<'_> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a panic can't be given another message any more, only a line after it"
    )]
    fn drop(&mut self) {
        // What a device can't do unwinds as well, and is no layer's fault.
        if std::thread::panicking() && !unwind::is_on_its_way() {
            // Where nothing can be written, a panic about that would end the process.
            let _ = writeln!(std::io::stderr(), "{}", line(&self.to_string()));
        }
    }
}
