//! ID tokens, as they should be; `forgery` makes others of them.
//!
//! Source: OpenID Connect Core §2, §3.1.3.6 (`at_hash`), §12.2 (those of a refresh).

use super::crypto::{Crypto, CryptoFailure};
use super::forgery::{self, Draft};
use super::grant::Grant;
use super::state::{State, TOKEN_LIFETIME};
use super::switches::KEYS_ROTATED;
use super::token_response::Occasion;
use super::{Turn, keys};
use crate::protocol::base64url;
use crate::protocol::json::Value;

/// The signed token for the person of a grant.
pub(super) async fn id_token<C: Crypto>(
    state: &mut State,
    turn: &Turn<'_, C>,
    occasion: Occasion,
    grant: &Grant,
    nonce: Option<&str>,
    access_token: &str,
) -> Result<String, CryptoFailure> {
    if state.switches.has(KEYS_ROTATED) {
        keys::rotate(state);
    }
    let key = keys::signing_key(state);
    let text = Value::string;
    // The left half of the hash that goes with the algorithm's name.
    let hash = turn.crypto.digest(key.algorithm.hash(), access_token.as_bytes()).await?;
    let at_hash = base64url::encode(&hash[..hash.len() / 2]);
    let mut claims = vec![
        ("iss", text(turn.issuer.as_str())),
        ("sub", text(&grant.sub)),
        ("aud", text(&grant.client_id)),
        ("exp", Value::from(turn.now.plus(TOKEN_LIFETIME).0)),
        ("iat", Value::from(turn.now.0)),
        ("auth_time", Value::from(grant.authentication.at.0)),
        ("acr", text(grant.authentication.level.as_str())),
        ("at_hash", text(&at_hash)),
    ];
    claims.extend(nonce.map(|nonce| ("nonce", text(nonce))));
    let header = keys::header(turn.crypto, key).await?;
    forgery::token(&state.switches, turn, occasion, key, Draft { header, claims }).await
}
