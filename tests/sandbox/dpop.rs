//! Proofs of possession (RFC 9449): what is wrong with them, what is bound to a key, and nonces.

use leptos_pkce::protocol::form;
use leptos_pkce::sandbox::http::Response;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::crypto::{coordinates, encode};
use crate::person::{CALLBACK, ISSUER, Person, VERIFIER, header, value};

/// A client with a key.
pub(crate) struct Holder {
    key: SigningKey,
    count: u64,
}

impl Holder {
    pub(crate) fn new(seed: u8) -> Self {
        Self { key: SigningKey::from_slice(&[seed; 32]).expect("a scalar below the order of the curve"), count: 0 }
    }

    fn jwk(&self) -> Value {
        let [x, y] = coordinates(&self.key);
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
    }

    fn thumbprint(&self) -> String {
        let [x, y] = coordinates(&self.key);
        encode(&Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)))
    }

    /// The halves of a proof that is right.
    fn draft(&mut self, person: &Person, method: &str, path: &str, token: Option<&str>) -> (Value, Value) {
        self.count += 1;
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        let mut payload = json!({
            "jti": format!("proof-{}", self.count), "htm": method, "htu": format!("{ISSUER}{path}"), "iat": person.now,
        });
        if let Some(token) = token {
            payload["ath"] = encode(&Sha256::digest(token)).into();
        }
        (header, payload)
    }

    fn sign(&self, (header, payload): &(Value, Value)) -> String {
        let input = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
        let signature: Signature = self.key.sign(input.as_bytes());
        format!("{input}.{}", encode(&signature.to_bytes()))
    }

    /// Exchanges a code with a proof.
    pub(crate) fn exchange(&mut self, person: &mut Person, code: &str, nonce: Option<&str>) -> Response {
        let mut draft = self.draft(person, "POST", "token", None);
        if let Some(nonce) = nonce {
            draft.1["nonce"] = nonce.into();
        }
        exchange(person, code, &self.sign(&draft))
    }

    /// Sends a refresh token with a proof.
    pub(crate) fn refresh(&mut self, person: &mut Person, refresh_token: &str, nonce: Option<&str>) -> Response {
        let mut draft = self.draft(person, "POST", "token", None);
        if let Some(nonce) = nonce {
            draft.1["nonce"] = nonce.into();
        }
        let body = form::encode(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", "workbench"),
        ]);
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", &self.sign(&draft))];
        person.request("POST", &format!("{ISSUER}token"), &headers, &body)
    }

    /// Signs in and exchanges; the access token.
    fn token(&mut self, person: &mut Person) -> String {
        let code = code(person);
        let tokens = crate::person::json(&self.exchange(person, &code, None));
        assert_eq!(tokens["token_type"], "DPoP", "{tokens}");
        tokens["access_token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn call(&mut self, person: &mut Person, path: &str, token: &str) -> Response {
        let draft = self.draft(person, "GET", path, Some(token));
        call(person, path, token, &self.sign(&draft))
    }
}

fn code(person: &mut Person) -> String {
    value(&person.sign_in(&[]), "code").expect("a code")
}

fn exchange(person: &mut Person, code: &str, proof: &str) -> Response {
    let body = form::encode(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", "workbench"),
        ("code_verifier", VERIFIER),
    ]);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", proof)];
    person.request("POST", &format!("{ISSUER}token"), &headers, &body)
}

fn call(person: &mut Person, path: &str, token: &str, proof: &str) -> Response {
    let authorization = format!("DPoP {token}");
    person.request("GET", &format!("{ISSUER}{path}"), &[("authorization", &authorization), ("dpop", proof)], "")
}

fn error(response: &Response) -> (u16, String) {
    (response.status, crate::person::json(response)["error"].as_str().expect("an error").to_owned())
}

#[test]
fn a_token_is_bound_to_the_key_that_was_proved() {
    let mut person = Person::new();
    let (mut holder, mut thief) = (Holder::new(9), Holder::new(10));
    let token = holder.token(&mut person);
    assert_eq!(holder.call(&mut person, "api/photos", &token).status, 200);
    assert_eq!(holder.call(&mut person, "userinfo", &token).status, 200);
    // Neither without a proof, nor with that of another key.
    assert_eq!(error(&person.call("GET", "api/photos", &token, "")), (401, "invalid_token".to_owned()));
    assert_eq!(error(&thief.call(&mut person, "api/photos", &token)), (401, "invalid_token".to_owned()));
    // A bearer token stays one.
    let bearer = person.tokens(&[])["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(error(&holder.call(&mut person, "api/photos", &bearer)), (401, "invalid_token".to_owned()));
    // It is so after the record was written and read back.
    let record = person.sandbox.state.encode();
    person.sandbox.state = leptos_pkce::sandbox::state::State::decode(&record).expect("its own record");
    assert_eq!(holder.call(&mut person, "api/photos", &token).status, 200);
    assert_eq!(person.call("GET", "api/photos", &token, "").status, 401);
}

/// RFC 9449 §4.3, each check.
#[test]
fn a_proof_with_anything_wrong_proves_nothing() {
    type Spoil = fn(&mut (Value, Value));
    let spoils: [(&str, Spoil); 17] = [
        ("typ", |draft| draft.0["typ"] = "JWT".into()),
        ("alg none", |draft| draft.0["alg"] = "none".into()),
        ("alg HS256", |draft| draft.0["alg"] = "HS256".into()),
        ("crit", |draft| draft.0["crit"] = json!(["x"])),
        ("no jwk", |draft| drop(draft.0.as_object_mut().expect("an object").remove("jwk"))),
        ("private jwk", |draft| draft.0["jwk"]["d"] = "x".into()),
        ("jwk of another kind", |draft| draft.0["jwk"]["kty"] = "OKP".into()),
        ("no point", |draft| draft.0["jwk"]["y"] = draft.0["jwk"]["x"].clone()),
        ("htm", |draft| draft.1["htm"] = "GET".into()),
        ("htu", |draft| draft.1["htu"] = format!("{ISSUER}userinfo").into()),
        ("htu elsewhere", |draft| draft.1["htu"] = "https://evil.example/sandbox/token".into()),
        ("htu no URL", |draft| draft.1["htu"] = "token".into()),
        ("iat old", |draft| draft.1["iat"] = (draft.1["iat"].as_u64().expect("a number") - 301).into()),
        ("iat far", |draft| draft.1["iat"] = (draft.1["iat"].as_u64().expect("a number") + 301).into()),
        ("iat text", |draft| draft.1["iat"] = "now".into()),
        ("no jti", |draft| drop(draft.1.as_object_mut().expect("an object").remove("jti"))),
        ("long jti", |draft| draft.1["jti"] = "x".repeat(129).into()),
    ];
    let mut person = Person::new();
    let code = code(&mut person);
    let mut holder = Holder::new(9);
    let invalid = (400, "invalid_dpop_proof".to_owned());
    for (name, spoil) in spoils {
        let mut draft = holder.draft(&person, "POST", "token", None);
        spoil(&mut draft);
        assert_eq!(error(&exchange(&mut person, &code, &holder.sign(&draft))), invalid, "{name}");
    }
    let draft = holder.draft(&person, "POST", "token", None);
    let other = Holder::new(10).sign(&draft);
    let good = holder.sign(&draft);
    let twice = format!("{good}, {good}");
    for (name, proof) in
        [("signature", &other), ("two", &twice), ("no JWT", &"x".to_owned()), ("empty", &String::new())]
    {
        assert_eq!(error(&exchange(&mut person, &code, proof)), invalid, "{name}");
    }
    // None of that has spent the code; and queries do not count.
    let mut draft = holder.draft(&person, "POST", "token", None);
    draft.1["htu"] = format!("{ISSUER}token?a=b").into();
    assert_eq!(exchange(&mut person, &code, &holder.sign(&draft)).status, 200);
}

#[test]
fn a_proof_is_good_once_and_for_one_token() {
    let mut person = Person::new();
    let mut holder = Holder::new(9);
    let token = holder.token(&mut person);
    let draft = holder.draft(&person, "GET", "api/photos", Some(&token));
    let proof = holder.sign(&draft);
    assert_eq!(call(&mut person, "api/photos", &token, &proof).status, 200);
    assert_eq!(error(&call(&mut person, "api/photos", &token, &proof)), (401, "invalid_dpop_proof".to_owned()));
    for other in [Some("other"), None] {
        let draft = holder.draft(&person, "GET", "api/photos", other);
        let response = call(&mut person, "api/photos", &token, &holder.sign(&draft));
        assert_eq!(error(&response), (401, "invalid_dpop_proof".to_owned()));
        let challenge = header(&response, "www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("DPoP algs=\"ES256\", error=\"invalid_dpop_proof\""), "{challenge}");
    }
    let bare =
        person.request("GET", &format!("{ISSUER}api/photos"), &[("authorization", &format!("dpop {token}"))], "");
    assert_eq!(error(&bare), (401, "invalid_dpop_proof".to_owned()));
}

/// RFC 9449 §10, §10.1.
#[test]
fn a_code_is_bound_to_the_key_that_the_request_names() {
    let (mut holder, mut thief) = (Holder::new(9), Holder::new(10));
    let ask = |person: &mut Person, jkt: &str| value(&person.sign_in(&[("dpop_jkt", jkt)]), "code").expect("a code");
    let mut person = Person::new();
    let code = ask(&mut person, &holder.thumbprint());
    assert_eq!(holder.exchange(&mut person, &code, None).status, 200);
    let code = ask(&mut person, &holder.thumbprint());
    assert_eq!(error(&thief.exchange(&mut person, &code, None)), (400, "invalid_grant".to_owned()));
    let code = ask(&mut person, &holder.thumbprint());
    assert_eq!(error(&person.exchange(&code, &[])), (400, "invalid_grant".to_owned()));

    // A proof with the pushed request does the same.
    let url = crate::person::authorization_url(&[]);
    let mut push = |person: &mut Person, further: &str| {
        let draft = holder.draft(person, "POST", "par", None);
        let proof = holder.sign(&draft);
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", &*proof)];
        let query = url.split_once('?').expect("a query").1;
        person.request("POST", &format!("{ISSUER}par"), &headers, &format!("{query}{further}"))
    };
    let other = format!("&dpop_jkt={}", thief.thumbprint());
    assert_eq!(error(&push(&mut person, &other)), (400, "invalid_dpop_proof".to_owned()));
    let name = crate::person::json(&push(&mut person, ""))["request_uri"].as_str().expect("a name").to_owned();
    let query = form::encode(&[("client_id", "workbench"), ("request_uri", &name)]);
    let page = person.get(&format!("{ISSUER}authorize?{query}"));
    let code = value(&person.answer(page, "alice"), "code").expect("a code");
    assert_eq!(error(&thief.exchange(&mut person, &code, None)), (400, "invalid_grant".to_owned()));
}

/// RFC 9449 §8, §8.2: the code is not spent by the request that lacked the nonce.
#[test]
fn a_nonce_is_demanded_told_and_good_for_five_minutes() {
    let mut person = Person::with(&["dpop-nonce"]);
    let mut holder = Holder::new(9);
    let code = code(&mut person);
    let nonce = |response: &Response| header(response, "dpop-nonce").expect("a nonce").to_owned();
    let first = holder.exchange(&mut person, &code, None);
    assert_eq!(error(&first), (400, "use_dpop_nonce".to_owned()));
    let guessed = holder.exchange(&mut person, &code, Some("guessed"));
    assert_eq!(error(&guessed), (400, "use_dpop_nonce".to_owned()));
    let good = holder.exchange(&mut person, &code, Some(&nonce(&first)));
    assert_eq!(good.status, 200);
    let token = crate::person::json(&good)["access_token"].as_str().expect("a token").to_owned();
    let mut ask = |person: &mut Person, nonce: &str| {
        let mut draft = holder.draft(person, "GET", "api/photos", Some(&token));
        draft.1["nonce"] = nonce.into();
        call(person, "api/photos", &token, &holder.sign(&draft))
    };
    let told = nonce(&good);
    assert_ne!(told, nonce(&first));
    assert_eq!(ask(&mut person, &told).status, 200);
    let refused = ask(&mut person, "guessed");
    assert_eq!(error(&refused), (401, "use_dpop_nonce".to_owned()));
    assert!(header(&refused, "www-authenticate").is_some_and(|text| text.contains("error=\"use_dpop_nonce\"")));
    assert_eq!(nonce(&refused).len(), 43);
    // Who sends no proof hears nothing of nonces.
    assert!(header(&person.call("GET", "api/photos", "x", ""), "dpop-nonce").is_none());
    person.now += 290;
    assert_eq!(ask(&mut person, &told).status, 200);
    person.now += 11;
    assert_eq!(ask(&mut person, &told).status, 401);
}

#[test]
fn nonces_are_hidden_or_never_enough() {
    let mut hidden = Person::with(&["dpop-nonce-hidden"]);
    let code_1 = code(&mut hidden);
    let refused = Holder::new(9).exchange(&mut hidden, &code_1, None);
    assert_eq!((error(&refused).1.as_str(), header(&refused, "dpop-nonce")), ("use_dpop_nonce", None));

    let mut always = Person::with(&["dpop-nonce-always"]);
    let code_2 = code(&mut always);
    let mut holder = Holder::new(9);
    let mut nonce = String::new();
    for _ in 0..3 {
        let refused =
            holder.exchange(&mut always, &code_2, Some(&nonce).filter(|nonce| !nonce.is_empty()).map(|x| &**x));
        assert_eq!(error(&refused).1, "use_dpop_nonce");
        nonce = header(&refused, "dpop-nonce").expect("a nonce").to_owned();
    }
}

#[test]
fn proofs_are_required_or_ignored() {
    let mut person = Person::with(&["dpop-required"]);
    let code_1 = code(&mut person);
    assert_eq!(error(&person.exchange(&code_1, &[])), (400, "invalid_dpop_proof".to_owned()));
    assert_eq!(Holder::new(9).exchange(&mut person, &code_1, None).status, 200);
    let challenge = person.get(&format!("{ISSUER}userinfo"));
    assert_eq!(header(&challenge, "www-authenticate"), Some("DPoP algs=\"ES256\""));

    let mut person = Person::with(&["token-type-dpop-asked-bearer-given"]);
    let code_2 = code(&mut person);
    let tokens = crate::person::json(&Holder::new(9).exchange(&mut person, &code_2, None));
    assert_eq!(tokens["token_type"], "Bearer");
    let token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(person.call("GET", "api/photos", token, "").status, 200);
}
