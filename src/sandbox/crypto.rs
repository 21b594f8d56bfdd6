//! What the platform computes for this server.

use std::future::Future;

use crate::protocol::base64url;
use crate::protocol::json::Value;

/// The platform cannot sign or hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CryptoFailure;

/// One ES256 key pair, and SHA-256.
pub trait Crypto {
    /// The signature of `octets`: r and s, 64 octets (RFC 7518 §3.4).
    fn sign(&self, octets: &[u8]) -> impl Future<Output = Result<Vec<u8>, CryptoFailure>>;

    /// SHA-256, 32 octets.
    fn sha_256(&self, octets: &[u8]) -> impl Future<Output = Result<Vec<u8>, CryptoFailure>>;

    /// The key that verifies.
    fn public_key(&self) -> &PublicKey;
}

/// A point of P-256 in a JWK's words (RFC 7518 §6.2): 43 characters each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The x coordinate, base64url.
    pub x: String,
    /// The y coordinate, base64url.
    pub y: String,
}

/// The thumbprint of the key (RFC 7638 §3), which names it as `kid`: another key has another name.
pub(super) async fn key_id(crypto: &impl Crypto) -> Result<String, CryptoFailure> {
    let PublicKey { x, y } = crypto.public_key();
    let required = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    Ok(base64url::encode(&crypto.sha_256(required.as_bytes()).await?))
}

/// The public key as a JWK.
pub(super) async fn jwk(crypto: &impl Crypto) -> Result<Value, CryptoFailure> {
    let PublicKey { x, y } = crypto.public_key();
    let kid = key_id(crypto).await?;
    let members =
        [("kty", "EC"), ("crv", "P-256"), ("x", x), ("y", y), ("use", "sig"), ("alg", "ES256"), ("kid", &kid)];
    Ok(Value::object(members.map(|(name, value)| (name, Some(Value::string(value)))).into()))
}
