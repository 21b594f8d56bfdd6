//! The flow: every transition of a sign-in, in one place.
//!
//! ```text
//!  SignIn ─► Discovering ─► Saving ─► Navigating ═══ redirect ═══► Taking ─► Exchanging ─► Session
//!               │              │          │                          │           │
//!               └── Failed ◄───┴─ (back) ─┘                          └─ Failed ◄─┘
//! ```
//!
//! Rule: a step takes the flow and an event, and gives the flow and effects. It reads no clock, draws no random
//! number, and awaits nothing; the driver does what it is told and decides nothing.
//!
//! The contracts, each beside its transition and each with a test of that name:
//! 1. the record is saved and read back before navigating (`written`);
//! 2. the record is dropped before the code is sent (`redirected`: `Take` precedes `Fetch`);
//! 3. a code is sent at most once, also when the answer is lost (`exchanged`: no path leads back to `Exchanging`);
//! 4. tokens are published only after every check passed (`exchanged`);
//! 5. an answer that arrives after sign-out is ignored (`fetched`: its id is no longer known);
//! 6. a wake-up is strictly later than the `now` that asked for it (`written`);
//! 7. an error response with an unknown `state` changes nothing (`taken`).

mod messages;
mod view;

pub use messages::{CallId, ConfigurationSource, Effect, Event, FetchId, Intent, ReadConfiguration};

use std::sync::Arc;

use super::authorization_request::{
    AuthorizationRequestError, Entropy, EntropyFailure, StorageFailure, authorization_request,
};
use super::authorization_response::AuthorizationResponse;
use super::client::{Client, ClientKey, ConfigurationError, Discovery, TokenStorage};
use super::error::Error;
use super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::json::Value;
use super::metadata::{self, Attempt, AttemptProblem, Metadata, MetadataError};
use super::pending_authorization::{PendingAuthorization, evict};
use super::protected_resource::{AllowedResources, ResourceError, ResourceRequest, protected_resource_request};
use super::return_path::ReturnPath;
use super::session::Session;
use super::site::Site;
use super::storage::{Record, RecordName};
use super::time::{Seconds, UnixTime};
use super::token_request::{Exchange, TokenRequest};
use super::token_response::{TokenError, TokenResponse};
use super::url::Url;

/// Everything that one page knows about its sign-ins.
pub struct Flow {
    site: Site,
    configuration: Configuration,
    discoveries: Vec<(ClientKey, DiscoveryState)>,
    sign_in: SignIn,
    callback: Callback,
    prepared: Option<(ClientKey, Url)>,
    sessions: Vec<Session>,
    calls: Vec<(CallId, FetchId, ClientKey)>,
    /// Clients that signed out and whose pending requests are still to be swept.
    forgetting: Vec<ClientKey>,
    last_fetch: u64,
    /// What this step asks for so far; empty between steps.
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

impl From<Result<Metadata, MetadataError>> for DiscoveryState {
    fn from(checked: Result<Metadata, MetadataError>) -> Self {
        checked.map_or_else(|error| Self::Failed(Arc::new(error.into())), Self::Ready)
    }
}

enum SignIn {
    Idle,
    Discovering { key: ClientKey, return_path: Option<ReturnPath>, entropy: Entropy, intent: Intent },
    Saving { pending: PendingAuthorization, url: Url, intent: Intent },
    Navigating { key: ClientKey, until: UnixTime },
    Failed { key: ClientKey, error: Arc<Error> },
}

enum Callback {
    Idle,
    Taking(AuthorizationResponse),
    Exchanging { fetch: FetchId, exchange: Exchange, sent_at: UnixTime },
    Failed(CallbackFailure),
}

/// Bounds of config.json: 10 s, 256 KiB.
const CONFIGURATION_LIMITS: Limits = Limits { deadline: Seconds(10), body: 256 * 1024 };

/// How long a button stays busy after navigating: a server may answer with a download, and then the page stays.
const NAVIGATION_PATIENCE: Seconds = Seconds(10);

/// How long metadata is kept in sessionStorage.
const METADATA_LIFETIME: Seconds = Seconds(60 * 60);

impl Flow {
    /// A flow that has been told nothing yet.
    pub fn new(site: Site) -> Self {
        Self {
            site,
            configuration: Configuration::Loading(None),
            discoveries: Vec::new(),
            sign_in: SignIn::Idle,
            callback: Callback::Idle,
            prepared: None,
            sessions: Vec::new(),
            calls: Vec::new(),
            forgetting: Vec::new(),
            last_fetch: 0,
            effects: Vec::new(),
        }
    }

    /// The transition for `event` at `now`.
    pub fn step(mut self, now: UnixTime, event: Event) -> (Self, Vec<Effect>) {
        match event {
            Event::Started(ConfigurationSource::Clients(clients)) => self.configured(clients),
            Event::Started(ConfigurationSource::File(name, read)) => self.started(name, read),
            Event::Redirected { query, fragment } => self.redirected(&query, &fragment),
            Event::SignInLikely(key) => self.discover(&key),
            Event::SignIn { key, return_path, entropy, intent } => {
                self.sign_in(key, return_path, entropy, intent, now);
            }
            Event::CancelSignIn => self.cancel_sign_in(),
            Event::SignOut(key) => self.sign_out(key),
            Event::Call { call, key, request } => self.call(call, key, request),
            Event::CancelCall(call) => {
                self.end_calls(&|(id, _, _)| *id == call, || ResourceError::Network(HttpFailure::Cancelled))
            }
            Event::Fetched { fetch, outcome } => self.fetched(fetch, outcome, now),
            Event::Read { name, record } => self.read(&name, record, now),
            Event::Taken { record } => self.taken(record, now),
            Event::Written { name, outcome } => self.written(name, outcome, now),
            Event::Listed { records } => self.listed(&records, now),
            Event::Woke => self.woke(now),
            Event::Restored => self.restored(),
        }
        let effects = std::mem::take(&mut self.effects);
        (self, effects)
    }

    // Configuration

    fn started(&mut self, name: &'static str, read: ReadConfiguration) {
        let Ok(url) = Url::parse(&self.site.url_of(name)) else { return };
        let fetch = self.fetch(HttpRequest {
            method: "GET".to_owned(),
            url,
            headers: Vec::new(),
            bearer: None,
            body: None,
            limits: CONFIGURATION_LIMITS,
        });
        self.configuration = Configuration::Loading(Some((fetch, read)));
    }

    fn configured(&mut self, clients: Result<Vec<Client>, ConfigurationError>) {
        self.configuration = match clients {
            Err(error) => Configuration::Failed(Arc::new(error.into())),
            Ok(clients) => {
                for client in &clients {
                    self.effects.push(Effect::Read(RecordName::metadata(&client.key.issuer)));
                    if client.token_storage == TokenStorage::Session {
                        self.effects.push(Effect::Read(RecordName::session(&client.key)));
                    }
                }
                Configuration::Ready(clients)
            }
        };
    }

    /// A record of an earlier page: a session is taken up, metadata saves a round trip, garbage is neither.
    fn read(&mut self, name: &RecordName, record: Option<Record>, now: UnixTime) {
        let Some(Record(record)) = record else { return };
        let policy = self.site.scheme_policy();
        let mut restored = None;
        let mut discovered = Vec::new();
        for client in self.clients() {
            if *name == RecordName::session(&client.key) && self.session(&client.key).is_none() {
                restored = Session::decode(&record, &client.key, policy);
            }
            if *name == RecordName::metadata(&client.key.issuer) && self.discovery(&client.key).is_none() {
                discovered.extend(cached_metadata(&record, client, &self.site, now));
            }
        }
        self.sessions.extend(restored);
        self.discoveries.extend(discovered);
    }

    // Metadata

    fn discover(&mut self, key: &ClientKey) {
        if let Some(DiscoveryState::Fetching { .. } | DiscoveryState::Ready(_)) = self.discovery(key) {
            return;
        }
        let Some(client) = self.client(key) else { return };
        match client.discovery {
            Discovery::Fetch => self.attempt(key, Vec::new()),
            Discovery::Configured => {
                let checked = client.configured_metadata(&self.site);
                self.discovered(key, checked.into());
            }
        }
    }

    /// Asks the next well-known URL; when all were asked, what is configured must do, or there is no metadata.
    fn attempt(&mut self, key: &ClientKey, attempts: Vec<Attempt>) {
        let is_hopeless =
            attempts.last().is_some_and(|last| last.problem == AttemptProblem::Failure(HttpFailure::Offline));
        let request = if is_hopeless { None } else { metadata::discovery_request(&key.issuer, attempts.len()) };
        let configured = || self.client(key)?.configured_metadata(&self.site).ok();
        let state = match request {
            Some(request) => DiscoveryState::Fetching { fetch: self.fetch(request), attempts },
            None => configured().ok_or(MetadataError::Unavailable { attempts }).into(),
        };
        self.discovered(key, state);
    }

    fn metadata_fetched(
        &mut self,
        key: &ClientKey,
        mut attempts: Vec<Attempt>,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) {
        let policy = self.site.scheme_policy();
        let Some(client) = self.client(key) else { return };
        match metadata::read_document(outcome) {
            Ok(document) => {
                let checked = Metadata::check(&document, &client.metadata, &key.issuer, policy);
                if checked.is_ok() {
                    let record = Value::object(vec![
                        ("fetched_at", Some(Value::from(now.0))),
                        ("document", Some(metadata::used_members(&document))),
                    ]);
                    self.write(RecordName::metadata(&key.issuer), record);
                }
                self.discovered(key, checked.into());
            }
            Err(problem) => {
                let url = metadata::well_known_urls(&key.issuer).into_iter().nth(attempts.len());
                attempts.push(Attempt { url: url.unwrap_or_default(), problem });
                self.attempt(key, attempts);
            }
        }
        self.proceed(now);
    }

    // Authorization request

    fn sign_in(
        &mut self,
        key: ClientKey,
        return_path: Option<String>,
        entropy: Result<Entropy, EntropyFailure>,
        intent: Intent,
        now: UnixTime,
    ) {
        // A second click while one sign-in is on its way changes nothing.
        if self.activity() != Activity::Idle || self.client(&key).is_none() {
            return;
        }
        self.callback = Callback::Idle;
        self.prepared = None;
        let Ok(entropy) = entropy else {
            self.sign_in = SignIn::Failed { key, error: Arc::new(AuthorizationRequestError::Entropy.into()) };
            return;
        };
        self.discover(&key);
        let return_path = return_path.as_deref().and_then(ReturnPath::parse);
        self.sign_in = SignIn::Discovering { key, return_path, entropy, intent };
        self.proceed(now);
    }

    /// Makes the request as soon as the metadata is there.
    fn proceed(&mut self, now: UnixTime) {
        let SignIn::Discovering { key, return_path, entropy, intent } = &self.sign_in else { return };
        let Some(client) = self.client(key) else { return };
        let request = match self.discovery(key) {
            None | Some(DiscoveryState::Fetching { .. }) => return,
            Some(DiscoveryState::Failed(error)) => Err(error.clone()),
            Some(DiscoveryState::Ready(metadata)) => {
                let request = authorization_request(client, metadata, &self.site, return_path.clone(), entropy, now);
                request.map_err(|error| Arc::new(error.into()))
            }
        };
        self.sign_in = match request {
            Err(error) => SignIn::Failed { key: key.clone(), error },
            Ok((url, pending)) => {
                self.effects.push(Effect::List);
                SignIn::Saving { pending, url, intent: *intent }
            }
        };
    }

    /// Sweeps what is stale or was signed out, makes room for one more, and writes it.
    fn listed(&mut self, records: &[(RecordName, Option<Record>)], now: UnixTime) {
        let policy = self.site.scheme_policy();
        let forgetting = std::mem::take(&mut self.forgetting);
        let mut kept = Vec::new();
        let mut created = Vec::new();
        for (name, record) in records.iter().filter(|(name, _)| name.is_pending()) {
            let pending = record.as_ref().and_then(|Record(record)| PendingAuthorization::decode(record, policy));
            match pending {
                Some(pending) if pending.is_current(now) && !forgetting.contains(pending.key()) => {
                    kept.push(name);
                    created.push(pending.created_at());
                }
                _ => self.effects.push(Effect::Remove(name.clone())),
            }
        }
        if let SignIn::Saving { pending, .. } = &self.sign_in {
            for index in evict(&created, now) {
                self.effects.push(Effect::Remove(kept[index].clone()));
            }
            self.write(RecordName::pending(&pending.state), pending.encode());
        }
    }

    /// Contract 1: only a record that was read back unchanged lets anybody leave the page.
    fn written(&mut self, name: RecordName, outcome: Result<Option<Record>, StorageFailure>, now: UnixTime) {
        let read_back = |written: &Value| match &outcome {
            Ok(Some(Record(record))) if record == written => Ok(()),
            Ok(_) => Err(StorageFailure::Altered),
            Err(failure) => Err(*failure),
        };
        if let Some(session) = self.sessions.iter_mut().find(|session| name == RecordName::session(&session.key)) {
            if read_back(&session.encode()).is_err() {
                // The session lives on in this page, and says so; no older one may come back at the next reload.
                session.token_storage = TokenStorage::Memory;
                self.effects.push(Effect::Remove(name));
            }
            return;
        }
        match std::mem::replace(&mut self.sign_in, SignIn::Idle) {
            SignIn::Saving { pending, url, intent } if name == RecordName::pending(&pending.state) => {
                match (read_back(&pending.encode()), intent) {
                    (Err(failure), _) => {
                        let error = Arc::new(AuthorizationRequestError::Storage(failure).into());
                        self.sign_in = SignIn::Failed { key: pending.key, error };
                        self.effects.push(Effect::Remove(name));
                    }
                    (Ok(()), Intent::Show) => self.prepared = Some((pending.key, url)),
                    (Ok(()), Intent::Navigate) => {
                        // Contract 6: the patience is not zero, so the wake-up is later than now.
                        let until = now.plus(NAVIGATION_PATIENCE);
                        self.sign_in = SignIn::Navigating { key: pending.key, until };
                        self.effects.push(Effect::Navigate(url));
                        self.effects.push(Effect::WakeAt(until));
                    }
                }
            }
            other => self.sign_in = other,
        }
    }

    fn cancel_sign_in(&mut self) {
        if let Callback::Exchanging { fetch, exchange, .. } = &self.callback {
            self.effects.push(Effect::CancelFetch(*fetch));
            let origin = (exchange.key.clone(), exchange.return_path.clone());
            self.refuse(TokenError::Network(HttpFailure::Cancelled), Some(origin));
        } else if let SignIn::Discovering { key, .. } = &self.sign_in {
            let key = key.clone();
            self.sign_in = SignIn::Idle;
            self.cancel_discovery(&key);
        }
    }

    /// The person is back on a page that had left: nothing is on its way any more.
    fn restored(&mut self) {
        if matches!(self.sign_in, SignIn::Navigating { .. }) {
            self.sign_in = SignIn::Idle;
        }
    }

    fn woke(&mut self, now: UnixTime) {
        match self.sign_in {
            SignIn::Navigating { until, .. } if until <= now => self.restored(),
            // A clock that was turned back meanwhile: ask again.
            SignIn::Navigating { until, .. } => self.effects.push(Effect::WakeAt(until)),
            _ => {}
        }
    }

    // Authorization response

    /// Contract 2: the record is taken, that is read and removed, before there is anything to send.
    fn redirected(&mut self, query: &str, fragment: &str) {
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
    fn taken(&mut self, record: Option<Record>, now: UnixTime) {
        let Callback::Taking(response) = std::mem::replace(&mut self.callback, Callback::Idle) else { return };
        let policy = self.site.scheme_policy();
        let pending = record.and_then(|Record(record)| PendingAuthorization::decode(&record, policy));
        let Some(pending) = pending else { return self.refuse(response.unknown_state(), None) };
        let origin = (pending.key.clone(), pending.return_path.clone());
        match pending.complete(&response, now) {
            Err(error) => self.refuse(error, Some(origin)),
            Ok(grant) => {
                let TokenRequest { http, exchange } = TokenRequest::new(grant);
                let fetch = self.fetch(http);
                self.callback = Callback::Exchanging { fetch, exchange, sent_at: now };
            }
        }
    }

    /// Contracts 3 and 4: whatever came, the exchange is over; only a checked response becomes a session.
    fn exchanged(&mut self, exchange: Exchange, sent_at: UnixTime, outcome: Result<HttpResponse, HttpFailure>) {
        match TokenResponse::read(outcome) {
            Err(error) => self.refuse(error, Some((exchange.key, exchange.return_path))),
            Ok(response) => {
                let session = Session::new(&exchange, response, sent_at);
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

    fn refuse(&mut self, error: impl Into<Error>, origin: Option<(ClientKey, Option<ReturnPath>)>) {
        let (key, return_path) = origin.map_or((None, None), |(key, path)| (Some(key), path));
        self.callback = Callback::Failed(CallbackFailure { error: Arc::new(error.into()), key, return_path });
    }

    // Session

    fn sign_out(&mut self, key: ClientKey) {
        self.end_calls(&|(_, _, owner)| *owner == key, || ResourceError::SignedOut);
        if let Callback::Exchanging { fetch, exchange, .. } = &self.callback
            && exchange.key == key
        {
            self.effects.push(Effect::CancelFetch(*fetch));
            self.callback = Callback::Idle;
        }
        // Nothing of this client may be written after it was forgotten.
        self.cancel_discovery(&key);
        let is_ours = match &self.sign_in {
            SignIn::Discovering { key: owner, .. } | SignIn::Failed { key: owner, .. } => *owner == key,
            SignIn::Saving { pending, .. } => pending.key == key,
            SignIn::Idle | SignIn::Navigating { .. } => false,
        };
        if is_ours {
            self.sign_in = SignIn::Idle;
        }
        self.prepared.take_if(|(owner, _)| *owner == key);
        self.sessions.retain(|session| session.key != key);
        self.effects.push(Effect::Remove(RecordName::session(&key)));
        self.effects.push(Effect::Remove(RecordName::metadata(&key.issuer)));
        self.effects.push(Effect::List);
        self.forgetting.push(key);
    }

    // Protected resources

    fn call(&mut self, call: CallId, key: ClientKey, request: ResourceRequest) {
        let allowed = self.allowed_resources(&key);
        let built = match self.session(&key) {
            None => Err(ResourceError::SignedOut),
            Some(session) => protected_resource_request(session, &allowed, request),
        };
        match built {
            Err(error) => self.effects.push(Effect::Answer { call, outcome: Err(error) }),
            Ok(request) => {
                let fetch = self.fetch(request);
                self.calls.push((call, fetch, key));
            }
        }
    }

    /// Ends calls that nobody waits for any more; each gets an `error` as its answer.
    fn end_calls(&mut self, is_ended: &dyn Fn(&(CallId, FetchId, ClientKey)) -> bool, error: fn() -> ResourceError) {
        while let Some(index) = self.calls.iter().position(is_ended) {
            let (call, fetch, _) = self.calls.remove(index);
            self.effects.push(Effect::CancelFetch(fetch));
            self.effects.push(Effect::Answer { call, outcome: Err(error()) });
        }
    }

    // Fetches and records

    fn fetch(&mut self, request: HttpRequest) -> FetchId {
        self.last_fetch += 1;
        let fetch = FetchId(self.last_fetch);
        self.effects.push(Effect::Fetch { fetch, request });
        fetch
    }

    fn write(&mut self, name: RecordName, record: Value) {
        self.effects.push(Effect::Write { name, record: Record(record) });
    }

    /// Contract 5: an answer whose id nobody knows any more is dropped.
    fn fetched(&mut self, fetch: FetchId, outcome: Result<HttpResponse, HttpFailure>, now: UnixTime) {
        if let Configuration::Loading(Some((id, ReadConfiguration(read)))) = self.configuration
            && id == fetch
        {
            let clients = read(outcome, &self.site);
            return self.configured(clients);
        }
        match std::mem::replace(&mut self.callback, Callback::Idle) {
            Callback::Exchanging { fetch: id, exchange, sent_at } if id == fetch => {
                return self.exchanged(exchange, sent_at, outcome);
            }
            other => self.callback = other,
        }
        if let Some(index) = self.calls.iter().position(|(_, id, _)| *id == fetch) {
            let (call, _, _) = self.calls.swap_remove(index);
            self.effects.push(Effect::Answer { call, outcome: outcome.map_err(ResourceError::Network) });
            return;
        }
        let is_it =
            |state: &DiscoveryState| matches!(state, DiscoveryState::Fetching { fetch: id, .. } if *id == fetch);
        if let Some(index) = self.discoveries.iter().position(|(_, state)| is_it(state))
            && let (key, DiscoveryState::Fetching { attempts, .. }) = self.discoveries.swap_remove(index)
        {
            self.metadata_fetched(&key, attempts, outcome, now);
        }
    }

    fn discovered(&mut self, key: &ClientKey, state: DiscoveryState) {
        self.discoveries.retain(|(known, _)| known != key);
        self.discoveries.push((key.clone(), state));
    }

    /// Drops a discovery that is on its way; one that is done stays, for it says nothing about anybody.
    fn cancel_discovery(&mut self, key: &ClientKey) {
        if let Some(DiscoveryState::Fetching { fetch, .. }) = self.discovery(key) {
            self.effects.push(Effect::CancelFetch(*fetch));
            self.discoveries.retain(|(known, _)| known != key);
        }
    }
}

/// Metadata as an earlier page of this tab stored it, checked again; `None` if it is too old or no longer fits.
fn cached_metadata(record: &Value, client: &Client, site: &Site, now: UnixTime) -> Option<(ClientKey, DiscoveryState)> {
    let fetched_at = UnixTime(record.member("fetched_at")?.as_whole_number()?);
    if client.discovery != Discovery::Fetch || now.since(fetched_at) > METADATA_LIFETIME {
        return None;
    }
    let document = record.member("document")?;
    let checked = Metadata::check(document, &client.metadata, &client.key.issuer, site.scheme_policy()).ok()?;
    Some((client.key.clone(), DiscoveryState::Ready(checked)))
}
