//! What is wrong with a configuration: every problem at once, each with its place and what was expected there.
//!
//! Rule: what was expected is a value, put into words only where somebody reads it. An app that shows a code alone does not
//! carry the words.

use std::fmt;

use super::http::HttpFailure;
use super::json::JsonError;
use super::text::shorten;
use super::vocabulary::NounError;

/// Why there is no usable configuration.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigurationError {
    /// An HTML page came in the file's place, as hosts answer for files that are not there.
    Html,
    /// Members are unknown, missing or wrong.
    Invalid(Vec<Problem>),
    /// The host has no such file.
    Missing {
        /// The status it answered.
        status: u16,
    },
    /// The file is no JSON document.
    NotJson(JsonError),
    /// The file could not be fetched.
    Unreachable(HttpFailure),
}

/// One thing that is wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place, e.g. `authorization_servers[0].redirect_uri`.
    pub place: String,
    /// What was expected there.
    pub expected: Expected,
    /// What is there; never a secret.
    pub found: String,
}

/// What a member of a configuration, of metadata or of a token response should be.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An array.
    Array,
    /// A client identifier; why it is none.
    ClientId(NounError),
    /// At most 300 seconds.
    ClockTolerance,
    /// Nothing, because this app was built without the feature.
    Feature,
    /// A boolean.
    Flag,
    /// A whole number of seconds, at least one.
    IdleTimeout,
    /// Values of the parameter `prompt` that fit together and with `max_age`.
    Prompt,
    /// An issuer URL; why it is none.
    Issuer(NounError),
    /// An issuer, or the two endpoints that a sign-in needs.
    IssuerOrEndpoints,
    /// The client identifier that the server knows.
    KnownClientId,
    /// A number of seconds from 0 to ten years.
    Lifetime,
    /// One of these members.
    Member(Vec<&'static str>),
    /// No client secret.
    NoClientSecret,
    /// An object.
    Object,
    /// An object whose values are strings.
    ObjectOfStrings,
    /// Each issuer and client identifier once.
    Once,
    /// An absolute URL without fragment; why it is none.
    RedirectUri(NounError),
    /// An absolute URI without fragment (RFC 8707 §2).
    ResourceIdentifier,
    /// An absolute URL without query or fragment; why it is none.
    ResourceUrl(NounError),
    /// The same as `issuer`, which is this one.
    SameIssuer(String),
    /// Scope tokens; why they are none.
    Scope(NounError),
    /// A whole number of seconds.
    Seconds,
    /// An array of authorization servers.
    Servers,
    /// A URL of the server; why it is none.
    ServerUrl(NounError),
    /// A string.
    String,
    /// A string or an array of strings.
    StringOrStrings,
    /// An array of strings.
    Strings,
    /// A token: visible ASCII characters.
    Token,
    /// `memory`, `session` or `shared`.
    TokenStorage,
    /// A parameter that this app does not set itself, and once.
    UnprotectedParameter,
    /// A URL.
    Url,
    /// Values separated by single spaces; why they are none.
    Values(NounError),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Array => "an array",
            Self::ClientId(_) => "a client identifier",
            Self::ClockTolerance => "at most 300 seconds: a clock that is further off should be set",
            Self::Feature => "nothing: this app was built without the feature",
            Self::Flag => "true or false",
            Self::IdleTimeout => "at least one second",
            Self::Prompt => "login, consent, select_account or create, or none alone and not with max_age 0",
            Self::Issuer(_) => "an issuer URL",
            Self::IssuerOrEndpoints => "an issuer, or metadata with authorization_endpoint and token_endpoint",
            Self::KnownClientId => "the client identifier that the server knows",
            Self::Lifetime => "a number of seconds from 0 to 315360000 (ten years)",
            Self::Member(_) => "one of ",
            Self::NoClientSecret => {
                "no client secret: whatever a web page holds, everybody can read, so this client is a public one \
                 (RFC 6749 §2.1) and PKCE takes the secret's place"
            }
            Self::Object => "an object",
            Self::ObjectOfStrings => "an object whose values are strings",
            Self::Once => "each issuer and client_id once",
            Self::RedirectUri(_) => "an absolute URL without fragment",
            Self::ResourceIdentifier => "an absolute URI without fragment (RFC 8707 §2)",
            Self::ResourceUrl(_) => "an absolute URL without query or fragment",
            Self::SameIssuer(_) => "the same as issuer, ",
            Self::Scope(_) => "scope tokens separated by single spaces",
            Self::Seconds => "a whole number of seconds",
            Self::Servers => "an array of authorization servers",
            Self::ServerUrl(_) => "a URL of the server",
            Self::String => "a string",
            Self::StringOrStrings => "a string or an array of strings",
            Self::Strings => "an array of strings",
            Self::Token => "a string of visible ASCII characters",
            Self::TokenStorage => "\"memory\", \"session\" or \"shared\"",
            Self::UnprotectedParameter => "parameters that this app does not set itself, each once",
            Self::Url => "a URL",
            Self::Values(_) => "values separated by single spaces",
        })?;
        match self {
            Self::Member(names) => f.write_str(&names.join(", ")),
            Self::SameIssuer(issuer) => f.write_str(issuer),
            Self::ClientId(error)
            | Self::Issuer(error)
            | Self::RedirectUri(error)
            | Self::ResourceUrl(error)
            | Self::Scope(error)
            | Self::ServerUrl(error)
            | Self::Values(error) => write!(f, " ({error})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Html => f.write_str("an HTML page came in the place of config.json"),
            Self::Invalid(problems) => {
                f.write_str("the configuration has problems: ")?;
                for (index, problem) in problems.iter().enumerate() {
                    if index > 0 {
                        f.write_str("; ")?;
                    }
                    problem.fmt(f)?;
                }
                Ok(())
            }
            Self::Missing { status } => write!(f, "there is no config.json beside index.html (status {status})"),
            Self::NotJson(error) => write!(f, "config.json: {error}"),
            Self::Unreachable(failure) => write!(f, "config.json could not be fetched: {failure}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.place, self.expected, self.found)
    }
}

/// The problems found so far, and where in the document the search is.
#[derive(Default)]
pub(super) struct Problems {
    place: String,
    pub(super) found: Vec<Problem>,
}

impl Problems {
    /// Searches a part of the document.
    pub(super) fn within(&mut self, part: &str, search: impl FnOnce(&mut Self)) {
        let place = self.at(part);
        let whole = std::mem::replace(&mut self.place, place);
        search(self);
        self.place = whole;
    }

    /// Whether the search has come into a part of the document.
    pub(super) fn is_within(&self) -> bool {
        !self.place.is_empty()
    }

    /// Adds a problem of a member, or of the part itself; one place has one, the first that was found.
    pub(super) fn add(&mut self, member: &str, expected: Expected, found: &str) {
        let place = self.at(member);
        if self.found.iter().any(|known| known.place == place) {
            return;
        }
        // A value in the wrong place may be long; a message need not be.
        let found = shorten(if found.is_empty() { "nothing" } else { found }, 120);
        self.found.push(Problem { place, expected, found });
    }

    /// Adds a problem if `text` is not what it should be.
    pub(super) fn noun<T>(
        &mut self,
        member: &str,
        text: &str,
        parsed: Result<T, NounError>,
        expected: fn(NounError) -> Expected,
    ) -> Option<T> {
        parsed.map_err(|error| self.add(member, expected(error), text)).ok()
    }

    fn at(&self, member: &str) -> String {
        let separator = if self.place.is_empty() || member.is_empty() { "" } else { "." };
        [&self.place, separator, member].concat()
    }
}
