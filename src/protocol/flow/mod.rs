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

pub use messages::{CallId, ConfigurationSource, Effect, Event, FetchId, Intent, ReadConfiguration};

use super::authorization_request::{
    AuthorizationRequestError, Entropy, EntropyFailure, StorageFailure, authorization_request, is_kept,
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
}

/// What is known of the configuration.
pub enum Configuration {
    /// It has not arrived.
    Loading(Option<(FetchId, ReadConfiguration)>),
    /// The clients in their order.
    Ready(Vec<Client>),
    /// There is none that can be used.
    Failed(ConfigurationError),
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
    pub error: Error,
    /// Whose it was, if the pending request was found.
    pub key: Option<ClientKey>,
    /// Where the person was, for another try.
    pub return_path: Option<ReturnPath>,
}

enum DiscoveryState {
    Fetching { fetch: FetchId, attempts: Vec<Attempt> },
    Ready(Metadata),
    Failed(MetadataError),
}

enum SignIn {
    Idle,
    Discovering { key: ClientKey, return_path: Option<ReturnPath>, entropy: Entropy, intent: Intent },
    Saving { pending: PendingAuthorization, url: Url, intent: Intent },
    Navigating { key: ClientKey, until: UnixTime },
    Failed { key: ClientKey, error: Error },
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
        }
    }

    /// The transition for `event` at `now`.
    pub fn step(mut self, now: UnixTime, event: Event) -> (Self, Vec<Effect>) {
        let effects = match event {
            Event::Started(ConfigurationSource::Clients(clients)) => self.configured(clients),
            Event::Started(ConfigurationSource::File(name, read)) => self.started(name, read),
            Event::Redirected { query, fragment } => self.redirected(&query, &fragment),
            Event::SignInLikely(key) => self.discover(&key),
            Event::SignIn { key, return_path, entropy, intent } => self.sign_in(key, return_path, entropy, intent, now),
            Event::CancelSignIn => self.cancel_sign_in(),
            Event::SignOut(key) => self.sign_out(key),
            Event::Call { call, key, request } => self.call(call, key, request),
            Event::CancelCall(call) => self.end_calls(&|(id, _, _)| *id == call, HttpFailure::Cancelled.into()),
            Event::Fetched { fetch, outcome } => self.fetched(fetch, outcome, now),
            Event::Read { name, record } => self.read(&name, record, now),
            Event::Taken { record } => self.taken(record, now),
            Event::Written { name, outcome } => self.written(&name, outcome, now),
            Event::Listed { records } => self.listed(&records, now),
            Event::Woke => self.woke(now),
            Event::Restored => self.restored(),
        };
        (self, effects)
    }

    // Configuration

    fn started(&mut self, name: &'static str, read: ReadConfiguration) -> Vec<Effect> {
        let Ok(url) = Url::parse(&self.site.url_of(name)) else { return Vec::new() };
        let request = HttpRequest {
            method: "GET".to_owned(),
            url,
            headers: Vec::new(),
            bearer: None,
            body: None,
            limits: CONFIGURATION_LIMITS,
        };
        let (fetch, effect) = self.fetch(request);
        self.configuration = Configuration::Loading(Some((fetch, read)));
        vec![effect]
    }

    fn configured(&mut self, clients: Result<Vec<Client>, ConfigurationError>) -> Vec<Effect> {
        match clients {
            Err(error) => {
                self.configuration = Configuration::Failed(error);
                Vec::new()
            }
            Ok(clients) => {
                let mut effects = Vec::new();
                for client in &clients {
                    effects.push(Effect::Read(RecordName::metadata(&client.key.issuer)));
                    if client.token_storage == TokenStorage::Session {
                        effects.push(Effect::Read(RecordName::session(&client.key)));
                    }
                }
                self.configuration = Configuration::Ready(clients);
                effects
            }
        }
    }

    /// A record of an earlier page: a session is taken up, metadata saves a round trip, garbage is neither.
    fn read(&mut self, name: &RecordName, record: Option<Record>, now: UnixTime) -> Vec<Effect> {
        let Some(Record(record)) = record else { return Vec::new() };
        let policy = self.site.scheme_policy();
        let mut restored = Vec::new();
        let mut discovered = Vec::new();
        for client in self.clients() {
            if *name == RecordName::session(&client.key) && self.session(&client.key).is_none() {
                restored.extend(Session::decode(&record, &client.key, policy));
            }
            if *name == RecordName::metadata(&client.key.issuer) && self.discovery(&client.key).is_none() {
                discovered.extend(cached_metadata(&record, client, &self.site, now));
            }
        }
        self.sessions.extend(restored);
        self.discoveries.extend(discovered);
        Vec::new()
    }

    // Metadata

    fn discover(&mut self, key: &ClientKey) -> Vec<Effect> {
        if let Some(DiscoveryState::Fetching { .. } | DiscoveryState::Ready(_)) = self.discovery(key) {
            return Vec::new();
        }
        let Some(client) = self.client(key) else { return Vec::new() };
        match client.discovery {
            Discovery::Fetch => self.attempt(key, Vec::new()).into_iter().collect(),
            Discovery::Configured => {
                let document = Value::object(vec![("issuer", Some(Value::string(key.issuer.as_str())))]);
                let checked = Metadata::check(&document, &client.metadata, &key.issuer, self.site.scheme_policy());
                self.discovered(key, checked.map_or_else(DiscoveryState::Failed, DiscoveryState::Ready));
                Vec::new()
            }
        }
    }

    /// Asks the next well-known URL, if there is one that was not asked.
    fn attempt(&mut self, key: &ClientKey, attempts: Vec<Attempt>) -> Option<Effect> {
        let request = metadata::discovery_request(&key.issuer, attempts.len())?;
        let (fetch, effect) = self.fetch(request);
        self.discovered(key, DiscoveryState::Fetching { fetch, attempts });
        Some(effect)
    }

    fn metadata_fetched(
        &mut self,
        key: &ClientKey,
        mut attempts: Vec<Attempt>,
        outcome: Result<HttpResponse, HttpFailure>,
        now: UnixTime,
    ) -> Vec<Effect> {
        let policy = self.site.scheme_policy();
        let Some(client) = self.client(key) else { return Vec::new() };
        let fallback = client.configured_metadata(&self.site);
        let overrides = client.metadata.clone();
        let (state, mut effects) = match metadata::read_document(outcome) {
            Ok(document) => match Metadata::check(&document, &overrides, &key.issuer, policy) {
                Ok(checked) => {
                    let record = Value::object(vec![
                        ("fetched_at", Some(Value::from(now.0))),
                        ("document", Some(metadata::used_members(&document))),
                    ]);
                    let name = RecordName::metadata(&key.issuer);
                    let write = Effect::Write { name, record: Record(record) };
                    (DiscoveryState::Ready(checked), vec![write])
                }
                Err(error) => (DiscoveryState::Failed(error), Vec::new()),
            },
            Err(problem) => {
                let hopeless = problem == AttemptProblem::Failure(HttpFailure::Offline);
                let url = metadata::well_known_urls(&key.issuer).into_iter().nth(attempts.len());
                attempts.push(Attempt { url: url.unwrap_or_default(), problem });
                if !hopeless && let Some(effect) = self.attempt(key, attempts.clone()) {
                    return vec![effect];
                }
                let failed = DiscoveryState::Failed(MetadataError::Unavailable { attempts });
                (fallback.map_or(failed, DiscoveryState::Ready), Vec::new())
            }
        };
        self.discovered(key, state);
        effects.extend(self.proceed(now));
        effects
    }

    // Authorization request

    fn sign_in(
        &mut self,
        key: ClientKey,
        return_path: Option<String>,
        entropy: Result<Entropy, EntropyFailure>,
        intent: Intent,
        now: UnixTime,
    ) -> Vec<Effect> {
        // A second click while one sign-in is on its way changes nothing.
        if self.activity() != Activity::Idle || self.client(&key).is_none() {
            return Vec::new();
        }
        self.callback = Callback::Idle;
        self.prepared = None;
        let Ok(entropy) = entropy else {
            self.sign_in = SignIn::Failed { key, error: AuthorizationRequestError::Entropy.into() };
            return Vec::new();
        };
        let return_path = return_path.as_deref().and_then(ReturnPath::parse);
        let mut effects = self.discover(&key);
        self.sign_in = SignIn::Discovering { key, return_path, entropy, intent };
        effects.extend(self.proceed(now));
        effects
    }

    /// Makes the request as soon as the metadata is there.
    fn proceed(&mut self, now: UnixTime) -> Vec<Effect> {
        let SignIn::Discovering { key, .. } = &self.sign_in else { return Vec::new() };
        let metadata = match self.discovery(key) {
            Some(DiscoveryState::Ready(metadata)) => Ok(metadata.clone()),
            Some(DiscoveryState::Failed(error)) => Err(error.clone()),
            Some(DiscoveryState::Fetching { .. }) | None => return Vec::new(),
        };
        let SignIn::Discovering { key, return_path, entropy, intent } =
            std::mem::replace(&mut self.sign_in, SignIn::Idle)
        else {
            return Vec::new();
        };
        let Some(client) = self.client(&key) else { return Vec::new() };
        let request = metadata.map_err(Error::from).and_then(|metadata| {
            authorization_request(client, &metadata, &self.site, return_path, &entropy, now).map_err(Error::from)
        });
        match request {
            Err(error) => {
                self.sign_in = SignIn::Failed { key, error };
                Vec::new()
            }
            Ok((url, pending)) => {
                self.sign_in = SignIn::Saving { pending, url, intent };
                vec![Effect::List]
            }
        }
    }

    /// Sweeps what is stale or was signed out, makes room for one more, and writes it.
    fn listed(&mut self, records: &[(RecordName, Option<Record>)], now: UnixTime) -> Vec<Effect> {
        let policy = self.site.scheme_policy();
        let forgetting = std::mem::take(&mut self.forgetting);
        let mut effects = Vec::new();
        let mut kept = Vec::new();
        for (name, record) in records.iter().filter(|(name, _)| name.is_pending()) {
            let pending = record.as_ref().and_then(|Record(record)| PendingAuthorization::decode(record, policy));
            match pending {
                Some(pending) if pending.is_current(now) && !forgetting.contains(pending.key()) => {
                    kept.push((name, pending.created_at()));
                }
                _ => effects.push(Effect::Remove(name.clone())),
            }
        }
        if let SignIn::Saving { pending, .. } = &self.sign_in {
            let created: Vec<UnixTime> = kept.iter().map(|(_, created_at)| *created_at).collect();
            let evicted = evict(&created, now).into_iter().map(|index| Effect::Remove(kept[index].0.clone()));
            effects.extend(evicted);
            let name = RecordName::pending(&pending.state);
            effects.push(Effect::Write { name, record: Record(pending.encode()) });
        }
        effects
    }

    /// Contract 1: only a record that was read back unchanged lets anybody leave the page.
    fn written(
        &mut self,
        name: &RecordName,
        outcome: Result<Option<Record>, StorageFailure>,
        now: UnixTime,
    ) -> Vec<Effect> {
        if outcome.is_err()
            && let Some(session) = self.sessions.iter_mut().find(|session| *name == RecordName::session(&session.key))
        {
            // The session lives on in this page; where it lives is shown.
            session.token_storage = TokenStorage::Memory;
            return Vec::new();
        }
        match std::mem::replace(&mut self.sign_in, SignIn::Idle) {
            SignIn::Saving { pending, url, intent } if *name == RecordName::pending(&pending.state) => {
                let kept = outcome.and_then(|record| {
                    let read_back = record.as_ref().map(|Record(record)| record);
                    if is_kept(&pending, read_back) { Ok(()) } else { Err(StorageFailure::Altered) }
                });
                match (kept, intent) {
                    (Err(failure), _) => {
                        let error = AuthorizationRequestError::Storage(failure).into();
                        self.sign_in = SignIn::Failed { key: pending.key, error };
                        vec![Effect::Remove(name.clone())]
                    }
                    (Ok(()), Intent::Show) => {
                        self.prepared = Some((pending.key, url));
                        Vec::new()
                    }
                    (Ok(()), Intent::Navigate) => {
                        // Contract 6: the patience is not zero, so the wake-up is later than now.
                        let until = now.plus(NAVIGATION_PATIENCE);
                        self.sign_in = SignIn::Navigating { key: pending.key, until };
                        vec![Effect::Navigate(url), Effect::WakeAt(until)]
                    }
                }
            }
            other => {
                self.sign_in = other;
                Vec::new()
            }
        }
    }

    fn cancel_sign_in(&mut self) -> Vec<Effect> {
        match (&self.sign_in, &self.callback) {
            (_, Callback::Exchanging { fetch, exchange, .. }) => {
                let cancel = Effect::CancelFetch(*fetch);
                let failure = CallbackFailure {
                    error: TokenError::Network(HttpFailure::Cancelled).into(),
                    key: Some(exchange.key.clone()),
                    return_path: exchange.return_path.clone(),
                };
                self.callback = Callback::Failed(failure);
                vec![cancel]
            }
            (SignIn::Discovering { key, .. }, _) => {
                let key = key.clone();
                self.sign_in = SignIn::Idle;
                self.forget_discovery(&key).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The person is back on a page that had left: nothing is on its way any more.
    fn restored(&mut self) -> Vec<Effect> {
        if matches!(self.sign_in, SignIn::Navigating { .. }) {
            self.sign_in = SignIn::Idle;
        }
        Vec::new()
    }

    fn woke(&mut self, now: UnixTime) -> Vec<Effect> {
        match self.sign_in {
            SignIn::Navigating { until, .. } if until <= now => self.restored(),
            // A clock that was turned back meanwhile: ask again.
            SignIn::Navigating { until, .. } => vec![Effect::WakeAt(until)],
            _ => Vec::new(),
        }
    }

    // Authorization response

    /// Contract 2: the record is taken, that is read and removed, before there is anything to send.
    fn redirected(&mut self, query: &str, fragment: &str) -> Vec<Effect> {
        if !matches!(self.callback, Callback::Idle) {
            return Vec::new();
        }
        match AuthorizationResponse::parse(query, fragment) {
            Err(error) => self.refuse(error, None),
            Ok(None) => Vec::new(),
            Ok(Some(response)) => match response.state() {
                None => self.refuse(response.unknown_state(), None),
                Some(state) => {
                    self.callback = Callback::Taking(response);
                    vec![Effect::Take(RecordName::pending(&state))]
                }
            },
        }
    }

    /// Contract 7: where there is no record, nothing but the answer shown changes.
    fn taken(&mut self, record: Option<Record>, now: UnixTime) -> Vec<Effect> {
        let Callback::Taking(response) = std::mem::replace(&mut self.callback, Callback::Idle) else {
            return Vec::new();
        };
        let policy = self.site.scheme_policy();
        let pending = record.and_then(|Record(record)| PendingAuthorization::decode(&record, policy));
        let Some(pending) = pending else { return self.refuse(response.unknown_state(), None) };
        let origin = (pending.key.clone(), pending.return_path.clone());
        match pending.complete(&response, now) {
            Err(error) => self.refuse(error, Some(origin)),
            Ok(grant) => {
                let TokenRequest { http, exchange } = TokenRequest::new(grant);
                let (fetch, effect) = self.fetch(http);
                self.callback = Callback::Exchanging { fetch, exchange, sent_at: now };
                vec![effect]
            }
        }
    }

    /// Contracts 3 and 4: whatever came, the exchange is over; only a checked response becomes a session.
    fn exchanged(
        &mut self,
        exchange: &Exchange,
        sent_at: UnixTime,
        outcome: Result<HttpResponse, HttpFailure>,
    ) -> Vec<Effect> {
        match TokenResponse::read(outcome) {
            Err(error) => {
                let origin = (exchange.key.clone(), exchange.return_path.clone());
                self.refuse(error, Some(origin))
            }
            Ok(response) => {
                let session = Session::new(exchange, response, sent_at);
                let mut effects = Vec::new();
                if session.token_storage == TokenStorage::Session {
                    let name = RecordName::session(&session.key);
                    effects.push(Effect::Write { name, record: Record(session.encode()) });
                }
                // Another person's session at this server ends before this one begins.
                self.sessions.retain(|known| known.key != session.key);
                self.sessions.push(session);
                self.callback = Callback::Idle;
                let path = exchange.return_path.as_ref().map_or(self.site.base_path(), ReturnPath::as_str);
                effects.push(Effect::ReplaceRoute(path.to_owned()));
                effects
            }
        }
    }

    fn refuse(&mut self, error: impl Into<Error>, origin: Option<(ClientKey, Option<ReturnPath>)>) -> Vec<Effect> {
        let (key, return_path) = origin.map_or((None, None), |(key, path)| (Some(key), path));
        self.callback = Callback::Failed(CallbackFailure { error: error.into(), key, return_path });
        Vec::new()
    }

    // Session

    fn sign_out(&mut self, key: ClientKey) -> Vec<Effect> {
        let mut effects = self.end_calls(&|(_, _, owner)| *owner == key, ResourceError::SignedOut);
        if matches!(&self.callback, Callback::Exchanging { exchange, .. } if exchange.key == key) {
            effects.extend(self.cancel_sign_in());
            self.callback = Callback::Idle;
        }
        if !matches!(self.activity(), Activity::Navigating(_)) {
            self.sign_in = SignIn::Idle;
        }
        self.sessions.retain(|session| session.key != key);
        self.prepared = None;
        effects.push(Effect::Remove(RecordName::session(&key)));
        effects.push(Effect::Remove(RecordName::metadata(&key.issuer)));
        effects.push(Effect::List);
        self.forgetting.push(key);
        effects
    }

    // Protected resources

    fn call(&mut self, call: CallId, key: ClientKey, request: ResourceRequest) -> Vec<Effect> {
        let allowed = self.allowed_resources(&key);
        let built = match self.session(&key) {
            None => Err(ResourceError::SignedOut),
            Some(session) => protected_resource_request(session, &allowed, request),
        };
        match built {
            Err(error) => vec![Effect::Answer { call, outcome: Err(error) }],
            Ok(request) => {
                let (fetch, effect) = self.fetch(request);
                self.calls.push((call, fetch, key));
                vec![effect]
            }
        }
    }

    /// Ends calls that nobody waits for any more; each gets `error` as its answer.
    fn end_calls(
        &mut self,
        ended: &dyn Fn(&(CallId, FetchId, ClientKey)) -> bool,
        error: ResourceError,
    ) -> Vec<Effect> {
        let (ended, kept) = std::mem::take(&mut self.calls).into_iter().partition(ended);
        self.calls = kept;
        let ended: Vec<(CallId, FetchId, ClientKey)> = ended;
        let both = |(call, fetch, _): (CallId, FetchId, ClientKey)| {
            [Effect::CancelFetch(fetch), Effect::Answer { call, outcome: Err(error.clone()) }]
        };
        ended.into_iter().flat_map(both).collect()
    }

    // Fetches

    fn fetch(&mut self, request: HttpRequest) -> (FetchId, Effect) {
        self.last_fetch += 1;
        let fetch = FetchId(self.last_fetch);
        (fetch, Effect::Fetch { fetch, request })
    }

    /// Contract 5: an answer whose id nobody knows any more is dropped.
    fn fetched(&mut self, fetch: FetchId, outcome: Result<HttpResponse, HttpFailure>, now: UnixTime) -> Vec<Effect> {
        if let Configuration::Loading(Some((id, ReadConfiguration(read)))) = self.configuration
            && id == fetch
        {
            let clients = read(outcome, &self.site);
            return self.configured(clients);
        }
        if let Callback::Exchanging { fetch: id, exchange, sent_at } = &self.callback
            && *id == fetch
        {
            let (exchange, sent_at) = (exchange.clone(), *sent_at);
            return self.exchanged(&exchange, sent_at, outcome);
        }
        if let Some(index) = self.calls.iter().position(|(_, id, _)| *id == fetch) {
            let (call, _, _) = self.calls.swap_remove(index);
            return vec![Effect::Answer { call, outcome: outcome.map_err(ResourceError::Network) }];
        }
        let discovery = self.discoveries.iter_mut().find_map(|(key, state)| match state {
            DiscoveryState::Fetching { fetch: id, attempts } if *id == fetch => {
                Some((key.clone(), std::mem::take(attempts)))
            }
            _ => None,
        });
        match discovery {
            Some((key, attempts)) => self.metadata_fetched(&key, attempts, outcome, now),
            None => Vec::new(),
        }
    }

    // What the page may look at

    /// The configuration.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The configured clients; empty until the configuration is there.
    pub fn clients(&self) -> &[Client] {
        match &self.configuration {
            Configuration::Ready(clients) => clients,
            Configuration::Loading(_) | Configuration::Failed(_) => &[],
        }
    }

    /// The client of `key`, if it is configured.
    pub fn client(&self, key: &ClientKey) -> Option<&Client> {
        self.clients().iter().find(|client| client.key == *key)
    }

    /// What is known of the server's metadata: `None` if nothing yet.
    pub fn metadata(&self, key: &ClientKey) -> Option<Result<&Metadata, &MetadataError>> {
        match self.discovery(key)? {
            DiscoveryState::Fetching { .. } => None,
            DiscoveryState::Ready(metadata) => Some(Ok(metadata)),
            DiscoveryState::Failed(error) => Some(Err(error)),
        }
    }

    /// The session of `key`.
    pub fn session(&self, key: &ClientKey) -> Option<&Session> {
        self.sessions.iter().find(|session| session.key == *key)
    }

    /// All sessions of this page.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// What is being done for the person.
    pub fn activity(&self) -> Activity {
        match (&self.callback, &self.sign_in) {
            (Callback::Taking(_), _) => Activity::Receiving,
            (Callback::Exchanging { exchange, .. }, _) => Activity::Exchanging(exchange.key.clone()),
            (_, SignIn::Discovering { key, .. }) => Activity::Discovering(key.clone()),
            (_, SignIn::Navigating { key, .. }) => Activity::Navigating(key.clone()),
            (_, SignIn::Saving { pending, .. }) => Activity::Navigating(pending.key.clone()),
            _ => Activity::Idle,
        }
    }

    /// Why the last sign-in at `key` did not leave the page.
    pub fn sign_in_error(&self, key: &ClientKey) -> Option<&Error> {
        match &self.sign_in {
            SignIn::Failed { key: failed, error } if failed == key => Some(error),
            _ => None,
        }
    }

    /// Why the response that this page began with was not accepted.
    pub fn callback_failure(&self) -> Option<&CallbackFailure> {
        match &self.callback {
            Callback::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// The authorization request that was made to be shown.
    pub fn prepared(&self, key: &ClientKey) -> Option<&Url> {
        self.prepared.as_ref().filter(|(owner, _)| owner == key).map(|(_, url)| url)
    }

    /// The places that the token of `key` may be sent to.
    pub fn allowed_resources(&self, key: &ClientKey) -> AllowedResources {
        let metadata = self.metadata(key).and_then(Result::ok);
        self.client(key).map(|client| AllowedResources::new(client, metadata)).unwrap_or_default()
    }

    /// Where the app is served.
    pub fn site(&self) -> &Site {
        &self.site
    }

    fn discovery(&self, key: &ClientKey) -> Option<&DiscoveryState> {
        self.discoveries.iter().find(|(known, _)| known == key).map(|(_, state)| state)
    }

    fn discovered(&mut self, key: &ClientKey, state: DiscoveryState) {
        self.discoveries.retain(|(known, _)| known != key);
        self.discoveries.push((key.clone(), state));
    }

    /// Drops a discovery that is on its way.
    fn forget_discovery(&mut self, key: &ClientKey) -> Option<Effect> {
        let index = self.discoveries.iter().position(|(known, _)| known == key)?;
        let DiscoveryState::Fetching { fetch, .. } = self.discoveries[index].1 else { return None };
        self.discoveries.swap_remove(index);
        Some(Effect::CancelFetch(fetch))
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
