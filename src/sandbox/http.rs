//! Requests and responses as this server sees them.

use std::fmt;

use crate::protocol::form::{self, FormError};
use crate::protocol::json::Value;
use crate::protocol::time::Seconds;
use crate::protocol::url::Url;

/// A request that arrived.
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The whole URL.
    pub url: Url,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

/// A response, and how it is to be delivered.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// How a response is delivered; everything but the first is misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Now and whole.
    AtOnce,
    /// Whole, after this long.
    After(Seconds),
    /// Its body never ends.
    Endless,
    /// Not at all: the connection breaks. What the request did stays done.
    Lost,
}

/// Shows the shape; header fields and body hold codes and tokens.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} octets, {:?})", self.status, self.body.len(), self.delivery)
    }
}

/// The parameters of a request; `resource` apart, because it alone may be repeated (RFC 8707 §2).
pub(super) struct Parameters {
    pairs: Vec<(String, String)>,
    pub resources: Vec<String>,
}

impl Parameters {
    /// Reads them.
    ///
    /// # Errors
    /// [`FormError`].
    pub(super) fn decode(encoded: &str) -> Result<Self, FormError> {
        let is_resource = |pair: &&str| pair.split('=').next() == Some("resource");
        let (resources, others): (Vec<&str>, Vec<&str>) = encoded.split('&').partition(is_resource);
        let mut values = Vec::new();
        for resource in resources {
            values.extend(form::decode(resource)?.into_iter().map(|(_, value)| value));
        }
        values.retain(|value| !value.is_empty());
        Ok(Self { pairs: form::decode(&others.join("&"))?, resources: values })
    }

    /// The value of `name`, if it was sent and is not empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        form::value(&self.pairs, name)
    }
}

impl Request {
    /// The value of a header field; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The encoded parameters: the query of a GET, else the body; `None` if that is no form.
    pub(super) fn parameters(&self) -> Option<&str> {
        if self.method == "GET" {
            return Some(self.url.query().unwrap_or_default());
        }
        let media_type = self.header("content-type")?.split(';').next()?.trim();
        let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        std::str::from_utf8(&self.body).ok().filter(|_| is_form)
    }

    /// The parameters that a client sent itself, or the response if they cannot be read.
    pub(super) fn posted(&self) -> Result<Parameters, Response> {
        let refused = |description| Response::oauth_error(400, "invalid_request", description);
        let encoded = self.parameters().ok_or_else(|| refused("the body is no form"))?;
        Parameters::decode(encoded).map_err(|_| refused("a parameter appears twice or is not UTF-8"))
    }

    /// The parameters of a form body; `None` if the body is no form.
    pub(super) fn form(&self) -> Option<Result<Vec<(String, String)>, FormError>> {
        self.parameters().map(form::decode)
    }
}

impl Response {
    /// A response without a body.
    pub(super) fn empty(status: u16) -> Self {
        let headers = vec![("cache-control".to_owned(), "no-store".to_owned())];
        Self { status, headers, body: Vec::new(), delivery: Delivery::AtOnce }
    }

    /// A JSON document; never kept by caches (RFC 6749 §5.1).
    pub(super) fn json(status: u16, document: &Value) -> Self {
        Self::empty(status).with_body("application/json", document.to_text())
    }

    /// An error of the token endpoint (RFC 6749 §5.2).
    pub(super) fn oauth_error(status: u16, error: &str, description: &str) -> Self {
        let text = |text: &str| Some(Value::string(text));
        let members = vec![("error", text(error)), ("error_description", text(description))];
        Self::json(status, &Value::object(members))
    }

    /// What a server says that is busy, and when to come again (RFC 6585 §4, RFC 9110 §15.6.4).
    pub(super) fn busy(status: u16, retry_after: Seconds) -> Self {
        Self::oauth_error(status, "temporarily_unavailable", "too many requests")
            .with_header("retry-after", &retry_after.0.to_string())
    }

    /// What somebody between client and server says instead of an answer.
    pub(super) fn gateway_page() -> Self {
        let page = "<!doctype html><title>Gateway</title>".to_owned();
        Self::empty(200).with_body("text/html; charset=utf-8", page)
    }

    /// Sends the browser somewhere else, by GET.
    pub(super) fn see_other(url: &str) -> Self {
        Self::empty(303).with_header("location", url)
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn with_body(mut self, media_type: &str, body: String) -> Self {
        self.body = body.into_bytes();
        self.with_header("content-type", media_type)
    }

    pub(super) fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}
