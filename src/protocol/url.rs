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

/// An absolute URL, kept exactly as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    text: String,
    origin: String,
    host: String,
    scheme: Scheme,
    /// Where the path begins; equal to `path_end` if the URL has none.
    path_start: usize,
    path_end: usize,
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
        if let Some((position, found)) = text.char_indices().find(|(_, found)| !is_allowed(*found)) {
            return Err(UrlError::Character { found, position });
        }
        let (scheme, after_scheme) = scheme(text)?;
        let end_of = |from: usize, stops: &[char]| text[from..].find(stops).map_or(text.len(), |at| from + at);
        let path_start = end_of(after_scheme, &['/', '?', '#']);
        let path_end = end_of(path_start, &['?', '#']);
        let query_end = end_of(path_end, &['#']);

        let authority = &text[after_scheme..path_start];
        if authority.contains('@') {
            return Err(UrlError::UserInformation);
        }
        let (host, port) = split_port(authority)?;
        check_host(&host)?;
        if has_dot_segment(&text[path_start..path_end]) {
            return Err(UrlError::DotSegment);
        }
        // Browsers rewrite an apostrophe in a query; in a path they leave it.
        if let Some(at) = text[path_end..query_end].find('\'') {
            return Err(UrlError::Character { found: '\'', position: path_end + at });
        }
        Ok(Self {
            origin: origin(scheme, &host, port),
            text: text.to_owned(),
            host,
            scheme,
            path_start,
            path_end,
            query_end,
        })
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port as browsers serialise an origin: lower case, default port left out.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path, `/` if none was written.
    pub fn path(&self) -> &str {
        match &self.text[self.path_start..self.path_end] {
            "" => "/",
            path => path,
        }
    }

    /// The query without `?`, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.text[self.path_end..self.query_end].strip_prefix('?')
    }

    /// The fragment without `#`, if there is one.
    pub fn fragment(&self) -> Option<&str> {
        self.text[self.query_end..].strip_prefix('#')
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host == "[::1]"
            || self.host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether a server at this URL may be spoken to under `policy`.
    pub fn satisfies(&self, policy: SchemePolicy) -> bool {
        self.scheme == Scheme::Https || (policy == SchemePolicy::HttpOnLoopback && self.is_loopback())
    }

    /// This URL with `encoded` added to its query; a query that is there already is kept (RFC 6749 §3.1).
    pub fn with_query(&self, encoded: &str) -> Self {
        let base = &self.text[..self.query_end];
        let separator = match self.query() {
            None => "?",
            Some("") => "",
            Some(query) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        let text = format!("{base}{separator}{encoded}");
        Self { query_end: text.len(), text, ..self.clone() }
    }

    /// This URL without query and fragment.
    pub fn without_query(&self) -> &str {
        &self.text[..self.path_end]
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { found, position } => {
                write!(f, "character {found:?} at position {position} is not allowed in a URL")
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
fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

fn scheme(text: &str) -> Result<(Scheme, usize), UrlError> {
    for (prefix, scheme) in [("https://", Scheme::Https), ("http://", Scheme::Http)] {
        if text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            return Ok((scheme, prefix.len()));
        }
    }
    Err(UrlError::Scheme)
}

/// Splits `host:port`; the colons of an IPv6 address stand between brackets.
fn split_port(authority: &str) -> Result<(String, Option<u16>), UrlError> {
    let bracket = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[bracket..].find(':') {
        Some(at) => (&authority[..bracket + at], Some(&authority[bracket + at + 1..])),
        None => (authority, None),
    };
    let port = match port {
        None => None,
        Some(digits) if digits.starts_with('0') || !digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            return Err(UrlError::Port);
        }
        Some(digits) => Some(digits.parse().map_err(|_| UrlError::Port)?),
    };
    Ok((host.to_ascii_lowercase(), port))
}

fn check_host(host: &str) -> Result<(), UrlError> {
    if let Some(address) = host.strip_prefix('[') {
        // Whether it is in its shortest form is the browser's to say: the adapter refuses if the browser disagrees.
        let address = address.strip_suffix(']').ok_or(UrlError::Host)?;
        let plain = address.bytes().all(|octet| octet.is_ascii_hexdigit() || octet == b':');
        return if plain && address.contains(':') { Ok(()) } else { Err(UrlError::Host) };
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let plain = |label: &str| {
        !label.is_empty() && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
    };
    if !name.split('.').all(plain) {
        return Err(UrlError::Host);
    }
    // Browsers read a last label that is a number (0x7f, 2130706433) as the end of an IPv4 address.
    let last = name.rsplit('.').next().unwrap_or(name);
    let numeric = last.bytes().all(|octet| octet.is_ascii_digit()) || last.starts_with("0x");
    match name.parse::<std::net::Ipv4Addr>() {
        Ok(_) if name == host => Ok(()),
        Err(_) if !numeric => Ok(()),
        _ => Err(UrlError::Host),
    }
}

/// Also finds what only a server that decodes once more than it should would read as a dot segment.
pub(super) fn has_dot_segment(path: &str) -> bool {
    let decoded = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    decoded.split('/').any(|segment| matches!(segment, "." | ".."))
}

fn origin(scheme: Scheme, host: &str, port: Option<u16>) -> String {
    let (name, default) = match scheme {
        Scheme::Http => ("http", 80),
        Scheme::Https => ("https", 443),
    };
    match port {
        Some(port) if port != default => format!("{name}://{host}:{port}"),
        _ => format!("{name}://{host}"),
    }
}
