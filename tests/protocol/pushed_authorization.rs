//! Pushed authorization requests: what goes where, and that there is no way around a refusal.

use leptos_pkce::protocol::clock::ClockDifference;
use leptos_pkce::protocol::flow::{Activity, Event, Intent};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::pushed_authorization::PushError;
use serde_json::json;

use crate::answers::{answer, document, html, lost, refusal, status};
use crate::scenario::{
    AUTHORIZATION_ENDPOINT, ISSUER, Scenario, TOKEN_ENDPOINT, Tab, assert_error, key, parameter, parameters,
};

const ENDPOINT: &str = "https://as.example/par";
const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c";

type Outcome = Result<HttpResponse, HttpFailure>;

fn accepted(request_uri: &str) -> Outcome {
    answer(201, "application/json", json!({ "request_uri": request_uri, "expires_in": 60 }).to_string())
}

/// A server that has the endpoint and does not insist on it.
fn offered() -> Scenario {
    Scenario::public_client()
        .metadata("pushed_authorization_request_endpoint", json!(ENDPOINT))
        .answering(ENDPOINT, accepted(REQUEST_URI))
}

fn pushing() -> Scenario {
    offered().configured("pushed_authorization_requests", json!(true))
}

/// Nobody left, nothing waits for an answer, and the request did not go into the address bar instead.
#[track_caller]
fn assert_stayed(tab: &Tab) {
    assert!(tab.navigations.is_empty() && tab.storage.names("pending").is_empty());
    assert_eq!(tab.flow().activity(), Activity::Idle);
}

/// DP-9, IDT-4: the answer tells the time at the server, which no cache gave.
#[test]
fn its_answer_tells_the_servers_time() {
    let late = accepted(REQUEST_URI).map(|mut response| {
        response.headers.push(("date".to_owned(), "Tue, 14 Nov 2023 23:13:20 GMT".to_owned()));
        response
    });
    let mut tab = pushing().answering(ENDPOINT, late).open();
    tab.sign_in();
    assert_eq!(tab.navigations.len(), 1);
    assert_eq!(tab.flow().clock_of(&key(ISSUER).issuer), ClockDifference(3_600));
}

/// AUT-11: because it is configured, or because the server demands it; else not.
#[test]
fn requests_are_pushed_where_that_is_wanted() {
    for (scenario, is_pushed) in [
        (pushing(), true),
        (offered().metadata("require_pushed_authorization_requests", json!(true)), true),
        (offered().metadata("require_pushed_authorization_requests", json!(false)), false),
        (offered(), false),
    ] {
        let tab = scenario.run();
        assert_eq!(tab.sent_to(ENDPOINT).len(), usize::from(is_pushed));
        assert_eq!(parameter(tab.navigation().query(), "request_uri").is_empty(), !is_pushed);
        assert!(tab.session().is_some());
    }
}

/// AUT-11: the parameters go into the body, once; the address says client and `request_uri` and nothing else.
#[test]
fn the_address_names_the_request_and_nothing_of_it() {
    let mut tab = pushing().openid().configured("scope", json!("openid")).open();
    tab.take_trace();
    tab.sign_in();
    let trace = tab.take_trace();
    let tail =
        ["write pending", "fetch POST https://as.example/par", "navigate https://as.example/authorize", "wake +10"];
    let tail: Vec<&str> = tail.into();
    let found: Vec<&str> = trace.iter().map(String::as_str).filter(|line| tail.contains(line)).collect();
    assert_eq!(found, tail, "kept first, then pushed, then followed");

    assert_eq!(
        parameters(tab.navigation().query().unwrap_or_default()),
        [("client_id", "spa"), ("request_uri", REQUEST_URI)].map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let request = tab.sent_to(ENDPOINT)[0];
    assert_eq!((request.limits.deadline.0, request.limits.body), (10, 64 * 1024));
    let body = request.body.as_deref();
    let pending = tab.storage.only("pending");
    assert_eq!(parameter(body, "state"), pending.text("state").unwrap_or_default());
    for (name, value) in
        [("response_type", "code"), ("client_id", "spa"), ("code_challenge_method", "S256"), ("scope", "openid")]
    {
        assert_eq!(parameter(body, name), value);
    }
    assert!(!parameter(body, "nonce").is_empty() && parameter(body, "client_secret").is_empty());
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, request.bearer.is_none(), request.url.query()), (vec!["accept", "content-type"], true, None));
}

/// AUT-11: a `request_uri` is used once: whoever comes back and tries again pushes another request.
#[test]
fn a_request_uri_is_used_once() {
    let mut tab = pushing().open();
    tab.sign_in();
    tab.happen(Event::Restored);
    tab.answering(ENDPOINT, accepted("urn:second"));
    tab.sign_in();
    let used: Vec<String> = tab.navigations.iter().map(|url| parameter(url.query(), "request_uri")).collect();
    assert_eq!(used, [REQUEST_URI, "urn:second"]);
    let states = tab.sent_to(ENDPOINT).into_iter().map(|request| parameter(request.body.as_deref(), "state"));
    let states: Vec<String> = states.collect();
    assert_ne!(states[0], states[1]);
}

/// The answer to a pushed request completes as any other does: state and record are those of the page.
#[test]
fn the_answer_belongs_to_the_pushed_request() {
    let mut tab = pushing().open();
    tab.sign_in();
    let state = parameter(tab.sent_to(ENDPOINT)[0].body.as_deref(), "state");
    tab.now += 60;
    tab.redirected(&format!("code=a&state={state}"), "");
    assert!(tab.session().is_some());
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
}

/// AUT-11: a refusal is shown; there is no falling back to the address bar.
#[test]
fn a_refused_push_lets_nobody_leave() {
    for (outcome, code) in [
        (refusal("invalid_request"), "push.refused"),
        (answer(401, "application/json", r#"{"error":"invalid_client"}"#), "push.refused"),
        (status(404), "push.status"),
        (html(503), "push.status"),
        (status(204), "push.status"),
        (lost(), "push.network"),
        (Err(HttpFailure::Offline), "push.network"),
        (html(200), "push.missing_request_uri"),
        (document("{}"), "push.missing_request_uri"),
        (accepted(""), "push.missing_request_uri"),
        (accepted("urn:a b"), "push.missing_request_uri"),
        (accepted("urn:\u{e4}"), "push.missing_request_uri"),
        (document(r#"{"request_uri":["urn:x"]}"#), "push.missing_request_uri"),
    ] {
        for scenario in [pushing(), offered().metadata("require_pushed_authorization_requests", json!(true))] {
            let tab = scenario.answering(ENDPOINT, outcome.clone()).run();
            assert_eq!(tab.sign_in_error().code(), code);
            assert_stayed(&tab);
            assert_eq!(tab.sent_to(ENDPOINT).len(), 1);
        }
    }
    let tab = pushing().answering(ENDPOINT, status(500)).run();
    assert_error(
        tab.sign_in_error(),
        PushError::Status { status: 500 },
        "the pushed request was answered with status 500",
    );
}

/// What some servers send in the place of 201.
#[test]
fn a_request_uri_with_status_200_is_taken() {
    let tab = pushing().answering(ENDPOINT, document(json!({ "request_uri": REQUEST_URI }).to_string())).run();
    assert!(tab.session().is_some());
}

/// AUT-11: a server that demands it and has no endpoint for it is not asked.
#[test]
fn a_missing_endpoint_lets_nobody_leave() {
    for scenario in [
        Scenario::public_client().configured("pushed_authorization_requests", json!(true)),
        Scenario::public_client().metadata("require_pushed_authorization_requests", json!(true)),
    ] {
        let tab = scenario.run();
        assert_eq!(tab.sign_in_error().code(), "request.no_push_endpoint");
        assert_stayed(&tab);
    }
    for endpoint in ["http://as.example/par", "javascript:alert(1)", "https://as.example/par#x"] {
        let tab = pushing().metadata("pushed_authorization_request_endpoint", json!(endpoint)).run();
        assert_eq!(tab.sign_in_error().code(), "metadata.invalid_member", "CFG-3: {endpoint}");
        assert_stayed(&tab);
    }
}

/// DP-4, DP-6: with a bound key the pushed request is proved too, and repeated once with the server's nonce.
#[test]
fn a_pushed_request_is_proved_with_the_servers_nonce() {
    let nonce = |outcome: Outcome, nonce: &str| {
        outcome.map(|mut response| {
            response.headers.push(("dpop-nonce".to_owned(), nonce.to_owned()));
            response
        })
    };
    let bound = || pushing().configured("dpop", json!(true));
    let mut tab = bound().silent(ENDPOINT).open();
    tab.sign_in();
    tab.arrive(ENDPOINT, nonce(refusal("use_dpop_nonce"), "n1"));
    assert_eq!(tab.flow().activity(), Activity::Navigating(key(ISSUER)));
    assert!(tab.navigations.is_empty());
    tab.arrive(ENDPOINT, nonce(accepted(REQUEST_URI), "n2"));
    assert_eq!(tab.navigation().without_query(), AUTHORIZATION_ENDPOINT);
    let orders = tab.proofs_to(ENDPOINT).into_iter().flatten();
    let orders: Vec<_> = orders.map(|order| (order.nonce.as_deref(), order.thumbprint.is_some())).collect();
    assert_eq!(orders, [(None, true), (Some("n1"), true)]);
    let bodies = tab.sent_to(ENDPOINT);
    assert_eq!(bodies[0].body, bodies[1].body);
    assert_eq!(parameter(bodies[0].body.as_deref(), "dpop_jkt").len(), 43);

    let tab = bound().answering(ENDPOINT, refusal("use_dpop_nonce")).run();
    assert_eq!((tab.sign_in_error().code(), tab.sent_to(ENDPOINT).len()), ("push.nonce_hidden", 1));
    assert_stayed(&tab);

    let mut tab = bound().silent(ENDPOINT).open();
    tab.sign_in();
    for nonces in ["n1", "n2"] {
        tab.arrive(ENDPOINT, nonce(refusal("use_dpop_nonce"), nonces));
    }
    assert_eq!((tab.sign_in_error().code(), tab.sent_to(ENDPOINT).len()), ("push.refused", 2));
    assert_stayed(&tab);
}

/// AUT-13: while a push is on its way a second click does nothing, and both ways out leave nothing behind.
#[test]
fn a_push_can_be_given_up() {
    type Way = fn(&mut Tab);
    let ways: [Way; 2] = [|tab| tab.happen(Event::CancelSignIn), Tab::sign_out];
    for give_up in ways {
        let mut tab = pushing().silent(ENDPOINT).open();
        tab.sign_in();
        tab.sign_in();
        assert_eq!((tab.sent_to(ENDPOINT).len(), tab.storage.names("pending").len()), (1, 1));
        tab.take_trace();
        give_up(&mut tab);
        assert!(tab.take_trace().contains(&"cancel fetch".to_owned()));
        tab.arrive(ENDPOINT, accepted(REQUEST_URI));
        assert_stayed(&tab);
    }
}

#[test]
fn a_link_to_be_shown_is_pushed_too() {
    let mut tab = pushing().open();
    tab.ask(key(ISSUER), None, Intent::Show);
    let url = tab.flow().prepared(&key(ISSUER)).expect("a link");
    assert_eq!(parameter(url.query(), "request_uri"), REQUEST_URI);
    assert!(tab.navigations.is_empty());
}
