//! Makes text from files, folders' names, servers and recipes fit for a terminal: characters that would control it
//! (escape sequences), change the reading direction or be invisible are escaped as in JSON, `\u001b`, and long texts
//! are cut.
//!
//! Every [`Error`](crate::Error) passes through [`line()`] where it is displayed and every output of the command
//! through [`lines`] where it is printed, so nothing gets past them. Where a message is made
//! of foreign text it has an [`excerpt`], so that megabytes are neither copied nor shown. The module also writes
//! numbers, times and words of a command for people.

use std::ffi::OsStr;
use std::fmt::{self, Debug, Display, Formatter, Write};

/// The number of characters of foreign text that are shown.
pub const EXCERPT: usize = 80;

/// The most characters of a message: a path or two, an excerpt or two, and what to do.
const LINE: usize = 2000;

/// The first [`EXCERPT`] characters of `text`, fit for a terminal, and `…` if there are more.
pub fn excerpt(text: &str) -> Excerpt<'_> {
    Excerpt(text)
}

/// The result of [`excerpt`]; its debug form is in quotes.
#[derive(Clone, Copy)]
pub struct Excerpt<'a>(&'a str);

impl Display for Excerpt<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        let mut rest = self.0.chars();
        for c in rest.by_ref().take(EXCERPT) {
            write_plain(f, c)?;
        }
        match rest.next() {
            Some(_) => f.write_char('…'),
            None => Ok(()),
        }
    }
}

impl Debug for Excerpt<'_> {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A parser's complaint, which may quote the text at any length, shortened to its beginning and to what the parser
/// expected, which comes last.
pub fn brief(complaint: &str) -> String {
    /// The length of some words of the parser, and an excerpt.
    const BEGINNING: usize = EXCERPT + 40;
    /// The longest list of what the parser may expect is shorter.
    const END: usize = 600;
    let Some((cut, _)) = complaint.char_indices().nth(BEGINNING) else {
        return complaint.to_string();
    };
    let expected = complaint.rfind(", expected ");
    match expected.filter(|&at| complaint.len() - at <= END) {
        Some(at) if at <= cut => complaint.to_string(),
        Some(at) => format!("{}…{}", &complaint[..cut], &complaint[at..]),
        None => format!("{}…", &complaint[..cut]),
    }
}

/// `text` as one line: line breaks are escaped too. If it has more than 2,000 characters the middle is left out, as a
/// message begins with what is wrong and ends with what to do.
pub fn line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(4 * LINE));
    let mut write = |part: &str| {
        for c in part.chars() {
            write_plain(&mut plain, c).expect("a String takes all");
        }
    };
    let at = |(at, _)| at;
    let begin = text.char_indices().nth(LINE / 2).map(at);
    let end = text.char_indices().rev().nth(LINE / 2 - 1).map(at);
    match (begin, end) {
        (Some(begin), Some(end)) if begin < end => {
            write(&text[..begin]);
            write(" … ");
            write(&text[end..]);
        }
        _ => write(text),
    }
    plain
}

/// `text` of several lines. Line breaks are the program's own, and stay.
pub fn lines(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => plain.push('\n'),
            c => write_plain(&mut plain, c).expect("a String takes all"),
        }
    }
    plain
}

/// 1234567 as 1,234,567.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(",")
}

/// A time as `57 s`, `2 min 05 s` or `1 h 03 min`.
pub fn time(seconds: f64) -> String {
    match seconds.round() as u64 {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

/// `word` for a shell: quoted if it has anything that a shell would interpret.
pub fn shell_word(word: &OsStr) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%=,".contains(c);
    let quote = '\'';
    match word.to_str() {
        Some(word) if !word.is_empty() && word.chars().all(plain) => word.to_string(),
        Some(word) if !word.chars().any(char::is_control) => {
            format!("{quote}{}{quote}", word.replace(quote, r"'\''"))
        }
        // Bytes that a terminal can't show, in the form that bash, zsh and POSIX from 2024 on read.
        _ => {
            let bytes = word.as_encoded_bytes().iter();
            let escaped = bytes.map(|&byte| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                byte => format!("\\x{byte:02x}"),
            });
            format!("$'{}'", escaped.collect::<String>())
        }
    }
}

/// `c`, or its JSON escape.
fn write_plain(to: &mut impl Write, c: char) -> fmt::Result {
    match c {
        '\n' => to.write_str("\\n"),
        '\r' => to.write_str("\\r"),
        '\t' => to.write_str("\\t"),
        c if steers(c) => {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(to, "\\u{unit:04x}")?;
            }
            Ok(())
        }
        c => to.write_char(c),
    }
}

/// Whether a terminal would do something with `c` other than show it: control characters (C0, DEL, C1), line and
/// paragraph separators, marks and overrides of the reading direction (Unicode Standard Annex 9), and characters
/// without width that no script is written with.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets the window's title, clears the screen, and turns the reading direction.
    const NASTY: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}txt\u{2066}\r\u{e0041}";

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        for shown in [excerpt(NASTY).to_string(), line(NASTY), lines(NASTY)] {
            let expected = "\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u202etxt\\u2066\\r\\udb40\\udc41";
            assert_eq!(shown, expected);
        }
        assert_eq!(excerpt("a\nb\tc").to_string(), "a\\nb\\tc");
        assert_eq!(lines("a\nb\n"), "a\nb\n");
    }

    #[test]
    fn numbers_times_and_words_of_a_command() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.4, 59.6, 125.0, 3780.0].map(time), ["0 s", "1 min 00 s", "2 min 05 s", "1 h 03 min"]);
        for (word, written) in
            [("runs/a-1", "runs/a-1"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("a\nb", r"$'a\x0ab'")]
        {
            assert_eq!(shell_word(word.as_ref()), written);
        }
    }

    #[test]
    fn what_people_write_is_left_alone() {
        let words = "Zürich, 東京, עברית, \u{1f469}\u{200d}\u{1f680}, C:\\runs, \"x\"";
        assert_eq!(excerpt(words).to_string(), words);
        assert_eq!(line(words), words);
    }

    #[test]
    fn what_a_parser_expected_is_kept() {
        let long = "x`, expected ".repeat(1 << 16);
        let said = brief(&format!("unknown key `{long}`, expected one of `a`, `b`"));
        assert!(said.starts_with("unknown key `x`") && said.ends_with("…, expected one of `a`, `b`"));
        assert!(said.len() < 200, "{said}");
        assert!(brief(&"y".repeat(1 << 20)).len() < 200);
        let short = "invalid type: string \"many\", expected a number";
        assert_eq!(brief(short), short);
    }

    #[test]
    fn long_text_is_cut() {
        let eighty = "ä".repeat(EXCERPT);
        assert_eq!(excerpt(&eighty).to_string(), eighty);
        assert_eq!(excerpt(&format!("{eighty}x")).to_string(), eighty.clone() + "…");
        let message = format!("file: {}; remove it", "ä".repeat(1 << 20));
        let shown = line(&message);
        assert!(shown.starts_with("file: ä") && shown.ends_with("ä; remove it"));
        assert!(shown.contains(" … ") && shown.chars().count() < LINE + 10);
        assert_eq!(line(&"ä".repeat(LINE)).chars().count(), LINE);
    }
}
