//! A profile as a trace in the Trace Event Format, which Perfetto and Chrome's `about:tracing` open.

use crate::profile::Profile;
use serde_json::json;
use std::time::Duration;

/// The text of the trace, JSON.
pub fn trace(profile: &Profile) -> String {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let events = profile.spans().map(|span| {
        json!({
            "name": span.name,
            "ph": "X",
            "ts": micros(span.begun),
            "dur": micros(span.length),
            "pid": 1,
            "tid": 1,
            "args": { "flop": span.cost.flop, "values": span.cost.values },
        })
    });
    json!({ "displayTimeUnit": "ms", "traceEvents": events.collect::<Vec<_>>() }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{self, Cost, span};

    #[test]
    fn the_trace_has_every_span() {
        profile::start();
        drop(span("of this test", || Cost::pass(1_000_000)));
        let profile = profile::finish().unwrap();
        let trace: serde_json::Value = serde_json::from_str(&trace(&profile)).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        let event = events.iter().find(|event| event["name"] == "of this test").unwrap();
        assert_eq!(event["args"]["values"], 1_000_000);
        assert!(event["ts"].as_f64().unwrap() >= 0.0 && event["dur"].as_f64().unwrap() >= 0.0);
    }
}
