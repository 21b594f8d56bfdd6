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

use super::super::authorization_response::AuthorizationResponse;
use super::super::error::Error;
use super::super::http::{HttpFailure, HttpResponse};
use super::super::id_token::{Signature, VerifiedIdToken, check_id_token};
use super::super::jws::{Jws, Unverifiable, Verdict};
use super::super::pending_authorization::PendingAuthorization;
use super::super::return_path::ReturnPath;
use super::super::secret::IdToken;
use super::super::session::Session;
use super::super::storage::{Record, RecordName};
use super::super::time::UnixTime;
use super::super::token_request::{Exchange, TokenRequest};
use super::super::token_response::{TokenError, TokenResponse, TokenType};
use super::super::vocabulary::Issuer;
use super::keys::KeyState;
use super::proofs::{ProofAnswer, Proven};
use super::{CallbackFailure, ClientKey, Effect, FetchId, Flow, TokenStorage, VerifyId};

pub(super) enum Callback {
    Idle,
    Taking(AuthorizationResponse),
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
}

enum Stage {
    /// The token endpoint's answer is awaited.
    Token(FetchId),
    /// The issuer's keys are awaited.
    Keys(TokenResponse, IdToken),
    /// WebCrypto is awaited.
    Verdict(VerifyId, TokenResponse, IdToken),
}

impl Exchanging {
    /// The request to the token endpoint, while it is awaited.
    pub(super) fn fetch(&self) -> Option<FetchId> {
        match self.stage {
            Stage::Token(fetch) => Some(fetch),
            Stage::Keys(..) | Stage::Verdict(..) => None,
        }
    }
}

impl Flow {
    /// Contract 2: the record is taken, that is read and removed, before there is anything to send.
    pub(super) fn redirected(&mut self, query: &str, fragment: &str) {
        if !matches!(self.callback, Callback::Idle) {
            return;
        }
        match AuthorizationResponse::parse(query, fragment) {
            Err(error) => self.refuse(error, None),
            Ok(None) => {}
            Ok(Some(response)) => match response.state() {
                None => self.refuse(response.unknown_state(), None),
                Some(state) => {
                    self.callback = Callback::Taking(response);
                    self.effects.push(Effect::Take(RecordName::pending(&state)));
                }
            },
        }
    }

    /// Contract 7: where there is no record, nothing but the answer shown changes.
    pub(super) fn taken(&mut self, record: Option<Record>, now: UnixTime) {
        let Callback::Taking(response) = std::mem::replace(&mut self.callback, Callback::Idle) else { return };
        let policy = self.site.scheme_policy();
        let pending = record.and_then(|Record(record)| PendingAuthorization::decode(&record, policy));
        let Some(pending) = pending else { return self.refuse(response.unknown_state(), None) };
        let origin = (pending.key.clone(), pending.return_path.clone());
        match pending.complete(&response, now) {
            Err(error) => self.refuse(error, Some(origin)),
            Ok(grant) => {
                let thumbprint = grant.pending.dpop_jkt.clone();
                let TokenRequest { http, exchange } = TokenRequest::new(grant);
                let (fetch, proven) = self.fetch_bound(exchange.dpop, &exchange.key, http, thumbprint);
                let stage = Stage::Token(fetch);
                if let Some(asked) = &exchange.id_token {
                    self.want_keys(&exchange.key.issuer, &asked.jwks_uri);
                }
                self.callback = Callback::Exchanging(Box::new(Exchanging { exchange, sent_at: now, stage, proven }));
            }
        }
    }

    /// Contract 3: whatever came, the code is spent; only a server that says it wants a nonce in the proof has not looked at
    /// it, and gets it once more (RFC 9449 §8).
    pub(super) fn exchanged(
        &mut self,
        exchanging: Exchanging,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) {
        self.learn_clock(&exchanging.exchange.key.issuer, outcome.as_ref().ok(), now);
        let Exchanging { exchange, sent_at, proven, .. } = exchanging;
        match self.proof_answered(&exchange.key, proven, &outcome) {
            ProofAnswer::Again(fetch, proven) => {
                let (stage, proven) = (Stage::Token(fetch), Some(proven));
                self.callback = Callback::Exchanging(Box::new(Exchanging { exchange, sent_at: now, stage, proven }));
                return;
            }
            ProofAnswer::NonceHidden => return self.refuse_exchange(TokenError::NonceHidden, exchange),
            ProofAnswer::Final => {}
        }
        match TokenResponse::read(outcome, TokenType::asked(exchange.dpop)) {
            Err(error) => self.refuse_exchange(error, exchange),
            Ok(mut response) => match (response.id_token.take(), &exchange.id_token) {
                (Some(id_token), Some(_)) => {
                    let stage = Stage::Keys(response, id_token);
                    self.verify(exchange, sent_at, stage, now);
                }
                // Without one where one must be, `publish` refuses; where none was asked for, none is believed.
                _ => self.publish(&exchange, response, None, sent_at),
            },
        }
    }

    fn exchanging(&mut self, exchange: Exchange, sent_at: UnixTime, stage: Stage) {
        self.callback = Callback::Exchanging(Box::new(Exchanging { exchange, sent_at, stage, proven: None }));
    }

    /// Whether an exchange waits for this issuer's keys, or will.
    pub(super) fn waits_for_keys(&self, issuer: &Issuer) -> bool {
        matches!(&self.callback, Callback::Exchanging(exchanging) if exchanging.exchange.key.issuer == *issuer)
    }

    /// Goes on if an exchange waited for these keys.
    pub(super) fn keys_changed(&mut self, issuer: &Issuer, now: UnixTime) {
        match std::mem::replace(&mut self.callback, Callback::Idle) {
            Callback::Exchanging(exchanging)
                if matches!(exchanging.stage, Stage::Keys(..)) && exchanging.exchange.key.issuer == *issuer =>
            {
                let Exchanging { exchange, sent_at, stage, .. } = *exchanging;
                self.verify(exchange, sent_at, stage, now);
            }
            other => self.callback = other,
        }
    }

    /// Asks WebCrypto about the signature, once there are keys; without any the sign-in has failed.
    fn verify(&mut self, exchange: Exchange, sent_at: UnixTime, stage: Stage, now: UnixTime) {
        let Stage::Keys(response, id_token) = stage else { return };
        let issuer = exchange.key.issuer.clone();
        let Some(asked) = &exchange.id_token else { return };
        let jws = Jws::parse(id_token.expose());
        let verification = match (self.keys_of(&issuer), &jws) {
            (Some(KeyState::Failed(error)), _) => {
                let error = error.clone();
                return self.refuse_exchange(error, exchange);
            }
            (Some(KeyState::Ready(keys)), Ok(jws)) => jws.verification(&asked.algorithms, keys),
            // No key would help; the list of checks says what is wrong with it.
            (Some(KeyState::Ready(_)), Err(_)) => Err(Unverifiable::Malformed),
            _ => {
                let stage = Stage::Keys(response, id_token);
                self.exchanging(exchange, sent_at, stage);
                return;
            }
        };
        match verification {
            Ok(mut verification) => {
                verification.hashed = Some(response.access_token.clone());
                let verify = self.ask_subtle(verification);
                let stage = Stage::Verdict(verify, response, id_token);
                self.exchanging(exchange, sent_at, stage);
            }
            Err(Unverifiable::Key) if self.refetch_keys(&issuer, now) => {
                let stage = Stage::Keys(response, id_token);
                self.exchanging(exchange, sent_at, stage);
            }
            Err(reason) => {
                self.conclude(&exchange, response, &id_token, Signature::Unverifiable(reason), sent_at, now);
            }
        }
    }

    /// WebCrypto has answered; gives the answer back if nobody waits for it here.
    pub(super) fn exchange_verified(&mut self, verify: VerifyId, verdict: Verdict, now: UnixTime) -> Option<Verdict> {
        match std::mem::replace(&mut self.callback, Callback::Idle) {
            Callback::Exchanging(exchanging) if matches!(exchanging.stage, Stage::Verdict(id, ..) if id == verify) => {
                let Exchanging { exchange, sent_at, stage, .. } = *exchanging;
                let Stage::Verdict(_, response, id_token) = stage else { return None };
                self.conclude(&exchange, response, &id_token, Signature::Asked(verdict), sent_at, now);
                None
            }
            other => {
                self.callback = other;
                Some(verdict)
            }
        }
    }

    fn conclude(
        &mut self,
        exchange: &Exchange,
        response: TokenResponse,
        id_token: &IdToken,
        signature: Signature,
        sent_at: UnixTime,
        now: UnixTime,
    ) {
        let Some(asked) = &exchange.id_token else { return };
        let now = self.clock_of(&exchange.key.issuer).applied(now);
        match check_id_token(id_token, asked, &exchange.key, signature, now) {
            Err(error) => self.refuse_exchange(error, exchange.clone()),
            Ok(verified) => self.publish(exchange, response, Some(verified), sent_at),
        }
    }

    /// Contract 4: only a response that passed every check becomes a session.
    fn publish(
        &mut self,
        exchange: &Exchange,
        response: TokenResponse,
        id_token: Option<VerifiedIdToken>,
        sent_at: UnixTime,
    ) {
        match Session::new(exchange, response, id_token, sent_at) {
            Err(error) => self.refuse_exchange(error, exchange.clone()),
            Ok(session) => {
                if session.token_storage == TokenStorage::Session {
                    self.write(RecordName::session(&session.key), session.encode());
                }
                // Another person's session at this server ends before this one begins.
                self.sessions.retain(|known| known.key != session.key);
                self.sessions.push(session);
                let base = self.site.base_path();
                let path = exchange.return_path.as_ref().map_or(base, ReturnPath::as_str);
                self.effects.push(Effect::ReplaceRoute(path.to_owned()));
            }
        }
    }

    pub(super) fn refuse_exchange(&mut self, error: impl Into<Arc<Error>>, exchange: Exchange) {
        self.refuse(error, Some((exchange.key, exchange.return_path)));
    }

    pub(super) fn refuse(&mut self, error: impl Into<Arc<Error>>, origin: Option<(ClientKey, Option<ReturnPath>)>) {
        let (key, return_path) = origin.map_or((None, None), |(key, path)| (Some(key), path));
        self.callback = Callback::Failed(CallbackFailure { error: error.into(), key, return_path });
    }

    /// The person no longer wants to wait for an exchange; whether there was one.
    pub(super) fn cancel_exchange(&mut self) -> bool {
        match std::mem::replace(&mut self.callback, Callback::Idle) {
            Callback::Exchanging(exchanging) => {
                self.effects.extend(exchanging.fetch().map(Effect::CancelFetch));
                self.refuse_exchange(TokenError::Network(HttpFailure::Cancelled), exchanging.exchange);
                true
            }
            other => {
                self.callback = other;
                false
            }
        }
    }
}
