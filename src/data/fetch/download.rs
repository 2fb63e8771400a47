//! Downloads one file from one of several mirrors: retries, the check of the sum, and the final name.

use super::Progress;
use super::http::{Client, Failure, length};
use crate::data::manifest::File;
use crate::data::sum::Sum;
use crate::files::again;
use crate::terminal::excerpt;
use crate::{Error, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often one mirror is asked again without [`HEADWAY`] in between.
const RETRIES: u32 = 3;

/// A request that brings this many bytes shows that a mirror is worth staying with.
const HEADWAY: u64 = 1 << 20;

/// The wait before the first retry; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// A file on its way.
pub struct Download<'a> {
    client: &'a Client,
    file: &'a File,
    path: &'a Path,
    /// Its path until it is complete.
    part: PathBuf,
    progress: &'a mut dyn FnMut(Progress),
    stop: &'a dyn Fn() -> bool,
}

impl<'a> Download<'a> {
    /// The download of `file` to `path`.
    pub fn new(
        client: &'a Client,
        file: &'a File,
        path: &'a Path,
        progress: &'a mut dyn FnMut(Progress),
        stop: &'a dyn Fn() -> bool,
    ) -> Download<'a> {
        let part = path.with_file_name(format!("{}.part", file.name));
        Download { client, file, path, part, progress, stop }
    }

    /// Downloads from the first of `mirrors` that gives the right file.
    ///
    /// # Errors
    /// If no mirror does, [`Error::Data`] with what each of them said; [`Error::Io`] if the system refuses to write;
    /// [`Error::Interrupted`] if a stop was asked for. What has come is kept for the next call, unless its sum is
    /// wrong.
    pub fn run(mut self, mirrors: &[String]) -> Result<()> {
        let mut said = Vec::new();
        for mirror in mirrors {
            let url = &format!("{}/{}", mirror.trim_end_matches('/'), self.file.name);
            match self.try_mirror(url) {
                Ok(()) => {
                    return again(|| fs::rename(&self.part, self.path)).map_err(Error::io(self.path));
                }
                Err(Failure::Here(error)) => return Err(error),
                Err(Failure::Passing(why) | Failure::Lasting(why)) => {
                    self.tell_failure(url, &why, false);
                    said.push(format!("{}: {why}", excerpt(url)));
                }
            }
        }
        let what = format!("no mirror gave it ({})", said.join("; "));
        let fix = match self.done() {
            0 => "download it there by hand, or name another mirror",
            _ => "run this again to go on with what has come, or download it there by hand",
        };
        Err(Error::data(self.path, what, fix))
    }

    /// Downloads from one mirror, which is asked again after a failure that may pass.
    fn try_mirror(&mut self, url: &str) -> std::result::Result<(), Failure> {
        // Bytes of an earlier call or another mirror may be why a sum is wrong.
        let mut inherited = self.done() > 0;
        let mut failures = 0;
        // Bytes that had come before, and were thrown away, don't count as progress when they come again.
        let mut furthest = self.done();
        let end = Instant::now() + self.client.patience.whole;
        loop {
            let why = match self.try_once(url, end) {
                Err(Failure::Passing(why)) => why,
                Err(Failure::Lasting(why)) if inherited && self.done() == 0 => why,
                done_or_given_up => return done_or_given_up,
            };
            let after = self.done();
            inherited &= after > 0;
            if after >= furthest + HEADWAY {
                failures = 0;
            }
            furthest = furthest.max(after);
            if failures == RETRIES {
                return Err(Failure::Passing(why));
            }
            self.tell_failure(url, &why, true);
            self.pause(PAUSE * 2u32.pow(failures))?;
            failures += 1;
        }
    }

    /// One request, and the sum if it brings the end of the file.
    fn try_once(&mut self, url: &str, end: Instant) -> std::result::Result<(), Failure> {
        let (file, done) = (self.file, self.done());
        (self.progress)(Progress::Begun { file, url, done });
        let received = &mut |bytes| (self.progress)(Progress::Received(bytes));
        let got = self.client.get(url, &self.part, file.bytes, end, received, self.stop);
        self.check_stop()?;
        got?;
        self.check_sum()
    }

    /// A part with the right sum is on the disk for good after this; any other is removed.
    fn check_sum(&self) -> std::result::Result<(), Failure> {
        let sum = || -> io::Result<Sum> {
            let part = fs::File::open(&self.part)?;
            part.sync_all()?;
            Ok(Sum::of(part)?.0)
        };
        let (sum, wanted) = (sum().map_err(Error::io(&self.part))?, self.file.sha256);
        if sum == wanted {
            return Ok(());
        }
        again(|| fs::remove_file(&self.part)).map_err(Error::io(&self.part))?;
        let why = format!("its SHA-256 is {sum} and should be {wanted}");
        Err(Failure::Lasting(why))
    }

    fn tell_failure(&mut self, url: &str, why: &str, again: bool) {
        (self.progress)(Progress::Failed { url, why, again });
    }

    /// How many bytes have come.
    fn done(&self) -> u64 {
        length(&self.part)
    }

    fn pause(&self, time: Duration) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.check_stop()?;
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn check_stop(&self) -> Result<()> {
        if !(self.stop)() {
            return Ok(());
        }
        Err(Error::Interrupted(format!(
            "stopped with {} of {} bytes in {}; the same command goes on from there",
            self.done(),
            self.file.bytes,
            self.part.display()
        )))
    }
}
