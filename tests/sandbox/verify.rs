//! The client's side of the cryptography, natively: what WebCrypto answers in the browser, and the key of its proofs.

use leptos_pkce::protocol::algorithm::{Algorithm, Hash};
use leptos_pkce::protocol::dpop::{ProofKey, ProofOrder};
use leptos_pkce::protocol::http::{HttpFailure, HttpRequest};
use leptos_pkce::protocol::jwk::PublicKey;
use leptos_pkce::protocol::jws::{SubtleUnavailable, Verdict, Verification};
use leptos_pkce::protocol::secret::DpopProof;
use leptos_pkce::protocol::time::UnixTime;
use p256::ecdsa;
use rsa::signature::{Signer as _, Verifier as _};
use rsa::{BigUint, RsaPublicKey, pkcs1v15, pss};
use sha2::{Digest as _, Sha256, Sha512};

use crate::crypto::{coordinates, decode, verifying_key};

/// The answer to the client's question.
pub(crate) fn verdict(question: &Verification) -> Verdict {
    let hash = question.hashed.as_ref().map(|token| match question.algorithm.hash() {
        Hash::Sha256 => Sha256::digest(token.expose()).to_vec(),
        Hash::Sha512 => Sha512::digest(token.expose()).to_vec(),
        Hash::Sha384 => panic!("the sandbox signs with no such hash"),
    });
    let answers: Vec<_> = question.keys.iter().map(|key| is_signed_by(key, question)).collect();
    let signature = if answers.contains(&Some(true)) { Ok(true) } else { Ok(false) };
    let signature = if answers.contains(&None) { Err(SubtleUnavailable) } else { signature };
    Verdict { signature, hash: hash.unwrap_or_default() }
}

/// Whether this key made the signature; `None` for an algorithm that is not here.
fn is_signed_by(key: &PublicKey, question: &Verification) -> Option<bool> {
    let (signed, signature) = (question.signed.as_slice(), question.signature.as_slice());
    Some(match (key, question.algorithm) {
        (PublicKey::Ec { x, y, .. }, Algorithm::Es(Hash::Sha256)) => {
            let key = verifying_key([x, y]);
            let signature = ecdsa::Signature::from_slice(signature).ok();
            key.zip(signature).is_some_and(|(key, signature)| key.verify(signed, &signature).is_ok())
        }
        (PublicKey::Rsa { n, e }, algorithm @ (Algorithm::Rs(Hash::Sha256) | Algorithm::Ps(Hash::Sha256))) => {
            let [n, e] = [n, e].map(|number| BigUint::from_bytes_be(&decode(number)));
            let Ok(key) = RsaPublicKey::new(n, e) else { return Some(false) };
            if algorithm == Algorithm::Rs(Hash::Sha256) {
                let signature = pkcs1v15::Signature::try_from(signature).ok()?;
                pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(signed, &signature).is_ok()
            } else {
                let signature = pss::Signature::try_from(signature).ok()?;
                pss::VerifyingKey::<Sha256>::new(key).verify(signed, &signature).is_ok()
            }
        }
        (PublicKey::Ed25519 { x }, Algorithm::Ed25519) => {
            let key: [u8; 32] = decode(x).try_into().expect("32 octets, because the JWK was read");
            let key = ed25519_dalek::VerifyingKey::from_bytes(&key).ok();
            let signature = ed25519_dalek::Signature::from_slice(signature).ok();
            key.zip(signature).is_some_and(|(key, signature)| key.verify_strict(signed, &signature).is_ok())
        }
        _ => return None,
    })
}

/// The key pair that a client's tokens are bound to.
pub(crate) struct Bound(ecdsa::SigningKey);

impl Bound {
    pub(crate) fn new() -> Self {
        Self(ecdsa::SigningKey::from_slice(&[42; 32]).expect("a scalar below the order of the curve"))
    }

    pub(crate) fn public(&self) -> ProofKey {
        let [x, y] = coordinates(&self.0);
        ProofKey::new(&x, &y).expect("coordinates of a point")
    }

    /// What the driver makes right before a request is sent.
    pub(crate) fn prove(
        &self,
        order: &ProofOrder,
        request: &HttpRequest,
        jti: &[u8; 16],
        now: UnixTime,
    ) -> Result<DpopProof, HttpFailure> {
        let unsigned = order.proof(&self.public(), request, jti, now).map_err(|_| HttpFailure::NoProof)?;
        let signature: ecdsa::Signature = self.0.sign(unsigned.expose().as_bytes());
        unsigned.signed(&signature.to_bytes()).ok_or(HttpFailure::NoProof)
    }
}
