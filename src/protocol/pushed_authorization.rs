//! Pushed authorization requests: the parameters go to the server in a request of their own, and the address that the person
//! is sent to only names them.
//!
//! Rule: a server that refuses is believed. There is no falling back to the address bar, which is what pushing is to avoid.
//!
//! Source: RFC 9126 §2.1 to §2.3, §4.

use std::fmt;

use super::form;
use super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::json::Value;
use super::metadata::Metadata;
use super::time::Seconds;
use super::token_response::{TokenErrorResponse, refusal};
use super::url::Url;
use super::vocabulary::ClientId;

/// Why a request could not be pushed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushError {
    /// The answer has no `request_uri`, or one that is no text of visible characters.
    MissingRequestUri,
    /// No whole answer.
    Network(HttpFailure),
    /// The server wants a nonce in the DPoP proof and gave none that this page may read.
    NonceHidden,
    /// The server refused.
    Refused(TokenErrorResponse),
    /// A status other than 201, without an OAuth error.
    Status {
        /// The status.
        status: u16,
    },
}

/// Bounds of the answer: 10 s, 64 KiB.
const LIMITS: Limits = Limits { deadline: Seconds(10), body: 64 * 1024 };

/// The request that carries the parameters.
pub(super) fn push_request(endpoint: Url, parameters: String) -> HttpRequest {
    HttpRequest::post(endpoint, parameters, LIMITS)
}

/// Reads the answer: the address that the person is sent to (RFC 9126 §4).
///
/// # Errors
/// [`PushError`].
pub fn pushed(
    outcome: Result<HttpResponse, HttpFailure>,
    metadata: &Metadata,
    client_id: &ClientId,
) -> Result<Url, PushError> {
    let response = outcome.map_err(PushError::Network)?;
    let document = Value::parse(&response.body).unwrap_or(Value::Null);
    // RFC 9126 §2.2 says 201; 200 is what some servers send.
    if !matches!(response.status, 200 | 201) {
        let refusal = refusal(&document, response.status);
        return Err(refusal.map_or(PushError::Status { status: response.status }, PushError::Refused));
    }
    let is_visible = |text: &&str| !text.is_empty() && text.bytes().all(|octet| (0x21..=0x7e).contains(&octet));
    let request_uri = document.text("request_uri").filter(is_visible).ok_or(PushError::MissingRequestUri)?;
    let parameters = [("client_id", client_id.as_str()), ("request_uri", request_uri)];
    Ok(metadata.authorization_endpoint.with_query(&form::encode(&parameters)))
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingRequestUri => f.write_str("the answer to the pushed request has no request_uri"),
            Self::Network(failure) => write!(f, "the request could not be pushed: {failure}"),
            Self::NonceHidden => f.write_str("the server wants a DPoP nonce and gave none that this page can read"),
            Self::Refused(refusal) => write!(f, "the server refused the pushed request: {}", refusal.error),
            Self::Status { status } => write!(f, "the pushed request was answered with status {status}"),
        }
    }
}
