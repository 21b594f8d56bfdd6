//! Sign-ins that nobody clicked for: a lost session that is asked for anew, and apps that send people to sign in.

use leptos_pkce::protocol::authorization_request::AuthorizationRequestError;
use leptos_pkce::protocol::authorization_response::CallbackError;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Activity, Event, SessionEvent};
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::protected_resource::ResourceError;
use leptos_pkce::protocol::renewal::Lock;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::time::UnixTime;
use serde_json::json;

use crate::answers::{document, lost, status};
use crate::browser::{Browser, Server};
use crate::id_tokens::{self, compact};
use crate::refresh::{FIRST, presented, renew, tokens};
use crate::refresh_id_token::openid;
use crate::scenario::{
    API, AUTHORIZATION_ENDPOINT, CODE, DISCOVERY, ISSUER, Scenario, TOKEN_ENDPOINT, Tab, key, octets, parameter,
    parameters,
};

fn restoring() -> Scenario {
    Scenario::public_client().configured("restore", json!(true))
}

/// Signed in; the page was not left since.
fn signed_in(scenario: &Scenario) -> Tab {
    let mut tab = scenario.run();
    tab.navigations.clear();
    tab.take_announced();
    tab
}

/// The app wants somebody to be signed in, though nobody clicked.
fn sign_in_by_itself(tab: &mut Tab, attempt: u8) {
    let return_path = Some("/guarded".to_owned());
    let entropy = Ok(octets(attempt));
    tab.happen(Event::SignInByItself { key: key(ISSUER), return_path, is_quiet: false, entropy });
}

fn come_back(tab: &mut Tab, query: &str) {
    tab.now += 1;
    tab.come_back(query, "");
}

// A lost session

/// WEB-15: a session in memory is asked for anew after a reload, by a round trip of the whole page that shows nothing, and
/// the person is where they were.
#[test]
fn a_reload_asks_for_the_session_anew() {
    let mut tab = signed_in(&restoring());
    tab.now += 600;
    tab.reload();
    assert!(tab.session().is_none());
    assert_eq!(tab.navigation().without_query(), AUTHORIZATION_ENDPOINT);
    assert_eq!(parameter(tab.navigation().query(), "prompt"), "none");
    let names = parameters(tab.navigation().query().unwrap_or_default());
    assert_eq!(names.iter().filter(|(name, _)| name == "prompt").count(), 1);
    come_back(&mut tab, &format!("code={CODE}&state={{state}}"));
    assert!(tab.session().is_some());
    assert!(tab.trace.iter().any(|line| line == "replace /where"));
    assert_eq!(tab.navigations.len(), 1);
}

/// WEB-15: nobody is sent anywhere unless that is configured.
#[test]
fn nothing_is_asked_for_unless_that_is_configured() {
    let mut tab = signed_in(&Scenario::public_client());
    tab.reload();
    tab.pass(60);
    tab.sleep(3600);
    assert!(tab.navigations.is_empty());
}

/// OUT-6: a first visit is no lost session: no address begins a round trip.
#[test]
fn a_first_visit_asks_for_nothing() {
    let mut tab = restoring().open();
    tab.pass(60);
    tab.happen(Event::Resumed);
    tab.happen(Event::Restored);
    assert!(tab.navigations.is_empty());
}

/// OUT-3: whoever signed out is not signed in again by a reload, whichever tab it was in.
#[test]
fn nobody_is_signed_in_again_who_signed_out() {
    let mut tab = signed_in(&restoring());
    tab.sign_out();
    tab.reload();
    assert!(tab.navigations.is_empty());

    let mut tab = signed_in(&restoring());
    tab.now += 10;
    let at = tab.now;
    let name = format!("leptos-pkce signed-out {ISSUER} spa");
    tab.storage.of_origin.insert(name, json!({ "at": at }).to_string());
    tab.now += 10;
    tab.reload();
    assert!(tab.navigations.is_empty());
}

/// F28: a server that would have to show something is no error: the person is signed out, and where they were; once.
#[test]
fn a_server_that_must_ask_is_no_error() {
    for error in ["login_required", "interaction_required", "consent_required", "account_selection_required"] {
        let mut tab = signed_in(&restoring());
        tab.reload();
        come_back(&mut tab, &format!("error={error}&state={{state}}"));
        assert!(tab.flow().callback_failure().is_none(), "{error}");
        assert_eq!(tab.flow().activity(), Activity::Idle);
        assert!(tab.trace.iter().any(|line| line == "replace /where"), "{error}");
        tab.reload();
        assert_eq!(tab.navigations.len(), 1, "{error}");
        tab.sign_in();
        assert_eq!(parameter(tab.navigation().query(), "prompt"), "");
    }
}

/// REF-7: a session that ended because an answer was lost is asked for anew, for the person has done nothing to end it.
#[test]
fn a_session_that_was_lost_with_an_answer_is_asked_for_anew() {
    for is_configured in [true, false] {
        let mut tab = signed_in(&Scenario::public_client().configured("restore", json!(is_configured)));
        let server = Server::new(FIRST);
        server.lose_answers(true);
        tab.server = Some(server);
        renew(&mut tab);
        tab.pass(10);
        assert!(tab.session().is_none());
        assert_eq!(tab.navigations.len(), usize::from(is_configured));
    }
}

/// RS-7, REF-7: an API that refuses the last token of a session ends it: no refresh token came, or nobody knows any more whether it
/// is good. With the latter nothing used to happen before the token had expired.
#[test]
fn a_last_token_that_is_refused_is_asked_for_anew() {
    for is_renewable in [true, false] {
        let mut tab = signed_in(&restoring().answering(API, status(401)));
        if is_renewable {
            tab.answering(TOKEN_ENDPOINT, lost());
            renew(&mut tab);
            tab.pass(10);
            assert!(tab.flow().is_unrenewable(&key(ISSUER)));
        } else {
            tab.sign_in();
            tab.answering(TOKEN_ENDPOINT, tokens("last", None, 3600));
            come_back(&mut tab, &format!("code={CODE}&state={{state}}"));
        }
        let before = tab.navigations.len();
        tab.call(7, API);
        assert_eq!(tab.navigations.len(), before + 1, "{is_renewable}");
        // What could be sent once more waits for that, and is gone with its page.
        let statuses = tab.answered.iter().map(|(_, outcome)| outcome.as_ref().map_or(0, |response| response.status));
        assert_eq!(statuses.collect::<Vec<_>>(), if is_renewable { vec![] } else { vec![401] });
    }
}

/// REF-5: one that the server ended is not: the person is asked to sign in, where they can see it.
#[test]
fn a_session_that_the_server_ended_is_not_asked_for_anew() {
    let mut tab = signed_in(&restoring());
    tab.answering(TOKEN_ENDPOINT, crate::answers::refusal("invalid_grant"));
    renew(&mut tab);
    tab.pass(10);
    assert!(tab.session().is_none() && tab.navigations.is_empty());
    tab.reload();
    assert!(tab.navigations.is_empty());
}

/// F20: a record that is gone though nobody signed out is a loss, and what is gone because somebody did is none.
#[test]
fn a_record_that_is_gone_is_asked_for_unless_somebody_signed_out() {
    for is_signed_out in [false, true] {
        for storage in ["session", "shared"] {
            let mut tab = signed_in(&restoring().configured("token_storage", json!(storage)));
            tab.storage.records.retain(|name, _| !name.contains(" session "));
            tab.shared.clear();
            tab.now += 10;
            if is_signed_out {
                let (name, at) = (format!("leptos-pkce signed-out {ISSUER} spa"), tab.now);
                tab.storage.of_origin.insert(name, json!({ "at": at }).to_string());
            }
            tab.happen(Event::Resumed);
            assert!(tab.session().is_none(), "{storage}");
            // Where tabs share it, another one may be asking for it.
            tab.pass(if storage == "shared" { 20 } else { 0 });
            assert_eq!(tab.navigations.len(), usize::from(!is_signed_out), "{storage}");
        }
    }
}

/// AUT-9: what wants the person to sign in now cannot be had unseen.
#[test]
fn nobody_is_asked_quietly_who_must_sign_in_now() {
    let mut tab = signed_in(&restoring().configured("max_age", json!(0)));
    tab.reload();
    assert!(tab.navigations.is_empty());
}

/// F28: a session that is kept is taken from where it is kept, and no round trip is made.
#[test]
fn a_session_that_is_kept_is_not_asked_for() {
    for storage in ["session", "shared"] {
        let mut tab = signed_in(&restoring().configured("token_storage", json!(storage)));
        tab.reload();
        assert!(tab.session().is_some() && tab.navigations.is_empty(), "{storage}");
        tab.storage.records.retain(|name, _| !name.contains(" session "));
        tab.shared.clear();
        tab.reload();
        assert_eq!(tab.navigations.len(), 1, "{storage}: where the record is gone, it is");
    }
}

// Loops

/// CB-17, F23: the fourth within a minute is not begun, and says why the last one gave no session.
#[test]
fn sign_ins_that_fail_at_once_do_not_loop() {
    let mut tab = Scenario::public_client().open();
    for attempt in 0..3 {
        sign_in_by_itself(&mut tab, attempt);
        assert_eq!(tab.navigations.len(), usize::from(attempt) + 1);
        come_back(&mut tab, "error=login_required&state={state}");
        assert!(matches!(tab.callback_error(), Error::Callback(CallbackError::Refused(_))));
    }
    sign_in_by_itself(&mut tab, 3);
    assert_eq!(tab.navigations.len(), 3);
    let last = Some("login_required".to_owned());
    let expected: Error = AuthorizationRequestError::Loop { last }.into();
    assert_eq!(*tab.sign_in_error(), expected);
    assert_eq!(tab.flow().activity(), Activity::Idle);
    tab.sign_in();
    assert_eq!(tab.navigations.len(), 4, "a click is no loop");
}

/// CB-17: what is quiet counts like the rest.
#[test]
fn round_trips_that_show_nothing_do_not_loop() {
    let mut tab = signed_in(&restoring());
    for _ in 0..3 {
        tab.reload();
        come_back(&mut tab, &format!("code={CODE}&state={{state}}"));
        assert!(tab.session().is_some());
    }
    tab.reload();
    assert_eq!(tab.navigations.len(), 3);
    let error = tab.sign_in_error();
    assert!(matches!(error, Error::AuthorizationRequest(AuthorizationRequestError::Loop { last: None })), "{error:?}");
}

/// CB-17, REF-12: a tab that was duplicated has the note of another one's sign-ins, which are none of its own. It used to be told
/// of a loop when its access token had expired.
#[test]
fn a_copy_of_a_tab_has_made_no_round_trips() {
    for (lock, departures) in [(Lock::Foreign, 1), (Lock::Held, 0)] {
        let scenario = restoring().configured("token_storage", json!("session")).answering(API, status(401));
        let mut tab = signed_in(&scenario.token_answer(tokens("only", Some(FIRST), 3600)));
        let times: Vec<u64> = (0..3).map(|ago| tab.now - ago).collect();
        tab.storage.records.insert("leptos-pkce automatic".to_owned(), json!({ "times": times }).to_string());
        tab.lock = Some(lock);
        tab.answering(TOKEN_ENDPOINT, lost());
        tab.reload();
        tab.pass(8);
        tab.call(1, API);
        tab.pass(8);
        assert_eq!(tab.navigations.len(), departures, "{lock:?}");
    }
}

/// CB-17: after a minute it may be tried again.
#[test]
fn a_loop_is_over_after_a_minute() {
    let mut tab = Scenario::public_client().open();
    for attempt in 0..4 {
        sign_in_by_itself(&mut tab, attempt);
        come_back(&mut tab, "error=login_required&state={state}");
    }
    assert_eq!(tab.navigations.len(), 3);
    tab.now += 60;
    tab.reload();
    sign_in_by_itself(&mut tab, 5);
    assert_eq!(tab.navigations.len(), 4);
}

/// CB-17, F11: nor does a clock that was turned back keep anybody out.
#[test]
fn a_clock_that_was_turned_back_keeps_nobody_out() {
    let mut tab = Scenario::public_client().open();
    for attempt in 0..3 {
        sign_in_by_itself(&mut tab, attempt);
        come_back(&mut tab, "error=login_required&state={state}");
    }
    tab.now -= 86_400;
    tab.reload();
    sign_in_by_itself(&mut tab, 5);
    assert_eq!(tab.navigations.len(), 4);
}

/// CB-17, WEB-2: what is written of earlier ones is read with care.
#[test]
fn a_poisoned_record_of_earlier_sign_ins_keeps_nobody_out() {
    for record in ["", "{}", "null", r#"{"times":"x"}"#, r#"{"times":[null,{},"1",-5,1e300],"last":5}"#] {
        let mut tab = Scenario::public_client().open();
        tab.storage.records.insert("leptos-pkce automatic".to_owned(), record.to_owned());
        tab.reload();
        sign_in_by_itself(&mut tab, 0);
        assert_eq!(tab.navigations.len(), 1, "{record}");
    }
}

/// AUT-13: a sign-in that is on its way is not begun once more.
#[test]
fn a_sign_in_that_is_on_its_way_is_not_begun_again() {
    let mut tab = Scenario::public_client().open();
    tab.sign_in();
    sign_in_by_itself(&mut tab, 7);
    assert_eq!(tab.navigations.len(), 1);
}

// Somebody's frame

/// CB-18, WEB-12, A29: in a frame nobody signs in, by a click or by itself, and no response is taken.
#[test]
fn nobody_signs_in_in_a_frame() {
    let mut tab = Scenario::public_client().open();
    tab.happen(Event::Framed);
    tab.sign_in();
    let expected: Error = AuthorizationRequestError::Framed.into();
    assert_eq!(*tab.sign_in_error(), expected);
    sign_in_by_itself(&mut tab, 1);
    assert!(tab.navigations.is_empty());

    let mut tab = Scenario::public_client().open();
    tab.sign_in();
    let query = format!("code={CODE}&state={}", parameter(tab.navigation().query(), "state"));
    tab.begin_framed(&query);
    let expected: Error = CallbackError::Framed.into();
    assert_eq!(*tab.callback_error(), expected);
    assert_eq!((tab.sent_to(TOKEN_ENDPOINT).len(), tab.storage.names("pending").len()), (0, 1));
    tab.redirected(&query, "");
    assert!(tab.session().is_some(), "the page itself may still take it");
}

/// REF-6, F1: that there is no network is no reason to send anybody away.
#[test]
fn a_network_that_is_down_sends_nobody_away() {
    let mut tab = signed_in(&restoring());
    tab.answering(TOKEN_ENDPOINT, lost());
    tab.pass(3550);
    assert!(tab.session().is_some() && tab.navigations.is_empty());
    assert!(matches!(tab.take_announced()[0], SessionEvent::NotRenewed(_)));
}

/// Tabs that share a session which is lost with an answer, in the first of them.
fn sharing(count: usize) -> Browser {
    let mut browser = Browser::signed_in(&restoring().configured("token_storage", json!("shared")), count);
    let server = Server::new(FIRST);
    server.lose_answers(true);
    for index in 0..count {
        browser.on_its_own(index, |tab| {
            tab.server = Some(server.clone());
            tab.navigations.clear();
            tab.take_announced();
        });
    }
    browser.in_tab(0, renew);
    browser.pass(4);
    browser.in_tab(0, |tab| tab.server = None);
    browser
}

/// How often each tab left for the server.
fn departures(browser: &Browser, count: usize) -> Vec<usize> {
    (0..count).map(|index| browser.tab(index).navigations.len()).collect()
}

/// REF-7, F17: of the tabs that share a session the one that lost it asks for it anew, and the others wait for what becomes of
/// that. Each used to make a round trip of its own, and each new session ended the calls of the tabs before.
#[test]
fn one_tab_asks_for_a_lost_session_and_the_others_wait() {
    let mut browser = sharing(3);
    assert_eq!(departures(&browser, 3), [1, 0, 0]);
    for index in 0..3 {
        assert!(browser.tab(index).session().is_none(), "{index}");
    }
    for index in 1..3 {
        assert!(browser.tab(index).flow().is_restoring(&key(ISSUER)), "{index}: nobody says signed out yet");
        assert!(browser.tab(index).flow().session_end(&key(ISSUER)).is_none(), "{index}");
    }
    browser.in_tab(0, |tab| come_back(tab, &format!("code={CODE}&state={{state}}")));
    for index in 0..3 {
        assert!(browser.tab(index).session().is_some(), "{index}");
        assert!(!browser.tab(index).flow().is_restoring(&key(ISSUER)), "{index}");
    }
    browser.pass(60);
    assert_eq!(departures(&browser, 3), [1, 0, 0]);
}

/// REF-7, F17: where each tab knows that the session cannot be renewed any more, because twice nobody knows what became of the
/// refresh token, one of them asks for it when the access token has expired. They all used to.
#[test]
fn one_tab_asks_for_a_session_that_all_of_them_know_to_be_lost() {
    let mut browser = Browser::signed_in(&restoring().configured("token_storage", json!("shared")), 3);
    for index in 0..3 {
        browser.on_its_own(index, |tab| {
            tab.navigations.clear();
            tab.answering(TOKEN_ENDPOINT, lost());
        });
    }
    browser.pass(3540 + 10);
    for index in 0..3 {
        browser.in_tab(index, |tab| tab.happen(Event::Resumed));
    }
    browser.pass(100);
    let spent: Vec<bool> = (0..3).map(|index| browser.tab(index).flow().is_unrenewable(&key(ISSUER))).collect();
    assert!(spent.contains(&true), "{spent:?}");
    // Each calls before it has heard of the others.
    for index in 0..3 {
        browser.on_its_own(index, |tab| tab.call(1, API));
    }
    browser.settle();
    assert_eq!(departures(&browser, 3).iter().sum::<usize>(), 1, "{:?}", departures(&browser, 3));
    let gone = departures(&browser, 3).iter().position(|count| *count == 1).expect("one left");
    browser.in_tab(gone, |tab| {
        tab.answering(TOKEN_ENDPOINT, tokens("again", Some("r"), 3600));
        come_back(tab, &format!("code={CODE}&state={{state}}"));
    });
    browser.pass(60);
    assert_eq!(departures(&browser, 3).iter().sum::<usize>(), 1);
    for index in 0..3 {
        assert!(
            browser.tab(index).session().is_some_and(|session| !session.is_expired(UnixTime(browser.tab(index).now)))
        );
    }
}

/// REF-7, F15: who removed the record knows why it is gone, also when the page is looked at just then. It used to wait for another
/// tab, which there was not.
#[test]
fn who_removed_the_record_does_not_wait_for_others() {
    let mut browser = Browser::signed_in(&restoring().configured("token_storage", json!("shared")), 1);
    browser.on_its_own(0, |tab| {
        tab.navigations.clear();
        tab.answering(TOKEN_ENDPOINT, lost());
    });
    browser.pass(3540 + 10);
    browser.in_tab(0, |tab| tab.happen(Event::Resumed));
    browser.pass(100);
    assert!(browser.tab(0).flow().is_unrenewable(&key(ISSUER)));
    let mut metadata = None;
    browser.in_tab(0, |tab| {
        metadata = tab.silence(DISCOVERY);
        tab.call(1, API);
    });
    assert!(browser.tab(0).session().is_some() && browser.tab(0).navigations.is_empty());
    browser.in_tab(0, |tab| tab.happen(Event::Resumed));
    assert!(browser.tab(0).session().is_none());
    browser.in_tab(0, |tab| tab.arrive(DISCOVERY, metadata.expect("it was there")));
    assert_eq!(departures(&browser, 1), [1]);
}

/// REF-7, F14: where that tab is closed meanwhile, another one asks; not all of them at once.
#[test]
fn a_tab_that_waits_in_vain_asks_itself() {
    let mut browser = sharing(2);
    browser.pass(1);
    assert_eq!(departures(&browser, 2), [1, 0]);
    browser.pass(9);
    assert_eq!(departures(&browser, 2), [1, 1]);
}

/// F28: where the server knows nobody any more, the other tabs are told, and go nowhere.
#[test]
fn a_server_that_must_ask_one_tab_is_not_asked_by_the_others() {
    let mut browser = sharing(3);
    browser.in_tab(0, |tab| come_back(tab, "error=login_required&state={state}"));
    for index in 1..3 {
        assert!(!browser.tab(index).flow().is_restoring(&key(ISSUER)), "{index}");
    }
    browser.pass(60);
    assert_eq!(departures(&browser, 3), [1, 0, 0]);
}

/// F1, F9, WEB-15: nobody is sent to a server that cannot be reached, whose place the browser's own error page would take; it is
/// asked again, and at once when the browser is online again. What did not leave does not count for the loop guard.
#[test]
fn nobody_leaves_for_a_server_that_is_not_there() {
    for fault in [lost(), Err(HttpFailure::Unsent), Err(HttpFailure::Offline), status(503)] {
        let mut tab = signed_in(&restoring());
        tab.answering(DISCOVERY, fault.clone());
        tab.reload();
        tab.pass(200);
        let asked = tab.sent_to(DISCOVERY).len();
        assert!((5..12).contains(&asked), "{fault:?}: {asked}");
        assert!(tab.navigations.is_empty(), "{fault:?}");
        assert!(!tab.flow().is_restoring(&key(ISSUER)), "{fault:?}: somebody who is offline may click");
        tab.answering(DISCOVERY, document(Scenario::metadata_text()));
        tab.happen(Event::Resumed);
        assert_eq!(tab.navigations.len(), 1, "{fault:?}");
        come_back(&mut tab, &format!("code={CODE}&state={{state}}"));
        assert!(tab.session().is_some(), "{fault:?}");
    }
}

/// REF-6, F1: a call that is refused while the server is left alone shows that there is a network again: it is asked at once, but not
/// twice within a second. People used to be refused for as long as the wait had grown.
#[test]
fn a_call_that_is_refused_asks_the_server_sooner() {
    let scenario = restoring().answering(API, status(401)).token_answer(tokens("only", None, 3600));
    let mut tab = signed_in(&scenario);
    tab.answering(DISCOVERY, lost());
    tab.call(1, API);
    tab.pass(100);
    let before = tab.sent_to(DISCOVERY).len();
    assert!(tab.navigations.is_empty());
    tab.pass(2);
    for call in 2..6 {
        tab.call(call, API);
    }
    assert_eq!(tab.sent_to(DISCOVERY).len(), before + 1);
    tab.answering(DISCOVERY, document(Scenario::metadata_text()));
    tab.pass(1);
    tab.call(6, API);
    assert_eq!(tab.navigations.len(), 1);
}

/// REF-6, RS-7: a call with a token that has expired for good waits while the session is asked for anew: an error would be all that
/// is seen of it before the page leaves. If the server cannot be reached, it is said.
#[test]
fn a_call_waits_for_a_round_trip() {
    let spent = |is_renewable: bool| {
        let refresh_token = is_renewable.then_some(FIRST);
        let mut tab = signed_in(&restoring().token_answer(tokens("only", refresh_token, 3600)));
        tab.answering(TOKEN_ENDPOINT, lost());
        tab.pass(4000);
        tab.silence(DISCOVERY);
        tab.call(1, API);
        assert_eq!((tab.answered.len(), tab.sent_to(API).len()), (0, 0), "{is_renewable}: it waits");
        tab
    };
    for is_renewable in [true, false] {
        let mut tab = spent(is_renewable);
        tab.arrive(DISCOVERY, document(Scenario::metadata_text()));
        assert_eq!((tab.navigations.len(), tab.answered.len()), (1, 0), "{is_renewable}: the page leaves");

        let mut tab = spent(is_renewable);
        tab.arrive(DISCOVERY, lost());
        assert_eq!((tab.navigations.len(), tab.answered.len()), (0, 1), "{is_renewable}");

        let mut tab = spent(is_renewable);
        tab.pass(30);
        assert_eq!(tab.answered.len(), 1, "{is_renewable}: not for ever");
    }
}

/// REF-7, RS-7: calls that are on their way when an answer and with it the session is lost wait for what becomes of that: the tab
/// that asks for it leaves without an error, and in the others they are sent with the new token, if that is the same person's for
/// certain. All of them used to be answered with "signed out", which people saw.
#[test]
fn calls_wait_for_a_session_that_is_back_in_a_moment() {
    for (is_openid, is_back, expected) in [
        (true, true, vec![Ok(200)]),
        (false, true, vec![Err(ResourceError::SignedOut)]),
        (true, false, vec![Err(ResourceError::SignedOut)]),
    ] {
        let scenario = match is_openid {
            true => openid("shared").configured("restore", json!(true)),
            false => restoring().configured("token_storage", json!("shared")),
        };
        let mut browser = Browser::signed_in(&scenario, 2);
        assert!(browser.tab(1).session().is_some_and(Session::has_refresh_token));
        let server = Server::new(if is_openid { "first" } else { FIRST });
        server.lose_answers(true);
        for index in 0..2 {
            browser.on_its_own(index, |tab| {
                tab.server = Some(server.clone());
                tab.navigations.clear();
                // The same nonce once more, which the ID token repeats.
                tab.draw_from(0);
                tab.silence(API);
                tab.call(1, API);
            });
        }
        browser.in_tab(0, renew);
        browser.pass(4);
        assert_eq!(departures(&browser, 2), [1, 0]);
        for index in 0..2 {
            assert!(browser.tab(index).session().is_none(), "{index}");
            assert!(browser.tab(index).answered.is_empty(), "{index}: nobody sees an error");
            browser.on_its_own(index, |tab| {
                tab.server = None;
                tab.answering(API, document("[]"));
            });
        }
        let back = if is_back {
            format!("code={CODE}&state={{state}}")
        } else {
            "error=login_required&state={state}".to_owned()
        };
        browser.in_tab(0, |tab| come_back(tab, &back));
        assert_eq!(browser.tab(1).session().is_some(), is_back);
        let answered =
            browser.tab(1).answered.iter().map(|(_, outcome)| outcome.clone().map(|response| response.status));
        assert_eq!(answered.collect::<Vec<_>>(), expected, "{is_openid} {is_back}");
    }
}

/// REF-7, RS-7: the same where a tab hears nothing of the loss and finds the new session in the place of its own: what it waits for
/// goes on if the person is the same for certain. It used to be answered with "signed out".
#[test]
fn calls_go_on_with_the_session_that_took_the_place_of_theirs() {
    let mut claims = id_tokens::claims();
    claims["nonce"] = json!(id_tokens::nonce_of(5));
    let same = claims["sub"].clone();
    for (sub, expected) in [(same, Ok(200)), (json!("somebody else"), Err(ResourceError::SignedOut))] {
        claims["sub"] = sub;
        let again = id_tokens::tokens(&compact(&id_tokens::header(), &claims));
        let mut browser = Browser::signed_in(&openid("shared").configured("restore", json!(true)), 2);
        browser.has_messages = false;
        let server = Server::new("first");
        server.lose_answers(true);
        browser.on_its_own(1, |tab| {
            tab.silence(API);
            tab.call(1, API);
        });
        browser.on_its_own(0, |tab| {
            tab.server = Some(server.clone());
            tab.draw_from(5);
        });
        browser.in_tab(0, renew);
        browser.pass(4);
        browser.in_tab(0, |tab| {
            tab.server = None;
            tab.answering(TOKEN_ENDPOINT, again);
            come_back(tab, &format!("code={CODE}&state={{state}}"));
        });
        browser.on_its_own(1, |tab| {
            assert!(tab.session().is_some() && tab.answered.is_empty(), "it has heard nothing");
            tab.answering(API, document("[]"));
        });
        browser.in_tab(1, |tab| tab.happen(Event::Resumed));
        let answered =
            browser.tab(1).answered.iter().map(|(_, outcome)| outcome.clone().map(|response| response.status));
        assert_eq!(answered.collect::<Vec<_>>(), [expected]);
    }
}

/// RS-7, REF-7: where several tabs know that nothing can be renewed any more, and each has a call refused, none of them shows it: one
/// leaves for a new session, and the others wait for that. Those that did not leave used to show the refusal.
#[test]
fn no_refusal_is_shown_while_another_tab_asks_anew() {
    let mut browser = Browser::signed_in(&restoring().configured("token_storage", json!("shared")), 2);
    for index in 0..2 {
        browser.on_its_own(index, |tab| {
            tab.navigations.clear();
            tab.answering(TOKEN_ENDPOINT, lost());
            tab.answering(API, status(401));
        });
        browser.in_tab(index, renew);
        browser.pass(10);
        browser.in_tab(index, |tab| tab.happen(Event::Resumed));
        browser.in_tab(index, renew);
        browser.pass(10);
        assert!(browser.tab(index).flow().is_unrenewable(&key(ISSUER)), "{index}");
    }
    for index in 0..2 {
        browser.on_its_own(index, |tab| tab.call(1, API));
    }
    browser.settle();
    assert_eq!(departures(&browser, 2).iter().sum::<usize>(), 1);
    assert!((0..2).all(|index| browser.tab(index).answered.is_empty()));
}

/// RS-7, REF-7: when nobody answers the second time either, it is known at once that the token is used up, and a call that is refused
/// then asks anew. Until the time for the next attempt came, people were shown the refusal.
#[test]
fn a_refused_call_asks_anew_as_soon_as_nothing_can_be_renewed() {
    let mut tab = signed_in(&restoring().answering(API, status(401)).token_answer(tokens("only", Some(FIRST), 3600)));
    tab.answering(TOKEN_ENDPOINT, lost());
    renew(&mut tab);
    while presented(&tab).len() < 2 {
        tab.pass(1);
    }
    assert!(tab.flow().is_unrenewable(&key(ISSUER)));
    tab.call(7, API);
    assert_eq!((tab.navigations.len(), tab.answered.len()), (1, 0));
}

/// A tab that lost its session with an answer, and asks whether the server is there; a call waits.
fn losing_a_session() -> Tab {
    let mut tab = signed_in(&openid("memory").configured("restore", json!(true)));
    let server = Server::new("first");
    server.lose_answers(true);
    tab.server = Some(server);
    tab.silence(API);
    tab.call(1, API);
    renew(&mut tab);
    // Not where its keys are, which are asked for first.
    tab.silence(DISCOVERY);
    tab.pass(3);
    assert!(tab.session().is_none() && tab.answered.is_empty() && tab.navigations.is_empty());
    tab
}

/// RS-7, REF-7: a call whose token is refused, and which finds then that another tab has presented the refresh token twice in vain,
/// asks for the session anew; the refusal used to be all that came of it.
#[test]
fn a_refused_call_asks_anew_where_another_tab_has_tried_in_vain() {
    let mut browser = Browser::signed_in(&restoring().configured("token_storage", json!("shared")), 2);
    browser.has_messages = false;
    browser.in_tab(0, |tab| {
        tab.navigations.clear();
        tab.answering(TOKEN_ENDPOINT, lost());
        renew(tab);
    });
    browser.pass(10);
    assert!(browser.tab(0).flow().is_unrenewable(&key(ISSUER)));
    assert!(!browser.tab(1).flow().is_unrenewable(&key(ISSUER)));
    browser.in_tab(1, |tab| {
        tab.answering(API, status(401));
        tab.call(1, API);
    });
    assert_eq!((departures(&browser, 2), browser.tab(1).answered.len()), (vec![0, 1], 0));
}

/// OUT-3, RS-13: who signs out meanwhile wants none of it.
#[test]
fn a_sign_out_ends_calls_that_wait_for_a_session() {
    let mut tab = losing_a_session();
    tab.sign_out();
    assert!(matches!(&tab.answered[..], [(_, Err(ResourceError::SignedOut))]));
    tab.pass(60);
    assert_eq!(tab.answered.len(), 1);
}

/// F1: and where the server cannot be asked, that is said.
#[test]
fn calls_wait_for_no_server_that_is_not_there() {
    let mut tab = losing_a_session();
    tab.arrive(DISCOVERY, lost());
    assert!(matches!(&tab.answered[..], [(_, Err(ResourceError::SignedOut))]));
}

/// WEB-15: where the metadata is not known yet, asking for it is the question; what came is used.
#[test]
fn a_server_is_asked_once_before_a_round_trip() {
    for is_known in [true, false] {
        let mut tab = signed_in(&restoring());
        if !is_known {
            tab.storage.records.retain(|name, _| !name.contains("metadata"));
        }
        let before = tab.sent_to(DISCOVERY).len();
        tab.reload();
        assert_eq!((tab.sent_to(DISCOVERY).len(), tab.navigations.len()), (before + 1, 1), "{is_known}");
    }
}

/// CFG-5: metadata that is configured was never fetched, so nothing is asked; the browser may not even be allowed to.
#[test]
fn a_server_whose_metadata_is_configured_is_not_asked() {
    let document: serde_json::Value = serde_json::from_str(&Scenario::metadata_text()).expect("JSON");
    let mut tab = signed_in(&restoring().configured("metadata", document));
    tab.answering(DISCOVERY, lost());
    let before = tab.sent_to(DISCOVERY).len();
    tab.reload();
    assert_eq!((tab.sent_to(DISCOVERY).len(), tab.navigations.len()), (before, 1));
}

/// OUT-1: whoever signs out while a session is asked for anew wants none.
#[test]
fn signing_out_ends_what_was_to_come_back() {
    let mut tab = signed_in(&restoring());
    tab.silence(DISCOVERY);
    tab.reload();
    tab.sign_out();
    tab.arrive(DISCOVERY, document(Scenario::metadata_text()));
    tab.pass(60);
    assert!(tab.navigations.is_empty());
}
