//! Event files, which TensorBoard shows: numbers, pictures and texts by step.
//!
//! A file is a sequence of records (TFRecord frames around protocol buffers), the first of which says `brain.Event:2`.
//! Steps never decrease from record to record, so a run that is resumed cuts off the end of its file: the records of
//! steps that its checkpoint doesn't know, and a last record that a killed process may have left incomplete.

mod message;
mod record;

use super::Picture;
use crate::files::{list, write_whole};
use crate::{Error, Result};
use message::{
    DATA_CLASS_TENSOR, DT_STRING, Event, EventHead, Image, PluginData, Shape, Summary, SummaryMetadata, SummaryValue,
    Tensor, Value,
};
use prost::Message;
use record::Records;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The prefix of the name of every event file, by which TensorBoard recognises them. It is followed by the time at
/// which the run began, in seconds since 1970, and `.minimax`.
pub const PREFIX: &str = "events.out.tfevents.";
/// The end of the names of the files written here.
const WRITER: &str = ".minimax";
const VERSION: &str = "brain.Event:2";

/// A run's event file, open at its end.
pub struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventFile {
    /// The event file in `folder`, cut after the records of step `last_step`; a new one if there was none, or if
    /// `last_step` is 0.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read or written.
    pub fn open(folder: &Path, last_step: u64) -> Result<EventFile> {
        let found = find(folder)?;
        let path = found.unwrap_or_else(|| folder.join(format!("{PREFIX}{}{WRITER}", seconds() as u64)));
        let known = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            opened => {
                let file = opened.map_err(Error::io(&path))?;
                known_length(BufReader::new(file), last_step).map_err(Error::io(&path))?
            }
        };
        if known == 0 || last_step == 0 {
            let mut bytes = Vec::new();
            let version = Event { wall_time: seconds(), file_version: Some(VERSION.into()), ..Event::default() };
            record::write(&mut bytes, &version.encode_to_vec()).map_err(Error::io(&path))?;
            write_whole(&path, &bytes)?;
        }
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(Error::io(&path))?;
        if known > 0 && last_step > 0 {
            file.set_len(known).map_err(Error::io(&path))?;
        }
        Ok(EventFile { path, file: BufWriter::new(file) })
    }

    /// Whether `name` is that of an event file written here.
    pub fn is_name(name: &str) -> bool {
        name.starts_with(PREFIX) && name.ends_with(WRITER)
    }

    /// Adds the number `value` of step `step`, as f32, under `tag`. Tags with the same text before a `/` are shown
    /// together.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be written.
    pub fn scalar(&mut self, step: u64, tag: &str, value: f64) -> Result<()> {
        self.add(step, tag, None, Value::Simple(value as f32))
    }

    /// Adds `picture` under `tag`.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be written.
    ///
    /// # Panics
    /// If the picture has no pixels.
    pub fn image(&mut self, step: u64, tag: &str, picture: &Picture) -> Result<()> {
        let image = Image {
            height: picture.height as i32,
            width: picture.width as i32,
            colorspace: if picture.is_grey() { 1 } else { 3 },
            encoded: picture.to_png(),
        };
        self.add(step, tag, None, Value::Image(image))
    }

    /// Adds a text in Markdown under `tag`.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be written.
    pub fn text(&mut self, step: u64, tag: &str, markdown: &str) -> Result<()> {
        let metadata = SummaryMetadata {
            plugin_data: Some(PluginData { plugin_name: "text".into() }),
            data_class: DATA_CLASS_TENSOR,
        };
        let tensor = Tensor { dtype: DT_STRING, shape: Some(Shape {}), string_val: vec![markdown.into()] };
        self.add(step, tag, Some(metadata), Value::Tensor(tensor))
    }

    fn add(&mut self, step: u64, tag: &str, metadata: Option<SummaryMetadata>, value: Value) -> Result<()> {
        let value = SummaryValue { tag: tag.into(), metadata, value: Some(value) };
        let event = Event {
            wall_time: seconds(),
            step: step as i64,
            file_version: None,
            summary: Some(Summary { value: vec![value] }),
        };
        record::write(&mut self.file, &event.encode_to_vec()).map_err(Error::io(&self.path))
    }

    /// Passes what has been added to the system, so that TensorBoard can see it.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be written.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(Error::io(&self.path))
    }

    /// Puts what has been added on the disk.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be written.
    pub fn sync(&mut self) -> Result<()> {
        self.flush()?;
        let synced = self.file.get_ref().sync_data();
        synced.map_err(Error::io(&self.path))
    }
}

/// The first of the event files in `folder` that were written here.
fn find(folder: &Path) -> Result<Option<PathBuf>> {
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        EventFile::is_name(&name)
    };
    Ok(list(folder)?.into_iter().filter(is_ours).min())
}

/// The number of bytes from the start that are whole records of steps up to `last`; 0 if the first record isn't a
/// version.
fn known_length(file: impl Read, last: u64) -> io::Result<u64> {
    let mut records = Records::new(file);
    let mut known = 0;
    while let Some((data, end)) = records.next()? {
        let Ok(head) = EventHead::decode(&*data) else {
            break;
        };
        let is_version = head.file_version.as_deref() == Some(VERSION);
        if is_version != (known == 0) || u64::try_from(head.step).is_ok_and(|step| step > last) {
            break;
        }
        known = end;
    }
    Ok(known)
}

/// Seconds since 1970.
fn seconds() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    /// Every event of the only event file in `folder`.
    fn events(folder: &Path) -> Vec<Event> {
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
        let bytes = fs::read(find(folder).unwrap().unwrap()).unwrap();
        let mut records = Records::new(&bytes[..]);
        let next = || records.next().unwrap();
        let events: Vec<Event> = std::iter::from_fn(next).map(|(data, _)| Event::decode(&*data).unwrap()).collect();
        let length: usize = events.iter().map(|event| event.encoded_len() + 16).sum();
        assert_eq!(length, bytes.len(), "nothing lies behind the last record");
        events
    }

    fn steps(folder: &Path) -> Vec<i64> {
        events(folder).iter().map(|event| event.step).collect()
    }

    /// A file with records of steps 0 to 5.
    fn write_some(folder: &Path) {
        let mut file = EventFile::open(folder, 0).unwrap();
        file.text(0, "recipe", "    epochs = 2").unwrap();
        for step in 1..6 {
            file.scalar(step, "loss/generator", step as f64 / 2.0).unwrap();
        }
        file.sync().unwrap();
    }

    #[test]
    fn what_is_added_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = EventFile::open(folder.path(), 0).unwrap();
        let picture = Picture::new(3, 2, [1, 2, 3]);
        file.scalar(7, "output/real", 0.25).unwrap();
        file.image(8, "samples", &picture).unwrap();
        file.text(9, "recipe", "# name").unwrap();
        file.flush().unwrap();

        let events = events(folder.path());
        assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
        assert!(events[0].wall_time > 1.7e9);
        assert!(events.is_sorted_by(|a, b| a.wall_time <= b.wall_time));
        let values: Vec<(i64, SummaryValue)> =
            events[1..].iter().map(|event| (event.step, event.summary.clone().unwrap().value[0].clone())).collect();
        assert_eq!((values[0].0, &*values[0].1.tag), (7, "output/real"));
        assert_eq!(values[0].1.value, Some(Value::Simple(0.25)));
        let Some(Value::Image(image)) = &values[1].1.value else {
            panic!("{:?}", values[1]);
        };
        assert_eq!((image.width, image.height, image.colorspace), (3, 2, 3));
        assert_eq!(Picture::from_png(Path::new("grid"), &image.encoded).unwrap(), picture);
        let Some(Value::Tensor(tensor)) = &values[2].1.value else {
            panic!("{:?}", values[2]);
        };
        assert_eq!(tensor.string_val, [b"# name"]);
    }

    #[test]
    fn a_run_that_goes_on_drops_what_its_checkpoint_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        write_some(folder.path());
        let mut file = EventFile::open(folder.path(), 3).unwrap();
        file.scalar(4, "loss/generator", 9.0).unwrap();
        file.sync().unwrap();
        drop(file);
        assert_eq!(steps(folder.path()), [0, 0, 1, 2, 3, 4]);
        drop(EventFile::open(folder.path(), 100).unwrap());
        assert_eq!(steps(folder.path()), [0, 0, 1, 2, 3, 4]);
        drop(EventFile::open(folder.path(), 0).unwrap());
        assert_eq!(steps(folder.path()), [0], "begun anew");
    }

    #[test]
    fn a_torn_or_damaged_end_is_cut_off_and_a_file_of_another_kind_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        write_some(folder.path());
        let path = find(folder.path()).unwrap().unwrap();
        let whole = fs::read(&path).unwrap();
        for (bytes, expected) in [
            (&whole[..whole.len() - 3], 6),
            (&[&whole[..], b"tail"].concat(), 7),
            (&whole[..5], 1),
            (&b"not an event file at all"[..], 1),
            (b"", 1),
        ] {
            fs::write(&path, bytes).unwrap();
            drop(EventFile::open(folder.path(), 100).unwrap());
            assert_eq!(steps(folder.path()).len(), expected);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = EventFile::open(Path::new("no/such/run"), 5);
        let error = error.err().unwrap().to_string();
        assert!(error.starts_with("no/such/run: "), "{error}");
    }

    proptest! {
        #[test]
        fn hostile_records_never_panic(
            data in proptest::collection::vec(any::<u8>(), 0..100),
            last in any::<u64>(),
        ) {
            let version = Event { file_version: Some(VERSION.into()), ..Event::default() };
            let mut file = Vec::new();
            record::write(&mut file, &version.encode_to_vec()).unwrap();
            let first = file.len() as u64;
            record::write(&mut file, &data).unwrap();
            let known = known_length(&file[..], last).unwrap();
            prop_assert!(known == first || known == file.len() as u64);
            prop_assert_eq!(known_length(&data[..], last).unwrap(), 0);
        }
    }
}
