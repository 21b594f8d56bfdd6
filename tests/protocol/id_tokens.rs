//! ID tokens as a server would give them to the scenarios' client. What WebCrypto says about their signature is a test's own
//! choice; only [`looked_at`] computes it.

use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::jwk::PublicKey;
use leptos_pkce::protocol::jws::{Verdict, Verification};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::answers::document;
use crate::scenario::{ACCESS_TOKEN, ISSUER, START, octets};

pub(crate) const JWKS_URI: &str = "https://as.example/jwks";

/// The nonce of the tab's first sign-in.
pub(crate) fn nonce() -> String {
    nonce_of(0)
}

/// The nonce of a sign-in of the tab; they count from 0.
pub(crate) fn nonce_of(attempt: u8) -> String {
    base64url::encode(&octets(attempt).0[64..])
}

/// The left half of the hash of `token`.
pub(crate) fn at_hash(token: &str) -> String {
    base64url::encode(&Sha256::digest(token.as_bytes())[..16])
}

/// What the token says, a minute after the request.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "248289761001", "aud": "spa", "nonce": nonce(),
        "iat": START + 60, "exp": START + 360, "at_hash": at_hash(ACCESS_TOKEN), "name": "Jane Doe",
    })
}

pub(crate) fn header() -> Value {
    json!({ "alg": "ES256", "kid": "1", "typ": "JWT" })
}

/// The three parts; the signature has the right length and is nobody's.
pub(crate) fn compact(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| base64url::encode(part.to_string().as_bytes());
    format!("{}.{}.{}", encode(header), encode(claims), base64url::encode(&[7; 64]))
}

/// A P-256 key by this name; its point is on no curve, which is for WebCrypto to see.
pub(crate) fn key(kid: &str) -> Value {
    key_of(5, kid)
}

/// The same with other numbers.
pub(crate) fn key_of(octet: u8, kid: &str) -> Value {
    let coordinate = base64url::encode(&[octet; 32]);
    json!({ "kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate, "kid": kid, "use": "sig", "alg": "ES256" })
}

pub(crate) fn keys(keys: &[Value]) -> Result<HttpResponse, HttpFailure> {
    document(json!({ "keys": keys }).to_string())
}

/// A token response with this ID token.
pub(crate) fn tokens(id_token: &str) -> Result<HttpResponse, HttpFailure> {
    let body = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "id_token": id_token,
    });
    document(body.to_string())
}

/// WebCrypto says yes, and hashes what it is to hash.
pub(crate) fn yes(verification: &Verification) -> Verdict {
    let hash = verification.hashed.as_ref().map(|token| Sha256::digest(token.expose().as_bytes()).to_vec());
    Verdict { signature: Ok(true), hash: hash.unwrap_or_default() }
}

/// WebCrypto looks: whether an ES256 signature was made by one of the keys.
pub(crate) fn looked_at(verification: &Verification) -> Verdict {
    let octets = |text: &str| base64url::decode(text).unwrap_or_default();
    let is_by = |key: &PublicKey| {
        let PublicKey::Ec { x, y, .. } = key else { return false };
        let key = VerifyingKey::from_sec1_bytes(&[vec![4], octets(x), octets(y)].concat());
        let signature = Signature::from_slice(&verification.signature);
        let (Ok(key), Ok(signature)) = (key, signature) else { return false };
        key.verify(&verification.signed, &signature).is_ok()
    };
    Verdict { signature: Ok(verification.keys.iter().any(is_by)), ..yes(verification) }
}

fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[9; 32]).expect("a scalar")
}

/// A P-256 key by this name that made [`signed`].
pub(crate) fn good_key(kid: &str) -> Value {
    let point = signing_key().verifying_key().to_encoded_point(false);
    let [x, y] = [point.x(), point.y()].map(|coordinate| base64url::encode(coordinate.expect("a point")));
    let mut key = key(kid);
    (key["x"], key["y"]) = (json!(x), json!(y));
    key
}

/// The three parts with a good signature.
pub(crate) fn signed(header: &Value, claims: &Value) -> String {
    let unsigned = compact(header, claims);
    let (signed, _) = unsigned.rsplit_once('.').expect("three parts");
    let signature: Signature = signing_key().sign(signed.as_bytes());
    format!("{signed}.{}", base64url::encode(&signature.to_bytes()))
}

/// WebCrypto says no, and hashes all the same.
pub(crate) fn no(verification: &Verification) -> Verdict {
    Verdict { signature: Ok(false), ..yes(verification) }
}
