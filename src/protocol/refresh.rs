//! The refresh request, and what its answer means for the session.
//!
//! In scope: the message, reading its answer, and how long a server that is busy wants to be left alone.
//! Out of scope: whether the token may be presented (`renewal`), verifying an ID token that comes along (`id_token`).
//!
//! Rule: no scope is asked for, so that it is never more than was granted (RFC 6749 §6); no client secret is expressible.
//!
//! Source: RFC 6749 §6, §5.2; RFC 8707 §2.2; RFC 9110 §10.2.3.

use super::clock::retry_after;
use super::form;
use super::http::{HttpFailure, HttpRequest, HttpResponse};
use super::renewal::Answer;
use super::session::Session;
use super::time::{Seconds, UnixTime};
use super::token_request::LIMITS;
use super::token_response::{TokenError, TokenErrorCode};

/// The request that renews a session; `None` if it has no refresh token.
pub fn refresh_request(session: &Session) -> Option<HttpRequest> {
    let mut parameters = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", session.refresh_token.as_ref()?.expose()),
        ("client_id", session.key.client_id.as_str()),
    ];
    parameters.extend(session.resource.iter().map(|resource| ("resource", resource.as_str())));
    Some(HttpRequest::post(session.token_endpoint.clone(), form::encode(&parameters), LIMITS))
}

/// How long to wait, if the answer says that nobody has looked at the token: it was not sent, or the server is busy.
pub fn not_now(outcome: &Result<HttpResponse, HttpFailure>, now: UnixTime) -> Option<Seconds> {
    match outcome {
        Ok(response) if matches!(response.status, 429 | 503) => Some(retry_after(response, now).unwrap_or(Seconds(1))),
        Err(HttpFailure::Unsent | HttpFailure::NoProof | HttpFailure::UrlDisagreement) => Some(Seconds(1)),
        _ => None,
    }
}

/// What an answer means that brings no tokens.
pub fn meaning(error: &TokenError) -> Answer {
    match error {
        TokenError::Refused(refusal) => match refusal.code() {
            TokenErrorCode::InvalidGrant => Answer::InvalidGrant,
            TokenErrorCode::InvalidClient => Answer::Unusable,
            _ if refusal.status >= 500 => Answer::Unclear,
            _ => Answer::Refused,
        },
        TokenError::NonceHidden => Answer::Refused,
        // Whatever came, the server may have spent the token.
        _ => Answer::Unclear,
    }
}
