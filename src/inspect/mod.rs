//! Explains protocol values to people. Pure: values in, words out.

pub mod advice;
mod bound;
pub mod denial;
pub mod pretty;
pub mod quirks;
pub mod report;
pub mod trust;
