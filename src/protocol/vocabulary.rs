//! The nouns of the protocol that are compared or easily swapped, as types.
//!
//! Source: RFC 6749 §2.2 (`client_id`), §3.1.2 (`redirect_uri`), §3.3 (`scope`); RFC 8414 §2 (`issuer`).

use std::fmt;
use std::sync::Arc;

use super::text::parts;
use super::url::{SchemePolicy, Url, UrlError};

/// Declares a public (not secret) newtype of a text or a URL.
macro_rules! nouns {
    ($($(#[$attribute:meta])* $name:ident($inner:ty))+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name($inner);

        impl $name {
            /// The text, exactly as it was given.
            pub fn as_str(&self) -> &str {
                self.0.as_ref()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

nouns! {
    /// The client identifier; public, and never accompanied by a secret.
    ClientId(Arc<str>)
    /// The authorization server's identifier, compared octet by octet (RFC 8414 §3.3, RFC 9207 §2.4).
    Issuer(Url)
    /// Where the authorization response arrives, kept exactly as registered.
    RedirectUri(Url)
    /// Space-separated scope tokens, at least one.
    Scope(Arc<str>)
}

/// Why a text is not the noun it should be.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NounError {
    /// A character outside the noun's alphabet, or an empty text.
    Characters,
    /// It has a query or a fragment, and must not.
    QueryOrFragment,
    /// `http` where only `https` is acceptable.
    Scheme,
    /// It is no URL for this client.
    Url(UrlError),
}

impl ClientId {
    /// Visible ASCII and spaces (RFC 6749 appendix A.1), at least one character.
    ///
    /// # Errors
    /// [`NounError::Characters`].
    pub fn parse(text: &str) -> Result<Self, NounError> {
        let vschar = |octet: u8| (0x20..=0x7e).contains(&octet);
        if text.is_empty() || !text.bytes().all(vschar) {
            return Err(NounError::Characters);
        }
        Ok(Self(text.into()))
    }
}

impl Issuer {
    /// An `https` URL without query or fragment; `http` for loopback hosts if `policy` says so (RFC 8414 §2).
    ///
    /// # Errors
    /// [`NounError`].
    pub fn parse(text: &str, policy: SchemePolicy) -> Result<Self, NounError> {
        let url = server_url(text, policy)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(NounError::QueryOrFragment);
        }
        Ok(Self(url))
    }

    /// The issuer as a URL.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl RedirectUri {
    /// An absolute URL without fragment (RFC 6749 §3.1.2); its text is never rebuilt.
    ///
    /// # Errors
    /// [`NounError`].
    pub fn parse(text: &str, policy: SchemePolicy) -> Result<Self, NounError> {
        let url = server_url(text, policy)?;
        if url.fragment().is_some() {
            return Err(NounError::QueryOrFragment);
        }
        Ok(Self(url))
    }

    /// The redirect URI as a URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether what comes to `path` of its origin has come to it; static hosts serve `/callback` as `/callback/`,
    /// `/callback.html` or `/callback/index.html` too.
    pub(super) fn has_path(&self, path: &str) -> bool {
        as_written(self.0.path()) == as_written(path)
    }
}

impl Scope {
    /// One or more tokens of `%x21 / %x23-5B / %x5D-7E`, separated by single spaces (RFC 6749 §3.3).
    ///
    /// # Errors
    /// [`NounError::Characters`].
    pub fn parse(text: &str) -> Result<Self, NounError> {
        let nqchar = |octet: u8| matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if parts(text, b' ').any(|token| token.is_empty() || !token.bytes().all(nqchar)) {
            return Err(NounError::Characters);
        }
        Ok(Self(text.into()))
    }

    /// The tokens in their order.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        parts(&self.0, b' ')
    }

    /// Whether `token` is one of them; case-sensitive.
    pub fn contains(&self, token: &str) -> bool {
        self.tokens().any(|known| known == token)
    }

    /// Whether it asks who signed in: then an ID token must come (OpenID Connect Core §3.1.2.1).
    pub fn asks_for_id_token(&self) -> bool {
        self.contains("openid")
    }
}

impl fmt::Display for NounError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Characters => f.write_str("it is empty or has a character that is not allowed here"),
            Self::QueryOrFragment => f.write_str("it has a query or fragment that is not allowed here"),
            Self::Scheme => {
                f.write_str("it must be https (http only on a loopback host, for a page on a loopback host)")
            }
            Self::Url(error) => error.fmt(f),
        }
    }
}

/// The path of a page without what static hosts add to it.
fn as_written(path: &str) -> &str {
    ["/index.html", ".html", "/"].into_iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path)
}

/// Parses the URL of a server and checks its scheme (RFC 6749 §3.1, §3.2, §10.6).
pub(super) fn server_url(text: &str, policy: SchemePolicy) -> Result<Url, NounError> {
    let url = Url::parse(text).map_err(NounError::Url)?;
    if !url.satisfies(policy) {
        return Err(NounError::Scheme);
    }
    Ok(url)
}
