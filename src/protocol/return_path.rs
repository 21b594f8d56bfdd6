//! The place in the app where a person was before signing in.
//!
//! Rule: a path of this origin and nothing else, checked when it is written and again when it is used, because
//! storage is input. It must be a path that neither a browser nor a careless decoder reads as another origin.
//!
//! Source: RFC 6749 §10.15; RFC 9700 §4.11.1 (open redirectors).

use super::url::has_dot_segment;

/// A path with optional query and fragment, beginning with exactly one `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

const LONGEST: usize = 2048;

impl ReturnPath {
    /// Accepts `path` if it cannot lead to another origin.
    pub fn parse(path: &str) -> Option<Self> {
        let (head, _) = path.split_at(path.find(['?', '#']).unwrap_or(path.len()));
        let decoded = head.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "\\").replace("%40", "@");
        let control = |text: &str| text.chars().any(char::is_control);
        let escaped_control = |text: &str| {
            let escapes = text.split('%').skip(1);
            escapes.filter_map(|rest| super::form::escaped(rest.as_bytes())).any(|octet| octet < 0x20 || octet == 0x7f)
        };
        let harmless = path.len() <= LONGEST
            && path.starts_with('/')
            && !decoded.contains("//")
            && !path.contains('\\')
            && !decoded.contains('\\')
            && path.is_ascii()
            && !path.contains(' ')
            && !control(path)
            && !escaped_control(head)
            && !has_dot_segment(head);
        harmless.then(|| Self(path.to_owned()))
    }

    /// The path as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
