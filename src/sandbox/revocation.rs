//! The revocation endpoint: a client gives a token back.
//!
//! Rule: of a refresh token, good or spent, the whole grant is revoked; of an access token itself alone. A token that is
//! unknown is gone already, so that is no error (RFC 7009 §2.2). To a client a token of another client is unknown: that
//! there is one is none of its business, and so this server does not refuse it in other words (§2.1 would).
//!
//! Source: RFC 7009 §2, §2.1, §2.2, §2.2.1.

use super::Turn;
use super::http::{Delivery, Request, Response};
use super::state::State;
use super::switches;
use crate::protocol::time::Seconds;

/// Answers a request.
///
/// `token_type_hint` is not looked at: tokens of both kinds are found without (RFC 7009 §2.1).
///
/// # Errors
/// The refusal.
pub(super) fn answer<C>(state: &mut State, turn: &Turn<'_, C>, request: &Request) -> Result<Response, Response> {
    let refuse = |status, error, description| Err(Response::oauth_error(status, error, description));
    let on = |name| state.switches.has(name);
    if on(switches::REVOCATION_503) {
        return Err(Response::busy(503, Seconds(1)));
    }
    if on(switches::REVOCATION_UNSUPPORTED_TYPE) {
        return refuse(400, "unsupported_token_type", "tokens of this type cannot be revoked");
    }
    if on(switches::REVOCATION_REFUSED) {
        return refuse(401, "invalid_client", "no client is known");
    }
    let delivery = if on(switches::REVOCATION_SLOW) { Delivery::After(Seconds(60)) } else { Delivery::AtOnce };
    let parameters = request.posted()?;
    let client_id = turn.clients.identify(request, &parameters)?.client_id;
    let Some(token) = parameters.value("token") else {
        return refuse(400, "invalid_request", "token is missing");
    };
    let family = state.families.iter().find(|family| family.grant.client_id == client_id && family.knows(token));
    match family.map(|family| family.grant.code.clone()) {
        Some(code) => state.revoke(&code),
        None => state.tokens.retain(|known| known.access_token != token || known.grant.client_id != client_id),
    }
    Ok(Response::empty(200).delivered(delivery))
}
