//! Calls to an API: what carries the token, and what is refused.

use leptos_pkce::protocol::flow::Event;
use leptos_pkce::protocol::http::{HttpFailure, HttpRequest, Limits};
use leptos_pkce::protocol::protected_resource::{ResourceError, ResourceRequest, protected_resource_request};
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::url::UrlError;
use serde_json::json;

use crate::answers::{document, lost, status};
use crate::scenario::{ACCESS_TOKEN, API, ISSUER, Scenario, Tab, key};

fn get(url: &str) -> ResourceRequest {
    ResourceRequest { method: "GET".into(), url: url.into(), headers: vec![], body: None }
}

fn build(tab: &Tab, request: ResourceRequest) -> Result<HttpRequest, ResourceError> {
    let allowed = tab.flow().allowed_resources(&key(ISSUER));
    protected_resource_request(tab.session().expect("a session"), &allowed, request)
}

/// RS-1: the token is in the one place for it, and nowhere else.
#[test]
fn carries_the_token_in_its_header_only() {
    let tab = Scenario::public_client().run();
    let request = ResourceRequest {
        method: "POST".into(),
        url: "https://api.example/photos/1?size=2".into(),
        headers: vec![("accept".into(), "application/json".into())],
        body: Some("{}".into()),
    };
    let built = build(&tab, request).expect("a request");
    assert_eq!(built.bearer.as_ref().map(|token| token.expose()), Some(ACCESS_TOKEN));
    assert_eq!((built.method.as_str(), built.url.as_str()), ("POST", "https://api.example/photos/1?size=2"));
    assert_eq!(built.headers, [("accept".to_owned(), "application/json".to_owned())]);
    assert_eq!(built.body.as_deref(), Some("{}"));
    assert_eq!(built.limits, Limits { deadline: Seconds(30), body: 8 * 1024 * 1024 });
}

/// RS-1: no other request of a whole sign-in carries a token.
#[test]
fn no_other_request_carries_a_token() {
    let mut tab = Scenario::public_client().answering(API, document("[]")).run();
    tab.call(1, API);
    for (_, request) in &tab.sent {
        assert_eq!(request.bearer.is_some(), request.url.as_str() == API, "{request:?}");
        assert!(!request.url.as_str().contains(ACCESS_TOKEN));
        assert!(!request.body.as_deref().unwrap_or_default().contains(ACCESS_TOKEN));
    }
}

#[test]
fn hands_the_answer_to_the_app_whatever_it_is() {
    let mut tab = Scenario::public_client().answering(API, status(401)).run();
    tab.call(7, API);
    let (call, outcome) = tab.answered.pop().expect("an answer");
    assert_eq!((call.0, outcome.map(|response| response.status)), (7, Ok(401)));
    assert!(tab.session().is_some());

    tab.answering(API, lost());
    tab.call(8, API);
    let (_, outcome) = tab.answered.pop().expect("an answer");
    assert_eq!(outcome, Err(ResourceError::Network(HttpFailure::Unreachable)));
}

/// RS-2: the userinfo endpoint is implied, at the server that names it.
#[test]
fn implies_the_userinfo_endpoint() {
    let scenario = Scenario::public_client().configured("resources", json!([]));
    let tab = scenario.run();
    assert!(build(&tab, get("https://as.example/me")).is_err());
    let mut tab = Scenario::public_client().metadata("userinfo_endpoint", json!("https://as.example/me")).run();
    tab.happen(Event::SignInLikely(key(ISSUER)));
    assert!(build(&tab, get("https://as.example/me")).is_ok());
    assert!(build(&tab, get("https://as.example/meow")).is_err());
    let names: Vec<String> =
        tab.flow().allowed_resources(&key(ISSUER)).list().iter().map(|resource| resource.name.clone()).collect();
    assert_eq!(names, ["Photos", "UserInfo"]);
}

/// RS-2: what is refused names the place without its query, and every place that is allowed.
#[test]
fn says_where_the_token_may_go() {
    let tab = Scenario::public_client().run();
    let error = build(&tab, get("https://evil.example/photos?secret=1#x")).err();
    let refused = ResourceError::NotAllowed { url: "https://evil.example/photos".into(), allowed: vec![API.into()] };
    assert_eq!(error, Some(refused));
    assert_eq!(build(&tab, get("photos")).err(), Some(ResourceError::Url(UrlError::Scheme)));
}

/// RS-1: the headers that carry credentials are this library's to set.
#[test]
fn refuses_headers_that_are_not_the_apps_to_set() {
    let tab = Scenario::public_client().run();
    for (name, value) in [
        ("Authorization", "Bearer x"),
        ("AUTHORIZATION", "x"),
        ("Cookie", "a=b"),
        ("DPoP", "x"),
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("a\r\nb", "x"),
        ("a", "x\r\nb: c"),
        ("a", "ä"),
        ("a", "\u{0}"),
    ] {
        let request = ResourceRequest { headers: vec![(name.into(), value.into())], ..get(API) };
        assert_eq!(build(&tab, request).err(), Some(ResourceError::Header { name: name.into() }), "{name}: {value}");
    }
}

#[test]
fn refuses_methods_that_browsers_refuse() {
    let tab = Scenario::public_client().run();
    for method in ["", "G T", "TRACE", "trace", "CONNECT", "Track", "GET\r\n"] {
        let request = ResourceRequest { method: method.into(), ..get(API) };
        assert_eq!(build(&tab, request).err(), Some(ResourceError::Method), "{method:?}");
    }
    for method in ["GET", "get", "HEAD"] {
        let request = ResourceRequest { method: method.into(), body: Some(String::new()), ..get(API) };
        assert_eq!(build(&tab, request).err(), Some(ResourceError::Method), "{method:?}");
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"] {
        assert!(build(&tab, ResourceRequest { method: method.into(), ..get(API) }).is_ok(), "{method:?}");
    }
}

#[test]
fn calls_nobody_without_a_session() {
    let mut tab = Scenario::public_client().open();
    tab.call(1, API);
    assert_eq!(tab.answered.pop().map(|(_, outcome)| outcome), Some(Err(ResourceError::SignedOut)));
    assert!(tab.sent_to(API).is_empty());
}
