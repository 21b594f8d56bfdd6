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
use super::http::{Parameters, Response};
use super::state::{Family, State};
use super::token_response::{Draft, Occasion};
use super::{Turn, resources, switches};

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
    let jkt = jkt.filter(|_| !state.switches.has(switches::TOKEN_TYPE_BEARER));
    // What a public client is given with a proof is bound to its key (RFC 9449 §5), though it may not have been before.
    family.grant.jkt = family.grant.jkt.take().or_else(|| jkt.clone());
    let next = turn.first_random();
    family.rotate(next.clone());
    family.used_at = turn.now;
    let grant = Grant { scope: asked, resources, jkt, ..family.grant.clone() };
    // No nonce: it was of the authentication, and Core §12.2 advises against repeating it.
    let has_id_token = grant.has_scope("openid");
    Ok(Draft { occasion: Occasion::Refresh, has_id_token, grant, nonce: None, refresh_token: Some(next) })
}
