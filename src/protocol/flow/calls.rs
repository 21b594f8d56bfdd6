//! Requests that carry the session's token: calls of APIs and of the user info endpoint.
//!
//! Rule: a request is sent once, and once more only where the server wanted a nonce in its proof and so has not looked at
//! the rest (RFC 9449 §8, §9).

use super::super::http::{HttpFailure, HttpRequest, HttpResponse};
use super::super::protected_resource::{ResourceError, ResourceRequest, protected_resource_request};
use super::super::session::Session;
use super::super::time::UnixTime;
use super::proofs::{ProofAnswer, Proven};
use super::{CallId, ClientKey, Effect, FetchId, Flow};

/// A request whose answer is awaited.
pub(super) struct PendingCall {
    pub(super) purpose: Purpose,
    pub(super) key: ClientKey,
    fetch: FetchId,
    proven: Option<Proven>,
}

/// Whom the answer is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Api(CallId),
    UserInfo,
}

impl Flow {
    pub(crate) fn call(&mut self, call: CallId, key: ClientKey, request: ResourceRequest) {
        let allowed = self.allowed_resources(&key);
        let built = match self.session(&key) {
            None => Err(ResourceError::SignedOut),
            Some(session) => protected_resource_request(session, &allowed, request),
        };
        match built {
            Err(error) => self.effects.push(Effect::Answer { call, outcome: Err(error) }),
            Ok(request) => self.send(Purpose::Api(call), key, request),
        }
    }

    /// The app no longer waits for a call.
    pub(crate) fn cancel_call(&mut self, call: CallId) {
        self.end_calls(&|known| known.purpose == Purpose::Api(call), || ResourceError::Network(HttpFailure::Cancelled));
    }

    /// Sends a request that carries the token of `key`.
    pub(super) fn send(&mut self, purpose: Purpose, key: ClientKey, request: HttpRequest) {
        let session = self.session(&key);
        let is_bound = session.is_some_and(Session::is_bound);
        let thumbprint = session.and_then(|session| session.dpop_jkt.clone());
        let (fetch, proven) = self.fetch_bound(is_bound, &key, request, thumbprint);
        self.calls.push(PendingCall { purpose, key, fetch, proven });
    }

    /// The answer to a call; gives it back if it is none.
    pub(super) fn call_answered(
        &mut self,
        fetch: FetchId,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        let Some(index) = self.calls.iter().position(|call| call.fetch == fetch) else { return Some(outcome) };
        let PendingCall { purpose, key, proven, .. } = self.calls.swap_remove(index);
        let outcome = match self.proof_answered(&key, proven, &outcome) {
            ProofAnswer::Again(fetch, proven) => {
                self.calls.push(PendingCall { purpose, key, fetch, proven: Some(proven) });
                return None;
            }
            ProofAnswer::NonceHidden => Err(ResourceError::NonceHidden),
            ProofAnswer::Final => outcome.map_err(ResourceError::Network),
        };
        match purpose {
            Purpose::Api(call) => self.effects.push(Effect::Answer { call, outcome }),
            Purpose::UserInfo if cfg!(not(feature = "userinfo")) => {}
            Purpose::UserInfo => self.userinfo_answered(key, outcome, now),
        }
        None
    }

    /// Ends calls that nobody waits for any more; each gets an `error` as its answer.
    pub(super) fn end_calls(&mut self, is_ended: &dyn Fn(&PendingCall) -> bool, error: fn() -> ResourceError) {
        while let Some(index) = self.calls.iter().position(is_ended) {
            let PendingCall { purpose, fetch, .. } = self.calls.remove(index);
            self.effects.push(Effect::CancelFetch(fetch));
            if let Purpose::Api(call) = purpose {
                self.effects.push(Effect::Answer { call, outcome: Err(error()) });
            }
        }
    }
}
