//! JWS in compact form.
//!
//! In scope: header and payload as JSON, in base64url; and the MAC of the one forgery that needs it.
//! Out of scope: what they say.
//!
//! Source: RFC 7515 §3.1, §5.1, §7.1; RFC 2104 §2.

use super::crypto::{Crypto, CryptoFailure};
use crate::protocol::base64url;
use crate::protocol::json::Value;

/// Names and values in their order; a name may stand there twice.
pub(super) type Members = Vec<(&'static str, Value)>;

/// What a signature is of: header and payload.
pub(super) fn signing_input(header: Members, payload: Members) -> String {
    let encode = |members: Members| {
        let members = members.into_iter().map(|(name, value)| (name, Some(value))).collect();
        base64url::encode(Value::object(members).to_text().as_bytes())
    };
    format!("{}.{}", encode(header), encode(payload))
}

/// The JWS of both.
pub(super) fn closed(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", base64url::encode(signature))
}

/// A signature with its last bit flipped.
pub(super) fn flipped(mut signature: Vec<u8>) -> Vec<u8> {
    if let Some(octet) = signature.last_mut() {
        *octet ^= 1;
    }
    signature
}

/// HMAC with SHA-256 (RFC 2104 §2).
pub(super) async fn hmac_sha_256(crypto: &impl Crypto, secret: &[u8], octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
    const BLOCK: usize = 64;
    let mut key = match secret.len() > BLOCK {
        true => crypto.sha_256(secret).await?,
        false => secret.to_vec(),
    };
    key.resize(BLOCK, 0);
    let padded = |pad: u8, octets: &[u8]| [key.iter().map(|octet| octet ^ pad).collect(), octets.to_vec()].concat();
    let inner = crypto.sha_256(&padded(0x36, octets)).await?;
    crypto.sha_256(&padded(0x5c, &inner)).await
}
