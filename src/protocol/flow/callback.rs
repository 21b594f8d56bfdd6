//! From the authorization response to the session: the code exchange, the ID token, and what is published.
//!
//! ```text
//!  Redirected ─► Taking ─► Token ─► Keys ─► Verdict ─► Session
//!                   │        │        │        │
//!                   └────────┴─ Failed ◄───────┘
//! ```
//!
//! The keys are asked for beside the code, so `Keys` is passed through at once where they came first.

use std::sync::Arc;

use super::super::authorization_response::{AuthorizationResponse, CallbackError};
use super::super::end_session::came_back;
use super::super::error::Error;
use super::super::http::{HttpFailure, HttpResponse};
use super::super::id_token::{Signature, VerifiedIdToken, check_id_token};
use super::super::jws::Verdict;
use super::super::pending_authorization::PendingAuthorization;
use super::super::return_path::ReturnPath;
use super::super::secret::IdToken;
use super::super::session::Session;
use super::super::storage::{Record, RecordName};
use super::super::time::UnixTime;
use super::super::token_request::{Exchange, TokenRequest};
use super::super::token_response::{TokenError, TokenResponse, TokenType};
use super::super::vocabulary::Issuer;
use super::proofs::{ProofAnswer, Proven};
use super::verification::Step;
use super::{CallbackFailure, ClientKey, Effect, FetchId, Flow, VerifyId};

pub(super) enum Callback {
    Idle,
    Taking(AuthorizationResponse),
    /// Perhaps somebody came back from the server's sign-out.
    Returning(AuthorizationResponse),
    Exchanging(Box<Exchanging>),
    Failed(CallbackFailure),
}

/// A code exchange under way.
pub(super) struct Exchanging {
    pub(super) exchange: Exchange,
    sent_at: UnixTime,
    stage: Stage,
    /// What went with the request to the token endpoint, while it is awaited.
    proven: Option<Proven>,
    /// What the token endpoint gave, once it has answered.
    answer: Option<(TokenResponse, IdToken)>,
}

/// What is awaited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The token endpoint's answer.
    Token(FetchId),
    /// The issuer's keys.
    Keys,
    /// WebCrypto.
    Verdict(VerifyId),
}

impl Exchanging {
    /// The request to the token endpoint, while it is awaited.
    pub(super) fn fetch(&self) -> Option<FetchId> {
        match self.stage {
            Stage::Token(fetch) => Some(fetch),
            Stage::Keys | Stage::Verdict(_) => None,
        }
    }
}

impl Flow {
    /// Contract 2: the record is taken, that is read and removed, before there is anything to send.
    pub(crate) fn redirected(&mut self, path: &str, query: &str, fragment: &str) {
        if !matches!(self.callback, Callback::Idle) {
            return;
        }
        if self.is_framed {
            return self.refuse(CallbackError::Framed.into(), None);
        }
        match AuthorizationResponse::parse(path, query, fragment) {
            Err(error) => self.refuse(error.into(), None),
            Ok(None) => {}
            // It may be the server's answer to a sign-out, which has nothing but a state; that is looked up first.
            Ok(Some(response)) if cfg!(feature = "end_session") && response.is_bare() => {
                self.callback = Callback::Returning(response);
                self.effects.push(Effect::Take(RecordName::sign_out()));
            }
            Ok(Some(response)) => match response.state() {
                None => self.refuse(response.unknown_state().into(), None),
                Some(state) => {
                    self.callback = Callback::Taking(response);
                    self.effects.push(Effect::Take(RecordName::pending(&state)));
                }
            },
        }
    }

    /// Contract 7: where there is no record, nothing but the answer shown changes.
    pub(crate) fn taken(&mut self, record: Option<Record>, now: UnixTime) {
        let response = match std::mem::replace(&mut self.callback, Callback::Idle) {
            Callback::Taking(response) => response,
            Callback::Returning(response) if cfg!(feature = "end_session") => {
                let state = response.state();
                let record = record.and_then(|Record(record)| came_back(&record, state.as_ref(), now));
                self.sign_out_return = record;
                // Nobody is expected back from a sign-out: then it is an answer that lacks the rest.
                return match (record, state) {
                    (Some(_), _) => {}
                    (None, None) => self.refuse(response.unknown_state().into(), None),
                    (None, Some(state)) => {
                        self.callback = Callback::Taking(response);
                        self.effects.push(Effect::Take(RecordName::pending(&state)));
                    }
                };
            }
            other => {
                self.callback = other;
                if cfg!(feature = "end_session") {
                    let came_back = |Record(record): Record| came_back(&record, None, now);
                    self.sign_out_return = self.sign_out_return.or_else(|| record.and_then(came_back));
                }
                return;
            }
        };
        let policy = self.site.scheme_policy();
        let pending = record.and_then(|Record(record)| PendingAuthorization::decode(&record, policy));
        let Some(pending) = pending else { return self.refuse(response.unknown_state().into(), None) };
        let origin = (pending.key.clone(), pending.return_path.clone());
        let (is_quiet, storage, key) = (pending.is_quiet, pending.token_storage, pending.key.clone());
        match pending.complete(&response, now) {
            Err(error) if self.quiet_sign_in_refused(&key, &error, is_quiet) => {
                if storage.is_shared() {
                    // The other tabs wait for this one.
                    self.tell_signed_out(&key, now);
                }
                self.go_back(origin.1.as_ref());
            }
            Err(error) => self.refuse(error.into(), Some(origin)),
            Ok(grant) => {
                let thumbprint = grant.pending.dpop_jkt.clone();
                let TokenRequest { http, exchange } = TokenRequest::new(grant);
                let (fetch, proven) = self.fetch_bound(exchange.dpop, &exchange.key, http, thumbprint);
                let stage = Stage::Token(fetch);
                if let Some(asked) = &exchange.id_token {
                    self.want_keys(&exchange.key.issuer, &asked.jwks_uri);
                }
                let exchanging = Exchanging { exchange, sent_at: now, stage, proven, answer: None };
                self.callback = Callback::Exchanging(Box::new(exchanging));
            }
        }
    }

    /// Takes the exchange under way, if it is the one.
    pub(super) fn take_exchanging(&mut self, is_it: impl Fn(&Exchanging) -> bool) -> Option<Box<Exchanging>> {
        match std::mem::replace(&mut self.callback, Callback::Idle) {
            Callback::Exchanging(exchanging) if is_it(&exchanging) => Some(exchanging),
            other => {
                self.callback = other;
                None
            }
        }
    }

    /// Contract 3: whatever came, the code is spent; only a server that says it wants a nonce in the proof has not looked at
    /// it, and gets it once more (RFC 9449 §8).
    pub(super) fn exchanged(
        &mut self,
        mut exchanging: Box<Exchanging>,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) {
        self.learn_clock(&exchanging.exchange.key.issuer, outcome.as_ref().ok(), now);
        let token_type = TokenType::asked(exchanging.exchange.dpop);
        let proven = exchanging.proven.take();
        match self.proof_answered(&exchanging.exchange.key, proven, &outcome) {
            ProofAnswer::Again(fetch, proven) => {
                exchanging.stage = Stage::Token(fetch);
                exchanging.proven = Some(proven);
                exchanging.sent_at = now;
                self.callback = Callback::Exchanging(exchanging);
                return;
            }
            ProofAnswer::NonceHidden => {
                return self.refuse_exchange(TokenError::NonceHidden.into(), &exchanging.exchange);
            }
            ProofAnswer::Final => {}
        }
        match TokenResponse::read(outcome, token_type) {
            Err(error) => self.refuse_exchange(error.into(), &exchanging.exchange),
            Ok(mut response) => match (response.id_token.take(), &exchanging.exchange.id_token) {
                (Some(id_token), Some(_)) => {
                    exchanging.stage = Stage::Keys;
                    exchanging.answer = Some((response, id_token));
                    self.verify(exchanging, now);
                }
                // Without one where one must be, `publish` refuses; where none was asked for, none is believed.
                _ => self.publish(&exchanging, response, None, now),
            },
        }
    }

    /// Whether an exchange waits for this issuer's keys, or will.
    pub(super) fn waits_for_keys(&self, issuer: &Issuer) -> bool {
        matches!(&self.callback, Callback::Exchanging(exchanging) if exchanging.exchange.key.issuer == *issuer)
    }

    /// Goes on if an exchange waited for these keys.
    pub(super) fn keys_changed(&mut self, issuer: &Issuer, now: UnixTime) {
        let waits =
            |exchanging: &Exchanging| exchanging.stage == Stage::Keys && exchanging.exchange.key.issuer == *issuer;
        if let Some(exchanging) = self.take_exchanging(waits) {
            self.verify(exchanging, now);
        }
    }

    /// Asks WebCrypto about the signature, once there are keys; without any the sign-in has failed.
    fn verify(&mut self, mut exchanging: Box<Exchanging>, now: UnixTime) {
        let exchange = &exchanging.exchange;
        let (Some(asked), Some((response, id_token))) = (&exchange.id_token, &exchanging.answer) else { return };
        match self.begin_verification(&exchange.key.issuer, id_token, asked, &response.access_token, now) {
            Step::Failed(error) => return self.refuse_exchange(error, exchange),
            Step::Known(signature) => return self.conclude(exchanging, signature, now),
            Step::Keys => {}
            Step::Verdict(verify) => exchanging.stage = Stage::Verdict(verify),
        }
        self.callback = Callback::Exchanging(exchanging);
    }

    /// WebCrypto has answered; gives the answer back if nobody waits for it here.
    pub(super) fn exchange_verified(&mut self, verify: VerifyId, verdict: Verdict, now: UnixTime) -> Option<Verdict> {
        match self.take_exchanging(|exchanging| exchanging.stage == Stage::Verdict(verify)) {
            None => Some(verdict),
            Some(mut exchanging) => {
                let issuer = &exchanging.exchange.key.issuer;
                if verdict.signature == Ok(false) && self.refetch_recorded_keys(issuer, now) {
                    exchanging.stage = Stage::Keys;
                    self.callback = Callback::Exchanging(exchanging);
                } else {
                    self.conclude(exchanging, Signature::Asked(verdict), now);
                }
                None
            }
        }
    }

    fn conclude(&mut self, mut exchanging: Box<Exchanging>, signature: Signature, now: UnixTime) {
        let Some((response, id_token)) = exchanging.answer.take() else { return };
        let exchange = &exchanging.exchange;
        let Some(asked) = &exchange.id_token else { return };
        let clock = self.clock_of(&exchange.key.issuer);
        match check_id_token(&id_token, asked, &exchange.key, None, signature, now, clock) {
            Err(error) => self.refuse_exchange(error.into(), exchange),
            Ok(verified) => self.publish(&exchanging, response, Some((verified, id_token)), now),
        }
    }

    /// Contract 4: only a response that passed every check becomes a session.
    fn publish(
        &mut self,
        exchanging: &Exchanging,
        response: TokenResponse,
        id_token: Option<(VerifiedIdToken, IdToken)>,
        now: UnixTime,
    ) {
        let exchange = &exchanging.exchange;
        let (verified, id_token) = id_token.unzip();
        match Session::new(exchange, response, verified, exchanging.sent_at) {
            Err(error) => self.refuse_exchange(error.into(), exchange),
            Ok(mut session) => {
                session.id_token_hint = id_token.filter(|_| exchange.id_token_hint);
                let ask = self.keep(&session, None);
                self.beginning.extend(ask.map(|ask| (exchange.key.clone(), ask)));
                self.begin(session, exchange.restore, now);
                self.go_back(exchange.return_path.as_ref());
            }
        }
    }

    /// Puts the place where the person was in that of the callback.
    pub(super) fn go_back(&mut self, return_path: Option<&ReturnPath>) {
        let path = return_path.map_or_else(|| self.site.base_path(), ReturnPath::as_str);
        self.effects.push(Effect::ReplaceRoute(path.to_owned()));
    }

    pub(super) fn refuse_exchange(&mut self, error: Arc<Error>, exchange: &Exchange) {
        self.refuse(error, Some((exchange.key.clone(), exchange.return_path.clone())));
    }

    pub(super) fn refuse(&mut self, error: Arc<Error>, origin: Option<(ClientKey, Option<ReturnPath>)>) {
        let (key, return_path) = origin.map_or((None, None), |(key, path)| (Some(key), path));
        self.callback = Callback::Failed(CallbackFailure { error, key, return_path });
    }

    /// Stops an exchange that began at `until` at the latest, for `key` if that matters; gives what it was.
    pub(super) fn stop_exchange(&mut self, key: Option<&ClientKey>, until: UnixTime) -> Option<Box<Exchanging>> {
        let is_of = |exchanging: &Exchanging| key.is_none_or(|key| exchanging.exchange.key == *key);
        let exchanging = self.take_exchanging(|exchanging| is_of(exchanging) && exchanging.sent_at <= until)?;
        self.effects.extend(exchanging.fetch().map(Effect::CancelFetch));
        Some(exchanging)
    }

    /// The person no longer wants to wait for an exchange; whether there was one.
    pub(super) fn cancel_exchange(&mut self) -> bool {
        let Some(exchanging) = self.stop_exchange(None, UnixTime(u64::MAX)) else { return false };
        self.refuse_exchange(TokenError::Network(HttpFailure::Cancelled).into(), &exchanging.exchange);
        true
    }
}
