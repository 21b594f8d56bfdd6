//! What each switch does to refreshes: that and nothing else, and whether the refresh token is spent then.

use leptos_pkce::sandbox::http::{Delivery, Response};
use leptos_pkce::sandbox::switches::{ALL, Phase, Switches};
use serde_json::{Value, json};

use crate::crypto::{decode, verifies};
use crate::person::{ISSUER, Person, header, json, text, value};
use crate::refresh::{SCOPE, is_refused, photos, renewed, signed_in, tokens};

fn switch(person: &mut Person, names: &[&'static str]) {
    person.sandbox.state.switches = Switches::on(names.iter().copied()).expect("they exist");
}

/// Somebody who signed in at an honest server that then misbehaves so; what a refresh is answered with, and the refresh
/// token that was sent.
fn refreshed(name: &'static str) -> (Person, Response, String) {
    let mut person = Person::new();
    let refresh_token = signed_in(&mut person).refresh;
    switch(&mut person, &[name]);
    person.now += 100;
    let response = person.refresh(&refresh_token, &[]);
    (person, response, refresh_token)
}

/// Status, error and Retry-After of an answer that comes at once.
fn shape(response: &Response) -> (u16, String, Option<&str>) {
    assert_eq!(response.delivery, Delivery::AtOnce);
    let error = if response.body.is_empty() { Value::Null } else { json(response)["error"].clone() };
    (response.status, error.as_str().unwrap_or_default().to_owned(), header(response, "retry-after"))
}

/// Nothing has happened: the same refresh token is good as soon as the server is honest again.
#[test]
fn who_is_not_looked_at_has_spent_nothing() {
    for (name, status, error, retry_after) in [
        ("refresh-429", 429, "temporarily_unavailable", Some("30")),
        ("refresh-503", 503, "temporarily_unavailable", Some("5")),
        ("refresh-500", 500, "server_error", None),
        ("refresh-redirected", 307, "", None),
        ("refresh-invalid-grant", 400, "invalid_grant", None),
        ("refresh-invalid-client", 401, "invalid_client", None),
        ("refresh-request-lost", 0, "", None),
    ] {
        let (mut person, response, refresh_token) = refreshed(name);
        match status {
            0 => assert_eq!(response.delivery, Delivery::Lost),
            _ => assert_eq!(shape(&response), (status, error.to_owned(), retry_after), "{name}"),
        }
        assert_eq!(header(&response, "location").is_some(), status == 307);
        assert_eq!(person.refresh(&refresh_token, &[]).status, response.status, "{name}: each time");
        switch(&mut person, &[]);
        renewed(&mut person, &refresh_token, &[]);
    }
}

/// The refresh token is spent, and the client does not hear of the next one, or not in time.
#[test]
fn answers_come_late_broken_or_not_at_all() {
    for name in ["refresh-answer-lost", "refresh-slow", "refresh-html", "refresh-garbage"] {
        let (mut person, response, refresh_token) = refreshed(name);
        assert_eq!(response.status, 200, "{name}");
        let page = text(&response);
        match name {
            "refresh-answer-lost" => assert_eq!(response.delivery, Delivery::Lost),
            "refresh-slow" => {
                assert!(matches!(response.delivery, Delivery::After(delay) if delay.0 == 60));
                tokens(json(&response));
            }
            "refresh-html" => assert!(page.contains("<!doctype html>") && !page.contains("token")),
            _ => {
                assert_eq!(header(&response, "content-type"), Some("application/json"));
                assert!(page.starts_with('{') && serde_json::from_str::<Value>(&page).is_err());
            }
        }
        switch(&mut person, &[]);
        is_refused(&mut person, &refresh_token);
    }
}

/// RFC 6749 §6: a server may leave the refresh token as it is.
#[test]
fn a_refresh_token_that_is_not_rotated_stays_good() {
    let (mut person, response, refresh_token) = refreshed("refresh-not-rotated");
    let answer = json(&response);
    assert!(answer.get("refresh_token").is_none());
    assert_eq!(photos(&mut person, answer["access_token"].as_str().expect("a token")), 200);
    // It lives on from each use.
    for _ in 0..3 {
        person.now += 24 * 60 * 60;
        assert_eq!(person.refresh(&refresh_token, &[]).status, 200);
    }
    switch(&mut person, &[]);
    renewed(&mut person, &refresh_token, &[]);
    is_refused(&mut person, &refresh_token);
}

#[test]
fn an_answer_says_something_else_than_it_should() {
    let answer = |name| json(&refreshed(name).1);
    assert_eq!(answer("refresh-token-type-other")["token_type"], "mac");
    assert!(answer("refresh-id-token-missing").get("id_token").is_none());
    let everything = "openid profile email photos:read photos:write offline_access";
    for (name, scope, status) in [("refresh-scope-narrower", "openid", 403), ("refresh-scope-wider", everything, 200)] {
        let (mut person, response, _) = refreshed(name);
        let first = tokens(json(&response));
        assert_eq!(first.answer["scope"], scope);
        assert_eq!(photos(&mut person, &first.access), status);
        // The next one is of what was granted in the beginning.
        switch(&mut person, &[]);
        assert_eq!(renewed(&mut person, &first.refresh, &[]).answer["scope"], SCOPE);
    }
}

/// Each switch: the claim that is other than in an honest refresh, what it is then, and whether the signature is right.
#[test]
fn a_renewed_id_token_is_wrong_in_one_point() {
    let now = Person::new().now;
    let claims = |name: &'static str| {
        let (mut person, response, _) = refreshed(name);
        let id_token = json(&response)["id_token"].as_str().expect("an ID token").to_owned();
        let is_verified = verifies(&json(&person.get(&format!("{ISSUER}jwks")))["keys"][0], &id_token);
        let claims = decode(id_token.split('.').nth(1).expect("claims"));
        (serde_json::from_slice::<Value>(&claims).expect("JSON"), is_verified)
    };
    let honest = claims("refresh-slow").0;
    assert_eq!(honest["auth_time"], now);
    for (name, claim, expected) in [
        ("refresh-id-token-nonce", "nonce", json!("n-0S6_WzA2Mj")),
        ("refresh-id-token-nonce-wrong", "nonce", json!("of-another-request")),
        ("refresh-id-token-iss-wrong", "iss", json!(format!("{ISSUER}1"))),
        ("refresh-id-token-sub-wrong", "sub", json!("7c1f0a521")),
        ("refresh-id-token-aud-wrong", "aud", json!("workbench1")),
        ("refresh-id-token-auth-time-changed", "auth_time", json!(now + 60)),
        ("refresh-id-token-signature-wrong", "", Value::Null),
    ] {
        let (mut found, is_verified) = claims(name);
        assert_eq!(is_verified, !claim.is_empty(), "{name}");
        if !claim.is_empty() {
            assert_eq!(found[claim], expected, "{name}");
            found[claim] = honest[claim].clone();
        }
        let mut honest = honest.clone();
        if claim == "nonce" {
            honest["nonce"] = Value::Null;
        }
        assert_eq!(found, honest, "{name}: and in no other");
    }
}

/// What is switched on for refreshes is not seen when a code is exchanged, and the other way round.
#[test]
fn each_occasion_has_its_own_switches() {
    for phase in [Phase::Refresh, Phase::TokenResponse] {
        let own = ["token-lifetime-short", "refresh-token-missing"];
        for name in ALL.iter().filter(|it| it.phase == phase && !own.contains(&it.name)).map(|it| it.name) {
            let mut person = Person::new();
            if phase == Phase::Refresh {
                switch(&mut person, &[name]);
                let first = signed_in(&mut person);
                assert_eq!(
                    (&first.answer["scope"], &first.answer["token_type"]),
                    (&SCOPE.into(), &"Bearer".into()),
                    "{name}"
                );
                let id_token = first.answer["id_token"].as_str().expect("an ID token");
                assert!(verifies(&json(&person.get(&format!("{ISSUER}jwks")))["keys"][0], id_token), "{name}");
            } else {
                let first = signed_in(&mut person);
                switch(&mut person, &[name]);
                let response = person.refresh(&first.refresh, &[]);
                assert_eq!(response.delivery, Delivery::AtOnce, "{name}");
                let second = tokens(json(&response));
                assert_eq!(
                    (&second.answer["scope"], &second.answer["token_type"]),
                    (&SCOPE.into(), &"Bearer".into()),
                    "{name}"
                );
                assert_eq!(second.answer["expires_in"], 300, "{name}");
            }
        }
    }
}

#[test]
fn a_refresh_token_may_be_missing_where_it_was_granted() {
    let mut person = Person::with(&["refresh-token-missing"]);
    let answer = person.tokens(&[("scope", SCOPE)]);
    assert_eq!((&answer["scope"], answer.get("refresh_token")), (&SCOPE.into(), None));
    // Whoever is granted everything has one, whatever was asked for.
    let wider = tokens(Person::with(&["scope-wider"]).tokens(&[]));
    assert!(wider.answer["scope"].as_str().is_some_and(|scope| scope.contains("offline_access")));
    let narrower = Person::with(&["scope-narrower"]).tokens(&[("scope", SCOPE)]);
    assert_eq!((&narrower["scope"], narrower.get("refresh_token")), (&"openid".into(), None));
}

#[test]
fn access_tokens_may_live_shortly() {
    let mut person = Person::with(&["token-lifetime-short"]);
    let mut last = signed_in(&mut person);
    for _ in 0..3 {
        assert_eq!(last.answer["expires_in"], 5);
        person.now += 5;
        assert_eq!(photos(&mut person, &last.access), 200);
        person.now += 1;
        assert_eq!(photos(&mut person, &last.access), 401);
        last = renewed(&mut person, &last.refresh, &[]);
    }
    assert_eq!(photos(&mut person, &last.access), 200);
    assert!(value(&person.sign_in(&[("scope", SCOPE), ("prompt", "none")]), "code").is_some());
}
