//! The user info endpoint.
//!
//! Source: OpenID Connect Core §5.3, §5.3.2 (signed answers), §5.4, §5.6.2 (claims that are elsewhere).

use super::crypto::Crypto;
use super::http::{Request, Response};
use super::jws::{self, Members};
use super::state::State;
use super::{Stop, Turn, access, keys, people, switches};
use crate::protocol::json::Value;

/// Answers a request.
pub(super) async fn answer<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
) -> Result<Response, Stop> {
    let grant = access::authorize(state, turn, request, "openid").await?;
    let on = |name| state.switches.has(name);
    let person = people::by_sub(&grant.sub);
    let sub = if on(switches::USERINFO_SUB_WRONG) { format!("{}1", grant.sub) } else { grant.sub.clone() };
    let text = Value::string;
    let mut claims: Members = vec![("sub", text(&sub))];
    if let Some(person) = person.filter(|_| grant.has_scope("profile")) {
        claims.push(("name", text(person.name)));
    }
    if let Some(person) = person.filter(|_| grant.has_scope("email")) {
        claims.extend([("email", text(person.email)), ("email_verified", Value::Bool(true))]);
    }
    if on(switches::USERINFO_CLAIM_SOURCES) {
        claims.extend(elsewhere(turn));
    }
    if on(switches::USERINFO_SIGNED) || on(switches::USERINFO_SIGNED_WRONG) {
        claims.extend([("iss", text(turn.issuer.as_str())), ("aud", text(&grant.client_id))]);
        let key = keys::signing_key(state);
        let input = jws::signing_input(keys::header(turn.crypto, key).await?, claims);
        let mut signature = turn.crypto.sign(key, input.as_bytes()).await?;
        if on(switches::USERINFO_SIGNED_WRONG) {
            signature = jws::flipped(signature);
        }
        return Ok(Response::empty(200).with_body("application/jwt", jws::closed(&input, &signature)));
    }
    let claims = claims.into_iter().map(|(name, value)| (name, Some(value))).collect();
    Ok(Response::json(200, &Value::object(claims)))
}

/// A claim that is to be fetched with a token that comes along; nothing answers there.
fn elsewhere<C>(turn: &Turn<'_, C>) -> Members {
    let text = |text: &str| Some(Value::string(text));
    let object = |name: &str, value: Value| Value::object(vec![(name, Some(value))]);
    let source =
        Value::object(vec![("endpoint", text(&turn.endpoint("claims"))), ("access_token", text("not-for-the-client"))]);
    vec![("_claim_names", object("shoe_size", Value::string("source"))), ("_claim_sources", object("source", source))]
}
