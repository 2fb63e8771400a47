//! What is wrong with an answer, if anything.

use super::answers::{Answer, Answers, Outcome};
use super::text::{Array, Case};

/// How the program of an exercise ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// By itself, whether or not it had answered everything; how the system calls its exit.
    Exited(String),
    /// It was ended after this many seconds.
    TimeOut(u64),
}

/// The grade of all answers.
#[derive(Debug)]
pub struct Grade {
    /// Each function that was called, and in how many cases it is right.
    pub functions: Vec<(String, usize)>,
    /// The first mistake, by the order of functions and then of cases. None where everything is right.
    pub mistake: Option<Mistake>,
}

/// A call whose result isn't right.
#[derive(Debug)]
pub struct Mistake {
    /// The place of the case, from 0.
    pub case: usize,
    /// The function that was called; empty where none was.
    pub function: String,
    /// What is wrong.
    pub kind: Kind,
}

/// The ways to be wrong.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// It still says `todo!()`, at this place.
    Unwritten(String),
    /// It panicked.
    Panicked {
        /// `src/lib.rs:31`.
        place: String,
        /// Its message.
        message: String,
    },
    /// It never came back.
    Stopped(Ending),
    /// Nothing was answered under this name.
    Missing(String),
    /// Too many values, or too few.
    Length {
        /// The array.
        name: String,
        /// How many there are.
        found: usize,
    },
    /// Values that aren't the wanted ones.
    Values(Difference),
    /// Right, and too slow: rate and limit in GFLOP/s, and the share of it that is wanted.
    Slow {
        /// Of what was timed.
        rate: f64,
        /// Of the machine.
        limit: f64,
        /// The least share.
        wanted: f64,
    },
}

/// The result that is no value but a rate and a limit, of which the wanted share is the least that will do.
pub const SHARE_OF_LIMIT: &str = "share_of_limit";

/// How the values that were found differ from the wanted ones.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// The array.
    pub name: String,
    /// How many of its values differ.
    pub count: usize,
    /// The place of the first that does.
    pub first: usize,
    /// The value there.
    pub found: f64,
    /// What all of them have in common with the wanted ones.
    pub likeness: Option<Likeness>,
}

/// A mistake that can be told from the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Likeness {
    /// All are this many times the wanted ones.
    Times(f64),
    /// All are larger than the wanted ones by this much.
    Plus(f64),
    /// They are the wanted ones in another order.
    Reordered,
}

/// The grade of `answers` to `cases` from a program that ended in this way.
pub fn grade(cases: &[Case], answers: &Answers, ending: &Ending, tolerance: f64) -> Grade {
    let mut functions: Vec<(String, usize)> = Vec::new();
    let mut mistakes: Vec<(usize, Mistake)> = Vec::new();
    let mistake = |case, function: &str, kind| Mistake { case, function: function.to_string(), kind };
    for (index, (case, calls)) in cases.iter().zip(&answers.cases).enumerate() {
        let is_cut = !answers.whole && index + 1 == answers.cases.len();
        let mut all_found = true;
        for (place, call) in calls.iter().enumerate() {
            if place == functions.len() {
                functions.push((call.function.clone(), 0));
            }
            let cut = (is_cut && place + 1 == calls.len()).then_some(ending);
            match wrong(case, call, cut, tolerance) {
                None => functions[place].1 += 1,
                Some(kind) => {
                    all_found = false;
                    mistakes.push((place, mistake(index, &call.function, kind)));
                }
            }
        }
        if let Some(name) = missing(case, calls).filter(|_| all_found) {
            let kind = if is_cut { Kind::Stopped(ending.clone()) } else { Kind::Missing(name.to_string()) };
            mistakes.push((calls.len(), mistake(index, "", kind)));
        }
    }
    // What comes after the case that ended the program was not reached, which is no mistake of its own.
    if mistakes.is_empty() && answers.cases.len() < cases.len() {
        mistakes.push((0, mistake(answers.cases.len(), "", Kind::Stopped(ending.clone()))));
    }
    let first = mistakes.into_iter().min_by_key(|(place, mistake)| (*place, mistake.case));
    Grade { functions, mistake: first.map(|(_, mistake)| mistake) }
}

/// What is wrong with one answer to `case`; `cut` is how the program ended, if it did so in this call or just after.
fn wrong(case: &Case, answer: &Answer, cut: Option<&Ending>, tolerance: f64) -> Option<Kind> {
    match &answer.outcome {
        Outcome::Panicked { place, message } if message.starts_with("not yet implemented") => {
            // What is not called by Rust says itself where it is.
            let said = message.strip_prefix("not yet implemented: ").filter(|_| place.starts_with("harness/"));
            Some(Kind::Unwritten(said.unwrap_or(place).to_string()))
        }
        Outcome::Panicked { place, message } => Some(Kind::Panicked { place: place.clone(), message: message.clone() }),
        Outcome::Found(results) if results.is_empty() => cut.map(|ending| Kind::Stopped(ending.clone())),
        Outcome::Found(results) => results.iter().find_map(|(name, found)| {
            let wanted = case.wanted.iter().find(|array| array.name == *name)?;
            compare(wanted, found, tolerance)
        }),
    }
}

/// The first result of `case` that nobody gave.
fn missing<'a>(case: &'a Case, calls: &[Answer]) -> Option<&'a str> {
    let given = |name: &str| {
        calls.iter().any(|call| match &call.outcome {
            Outcome::Found(results) => results.iter().any(|(found, _)| found == name),
            Outcome::Panicked { .. } => false,
        })
    };
    case.wanted.iter().map(|array| &array.name[..]).find(|name| !given(name))
}

/// How `found` differs from `wanted`, if it does.
pub fn compare(wanted: &Array, found: &[f64], tolerance: f64) -> Option<Kind> {
    let name = wanted.name.clone();
    if let (SHARE_OF_LIMIT, &[rate, limit], &[wanted]) = (&name[..], found, &wanted.values[..]) {
        return (rate < wanted * limit).then_some(Kind::Slow { rate, limit, wanted });
    }
    if found.len() != wanted.values.len() {
        return Some(Kind::Length { name, found: found.len() });
    }
    // NaN is close to nothing.
    let close = |found: f64, wanted: f64| (found - wanted).abs() <= tolerance * wanted.abs().max(1.0);
    let all_close = |change: &dyn Fn(f64) -> f64| {
        found.iter().zip(&wanted.values).all(|(&found, &wanted)| close(found, change(wanted)))
    };
    let different = |&i: &usize| !close(found[i], wanted.values[i]);
    let first = (0..found.len()).find(different)?;
    let largest = wanted.values.iter().zip(found).max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))?;
    let (factor, shift) = (largest.1 / largest.0, found[first] - wanted.values[first]);
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let same_values = || sorted(found).iter().zip(sorted(&wanted.values)).all(|(&found, wanted)| close(found, wanted));
    let likeness = match found.len() {
        // Of one value nothing can be told, of two little.
        0..3 => None,
        _ if factor != 0.0 && all_close(&|wanted| factor * wanted) => Some(Likeness::Times(factor)),
        _ if all_close(&|wanted| wanted + shift) => Some(Likeness::Plus(shift)),
        _ if same_values() => Some(Likeness::Reordered),
        _ => None,
    };
    let count = (0..found.len()).filter(different).count();
    Some(Kind::Values(Difference { name, count, first, found: found[first], likeness }))
}

#[cfg(test)]
mod tests {
    use super::super::answers::parse;
    use super::*;

    fn difference(wanted: &[f64], found: &[f64]) -> Option<Difference> {
        let wanted = Array::new("y", &[wanted.len()], wanted.to_vec());
        match compare(&wanted, found, 1e-9)? {
            Kind::Values(difference) => Some(difference),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_compared_by_their_size_and_nan_is_never_right() {
        assert_eq!(difference(&[1.0, 1e12], &[1.0 + 1e-10, 1e12 + 100.0]), None);
        let wrong = difference(&[1.0, 2.0, 3.0], &[1.0, 2.1, f64::NAN]).unwrap();
        assert_eq!((wrong.count, wrong.first, wrong.found, wrong.likeness), (2, 1, 2.1, None));
        assert!(difference(&[0.0], &[f64::NAN]).is_some());
        assert!(difference(&[0.0], &[f64::INFINITY]).is_some());
        let wanted = Array::new("y", &[2, 2], vec![0.0; 4]);
        assert_eq!(compare(&wanted, &[0.0; 3], 1e-9), Some(Kind::Length { name: "y".into(), found: 3 }));
    }

    #[test]
    fn a_rate_is_held_to_its_share_of_the_limit() {
        let wanted = Array::new(SHARE_OF_LIMIT, &[], vec![0.3]);
        assert_eq!(compare(&wanted, &[31.0, 100.0], 0.0), None);
        let slow = Kind::Slow { rate: 29.0, limit: 100.0, wanted: 0.3 };
        assert_eq!(compare(&wanted, &[29.0, 100.0], 0.0), Some(slow));
    }

    #[test]
    fn what_the_values_have_in_common_is_told() {
        let likeness = |found: &[f64]| difference(&[1.0, 0.0, -2.0, 4.0], found).unwrap().likeness;
        assert_eq!(likeness(&[-1.0, 0.0, 2.0, -4.0]), Some(Likeness::Times(-1.0)));
        assert_eq!(likeness(&[1.5, 0.5, -1.5, 4.5]), Some(Likeness::Plus(0.5)));
        assert_eq!(likeness(&[1.0, 4.0, 0.0, -2.0]), Some(Likeness::Reordered));
        assert_eq!(likeness(&[0.0; 4]), None);
        assert_eq!(likeness(&[1.0, 0.0, -2.0, 5.0]), None);
        assert_eq!(difference(&[1.0, 2.0], &[2.0, 1.0]).unwrap().likeness, None);
    }

    fn cases() -> Vec<Case> {
        let case = |name: &str| {
            let wanted = vec![Array::new("y", &[2], vec![1.0, 2.0]), Array::new("z", &[], vec![3.0])];
            Case { name: name.into(), given: vec![], wanted }
        };
        vec![case("a"), case("b")]
    }

    /// How often each function is right, and the mistake.
    fn graded(answers: &str) -> (Vec<usize>, Option<(usize, String, Kind)>) {
        let grade = grade(&cases(), &parse(answers), &Ending::TimeOut(30), 1e-9);
        let counts = grade.functions.iter().map(|(_, right)| *right).collect();
        (counts, grade.mistake.map(|m| (m.case, m.function, m.kind)))
    }

    #[test]
    fn the_first_mistake_is_of_the_first_function() {
        let right = "call f\nfound y 1 2\ncall g\nfound z 3\n";
        assert_eq!(graded(&format!("case a\n{right}case b\n{right}end\n")), (vec![2, 2], None));
        let z_wrong = "call f\nfound y 1 2\ncall g\nfound z 4\n";
        let y_wrong = "call f\nfound y 1\ncall g\nfound z 3\n";
        let (counts, mistake) = graded(&format!("case a\n{z_wrong}case b\n{y_wrong}end\n"));
        let kind = Kind::Length { name: "y".into(), found: 1 };
        assert_eq!((counts, mistake), (vec![1, 1], Some((1, "f".into(), kind))));
    }

    #[test]
    fn what_was_not_answered_is_told_from_what_was_not_reached() {
        let a = "case a\ncall f\nfound y 1 2\ncall g\nfound z 3\n";
        let stopped = || Kind::Stopped(Ending::TimeOut(30));
        assert_eq!(graded(&format!("{a}case b\ncall f\n")).1, Some((1, "f".into(), stopped())));
        assert_eq!(graded(&format!("{a}case b\n")).1, Some((1, String::new(), stopped())));
        assert_eq!(graded(a).1, Some((1, String::new(), stopped())));
        assert_eq!(graded("").1, Some((0, String::new(), stopped())));
        let in_g = "case a\ncall f\nfound y 1 2\ncall g\n";
        assert_eq!(graded(in_g), (vec![1, 0], Some((0, "g".into(), stopped()))));
        let b = "case b\ncall f\nfound y 1 2\nend\n";
        assert_eq!(graded(&format!("{a}{b}")).1, Some((1, String::new(), Kind::Missing("z".into()))));
        let todo = "case b\ncall f\npanic src/lib.rs:7 not yet implemented: later\ncall g\nfound z 3\nend\n";
        let unwritten = Kind::Unwritten("src/lib.rs:7".into());
        assert_eq!(graded(&format!("{a}{todo}")), (vec![1, 2], Some((1, "f".into(), unwritten))));
    }
}
