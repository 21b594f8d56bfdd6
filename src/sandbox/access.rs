//! What a resource server asks of an access token, and how it says no.
//!
//! Rule: a token that is bound to a key is good with a proof of that key alone; one that is not, as a bearer token alone.
//!
//! Source: RFC 6750 §2.1, §3, §3.1; RFC 9449 §7; RFC 9470 §3; RFC 9728 §5.1.

use super::crypto::Crypto;
use super::dpop::{self, ProofFault};
use super::grant::Grant;
use super::http::{Request, Response};
use super::state::State;
use super::{Stop, Turn, resources, switches};
use crate::protocol::json::Value;
use crate::protocol::time::Seconds;

/// How a token is presented.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// What the token of a request was granted, if `scope` is in it.
///
/// # Errors
/// The response with its challenge.
pub(super) async fn authorize<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
    scope: &str,
) -> Result<Grant, Stop> {
    // RFC 6750 §3.1: without authentication information, or with that of another scheme, there is no error code.
    let Some((scheme, token)) = credentials(request) else {
        return Err(refusal(state, turn, request, 401, &[]).into());
    };
    if token.is_empty() {
        return Err(refusal(state, turn, request, 400, &[("error", "invalid_request")]).into());
    }
    let known = state.tokens.iter().find(|known| known.access_token == token && turn.now <= known.expires_at);
    let Some(grant) = known.map(|known| known.grant.clone()) else {
        return Err(invalid_token(state, turn, request).into());
    };
    let presented = match scheme {
        Scheme::Bearer => None,
        Scheme::Dpop => match dpop::thumbprint(state, turn, request, Some(token)).await {
            Ok(Some(thumbprint)) => Some(thumbprint),
            Ok(None) => return Err(invalid_proof(state, turn, request, "there is no proof").into()),
            Err(ProofFault::Failed(failure)) => return Err(failure.into()),
            Err(ProofFault::Invalid(what)) => return Err(invalid_proof(state, turn, request, what).into()),
            Err(ProofFault::NonceWanted) => {
                let error = [("error", "use_dpop_nonce"), ("error_description", "The proof needs a nonce")];
                return Err(refusal(state, turn, request, 401, &error).into());
            }
        },
    };
    // The user info endpoint is the server's own, and no resource that anybody asks for.
    let is_own = request.url.without_query() == turn.endpoint("userinfo");
    if grant.jkt != presented || !(is_own || resources::cover(&grant.resources, &request.url)) {
        return Err(invalid_token(state, turn, request).into());
    }
    if !grant.has_scope(scope) {
        return Err(insufficient_scope(state, turn, request, scope).into());
    }
    Ok(grant)
}

/// 401: the token is of no use.
pub(super) fn invalid_token<C>(state: &State, turn: &Turn<'_, C>, request: &Request) -> Response {
    let description = "The access token is unknown, expired, revoked, or not for this";
    refusal(state, turn, request, 401, &[("error", "invalid_token"), ("error_description", description)])
}

/// 403: the token is good, but not for this.
pub(super) fn insufficient_scope<C>(state: &State, turn: &Turn<'_, C>, request: &Request, scope: &str) -> Response {
    refusal(state, turn, request, 403, &[("error", "insufficient_scope"), ("scope", scope)])
}

/// 401: the person is to sign in better, or again.
pub(super) fn insufficient_authentication<C>(
    state: &State,
    turn: &Turn<'_, C>,
    request: &Request,
    acr_values: &str,
    max_age: Seconds,
) -> Response {
    let parameters = [
        ("error", "insufficient_user_authentication"),
        ("error_description", "A second step is needed, not more than five minutes ago"),
        ("acr_values", acr_values),
        ("max_age", &max_age.0.to_string()),
    ];
    refusal(state, turn, request, 401, &parameters)
}

fn invalid_proof<C>(state: &State, turn: &Turn<'_, C>, request: &Request, what: &str) -> Response {
    refusal(state, turn, request, 401, &[("error", "invalid_dpop_proof"), ("error_description", what)])
}

/// Scheme and token of a request, if the scheme is one that is known here; its case does not matter (RFC 9110 §11.1).
fn credentials(request: &Request) -> Option<(Scheme, &str)> {
    let credentials = request.header("authorization")?;
    let (scheme, token) = credentials.split_once(' ').unwrap_or((credentials, ""));
    let known = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)];
    let (_, scheme) = known.iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name))?;
    Some((*scheme, token.trim()))
}

/// The challenge, and the same in a body: clients of other origins see no header that is not exposed to them.
fn refusal<C>(
    state: &State,
    turn: &Turn<'_, C>,
    request: &Request,
    status: u16,
    parameters: &[(&str, &str)],
) -> Response {
    let is_dpop_required = state.switches.has(switches::DPOP_REQUIRED);
    let schemes: &[Scheme] = match credentials(request) {
        _ if is_dpop_required => &[Scheme::Dpop],
        Some((Scheme::Dpop, _)) => &[Scheme::Dpop],
        Some((Scheme::Bearer, _)) => &[Scheme::Bearer],
        None => &[Scheme::Bearer, Scheme::Dpop],
    };
    let metadata = resources::metadata_url(turn.issuer, &request.url);
    let challenges: Vec<String> =
        schemes.iter().map(|scheme| challenge(*scheme, parameters, metadata.as_deref())).collect();
    let challenges = match challenges.join(", ") {
        text if state.switches.has(switches::DPOP_SCHEME_ODD) => text.replace("DPoP", "dPoP"),
        text => text,
    };
    let response = Response::empty(status).with_header("www-authenticate", &challenges);
    // Who sent no token is told no more than that (RFC 6750 §3.1).
    if parameters.is_empty() {
        return response;
    }
    let members = parameters.iter().map(|(name, text)| (*name, Some(Value::string(text)))).collect();
    response.with_body("application/json", Value::object(members).to_text())
}

fn challenge(scheme: Scheme, parameters: &[(&str, &str)], metadata: Option<&str>) -> String {
    let mut text = match scheme {
        Scheme::Bearer => "Bearer realm=\"sandbox\"".to_owned(),
        Scheme::Dpop => "DPoP algs=\"ES256\"".to_owned(),
    };
    for (name, value) in parameters.iter().copied().chain(metadata.map(|url| ("resource_metadata", url))) {
        // Both forms are lawful (RFC 9110 §11.2): numbers are written as tokens.
        let is_number = value.bytes().all(|octet| octet.is_ascii_digit());
        text += &if is_number { format!(", {name}={value}") } else { format!(", {name}=\"{value}\"") };
    }
    text
}
