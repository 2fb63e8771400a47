//! `minimax data list`: the data sets that have a name.

use super::{ManifestArgs, folder_of};
use crate::Result;
use crate::cli::print;
use crate::cli::table::{Align, align, thousands};
use crate::data::manifest::Set;
use crate::data::stacked::{self, PLANES, STACKED_MNIST};
use crate::data::verify::present;
use crate::data::{self, DIGITS, Wanted};
use crate::terminal::excerpt;
use clap::Args;
use indicatif::DecimalBytes;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `minimax data list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The list of data sets.
    #[command(flatten)]
    pub manifest: ManifestArgs,
}

/// Runs `minimax data list`.
///
/// # Errors
/// Those of [`Manifest::read`](crate::data::manifest::Manifest::read).
pub fn run(args: &ListArgs) -> Result<()> {
    let manifest = args.manifest.load()?;
    let sets = manifest.sets.iter().map(Row::of);
    let mnist = stacked::planes_of(STACKED_MNIST).and_then(|planes| manifest.set(planes));
    let rows: Vec<_> = std::iter::once(Row::digits()?).chain(sets).chain(mnist.map(Row::stacked)).collect();
    print(&if args.json { serde_json::to_string(&rows).expect("strings and numbers") + "\n" } else { table(&rows) })
}

/// A data set in the list.
#[derive(Serialize)]
struct Row {
    name: String,
    title: String,
    training: u64,
    test: u64,
    shape: [u32; 3],
    /// The size of the download; 0 for what the program makes itself.
    bytes: u64,
    licence: String,
    citation: String,
    folder: Option<PathBuf>,
    /// The number of its files in `folder`, judged by their names, and the number that there should be.
    files: (usize, usize),
}

impl Row {
    fn of(set: &Set) -> Row {
        let folder = folder_of(&set.name);
        Row {
            name: set.name.clone(),
            title: set.title.clone(),
            training: set.training,
            test: set.test,
            shape: set.shape,
            bytes: set.bytes(),
            licence: set.licence.clone(),
            citation: set.citation.clone(),
            files: present(set, &folder),
            folder: Some(folder),
        }
    }

    /// The set whose planes are images of `set`, which is all that must be downloaded for it.
    fn stacked(set: &Set) -> Row {
        let [height, width, _] = set.shape;
        Row {
            name: STACKED_MNIST.into(),
            title: "Three MNIST digits as the planes of an image, colour".into(),
            training: stacked::TRAINING as u64,
            test: stacked::TEST as u64,
            shape: [height, width, PLANES as u32],
            bytes: 0,
            ..Row::of(set)
        }
    }

    /// The set that is always there.
    fn digits() -> Result<Row> {
        let images = data::open(DIGITS, &Wanted::default())?.images;
        Ok(Row {
            name: DIGITS.into(),
            title: "Digits that the program renders itself, grey".into(),
            training: images.len() as u64,
            test: 0,
            shape: [images.height, images.width, images.channels].map(|n| n as u32),
            bytes: 0,
            licence: "none needed".into(),
            citation: String::new(),
            folder: None,
            files: (0, 0),
        })
    }

    /// Whether it is here, in words.
    fn here(&self) -> String {
        match (&self.folder, self.files) {
            (None, _) => "built in".into(),
            (_, (0, _)) => "no".into(),
            (Some(folder), (found, all)) if found == all => folder.display().to_string(),
            (_, (found, all)) => format!("{found} of {all} files"),
        }
    }
}

fn table(rows: &[Row]) -> String {
    let titles = ["name", "training", "test", "shape", "download", "licence", "here", ""];
    let mut cells = vec![titles.map(String::from)];
    cells.extend(rows.iter().map(|row| {
        let [height, width, channels] = row.shape;
        [
            excerpt(&row.name).to_string(),
            thousands(row.training),
            thousands(row.test),
            format!("{height}x{width}x{channels}"),
            DecimalBytes(row.bytes).to_string(),
            excerpt(&row.licence).to_string(),
            row.here(),
            excerpt(&row.title).to_string(),
        ]
    }));
    use Align::{Left, Right};
    let sides = [Left, Right, Right, Left, Right, Left, Left, Left];
    align(&cells, sides)
}
