//! The figures of samples, as a table or as JSON.

use crate::cli::bar;
use crate::cli::table::{Align, align, thousands};
use crate::judge::{Better, Judge, MODES_FOUND, Row, Verdict};
use crate::metrics::Figure;
use crate::terminal::excerpt;
use serde_json::{Value, json};

/// A number with about four digits.
pub(super) fn number(value: f64) -> String {
    // Not -0.
    let value = value + 0.0;
    match value.abs() {
        size if size >= 1e6 => format!("{value:.2e}"),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        size if size >= 0.001 || size == 0.0 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// A figure with its interval.
pub(super) fn figure(Figure { value, interval }: Figure) -> String {
    format!("{} [{}, {}]", number(value), number(interval.low), number(interval.high))
}

/// As [`figure`], for a count.
pub(super) fn counted(Figure { value, interval }: Figure) -> String {
    format!("{value:.0} [{:.0}, {:.0}]", interval.low, interval.high)
}

/// The figures as a person reads them.
pub(super) fn to_text(what: &str, name: &str, judge: &Judge, verdict: &Verdict) -> String {
    let about = &judge.about;
    let samples = thousands(verdict.samples as u64);
    let accuracy = 100.0 * about.accuracy();
    let head = format!(
        "{samples} {what}\nbeside {} test images of {}\njudge: {}, right about {accuracy:.2}% of test images\n\n",
        thousands(verdict.floor as u64),
        excerpt(name),
        judge.classifier.spec().name
    );
    let better = |better| match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
        Better::Near => "near",
    };
    let cells = |name: String, row: &Row| {
        let shown = if row.key == MODES_FOUND { counted } else { figure };
        [name, shown(row.samples), shown(row.floor), better(row.better).into()]
    };
    let mut rows = vec![["figure", "samples [95%]", "test images [95%]", "better"].map(String::from)];
    for (index, row) in verdict.rows.iter().enumerate() {
        rows.push(cells(row.name.into(), row));
        if index == 0 {
            let [samples, floor] = verdict.extrapolated.map(number);
            rows.push(["  extrapolated".into(), samples, floor, "lower".into()]);
        }
    }
    rows.push(["class".into(), "share".into(), "share".into(), String::new()]);
    for (class, row) in verdict.classes.iter().zip(&verdict.shares) {
        let share = |f: Figure| {
            let [value, low, high] = [f.value, f.interval.low, f.interval.high].map(|share| 100.0 * share);
            format!("{value:.1}% [{low:.1}, {high:.1}]")
        };
        rows.push([format!("  {class}"), share(row.samples), share(row.floor), better(row.better).into()]);
    }
    let [present, classes] = verdict.present;
    let head = head + &align(&rows, [Align::Left; 4]) + "\n";
    let mut text = String::new();
    if let Some(modes) = verdict.modes {
        text += &format!("{} of {} modes are found\n", modes.found, modes.all);
    }
    text += &format!("{present} of {classes} classes appear; ");
    text += &match present == classes {
        true => format!("the rarest is {}\n", verdict.rarest),
        false => {
            let shares = verdict.classes.iter().zip(&verdict.shares);
            let missing = shares.filter(|(_, row)| 10.0 * classes as f64 * row.samples.value < 1.0);
            format!("missing: {}\n", missing.map(|(class, _)| class.to_string()).collect::<Vec<_>>().join(", "))
        }
    };
    if verdict.is_biased() {
        text += &format!(
            "the Frechet distance of {samples} samples is too large by their number alone: look at the extrapolated one, \
             of infinitely many, or give a larger --count\n"
        );
    }
    if let Some(left_out) = verdict.left_out {
        text += &format!("{left_out}\n");
    }
    text.lines().fold(head, |text, line| text + &bar::wrapped(line) + "\n")
}

/// The figures as other programs read them.
pub(super) fn to_json(what: &str, name: &str, judge: &Judge, verdict: &Verdict) -> Value {
    let figure =
        |Figure { value, interval }: Figure| json!({ "value": value, "low": interval.low, "high": interval.high });
    let both = |row: &Row| json!({ "samples": figure(row.samples), "test": figure(row.floor) });
    let mut figures = serde_json::Map::new();
    for row in &verdict.rows {
        figures.insert(row.key.into(), both(row));
    }
    let [samples, test] = verdict.extrapolated;
    figures.insert("frechet_distance_extrapolated".into(), json!({ "samples": samples, "test": test }));
    let shares = verdict.classes.iter().zip(&verdict.shares);
    let shares: serde_json::Map<String, Value> = shares.map(|(class, row)| (class.to_string(), both(row))).collect();
    let pairs = verdict.pairs.iter();
    let pairs = pairs.map(|p| json!({ "sample": p.sample, "training_image": p.image, "distance": p.distance }));
    json!({
        "what": what,
        "samples": verdict.samples,
        "data": name,
        "test_images": verdict.floor,
        "judge": {
            "name": judge.classifier.spec().name,
            "data": judge.about.data,
            "data_sha256": judge.about.sum,
            "seed": judge.classifier.spec().training.seed,
            "accuracy": judge.about.accuracy(),
        },
        "figures": figures,
        "class_shares": shares,
        "classes_present": verdict.present[0],
        "classes": verdict.present[1],
        "rarest_class": verdict.rarest,
        "modes": verdict.modes.map(|modes| modes.all),
        "closest_pairs": pairs.collect::<Vec<Value>>(),
    })
}
