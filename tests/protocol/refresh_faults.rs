//! Renewing tokens when something goes wrong: what is kept, what is tried again and when, and what ends a session.

use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Activity, Event, SessionEvent};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::renewal::{Answer, Found, Input, Lock, Output, Renewal, Written};
use leptos_pkce::protocol::session::SessionError;
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use leptos_pkce::protocol::token_response::{TokenError, TokenErrorCode};
use serde_json::json;

use crate::answers::{answer, document, html, lost, refusal, status};
use crate::browser::Server;
use crate::refresh::{FIRST, access_token, kept_in, presented, renew, session, signed_in, tokens};
use crate::scenario::{ACCESS_TOKEN, API, DISCOVERY, ISSUER, Scenario, TOKEN_ENDPOINT, Tab, key, parameter};

type Outcome = Result<HttpResponse, HttpFailure>;

/// A status with headers and nothing else.
pub(crate) fn with_headers(status: u16, headers: &[(&str, &str)]) -> Outcome {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(HttpResponse { status, headers, body: Vec::new() })
}

/// Everything after which nobody knows whether the server has seen the token.
fn ambiguous() -> Vec<(&'static str, Outcome)> {
    vec![
        ("F1", lost()),
        ("F2, F3", Err(HttpFailure::Timeout { after: Seconds(20) })),
        ("F4", Err(HttpFailure::BodyTooLarge { limit: 256 * 1024 })),
        ("F5: nothing", document("")),
        ("F5: truncated", document(r#"{"access_token":"a","token_ty"#)),
        ("F5: no UTF-8", document([0xff, 0xfe])),
        ("F5: byte order mark", document("\u{feff}{}")),
        ("F5: of other types", document(r#"{"access_token":5,"token_type":"Bearer"}"#)),
        ("F5: no token", document("{}")),
        ("F6", html(200)),
        ("F9", status(500)),
        ("F9", status(502)),
        ("F9", html(504)),
        ("F9", answer(500, "application/json", r#"{"error":"server_error"}"#)),
        ("F34", document(r#"{"access_token":"a","token_type":"mac"}"#)),
    ]
}

/// Everything after which it is known that nobody has looked at the token.
fn not_seen() -> Vec<(&'static str, Outcome)> {
    vec![
        ("F1", Err(HttpFailure::Unsent)),
        ("F8", status(429)),
        ("F8", status(503)),
        ("F8", answer(503, "application/json", r#"{"error":"temporarily_unavailable"}"#)),
        ("the browser reads the address differently", Err(HttpFailure::UrlDisagreement)),
    ]
}

/// REF-6, RS-12, F1, F2, F3, F4, F5, F6, F8, F9, F34: none of it ends a session: the app hears that there are no new tokens,
/// and the old one is there and used.
#[test]
fn no_fault_of_network_or_server_ends_a_session() {
    for storage in ["memory", "session", "shared"] {
        for (what, fault) in ambiguous().into_iter().chain(not_seen()) {
            let mut tab = kept_in(storage);
            tab.answering(TOKEN_ENDPOINT, fault);
            tab.answering(API, document("{}"));
            tab.pass(3540);
            assert!(matches!(tab.take_announced()[..], [SessionEvent::NotRenewed(_)]), "{storage}, {what}");
            assert!(tab.flow().renewal_error(&key(ISSUER)).is_some());
            assert_eq!(access_token(&tab), ACCESS_TOKEN, "{storage}, {what}");
            tab.call(1, API);
            assert!(tab.answered[0].1.is_ok(), "{storage}, {what}");
            tab.pass(30);
            tab.reload();
            assert_eq!(tab.session().is_some(), storage != "memory", "{storage}, {what}");
        }
    }
}

/// REF-7: what the server may have seen is presented once more, and then never again.
#[test]
fn an_ambiguous_refresh_is_sent_again_once() {
    for storage in ["memory", "session", "shared"] {
        for (what, fault) in ambiguous() {
            let mut tab = kept_in(storage);
            tab.answering(TOKEN_ENDPOINT, fault);
            tab.pass(3540);
            assert_eq!(presented(&tab).len(), 1, "{storage}, {what}");
            tab.pass(8 * 3600);
            tab.sleep(60);
            renew(&mut tab);
            tab.call(1, API);
            assert_eq!(presented(&tab), [FIRST; 2], "{storage}, {what}");
            assert!(tab.session().is_some(), "{storage}, {what}");
            assert!(tab.flow().is_unrenewable(&key(ISSUER)), "{storage}, {what}");
        }
    }
}

/// REF-7: an answer that came at last counts; the mark is gone.
#[test]
fn a_second_answer_makes_good_for_a_lost_one() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        tab.answering(TOKEN_ENDPOINT, lost());
        tab.pass(3540);
        tab.answering(TOKEN_ENDPOINT, tokens("new", Some("next"), 3600));
        tab.pass(10);
        assert_eq!((access_token(&tab), presented(&tab).len()), ("new", 2), "{storage}");
        assert!(tab.flow().renewal_error(&key(ISSUER)).is_none());
        tab.answering(TOKEN_ENDPOINT, lost());
        tab.pass(7000);
        assert_eq!(presented(&tab), [FIRST, FIRST, "next", "next"], "{storage}");
    }
}

/// REF-6, REF-7, F1: before the second time the server is asked something harmless, so that it is not wasted on a network that
/// is still down. A server that is down for a minute costs nobody the session.
#[test]
fn a_server_that_is_down_for_a_minute_costs_nobody_the_session() {
    for (storage, fault) in
        [("memory", lost()), ("session", status(502)), ("shared", status(500)), ("memory", status(503))]
    {
        let mut tab = kept_in(storage);
        let metadata = document(Scenario::metadata_text());
        tab.answering(TOKEN_ENDPOINT, lost());
        tab.answering(DISCOVERY, fault);
        tab.pass(3540 + 60);
        assert_eq!(presented(&tab).len(), 1, "{storage}: the second time waits for the network");
        assert!(tab.sent_to(DISCOVERY).len() > 3, "{storage}");
        tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
        tab.answering(DISCOVERY, metadata);
        tab.pass(100);
        assert_eq!(access_token(&tab), "new", "{storage}");
    }
}

/// REF-6: what nobody has looked at is tried as often as it takes.
#[test]
fn what_nobody_has_seen_is_tried_until_it_works() {
    for storage in ["memory", "session", "shared"] {
        for (what, fault) in not_seen() {
            let mut tab = kept_in(storage);
            tab.answering(TOKEN_ENDPOINT, fault);
            tab.pass(3540 + 3600);
            let attempts = presented(&tab).len();
            assert!((20..100).contains(&attempts), "{storage}, {what}: {attempts}");
            tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
            tab.pass(100);
            assert_eq!(access_token(&tab), "new", "{storage}, {what}");
        }
    }
}

/// REF-6, F1, F12: as soon as the page is online or visible again, what failed is tried again.
#[test]
fn coming_back_tries_again_at_once() {
    for storage in ["memory", "session", "shared"] {
        for fault in [lost(), Err(HttpFailure::Unsent)] {
            let mut tab = kept_in(storage);
            tab.answering(TOKEN_ENDPOINT, fault.clone());
            tab.answering(DISCOVERY, fault);
            tab.pass(3540 + 1800);
            let before = presented(&tab).len();
            tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
            tab.answering(DISCOVERY, document(Scenario::metadata_text()));
            tab.now += 2;
            tab.happen(Event::Resumed);
            assert_eq!((presented(&tab).len(), access_token(&tab)), (before + 1, "new"), "{storage}");
        }
    }
}

/// RS-11, REF-6, F8, F32: a busy server is left alone for as long as it says, also when somebody looks at the page; at most for
/// an hour.
#[test]
fn a_busy_server_is_left_alone() {
    let date = |headers| with_headers(429, headers);
    for (what, fault, delay) in [
        ("seconds", with_headers(429, &[("retry-after", "120")]), 120),
        ("seconds", with_headers(503, &[("retry-after", " 300 ")]), 300),
        (
            "a date by the server's clock",
            date(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:54:37 GMT")]),
            300,
        ),
        ("a year", with_headers(429, &[("retry-after", "31536000")]), 3600),
        ("hidden, as CORS does", with_headers(429, &[]), 1),
        ("garbage", with_headers(503, &[("retry-after", "soon")]), 1),
    ] {
        for storage in ["memory", "session", "shared"] {
            let mut tab = kept_in(storage);
            tab.answering(TOKEN_ENDPOINT, fault.clone());
            tab.pass(3540);
            assert_eq!(presented(&tab).len(), 1, "{what}");
            for _ in 0..delay - 1 {
                tab.pass(1);
                tab.happen(Event::Resumed);
                renew(&mut tab);
            }
            assert_eq!(presented(&tab).len(), 1, "{storage}, {what}");
            tab.pass(delay / 2 + 2);
            assert_eq!(presented(&tab).len(), 2, "{storage}, {what}");
        }
    }
}

/// When a page that is refused again and again tries, in seconds after the first time.
fn attempts(seed: u32, failures: usize) -> Vec<u64> {
    let mut renewal = Renewal::default();
    let mut now = 1_000_000;
    let mut times = Vec::new();
    for _ in 0..failures {
        let mut outputs = renewal.advance(Input::Wanted, UnixTime(now), seed);
        for input in [
            Input::Locked(Lock::Held),
            Input::Found(Found::Same { presented: 0, is_recent: false }),
            Input::Marked(Written::Done),
        ] {
            assert!(!outputs.is_empty());
            outputs = renewal.advance(input, UnixTime(now), seed);
        }
        assert_eq!(outputs, [Output::Send]);
        times.push(now - 1_000_000);
        renewal.advance(Input::Answered(Answer::NotNow(Seconds(1))), UnixTime(now), seed);
        renewal.advance(Input::Marked(Written::Done), UnixTime(now), seed);
        now = renewal.waits_until().expect("it will be tried again").0;
    }
    times
}

/// REF-6: the time between two attempts grows, has a cap, and differs from page to page.
#[test]
fn backing_off_has_jitter_and_a_cap() {
    let mut firsts = std::collections::BTreeSet::new();
    for seed in [0, 1, 0xdead_beef, 0x1234_5678, u32::MAX, 0x0f0f_0f0f] {
        let times = attempts(seed, 20);
        let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (index, gap) in gaps.iter().enumerate() {
            let delay = (1 << index.min(6)).min(60);
            assert!((delay..=delay + delay / 2).contains(gap), "{seed:x}: {gaps:?}");
        }
        firsts.insert(times);
    }
    assert_eq!(firsts.len(), 6, "each page has times of its own");
}

/// REF-6: a renewal that was not due, but wished for or caused by a refusal, is tried again at its time too. It used to
/// stay where it was, and the page was woken each second.
#[test]
fn a_failed_renewal_before_its_time_is_tried_again() {
    for storage in ["memory", "session", "shared"] {
        for fault in [lost(), status(503)] {
            let mut tab = kept_in(storage);
            tab.answering(TOKEN_ENDPOINT, fault);
            renew(&mut tab);
            assert_eq!(presented(&tab).len(), 1, "{storage}");
            tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
            let woken = tab.pass(60);
            assert_eq!(access_token(&tab), "new", "{storage}");
            assert!(woken < 10, "{storage}: woken {woken} times");
        }
    }
}

// What ends a session

/// REF-5, REF-11, F10: invalid_grant ends it, with one event; nothing is sent any more, and signing in is possible at once.
#[test]
fn invalid_grant_ends_the_session_once() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        tab.answering(TOKEN_ENDPOINT, refusal("invalid_grant"));
        tab.pass(3540);
        let announced = tab.take_announced();
        let [SessionEvent::Expired(error)] = &announced[..] else { panic!("{storage}: {announced:?}") };
        let Error::Session(SessionError::Expired(refusal)) = &**error else { panic!("{storage}: {error:?}") };
        assert_eq!(refusal.code(), TokenErrorCode::InvalidGrant);
        assert_eq!(tab.flow().session_end(&key(ISSUER)), Some(error));
        assert!(tab.session().is_none(), "{storage}");
        assert!(tab.storage.names("session").is_empty(), "{storage}");
        assert!(tab.shared.values().all(|(_, record)| record == "null"), "{storage}");
        assert!(tab.locks.is_empty(), "{storage}");
        tab.pass(8 * 3600);
        tab.sleep(60);
        renew(&mut tab);
        assert_eq!(presented(&tab), [FIRST], "{storage}");
        assert_eq!(tab.take_announced(), [], "{storage}");
        assert_eq!(tab.flow().activity(), Activity::Idle, "{storage}");
        assert_eq!(tab.navigations.len(), 1, "nobody is sent away: {storage}");
        tab.sign_in();
        assert_eq!(tab.navigations.len(), 2, "{storage}");
        tab.reload();
        assert!(tab.session().is_none(), "{storage}");
    }
}

/// REF-5, REF-7: invalid_grant for a token whose answer was lost is nobody's doing, and says so.
#[test]
fn invalid_grant_after_a_lost_answer_says_so() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        let server = Server::new(FIRST);
        tab.server = Some(server.clone());
        server.lose_answers(true);
        tab.pass(3540);
        assert!(matches!(tab.take_announced()[..], [SessionEvent::NotRenewed(_)]), "{storage}");
        tab.pass(10);
        assert_eq!(server.presented(), [FIRST; 2], "{storage}");
        assert_eq!(tab.take_announced(), [SessionEvent::Expired(SessionError::AnswerLost.into())], "{storage}");
        assert!(tab.session().is_none(), "{storage}");
    }
}

/// F10, RS-12: a server that no longer knows the client gives no tokens ever again.
#[test]
fn invalid_client_ends_the_session() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, refusal("invalid_client"));
    tab.pass(3540);
    let announced = tab.take_announced();
    let [SessionEvent::Expired(error)] = &announced[..] else { panic!("{announced:?}") };
    assert!(matches!(&**error, Error::Token(TokenError::Refused(_))), "{error:?}");
}

/// REF-5: another refusal ends nothing, and is not asked for again.
#[test]
fn other_refusals_end_nothing_and_are_not_repeated() {
    for error in
        ["invalid_request", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_target", "no"]
    {
        let mut tab = signed_in();
        tab.answering(TOKEN_ENDPOINT, refusal(error));
        tab.pass(3 * 3600);
        tab.sleep(1);
        assert_eq!(presented(&tab).len(), 1, "{error}");
        assert!(matches!(tab.take_announced()[..], [SessionEvent::NotRenewed(_)]), "{error}");
        assert_eq!(access_token(&tab), ACCESS_TOKEN);
        assert!(tab.flow().is_unrenewable(&key(ISSUER)));
    }
}

/// REF-5: the app hears of it once where calls wait for the tokens, and each of them gets its answer.
#[test]
fn calls_that_waited_for_a_session_that_ends_are_answered() {
    let mut tab = signed_in();
    tab.silence(TOKEN_ENDPOINT);
    tab.now += 4000;
    (0..5).for_each(|call| tab.call(call, API));
    tab.arrive(TOKEN_ENDPOINT, refusal("invalid_grant"));
    assert_eq!(tab.answered.len(), 5);
    assert!(tab.answered.iter().all(|(_, outcome)| outcome.is_err()));
    assert_eq!(tab.take_announced().len(), 1);
    assert_eq!(tab.sent_to(API).len(), 0);
}

/// F20, F21: of a session whose record is gone there is nothing to renew.
#[test]
fn a_session_whose_record_was_cleared_ends() {
    for storage in ["session", "shared"] {
        for text in [None, Some("{}"), Some("nonsense")] {
            let mut tab = kept_in(storage);
            let name = tab.storage.names("session").first().map(|name| (*name).to_owned());
            match (name, text) {
                (Some(name), None) => drop(tab.storage.records.remove(&name)),
                (Some(name), Some(text)) => drop(tab.storage.records.insert(name, text.to_owned())),
                (None, None) => tab.shared.clear(),
                (None, Some(text)) => tab.shared.values_mut().for_each(|(_, record)| text.clone_into(record)),
            }
            tab.pass(3540);
            assert_eq!(presented(&tab), [""; 0], "{storage}");
            assert!(tab.session().is_none(), "{storage}");
            assert_eq!(tab.take_announced().len(), 1, "{storage}");
        }
    }
}

/// F18, F19: where the shared record cannot be written, the session lives in this page as it would in memory.
#[test]
fn a_shared_session_that_cannot_be_kept_lives_in_the_page() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("shared")).open();
    tab.shared_is_blocked = true;
    tab.sign_in();
    tab.now += 60;
    tab.come_back("code=x&state={state}", "");
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    assert_eq!(session(&tab).token_storage(), leptos_pkce::protocol::client::TokenStorage::Memory);
    tab.happen(Event::Resumed);
    tab.pass(3540);
    assert_eq!(access_token(&tab), "new");
}

/// F19: where a quota is full, and the record can be read but no longer written, the second try does without it: the session
/// lives on in this page. It used to back off for ever.
#[test]
fn a_shared_record_that_can_no_longer_be_written_costs_nobody_the_session() {
    let mut tab = kept_in("shared");
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.shared_is_full = true;
    tab.pass(3540);
    assert_eq!((access_token(&tab), presented(&tab).len()), (ACCESS_TOKEN, 0), "once may be bad luck");
    tab.pass(2);
    assert_eq!((access_token(&tab), presented(&tab).len()), ("new", 1));
    assert_eq!(session(&tab).token_storage(), leptos_pkce::protocol::client::TokenStorage::Memory);
    assert!(tab.shared.is_empty(), "spent tokens mislead nobody");

    let mut tab = kept_in("shared");
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.shared_is_full = true;
    tab.pass(3540);
    tab.shared_is_full = false;
    tab.pass(2);
    assert_eq!(access_token(&tab), "new");
    assert_eq!(session(&tab).token_storage(), leptos_pkce::protocol::client::TokenStorage::Shared);
}

/// REF-6, F1: coming back while a try is under way that then fails makes the next one come soon, however many failed before.
#[test]
fn coming_back_during_a_try_makes_the_next_one_come_soon() {
    let mut tab = kept_in("memory");
    tab.answering(TOKEN_ENDPOINT, Err(HttpFailure::Unsent));
    tab.pass(3540 + 600);
    tab.silence(TOKEN_ENDPOINT);
    tab.pass(120);
    let before = presented(&tab).len();
    tab.happen(Event::Resumed);
    assert_eq!(presented(&tab).len(), before, "one is under way");
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.arrive(TOKEN_ENDPOINT, Err(HttpFailure::Unsent));
    tab.pass(2);
    assert_eq!(access_token(&tab), "new");
}

/// F27, F24: a bound token is renewed with a proof; that the server wants a nonce in it is no second presentation.
#[test]
fn a_bound_session_is_renewed_with_a_proof() {
    let bound = |token: &str| {
        document(
            json!({ "access_token": token, "token_type": "DPoP", "expires_in": 3600, "refresh_token": "r" })
                .to_string(),
        )
    };
    let mut tab = Scenario::public_client().configured("dpop", json!(true)).token_answer(bound("first")).run();
    let nonce = |nonce: &str| {
        let body = br#"{"error":"use_dpop_nonce"}"#.to_vec();
        let headers = [("content-type", "application/json"), ("dpop-nonce", nonce)];
        with_headers(400, &headers).map(|response| HttpResponse { body, ..response })
    };
    tab.silence(TOKEN_ENDPOINT);
    renew(&mut tab);
    tab.arrive(TOKEN_ENDPOINT, nonce("n1"));
    tab.arrive(TOKEN_ENDPOINT, bound("second"));
    assert_eq!((presented(&tab), access_token(&tab)), (vec!["r".to_owned(); 2], "second"));
    assert!(tab.proofs_to(TOKEN_ENDPOINT).iter().all(Option::is_some));
    tab.now += 10;
    renew(&mut tab);
    tab.arrive(TOKEN_ENDPOINT, lost());
    assert!(!tab.flow().is_unrenewable(&key(ISSUER)));
    assert_eq!(parameter(tab.refreshes()[2].body.as_deref(), "client_id"), "spa");
}

/// TOK-7: a token that is not bound is not taken in the place of one that is.
#[test]
fn a_bound_session_takes_no_bearer_token() {
    let bound = r#"{"access_token":"a","token_type":"DPoP","expires_in":3600,"refresh_token":"r"}"#;
    let mut tab = Scenario::public_client().configured("dpop", json!(true)).tokens(bound).run();
    tab.answering(TOKEN_ENDPOINT, tokens("bearer", None, 3600));
    renew(&mut tab);
    assert_eq!(access_token(&tab), "a");
}

fn tab_of(storage: &str) -> Tab {
    kept_in(storage)
}

/// REF-6: without the lock of another tab that does not let go nobody is signed out, and the calls go on.
#[test]
fn a_lock_that_is_never_granted_costs_nobody_the_session() {
    let mut tab = tab_of("shared");
    tab.lock = Some(Lock::Without);
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.pass(3540);
    assert_eq!((access_token(&tab), presented(&tab).len()), ("new", 1));
}
