//! The check suite: one table of op cases, and the checks that are made of every case.
//!
//! [`cases`] is the table. [`gradcheck`] compares derivatives with finite differences, and every device with the
//! reference.

pub mod cases;
pub mod gradcheck;
