//! One strict parser for every URL that this client navigates to, fetches, or compares.
//!
//! In scope: absolute `http` and `https` URLs of the characters that RFC 3986 allows.
//! Out of scope: relative references and any repair. What was parsed is what is sent, so whatever a browser would
//! rewrite (upper-case escapes aside) is refused here with the place where it stands.
//!
//! Rule: ASCII host, no user information, no backslash, no dot segments, no IPv4 address in a disguise.
//!
//! Source: RFC 3986 §3; WHATWG URL (what browsers would change); RFC 6749 §3.1, §3.2.

use std::fmt;
use std::sync::Arc;

use super::form::{self, Plus};
use super::text::{cut, cut_last, number, parts};

/// An absolute URL, kept exactly as it was written, with the parts that are compared. Cheap to clone.
#[derive(Clone)]
pub struct Url(Arc<Parts>);

struct Parts {
    text: String,
    scheme: Scheme,
    origin: String,
    /// How many octets of the origin, behind `://`, are the host.
    host: usize,
    /// Where in the text the path begins, and where it ends.
    path: (usize, usize),
    /// Where the query ends, and with it all that is sent.
    query_end: usize,
}

/// The two schemes that can carry this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`, for loopback servers only (RFC 8252 §7.3 has the same exception).
    Http,
    /// `https`.
    Https,
}

/// Which schemes are acceptable for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemePolicy {
    /// Only `https`.
    HttpsOnly,
    /// `https`, and `http` on a loopback host: for pages that are themselves on a loopback host.
    HttpOnLoopback,
}

/// Why a text is no URL for this client.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// A character that must be percent-encoded here, or is not allowed at all.
    Character {
        /// The character.
        found: char,
        /// Its place, in octets from the start.
        position: usize,
    },
    /// The path has a segment `.` or `..`, plain or escaped.
    DotSegment,
    /// The host is missing, has an empty label, or is a number that browsers read as an IPv4 address.
    Host,
    /// The port is no number from 1 to 65535, or has leading zeros.
    Port,
    /// Neither `https://` nor `http://` begins it.
    Scheme,
    /// Longer than 16 KiB.
    TooLong,
    /// `user@` or `user:password@` before the host.
    UserInformation,
}

const LONGEST: usize = 16 * 1024;

impl Url {
    /// Parses an absolute URL.
    ///
    /// # Errors
    /// [`UrlError`] names the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > LONGEST {
            return Err(UrlError::TooLong);
        }
        check_characters(text)?;
        let sent = cut(text, b'#').0;
        let head = cut(sent, b'?').0;
        let (scheme, rest) = scheme(head)?;
        let (authority, path) = cut(rest, b'/');
        if cut(authority, b'@').1.is_some() {
            return Err(UrlError::UserInformation);
        }
        let (host, port) = split_port(authority)?;
        check_host(&host)?;
        if has_dot_segment(path.unwrap_or_default()) {
            return Err(UrlError::DotSegment);
        }
        let path_at = head.len() - path.map_or(0, |path| path.len() + 1);
        Ok(Self(Arc::new(Parts {
            text: text.to_owned(),
            scheme,
            origin: origin(scheme, &host, port),
            host: host.len(),
            path: (path_at, head.len()),
            query_end: sent.len(),
        })))
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Scheme, host and port as browsers serialise an origin: lower case, default port left out.
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The host in lower case, without port.
    pub fn host(&self) -> &str {
        let host = cut(self.origin(), b':').1.and_then(|rest| rest.get(2..2 + self.0.host));
        host.unwrap_or_default()
    }

    /// The path, `/` if none was written.
    pub fn path(&self) -> &str {
        let (start, end) = self.0.path;
        self.as_str().get(start..end).filter(|path| !path.is_empty()).unwrap_or("/")
    }

    /// The query without `?`, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.as_str().get(self.0.path.1 + 1..self.0.query_end)
    }

    /// The fragment without `#`, if there is one.
    pub fn fragment(&self) -> Option<&str> {
        self.as_str().get(self.0.query_end + 1..)
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost" || host == "[::1]" || matches!(ipv4(host), Some([127, ..]))
    }

    /// Whether a server at this URL may be spoken to under `policy`.
    pub fn satisfies(&self, policy: SchemePolicy) -> bool {
        self.0.scheme == Scheme::Https || (policy == SchemePolicy::HttpOnLoopback && self.is_loopback())
    }

    /// This URL with `encoded` added to its query; a query that is there already is kept (RFC 6749 §3.1).
    pub fn with_query(&self, encoded: &str) -> Self {
        let query = match self.query() {
            None | Some("") => encoded.to_owned(),
            Some(query) if query.ends_with('&') => [query, encoded].concat(),
            Some(query) => [query, "&", encoded].concat(),
        };
        let text = [self.without_query(), "?", &query].concat();
        Self(Arc::new(Parts {
            query_end: text.len(),
            text,
            scheme: self.0.scheme,
            origin: self.0.origin.clone(),
            host: self.0.host,
            path: self.0.path,
        }))
    }

    /// This URL without query and fragment.
    pub fn without_query(&self) -> &str {
        before_query(self.as_str())
    }
}

/// By the text: the parts follow from it.
impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Url {}

impl AsRef<str> for Url {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// Shows no query: that of an authorization request holds `state` and `nonce`.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.without_query())
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { found, position } => {
                write!(f, "character {found} at position {position} is not allowed in a URL")
            }
            Self::DotSegment => f.write_str("a path segment is `.` or `..`"),
            Self::Host => f.write_str("the host is missing or not in its plain form"),
            Self::Port => f.write_str("the port is not a number from 1 to 65535"),
            Self::Scheme => f.write_str("it does not begin with https:// or http://"),
            Self::TooLong => f.write_str("it is longer than 16384 octets"),
            Self::UserInformation => f.write_str("it holds user information before the host"),
        }
    }
}

impl std::error::Error for UrlError {}

/// RFC 3986 unreserved, reserved and `%`; without `\`, `"`, `<`, `>`, `^`, `` ` ``, `{`, `|`, `}`.
fn check_characters(text: &str) -> Result<(), UrlError> {
    let mut in_query = false;
    for (position, found) in text.char_indices() {
        match found {
            // Browsers rewrite an apostrophe in a query; in a path they leave it.
            '\'' if in_query => return Err(UrlError::Character { found, position }),
            '?' => in_query = true,
            '#' => in_query = false,
            _ if found.is_ascii_alphanumeric()
                || b"-._~:/[]@!$&'()*+,;=%".iter().any(|octet| char::from(*octet) == found) => {}
            _ => return Err(UrlError::Character { found, position }),
        }
    }
    Ok(())
}

/// What stands before a query and a fragment.
pub(super) fn before_query(text: &str) -> &str {
    cut(cut(text, b'#').0, b'?').0
}

fn scheme(text: &str) -> Result<(Scheme, &str), UrlError> {
    let (name, rest) = cut(text, b':');
    let rest = rest.and_then(|rest| rest.strip_prefix("//")).ok_or(UrlError::Scheme)?;
    match name.to_ascii_lowercase().as_str() {
        "https" => Ok((Scheme::Https, rest)),
        "http" => Ok((Scheme::Http, rest)),
        _ => Err(UrlError::Scheme),
    }
}

/// Splits `host:port`; the colons of an IPv6 address stand between brackets.
fn split_port(authority: &str) -> Result<(String, Option<&str>), UrlError> {
    let (host, port) = match cut_last(authority, b':') {
        (_, Some(port)) if port.ends_with(']') => (authority, None),
        split => split,
    };
    // A number is written in one way, so its digits can be compared.
    if port.is_some_and(|digits| digits.starts_with('0') || number(digits, 65_535).is_none()) {
        return Err(UrlError::Port);
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn check_host(host: &str) -> Result<(), UrlError> {
    let is_host = match host.strip_prefix('[') {
        // Whether it is in its shortest form is the browser's to say: the adapter refuses if the browser disagrees.
        Some(address) => address.strip_suffix(']').is_some_and(|address| {
            cut(address, b':').1.is_some() && address.bytes().all(|octet| octet.is_ascii_hexdigit() || octet == b':')
        }),
        None => {
            let name = host.strip_suffix('.').unwrap_or(host);
            let is_label = |label: &str| {
                let plain = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
                !label.is_empty() && label.bytes().all(plain)
            };
            // Browsers read a last label that is a number (0x7f, 2130706433) as the end of an IPv4 address.
            let last = cut_last(name, b'.').1.unwrap_or(name);
            let is_number = last.bytes().all(|octet| octet.is_ascii_digit()) || last.starts_with("0x");
            parts(name, b'.').all(is_label) && (!is_number || ipv4(host).is_some())
        }
    };
    if is_host { Ok(()) } else { Err(UrlError::Host) }
}

/// The octets of an IPv4 address in its one plain form.
fn ipv4(host: &str) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    let mut parts = parts(host, b'.');
    for octet in &mut octets {
        let part = parts.next()?;
        *octet = u8::try_from(number(part, 255)?).ok()?;
        // No leading zero: what is written is what it means.
        if part.len() > 1 && part.starts_with('0') {
            return None;
        }
    }
    parts.next().is_none().then_some(octets)
}

/// Also finds what only a server that decodes once more than it should would read as a dot segment.
pub(super) fn has_dot_segment(path: &str) -> bool {
    let decoded = form::unescape(path, Plus::IsPlus);
    decoded.split(|octet| matches!(octet, b'/' | b'\\')).any(|segment| matches!(segment, b"." | b".."))
}

fn origin(scheme: Scheme, host: &str, port: Option<&str>) -> String {
    let (name, default) = match scheme {
        Scheme::Http => ("http://", "80"),
        Scheme::Https => ("https://", "443"),
    };
    match port {
        Some(port) if port != default => [name, host, ":", port].concat(),
        _ => [name, host].concat(),
    }
}
