//! The progress bar at the bottom of a terminal, and texts that fit its width: they are made of parts, such as
//! `D loss 0.693`, none of which is ever cut.

use super::{is_terminal, say};
use crate::terminal::line;
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle, TermLike};
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The number of columns of the bar itself.
const BAR: usize = 12;

/// The number of columns that the bar's line leaves free at its right. A terminal shows `^C` there when it is pressed;
/// if that began a line of its own, the bar above it would stay.
const MARGIN: u16 = 4;

/// The most times a second that a bar is redrawn.
const REDRAWS: u8 = 20;

/// The gap between two parts.
const GAP: &str = "  ";

/// The bar that was started last.
static LAST: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A bar of `length` in the style of `template`, if the output is a terminal.
pub(super) fn start(length: u64, template: &str) -> Option<ProgressBar> {
    if !is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template(template).expect("a template of known keys");
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(Narrower(Term::buffered_stderr())), REDRAWS);
    let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
    let bar = bar.with_finish(ProgressFinish::AndClear);
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
    Some(bar)
}

/// A bar that counts to `length` in `unit`, which follows the numbers, with room for a [`label`].
pub(super) fn counting(length: u64, unit: &str) -> Option<ProgressBar> {
    start(length, &format!("{{bar:{BAR}.cyan/blue}} {{pos}}/{{len}}{unit}{GAP}{{wide_msg}}"))
}

/// How often a spinner moves.
const TICK: Duration = Duration::from_millis(100);

/// A spinner with `text` and the time that has passed, if the output is a terminal.
#[expect(clippy::disallowed_methods, reason = "the text is made plain first")]
pub(super) fn waiting(text: &str) -> Option<ProgressBar> {
    let bar = start(0, &format!("{{spinner:.cyan}} {{elapsed}}{GAP}{{wide_msg}}"))?;
    bar.set_message(line(text));
    bar.enable_steady_tick(TICK);
    Some(bar)
}

/// Removes the latest bar from the terminal, if there is one, as the process is about to end.
pub(super) fn clear() {
    if let Some(bar) = LAST.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

/// Shows beside a bar that counts in `unit` as many of `parts` as there is room for, from the first on.
#[expect(clippy::disallowed_methods, reason = "the text is made plain first")]
pub(super) fn label(bar: &ProgressBar, unit: &str, parts: &[String]) {
    let digits = bar.length().unwrap_or(0).to_string().len();
    let used = BAR + " ".len() + 2 * digits + "/".len() + unit.len() + GAP.len();
    let columns = usize::from(Narrower(Term::stderr()).width());
    bar.set_message(line(&fitted(parts, columns.saturating_sub(used))));
}

/// Prints `parts`, above the bar if there is one: in one line or, on a terminal, in as many as they need.
pub(super) fn say_parts(bar: Option<&ProgressBar>, parts: &[String]) {
    let columns = Term::stdout().size_checked().map_or(usize::MAX, |(_, columns)| usize::from(columns));
    folded(parts, columns).iter().for_each(|line| say(bar, line));
}

/// `text` in lines that fit the terminal, or 80 columns if there is none.
pub(super) fn wrapped(text: &str) -> String {
    let columns = Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns));
    wrapped_to(text, columns)
}

/// As [`wrapped`] if the standard error is a terminal; otherwise it stays one line, as programs may read it.
pub(super) fn wrapped_note(text: &str) -> String {
    match Term::stderr().size_checked() {
        Some((_, columns)) => wrapped_to(text, usize::from(columns)),
        None => text.to_string(),
    }
}

/// `text` broken between words into lines of up to `room` columns, as [`folded`] breaks between parts.
fn wrapped_to(text: &str, room: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{GAP}{word}")),
            None => lines.push(word.to_string()),
        }
    }
    lines.join("\n")
}

/// As many of `parts` as fit into `room` columns; if even the first doesn't fit, its beginning.
fn fitted(parts: &[String], room: usize) -> String {
    let mut text = String::new();
    let mut used = 0;
    for part in parts {
        let width = part.chars().count();
        if used == 0 {
            text.extend(part.chars().take(room));
            used = width;
        } else if used + GAP.len() + width <= room {
            text = text + GAP + part;
            used += GAP.len() + width;
        }
    }
    text
}

/// `parts` in lines of up to `room` columns; all but the first begin with a gap.
fn folded(parts: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.chars().count() + GAP.len() + part.chars().count() <= room => {
                *line += GAP;
                *line += part;
            }
            Some(_) => lines.push(format!("{GAP}{part}")),
            None => lines.push(part.clone()),
        }
    }
    lines
}

/// A terminal without the [`MARGIN`] at its right.
#[derive(Debug)]
struct Narrower(Term);

impl TermLike for Narrower {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    #[test]
    fn a_part_is_there_whole_or_not_at_all() {
        let all = parts(&["2 min 05 s left", "D 0.693", "G 12.35", "1234 images/s", "epoch 3/18"]);
        assert_eq!(fitted(&all, 200), "2 min 05 s left  D 0.693  G 12.35  1234 images/s  epoch 3/18");
        assert_eq!(fitted(&all, 48), "2 min 05 s left  D 0.693  G 12.35  1234 images/s");
        assert_eq!(fitted(&all, 47), "2 min 05 s left  D 0.693  G 12.35  epoch 3/18", "what is shorter still fits");
        assert_eq!(fitted(&all, 5), "2 min");
        assert_eq!(fitted(&[], 5), "");
    }

    #[test]
    fn lines_are_broken_between_parts() {
        let all = parts(&["epoch 3/18", "D loss 0.693", "distance 0.0758", "10 of 10 classes"]);
        assert_eq!(folded(&all, usize::MAX), ["epoch 3/18  D loss 0.693  distance 0.0758  10 of 10 classes"]);
        assert_eq!(folded(&all, 41), ["epoch 3/18  D loss 0.693  distance 0.0758", "  10 of 10 classes"]);
        assert_eq!(folded(&all, 40), ["epoch 3/18  D loss 0.693", "  distance 0.0758  10 of 10 classes"]);
        assert_eq!(folded(&all, 3).len(), 4);
    }

    #[test]
    fn sentences_are_broken_between_words() {
        let text = "all other figures are left out";
        assert_eq!(wrapped_to(text, 30), text);
        assert_eq!(wrapped_to(text, 29), "all other figures are left\n  out");
        assert_eq!(wrapped_to(text, 12), "all other\n  figures\n  are left\n  out");
        assert_eq!(wrapped_to("", 3), "");
    }
}
