//! The user info endpoint: about whom its answer is, and who signed it.

use leptos_pkce::protocol::base64url;
use leptos_pkce::protocol::client::ClientKey;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Event, Intent, UserInfoActivity};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::jwk::PublicKey;
use leptos_pkce::protocol::jws::{Verdict, Verification};
use leptos_pkce::protocol::secret::AccessToken;
use leptos_pkce::protocol::storage::RecordName;
use leptos_pkce::protocol::url::Url;
use leptos_pkce::protocol::userinfo::userinfo_request;
use leptos_pkce::protocol::vocabulary::ClientId;
use serde_json::{Value, json};

use crate::answers::{answer, document, html, lost, status};
use crate::id_tokens::{self, JWKS_URI, compact, header, keys};
use crate::scenario::{ACCESS_TOKEN, DISCOVERY, ISSUER, START, Scenario, TOKEN_ENDPOINT, Tab, key};

const ENDPOINT: &str = "https://as.example/userinfo";
const SUB: &str = "248289761001";

type Outcome = Result<HttpResponse, HttpFailure>;

/// A server with the endpoint; answers are signed by ES256 if they are.
fn scenario() -> Scenario {
    Scenario::public_client()
        .openid()
        .metadata("userinfo_endpoint", json!(ENDPOINT))
        .metadata("userinfo_signing_alg_values_supported", json!(["ES256"]))
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "sub": SUB, "name": "Jane Doe", "email": "jane@as.example" });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

fn plain(changes: &Value) -> Outcome {
    document(claims(changes).to_string())
}

fn signed(header: &Value, changes: &Value) -> Outcome {
    let mut claims = claims(&json!({ "iss": ISSUER, "aud": "spa" }));
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    answer(200, "application/jwt", compact(header, &claims))
}

/// Signed in, and asked.
fn asked(scenario: &Scenario) -> Tab {
    let mut tab = scenario.run();
    assert!(tab.session().is_some());
    ask(&mut tab);
    tab
}

fn ask(tab: &mut Tab) {
    tab.happen(Event::AskUserInfo(key(ISSUER)));
}

fn email(tab: &Tab) -> Option<&str> {
    tab.session()?.userinfo()?.email()
}

fn activity(tab: &Tab) -> UserInfoActivity {
    tab.flow().userinfo(&key(ISSUER))
}

/// Nothing of the answer is used, and the person stays signed in.
#[track_caller]
fn assert_refused(tab: &Tab, code: &str) {
    let UserInfoActivity::Failed(error) = activity(tab) else { panic!("it was not refused: {code}") };
    assert!(matches!(*error, Error::UserInfo(_) | Error::Resource(_) | Error::Keys(_)));
    assert_eq!(error.code(), code);
    assert!(tab.session().is_some_and(|session| session.userinfo().is_none()), "{code}");
}

/// RS-1: the request itself has the token, in its header alone.
#[test]
fn a_request_has_the_token_in_its_header() {
    let endpoint = Url::parse(ENDPOINT).expect("a URL");
    let request = userinfo_request(endpoint, AccessToken::new(ACCESS_TOKEN));
    assert_eq!(request.bearer, Some(AccessToken::new(ACCESS_TOKEN)));
    assert_eq!((request.method.as_str(), request.url.as_str(), &request.body), ("GET", ENDPOINT, &None));
}

/// RS-1, RS-4: the token goes into the header alone, and what comes is about the person of the ID token.
#[test]
fn an_answer_about_the_same_person_is_used() {
    let tab = asked(&scenario().answering(ENDPOINT, plain(&json!({}))));
    assert_eq!((email(&tab), activity(&tab)), (Some("jane@as.example"), UserInfoActivity::Idle));
    let sent = tab.sent_to(ENDPOINT);
    assert_eq!(
        (sent.len(), sent[0].method.as_str(), sent[0].body.is_none(), sent[0].url.query()),
        (1, "GET", true, None)
    );
    assert_eq!(sent[0].bearer.as_ref().map(|token| token.expose()), Some(ACCESS_TOKEN));
    assert_eq!((sent[0].limits.deadline.0, sent[0].limits.body), (15, 256 * 1024));
}

/// RS-4, A25: about somebody else, or nobody: all of it is dropped.
#[test]
fn an_answer_about_somebody_else_is_dropped() {
    for sub in [
        json!("248289761002"),
        json!("248289761001 "),
        json!(""),
        json!(null),
        json!(248_289_761_001_u64),
        json!([SUB]),
    ] {
        let tab = asked(&scenario().answering(ENDPOINT, plain(&json!({ "sub": sub }))));
        assert_refused(&tab, "userinfo.sub_mismatch");
        let tab = asked(&scenario().answering(ENDPOINT, signed(&header(), &json!({ "sub": sub }))));
        assert_refused(&tab, "userinfo.sub_mismatch");
    }
}

/// RS-5: a signed answer is verified by a key of the issuer, and is for this client.
#[test]
fn a_signed_answer_is_verified() {
    for aud in [json!("spa"), json!(["other", "spa"])] {
        let mut tab = asked(&scenario().answering(ENDPOINT, signed(&header(), &json!({ "aud": aud }))));
        assert_eq!(email(&tab), Some("jane@as.example"));
        assert_eq!(tab.take_trace().last().map(String::as_str), Some("verify"));
    }
    for (changes, code) in [
        (json!({ "iss": "https://other.example" }), "userinfo.foreign"),
        (json!({ "iss": null }), "userinfo.foreign"),
        (json!({ "aud": "other" }), "userinfo.foreign"),
        (json!({ "aud": ["other"] }), "userinfo.foreign"),
        (json!({ "aud": null }), "userinfo.foreign"),
    ] {
        assert_refused(&asked(&scenario().answering(ENDPOINT, signed(&header(), &changes))), code);
    }
}

/// RS-5, IDT-4, IDT-6: a signed answer of another time is none, where it says its time; clocks may differ as for ID tokens.
#[test]
fn a_signed_answer_of_another_time_is_refused() {
    let now = START + 60;
    let answered = |changes: Value| {
        asked(&scenario().configured("clock_tolerance", json!(10)).answering(ENDPOINT, signed(&header(), &changes)))
    };
    for changes in [
        json!({ "exp": now - 9 }),
        json!({ "exp": now + 300, "nbf": now - 300 }),
        json!({ "nbf": now + 10 }),
        json!({ "exp": null, "nbf": null }),
    ] {
        assert_eq!(email(&answered(changes.clone())), Some("jane@as.example"), "{changes}");
    }
    for changes in [
        json!({ "exp": now - 10 }),
        json!({ "exp": 0 }),
        json!({ "exp": "later" }),
        json!({ "nbf": now + 11 }),
        json!({ "nbf": true }),
        json!({ "exp": now + 300, "nbf": now + 200 }),
    ] {
        assert_refused(&answered(changes), "userinfo.expired");
    }
    // What is not signed is as true as TLS, and of now.
    let plain = asked(&scenario().answering(ENDPOINT, plain(&json!({ "exp": 1 }))));
    assert_eq!(email(&plain), Some("jane@as.example"));
}

/// RS-5, JOSE-10: a token of another kind is no user info, whoever signed it.
#[test]
fn a_token_of_another_kind_is_no_user_info() {
    let answered = |typ: Value| {
        let mut header = header();
        header["typ"] = typ;
        asked(&scenario().answering(ENDPOINT, signed(&header, &json!({}))))
    };
    for typ in [json!(null), json!("JWT"), json!("jwt")] {
        assert_eq!(email(&answered(typ.clone())), Some("jane@as.example"), "{typ}");
    }
    for typ in [json!("at+jwt"), json!("application/jwt"), json!("logout+jwt"), json!(""), json!(5)] {
        assert_refused(&answered(typ), "userinfo.malformed");
    }
}

/// RS-5, JOSE-1: the algorithm is one of those that the metadata list for it, and the signature counts.
#[test]
fn a_signature_that_does_not_hold_is_no_signature() {
    for alg in ["none", "HS256", "RS256", "ES384", ""] {
        let header = json!({ "alg": alg, "kid": "1" });
        assert_refused(&asked(&scenario().answering(ENDPOINT, signed(&header, &json!({})))), "userinfo.signature");
    }
    /// Says yes to the ID token, of which the access token is to be hashed, and to nothing else.
    fn only_id_tokens(verification: &Verification) -> Verdict {
        Verdict { signature: Ok(verification.hashed.is_some()), ..id_tokens::yes(verification) }
    }
    let answered = scenario().answering(ENDPOINT, signed(&header(), &json!({})));
    assert_refused(&asked(&answered.clone().verdict(only_id_tokens)), "userinfo.signature");
    let unlisted = answered.metadata("userinfo_signing_alg_values_supported", json!(null));
    assert_refused(&asked(&unlisted), "userinfo.signature");
}

/// RS-5, JOSE-13: an unknown key is worth one more request, and no storm.
#[test]
fn a_signed_answer_may_need_newer_keys() {
    let newer = json!({ "alg": "ES256", "kid": "2" });
    let mut tab = scenario().answering(ENDPOINT, signed(&newer, &json!({}))).run();
    let before = tab.sent_to(JWKS_URI).len();
    tab.answering(JWKS_URI, keys(&[id_tokens::key("1"), id_tokens::key("2")]));
    ask(&mut tab);
    assert_eq!((email(&tab), tab.sent_to(JWKS_URI).len() - before), (Some("jane@as.example"), 1));

    let mut tab = scenario().answering(ENDPOINT, signed(&newer, &json!({}))).run();
    for (seconds, expected) in [(0, 1), (59, 1), (1, 2)] {
        tab.now += seconds;
        ask(&mut tab);
        assert_refused(&tab, "userinfo.signature");
        assert_eq!(tab.sent_to(JWKS_URI).len() - before, expected, "{seconds}");
    }
}

/// RS-5, JOSE-12, JOSE-13: neither is a signature that none of the stored keys made the last word.
#[test]
fn a_signed_answer_without_a_kid_may_need_newer_keys() {
    /// Says yes to the ID token, and to what the newer key made.
    fn by_the_newer(verification: &Verification) -> Verdict {
        let coordinate = base64url::encode(&[6; 32]);
        let is_newer = |key: &PublicKey| matches!(key, PublicKey::Ec { x, .. } if *x == coordinate);
        let is_good = verification.hashed.is_some() || verification.keys.iter().any(is_newer);
        Verdict { signature: Ok(is_good), ..id_tokens::yes(verification) }
    }
    let nameless = signed(&json!({ "alg": "ES256" }), &json!({}));
    let mut tab = scenario().verdict(by_the_newer).answering(ENDPOINT, nameless).run();
    let before = tab.sent_to(JWKS_URI).len();
    tab.answering(JWKS_URI, keys(&[id_tokens::key_of(6, "2")]));
    ask(&mut tab);
    assert_eq!((email(&tab), tab.sent_to(JWKS_URI).len() - before), (Some("jane@as.example"), 1));
}

/// RS-5: what is neither JSON nor a signed JWT says what it is.
#[test]
fn what_cannot_be_read_says_so() {
    for (outcome, code) in [
        (html(200), "userinfo.not_readable"),
        (answer(200, "", claims(&json!({})).to_string()), "userinfo.not_readable"),
        (answer(200, "text/plain", claims(&json!({})).to_string()), "userinfo.not_readable"),
        (document("[]"), "userinfo.malformed"),
        (document("{"), "userinfo.malformed"),
        (document(r#"{"sub":"248289761001","sub":"248289761001"}"#), "userinfo.malformed"),
        (answer(200, "application/jwt", "x"), "userinfo.malformed"),
        (answer(200, "application/jwt", "a.b.c.d.e"), "userinfo.malformed"),
        (answer(200, "application/jwt", vec![0xff]), "userinfo.malformed"),
        (status(401), "userinfo.status"),
        (status(403), "userinfo.status"),
        (status(204), "userinfo.status"),
        (html(500), "userinfo.status"),
        (lost(), "userinfo.network"),
    ] {
        let tab = asked(&scenario().answering(ENDPOINT, outcome));
        assert_refused(&tab, code);
    }
    let array = compact(&header(), &json!([SUB]));
    assert_refused(&asked(&scenario().answering(ENDPOINT, answer(200, "application/jwt", array))), "userinfo.foreign");
}

/// RS-6: claims that point elsewhere are data: nobody is asked for them, and no token goes there.
#[test]
fn claims_that_point_elsewhere_are_not_followed() {
    let pointing = json!({
        "_claim_names": { "address": "src1", "payment": "src2" },
        "_claim_sources": {
            "src1": { "JWT": "eyJhbGciOiJub25lIn0.e30." },
            "src2": { "endpoint": "https://bank.example/claims", "access_token": "ksj3n283dke" },
        },
        "picture": "https://evil.example/track", "profile": "https://evil.example/",
    });
    let tab = asked(&scenario().answering(ENDPOINT, plain(&pointing)));
    let userinfo = tab.session().and_then(|session| session.userinfo()).expect("claims");
    assert!(userinfo.get("_claim_sources").is_some());
    for (_, request) in &tab.sent {
        assert!(["https://as.example", "https://app.example"].contains(&request.url.origin()), "{request:?}");
    }
}

/// RS-4: without an ID token there is nobody to compare with; without an endpoint, nobody to ask.
#[test]
fn nobody_is_asked_without_reason() {
    let mut tab = Scenario::public_client().metadata("userinfo_endpoint", json!(ENDPOINT)).run();
    ask(&mut tab);
    assert_refused(&tab, "userinfo.no_id_token");
    let mut tab = Scenario::public_client().openid().run();
    ask(&mut tab);
    assert_refused(&tab, "userinfo.no_endpoint");
    let mut tab = scenario().open();
    ask(&mut tab);
    assert!(matches!(activity(&tab), UserInfoActivity::Failed(_)) && tab.sent_to(ENDPOINT).is_empty());

    let mut tab = scenario().silent(ENDPOINT).run();
    for _ in 0..3 {
        ask(&mut tab);
    }
    assert_eq!((tab.sent_to(ENDPOINT).len(), activity(&tab)), (1, UserInfoActivity::Asking));
}

/// A session may be older than the metadata that this tab keeps; they used to be missed and not asked for.
#[test]
fn metadata_that_are_gone_are_asked_for_again() {
    let kept = scenario().configured("token_storage", json!("session")).answering(ENDPOINT, plain(&json!({})));
    let after_two_hours = || {
        let mut tab = kept.run();
        tab.now += 7_200;
        tab.reload();
        assert!(tab.session().is_some());
        tab
    };
    let mut tab = after_two_hours();
    ask(&mut tab);
    assert_eq!((email(&tab), activity(&tab)), (Some("jane@as.example"), UserInfoActivity::Idle));
    assert_eq!(tab.sent_to(DISCOVERY).len(), 2);

    let mut tab = after_two_hours();
    tab.answering(DISCOVERY, lost());
    ask(&mut tab);
    let UserInfoActivity::Failed(error) = activity(&tab) else { panic!("there are no metadata") };
    assert_eq!(error.code(), "metadata.unavailable");

    let mut tab = after_two_hours();
    tab.silence(DISCOVERY);
    ask(&mut tab);
    tab.sign_in();
    tab.happen(Event::CancelSignIn);
    assert_eq!(activity(&tab), UserInfoActivity::Asking, "a sign-in that was given up leaves it alone");
    tab.sign_out();
    assert_eq!(activity(&tab), UserInfoActivity::Idle);
}

/// RS-5: two clients of one server wait for the same keys; the second used to wait for ever.
#[test]
fn keys_serve_everybody_who_waited_for_them() {
    let kept = scenario().configured("token_storage", json!("session")).second_client();
    let mut tab = kept.run();
    let second = ClientKey { client_id: ClientId::parse("second").expect("a client identifier"), ..key(ISSUER) };
    tab.ask(second.clone(), None, Intent::Navigate);
    let claims = |changes: &Value| {
        let mut claims = id_tokens::claims();
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        id_tokens::tokens(&compact(&header(), &claims))
    };
    tab.answering(TOKEN_ENDPOINT, claims(&json!({ "aud": "second", "nonce": id_tokens::nonce_of(1) })));
    tab.come_back("code=second&state={state}", "");
    assert_eq!(tab.flow().sessions().len(), 2);

    tab.storage.records.retain(|name, _| !name.contains(" keys "));
    tab.reload();
    tab.silence(JWKS_URI);
    tab.answering(ENDPOINT, signed(&header(), &json!({ "aud": ["spa", "second"] })));
    for client in [key(ISSUER), second.clone()] {
        tab.happen(Event::AskUserInfo(client));
    }
    tab.arrive(JWKS_URI, keys(&[id_tokens::key("1")]));
    for client in [key(ISSUER), second] {
        let session = tab.flow().session(&client).expect("a session");
        assert!(session.userinfo().is_some(), "{client:?}");
    }
}

/// WEB-2: what was said is kept with the session, and a record about somebody else is not believed.
#[test]
fn what_was_said_survives_a_reload_with_the_session() {
    let kept = scenario().configured("token_storage", json!("session")).answering(ENDPOINT, plain(&json!({})));
    let mut tab = asked(&kept);
    tab.reload();
    assert_eq!(email(&tab), Some("jane@as.example"));
    let name = RecordName::session(&key(ISSUER)).as_str().to_owned();
    let mut record: Value = serde_json::from_str(&tab.storage.records[&name]).expect("JSON");
    record["userinfo"] = json!(claims(&json!({ "sub": "other" })).to_string());
    tab.storage.records.insert(name, record.to_string());
    tab.reload();
    assert!(tab.session().is_some() && email(&tab).is_none());
    let memory = asked(&scenario().answering(ENDPOINT, plain(&json!({}))));
    assert!(!memory.storage.records.values().any(|record| record.contains("jane@as.example")), "WEB-1");
}

/// RS-13, OUT-3: an answer that comes after sign-out is about nobody.
#[test]
fn an_answer_after_sign_out_is_dropped() {
    let mut tab = asked(&scenario().configured("token_storage", json!("session")).silent(ENDPOINT));
    tab.sign_out();
    tab.arrive(ENDPOINT, plain(&json!({})));
    assert_eq!(activity(&tab), UserInfoActivity::Idle);
    assert!(tab.session().is_none() && tab.storage.records.is_empty());
}
