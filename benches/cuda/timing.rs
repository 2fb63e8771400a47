//! How a row is timed: what it does is asked of the device again and again, for a part of the time that there is, and the
//! device is waited for at the end; the median of five parts counts. So neither the wait nor, as graphs, what the
//! processor does for a launch is in it, unless the device would have to wait for that.

use super::training::Training;
use minimax::cuda::Context;
use minimax::cuda::capture::{Graph, Inputs};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// Launch by launch, or as a graph.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Launches,
    Graph,
}

/// Times an op is in a graph, so that a graph's own start is spread over many. PyTorch's side does the same.
const IN_A_GRAPH: usize = 20;

/// What is timed.
pub enum Subject {
    /// An op, launch by launch.
    Op(Box<dyn FnMut()>),
    /// The same, [`IN_A_GRAPH`] times, with the inputs and the tensors that it reads.
    Graph(Graph, #[expect(dead_code, reason = "the graph reads from there")] Box<(Inputs, Box<dyn FnMut()>)>),
    /// Training steps.
    Training(Box<Training>),
    /// What takes so long that once is enough.
    Whole(Box<dyn FnMut()>),
}

impl Subject {
    /// An op.
    pub fn op(how: How, context: &'static Context, mut f: impl FnMut() + 'static) -> Subject {
        if how == How::Launches {
            return Subject::Op(Box::new(f));
        }
        // What is loaded or first asked for can't be captured.
        f();
        let mut inputs = Inputs::new(0, context);
        inputs.upload(&[], &[]);
        let captured = Graph::capture(&inputs, || {
            (0..IN_A_GRAPH).for_each(|_| f());
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok((graph, ())) = captured;
        Subject::Graph(graph, Box::new((inputs, Box::new(f))))
    }

    /// So often that nothing happens for the first time any more.
    pub fn warm_up(&mut self, context: &Context) {
        match self {
            Subject::Training(training) => training.run(5),
            Subject::Whole(_) => {}
            _ => self.run(3),
        }
        context.synchronize();
    }

    fn run(&mut self, times: usize) {
        match self {
            Subject::Op(f) | Subject::Whole(f) => (0..times).for_each(|_| f()),
            Subject::Graph(graph, _) => (0..times).for_each(|_| graph.replay()),
            Subject::Training(training) => training.run(times),
        }
    }

    /// The figures: `ms`, and what there is besides. About `seconds` long.
    pub fn time(&mut self, context: &Context, seconds: f64) -> Map<String, Value> {
        let once = match self {
            Subject::Graph(..) => IN_A_GRAPH as f64,
            _ => 1.0,
        };
        let ms = match self {
            Subject::Whole(f) => timed(context, 1, |_| f()),
            _ => median(context, seconds, |times| self.run(times)),
        };
        let mut figures = Map::from_iter([("ms".to_string(), json!(ms / once))]);
        if let Subject::Training(training) = self {
            figures.extend(training.figures(context, seconds, ms));
        }
        figures
    }
}

/// The median of what `f` takes for each of the times that it is asked for, in milliseconds: five parts.
pub fn median(context: &Context, seconds: f64, mut f: impl FnMut(usize)) -> f64 {
    const PARTS: usize = 5;
    let first = timed(context, 1, &mut f);
    let times = (1e3 * seconds / PARTS as f64 / first).ceil().clamp(1.0, 1e5) as usize;
    // What is long, or emulated, gets fewer parts.
    let parts = if first > 1e3 * seconds { 1 } else { PARTS };
    let mut all: Vec<f64> = (0..parts).map(|_| timed(context, times, &mut f) / times as f64).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Milliseconds of `f`, for what the device does of it too.
fn timed(context: &Context, times: usize, mut f: impl FnMut(usize)) -> f64 {
    context.synchronize();
    let start = Instant::now();
    f(times);
    context.synchronize();
    1e3 * start.elapsed().as_secs_f64()
}
