//! Client and server together: pages that run the real flow, a network that delays and loses, a clock turned by hand.

use std::collections::{BTreeMap, BTreeSet};

use leptos_pkce::protocol::authorization_request::Entropy;
use leptos_pkce::protocol::challenge::StepUp;
use leptos_pkce::protocol::client::{Client, ClientKey, ClientSettings};
use leptos_pkce::protocol::dpop::ProofOrder;
use leptos_pkce::protocol::flow::{CallId, ConfigurationSource, Effect, Event, FetchId, Flow, Intent, SessionEvent};
use leptos_pkce::protocol::http::{HttpFailure, HttpRequest, HttpResponse};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::protected_resource::{ResourceError, ResourceRequest};
use leptos_pkce::protocol::renewal::Lock;
use leptos_pkce::protocol::secret::AccessToken;
use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::storage::{Record, RecordName};
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::Url;
use leptos_pkce::sandbox::http::{Delivery, Request, Response};
use leptos_pkce::sandbox::switches::Switches;
use rand::{Rng as _, RngCore as _};

use crate::person::{BASE, ISSUER, Person};
use crate::verify::Bound;

/// What the network does to messages.
#[derive(Clone, Copy)]
pub(crate) struct Network {
    /// The longest a message takes, in milliseconds.
    pub(crate) latency: u64,
    /// How many of a hundred messages are lost, requests and answers alike.
    pub(crate) loss: u32,
}

/// One that does nothing to them.
pub(crate) const CALM: Network = Network { latency: 0, loss: 0 };

/// Something that will happen.
enum Happening {
    /// A request reaches the server.
    Arrival(FetchId, HttpRequest),
    /// An answer, or the lack of one, reaches the page.
    Answer(FetchId, Result<HttpResponse, HttpFailure>),
    /// The person is sent back to this place of the site, with this query.
    Return(String, String),
    /// A timer of the page.
    Woke,
}

/// A refresh token that a page has sent.
pub(crate) struct Presented {
    pub(crate) token: String,
    /// When, in seconds.
    pub(crate) at: u64,
    /// By which page.
    pub(crate) page: u64,
    fetch: FetchId,
    /// The status of the answer, if one came whole, to the page that asked.
    pub(crate) status: Option<u16>,
    /// Whether tokens were in it.
    pub(crate) is_granted: bool,
}

pub(crate) struct World {
    pub(crate) person: Person,
    pub(crate) network: Network,
    site: Site,
    settings: ClientSettings,
    bound: Bound,
    flow: Option<Flow>,
    /// Counted up when a page is left: what was meant for an older one reaches nobody.
    pub(crate) page: u64,
    now_ms: u64,
    queue: BTreeMap<(u64, u64), (u64, Happening)>,
    sequence: u64,
    waiting: BTreeSet<u64>,
    storage: BTreeMap<String, String>,
    calls: u64,
    /// Codes that the page has sent.
    pub(crate) codes_sent: Vec<String>,
    /// Refresh tokens that pages have sent, in their order.
    pub(crate) presented: Vec<Presented>,
    /// What the app was told.
    pub(crate) announced: Vec<SessionEvent>,
    /// Where the person was sent.
    pub(crate) left_for: Vec<Url>,
    /// Every URL that a page has fetched.
    pub(crate) asked: Vec<String>,
    /// How often the person was sent to the server.
    pub(crate) departures: u32,
    pub(crate) lost: u32,
    pub(crate) answered: Vec<Result<HttpResponse, ResourceError>>,
    /// How long the person thinks before the answer goes back, in seconds.
    pub(crate) thinking: u64,
    pub(crate) says_no: bool,
    pub(crate) steps: u64,
}

/// What the sandbox's client is configured with.
pub(crate) fn settings() -> ClientSettings {
    ClientSettings {
        issuer: Some(ISSUER.to_owned()),
        client_id: "workbench".to_owned(),
        scope: Some("openid photos:read".to_owned()),
        resources: vec![("Photos".to_owned(), format!("{ISSUER}api"))],
        ..ClientSettings::default()
    }
}

/// The same with a refresh token.
pub(crate) fn lasting() -> ClientSettings {
    ClientSettings {
        scope: Some("openid offline_access photos:read".to_owned()),
        token_storage: Some("session".to_owned()),
        ..settings()
    }
}

/// Somebody who has signed in at an honest server, which misbehaves in these ways from then on.
#[track_caller]
pub(crate) fn signed_in(settings: ClientSettings, switches: &[&'static str]) -> World {
    let mut world = World::of(Person::new(), CALM, settings);
    world.click_sign_in();
    world.settle();
    assert_eq!(world.error_code(), None);
    assert_eq!(world.take_announced(), [SessionEvent::SignedIn]);
    world.switch(switches);
    world
}

impl World {
    pub(crate) fn new(person: Person, network: Network, token_storage: &'static str) -> Self {
        Self::of(person, network, ClientSettings { token_storage: Some(token_storage.to_owned()), ..settings() })
    }

    /// A world whose client is configured so.
    pub(crate) fn of(person: Person, network: Network, settings: ClientSettings) -> Self {
        let mut world = Self {
            now_ms: person.now * 1000,
            person,
            network,
            site: Site::parse(BASE).expect("the base is a URL"),
            settings,
            bound: Bound::new(),
            flow: None,
            page: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            waiting: BTreeSet::new(),
            storage: BTreeMap::new(),
            calls: 0,
            codes_sent: Vec::new(),
            presented: Vec::new(),
            announced: Vec::new(),
            left_for: Vec::new(),
            asked: Vec::new(),
            departures: 0,
            lost: 0,
            answered: Vec::new(),
            thinking: 5,
            says_no: false,
            steps: 0,
        };
        world.open(None);
        world
    }

    /// The page begins anew; with a query at the callback, else at the base.
    pub(crate) fn open(&mut self, query: Option<&str>) {
        let base = self.site.base_path().to_owned();
        match query {
            Some(query) => self.open_at(&format!("{base}callback"), query),
            None => self.open_at(&base, ""),
        }
    }

    /// The page begins anew, with these in its address bar.
    pub(crate) fn open_at(&mut self, path: &str, query: &str) {
        self.page += 1;
        self.waiting.clear();
        self.flow = Some(Flow::new(self.site.clone()));
        let (path, query, fragment) = (path.to_owned(), query.to_owned(), String::new());
        self.happen(Event::Redirected { path, query, fragment });
        let settings = self.settings.clone();
        let client = Client::new(settings, &self.site).expect("the client is configured well");
        self.happen(Event::Started(ConfigurationSource::Clients(Ok(vec![client]))));
    }

    pub(crate) fn flow(&self) -> &Flow {
        self.flow.as_ref().expect("a page is open")
    }

    pub(crate) fn key(&self) -> ClientKey {
        self.flow().clients()[0].key().clone()
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.flow().session(&self.key()).is_some()
    }

    /// The code of what went wrong, if something did.
    pub(crate) fn error_code(&self) -> Option<&'static str> {
        let before = self.flow().sign_in_error(&self.key()).map(|error| error.code());
        before.or_else(|| self.flow().callback_failure().map(|failure| failure.error.code()))
    }

    /// The names of the records that this tab has.
    pub(crate) fn stored(&self) -> Vec<String> {
        self.storage.keys().cloned().collect()
    }

    /// Where sessions are kept.
    pub(crate) fn storage(&self) -> &str {
        self.settings.token_storage.as_deref().unwrap_or("memory")
    }

    /// Whether somebody is signed in at the server.
    pub(crate) fn is_signed_in_there(&mut self) -> bool {
        let answer = self.person.sign_in(&[("prompt", "none"), ("scope", "openid photos:read")]);
        crate::person::value(&answer, "error").as_deref() != Some("login_required")
    }

    /// Who is signed in.
    pub(crate) fn sub(&self) -> Option<String> {
        self.flow().session(&self.key())?.claims().map(|claims| claims.sub().to_owned())
    }

    /// The session's access token, as it is.
    pub(crate) fn access_token(&self) -> String {
        let session = self.flow().session(&self.key()).expect("a session");
        session.access_token().expose().to_owned()
    }

    /// Why the session ended, if nobody ended it.
    pub(crate) fn end_code(&self) -> Option<&'static str> {
        self.flow().session_end(&self.key()).map(|error| error.code())
    }

    /// What the app was told since the last time.
    pub(crate) fn take_announced(&mut self) -> Vec<SessionEvent> {
        std::mem::take(&mut self.announced)
    }

    /// The server misbehaves in these ways from now on, and in no other.
    pub(crate) fn switch(&mut self, switches: &[&'static str]) {
        self.person.sandbox.state.switches = Switches::on(switches.iter().copied()).expect("they exist");
    }

    fn entropy(&mut self) -> Entropy {
        let mut octets = [0; 96];
        self.person.rng.fill_bytes(&mut octets);
        Entropy(octets)
    }

    pub(crate) fn click_sign_in(&mut self) {
        let (key, entropy) = (self.key(), Ok(self.entropy()));
        self.happen(Event::SignIn { key, return_path: None, step_up: None, entropy, intent: Intent::Navigate });
    }

    pub(crate) fn sign_out(&mut self) {
        let key = self.key();
        self.happen(Event::SignOut(key));
    }

    /// Signs out here, and at the server.
    pub(crate) fn sign_out_at_server(&mut self) {
        let (key, entropy) = (self.key(), Ok(self.entropy()));
        self.happen(Event::SignOutAtServer { key, entropy });
    }

    /// The app wants new tokens.
    pub(crate) fn renew(&mut self) {
        let key = self.key();
        self.happen(Event::Renew(key));
    }

    pub(crate) fn ask_userinfo(&mut self) {
        let key = self.key();
        self.happen(Event::AskUserInfo(key));
    }

    /// Signs in once more as an API demands it.
    pub(crate) fn step_up(&mut self, demand: StepUp) {
        let (key, entropy) = (self.key(), Ok(self.entropy()));
        self.happen(Event::SignIn { key, return_path: None, step_up: Some(demand), entropy, intent: Intent::Navigate });
    }

    pub(crate) fn call_api(&mut self) {
        self.call("api/photos");
    }

    /// Calls what lies here below the issuer.
    pub(crate) fn call(&mut self, path: &str) {
        self.calls += 1;
        let request = ResourceRequest {
            method: "GET".to_owned(),
            url: format!("{ISSUER}{path}"),
            headers: Vec::new(),
            body: None,
        };
        let (call, key) = (CallId(self.calls), self.key());
        self.happen(Event::Call { call, key, request });
    }

    /// Lets everything happen that is on its way; what is due in more than a minute is not.
    pub(crate) fn settle(&mut self) {
        while self.queue.first_key_value().is_some_and(|((at, _), _)| *at <= self.now_ms + 60_000) {
            self.step();
            assert!(self.steps < 10_000, "something spins for ever");
        }
    }

    /// Lets so many seconds pass, and what is due in them happen.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let (until, first) = (self.now_ms + seconds * 1000, self.steps);
        while self.queue.first_key_value().is_some_and(|((at, _), _)| *at <= until) {
            self.step();
            assert!(self.steps < first + 10_000, "something spins for ever");
        }
        self.set_clock(until);
    }

    /// The page is looked at again.
    pub(crate) fn resume(&mut self) {
        self.happen(Event::Resumed);
    }

    /// The computer sleeps for so many seconds; connections break.
    pub(crate) fn doze(&mut self, seconds: u64) {
        for (_, happening) in self.queue.values_mut() {
            match happening {
                Happening::Answer(_, outcome) if outcome.is_ok() => *outcome = Err(HttpFailure::Unreachable),
                Happening::Arrival(fetch, _) => *happening = Happening::Answer(*fetch, Err(HttpFailure::Unreachable)),
                _ => {}
            }
        }
        self.set_clock(self.now_ms + seconds * 1000);
    }

    fn set_clock(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        self.person.now = now_ms / 1000;
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) -> bool {
        let Some(((at, _), (page, happening))) = self.queue.pop_first() else { return false };
        self.steps += 1;
        self.set_clock(self.now_ms.max(at));
        match happening {
            Happening::Return(path, query) => self.open_at(&path, &query),
            Happening::Arrival(fetch, request) => self.serve(page, fetch, request),
            Happening::Woke if page == self.page => self.happen(Event::Woke),
            Happening::Answer(fetch, outcome) if page == self.page && self.waiting.remove(&fetch.0) => {
                self.note_answer(fetch, &outcome);
                self.happen(Event::Fetched { fetch, outcome });
            }
            Happening::Woke | Happening::Answer(..) => {}
        }
        true
    }

    /// Notes what a refresh token brought.
    fn note_answer(&mut self, fetch: FetchId, outcome: &Result<HttpResponse, HttpFailure>) {
        let is_it = |sent: &&mut Presented| (sent.page, sent.fetch) == (self.page, fetch);
        if let (Some(sent), Ok(response)) = (self.presented.iter_mut().find(is_it), outcome) {
            sent.status = Some(response.status);
            sent.is_granted = Value::parse(&response.body).is_ok_and(|answer| answer.member("access_token").is_some());
        }
    }

    fn happen(&mut self, event: Event) {
        let mut events = vec![event];
        while !events.is_empty() {
            let flow = self.flow.take().expect("a page is open");
            let (flow, effects) = flow.step(UnixTime(self.now_ms / 1000), events.remove(0));
            self.flow = Some(flow);
            for effect in effects {
                events.extend(self.perform(effect));
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Fetch { fetch, request, proof } => self.fetch(fetch, request, proof.as_ref()),
            Effect::ProofKey(key) => {
                return Some(Event::ProofKey { key, proof_key: Some(self.bound.public()), is_kept: true });
            }
            Effect::ForgetProofKey(_) => {}
            Effect::Verify { verify, verification } => {
                return Some(Event::Verified { verify, verdict: crate::verify::verdict(&verification) });
            }
            Effect::CancelFetch(fetch) => drop(self.waiting.remove(&fetch.0)),
            Effect::Read(name) => {
                let record = self.read(&name);
                return Some(Event::Read { name, record });
            }
            Effect::Take(name) => {
                let record = self.read(&name);
                self.storage.remove(name.as_str());
                return Some(Event::Taken { record });
            }
            Effect::Write { name, record: Record(record) } => {
                self.storage.insert(name.as_str().to_owned(), record.to_text());
                let outcome = Ok(self.read(&name));
                return Some(Event::Written { name, outcome });
            }
            Effect::Remove(name) => drop(self.storage.remove(name.as_str())),
            Effect::List => {
                let names = self.storage.keys().cloned().filter_map(RecordName::found);
                return Some(Event::Listed { records: names.map(|name| (name.clone(), self.read(&name))).collect() });
            }
            Effect::Navigate(url) => self.leave(&url),
            Effect::ReplaceRoute(_) => {}
            Effect::Answer { outcome, .. } => self.answered.push(outcome),
            // One tab, whose tokens no other one shares.
            Effect::Lock { ask, name, .. } => return Some(Event::Locked { ask, lock: Lock::Held, name }),
            Effect::Unlock(_) | Effect::Post(_) | Effect::RemoveShared(_) => {}
            Effect::Announce(_, event) => self.announced.push(event),
            Effect::ReadShared { ask, .. } => return Some(Event::SharedRead { ask, record: Ok(None) }),
            Effect::WriteShared { ask, .. } => return Some(Event::SharedWritten { ask, outcome: Ok(true) }),
            Effect::SignInQuietly(key) => {
                let entropy = Ok(self.entropy());
                return Some(Event::SignInByItself { key, return_path: None, is_quiet: true, entropy });
            }
            Effect::WakeAt(at) => self.later((at.0 * 1000).saturating_sub(self.now_ms), Happening::Woke),
        }
        None
    }

    fn read(&self, name: &RecordName) -> Option<Record> {
        Value::parse(self.storage.get(name.as_str())?.as_bytes()).ok().map(Record)
    }

    /// A request on its way: delayed, perhaps lost, and given up at its deadline as `browser/fetch.rs` does.
    fn fetch(&mut self, fetch: FetchId, mut request: HttpRequest, order: Option<&ProofOrder>) {
        assert_ne!(request.url.without_query(), format!("{ISSUER}authorize"), "AUT-12: nobody fetches it");
        self.asked.push(request.url.without_query().to_owned());
        if let Some(order) = order {
            let mut jti = [0; 16];
            self.person.rng.fill_bytes(&mut jti);
            let proof = self.bound.prove(order, &request, &jti, UnixTime(self.now_ms / 1000)).expect("a proof");
            request.headers.push(("dpop".to_owned(), proof.expose().to_owned()));
        }
        if let Some(body) = &request.body {
            let code = body.split('&').find_map(|pair| pair.strip_prefix("code="));
            self.codes_sent.extend(code.map(str::to_owned));
            let token = body.split('&').find_map(|pair| pair.strip_prefix("refresh_token=")).map(str::to_owned);
            let (at, page) = (self.now_ms / 1000, self.page);
            let presented = |token| Presented { token, at, page, fetch, status: None, is_granted: false };
            self.presented.extend(token.map(presented));
        }
        self.waiting.insert(fetch.0);
        let after = request.limits.deadline;
        self.later(after.0 * 1000, Happening::Answer(fetch, Err(HttpFailure::Timeout { after })));
        let latency = self.latency();
        match self.is_lost() {
            true => self.later(latency, Happening::Answer(fetch, Err(HttpFailure::Unreachable))),
            false => self.later(latency, Happening::Arrival(fetch, request)),
        }
    }

    /// What a Service Worker does with an answer.
    fn serve(&mut self, page: u64, fetch: FetchId, request: HttpRequest) {
        let limit = request.limits.body;
        let mut headers = request.headers;
        let scheme = if headers.iter().any(|(name, _)| name == "dpop") { "DPoP" } else { "Bearer" };
        let credentials = |token: AccessToken| ("authorization".to_owned(), format!("{scheme} {}", token.expose()));
        headers.extend(request.bearer.map(credentials));
        let body = request.body.unwrap_or_default().into_bytes();
        let response = self.person.send(&Request { method: request.method, url: request.url, headers, body });
        let Response { status, headers, body, delivery } = response;
        let whole = Ok(HttpResponse { status, headers, body });
        let (delay, outcome) = match delivery {
            // A fetch that follows no redirect cannot read one either.
            _ if (300..400).contains(&status) => (0, Err(HttpFailure::Unreachable)),
            Delivery::AtOnce => (0, whole),
            Delivery::After(delay) => (delay.0 * 1000, whole),
            Delivery::Endless => (0, Err(HttpFailure::BodyTooLarge { limit })),
            Delivery::Lost => (0, Err(HttpFailure::Unreachable)),
        };
        let outcome = if self.is_lost() { Err(HttpFailure::Unreachable) } else { outcome };
        let delay = delay + self.latency();
        self.sequence += 1;
        self.queue.insert((self.now_ms + delay, self.sequence), (page, Happening::Answer(fetch, outcome)));
    }

    /// The person goes to the server, answers its pages, and comes back after a while.
    fn leave(&mut self, url: &Url) {
        self.departures += 1;
        self.left_for.push(url.clone());
        if url.without_query() == format!("{ISSUER}end_session") {
            return self.leave_to_sign_out(url);
        }
        let response = self.person.get(url.as_str());
        let parameters = if self.says_no && response.status == 200 {
            let page = crate::person::text(&response);
            let login = page.contains("/sandbox/login");
            let path = if login { "login" } else { "consent" };
            let form_value = crate::person::form_value(&page);
            let no = [("form_value", form_value.as_str()), ("cancel", "1")];
            crate::person::redirected(&self.person.post(&format!("{ISSUER}{path}"), &no))
        } else {
            self.person.answer(response, "alice")
        };
        let pairs: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let query = leptos_pkce::protocol::form::encode(&pairs);
        self.come_back(format!("{}callback", self.site.base_path()), query);
    }

    /// The person signs out at the server, or says there that they stay, and comes back; by the page's link if they are not sent.
    fn leave_to_sign_out(&mut self, url: &Url) {
        let mut response = self.person.get(url.as_str());
        let page = crate::person::text(&response);
        if page.contains("/sandbox/sign-out") {
            let form_value = crate::person::form_value(&page);
            let answer = if self.says_no { "stay" } else { "sign_out" };
            response = self.person.post(&format!("{ISSUER}sign-out"), &[("form_value", &form_value), (answer, "1")]);
        }
        let sent_to = crate::person::header(&response, "location").unwrap_or(BASE);
        let url = Url::parse(sent_to).expect("people are sent to a URL");
        self.come_back(url.path().to_owned(), url.query().unwrap_or_default().to_owned());
    }

    fn come_back(&mut self, path: String, query: String) {
        self.later(self.thinking * 1000, Happening::Return(path, query));
    }

    fn later(&mut self, delay: u64, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now_ms + delay, self.sequence), (self.page, happening));
    }

    fn latency(&mut self) -> u64 {
        self.person.rng.random_range(0..=self.network.latency)
    }

    fn is_lost(&mut self) -> bool {
        let is_lost = self.person.rng.random_range(0..100) < self.network.loss;
        self.lost += u32::from(is_lost);
        is_lost
    }
}
