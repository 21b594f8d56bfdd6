//! Signing out: here at once and always, then at the server, for as long as that takes three seconds at most.

use leptos_pkce::protocol::authorization_request::EntropyFailure;
use leptos_pkce::protocol::end_session::{SignOutReturn, came_back, departure_record, end_session_url};
use leptos_pkce::protocol::flow::{Activity, Event, SessionEvent};
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::revocation::{PATIENCE, Revocable, Revoked, revocation_request, revoked};
use leptos_pkce::protocol::secret::{AccessToken, IdToken, RefreshToken, State};
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use leptos_pkce::protocol::url::Url;
use serde_json::json;

use crate::answers::{answer, html, lost, refusal, status};
use crate::refresh::{FIRST, renew, tokens};
use crate::refresh_faults::with_headers;
use crate::scenario::{
    ACCESS_TOKEN, API, DISCOVERY, ISSUER, PAGE, START, Scenario, StorageFault, TOKEN_ENDPOINT, Tab, key, octets,
    parameter, parameters, value,
};

const REVOCATION_ENDPOINT: &str = "https://as.example/revoke";
const END_SESSION_ENDPOINT: &str = "https://as.example/logout";

/// A server that revokes tokens and has a sign-out of its own.
fn scenario() -> Scenario {
    Scenario::public_client()
        .metadata("revocation_endpoint", json!(REVOCATION_ENDPOINT))
        .metadata("end_session_endpoint", json!(END_SESSION_ENDPOINT))
        .configured("post_logout_redirect_uri", json!(format!("{PAGE}goodbye")))
        .answering(REVOCATION_ENDPOINT, status(200))
}

fn signed_in(scenario: &Scenario) -> Tab {
    let mut tab = scenario.run();
    tab.navigations.clear();
    tab.take_trace();
    tab.take_announced();
    tab
}

fn sign_out_at_server(tab: &mut Tab) {
    tab.happen(Event::SignOutAtServer { key: key(ISSUER), entropy: Ok(octets(77)) });
}

/// The tokens that were revoked, in order.
fn revoked_tokens(tab: &Tab) -> Vec<String> {
    tab.sent_to(REVOCATION_ENDPOINT).iter().map(|request| parameter(request.body.as_deref(), "token")).collect()
}

fn state() -> State {
    State::new(parameter(Some("state=the+state"), "state"))
}

// The messages

/// OUT-1, CFG-1, OUT-8: the token, what it is, and whose; nothing secret beside it, and it outlives the page.
#[test]
fn a_revocation_has_these_parameters_and_no_others() {
    let endpoint = Url::parse(REVOCATION_ENDPOINT).expect("a URL");
    let client_id = key(ISSUER).client_id;
    for (token, body) in [
        (Revocable::Refresh(RefreshToken::new("r+1")), "token=r%2B1&token_type_hint=refresh_token&client_id=spa"),
        (Revocable::Access(AccessToken::new("a")), "token=a&token_type_hint=access_token&client_id=spa"),
    ] {
        let request = revocation_request(&endpoint, &client_id, &token);
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", REVOCATION_ENDPOINT));
        assert_eq!(request.body.as_deref(), Some(body));
        assert!(request.keepalive && request.bearer.is_none());
        assert_eq!((request.limits.deadline, request.limits.body), (PATIENCE, 65_536));
        let content_type = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        assert!(request.headers.contains(&content_type));
    }
}

/// OUT-2, F8: 200 is done also for tokens that are unknown, and a server that revokes none of a kind is no failure.
#[test]
fn an_answer_to_a_revocation_means_little() {
    let unsupported = answer(400, "application/json", r#"{"error":"unsupported_token_type"}"#);
    for (outcome, expected) in [
        (status(200), Revoked::Done),
        (html(200), Revoked::Done),
        (answer(200, "application/json", "garbage"), Revoked::Done),
        (status(204), Revoked::Done),
        (unsupported, Revoked::Done),
        (with_headers(503, &[("retry-after", "1")]), Revoked::Later(Seconds(1))),
        (with_headers(429, &[("retry-after", "2")]), Revoked::Later(Seconds(2))),
        (with_headers(503, &[("retry-after", "3")]), Revoked::NotDone),
        (with_headers(503, &[("retry-after", "3600")]), Revoked::NotDone),
        (status(503), Revoked::NotDone),
        (status(500), Revoked::NotDone),
        (with_headers(500, &[("retry-after", "1")]), Revoked::NotDone),
        (status(302), Revoked::NotDone),
        (refusal("invalid_client"), Revoked::NotDone),
        (refusal("invalid_request"), Revoked::NotDone),
        (lost(), Revoked::NotDone),
        (Err(HttpFailure::Timeout { after: Seconds(3) }), Revoked::NotDone),
    ] {
        assert_eq!(revoked(&outcome, UnixTime(START)), expected, "{outcome:?}");
    }
}

/// OUT-4, OUT-7: with a hint the server knows whose session to end; without one it is told which client asks.
#[test]
fn a_sign_out_at_the_server_has_these_parameters_and_no_others() {
    let endpoint = Url::parse("https://as.example/logout?tenant=1").expect("a URL");
    let client = scenario().client();
    let url = |client, hint: Option<&IdToken>| end_session_url(&endpoint, client, hint, &state()).as_str().to_owned();
    assert_eq!(
        url(&client, None),
        "https://as.example/logout?tenant=1&client_id=spa\
         &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fgoodbye&state=the+state"
    );
    assert_eq!(
        url(&client, Some(&IdToken::new("a.b.c"))),
        "https://as.example/logout?tenant=1&id_token_hint=a.b.c\
         &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fgoodbye&state=the+state"
    );
    let client = Scenario::public_client().client();
    assert_eq!(url(&client, None), "https://as.example/logout?tenant=1&client_id=spa");
}

/// OUT-5, WEB-2: who comes back, and from what; a record that was not written so is none.
#[test]
fn only_the_state_that_was_sent_confirms_a_sign_out() {
    let record = departure_record(&key(ISSUER), &state(), UnixTime(START));
    let at = |now, state: Option<&State>| came_back(&record, state, UnixTime(now));
    assert_eq!(at(START + 5, Some(&state())), Some(SignOutReturn::Confirmed));
    assert_eq!(at(START + 5, Some(&State::new("another"))), Some(SignOutReturn::Unconfirmed));
    assert_eq!(at(START + 5, None), Some(SignOutReturn::Unconfirmed));
    assert_eq!(at(START + 3600, Some(&state())), Some(SignOutReturn::Confirmed));
    assert_eq!(at(START + 3601, Some(&state())), None);
    for garbage in
        ["{}", "null", "5", r#"{"version":1}"#, r#"{"version":2,"created_at":1700000000,"state":"the state"}"#]
    {
        assert_eq!(came_back(&value(garbage), Some(&state()), UnixTime(START)), None, "{garbage}");
    }
    let without_state = value(r#"{"version":1,"created_at":1700000000}"#);
    assert_eq!(came_back(&without_state, None, UnixTime(START)), Some(SignOutReturn::Unconfirmed));
}

// Here

/// OUT-3, F1, F18: whatever the network and the storage do, the person is signed out at once, and nothing of them is left.
#[test]
fn signing_out_here_always_works() {
    for storage in ["memory", "session", "shared"] {
        for answers in [status(200), lost(), Err(HttpFailure::Offline), status(500), refusal("invalid_request")] {
            let mut tab = signed_in(&scenario().configured("token_storage", json!(storage)));
            tab.answering(REVOCATION_ENDPOINT, answers.clone());
            tab.answering(DISCOVERY, answers);
            tab.silence(API);
            tab.call(1, API);
            tab.sign_out();
            assert!(tab.session().is_none(), "{storage}");
            assert_eq!(tab.announced[0], SessionEvent::SignedOut);
            assert!(tab.answered[0].1.is_err(), "{storage}");
            let everything = format!("{:?}{:?}{:?}", tab.storage.records, tab.storage.of_origin, tab.shared);
            for token in [ACCESS_TOKEN, FIRST] {
                assert!(!everything.contains(token), "{storage}: {everything}");
            }
            assert_eq!(tab.locks, [""; 0], "{storage}");
            tab.pass(3 * 3600);
            assert!(tab.session().is_none() && tab.navigations.is_empty());
            tab.reload();
            assert!(tab.session().is_none(), "{storage}");
        }
    }
    let mut tab = signed_in(&scenario().configured("token_storage", json!("session")));
    tab.storage.fault = Some(StorageFault::Blocked);
    tab.sign_out();
    assert!(tab.session().is_none());
}

/// OUT-3: the person is signed out before anything is sent.
#[test]
fn signing_out_comes_before_revoking() {
    let mut tab = signed_in(&scenario().configured("token_storage", json!("session")));
    tab.sign_out();
    let trace = tab.take_trace();
    let place = |what: &str| trace.iter().position(|line| line == what).expect(what);
    let fetch = place("fetch POST https://as.example/revoke");
    assert!(place("announce SignedOut") < fetch && place("remove session") < fetch && place("post signed_out") < fetch);
}

/// F13, OUT-3: once more changes nothing.
#[test]
fn signing_out_twice_is_signing_out_once() {
    let mut tab = signed_in(&scenario());
    tab.sign_out();
    let (sent, posted) = (tab.sent.len(), tab.posted.len());
    tab.sign_out();
    sign_out_at_server(&mut tab);
    assert_eq!((tab.sent.len(), tab.posted.len(), tab.navigations.len()), (sent, posted, 0));
    assert_eq!(tab.take_announced(), [SessionEvent::SignedOut]);
}

// Revoking

/// OUT-1: the refresh token first, then the access token; with the newest of both.
#[test]
fn the_refresh_token_is_revoked_first() {
    let mut tab = signed_in(&scenario());
    tab.sign_out();
    assert_eq!(revoked_tokens(&tab), [FIRST, ACCESS_TOKEN]);
    let mut tab = signed_in(&scenario());
    tab.answering(TOKEN_ENDPOINT, tokens("new", Some("next"), 3600));
    renew(&mut tab);
    tab.sign_out();
    assert_eq!(revoked_tokens(&tab), ["next", "new"]);
    let mut tab = signed_in(&scenario().token_answer(tokens("only", None, 3600)));
    tab.sign_out();
    assert_eq!(revoked_tokens(&tab), ["only"]);
}

/// OUT-1: one after the other: with the refresh token gone, the server may have ended the other already.
#[test]
fn tokens_are_revoked_one_after_the_other() {
    let mut tab = signed_in(&scenario());
    tab.silence(REVOCATION_ENDPOINT);
    tab.sign_out();
    assert_eq!(revoked_tokens(&tab), [FIRST]);
    tab.arrive(REVOCATION_ENDPOINT, status(200));
    assert_eq!(revoked_tokens(&tab), [FIRST, ACCESS_TOKEN]);
}

/// OUT-2, F8, F9, F10: what the endpoint answers is said, if it was a no, and changes nothing else.
#[test]
fn a_revocation_that_fails_is_said() {
    let unsupported = answer(400, "application/json", r#"{"error":"unsupported_token_type"}"#);
    for (outcome, is_said) in [
        (status(200), false),
        (unsupported, false),
        (status(500), true),
        (lost(), true),
        (refusal("invalid_client"), true),
        (with_headers(503, &[("retry-after", "60")]), true),
    ] {
        let mut tab = signed_in(&scenario());
        tab.answering(REVOCATION_ENDPOINT, outcome.clone());
        tab.sign_out();
        let mut expected = vec![SessionEvent::SignedOut];
        expected.extend(is_said.then_some(SessionEvent::NotRevoked));
        assert_eq!(tab.take_announced(), expected, "{outcome:?}");
    }
}

/// OUT-2, F8: a busy server is asked once more, when it says so and that is soon.
#[test]
fn a_busy_server_is_asked_once_more() {
    let mut tab = signed_in(&scenario());
    tab.answering(REVOCATION_ENDPOINT, with_headers(503, &[("retry-after", "1")]));
    tab.sign_out();
    assert_eq!(revoked_tokens(&tab), [FIRST]);
    tab.pass(1);
    assert_eq!(revoked_tokens(&tab), [FIRST, FIRST, ACCESS_TOKEN]);
    tab.pass(10);
    assert_eq!(tab.take_announced(), [SessionEvent::SignedOut, SessionEvent::NotRevoked]);
    assert_eq!(revoked_tokens(&tab).len(), 3);
}

/// A server that revokes nothing is no failure.
#[test]
fn nothing_is_said_where_nothing_can_be_revoked() {
    let mut tab = signed_in(&Scenario::public_client());
    tab.sign_out();
    assert_eq!(tab.take_announced(), [SessionEvent::SignedOut]);
    assert!(tab.pass(100) < 5);
}

/// F1, OUT-3: where it is not even known where to revoke, that the tokens live on is said. It used not to be.
#[test]
fn tokens_that_nobody_can_be_told_of_are_said() {
    for fault in [Some(lost()), Some(Err(HttpFailure::Offline)), None] {
        let mut tab = signed_in(&scenario().configured("token_storage", json!("session")));
        tab.storage.records.retain(|name, _| !name.contains("metadata"));
        tab.reload();
        match fault {
            Some(fault) => {
                tab.answering(DISCOVERY, fault.clone());
                tab.answering(crate::scenario::DISCOVERY_8414, fault);
            }
            None => drop(tab.silence(DISCOVERY)),
        }
        tab.sign_out();
        assert!(tab.session().is_none());
        tab.pass(3);
        assert_eq!(tab.take_announced(), [SessionEvent::SignedOut, SessionEvent::NotRevoked]);
        assert_eq!(revoked_tokens(&tab), [""; 0]);
    }
}

/// OUT-1: metadata that this page does not have are asked for, and then the tokens are revoked.
#[test]
fn metadata_are_asked_for_to_revoke() {
    let mut tab = signed_in(&scenario().configured("token_storage", json!("session")));
    tab.storage.records.retain(|name, _| !name.contains("metadata"));
    tab.reload();
    tab.sign_out();
    assert_eq!(revoked_tokens(&tab), [FIRST, ACCESS_TOKEN]);
}

// At the server

/// OUT-4, OUT-8: after revoking, the person leaves for the server's sign-out, with a fresh state.
#[test]
fn the_person_leaves_for_the_servers_sign_out() {
    let mut tab = signed_in(&scenario());
    sign_out_at_server(&mut tab);
    assert!(tab.session().is_none());
    assert_eq!(revoked_tokens(&tab), [FIRST, ACCESS_TOKEN]);
    let trace = tab.take_trace();
    let navigate = trace.iter().position(|line| line == "navigate https://as.example/logout").expect("left");
    assert!(trace.iter().rposition(|line| line.starts_with("fetch POST")).is_some_and(|fetch| fetch < navigate));
    let query = parameters(tab.navigation().query().unwrap_or_default());
    let names: Vec<&str> = query.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["client_id", "post_logout_redirect_uri", "state"]);
    assert_eq!(query[1].1, format!("{PAGE}goodbye"));
    let first = query[2].1.clone();
    assert_eq!(first.len(), 43);
    let mut tab = signed_in(&scenario());
    tab.happen(Event::SignOutAtServer { key: key(ISSUER), entropy: Ok(octets(78)) });
    assert_ne!(parameter(tab.navigation().query(), "state"), first);
}

/// OUT-7, OUT-4, WEB-1: the ID token is kept and shown only where that is configured.
#[test]
fn the_id_token_is_shown_only_where_that_is_configured() {
    for is_configured in [false, true] {
        let scenario = scenario().openid().configured("token_storage", json!("session"));
        let mut tab = signed_in(&scenario.configured("id_token_hint", json!(is_configured)));
        let is_kept = tab.storage.only("session").member("id_token_hint").is_some();
        tab.reload();
        sign_out_at_server(&mut tab);
        let hint = parameter(tab.navigation().query(), "id_token_hint");
        let client_id = parameter(tab.navigation().query(), "client_id");
        assert_eq!((is_kept, hint.split('.').count() == 3), (is_configured, is_configured));
        assert_eq!(client_id.is_empty(), is_configured);
    }
}

/// OUT-8, F2: revoking takes three seconds at most, whoever does not answer; then the person leaves.
#[test]
fn the_person_waits_three_seconds_at_most() {
    for silent in [REVOCATION_ENDPOINT, DISCOVERY] {
        let mut tab = signed_in(&scenario().configured("token_storage", json!("session")));
        tab.storage.records.retain(|name, _| !name.contains("metadata") || silent != DISCOVERY);
        tab.reload();
        tab.silence(silent);
        sign_out_at_server(&mut tab);
        assert!(tab.session().is_none());
        tab.pass(2);
        assert_eq!(tab.navigations.len(), 0, "{silent}");
        tab.pass(1);
        assert_eq!(tab.navigations.len(), usize::from(silent == REVOCATION_ENDPOINT), "{silent}");
        assert!(tab.announced.contains(&SessionEvent::NotRevoked), "{silent}");
        assert!(!tab.trace.iter().any(|line| line == "cancel fetch"), "what was sent goes on by itself");
    }
}

/// OUT-8, F8: also where the server wants to be asked again later, all in all.
#[test]
fn waiting_for_a_busy_server_is_part_of_the_three_seconds() {
    let mut tab = signed_in(&scenario());
    tab.silence(REVOCATION_ENDPOINT);
    sign_out_at_server(&mut tab);
    tab.pass(2);
    tab.arrive(REVOCATION_ENDPOINT, with_headers(503, &[("retry-after", "2")]));
    tab.pass(1);
    assert_eq!(tab.navigations.len(), 1);
    assert!(tab.announced.contains(&SessionEvent::NotRevoked));
}

/// OUT-11: a server without a sign-out of its own is no error: the person is signed out, and hears that this is all.
#[test]
fn a_server_without_a_sign_out_is_no_error() {
    let mut tab = signed_in(&Scenario::public_client());
    sign_out_at_server(&mut tab);
    assert!(tab.session().is_none());
    assert_eq!(tab.take_announced(), [SessionEvent::SignedOut, SessionEvent::NotSignedOutAtServer]);
    assert!(tab.navigations.is_empty());
    assert_eq!(tab.flow().activity(), Activity::Idle);
}

/// OUT-3, AUT-7: without random octets there is no state: the person is signed out here, and goes nowhere.
#[test]
fn without_entropy_the_sign_out_is_local() {
    let mut tab = signed_in(&scenario());
    tab.happen(Event::SignOutAtServer { key: key(ISSUER), entropy: Err(EntropyFailure) });
    assert!(tab.session().is_none() && tab.navigations.is_empty());
    assert_eq!(revoked_tokens(&tab).len(), 2);
}

// Coming back

/// Comes back with this query after leaving for the server's sign-out.
fn came_back_with(query: &str) -> Tab {
    let mut tab = signed_in(&scenario());
    sign_out_at_server(&mut tab);
    tab.now += 30;
    let state = parameter(tab.navigation().query(), "state");
    tab.callback = Some("/goodbye".to_owned());
    tab.redirected(&query.replace("{state}", &state), "");
    tab
}

/// OUT-5: with the state that was sent it is confirmed; with another or none that is not known, and no error.
#[test]
fn coming_back_is_calm() {
    for (query, expected) in [
        ("state={state}", SignOutReturn::Confirmed),
        ("state=another", SignOutReturn::Unconfirmed),
        ("", SignOutReturn::Unconfirmed),
        ("state=", SignOutReturn::Unconfirmed),
        ("logged_out=true", SignOutReturn::Unconfirmed),
    ] {
        let mut tab = came_back_with(query);
        assert_eq!(tab.flow().sign_out_return(), Some(expected), "{query}");
        assert!(tab.flow().callback_failure().is_none(), "{query}");
        assert!(tab.session().is_none());
        assert_eq!(tab.flow().activity(), Activity::Idle);
        tab.reload();
        assert_eq!(tab.flow().sign_out_return(), None, "{query}: once");
        tab.sign_in();
        assert!(!tab.navigations.is_empty());
    }
}

/// OUT-5, OUT-6: nor does it change anything of a session that there is by then.
#[test]
fn coming_back_ends_no_session() {
    for query in ["state={state}", "state=another", ""] {
        let mut tab = signed_in(&scenario().configured("token_storage", json!("session")));
        sign_out_at_server(&mut tab);
        let state = parameter(tab.navigation().query(), "state");
        let departure = tab.storage.records.clone();
        tab.sign_in();
        tab.now += 10;
        tab.come_back("code=x&state={state}", "");
        assert!(tab.session().is_some());
        tab.storage.records.extend(departure);
        tab.redirected(&query.replace("{state}", &state), "");
        assert!(tab.session().is_some(), "{query}");
    }
}

/// OUT-6, A42, CB-4: no address signs anybody out, whatever it holds.
#[test]
fn no_address_signs_anybody_out() {
    for query in [
        "destroy_session=true",
        "logout",
        "logout=true",
        "state=x",
        "error=login_required",
        "error=access_denied&state=x",
        "iss=https%3A%2F%2Fas.example&sid=1",
        "post_logout_redirect_uri=https%3A%2F%2Fapp.example%2F",
    ] {
        for path in ["/", "/callback", "/goodbye", "/logout"] {
            let mut tab = signed_in(&scenario().configured("token_storage", json!("session")));
            tab.callback = Some(path.to_owned());
            tab.redirected(query, query);
            assert!(tab.session().is_some(), "{path}?{query}");
            assert_eq!((tab.navigations.len(), revoked_tokens(&tab).len()), (0, 0), "{path}?{query}");
        }
    }
}

/// OUT-6, A1, AUT-17: nor in: also not one that a third party made to start a sign-in, which this client does not take part in.
#[test]
fn no_address_signs_anybody_in() {
    for query in [
        "iss=https%3A%2F%2Fas.example&login_hint=eve&target_link_uri=https%3A%2F%2Fapp.example%2Fx",
        "iss=https%3A%2F%2Fas.example",
        "login=true",
        "prompt=none",
    ] {
        for path in ["/", "/callback", "/login"] {
            let mut tab = scenario().configured("restore", json!(true)).open();
            tab.callback = Some(path.to_owned());
            tab.redirected(query, "");
            tab.pass(60);
            tab.happen(Event::Resumed);
            assert!(tab.navigations.is_empty() && tab.session().is_none(), "{path}?{query}");
        }
    }
}

/// AUT-16, OPS-1: neither hints about a person nor their ID token stand in what may be logged.
#[test]
fn what_is_known_of_a_person_is_in_no_debug_output() {
    let hints = json!({ "login_hint": "canary-login", "ui_locales": "canary-locale", "id_token_hint": "canary-hint" });
    let scenario = scenario()
        .openid()
        .claims(json!({ "acr": "canary-acr" }))
        .configured("extra_parameters", hints)
        .configured("acr_values", json!("canary-acr"))
        .configured("id_token_hint", json!(true))
        .configured("token_storage", json!("session"));
    let mut tab = signed_in(&scenario);
    let id_token = tab.storage.only("session").text("id_token_hint").expect("it is kept").to_owned();
    renew(&mut tab);
    sign_out_at_server(&mut tab);
    assert!(tab.navigation().as_str().contains(&id_token), "it is sent");
    assert!(!tab.debug.contains(&id_token));
    assert!(!tab.debug.contains("canary"), "{}", tab.debug);
}
