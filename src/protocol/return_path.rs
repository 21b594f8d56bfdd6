//! The place in the app where a person was before signing in.
//!
//! Rule: a path of this origin and nothing else, checked when it is written and again when it is used, because
//! storage is input. It must be a path that neither a browser nor a careless decoder reads as another origin.
//!
//! Source: RFC 6749 §10.15; RFC 9700 §4.11.1 (open redirectors).

use super::form::{self, Plus};
use super::url::{before_query, has_dot_segment};

/// A path with optional query and fragment, beginning with exactly one `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

const LONGEST: usize = 2048;

impl ReturnPath {
    /// Accepts `path` if it cannot lead to another origin.
    pub fn parse(path: &str) -> Option<Self> {
        let head = before_query(path);
        let decoded = form::unescape(head, Plus::IsPlus);
        let harmless = path.len() <= LONGEST
            && path.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'\\')
            && decoded.iter().all(|octet| !octet.is_ascii_control() && *octet != b'\\')
            && path.starts_with('/')
            // No empty segment anywhere: a second slash could begin a host.
            && !decoded.windows(2).any(|pair| pair == b"//")
            && !has_dot_segment(head);
        harmless.then(|| Self(path.to_owned()))
    }

    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
