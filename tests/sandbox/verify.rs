//! The client's side of the cryptography, natively: what WebCrypto answers in the browser.

use leptos_pkce::protocol::jwk::PublicKey;
use leptos_pkce::protocol::jws::{SubtleUnavailable, Verdict, Verification};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::FromEncodedPoint as _;
use p256::{EncodedPoint, FieldBytes, PublicKey as Point};
use sha2::{Digest as _, Sha256};

use crate::crypto::decode;

/// The answer to the client's question.
pub(crate) fn verdict(question: &Verification) -> Verdict {
    let hash = question.hashed.as_ref().map(|token| Sha256::digest(token.expose().as_bytes()).to_vec());
    let answers: Vec<_> = question.keys.iter().map(|key| is_signed_by(key, question)).collect();
    let signature = match () {
        () if answers.contains(&Ok(true)) => Ok(true),
        () => answers.into_iter().find(Result::is_err).unwrap_or(Ok(false)),
    };
    Verdict { signature, hash: hash.unwrap_or_default() }
}

fn is_signed_by(key: &PublicKey, question: &Verification) -> Result<bool, SubtleUnavailable> {
    match key {
        PublicKey::Ec { x, y, .. } => {
            let [x, y] = [x, y].map(|coordinate| *FieldBytes::from_slice(&decode(coordinate)));
            let point = Point::from_encoded_point(&EncodedPoint::from_affine_coordinates(&x, &y, false));
            let Some(point) = Option::<Point>::from(point) else { return Ok(false) };
            let Ok(signature) = Signature::from_slice(&question.signature) else { return Ok(false) };
            Ok(VerifyingKey::from(point).verify(&question.signed, &signature).is_ok())
        }
        _ => Err(SubtleUnavailable),
    }
}
