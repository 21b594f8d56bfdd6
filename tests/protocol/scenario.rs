//! A browser tab without a browser: the flow, with its effects performed against storage, a clock and servers that a
//! test scripts.
//!
//! A [`Scenario`] is written down before the page opens; [`Scenario::run`] signs in and comes back,
//! [`Scenario::open`] leaves every step to the test. The [`Tab`] remembers what was done, in order.

use std::collections::{BTreeMap, VecDeque};

use leptos_pkce::protocol::authorization_request::{
    AuthorizationRequestError, Departure, Entropy, EntropyFailure, StorageFailure, Wish, authorization_request,
};
use leptos_pkce::protocol::authorization_response::{AuthorizationGrant, AuthorizationResponse, CallbackError};
use leptos_pkce::protocol::challenge::StepUp;
use leptos_pkce::protocol::client::{Client, ClientKey};
use leptos_pkce::protocol::configuration::{parse_configuration, read_configuration};
use leptos_pkce::protocol::dpop::{ProofKey, ProofOrder};
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{
    AskId, CallId, ConfigurationSource, Effect, Event, FetchId, Flow, Intent, ReadConfiguration, SessionEvent,
};
use leptos_pkce::protocol::form;
use leptos_pkce::protocol::http::{HttpFailure, HttpRequest, HttpResponse};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::jws::{Verdict, Verification};
use leptos_pkce::protocol::metadata::Metadata;
use leptos_pkce::protocol::pending_authorization::PendingAuthorization;
use leptos_pkce::protocol::protected_resource::{ResourceError, ResourceRequest};
use leptos_pkce::protocol::renewal::Lock;
use leptos_pkce::protocol::return_path::ReturnPath;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::storage::{Record, RecordName};
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::{SchemePolicy, Url};
use leptos_pkce::protocol::vocabulary::{ClientId, Issuer};
use serde_json::json;

use crate::answers::{TOKENS, document, html};
use crate::browser::Server;
use crate::id_tokens::{self, JWKS_URI};

pub(crate) const PAGE: &str = "https://app.example/";
pub(crate) const CONFIGURATION: &str = "https://app.example/config.json";
pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const DISCOVERY: &str = "https://as.example/.well-known/openid-configuration";
pub(crate) const DISCOVERY_8414: &str = "https://as.example/.well-known/oauth-authorization-server";
pub(crate) const AUTHORIZATION_ENDPOINT: &str = "https://as.example/authorize";
pub(crate) const TOKEN_ENDPOINT: &str = "https://as.example/token";
pub(crate) const OTHER_ISSUER: &str = "https://other.example";
pub(crate) const API: &str = "https://api.example/photos";
pub(crate) const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA";
pub(crate) const ACCESS_TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";
/// The key of RFC 9449's examples.
pub(crate) const RFC_9449_KEY: [&str; 2] =
    ["l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"];
pub(crate) const START: u64 = 1_700_000_000;

/// What is fixed before the page opens.
#[derive(Clone)]
pub(crate) struct Scenario {
    page: &'static str,
    servers: Vec<serde_json::Value>,
    metadata: serde_json::Value,
    answers: BTreeMap<String, Option<Result<HttpResponse, HttpFailure>>>,
    storage: Storage,
    entropy: Option<u8>,
    response: String,
    fragment: String,
    return_path: Option<String>,
    later: u64,
    verdict: fn(&Verification) -> Verdict,
}

/// sessionStorage: text by name, and what is wrong with it.
#[derive(Clone, Default)]
pub(crate) struct Storage {
    pub(crate) records: BTreeMap<String, String>,
    /// localStorage, which all tabs share.
    pub(crate) of_origin: BTreeMap<String, String>,
    pub(crate) fault: Option<StorageFault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum StorageFault {
    Alters,
    Blocked,
    Drops,
    Full,
}

/// A tab, its pages one after another, and everything that was done in it.
pub(crate) struct Tab {
    site: Site,
    flow: Option<Flow>,
    answers: BTreeMap<String, Option<Result<HttpResponse, HttpFailure>>>,
    arriving: VecDeque<Event>,
    entropy: Option<u8>,
    verdict: fn(&Verification) -> Verdict,
    /// The path that responses come to, if it is not that of the request's redirect URI.
    pub(crate) callback: Option<String>,
    pub(crate) now: u64,
    pub(crate) storage: Storage,
    /// Every effect in a few words, in order.
    pub(crate) trace: Vec<String>,
    /// The Debug output of every effect.
    pub(crate) debug: String,
    pub(crate) sent: Vec<(FetchId, HttpRequest)>,
    /// What the proof of each request was to be made with.
    pub(crate) proofs: Vec<Option<ProofOrder>>,
    pub(crate) proof_key: Option<ProofKey>,
    /// Whether the browser keeps that key while the page is away.
    pub(crate) proof_key_is_kept: bool,
    pub(crate) navigations: Vec<Url>,
    pub(crate) answered: Vec<(CallId, Result<HttpResponse, ResourceError>)>,
    /// What all tabs share: version and record, by name.
    pub(crate) shared: BTreeMap<String, (String, String)>,
    /// Whether the browser keeps such records at all.
    pub(crate) shared_is_blocked: bool,
    /// Whether the browser reads and removes what tabs share, but writes no more of it.
    pub(crate) shared_is_full: bool,
    /// What becomes of a wish for a lock; `None` is never, or what a test says later.
    pub(crate) lock: Option<Lock>,
    pub(crate) locks: Vec<String>,
    /// Whether the page before noted that it was left, and whether a window opened this one.
    pub(crate) inherits: (bool, bool),
    /// How long each lock was to be waited for, in seconds.
    pub(crate) patience: Vec<u64>,
    /// The locks that are waited for.
    pub(crate) wished: Vec<(AskId, String)>,
    pub(crate) posted: Vec<String>,
    pub(crate) announced: Vec<SessionEvent>,
    /// When the page asked to be woken.
    pub(crate) wakes: Vec<u64>,
    /// When it will be: browsers have one timer for it.
    alarm: Option<u64>,
    /// Answers refreshes in the place of what is scripted.
    pub(crate) server: Option<Server>,
}

impl Scenario {
    /// The client `spa` at one server, plain OAuth, tokens in memory, one API; everything goes well.
    pub(crate) fn public_client() -> Self {
        let server = json!({
            "issuer": ISSUER, "client_id": "spa", "scope": "photos:read",
            "resources": [{ "name": "Photos", "url": API }],
        });
        Self {
            page: PAGE,
            servers: vec![server],
            metadata: metadata_of(ISSUER),
            answers: BTreeMap::from([(TOKEN_ENDPOINT.to_owned(), Some(document(TOKENS)))]),
            storage: Storage::default(),
            entropy: Some(0),
            response: format!("code={CODE}&state={{state}}"),
            fragment: String::new(),
            return_path: None,
            later: 60,
            verdict: id_tokens::yes,
        }
    }

    /// Asks for an ID token too.
    pub(crate) fn openid(self) -> Self {
        let id_token = id_tokens::compact(&id_tokens::header(), &id_tokens::claims());
        self.configured("scope", json!("openid photos:read"))
            .metadata("jwks_uri", json!(JWKS_URI))
            .metadata("id_token_signing_alg_values_supported", json!(["ES256"]))
            .answering(JWKS_URI, id_tokens::keys(&[id_tokens::key("1")]))
            .token_answer(id_tokens::tokens(&id_token))
    }

    /// The ID token has these claims instead of its own; `null` removes one.
    pub(crate) fn claims(self, changes: serde_json::Value) -> Self {
        self.id_token(serde_json::Value::Null, changes)
    }

    /// The ID token has these header members and claims instead of its own; `null` removes one.
    pub(crate) fn id_token(self, header: serde_json::Value, changes: serde_json::Value) -> Self {
        let [mut whole_header, mut claims] = [id_tokens::header(), id_tokens::claims()];
        for (whole, changes) in [(&mut whole_header, header), (&mut claims, changes)] {
            for (name, value) in changes.as_object().cloned().unwrap_or_default() {
                set(whole, &name, value);
            }
        }
        self.token_answer(id_tokens::tokens(&id_tokens::compact(&whole_header, &claims)))
    }

    /// What WebCrypto says.
    pub(crate) fn verdict(mut self, verdict: fn(&Verification) -> Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    /// A member of the first server's configuration; `null` removes it.
    pub(crate) fn configured(mut self, member: &str, value: serde_json::Value) -> Self {
        set(&mut self.servers[0], member, value);
        self
    }

    /// A second server with a client of its own; it lives in the same tab, and its answers come to another address.
    pub(crate) fn second_server(mut self) -> Self {
        let redirect_uri = format!("{PAGE}callback/other");
        self.servers.push(json!({ "issuer": OTHER_ISSUER, "client_id": "other spa", "redirect_uri": redirect_uri }));
        let well_known = format!("{OTHER_ISSUER}/.well-known/openid-configuration");
        let token = document(TOKENS);
        self.answering(&well_known, document(metadata_of(OTHER_ISSUER).to_string()))
            .answering(&format!("{OTHER_ISSUER}/token"), token)
    }

    /// A second client at the first server; its sessions are kept.
    pub(crate) fn second_client(mut self) -> Self {
        let client = json!({
            "issuer": ISSUER, "client_id": "second", "scope": "openid", "token_storage": "session",
        });
        self.servers.push(client);
        self
    }

    /// A second server that is asked for ID tokens too, with keys of its own by the same names.
    pub(crate) fn second_openid_server(mut self) -> Self {
        self.servers.push(json!({
            "issuer": OTHER_ISSUER, "client_id": "other spa", "scope": "openid", "token_storage": "session",
            "redirect_uri": format!("{PAGE}callback/other"),
            "resources": [{ "name": "Other", "url": format!("{OTHER_ISSUER}/api") }],
        }));
        let mut metadata = metadata_of(OTHER_ISSUER);
        let jwks_uri = format!("{OTHER_ISSUER}/jwks");
        set(&mut metadata, "jwks_uri", json!(jwks_uri));
        set(&mut metadata, "id_token_signing_alg_values_supported", json!(["ES256"]));
        self.answering(&format!("{OTHER_ISSUER}/.well-known/openid-configuration"), document(metadata.to_string()))
            .answering(&jwks_uri, id_tokens::keys(&[id_tokens::key_of(6, "1")]))
    }

    /// A member of the second server's configuration; `null` removes it.
    pub(crate) fn configured_second(mut self, member: &str, value: serde_json::Value) -> Self {
        set(&mut self.servers[1], member, value);
        self
    }

    /// A member of the first server's metadata; `null` removes it.
    pub(crate) fn metadata(mut self, member: &str, value: serde_json::Value) -> Self {
        set(&mut self.metadata, member, value);
        self
    }

    /// What the server at `url` answers from now on.
    pub(crate) fn answering(mut self, url: &str, answer: Result<HttpResponse, HttpFailure>) -> Self {
        self.answers.insert(url.to_owned(), Some(answer));
        self
    }

    /// The server at `url` lets everybody wait.
    pub(crate) fn silent(mut self, url: &str) -> Self {
        self.answers.insert(url.to_owned(), None);
        self
    }

    pub(crate) fn token_answer(self, answer: Result<HttpResponse, HttpFailure>) -> Self {
        self.answering(TOKEN_ENDPOINT, answer)
    }

    /// The token response is this JSON.
    pub(crate) fn tokens(self, body: &str) -> Self {
        self.token_answer(document(body))
    }

    pub(crate) fn storage(mut self, fault: StorageFault) -> Self {
        self.storage.fault = Some(fault);
        self
    }

    pub(crate) fn without_entropy(mut self) -> Self {
        self.entropy = None;
        self
    }

    /// The page is served here.
    pub(crate) fn page(mut self, base: &'static str) -> Self {
        self.page = base;
        self
    }

    /// The query that comes back; `{state}` stands for the state that was sent.
    pub(crate) fn response(mut self, query: &str) -> Self {
        query.clone_into(&mut self.response);
        self
    }

    /// The fragment that comes back.
    pub(crate) fn fragment(mut self, fragment: &str) -> Self {
        fragment.clone_into(&mut self.fragment);
        self
    }

    /// The server refuses.
    pub(crate) fn refused(self, error: &str) -> Self {
        self.response(&format!("error={error}&state={{state}}"))
    }

    /// Where the person is when they sign in.
    pub(crate) fn from(mut self, path: &str) -> Self {
        self.return_path = Some(path.to_owned());
        self
    }

    /// Seconds between request and response.
    pub(crate) fn later(mut self, seconds: u64) -> Self {
        self.later = seconds;
        self
    }

    /// The metadata of the first server.
    pub(crate) fn metadata_text() -> String {
        metadata_of(ISSUER).to_string()
    }

    pub(crate) fn site(&self) -> Site {
        Site::parse(self.page).expect("scenarios are served at a URL")
    }

    /// Opens the page.
    pub(crate) fn open(&self) -> Tab {
        let configuration = json!({ "authorization_servers": self.servers }).to_string();
        let mut answers = self.answers.clone();
        for (url, answer) in [
            (format!("{}config.json", self.page), document(configuration)),
            (DISCOVERY.to_owned(), document(self.metadata.to_string())),
        ] {
            answers.entry(url).or_insert(Some(answer));
        }
        let mut tab = Tab {
            site: self.site(),
            flow: None,
            answers,
            arriving: VecDeque::new(),
            entropy: self.entropy,
            verdict: self.verdict,
            callback: None,
            now: START,
            storage: self.storage.clone(),
            trace: Vec::new(),
            debug: String::new(),
            sent: Vec::new(),
            proofs: Vec::new(),
            proof_key: ProofKey::new(RFC_9449_KEY[0], RFC_9449_KEY[1]),
            proof_key_is_kept: true,
            navigations: Vec::new(),
            answered: Vec::new(),
            shared: BTreeMap::new(),
            shared_is_blocked: false,
            shared_is_full: false,
            lock: Some(Lock::Held),
            inherits: (true, false),
            patience: Vec::new(),
            locks: Vec::new(),
            wished: Vec::new(),
            posted: Vec::new(),
            announced: Vec::new(),
            wakes: Vec::new(),
            alarm: None,
            server: None,
        };
        tab.reload();
        tab
    }

    /// Opens the page, signs in and, if the page was left, comes back with the response.
    pub(crate) fn run(&self) -> Tab {
        let mut tab = self.open();
        tab.sign_in_from(self.return_path.as_deref());
        if !tab.navigations.is_empty() {
            tab.now += self.later;
            tab.come_back(&self.response, &self.fragment);
        }
        tab
    }

    /// The first client, as the page reads it.
    #[track_caller]
    pub(crate) fn client(&self) -> Client {
        let text = json!({ "authorization_servers": self.servers }).to_string();
        let clients = parse_configuration(text.as_bytes(), &self.site());
        clients.expect("scenarios are configured well").into_iter().next().expect("a scenario has a client")
    }

    /// The authorization request alone, without a flow.
    #[track_caller]
    pub(crate) fn request(&self) -> Result<(Url, PendingAuthorization), AuthorizationRequestError> {
        let client = self.client();
        let document = value(&self.metadata.to_string());
        let policy = self.site().scheme_policy();
        let metadata = Metadata::check(&document, &Value::Object(Vec::new()), &client.key().issuer, policy);
        let metadata = metadata.expect("the scenario's metadata are in order");
        let return_path = self.return_path.as_deref().and_then(ReturnPath::parse);
        let wish = Wish { return_path, ..Wish::default() };
        let made = authorization_request(&client, &metadata, &self.site(), wish, &octets(0), UnixTime(START));
        made.map(|(departure, pending)| match departure {
            Departure::Navigate(url) => (url, pending),
            Departure::Push(_) => panic!("the scenario pushes its request"),
        })
    }

    /// The pending request alone.
    #[track_caller]
    pub(crate) fn pending(&self) -> PendingAuthorization {
        self.request().expect("the scenario's request is in order").1
    }

    /// Matches the response to its request, without a flow.
    #[track_caller]
    pub(crate) fn complete(&self) -> Result<AuthorizationGrant, CallbackError> {
        let (url, pending) = self.request().expect("the scenario's request is in order");
        let fill = |template: &str| template.replace("{state}", &parameter(url.query(), "state"));
        let client = self.client();
        let path = client.redirect_uri().url().path();
        let response = AuthorizationResponse::parse(path, &fill(&self.response), &fill(&self.fragment))?;
        pending.complete(&response.expect("the scenario has a response"), UnixTime(START + self.later))
    }
}

impl Tab {
    /// The page begins anew, at an address without a response.
    pub(crate) fn reload(&mut self) {
        self.begin();
        self.happen(Event::Started(configuration_file()));
    }

    /// What a page begins with: nothing of the one before it is left.
    fn begin(&mut self) {
        self.flow = Some(Flow::new(self.site.clone()));
        self.arriving.clear();
        self.locks.clear();
        self.wished.clear();
        self.alarm = None;
        let (was_left, has_opener) = self.inherits;
        self.happen(Event::Inherited { was_left, has_opener });
    }

    /// The page begins anew at the callback; `{state}` stands for the state that was sent last.
    pub(crate) fn come_back(&mut self, query: &str, fragment: &str) {
        // In the address, or in the request that was pushed in its place.
        let in_address = self.navigations.last().and_then(|url| state_in(url.query()?));
        let pushed = || self.sent.iter().rev().find_map(|(_, request)| state_in(request.body.as_deref()?));
        let state = in_address.or_else(pushed).unwrap_or("{state}");
        let [query, fragment] = [query, fragment].map(|template| template.replace("{state}", state));
        self.redirected(&query, &fragment);
    }

    /// The page begins anew with exactly this in its address bar.
    pub(crate) fn redirected(&mut self, query: &str, fragment: &str) {
        self.begin();
        let path = self.callback.clone().unwrap_or_else(|| self.redirect_path(query));
        let [query, fragment] = [query, fragment].map(str::to_owned);
        self.happen(Event::Redirected { path, query, fragment });
        self.happen(Event::Started(configuration_file()));
    }

    /// The same inside of another page.
    pub(crate) fn begin_framed(&mut self, query: &str) {
        self.begin();
        let (path, query) = (self.redirect_path(query), query.to_owned());
        self.happen(Event::Framed);
        self.happen(Event::Redirected { path, query, fragment: String::new() });
        self.happen(Event::Started(configuration_file()));
    }

    /// The path of the redirect URI that was sent with the state in `query`.
    pub(crate) fn redirect_path(&self, query: &str) -> String {
        let state = state_in(query).unwrap_or_default();
        let request = self.navigations.iter().find(|url| url.query().and_then(state_in) == Some(state));
        let sent = request.and_then(|url| url.query()?.split('&').find(|pair| pair.starts_with("redirect_uri=")));
        let url = sent.and_then(|pair| Url::parse(&parameter(Some(pair), "redirect_uri")).ok());
        url.map_or_else(|| [self.site.base_path(), "callback"].concat(), |url| url.path().to_owned())
    }

    pub(crate) fn sign_in(&mut self) {
        self.sign_in_from(None);
    }

    pub(crate) fn sign_in_from(&mut self, return_path: Option<&str>) {
        self.ask(key(ISSUER), return_path, Intent::Navigate);
    }

    /// A click on "Sign in" or on "Show link".
    pub(crate) fn ask(&mut self, key: ClientKey, return_path: Option<&str>, intent: Intent) {
        let entropy = self.draw();
        let return_path = return_path.map(str::to_owned);
        self.happen(Event::SignIn { key, return_path, step_up: None, entropy, intent });
    }

    /// A click on what an API's demand for another sign-in is shown as.
    pub(crate) fn step_up(&mut self, demand: StepUp, return_path: &str) {
        let (entropy, return_path) = (self.draw(), Some(return_path.to_owned()));
        let step_up = Some(demand);
        self.happen(Event::SignIn { key: key(ISSUER), return_path, step_up, entropy, intent: Intent::Navigate });
    }

    pub(crate) fn sign_out(&mut self) {
        self.happen(Event::SignOut(key(ISSUER)));
    }

    /// Calls an API as the first client.
    pub(crate) fn call(&mut self, call: u64, url: &str) {
        let request = ResourceRequest { method: "GET".into(), url: url.into(), headers: vec![], body: None };
        self.happen(Event::Call { call: CallId(call), key: key(ISSUER), request });
    }

    /// The number of the next sign-in, which decides about its octets.
    pub(crate) fn draw_from(&mut self, attempt: u8) {
        self.entropy = Some(attempt);
    }

    /// What WebCrypto says from now on.
    pub(crate) fn set_verdict(&mut self, verdict: fn(&Verification) -> Verdict) {
        self.verdict = verdict;
    }

    /// Lets time pass; the page is woken whenever it asked for it. How often it was.
    pub(crate) fn pass(&mut self, seconds: u64) -> usize {
        let end = self.now + seconds;
        let mut woken = 0;
        while let Some(at) = self.alarm.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.alarm = None;
            self.happen(Event::Woke);
            woken += 1;
            assert!(woken < 5_000, "wake-ups without end");
        }
        self.now = end;
        woken
    }

    /// Time passes while the computer sleeps, and then somebody looks at the page.
    pub(crate) fn sleep(&mut self, seconds: u64) {
        self.now += seconds;
        self.happen(Event::Resumed);
    }

    /// What becomes of the first wish for a lock that was not answered.
    #[track_caller]
    pub(crate) fn grant(&mut self, lock: Lock) {
        assert!(!self.wished.is_empty(), "a lock is waited for");
        let (ask, name) = self.wished.remove(0);
        if lock == Lock::Held {
            self.locks.push(name.clone());
        }
        self.happen(Event::Locked { ask, lock, name });
    }

    /// Every request for tokens but the first, which the code was exchanged with.
    pub(crate) fn refreshes(&self) -> Vec<&HttpRequest> {
        self.sent.iter().map(|(_, request)| request).filter(|request| refresh_token(request).is_some()).collect()
    }

    /// What happened to sessions since that was looked at last.
    pub(crate) fn take_announced(&mut self) -> Vec<SessionEvent> {
        std::mem::take(&mut self.announced)
    }

    /// The answer to the last request for `url` comes in, wanted or not.
    #[track_caller]
    pub(crate) fn arrive(&mut self, url: &str, outcome: Result<HttpResponse, HttpFailure>) {
        let found = self.sent.iter().rfind(|(_, request)| request.url.without_query() == url);
        let fetch = found.expect("the request was sent").0;
        self.happen(Event::Fetched { fetch, outcome });
    }

    /// From now on the server at `url` answers so.
    pub(crate) fn answering(&mut self, url: &str, answer: Result<HttpResponse, HttpFailure>) {
        self.answers.insert(url.to_owned(), Some(answer));
    }

    /// From now on the server at `url` lets everybody wait; what it would have answered.
    pub(crate) fn silence(&mut self, url: &str) -> Option<Result<HttpResponse, HttpFailure>> {
        self.answers.insert(url.to_owned(), None).flatten()
    }

    /// Tells the flow of `event`, and of everything that follows at once.
    pub(crate) fn happen(&mut self, event: Event) {
        let mut queue = VecDeque::from([event]);
        while let Some(event) = queue.pop_front().or_else(|| self.arriving.pop_front()) {
            let flow = self.flow.take().expect("a page is open");
            let (flow, effects) = flow.step(UnixTime(self.now), event);
            self.flow = Some(flow);
            for effect in effects {
                self.debug += &format!("{effect:?}\n");
                queue.extend(self.perform(effect));
            }
        }
    }

    /// Tells the flow of `event`, and of nothing that takes its time: [`Tab::take_arriving`] has that.
    pub(crate) fn happen_slowly(&mut self, event: Event) {
        let flow = self.flow.take().expect("a page is open");
        let (flow, effects) = flow.step(UnixTime(self.now), event);
        self.flow = Some(flow);
        for effect in effects {
            if let Some(event) = self.perform(effect) {
                self.happen_slowly(event);
            }
        }
    }

    /// What is on its way to the page.
    pub(crate) fn take_arriving(&mut self) -> VecDeque<Event> {
        std::mem::take(&mut self.arriving)
    }

    /// Does what the driver does; storage answers at once, servers a little later.
    fn perform(&mut self, effect: Effect) -> Option<Event> {
        self.trace.push(in_words(&effect, self.now));
        match effect {
            Effect::ProofKey(key) => {
                let (proof_key, is_kept) = (self.proof_key.clone(), self.proof_key_is_kept);
                self.arriving.push_back(Event::ProofKey { key, proof_key, is_kept });
            }
            // The next one is another key.
            Effect::ForgetProofKey(_) => self.proof_key = ProofKey::new(RFC_9449_KEY[1], RFC_9449_KEY[0]),
            Effect::Fetch { fetch, request, proof } => {
                self.proofs.push(proof);
                let url = request.url.without_query().to_owned();
                assert_ne!(url, AUTHORIZATION_ENDPOINT, "AUT-12: nobody fetches the authorization endpoint");
                let answer = self.answers.get(&url).cloned().unwrap_or_else(|| Some(html(404)));
                let answer = match (&self.server, refresh_token(&request)) {
                    (Some(server), Some(token)) => server.refresh(token),
                    _ => answer,
                };
                self.arriving.extend(answer.map(|outcome| Event::Fetched { fetch, outcome }));
                self.sent.push((fetch, request));
                assert!(self.sent.len() < 5_000, "requests without end");
            }
            Effect::Verify { verify, verification } => {
                self.arriving.push_back(Event::Verified { verify, verdict: (self.verdict)(&verification) });
            }
            Effect::CancelFetch(cancelled) => {
                let is_cancelled = |event: &Event| matches!(event, Event::Fetched { fetch, .. } if *fetch == cancelled);
                self.arriving.retain(|event| !is_cancelled(event));
            }
            Effect::Read(name) => {
                let record = self.storage.read(&name);
                return Some(Event::Read { name, record });
            }
            Effect::Take(name) => {
                let record = self.storage.read(&name);
                self.storage.remove(&name);
                return Some(Event::Taken { record });
            }
            Effect::Write { name, record } => {
                let outcome = self.storage.write(&name, &record);
                return Some(Event::Written { name, outcome });
            }
            Effect::Remove(name) => self.storage.remove(&name),
            Effect::List => return Some(Event::Listed { records: self.storage.list() }),
            Effect::Navigate(url) => self.navigations.push(url),
            Effect::ReplaceRoute(_) => {}
            Effect::Answer { call, outcome } => self.answered.push((call, outcome)),
            Effect::WakeAt(at) => {
                assert!(at.0 > self.now, "contract 6: a wake-up is strictly later than now");
                self.wakes.push(at.0);
                self.alarm = Some(at.0);
            }
            Effect::Lock { ask, name, patience } => {
                self.patience.push(patience.0);
                let Some(lock) = self.lock else {
                    self.wished.push((ask, name));
                    return None;
                };
                if lock == Lock::Held {
                    self.locks.push(name.clone());
                }
                self.arriving.push_back(Event::Locked { ask, lock, name });
            }
            Effect::Unlock(name) => {
                self.locks.retain(|known| *known != name);
                self.wished.retain(|(_, known)| *known != name);
            }
            Effect::ReadShared { ask, name } => {
                let stored = self.shared.get(name.as_str());
                let record = stored.and_then(|(_, text)| Value::parse(text.as_bytes()).ok()).map(Record);
                let record = if self.shared_is_blocked { Err(StorageFailure::Blocked) } else { Ok(record) };
                self.arriving.push_back(Event::SharedRead { ask, record });
            }
            Effect::WriteShared { ask, name, before, version, record: Record(record) } => {
                let stored = self.shared.get(name.as_str()).map(|(version, _)| version.as_str());
                let may = before.is_none() || before.as_deref() == stored;
                let is_refused = self.shared_is_blocked || self.shared_is_full;
                if may && !is_refused {
                    self.shared.insert(name.as_str().to_owned(), (version, record.to_text()));
                }
                let outcome = if is_refused { Err(StorageFailure::Blocked) } else { Ok(may) };
                self.arriving.push_back(Event::SharedWritten { ask, outcome });
            }
            Effect::RemoveShared(name) => {
                self.shared.remove(name.as_str());
            }
            Effect::Post(text) => self.posted.push(text),
            Effect::Announce(_, event) => self.announced.push(event),
            Effect::SignInQuietly(key) => {
                let entropy = self.draw();
                let return_path = Some("/where".to_owned());
                return Some(Event::SignInByItself { key, return_path, is_quiet: true, entropy });
            }
        }
        None
    }

    fn draw(&mut self) -> Result<Entropy, EntropyFailure> {
        let drawn = self.entropy.map(octets).ok_or(EntropyFailure);
        self.entropy = self.entropy.map(|seed| seed + 1);
        drawn
    }

    pub(crate) fn flow(&self) -> &Flow {
        self.flow.as_ref().expect("a page is open")
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        self.flow().session(&key(ISSUER))
    }

    /// Why the first client's sign-in did not leave the page.
    #[track_caller]
    pub(crate) fn sign_in_error(&self) -> &Error {
        self.flow().sign_in_error(&key(ISSUER)).expect("the sign-in failed")
    }

    /// Why the response was not accepted.
    #[track_caller]
    pub(crate) fn callback_error(&self) -> &Error {
        &self.flow().callback_failure().expect("the callback failed").error
    }

    /// The authorization request that the page was left for last.
    #[track_caller]
    pub(crate) fn navigation(&self) -> &Url {
        self.navigations.last().expect("the page was left")
    }

    /// Every request to `url` since the tab was opened.
    pub(crate) fn sent_to(&self, url: &str) -> Vec<&HttpRequest> {
        self.sent.iter().map(|(_, request)| request).filter(|request| request.url.without_query() == url).collect()
    }

    /// What the proofs of all requests to `url` were to be made with; a request without one counts as `None`.
    pub(crate) fn proofs_to(&self, url: &str) -> Vec<Option<&ProofOrder>> {
        let sent = self.sent.iter().zip(&self.proofs);
        sent.filter(|((_, request), _)| request.url.without_query() == url).map(|(_, proof)| proof.as_ref()).collect()
    }

    /// The only token request.
    #[track_caller]
    pub(crate) fn token_request(&self) -> &HttpRequest {
        let sent = self.sent_to(TOKEN_ENDPOINT);
        assert_eq!(sent.len(), 1, "exactly one token request");
        sent[0]
    }

    /// What was done since the trace was looked at last.
    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trace)
    }
}

impl Storage {
    fn read(&self, name: &RecordName) -> Option<Record> {
        if self.fault == Some(StorageFault::Blocked) {
            return None;
        }
        let records = if name.is_of_origin() { &self.of_origin } else { &self.records };
        Value::parse(records.get(name.as_str())?.as_bytes()).ok().map(Record)
    }

    fn write(&mut self, name: &RecordName, Record(value): &Record) -> Result<Option<Record>, StorageFailure> {
        let text = match self.fault {
            Some(StorageFault::Blocked) => return Err(StorageFailure::Blocked),
            Some(StorageFault::Full) => return Err(StorageFailure::Full),
            Some(StorageFault::Drops) => return Ok(None),
            Some(StorageFault::Alters) => r#"{"version":1}"#.to_owned(),
            None => value.to_text(),
        };
        let records = if name.is_of_origin() { &mut self.of_origin } else { &mut self.records };
        records.insert(name.as_str().to_owned(), text);
        Ok(self.read(name))
    }

    fn remove(&mut self, name: &RecordName) {
        self.records.remove(name.as_str());
    }

    fn list(&self) -> Vec<(RecordName, Option<Record>)> {
        let names = self.records.keys().cloned().filter_map(RecordName::found);
        names.map(|name| (name.clone(), self.read(&name))).collect()
    }

    /// The names of one kind: `pending`, `session`, `metadata` or `keys`.
    pub(crate) fn names(&self, kind: &str) -> Vec<&str> {
        let prefix = format!("leptos-pkce {kind} ");
        self.records.keys().map(String::as_str).filter(|name| name.starts_with(&prefix)).collect()
    }

    /// The only record of one kind.
    #[track_caller]
    pub(crate) fn only(&self, kind: &str) -> Value {
        let names = self.names(kind);
        assert_eq!(names.len(), 1, "one {kind} record: {names:?}");
        value(&self.records[names[0]])
    }
}

/// An effect in a few words: `write pending`, `fetch POST https://as.example/token`, `wake +10`.
fn in_words(effect: &Effect, now: u64) -> String {
    let kind = |name: &RecordName| name.as_str().split(' ').nth(1).unwrap_or_default().to_owned();
    match effect {
        Effect::Fetch { request, .. } => format!("fetch {} {}", request.method, request.url.without_query()),
        Effect::Verify { .. } => "verify".to_owned(),
        Effect::ProofKey(_) => "find proof key".to_owned(),
        Effect::ForgetProofKey(_) => "forget proof key".to_owned(),
        Effect::CancelFetch(_) => "cancel fetch".to_owned(),
        Effect::Read(name) => format!("read {}", kind(name)),
        Effect::Take(name) => format!("take {}", kind(name)),
        Effect::Write { name, .. } => format!("write {}", kind(name)),
        Effect::Remove(name) => format!("remove {}", kind(name)),
        Effect::List => "list".to_owned(),
        Effect::Navigate(url) => format!("navigate {}", url.without_query()),
        Effect::ReplaceRoute(path) => format!("replace {path}"),
        Effect::Answer { call, .. } => format!("answer {}", call.0),
        Effect::WakeAt(at) => format!("wake +{}", at.0.saturating_sub(now)),
        Effect::Lock { .. } => "lock".to_owned(),
        Effect::Unlock(_) => "unlock".to_owned(),
        Effect::ReadShared { .. } => "read shared".to_owned(),
        Effect::WriteShared { .. } => "write shared".to_owned(),
        Effect::RemoveShared(_) => "remove shared".to_owned(),
        Effect::Post(text) => format!("post {}", value(text).text("news").unwrap_or_default()),
        Effect::Announce(_, event) => {
            format!("announce {}", format!("{event:?}").split('(').next().unwrap_or_default())
        }
        Effect::SignInQuietly(_) => "sign in quietly".to_owned(),
    }
}

/// The client of a scenario at `issuer`.
pub(crate) fn key(issuer: &str) -> ClientKey {
    let policy = SchemePolicy::HttpOnLoopback;
    let client_id = if issuer == OTHER_ISSUER { "other spa" } else { "spa" };
    ClientKey {
        issuer: Issuer::parse(issuer, policy).expect("an issuer"),
        client_id: ClientId::parse(client_id).expect("a client identifier"),
    }
}

/// Octets that differ from every other attempt's, and code verifier, state and nonce from each other.
pub(crate) fn octets(attempt: u8) -> Entropy {
    let mut octets = [attempt; 96];
    octets[..32].fill(attempt.wrapping_mul(3).wrapping_add(101));
    octets[32..64].fill(attempt.wrapping_mul(3).wrapping_add(102));
    octets[64..].fill(attempt.wrapping_mul(3).wrapping_add(103));
    Entropy(octets)
}

/// A JSON document.
#[track_caller]
pub(crate) fn value(text: &str) -> Value {
    Value::parse(text.as_bytes()).expect("a JSON document")
}

/// A record as JSON that a test can change.
#[track_caller]
pub(crate) fn as_json(record: &Value) -> serde_json::Value {
    serde_json::from_str(&record.to_text()).expect("records are JSON")
}

/// The decoded parameters of a query or form body.
#[track_caller]
pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    form::decode(text).expect("well-formed parameters")
}

/// One decoded parameter; empty if it is not there.
#[track_caller]
pub(crate) fn parameter(text: Option<&str>, name: &str) -> String {
    let pairs = parameters(text.unwrap_or_default());
    form::value(&pairs, name).unwrap_or_default().to_owned()
}

/// The refresh token that a request presents.
pub(crate) fn refresh_token(request: &HttpRequest) -> Option<&str> {
    let body = request.body.as_deref().filter(|body| body.starts_with("grant_type=refresh_token&"))?;
    body.split('&').find_map(|pair| pair.strip_prefix("refresh_token="))
}

/// The state in a query or form, where base64url needs no decoding.
fn state_in(text: &str) -> Option<&str> {
    text.split('&').find_map(|pair| pair.strip_prefix("state="))
}

/// An error and, to the letter, what it says.
#[track_caller]
pub(crate) fn assert_error(found: &Error, expected: impl Into<Error>, message: &str) {
    assert_eq!(*found, expected.into());
    assert_eq!(found.to_string(), message);
}

fn configuration_file() -> ConfigurationSource {
    ConfigurationSource::File("config.json", ReadConfiguration(read_configuration))
}

fn metadata_of(issuer: &str) -> serde_json::Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "code_challenge_methods_supported": ["S256"],
    })
}

fn set(object: &mut serde_json::Value, member: &str, value: serde_json::Value) {
    let object = object.as_object_mut().expect("an object");
    match value {
        serde_json::Value::Null => object.remove(member),
        value => object.insert(member.to_owned(), value),
    };
}
