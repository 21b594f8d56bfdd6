//! Signing out: everything of a client in this browser is forgotten.

use super::super::protected_resource::ResourceError;
use super::super::storage::RecordName;
use super::{Callback, ClientKey, Effect, Flow, take_one};

impl Flow {
    pub(crate) fn sign_out(&mut self, key: ClientKey) {
        self.end_calls(&|call| call.key == key, || ResourceError::SignedOut);
        if let Callback::Exchanging(exchanging) = &self.callback
            && exchanging.exchange.key == key
        {
            self.effects.extend(exchanging.fetch().map(Effect::CancelFetch));
            self.callback = Callback::Idle;
        }
        // Nothing of this client may be written after it was forgotten.
        self.cancel_discovery(&key);
        self.drop_sign_in(&key);
        self.prepared.take_if(|(owner, _)| *owner == key);
        take_one(&mut self.sessions, |session| session.key == key);
        self.set_userinfo(&key, None);
        self.cancel_keys(&key.issuer);
        // Also where this build has no such records: another one may have left it.
        self.effects.push(Effect::Remove(RecordName::session(&key)));
        self.effects.push(Effect::Remove(RecordName::metadata(&key.issuer)));
        self.effects.push(Effect::Remove(RecordName::keys(&key.issuer)));
        self.forget_proof_key(&key);
        self.effects.push(Effect::List);
        self.forgetting.push(key);
    }
}
