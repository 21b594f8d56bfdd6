//! Proofs of possession: which key, with which nonce.
//!
//! Source: RFC 9449 §8 to §10.

use super::super::client::ClientKey;
use super::super::dpop::{ProofKey, ProofOrder};
use super::super::http::HttpResponse;
use super::super::time::UnixTime;
use super::super::url::Url;
use super::{Effect, Flow};

/// What is known of the key that a client's tokens are bound to.
pub(super) enum ProofKeyState {
    /// The browser was asked for it.
    Asked,
    /// It is there; its thumbprint, if it will still be there after the redirect.
    Ready(Option<String>),
    /// The browser makes none.
    Failed,
}

impl Flow {
    /// The key of `key`'s client; asks for it if it is not known.
    pub(super) fn proof_key(&mut self, key: &ClientKey) -> &ProofKeyState {
        let index = self.proof_keys.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            self.effects.push(Effect::ProofKey(key.clone()));
            self.proof_keys.push((key.clone(), ProofKeyState::Asked));
            self.proof_keys.len() - 1
        });
        &self.proof_keys[index].1
    }

    /// The browser has answered. A code is bound only to a key that outlives the redirect.
    pub(super) fn proof_key_found(
        &mut self,
        key: &ClientKey,
        proof_key: Option<&ProofKey>,
        is_kept: bool,
        now: UnixTime,
    ) {
        let state = match proof_key {
            None => ProofKeyState::Failed,
            Some(proof_key) => ProofKeyState::Ready(is_kept.then(|| proof_key.thumbprint())),
        };
        self.proof_keys.retain(|(known, _)| known != key);
        self.proof_keys.push((key.clone(), state));
        self.proceed(now);
    }

    /// What the proof of a request to `url` is made with.
    pub(super) fn proof_order(&self, key: &ClientKey, url: &Url, thumbprint: Option<String>) -> ProofOrder {
        ProofOrder {
            key: key.proof_key_name(),
            thumbprint,
            nonce: self.nonces.get(url).map(str::to_owned),
            clock: self.clock_of(&key.issuer),
        }
    }

    /// Takes the nonce of an answer; whether it is another one than before.
    pub(super) fn learn_nonce(&mut self, url: &Url, response: &HttpResponse) -> bool {
        if cfg!(not(feature = "dpop")) {
            return false;
        }
        let before = self.nonces.get(url).map(str::to_owned);
        self.nonces.learn(url, response);
        self.nonces.get(url) != before.as_deref()
    }
}
