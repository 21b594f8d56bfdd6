//! What stands between an ID token and its checks: the issuer's keys, and WebCrypto.

use std::sync::Arc;

use super::super::error::Error;
use super::super::id_token::{IdTokenRequest, Signature};
use super::super::jws::{Jws, Unverifiable};
use super::super::quirks;
use super::super::secret::{AccessToken, IdToken};
use super::super::time::UnixTime;
use super::super::vocabulary::Issuer;
use super::keys::KeyState;
use super::{Flow, VerifyId};

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

impl Flow {
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
}
