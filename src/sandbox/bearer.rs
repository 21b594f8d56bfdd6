//! What a resource server asks of a bearer token, and how it says no.
//!
//! Source: RFC 6750 §2.1, §3, §3.1.

use super::http::{Request, Response};
use super::state::{State, Token};
use crate::protocol::json::Value;
use crate::protocol::time::UnixTime;

/// The token of a request that may have `scope`.
///
/// # Errors
/// The response with its challenge.
pub(super) fn authorize<'a>(
    state: &'a State,
    request: &Request,
    scope: &str,
    now: UnixTime,
) -> Result<&'a Token, Response> {
    let Some(credentials) = request.header("authorization") else {
        // RFC 6750 §3.1: without authentication information there is no error code.
        return Err(challenge(401, &[]));
    };
    let (scheme, token) = credentials.split_once(' ').unwrap_or((credentials, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        // Nor with a scheme that is not this one.
        return Err(challenge(401, &[]));
    }
    let token = token.trim();
    if token.is_empty() {
        return Err(challenge(400, &[("error", "invalid_request")]));
    }
    let known = state.tokens.iter().find(|known| known.access_token == token && now <= known.expires_at);
    let Some(known) = known else { return Err(invalid_token()) };
    if !known.scope.split(' ').any(|granted| granted == scope) {
        return Err(insufficient_scope(scope));
    }
    Ok(known)
}

/// 401: the token is of no use.
pub(super) fn invalid_token() -> Response {
    challenge(
        401,
        &[("error", "invalid_token"), ("error_description", "The access token is unknown, expired or revoked")],
    )
}

/// 403: the token is good, but not for this.
pub(super) fn insufficient_scope(scope: &str) -> Response {
    challenge(403, &[("error", "insufficient_scope"), ("scope", scope)])
}

/// The challenge, and the same in a body: clients of other origins see no header that is not exposed to them.
fn challenge(status: u16, parameters: &[(&str, &str)]) -> Response {
    let mut value = "Bearer realm=\"sandbox\"".to_owned();
    for (name, text) in parameters {
        value += &format!(", {name}=\"{text}\"");
    }
    let response = Response::empty(status).with_header("www-authenticate", &value);
    // Who sent no token is told no more than that (RFC 6750 §3.1).
    if parameters.is_empty() {
        return response;
    }
    let members = parameters.iter().map(|(name, text)| (*name, Some(Value::string(text)))).collect();
    response.with_body("application/json", Value::object(members).to_text())
}
