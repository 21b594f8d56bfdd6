//! Properties of what is signed: nothing that arrives panics, and nothing that was changed signs anybody in.

use leptos_pkce::protocol::claims::Claims;
use leptos_pkce::protocol::flow::Event;
use leptos_pkce::protocol::id_token::CHECKS;
use leptos_pkce::protocol::json::Value as Document;
use leptos_pkce::protocol::jwk::JwkSet;
use leptos_pkce::protocol::jws::Jws;
use leptos_pkce::protocol::keys::read_keys;
use leptos_pkce::protocol::pushed_authorization::pushed;
use leptos_pkce::protocol::url::Url;
use leptos_pkce::protocol::userinfo::{UserInfoAnswer, check_userinfo, read_userinfo};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::answers::{answer, document};
use crate::id_tokens::{JWKS_URI, claims, compact, good_key, header, key, keys, looked_at, signed, tokens};
use crate::properties::{for_all, json_value};
use crate::scenario::{ISSUER, Scenario};

fn openid() -> Scenario {
    Scenario::public_client().openid()
}

/// A server that signs, and a browser that looks.
fn signing() -> Scenario {
    openid().answering(JWKS_URI, keys(&[good_key("1")])).verdict(looked_at)
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let compact = "[A-Za-z0-9_.=-]{0,40}|e30.e30.|eyJhbGciOiJFUzI1NiJ9.e30.AA|\\{.{0,20}";
    prop_oneof![
        vec(any::<u8>(), 0..200),
        compact.prop_map(String::into_bytes),
        json_value().prop_map(|value| value.to_string().into_bytes()),
    ]
}

/// `document` with one member in the place of another value, or removed; and that member's name.
fn changed(document: &Value, member: usize, value: Option<Value>) -> (String, Value) {
    let mut members = document.as_object().expect("an object").clone();
    let name = members.keys().nth(member % members.len()).expect("a member").clone();
    match value {
        Some(value) => members.insert(name.clone(), value),
        None => members.remove(&name),
    };
    (name, members.into())
}

/// Values that a claim may have, or that resemble one.
fn claim() -> impl Strategy<Value = Option<Value>> {
    let known = [json!("spa"), json!(["spa"]), json!(ISSUER), json!("248289761001"), json!(1_700_000_060), json!({})];
    proptest::option::weighted(0.9, prop_oneof![json_value(), proptest::sample::select(known.to_vec())])
}

/// TOK-18: nothing that reads signed documents, keys or claims panics, whatever the octets.
#[test]
fn no_octets_make_a_reader_of_tokens_panic() {
    let place = Url::parse(JWKS_URI).expect("a URL");
    let scenario = openid().metadata("userinfo_endpoint", json!("https://as.example/userinfo"));
    let signed_in = scenario.run();
    let metadata = signed_in.flow().metadata(&crate::scenario::key(ISSUER)).and_then(Result::ok).expect("metadata");
    let client = scenario.client();
    for_all((octets(), any::<u16>(), any::<bool>()), |(octets, status, is_json)| {
        let text = String::from_utf8_lossy(&octets).into_owned();
        let _ = Jws::parse(&text);
        let _ = Document::parse(&octets).map(|document| JwkSet::read(&document));
        let media_type = if is_json { "application/json" } else { "application/jwt" };
        for status in [200, 201, status] {
            let answer = answer(status, media_type, octets.clone());
            let _ = read_keys(&place, answer.clone());
            let _ = pushed(answer.clone(), metadata, &client.key().client_id);
            if let Ok(UserInfoAnswer::Plain(claims)) = read_userinfo(answer) {
                let _ = check_userinfo(claims, "", Some(client.key()));
            }
        }
        Ok(())
    });
}

/// TOK-18, OPS-3: whatever comes as an ID token, nobody is signed in by it, and the list of checks is complete.
#[test]
fn no_text_in_the_place_of_an_id_token_signs_anybody_in() {
    for_all(octets(), |octets| {
        let text = String::from_utf8_lossy(&octets).into_owned();
        let tab = openid().token_answer(tokens(&text)).run();
        prop_assert!(tab.session().is_none());
        if let leptos_pkce::protocol::error::Error::IdToken(error) = tab.callback_error() {
            prop_assert_eq!(error.checks().len(), CHECKS.len());
            prop_assert!(!error.failed().is_empty());
        }
        Ok(())
    });
}

/// OPS-3, IDT-1, IDT-2: whatever a server says about one claim, whoever is signed in is so at this issuer and for this client, as
/// the token says it.
#[test]
fn a_token_with_one_claim_changed_makes_no_other_session() {
    let good = claims();
    for_all((0..8_usize, claim()), |(member, value)| {
        let (name, mutant) = changed(&good, member, value);
        let tab = openid().token_answer(tokens(&compact(&header(), &mutant))).run();
        let Some(session) = tab.session() else { return Ok(()) };
        let found: &Claims = session.claims().expect("an ID token was asked for");
        prop_assert_eq!(found.get("iss").and_then(Document::as_str), Some(ISSUER));
        prop_assert!(mutant["aud"] == json!("spa") || mutant["aud"] == json!(["spa"]), "{}", mutant["aud"]);
        prop_assert_eq!(Some(found.sub()), mutant["sub"].as_str());
        prop_assert!(
            ["sub", "aud", "iat", "exp", "at_hash", "name"].contains(&name.as_str()) || mutant == good,
            "{}",
            name
        );
        Ok(())
    });
}

/// IDT-11, JOSE-8: a signed token with one claim changed, or one of its header, signs nobody in.
#[test]
fn a_signed_token_with_one_member_changed_signs_nobody_in() {
    let good = signed(&header(), &claims());
    assert!(signing().token_answer(tokens(&good)).run().session().is_some());
    for_all((0..8_usize, claim(), any::<bool>()), |(member, value, in_header)| {
        let (mut whole_header, mut whole_claims) = (header(), claims());
        let part = if in_header { &mut whole_header } else { &mut whole_claims };
        let mutant = changed(part, member, value).1;
        if mutant == *part {
            return Ok(());
        }
        *part = mutant;
        let (_, signature) = good.rsplit_once('.').expect("three parts");
        let unsigned = compact(&whole_header, &whole_claims);
        let token = [unsigned.rsplit_once('.').expect("three parts").0, signature].join(".");
        prop_assert!(signing().token_answer(tokens(&token)).run().session().is_none());
        Ok(())
    });
}

/// JOSE-7, JOSE-8: a signed token with one character changed signs nobody in: one token has one text.
#[test]
fn a_signed_token_with_one_character_changed_signs_nobody_in() {
    let good = signed(&header(), &claims());
    for_all((any::<proptest::sample::Index>(), "[A-Za-z0-9_.= -]"), |(index, character)| {
        let at = index.index(good.len());
        let token = [&good[..at], &character, &good[at + 1..]].concat();
        let is_signed_in = signing().token_answer(tokens(&token)).run().session().is_some();
        prop_assert_eq!(is_signed_in, token == good, "{}", token);
        Ok(())
    });
}

/// JOSE-14, OPS-3: whatever stands beside it in the key set, the good key verifies, and without it none does.
#[test]
fn whatever_stands_beside_it_a_good_key_verifies() {
    let good = signed(&header(), &claims());
    for_all(vec((0..8_usize, claim()), 0..4), |changes| {
        let others = changes.into_iter().map(|(member, value)| changed(&key("2"), member, value).1);
        let mut set: Vec<Value> = others.collect();
        let without = signing().answering(JWKS_URI, keys(&set)).token_answer(tokens(&good)).run();
        prop_assert!(without.session().is_none());
        set.push(good_key("1"));
        let with = signing().answering(JWKS_URI, keys(&set)).token_answer(tokens(&good)).run();
        prop_assert!(with.session().is_some());
        Ok(())
    });
}

/// RS-4, A25: whatever the user info endpoint says, it is used only if it is about the same person.
#[test]
fn user_info_is_about_the_person_who_is_signed_in() {
    let endpoint = "https://as.example/userinfo";
    let good = json!({ "sub": "248289761001", "iss": ISSUER, "aud": "spa", "name": "Jane Doe" });
    let scenario = openid()
        .metadata("userinfo_endpoint", json!(endpoint))
        .metadata("userinfo_signing_alg_values_supported", json!(["ES256"]));
    let mut tab = scenario.run();
    tab.silence(endpoint);
    let tab = std::cell::RefCell::new(tab);
    for_all((0..4_usize, claim(), any::<bool>()), |(member, value, is_signed)| {
        let tab = &mut *tab.borrow_mut();
        let (_, mutant) = changed(&good, member, value);
        let body = if is_signed { compact(&header(), &mutant) } else { mutant.to_string() };
        let outcome = if is_signed { answer(200, "application/jwt", body) } else { document(body) };
        tab.answering(endpoint, outcome);
        tab.happen(Event::AskUserInfo(crate::scenario::key(ISSUER)));
        let userinfo = tab.session().and_then(|session| session.userinfo());
        prop_assert!(userinfo.is_none_or(|claims| claims.sub() == "248289761001"));
        Ok(())
    });
}
