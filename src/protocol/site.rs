//! Where this app is served: the one fact about the page that the protocol depends on.
//!
//! Source: RFC 6749 §3.1.2 (redirect URIs); RFC 8252 §7.3 (loopback exception).

use super::text::{cut, cut_last};
use super::url::{SchemePolicy, Url, UrlError};

/// The base URL of the app, e.g. `https://app.example/sub/path/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    base: Url,
}

impl Site {
    /// Parses a base URL; its path is taken up to and including its last `/`.
    ///
    /// # Errors
    /// [`UrlError`], e.g. for a page opened from a file.
    pub fn parse(base: &str) -> Result<Self, UrlError> {
        let url = Url::parse(base)?;
        let (directory, _) = cut_last(url.path(), b'/');
        Ok(Self { base: Url::parse(&[url.origin(), directory, "/"].concat())? })
    }

    /// The origin of the page.
    pub fn origin(&self) -> &str {
        self.base.origin()
    }

    /// The path of the base, ending in `/`.
    pub fn base_path(&self) -> &str {
        self.base.path()
    }

    /// The URL of a file or route below the base; `name` has no leading `/`.
    pub fn url_of(&self, name: &str) -> String {
        [self.base.as_str(), name].concat()
    }

    /// An address as configurations write it: absolute, or a path below the base, e.g. `auth/` or `auth/api`.
    ///
    /// Only letters, digits, `-`, `_` and `/` make a path, so that a host name with a dot or a port is not taken for one.
    pub fn resolve(&self, address: &str) -> String {
        let is_path = |octet: u8| octet.is_ascii_alphanumeric() || [b'-', b'_', b'/'].contains(&octet);
        let (first, rest) = cut(address, b'/');
        // A name alone is a name: `localhost`. And what begins with a slash is a path of the host, not of the base.
        let is_below = !first.is_empty() && rest.is_some() && address.bytes().all(is_path);
        if is_below { self.url_of(address) } else { address.to_owned() }
    }

    /// `http` servers are acceptable only on loopback, and only to a page that is on loopback itself.
    pub fn scheme_policy(&self) -> SchemePolicy {
        if self.base.is_loopback() { SchemePolicy::HttpOnLoopback } else { SchemePolicy::HttpsOnly }
    }
}
