//! The check suite: one table of op cases, and the checks that every case is held to.
//!
//! [`cases`] is the table; [`gradcheck`] holds derivatives to finite differences, and every device
//! to the reference.

pub mod cases;
pub mod gradcheck;
