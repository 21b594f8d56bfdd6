//! ID tokens as a server would give them to the scenarios' client, but for the signature, which nobody computes here: what
//! WebCrypto says about it is a test's own choice.

use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::jws::{Verdict, Verification};
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
    let coordinate = base64url::encode(&[5; 32]);
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

/// WebCrypto says no, and hashes all the same.
pub(crate) fn no(verification: &Verification) -> Verdict {
    Verdict { signature: Ok(false), ..yes(verification) }
}
