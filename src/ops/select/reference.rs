//! Value by value, after all three are stretched.

use crate::ops::broadcast::reference::broadcast;
use crate::shape::Shape;

/// a where c is not 0, else b.
pub fn select([c, a, b]: [&[f64]; 3], [c_shape, a_shape, b_shape]: [Shape; 3], shape: Shape) -> Vec<f64> {
    let c = broadcast(c, c_shape, shape);
    let a = broadcast(a, a_shape, shape);
    let b = broadcast(b, b_shape, shape);
    let both = a.into_iter().zip(b);
    c.into_iter().zip(both).map(|(c, (a, b))| if c == 0.0 { b } else { a }).collect()
}
