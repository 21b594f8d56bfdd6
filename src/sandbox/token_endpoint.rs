//! The token endpoint.
//!
//! Order of checks: the client, the grant type, then the code and what it is bound to. A code is spent by the first
//! request that can be read and names it, whatever becomes of that; the second takes the tokens of the first away (RFC 6749 §4.1.2).
//!
//! Source: RFC 6749 §3.2, §4.1.3, §5.1, §5.2; RFC 7636 §4.6.

use super::crypto::{Crypto, CryptoFailure};
use super::http::{Delivery, Request, Response};
use super::id_token::id_token;
use super::state::{CODE_LIFETIME, Code, State, TOKEN_LIFETIME, Token};
use super::{Turn, switches};
use crate::protocol::form;
use crate::protocol::json::Value;
use crate::protocol::pkce::CodeChallenge;
use crate::protocol::secret::CodeVerifier;
use crate::protocol::time::Seconds;

/// Answers a request.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, CryptoFailure> {
    if state.switches.has(switches::TOKEN_429) {
        return Ok(
            Response::oauth_error(429, "temporarily_unavailable", "too many requests").with_header("retry-after", "30")
        );
    }
    match redeem(state, turn, request) {
        Err(refusal) => Ok(refusal),
        Ok(code) => {
            let response = tokens(state, turn, &code).await?;
            Ok(deliver(state, turn, response))
        }
    }
}

/// The code that the request may have tokens for; it is spent.
fn redeem<C>(state: &mut State, turn: &Turn<'_, C>, request: &Request) -> Result<Code, Response> {
    let refuse = |error, description| Err(Response::oauth_error(400, error, description));
    let parameters = match request.form() {
        Some(Ok(parameters)) => parameters,
        Some(Err(_)) => return refuse("invalid_request", "a parameter appears twice or is not UTF-8"),
        None => return refuse("invalid_request", "the body is no form"),
    };
    let value = |name: &str| form::value(&parameters, name);
    // RFC 6749 §5.2: a client that authenticates by a scheme that is not supported is told so by 401.
    if request.header("authorization").is_some()
        || value("client_secret").is_some()
        || value("client_assertion").is_some()
    {
        let refusal = Response::oauth_error(401, "invalid_client", "this is a public client, which has no secret");
        return Err(refusal.with_header("www-authenticate", "Basic realm=\"sandbox\""));
    }
    let Some(client_id) = value("client_id") else { return refuse("invalid_request", "client_id is missing") };
    if turn.clients.find(client_id).is_none() {
        return Err(Response::oauth_error(401, "invalid_client", "no client is registered by this client_id"));
    }
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
        state.tokens.retain(|token| token.code != code);
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
    Ok(known)
}

async fn tokens<C: Crypto>(state: &mut State, turn: &Turn<'_, C>, code: &Code) -> Result<Response, CryptoFailure> {
    let access_token = turn.second_random();
    let is_openid = code.request.scope.split(' ').any(|token| token == "openid");
    let id_token = match is_openid && !state.switches.has(switches::ID_TOKEN_MISSING) {
        true => Some(id_token(state, turn, code, &access_token).await?),
        false => None,
    };
    let on = |name| state.switches.has(name);
    let scope = match code.request.scope.as_str() {
        all if on(switches::SCOPE_NARROWER) => all.split(' ').next().unwrap_or_default(),
        all => all,
    };
    let text = |text: &str| Some(Value::string(text));
    let lifetime = (!on(switches::NO_EXPIRES_IN)).then(|| Value::from(TOKEN_LIFETIME.0));
    let response = Value::object(vec![
        ("access_token", text(&access_token)),
        ("token_type", text(if on(switches::TOKEN_TYPE_OTHER) { "mac" } else { "Bearer" })),
        ("expires_in", lifetime),
        ("scope", Some(scope).filter(|scope| !scope.is_empty()).map(Value::string)),
        ("id_token", id_token.as_deref().map(Value::string)),
    ]);
    state.tokens.push(Token {
        access_token,
        code: code.code.clone(),
        client_id: code.request.client_id.clone(),
        sub: code.sub.clone(),
        scope: scope.to_owned(),
        authentication: code.authentication,
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
