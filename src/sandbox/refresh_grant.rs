//! The refresh token grant: a new access token for a refresh token, and another refresh token in its place.
//!
//! In scope: whether a refresh token is good, and rotation.
//! Out of scope: the client and its proof of possession (`token_endpoint`); what the answer looks like (`token_response`).
//!
//! Rule: a refresh token is good once. Each use gives the next one; the one that was used is remembered as spent, and
//! whoever comes with it shows that two have it, so that everything that was given for its grant is revoked. Who is
//! refused for another reason has spent nothing.
//!
//! Order of checks: whose it is, the key that it is bound to, whether it is spent, scope, resources. Who lacks the key has
//! nothing that could be used, and can therefore revoke nothing either.
//!
//! Source: RFC 6749 §5.2, §6; RFC 8707 §2.2; RFC 9449 §5; RFC 9700 §4.14.2; OpenID Connect Core §12.

use super::grant::Grant;
use super::http::{Delivery, Parameters, Response};
use super::state::{Family, State};
use super::token_response::{self, Draft, Occasion};
use super::{Turn, resources, switches};
use crate::protocol::time::Seconds;

/// The answer of a server that does not look at the request, if one is switched on.
pub(super) fn unread<C>(state: &State, turn: &Turn<'_, C>) -> Option<Response> {
    let error = Response::oauth_error;
    let answers = [
        (switches::REFRESH_REQUEST_LOST, Response::empty(503).delivered(Delivery::Lost)),
        (switches::REFRESH_429, Response::busy(429, Seconds(30))),
        (switches::REFRESH_503, Response::busy(503, Seconds(5))),
        (switches::REFRESH_500, error(500, "server_error", "nobody knows what happened")),
        (switches::REFRESH_REDIRECTED, Response::empty(307).with_header("location", &turn.endpoint("elsewhere"))),
        (switches::REFRESH_INVALID_GRANT, error(400, "invalid_grant", "no refresh token is good")),
        (switches::REFRESH_INVALID_CLIENT, error(401, "invalid_client", "no client is known")),
    ];
    answers.into_iter().find(|(name, _)| state.switches.has(name)).map(|(_, response)| response)
}

/// What the request may have tokens for; its refresh token is spent.
///
/// # Errors
/// The response.
pub(super) fn renew<C>(
    state: &mut State,
    turn: &Turn<'_, C>,
    parameters: &Parameters,
    client_id: &str,
    jkt: Option<String>,
) -> Result<Draft, Response> {
    let refuse = |error, description| Err(Response::oauth_error(400, error, description));
    let Some(refresh_token) = parameters.value("refresh_token") else {
        return refuse("invalid_request", "refresh_token is missing");
    };
    // To another client it is unknown.
    let is_meant = |family: &&mut Family| family.grant.client_id == client_id && family.knows(refresh_token);
    let Some(family) = state.families.iter_mut().find(is_meant) else {
        return refuse("invalid_grant", "the refresh token is unknown, expired or revoked");
    };
    if family.grant.jkt.is_some() && family.grant.jkt != jkt {
        return refuse("invalid_grant", "the refresh token is bound to another key");
    }
    if family.refresh_token != refresh_token {
        let code = family.grant.code.clone();
        state.revoke(&code);
        return refuse("invalid_grant", "the refresh token was used before; all of its grant is revoked");
    }
    let asked = parameters.value("scope").unwrap_or(&family.grant.scope).to_owned();
    if !asked.is_empty() && !asked.split(' ').all(|name| family.grant.has_scope(name)) {
        return refuse("invalid_scope", "a scope was not granted");
    }
    let resources = resources::narrowed(turn.issuer, &family.grant.resources, &parameters.resources)
        .map_err(|description| Response::oauth_error(400, "invalid_target", description))?;
    let on = |name| state.switches.has(name);
    let jkt = jkt.filter(|_| !on(switches::TOKEN_TYPE_BEARER));
    // What a public client is given with a proof is bound to its key (RFC 9449 §5), though it may not have been before.
    family.grant.jkt = family.grant.jkt.take().or_else(|| jkt.clone());
    family.used_at = turn.now;
    let refresh_token = (!on(switches::REFRESH_NOT_ROTATED)).then(|| turn.first_random());
    if let Some(next) = refresh_token.clone() {
        family.rotate(next);
    }
    let has_id_token = asked.split(' ').any(|name| name == "openid") && !on(switches::REFRESH_ID_TOKEN_MISSING);
    // It was of the request that somebody signed in by, and is better not repeated (Core §12.2).
    let nonce = family.nonce.clone().filter(|_| on(switches::REFRESH_ID_TOKEN_NONCE));
    let [narrower, wider] = [switches::REFRESH_SCOPE_NARROWER, switches::REFRESH_SCOPE_WIDER];
    let scope = token_response::scope(&state.switches, &asked, narrower, wider);
    let grant = Grant { scope, resources, jkt, ..family.grant.clone() };
    Ok(Draft { occasion: Occasion::Refresh, grant, has_id_token, nonce, refresh_token })
}

/// How the answer goes out.
pub(super) fn deliver(state: &State, mut response: Response) -> Response {
    let on = |name| state.switches.has(name);
    if on(switches::REFRESH_HTML) {
        return Response::gateway_page();
    }
    if on(switches::REFRESH_GARBAGE) {
        response.body.truncate(response.body.len() / 2);
    }
    match response {
        response if on(switches::REFRESH_SLOW) => response.delivered(Delivery::After(Seconds(60))),
        response if on(switches::REFRESH_ANSWER_LOST) => response.delivered(Delivery::Lost),
        response => response,
    }
}
