//! The messages of a renewal: the refresh token goes out, and what comes back is checked.

use std::sync::Arc;

use super::super::super::error::Error;
use super::super::super::http::{HttpFailure, HttpResponse};
use super::super::super::id_token::VerifiedIdToken;
use super::super::super::refresh::{meaning, not_now, refresh_request};
use super::super::super::renewal::{Answer, Input};
use super::super::super::session::Session;
use super::super::super::time::UnixTime;
use super::super::super::token_response::{TokenError, TokenResponse, TokenType};
use super::super::proofs::{ProofAnswer, Proven};
use super::super::{ClientKey, Effect, FetchId, Flow, SessionEvent};
use super::{Attempt, Unchecked, Upkeep};

impl Flow {
    pub(in super::super) fn present(&mut self, key: &ClientKey, now: UnixTime) {
        let Some(session) = self.session(key) else { return };
        let Some(request) = refresh_request(session) else { return };
        let (is_bound, thumbprint) = (session.is_bound(), session.dpop_jkt.clone());
        let (fetch, proven) = self.fetch_bound(is_bound, key, request, thumbprint);
        self.set_attempt(key, Attempt::Token { fetch, proven, sent_at: now });
    }

    /// The answer to a refresh or to what came before it; gives it back if it is none.
    pub(in super::super) fn refresh_answered(
        &mut self,
        fetch: FetchId,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        if cfg!(not(feature = "refresh")) {
            return Some(outcome);
        }
        let is_it = |upkeep: &&Upkeep| match upkeep.attempt {
            Attempt::Probe(id) | Attempt::Token { fetch: id, .. } => id == fetch,
            _ => false,
        };
        let Some(key) = self.upkeeps.iter().find(is_it).map(|upkeep| upkeep.key.clone()) else { return Some(outcome) };
        match self.take_attempt(&key) {
            Attempt::Token { proven, sent_at, .. } => self.refreshed(&key, proven, sent_at, outcome, now),
            _ => {
                let is_there = outcome.is_ok_and(|response| response.status < 500);
                self.renew(&key, Input::Probed(is_there), now);
            }
        }
        None
    }

    fn refreshed(
        &mut self,
        key: &ClientKey,
        proven: Option<Proven>,
        sent_at: UnixTime,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) {
        self.learn_clock(&key.issuer, outcome.as_ref().ok(), now);
        let mut not_now = not_now(&outcome, now);
        let answer = match self.proof_answered(key, proven, &outcome) {
            // The server wanted another proof and has not looked at the token.
            ProofAnswer::Again(fetch, proven) => {
                return self.set_attempt(key, Attempt::Token { fetch, proven: Some(proven), sent_at: now });
            }
            ProofAnswer::NonceHidden => Err(TokenError::NonceHidden),
            ProofAnswer::Final => {
                let is_bound = self.session(key).is_some_and(Session::is_bound);
                TokenResponse::read(outcome, TokenType::asked(is_bound))
            }
        };
        match answer {
            Ok(mut response) => {
                match (response.id_token.take(), self.session(key).map(|session| session.asked.is_some())) {
                    (Some(id_token), Some(true)) => {
                        self.verify_renewed(key, Unchecked { response, id_token, sent_at }, now)
                    }
                    // What was not asked for is not believed, and where none came the person is still the one that it was.
                    _ => self.renewed(key, response, None, sent_at, now),
                }
            }
            Err(error) => {
                let answer = not_now.take().map_or_else(|| meaning(&error), Answer::NotNow);
                self.fail(key, error.into(), answer, now);
            }
        }
    }

    pub(in super::super) fn fail(&mut self, key: &ClientKey, error: Arc<Error>, answer: Answer, now: UnixTime) {
        if let Some(upkeep) = self.upkeep_mut(key) {
            upkeep.error = Some(error.clone());
        }
        if !matches!(answer, Answer::InvalidGrant | Answer::Unusable) {
            self.effects.push(Effect::Announce(key.clone(), SessionEvent::NotRenewed(error)));
        }
        self.renew(key, Input::Answered(answer), now);
    }

    pub(in super::super) fn renewed(
        &mut self,
        key: &ClientKey,
        response: TokenResponse,
        id_token: Option<VerifiedIdToken>,
        sent_at: UnixTime,
        now: UnixTime,
    ) {
        let keeps_hint = self.client(key).is_some_and(|client| client.id_token_hint);
        let Some(mut session) = self.session(key).cloned() else { return };
        session.renew(response, id_token, sent_at);
        session.id_token_hint.take_if(|_| !keeps_hint);
        if let Some(upkeep) = self.upkeep_mut(key) {
            upkeep.attempt = Attempt::Renewed(Box::new(session));
            upkeep.error = None;
        }
        self.renew(key, Input::Answered(Answer::Tokens), now);
    }
}
