//! What a teacher would say of an answer.

use super::Exercise;
use super::grade::{Difference, Ending, Grade, Kind, Likeness, Mistake};
use super::text::{Array, Case, number, numbers, shape};
use crate::terminal::brief;
use std::fmt::Write;

/// Arrays of more values are shown in part.
const SHOWN: usize = 32;

/// Characters of a line of prose.
const WIDTH: usize = 90;

/// What is said of a mistake, of which there is one: how far the functions got, the case, and what is wrong with it.
pub fn of_mistake(exercise: &Exercise, cases: &[Case], grade: &Grade, mistake: &Mistake) -> String {
    let case = &cases[mistake.case];
    let mut text = progress(grade, cases.len());
    let further = match mistake.case >= (exercise.cases)().len() {
        true => ", which is not in cases.txt",
        false => "",
    };
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "Case {} of {}, {:?}{further}:", mistake.case + 1, cases.len(), case.name);
    text.push_str(&table(case.given.iter().map(|array| (&array.name[..], &array.shape[..], &array.values[..]))));
    text.push('\n');
    let function = match &mistake.function[..] {
        "" => "the program",
        function => function,
    };
    let wanted = |name: &str| case.wanted.iter().find(|array| array.name == name).expect("it was compared with it");
    match &mistake.kind {
        Kind::Unwritten(place) => {
            let _ = writeln!(text, "{function} isn't written for this case: {place} still says todo.");
        }
        Kind::Panicked { place, message } if place.starts_with("harness/") => {
            let _ = writeln!(text, "{function} fails:\n  {message}");
        }
        Kind::Panicked { place, message } => {
            let _ = writeln!(text, "{function} panics at {place}:\n  {}", brief(message));
        }
        Kind::Stopped(Ending::TimeOut(seconds)) => {
            let _ = writeln!(
                text,
                "{function} was still at work after {seconds} seconds, where one is plenty: does a loop never end, or the \
                 work double with each step?"
            );
        }
        Kind::Stopped(Ending::Exited(how)) if mistake.function.is_empty() => {
            let _ = writeln!(text, "The program ended before it came to this case ({how}).");
        }
        Kind::Stopped(Ending::Exited(how)) => {
            let _ = writeln!(text, "{function} ended the program without an answer ({how}).");
        }
        Kind::Missing(name) => {
            let _ = writeln!(text, "{name} was not answered. Has harness/call.rs been changed?");
        }
        Kind::Length { name, found } => {
            let Array { shape: lengths, values, .. } = wanted(name);
            let _ = writeln!(
                text,
                "{function} gives {found} values for {name}. It should give {}: the shape is {}.",
                values.len(),
                shape(lengths)
            );
        }
        Kind::Slow { rate, limit, wanted } => {
            let _ = writeln!(
                text,
                "{function} is right, but slow: it does {rate:.1} GFLOP/s where this machine can do {limit:.1} on one core. \
                 That is {:.1}%; {:.0}% are wanted.",
                // Down, so that what isn't enough doesn't look as if it were.
                (1000.0 * rate / limit).floor() / 10.0,
                100.0 * wanted
            );
        }
        Kind::Values(difference) => {
            text.push_str(&of_difference(function, wanted(&difference.name), difference));
            if difference.found.is_nan() {
                let _ = writeln!(text, "{}", exercise.files.nan);
            }
        }
    }
    text
}

/// How often each function is right.
fn progress(grade: &Grade, cases: usize) -> String {
    let counts = grade.functions.iter();
    let said: Vec<String> =
        counts.map(|(function, right)| format!("{function} is right in {right} of {cases} cases")).collect();
    match said.is_empty() {
        true => String::new(),
        false => format!("{}.\n", said.join(", ")),
    }
}

fn of_difference(function: &str, wanted: &Array, difference: &Difference) -> String {
    let Difference { name, count, first, found, likeness } = difference;
    let values = wanted.values.len();
    let mut text = match (values, &wanted.shape[..]) {
        (1, _) => format!("{function} gives the wrong {name}:\n"),
        (_, lengths) => format!(
            "{function} gives {name}, of shape {}, with {count} of {values} values wrong. The first is at {}:\n",
            shape(lengths),
            shape(&index(*first, lengths)),
        ),
    };
    let _ = writeln!(text, "  found   {}\n  wanted  {}", number(*found), number(wanted.values[*first]));
    match likeness {
        Some(Likeness::Times(-1.0)) => text.push_str("All values have the wrong sign.\n"),
        Some(Likeness::Times(factor)) => {
            let _ = writeln!(text, "All values are {} times the wanted ones.", number(rounded(*factor)));
        }
        Some(Likeness::Plus(shift)) => {
            let _ = writeln!(text, "All values are the wanted ones plus {}.", number(rounded(*shift)));
        }
        Some(Likeness::Reordered) => text.push_str("The values are the wanted ones in another order.\n"),
        None => {}
    }
    text
}

/// To nine digits, which hide how a quotient was rounded.
fn rounded(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}

/// The index of place `place` in an array of these lengths.
pub fn index(place: usize, lengths: &[usize]) -> Vec<usize> {
    let mut rest = place;
    let mut index: Vec<usize> = lengths
        .iter()
        .rev()
        .map(|&length| {
            let i = rest % length;
            rest /= length;
            i
        })
        .collect();
    index.reverse();
    index
}

/// A line for each array: name, shape, values.
fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a [usize], &'a [f64])>) -> String {
    let rows: Vec<(&str, String, String)> = rows.map(|(name, s, values)| (name, shape(s), shown(values))).collect();
    let [names, shapes] = [|row: &(&str, String, String)| row.0.len(), |row: &(&str, String, String)| row.1.len()]
        .map(|width| rows.iter().map(width).max().unwrap_or(0));
    rows.iter().map(|(name, shape, values)| format!("  {name:names$}  {shape:shapes$} {values}\n")).collect()
}

/// The values, or the first of many.
fn shown(values: &[f64]) -> String {
    match values.len() {
        0..=SHOWN => numbers(values),
        all => format!("{} ... ({all} values)", numbers(&values[..SHOWN / 4])),
    }
}

/// The first `count` hints, or all where there are fewer.
pub fn hints(exercise: &Exercise, count: usize) -> String {
    let all = exercise.hints.len();
    let mut text = String::new();
    for (number, hint) in exercise.hints.iter().enumerate().take(count) {
        let _ = write!(text, "\n{}", wrapped(&format!("Hint {} of {all}: {hint}", number + 1)));
    }
    if count > all {
        text.push_str("\nThere are no more hints.\n");
    }
    text
}

/// `text` in lines that are not too long to read.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("one to begin with");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= WIDTH {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_string());
        }
    }
    lines.join("\n") + "\n"
}

/// What is said where everything is right.
pub fn of_success(exercise: &Exercise, cases: usize) -> String {
    let mut text =
        format!("{}: right in all {cases} cases.\nThe engine does the same in {}.\n", exercise.name, exercise.solution);
    if let Some(next) = exercise.next() {
        let _ = writeln!(
            text,
            "Next: minimax exercise start {name} {name} (chapter {}: {})",
            next.chapter,
            next.task,
            name = next.name
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::grade::compare;
    use super::*;

    fn said(kind: Kind) -> String {
        let case = Case {
            name: "two rows".into(),
            given: vec![Array::new("x", &[2, 2], vec![1.0, 0.5, -3.0, 4.0]), Array::new("rate", &[], vec![0.1])],
            wanted: vec![Array::new("x_grad", &[2, 2], vec![1.0, 2.0, 3.0, 4.0])],
        };
        let grade = Grade { functions: vec![("f".into(), 0), ("g".into(), 1)], mistake: None };
        let mistake = Mistake { case: 0, function: "f".into(), kind };
        of_mistake(super::super::EXERCISES[0], &[case], &grade, &mistake)
    }

    #[test]
    fn a_mistake_is_told_with_its_case_index_and_values() {
        let wanted = Array::new("x_grad", &[2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        let text = said(compare(&wanted, &[1.0, 2.0, 3.5, f64::NAN], 1e-9).unwrap());
        assert_eq!(
            text,
            "f is right in 0 of 1 cases, g is right in 1 of 1 cases.\n\nCase 1 of 1, \"two rows\":\n  \
             x     [2,2]  1 0.5 -3 4\n  rate  []     0.1\n\nf gives x_grad, of shape [2,2], with 2 of 4 values wrong. \
             The first is at [1,0]:\n  found   3.5\n  wanted  3\n"
        );
        let text = said(compare(&wanted, &[2.0, 4.0, 6.0, 8.0], 1e-9).unwrap());
        assert!(text.ends_with("All values are 2 times the wanted ones.\n"), "{text}");
        let text = said(compare(&wanted, &[f64::NAN; 4], 1e-9).unwrap());
        assert!(text.contains("found   NaN") && text.contains("0 / 0"), "{text}");
        let text = said(compare(&wanted, &[0.0; 2], 1e-9).unwrap());
        assert!(text.ends_with("f gives 2 values for x_grad. It should give 4: the shape is [2,2].\n"), "{text}");
    }

    #[test]
    fn what_ended_a_call_is_told() {
        let panicked = Kind::Panicked { place: "src/lib.rs:9".into(), message: "index out of bounds".into() };
        for (kind, words) in [
            (panicked, "f panics at src/lib.rs:9:\n  index out of bounds\n"),
            (Kind::Stopped(Ending::TimeOut(30)), "f was still at work after 30 seconds"),
            (Kind::Stopped(Ending::Exited("exit status: 3".into())), "without an answer (exit status: 3)"),
            (Kind::Slow { rate: 3.0, limit: 70.0, wanted: 0.3 }, "does 3.0 GFLOP/s where this machine can do 70.0"),
            (Kind::Unwritten("src/lib.rs:9".into()), "src/lib.rs:9 still says todo"),
        ] {
            let text = said(kind);
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn a_place_has_an_index() {
        assert!(index(0, &[]).is_empty());
        assert_eq!(index(23, &[2, 3, 4]), [1, 2, 3]);
        assert_eq!(index(17, &[2, 3, 4]), [1, 1, 1]);
    }

    #[test]
    fn hints_are_given_one_after_the_other() {
        let exercise = super::super::EXERCISES[0];
        assert_eq!(hints(exercise, 0), "");
        assert!(hints(exercise, 1).starts_with("\nHint 1 of 3: ") && !hints(exercise, 1).contains("Hint 2"));
        assert!(hints(exercise, 3).lines().all(|line| line.chars().count() <= WIDTH));
        assert!(hints(exercise, 4).ends_with("There are no more hints.\n"));
    }
}
