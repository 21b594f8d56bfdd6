//! ID tokens that come back as a hint: whether this server gave one, to whom and about whom.
//!
//! In scope: ES256, whose signature is verified with both of the server's keys, because one may have followed the other
//! since. It may have expired (RP-Initiated Logout §4).
//! Out of scope: what the switches have sign instead. The platform verifies no other signature for a server, so that such
//! a token is no hint here, and people are asked.
//!
//! Source: OpenID Connect RP-Initiated Logout 1.0 §2, §4; OpenID Connect Core §2.

use super::Turn;
use super::crypto::{Crypto, CryptoFailure, ES256, Key, PublicKey};
use super::jws::{self, Parts};
use super::state::State;
use crate::protocol::json::Value;

/// What a hint says.
pub(super) struct Hint {
    pub client_id: String,
    pub sub: String,
}

/// Reads a hint; `None` if it is no ID token of this server.
pub(super) async fn read<C: Crypto>(
    state: &State,
    turn: &Turn<'_, C>,
    hint: &str,
) -> Result<Option<Hint>, CryptoFailure> {
    let Some(Parts { header, payload, signed, signature }) = jws::parts(hint) else { return Ok(None) };
    // Signed user info has the same issuer and audience, and no expiry.
    let is_id_token = payload.text("iss") == Some(turn.issuer.as_str()) && payload.member("exp").is_some();
    let [Some(client_id), Some(sub)] = [payload.member("aud").and_then(only), payload.text("sub")] else {
        return Ok(None);
    };
    if header.text("alg") != Some(ES256.as_str()) || !is_id_token {
        return Ok(None);
    }
    let present = Key { algorithm: ES256, generation: state.generation };
    for key in [present, present.successor()] {
        let PublicKey::Ec { x, y } = turn.crypto.public_key(key).await? else { continue };
        if turn.crypto.verify([&x, &y], signed.as_bytes(), &signature).await? {
            return Ok(Some(Hint { client_id: client_id.to_owned(), sub: sub.to_owned() }));
        }
    }
    Ok(None)
}

/// The one audience, by itself or in an array.
fn only(audience: &Value) -> Option<&str> {
    match audience.as_array() {
        Some([one]) => one.as_str(),
        Some(_) => None,
        None => audience.as_str(),
    }
}
