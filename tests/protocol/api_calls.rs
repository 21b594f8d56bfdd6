//! Calls of an API whose answer has something to do with the token: which are repeated, and what the app hears.

use leptos_pkce::protocol::flow::{CallId, Event, SessionEvent};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::protected_resource::{ResourceError, ResourceRequest};
use leptos_pkce::protocol::renewal::Lock;
use serde_json::json;

use crate::answers::{document, lost, refusal, status};
use crate::id_tokens;
use crate::refresh::{FIRST, access_token, kept_in, presented, session, signed_in, tokens};
use crate::refresh_faults::with_headers;
use crate::scenario::{ACCESS_TOKEN, API, CODE, ISSUER, Scenario, TOKEN_ENDPOINT, Tab, key};

/// A call with this method.
fn call(tab: &mut Tab, call: u64, method: &str) {
    let body = ["POST", "PUT", "PATCH"].contains(&method).then(|| "{}".to_owned());
    let request = ResourceRequest { method: method.into(), url: API.into(), headers: vec![], body };
    tab.happen(Event::Call { call: CallId(call), key: key(ISSUER), request });
}

/// The tokens that calls were made with, in order.
fn bearers(tab: &Tab) -> Vec<&str> {
    tab.sent_to(API).iter().filter_map(|request| Some(request.bearer.as_ref()?.expose())).collect()
}

fn answered(tab: &Tab) -> Vec<(u64, Result<u16, ResourceError>)> {
    let status = |outcome: &Result<HttpResponse, ResourceError>| outcome.clone().map(|response| response.status);
    tab.answered.iter().map(|(call, outcome)| (call.0, status(outcome))).collect()
}

fn refused() -> Result<HttpResponse, HttpFailure> {
    with_headers(401, &[("www-authenticate", r#"Bearer error="invalid_token""#)])
}

/// RS-7: a token that is refused is renewed, and the call made once more with the new one.
#[test]
fn a_refused_token_is_renewed_and_the_call_made_again() {
    for storage in ["memory", "session", "shared"] {
        for denial in [refused(), status(401)] {
            let mut tab = kept_in(storage);
            tab.silence(TOKEN_ENDPOINT);
            tab.answering(API, denial);
            tab.call(1, API);
            assert_eq!(answered(&tab), [], "{storage}");
            tab.answering(API, document("{}"));
            tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
            assert_eq!(bearers(&tab), [ACCESS_TOKEN, "new"], "{storage}");
            assert_eq!(answered(&tab), [(1, Ok(200))], "{storage}");
        }
    }
}

/// RS-7: an API that always refuses is called twice for each call, with one refresh, and then the app hears its no. The second
/// refusal used to ask for tokens once more.
#[test]
fn an_api_that_always_refuses_is_asked_twice() {
    let mut tab = signed_in();
    tab.silence(TOKEN_ENDPOINT);
    tab.answering(API, refused());
    tab.call(1, API);
    tab.now += 5;
    tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
    let woken = tab.pass(1800);
    assert_eq!((bearers(&tab), presented(&tab).len()), (vec![ACCESS_TOKEN, "new"], 1));
    assert_eq!(answered(&tab), [(1, Ok(401))]);
    assert!(woken < 10, "{woken}");
    assert!(tab.session().is_some());
}

/// RS-7: the same where the new tokens came within the second.
#[test]
fn two_refusals_within_a_second_make_one_request() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.answering(API, refused());
    tab.call(1, API);
    let woken = tab.pass(1800);
    assert_eq!((bearers(&tab).len(), presented(&tab).len()), (2, 1));
    assert!(woken < 10, "{woken}");
}

/// RS-7, RS-11: what may not be done twice is not sent twice; the token is renewed for the next call.
#[test]
fn only_what_may_be_repeated_is_repeated() {
    for (method, is_repeated) in [
        ("GET", true),
        ("get", true),
        ("HEAD", true),
        ("OPTIONS", true),
        ("PUT", true),
        ("DELETE", true),
        ("POST", false),
        ("PATCH", false),
        ("QUERY", false),
    ] {
        let mut tab = signed_in();
        tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
        tab.answering(API, refused());
        call(&mut tab, 1, method);
        assert_eq!(bearers(&tab).len(), 1 + usize::from(is_repeated), "{method}");
        assert_eq!(answered(&tab), [(1, Ok(401))], "{method}");
        assert_eq!(access_token(&tab), "new", "{method}");
    }
}

/// RS-7: what is repeated is the same request, but for the token.
#[test]
fn a_repeated_call_is_the_same_request() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.answering(API, refused());
    let (headers, body) = (vec![("x-a".to_owned(), "1".to_owned())], Some("body".to_owned()));
    let url = format!("{API}?x=2");
    let request =
        ResourceRequest { method: "PUT".into(), url: url.clone(), headers: headers.clone(), body: body.clone() };
    tab.happen(Event::Call { call: CallId(1), key: key(ISSUER), request });
    let sent = tab.sent_to(API);
    assert_eq!(sent.len(), 2);
    for request in sent {
        assert_eq!((request.method.as_str(), request.url.as_str()), ("PUT", url.as_str()));
        assert_eq!((&request.headers, &request.body), (&headers, &body));
    }
}

/// RS-8: a token that is good for less is not renewed for it.
#[test]
fn a_scope_that_does_not_suffice_makes_no_refresh() {
    for challenge in
        [r#"Bearer error="insufficient_scope", scope="photos:write""#, r#"Bearer error="invalid_token""#, ""]
    {
        let mut tab = signed_in();
        tab.answering(API, with_headers(403, &[("www-authenticate", challenge)]));
        tab.call(1, API);
        assert_eq!(presented(&tab), [""; 0]);
        assert_eq!(answered(&tab), [(1, Ok(403))]);
        let header = tab.answered[0].1.as_ref().ok().and_then(|response| response.header("www-authenticate"));
        assert_eq!(header, Some(challenge), "the app sees which scope it takes");
    }
}

/// RS-9, RS-8: nor for a sign-in that was too long ago, or not strong enough.
#[test]
fn a_demand_for_another_sign_in_makes_no_refresh() {
    let mut tab = signed_in();
    let challenge = r#"Bearer error="insufficient_user_authentication", acr_values="mfa""#;
    tab.answering(API, with_headers(401, &[("www-authenticate", challenge)]));
    tab.call(1, API);
    assert_eq!((presented(&tab).len(), answered(&tab)), (0, vec![(1, Ok(401))]));
}

/// RS-11, RS-12, F8: a busy API is the app's to wait for: its answer comes as it is, and nothing is sent again.
#[test]
fn a_busy_api_is_not_asked_again() {
    for status in [429, 503] {
        for method in ["GET", "POST"] {
            let mut tab = signed_in();
            tab.answering(API, with_headers(status, &[("retry-after", "7")]));
            call(&mut tab, 1, method);
            tab.pass(60);
            assert_eq!((bearers(&tab).len(), answered(&tab)), (1, vec![(1, Ok(status))]), "{method}");
            let header = tab.answered[0].1.as_ref().ok().and_then(|response| response.header("retry-after"));
            assert_eq!(header, Some("7"));
        }
    }
}

/// RS-12: whatever an API answers, nobody is signed out by it.
#[test]
fn no_answer_of_an_api_ends_a_session() {
    let answers = [400, 401, 402, 403, 404, 407, 409, 418, 429, 500, 502, 503, 504];
    for answer in answers.map(status).into_iter().chain([lost(), Err(HttpFailure::Offline), refused()]) {
        let mut tab = signed_in();
        tab.answering(TOKEN_ENDPOINT, lost());
        tab.answering(API, answer.clone());
        tab.call(1, API);
        tab.pass(60);
        assert_eq!(tab.answered.len(), 1, "{answer:?}");
        assert!(tab.session().is_some(), "{answer:?}");
        let is_quiet = |event: &SessionEvent| matches!(event, SessionEvent::NotRenewed(_));
        assert!(tab.take_announced().iter().all(is_quiet), "{answer:?}");
    }
}

/// RS-7, RS-12: where no new token can be had, the app gets the answer that refused the old one.
#[test]
fn a_refusal_is_passed_on_where_no_token_can_be_had() {
    for fault in [lost(), status(503), refusal("invalid_scope"), Err(HttpFailure::Offline)] {
        let mut tab = signed_in();
        tab.answering(TOKEN_ENDPOINT, fault);
        tab.answering(API, refused());
        tab.call(1, API);
        tab.pass(0);
        assert_eq!(answered(&tab), [(1, Ok(401))]);
        assert_eq!(bearers(&tab).len(), 1);
    }
    let mut tab = Scenario::public_client().tokens(r#"{"access_token":"a","token_type":"Bearer"}"#).run();
    tab.answering(API, refused());
    tab.call(1, API);
    assert_eq!(answered(&tab), [(1, Ok(401))]);
}

/// RS-7, REF-6: a call whose token is refused while a renewal waits for its time has that one made for it, and is sent with what it
/// brings; if it brings nothing, the refusal is the answer. It used to be the answer at once, without any renewal.
#[test]
fn a_refusal_waits_for_the_next_try() {
    for is_good in [true, false] {
        let mut tab = signed_in();
        tab.answering(TOKEN_ENDPOINT, lost());
        tab.happen(Event::Renew(key(ISSUER)));
        tab.answering(API, refused());
        tab.call(1, API);
        tab.pass(0);
        assert_eq!((answered(&tab), presented(&tab).len()), (vec![], 1), "it waits for its time");
        if is_good {
            tab.answering(TOKEN_ENDPOINT, tokens("second", Some("r2"), 3600));
            tab.answering(API, document("[]"));
        }
        tab.pass(3);
        let expected = if is_good { (1, Ok(200)) } else { (1, Ok(401)) };
        assert_eq!((answered(&tab), presented(&tab).len()), (vec![expected], 2));
        assert_eq!(bearers(&tab).len(), if is_good { 2 } else { 1 });
    }
}

/// RS-7, REF-8: the same where the last renewal was less than a second ago, which is too soon for another.
#[test]
fn a_refusal_waits_until_it_is_not_too_soon() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, tokens("second", Some("r2"), 3600));
    tab.happen(Event::Renew(key(ISSUER)));
    tab.answering(API, refused());
    tab.call(1, API);
    assert_eq!(answered(&tab), []);
    tab.answering(TOKEN_ENDPOINT, tokens("third", Some("r3"), 3600));
    tab.answering(API, document("[]"));
    tab.pass(2);
    assert_eq!((answered(&tab), bearers(&tab)), (vec![(1, Ok(200))], vec!["second", "third"]));
}

/// RS-7, F2: a refusal waits for a new token no longer than a call may take; another tab may have the lock for ever. It used to
/// wait for as long as the renewal was under way, and the page was woken each second.
#[test]
fn a_refusal_waits_for_a_token_no_longer_than_a_call() {
    let mut tab = kept_in("shared");
    tab.lock = None;
    tab.answering(API, refused());
    tab.call(1, API);
    tab.pass(29);
    assert_eq!(answered(&tab), []);
    tab.pass(2);
    assert_eq!(answered(&tab), [(1, Ok(401))]);
    assert!(tab.pass(600) < 10);
}

/// REF-6: while no new token can be had, the one that has not expired does; an expired one is not sent.
#[test]
fn an_expired_token_is_not_sent_while_there_is_hope() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, status(503));
    tab.answering(API, document("{}"));
    tab.pass(3550);
    tab.call(1, API);
    assert_eq!(answered(&tab), [(1, Ok(200))]);
    tab.pass(50);
    tab.call(2, API);
    tab.pass(29);
    assert_eq!(answered(&tab).len(), 1);
    tab.pass(2);
    assert_eq!(answered(&tab)[1], (2, Err(ResourceError::NotRenewed)));
    assert_eq!(bearers(&tab).len(), 1);
    tab.call(3, API);
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.pass(10);
    tab.sleep(1);
    assert_eq!(answered(&tab)[2], (3, Ok(200)));
    assert_eq!(bearers(&tab), [ACCESS_TOKEN, "new"]);
}

/// RS-13: a call that waits is answered when the person signs out, and not made.
#[test]
fn signing_out_answers_calls_that_wait() {
    let mut tab = signed_in();
    tab.silence(TOKEN_ENDPOINT);
    tab.now += 4000;
    tab.call(1, API);
    tab.sign_out();
    assert_eq!(answered(&tab), [(1, Err(ResourceError::SignedOut))]);
    tab.arrive(TOKEN_ENDPOINT, tokens("late", None, 3600));
    assert_eq!(bearers(&tab), [""; 0]);
}

/// RS-13: a call that nobody waits for any more is not made.
#[test]
fn a_call_that_was_cancelled_while_it_waited_is_not_made() {
    let mut tab = signed_in();
    tab.silence(TOKEN_ENDPOINT);
    tab.now += 4000;
    tab.call(1, API);
    tab.happen(Event::CancelCall(CallId(1)));
    tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
    assert_eq!(answered(&tab), [(1, Err(ResourceError::Network(HttpFailure::Cancelled)))]);
    assert_eq!(bearers(&tab), [""; 0]);
}

/// CB-19, F27, RS-13: a call that was made as one person is not repeated as another: it ends with their session.
#[test]
fn a_call_is_not_repeated_for_the_person_who_signs_in_next() {
    let mut tab = kept_in("session");
    tab.silence(TOKEN_ENDPOINT);
    tab.silence(API);
    tab.sign_in();
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert_eq!(access_token(&tab), ACCESS_TOKEN, "the one of before, until the code is exchanged");
    tab.call(1, API);
    tab.arrive(TOKEN_ENDPOINT, tokens("theirs", Some("r"), 3600));
    assert_eq!(access_token(&tab), "theirs");
    assert_eq!(answered(&tab), [(1, Err(ResourceError::SignedOut))]);
    tab.arrive(API, refused());
    assert_eq!(bearers(&tab), [ACCESS_TOKEN]);
}

/// REF-2, RS-7: many refusals at once make one request for tokens, and each call is made once more.
#[test]
fn many_refusals_share_a_refresh() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        tab.silence(TOKEN_ENDPOINT);
        tab.answering(API, refused());
        (0..50).for_each(|call| tab.call(call, API));
        tab.answering(API, document("{}"));
        tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
        assert_eq!((bearers(&tab).len(), presented(&tab)), (100, vec![FIRST.to_owned()]), "{storage}");
        assert_eq!(answered(&tab).len(), 50, "{storage}");
        assert!(answered(&tab).iter().all(|(_, outcome)| *outcome == Ok(200)), "{storage}");
    }
}

/// REF-2, RS-7: a call that was refused with the token of before is made with the one that there is by now.
#[test]
fn a_late_refusal_makes_no_second_refresh() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.silence(API);
    tab.call(1, API);
    tab.now += 10;
    tab.happen(Event::Renew(key(ISSUER)));
    assert_eq!(access_token(&tab), "new");
    tab.now += 10;
    tab.arrive(API, refused());
    assert_eq!((bearers(&tab), presented(&tab).len()), (vec![ACCESS_TOKEN, "new"], 1));
}

/// F17: the lock is another tab's for a while: the call waits, and is made with what that tab got.
#[test]
fn a_call_waits_for_another_tab() {
    let mut tab = kept_in("shared");
    tab.lock = None;
    tab.answering(API, document("{}"));
    tab.now += 4000;
    tab.call(1, API);
    let mut theirs = session(&tab).clone().encode().to_text();
    theirs = theirs.replace(ACCESS_TOKEN, "theirs").replace(r#""generation":0"#, r#""generation":1"#);
    theirs = theirs.replace(&format!(r#""obtained_at":{}"#, tab.now - 4000), &format!(r#""obtained_at":{}"#, tab.now));
    theirs =
        theirs.replace(&format!(r#""expires_at":{}"#, tab.now - 400), &format!(r#""expires_at":{}"#, tab.now + 3600));
    tab.shared.values_mut().for_each(|stored| *stored = ("theirs".into(), theirs.clone()));
    tab.grant(Lock::Held);
    assert_eq!((bearers(&tab), presented(&tab).len()), (vec!["theirs"], 0));
    assert_eq!(answered(&tab), [(1, Ok(200))]);
    assert!(json!(tab.locks).as_array().is_some_and(Vec::is_empty));
}

/// RS-7: the user info endpoint is an API like any other: what it refuses is renewed and asked for once more.
#[test]
fn user_info_that_was_refused_is_asked_for_with_a_new_token() {
    const USERINFO: &str = "https://as.example/userinfo";
    let id_token = id_tokens::compact(&id_tokens::header(), &id_tokens::claims());
    let body = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": FIRST, "id_token": id_token,
    });
    let scenario = Scenario::public_client().openid().tokens(&body.to_string());
    let mut tab = scenario.metadata("userinfo_endpoint", json!(USERINFO)).run();
    tab.silence(TOKEN_ENDPOINT);
    tab.answering(USERINFO, refused());
    tab.happen(Event::AskUserInfo(key(ISSUER)));
    tab.answering(USERINFO, document(r#"{"sub":"248289761001","nickname":"JD"}"#));
    tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
    let bearers: Vec<_> = tab.sent_to(USERINFO).iter().filter_map(|request| request.bearer.as_ref()).collect();
    assert_eq!(bearers.iter().map(|token| token.expose()).collect::<Vec<_>>(), [ACCESS_TOKEN, "new"]);
    let claims = session(&tab).userinfo().expect("it was answered");
    assert!(claims.get("nickname").is_some());
}
