//! The components, mounted into the document of a real browser, with canned answers.
#![cfg(target_arch = "wasm32")]

#[path = "browser/lab.rs"]
mod lab;

use std::any::Any;
use std::sync::{Arc, Mutex};

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::protected_resource::ResourceRequest;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::ui::{
    Auth, AuthProvider, Callback, CallbackView, Clients, RequireSignIn, SignedIn, SignedOut, Status, use_auth,
};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::HtmlElement;

use lab::{
    API, ISSUER, JSON_TYPE, Lab, TOKEN_ENDPOINT, TOKENS, WELL_KNOWN, key, metadata, parameter, settings,
    settings_that_store, site,
};

wasm_bindgen_test_configure!(run_in_browser);

/// An app in the document; dropped, it is gone.
struct App {
    auth: Auth,
    root: HtmlElement,
    handle: Option<Box<dyn Any>>,
}

impl App {
    fn mount<V: IntoView + 'static>(clients: impl Into<Clients>, children: impl Fn() -> V + Send + 'static) -> Self {
        let document = web_sys::window().and_then(|window| window.document()).expect("a document");
        let root: HtmlElement = document.create_element("div").expect("a valid name").unchecked_into();
        root.set_class_name("mounted");
        document.body().expect("it has one").append_child(&root).expect("it can be appended");
        let found = Arc::new(Mutex::new(None));
        let clients = clients.into();
        let handle = lab::unheard(|| {
            mount_to(root.clone(), {
                let found = found.clone();
                move || {
                    view! {
                        <AuthProvider clients>
                            {
                                found.lock().expect("one thread").replace(use_auth());
                                children()
                            }
                        </AuthProvider>
                    }
                }
            })
        });
        let auth = found.lock().expect("one thread").take().expect("the provider has run");
        Self { auth, root, handle: Some(Box::new(handle)) }
    }

    fn text(&self) -> String {
        self.root.text_content().unwrap_or_default()
    }

    fn find(&self, selector: &str) -> Option<HtmlElement> {
        self.root.query_selector(selector).expect("a selector").map(|element| element.unchecked_into())
    }

    fn status(&self) -> Status {
        untrack(|| self.auth.status())
    }

    fn error(&self) -> Option<&'static str> {
        untrack(|| self.auth.error().map(|error| error.code()))
    }

    async fn shows(&self, lab: &Lab, text: &str) {
        for _ in 0..300 {
            if self.text() == text {
                return;
            }
            lab.sleep(10).await;
        }
        panic!("expected {text:?}, found {:?}", self.text());
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.handle.take();
        self.root.remove();
    }
}

fn gates() -> impl IntoView {
    view! {
        <SignedIn>"in"</SignedIn>
        <SignedOut>"out"</SignedOut>
    }
}

fn guarded() -> impl IntoView {
    view! { <RequireSignIn fallback=|| "wait">"inside"</RequireSignIn> }
}

fn other_settings() -> ClientSettings {
    // One of its own, because neither server says whose answer it is (RFC 9700 §4.4.2).
    let redirect_uri = format!("{}/callback/other", site().origin());
    ClientSettings {
        issuer: Some("https://other.example".to_owned()),
        client_id: "other".to_owned(),
        redirect_uri: Some(redirect_uri),
        ..settings()
    }
}

fn broken_settings() -> ClientSettings {
    ClientSettings { client_id: String::new(), ..settings() }
}

// SignedIn, SignedOut

/// TOK-17: one or the other is shown, and each only when it is so.
#[wasm_bindgen_test]
async fn shows_children_by_who_is_signed_in() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    let app = App::mount(settings(), gates);
    assert_eq!((app.text().as_str(), app.status()), ("out", Status::SigningIn));
    app.shows(&lab, "in").await;
    assert_eq!(app.status(), Status::SignedIn);
    app.auth.sign_out();
    app.shows(&lab, "out").await;
    assert_eq!(app.status(), Status::SignedOut);
}

/// Children are made once per change, not once per step of the flow.
#[wasm_bindgen_test]
async fn leaves_children_alone_while_nothing_changes() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    let app = App::mount(settings(), || view! { <SignedIn><input/></SignedIn> });
    lab.until("the child is there", || app.find("input").is_some()).await;
    let before = app.find("input");
    app.auth.expect_sign_in(key(&settings()));
    app.auth.cancel_sign_in();
    lab.settle().await;
    assert!(before.is_some() && app.find("input") == before);
}

// RequireSignIn

/// CB-12: whoever is not signed in is sent to sign in, and is expected back at this very place.
#[wasm_bindgen_test]
async fn sends_people_to_sign_in_and_expects_them_back() {
    let lab = Lab::open();
    lab.hold(WELL_KNOWN);
    let history = web_sys::window().and_then(|window| window.history().ok()).expect("a page");
    history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some("/items?page=2#top")).expect("a path");
    let app = App::mount(settings(), guarded);
    app.shows(&lab, "wait").await;
    lab.until("metadata is asked for", || lab.requests().len() == 1).await;
    assert_eq!(app.status(), Status::SigningIn);
    lab.release(WELL_KNOWN, &metadata(ISSUER));
    lab.until("the page wants to go", || !lab.left().is_empty()).await;
    assert_eq!(lab.pending()[0].text("return_path"), Some("/items?page=2#top"));
    assert_eq!(parameter(&lab.left()[0], "state").as_deref(), lab.pending()[0].text("state"));
    assert_eq!((lab.left().len(), app.text().as_str()), (1, "wait"));
}

#[wasm_bindgen_test]
async fn lets_people_in_who_are_signed_in_already() {
    let lab = Lab::open();
    lab.serve();
    lab.sign_in(&settings_that_store()).await;
    let before = lab.requests().len();
    let app = App::mount(settings_that_store(), guarded);
    app.shows(&lab, "inside").await;
    lab.settle().await;
    assert_eq!((lab.requests().len(), lab.left().len()), (before, 0));
}

/// CB-17: a sign-in that failed is not begun again by itself.
#[wasm_bindgen_test]
async fn does_not_repeat_a_sign_in_that_failed() {
    let lab = Lab::open();
    let app = App::mount(settings(), guarded);
    lab.until("discovery fails", || app.status() == Status::Failed).await;
    let asked = lab.requests().len();
    lab.sleep(50).await;
    assert_eq!((lab.requests().len(), app.text().as_str()), (asked, "wait"));
    assert_eq!(app.error(), Some("metadata.unavailable"));
    // Another try is the person's own.
    lab.serve();
    app.auth.sign_in();
    lab.until("the page wants to go", || !lab.left().is_empty()).await;
}

/// CB-4, CB-17: a response that was refused sends nobody on another round.
#[wasm_bindgen_test]
async fn does_not_send_people_round_and_round() {
    let lab = Lab::open();
    lab.serve();
    lab.arrive("?error=login_required&state=unknown", "");
    let app = App::mount(settings(), guarded);
    app.shows(&lab, "wait").await;
    lab.sleep(50).await;
    assert_eq!((lab.requests().len(), lab.left().len(), app.status()), (0, 0, Status::Failed));
}

/// A guard does not send people back who have just signed out.
#[wasm_bindgen_test]
async fn leaves_people_alone_after_they_signed_out() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    let app = App::mount(settings(), guarded);
    app.shows(&lab, "inside").await;
    app.auth.sign_out();
    app.shows(&lab, "wait").await;
    assert!(lab.left().is_empty(), "a server that remembers the person would sign them in again at once");
}

// Callback

/// CB-1, CB-16: a response that nobody waits for is said in words, with its code and another try.
#[wasm_bindgen_test]
async fn shows_a_response_that_nobody_waits_for() {
    let lab = Lab::open();
    lab.serve();
    lab.arrive("?code=x&state=forged", "");
    let app = App::mount(settings(), || view! { <Callback/> });
    let alert = app.find("[role=alert]").expect("it is there from the start");
    assert!(alert.text_content().is_some_and(|text| text.contains("callback.unknown_state")));
    assert_eq!(app.error(), Some("callback.unknown_state"));
    let button = app.find("button").expect("another try");
    assert_eq!(button.text_content().as_deref(), Some("Try again"));
    button.click();
    lab.until("the page wants to go", || !lab.left().is_empty()).await;
    assert_eq!(lab.pending()[0].text("return_path"), Some("/"));
    assert!(app.find("[role=alert]").is_none());
}

/// CB-14, OPS-1: what a server or a forger writes is text, and neither code nor state is shown.
#[wasm_bindgen_test]
async fn shows_untrusted_words_as_text() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    let state = lab.pending()[0].text("state").expect("it has one").to_owned();
    lab.arrive(&format!("?error=%3Cimg+src%3Dx%3E&error_description=%3Cb%3Ehi&state={state}"), "");
    let app = App::mount(settings(), || view! { <Callback/> });
    app.find("[role=alert]").expect("it is there from the start");
    assert!(app.find("img, b").is_none());
    assert!(app.text().contains("callback.refused") && !app.text().contains(&state));
}

/// CB-12: while the code is exchanged there is a status, and then the way back.
#[wasm_bindgen_test]
async fn shows_that_the_code_is_exchanged() {
    let lab = Lab::open();
    lab.serve();
    lab.hold(TOKEN_ENDPOINT);
    lab.come_back(&settings()).await;
    let app = App::mount(settings(), || view! { <Callback/> });
    assert_eq!(app.find("[role=status]").and_then(|status| status.text_content()).as_deref(), Some("Signing in…"));
    assert_eq!(untrack(|| app.auth.callback()), CallbackView::Exchanging);
    lab.until("the code is sent", || lab.requests_to(TOKEN_ENDPOINT).len() == 1).await;
    lab.release(TOKEN_ENDPOINT, TOKENS);
    lab.until("somebody is signed in", || app.status() == Status::SignedIn).await;
    assert_eq!(untrack(|| app.auth.callback()), CallbackView::Empty);
}

/// TOK-13, TOK-14: another try is a new request at the same server, for the same place, never the same code.
#[wasm_bindgen_test]
async fn tries_again_where_the_person_was() {
    let lab = Lab::open();
    lab.serve();
    lab.answer(TOKEN_ENDPOINT, 400, JSON_TYPE, r#"{"error":"invalid_grant"}"#);
    lab.answer("https://other.example/.well-known", 200, JSON_TYPE, &metadata("https://other.example"));
    let (driver, key) = lab::start(&settings());
    let url = lab.prepare(&driver, &key, "/items?page=2").await;
    let state = parameter(&url, "state").expect("every request has one");
    lab.arrive(&format!("?code=x&state={state}"), "");
    // The other server is the first of the two.
    let app = App::mount(vec![other_settings(), settings()], || view! { <Callback/> });
    lab.until("the exchange fails", || app.find("[role=alert]").is_some()).await;
    assert!(app.text().contains("token.refused"));
    app.find("button").expect("another try").click();
    lab.until("the page wants to go", || !lab.left().is_empty()).await;
    assert!(lab.left()[0].starts_with("https://as.example/authorize?"));
    assert_eq!(lab.pending()[0].text("return_path"), Some("/items?page=2"));
    assert_ne!(parameter(&lab.left()[0], "state"), Some(state));
    assert_eq!(lab.requests_to(TOKEN_ENDPOINT).len(), 1);
}

/// CB-15: somebody who comes here without a response gets a friendly word.
#[wasm_bindgen_test]
async fn shows_that_there_is_nothing_to_complete() {
    let _lab = Lab::open();
    let app = App::mount(settings(), || view! { <Callback/> });
    assert!(app.find("[role=alert], button:not([hidden])").is_none());
    assert!(!app.text().is_empty());
}

#[wasm_bindgen_test]
async fn shows_what_the_app_makes_of_a_response() {
    let lab = Lab::open();
    lab.arrive("?code=x&state=forged", "");
    let app = App::mount(settings(), || {
        let view = |view: CallbackView| match view {
            CallbackView::Failed { error, .. } => error.code().into_any(),
            _ => "other".into_any(),
        };
        view! { <Callback view/> }
    });
    app.shows(&lab, "callback.unknown_state").await;
}

// AuthProvider and Auth

/// CFG-15: each server has its own session, and the one selected is the one shown.
#[wasm_bindgen_test]
async fn switches_between_servers() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    let app = App::mount(vec![other_settings(), settings()], gates);
    app.shows(&lab, "in").await;
    // The one with a session, though the other comes first.
    assert_eq!(untrack(|| app.auth.selected()), Some(key(&settings())));
    assert_eq!(untrack(|| app.auth.clients()).len(), 2);
    app.auth.select(key(&other_settings()));
    app.shows(&lab, "out").await;
    assert_eq!((app.status(), untrack(|| app.auth.session())), (Status::SignedOut, None));
    // Signing out here leaves the other server's session alone.
    app.auth.sign_out();
    app.auth.select(key(&settings()));
    app.shows(&lab, "in").await;
    assert_eq!(untrack(|| app.auth.session().map(|session| session.key().clone())), Some(key(&settings())));
}

#[wasm_bindgen_test]
async fn says_that_the_settings_are_unusable() {
    let lab = Lab::open();
    for app in [App::mount(broken_settings(), gates), App::mount(vec![settings(), broken_settings()], gates)] {
        assert_eq!((app.status(), app.error()), (Status::Failed, Some("configuration.invalid")));
        app.shows(&lab, "out").await;
        // Nothing to do, and nothing to fall over.
        app.auth.sign_in();
        app.auth.sign_out();
        assert!(untrack(|| app.auth.selected()).is_none());
    }
}

/// CFG-13: the file is fetched like everything else; until it is there nothing is shown as signed out.
#[wasm_bindgen_test]
async fn reads_its_clients_from_the_file() {
    let lab = Lab::open();
    lab.hold("/config.json");
    let app = App::mount(Clients::file(), gates);
    assert_eq!((app.status(), app.text().as_str()), (Status::Loading, ""));
    lab.until("the file is asked for", || lab.requests().len() == 1).await;
    let sent = &lab.requests()[0];
    assert_eq!(sent.text("url"), format!("{}/config.json", site().origin()));
    assert_eq!(["redirect", "credentials", "cache"].map(|name| sent.text(name)), ["error", "omit", "no-store"]);
    lab.release("/config.json", r#"{"authorization_servers":[{"issuer":"https://as.example","client_id":"app"}]}"#);
    app.shows(&lab, "out").await;
    assert_eq!((app.status(), untrack(|| app.auth.selected())), (Status::SignedOut, Some(key(&settings()))));
}

#[wasm_bindgen_test]
async fn says_what_came_instead_of_the_file() {
    let lab = Lab::open();
    for (status, media_type, body, code) in [
        (200, "text/html", "<!doctype html>", "configuration.html"),
        (404, "text/plain", "", "configuration.missing"),
        (200, JSON_TYPE, "{", "configuration.not_json"),
        (200, JSON_TYPE, "{}", "configuration.invalid"),
    ] {
        lab.answer("/config.json", status, media_type, body);
        let app = App::mount(Clients::file(), gates);
        lab.until(code, || app.status() == Status::Failed).await;
        assert_eq!(app.error(), Some(code));
        app.shows(&lab, "out").await;
    }
}

/// CB-3: a response that arrives before the configuration is exchanged all the same.
#[wasm_bindgen_test]
async fn exchanges_a_code_before_the_file_is_there() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    lab.hold("/config.json");
    let app = App::mount(Clients::file(), gates);
    assert_eq!(app.status(), Status::SigningIn);
    lab.until("the code is sent", || lab.requests_to(TOKEN_ENDPOINT).len() == 1).await;
    lab.release("/config.json", r#"{"authorization_servers":[{"issuer":"https://as.example","client_id":"app"}]}"#);
    app.shows(&lab, "in").await;
}

/// WEB-1: tokens that live in memory are written nowhere, so that another page knows nothing of them.
#[wasm_bindgen_test]
async fn forgets_a_session_in_memory_with_its_page() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    let app = App::mount(settings(), gates);
    app.shows(&lab, "in").await;
    assert!(lab.stored().iter().all(|(_, text)| !text.contains("the-access-token")));
    drop(app);
    let app = App::mount(settings(), gates);
    app.shows(&lab, "out").await;
}

/// WEB-1: tokens in sessionStorage survive a reload, and nothing else of this origin holds them.
#[wasm_bindgen_test]
async fn takes_a_stored_session_up_again() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings_that_store()).await;
    let app = App::mount(settings_that_store(), gates);
    app.shows(&lab, "in").await;
    drop(app);
    let requests = lab.requests().len();
    let app = App::mount(settings_that_store(), gates);
    // From the very start: no flash of the signed-out page.
    assert_eq!((app.text().as_str(), app.status()), ("in", Status::SignedIn));
    lab.answer(API, 200, "text/plain", "hello");
    let request = ResourceRequest { method: "GET".to_owned(), url: API.to_owned(), headers: Vec::new(), body: None };
    let response = app.auth.request(request).expect("there is a client").await.expect("an answer");
    assert_eq!((response.body.as_slice(), lab.requests().len()), (&b"hello"[..], requests + 1));
    assert_eq!(lab.requests_to(API)[0].header("authorization"), Some("Bearer the-access-token"));
    app.auth.sign_out();
    assert!(lab.stored().iter().all(|(_, text)| !text.contains("the-access-token")));
}

/// The lifetime that is shown follows the clock, down to zero.
#[wasm_bindgen_test]
async fn counts_the_lifetime_down() {
    let lab = Lab::open();
    lab.serve();
    lab.come_back(&settings()).await;
    let app = App::mount(settings(), || {
        let auth = use_auth();
        move || auth.remaining().map(|Seconds(seconds)| format!("{}", seconds / 100))
    });
    lab.until("somebody is signed in", || app.status() == Status::SignedIn).await;
    assert!(["5", "6"].contains(&app.text().as_str()));
    lab.run("later", &[250.into()]);
    // Within a second, with no change of the flow.
    app.shows(&lab, "3").await;
    lab.run("later", &[5_000.into()]);
    app.shows(&lab, "0").await;
    assert_eq!(app.status(), Status::SignedIn);
}

#[wasm_bindgen_test]
async fn says_nothing_of_a_lifetime_that_is_not_known() {
    let lab = Lab::open();
    lab.serve();
    lab.answer(TOKEN_ENDPOINT, 200, JSON_TYPE, r#"{"access_token":"the-access-token","token_type":"Bearer"}"#);
    let app = App::mount(settings(), gates);
    assert_eq!(untrack(|| app.auth.remaining()), None);
    drop(app);
    lab.come_back(&settings()).await;
    let app = App::mount(settings(), gates);
    app.shows(&lab, "in").await;
    assert_eq!(untrack(|| app.auth.remaining()), None);
}

/// An app whose provider is gone is not told of what comes late, and nothing falls over.
#[wasm_bindgen_test]
async fn survives_answers_that_come_after_its_provider_is_gone() {
    let lab = Lab::open();
    lab.hold(WELL_KNOWN);
    let app = App::mount(settings(), gates);
    app.auth.expect_sign_in(key(&settings()));
    lab.until("metadata is asked for", || lab.requests().len() == 1).await;
    drop(app);
    lab.release(WELL_KNOWN, &metadata(ISSUER));
    // Long enough for a tick of the clock too.
    lab.sleep(1_200).await;
    assert!(lab.number("errors") < 1.0, "something fell over");
    let app = App::mount(settings(), gates);
    app.shows(&lab, "out").await;
}
