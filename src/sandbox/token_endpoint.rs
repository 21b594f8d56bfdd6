//! The token endpoint: who asks and for what, and the exchange of a code.
//!
//! Order of checks: the client, the proof of possession, the grant type, then the code and what it is bound to. A code is
//! spent by the first request that can be read and names it, whatever becomes of that; the second takes the tokens of the
//! first away (RFC 6749 §4.1.2). The proof comes before: whoever is told to use a nonce comes back with the same code.
//!
//! Source: RFC 6749 §3.2, §4.1.3, §5.1, §5.2; RFC 7636 §4.6; RFC 8707 §2.2; RFC 9449 §5, §8, §10.

use super::crypto::Crypto;
use super::dpop::{self, ProofFault};
use super::grant::Grant;
use super::http::{Delivery, Parameters, Request, Response};
use super::state::{CODE_LIFETIME, Code, Family, State};
use super::token_response::{self, Draft, Occasion};
use super::{Stop, Turn, refresh_grant, resources, switches};
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::secret::CodeVerifier;
use crate::protocol::time::Seconds;

/// A code that was redeemed.
struct Redeemed {
    code: Code,
    /// Where its access token is to be good.
    resources: Vec<String>,
    /// The thumbprint of the key that its tokens are bound to, if they are to one.
    jkt: Option<String>,
}

/// Answers a request.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, Stop> {
    let parameters = request.posted();
    let grant_type = parameters.as_ref().ok().and_then(|parameters| parameters.value("grant_type"));
    let unread = match grant_type {
        Some("refresh_token") => refresh_grant::unread(state, turn),
        _ => state.switches.has(switches::TOKEN_429).then(|| Response::busy(429, Seconds(30))),
    };
    if let Some(response) = unread {
        return Ok(response);
    }
    let parameters = parameters?;
    let client = turn.clients.identify(request, &parameters)?;
    let jkt = thumbprint(state, turn, request).await?;
    let refuse = |error, description| Err(Response::oauth_error(400, error, description).into());
    if jkt.is_none() && state.switches.has(switches::DPOP_REQUIRED) {
        return refuse("invalid_dpop_proof", "a proof of possession is required");
    }
    match parameters.value("grant_type") {
        Some("authorization_code") => {
            let redeemed = redeem(state, turn, &parameters, client.client_id, jkt)?;
            let (draft, family) = begin(state, turn, redeemed);
            let response = token_response::answer(state, turn, draft).await?;
            state.families.extend(family);
            Ok(deliver(state, turn, response))
        }
        Some("refresh_token") => {
            let draft = refresh_grant::renew(state, turn, &parameters, client.client_id, jkt)?;
            let response = token_response::answer(state, turn, draft).await?;
            Ok(refresh_grant::deliver(state, response))
        }
        Some(_) => refuse("unsupported_grant_type", "only authorization_code and refresh_token are supported"),
        None => refuse("invalid_request", "grant_type is missing"),
    }
}

/// The thumbprint of the key whose possession a client proves, if it does.
///
/// # Errors
/// The response (RFC 9449 §5, §8).
pub(super) async fn thumbprint<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Option<String>, Stop> {
    let refuse = |error, description| Response::oauth_error(400, error, description).into();
    dpop::thumbprint(state, turn, request, None).await.map_err(|fault| match fault {
        ProofFault::Failed(failure) => failure.into(),
        ProofFault::Invalid(what) => refuse("invalid_dpop_proof", what),
        ProofFault::NonceWanted => refuse("use_dpop_nonce", "the proof needs a nonce"),
    })
}

/// The code of the request, which is spent.
fn redeem<C>(
    state: &mut State,
    turn: &Turn<'_, C>,
    parameters: &Parameters,
    client_id: &str,
    jkt: Option<String>,
) -> Result<Redeemed, Response> {
    let refuse = |error, description| Err(Response::oauth_error(400, error, description));
    let value = |name: &str| parameters.value(name);
    let [Some(code), Some(redirect_uri), Some(code_verifier)] = ["code", "redirect_uri", "code_verifier"].map(value)
    else {
        return refuse("invalid_request", "code, redirect_uri or code_verifier is missing");
    };
    let Some(known) = state.codes.iter_mut().find(|known| known.code == code) else {
        // It may have been used so long ago that only its refresh tokens remember it.
        state.revoke(code);
        return refuse("invalid_grant", "the code is unknown or has expired");
    };
    if known.is_used {
        state.revoke(code);
        return refuse("invalid_grant", "the code was used before; its tokens are revoked");
    }
    known.is_used = true;
    let known = known.clone();
    if turn.now.since(known.created_at) > CODE_LIFETIME {
        return refuse("invalid_grant", "the code is unknown or has expired");
    }
    if known.request.client_id != client_id {
        return refuse("invalid_grant", "the code was given to another client");
    }
    if known.request.redirect_uri != redirect_uri {
        return refuse("invalid_grant", "redirect_uri is not the one of the authorization request");
    }
    let challenge = CodeChallenge::s256(&CodeVerifier::new(code_verifier));
    if challenge.as_str() != known.request.code_challenge && !state.switches.has(switches::PKCE_IGNORED) {
        return refuse("invalid_grant", "code_verifier does not belong to the code_challenge");
    }
    if known.request.dpop_jkt.is_some() && known.request.dpop_jkt != jkt {
        return refuse("invalid_grant", "the code is bound to another key");
    }
    let resources = resources::narrowed(turn.issuer, &known.request.resources, &parameters.resources)
        .map_err(|description| Response::oauth_error(400, "invalid_target", description))?;
    Ok(Redeemed { code: known, resources, jkt })
}

/// What a code gives tokens for; with `offline_access` among it, a family of refresh tokens begins.
fn begin<C>(state: &State, turn: &Turn<'_, C>, redeemed: Redeemed) -> (Draft, Option<Family>) {
    let Redeemed { code, resources, jkt } = redeemed;
    let Code { request, .. } = code;
    let on = |name| state.switches.has(name);
    let has_id_token = request.scope.split(' ').any(|token| token == "openid") && !on(switches::ID_TOKEN_MISSING);
    let scope = token_response::scope(&state.switches, &request.scope, switches::SCOPE_NARROWER, switches::SCOPE_WIDER);
    let grant = Grant {
        code: code.code,
        client_id: request.client_id,
        sub: code.sub,
        scope,
        authentication: code.authentication,
        resources: request.resources,
        jkt: jkt.filter(|_| !on(switches::TOKEN_TYPE_BEARER)),
    };
    // People were asked for it, now or before, as for any scope (OpenID Connect Core §11).
    let has_refresh_token = grant.has_scope("offline_access") && !on(switches::REFRESH_TOKEN_MISSING);
    let refresh_token = has_refresh_token.then(|| turn.first_random());
    let family = refresh_token.clone().map(|refresh_token| Family {
        refresh_token,
        spent: Vec::new(),
        grant: grant.clone(),
        nonce: request.nonce.clone(),
        used_at: turn.now,
    });
    // An access token may be good at fewer resources than the refresh token is (RFC 8707 §2.2).
    let grant = Grant { resources, ..grant };
    (Draft { occasion: Occasion::Exchange, grant, has_id_token, nonce: request.nonce, refresh_token }, family)
}

fn deliver<C>(state: &State, turn: &Turn<'_, C>, response: Response) -> Response {
    let on = |name| state.switches.has(name);
    match response {
        _ if on(switches::TOKEN_REDIRECTED) => {
            Response::empty(307).with_header("location", &turn.endpoint("elsewhere"))
        }
        _ if on(switches::TOKEN_HTML) => Response::gateway_page(),
        response if on(switches::TOKEN_SLOW) => response.delivered(Delivery::After(Seconds(60))),
        response if on(switches::TOKEN_LOST) => response.delivered(Delivery::Lost),
        response if on(switches::TOKEN_ENDLESS) => response.delivered(Delivery::Endless),
        response => response,
    }
}
