//! Telling the server that a token is needed no more.
//!
//! Rule: the person is signed out here before anything is sent, and whatever comes of it. The refresh token goes first: with
//! it the server ends what was made of it.
//!
//! Source: RFC 7009 §2.1, §2.2.

use super::clock::retry_after;
use super::form;
use super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::json::Value;
use super::secret::{AccessToken, RefreshToken};
use super::time::{Seconds, UnixTime};
use super::url::Url;
use super::vocabulary::ClientId;

/// A token to be revoked.
#[derive(Clone)]
pub enum Revocable {
    /// A refresh token.
    Refresh(RefreshToken),
    /// An access token.
    Access(AccessToken),
}

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The token is good for nothing any more, or the server says that it knows none of that kind.
    Done,
    /// The server is busy: once more, this much later.
    Later(Seconds),
    /// The server would not, or nobody knows.
    NotDone,
}

/// How long signing out waits for the server, all in all.
pub const PATIENCE: Seconds = Seconds(3);

/// Bounds of an answer, of which nothing but the status is of interest.
const LIMITS: Limits = Limits { deadline: PATIENCE, body: 64 * 1024 };

/// The request that revokes `token`; it outlives the page (`keepalive`).
pub fn revocation_request(endpoint: &Url, client_id: &ClientId, token: &Revocable) -> HttpRequest {
    let (token, hint) = match token {
        Revocable::Refresh(token) => (token.expose(), "refresh_token"),
        Revocable::Access(token) => (token.expose(), "access_token"),
    };
    let parameters = [("token", token), ("token_type_hint", hint), ("client_id", client_id.as_str())];
    HttpRequest { keepalive: true, ..HttpRequest::post(endpoint.clone(), form::encode(&parameters), LIMITS) }
}

/// What an answer means. RFC 7009 §2.2: 200 also for a token that is unknown; a server that revokes no tokens of a kind says
/// so by 400 (§2.2.1).
pub fn revoked(outcome: &Result<HttpResponse, HttpFailure>, now: UnixTime) -> Revoked {
    match outcome {
        Ok(response) if matches!(response.status, 200 | 204) => Revoked::Done,
        Ok(response) if response.status == 400 && is_of_no_kind(response) => Revoked::Done,
        Ok(response) if matches!(response.status, 429 | 503) => match retry_after(response, now) {
            Some(delay) if delay < PATIENCE => Revoked::Later(delay),
            _ => Revoked::NotDone,
        },
        _ => Revoked::NotDone,
    }
}

fn is_of_no_kind(response: &HttpResponse) -> bool {
    Value::parse(&response.body).is_ok_and(|document| document.text("error") == Some("unsupported_token_type"))
}
