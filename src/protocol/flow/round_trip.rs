//! Round trips that show nothing, to have a lost session back: when one begins, and in which tab.
//!
//! ```text
//!  lost, though kept ───► Claiming ─► Asking ─► SignInQuietly ═══ redirect ═══►
//!                            │         ▲ │ ▲
//!  lost in another tab ─► Others ──────┘ ▼ │
//!                                      Waiting
//! ```
//!
//! Rules: nobody is sent to a server that cannot be reached, where the browser's own error page would be the end: it is asked
//! something harmless first, and again later. Where tabs share a session, the one that lost it goes, and the others wait to
//! hear of it; one that hears nothing goes itself.

use super::super::authorization_request::StorageFailure;
use super::super::client::{Client, ClientKey};
use super::super::http::{HttpFailure, HttpResponse};
use super::super::json::Value;
use super::super::metadata::discovery_request;
use super::super::session::Session;
use super::super::time::{Seconds, UnixTime};
use super::{Activity, AskId, DiscoveryState, Effect, FetchId, Flow, take_one};

/// A round trip that will be made.
pub(super) struct RoundTrip {
    key: ClientKey,
    stage: Stage,
    /// How often in a row the server could not be reached, and when it was asked last.
    failures: u32,
    asked_at: UnixTime,
}

/// What it waits for.
enum Stage {
    /// The record of a session that all tabs know to be lost: whoever removes it goes.
    Claiming(AskId),
    /// Another tab, which is making one.
    Others(UnixTime),
    /// The server's answer: to this request, or to a discovery that is made anyway.
    Asking(Option<FetchId>),
    /// The time to ask the server again.
    Waiting(UnixTime),
}

/// How long another tab's round trip may take: two pages and what people's networks make of them. The tabs that wait do not
/// all lose their patience at once.
const OTHERS: Seconds = Seconds(5);

/// The longest time between two questions.
const LONGEST_DELAY: u64 = 60;

impl Flow {
    /// A session was lost in this page: asks for it anew, if that is configured.
    pub(super) fn lost(&mut self, key: &ClientKey, now: UnixTime) {
        if cfg!(not(feature = "restore")) {
            return;
        }
        // An answer that says so once more shows that there is a network again.
        if let Some(trip) = self.round_trips.iter_mut().find(|trip| trip.key == *key)
            && let Stage::Waiting(until) = &mut trip.stage
        {
            *until = (*until).min(trip.asked_at.plus(Seconds(1)));
            return self.round_trips_go_on(now);
        }
        let before = self.session(key).filter(|session| session.token_storage.is_shared()).map(Session::version);
        if before.is_none() || !self.may_expect_round_trip(key) {
            return self.expect_round_trip(key, Stage::Waiting(now), now);
        }
        let ask = self.write_shared(key, before, String::new(), Value::Null);
        self.expect_round_trip(key, Stage::Claiming(ask), now);
    }

    /// The record was removed, or another tab was sooner; gives the answer back if it is to another question.
    pub(super) fn claim_written(
        &mut self,
        ask: AskId,
        outcome: Result<bool, StorageFailure>,
        now: UnixTime,
    ) -> Option<Result<bool, StorageFailure>> {
        let is_it = |trip: &RoundTrip| matches!(trip.stage, Stage::Claiming(asked) if asked == ask);
        let Some(trip) = take_one(&mut self.round_trips, is_it) else { return Some(outcome) };
        if outcome == Ok(true) {
            self.post_changed(&trip.key);
            self.expect_round_trip(&trip.key, Stage::Waiting(now), now);
        } else {
            self.lost_elsewhere(&trip.key, now);
        }
        None
    }

    /// Its record is gone: where tabs share it, another one has lost it, and asks for it.
    pub(super) fn lost_elsewhere(&mut self, key: &ClientKey, now: UnixTime) {
        if cfg!(not(feature = "restore")) {
            return;
        }
        if !self.client(key).is_some_and(|client| client.token_storage.is_shared()) {
            return self.expect_round_trip(key, Stage::Waiting(now), now);
        }
        let patience = OTHERS.0 + u64::from(self.seed) % OTHERS.0;
        self.expect_round_trip(key, Stage::Others(now.plus(Seconds(patience))), now);
    }

    /// Whether the record of a session of this page is gone because this page removed it, to ask for it anew.
    pub(super) fn has_claimed(&self, key: &ClientKey) -> bool {
        let is_past_it =
            |trip: &RoundTrip| trip.key == *key && matches!(trip.stage, Stage::Asking(_) | Stage::Waiting(_));
        cfg!(feature = "restore") && self.round_trips.iter().any(is_past_it)
    }

    fn may_expect_round_trip(&self, key: &ClientKey) -> bool {
        let can_be_quiet = |client: &&Client| client.restores() && client.authentication.max_age != Some(Seconds(0));
        let is_expected = self.round_trips.iter().any(|trip| trip.key == *key);
        cfg!(feature = "restore") && !is_expected && self.client(key).filter(can_be_quiet).is_some()
    }

    fn expect_round_trip(&mut self, key: &ClientKey, stage: Stage, now: UnixTime) {
        if self.may_expect_round_trip(key) {
            self.round_trips.push(RoundTrip { key: key.clone(), stage, failures: 0, asked_at: now });
            self.round_trips_go_on(now);
        }
    }

    /// There is a session again, or none is wanted any more.
    pub(super) fn end_round_trip(&mut self, key: &ClientKey) {
        if cfg!(feature = "restore")
            && let Some(RoundTrip { stage: Stage::Asking(Some(fetch)), .. }) =
                take_one(&mut self.round_trips, |trip| trip.key == *key)
        {
            self.effects.push(Effect::CancelFetch(fetch));
        }
    }

    /// Whether a session of `key` may be back in a moment.
    pub(super) fn is_coming_back(&self, key: &ClientKey) -> bool {
        let is_soon = |trip: &RoundTrip| trip.key == *key && !matches!(trip.stage, Stage::Waiting(_));
        cfg!(feature = "restore") && self.round_trips.iter().any(is_soon)
    }

    /// Whether that, or the page is leaving for one.
    pub(super) fn is_about_to_leave(&self, key: &ClientKey) -> bool {
        let is_leaving = || match self.activity() {
            Activity::Discovering(leaving) | Activity::Navigating(leaving) => leaving == *key,
            _ => false,
        };
        cfg!(feature = "restore") && (self.is_coming_back(key) || is_leaving())
    }

    /// Goes on with what waited for its time, or for metadata.
    pub(super) fn round_trips_go_on(&mut self, now: UnixTime) {
        if cfg!(feature = "restore") {
            for trip in std::mem::take(&mut self.round_trips) {
                let trip = self.round_trip(trip, now);
                self.round_trips.extend(trip);
            }
            // Where the server cannot be asked now, that is said.
            self.waiting_calls_may_go_on(false, now);
        }
    }

    /// The page is visible or online again: what could not be reached may be now.
    pub(super) fn round_trips_resumed(&mut self, now: UnixTime) {
        if cfg!(feature = "restore") {
            for trip in &mut self.round_trips {
                if let Stage::Waiting(until) = &mut trip.stage {
                    *until = now;
                    trip.failures = 0;
                }
            }
            self.round_trips_go_on(now);
        }
    }

    /// The next step; what is left of it.
    fn round_trip(&mut self, mut trip: RoundTrip, now: UnixTime) -> Option<RoundTrip> {
        match trip.stage {
            Stage::Others(until) | Stage::Waiting(until) if now < until => {
                self.wake_at(until, now);
                return Some(trip);
            }
            Stage::Others(_) | Stage::Waiting(_) => {
                trip.asked_at = now;
                let fetch = self.question(&trip.key).map(|request| self.fetch(request));
                if fetch.is_none() {
                    self.discover(&trip.key);
                }
                trip.stage = Stage::Asking(fetch);
            }
            Stage::Claiming(_) | Stage::Asking(_) => {}
        }
        match (&trip.stage, self.discovery(&trip.key)) {
            (Stage::Asking(None), Some(DiscoveryState::Ready(_))) => self.depart_quietly(trip.key),
            (Stage::Asking(None), Some(DiscoveryState::Failed(_))) => return Some(self.ask_later(trip, now)),
            (Stage::Asking(None), None) => {}
            _ => return Some(trip),
        }
        None
    }

    /// What is asked where the metadata is known; nothing where the server's word on it was never needed.
    fn question(&self, key: &ClientKey) -> Option<super::HttpRequest> {
        let is_fetched = |client: &&Client| client.fetches_metadata() && client.overrides() == &Value::Null;
        let is_known = matches!(self.discovery(key), Some(DiscoveryState::Ready(_)));
        self.client(key).filter(is_fetched).filter(|_| is_known).and_then(|_| discovery_request(&key.issuer, 0))
    }

    /// The server has answered; gives the answer back if it is to another question.
    pub(super) fn round_trip_answered(
        &mut self,
        fetch: FetchId,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Option<Result<HttpResponse, HttpFailure>> {
        let is_it = |trip: &RoundTrip| matches!(trip.stage, Stage::Asking(Some(id)) if id == fetch);
        let Some(trip) = take_one(&mut self.round_trips, is_it) else { return Some(outcome) };
        if outcome.is_ok_and(|response| response.status < 500) {
            self.depart_quietly(trip.key);
        } else {
            let trip = self.ask_later(trip, now);
            let key = trip.key.clone();
            self.round_trips.push(trip);
            self.calls_may_go_on(&key, now);
        }
        None
    }

    fn ask_later(&mut self, mut trip: RoundTrip, now: UnixTime) -> RoundTrip {
        let delay = (1u64 << trip.failures.min(6)).min(LONGEST_DELAY);
        let until = now.plus(Seconds(delay + u64::from(self.seed) % (delay / 2 + 1)));
        self.wake_at(until, now);
        trip.failures += 1;
        trip.stage = Stage::Waiting(until);
        trip
    }

    fn depart_quietly(&mut self, key: ClientKey) {
        #[cfg(feature = "restore")]
        self.effects.push(Effect::SignInQuietly(key));
        #[cfg(not(feature = "restore"))]
        let _ = key;
    }
}
