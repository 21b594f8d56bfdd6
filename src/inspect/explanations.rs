//! The sentences that explain errors, read from a file: an app need not load them before there is something to explain.
//!
//! Rule: reading is total. A file without a sentence that is asked for explains less, and nothing more happens.

use std::fmt;

use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use crate::protocol::json::Value;
use crate::protocol::site::Site;
use crate::protocol::text::cut;
use crate::protocol::time::Seconds;
use crate::protocol::url::Url;

/// The file, for apps that want it linked in; the workbench fetches it.
pub const FILE: &str = include_str!("explanations.json");

const LIMITS: Limits = Limits { deadline: Seconds(10), body: 256 * 1024 };

/// The sentences.
pub struct Explanations(Value);

/// What arrived is not the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotExplanations;

/// Names, and the text that belongs to each: what stands for a placeholder, or a value that is shown.
#[derive(Default)]
pub(super) struct Texts(pub(super) Vec<(&'static str, String)>);

impl Texts {
    /// Adds one. What a server sends may be long; a page need not be.
    #[inline(never)] // there are dozens of them
    pub(super) fn add(&mut self, name: &'static str, text: &str) {
        self.0.push((name, text.chars().take(500).collect()));
    }

    /// Adds a number.
    pub(super) fn number(&mut self, name: &'static str, number: u64) {
        self.add(name, &number.to_string());
    }
}

impl Explanations {
    /// Without the file: no sentence.
    pub const NONE: Self = Self(Value::Null);

    /// The request for the file, which lies beside index.html.
    pub fn request(site: &Site) -> Option<HttpRequest> {
        let url = Url::parse(&site.url_of("explanations.json")).ok()?;
        Some(HttpRequest::get(url, "application/json", LIMITS))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`NotExplanations`], e.g. for the page that some hosts send in the place of a missing file.
    pub fn parse(octets: &[u8]) -> Result<Self, NotExplanations> {
        let document = Value::parse(octets).ok().filter(|document| document.member("errors").is_some());
        document.map(Self).ok_or(NotExplanations)
    }

    /// Reads the answer to the request for the file.
    ///
    /// # Errors
    /// [`NotExplanations`], whatever the reason.
    pub fn read(outcome: Result<HttpResponse, HttpFailure>) -> Result<Self, NotExplanations> {
        let response = outcome.map_err(|_| NotExplanations)?;
        if response.status == 200 { Self::parse(&response.body) } else { Err(NotExplanations) }
    }

    /// What a quirk is, by its id, and what to do about it.
    pub fn quirk(&self, id: &str) -> Option<&str> {
        self.0.member("quirks")?.text(id)
    }

    /// The entry `key/variant` of a group, else the entry `key`.
    pub(super) fn entry(&self, group: &str, key: &str, variant: &str) -> Option<&Value> {
        let group = self.0.member(group)?;
        group.member(&[key, "/", variant].concat()).or_else(|| group.member(key))
    }
}

/// A text with every `{placeholder}` replaced whose argument is there. Arguments are not looked into: their braces stay.
pub(super) fn fill(text: &str, arguments: &Texts) -> String {
    let mut filled = String::new();
    let mut rest = text;
    loop {
        let (plain, opened) = cut(rest, b'{');
        filled.push_str(plain);
        let Some(opened) = opened else { return filled };
        let (name, after) = cut(opened, b'}');
        match arguments.0.iter().find(|(known, _)| *known == name) {
            Some((_, argument)) => filled.push_str(argument),
            None => filled.push_str(&["{", name, "}"].concat()),
        }
        rest = after.unwrap_or_default();
    }
}

impl fmt::Display for NotExplanations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the explanations did not arrive")
    }
}

impl std::error::Error for NotExplanations {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_placeholders_and_leaves_arguments_alone() {
        let arguments = Texts(vec![("a", "{b}".to_owned()), ("b", "{a".to_owned())]);
        assert_eq!(fill("x{a}y{b}{a}", &arguments), "x{b}y{a{b}");
        assert_eq!(fill("no placeholder", &arguments), "no placeholder");
        assert_eq!(fill("{c} {a}", &arguments), "{c} {b}");
        assert_eq!(fill("", &arguments), "");
    }
}
