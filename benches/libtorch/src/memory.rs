//! Peak memory of a training run of each side, in processes of their own: minimax in `ours`, which never
//! loads libtorch, and libtorch in this program once more.

use crate::process::{Footprint, footprint};
use crate::subjects::{Batch, random, recipe};
use crate::torch::gan::{self, Noise, Real};
use crate::torch::layout::Layout;
use minimax::Device;
use minimax::gan::model::Gan;
use std::env::current_exe;
use std::process::{Command, Stdio};

/// Both sides' footprints on one recipe.
pub struct Memory {
    /// minimax's.
    pub ours: Footprint,
    /// libtorch's, in whichever of its layouts takes less.
    pub libtorch: Footprint,
}

/// Trains recipe `name` in one process after the other.
///
/// # Errors
/// Where a process can't be started or fails.
pub fn compare(name: &str, threads: usize) -> Result<Memory, String> {
    let this = current_exe().map_err(|error| format!("this program's path: {error}"))?;
    let threads = threads.to_string();
    let mut ours = Command::new(this.with_file_name("ours"));
    let mut libtorch = Vec::new();
    for layout in Layout::ALL {
        let mut child = Command::new(&this);
        child.args(["--threads", &threads, "--train-alone", name, layout.name()]);
        libtorch.push(of_child(&mut child)?);
    }
    let less = |a: &Footprint, b: &Footprint| a.peak_mib.total_cmp(&b.peak_mib);
    Ok(Memory {
        ours: of_child(ours.args([name, &threads]))?,
        libtorch: libtorch.into_iter().min_by(less).expect("two layouts"),
    })
}

fn of_child(command: &mut Command) -> Result<Footprint, String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    let program = command.get_program();
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{program:?} ended with {}: {error}", output.status))
}

/// The child's part: a few steps of recipe `name` by libtorch.
///
/// # Errors
/// Where libtorch's side doesn't do what the recipe asks for.
pub fn train_alone(name: &str, layout: Layout) -> Result<Footprint, String> {
    let recipe = recipe(name);
    let (mut libtorch, real) = {
        let ours = Gan::new(&recipe, Device::Cpu);
        let batch = Batch::new(&recipe, recipe.training.real_images(), &mut random());
        (gan::Gan::new(&recipe, &ours, layout)?, Real::new(&batch, layout))
    };
    Ok(footprint(|| {
        libtorch.step(&real, &mut Noise::Own);
    }))
}
