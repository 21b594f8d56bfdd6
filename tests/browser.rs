//! The adapters and the driver in a real browser: its storage, its history, its timers, its fetch with canned answers.
#![cfg(target_arch = "wasm32")]

#[path = "browser/lab.rs"]
mod lab;

use std::cell::Cell;
use std::rc::Rc;

use leptos_pkce::browser::clipboard::{self, NotCopied};
use leptos_pkce::browser::driver::Driver;
use leptos_pkce::browser::{clock, navigation, storage};
use leptos_pkce::protocol::authorization_request::StorageFailure;
use leptos_pkce::protocol::client::{ClientKey, ClientSettings};
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::Activity;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::protected_resource::ResourceRequest;
use leptos_pkce::protocol::storage::{Record, RecordName};
use leptos_pkce::protocol::time::Seconds;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use lab::{
    API, ISSUER, JSON_TYPE, Lab, TOKEN_ENDPOINT, TOKENS, WELL_KNOWN, metadata, parameter, settings,
    settings_that_store, start,
};

wasm_bindgen_test_configure!(run_in_browser);

// Storage

fn name(rest: &str) -> RecordName {
    RecordName::found(format!("leptos-pkce {rest}")).expect("it has the prefix")
}

fn record(text: &str) -> Record {
    Record(Value::object(vec![("text", Some(Value::string(text)))]))
}

fn put(name: &str, text: &str) {
    let area = web_sys::window().and_then(|window| window.session_storage().ok().flatten()).expect("there is one");
    area.set_item(name, text).expect("there is room");
}

/// AUT-8: what was written is what is read back.
#[wasm_bindgen_test]
fn gives_back_what_was_written() {
    let _lab = Lab::open();
    assert_eq!(storage::read(&name("a")), None);
    assert_eq!(storage::write(&name("a"), &record("é\"\n")), Ok(Some(record("é\"\n"))));
    assert_eq!(storage::read(&name("a")), Some(record("é\"\n")));
    storage::remove(&name("a"));
    storage::remove(&name("a"));
    assert_eq!(storage::read(&name("a")), None);
}

/// CB-3: whoever takes a record has the only one.
#[wasm_bindgen_test]
fn takes_a_record_once() {
    let lab = Lab::open();
    storage::write(&name("a"), &record("once")).expect("there is room");
    assert_eq!(storage::take(&name("a")), Some(record("once")));
    assert_eq!(lab.stored(), []);
    assert_eq!(storage::take(&name("a")), None);
}

/// WEB-2: a record that cannot be read is removed all the same when it is taken.
#[wasm_bindgen_test]
fn takes_garbage_away() {
    let lab = Lab::open();
    put("leptos-pkce a", "{");
    assert_eq!(storage::take(&name("a")), None);
    assert_eq!(lab.stored(), []);
}

/// CFG-14: what others keep on this origin is neither listed nor touched.
#[wasm_bindgen_test]
fn lists_its_own_records_only() {
    let _lab = Lab::open();
    for other in ["leptos-pkce", "leptos-pkcex a", "Leptos-PKCE a", "", " leptos-pkce a", "theme"] {
        put(other, "{}");
    }
    put("leptos-pkce garbage", "{\"a\":1,\"a\":2}");
    storage::write(&name("a"), &record("a")).expect("there is room");
    let mut listed = storage::list();
    listed.sort_by_key(|(name, _)| name.as_str().to_owned());
    assert_eq!(listed, [(name("a"), Some(record("a"))), (name("garbage"), None)]);
}

/// WEB-2: garbage under one of our names is no record.
#[wasm_bindgen_test]
fn reads_garbage_as_nothing() {
    let _lab = Lab::open();
    for garbage in ["", "{", "undefined", "{\"a\":1,\"a\":2}", "\u{feff}{}", "[1,]", "\u{0}", &"[".repeat(10_000)] {
        put("leptos-pkce a", garbage);
        assert_eq!(storage::read(&name("a")), None, "{garbage:.20}");
    }
}

/// WEB-3, AUT-8: storage that throws on first touch is a value, not a panic.
#[wasm_bindgen_test]
fn says_that_storage_is_blocked() {
    for how in ["block", "absent"] {
        let lab = Lab::open();
        storage::write(&name("a"), &record("a")).expect("there is room");
        lab.run(how, &[]);
        assert_eq!(storage::write(&name("a"), &record("a")), Err(StorageFailure::Blocked), "{how}");
        assert_eq!(storage::read(&name("a")), None);
        assert_eq!(storage::take(&name("a")), None);
        assert!(storage::list().is_empty());
        storage::remove(&name("a"));
        drop(lab);
        // Back again, for the tests that follow.
        assert_eq!(storage::list(), []);
    }
}

/// WEB-3, AUT-8: the quota is a value, not a panic, and what was there before stays.
#[wasm_bindgen_test]
fn says_that_storage_is_full() {
    let lab = Lab::open();
    storage::write(&name("a"), &record("a")).expect("there is room");
    lab.run("fill", &[]);
    assert_eq!(storage::write(&name("b"), &record("b")), Err(StorageFailure::Full));
    assert_eq!(storage::write(&name("a"), &record("longer than a")), Err(StorageFailure::Full));
    assert_eq!(storage::read(&name("a")), Some(record("a")));
}

// Location and history

fn location(part: &str) -> String {
    let location = web_sys::window().expect("a page").location();
    let part = match part {
        "pathname" => location.pathname(),
        "search" => location.search(),
        _ => location.hash(),
    };
    part.expect("it is there")
}

fn go(path: &str) {
    let history = web_sys::window().and_then(|window| window.history().ok()).expect("a page");
    history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(path)).expect("a path of this origin");
}

/// CB-10: the first script's catch is handed over once.
#[wasm_bindgen_test]
fn takes_what_the_first_script_held_once() {
    let lab = Lab::open();
    lab.arrive("?code=a%20b&state=c", "#d=e?f");
    let held = navigation::take_held_response().expect("a response");
    assert_eq!((held.query.as_str(), held.fragment.as_str()), ("code=a%20b&state=c", "d=e?f"));
    assert_eq!(held.path, "/callback");
    assert!(navigation::take_held_response().is_none());
}

/// CB-10: what is in the address bar after the first script ran is the app's own business.
#[wasm_bindgen_test]
fn leaves_the_address_bar_alone_where_the_first_script_ran() {
    let lab = Lab::open();
    lab.arrive("?code=a&state=b", "");
    navigation::take_held_response();
    go("/?code=mine");
    assert!(navigation::take_held_response().is_none());
    assert_eq!(location("search"), "?code=mine");
}

/// CB-10, CB-9: without the first script the address bar is read, and scrubbed in the same turn.
#[wasm_bindgen_test]
fn scrubs_the_address_bar_itself_where_no_first_script_ran() {
    let _lab = Lab::open();
    for (path, query, fragment) in [
        ("/callback?code=x&state=y", "code=x&state=y", ""),
        ("/callback?a=b&error=access_denied", "a=b&error=access_denied", ""),
        ("/callback?state=", "state=", ""),
        ("/callback#access_token=x", "", "access_token=x"),
        ("/callback?a=b#id_token=x", "a=b", "id_token=x"),
    ] {
        go(path);
        let length = web_sys::window().and_then(|window| window.history().ok()?.length().ok());
        let held = navigation::take_held_response().expect(path);
        assert_eq!((held.path.as_str(), held.query.as_str()), ("/callback", query), "{path}");
        assert_eq!(held.fragment, fragment, "{path}");
        assert_eq!(navigation::current_path(), "/callback", "{path}");
        // Replaced, not pushed: Back does not lead to the code.
        assert_eq!(web_sys::window().and_then(|window| window.history().ok()?.length().ok()), length);
        assert!(navigation::take_held_response().is_none(), "{path}");
    }
}

/// CB-15: an app's own query and anchors are no response and stay where they are.
#[wasm_bindgen_test]
fn keeps_an_address_that_is_no_response() {
    let _lab = Lab::open();
    for path in ["/items?page=2#code", "/items?codes=1&mystate=2#state%3D", "/items?q=code=x#error", "/items?state"] {
        go(path);
        assert!(navigation::take_held_response().is_none(), "{path}");
        assert_eq!(navigation::current_path(), path);
    }
}

#[wasm_bindgen_test]
fn tells_routers_of_its_own_changes() {
    let _lab = Lab::open();
    let told = Rc::new(Cell::new(0));
    navigation::on_route_change({
        let told = told.clone();
        move || told.set(told.get() + 1)
    });
    let entries = || web_sys::window().and_then(|window| window.history().ok()?.length().ok()).unwrap_or_default();
    let before = entries();
    navigation::replace_route("/a?b#c");
    assert_eq!((navigation::current_path().as_str(), told.get(), entries()), ("/a?b#c", 1, before));
    navigation::push_route("/d");
    assert_eq!((navigation::current_path().as_str(), told.get(), entries()), ("/d", 2, before + 1));
}

#[wasm_bindgen_test]
fn is_served_where_the_start_script_says() {
    let _lab = Lab::open();
    let root = web_sys::window().and_then(|window| window.document()?.document_element()).expect("a document");
    let origin = web_sys::window().expect("a page").location().origin().expect("it has one");
    go("/deep/below?x");
    assert_eq!(navigation::base_url(), Some(format!("{origin}/")));
    root.set_attribute("data-base", "/sub/path/").expect("a valid name");
    assert_eq!(navigation::base_url(), Some(format!("{origin}/sub/path/")));
    let site = Driver::site().expect("it is http");
    assert_eq!((site.origin(), site.base_path()), (origin.as_str(), "/sub/path/"));
}

// Clock

#[wasm_bindgen_test]
async fn fires_once() {
    let lab = Lab::open();
    let fired = Rc::new(Cell::new(0));
    let count = {
        let fired = fired.clone();
        move || fired.set(fired.get() + 1)
    };
    let timer = clock::after(Seconds(0), count);
    lab.until("the timer fires", || fired.get() == 1).await;
    lab.sleep(20).await;
    assert_eq!(fired.get(), 1);
    drop(timer);
}

#[wasm_bindgen_test]
async fn stops_when_dropped() {
    let lab = Lab::open();
    let fired = Rc::new(Cell::new(false));
    let (once, again) = (fired.clone(), fired.clone());
    drop(clock::after(Seconds(0), move || once.set(true)));
    drop(clock::every(Seconds(0), move || again.set(true)));
    lab.sleep(20).await;
    assert!(!fired.get());
}

#[wasm_bindgen_test]
async fn fires_again_and_again_until_dropped() {
    let lab = Lab::open();
    let fired = Rc::new(Cell::new(0));
    let count = {
        let fired = fired.clone();
        move || fired.set(fired.get() + 1)
    };
    let timer = clock::every(Seconds(0), count);
    lab.until("it fires three times", || fired.get() >= 3).await;
    drop(timer);
    let so_far = fired.get();
    lab.sleep(20).await;
    assert_eq!(fired.get(), so_far);
}

/// A timer's callback may drop the timer itself.
#[wasm_bindgen_test]
async fn may_be_dropped_by_its_own_callback() {
    let lab = Lab::open();
    let holder: Rc<Cell<Option<clock::Timer>>> = Rc::default();
    let fired = Rc::new(Cell::new(false));
    holder.set(clock::after(Seconds(0), {
        let (holder, fired) = (holder.clone(), fired.clone());
        move || {
            fired.set(true);
            holder.set(None);
        }
    }));
    lab.until("the timer fires", || fired.get()).await;
}

/// Browsers count milliseconds in 31 bits and take a longer span for none at all.
#[wasm_bindgen_test]
async fn waits_even_for_spans_that_browsers_cannot_count() {
    let lab = Lab::open();
    for span in [2_147_484, 4_294_968, u64::MAX] {
        let fired = Rc::new(Cell::new(false));
        let callback = {
            let fired = fired.clone();
            move || fired.set(true)
        };
        let timer = clock::after(Seconds(span), callback).expect("it starts");
        lab.sleep(10).await;
        assert!(!fired.get(), "{span}");
        drop(timer);
    }
}

// Clipboard

#[wasm_bindgen_test]
async fn copies_where_the_browser_permits() {
    let lab = Lab::open();
    lab.run("clipboard", &[true.into()]);
    assert_eq!(clipboard::copy("a text").await, Ok(()));
    assert_eq!(lab.json("copied").as_str(), Some("a text"));
}

#[wasm_bindgen_test]
async fn says_that_nothing_was_copied() {
    let lab = Lab::open();
    lab.run("clipboard", &[false.into()]);
    assert_eq!(clipboard::copy("a text").await, Err(NotCopied));
    // Where there is no clipboard at all, it is not even touched.
    lab.run("clipboard", &[true.into()]);
    lab.run("insecure", &[]);
    assert_eq!(clipboard::copy("another").await, Err(NotCopied));
    assert_eq!(lab.json("copied").as_str(), Some("a text"));
}

// The authorization request

fn sign_in_error(driver: &Driver, key: &ClientKey) -> Option<&'static str> {
    driver.read(|flow| flow.sign_in_error(key).map(|error| error.code()))
}

fn callback_error(driver: &Driver) -> Option<&'static str> {
    driver.read(|flow| flow.callback_failure().map(|failure| failure.error.code()))
}

fn activity(driver: &Driver) -> Activity {
    driver.read(|flow| flow.activity())
}

fn text(value: &Value, name: &str) -> String {
    value.text(name).unwrap_or_default().to_owned()
}

/// CFG-13, TOK-4, RS-1: metadata is asked for without anything that could tell who asks.
#[wasm_bindgen_test]
async fn fetches_metadata_without_redirects_credentials_cache_or_referrer() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    driver.expect_sign_in(key.clone());
    lab.until("the metadata is there", || driver.read(|flow| flow.metadata(&key).is_some())).await;
    let requests = lab.requests();
    assert_eq!(requests.len(), 1);
    let members = ["url", "method", "redirect", "credentials", "cache", "referrerPolicy"];
    let expected = [WELL_KNOWN, "GET", "error", "omit", "no-store", "no-referrer"];
    assert_eq!(members.map(|name| requests[0].text(name)), expected);
    assert_eq!(requests[0].header_names(), ["accept"]);
}

/// CFG-8: where one well-known URL has nothing, the other is asked.
#[wasm_bindgen_test]
async fn asks_the_other_well_known_url_too() {
    let lab = Lab::open();
    lab.answer("/.well-known/oauth-authorization-server", 200, JSON_TYPE, &metadata(ISSUER));
    let (driver, key) = start(&settings());
    lab.prepare(&driver, &key, "/").await;
    let asked: Vec<_> = lab.requests().iter().map(|sent| sent.text("url").to_owned()).collect();
    assert_eq!(asked, [WELL_KNOWN, "https://as.example/.well-known/oauth-authorization-server"]);
}

/// AUT-8, CFG-4: what the URL says and what is remembered belong together.
#[wasm_bindgen_test]
async fn remembers_the_request_that_it_shows() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&openid_settings());
    let url = lab.prepare(&driver, &key, "/items?page=2").await;
    let pending = lab.pending();
    assert_eq!(pending.len(), 1);
    let redirect_uri = format!("{}/callback", lab::site().origin());
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", redirect_uri.as_str()),
        ("scope", "openid profile"),
        ("state", &text(&pending[0], "state")),
        ("nonce", &nonce(&pending[0])),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&url, name).as_deref(), Some(expected), "{name}");
        assert!(!expected.is_empty());
    }
    assert_eq!(text(&pending[0], "redirect_uri"), redirect_uri);
    assert_eq!(text(&pending[0], "return_path"), "/items?page=2");
    assert_eq!(text(&pending[0], "token_endpoint"), TOKEN_ENDPOINT);
    assert!(!url.contains(&text(&pending[0], "code_verifier")));
    assert_eq!(lab.left(), Vec::<String>::new());
}

/// AUT-2, AUT-3: the challenge is what the browser's own SHA-256 makes of the verifier.
#[wasm_bindgen_test]
async fn challenges_with_the_hash_of_the_verifier() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    let url = lab.prepare(&driver, &key, "/").await;
    let verifier = text(&lab.pending()[0], "code_verifier");
    assert_eq!(verifier.len(), 43);
    let script = "return crypto.subtle.digest('SHA-256', new TextEncoder().encode(this)).then((hash) => \
                  btoa(String.fromCharCode(...new Uint8Array(hash))).replaceAll('+', '-').replaceAll('/', '_')\
                  .replaceAll('=', ''))";
    let promise = js_sys::Function::new_no_args(script).call0(&verifier.into()).expect("it runs");
    let promise = wasm_bindgen::JsCast::unchecked_into::<js_sys::Promise>(promise);
    let hash = wasm_bindgen_futures::JsFuture::from(promise).await.expect("it hashes");
    assert_eq!(parameter(&url, "code_challenge"), hash.as_string());
}

/// AUT-4, AUT-5: nothing of one attempt serves another.
#[wasm_bindgen_test]
async fn draws_fresh_values_for_every_request() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&openid_settings());
    for _ in 0..3 {
        lab.prepare(&driver, &key, "/").await;
    }
    let pending = lab.pending();
    assert_eq!(pending.len(), 3);
    let mut values: Vec<_> = pending
        .iter()
        .flat_map(|record| [text(record, "state"), nonce(record), text(record, "code_verifier")])
        .collect();
    assert!(values.iter().all(|value| value.len() == 43));
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 9);
}

/// A client that asks for an ID token.
fn openid_settings() -> ClientSettings {
    let keys = Value::object(vec![("jwks_uri", Some(Value::string("https://as.example/keys")))]);
    ClientSettings { scope: Some("openid profile".to_owned()), metadata: Some(keys), ..settings() }
}

/// What a pending record remembers of the ID token to come.
fn nonce(record: &Value) -> String {
    record.member("id_token").map(|asked| text(asked, "nonce")).unwrap_or_default()
}

/// AUT-15: the tab keeps eight, whatever is prepared and left.
#[wasm_bindgen_test]
async fn keeps_a_bounded_number_of_requests() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    for _ in 0..12 {
        lab.prepare(&driver, &key, "/").await;
    }
    assert_eq!(lab.pending().len(), 8);
}

/// AUT-8: when the page leaves, the record is in storage already.
#[wasm_bindgen_test]
async fn leaves_with_the_record_in_storage() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    driver.sign_in(key.clone(), Some("/here".to_owned()));
    lab.until("the page wants to go", || !lab.left().is_empty()).await;
    let left = lab.left();
    assert!(left[0].starts_with("https://as.example/authorize?response_type=code&"));
    let state = parameter(&left[0], "state").expect("every request has one");
    let name = format!("leptos-pkce pending {state}");
    assert!(lab.stored_at_departure().iter().any(|(known, _)| *known == name));
    assert_eq!(activity(&driver), Activity::Navigating(key));
}

/// AUT-8, WEB-3: whoever could not come back does not leave.
#[wasm_bindgen_test]
async fn stays_where_the_record_cannot_be_kept() {
    for (how, code) in [
        ("block", "request.storage_blocked"),
        ("absent", "request.storage_blocked"),
        ("fill", "request.storage_full"),
        ("forgetful", "request.storage_altered"),
    ] {
        let lab = Lab::open();
        lab.serve();
        lab.run(how, &[]);
        let (driver, key) = start(&settings());
        driver.sign_in(key.clone(), None);
        lab.until(how, || sign_in_error(&driver, &key).is_some()).await;
        assert_eq!(sign_in_error(&driver, &key), Some(code));
        lab.settle().await;
        assert_eq!(lab.left(), Vec::<String>::new(), "{how}");
    }
}

/// AUT-13: two clicks in one tick are one request and one departure.
#[wasm_bindgen_test]
async fn leaves_once_for_two_clicks() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    driver.sign_in(key.clone(), None);
    driver.sign_in(key.clone(), None);
    lab.until("the page wants to go", || !lab.left().is_empty()).await;
    driver.sign_in(key, None);
    lab.settle().await;
    assert_eq!((lab.left().len(), lab.pending().len(), lab.requests().len()), (1, 1, 1));
}

/// A discovery that nobody waits for any more ends in the browser too.
#[wasm_bindgen_test]
async fn aborts_a_discovery_that_was_cancelled() {
    let lab = Lab::open();
    lab.hold(WELL_KNOWN);
    let (driver, key) = start(&settings());
    driver.sign_in(key.clone(), None);
    assert_eq!(activity(&driver), Activity::Discovering(key.clone()));
    lab.until("metadata is asked for", || lab.requests().len() == 1).await;
    assert!(!lab.requests()[0].is_aborted());
    driver.cancel_sign_in();
    assert_eq!(activity(&driver), Activity::Idle);
    assert!(lab.requests()[0].is_aborted());
    lab.settle().await;
    assert_eq!(sign_in_error(&driver, &key), None);
    // The next click begins anew.
    lab.serve();
    lab.prepare(&driver, &key, "/").await;
}

/// AUT-13: the page that was left is usable again when a person comes Back to it.
#[wasm_bindgen_test]
async fn is_idle_again_when_the_page_comes_back() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    driver.sign_in(key.clone(), None);
    lab.until("the page wants to go", || !lab.left().is_empty()).await;
    let shown = |persisted: bool| {
        let script = format!("dispatchEvent(new PageTransitionEvent('pageshow', {{ persisted: {persisted} }}))");
        js_sys::eval(&script).expect("it is dispatched");
    };
    shown(false);
    assert_eq!(activity(&driver), Activity::Navigating(key));
    shown(true);
    assert_eq!(activity(&driver), Activity::Idle);
}

// The code exchange

/// TOK-1, TOK-2, TOK-3, TOK-4: the code goes out in one plain form, and nothing goes with it.
#[wasm_bindgen_test]
async fn sends_the_code_in_a_plain_form() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    let url = lab.prepare(&driver, &key, "/").await;
    let verifier = text(&lab.pending()[0], "code_verifier");
    let state = parameter(&url, "state").expect("every request has one");
    lab.arrive(&format!("?code=a%2Bb%20c&state={state}"), "");
    let (driver, key) = start(&settings());
    lab.until("somebody is signed in", || driver.read(|flow| flow.session(&key).is_some())).await;
    let sent = lab.requests_to(TOKEN_ENDPOINT);
    assert_eq!(sent.len(), 1);
    let members = ["url", "method", "redirect", "credentials", "cache", "referrerPolicy"];
    let expected = [TOKEN_ENDPOINT, "POST", "error", "omit", "no-store", "no-referrer"];
    assert_eq!(members.map(|name| sent[0].text(name)), expected);
    // No further header, so no preflight; above all no Authorization.
    assert_eq!(sent[0].header_names(), ["accept", "content-type"]);
    assert_eq!(sent[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    let body = format!("https://x.example/?{}", sent[0].text("body"));
    for (name, expected) in [
        ("grant_type", "authorization_code"),
        ("code", "a+b c"),
        ("client_id", "app"),
        ("redirect_uri", &format!("{}/callback", lab::site().origin())),
        ("code_verifier", &verifier),
    ] {
        assert_eq!(parameter(&body, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(body.matches('=').count(), 5);
}

/// CB-3: the record is gone before the code is on its way.
#[wasm_bindgen_test]
async fn forgets_the_request_before_the_code_is_sent() {
    let lab = Lab::open();
    lab.serve();
    lab.hold(TOKEN_ENDPOINT);
    lab.come_back(&settings()).await;
    assert_eq!(lab.pending().len(), 1);
    let (driver, key) = start(&settings());
    // In the same turn, so nothing can have been sent yet.
    assert_eq!((lab.pending().len(), activity(&driver)), (0, Activity::Exchanging(key)));
}

/// CB-12: after the exchange the app's route is where the person was.
#[wasm_bindgen_test]
async fn goes_back_to_where_the_person_was() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    let url = lab.prepare(&driver, &key, "/items?page=2#top").await;
    let state = parameter(&url, "state").expect("every request has one");
    // No first script this time: the address bar itself is read.
    go(&format!("/callback?code=x&state={state}"));
    let (driver, key) = start(&settings());
    assert_eq!(navigation::current_path(), "/callback");
    lab.until("somebody is signed in", || driver.read(|flow| flow.session(&key).is_some())).await;
    assert_eq!(navigation::current_path(), "/items?page=2#top");
}

/// CB-1, CB-2: a forged response sends nothing and spoils nothing.
#[wasm_bindgen_test]
async fn sends_nothing_for_an_unknown_state() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    lab.prepare(&driver, &key, "/").await;
    lab.arrive("?code=x&state=forged", "");
    let (driver, _) = start(&settings());
    assert_eq!(callback_error(&driver), Some("callback.unknown_state"));
    lab.settle().await;
    assert_eq!((lab.requests_to(TOKEN_ENDPOINT).len(), lab.pending().len()), (0, 1));
}

/// WEB-3, CB-1: where storage is blocked, a response is one that nobody waits for.
#[wasm_bindgen_test]
async fn receives_a_response_without_storage() {
    let lab = Lab::open();
    lab.serve();
    lab.run("block", &[]);
    lab.arrive("?code=x&state=y", "");
    let (driver, _) = start(&settings_that_store());
    assert_eq!(callback_error(&driver), Some("callback.unknown_state"));
    lab.settle().await;
    assert_eq!(lab.requests().len(), 0);
}

/// WEB-2: poisoned records of every kind are no records.
#[wasm_bindgen_test]
async fn starts_over_poisoned_records() {
    let lab = Lab::open();
    let settings = settings_that_store();
    let names = ["pending y", "metadata https://as.example", "session https://as.example app"];
    for poison in ["", "null", "[]", "{\"version\":1}", "{\"version\":1e400}", "{\"fetched_at\":-1,\"document\":{}}"] {
        for name in names {
            put(&format!("leptos-pkce {name}"), poison);
        }
        lab.arrive("?code=x&state=y", "");
        let (driver, key) = start(&settings);
        assert_eq!(callback_error(&driver), Some("callback.unknown_state"), "{poison}");
        assert!(driver.read(|flow| flow.session(&key).is_none() && flow.metadata(&key).is_none()), "{poison}");
    }
}

/// TOK-14, CB-3: a lost answer is reported; the code is not sent again, not even by a reload.
#[wasm_bindgen_test]
async fn sends_a_code_once_even_if_the_answer_is_lost() {
    let lab = Lab::open();
    lab.answer(WELL_KNOWN, 200, JSON_TYPE, &metadata(ISSUER));
    let (driver, key) = start(&settings());
    let url = lab.prepare(&driver, &key, "/").await;
    let response = format!("?code=x&state={}", parameter(&url, "state").expect("every request has one"));
    lab.arrive(&response, "");
    let (driver, _) = start(&settings());
    lab.until("the answer is lost", || callback_error(&driver).is_some()).await;
    assert_eq!(callback_error(&driver), Some("token.unreachable"));
    lab.sleep(50).await;
    assert_eq!(lab.requests_to(TOKEN_ENDPOINT).len(), 1);
    lab.arrive(&response, "");
    let (driver, _) = start(&settings());
    lab.settle().await;
    assert_eq!(callback_error(&driver), Some("callback.unknown_state"));
    assert_eq!(lab.requests_to(TOKEN_ENDPOINT).len(), 1);
}

/// TOK-14, TOK-17: an answer that breaks off is no answer.
#[wasm_bindgen_test]
async fn uses_nothing_of_an_answer_that_breaks_off() {
    let lab = Lab::open();
    lab.serve();
    lab.run("stream", &[TOKEN_ENDPOINT.into(), "break".into()]);
    lab.come_back(&settings()).await;
    let (driver, key) = start(&settings());
    lab.until("the answer breaks off", || callback_error(&driver).is_some()).await;
    assert_eq!(callback_error(&driver), Some("token.unreachable"));
    assert!(driver.read(|flow| flow.session(&key).is_none()));
}

/// The browser knows when there is no network at all.
#[wasm_bindgen_test]
async fn says_that_the_browser_is_offline() {
    let lab = Lab::open();
    lab.answer(WELL_KNOWN, 200, JSON_TYPE, &metadata(ISSUER));
    lab.come_back(&settings()).await;
    lab.run("offline", &[]);
    let (driver, _) = start(&settings());
    lab.until("the exchange fails", || callback_error(&driver).is_some()).await;
    assert_eq!(callback_error(&driver), Some("token.offline"));
}

/// TOK-16: an answer without end is cut off where the limit is, and the server sees it end.
#[wasm_bindgen_test]
async fn stops_reading_an_endless_answer() {
    let lab = Lab::open();
    lab.serve();
    lab.run("stream", &[TOKEN_ENDPOINT.into(), "endless".into()]);
    lab.come_back(&settings()).await;
    let (driver, _) = start(&settings());
    lab.until("the answer is refused", || callback_error(&driver).is_some()).await;
    assert_eq!(callback_error(&driver), Some("token.body_too_large"));
    assert!(lab.requests_to(TOKEN_ENDPOINT)[0].is_aborted());
    let streamed = lab.number("streamed");
    assert!((262_144.0..400_000.0).contains(&streamed), "{streamed}");
    lab.settle().await;
    assert!(lab.number("streamed") <= streamed);
}

/// TOK-15: one deadline over the whole exchange; when it passes, the request ends.
#[wasm_bindgen_test]
async fn gives_up_when_the_deadline_passes() {
    let lab = Lab::open();
    lab.serve();
    lab.hold(TOKEN_ENDPOINT);
    lab.come_back(&settings()).await;
    lab.run("hurry", &[]);
    let (driver, _) = start(&settings());
    lab.until("the deadline passes", || callback_error(&driver).is_some()).await;
    assert_eq!(callback_error(&driver), Some("token.timeout"));
    assert_eq!(lab.json("delays").as_array().and_then(<[Value]>::first).and_then(Value::as_whole_number), Some(20_000));
    assert!(lab.requests_to(TOKEN_ENDPOINT)[0].is_aborted());
}

/// TOK-15: the deadline covers the body too.
#[wasm_bindgen_test]
async fn gives_up_on_a_body_that_never_ends_when_the_deadline_passes() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = lab.sign_in(&settings()).await;
    lab.run("hurry", &[]);
    lab.run("stream", &[API.into(), "silent".into()]);
    let answer = driver.call(key, get(API)).await;
    assert_eq!(answer.map_err(|error| Error::from(error).code()).err(), Some("resource.timeout"));
    assert!(lab.requests_to(API)[0].is_aborted());
}

/// A person who does not want to wait ends the exchange in the browser too.
#[wasm_bindgen_test]
async fn aborts_an_exchange_that_was_cancelled() {
    let lab = Lab::open();
    lab.serve();
    lab.hold(TOKEN_ENDPOINT);
    lab.come_back(&settings()).await;
    let (driver, key) = start(&settings());
    lab.until("the code is sent", || lab.requests_to(TOKEN_ENDPOINT).len() == 1).await;
    driver.cancel_sign_in();
    assert_eq!(callback_error(&driver), Some("token.cancelled"));
    assert!(lab.requests_to(TOKEN_ENDPOINT)[0].is_aborted());
    lab.release(TOKEN_ENDPOINT, TOKENS);
    lab.settle().await;
    assert!(driver.read(|flow| flow.session(&key).is_none()));
}

/// WEB-1: tokens that live in the page are written nowhere.
#[wasm_bindgen_test]
async fn writes_no_token_down_unless_asked_to() {
    let lab = Lab::open();
    lab.serve();
    lab.sign_in(&settings()).await;
    assert!(lab.stored().iter().all(|(_, text)| !text.contains("the-access-token")));
    lab.run("reset", &[]);
    lab.serve();
    lab.sign_in(&settings_that_store()).await;
    let named = |(name, text): &(String, String)| text.contains("the-access-token").then(|| name.clone());
    let names: Vec<_> = lab.stored().iter().filter_map(named).collect();
    assert_eq!(names, ["leptos-pkce session https://as.example app"]);
}

/// WEB-3: a session that storage has no room for lives on in the page, and says so.
#[wasm_bindgen_test]
async fn keeps_a_session_that_cannot_be_stored() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings_that_store()).await;
    lab.hold(TOKEN_ENDPOINT);
    let (driver, key) = start(&settings_that_store());
    lab.until("the code is sent", || lab.requests_to(TOKEN_ENDPOINT).len() == 1).await;
    lab.run("block", &[]);
    lab.release(TOKEN_ENDPOINT, TOKENS);
    lab.until("somebody is signed in", || driver.read(|flow| flow.session(&key).is_some())).await;
    let storage = driver.read(|flow| flow.session(&key).map(|session| session.token_storage().as_str()));
    assert_eq!(storage, Some("memory"));
}

// Calls

fn get(url: &str) -> ResourceRequest {
    ResourceRequest { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None }
}

/// RS-1, RS-3: the token goes into the header, and no redirect carries it on.
#[wasm_bindgen_test]
async fn calls_an_api_with_the_token_in_the_header() {
    let lab = Lab::open();
    lab.serve();
    lab.answer("https://api.example/v1/items?page=2", 201, "text/plain", "made\u{0}é");
    let (driver, key) = lab.sign_in(&settings()).await;
    let request = ResourceRequest {
        method: "POST".to_owned(),
        url: format!("{API}/items?page=2"),
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: Some("a body".to_owned()),
    };
    let response = driver.call(key, request).await.expect("an answer");
    assert_eq!((response.status, response.body.as_slice()), (201, "made\u{0}é".as_bytes()));
    assert_eq!(response.header("content-type"), Some("text/plain"));
    let sent = &lab.requests_to(API)[0];
    assert_eq!(sent.header("authorization"), Some("Bearer the-access-token"));
    let members = ["method", "redirect", "credentials", "cache", "referrerPolicy", "body"];
    let expected = ["POST", "error", "omit", "no-store", "no-referrer", "a body"];
    assert_eq!(members.map(|name| sent.text(name)), expected);
    // Nobody else gets to see it.
    let others = lab.requests().into_iter().filter(|sent| !sent.text("url").starts_with(API));
    assert!(others.into_iter().all(|sent| sent.header("authorization").is_none()));
}

/// An answer without a body, and any status, are answers.
#[wasm_bindgen_test]
async fn hands_every_status_to_the_app() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = lab.sign_in(&settings()).await;
    for status in [200, 401, 404, 500] {
        lab.answer(API, status, "text/plain", "");
        let response = driver.call(key.clone(), get(API)).await.expect("an answer");
        assert_eq!((response.status, response.body.len()), (status, 0));
    }
    // RS-12: none of them ended the session.
    assert!(driver.read(|flow| flow.session(&key).is_some()));
}

/// RS-2: where this client and the browser read a URL differently, nothing is sent.
#[wasm_bindgen_test]
async fn sends_no_token_to_a_url_that_the_browser_reads_differently() {
    let lab = Lab::open();
    lab.serve();
    let addresses = ["https://[0:0::1]/api", "https://[::0:1]/api", "https://[2001:DB8:0::1]/api"];
    let resources = addresses.map(|url| (String::new(), url.to_owned())).into();
    let settings = ClientSettings { resources, ..settings() };
    let (driver, key) = lab.sign_in(&settings).await;
    let before = lab.requests().len();
    for url in addresses {
        let answer = driver.call(key.clone(), get(url)).await;
        let code = answer.map_err(|error| Error::from(error).code()).err();
        assert_eq!(code, Some("resource.url_disagreement"), "{url}");
    }
    assert_eq!(lab.requests().len(), before);
}

/// RS-2: what is not allowed is not sent, by a real driver either.
#[wasm_bindgen_test]
async fn sends_no_token_where_it_may_not_go() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = lab.sign_in(&settings()).await;
    let before = lab.requests().len();
    for url in ["https://api.example/v10", "https://api.example.evil.example/v1", "https://api.example:444/v1"] {
        let answer = driver.call(key.clone(), get(url)).await;
        assert_eq!(answer.map_err(|error| Error::from(error).code()).err(), Some("resource.not_allowed"), "{url}");
    }
    assert_eq!(lab.requests().len(), before);
}

#[wasm_bindgen_test]
async fn aborts_a_call_that_is_dropped() {
    let lab = Lab::open();
    lab.serve();
    lab.hold(API);
    let (driver, key) = lab.sign_in(&settings()).await;
    let call = driver.call(key, get(API));
    lab.until("the call is sent", || lab.requests_to(API).len() == 1).await;
    assert!(!lab.requests_to(API)[0].is_aborted());
    drop(call);
    assert!(lab.requests_to(API)[0].is_aborted());
}

#[wasm_bindgen_test]
async fn answers_a_call_that_was_cancelled() {
    let lab = Lab::open();
    lab.serve();
    lab.hold(API);
    let (driver, key) = lab.sign_in(&settings()).await;
    let call = driver.call(key, get(API));
    lab.until("the call is sent", || lab.requests_to(API).len() == 1).await;
    driver.cancel_call(call.id());
    assert_eq!(call.await.map_err(|error| Error::from(error).code()).err(), Some("resource.cancelled"));
    assert!(lab.requests_to(API)[0].is_aborted());
}

/// RS-13, OUT-3: signing out ends what is on its way and forgets what is stored.
#[wasm_bindgen_test]
async fn ends_calls_and_records_when_somebody_signs_out() {
    let lab = Lab::open();
    lab.serve();
    lab.hold(API);
    put("theme", "dark");
    let (driver, key) = lab.sign_in(&settings_that_store()).await;
    lab.prepare(&driver, &key, "/").await;
    let call = driver.call(key.clone(), get(API));
    lab.until("the call is sent", || lab.requests_to(API).len() == 1).await;
    driver.sign_out(key);
    assert_eq!(call.await.map_err(|error| Error::from(error).code()).err(), Some("resource.signed_out"));
    assert!(lab.requests_to(API)[0].is_aborted());
    assert_eq!(lab.stored(), [("theme".to_owned(), "dark".to_owned())]);
}

/// A listener hears of every change, also one that a listener made.
#[wasm_bindgen_test]
async fn tells_listeners_of_changes_made_by_listeners() {
    let lab = Lab::open();
    lab.serve();
    let (driver, key) = start(&settings());
    let told = Rc::new(Cell::new(0));
    driver.subscribe({
        let (driver, key, told) = (driver, key.clone(), told.clone());
        move || {
            told.set(told.get() + 1);
            if told.get() == 1 {
                driver.expect_sign_in(key.clone());
                driver.subscribe(|| ());
            }
        }
    });
    driver.cancel_sign_in();
    assert_eq!(told.get(), 2);
    lab.until("the metadata is there", || driver.read(|flow| flow.metadata(&key).is_some())).await;
    assert_eq!(told.get(), 3);
}
