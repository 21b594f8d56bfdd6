//! Pushed authorization requests (RFC 9126), and resource indicators (RFC 8707).

use leptos_pkce::protocol::form;
use leptos_pkce::sandbox::http::Response;

use crate::person::{CALLBACK, ISSUER, Person, VERIFIER, header, json, redirected, text, value};

const PHOTOS: &str = "https://app.example/sandbox/api/photos";
const SAFE: &str = "https://app.example/sandbox/api/safe";

/// Pushes the usual request with these parameters over its own; an empty value leaves one out.
fn push(person: &mut Person, parameters: &[(&str, &str)]) -> Response {
    let url = crate::person::authorization_url(parameters);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    person.request("POST", &format!("{ISSUER}par"), &form, url.split_once('?').expect("a query").1)
}

fn request_uri(response: &Response) -> String {
    assert_eq!(response.status, 201, "{}", text(response));
    json(response)["request_uri"].as_str().expect("a name").to_owned()
}

fn front_channel(client_id: &str, request_uri: &str) -> String {
    format!("{ISSUER}authorize?{}", form::encode(&[("client_id", client_id), ("request_uri", request_uri)]))
}

fn error(response: &Response) -> Option<String> {
    value(&redirected(response), "error")
}

#[test]
fn a_pushed_request_is_good_once_for_a_minute_and_for_its_client() {
    let mut person = Person::new();
    let pushed = push(&mut person, &[]);
    assert_eq!((&json(&pushed)["expires_in"], header(&pushed, "cache-control")), (&60.into(), Some("no-store")));
    let url = front_channel("workbench", &request_uri(&pushed));
    assert!(url.len() < 200);
    // Nobody else's, and then nobody is sent anywhere.
    assert_eq!(person.get(&url.replace("workbench", "minimal")).status, 400);
    let page = person.get(&url);
    let parameters = person.answer(page, "alice");
    assert_eq!(value(&parameters, "state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(person.exchange(&value(&parameters, "code").expect("a code"), &[]).status, 200);
    assert_eq!(error(&person.get(&url)).as_deref(), Some("invalid_request_uri"));

    let url = front_channel("workbench", &request_uri(&push(&mut person, &[])));
    person.now += 61;
    assert_eq!(error(&person.get(&url)).as_deref(), Some("invalid_request_uri"));
    let unknown = front_channel("workbench", "urn:ietf:params:oauth:request_uri:unknown");
    assert_eq!(person.get(&unknown).status, 400);
}

/// RFC 9126 §2.3.
#[test]
fn what_is_wrong_is_said_when_it_is_pushed() {
    for (parameter, status, expected) in [
        (("client_id", ""), 400, "invalid_request"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("client_secret", "x"), 401, "invalid_client"),
        (("redirect_uri", "https://evil.example/"), 400, "invalid_request"),
        (("request_uri", "urn:ietf:params:oauth:request_uri:x"), 400, "invalid_request"),
        (("scope", "root"), 400, "invalid_scope"),
        (("code_challenge_method", "plain"), 400, "invalid_request"),
        (("response_type", "token"), 400, "unsupported_response_type"),
        (("dpop_jkt", "short"), 400, "invalid_request"),
        (("resource", "https://evil.example/"), 400, "invalid_target"),
    ] {
        let response = push(&mut Person::new(), &[parameter]);
        assert_eq!((response.status, json(&response)["error"].as_str()), (status, Some(expected)), "{parameter:?}");
    }
}

#[test]
fn pushing_is_required_refused_or_in_vain() {
    let mut person = Person::with(&["par-required"]);
    let metadata = json(&person.get(&format!("{ISSUER}.well-known/openid-configuration")));
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    assert_eq!(error(&person.authorize(&[])).as_deref(), Some("invalid_request"));
    let pushed = push(&mut person, &[]);
    assert_eq!(person.get(&front_channel("workbench", &request_uri(&pushed))).status, 200);

    let refused = push(&mut Person::with(&["par-refused"]), &[]);
    assert_eq!((refused.status, &json(&refused)["error"]), (400, &"invalid_request".into()));

    let mut person = Person::with(&["par-expired"]);
    let pushed = push(&mut person, &[]);
    let response = person.get(&front_channel("workbench", &request_uri(&pushed)));
    assert_eq!(error(&response).as_deref(), Some("invalid_request_uri"));
}

/// The access token of a sign-in for these resources, narrowed to those at the token endpoint.
fn token(person: &mut Person, asked: &[&str], narrowed: &[&str]) -> Response {
    let list = |resources: &[&str]| -> String {
        resources.iter().map(|resource| format!("&{}", form::encode(&[("resource", resource)]))).collect()
    };
    let page = person.get(&format!("{}{}", crate::person::authorization_url(&[]), list(asked)));
    let code = value(&person.answer(page, "alice"), "code").expect("a code");
    let body = form::encode(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("client_id", "workbench"),
        ("code_verifier", VERIFIER),
    ]);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    person.request("POST", &format!("{ISSUER}token"), &form, &format!("{body}{}", list(narrowed)))
}

#[test]
fn a_token_is_good_for_the_resources_that_were_asked_for() {
    let api = format!("{ISSUER}api/");
    let cases: [(&[&str], &[&str], u16); 6] = [
        (&[], &[], 200),
        (&[&api], &[], 200),
        (&[PHOTOS], &[], 200),
        (&[PHOTOS, SAFE], &[PHOTOS], 200),
        (&[PHOTOS, SAFE], &[SAFE], 401),
        (&[SAFE], &[], 401),
    ];
    for (asked, narrowed, status) in cases {
        let mut person = Person::new();
        let tokens = json(&token(&mut person, asked, narrowed));
        let token = tokens["access_token"].as_str().expect("a token").to_owned();
        assert_eq!(person.call("GET", "api/photos", &token, "").status, status, "{asked:?} {narrowed:?}");
        assert_eq!(person.call("GET", "userinfo", &token, "").status, 200, "the server's own");
    }
    let mut person = Person::new();
    let tokens = json(&token(&mut person, &[PHOTOS], &[]));
    let photo = person.call("GET", "api/photos/1", tokens["access_token"].as_str().expect("a token"), "");
    assert_eq!(photo.status, 200, "what is below it, too");
}

#[test]
fn a_resource_that_is_none_is_an_invalid_target() {
    let more = [SAFE; 9].map(|safe| ("resource", safe));
    for resource in ["api/photos", "https://app.example/sandbox/", "https://app.example/sandbox/api/photos#x", "urn:x"]
    {
        let response = Person::new().authorize(&[("resource", resource)]);
        assert_eq!(error(&response).as_deref(), Some("invalid_target"), "{resource}");
    }
    let many = format!("{}&{}", crate::person::authorization_url(&[]), form::encode(&more));
    assert_eq!(error(&Person::new().get(&many)).as_deref(), Some("invalid_target"));
    for (asked, narrowed) in [(&[PHOTOS][..], SAFE), (&[], "https://evil.example/")] {
        let response = token(&mut Person::new(), asked, &[narrowed]);
        assert_eq!((response.status, &json(&response)["error"]), (400, &"invalid_target".into()), "{narrowed}");
    }
}
