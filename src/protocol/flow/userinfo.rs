//! Asking the user info endpoint: when the app wants to know more than the ID token says.
//!
//! ```text
//!  AskUserInfo ─► Metadata ─► (call) ─► Keys ─► Verdict ─► in the session
//! ```
//!
//! An answer that is not signed goes into the session at once.

use std::sync::Arc;

use super::super::error::Error;
use super::super::http::HttpResponse;
use super::super::json::Value;
use super::super::jws::{Jws, Unverifiable, Verdict};
use super::super::protected_resource::ResourceError;
use super::super::storage::RecordName;
use super::super::time::{Seconds, UnixTime};
use super::super::userinfo::{
    UserInfoAnswer, UserInfoError, check_signed, check_userinfo, read_userinfo, userinfo_request,
};
use super::super::vocabulary::Issuer;
use super::calls::Purpose;
use super::keys::KeyState;
use super::{ClientKey, DiscoveryState, Flow, VerifyId, take_one};

/// What is being done about a client's user info.
pub(super) enum UserInfoState {
    /// The server's metadata are awaited: a session may be older than those that this tab keeps.
    Metadata,
    /// The endpoint is asked.
    Asking,
    /// The issuer's keys are awaited.
    Keys(Jws),
    /// WebCrypto is awaited.
    Verdict(VerifyId, Jws),
    Failed(Arc<Error>),
}

impl Flow {
    pub(crate) fn ask_userinfo(&mut self, key: ClientKey, now: UnixTime) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        let is_asking = |state: &UserInfoState| !matches!(state, UserInfoState::Failed(_));
        if self.userinfo.iter().any(|(known, state)| *known == key && is_asking(state)) {
            return;
        }
        if self.session(&key).is_none_or(|session| session.id_token.is_none()) {
            return self.userinfo_refused(&key, UserInfoError::NoIdToken);
        }
        self.discover(&key);
        self.set_userinfo(&key, Some(UserInfoState::Metadata));
        self.userinfo_metadata_changed(&key, now);
    }

    /// Whether the endpoint cannot be asked before the metadata of `key` are there.
    pub(super) fn userinfo_waits_for_metadata(&self, key: &ClientKey) -> bool {
        cfg!(feature = "userinfo")
            && self.userinfo.iter().any(|(known, state)| known == key && matches!(state, UserInfoState::Metadata))
    }

    /// Asks the endpoint if that waited for the metadata.
    pub(super) fn userinfo_metadata_changed(&mut self, key: &ClientKey, now: UnixTime) {
        if cfg!(not(feature = "userinfo")) || !self.userinfo_waits_for_metadata(key) {
            return;
        }
        let endpoint = match self.discovery(key) {
            Some(DiscoveryState::Ready(metadata)) => metadata.userinfo_endpoint.clone(),
            Some(DiscoveryState::Failed(error)) => {
                let error = error.clone();
                return self.set_userinfo(key, Some(UserInfoState::Failed(error)));
            }
            _ => return,
        };
        match (self.session(key), endpoint) {
            (_, None) => self.userinfo_refused(key, UserInfoError::NoEndpoint),
            (None, _) => self.set_userinfo(key, None),
            (Some(session), Some(endpoint)) => {
                let request = userinfo_request(endpoint, session.access_token.clone());
                self.set_userinfo(key, Some(UserInfoState::Asking));
                self.submit(Purpose::UserInfo, key.clone(), request, now);
            }
        }
    }

    pub(super) fn userinfo_answered(
        &mut self,
        key: ClientKey,
        outcome: Result<HttpResponse, ResourceError>,
        now: UnixTime,
    ) {
        let outcome = match outcome {
            Ok(response) => Ok(response),
            Err(ResourceError::Network(failure)) => Err(failure),
            Err(error) => return self.set_userinfo(&key, Some(UserInfoState::Failed(error.into()))),
        };
        match read_userinfo(outcome) {
            Err(error) => self.userinfo_refused(&key, error),
            Ok(UserInfoAnswer::Plain(claims)) => self.publish_userinfo(&key, claims, false),
            Ok(UserInfoAnswer::Signed(jws)) => {
                let metadata = self.metadata(&key).and_then(Result::ok);
                let Some(jwks_uri) = metadata.and_then(|metadata| metadata.jwks_uri.clone()) else {
                    return self.userinfo_refused(&key, UserInfoError::Signature);
                };
                self.set_userinfo(&key, Some(UserInfoState::Keys(jws)));
                self.want_keys(&key.issuer, &jwks_uri);
                self.userinfo_keys_changed(&key.issuer, now);
            }
        }
    }

    /// Whether a signed answer waits for this issuer's keys.
    pub(super) fn userinfo_waits_for_keys(&self, issuer: &Issuer) -> bool {
        cfg!(feature = "userinfo") && self.userinfo.iter().any(|known| waits_for_keys(known, issuer))
    }

    /// Goes on with the signed answers that waited for these keys; several clients may be known to one issuer.
    pub(super) fn userinfo_keys_changed(&mut self, issuer: &Issuer, now: UnixTime) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        let waiting = self.userinfo.iter().filter(|known| waits_for_keys(known, issuer));
        let waiting: Vec<ClientKey> = waiting.map(|(key, _)| key.clone()).collect();
        for key in waiting {
            self.verify_userinfo(&key, now);
        }
    }

    fn verify_userinfo(&mut self, key: &ClientKey, now: UnixTime) {
        let issuer = &key.issuer;
        let Some(index) = self.userinfo.iter().position(|(known, _)| known == key) else { return };
        let (key, UserInfoState::Keys(jws)) = self.userinfo.swap_remove(index) else { return };
        let algorithms = self.metadata(&key).and_then(Result::ok).map(|metadata| metadata.userinfo_algorithms.clone());
        let verification = match self.keys_of(issuer) {
            Some(KeyState::Failed(error)) => {
                let error = error.clone();
                return self.set_userinfo(&key, Some(UserInfoState::Failed(error)));
            }
            Some(KeyState::Ready(keys)) => jws.verification(&algorithms.unwrap_or_default(), keys),
            _ => return self.set_userinfo(&key, Some(UserInfoState::Keys(jws))),
        };
        match verification {
            Ok(verification) => {
                let verify = self.ask_subtle(verification);
                self.set_userinfo(&key, Some(UserInfoState::Verdict(verify, jws)));
            }
            Err(Unverifiable::Key) if self.refetch_keys(issuer, now) => {
                self.set_userinfo(&key, Some(UserInfoState::Keys(jws)));
            }
            Err(_) => self.userinfo_refused(&key, UserInfoError::Signature),
        }
    }

    pub(super) fn userinfo_verified(&mut self, verify: VerifyId, verdict: &Verdict, now: UnixTime) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        let waits =
            |(_, state): &(ClientKey, UserInfoState)| matches!(state, UserInfoState::Verdict(id, _) if *id == verify);
        let Some(index) = self.userinfo.iter().position(waits) else { return };
        let (key, UserInfoState::Verdict(_, jws)) = self.userinfo.swap_remove(index) else { return };
        match Value::parse(jws.payload()) {
            _ if verdict.signature == Ok(false) && self.refetch_recorded_keys(&key.issuer, now) => {
                self.set_userinfo(&key, Some(UserInfoState::Keys(jws)));
            }
            _ if verdict.signature != Ok(true) => self.userinfo_refused(&key, UserInfoError::Signature),
            Err(_) => self.userinfo_refused(&key, UserInfoError::Malformed),
            Ok(claims) => {
                let tolerance = self.client(&key).map_or(Seconds(0), |client| client.clock_tolerance);
                let now = self.clock_of(&key.issuer).applied(now);
                match check_signed(&jws, &claims, now, tolerance) {
                    Err(error) => self.userinfo_refused(&key, error),
                    Ok(()) => self.publish_userinfo(&key, claims, true),
                }
            }
        }
    }

    fn publish_userinfo(&mut self, key: &ClientKey, claims: Value, is_signed: bool) {
        let session = self.sessions.iter_mut().find(|session| session.key == *key);
        let Some((id_token, session)) = session.and_then(|session| Some((session.id_token.clone()?, session))) else {
            return self.set_userinfo(key, None);
        };
        match check_userinfo(claims, id_token.claims().sub(), is_signed.then_some(key)) {
            Err(error) => self.userinfo_refused(key, error),
            Ok(claims) => {
                session.userinfo = Some(claims);
                if session.token_storage.is_session() {
                    let record = session.encode();
                    self.write(RecordName::session(key), record);
                }
                self.set_userinfo(key, None);
            }
        }
    }

    fn userinfo_refused(&mut self, key: &ClientKey, error: UserInfoError) {
        self.set_userinfo(key, Some(UserInfoState::Failed(error.into())));
    }

    pub(super) fn set_userinfo(&mut self, key: &ClientKey, state: Option<UserInfoState>) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        take_one(&mut self.userinfo, |(known, _)| known == key);
        self.userinfo.extend(state.map(|state| (key.clone(), state)));
    }
}

fn waits_for_keys((key, state): &(ClientKey, UserInfoState), issuer: &Issuer) -> bool {
    key.issuer == *issuer && matches!(state, UserInfoState::Keys(_))
}
