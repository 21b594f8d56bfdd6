//! What a session is for: calling APIs, and ending it.

use super::super::client::ClientKey;
use super::super::protected_resource::{ResourceError, ResourceRequest, protected_resource_request};
use super::super::storage::RecordName;
use super::{Callback, CallId, Effect, FetchId, Flow, SignIn};

impl Flow {
    // Session

    pub(super) fn sign_out(&mut self, key: ClientKey) {
        self.end_calls(&|(_, _, owner)| *owner == key, || ResourceError::SignedOut);
        if let Callback::Exchanging(exchanging) = &self.callback
            && exchanging.exchange.key == key
        {
            self.effects.extend(exchanging.fetch().map(Effect::CancelFetch));
            self.callback = Callback::Idle;
        }
        // Nothing of this client may be written after it was forgotten.
        self.cancel_discovery(&key);
        let is_ours = match &self.sign_in {
            SignIn::Discovering { key: owner, .. } | SignIn::Failed { key: owner, .. } => *owner == key,
            SignIn::Saving { pending, .. } => pending.key == key,
            SignIn::Idle | SignIn::Navigating { .. } => false,
        };
        if is_ours {
            self.sign_in = SignIn::Idle;
        }
        self.prepared.take_if(|(owner, _)| *owner == key);
        self.sessions.retain(|session| session.key != key);
        self.effects.push(Effect::Remove(RecordName::session(&key)));
        self.effects.push(Effect::Remove(RecordName::metadata(&key.issuer)));
        self.effects.push(Effect::Remove(RecordName::keys(&key.issuer)));
        self.effects.push(Effect::List);
        self.forgetting.push(key);
    }

    // Protected resources

    pub(super) fn call(&mut self, call: CallId, key: ClientKey, request: ResourceRequest) {
        let allowed = self.allowed_resources(&key);
        let built = match self.session(&key) {
            None => Err(ResourceError::SignedOut),
            Some(session) => protected_resource_request(session, &allowed, request),
        };
        match built {
            Err(error) => self.effects.push(Effect::Answer { call, outcome: Err(error) }),
            Ok(request) => {
                let fetch = self.fetch(request);
                self.calls.push((call, fetch, key));
            }
        }
    }

    /// Ends calls that nobody waits for any more; each gets an `error` as its answer.
    pub(super) fn end_calls(&mut self, is_ended: &dyn Fn(&(CallId, FetchId, ClientKey)) -> bool, error: fn() -> ResourceError) {
        while let Some(index) = self.calls.iter().position(is_ended) {
            let (call, fetch, _) = self.calls.remove(index);
            self.effects.push(Effect::CancelFetch(fetch));
            self.effects.push(Effect::Answer { call, outcome: Err(error()) });
        }
    }

}
