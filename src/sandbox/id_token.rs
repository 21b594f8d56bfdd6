//! ID tokens.
//!
//! Source: OpenID Connect Core §2, §3.1.3.6 (`at_hash`); RFC 7515 §3.1; RFC 7518 §3.4.

use super::Turn;
use super::crypto::{self, Crypto, CryptoFailure};
use super::state::{Code, TOKEN_LIFETIME};
use crate::protocol::base64url;
use crate::protocol::json::Value;

/// The signed token for the person and the request of `code`.
pub(super) async fn id_token<C: Crypto>(
    turn: &Turn<'_, C>,
    code: &Code,
    access_token: &str,
) -> Result<String, CryptoFailure> {
    let text = |text: &str| Some(Value::string(text));
    let number = |number: u64| Some(Value::from(number));
    let header = Value::object(vec![
        ("alg", text("ES256")),
        ("typ", text("JWT")),
        ("kid", text(&crypto::key_id(turn.crypto).await?)),
    ]);
    // The left half of the hash that goes with the algorithm's name: SHA-256.
    let hash = turn.crypto.sha_256(access_token.as_bytes()).await?;
    let at_hash = base64url::encode(&hash[..hash.len() / 2]);
    let claims = Value::object(vec![
        ("iss", text(turn.issuer.as_str())),
        ("sub", text(&code.sub)),
        ("aud", text(&code.request.client_id)),
        ("exp", number(turn.now.plus(TOKEN_LIFETIME).0)),
        ("iat", number(turn.now.0)),
        ("auth_time", number(code.auth_time.0)),
        ("nonce", code.request.nonce.as_deref().map(Value::string)),
        ("at_hash", text(&at_hash)),
    ]);
    let encode = |part: &Value| base64url::encode(part.to_text().as_bytes());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = turn.crypto.sign(signed.as_bytes()).await?;
    Ok(format!("{signed}.{}", base64url::encode(&signature)))
}
