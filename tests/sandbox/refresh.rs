//! Refresh tokens: who gets one, rotation, what is revoked with them, and what a renewed answer says.

use serde_json::{Value, json};

use crate::crypto::{decode, encode, verifies};
use crate::dpop::Holder;
use crate::person::{ISSUER, Person, json, text, value};

pub(crate) const SCOPE: &str = "openid profile photos:read offline_access";

/// The tokens of one answer.
pub(crate) struct Tokens {
    pub(crate) answer: Value,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

#[track_caller]
pub(crate) fn tokens(answer: Value) -> Tokens {
    let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned();
    Tokens { access: text("access_token"), refresh: text("refresh_token"), answer }
}

pub(crate) fn signed_in(person: &mut Person) -> Tokens {
    tokens(person.tokens(&[("scope", SCOPE)]))
}

#[track_caller]
pub(crate) fn renewed(person: &mut Person, refresh_token: &str, parameters: &[(&str, &str)]) -> Tokens {
    let response = person.refresh(refresh_token, parameters);
    assert_eq!(response.status, 200, "{}", text(&response));
    tokens(json(&response))
}

#[track_caller]
pub(crate) fn is_refused(person: &mut Person, refresh_token: &str) {
    let response = person.refresh(refresh_token, &[]);
    assert_eq!((response.status, &json(&response)["error"]), (400, &"invalid_grant".into()));
}

pub(crate) fn photos(person: &mut Person, access_token: &str) -> u16 {
    person.call("GET", "api/photos", access_token, "").status
}

/// The claims of an ID token that the server's own keys verify.
#[track_caller]
fn claims(person: &mut Person, answer: &Value) -> Value {
    let id_token = answer["id_token"].as_str().expect("an ID token");
    let keys = json(&person.get(&format!("{ISSUER}jwks")));
    assert!(verifies(&keys["keys"][0], id_token));
    serde_json::from_slice(&decode(id_token.split('.').nth(1).expect("claims"))).expect("JSON")
}

#[test]
fn gives_a_refresh_token_to_whoever_was_granted_offline_access() {
    let mut person = Person::new();
    assert!(person.tokens(&[]).get("refresh_token").is_none());
    // It is asked for like any scope: once.
    let page = person.authorize(&[("scope", SCOPE)]);
    assert!(text(&page).contains("Go on with it when you are not here"));
    let code = value(&person.answer(page, "alice"), "code").expect("a code");
    let first = tokens(json(&person.exchange(&code, &[])));
    assert_eq!((first.refresh.len(), &first.answer["scope"]), (43, &SCOPE.into()));
    assert_eq!(person.authorize(&[("scope", SCOPE), ("prompt", "none")]).status, 303);
    // Without openid, too.
    let plain = tokens(person.tokens(&[("scope", "photos:read offline_access")]));
    assert!(renewed(&mut person, &plain.refresh, &[]).answer.get("id_token").is_none());

    let metadata = json(&person.get(&format!("{ISSUER}.well-known/openid-configuration")));
    assert_eq!(metadata["grant_types_supported"], json!(["authorization_code", "refresh_token"]));
    assert!(metadata["scopes_supported"].as_array().is_some_and(|scopes| scopes.contains(&"offline_access".into())));
}

/// RFC 6749 §6.
#[test]
fn each_use_gives_the_next_one() {
    let mut person = Person::new();
    let first = signed_in(&mut person);
    person.now += 100;
    let second = renewed(&mut person, &first.refresh, &[]);
    assert!(first.access != second.access && first.refresh != second.refresh && second.refresh != second.access);
    assert_eq!((&second.answer["token_type"], &second.answer["expires_in"]), (&"Bearer".into(), &300.into()));
    assert_eq!(second.answer["scope"], SCOPE);
    // What was given before lives on until it expires.
    person.now += 200;
    assert_eq!((photos(&mut person, &first.access), photos(&mut person, &second.access)), (200, 200));
    person.now += 1;
    assert_eq!((photos(&mut person, &first.access), photos(&mut person, &second.access)), (401, 200));
    let third = renewed(&mut person, &second.refresh, &[]);
    assert_eq!(photos(&mut person, &third.access), 200);
}

/// RFC 9700 §4.14.2: two have it, and nobody knows which of them is the thief.
#[test]
fn a_spent_one_takes_all_of_its_grant_with_it() {
    let mut person = Person::new();
    let (other, first) = (signed_in(&mut person), signed_in(&mut person));
    let second = renewed(&mut person, &first.refresh, &[]);
    let third = renewed(&mut person, &second.refresh, &[]);
    is_refused(&mut person, &first.refresh);
    for refresh_token in [&third.refresh, &second.refresh, &first.refresh] {
        is_refused(&mut person, refresh_token);
    }
    for access_token in [&first.access, &second.access, &third.access] {
        assert_eq!(photos(&mut person, access_token), 401);
    }
    // Another grant of the same person to the same client stays.
    assert_eq!(photos(&mut person, &other.access), 200);
    renewed(&mut person, &other.refresh, &[]);
}

/// RFC 6749 §4.1.2, also when the code alone would have been forgotten.
#[test]
fn a_code_that_comes_twice_takes_its_refresh_tokens_with_it() {
    for later in [0, 60 * 60] {
        let mut person = Person::new();
        let code = value(&person.sign_in(&[("scope", SCOPE)]), "code").expect("a code");
        let first = tokens(json(&person.exchange(&code, &[])));
        let second = renewed(&mut person, &first.refresh, &[]);
        person.now += later;
        let third = renewed(&mut person, &second.refresh, &[]);
        assert_eq!(person.exchange(&code, &[]).status, 400);
        is_refused(&mut person, &third.refresh);
        assert_eq!(photos(&mut person, &third.access), 401);
    }
}

#[test]
fn who_is_refused_has_spent_nothing() {
    let mut person = Person::new();
    let refresh_token = signed_in(&mut person).refresh;
    for (parameter, status, error) in [
        (("refresh_token", ""), 400, "invalid_request"),
        (("refresh_token", "unknown"), 400, "invalid_grant"),
        (("client_id", "minimal"), 400, "invalid_grant"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("client_secret", "x"), 401, "invalid_client"),
        (("grant_type", "password"), 400, "unsupported_grant_type"),
        (("scope", "openid photos:write"), 400, "invalid_scope"),
        (("scope", "openid root"), 400, "invalid_scope"),
        (("resource", "https://evil.example/"), 400, "invalid_target"),
    ] {
        let response = person.refresh(&refresh_token, &[parameter]);
        assert_eq!((response.status, json(&response)["error"].as_str()), (status, Some(error)), "{parameter:?}");
    }
    // Nor can another client end what is not its own.
    let second = renewed(&mut person, &refresh_token, &[]);
    assert_eq!(person.refresh(&refresh_token, &[("client_id", "minimal")]).status, 400);
    renewed(&mut person, &second.refresh, &[]);
}

/// RFC 6749 §6, RFC 8707 §2.2: less may be asked for; the refresh token stays good for all of it.
#[test]
fn an_access_token_may_be_narrower_than_its_grant() {
    let [photos_api, safe_api] = ["api/photos", "api/safe"].map(|path| format!("{ISSUER}{path}"));
    let mut person = Person::new();
    let resources = format!("&resource={photos_api}&resource={safe_api}");
    let page = person.get(&format!("{}{resources}", crate::person::authorization_url(&[("scope", SCOPE)])));
    let code = value(&person.answer(page, "alice"), "code").expect("a code");
    let first = tokens(json(&person.exchange(&code, &[("resource", &safe_api)])));
    assert_eq!(photos(&mut person, &first.access), 401);
    let second = renewed(&mut person, &first.refresh, &[("scope", "photos:read"), ("resource", &photos_api)]);
    assert_eq!((&second.answer["scope"], second.answer.get("id_token")), (&"photos:read".into(), None));
    assert_eq!(photos(&mut person, &second.access), 200);
    assert_eq!(person.call("GET", "userinfo", &second.access, "").status, 403);
    let third = renewed(&mut person, &second.refresh, &[]);
    assert_eq!(third.answer["scope"], SCOPE);
    assert_eq!(photos(&mut person, &third.access), 200);
    assert_eq!(person.call("GET", "userinfo", &third.access, "").status, 200);
    let elsewhere = person.refresh(&third.refresh, &[("resource", &format!("{ISSUER}api/other"))]);
    assert_eq!(json(&elsewhere)["error"], "invalid_target");
}

/// OpenID Connect Core §12.2.
#[test]
fn a_renewed_id_token_is_about_the_same_sign_in() {
    let mut person = Person::new();
    let signed_in_at = person.now;
    person.now += 60;
    let first = signed_in(&mut person);
    assert_eq!(claims(&mut person, &first.answer)["nonce"], "n-0S6_WzA2Mj");
    // Meanwhile somebody else has signed in at the server, and better.
    let page = person.authorize(&[("prompt", "login"), ("acr_values", "urn:sandbox:acr:otp")]);
    person.answer(page, "bob");
    person.now += 1000;
    let second = renewed(&mut person, &first.refresh, &[]);
    let hash = <sha2::Sha256 as sha2::Digest>::digest(second.access.as_bytes());
    assert_eq!(
        claims(&mut person, &second.answer),
        json!({
            "iss": ISSUER, "sub": "7c1f0a52", "aud": "workbench", "exp": person.now + 300, "iat": person.now,
            "auth_time": signed_in_at + 60, "acr": "urn:sandbox:acr:password", "at_hash": encode(&hash[..16]),
        })
    );
}

/// RFC 9449 §5: what a public client was given with a proof is good with that key alone.
#[test]
fn a_bound_family_wants_proofs_of_its_key() {
    let mut person = Person::new();
    let (mut holder, mut thief) = (Holder::new(9), Holder::new(10));
    let code = value(&person.sign_in(&[("scope", SCOPE)]), "code").expect("a code");
    let first = tokens(json(&holder.exchange(&mut person, &code, None)));
    is_refused(&mut person, &first.refresh);
    assert_eq!(json(&thief.refresh(&mut person, &first.refresh, None))["error"], "invalid_grant");
    let second = tokens(json(&holder.refresh(&mut person, &first.refresh, None)));
    assert_eq!(second.answer["token_type"], "DPoP");
    assert_eq!(holder.call(&mut person, "api/photos", &second.access).status, 200);
    assert_eq!(thief.call(&mut person, "api/photos", &second.access).status, 401);
    // Who lacks the key cannot end it with a spent one either; who has it can.
    is_refused(&mut person, &first.refresh);
    let third = tokens(json(&holder.refresh(&mut person, &second.refresh, None)));
    assert_eq!(holder.refresh(&mut person, &first.refresh, None).status, 400);
    assert_eq!(holder.refresh(&mut person, &third.refresh, None).status, 400);
    assert_eq!(holder.call(&mut person, "api/photos", &third.access).status, 401);

    // One that was not bound is, from the first proof on.
    let bearer = signed_in(&mut person);
    let bound = tokens(json(&holder.refresh(&mut person, &bearer.refresh, None)));
    assert_eq!(bound.answer["token_type"], "DPoP");
    is_refused(&mut person, &bound.refresh);
    assert_eq!(holder.refresh(&mut person, &bound.refresh, None).status, 200);
}

/// No header shows what a refresh token is made of.
#[test]
fn a_nonce_is_no_refresh_token() {
    let mut person = Person::new();
    let mut holder = Holder::new(9);
    let code = value(&person.sign_in(&[("scope", SCOPE)]), "code").expect("a code");
    let first = tokens(json(&holder.exchange(&mut person, &code, None)));
    person.sandbox.state.switches = leptos_pkce::sandbox::switches::Switches::on(["dpop-nonce"]).expect("it exists");
    let refused = holder.refresh(&mut person, &first.refresh, None);
    assert_eq!(json(&refused)["error"], "use_dpop_nonce");
    let nonce = crate::person::header(&refused, "dpop-nonce").expect("a nonce").to_owned();
    let response = holder.refresh(&mut person, &first.refresh, Some(&nonce));
    let second = tokens(json(&response));
    assert_ne!(crate::person::header(&response, "dpop-nonce"), Some(second.refresh.as_str()));
}

/// RFC 9700 §4.14.2: a day after it was last used, and no matter how old the family is.
#[test]
fn a_refresh_token_lives_a_day_after_the_last_use() {
    const DAY: u64 = 24 * 60 * 60;
    let mut person = Person::new();
    let mut refresh_token = signed_in(&mut person).refresh;
    for _ in 0..3 {
        person.now += DAY;
        refresh_token = renewed(&mut person, &refresh_token, &[]).refresh;
    }
    person.now += DAY + 1;
    is_refused(&mut person, &refresh_token);
}

#[test]
fn a_family_that_is_used_for_ever_does_not_fill_the_memory() {
    let mut person = Person::new();
    let mut last = signed_in(&mut person);
    for _ in 0..300 {
        person.now += 60;
        last = renewed(&mut person, &last.refresh, &[]);
    }
    let length = person.sandbox.state.encode().to_text().len();
    assert!(length < 16 * 1024, "{length} octets");
    for _ in 0..200 {
        signed_in(&mut person);
    }
    let length = person.sandbox.state.encode().to_text().len();
    assert!(length < 160 * 1024, "{length} octets");
    // The oldest went first.
    is_refused(&mut person, &last.refresh);
}
