//! What stands between an ID token and its checks: the issuer's keys, and WebCrypto.

use std::sync::Arc;

use super::super::error::Error;
use super::super::id_token::{IdTokenRequest, Signature, check_id_token};
use super::super::jws::{Jws, Unverifiable, Verdict};
use super::super::quirks;
use super::super::renewal::Answer;
use super::super::secret::{AccessToken, IdToken};
use super::super::time::{Seconds, UnixTime};
use super::super::url::Url;
use super::super::vocabulary::Issuer;
use super::keys::KeyState;
use super::upkeep::{Attempt, Unchecked, Upkeep};
use super::{ClientKey, Flow, VerifyId};

/// What the verification of a signature waits for.
pub(super) enum Step {
    /// The keys are on their way.
    Keys,
    /// WebCrypto was asked.
    Verdict(VerifyId),
    /// Nothing: nobody can be asked about it.
    Known(Signature),
    /// There are no keys.
    Failed(Arc<Error>),
}

impl Upkeep {
    fn waits_for_keys(&self, issuer: &Issuer) -> bool {
        self.key.issuer == *issuer && matches!(self.attempt, Attempt::Keys(_) | Attempt::KeysFirst)
    }
}

impl Flow {
    /// Whether the issuer's keys are there; asks for them if not.
    pub(super) fn has_keys(&mut self, issuer: &Issuer, jwks_uri: &Url) -> bool {
        self.want_keys(issuer, jwks_uri);
        matches!(self.keys_of(issuer), Some(KeyState::Ready(_)))
    }

    /// Asks WebCrypto about the signature of `id_token` and about the hash of the access token beside it, once there are keys.
    pub(super) fn begin_verification(
        &mut self,
        issuer: &Issuer,
        id_token: &IdToken,
        asked: &IdTokenRequest,
        access_token: &AccessToken,
        now: UnixTime,
    ) -> Step {
        let verification = match (self.keys_of(issuer), Jws::parse(id_token.expose())) {
            (Some(KeyState::Failed(error)), _) => return Step::Failed(error.clone()),
            (Some(KeyState::Ready(keys)), Ok(jws)) => {
                let issuers = quirks::key_issuers(issuer, jws.payload());
                let tenants = issuers.map(|issuers| keys.of_issuers(&issuers));
                jws.verification(&asked.algorithms, tenants.as_ref().unwrap_or(keys))
            }
            // No key would help; the list of checks says what is wrong with it.
            (Some(KeyState::Ready(_)), Err(_)) => Err(Unverifiable::Malformed),
            _ => return Step::Keys,
        };
        match verification {
            Ok(mut verification) => {
                verification.hashed = Some(access_token.clone());
                Step::Verdict(self.ask_subtle(verification))
            }
            Err(Unverifiable::Key) if self.refetch_keys(issuer, now) => Step::Keys,
            Err(reason) => Step::Known(Signature::Unverifiable(reason)),
        }
    }

    // The one that comes with renewed tokens

    pub(super) fn verify_renewed(&mut self, key: &ClientKey, unchecked: Unchecked, now: UnixTime) {
        let Some(asked) = self.session(key).and_then(|session| session.asked.clone()) else { return };
        self.want_keys(&key.issuer, &asked.jwks_uri);
        match self.begin_verification(&key.issuer, &unchecked.id_token, &asked, &unchecked.response.access_token, now) {
            Step::Failed(error) => self.fail(key, error, Answer::Unclear, now),
            Step::Keys => self.set_attempt(key, Attempt::Keys(unchecked)),
            Step::Verdict(verify) => self.set_attempt(key, Attempt::Verdict(verify, unchecked)),
            Step::Known(signature) => self.check_renewed(key, unchecked, signature, now),
        }
    }

    /// Whether a renewal waits for this issuer's keys.
    pub(super) fn renewal_waits_for_keys(&self, issuer: &Issuer) -> bool {
        cfg!(feature = "refresh") && self.upkeeps.iter().any(|upkeep| upkeep.waits_for_keys(issuer))
    }

    /// Goes on with what waited for these keys.
    pub(super) fn renewal_keys_changed(&mut self, issuer: &Issuer, now: UnixTime) {
        if !self.renewal_waits_for_keys(issuer) {
            return;
        }
        let waiting = self.upkeeps.iter().filter(|upkeep| upkeep.waits_for_keys(issuer));
        let waiting: Vec<ClientKey> = waiting.map(|upkeep| upkeep.key.clone()).collect();
        for key in waiting {
            match (self.take_attempt(&key), self.keys_of(issuer)) {
                (Attempt::Keys(unchecked), _) => self.verify_renewed(&key, unchecked, now),
                (Attempt::KeysFirst, Some(KeyState::Ready(_))) => self.present(&key, now),
                (Attempt::KeysFirst, Some(KeyState::Failed(error))) => {
                    let error = error.clone();
                    self.fail(&key, error, Answer::NotNow(Seconds(1)), now);
                }
                (attempt, _) => self.set_attempt(&key, attempt),
            }
        }
    }

    /// WebCrypto has answered; gives the answer back if nobody waits for it here.
    pub(super) fn renewal_verified(&mut self, verify: VerifyId, verdict: Verdict, now: UnixTime) -> Option<Verdict> {
        if cfg!(not(feature = "refresh")) {
            return Some(verdict);
        }
        let is_it = |upkeep: &&Upkeep| matches!(upkeep.attempt, Attempt::Verdict(id, _) if id == verify);
        let Some(key) = self.upkeeps.iter().find(is_it).map(|upkeep| upkeep.key.clone()) else { return Some(verdict) };
        let Attempt::Verdict(_, unchecked) = self.take_attempt(&key) else { return None };
        if verdict.signature == Ok(false) && self.refetch_recorded_keys(&key.issuer, now) {
            self.set_attempt(&key, Attempt::Keys(unchecked));
        } else {
            self.check_renewed(&key, unchecked, Signature::Asked(verdict), now);
        }
        None
    }

    /// OpenID Connect Core §12.2: one that is not about the same person takes the whole answer with it.
    fn check_renewed(&mut self, key: &ClientKey, unchecked: Unchecked, signature: Signature, now: UnixTime) {
        let Unchecked { response, id_token, sent_at } = unchecked;
        let Some(session) = self.session(key) else { return };
        let (Some(asked), before) = (&session.asked, session.claims()) else { return };
        match check_id_token(&id_token, asked, key, before, signature, now, self.clock_of(&key.issuer)) {
            // One of the clocks was set since the sign-in. It is the same person, who stays as they were.
            Err(error) if error.is_about_time() => self.renewed(key, response, None, sent_at, now),
            Err(error) => self.fail(key, error.into(), Answer::Unusable, now),
            Ok(verified) => self.renewed(key, response, Some(verified), sent_at, now),
        }
    }
}
