//! Which of the server's keys signs, and the set of them that it publishes.
//!
//! Rule: only the present key of an algorithm is in the set. A key that has been replaced is gone from it at once, so
//! every change is one that a client notices.
//!
//! Source: RFC 7517 §5; OpenID Connect Core §10.1, §10.1.1.

use super::crypto::{Crypto, CryptoFailure, ES256, Key, PS256, RS256};
use super::http::{Delivery, Response};
use super::jws::Members;
use super::state::State;
use super::switches::{self, Switches};
use crate::protocol::algorithm::Algorithm;
use crate::protocol::json::Value;

/// The switches that have another algorithm sign than ES256.
const OTHER_ALGORITHMS: [(&str, Algorithm); 5] = [
    (switches::ID_TOKEN_RS256, RS256),
    (switches::ID_TOKEN_ALG_UNLISTED, RS256),
    (switches::KEYS_WEAK_RSA, RS256),
    (switches::ID_TOKEN_PS256, PS256),
    (switches::ID_TOKEN_EDDSA, Algorithm::Ed25519),
];

/// One more than a client should read.
const TOO_MANY: usize = 101;

/// A modulus of 1024 bit.
const WEAK_MODULUS: &str = "_r-TnJmcLf6Wmg6hr9XAsrs6XVJFt_LmMwKYX4quKdAaiCOniHUPNpIMFTbh8-7R7y2otZkt8YOn9HgTzb0H\
    f7h-UK7UHwWDMf7SPNJ1pmosFtin0xVAYXF16u3edrzuFg3nNowP_ii2tZ0iPYC0mosBM8NtTeI31VAthP1rqDU";

/// The key that signs now.
pub(super) fn signing_key(state: &State) -> Key {
    Key { algorithm: signing_algorithm(&state.switches), generation: state.generation }
}

/// What signs now.
fn signing_algorithm(switches: &Switches) -> Algorithm {
    let chosen = OTHER_ALGORITHMS.iter().find(|(switch, _)| switches.has(switch));
    chosen.map_or(ES256, |(_, algorithm)| *algorithm)
}

/// Where the set is, below the issuer.
pub(super) fn path(switches: &Switches) -> &'static str {
    if switches.has(switches::JWKS_URI_ELSEWHERE) { "jwks/elsewhere" } else { "jwks" }
}

/// Another key takes the place of the one that signs.
pub(super) fn rotate(state: &mut State) {
    state.generation = state.generation.other();
}

/// The key set.
pub(super) async fn answer(state: &State, crypto: &impl Crypto) -> Result<Response, CryptoFailure> {
    let on = |name| state.switches.has(name);
    if on(switches::KEYS_500) {
        return Ok(Response::oauth_error(500, "server_error", "the keys cannot be read"));
    }
    if on(switches::KEYS_HTML) {
        return Ok(Response::gateway_page());
    }
    let signing = signing_key(state);
    let usual = Key { algorithm: ES256, ..signing };
    let mut keys = Vec::new();
    if on(switches::KEYS_ONE_BAD) {
        keys.extend(unusable());
    }
    if on(switches::KID_MISSING_SEVERAL) {
        // Before the right one: whoever tries the first alone fails.
        keys.push(jwk(crypto, signing.successor()).await?);
    }
    keys.push(jwk(crypto, usual).await?);
    if signing != usual {
        keys.push(jwk(crypto, signing).await?);
    }
    if on(switches::KEYS_WEAK_RSA) {
        keys.iter_mut().for_each(weaken);
    }
    if on(switches::KEYS_TOO_MANY) {
        let further: Vec<_> =
            (keys.len()..TOO_MANY).map(|index| named(&keys[0], &format!("further-{index}"))).collect();
        keys.extend(further);
    }
    let set = Value::object(vec![("keys", Some(Value::Array(keys)))]);
    let delivery = if on(switches::KEYS_LOST) { Delivery::Lost } else { Delivery::AtOnce };
    Ok(Response::json(200, &set).delivered(delivery))
}

/// A set that nobody should ask for: the foreign key, by the name of the right one. A header's `jku` leads here.
pub(super) async fn foreign(state: &State, crypto: &impl Crypto) -> Result<Response, CryptoFailure> {
    let signing = signing_key(state);
    let kid = crypto.public_key(signing).await?.id(crypto).await?;
    let foreign = crypto.public_key(signing.successor()).await?.jwk(signing.algorithm, &kid);
    Ok(Response::json(200, &Value::object(vec![("keys", Some(Value::Array(vec![foreign])))])))
}

/// The header of what `key` signs.
pub(super) async fn header(crypto: &impl Crypto, key: Key) -> Result<Members, CryptoFailure> {
    let kid = crypto.public_key(key).await?.id(crypto).await?;
    let text = Value::string;
    Ok(vec![("alg", text(key.algorithm.as_str())), ("typ", text("JWT")), ("kid", text(&kid))])
}

async fn jwk(crypto: &impl Crypto, key: Key) -> Result<Value, CryptoFailure> {
    let public_key = crypto.public_key(key).await?;
    let kid = public_key.id(crypto).await?;
    Ok(public_key.jwk(key.algorithm, &kid))
}

/// Elements that are no keys, or not for signatures.
fn unusable() -> [Value; 4] {
    let object = |members: &[(&str, &str)]| {
        Value::object(members.iter().map(|(name, text)| (*name, Some(Value::string(text)))).collect())
    };
    let n = WEAK_MODULUS.repeat(2);
    [
        Value::string("no key"),
        object(&[("kty", "unheard-of"), ("kid", "1")]),
        object(&[("kty", "EC"), ("crv", "P-256"), ("x", "!"), ("use", "sig"), ("kid", "2")]),
        object(&[("kty", "RSA"), ("n", &n), ("e", "AQAB"), ("use", "enc"), ("alg", "RSA-OAEP-256"), ("kid", "3")]),
    ]
}

/// Gives an RSA key the short modulus.
fn weaken(jwk: &mut Value) {
    set(jwk, "n", WEAK_MODULUS);
}

/// The same key by another name.
fn named(jwk: &Value, kid: &str) -> Value {
    let mut jwk = jwk.clone();
    set(&mut jwk, "kid", kid);
    jwk
}

/// Changes a member that is there.
fn set(jwk: &mut Value, name: &str, text: &str) {
    if let Value::Object(members) = jwk {
        for (_, value) in members.iter_mut().filter(|(known, _)| known == name) {
            *value = Value::string(text);
        }
    }
}
