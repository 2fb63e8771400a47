//! What the crate of an exercise answers, as its `harness/main.rs` writes it: a line `case NAME`, then for each of its
//! functions `call NAME`, and `found NAME VALUES` or `panic PLACE MESSAGE`; a line `end` when all is done.

/// The answer of one function to one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The function's name.
    pub function: String,
    /// What came of calling it.
    pub outcome: Outcome,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Results by name. There are none where the call never came back.
    Found(Vec<(String, Vec<f64>)>),
    /// A panic: `src/lib.rs:31`, and its message.
    Panicked { place: String, message: String },
}

/// All that was answered before the program ended, in one way or another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Of each case, in order.
    pub cases: Vec<Vec<Answer>>,
    /// Whether the program came to its end.
    pub whole: bool,
}

/// Reads it. What makes no sense, such as a line that was not finished, is left out.
pub fn parse(text: &str) -> Answers {
    let mut answers = Answers::default();
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (kind, answers.cases.last_mut()) {
            ("case", _) => answers.cases.push(Vec::new()),
            ("end", _) => answers.whole = true,
            ("call", Some(case)) => {
                case.push(Answer { function: rest.to_string(), outcome: Outcome::Found(Vec::new()) });
            }
            (kind, Some(case)) => {
                let Some(Answer { outcome, .. }) = case.last_mut() else {
                    continue;
                };
                let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                match (kind, outcome) {
                    ("panic", outcome) => {
                        *outcome = Outcome::Panicked { place: word.to_string(), message: rest.to_string() };
                    }
                    ("found", Outcome::Found(results)) => {
                        let values = rest.split(' ').filter_map(|value| value.parse().ok());
                        results.push((word.to_string(), values.collect()));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_far_as_they_go() {
        let text = "case a b\ncall f\nfound y 1 -2.5 NaN\nfound z\ncall g\npanic src/lib.rs:3 not yet implemented\n\
                    case c\ncall f\nfound y 1";
        let answers = parse(text);
        assert!(!answers.whole);
        let [first, second] = &answers.cases[..] else { panic!("two cases") };
        let Outcome::Found(found) = &first[0].outcome else { panic!("results") };
        assert_eq!(found[0].1[..2], [1.0, -2.5]);
        assert!(found[0].1[2].is_nan() && found[1] == ("z".into(), vec![]));
        let (place, message) = ("src/lib.rs:3".into(), "not yet implemented".into());
        assert_eq!(first[1].outcome, Outcome::Panicked { place, message });
        assert_eq!(second[0].outcome, Outcome::Found(vec![]), "a line that was cut says nothing");
        assert!(parse(&format!("{text}\nend\n")).whole);
    }
}
