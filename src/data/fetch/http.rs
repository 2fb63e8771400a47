//! One request for the rest of a file (RFC 9110, section 14: range requests), written as it comes.

use super::Patience;
use crate::Error;
use crate::files::{self, again};
use crate::terminal::brief;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::http::{Response, StatusCode};

/// Why a request didn't bring the rest of the file.
pub enum Failure {
    /// Something that may pass: a cut connection, a server that is busy.
    Passing(String),
    /// The server doesn't have this file.
    Lasting(String),
    /// Not the server's fault: the disk is full, say.
    Here(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Here(error)
    }
}

/// What makes the requests.
pub struct Client {
    agent: Agent,
    /// How long is waited for an answer.
    pub patience: Patience,
}

/// What the thread of a request hears.
enum Heard {
    /// Where in the file the answer begins, as [`start`] says, and how long it is by its own word.
    Answer(Result<Option<u64>, Failure>, Option<u64>),
    Bytes(Vec<u8>),
    End,
    Cut(String),
}

/// How often it is asked whether to stop.
const POLL: Duration = Duration::from_millis(50);

impl Client {
    /// A client with this patience.
    pub fn new(patience: Patience) -> Client {
        let silence = Some(patience.silence);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .user_agent(concat!("minimax/", env!("CARGO_PKG_VERSION")))
            // Sizes, sums and ranges are those of the file as it is.
            .accept_encoding("identity")
            .build()
            .new_agent();
        Client { agent, patience }
    }

    /// Asks `url` for what the file `part` still lacks of its `bytes` and appends it, until `end` at the latest.
    /// `received` is told after each read how many bytes there are. If `stop` says so, it ends, and what has come
    /// stays.
    ///
    /// # Errors
    /// See [`Failure`]. It never writes more than `bytes`, and refuses a server that offers another size before
    /// anything of `part` is lost.
    pub fn get(
        &self,
        url: &str,
        part: &Path,
        bytes: u64,
        end: Instant,
        received: &mut dyn FnMut(u64),
        stop: &dyn Fn() -> bool,
    ) -> Result<(), Failure> {
        let done = length(part);
        let done = if done > bytes { 0 } else { done };
        if done == bytes {
            return Ok(());
        }
        let heard = self.ask(url, done)?;
        let mut file = None;
        let mut at = done;
        let (mut since, mut before) = (Instant::now(), at);
        while !stop() {
            if Instant::now() > end {
                let what = format!("not done after {:?}", self.patience.whole);
                return Err(Failure::Lasting(what));
            }
            if since.elapsed() > self.patience.stretch {
                if at - before < self.patience.least {
                    let (least, stretch) = (self.patience.least, self.patience.stretch);
                    let what = format!("too slow: not even {least} bytes in {stretch:?}");
                    return Err(Failure::Lasting(what));
                }
                (since, before) = (Instant::now(), at);
            }
            match heard.recv_timeout(POLL) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Passing("the request came to nothing".into()));
                }
                Ok(Heard::Answer(start, length)) => {
                    at = begin(part, start?, length, done, bytes)?;
                    file = Some(open(part, at)?);
                    before = at;
                }
                Ok(Heard::Bytes(more)) if at + more.len() as u64 > bytes => {
                    again(|| fs::remove_file(part)).map_err(Error::io(part))?;
                    return Err(Failure::Lasting(format!("sends more than {bytes} bytes")));
                }
                Ok(Heard::Bytes(more)) => {
                    let mut file = file.as_ref().expect("an answer comes before its bytes");
                    file.write_all(&more).map_err(Error::io(part))?;
                    at += more.len() as u64;
                    received(at);
                }
                Ok(Heard::End) if at == bytes => return Ok(()),
                Ok(Heard::End) => {
                    let what = format!("ends after {at} of {bytes} bytes");
                    return Err(Failure::Passing(what));
                }
                Ok(Heard::Cut(cause)) => {
                    let what = format!("cut after {at} of {bytes} bytes ({cause})");
                    return Err(Failure::Passing(what));
                }
            }
        }
        Err(Failure::Passing("stopped".into()))
    }

    /// Makes the request on a thread of its own, as it can't be interrupted from outside: looking up a name and waiting
    /// for a silent server take as long as they take. A caller that stops listening abandons the thread.
    fn ask(&self, url: &str, done: u64) -> Result<Receiver<Heard>, Failure> {
        let mut request = self.agent.get(url);
        if done > 0 {
            request = request.header("Range", format!("bytes={done}-"));
        }
        let (sender, heard) = sync_channel(4);
        let work = move || {
            let response = match request.call() {
                Ok(response) => response,
                Err(error) => {
                    let _ = sender.send(Heard::Answer(Err(unanswered(error)), None));
                    return;
                }
            };
            let length = response.body().content_length();
            let answer = Heard::Answer(start(&response, done), length);
            let mut going = sender.send(answer).is_ok();
            let mut body = response.into_body().into_reader();
            let mut buffer = vec![0; 1 << 16];
            while going {
                let more = match body.read(&mut buffer) {
                    Ok(0) => Heard::End,
                    Ok(count) => Heard::Bytes(buffer[..count].to_vec()),
                    Err(cause) => Heard::Cut(brief(&cause.to_string())),
                };
                let last = !matches!(more, Heard::Bytes(_));
                going = sender.send(more).is_ok() && !last;
            }
        };
        let thread = std::thread::Builder::new().spawn(work);
        thread.map_err(Error::no_thread("to download with"))?;
        Ok(heard)
    }
}

/// How many bytes the file `part` has, 0 if there is none; a link is not followed.
pub fn length(part: &Path) -> u64 {
    let found = fs::symlink_metadata(part);
    found.map_or(0, |part| if part.is_file() { part.len() } else { 0 })
}

/// The byte from which an answer to a request for what comes after `done` goes on.
fn begin(part: &Path, start: Option<u64>, length: Option<u64>, done: u64, bytes: u64) -> Result<u64, Failure> {
    let Some(start) = start else {
        again(|| fs::remove_file(part)).map_err(Error::io(part))?;
        let what = format!("can't go on from byte {done}, so all of it is asked for");
        return Err(Failure::Passing(what));
    };
    match length {
        Some(length) if start.checked_add(length) != Some(bytes) => {
            let what = format!("offers {length} bytes after the first {start} of {bytes}");
            Err(Failure::Lasting(what))
        }
        _ => Ok(start),
    }
}

/// The file `part`, cut to `at` bytes, to be continued from there; its folder is made if there is none. Anything that
/// is not a file, such as a link that somebody has put there, is not followed.
fn open(part: &Path, at: u64) -> Result<fs::File, Error> {
    if let Some(folder) = part.parent() {
        files::make_folder(folder)?;
    }
    if fs::symlink_metadata(part).is_ok_and(|found| !found.is_file()) {
        return Err(Error::data(part, "not a regular file", "remove it"));
    }
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW);
    let mut file = options.open(part).map_err(Error::io(part))?;
    file.set_len(at).map_err(Error::io(part))?;
    file.seek(SeekFrom::Start(at)).map_err(Error::io(part))?;
    Ok(file)
}

/// The byte of the file at which the answer begins: 0, or `done`, or `None` if the server won't go on from there.
fn start<B>(response: &Response<B>, done: u64) -> Result<Option<u64>, Failure> {
    let status = response.status();
    match status {
        StatusCode::OK => Ok(Some(0)),
        StatusCode::PARTIAL_CONTENT if done > 0 => Ok(range_start(response).filter(|&start| start == done)),
        StatusCode::RANGE_NOT_SATISFIABLE if done > 0 => Ok(None),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(Failure::Passing(status.to_string())),
        _ if status.is_server_error() => Err(Failure::Passing(status.to_string())),
        _ => Err(Failure::Lasting(status.to_string())),
    }
}

/// 100 from `Content-Range: bytes 100-199/200`.
fn range_start<B>(response: &Response<B>) -> Option<u64> {
    let range = response.headers().get("content-range")?.to_str().ok()?;
    let (start, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}

/// The failure for what came instead of an answer. A host that isn't found, or refuses, won't be there a second later
/// either.
fn unanswered(error: ureq::Error) -> Failure {
    use ureq::Error as E;
    const PASSING: [ErrorKind; 5] = [
        ErrorKind::BrokenPipe,
        ErrorKind::ConnectionAborted,
        ErrorKind::ConnectionReset,
        ErrorKind::TimedOut,
        ErrorKind::UnexpectedEof,
    ];
    match error {
        E::Io(cause) if PASSING.contains(&cause.kind()) => Failure::Passing(brief(&cause.to_string())),
        E::Io(cause) => Failure::Lasting(brief(&cause.to_string())),
        E::Timeout(_) | E::Protocol(_) => Failure::Passing(brief(&error.to_string())),
        _ => Failure::Lasting(brief(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, range: &str) -> Response<()> {
        let response = Response::builder().status(status);
        response.header("Content-Range", range).body(()).unwrap()
    }

    #[test]
    fn an_answer_begins_where_the_part_ends_or_at_zero() {
        let begins = |status, range, done| start(&answer(status, range), done).ok();
        assert_eq!(begins(206, "bytes 100-199/200", 100), Some(Some(100)));
        assert_eq!(begins(200, "", 100), Some(Some(0)));
        for (status, range) in
            [(416, "bytes */200"), (206, "bytes 99-199/200"), (206, "bytes -"), (206, "words 100-199/200"), (206, "")]
        {
            assert_eq!(begins(status, range, 100), Some(None), "{status} {range}");
        }
    }

    #[test]
    fn what_may_pass_is_told_from_what_lasts() {
        let passes = |status, done| match start(&answer(status, "bytes 0-9/10"), done) {
            Err(Failure::Passing(_)) => true,
            Err(Failure::Lasting(why)) => !why.starts_with(&status.to_string()),
            _ => panic!("{status} is no failure"),
        };
        assert!([408, 429, 500, 503].iter().all(|&status| passes(status, 0)));
        // A part of nothing and a range not to be had are no answers to a request for all of it.
        assert!(![404, 403, 410, 206, 416].iter().any(|&status| passes(status, 0)));
    }
}
