//! Calling an API with the access token, and to whom the token may go at all.
//!
//! In scope: the allow-list, and building a request that carries the token.
//! Out of scope: sending it. Redirects are refused there, because a redirect would carry the token along.
//!
//! Rule: the token is added here and nowhere else, and only to a URL that a configured resource permits: equal
//! origin, and a path that equals the resource's path or continues it after a `/`.
//!
//! Source: RFC 6750 §2.1, §5.3; RFC 9700 §4.9.

use std::fmt;

use super::challenge::is_tchar;
use super::client::{Client, Resource};
use super::http::{HttpFailure, HttpRequest, Limits};
use super::metadata::Metadata;
use super::session::Session;
use super::text::shorten;
use super::time::Seconds;
use super::url::{Url, UrlError};

/// A request to an API as the app describes it, without a token.
#[derive(Clone, PartialEq, Eq)]
pub struct ResourceRequest {
    /// The method, e.g. `GET`.
    pub method: String,
    /// An absolute URL.
    pub url: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<String>,
}

/// The places that the token of one client may be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedResources(Vec<Resource>);

/// Why an API was not called, or did not answer.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceError {
    /// A header that only this library sets, or that is no header field.
    Header {
        /// Its name.
        name: String,
    },
    /// The method is no HTTP method that a page may send, or one that carries no body and was given one.
    Method,
    /// No whole answer.
    Network(HttpFailure),
    /// The API wants a nonce in the DPoP proof and gave none that this page may read (RFC 9449 §9).
    NonceHidden,
    /// The access token has expired, and another one could not be had in time.
    NotRenewed,
    /// The URL is none of the places that the token may be sent to.
    NotAllowed {
        /// The origin and path that were asked for.
        url: String,
        /// The places.
        allowed: Vec<String>,
    },
    /// Nobody is signed in, or signed out while the answer was on its way.
    SignedOut,
    /// The URL cannot be parsed.
    Url(UrlError),
}

/// Bounds of an API's answer: 30 s, 8 MiB.
pub(super) const LIMITS: Limits = Limits { deadline: Seconds(30), body: 8 * 1024 * 1024 };

impl AllowedResources {
    /// The configured resources, and the userinfo endpoint, which is implied.
    pub fn new(client: &Client, metadata: Option<&Metadata>) -> Self {
        let userinfo = metadata.and_then(|metadata| metadata.userinfo_endpoint.clone());
        let userinfo = userinfo.map(|url| Resource { name: "UserInfo".to_owned(), url });
        Self(client.resources.iter().cloned().chain(userinfo).collect())
    }

    /// The places in their order.
    pub fn list(&self) -> &[Resource] {
        &self.0
    }

    /// Whether the token may be sent to `url`.
    pub fn permits(&self, url: &Url) -> bool {
        self.0.iter().any(|resource| {
            let prefix = resource.url.path();
            resource.url.origin() == url.origin()
                && url
                    .path()
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
        })
    }
}

impl From<HttpFailure> for ResourceError {
    fn from(failure: HttpFailure) -> Self {
        Self::Network(failure)
    }
}

/// Builds the request that carries the session's token.
///
/// # Errors
/// [`ResourceError`]; nothing that carries a token exists then.
pub fn protected_resource_request(
    session: &Session,
    allowed: &AllowedResources,
    request: ResourceRequest,
) -> Result<HttpRequest, ResourceError> {
    let url = Url::parse(&request.url).map_err(ResourceError::Url)?;
    if !allowed.permits(&url) {
        return Err(ResourceError::NotAllowed {
            url: url.without_query().to_owned(),
            allowed: allowed.0.iter().map(|resource| resource.url.as_str().to_owned()).collect(),
        });
    }
    let is = |names: &[&str]| names.iter().any(|name| request.method.eq_ignore_ascii_case(name));
    let is_sendable = !request.method.is_empty() && request.method.bytes().all(is_tchar);
    // Browsers refuse the three as methods, and the two with a body.
    if !is_sendable || is(&["CONNECT", "TRACE", "TRACK"]) || (request.body.is_some() && is(&["GET", "HEAD"])) {
        return Err(ResourceError::Method);
    }
    for (name, value) in &request.headers {
        let is_field = !name.is_empty() && name.bytes().all(is_tchar);
        let is_value = value.bytes().all(|octet| octet == b'\t' || (0x20..=0x7e).contains(&octet));
        let is_ours = ["authorization", "cookie", "dpop"].iter().any(|ours| name.eq_ignore_ascii_case(ours));
        if !is_field || !is_value || is_ours {
            return Err(ResourceError::Header { name: shorten(name, 100) });
        }
    }
    Ok(HttpRequest {
        method: request.method,
        url,
        headers: request.headers,
        bearer: Some(session.access_token.clone()),
        body: request.body,
        limits: LIMITS,
        keepalive: false,
    })
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name } => write!(f, "header field {name} cannot be sent"),
            Self::Method => f.write_str("this is no HTTP method"),
            Self::Network(failure) => write!(f, "no answer from the API: {failure}"),
            Self::NonceHidden => f.write_str("the API wants a DPoP nonce and gave none that this page can read"),
            Self::NotRenewed => f.write_str("the access token has expired and could not be renewed"),
            Self::NotAllowed { url, .. } => write!(f, "{url} is none of the places that the token may be sent to"),
            Self::SignedOut => f.write_str("nobody is signed in"),
            Self::Url(error) => write!(f, "this is no URL for a request: {error}"),
        }
    }
}
