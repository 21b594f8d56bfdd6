//! Proofs of possession: which key, with which nonce, and the one repeat for a server that wants another nonce.
//!
//! Rule: every answer may bring a nonce, also a good one, and the newest counts. A request is sent once more only if there
//! is now another nonce than its proof had.
//!
//! Source: RFC 9449 §8 to §10.

use super::super::client::ClientKey;
use super::super::dpop::{ProofKey, ProofOrder, asks_for_nonce};
use super::super::http::{HttpFailure, HttpRequest, HttpResponse};
use super::super::time::UnixTime;
use super::super::url::Url;
use super::{Effect, FetchId, Flow, take_one};

/// What is known of the key that a client's tokens are bound to.
pub(super) enum ProofKeyState {
    /// The browser was asked for it.
    Asked,
    /// It is there; its thumbprint, if it will still be there after the redirect.
    Ready(Option<String>),
    /// The browser makes none.
    Failed,
}

/// A request that went out with a proof.
pub(super) struct Proven {
    url: Url,
    thumbprint: Option<String>,
    /// The nonce that its proof had.
    nonce: Option<String>,
    /// The request, to be sent once more; `None` if it was.
    again: Option<HttpRequest>,
    /// No request has a proof in a build that makes none.
    #[cfg(not(feature = "dpop"))]
    never: std::convert::Infallible,
}

/// What an answer means for the proof of its request.
pub(super) enum ProofAnswer {
    /// The server has looked at the request, or never will.
    Final,
    /// The request was sent once more.
    Again(FetchId, Proven),
    /// The server wants a nonce and gave none that this page may read.
    NonceHidden,
}

impl Flow {
    /// Sends a request, with a proof if `is_bound`; the key must have `thumbprint`, if that is given.
    pub(super) fn fetch_bound(
        &mut self,
        is_bound: bool,
        key: &ClientKey,
        request: HttpRequest,
        thumbprint: Option<String>,
    ) -> (FetchId, Option<Proven>) {
        #[cfg(feature = "dpop")]
        if is_bound {
            let again = Some(request.again());
            let (fetch, proven) = self.prove(key, request, thumbprint, again);
            return (fetch, Some(proven));
        }
        #[cfg(not(feature = "dpop"))]
        let _ = (is_bound, key, thumbprint);
        (self.fetch(request), None)
    }

    #[cfg(feature = "dpop")]
    fn prove(
        &mut self,
        key: &ClientKey,
        request: HttpRequest,
        thumbprint: Option<String>,
        again: Option<HttpRequest>,
    ) -> (FetchId, Proven) {
        let (url, nonce) = (request.url.clone(), self.nonces.get(&request.url).map(str::to_owned));
        let order = ProofOrder {
            key: key.proof_key_name(),
            thumbprint: thumbprint.clone(),
            nonce: nonce.clone(),
            clock: self.clock_of(&key.issuer),
        };
        (self.fetch_with(request, Some(order)), Proven { url, thumbprint, nonce, again })
    }

    /// Takes the nonce of an answer, and sends the request once more if that is what the server wants.
    pub(super) fn proof_answered(
        &mut self,
        key: &ClientKey,
        proven: Option<Proven>,
        outcome: &Result<HttpResponse, HttpFailure>,
    ) -> ProofAnswer {
        #[cfg(feature = "dpop")]
        if let (Some(Proven { url, thumbprint, nonce, again }), Ok(response)) = (proven, outcome) {
            self.nonces.learn(&url, response);
            if let Some(request) = again.filter(|_| asks_for_nonce(response)) {
                if self.nonces.get(&url) == nonce.as_deref() {
                    return ProofAnswer::NonceHidden;
                }
                let (fetch, proven) = self.prove(key, request, thumbprint, None);
                return ProofAnswer::Again(fetch, proven);
            }
        }
        #[cfg(not(feature = "dpop"))]
        let _ = (key, proven, outcome);
        ProofAnswer::Final
    }

    /// Signed out: the key goes too.
    pub(super) fn forget_proof_key(&mut self, key: &ClientKey) {
        #[cfg(feature = "dpop")]
        {
            take_one(&mut self.proof_keys, |(known, _)| known == key);
            if self.client(key).is_some_and(|client| client.uses_dpop()) {
                self.effects.push(Effect::ForgetProofKey(key.clone()));
            }
        }
        #[cfg(not(feature = "dpop"))]
        let _ = key;
    }

    /// The key of `key`'s client; asks for it if it is not known.
    pub(super) fn proof_key(&mut self, key: &ClientKey) -> &ProofKeyState {
        let index = self.proof_keys.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            #[cfg(feature = "dpop")]
            self.effects.push(Effect::ProofKey(key.clone()));
            self.proof_keys.push((key.clone(), ProofKeyState::Asked));
            self.proof_keys.len() - 1
        });
        &self.proof_keys[index].1
    }

    /// The browser has answered. A code is bound only to a key that outlives the redirect.
    pub(crate) fn proof_key_found(
        &mut self,
        key: &ClientKey,
        proof_key: Option<&ProofKey>,
        is_kept: bool,
        now: UnixTime,
    ) {
        let is_awaited =
            |(known, state): &(ClientKey, ProofKeyState)| known == key && matches!(state, ProofKeyState::Asked);
        // One that comes after a sign-out was forgotten.
        if !self.proof_keys.iter().any(is_awaited) {
            return;
        }
        let state = match proof_key {
            None => ProofKeyState::Failed,
            Some(proof_key) => ProofKeyState::Ready(is_kept.then(|| proof_key.thumbprint())),
        };
        take_one(&mut self.proof_keys, |(known, _)| known == key);
        self.proof_keys.push((key.clone(), state));
        self.proceed(now);
    }
}
