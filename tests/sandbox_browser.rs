//! The sandbox on the browser's own cryptography and storage.
#![cfg(target_arch = "wasm32")]

use js_sys::{Array, Object, Reflect, Uint8Array};
use leptos_pkce::browser::indexed_db::Database;
use leptos_pkce::browser::subtle::{KeyPair, sha_256};
use leptos_pkce::protocol::form;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::Url;
use leptos_pkce::sandbox::crypto::{Crypto, CryptoFailure, PublicKey};
use leptos_pkce::sandbox::http::{Request, Response};
use leptos_pkce::sandbox::state::State;
use leptos_pkce::sandbox::{Entropy, Sandbox};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

struct Web {
    keys: KeyPair,
    public_key: PublicKey,
}

impl Web {
    async fn new(keys: KeyPair) -> Self {
        let [x, y] = keys.coordinates().await.expect("a public key has coordinates");
        Self { keys, public_key: PublicKey { x, y } }
    }
}

impl Crypto for Web {
    async fn sign(&self, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        self.keys.sign(octets).await.map_err(|_| CryptoFailure)
    }

    async fn sha_256(&self, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        sha_256(octets).await.map_err(|_| CryptoFailure)
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

// Adapters

#[wasm_bindgen_test]
async fn hashes_as_everybody_does() {
    let hash = sha_256(b"abc").await.expect("WebCrypto");
    assert_eq!(hash[..4], [0xba, 0x78, 0x16, 0xbf]);
    assert_eq!(hash.len(), 32);
}

#[wasm_bindgen_test]
async fn keeps_a_key_that_nobody_can_read_out() {
    let name = "leptos-pkce test keys";
    let keys = KeyPair::generate().await.expect("WebCrypto");
    let database = Database::open(name).await.expect("a database");
    assert!(database.get("keys").await.expect("it answers").is_none());
    database.put(&[("keys", keys.to_value()), ("state", "{}".into())]).await.expect("it is kept");
    drop(database);

    let database = Database::open(name).await.expect("it is there still");
    let value = database.get("keys").await.expect("it answers").expect("what was put");
    let again = KeyPair::from_value(&value).expect("a key pair");
    assert_eq!(again.coordinates().await, keys.coordinates().await);
    assert_eq!(again.sign(b"x").await.map(|signature| signature.len()), Ok(64));
    let private = Reflect::get(&value, &"privateKey".into()).expect("a member");
    assert_eq!(Reflect::get(&private, &"extractable".into()), Ok(JsValue::FALSE));
    assert_eq!(
        database.get("state").await.expect("it answers").and_then(|text| text.as_string()).as_deref(),
        Some("{}")
    );
    assert!(KeyPair::from_value(&JsValue::NULL).is_none() && KeyPair::from_value(&Object::new()).is_none());

    // Deleting waits for no page that has it open.
    Database::delete(name).await.expect("it goes");
    let database = Database::open(name).await.expect("a new one");
    assert!(database.get("keys").await.expect("it answers").is_none());
    drop(database);
    Database::delete(name).await.expect("it goes");
}

#[wasm_bindgen_test]
async fn a_value_that_cannot_be_kept_is_an_error() {
    let name = "leptos-pkce test failures";
    let database = Database::open(name).await.expect("a database");
    let function: JsValue = js_sys::Function::new_no_args("").into();
    database.put(&[("good", "before".into())]).await.expect("it is kept");
    assert!(database.put(&[("good", "after".into()), ("bad", function)]).await.is_err());
    // All of them or none.
    let kept = database.get("good").await.expect("it answers");
    assert_eq!(kept.and_then(|text| text.as_string()).as_deref(), Some("before"));
    drop(database);
    Database::delete(name).await.expect("it goes");
}

// The server

const BASE: &str = "https://app.example/";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn send(sandbox: &mut Sandbox, web: &Web, method: &str, path: &str, body: &str, turn: u8) -> Response {
    let request = Request {
        method: method.to_owned(),
        url: Url::parse(&format!("{BASE}sandbox/{path}")).expect("a URL"),
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    let mut octets = [turn; 64];
    octets[..32].fill(turn.wrapping_add(100));
    sandbox.handle(&request, UnixTime(1_700_000_000), Entropy(octets), web).await.expect("this platform signs")
}

fn between<'a>(text: &'a str, before: &str, after: char) -> &'a str {
    let (_, rest) = text.split_once(before).expect("it begins");
    rest.split(after).next().expect("it ends")
}

/// WebCrypto verifies what the sandbox signed, with the key that the sandbox publishes.
#[wasm_bindgen_test]
async fn signs_somebody_in_with_an_id_token_that_the_browser_verifies() {
    let web = Web::new(KeyPair::generate().await.expect("WebCrypto")).await;
    let mut sandbox = Sandbox::new(BASE, State::default()).expect("a URL");
    let query = form::encode(&[
        ("response_type", "code"),
        ("client_id", "workbench"),
        ("redirect_uri", "https://app.example/callback"),
        ("scope", "openid"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]);
    let mut page = send(&mut sandbox, &web, "GET", &format!("authorize?{query}"), "", 1).await;
    for (turn, (path, answer)) in
        [("login", ("username", "alice")), ("consent", ("allow", "1"))].into_iter().enumerate()
    {
        let text = String::from_utf8(page.body).expect("a page");
        let value = between(&text, "name=\"form_value\" value=\"", '"');
        let body = form::encode(&[("form_value", value), answer]);
        page = send(&mut sandbox, &web, "POST", path, &body, 2 + turn as u8).await;
    }
    let location = page.headers.iter().find(|(name, _)| name == "location").expect("back to the client");
    let code = between(&location.1, "code=", '&').to_owned();
    let body = form::encode(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", "https://app.example/callback"),
        ("client_id", "workbench"),
        ("code_verifier", VERIFIER),
    ]);
    let tokens = send(&mut sandbox, &web, "POST", "token", &body, 9).await;
    let tokens = Value::parse(&tokens.body).expect("JSON");
    let id_token = tokens.text("id_token").expect("an ID token");
    let keys = send(&mut sandbox, &web, "GET", "jwks", "", 10).await;
    let keys = String::from_utf8(keys.body).expect("JSON");
    let jwk = js_sys::JSON::parse(&keys).and_then(|keys| Reflect::get(&keys, &"keys".into())).expect("keys");
    assert!(verifies(&Array::from(&jwk).get(0), id_token).await);
    let shortened = id_token.replacen('.', ".e", 1);
    assert!(!verifies(&Array::from(&jwk).get(0), &shortened).await);
}

async fn verifies(jwk: &JsValue, jws: &str) -> bool {
    let subtle = web_sys::window().and_then(|window| window.crypto().ok()).expect("WebCrypto").subtle();
    let algorithm = Object::new();
    for (name, value) in [("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")] {
        Reflect::set(&algorithm, &name.into(), &value.into()).expect("a plain object");
    }
    let usages = Array::of1(&"verify".into());
    let key = subtle.import_key_with_object("jwk", jwk.unchecked_ref(), &algorithm, false, &usages).expect("a promise");
    let key = JsFuture::from(key).await.expect("a key").unchecked_into();
    let (signed, signature) = jws.rsplit_once('.').expect("three parts");
    let padded = signature.replace('-', "+").replace('_', "/");
    let signature = web_sys::window().expect("a page").atob(&padded).expect("base64");
    let signature: Vec<u8> = signature.chars().map(|octet| octet as u8).collect();
    let verified = subtle.verify_with_object_and_js_u8_array_and_js_u8_array(
        &algorithm,
        &key,
        &Uint8Array::from(&signature[..]),
        &Uint8Array::from(signed.as_bytes()),
    );
    JsFuture::from(verified.expect("a promise")).await.is_ok_and(|outcome| outcome.is_truthy())
}
