//! What layers do to the order of values, which decides how weights look in a file of PyTorch's.
//!
//! The engine flattens an image `[h, w, c]`, so that channels vary fastest; PyTorch flattens `[c, h, w]`, so that columns do.
//! A dense layer after a [`Flatten`](super::Flatten) therefore has its rows in another order there, and a dense layer before a
//! [`Reshape`](super::Reshape) to images has its columns in another order, as has whatever stands between the two. How many
//! channels those images have is all that one needs to turn one order into the other; [`orders`] finds it.

use super::Layer;

/// What a part of a network does to the order of the values that it is given.
///
/// A layer of one's own says so by [`Layer::parts`]; one that holds others passes on what they say, in the order in which its
/// variables come:
///
/// ```
/// use minimax::nn::{Conv2d, Dense, Flatten, Flow, Layer, Part, Sequential};
///
/// let network = Sequential::default().add(Conv2d::new(3, 8, 5)).add(Flatten).add(Dense::new(8 * 24 * 24, 10));
/// let flows: Vec<_> = network.parts().iter().map(|part| part.flow).collect();
/// assert_eq!(flows, [Flow::Images { channels: 8 }, Flow::Flattened, Flow::Dense { unit_norm: false }]);
/// assert_eq!(network.parts()[0], Part { flow: flows[0], variables: 2 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It treats all values, or all of a channel, alike and leaves them where they are: activations, batch norm, pooling.
    Kept,
    /// It makes images of `channels` channels: convolutions.
    Images {
        /// Channels of what comes out.
        channels: usize,
    },
    /// It leaves the channels where they are and adds more after them, or none; it must be given values in the engine's order.
    Joined {
        /// How many it adds.
        channels: usize,
    },
    /// It makes images with a fraction of the channels, as pixel shuffle does.
    Fewer {
        /// How many times fewer.
        times: usize,
    },
    /// It is a dense layer, whose rows and columns can be in any order.
    Dense {
        /// Whether it uses each unit's weights at length 1: see [`unit_norm`](super::unit_norm).
        unit_norm: bool,
    },
    /// It makes a vector with one value for each channel.
    Pooled,
    /// It makes one vector of each image.
    Flattened,
    /// It makes images of `channels` channels of vectors.
    Shaped {
        /// Channels of what comes out.
        channels: usize,
    },
    /// Two branches begin that are given the same values; the first follows.
    Fork,
    /// The first branch ends, and the second begins.
    Branch,
    /// The second branch ends, and the two are added.
    Join,
    /// Nothing is known of what it does.
    Unknown,
}

/// A part of a network, and how many of the network's variables are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it does to the order of values.
    pub flow: Flow,
    /// How many variables it has; they follow those of the part before.
    pub variables: usize,
}

impl Part {
    /// `layer` as one part.
    pub fn of(layer: &(impl Layer + ?Sized), flow: Flow) -> Vec<Part> {
        vec![Part { flow, variables: layer.variables().len() }]
    }

    /// A part without variables.
    pub(super) fn without_variables(flow: Flow) -> Part {
        Part { flow, variables: 0 }
    }
}

/// What is known of the values between two parts.
#[derive(Clone, Copy)]
enum Values {
    /// They are what the network is given.
    Input,
    Images {
        channels: usize,
    },
    Vectors,
    Unknown,
}

/// Why the order of values can't be followed, at which part.
pub(super) struct Untold {
    pub part: usize,
    pub why: &'static str,
}

/// For each of `parts`, the orders of the vectors before and after it: the number of channels of the images that they were, or
/// will be, in PyTorch's order; `None` where both have the same order.
pub(super) fn orders(parts: &[Part]) -> Result<Vec<[Option<usize>; 2]>, Untold> {
    let mut orders = vec![None; parts.len() + 1];
    let mut values = Values::Input;
    let mut forks = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let untold = |why| Err(Untold { part: i, why });
        let turned: Option<usize> = orders[i];
        values = match (part.flow, values) {
            (Flow::Kept, values) => {
                orders[i + 1] = turned;
                values
            }
            (Flow::Dense { .. }, _) => Values::Vectors,
            (Flow::Shaped { channels }, Values::Vectors) if turned == Some(channels) => Values::Images { channels },
            (Flow::Flattened, Values::Vectors) => {
                orders[i + 1] = turned;
                Values::Vectors
            }
            _ if turned.is_some() => return untold("takes the values of a flattened image and is no dense layer"),
            (Flow::Images { channels }, _) => Values::Images { channels },
            (Flow::Joined { channels: more }, Values::Images { channels }) => {
                Values::Images { channels: channels + more }
            }
            (Flow::Joined { .. }, values) => values,
            (Flow::Fewer { times }, Values::Images { channels }) if times > 0 => {
                Values::Images { channels: channels / times }
            }
            (Flow::Fewer { .. } | Flow::Unknown, _) => Values::Unknown,
            (Flow::Pooled, _) => Values::Vectors,
            (Flow::Flattened, Values::Images { channels }) => {
                orders[i + 1] = Some(channels);
                Values::Vectors
            }
            (Flow::Flattened, Values::Input | Values::Unknown) => {
                return untold(
                    "flattens images without knowing their channels; put a Reshape to their shape before it",
                );
            }
            (Flow::Shaped { channels }, Values::Vectors) => {
                match (0..i).rev().find(|&j| parts[j].flow != Flow::Kept) {
                    Some(dense) if matches!(parts[dense].flow, Flow::Dense { .. }) => {
                        orders[dense + 1..=i].fill(Some(channels));
                    }
                    _ => return untold("makes images of vectors that come from no dense layer"),
                }
                Values::Images { channels }
            }
            (Flow::Shaped { channels }, Values::Input) => Values::Images { channels },
            (Flow::Shaped { channels }, Values::Images { channels: before }) if before == channels => values,
            (Flow::Shaped { .. }, _) => return untold("makes images of values whose order isn't known"),
            (Flow::Fork, values) => {
                forks.push(values);
                values
            }
            (Flow::Branch, first) => forks.last_mut().map_or(first, |start| std::mem::replace(start, first)),
            (Flow::Join, second) => forks.pop().unwrap_or(second),
        };
    }
    Ok(orders.windows(2).map(|pair| [pair[0], pair[1]]).collect())
}
