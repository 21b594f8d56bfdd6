//! The revocation endpoint (RFC 7009): what is revoked with what, and what its switches do.

use leptos_pkce::sandbox::http::{Delivery, Response};
use leptos_pkce::sandbox::switches::Switches;
use serde_json::{Value, json};

use crate::person::{ISSUER, Person, header, json, text, value};
use crate::refresh::{is_refused, photos, renewed, signed_in};

/// Gives a token back, with these parameters over the usual ones; an empty value leaves one out.
fn revoke(person: &mut Person, token: &str, parameters: &[(&str, &str)]) -> Response {
    person.post_over("revoke", &[("client_id", "workbench"), ("token", token)], parameters)
}

#[track_caller]
fn is_done(response: &Response) {
    assert_eq!((response.status, response.delivery), (200, Delivery::AtOnce), "{}", text(response));
    assert!(response.body.is_empty());
}

#[test]
fn a_refresh_token_takes_its_whole_grant_with_it() {
    for is_spent in [false, true] {
        let mut person = Person::new();
        let (other, first) = (signed_in(&mut person), signed_in(&mut person));
        let second = renewed(&mut person, &first.refresh, &[]);
        // A client that did not hear of the second has nothing but the first.
        let known = if is_spent { &first.refresh } else { &second.refresh };
        is_done(&revoke(&mut person, known, &[("token_type_hint", "refresh_token")]));
        is_refused(&mut person, &second.refresh);
        assert_eq!((photos(&mut person, &first.access), photos(&mut person, &second.access)), (401, 401));
        assert_eq!(photos(&mut person, &other.access), 200);
        renewed(&mut person, &other.refresh, &[]);
    }
}

#[test]
fn an_access_token_goes_alone() {
    let mut person = Person::new();
    let first = signed_in(&mut person);
    let second = renewed(&mut person, &first.refresh, &[]);
    is_done(&revoke(&mut person, &first.access, &[]));
    assert_eq!((photos(&mut person, &first.access), photos(&mut person, &second.access)), (401, 200));
    // A wrong hint, and one that nobody knows, change nothing (RFC 7009 §2.1).
    for hint in ["refresh_token", "nonsense"] {
        let third = signed_in(&mut person);
        is_done(&revoke(&mut person, &third.access, &[("token_type_hint", hint)]));
        assert_eq!(photos(&mut person, &third.access), 401);
    }
    renewed(&mut person, &second.refresh, &[]);
}

/// RFC 7009 §2.2.
#[test]
fn what_is_unknown_is_gone_already() {
    let mut person = Person::new();
    let first = signed_in(&mut person);
    for token in ["unknown", &first.access, &first.access, &first.refresh, &first.refresh] {
        is_done(&revoke(&mut person, token, &[]));
    }
    // What is another client's is unknown, and stays.
    let second = signed_in(&mut person);
    is_done(&revoke(&mut person, &second.access, &[("client_id", "minimal")]));
    is_done(&revoke(&mut person, &second.refresh, &[("client_id", "minimal")]));
    assert_eq!(photos(&mut person, &second.access), 200);
    renewed(&mut person, &second.refresh, &[]);
}

#[test]
fn names_what_is_wrong_with_a_request() {
    let mut person = Person::new();
    let first = signed_in(&mut person);
    for (parameter, status, error) in [
        (("token", ""), 400, "invalid_request"),
        (("client_id", ""), 400, "invalid_request"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("client_secret", "x"), 401, "invalid_client"),
    ] {
        let response = revoke(&mut person, &first.refresh, &[parameter]);
        assert_eq!((response.status, json(&response)["error"].as_str()), (status, Some(error)), "{parameter:?}");
    }
    let response = person.get(&format!("{ISSUER}revoke"));
    assert_eq!((response.status, header(&response, "allow")), (405, Some("POST")));
    renewed(&mut person, &first.refresh, &[]);
}

#[test]
fn the_endpoint_is_announced_where_it_is() {
    let metadata = |person: &mut Person| json(&person.get(&format!("{ISSUER}.well-known/openid-configuration")));
    let document = metadata(&mut Person::new());
    assert_eq!(document["revocation_endpoint"], format!("{ISSUER}revoke"));
    assert_eq!(document["revocation_endpoint_auth_methods_supported"], json!(["none"]));
    let mut person = Person::with(&["revocation-missing"]);
    let document = metadata(&mut person);
    assert!(document.as_object().is_some_and(|members| members.keys().all(|name| !name.contains("revocation"))));
    assert_eq!(revoke(&mut person, "x", &[]).status, 404);
}

#[test]
fn the_endpoint_is_busy_slow_or_unwilling() {
    for (name, status, error, retry_after) in [
        ("revocation-503", 503, "temporarily_unavailable", Some("1")),
        ("revocation-unsupported-type", 400, "unsupported_token_type", None),
        ("revocation-refused", 401, "invalid_client", None),
        ("revocation-missing", 404, "", None),
    ] {
        let mut person = Person::new();
        let first = signed_in(&mut person);
        person.sandbox.state.switches = Switches::on([name]).expect("it exists");
        let response = revoke(&mut person, &first.refresh, &[]);
        let found = if error.is_empty() { Value::from("") } else { json(&response)["error"].clone() };
        assert_eq!((response.status, found), (status, error.into()), "{name}");
        assert_eq!((header(&response, "retry-after"), response.delivery), (retry_after, Delivery::AtOnce));
        assert_eq!(photos(&mut person, &first.access), 200, "{name}: nothing has happened");
        renewed(&mut person, &first.refresh, &[]);
    }
    let mut person = Person::with(&["revocation-slow"]);
    let first = signed_in(&mut person);
    let response = revoke(&mut person, &first.refresh, &[]);
    assert!(response.status == 200 && matches!(response.delivery, Delivery::After(delay) if delay.0 == 60));
    assert_eq!(photos(&mut person, &first.access), 401);
    // Nobody is signed out at the server by it.
    assert!(value(&person.sign_in(&[("prompt", "none")]), "code").is_some());
}
