//! The token endpoint.
//!
//! Order of checks: the client, the proof of possession, the grant type, then the code and what it is bound to. A code is
//! spent by the first request that can be read and names it, whatever becomes of that; the second takes the tokens of the
//! first away (RFC 6749 §4.1.2). The proof comes before: whoever is told to use a nonce comes back with the same code.
//!
//! Source: RFC 6749 §3.2, §4.1.3, §5.1, §5.2; RFC 7636 §4.6; RFC 8707 §2.2; RFC 9449 §5, §8, §10.

use super::crypto::{Crypto, CryptoFailure};
use super::dpop::{self, ProofFault};
use super::grant::Grant;
use super::http::{Delivery, Parameters, Request, Response};
use super::id_token::id_token;
use super::metadata::SCOPES;
use super::state::{CODE_LIFETIME, Code, State, TOKEN_LIFETIME, Token};
use super::{Stop, Turn, resources, switches};
use crate::protocol::json::Value;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::secret::CodeVerifier;
use crate::protocol::time::Seconds;

/// What tokens are given for.
struct Redeemed {
    code: Code,
    /// Where they are to be good.
    resources: Vec<String>,
    /// The key that they are bound to, if they are to one.
    jkt: Option<String>,
}

/// Answers a request.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, Stop> {
    if state.switches.has(switches::TOKEN_429) {
        let refusal = Response::oauth_error(429, "temporarily_unavailable", "too many requests");
        return Ok(refusal.with_header("retry-after", "30"));
    }
    let parameters = request.posted()?;
    let client = turn.clients.identify(request, &parameters)?;
    let jkt = thumbprint(state, turn, request).await?;
    if jkt.is_none() && state.switches.has(switches::DPOP_REQUIRED) {
        return Err(Response::oauth_error(400, "invalid_dpop_proof", "a proof of possession is required").into());
    }
    let redeemed = redeem(state, turn, &parameters, client.client_id, jkt)?;
    let response = tokens(state, turn, redeemed).await?;
    Ok(deliver(state, turn, response))
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

/// What the request may have tokens for; its code is spent.
fn redeem<C>(
    state: &mut State,
    turn: &Turn<'_, C>,
    parameters: &Parameters,
    client_id: &str,
    jkt: Option<String>,
) -> Result<Redeemed, Response> {
    let refuse = |error, description| Err(Response::oauth_error(400, error, description));
    let value = |name: &str| parameters.value(name);
    match value("grant_type") {
        Some("authorization_code") => {}
        Some(_) => return refuse("unsupported_grant_type", "only authorization_code is supported"),
        None => return refuse("invalid_request", "grant_type is missing"),
    }
    let [Some(code), Some(redirect_uri), Some(code_verifier)] = ["code", "redirect_uri", "code_verifier"].map(value)
    else {
        return refuse("invalid_request", "code, redirect_uri or code_verifier is missing");
    };
    let Some(known) = state.codes.iter_mut().find(|known| known.code == code) else {
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
    // Less than what was allowed may be asked for, and nothing else (RFC 8707 §2.2).
    let (allowed, asked) = (&known.request.resources, &parameters.resources);
    if let Err(description) = resources::check(turn.issuer, asked) {
        return refuse("invalid_target", description);
    }
    if !allowed.is_empty() && !asked.iter().all(|resource| allowed.contains(resource)) {
        return refuse("invalid_target", "a resource was not asked for in the authorization request");
    }
    let resources = if asked.is_empty() { allowed.clone() } else { asked.clone() };
    Ok(Redeemed { code: known, resources, jkt })
}

async fn tokens<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    redeemed: Redeemed,
) -> Result<Response, CryptoFailure> {
    let Redeemed { code, resources, jkt } = redeemed;
    let jkt = jkt.filter(|_| !state.switches.has(switches::TOKEN_TYPE_BEARER));
    let access_token = turn.second_random();
    let is_openid = code.request.scope.split(' ').any(|token| token == "openid");
    let id_token = match is_openid && !state.switches.has(switches::ID_TOKEN_MISSING) {
        true => Some(id_token(state, turn, &code, &access_token).await?),
        false => None,
    };
    let on = |name| state.switches.has(name);
    let scope = match &code.request.scope {
        asked if on(switches::SCOPE_NARROWER) => asked.split(' ').next().unwrap_or_default().to_owned(),
        _ if on(switches::SCOPE_WIDER) => SCOPES.join(" "),
        asked => asked.clone(),
    };
    let text = |text: &str| Some(Value::string(text));
    let token_type = match &jkt {
        _ if on(switches::TOKEN_TYPE_OTHER) => "mac",
        Some(_) if on(switches::TOKEN_TYPE_ODD) => "dPoP",
        None if on(switches::TOKEN_TYPE_ODD) => "bEARER",
        Some(_) => "DPoP",
        None => "Bearer",
    };
    let lifetime = (!on(switches::NO_EXPIRES_IN)).then(|| Value::from(TOKEN_LIFETIME.0));
    let response = Value::object(vec![
        ("access_token", text(&access_token)),
        ("token_type", text(token_type)),
        ("expires_in", lifetime),
        ("scope", Some(&scope).filter(|scope| !scope.is_empty()).map(|scope| Value::string(scope))),
        ("id_token", id_token.as_deref().map(Value::string)),
    ]);
    state.tokens.push(Token {
        access_token,
        grant: Grant {
            code: code.code,
            client_id: code.request.client_id,
            sub: code.sub,
            scope,
            authentication: code.authentication,
            resources,
            jkt,
        },
        expires_at: turn.now.plus(TOKEN_LIFETIME),
    });
    Ok(Response::json(200, &response).with_header("pragma", "no-cache")) // RFC 6749 §5.1
}

fn deliver<C>(state: &State, turn: &Turn<'_, C>, response: Response) -> Response {
    let on = |name| state.switches.has(name);
    match response {
        _ if on(switches::TOKEN_REDIRECTED) => {
            Response::empty(307).with_header("location", &turn.endpoint("elsewhere"))
        }
        _ if on(switches::TOKEN_HTML) => Response::empty(200)
            .with_body("text/html; charset=utf-8", "<!doctype html><title>Gateway</title>".to_owned()),
        response if on(switches::TOKEN_SLOW) => response.delivered(Delivery::After(Seconds(60))),
        response if on(switches::TOKEN_LOST) => response.delivered(Delivery::Lost),
        response if on(switches::TOKEN_ENDLESS) => response.delivered(Delivery::Endless),
        response => response,
    }
}
