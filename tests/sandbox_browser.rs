//! The sandbox on the browser's own cryptography and storage.
#![cfg(target_arch = "wasm32")]

use js_sys::{Array, Object, Reflect, Uint8Array};
use leptos_pkce::browser::indexed_db::Database;
use leptos_pkce::browser::subtle::{self, KeyPair, SubtleFailure, sha_256};
use leptos_pkce::protocol::algorithm::{Algorithm, Hash};
use leptos_pkce::protocol::form;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::jwk;
use leptos_pkce::protocol::jws::Verification;
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::Url;
use leptos_pkce::sandbox::crypto::{Crypto, CryptoFailure, ES256, Key, PublicKey, SUPPORTED};
use leptos_pkce::sandbox::http::{Request, Response};
use leptos_pkce::sandbox::state::State;
use leptos_pkce::sandbox::switches::Switches;
use leptos_pkce::sandbox::{Entropy, Sandbox};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// One key for each algorithm, made in advance.
struct Web(Vec<(Algorithm, KeyPair)>);

impl Web {
    async fn new() -> Self {
        let mut pairs = Vec::new();
        for algorithm in SUPPORTED {
            pairs.push((algorithm, KeyPair::generate(algorithm).await.expect("WebCrypto")));
        }
        Self(pairs)
    }

    fn pair(&self, algorithm: Algorithm) -> &KeyPair {
        let found = self.0.iter().find(|(known, _)| *known == algorithm);
        &found.expect("one for each").1
    }

    async fn public(&self, algorithm: Algorithm) -> Result<PublicKey, SubtleFailure> {
        let pair = self.pair(algorithm);
        Ok(match algorithm {
            Algorithm::Es(_) => pair.members(["x", "y"]).await.map(|[x, y]| PublicKey::Ec { x, y })?,
            Algorithm::Rs(_) | Algorithm::Ps(_) => {
                pair.members(["n", "e"]).await.map(|[n, e]| PublicKey::Rsa { n, e })?
            }
            Algorithm::Ed25519 => pair.members(["x"]).await.map(|[x]| PublicKey::Okp { x })?,
        })
    }
}

impl Crypto for Web {
    async fn sign(&self, key: Key, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        self.pair(key.algorithm).sign(octets).await.map_err(|_| CryptoFailure)
    }

    async fn public_key(&self, key: Key) -> Result<PublicKey, CryptoFailure> {
        self.public(key.algorithm).await.map_err(|_| CryptoFailure)
    }

    async fn verify(&self, point: [&str; 2], octets: &[u8], signature: &[u8]) -> Result<bool, CryptoFailure> {
        is_es256(point, octets, signature).await
    }

    async fn digest(&self, hash: Hash, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
        subtle::digest(hash, octets).await.map_err(|_| CryptoFailure)
    }
}

/// Whether the ES256 signature of `octets` was made with the key at a point of P-256.
async fn is_es256(point: [&str; 2], octets: &[u8], signature: &[u8]) -> Result<bool, CryptoFailure> {
    let [x, y] = point.map(str::to_owned);
    let question = Verification {
        algorithm: ES256,
        keys: vec![jwk::PublicKey::Ec { curve: Hash::Sha256, x, y }],
        signed: octets.to_vec(),
        signature: signature.to_vec(),
        hashed: None,
    };
    subtle::verify(&question).await.signature.map_err(|_| CryptoFailure)
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
    let keys = KeyPair::generate(ES256).await.expect("WebCrypto");
    let database = Database::open(name).await.expect("a database");
    assert!(database.get("keys").await.expect("it answers").is_none());
    database.put(&[("keys", keys.to_value()), ("state", "{}".into())]).await.expect("it is kept");
    drop(database);

    let database = Database::open(name).await.expect("it is there still");
    let value = database.get("keys").await.expect("it answers").expect("what was put");
    let again = KeyPair::from_value(&value, ES256).expect("a key pair");
    assert_eq!(again.members(["x", "y"]).await, keys.members(["x", "y"]).await);
    assert_eq!(again.sign(b"x").await.map(|signature| signature.len()), Ok(64));
    let private = Reflect::get(&value, &"privateKey".into()).expect("a member");
    assert_eq!(Reflect::get(&private, &"extractable".into()), Ok(JsValue::FALSE));
    assert_eq!(
        database.get("state").await.expect("it answers").and_then(|text| text.as_string()).as_deref(),
        Some("{}")
    );
    for other in [JsValue::NULL, Object::new().into()] {
        assert!(KeyPair::from_value(&other, ES256).is_none());
    }

    // Deleting waits for no page that has it open.
    Database::delete(name).await.expect("it goes");
    let database = Database::open(name).await.expect("a new one");
    assert!(database.get("keys").await.expect("it answers").is_none());
    drop(database);
    Database::delete(name).await.expect("it goes");
}

/// DP-5, DP-7: of two tabs that make a key at the same time, both have the first one's: the second used to take its place.
#[wasm_bindgen_test]
async fn what_is_added_takes_the_place_of_nothing() {
    let name = "leptos-pkce test additions";
    let [first, second] =
        [Database::open(name).await, Database::open(name).await].map(|open| open.expect("a database"));
    let before = (first.get("key").await, second.get("key").await);
    assert_eq!(before, (Ok(None), Ok(None)));
    first.add("key", &"one".into()).await.expect("it is added");
    assert!(second.add("key", &"two".into()).await.is_err());
    let kept = second.get("key").await.expect("it answers");
    assert_eq!(kept.and_then(|text| text.as_string()).as_deref(), Some("one"));
    drop((first, second));
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

#[wasm_bindgen_test]
async fn verifies_what_a_key_signed_and_nothing_else() {
    let keys = KeyPair::generate(ES256).await.expect("WebCrypto");
    let [x, y] = keys.members(["x", "y"]).await.expect("a point");
    let signature = keys.sign(b"octets").await.expect("WebCrypto");
    assert_eq!(is_es256([&x, &y], b"octets", &signature).await, Ok(true));
    assert_eq!(is_es256([&x, &y], b"others", &signature).await, Ok(false));
    assert_eq!(is_es256([&x, &y], b"octets", &[0; 64]).await, Ok(false));
    assert_eq!(is_es256([&x, &y], b"octets", b"").await, Ok(false));
    // No point of the curve, or no number at all.
    assert_eq!(is_es256([&x, &x], b"octets", &signature).await, Ok(false));
    assert_eq!(is_es256(["", "!"], b"octets", &signature).await, Ok(false));
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
    let web = Web::new().await;
    for switches in [&[][..], &["id-token-rs256"], &["id-token-ps256"], &["id-token-eddsa"]] {
        signs_somebody_in(&web, switches).await;
    }
}

async fn signs_somebody_in(web: &Web, switches: &[&'static str]) {
    let mut sandbox = Sandbox::new(BASE, State::default()).expect("a URL");
    sandbox.state.switches = Switches::on(switches.iter().copied()).expect("they exist");
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
    let mut page = send(&mut sandbox, web, "GET", &format!("authorize?{query}"), "", 1).await;
    for (turn, (path, answer)) in
        [("login", ("username", "alice")), ("consent", ("allow", "1"))].into_iter().enumerate()
    {
        let text = String::from_utf8(page.body).expect("a page");
        let value = between(&text, "name=\"form_value\" value=\"", '"');
        let body = form::encode(&[("form_value", value), answer]);
        page = send(&mut sandbox, web, "POST", path, &body, 2 + turn as u8).await;
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
    let tokens = send(&mut sandbox, web, "POST", "token", &body, 9).await;
    let tokens = Value::parse(&tokens.body).expect("JSON");
    let id_token = tokens.text("id_token").expect("an ID token");
    let keys = send(&mut sandbox, web, "GET", "jwks", "", 10).await;
    let keys = String::from_utf8(keys.body).expect("JSON");
    let jwk = js_sys::JSON::parse(&keys).and_then(|keys| Reflect::get(&keys, &"keys".into())).expect("keys");
    // The last one signs; before it there is the usual one.
    let jwk = Array::from(&jwk).pop();
    assert!(verifies(&jwk, id_token).await, "{switches:?}");
    let shortened = id_token.replacen('.', ".e", 1);
    assert!(!verifies(&jwk, &shortened).await, "{switches:?}");
}

async fn verifies(jwk: &JsValue, jws: &str) -> bool {
    let subtle = web_sys::window().and_then(|window| window.crypto().ok()).expect("WebCrypto").subtle();
    let name = Reflect::get(jwk, &"alg".into()).ok().and_then(|name| name.as_string());
    let name = match name.as_deref() {
        Some("ES256") => "ECDSA",
        Some("RS256") => "RSASSA-PKCS1-v1_5",
        Some("PS256") => "RSA-PSS",
        Some("EdDSA") => "Ed25519",
        other => panic!("{other:?}"),
    };
    let algorithm = Object::new();
    for (name, value) in [
        ("name", JsValue::from(name)),
        ("namedCurve", "P-256".into()),
        ("hash", "SHA-256".into()),
        ("saltLength", 32.into()),
    ] {
        Reflect::set(&algorithm, &name.into(), &value).expect("a plain object");
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
