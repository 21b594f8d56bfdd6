//! The issuers' keys: when they are asked for, how often, and whose they are.

use leptos_pkce::protocol::flow::{Activity, Event};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::id_token::CheckId;
use leptos_pkce::protocol::jws::{SubtleUnavailable, Verdict, Verification};
use leptos_pkce::protocol::time::Seconds;
use serde_json::{Value, json};

use crate::answers::{answer, document, html, lost, status};
use crate::id_token::failed;
use crate::id_tokens::{self, JWKS_URI, key, keys};
use crate::scenario::{self, DISCOVERY, ISSUER, Scenario, TOKEN_ENDPOINT, Tab};

const BACK: &str = "code=a&state={state}";

fn openid() -> Scenario {
    Scenario::public_client().openid()
}

/// The answer is a token signed by a key that nobody has.
fn unknown_kid() -> Scenario {
    openid().id_token(json!({ "kid": "2" }), Value::Null)
}

fn asked(tab: &Tab) -> usize {
    tab.sent_to(JWKS_URI).len()
}

/// Left for the server, with no keys in storage: back a minute later, on another page.
fn back_without_keys(scenario: &Scenario) -> Tab {
    let mut tab = scenario.open();
    tab.sign_in();
    forget_keys(&mut tab);
    tab.now += 60;
    tab.take_trace();
    tab.come_back(BACK, "");
    tab
}

fn forget_keys(tab: &mut Tab) {
    tab.storage.records.retain(|name, _| !name.contains(" keys "));
}

/// Changes the record of keys.
fn change_keys(tab: &mut Tab, change: impl FnOnce(&mut Value)) {
    let name = tab.storage.names("keys")[0].to_owned();
    let mut record: Value = serde_json::from_str(&tab.storage.records[&name]).expect("JSON");
    change(&mut record);
    tab.storage.records.insert(name, record.to_string());
}

/// JOSE-11: they are asked for beside the code and not after it, from the place that the issuer's metadata name.
#[test]
fn keys_are_fetched_beside_the_code() {
    let mut tab = back_without_keys(&openid().silent(TOKEN_ENDPOINT));
    assert_eq!(
        tab.take_trace()[..4],
        ["take pending", "fetch POST https://as.example/token", "read keys", "fetch GET https://as.example/jwks"]
    );
    assert!(tab.session().is_none());
    let good = id_tokens::compact(&id_tokens::header(), &id_tokens::claims());
    tab.arrive(TOKEN_ENDPOINT, id_tokens::tokens(&good));
    assert!(tab.session().is_some());
    let sent = tab.sent_to(JWKS_URI);
    let request = sent.last().expect("a request");
    assert_eq!((request.method.as_str(), request.bearer.is_none(), request.body.is_none()), ("GET", true, true));
    assert_eq!((request.limits.deadline.0, request.limits.body), (10, 1024 * 1024));
}

/// The code does not wait for the keys, nor the keys for the code: whichever comes last ends it.
#[test]
fn the_answer_of_the_token_endpoint_waits_for_the_keys() {
    let mut tab = back_without_keys(&openid().silent(JWKS_URI));
    assert_eq!(tab.flow().activity(), Activity::Exchanging(scenario::key(ISSUER)));
    assert!(tab.session().is_none());
    tab.arrive(JWKS_URI, keys(&[key("1")]));
    assert!(tab.session().is_some());
}

#[test]
fn keys_are_fetched_with_the_metadata_and_serve_the_next_page() {
    let mut tab = openid().open();
    tab.happen(Event::SignInLikely(scenario::key(ISSUER)));
    assert_eq!(asked(&tab), 1);
    tab.sign_in();
    tab.now += 60;
    tab.come_back(BACK, "");
    assert!(tab.session().is_some());
    assert_eq!((asked(&tab), tab.sent_to(DISCOVERY).len()), (1, 1));

    let plain = Scenario::public_client().metadata("jwks_uri", json!(JWKS_URI)).run();
    assert_eq!(asked(&plain), 0, "nobody asks for keys who asks for no ID token");
}

/// WEB-2: keys are kept for an hour; older ones, and garbage, are none.
#[test]
fn keys_of_an_earlier_page_are_kept_for_an_hour() {
    for (change, expected) in [
        (json!({}), 1),
        (json!({ "fetched_at": scenario::START - 3_600 + 60 }), 1),
        (json!({ "fetched_at": scenario::START - 3_600 + 59 }), 2),
        (json!({ "fetched_at": scenario::START + 61 }), 2),
        (json!({ "fetched_at": "x" }), 2),
        (json!({ "fetched_at": null }), 2),
        (json!({ "document": {} }), 2),
        (json!({ "document": null }), 2),
        (json!({ "document": { "keys": vec![key("1"); 101] } }), 2),
    ] {
        let mut tab = openid().open();
        tab.sign_in();
        change_keys(&mut tab, |record| {
            for (name, value) in change.as_object().expect("an object") {
                record[name] = value.clone();
            }
        });
        tab.now += 60;
        tab.come_back(BACK, "");
        assert!(tab.session().is_some(), "{change}");
        assert_eq!(asked(&tab), expected, "{change}");
    }
}

/// JOSE-11: a record with keys from another place is not this server's.
#[test]
fn keys_from_another_place_are_not_used() {
    for place in [json!("https://evil.example/jwks"), json!("https://as.example/jwks/"), json!(null), json!(5)] {
        let mut tab = openid().open();
        tab.sign_in();
        change_keys(&mut tab, |record| record["jwks_uri"] = place.clone());
        tab.now += 60;
        tab.come_back(BACK, "");
        assert!(tab.session().is_some());
        assert_eq!(asked(&tab), 2, "{place}");
    }
}

/// Certificates and the like are not stored.
#[test]
fn only_what_is_used_of_a_key_is_kept() {
    let mut long = key("1");
    long["x5c"] = json!(["MIIB"]);
    long["d"] = json!("AAAA");
    let tab = openid().answering(JWKS_URI, keys(&[long])).run();
    assert!(tab.session().is_some());
    let record = tab.storage.only("keys").to_text();
    assert!(record.contains("\"kid\"") && !record.contains("x5c") && !record.contains("AAAA\""), "{record}");
}

/// JOSE-13: a `kid` that nobody knows is worth one more request, and the new keys are believed.
#[test]
fn keys_are_fetched_once_more_for_an_unknown_kid() {
    let mut tab = unknown_kid().open();
    tab.sign_in();
    tab.answering(JWKS_URI, keys(&[key("2")]));
    tab.now += 60;
    tab.come_back(BACK, "");
    assert!(tab.session().is_some(), "rotated just before signing");
    assert_eq!(asked(&tab), 2);

    let tab = unknown_kid().run();
    assert_eq!(failed(&tab), [CheckId::Signature]);
    assert_eq!(asked(&tab), 2);
}

/// JOSE-13, A38: within a minute no token makes this tab ask again, not even across pages.
#[test]
fn unknown_kids_make_no_storm() {
    let mut tab = unknown_kid().run();
    for (seconds, expected) in [(0, 2), (59, 2), (1, 3), (30, 3), (29, 3), (1, 4)] {
        tab.now += seconds;
        tab.sign_in();
        tab.come_back(BACK, "");
        assert!(failed(&tab).contains(&CheckId::Signature));
        assert_eq!(asked(&tab), expected, "{seconds}");
    }
}

/// A sign-in with a token that is signed by a key of which the server has told since; it names none.
fn rotated() -> Tab {
    let header = json!({ "alg": "ES256" });
    let token = id_tokens::signed(&header, &id_tokens::claims());
    let mut tab = openid().verdict(id_tokens::looked_at).token_answer(id_tokens::tokens(&token)).open();
    tab.sign_in();
    tab.answering(JWKS_URI, keys(&[id_tokens::good_key("2")]));
    tab
}

/// JOSE-12, JOSE-13: stored keys of which none made a signature are fetched once more: a rotation used to stop tokens without
/// a `kid` for an hour.
#[test]
fn stored_keys_that_made_no_signature_are_fetched_once_more() {
    let mut tab = rotated();
    tab.now += 60;
    tab.come_back(BACK, "");
    assert!(tab.session().is_some(), "{:?}", tab.flow().callback_failure().map(|failure| failure.error.clone()));
    assert_eq!(asked(&tab), 2);

    // What then is still not signed by any of them is not, and the next one asks no more for a minute.
    let mut tab = rotated();
    tab.answering(JWKS_URI, keys(&[key("3")]));
    for (seconds, expected) in [(60, 2), (59, 2), (1, 3)] {
        tab.now += seconds;
        tab.come_back(BACK, "");
        assert!(failed(&tab).contains(&CheckId::Signature));
        assert_eq!(asked(&tab), expected, "{seconds}");
        tab.sign_in();
    }

    // Where they cannot be fetched it is not known whose signature it is.
    let mut tab = rotated();
    tab.answering(JWKS_URI, status(404));
    tab.come_back(BACK, "");
    assert_eq!(tab.callback_error().code(), "keys.unavailable");
}

/// JOSE-13, A38: a refetch that failed is one too: the next page used to know nothing of it.
#[test]
fn a_refetch_that_failed_counts() {
    let mut tab = unknown_kid().open();
    tab.sign_in();
    tab.answering(JWKS_URI, status(404));
    tab.now += 60;
    tab.come_back(BACK, "");
    assert_eq!((tab.callback_error().code(), asked(&tab)), ("keys.unavailable", 2));
    for (seconds, expected) in [(0, 2), (59, 2), (1, 3)] {
        tab.now += seconds;
        tab.sign_in();
        tab.come_back(BACK, "");
        assert_eq!(asked(&tab), expected, "{seconds}");
    }
}

/// WEB-2, JOSE-13: a record of a refetch that is still to come stops none: it used to stop them for as long as it said.
#[test]
fn a_refetch_in_the_future_is_none() {
    let mut tab = unknown_kid().open();
    tab.sign_in();
    change_keys(&mut tab, |record| record["refetched_at"] = json!(scenario::START + 1_000_000));
    tab.answering(JWKS_URI, keys(&[key("2")]));
    tab.now += 60;
    tab.come_back(BACK, "");
    assert!(tab.session().is_some());
}

/// JOSE-13: a token that no key could help is no reason to ask, and neither is a signature where the keys are new.
#[test]
fn only_an_unknown_kid_is_a_reason_to_ask_again() {
    for header in [json!({ "alg": "none" }), json!({ "crit": ["x"] }), json!({ "alg": "HS256" })] {
        let tab = openid().id_token(header.clone(), Value::Null).run();
        assert!(failed(&tab).contains(&CheckId::Signature));
        assert_eq!(asked(&tab), 1, "{header}");
    }
    let tab = back_without_keys(&openid().verdict(id_tokens::no));
    assert_eq!(
        (failed(&tab), asked(&tab)),
        (&[CheckId::Signature][..], 2),
        "once with the metadata, once beside the code"
    );
    let unavailable =
        |verification: &Verification| Verdict { signature: Err(SubtleUnavailable), ..id_tokens::yes(verification) };
    let tab = openid().verdict(unavailable).run();
    assert_eq!((failed(&tab), asked(&tab)), (&[CheckId::Signature][..], 1));
}

type Outcome = Result<HttpResponse, HttpFailure>;

/// A passing failure is worth two repeats, each at its time, while somebody waits.
#[test]
fn passing_failures_are_repeated_twice() {
    let timeout: Outcome = Err(HttpFailure::Timeout { after: Seconds(10) });
    let offline: Outcome = Err(HttpFailure::Offline);
    for failure in [lost(), timeout, offline, status(500), status(503), status(429), html(502)] {
        let mut tab = back_without_keys(&openid().silent(JWKS_URI));
        let before = asked(&tab);
        tab.answering(JWKS_URI, failure.clone());
        tab.take_trace();
        tab.arrive(JWKS_URI, failure);
        assert_eq!(tab.take_trace(), ["wake +1"]);
        tab.happen(Event::Woke);
        assert_eq!(tab.take_trace(), ["wake +1"], "not before its time");
        tab.now += 1;
        tab.happen(Event::Woke);
        assert_eq!(tab.take_trace(), ["fetch GET https://as.example/jwks", "wake +2"]);
        tab.now += 2;
        tab.happen(Event::Woke);
        assert_eq!(asked(&tab) - before, 2);
        assert_eq!(tab.callback_error().code(), "keys.unavailable");
        assert!(tab.session().is_none());
        tab.happen(Event::Woke);
        assert_eq!(asked(&tab) - before, 2);
    }
}

#[test]
fn a_repeat_that_succeeds_goes_on() {
    let mut tab = back_without_keys(&openid().answering(JWKS_URI, status(503)));
    tab.answering(JWKS_URI, keys(&[key("1")]));
    tab.now += 1;
    tab.happen(Event::Woke);
    assert!(tab.session().is_some());
}

/// JOSE-14: what will not change in a moment is not repeated: nobody is signed in.
#[test]
fn lasting_failures_are_not_repeated() {
    let huge: Outcome = Err(HttpFailure::BodyTooLarge { limit: 1 });
    for (failure, code) in [
        (html(200), "keys.unavailable"),
        (status(404), "keys.unavailable"),
        (status(401), "keys.unavailable"),
        (huge, "keys.unavailable"),
        (document("[]"), "keys.unavailable"),
        (document("{"), "keys.unavailable"),
        (answer(200, "text/plain", r#"{"keys":[]}"#), "keys.unavailable"),
        (document("{}"), "keys.not_keys"),
        (document(r#"{"keys":{}}"#), "keys.not_keys"),
        (keys(&vec![key("1"); 101]), "keys.not_keys"),
    ] {
        let tab = back_without_keys(&openid().answering(JWKS_URI, failure));
        assert_eq!(tab.callback_error().code(), code);
        // Once with the metadata, once beside the code.
        assert_eq!(asked(&tab), 2);
        assert!(tab.session().is_none() && tab.storage.names("keys").is_empty());
    }
    let jwk_set = openid()
        .answering(JWKS_URI, answer(200, "application/jwk-set+json", json!({ "keys": [key("1")] }).to_string()));
    assert!(jwk_set.run().session().is_some());
}

/// What failed ahead of the redirect is nobody's concern; beside the code it is asked for again.
#[test]
fn keys_that_failed_ahead_stop_nobody() {
    let mut tab = openid().answering(JWKS_URI, lost()).open();
    tab.sign_in();
    assert_eq!((tab.navigations.len(), asked(&tab)), (1, 1), "no repeat where nobody waits");
    tab.answering(JWKS_URI, keys(&[key("1")]));
    tab.now += 60;
    tab.come_back(BACK, "");
    assert!(tab.session().is_some());
}

/// JOSE-11: without a place for keys, or an algorithm of ours, nobody leaves the page.
#[test]
fn a_server_without_keys_or_algorithms_is_not_asked() {
    for (member, value, code) in [
        ("jwks_uri", json!(null), "request.no_keys"),
        ("id_token_signing_alg_values_supported", json!(["HS256", "none"]), "request.no_algorithm"),
        ("id_token_signing_alg_values_supported", json!([]), "request.no_algorithm"),
    ] {
        let tab = openid().metadata(member, value).run();
        assert_eq!(tab.sign_in_error().code(), code);
        assert!(tab.navigations.is_empty());
    }
    let tab = openid().metadata("id_token_signing_alg_values_supported", json!(null)).run();
    assert_eq!(failed(&tab), [CheckId::Signature, CheckId::Algorithm], "JOSE-1: RS256 where nothing is said");
}

/// OUT-3, RS-13: signing out while keys are awaited ends it; what arrives then is neither used nor kept.
#[test]
fn signing_out_ends_waiting_for_keys() {
    let mut tab = back_without_keys(&openid().silent(JWKS_URI));
    tab.sign_out();
    tab.arrive(JWKS_URI, keys(&[key("1")]));
    tab.happen(Event::Woke);
    assert!(tab.session().is_none());
    assert_eq!(tab.storage.records.keys().collect::<Vec<_>>(), [""; 0]);
}
