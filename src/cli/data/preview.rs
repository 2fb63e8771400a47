//! `minimax data preview`: looking at a data set before training on it.

use crate::cli::output::{self, Kind};
use crate::cli::{print, whole};
use crate::data::place::name_of;
use crate::data::{self, Opened, Wanted};
use crate::random::{Purpose, Random};
use crate::report::{columns_for, grid_png};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `minimax data preview`.
#[derive(Args, Debug)]
pub struct PreviewArgs {
    /// A data set's name (see `minimax data list`), a folder, or a .zip, .npy or .npz file
    #[arg(value_name = "NAME|PATH")]
    pub data: PathBuf,
    /// The picture to write
    #[arg(long, value_name = "FILE", default_value = "grid.png")]
    pub out: PathBuf,
    /// Overwrite any file that is there; a run's own files are never overwritten
    #[arg(long)]
    pub force: bool,
    /// Number of images [default: 100, or all if there are fewer]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0..=u64::MAX))]
    pub count: Option<usize>,
    /// Random seed for the choice of images, and for the built-in digits
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: u64,
}

/// Runs `minimax data preview` and prints a line, and a line for each note about the data.
///
/// # Errors
/// Those of [`data::open`], [`Error::Usage`] if `--count` is 0 or more than the set has, and those of [`grid_png`].
pub fn run(args: &PreviewArgs) -> Result<()> {
    let line = preview(args)?;
    print(&format!("{line}\n"))
}

/// Writes the grid, and returns what was written and the notes about the data.
fn preview(args: &PreviewArgs) -> Result<String> {
    output::check(&args.out, "--out", Kind::Png, args.force, &[args.data.as_path()])?;
    let wanted = Wanted { seed: args.seed, ..Wanted::default() };
    let Opened { images, notes } = data::open(&name_of(args.data.as_ref()), &wanted)?;
    let total = images.len();
    let count = args.count.unwrap_or(total.min(100));
    if count == 0 || count > total {
        return Err(Error::Usage(format!(
            "--count {count}: {} has {total} images; choose from 1 to {total}",
            args.data.display()
        )));
    }
    let order = Random::new(args.seed, Purpose::SHUFFLE).permutation(total);
    let pixels: Vec<u8> = order[..count].iter().flat_map(|&index| images.image(index as usize)).copied().collect();
    let (height, width, channels) = (images.height, images.width, images.channels);
    let columns = columns_for(count, None);
    grid_png(&args.out, &pixels, height, width, channels, columns)?;

    let classes = match images.classes() {
        0 => "no labels".to_string(),
        1 => "1 class".to_string(),
        classes => format!("{classes} classes"),
    };
    let line = format!(
        "{}: {count} of {total} images, {height}x{width}x{channels}, {classes}, written to {}",
        args.data.display(),
        args.out.display()
    );
    Ok([line].into_iter().chain(notes).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::fs;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        preview: PreviewArgs,
    }

    fn preview_args(line: &str) -> PreviewArgs {
        Command::try_parse_from(line.split(' ')).unwrap().preview
    }

    #[test]
    fn preview_writes_a_picture_and_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("digits.png");
        let line = format!("preview digits --count 9 --seed 4 --out {}", out.display());
        let said = preview(&preview_args(&line)).unwrap();
        let expected = format!("digits: 9 of 10000 images, 28x28x1, 10 classes, written to {}", out.display());
        assert_eq!(said, expected);
        assert!(fs::read(&out).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn a_count_that_cannot_be_drawn_is_a_usage_error_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("grid.png");
        for count in [0, 10_001] {
            let line = format!("preview digits --count {count} --out {}", out.display());
            let error = preview(&preview_args(&line)).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("from 1 to 10000"), "{error}");
        }
        assert!(!out.exists());
    }
}
