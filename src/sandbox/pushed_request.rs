//! Pushed authorization requests: a client sends its request first, and the browser then carries only a name for it.
//!
//! Rule: a name is good once, for a minute, and for the client that pushed it. What it named is remembered for a while
//! longer, so that the client can be told at its redirect URI why it came too late.
//!
//! Source: RFC 9126 §2.1 to §2.3, §4; RFC 9449 §10.1.

use super::authorization_request::AuthorizationRequest;
use super::crypto::Crypto;
use super::http::{Request, Response};
use super::state::{Pushed, State};
use super::{Stop, Turn, switches, token_endpoint};
use crate::protocol::json::Value;
use crate::protocol::time::{Seconds, UnixTime};

/// What a name begins with (RFC 9126 §2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// How long a name is good.
const LIFETIME: Seconds = Seconds(60);

/// What a name stands for.
pub(super) enum Found {
    /// This request.
    Request(AuthorizationRequest),
    /// This request, once; no longer.
    Spent(AuthorizationRequest),
    /// Nothing of this client.
    Nothing,
}

/// Answers the pushed authorization request endpoint.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, Stop> {
    let refuse = |description| Err(Response::oauth_error(400, "invalid_request", description).into());
    if state.switches.has(switches::PAR_REFUSED) {
        return refuse("pushed requests are refused");
    }
    let parameters = request.posted()?;
    let client = turn.clients.identify(request, &parameters)?;
    if parameters.value("request_uri").is_some() {
        return refuse("request_uri cannot be pushed");
    }
    let redirect_uri = parameters.value("redirect_uri").filter(|redirect_uri| client.has_redirect_uri(redirect_uri));
    let Some(redirect_uri) = redirect_uri else {
        return refuse("redirect_uri is not one that is registered for this client, exactly");
    };
    let mut asked = AuthorizationRequest::check(turn.issuer, &parameters, client.client_id, redirect_uri)
        .map_err(|refusal| Response::oauth_error(400, refusal.error, refusal.description))?;
    if let Some(thumbprint) = token_endpoint::thumbprint(state, turn, request).await? {
        if asked.dpop_jkt.as_ref().is_some_and(|dpop_jkt| *dpop_jkt != thumbprint) {
            return Err(Response::oauth_error(400, "invalid_dpop_proof", "dpop_jkt is another key").into());
        }
        asked.dpop_jkt = Some(thumbprint);
    }
    let request_uri = format!("{PREFIX}{}", turn.second_random());
    let members =
        vec![("request_uri", Some(Value::string(&request_uri))), ("expires_in", Some(Value::from(LIFETIME.0)))];
    let age = if state.switches.has(switches::PAR_EXPIRED) { LIFETIME.0 + 1 } else { 0 };
    let created_at = UnixTime(turn.now.0.saturating_sub(age));
    state.pushed.push(Pushed { request_uri, request: asked, created_at, is_used: false });
    Ok(Response::json(201, &Value::object(members)))
}

/// Whether a `request_uri` is the name of a pushed request, and no address of a request object.
pub(super) fn is_name(request_uri: &str) -> bool {
    request_uri.starts_with(PREFIX)
}

/// Finds what a name stands for, and spends it.
pub(super) fn take<C>(state: &mut State, turn: &Turn<'_, C>, client_id: &str, request_uri: &str) -> Found {
    let is_meant = |pushed: &&mut Pushed| pushed.request_uri == request_uri && pushed.request.client_id == client_id;
    let Some(pushed) = state.pushed.iter_mut().find(is_meant) else { return Found::Nothing };
    let is_good = !pushed.is_used && turn.now.since(pushed.created_at) <= LIFETIME;
    pushed.is_used = true;
    let request = pushed.request.clone();
    if is_good { Found::Request(request) } else { Found::Spent(request) }
}
