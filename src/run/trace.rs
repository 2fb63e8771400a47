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
