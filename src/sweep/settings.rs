//! Settings as a sweep file writes them: keys of a recipe and their values, in TOML's own syntax.
//!
//! ```toml
//! training.batch_size = 32                                # one key
//! generator.layers.4.filters = 64                         # entries of a list are counted from 1
//! training.labels = { flip = 0, real = [1, 1], fake = [0, 0] }   # all of a table at once
//! ```
//!
//! Each becomes a `key=value` as in `minimax train --set`. Values are kept as the file writes them, so that a table in
//! braces replaces a whole table and a dotted key only one of its entries; for TOML the two are the same.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

/// A key of a recipe and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `key=value`, as [`Recipe::load`](crate::recipe::Recipe::load) takes it.
    pub entry: String,
    /// Its line in the sweep file, counted from 1.
    pub line: usize,
}

/// A table of settings as it is deserialised: keys, and the places of the values in the text.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<(String, Spanned<Node>)>);

/// What is behind a key.
#[derive(Debug)]
enum Node {
    Table(Table),
    Value,
}

impl Table {
    /// The settings of the table, from the text from which it was read.
    pub fn settings(&self, text: &str) -> Vec<Setting> {
        let mut settings = Vec::new();
        self.collect("", text, &mut settings);
        settings
    }

    fn collect(&self, prefix: &str, text: &str, settings: &mut Vec<Setting>) {
        for (key, node) in &self.0 {
            let path = match prefix {
                "" => key.clone(),
                _ => format!("{prefix}.{key}"),
            };
            let span = node.span();
            match node.get_ref() {
                Node::Table(table) if !text[span.clone()].starts_with('{') => {
                    table.collect(&path, text, settings);
                }
                _ => settings.push(Setting::new(&path, text, span)),
            }
        }
    }
}

impl Setting {
    /// `key` with the value at `span` of `text`.
    pub(super) fn new(key: &str, text: &str, span: std::ops::Range<usize>) -> Setting {
        Setting { entry: format!("{key}={}", &text[span.clone()]), line: crate::recipe::line_at(text, span.start) }
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Table, D::Error> {
        from.deserialize_map(TableVisitor)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Node, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct TableVisitor;

impl<'de> Visitor<'de> for TableVisitor {
    type Value = Table;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a table of a recipe's keys")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Table, M::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Table(entries))
    }
}

/// Accepts anything; if it is not a table, only its place matters.
struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Node, M::Error> {
        TableVisitor.visit_map(map).map(Node::Table)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Node, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::Value)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Value)
    }

    fn visit_str<E>(self, _: &str) -> Result<Node, E> {
        Ok(Node::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, usize)> {
        let table: Table = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        let settings = table.settings(text).into_iter();
        settings.map(|s| (s.entry, s.line)).collect()
    }

    #[test]
    fn dotted_keys_headers_and_quotes_are_the_same_setting() {
        for text in ["training.batch_size = 32", "[training]\nbatch_size = 32", "\"training.batch_size\" = 32"] {
            let line = text.lines().count();
            let expected = ("training.batch_size=32".to_string(), line);
            assert_eq!(entries(text), [expected], "{text}");
        }
    }

    #[test]
    fn a_table_in_braces_is_a_value_and_values_stay_as_written() {
        let text = "training.labels = { flip = 0, real = [1, 1] }\n\
                    generator.layers.4.filters = 64\n\
                    generator.layers.5 = { layer = 'tanh' }\n\
                    data.range = [\n  -1, # tanh\n  1e0,\n]\n\
                    training.loss = 'minimax'";
        let expected = [
            ("data.range=[\n  -1, # tanh\n  1e0,\n]", 4),
            ("generator.layers.4.filters=64", 2),
            ("generator.layers.5={ layer = 'tanh' }", 3),
            ("training.labels={ flip = 0, real = [1, 1] }", 1),
            ("training.loss='minimax'", 8),
        ];
        let mut found = entries(text);
        found.sort();
        let expected = expected.map(|(entry, line)| (entry.to_string(), line));
        assert_eq!(found, expected);
    }
}
