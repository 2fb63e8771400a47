//! One request for the rest of a file (RFC 9110, section 14: range requests), written as it comes.

use crate::Error;
use crate::terminal::brief;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;
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

/// What makes the requests. A server that says nothing for a quarter of a minute is given up; how long a
/// download takes as a whole is not limited.
pub fn agent() -> Agent {
    const PATIENCE: Option<Duration> = Some(Duration::from_secs(15));
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_resolve(PATIENCE)
        .timeout_connect(PATIENCE)
        .timeout_per_read(PATIENCE)
        .user_agent(concat!("minimax/", env!("CARGO_PKG_VERSION")))
        // Sizes, sums and ranges are those of the file as it is.
        .accept_encoding("identity")
        .build()
        .new_agent()
}

/// Asks `url` for what the file `part` lacks of `bytes` and appends it; `received` is told how many there
/// are after each read. At `stop`, what has come stays.
///
/// # Errors
/// See [`Failure`]. More than `bytes` are never written, and a server that offers another size is
/// refused before anything of `part` is lost.
pub fn get(
    agent: &Agent,
    url: &str,
    part: &Path,
    bytes: u64,
    received: &mut dyn FnMut(u64),
    stop: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let done = fs::metadata(part).map_or(0, |part| part.len());
    let done = if done > bytes { 0 } else { done };
    if done == bytes {
        return Ok(());
    }
    let mut request = agent.get(url);
    if done > 0 {
        request = request.header("Range", format!("bytes={done}-"));
    }
    let response = request.call().map_err(unanswered)?;
    let Some(start) = start(&response, done)? else {
        fs::remove_file(part).map_err(Error::io(part))?;
        let what = format!("can't go on from byte {done}, so all of it is asked for");
        return Err(Failure::Passing(what));
    };
    if let Some(length) = response.body().content_length()
        && start.checked_add(length) != Some(bytes)
    {
        let what = format!("offers {length} bytes after the first {start} of {bytes}");
        return Err(Failure::Lasting(what));
    }

    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let mut file = options.open(part).map_err(Error::io(part))?;
    file.set_len(start).map_err(Error::io(part))?;
    file.seek(SeekFrom::Start(start)).map_err(Error::io(part))?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut at = start;
    while !stop() {
        match body.read(&mut buffer) {
            Ok(0) if at == bytes => return Ok(()),
            Ok(0) => {
                let what = format!("ends after {at} of {bytes} bytes");
                return Err(Failure::Passing(what));
            }
            Ok(count) if at + count as u64 > bytes => {
                fs::remove_file(part).map_err(Error::io(part))?;
                return Err(Failure::Lasting(format!("sends more than {bytes} bytes")));
            }
            Ok(count) => {
                file.write_all(&buffer[..count]).map_err(Error::io(part))?;
                at += count as u64;
                received(at);
            }
            Err(cause) => {
                let what = format!(
                    "cut after {at} of {bytes} bytes ({})",
                    brief(&cause.to_string())
                );
                return Err(Failure::Passing(what));
            }
        }
    }
    Err(Failure::Passing("stopped".into()))
}

/// At which byte of the file the answer begins: 0, or `done`, or `None` where the server won't go on from
/// there.
fn start<B>(response: &Response<B>, done: u64) -> Result<Option<u64>, Failure> {
    let status = response.status();
    match status {
        StatusCode::OK => Ok(Some(0)),
        StatusCode::PARTIAL_CONTENT if done > 0 => {
            Ok(range_start(response).filter(|&start| start == done))
        }
        StatusCode::RANGE_NOT_SATISFIABLE if done > 0 => Ok(None),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            Err(Failure::Passing(status.to_string()))
        }
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

/// Sorts what came instead of an answer. A host that isn't found or refuses won't be there in a second.
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
        E::Io(cause) if PASSING.contains(&cause.kind()) => {
            Failure::Passing(brief(&cause.to_string()))
        }
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
        for (status, range) in [
            (416, "bytes */200"),
            (206, "bytes 99-199/200"),
            (206, "bytes -"),
            (206, "words 100-199/200"),
            (206, ""),
        ] {
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
        assert!(
            ![404, 403, 410, 206, 416]
                .iter()
                .any(|&status| passes(status, 0))
        );
    }
}
