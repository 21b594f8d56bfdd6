//! The native counterpart of WebCrypto.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leptos_pkce::sandbox::crypto::{Crypto, CryptoFailure, PublicKey};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::sec1::FromEncodedPoint as _;
use p256::{EncodedPoint, FieldBytes, PublicKey as Point};
use sha2::{Digest as _, Sha256};

/// A key pair.
pub(crate) struct Native {
    key: SigningKey,
    public_key: PublicKey,
}

impl Native {
    /// The key pair of a seed.
    pub(crate) fn new(seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed; 32]).expect("a scalar below the order of the curve");
        let point = key.verifying_key().to_encoded_point(false);
        let coordinate = |octets: Option<&FieldBytes>| encode(octets.expect("the point is not at infinity"));
        let public_key = PublicKey { x: coordinate(point.x()), y: coordinate(point.y()) };
        Self { key, public_key }
    }
}

impl Crypto for Native {
    async fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        let signature: Signature = self.key.sign(octets);
        Ok(signature.to_bytes().to_vec())
    }

    async fn sha_256(&self, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        Ok(Sha256::digest(octets).to_vec())
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// Whether a JWK of P-256 verifies the signature of a JWS in compact form.
pub(crate) fn verifies(jwk: &serde_json::Value, jws: &str) -> bool {
    let coordinate = |name: &str| *FieldBytes::from_slice(&decode(jwk[name].as_str().expect("a coordinate")));
    let point = EncodedPoint::from_affine_coordinates(&coordinate("x"), &coordinate("y"), false);
    let point = Point::from_encoded_point(&point).expect("a point of the curve");
    let (signed, signature) = jws.rsplit_once('.').expect("three parts");
    let signature = Signature::from_slice(&decode(signature)).expect("64 octets");
    VerifyingKey::from(point).verify(signed.as_bytes(), &signature).is_ok()
}

pub(crate) fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
