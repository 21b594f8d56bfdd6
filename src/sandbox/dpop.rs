//! Proofs of possession: whether a request proves that its sender has a key, and which.
//!
//! In scope: the checks of a proof, in the order of RFC 9449 §4.3; nonces; a proof is good once.
//! Out of scope: what is bound to the key (`token_endpoint`, `pushed_request`, `access`).
//!
//! Source: RFC 9449 §4.2, §4.3, §8, §9, §11.1.

use super::Turn;
use super::crypto::{Crypto, CryptoFailure, PublicKey};
use super::http::{Request, Response};
use super::jws::{self, Parts};
use super::state::{Nonce, Proof, State};
use super::switches::{self, Switches};
use crate::protocol::base64url;
use crate::protocol::json::Value;
use crate::protocol::time::{Seconds, UnixTime};
use crate::protocol::url::Url;

/// Why a proof proves nothing.
pub(super) enum ProofFault {
    /// The platform failed.
    Failed(CryptoFailure),
    /// Something is wrong with it.
    Invalid(&'static str),
    /// It lacks the nonce that it should have.
    NonceWanted,
}

/// How far `iat` may be from now, in both directions; and how long a nonce is good.
pub(super) const WINDOW: Seconds = Seconds(5 * 60);

/// The longest `jti` that is remembered.
const LONGEST_ID: usize = 128;

/// The thumbprint of the key whose possession a request proves; `None` if it does not try to.
///
/// `access_token` is the token that comes with it, if one does.
///
/// # Errors
/// [`ProofFault`].
pub(super) async fn thumbprint<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
    access_token: Option<&str>,
) -> Result<Option<String>, ProofFault> {
    let invalid = |what| Err(ProofFault::Invalid(what));
    let mut proofs = request.headers.iter().filter(|(name, _)| name == "dpop").map(|(_, value)| value.as_str());
    let (Some(proof), other) = (proofs.next(), proofs.next()) else { return Ok(None) };
    if other.is_some() {
        return invalid("there is more than one proof");
    }
    let Some(Parts { header, payload, signed, signature }) = jws::parts(proof) else {
        return invalid("the proof is no JWT");
    };
    if header.text("typ") != Some("dpop+jwt") || header.member("crit").is_some() {
        return invalid("typ is not dpop+jwt, or something in the header is critical");
    }
    if header.text("alg") != Some("ES256") {
        return invalid("alg is not ES256");
    }
    let Some([x, y]) = header.member("jwk").and_then(point) else {
        return invalid("jwk is no public key of P-256");
    };
    if !turn.crypto.verify([x, y], signed.as_bytes(), &signature).await? {
        return invalid("the signature is not that of the key");
    }
    if payload.text("htm") != Some(&request.method) {
        return invalid("htm is another method");
    }
    if !payload.text("htu").is_some_and(|htu| is_at(htu, &request.url)) {
        return invalid("htu is another URL");
    }
    let iat = payload.member("iat").and_then(Value::as_whole_number).map(UnixTime);
    let Some(iat) = iat.filter(|iat| turn.now.since(*iat) <= WINDOW && iat.since(turn.now) <= WINDOW) else {
        return invalid("iat is missing, or more than five minutes away");
    };
    let Some(jti) = payload.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= LONGEST_ID) else {
        return invalid("jti is missing or too long");
    };
    if let Some(access_token) = access_token {
        let ath = base64url::encode(&turn.crypto.sha_256(access_token.as_bytes()).await?);
        if payload.text("ath") != Some(&ath) {
            return invalid("ath is not that of the token");
        }
    }
    if is_nonce_demanded(&state.switches) && !has_nonce(state, &payload) {
        return Err(ProofFault::NonceWanted);
    }
    let key = PublicKey::Ec { x: x.to_owned(), y: y.to_owned() };
    let proof = Proof { jkt: key.id(turn.crypto).await?, jti: jti.to_owned(), issued_at: iat };
    // Another client may have had the same idea.
    if state.proofs.iter().any(|known| (&known.jkt, &known.jti) == (&proof.jkt, &proof.jti)) {
        return invalid("the proof was used before");
    }
    let jkt = proof.jkt.clone();
    state.proofs.push(proof);
    Ok(Some(jkt))
}

/// The response, with the next nonce if nonces are demanded of this request and told (RFC 9449 §8.2).
///
/// # Errors
/// [`CryptoFailure`].
pub(super) async fn with_nonce<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    request: &Request,
    response: Response,
) -> Result<Response, CryptoFailure> {
    let is_hidden = state.switches.has(switches::DPOP_NONCE_HIDDEN);
    if request.header("dpop").is_none() || !is_nonce_demanded(&state.switches) || is_hidden {
        return Ok(response);
    }
    // A hash, because the response may hold a secret that is made of the same octets.
    let nonce = base64url::encode(&turn.crypto.sha_256(turn.first_random().as_bytes()).await?);
    let response = response.with_header("dpop-nonce", &nonce);
    state.nonces.push(Nonce { nonce, created_at: turn.now });
    Ok(response)
}

fn is_nonce_demanded(switches: &Switches) -> bool {
    [switches::DPOP_NONCE, switches::DPOP_NONCE_HIDDEN, switches::DPOP_NONCE_ALWAYS]
        .iter()
        .any(|name| switches.has(name))
}

fn has_nonce(state: &State, payload: &Value) -> bool {
    let is_known = |nonce| state.nonces.iter().any(|known| known.nonce == nonce);
    !state.switches.has(switches::DPOP_NONCE_ALWAYS) && payload.text("nonce").is_some_and(is_known)
}

/// The coordinates of a public key; a private one is none.
fn point(jwk: &Value) -> Option<[&str; 2]> {
    let is_point = jwk.text("kty") == Some("EC") && jwk.text("crv") == Some("P-256") && jwk.member("d").is_none();
    Some([jwk.text("x")?, jwk.text("y")?]).filter(|_| is_point)
}

/// Whether `htu` names the URL of the request; queries and fragments do not count (RFC 9449 §4.3, 9).
fn is_at(htu: &str, url: &Url) -> bool {
    Url::parse(htu).is_ok_and(|htu| htu.origin() == url.origin() && htu.path() == url.path())
}

impl From<CryptoFailure> for ProofFault {
    fn from(failure: CryptoFailure) -> Self {
        Self::Failed(failure)
    }
}
