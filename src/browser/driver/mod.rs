//! The driver: performs the flow's effects, tells it what came of them, and tells listeners that something changed.
//!
//! Rule: no decision is taken here. Storage answers at once, so the flow is told before anything from outside; fetches
//! answer later, by their id. Whatever happens is told by the method that the flow has for it, which links what is told
//! and no more; [`Flow::advance`] has them all, as values.

#[cfg(feature = "dpop")]
mod proofs;
#[cfg(any(feature = "session_storage", feature = "shared_storage"))]
mod tabs;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasm_bindgen_futures::spawn_local;

#[cfg(feature = "dpop")]
use self::proofs::ProofKeys;
#[cfg(any(feature = "session_storage", feature = "shared_storage"))]
use self::tabs::Locks;
use super::channel::Channel;
use super::clock::{self, Timer};
use super::fetch::{self, Cancel};
use super::{entropy, navigation, storage, subtle, wake};
use crate::protocol::authorization_request::Wish;
#[cfg(feature = "step_up")]
use crate::protocol::challenge::StepUp;
use crate::protocol::client::{Client, ClientKey};
use crate::protocol::dpop::ProofOrder;
use crate::protocol::flow::{CallId, ConfigurationSource, Effect, FetchId, Flow, Intent, SessionEvent};
use crate::protocol::http::{HttpFailure, HttpRequest, HttpResponse};
#[cfg(feature = "session_storage")]
use crate::protocol::json::Value;
use crate::protocol::protected_resource::{ResourceError, ResourceRequest};
use crate::protocol::resource_metadata::{Progress, ResourceMetadata, ResourceMetadataError, Search};
use crate::protocol::secret::DpopProof;
use crate::protocol::site::Site;
#[cfg(feature = "session_storage")]
use crate::protocol::storage::{Record, RecordName};
use crate::protocol::tab_message::CHANNEL;
use crate::protocol::time::UnixTime;

/// Who is told of what happens to sessions; leaked, as the driver is.
type EventListener = &'static dyn Fn(&ClientKey, &SessionEvent);

/// Runs one flow, for as long as the page lives; all copies are the same driver.
#[derive(Clone, Copy)]
pub struct Driver(&'static Shared);

struct Shared {
    flow: RefCell<Flow>,
    is_running: Cell<bool>,
    listeners: RefCell<Vec<&'static dyn Fn()>>,
    event_listeners: RefCell<Vec<EventListener>>,
    channel: RefCell<Option<Channel>>,
    #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
    locks: Locks,
    fetches: RefCell<Vec<(FetchId, Cancel)>>,
    calls: RefCell<Vec<(CallId, Rc<Slot>)>>,
    last_call: Cell<u64>,
    wake_up: RefCell<Option<Timer>>,
    #[cfg(feature = "dpop")]
    proof_keys: ProofKeys,
}

/// The answer of an API, once it is there. Dropping it cancels the call.
pub struct Call {
    driver: Driver,
    call: CallId,
    slot: Rc<Slot>,
}

#[derive(Default)]
struct Slot {
    answer: RefCell<Option<Result<HttpResponse, ResourceError>>>,
    waker: RefCell<Option<Waker>>,
}

impl Driver {
    /// Starts a flow: what the address bar held comes first, so that an exchange waits for nothing else.
    pub fn start(site: Site, source: ConfigurationSource) -> Self {
        let driver = Self(Box::leak(Box::new(Shared {
            flow: RefCell::new(Flow::new(site)),
            is_running: Cell::new(false),
            listeners: RefCell::default(),
            event_listeners: RefCell::default(),
            channel: RefCell::default(),
            #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
            locks: Locks::default(),
            fetches: RefCell::default(),
            calls: RefCell::default(),
            last_call: Cell::new(0),
            wake_up: RefCell::new(None),
            #[cfg(feature = "dpop")]
            proof_keys: ProofKeys::default(),
        })));
        driver.change(|flow, _| {
            let seed = entropy::octets::<4>().map_or(0, u32::from_le_bytes);
            flow.set_seed(seed);
            if wake::is_framed() {
                flow.framed();
            }
            #[cfg(feature = "session_storage")]
            flow.inherited(storage::take(&RecordName::left()).is_some(), navigation::has_opener());
        });
        driver.0.channel.replace(Channel::open(CHANNEL, move |text| driver.tell(|flow, now| flow.heard(text, now))));
        if let Some(held) = navigation::take_held_response() {
            driver.tell(|flow, _| flow.redirected(&held.path, &held.query, &held.fragment));
        }
        driver.tell(|flow, now| match source {
            ConfigurationSource::Clients(clients) => flow.configured(clients, now),
            ConfigurationSource::File(name, read) => flow.started(name, read),
        });
        navigation::on_restored(move || {
            #[cfg(feature = "session_storage")]
            storage::remove(&RecordName::left());
            driver.tell(Flow::restored);
        });
        #[cfg(feature = "session_storage")]
        navigation::on_left(|| {
            // Where nothing can be written, nothing is kept that could be copied.
            let _ = storage::write(&RecordName::left(), &Record(Value::Null));
        });
        wake::on_wake(move || driver.nudge(Flow::resumed));
        #[cfg(feature = "idle_timeout")]
        wake::on_activity(move || driver.nudge(Flow::active));
        driver
    }

    /// Where this page is served; `None` where the page has no address that could take part (a file, say).
    pub fn site() -> Option<Site> {
        Site::parse(&navigation::base_url()?).ok()
    }

    /// Calls `listener` after every change, for as long as the page lives.
    pub fn subscribe(&self, listener: impl Fn() + 'static) {
        self.0.listeners.borrow_mut().push(Box::leak(Box::new(listener)));
    }

    /// Calls `listener` with what happens to sessions, for as long as the page lives.
    pub fn on_event(&self, listener: impl Fn(&ClientKey, &SessionEvent) + 'static) {
        self.0.event_listeners.borrow_mut().push(Box::leak(Box::new(listener)));
    }

    /// Looks at the flow.
    pub fn read<T>(&self, look: impl FnOnce(&Flow) -> T) -> T {
        look(&self.0.flow.borrow())
    }

    /// The wall clock.
    pub fn now(&self) -> UnixTime {
        clock::now()
    }

    /// Fetches metadata ahead of a click.
    pub fn expect_sign_in(&self, key: ClientKey) {
        self.tell(|flow, _| flow.discover(&key));
    }

    /// Signs in: leaves the page when the request is ready. Without `return_path` the person comes back to the base.
    pub fn sign_in(&self, key: ClientKey, return_path: Option<String>) {
        self.request(key, Wish::new(return_path.as_deref()), Intent::Navigate);
    }

    /// Signs in once more as an API demands it.
    #[cfg(feature = "step_up")]
    pub fn step_up(&self, key: ClientKey, return_path: Option<String>, demand: StepUp) {
        self.request(key, Wish::new(return_path.as_deref()).demanded(Some(demand)), Intent::Navigate);
    }

    /// Adds a client to those of the configuration, for this page.
    pub fn add_client(&self, client: Client) {
        self.tell(|flow, _| flow.client_added(client));
    }

    /// Finds out what an API says about itself (RFC 9728), from its URL alone. No token is sent.
    ///
    /// # Errors
    /// [`ResourceMetadataError`].
    pub async fn find_resource(&self, url: &str) -> Result<ResourceMetadata, ResourceMetadataError> {
        let policy = self.read(|flow| flow.site().scheme_policy());
        let mut progress = Search::begin(url, policy);
        loop {
            match progress {
                Progress::Over(found) => return found,
                Progress::Ask(search, request) => progress = search.answered(fetch::ask(&request).await),
            }
        }
    }

    /// Asks the user info endpoint; what it says appears in the session.
    pub fn ask_userinfo(&self, key: ClientKey) {
        self.tell(|flow, now| flow.ask_userinfo(key, now));
    }

    /// Makes an authorization request to be shown as a link.
    pub fn prepare_sign_in(&self, key: ClientKey, return_path: Option<String>) {
        self.request(key, Wish::new(return_path.as_deref()), Intent::Show);
    }

    /// Stops waiting for discovery or for the token endpoint.
    pub fn cancel_sign_in(&self) {
        self.tell(|flow, _| flow.cancel_sign_in());
    }

    /// Signs in though nobody clicked; not more than three times within a minute.
    pub fn sign_in_by_itself(&self, key: ClientKey, return_path: Option<String>) {
        let wish = Wish::new(return_path.as_deref());
        self.tell(|flow, now| flow.sign_in_by_itself(key, wish, entropy::draw(), now));
    }

    /// Gets new tokens, whether they are due or not.
    pub fn renew(&self, key: ClientKey) {
        self.tell(|flow, now| flow.renew_now(&key, now));
    }

    /// Forgets everything of this client in this browser, and has the server revoke its tokens.
    pub fn sign_out(&self, key: ClientKey) {
        self.tell(|flow, now| flow.sign_out(key, now));
    }

    /// Forgets everything of this client in this browser, and tells the server nothing.
    pub fn forget(&self, key: ClientKey) {
        self.tell(|flow, now| flow.sign_out_silently(&key, now));
    }

    /// Signs out, and then leaves for the server's own sign-out, if it has one.
    pub fn sign_out_at_server(&self, key: ClientKey) {
        self.tell(|flow, now| flow.sign_out_at_server(key, entropy::draw(), now));
    }

    /// Calls an API with the token of `key`.
    pub fn call(&self, key: ClientKey, request: ResourceRequest) -> Call {
        let call = CallId(self.0.last_call.get() + 1);
        self.0.last_call.set(call.0);
        let slot = Rc::new(Slot::default());
        self.0.calls.borrow_mut().push((call, slot.clone()));
        self.tell(|flow, now| flow.call(call, key, request, now));
        Call { driver: *self, call, slot }
    }

    /// Stops waiting for a call; its answer is then an error that says so.
    pub fn cancel_call(&self, call: CallId) {
        self.tell(|flow, _| flow.cancel_call(call));
    }

    fn request(&self, key: ClientKey, wish: Wish, intent: Intent) {
        self.tell(|flow, now| flow.sign_in(key, wish, entropy::draw(), intent, now));
    }

    /// Changes the flow and does what it then asks for, then tells the listeners.
    fn tell(&self, change: impl FnOnce(&mut Flow, UnixTime)) {
        self.change(change);
        self.work();
    }

    /// The same for what happens all the time and mostly means nothing: then nobody is told.
    fn nudge(&self, change: impl FnOnce(&mut Flow, UnixTime)) {
        self.change(change);
        if self.read(Flow::asks_for_something) {
            self.work();
        }
    }

    fn change(&self, change: impl FnOnce(&mut Flow, UnixTime)) {
        change(&mut self.0.flow.borrow_mut(), clock::now());
    }

    fn work(&self) {
        let shared = self.0;
        if shared.is_running.replace(true) {
            return;
        }
        loop {
            let effects = shared.flow.borrow_mut().take_effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                self.perform(effect);
            }
        }
        shared.is_running.set(false);
        // A listener may subscribe another one meanwhile.
        let listeners = shared.listeners.borrow().clone();
        for listener in listeners {
            listener();
        }
    }

    fn perform(&self, effect: Effect) {
        match effect {
            Effect::Fetch { fetch, request, proof } => self.fetch(fetch, request, proof),
            #[cfg(feature = "dpop")]
            Effect::ProofKey(key) => {
                let driver = *self;
                spawn(async move {
                    let found = driver.0.proof_keys.find(&key.proof_key_name()).await;
                    let is_kept = found.as_ref().is_some_and(|found| found.is_kept);
                    let proof_key = found.map(|found| found.public.clone());
                    driver.tell(|flow, now| flow.proof_key_found(&key, proof_key.as_ref(), is_kept, now));
                });
            }
            #[cfg(feature = "dpop")]
            Effect::ForgetProofKey(key) => {
                let driver = *self;
                spawn(async move { driver.0.proof_keys.forget(&key.proof_key_name()).await });
            }
            Effect::CancelFetch(fetch) => {
                if let Some(cancel) = self.forget_fetch(fetch) {
                    cancel.cancel();
                }
            }
            Effect::Verify { verify, verification } => {
                let driver = *self;
                spawn(async move {
                    let verdict = subtle::verify(&verification).await;
                    driver.tell(|flow, now| flow.verified(verify, verdict, now));
                });
            }
            Effect::Read(name) => {
                let record = storage::read(&name);
                self.change(|flow, now| flow.read(&name, record, now));
            }
            Effect::Take(name) => {
                let record = storage::take(&name);
                self.change(|flow, now| flow.taken(record, now));
            }
            Effect::Write { name, record } => {
                let outcome = storage::write(&name, &record);
                self.change(|flow, now| flow.written(name, outcome, now));
            }
            Effect::Remove(name) => storage::remove(&name),
            Effect::List => {
                let records = storage::list();
                self.change(|flow, now| flow.listed(&records, now));
            }
            Effect::Navigate(url) => navigation::leave(&url),
            Effect::ReplaceRoute(path) => navigation::replace_route(&path),
            Effect::Answer { call, outcome } => self.answer(call, outcome),
            #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
            Effect::Lock { ask, name, patience } => self.lock(ask, name, patience),
            #[cfg(any(feature = "session_storage", feature = "shared_storage"))]
            Effect::Unlock(name) => self.0.locks.release(&name),
            #[cfg(feature = "shared_storage")]
            Effect::ReadShared { .. } | Effect::WriteShared { .. } | Effect::RemoveShared(_) => self.share(effect),
            Effect::Post(text) => {
                if let Some(channel) = &*self.0.channel.borrow() {
                    channel.post(&text);
                }
            }
            Effect::Announce(key, event) => {
                // A listener may add another one meanwhile.
                let listeners = self.0.event_listeners.borrow().clone();
                for listener in listeners {
                    listener(&key, &event);
                }
            }
            #[cfg(feature = "restore")]
            Effect::SignInQuietly(key) => {
                let wish = Wish { is_quiet: true, ..Wish::new(Some(&navigation::current_path())) };
                self.change(|flow, now| flow.sign_in_by_itself(key, wish, entropy::draw(), now));
            }
            Effect::WakeAt(at) => {
                let driver = *self;
                let timer = clock::after(at.since(clock::now()), move || driver.tell(Flow::woke));
                self.0.wake_up.replace(timer);
            }
        }
    }

    fn fetch(&self, fetch: FetchId, request: HttpRequest, order: Option<ProofOrder>) {
        let Some(cancel) = Cancel::new() else {
            let outcome = Err(HttpFailure::Unreachable);
            return self.change(|flow, now| flow.fetched(fetch, outcome, now));
        };
        self.0.fetches.borrow_mut().push((fetch, cancel.clone()));
        #[cfg(feature = "dpop")]
        if let Some(order) = order {
            let driver = *self;
            return spawn(async move {
                match driver.0.proof_keys.prove(&order, &request).await {
                    Ok(proof) => driver.send(fetch, &request, Some(&proof), cancel),
                    Err(_) => driver.fetched(fetch, Err(HttpFailure::NoProof)),
                }
            });
        }
        // No request needs a proof in a build that makes none.
        #[cfg(not(feature = "dpop"))]
        let _ = order;
        self.send(fetch, &request, None, cancel);
    }

    fn send(&self, fetch: FetchId, request: &HttpRequest, proof: Option<&DpopProof>, cancel: Cancel) {
        let driver = *self;
        let answer = fetch::send(request, proof, cancel);
        spawn(async move { driver.fetched(fetch, answer.await) });
    }

    fn fetched(&self, fetch: FetchId, outcome: Result<HttpResponse, HttpFailure>) {
        self.forget_fetch(fetch);
        self.tell(|flow, now| flow.fetched(fetch, outcome, now));
    }

    fn forget_fetch(&self, fetch: FetchId) -> Option<Cancel> {
        let mut fetches = self.0.fetches.borrow_mut();
        let index = fetches.iter().position(|(known, _)| *known == fetch)?;
        Some(fetches.swap_remove(index).1)
    }

    fn answer(&self, call: CallId, outcome: Result<HttpResponse, ResourceError>) {
        let slot = self.forget_call(call);
        if let Some(slot) = slot {
            slot.answer.replace(Some(outcome));
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }

    fn forget_call(&self, call: CallId) -> Option<Rc<Slot>> {
        let mut calls = self.0.calls.borrow_mut();
        let index = calls.iter().position(|(known, _)| *known == call)?;
        Some(calls.swap_remove(index).1)
    }
}

fn spawn(work: impl Future<Output = ()> + 'static) {
    // Boxed, it shares its machinery with the futures of the app's own framework: 2 kB less.
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    spawn_local(work);
}

impl Call {
    /// Its name, for [`Driver::cancel_call`].
    pub fn id(&self) -> CallId {
        self.call
    }
}

impl Future for Call {
    type Output = Result<HttpResponse, ResourceError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                self.slot.waker.replace(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Known to the driver means not answered yet.
        if self.driver.forget_call(self.call).is_some() {
            self.driver.tell(|flow, _| flow.cancel_call(self.call));
        }
    }
}
