//! The program of the sandbox's Service Worker: a browser's request in, the sandbox's response out.
//!
//! sandbox-service-worker.js decides what comes here, asks one question at a time, and delivers the answers.
//!
//! Rule: everything that an answer says is in the database before the answer goes out, and nothing is kept in memory
//! between two requests. So a worker that the browser ends in the middle of a sign-in has lost nothing.

#[cfg(target_arch = "wasm32")]
mod worker {
    use std::cell::RefCell;

    use js_sys::{Object, Promise, Reflect, Uint8Array};
    use leptos_pkce::browser::indexed_db::Database;
    use leptos_pkce::browser::subtle::{self, KeyPair};
    use leptos_pkce::browser::{clock, entropy};
    use leptos_pkce::protocol::algorithm::{Algorithm, Hash};
    use leptos_pkce::protocol::json::Value;
    use leptos_pkce::protocol::jwk;
    use leptos_pkce::protocol::jws::Verification;
    use leptos_pkce::protocol::url::Url;
    use leptos_pkce::sandbox::crypto::{Crypto, CryptoFailure, ES256, Generation, Key, PublicKey};
    use leptos_pkce::sandbox::http::{Delivery, Request, Response};
    use leptos_pkce::sandbox::state::State;
    use leptos_pkce::sandbox::{Entropy, Sandbox};
    use wasm_bindgen::closure::Closure;
    use wasm_bindgen::{JsCast as _, JsValue};
    use wasm_bindgen_futures::{JsFuture, future_to_promise};

    /// The name of the state in the database.
    const STATE: &str = "state";

    /// The longest body that is read, in octets.
    const LONGEST_BODY: usize = 64 * 1024;

    /// Gives the script its function: `answerRequest(request, base, database)`, a promise of
    /// `{ response, delay, fault }`, or of a sentence if there can be no answer.
    pub(super) fn offer() {
        let answer = |request, base, database| future_to_promise(answer_or_say_why(request, base, database));
        let answer = Closure::<dyn Fn(web_sys::Request, String, String) -> Promise>::new(answer);
        // Setting a member of the worker's own global object cannot fail.
        let _ = Reflect::set(&js_sys::global(), &"answerRequest".into(), &answer.into_js_value());
    }

    async fn answer_or_say_why(request: web_sys::Request, base: String, database: String) -> Result<JsValue, JsValue> {
        answer(&request, &base, &database).await.map_err(JsValue::from)
    }

    async fn answer(request: &web_sys::Request, base: &str, database: &str) -> Result<JsValue, &'static str> {
        const NO_DATABASE: &str = "the browser keeps no database for it";
        const NO_ANSWER: &str = "the browser takes no answer";
        let database = Database::open(database).await.map_err(|_| NO_DATABASE)?;
        let kept_state = database.get(STATE).await.map_err(|_| NO_DATABASE)?.and_then(|text| text.as_string());

        let web = Web { database: &database, used: RefCell::default() };
        let state = kept_state.as_deref().and_then(|text| State::decode(&Value::parse(text.as_bytes()).ok()?));
        let mut sandbox = Sandbox::new(base, state.unwrap_or_default()).map_err(|_| "the site has no address")?;

        let request = match read(request).await {
            Ok(request) => request,
            Err(refusal) => return delivery(&refusal).ok_or(NO_ANSWER),
        };
        let entropy = entropy::octets().map_err(|_| "the browser gave no random numbers")?;
        let response = sandbox.handle(&request, clock::now(), Entropy(entropy), &web).await;
        let response = response.map_err(|_| "WebCrypto did not sign, or made no key")?;

        let state = sandbox.state.encode().to_text();
        let is_news = kept_state.as_ref() != Some(&state);
        let state = is_news.then(|| (STATE.to_owned(), JsValue::from(state)));
        let values: Vec<_> = web.made().into_iter().chain(state).collect();
        if !values.is_empty() {
            let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            database.put(&values).await.map_err(|_| NO_DATABASE)?;
        }
        delivery(&response).ok_or(NO_ANSWER)
    }

    /// The browser's cryptography as the sandbox needs it. A key is fetched, or made, when it is used for the first
    /// time: keys of RSA take a while.
    struct Web<'a> {
        database: &'a Database,
        used: RefCell<Vec<Used>>,
    }

    /// A key that this answer needed.
    #[derive(Clone)]
    struct Used {
        key: Key,
        pair: KeyPair,
        is_new: bool,
    }

    impl Web<'_> {
        async fn pair(&self, key: Key) -> Option<KeyPair> {
            let used = self.used.borrow().iter().find(|used| used.key == key).map(|used| used.pair.clone());
            if used.is_some() {
                return used;
            }
            let value = self.database.get(&name(key)).await.ok()?;
            let kept = value.and_then(|value| KeyPair::from_value(&value, key.algorithm));
            let is_new = kept.is_none();
            let pair = match kept {
                Some(pair) => pair,
                None => KeyPair::generate(key.algorithm).await.ok()?,
            };
            self.used.borrow_mut().push(Used { key, pair: pair.clone(), is_new });
            Some(pair)
        }

        /// The keys that are not in the database yet.
        fn made(&self) -> Vec<(String, JsValue)> {
            let used = self.used.borrow();
            used.iter().filter(|used| used.is_new).map(|used| (name(used.key), used.pair.to_value())).collect()
        }
    }

    /// The name of a key in the database. The one that every server has is older than the others.
    fn name(key: Key) -> String {
        match (key.algorithm, key.generation) {
            (ES256, Generation::First) => "keys".to_owned(),
            (algorithm, Generation::First) => format!("keys {}", algorithm.as_str()),
            (algorithm, Generation::Second) => format!("keys {} 2", algorithm.as_str()),
        }
    }

    impl Crypto for Web<'_> {
        async fn sign(&self, key: Key, octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
            self.pair(key).await.ok_or(CryptoFailure)?.sign(octets).await.map_err(|_| CryptoFailure)
        }

        async fn public_key(&self, key: Key) -> Result<PublicKey, CryptoFailure> {
            let pair = self.pair(key).await.ok_or(CryptoFailure)?;
            let public_key = match key.algorithm {
                Algorithm::Es(_) => pair.members(["x", "y"]).await.map(|[x, y]| PublicKey::Ec { x, y }),
                Algorithm::Rs(_) | Algorithm::Ps(_) => {
                    pair.members(["n", "e"]).await.map(|[n, e]| PublicKey::Rsa { n, e })
                }
                Algorithm::Ed25519 => pair.members(["x"]).await.map(|[x]| PublicKey::Okp { x }),
            };
            public_key.map_err(|_| CryptoFailure)
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

    /// The request, or what to answer if it cannot be read.
    async fn read(request: &web_sys::Request) -> Result<Request, Response> {
        let headers = gloo_net::http::Headers::from_raw(request.headers()).entries().collect();
        let body = match request.array_buffer() {
            Ok(body) => JsFuture::from(body).await,
            Err(error) => Err(error),
        };
        let body = body.map_err(|_| refusal(400, "The body cannot be read."))?;
        let body = Uint8Array::new(&body).to_vec();
        if body.len() > LONGEST_BODY {
            return Err(refusal(413, "The body is longer than 64 KiB."));
        }
        let url = Url::parse(&request.url())
            .map_err(|_| refusal(400, "The URL is too long, or has characters that none may have."))?;
        Ok(Request { method: request.method(), url, headers, body })
    }

    fn refusal(status: u16, words: &str) -> Response {
        let headers = [("cache-control", "no-store"), ("content-type", "text/plain;charset=utf-8")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Response { status, headers, body: words.as_bytes().to_vec(), delivery: Delivery::AtOnce }
    }

    /// The response, how long it is to be kept back (milliseconds), and what is to go wrong on its way.
    fn delivery(response: &Response) -> Option<JsValue> {
        let headers = web_sys::Headers::new().ok()?;
        for (name, value) in &response.headers {
            headers.append(name, value).ok()?;
        }
        let init = web_sys::ResponseInit::new();
        init.set_status(response.status);
        init.set_headers(&headers);
        let body = Uint8Array::from(response.body.as_slice());
        let browser_response = web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&body), &init).ok()?;
        let (delay, fault) = match response.delivery {
            Delivery::AtOnce => (0, ""),
            Delivery::After(delay) => (delay.0 * 1000, ""),
            Delivery::Endless => (0, "endless"),
            Delivery::Lost => (0, "lost"),
        };
        let answer = Object::new();
        for (name, value) in [
            ("response", browser_response.unchecked_into()),
            ("delay", JsValue::from(delay as f64)),
            ("fault", JsValue::from(fault)),
        ] {
            Reflect::set(&answer, &name.into(), &value).ok()?;
        }
        Some(answer.into())
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {
    worker::offer();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("The sandbox runs in a browser: `make serve` builds and serves it.");
}
