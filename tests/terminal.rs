//! What stands on a terminal of 80 columns while a run trains, and after it has been stopped.
#![cfg(feature = "app")]
#![cfg(target_os = "linux")]

mod common;

use common::minimax;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;

const COLUMNS: usize = 80;

/// The cells that a bar is drawn with.
const BAR: [char; 2] = ['█', '░'];

/// What a terminal would show, with all lines that it has ever had.
#[derive(Default)]
struct Screen {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// Lines that went on below because they were too long.
    wrapped: Vec<String>,
    /// Every bar as it was seen.
    bars: Vec<String>,
}

impl Screen {
    fn feed(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\r' => self.column = 0,
                '\n' => self.row += 1,
                '\u{1b}' => self.escape(&mut chars),
                c => self.put(c),
            }
        }
        let bars = self.lines().into_iter().filter(|line| line.contains(BAR));
        let bars: Vec<String> = bars.collect();
        assert!(bars.len() <= 1, "{bars:?}");
        self.bars.extend(bars);
    }

    /// `[2K` takes the line away, `[3A` and `[3B` go up and down, colours are left alone.
    fn escape(&mut self, chars: &mut impl Iterator<Item = char>) {
        assert_eq!(chars.next(), Some('['));
        let mut number = String::new();
        let end = chars.find(|c| {
            number.extend(c.is_ascii_digit().then_some(*c));
            c.is_ascii_alphabetic()
        });
        let times = number.parse().unwrap_or(1);
        match end {
            Some('K') => {
                if let Some(row) = self.rows.get_mut(self.row) {
                    row.clear();
                }
            }
            Some('A') => self.row = self.row.saturating_sub(times),
            Some('B') => self.row += times,
            Some('m') => {}
            end => panic!("a terminal is asked for {number}{end:?}"),
        }
    }

    fn put(&mut self, c: char) {
        if self.column == COLUMNS {
            self.wrapped.push(self.rows[self.row].iter().collect());
            (self.row, self.column) = (self.row + 1, 0);
        }
        if self.rows.len() <= self.row {
            self.rows.resize(self.row + 1, Vec::new());
        }
        let row = &mut self.rows[self.row];
        row.resize(row.len().max(self.column + 1), ' ');
        row[self.column] = c;
        self.column += 1;
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_string());
        lines.filter(|line| !line.is_empty()).collect()
    }
}

/// `minimax` with these arguments in `folder`, on a terminal of its own, whose other end is given.
fn start(folder: &Path, arguments: &str) -> (Child, File) {
    let (mut near, mut far) = (0, 0);
    let size = libc::winsize { ws_row: 24, ws_col: COLUMNS as u16, ws_xpixel: 0, ws_ypixel: 0 };
    #[allow(unsafe_code, reason = "the standard library knows no pseudo-terminals")]
    // SAFETY: both ends are written to before the call returns, and are ours alone then.
    let (near, far) = unsafe {
        let opened =
            libc::openpty(&raw mut near, &raw mut far, std::ptr::null_mut(), std::ptr::null(), &raw const size);
        assert_eq!(opened, 0, "{}", std::io::Error::last_os_error());
        (File::from_raw_fd(near), File::from_raw_fd(far))
    };
    let mut command = minimax(folder, arguments);
    command.env("TERM", "xterm");
    command.stdin(far.try_clone().unwrap()).stdout(far.try_clone().unwrap()).stderr(far.try_clone().unwrap());
    let terminal = far.as_raw_fd();
    let take_it = move || {
        #[allow(unsafe_code, reason = "no other way to have Ctrl-C heard")]
        // SAFETY: both are system calls on a file that is open.
        let taken = unsafe { libc::setsid() >= 0 && libc::ioctl(terminal, libc::TIOCSCTTY, 0) == 0 };
        if taken { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    #[allow(unsafe_code, reason = "runs between fork and exec")]
    // SAFETY: only system calls are made there.
    unsafe {
        command.pre_exec(take_it);
    }
    (command.spawn().unwrap(), near)
}

/// Reads what comes next of `terminal` and shows it on `screen`; false at the end. `cut` holds a character's beginning.
fn show(terminal: &mut File, screen: &mut Screen, cut: &mut Vec<u8>) -> bool {
    let mut bytes = [0; 4096];
    // Linux says EIO once the other end is closed.
    let Ok(count @ 1..) = terminal.read(&mut bytes) else { return false };
    cut.extend(&bytes[..count]);
    let whole = match std::str::from_utf8(cut) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    let rest = cut.split_off(whole);
    screen.feed(std::str::from_utf8(cut).unwrap());
    *cut = rest;
    true
}

/// That a part of a line, such as `G 0.693`, is one that may stand there.
fn is_whole(part: &str) -> bool {
    let patterns = [
        r"^\d+ (s|min \d\d s|h \d\d min) left$",
        r"^[DG] (-|-?\d+\.\d{1,3}|-?\d+)$",
        r"^\d+ images/s$",
        r"^epoch \d+/\d+$",
        r"^D\((x|G\(z\))\) -?\d+\.\d\d$",
    ];
    patterns.iter().any(|pattern| regex::Regex::new(pattern).unwrap().is_match(part))
}

#[test]
fn a_bar_shows_whole_numbers_and_epoch_lines_do_not_wrap() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut terminal) =
        start(folder.path(), "train vanilla-mnist --data digits --batch-size 500 --steps 30 --out run");
    let (mut screen, mut cut) = (Screen::default(), Vec::new());
    while show(&mut terminal, &mut screen, &mut cut) {}
    assert!(child.wait().unwrap().success(), "{:?}", screen.lines());

    assert!(screen.bars.len() > 3, "{:?}", screen.bars);
    let labelled = screen.bars.iter().filter(|bar| bar.contains("left"));
    let mut seen = 0;
    for bar in labelled {
        assert!(bar.chars().count() <= COLUMNS - 4, "{bar}");
        let mut parts = bar.split("  ");
        assert!(parts.next().unwrap().ends_with("/30"), "{bar}");
        let parts: Vec<&str> = parts.collect();
        assert!(parts.iter().all(|part| is_whole(part)), "{bar}");
        // Time left, both losses and the rate are there at this width.
        assert!(parts.len() >= 4 && parts[3].ends_with(" images/s"), "{bar}");
        seen += 1;
    }
    assert!(seen > 0);
    let too_long = screen.wrapped.iter().find(|line| line.starts_with("epoch") || line.contains(BAR));
    assert_eq!(too_long, None);
    let lines = screen.lines();
    // The second is not done.
    let is_epochs = |line: &&String| line.starts_with("epoch 1/2  ") || line.starts_with("step 30/30, epoch 2  ");
    let epochs: Vec<&String> = lines.iter().filter(is_epochs).collect();
    assert_eq!(epochs.len(), 2, "{lines:?}");
    assert!(epochs.iter().all(|line| line.contains("  D loss ") && line.contains("  G loss ")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("  Frechet ")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains(BAR)), "{lines:?}");
}

#[test]
fn the_bar_of_a_sweep_names_the_run_that_is_running() {
    let folder = tempfile::tempdir().unwrap();
    let sweep = "name = 'two'\nrecipes = ['vanilla-mnist']\nsteps = 2\n[[axis]]\nname = 'batch size'\n\
                 keys = ['training.batch_size']\nvalues = [8, 16]\n";
    std::fs::write(folder.path().join("two.toml"), sweep).unwrap();
    let (mut child, mut terminal) = start(folder.path(), "sweep two.toml --data digits --out out");
    let (mut screen, mut cut) = (Screen::default(), Vec::new());
    while show(&mut terminal, &mut screen, &mut cut) {}
    assert!(child.wait().unwrap().success(), "{:?}", screen.lines());
    for (done, run) in [(0, "vanilla-mnist-8"), (1, "vanilla-mnist-16")] {
        let named = |bar: &&String| bar.contains(&format!(" {done}/2 runs  {run}  begins"));
        assert!(screen.bars.iter().any(|bar| named(&bar)), "{run}: {:?}", screen.bars);
    }
    assert!(!screen.lines().iter().any(|line| line.contains(BAR)), "{:?}", screen.lines());
}

/// A terminal shows `^C` where the cursor is, which must not part the bar from what takes it away.
#[test]
fn nothing_of_the_bar_is_left_after_ctrl_c() {
    for times in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, mut terminal) = start(folder.path(), "train --batch-size 200 --epochs 1000 --out run");
        let (mut screen, mut cut) = (Screen::default(), Vec::new());
        while screen.bars.iter().all(|bar| !bar.contains("left")) {
            assert!(show(&mut terminal, &mut screen, &mut cut), "{:?}", screen.lines());
        }
        for _ in 0..times {
            terminal.write_all(b"\x03").unwrap();
            // Two signals at once are one.
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        while show(&mut terminal, &mut screen, &mut cut) {}
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let lines = screen.lines();
        assert!(!lines.iter().any(|line| line.contains(BAR) || line.contains("^C")), "{lines:?}");
        assert!(times > 1 || lines.iter().any(|line| line.starts_with("stopped after step ")), "{lines:?}");
    }
}
