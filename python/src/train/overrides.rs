//! What arguments say of a recipe, as the library takes it: `key=value`, the value in TOML.

use minimax::data::place::name_of;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use toml::Value;

/// A `key=value` each.
pub struct Overrides {
    /// In the order in which they are put on top of the recipe.
    pub entries: Vec<String>,
    /// The keys of `overrides`, which no other argument may say.
    keys: Vec<String>,
}

impl Overrides {
    /// Those of the argument `overrides`.
    pub fn new(overrides: Option<Bound<PyDict>>) -> PyResult<Overrides> {
        let (mut entries, mut keys) = (Vec::new(), Vec::new());
        for (key, value) in overrides.iter().flatten() {
            let key: String = key.extract()?;
            let value = if value.is_none() { "none".to_string() } else { toml(&value)?.to_string() };
            entries.push(format!("{key}={value}"));
            keys.push(key);
        }
        Ok(Overrides { entries, keys })
    }

    /// These, and the number of the argument that is the last part of `key`, if it is given.
    pub fn number(self, key: &str, number: Option<u64>) -> PyResult<Overrides> {
        self.and(key, number.map(|number| number.to_string()))
    }

    /// These, and the argument `data`, if it is given.
    pub fn data(self, data: Option<PathBuf>) -> PyResult<Overrides> {
        self.and("data.name", data.map(|path| Value::String(name_of(path.as_os_str())).to_string()))
    }

    fn and(mut self, key: &str, value: Option<String>) -> PyResult<Overrides> {
        let Some(value) = value else {
            return Ok(self);
        };
        if self.keys.iter().any(|said| said == key) {
            return Err(PyValueError::new_err(format!("overrides and another argument both say {key}")));
        }
        self.entries.push(format!("{key}={value}"));
        Ok(self)
    }
}

/// A value of Python's in TOML.
fn toml(value: &Bound<PyAny>) -> PyResult<Value> {
    // Every bool is an int, and every int a float.
    if let Ok(value) = value.extract::<bool>() {
        return Ok(Value::Boolean(value));
    }
    if let Ok(value) = value.extract::<i64>() {
        return Ok(Value::Integer(value));
    }
    if let Ok(value) = value.extract::<f64>() {
        return Ok(Value::Float(value));
    }
    if let Ok(value) = value.extract::<String>() {
        return Ok(Value::String(value));
    }
    if let Ok(table) = value.cast::<PyDict>() {
        let entries = table.iter().map(|(key, value)| Ok((key.extract()?, toml(&value)?)));
        return Ok(Value::Table(entries.collect::<PyResult<_>>()?));
    }
    match value.extract::<Vec<Bound<PyAny>>>() {
        Ok(values) => Ok(Value::Array(values.iter().map(toml).collect::<PyResult<_>>()?)),
        Err(_) => Err(PyTypeError::new_err(format!("a recipe has no value like {value}"))),
    }
}
