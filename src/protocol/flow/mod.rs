//! The flow: every transition of a sign-in, in one place.
//!
//! ```text
//!  departure:  SignIn ─► Discovering ─► Saving ─► Navigating ═══ redirect ═══►
//!  callback:   Redirected ─► Taking ─► Token ─► Keys ─► Verdict ─► Session
//!  upkeep:     Session ─► (lock, record) ─► Token ─► Keys ─► Verdict ─► Session
//!  sign-out:   SignOut ─► forgotten here ─► Revoking ─► the server's own sign-out
//! ```
//!
//! Rule: a step takes an event, changes the flow, and gives effects. It reads no clock, draws no random
//! number, and awaits nothing; the driver does what it is told and decides nothing.
//!
//! The contracts, each beside its transition and each with a test of that name:
//! 1. the record is saved and read back before navigating (`written`);
//! 2. the record is dropped before the code is sent (`redirected`: `Take` precedes `Fetch`);
//! 3. a code is sent at most once, also when the answer is lost (`exchanged`: only a server that wants a nonce in the proof,
//!    and so has not looked at the code, leads back to `Token`, once);
//! 4. tokens are published only after every check passed (`publish`);
//! 5. an answer that arrives after sign-out is ignored (`fetched`: its id is no longer known);
//! 6. a wake-up is strictly later than the `now` that asked for it (`wake_at`);
//! 7. an error response with an unknown `state` changes nothing (`taken`).

mod messages;
mod discovery;
mod departure;
mod keys;
mod proofs;
mod verification;
mod callback;
mod shared;
mod upkeep;
mod calls;
mod userinfo;
mod sign_out;
mod restore;
mod round_trip;
mod idle;
mod tabs;
mod view;

pub use messages::{
    AskId, CallId, ConfigurationSource, Effect, Event, FetchId, Intent, ReadConfiguration, SessionEvent, VerifyId,
};

use std::sync::Arc;

use self::callback::Callback;
use self::calls::{PendingCall, WaitingCall};
use self::departure::SignIn;
use self::keys::KeyEntry;
use self::proofs::ProofKeyState;
use self::restore::Automatic;
use self::round_trip::RoundTrip;
use self::shared::Search;
use self::sign_out::Farewell;
use self::tabs::Inheritance;
use self::upkeep::Upkeep;
use self::userinfo::UserInfoState;
use super::authorization_request::Wish;
use super::client::{Client, ClientKey};
use super::clock::ClockDifference;
use super::dpop::{ProofOrder, ServerNonces};
use super::end_session::SignOutReturn;
use super::error::Error;
use super::http::{HttpFailure, HttpRequest, HttpResponse};
use super::json::Value;
use super::jws::{Verdict, Verification};
use super::metadata::{Attempt, Metadata};
use super::protected_resource::AllowedResources;
use super::return_path::ReturnPath;
use super::session::Session;
use super::site::Site;
use super::storage::{Record, RecordName};
use super::time::{Seconds, UnixTime};
use super::url::Url;
use super::vocabulary::Issuer;

/// Everything that one page knows about its sign-ins.
pub struct Flow {
    site: Site,
    configuration: Configuration,
    discoveries: Vec<(ClientKey, DiscoveryState)>,
    keys: Vec<KeyEntry>,
    /// How far the issuers' clocks are from the one here, where that is known.
    clocks: Vec<(Issuer, ClockDifference)>,
    sign_in: SignIn,
    callback: Callback,
    prepared: Option<(ClientKey, Url)>,
    sessions: Vec<Session>,
    /// Sessions that are looked for.
    restoring: Vec<Search>,
    /// Clients whose shared sessions began in this page and are being written down.
    beginning: Vec<(ClientKey, AskId)>,
    upkeeps: Vec<Upkeep>,
    calls: Vec<PendingCall>,
    waiting: Vec<WaitingCall>,
    /// Sessions that ended though nobody signed out, and why.
    ended: Vec<(ClientKey, Arc<Error>)>,
    farewells: Vec<Farewell>,
    sign_out_return: Option<SignOutReturn>,
    /// Clients whose kept sessions are gone, with when these began; why they are gone is looked up.
    gone: Vec<(ClientKey, UnixTime)>,
    /// Those of them whose record this page removed itself, to ask for the session anew.
    claimed: Vec<ClientKey>,
    /// When somebody last signed out in any tab, as far as that was looked up.
    signed_out: Vec<(ClientKey, UnixTime)>,
    automatic: Automatic,
    /// Lost sessions that will be asked for anew.
    round_trips: Vec<RoundTrip>,
    /// When somebody last touched a key or a pointer.
    active_at: UnixTime,
    userinfo: Vec<(ClientKey, UserInfoState)>,
    proof_keys: Vec<(ClientKey, ProofKeyState)>,
    nonces: ServerNonces,
    /// Clients that signed out and whose pending requests are still to be swept.
    forgetting: Vec<ClientKey>,
    /// The last name given to a fetch, a verification or a question.
    last_id: u64,
    /// What differs from page to page, so that not all tabs do the same at once.
    seed: u32,
    /// Whether the page is shown inside of another one.
    is_framed: bool,
    /// Whose it is what this page finds in its tab.
    inheritance: Inheritance,
    /// When the next wake-up comes.
    armed: Option<UnixTime>,
    /// What is asked for and was not taken yet.
    effects: Vec<Effect>,
}

/// What is known of the configuration.
pub enum Configuration {
    /// It has not arrived.
    Loading(Option<(FetchId, ReadConfiguration)>),
    /// The clients in their order.
    Ready(Vec<Client>),
    /// There is none that can be used.
    Failed(Arc<Error>),
}

/// What the flow is doing for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Nothing.
    Idle,
    /// Fetching metadata, because somebody wants to sign in.
    Discovering(ClientKey),
    /// Leaving for the authorization server.
    Navigating(ClientKey),
    /// Looking the pending request up.
    Receiving,
    /// Exchanging the code.
    Exchanging(ClientKey),
}

/// What is being done about somebody's user info.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserInfoActivity {
    /// Nothing.
    Idle,
    /// The endpoint is asked, or its answer is verified.
    Asking,
    /// It gave nothing that can be used.
    Failed(Arc<Error>),
}

/// A sign-in that went wrong after the redirect.
pub struct CallbackFailure {
    /// What went wrong.
    pub error: Arc<Error>,
    /// Whose it was, if the pending request was found.
    pub key: Option<ClientKey>,
    /// Where the person was, for another try.
    pub return_path: Option<ReturnPath>,
}

enum DiscoveryState {
    Fetching { fetch: FetchId, attempts: Vec<Attempt> },
    Ready(Metadata),
    Failed(Arc<Error>),
}

/// Takes an element out of a list that has one for each client or issuer, in no order.
fn take_one<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> Option<T> {
    let index = list.iter().position(is_it)?;
    Some(list.swap_remove(index))
}

/// The same for a list that is looked at in its order.
fn take_in_order<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> Option<T> {
    let index = list.iter().position(is_it)?;
    Some(list.remove(index))
}

/// A time in a record; one that is still to come was not written by this clock, and is none.
fn time_in(record: &Value, name: &str, now: UnixTime) -> Option<UnixTime> {
    record.number(name).map(UnixTime).filter(|time| *time <= now)
}

impl Flow {
    /// A flow that has been told nothing yet.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            configuration: Configuration::Loading(None),
            discoveries: Vec::new(),
            keys: Vec::new(),
            clocks: Vec::new(),
            sign_in: SignIn::Idle,
            callback: Callback::Idle,
            prepared: None,
            sessions: Vec::new(),
            restoring: Vec::new(),
            beginning: Vec::new(),
            upkeeps: Vec::new(),
            calls: Vec::new(),
            waiting: Vec::new(),
            ended: Vec::new(),
            farewells: Vec::new(),
            sign_out_return: None,
            gone: Vec::new(),
            claimed: Vec::new(),
            signed_out: Vec::new(),
            automatic: Automatic::default(),
            round_trips: Vec::new(),
            active_at: UnixTime(0),
            userinfo: Vec::new(),
            proof_keys: Vec::new(),
            nonces: ServerNonces::default(),
            forgetting: Vec::new(),
            last_id: 0,
            seed: 0,
            is_framed: false,
            inheritance: Inheritance::Unknown,
            armed: None,
            effects: Vec::new(),
        }
    }

    /// The transition for `event` at `now`, as a function of values.
    pub fn step(mut self, now: UnixTime, event: Event) -> (Self, Vec<Effect>) {
        let effects = self.advance(now, event);
        (self, effects)
    }

    /// The transition for `event` at `now`, in place.
    ///
    /// Each event has a method of its own, which a driver may call instead: then an app carries the transitions that it
    /// can cause, and no others.
    pub fn advance(&mut self, now: UnixTime, event: Event) -> Vec<Effect> {
        match event {
            Event::Started(ConfigurationSource::Clients(clients)) => self.configured(clients, now),
            Event::Started(ConfigurationSource::File(name, read)) => self.started(name, read),
            Event::ClientAdded(client) => self.client_added(client),
            Event::Redirected { path, query, fragment } => self.redirected(&path, &query, &fragment),
            Event::SignInLikely(key) => self.discover(&key),
            #[cfg(feature = "step_up")]
            Event::SignIn { key, return_path, step_up, entropy, intent } => {
                self.sign_in(key, Wish::new(return_path.as_deref()).demanded(step_up), entropy, intent, now);
            }
            #[cfg(not(feature = "step_up"))]
            Event::SignIn { key, return_path, entropy, intent } => {
                self.sign_in(key, Wish::new(return_path.as_deref()), entropy, intent, now);
            }
            Event::CancelSignIn => self.cancel_sign_in(),
            Event::SignInByItself { key, return_path, is_quiet, entropy } => {
                let wish = Wish { is_quiet, ..Wish::new(return_path.as_deref()) };
                self.sign_in_by_itself(key, wish, entropy, now);
            }
            Event::Renew(key) => self.renew_now(&key, now),
            Event::SignOut(key) => self.sign_out(key, now),
            Event::SignOutAtServer { key, entropy } => self.sign_out_at_server(key, entropy, now),
            Event::Active => self.active(now),
            Event::Call { call, key, request } => self.call(call, key, request, now),
            Event::CancelCall(call) => self.cancel_call(call),
            Event::AskUserInfo(key) => self.ask_userinfo(key, now),
            Event::ProofKey { .. } if cfg!(not(feature = "dpop")) => {}
            Event::ProofKey { key, proof_key, is_kept } => {
                self.proof_key_found(&key, proof_key.as_ref(), is_kept, now);
            }
            Event::Fetched { fetch, outcome } => self.fetched(fetch, outcome, now),
            Event::Verified { verify, verdict } => self.verified(verify, verdict, now),
            Event::Read { name, record } => self.read(&name, record, now),
            Event::Taken { record } => self.taken(record, now),
            Event::Written { name, outcome } => self.written(name, outcome, now),
            Event::Listed { records } => self.listed(&records, now),
            Event::Locked { ask, lock, name } => self.locked(ask, lock, name, now),
            Event::SharedRead { ask, record } => self.shared_read(ask, record, now),
            Event::SharedWritten { ask, outcome } => self.shared_written(ask, outcome, now),
            Event::Heard(text) => self.heard(&text, now),
            Event::Woke => self.woke(now),
            Event::Resumed => self.resumed(now),
            Event::Restored => self.restored(now),
            Event::Framed => self.framed(),
            Event::Inherited { was_left, has_opener } => self.inherited(was_left, has_opener),
        }
        self.take_effects()
    }

    /// What the transitions since the last time ask for, in their order.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether there is anything that [`Self::take_effects`] would give.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "for the driver"))]
    pub(crate) fn asks_for_something(&self) -> bool {
        !self.effects.is_empty()
    }

    /// WebCrypto has answered.
    pub(crate) fn verified(&mut self, verify: VerifyId, verdict: Verdict, now: UnixTime) {
        let Some(verdict) = self.exchange_verified(verify, verdict, now) else { return };
        let Some(verdict) = self.renewal_verified(verify, verdict, now) else { return };
        self.userinfo_verified(verify, &verdict, now);
    }

    // Time

    /// Contract 6: asks to be woken at `at`, or a second from now if that has passed. Of all wishes the driver has the first.
    fn wake_at(&mut self, at: UnixTime, now: UnixTime) {
        let at = at.max(now.plus(Seconds(1)));
        if self.armed.is_none_or(|armed| at < armed || armed <= now) {
            self.armed = Some(at);
            self.effects.push(Effect::WakeAt(at));
        }
    }

    /// Does what is due. Whoever still waits asks to be woken again.
    pub(crate) fn woke(&mut self, now: UnixTime) {
        self.armed = None;
        self.keys_woke(now);
        self.sign_in_woke(now);
        self.farewells_go_on(now);
        self.idle_woke(now);
        self.upkeep_woke(now);
        self.round_trips_go_on(now);
    }

    /// Whose sessions these are: looked up first, because whatever is done about one may change the list.
    fn keys_of_sessions(&self, is_it: &dyn Fn(&Session) -> bool) -> Vec<ClientKey> {
        self.sessions.iter().filter(|session| is_it(session)).map(|session| session.key.clone()).collect()
    }

    // Fetches and records

    fn fetch(&mut self, request: HttpRequest) -> FetchId {
        self.fetch_with(request, None)
    }

    fn fetch_with(&mut self, request: HttpRequest, proof: Option<ProofOrder>) -> FetchId {
        self.last_id += 1;
        let fetch = FetchId(self.last_id);
        self.effects.push(Effect::Fetch { fetch, request, proof });
        fetch
    }

    fn ask_subtle(&mut self, verification: Verification) -> VerifyId {
        self.last_id += 1;
        let verify = VerifyId(self.last_id);
        self.effects.push(Effect::Verify { verify, verification });
        verify
    }

    fn write(&mut self, name: RecordName, record: Value) {
        self.effects.push(Effect::Write { name, record: Record(record) });
    }

    /// Contract 5: an answer whose id nobody knows any more is dropped.
    pub(crate) fn fetched(&mut self, fetch: FetchId, outcome: Result<HttpResponse, HttpFailure>, now: UnixTime) {
        if let Configuration::Loading(Some((id, ReadConfiguration(read)))) = self.configuration
            && id == fetch
        {
            let clients = read(outcome, &self.site);
            return self.configured(clients, now);
        }
        if let Some(exchanging) = self.take_exchanging(|exchanging| exchanging.fetch() == Some(fetch)) {
            return self.exchanged(exchanging, outcome, now);
        }
        let Some(outcome) = self.call_answered(fetch, outcome, now) else { return };
        let Some(outcome) = self.refresh_answered(fetch, outcome, now) else { return };
        let Some(outcome) = self.revocation_answered(fetch, outcome, now) else { return };
        #[cfg(feature = "restore")]
        let Some(outcome) = self.round_trip_answered(fetch, outcome, now) else { return };
        #[cfg(feature = "par")]
        let Some(outcome) = self.pushed(fetch, outcome, now) else { return };
        let Some(outcome) = self.keys_fetched(fetch, outcome, now) else { return };
        let is_it =
            |state: &DiscoveryState| matches!(state, DiscoveryState::Fetching { fetch: id, .. } if *id == fetch);
        if let Some(index) = self.discoveries.iter().position(|(_, state)| is_it(state))
            && let (key, DiscoveryState::Fetching { attempts, .. }) = self.discoveries.swap_remove(index)
        {
            self.metadata_fetched(&key, attempts, outcome, now);
        }
    }

    // The server's clock

    /// Takes the time off the answer to a POST.
    fn learn_clock(&mut self, issuer: &Issuer, response: Option<&HttpResponse>, now: UnixTime) {
        if let Some(difference) = response.and_then(|response| ClockDifference::learn(response, now)) {
            take_one(&mut self.clocks, |(known, _)| known == issuer);
            self.clocks.push((issuer.clone(), difference));
        }
    }

    /// How far the issuer's clock is from the one here; none, as far as is known.
    pub fn clock_of(&self, issuer: &Issuer) -> ClockDifference {
        self.clocks.iter().find(|(known, _)| known == issuer).map(|(_, difference)| *difference).unwrap_or_default()
    }
}
