//! The tables of a sweep file as TOML has them, and the axes that they describe.

use serde::Deserialize;
use toml::{Spanned, Value};

use super::settings::{Setting, Table};
use super::spec::{Axis, Point, Quantity};
use crate::terminal::excerpt;

/// The longest name or label.
pub(super) const MAX_NAME: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct SweepFile {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub recipes: Vec<String>,
    #[serde(default)]
    pub steps: Option<u64>,
    #[serde(default)]
    pub set: Table,
    #[serde(default)]
    pub axis: Vec<Spanned<AxisFile>>,
    #[serde(default)]
    pub plot: PlotFile,
    #[serde(default)]
    pub quick: QuickFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct AxisFile {
    name: String,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    values: Vec<Spanned<Value>>,
    #[serde(default)]
    point: Vec<PointFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct PointFile {
    label: Spanned<Value>,
    #[serde(default)]
    set: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct PlotFile {
    #[serde(default)]
    pub x: Option<String>,
    #[serde(default = "losses")]
    pub show: Vec<Quantity>,
}

impl Default for PlotFile {
    fn default() -> PlotFile {
        PlotFile { x: None, show: losses() }
    }
}

fn losses() -> Vec<Quantity> {
    vec![Quantity::Losses]
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct QuickFile {
    #[serde(default)]
    pub steps: Option<u64>,
    #[serde(default)]
    pub set: Table,
}

/// An axis from its file's keys.
pub(super) fn axis_of(file: AxisFile, text: &str) -> std::result::Result<Axis, String> {
    let AxisFile { name, keys, values, point } = file;
    check_label("name", &name)?;
    let points: Vec<_> = match (keys.is_empty() && values.is_empty(), point.is_empty()) {
        (false, true) if keys.is_empty() => {
            return Err("keys is missing; say which of the recipe's keys take the values".into());
        }
        (false, true) => {
            let at = |value: Spanned<Value>| Point {
                label: label_of(&value, text),
                settings: keys.iter().map(|key| Setting::new(key, text, value.span())).collect(),
            };
            values.into_iter().map(at).collect()
        }
        (true, false) => {
            let at =
                |point: PointFile| Point { label: label_of(&point.label, text), settings: point.set.settings(text) };
            point.into_iter().map(at).collect()
        }
        (true, true) => {
            return Err("no points; give keys and values, or [[axis.point]] tables".into());
        }
        (false, false) => {
            return Err("both values and points; keep one of them".into());
        }
    };
    if points.is_empty() {
        return Err("values = []; give at least one".into());
    }
    for (index, point) in points.iter().enumerate() {
        check_label("label", &point.label)?;
        if points[..index].iter().any(|other| other.label == point.label) {
            let label = &point.label;
            return Err(format!("two points are called {label:?}; give each a label of its own"));
        }
    }
    Ok(Axis { name, points })
}

/// A value as a label; numbers are as they are written, 1e-4 and not 0.0001.
fn label_of(value: &Spanned<Value>, text: &str) -> String {
    match value.get_ref() {
        Value::String(label) => label.clone(),
        Value::Integer(_) | Value::Float(_) => text[value.span()].to_string(),
        other => other.to_string(),
    }
}

fn check_label(key: &str, label: &str) -> std::result::Result<(), String> {
    let plain = !label.chars().any(char::is_control);
    if plain && !label.trim().is_empty() && label.chars().count() <= MAX_NAME {
        return Ok(());
    }
    let label = excerpt(label);
    Err(format!("{key} = {label:?}; use 1 to {MAX_NAME} characters in one line"))
}
