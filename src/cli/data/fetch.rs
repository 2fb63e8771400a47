//! `minimax data fetch`: downloading a public data set.

use super::{ManifestArgs, folder_of};
use crate::cli::{bar, interrupt, print, say};
use crate::data::DIGITS;
use crate::data::fetch::{Patience, Progress, fetch};
use crate::data::manifest::{File, Manifest, Set, is_web_address};
use crate::data::stacked::planes_of;
use crate::terminal::{excerpt, line};
use crate::{Error, Result};
use clap::Args;
use indicatif::{DecimalBytes, ProgressBar};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments of `minimax data fetch`.
#[derive(Args, Debug)]
pub struct FetchArgs {
    /// A public data set (see `minimax data list`)
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The folder to put it in [default: datasets/NAME, where every command looks for the name]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Try this folder on the web first; files from it must have the right sums too
    #[arg(long, value_name = "URL")]
    pub mirror: Option<String>,
    /// The list of data sets.
    #[command(flatten)]
    pub manifest: ManifestArgs,
}

/// Runs `minimax data fetch`.
///
/// # Errors
/// [`Error::Usage`] for a name that isn't in the manifest or a mirror that isn't a web address, and those of
/// [`Manifest::read`] and [`fetch`].
pub fn run(args: &FetchArgs) -> Result<()> {
    let manifest = args.manifest.load()?;
    let mut set = known(&manifest, &args.name)?.clone();
    if let Some(url) = &args.mirror {
        if !is_web_address(url) {
            let fix = "give an address that begins with https:// or http://";
            return Err(Error::Usage(format!("--mirror {url}: {fix}")));
        }
        set.mirrors.insert(0, url.clone());
    }
    let folder = args.out.clone().unwrap_or_else(|| folder_of(&set.name));
    let stop = interrupt::watch()?;
    let mut screen = Screen::new();
    let patience = Patience::default();
    let show = &mut |progress: Progress| screen.show(&progress);
    let fetched = fetch(&set, &folder, patience, show, &stop);
    screen.clear();
    fetched?;
    print(&format!(
        "{}: all of it is in {}\nlicence: {}\ncite: {}\n",
        excerpt(&set.name),
        folder.display(),
        line(&set.licence),
        line(&set.citation)
    ))
}

fn known<'m>(manifest: &'m Manifest, name: &str) -> Result<&'m Set> {
    manifest.set(name).ok_or_else(|| {
        let names = manifest.names();
        Error::Usage(match (name, planes_of(name)) {
            (DIGITS, _) => format!("{DIGITS}: nothing to download, the program renders them itself"),
            (_, Some(planes)) => format!("{name}: made of {planes}; fetch that"),
            _ => format!("{name}: not a data set to download; choose one of {names}"),
        })
    })
}

/// What the user sees of a download: a bar on a terminal, plain lines elsewhere.
struct Screen {
    bar: Option<ProgressBar>,
    /// The name and size of the file on its way.
    file: (String, u64),
    line: Instant,
}

/// How often a plain line says how far a file is.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Screen {
    fn new() -> Screen {
        Screen { bar: None, file: (String::new(), 0), line: Instant::now() }
    }

    fn show(&mut self, progress: &Progress) {
        match progress {
            Progress::Present(file) => self.say(&format!("{}: is there already", file.name)),
            Progress::Begun { file, url, done } => self.begin(file, url, *done),
            Progress::Received(done) => self.received(*done),
            Progress::Failed { url, why, again } => {
                self.clear();
                let then = if *again { "; asking again" } else { "" };
                self.say(&format!("{}: {why}{then}", excerpt(url)));
            }
            Progress::Finished(file) => {
                self.clear();
                self.say(&format!("{}: done", file.name));
            }
        }
    }

    fn begin(&mut self, file: &File, url: &str, done: u64) {
        self.clear();
        let size = DecimalBytes(file.bytes);
        let after = match done {
            0 => String::new(),
            _ => format!(", going on after {}", DecimalBytes(done)),
        };
        self.say(&format!("{}: {size} from {}{after}", file.name, excerpt(url)));
        self.file = (file.name.clone(), file.bytes);
        let style = "{bar:24.cyan/blue} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";
        self.bar = bar::start(file.bytes, style).map(|bar| {
            let bar = bar.with_position(done);
            // What an earlier try has brought says nothing about the speed of this one.
            bar.reset_eta();
            bar
        });
    }

    fn received(&mut self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if self.line.elapsed() > LINE_EVERY {
            let (name, size) = &self.file;
            let (done, size) = (DecimalBytes(done), DecimalBytes(*size));
            self.say(&format!("{name}: {done} of {size}"));
        }
    }

    fn say(&mut self, line: &str) {
        self.line = Instant::now();
        say(self.bar.as_ref(), line);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
