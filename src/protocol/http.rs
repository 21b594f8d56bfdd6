//! HTTP messages as values: what the browser layer is asked to send, and what it brings back.
//!
//! Rule: a request carries everything the adapter needs (limits included) so that the adapter decides nothing. The
//! adapter adds what is the same for every request: no credentials, no cache, no referrer, no redirects.
//!
//! Source: RFC 9110; security.md TOK-1 to TOK-4, TOK-15, TOK-16.

use std::fmt;

use super::secret::AccessToken;
use super::text::cut;
use super::time::Seconds;
use super::url::Url;

/// A request to send.
pub struct HttpRequest {
    /// The method, e.g. `POST`.
    pub method: String,
    /// Where to; the adapter refuses if the browser reads this URL differently.
    pub url: Url,
    /// Header fields in order, without `Authorization`.
    pub headers: Vec<(String, String)>,
    /// Sent as `Authorization: Bearer …` (RFC 6750 §2.1), or with a proof as `Authorization: DPoP …` (RFC 9449 §7.1).
    pub bearer: Option<AccessToken>,
    /// The body, if there is one.
    pub body: Option<String>,
    /// What bounds the answer.
    pub limits: Limits,
    /// Whether it outlives the page.
    pub keepalive: bool,
}

/// What bounds an answer, headers and body together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From sending to the last octet of the body.
    pub deadline: Seconds,
    /// The most octets of the body that are read.
    pub body: usize,
}

/// An answer that arrived whole.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header fields that the browser lets the page see (CORS hides the rest), names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why no whole answer arrived.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFailure {
    /// The body grew past its limit; reading stopped there.
    BodyTooLarge {
        /// The most octets read.
        limit: usize,
    },
    /// Somebody cancelled it.
    Cancelled,
    /// The proof of possession that belongs to it could not be made; nothing was sent.
    NoProof,
    /// The browser says it is offline.
    Offline,
    /// The deadline passed before the last octet arrived.
    Timeout {
        /// The deadline.
        after: Seconds,
    },
    /// The browser said that it was offline already when this was to be sent: the server has not seen it.
    Unsent,
    /// Refused connection, refused by CORS, a redirect, or a broken connection: browsers do not tell these apart.
    Unreachable,
    /// The browser reads the URL differently than this client; nothing was sent.
    UrlDisagreement,
}

impl HttpRequest {
    /// A request for a document of the media type `accept`.
    pub(crate) fn get(url: Url, accept: &str, limits: Limits) -> Self {
        let headers = vec![("accept".to_owned(), accept.to_owned())];
        Self { method: "GET".to_owned(), url, headers, bearer: None, body: None, limits, keepalive: false }
    }

    /// A form post without further headers, so that no preflight is needed, unless a proof is added; its answer is JSON.
    pub(super) fn post(url: Url, form: String, limits: Limits) -> Self {
        let mut request = Self::get(url, "application/json", limits);
        request.method = "POST".to_owned();
        request.headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        request.body = Some(form);
        request
    }

    /// The same once more, for a server that wants another proof with it and has not looked at the rest.
    pub(super) fn again(&self) -> Self {
        Self {
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            bearer: self.bearer.clone(),
            body: self.body.clone(),
            limits: self.limits,
            keepalive: self.keepalive,
        }
    }
}

impl HttpResponse {
    /// The value of a header field; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The media type in lower case without parameters, e.g. `application/json`.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(cut(value, b';').0.trim_ascii().to_ascii_lowercase())
    }

    /// Whether the media type is JSON: `application/json` or one with the suffix `+json` (RFC 6838 §4.2.8).
    pub fn is_json(&self) -> bool {
        self.media_type().is_some_and(|media_type| media_type == "application/json" || media_type.ends_with("+json"))
    }
}

/// Shows where a request goes, and nothing of what it carries.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({} {})", self.method, self.url.without_query())
    }
}

/// Shows the shape of a response; bodies hold tokens.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpResponse({}, {} octets)", self.status, self.body.len())
    }
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyTooLarge { limit } => write!(f, "the answer is longer than {limit} octets"),
            Self::Cancelled => f.write_str("the request was cancelled"),
            Self::NoProof => f.write_str("the browser could not sign with the key that belongs to it"),
            Self::Offline | Self::Unsent => f.write_str("the browser is offline"),
            Self::Timeout { after } => write!(f, "no complete answer within {} s", after.0),
            Self::Unreachable => f.write_str("no readable answer"),
            Self::UrlDisagreement => f.write_str("the browser reads the URL differently"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OPS-1: neither body nor token of a message is printed.
    #[test]
    fn debug_shows_no_body_and_no_token() {
        let request = HttpRequest {
            method: "POST".into(),
            url: Url::parse("https://as.example/token?canary").expect("a URL"),
            headers: vec![("x".into(), "canary".into())],
            bearer: Some(AccessToken::new("canary")),
            body: Some("code=canary".into()),
            limits: Limits { deadline: Seconds(1), body: 1 },
            keepalive: false,
        };
        assert_eq!(format!("{request:?}"), "HttpRequest(POST https://as.example/token)");
        let response = HttpResponse { status: 200, headers: vec![], body: b"canary".to_vec() };
        assert_eq!(format!("{response:?}"), "HttpResponse(200, 6 octets)");
    }
}
