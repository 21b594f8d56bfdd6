//! The page as a laboratory: canned answers, broken storage, and nothing that leaves the page.

#![allow(dead_code, reason = "each suite uses its part of it")]

use js_sys::{Array, Function, JSON, Promise, Reflect};
use leptos_pkce::browser::driver::Driver;
use leptos_pkce::protocol::client::{Client, ClientKey, ClientSettings};
use leptos_pkce::protocol::flow::ConfigurationSource;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::site::Site;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const WELL_KNOWN: &str = "https://as.example/.well-known/openid-configuration";
pub(crate) const TOKEN_ENDPOINT: &str = "https://as.example/token";
pub(crate) const API: &str = "https://api.example/v1";
pub(crate) const JSON_TYPE: &str = "application/json";
pub(crate) const TOKENS: &str = r#"{"access_token":"the-access-token","token_type":"Bearer","expires_in":600}"#;

/// The metadata of `issuer`.
pub(crate) fn metadata(issuer: &str) -> String {
    format!(
        r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token",
           "userinfo_endpoint":"{issuer}/userinfo","code_challenge_methods_supported":["S256"]}}"#
    )
}

/// A client at [`ISSUER`] that may call [`API`].
pub(crate) fn settings() -> ClientSettings {
    ClientSettings {
        issuer: Some(ISSUER.to_owned()),
        client_id: "app".to_owned(),
        scope: Some("profile photos".to_owned()),
        resources: vec![("API".to_owned(), API.to_owned())],
        ..ClientSettings::default()
    }
}

/// The same, with tokens kept in sessionStorage.
pub(crate) fn settings_that_store() -> ClientSettings {
    ClientSettings { token_storage: Some("session".to_owned()), ..settings() }
}

pub(crate) fn site() -> Site {
    Driver::site().expect("the test page is served over http")
}

pub(crate) fn key(settings: &ClientSettings) -> ClientKey {
    Client::new(settings.clone(), &site()).expect("settings without a problem").key().clone()
}

/// A driver with one client.
pub(crate) fn start(settings: &ClientSettings) -> (Driver, ClientKey) {
    let client = Client::new(settings.clone(), &site()).expect("settings without a problem");
    let key = client.key().clone();
    // A page has one driver in truth. Those of earlier tests live on in this one, and hear nothing of each other.
    let name = JsValue::from("BroadcastChannel");
    let channel = Reflect::get(&js_sys::global(), &name).expect("this browser has it");
    Reflect::set(&js_sys::global(), &name, &JsValue::UNDEFINED).expect("it can be replaced");
    let driver = Driver::start(site(), ConfigurationSource::Clients(Ok(vec![client])));
    Reflect::set(&js_sys::global(), &name, &channel).expect("it can be put back");
    (driver, key)
}

/// One parameter of a URL's query, decoded by the browser.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = web_sys::Url::new(url).expect("a URL");
    let parameters = Reflect::get(&url, &"searchParams".into()).expect("every URL has them");
    let get: Function = Reflect::get(&parameters, &"get".into()).expect("a method").unchecked_into();
    get.call1(&parameters, &name.into()).expect("it never throws").as_string()
}

/// The page with its functions replaced; dropped, it is as it was.
pub(crate) struct Lab(JsValue);

/// A request as it was handed to fetch.
pub(crate) struct Sent(Value);

impl Sent {
    /// A member, e.g. `redirect`; empty if it is absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.text(name).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.member("headers")?.text(name)
    }

    /// The names of all header fields.
    pub(crate) fn header_names(&self) -> Vec<&str> {
        let headers = self.0.member("headers").and_then(Value::as_object).unwrap_or_default();
        headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.0.member("aborted").is_some_and(|value| matches!(value, Value::Bool(true)))
    }
}

impl Lab {
    /// A page without records, routes or traces of the test before.
    pub(crate) fn open() -> Self {
        js_sys::eval(include_str!("lab.js")).expect("lab.js runs");
        let lab = Self(Reflect::get(&js_sys::global(), &"lab".into()).expect("lab.js defines it"));
        lab.run("reset", &[]);
        lab
    }

    /// Calls one of the functions of lab.js.
    pub(crate) fn run(&self, name: &str, arguments: &[JsValue]) -> JsValue {
        let function: Function = Reflect::get(&self.0, &name.into()).expect("a member").unchecked_into();
        function.apply(&self.0, &arguments.iter().collect::<Array>()).expect("it does not throw")
    }

    /// A number of lab.js.
    pub(crate) fn number(&self, name: &str) -> f64 {
        Reflect::get(&self.0, &name.into()).expect("a member").as_f64().expect("a number")
    }

    /// A value of lab.js, as JSON.
    pub(crate) fn json(&self, name: &str) -> Value {
        let value = Reflect::get(&self.0, &name.into()).expect("a member");
        document(&JSON::stringify(&value).map(String::from).expect("it can be written"))
    }

    pub(crate) fn answer(&self, url: &str, status: u16, media_type: &str, body: &str) {
        self.run("answer", &[url.into(), status.into(), media_type.into(), body.into()]);
    }

    /// Requests to `url` wait until [`release`](Self::release).
    pub(crate) fn hold(&self, url: &str) {
        self.run("hold", &[url.into()]);
    }

    pub(crate) fn release(&self, url: &str, body: &str) {
        self.run("release", &[url.into(), 200.into(), JSON_TYPE.into(), body.into()]);
    }

    /// The metadata and the tokens of [`ISSUER`].
    pub(crate) fn serve(&self) {
        self.answer(WELL_KNOWN, 200, JSON_TYPE, &metadata(ISSUER));
        self.answer(TOKEN_ENDPOINT, 200, JSON_TYPE, TOKENS);
    }

    /// The page's first script held this back.
    pub(crate) fn arrive(&self, search: &str, hash: &str) {
        self.run("arrive", &[search.into(), hash.into()]);
    }

    pub(crate) fn requests(&self) -> Vec<Sent> {
        let text = self.run("requests", &[]).as_string().expect("text");
        document(&text).as_array().expect("an array").iter().cloned().map(Sent).collect()
    }

    pub(crate) fn requests_to(&self, url: &str) -> Vec<Sent> {
        self.requests().into_iter().filter(|sent| sent.text("url").starts_with(url)).collect()
    }

    /// Names and texts in sessionStorage.
    pub(crate) fn stored(&self) -> Vec<(String, String)> {
        names_and_texts(&document(&self.run("stored", &[]).as_string().expect("text")))
    }

    /// The records of pending authorization requests.
    pub(crate) fn pending(&self) -> Vec<Value> {
        let stored = self.stored().into_iter().filter(|(name, _)| name.starts_with("leptos-pkce pending "));
        stored.map(|(_, text)| document(&text)).collect()
    }

    /// Where the page wanted to go.
    pub(crate) fn left(&self) -> Vec<String> {
        let left = self.json("left");
        let departures = left.as_array().expect("an array").iter();
        departures.map(|departure| departure.text("url").expect("it has one").to_owned()).collect()
    }

    /// What was stored when the page wanted to go for the first time.
    pub(crate) fn stored_at_departure(&self) -> Vec<(String, String)> {
        let left = self.json("left");
        let first = left.as_array().and_then(<[Value]>::first).expect("the page wanted to go");
        names_and_texts(&document(first.text("stored").expect("it was written down")))
    }

    pub(crate) async fn sleep(&self, milliseconds: u32) {
        let promise: Promise = self.run("sleep", &[milliseconds.into()]).unchecked_into();
        JsFuture::from(promise).await.expect("a timer does not fail");
    }

    /// Lets everything happen that waits for nothing else.
    pub(crate) async fn settle(&self) {
        for _ in 0..5 {
            self.sleep(1).await;
        }
    }

    /// Waits until `condition` holds.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn() -> bool) {
        for _ in 0..300 {
            if condition() {
                return;
            }
            self.sleep(10).await;
        }
        panic!("this did not happen within three seconds: {what}");
    }

    /// Makes an authorization request without leaving the page; gives its URL.
    pub(crate) async fn prepare(&self, driver: &Driver, key: &ClientKey, return_path: &str) -> String {
        driver.prepare_sign_in(key.clone(), Some(return_path.to_owned()));
        let prepared = || driver.read(|flow| flow.prepared(key).map(|url| url.as_str().to_owned()));
        self.until("the request is there", || prepared().is_some()).await;
        prepared().expect("it is there")
    }

    /// Everything up to the redirect back: the next driver or provider finds a response for `settings`.
    pub(crate) async fn come_back(&self, settings: &ClientSettings) {
        let (driver, key) = start(settings);
        let url = self.prepare(&driver, &key, "/").await;
        let state = parameter(&url, "state").expect("every request has one");
        self.arrive(&format!("?code=the-code&state={state}"), "");
    }

    /// A driver with a session; needs [`serve`](Self::serve) or the like.
    pub(crate) async fn sign_in(&self, settings: &ClientSettings) -> (Driver, ClientKey) {
        self.come_back(settings).await;
        let (driver, key) = start(settings);
        self.until("somebody is signed in", || driver.read(|flow| flow.session(&key).is_some())).await;
        (driver, key)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.run("close", &[]);
    }
}

fn names_and_texts(object: &Value) -> Vec<(String, String)> {
    let members = object.as_object().expect("an object").iter();
    members.map(|(name, text)| (name.clone(), text.as_str().expect("a string").to_owned())).collect()
}

fn document(text: &str) -> Value {
    Value::parse(text.as_bytes()).map_err(|error| error.to_string()).expect("JSON")
}
