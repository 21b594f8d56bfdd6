//! The server's memory: a worker that is killed goes on where it was.

use leptos_pkce::protocol::json::Value;
use leptos_pkce::sandbox::Sandbox;
use leptos_pkce::sandbox::state::State;
use leptos_pkce::sandbox::switches::Switches;

use crate::person::{BASE, ISSUER, Person, form_value, json, text, value};

/// What is stored and read back between any two requests.
fn restart(person: &mut Person) {
    let record = person.sandbox.state.encode().to_text();
    let state = State::decode(&Value::parse(record.as_bytes()).expect("JSON")).expect("its own record");
    assert_eq!(state, person.sandbox.state);
    person.sandbox = Sandbox::new(BASE, state).expect("the base is a URL");
}

#[test]
fn goes_on_where_it_was_after_every_request() {
    let mut person = Person::new();
    person.sandbox.state.switches = Switches::on(["scope-narrower"]).expect("it exists");
    let page = text(&person.authorize(&[("max_age", "60"), ("prompt", "login consent"), ("login_hint", "bob")]));
    restart(&mut person);
    let login = [("form_value", &*form_value(&page)), ("username", "bob")];
    let page = text(&person.post(&format!("{ISSUER}login"), &login));
    restart(&mut person);
    let allow = [("form_value", &*form_value(&page)), ("allow", "1")];
    let response = person.post(&format!("{ISSUER}consent"), &allow);
    restart(&mut person);
    let code = value(&crate::person::redirected(&response), "code").expect("a code");
    let tokens = json(&person.exchange(&code, &[]));
    restart(&mut person);
    assert_eq!(tokens["scope"], "openid");
    let token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(json(&person.call("GET", "userinfo", token, ""))["sub"], "b94e63d0");
}

/// A pushed request, a bound token, a nonce and a changed key outlive the worker too.
#[test]
fn remembers_what_was_pushed_bound_and_changed() {
    let mut person = Person::new();
    person.sandbox.state.switches = Switches::on(["keys-rotated", "dpop-nonce"]).expect("they exist");
    let form = [("content-type", "application/x-www-form-urlencoded"), ("dpop", "no proof")];
    let asked = [("acr_values", "urn:sandbox:acr:otp"), ("resource", "https://app.example/sandbox/api/safe")];
    let url = crate::person::authorization_url(&asked);
    let query = url.split_once('?').expect("a query").1;
    // Refused, and told a nonce.
    assert_eq!(person.request("POST", &format!("{ISSUER}par"), &form, query).status, 400);
    restart(&mut person);
    let name = json(&person.request("POST", &format!("{ISSUER}par"), &form[..1], query));
    restart(&mut person);
    let name = name["request_uri"].as_str().expect("a name");
    let page = person.get(&format!("{ISSUER}authorize?client_id=workbench&request_uri={name}"));
    restart(&mut person);
    let code = value(&person.answer(page, "alice"), "code").expect("a code");
    restart(&mut person);
    let before = json(&person.get(&format!("{ISSUER}jwks")));
    let tokens = json(&person.exchange(&code, &[]));
    restart(&mut person);
    assert_ne!(json(&person.get(&format!("{ISSUER}jwks"))), before);
    let token = tokens["access_token"].as_str().expect("a token");
    assert_eq!(person.call("GET", "api/safe", token, "").status, 200);
    assert_eq!(person.call("GET", "api/photos", token, "").status, 401);
}

/// Refresh tokens do, those that are spent among them, and the nonce and the key that they go with.
#[test]
fn remembers_which_refresh_tokens_are_good() {
    let mut person = Person::new();
    let first = person.tokens(&[("scope", "openid offline_access")])["refresh_token"].clone();
    restart(&mut person);
    let first = first.as_str().expect("a refresh token");
    let second = json(&person.refresh(first, &[]))["refresh_token"].clone();
    restart(&mut person);
    let second = second.as_str().expect("a refresh token");
    let third = json(&person.refresh(second, &[]))["refresh_token"].clone();
    restart(&mut person);
    assert_eq!(json(&person.refresh(first, &[]))["error"], "invalid_grant");
    restart(&mut person);
    assert_eq!(json(&person.refresh(third.as_str().expect("a refresh token"), &[]))["error"], "invalid_grant");
}

/// The page that asks whether to sign out does, and where it leads.
#[test]
fn remembers_who_is_asked_to_sign_out() {
    let target = [("post_logout_redirect_uri", BASE), ("client_id", "workbench"), ("state", "xyz")];
    for (parameters, location) in
        [(&target[..], Some("https://app.example/?state=xyz")), (&target[..2], Some(BASE)), (&[], None)]
    {
        let mut person = Person::new();
        person.sign_in(&[]);
        let page = text(&person.post(&format!("{ISSUER}end_session"), parameters));
        restart(&mut person);
        let answer = [("form_value", &*form_value(&page)), ("sign_out", "1")];
        let response = person.post(&format!("{ISSUER}sign-out"), &answer);
        assert_eq!(crate::person::header(&response, "location"), location);
        restart(&mut person);
    }
}

#[test]
fn a_record_that_is_none_is_no_memory() {
    let mut person = Person::new();
    person.tokens(&[("scope", "openid offline_access")]);
    person.sign_in(&[]);
    let good = person.sandbox.state.encode().to_text();
    for bad in [
        "{}".to_owned(),
        "[]".to_owned(),
        good.replace("\"version\":3", "\"version\":2"),
        good.replace("\"is_used\":false", "\"is_used\":0"),
        good.replace("\"switches\":[]", "\"switches\":[\"nonsense\"]"),
        good.replace("code_challenge", "challenge"),
        good.replace("\"families\":[", "\"families\":[{},"),
        good.replace("\"sign_outs\":[]", "\"sign_outs\":[{}]"),
        good.replace("\"spent\":[", "\"spent\":[1,"),
        good.replace("\"used_at\"", "\"used\""),
        good.replace("urn:sandbox:acr:password", "urn:sandbox:acr:other"),
    ] {
        assert_eq!(Value::parse(bad.as_bytes()).ok().as_ref().and_then(State::decode), None, "{bad}");
    }
}

/// A page that asks again and again cannot fill the memory.
#[test]
fn forgets_what_has_expired_and_keeps_a_bounded_rest() {
    let mut person = Person::new();
    for _ in 0..500 {
        person.authorize(&[]);
    }
    let length = person.sandbox.state.encode().to_text().len();
    assert!(length < 64 * 1024, "{length} octets");
    person.now += 601;
    person.get(&format!("{ISSUER}jwks"));
    assert!(person.sandbox.state.encode().to_text().len() < 200);
}
