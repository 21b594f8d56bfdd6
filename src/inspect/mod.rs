//! Explains protocol values to people. Pure: values in, words out.

pub mod advice;
pub mod denial;
pub mod explanations;
pub mod pretty;
pub mod quirks;
pub mod report;
pub mod trust;
