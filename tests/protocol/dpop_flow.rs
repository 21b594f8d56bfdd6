//! Tokens bound to a key: which request is proved with what, and whose nonce goes where.

use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::dpop::{ProofError, ProofKey, ProofOrder};
use leptos_pkce::protocol::flow::{Activity, Event};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::protected_resource::ResourceError;
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::token_response::TokenType;
use serde_json::json;

use crate::answers::{TOKENS, answer, document, lost, refusal, status};
use crate::scenario::{API, ISSUER, RFC_9449_KEY, Scenario, TOKEN_ENDPOINT, Tab, key, parameter};

/// RFC 9449 §6.1.
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

type Outcome = Result<HttpResponse, HttpFailure>;

fn bound() -> Scenario {
    Scenario::public_client().configured("dpop", json!(true)).token_answer(tokens())
}

fn tokens() -> Outcome {
    document(TOKENS.replace("Bearer", "DPoP"))
}

fn with_nonce(answer: Outcome, nonce: &str) -> Outcome {
    answer.map(|mut response| {
        response.headers.push(("dpop-nonce".to_owned(), nonce.to_owned()));
        response
    })
}

/// What an API says that wants a nonce.
fn api_wants_nonce() -> Outcome {
    status(401).map(|mut response| {
        response.headers.push(("www-authenticate".to_owned(), "dPoP error=\"use_dpop_nonce\"".to_owned()));
        response
    })
}

fn nonces(tab: &Tab, url: &str) -> Vec<String> {
    let nonce = |order: Option<&ProofOrder>| order.expect("a proof").nonce.clone().unwrap_or_default();
    tab.proofs_to(url).into_iter().map(nonce).collect()
}

/// The answers that the app got.
fn statuses(tab: &Tab) -> Vec<Result<u16, ResourceError>> {
    tab.answered.iter().map(|(_, outcome)| outcome.clone().map(|response| response.status)).collect()
}

/// DP-6: the code is bound to the key, and the token request is proved with the same one.
#[test]
fn the_request_names_the_key_that_the_code_is_bound_to() {
    let tab = bound().run();
    assert_eq!(parameter(tab.navigation().query(), "dpop_jkt"), JKT);
    let [Some(order)] = tab.proofs_to(TOKEN_ENDPOINT)[..] else { panic!("one proof") };
    assert_eq!((order.thumbprint.as_deref(), order.nonce.as_deref()), (Some(JKT), None));
    assert_eq!(order.key, "proof https://as.example spa");
    assert_eq!(tab.session().map(|session| session.token_type()), Some(TokenType::Dpop));
}

/// DP-6: a key that is gone when the person comes back binds no code.
#[test]
fn a_key_that_only_this_page_has_binds_no_code() {
    let mut tab = bound().open();
    tab.proof_key_is_kept = false;
    tab.sign_in();
    assert_eq!(parameter(tab.navigation().query(), "dpop_jkt"), "");
    tab.come_back("code=a&state={state}", "");
    assert!(matches!(tab.proofs_to(TOKEN_ENDPOINT)[..], [Some(ProofOrder { thumbprint: None, .. })]));
    assert!(tab.session().is_some());
}

/// DP-6, WEB-1: a token that is bound to such a key does not outlive the page: it used to be written down, and to be refused
/// everywhere after a reload.
#[test]
fn a_token_bound_to_a_key_of_this_page_stays_in_this_page() {
    let mut tab = bound().configured("token_storage", json!("session")).open();
    tab.proof_key_is_kept = false;
    tab.sign_in();
    tab.come_back("code=a&state={state}", "");
    assert_eq!(tab.session().map(|session| session.token_storage()), Some(TokenStorage::Memory));
    assert!(tab.storage.names("session").is_empty());
    tab.reload();
    assert!(tab.session().is_none());
}

/// TOK-7, WEB-2: a thumbprint in the record makes no bound token of a plain one, not even in the next page.
#[test]
fn a_thumbprint_alone_binds_nothing() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).open();
    tab.sign_in();
    let name = tab.storage.names("pending")[0].to_owned();
    let mut record: serde_json::Value = serde_json::from_str(&tab.storage.records[&name]).expect("JSON");
    record["dpop_jkt"] = json!(JKT);
    tab.storage.records.insert(name, record.to_string());
    tab.come_back("code=a&state={state}", "");
    for _ in 0..2 {
        assert_eq!(tab.session().map(|session| session.token_type()), Some(TokenType::Bearer));
        tab.reload();
    }
}

/// DP-6, DP-7: a call is proved with the key that the token is bound to, or not at all; also in the next page of the tab.
#[test]
fn a_call_needs_the_key_of_its_token() {
    let mut tab = bound().configured("token_storage", json!("session")).answering(API, document("{}")).run();
    tab.call(1, API);
    tab.reload();
    tab.call(2, API);
    let thumbprints = tab.proofs_to(API).into_iter().map(|order| order.and_then(|order| order.thumbprint.as_deref()));
    assert!(thumbprints.eq([Some(JKT), Some(JKT)]));
    let order = tab.proofs_to(API).pop().flatten().expect("a proof");
    let [x, y] = RFC_9449_KEY;
    let other = ProofKey::new(y, x).expect("a key");
    let request = tab.sent_to(API)[1];
    assert_eq!(order.proof(&other, request, &[0; 16], UnixTime(tab.now)).err(), Some(ProofError::KeyChanged));
    // The driver says of it that there is no proof.
    tab.answering(API, Err(HttpFailure::NoProof));
    tab.call(3, API);
    assert_eq!(statuses(&tab).pop(), Some(Err(ResourceError::Network(HttpFailure::NoProof))));
}

/// DP-2, DP-3: whatever carries the bound token is proved, each request anew; nothing else is.
#[test]
fn every_request_with_the_token_is_proved() {
    let userinfo = "https://as.example/userinfo";
    let claims = document(json!({ "sub": "248289761001" }).to_string());
    let mut id_token = crate::id_tokens::claims();
    id_token["nonce"] = json!(crate::id_tokens::nonce());
    let tokens = json!({
        "access_token": crate::scenario::ACCESS_TOKEN, "token_type": "dpop",
        "id_token": crate::id_tokens::compact(&crate::id_tokens::header(), &id_token),
    });
    let scenario = bound().openid().configured("dpop", json!(true)).tokens(&tokens.to_string());
    let mut tab = scenario
        .configured("token_storage", json!("session"))
        .metadata("userinfo_endpoint", json!(userinfo))
        .answering(userinfo, claims)
        .answering(API, document("{}"))
        .run();
    tab.call(1, API);
    tab.call(2, API);
    tab.happen(Event::AskUserInfo(key(ISSUER)));
    tab.reload();
    tab.call(3, API);
    assert_eq!(tab.proofs_to(API).len(), 3);
    assert_eq!(tab.proofs_to(userinfo).len(), 1);
    for order in tab.proofs_to(API).into_iter().chain(tab.proofs_to(userinfo)) {
        assert_eq!(order.map(|order| order.key.as_str()), Some("proof https://as.example spa"));
    }
    for ((_, request), proof) in tab.sent.iter().zip(&tab.proofs) {
        let is_token_request = request.url.as_str() == TOKEN_ENDPOINT;
        assert_eq!(proof.is_some(), request.bearer.is_some() || is_token_request, "{request:?}");
    }
    let plain = Scenario::public_client().run();
    assert!(plain.proofs.iter().all(Option::is_none));
}

/// DP-4: a server that wants a nonce gets the same once more with it, and with the same key.
#[test]
fn the_code_is_sent_once_more_with_the_servers_nonce() {
    let mut tab = bound().silent(TOKEN_ENDPOINT).run();
    tab.now += 5;
    tab.arrive(TOKEN_ENDPOINT, with_nonce(refusal("use_dpop_nonce"), "n1"));
    assert_eq!(tab.flow().activity(), Activity::Exchanging(key(ISSUER)));
    let bodies: Vec<_> = tab.sent_to(TOKEN_ENDPOINT).iter().map(|request| request.body.clone()).collect();
    assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]));
    assert_eq!(nonces(&tab, TOKEN_ENDPOINT), ["", "n1"]);
    let thumbprints =
        tab.proofs_to(TOKEN_ENDPOINT).into_iter().map(|order| order.and_then(|order| order.thumbprint.as_deref()));
    assert!(thumbprints.eq([Some(JKT), Some(JKT)]));
    tab.arrive(TOKEN_ENDPOINT, tokens());
    let session = tab.session().expect("a session");
    assert_eq!(session.signed_in_at().0, tab.now, "the lifetime counts from the second request");
}

/// DP-4, TOK-14: once more is once.
#[test]
fn the_code_is_sent_twice_at_most() {
    let mut tab = bound().silent(TOKEN_ENDPOINT).run();
    tab.arrive(TOKEN_ENDPOINT, with_nonce(refusal("use_dpop_nonce"), "n1"));
    tab.arrive(TOKEN_ENDPOINT, with_nonce(refusal("use_dpop_nonce"), "n2"));
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 2);
    assert_eq!(tab.callback_error().to_string(), "the token endpoint answered use_dpop_nonce");
    for other in [lost(), status(503), refusal("invalid_dpop_proof"), with_nonce(refusal("invalid_grant"), "n1")] {
        let tab = bound().token_answer(other).run();
        assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
        assert!(tab.session().is_none());
    }
}

/// DP-4: the same for an API and each of its calls.
#[test]
fn a_call_is_sent_once_more_with_the_apis_nonce() {
    let mut tab = bound().silent(API).run();
    tab.call(1, API);
    tab.arrive(API, with_nonce(api_wants_nonce(), "n1"));
    assert_eq!(statuses(&tab), []);
    tab.arrive(API, document("{}"));
    assert_eq!(nonces(&tab, API), ["", "n1"]);
    assert_eq!(statuses(&tab), [Ok(200)]);

    tab.call(2, API);
    tab.arrive(API, with_nonce(api_wants_nonce(), "n2"));
    tab.arrive(API, with_nonce(api_wants_nonce(), "n3"));
    assert_eq!(nonces(&tab, API), ["", "n1", "n1", "n2"]);
    assert_eq!(statuses(&tab), [Ok(200), Ok(401)], "and once is enough");
}

/// DP-4: two calls that were refused for want of the same nonce are both repeated. The second one used to be told that the
/// nonce was hidden, because it was no news any more.
#[test]
fn calls_side_by_side_learn_the_same_nonce() {
    let mut tab = bound().silent(API).run();
    tab.call(1, API);
    let first = tab.sent.last().expect("a request").0;
    tab.call(2, API);
    let second = tab.sent.last().expect("a request").0;
    for fetch in [first, second] {
        tab.happen(Event::Fetched { fetch, outcome: with_nonce(api_wants_nonce(), "n1") });
    }
    assert_eq!(nonces(&tab, API), ["", "", "n1", "n1"]);
    assert_eq!(statuses(&tab), []);
}

/// DP-4: the newest nonce counts, and good answers bring them too.
#[test]
fn the_newest_nonce_counts_wherever_it_came_with() {
    let mut tab = bound().answering(API, with_nonce(document("{}"), "n1")).run();
    tab.call(1, API);
    tab.call(2, API);
    tab.answering(API, with_nonce(status(404), "n2"));
    tab.call(3, API);
    tab.answering(API, with_nonce(document("{}"), "no nonce"));
    tab.call(4, API);
    tab.call(5, API);
    assert_eq!(nonces(&tab, API), ["", "n1", "n1", "n2", "n2"]);

    // The repeated request's answer counts too.
    let userinfo = "https://as.example/me";
    let mut tab =
        bound().silent(TOKEN_ENDPOINT).configured("resources", json!([{ "name": "Me", "url": userinfo }])).run();
    tab.arrive(TOKEN_ENDPOINT, with_nonce(refusal("use_dpop_nonce"), "n1"));
    tab.arrive(TOKEN_ENDPOINT, with_nonce(tokens(), "n2"));
    tab.call(1, userinfo);
    assert_eq!(nonces(&tab, userinfo), ["n2"]);
}

/// DP-4: a nonce goes to the server that gave it and to no other.
#[test]
fn every_server_has_its_own_nonce() {
    let mut tab = bound().token_answer(with_nonce(tokens(), "of the server")).run();
    assert!(tab.session().is_some());
    tab.call(1, API);
    let other = "https://other.example/";
    assert_eq!(nonces(&tab, API), [""]);
    let mut tab = bound()
        .configured("resources", json!([{ "name": "a", "url": API }, { "name": "b", "url": other }]))
        .answering(API, with_nonce(document("{}"), "n1"))
        .answering(other, with_nonce(document("{}"), "n2"))
        .run();
    for (call, url) in [API, other, API, other].into_iter().enumerate() {
        tab.call(call as u64, url);
    }
    assert_eq!(
        (nonces(&tab, API), nonces(&tab, other)),
        (vec![String::new(), "n1".into()], vec![String::new(), "n2".into()])
    );
}

/// DP-8: where CORS hides the nonce there is an error of its own, and no loop.
#[test]
fn a_nonce_that_cannot_be_read_is_an_error_of_its_own() {
    let tab = bound().token_answer(refusal("use_dpop_nonce")).run();
    assert_eq!(tab.callback_error().code(), "token.nonce_hidden");
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);

    let mut tab = bound().answering(API, api_wants_nonce()).run();
    tab.call(1, API);
    assert_eq!(statuses(&tab), [Err(ResourceError::NonceHidden)]);
    tab.answering(API, with_nonce(document("{}"), "n1"));
    tab.call(2, API);
    tab.answering(API, api_wants_nonce());
    tab.call(3, API);
    assert_eq!(nonces(&tab, API), ["", "", "n1"], "the one that was known was not good enough");
    assert_eq!(statuses(&tab)[2], Err(ResourceError::NonceHidden));
}

/// A token that is bound to nothing needs no nonce, whatever its server says.
#[test]
fn a_plain_token_is_sent_once() {
    let mut tab = Scenario::public_client().answering(API, with_nonce(api_wants_nonce(), "n1")).run();
    tab.call(1, API);
    assert_eq!((statuses(&tab), tab.sent_to(API).len()), (vec![Ok(401)], 1));
    let tab = Scenario::public_client().token_answer(with_nonce(refusal("use_dpop_nonce"), "n1")).run();
    assert_eq!((tab.callback_error().code(), tab.sent_to(TOKEN_ENDPOINT).len()), ("token.refused", 1));
}

/// TOK-7: who asked for a bound token uses no other.
#[test]
fn a_bearer_token_in_the_place_of_a_bound_one_is_refused() {
    let without = json!({ "access_token": "a" }).to_string();
    for body in [TOKENS.to_owned(), TOKENS.replace("Bearer", "bearer"), without, TOKENS.replace("Bearer", "DPoPs")] {
        let tab = bound().configured("token_storage", json!("session")).tokens(&body).run();
        assert_eq!(tab.callback_error().code(), "token.unsupported_token_type", "{body}");
        assert!(tab.session().is_none() && tab.storage.names("session").is_empty());
    }
    let tab = Scenario::public_client().token_answer(tokens()).run();
    assert_eq!(tab.callback_error().to_string(), "token type DPoP is not Bearer");
}

/// DP-7: the key is forgotten with the session, and the next sign-in has another one.
#[test]
fn signing_out_forgets_the_key() {
    let mut tab = bound().run();
    tab.take_trace();
    tab.sign_out();
    assert!(tab.take_trace().contains(&"forget proof key".to_owned()));
    tab.sign_in();
    assert!(tab.take_trace().contains(&"find proof key".to_owned()));
    let second = parameter(tab.navigation().query(), "dpop_jkt");
    assert!(second.len() == 43 && second != JKT, "{second}");

    let mut plain = Scenario::public_client().run();
    plain.sign_out();
    assert!(!plain.trace.iter().any(|line| line.contains("proof key")), "{:?}", plain.trace);
}

/// DP-7: a key that was asked for before a sign-out and comes after it is the one that was forgotten.
#[test]
fn a_key_that_comes_after_a_sign_out_is_not_used() {
    let mut tab = bound().open();
    let proof_key = tab.proof_key.clone();
    tab.sign_out();
    tab.happen(Event::ProofKey { key: key(ISSUER), proof_key, is_kept: true });
    tab.sign_in();
    assert_ne!(parameter(tab.navigation().query(), "dpop_jkt"), JKT);
}

/// DP-5: without a key nobody leaves the page, and without a proof nothing is sent.
#[test]
fn without_a_key_nothing_is_sent() {
    let mut tab = bound().open();
    tab.proof_key = None;
    tab.sign_in();
    assert_eq!(tab.sign_in_error().code(), "request.no_proof_key");
    assert!(tab.navigations.is_empty() && tab.storage.names("pending").is_empty());

    let tab = bound().token_answer(Err(HttpFailure::NoProof)).run();
    assert_eq!(tab.callback_error().code(), "token.no_proof");
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
}

/// DP-9: the time in a proof is the server's, where its Date may be read.
#[test]
fn proofs_are_dated_by_the_servers_clock() {
    let late = answer(400, "application/json", r#"{"error":"use_dpop_nonce"}"#).map(|mut response| {
        response.headers.push(("date".to_owned(), "Tue, 14 Nov 2023 23:14:20 GMT".to_owned()));
        response
    });
    let mut tab = bound().silent(TOKEN_ENDPOINT).run();
    tab.arrive(TOKEN_ENDPOINT, with_nonce(late, "n1"));
    let clocks: Vec<i64> = tab.proofs_to(TOKEN_ENDPOINT).into_iter().flatten().map(|order| order.clock.0).collect();
    assert_eq!(clocks, [0, 3_600]);
}
