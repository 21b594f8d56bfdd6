//! Asking the user info endpoint: when the app wants to know more than the ID token says.
//!
//! ```text
//!  AskUserInfo ─► (call) ─► Keys ─► Verdict ─► in the session
//! ```
//!
//! An answer that is not signed goes into the session at once.

use std::sync::Arc;

use super::super::client::TokenStorage;
use super::super::error::Error;
use super::super::http::HttpResponse;
use super::super::json::Value;
use super::super::jws::{Jws, Unverifiable, Verdict};
use super::super::protected_resource::ResourceError;
use super::super::storage::RecordName;
use super::super::time::UnixTime;
use super::super::userinfo::{UserInfoAnswer, UserInfoError, check_userinfo, read_userinfo, userinfo_request};
use super::super::vocabulary::Issuer;
use super::calls::Purpose;
use super::keys::KeyState;
use super::{ClientKey, DiscoveryState, Flow, VerifyId};

/// What is being done about a client's user info.
pub(super) enum UserInfoState {
    /// The metadata that say where the endpoint is are awaited.
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
    pub(super) fn ask_userinfo(&mut self, key: ClientKey) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        let is_asking = |state: &UserInfoState| !matches!(state, UserInfoState::Failed(_) | UserInfoState::Metadata);
        if self.userinfo.iter().any(|(known, state)| *known == key && is_asking(state)) {
            return;
        }
        let Some(session) = self.session(&key).filter(|session| session.id_token.is_some()) else {
            return self.userinfo_refused(&key, UserInfoError::NoIdToken);
        };
        let access_token = session.access_token.clone();
        match self.discovery(&key) {
            None | Some(DiscoveryState::Fetching { .. }) => {
                self.set_userinfo(&key, Some(UserInfoState::Metadata));
                self.discover(&key);
            }
            Some(DiscoveryState::Failed(error)) => {
                let error = error.clone();
                self.set_userinfo(&key, Some(UserInfoState::Failed(error)));
            }
            Some(DiscoveryState::Ready(metadata)) => match metadata.userinfo_endpoint.clone() {
                None => self.userinfo_refused(&key, UserInfoError::NoEndpoint),
                Some(endpoint) => {
                    self.set_userinfo(&key, Some(UserInfoState::Asking));
                    self.send(Purpose::UserInfo, key, userinfo_request(endpoint, access_token));
                }
            },
        }
    }

    /// Goes on if somebody waited for this server's metadata.
    pub(super) fn userinfo_discovered(&mut self, key: &ClientKey) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        if self.userinfo.iter().any(|(known, state)| known == key && matches!(state, UserInfoState::Metadata)) {
            self.ask_userinfo(key.clone());
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

    /// Goes on if a signed answer waited for these keys.
    pub(super) fn userinfo_keys_changed(&mut self, issuer: &Issuer, now: UnixTime) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        let waits = |(key, state): &(ClientKey, UserInfoState)| {
            key.issuer == *issuer && matches!(state, UserInfoState::Keys(_))
        };
        let Some(index) = self.userinfo.iter().position(waits) else { return };
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

    pub(super) fn userinfo_verified(&mut self, verify: VerifyId, verdict: &Verdict) {
        if cfg!(not(feature = "userinfo")) {
            return;
        }
        let waits =
            |(_, state): &(ClientKey, UserInfoState)| matches!(state, UserInfoState::Verdict(id, _) if *id == verify);
        let Some(index) = self.userinfo.iter().position(waits) else { return };
        let (key, UserInfoState::Verdict(_, jws)) = self.userinfo.swap_remove(index) else { return };
        match Value::parse(jws.payload()) {
            _ if verdict.signature != Ok(true) => self.userinfo_refused(&key, UserInfoError::Signature),
            Err(_) => self.userinfo_refused(&key, UserInfoError::Malformed),
            Ok(claims) => self.publish_userinfo(&key, claims, true),
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
                if session.token_storage == TokenStorage::Session {
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
        self.userinfo.retain(|(known, _)| known != key);
        self.userinfo.extend(state.map(|state| (key.clone(), state)));
    }
}
