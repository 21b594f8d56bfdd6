//! Several tabs: who renews what they share, and how a sign-in and a sign-out get from one to the others.

use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::flow::{Activity, Event, SessionEvent};
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::protected_resource::ResourceError;
use leptos_pkce::protocol::renewal::Lock;
use leptos_pkce::protocol::storage::RecordName;
use leptos_pkce::protocol::tab_message::{News, TabMessage};
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::url::SchemePolicy;
use serde_json::json;

use crate::answers::{document, lost, refusal};
use crate::browser::{Browser, Server};
use crate::refresh::{FIRST, access_token, kept_in, presented, renew, session, tokens};
use crate::scenario::{
    ACCESS_TOKEN, API, CODE, CONFIGURATION, ISSUER, OTHER_ISSUER, START, Scenario, StorageFault, TOKEN_ENDPOINT, Tab,
    key,
};

fn storing(storage: &str) -> Scenario {
    Scenario::public_client().configured("token_storage", json!(storage))
}

/// Tabs that share a session, at a server that rotates refresh tokens.
fn sharing(count: usize) -> (Browser, Server) {
    let mut browser = Browser::signed_in(&storing("shared"), count);
    let server = Server::new(FIRST);
    (0..count).for_each(|index| browser.on_its_own(index, |tab| tab.server = Some(server.clone())));
    (browser, server)
}

fn heard(text: String) -> Event {
    Event::Heard(text)
}

fn signed_out_at(at: u64) -> String {
    TabMessage { key: key(ISSUER), news: News::SignedOut(UnixTime(at)) }.encode()
}

/// localStorage says that somebody signed out at this time.
fn write_signed_out(tab: &mut Tab, at: u64) {
    let name = format!("leptos-pkce signed-out {ISSUER} spa");
    tab.storage.of_origin.insert(name, json!({ "at": at }).to_string());
}

/// The page comes back from where Back and Forward kept it, and begins anew, and nobody was signed out.
#[track_caller]
fn assert_still_signed_in(tab: &mut Tab, storage: &str) {
    tab.happen(Event::Restored);
    assert!(tab.session().is_some(), "{storage}");
    tab.reload();
    assert_eq!(tab.session().is_some(), storage != "memory", "{storage}");
}

// Signing in

/// F17: a sign-in in one tab is one in all that share it, and they say whence it is.
#[test]
fn a_sign_in_reaches_every_tab() {
    let (mut browser, _) = sharing(3);
    for index in 1..3 {
        assert_eq!(access_token(browser.tab(index)), ACCESS_TOKEN);
        assert_eq!(browser.tab(index).announced, [SessionEvent::SignedInElsewhere]);
    }
    assert_eq!(browser.tab(0).announced, [SessionEvent::SignedIn]);
    browser.in_tab(2, |tab| tab.reload());
    assert_eq!(access_token(browser.tab(2)), ACCESS_TOKEN);
    assert_eq!(browser.tab(2).announced.len(), 1, "a reload is no news");
}

/// In memory and in sessionStorage it reaches none.
#[test]
fn a_sign_in_reaches_nobody_where_nothing_is_shared() {
    for storage in ["memory", "session"] {
        let browser = Browser::signed_in(&storing(storage), 2);
        assert!(browser.tab(1).session().is_none(), "{storage}");
        assert_eq!(browser.tab(1).announced, []);
    }
}

/// A tab whose session had ended has one again when somebody signs in elsewhere, and no reason any more why it has none.
#[test]
fn a_sign_in_elsewhere_makes_good_for_an_end() {
    let (mut browser, _) = sharing(2);
    browser.on_its_own(1, |tab| {
        tab.server = None;
        tab.answering(TOKEN_ENDPOINT, refusal("invalid_grant"));
    });
    browser.in_tab(1, renew);
    assert!(browser.tab(0).session().is_none() && browser.tab(1).session().is_none());
    assert!(browser.tab(1).flow().session_end(&key(ISSUER)).is_some());
    browser.in_tab(0, Tab::sign_in);
    browser.in_tab(0, |tab| tab.come_back(&format!("code={CODE}&state={{state}}"), ""));
    assert!(browser.tab(1).session().is_some());
    assert!(browser.tab(1).flow().session_end(&key(ISSUER)).is_none());
}

/// REF-5: a session that the server ended is over in every tab, and asked for anew in none.
#[test]
fn an_end_reaches_every_tab() {
    for has_messages in [true, false] {
        let mut browser = Browser::signed_in(&storing("shared").configured("restore", json!(true)), 2);
        browser.has_messages = has_messages;
        browser.on_its_own(0, |tab| tab.answering(TOKEN_ENDPOINT, refusal("invalid_grant")));
        browser.in_tab(0, |tab| {
            tab.now += 5;
            renew(tab);
        });
        browser.in_tab(1, |tab| tab.happen(Event::Resumed));
        for index in 0..2 {
            assert!(browser.tab(index).session().is_none(), "messages: {has_messages}");
            assert_eq!(browser.tab(index).navigations.len(), 1 - index, "messages: {has_messages}");
        }
        assert_eq!(browser.tab(1).announced.last(), Some(&SessionEvent::SignedOutElsewhere));
    }
}

/// CB-19, F27, RS-13: another person signs in in another tab: this one is theirs at once, and nothing goes on for the other.
#[test]
fn another_sign_in_replaces_the_session_in_every_tab() {
    let (mut browser, _) = sharing(2);
    browser.on_its_own(1, |tab| {
        tab.silence(API);
        tab.call(1, API);
        tab.take_announced();
    });
    browser.on_its_own(0, |tab| tab.answering(TOKEN_ENDPOINT, tokens("theirs", Some("r"), 3600)));
    browser.in_tab(0, Tab::sign_in);
    browser.in_tab(0, |tab| {
        tab.now += 5;
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    });
    let tab = browser.tab(1);
    assert_eq!(access_token(tab), "theirs");
    assert_eq!(tab.announced, [SessionEvent::SignedInElsewhere]);
    assert_eq!(tab.answered[0].1, Err(ResourceError::SignedOut));
}

/// F18, WEB-17: where the record cannot be written, nobody is told to look for it.
#[test]
fn nobody_is_told_of_a_session_that_is_not_there() {
    let mut tab = storing("shared").open();
    tab.shared_is_blocked = true;
    tab.sign_in();
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert!(tab.session().is_some());
    assert_eq!(tab.posted, [""; 0]);
    assert_eq!(session(&tab).token_storage(), TokenStorage::Memory);
}

/// F15: a page that Back and Forward kept has not heard of a sign-in either.
#[test]
fn a_page_that_was_away_finds_a_session_when_it_comes_back() {
    let mut browser = Browser::signed_in(&storing("shared"), 1);
    let shared = browser.tab(0).shared.clone();
    browser.on_its_own(0, |tab| {
        tab.sign_out();
        tab.take_announced();
        tab.shared = shared;
        write_signed_out(tab, START);
        tab.now += 10;
        tab.happen(Event::Restored);
    });
    assert_eq!(access_token(browser.tab(0)), ACCESS_TOKEN);
    assert_eq!(browser.tab(0).announced, [SessionEvent::SignedInElsewhere]);
}

/// A client that the app adds while it runs has its session back like one that was there from the beginning.
#[test]
fn a_client_that_is_added_later_finds_its_session() {
    for storage in ["session", "shared"] {
        let mut tab = kept_in(storage);
        let client = storing(storage).client();
        tab.answering(
            CONFIGURATION,
            document(json!({ "authorization_servers": [{ "issuer": OTHER_ISSUER, "client_id": "x" }] }).to_string()),
        );
        tab.reload();
        assert!(tab.session().is_none());
        tab.happen(Event::ClientAdded(client.clone()));
        assert_eq!(access_token(&tab), ACCESS_TOKEN, "{storage}");
        tab.take_trace();
        tab.happen(Event::ClientAdded(client));
        assert_eq!(tab.take_trace(), [""; 0], "nothing is looked for twice");
    }
}

// Renewing

/// REF-2, A27, F17: of eight tabs whose tokens are due one asks, and all have what it got; again and again.
#[test]
fn of_eight_tabs_one_renews() {
    for has_messages in [true, false] {
        let (mut browser, server) = sharing(8);
        browser.has_messages = has_messages;
        for _ in 0..3 {
            let now = browser.tab(0).now + 3590;
            (0..8).for_each(|index| browser.on_its_own(index, |tab| tab.sleep(now.saturating_sub(tab.now))));
            browser.settle();
        }
        assert_eq!(server.presented(), [FIRST, "refresh-1", "refresh-2"], "messages: {has_messages}");
        assert!(server.is_alive());
        for index in 0..8 {
            assert_eq!(access_token(browser.tab(index)), "access-3", "messages: {has_messages}");
        }
    }
}

/// REF-2, A27: calls in all tabs at once make one request for tokens.
#[test]
fn calls_in_many_tabs_make_one_request_for_tokens() {
    let (mut browser, server) = sharing(4);
    for index in 0..4 {
        browser.on_its_own(index, |tab| {
            tab.answering(API, document("{}"));
            tab.now += 4000 * u64::from(index == 0);
            (0..10).for_each(|call| tab.call(call, API));
        });
    }
    browser.settle();
    assert_eq!(server.presented(), [FIRST]);
    for index in 0..4 {
        let tab = browser.tab(index);
        let is_new = |token: &str| token == "access-1";
        assert_eq!(tab.answered.len(), 10);
        assert!(tab.sent_to(API).iter().all(|call| call.bearer.as_ref().is_some_and(|token| is_new(token.expose()))));
    }
}

/// REF-2: whoever gets the lock looks first whether another tab was faster, and asks for nothing then.
#[test]
fn the_holder_of_the_lock_looks_for_a_newer_record_first() {
    let (mut browser, server) = sharing(2);
    browser.has_messages = false;
    browser.in_tab(0, renew);
    browser.in_tab(1, renew);
    assert_eq!(server.presented(), [FIRST]);
    assert_eq!(access_token(browser.tab(1)), "access-1");
    assert_eq!(browser.tab(1).announced.last(), Some(&SessionEvent::Renewed));
    assert!(browser.tab(1).locks.is_empty());
}

/// REF-2, F17: the result is told, without a token in it, and taken by the others before they need it.
#[test]
fn a_result_is_told_to_the_other_tabs() {
    let (mut browser, server) = sharing(3);
    browser.in_tab(0, renew);
    for index in 0..3 {
        assert_eq!(access_token(browser.tab(index)), "access-1");
    }
    assert_eq!(server.presented().len(), 1);
}

/// REF-6: what another tab got makes this one's failure good.
#[test]
fn a_failure_is_forgotten_when_another_tab_succeeds() {
    let (mut browser, _) = sharing(2);
    browser.on_its_own(1, |tab| {
        tab.server = None;
        tab.answering(TOKEN_ENDPOINT, Err(HttpFailure::Offline));
    });
    browser.in_tab(1, renew);
    assert!(browser.tab(1).flow().renewal_error(&key(ISSUER)).is_some());
    browser.in_tab(0, renew);
    assert_eq!(access_token(browser.tab(1)), "access-1");
    assert!(browser.tab(1).flow().renewal_error(&key(ISSUER)).is_none());
    let woken = (0..600).map(|_| browser.on_its_own(1, |tab| assert!(tab.pass(1) < 2))).count();
    assert_eq!(woken, 600);
}

/// REF-5, REF-7, F17: a tab that the browser gave no lock is told invalid_grant for what another has used: it looks once more,
/// and takes what that got.
#[test]
fn invalid_grant_is_no_end_where_a_sibling_succeeded() {
    let mut tab = kept_in("shared");
    tab.silence(TOKEN_ENDPOINT);
    renew(&mut tab);
    let theirs = session(&tab).encode().to_text();
    let theirs = theirs.replace(ACCESS_TOKEN, "theirs").replace(r#""generation":0"#, r#""generation":1"#);
    tab.shared.values_mut().for_each(|stored| *stored = ("theirs".into(), theirs.clone()));
    tab.take_announced();
    tab.arrive(TOKEN_ENDPOINT, refusal("invalid_grant"));
    assert_eq!(access_token(&tab), "theirs");
    assert_eq!(tab.take_announced(), [SessionEvent::Renewed]);
    assert!(tab.locks.is_empty());
}

/// REF-2, F17: without Web Locks the mark decides: whoever finds it waits for what its tab gets.
#[test]
fn without_locks_the_mark_decides() {
    let (mut browser, server) = sharing(2);
    for index in 0..2 {
        browser.on_its_own(index, |tab| tab.lock = Some(Lock::Without));
    }
    browser.on_its_own(0, |tab| {
        tab.server = None;
        tab.silence(TOKEN_ENDPOINT);
        renew(tab);
    });
    assert_eq!(presented(browser.tab(0)), [FIRST]);
    browser.in_tab(1, renew);
    browser.pass(10);
    assert_eq!(presented(browser.tab(1)), [""; 0], "the other one waits");
    browser.in_tab(0, |tab| tab.arrive(TOKEN_ENDPOINT, tokens("new", Some("next"), 3600)));
    browser.pass(3);
    assert_eq!(access_token(browser.tab(1)), "new");
    assert_eq!(server.presented(), [""; 0]);
}

/// REF-7, F31: without Web Locks too, a tab that is gone keeps nobody waiting longer than its request could have taken.
#[test]
fn without_locks_a_tab_that_is_gone_is_waited_for_a_while() {
    let (mut browser, server) = sharing(2);
    for index in 0..2 {
        browser.on_its_own(index, |tab| tab.lock = Some(Lock::Without));
    }
    browser.on_its_own(0, |tab| {
        tab.server = None;
        tab.silence(TOKEN_ENDPOINT);
        renew(tab);
        tab.reload();
    });
    browser.in_tab(1, renew);
    browser.pass(30);
    assert_eq!(server.presented(), [""; 0]);
    browser.pass(30);
    assert_eq!(server.presented(), [FIRST], "once more, as after a lost answer");
}

/// REF-2: the browser may hand the lock over without its holder's doing; the record is written only over what was read.
#[test]
fn tokens_are_stored_only_over_what_was_marked() {
    let mut tab = storing("shared").metadata("revocation_endpoint", json!("https://as.example/revoke")).run();
    tab.silence(TOKEN_ENDPOINT);
    renew(&mut tab);
    let theirs = session(&tab).encode().to_text().replace(ACCESS_TOKEN, "theirs").replace(r#""id":""#, r#""id":"x"#);
    tab.shared.values_mut().for_each(|stored| *stored = ("theirs".into(), theirs.clone()));
    tab.arrive(TOKEN_ENDPOINT, tokens("late", Some("late-refresh"), 3600));
    assert_eq!(access_token(&tab), "theirs");
    assert!(tab.shared.values().all(|(_, text)| text.contains("theirs")));
    let revoked = tab.sent_to("https://as.example/revoke");
    assert!(
        revoked[0].body.as_deref().is_some_and(|body| body.contains("token=late-refresh")),
        "what nobody has is revoked"
    );
}

// Signing out

/// OUT-3: a sign-out is one in every tab of that client, whatever the tokens are kept in.
#[test]
fn a_sign_out_reaches_every_tab() {
    for storage in ["memory", "session", "shared"] {
        let mut browser = Browser::signed_in(&storing(storage), 3);
        for index in 1..3 {
            if storage != "shared" {
                browser.in_tab(index, Tab::sign_in);
                browser.in_tab(index, |tab| tab.come_back(&format!("code={CODE}&state={{state}}"), ""));
            }
            assert!(browser.tab(index).session().is_some(), "{storage}");
            browser.on_its_own(index, |tab| drop(tab.take_announced()));
        }
        browser.in_tab(2, |tab| {
            tab.now += 10;
            tab.sign_out();
        });
        for index in 0..3 {
            assert!(browser.tab(index).session().is_none(), "{storage}, tab {index}");
            assert!(browser.tab(index).storage.names("session").is_empty(), "{storage}");
        }
        assert_eq!(browser.tab(1).announced, [SessionEvent::SignedOutElsewhere], "{storage}");
        assert!(browser.tab(0).shared.is_empty(), "{storage}");
    }
}

/// OUT-3: the message may be there before the record is gone: the person is signed out all the same. The tab used to find the
/// record, and stayed signed in.
#[test]
fn a_sign_out_is_heard_before_the_record_is_gone() {
    let mut tab = kept_in("shared");
    let at = tab.now + 5;
    tab.now = at;
    tab.happen(heard(signed_out_at(at)));
    assert!(tab.session().is_none());
    assert_eq!(tab.take_announced(), [SessionEvent::SignedOutElsewhere]);
}

/// OUT-3: who signed in after that is another one.
#[test]
fn a_sign_out_of_before_signs_nobody_out() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        let before = session(&tab).signed_in_at().0 - 1;
        tab.happen(heard(signed_out_at(before)));
        write_signed_out(&mut tab, before);
        assert_still_signed_in(&mut tab, storage);
    }
}

/// OUT-3, OUT-10, F15: a page that Back and Forward kept has heard nothing; it looks when it comes back.
#[test]
fn a_page_that_was_away_is_signed_out_when_it_comes_back() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        tab.now += 100;
        let now = tab.now;
        write_signed_out(&mut tab, now - 10);
        tab.shared.clear();
        tab.happen(Event::Restored);
        assert!(tab.session().is_none(), "{storage}");
        assert_eq!(tab.take_announced(), [SessionEvent::SignedOutElsewhere], "{storage}");
    }
}

/// OUT-3: a tab that was asleep, or discarded by the browser, begins anew from its record; a sign-out since then counts.
#[test]
fn a_tab_that_was_discarded_is_signed_out_when_it_begins_anew() {
    let mut tab = kept_in("session");
    tab.now += 100;
    let now = tab.now;
    write_signed_out(&mut tab, now - 10);
    tab.reload();
    assert!(tab.session().is_none());
    assert!(tab.storage.names("session").is_empty());
}

/// F11: a time that is still to come was not written by this clock: it signs nobody out, and not those who sign in from now on.
#[test]
fn a_sign_out_in_the_future_signs_nobody_out() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        let ahead = tab.now + 1_000_000;
        write_signed_out(&mut tab, ahead);
        assert_still_signed_in(&mut tab, storage);
    }
}

/// OUT-3: a sign-out while the shared record is being read is one; what is found then is nobody's.
#[test]
fn a_sign_out_while_the_record_is_read_is_one() {
    let mut tab = kept_in("shared");
    let record = tab.shared.values().next().cloned().expect("a record");
    tab.reload();
    tab.happen(Event::SignOut(key(ISSUER)));
    assert!(tab.session().is_none());
    let mut tab = storing("shared").open();
    tab.shared.insert(RecordName::session(&key(ISSUER)).as_str().to_owned(), record);
    tab.happen_slowly(Event::Heard(TabMessage { key: key(ISSUER), news: News::Changed }.encode()));
    assert!(tab.flow().is_restoring(&key(ISSUER)));
    let answer = tab.take_arriving();
    tab.sign_out();
    answer.into_iter().for_each(|event| tab.happen(event));
    assert!(tab.session().is_none());
}

/// OUT-3: it is one also where the tab had not heard of the session yet, whose record it removes.
#[test]
fn a_sign_out_reaches_a_tab_that_has_just_signed_in() {
    let mut browser = Browser::signed_in(&storing("shared"), 2);
    browser.in_tab(0, Tab::sign_out);
    browser.on_its_own(1, |tab| {
        tab.sign_in();
        tab.now += 5;
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        assert!(tab.session().is_some());
    });
    browser.on_its_own(0, Tab::sign_out);
    browser.settle();
    assert!(browser.tab(1).session().is_none() && browser.tab(1).shared.is_empty());
}

/// OUT-3: another client at the same server, and the same client at another, stay signed in.
#[test]
fn a_sign_out_is_one_of_that_issuer_and_client() {
    let mut tab = kept_in("memory");
    for (issuer, client_id) in [(OTHER_ISSUER, "spa"), (ISSUER, "second")] {
        let at = tab.now;
        let text = json!({ "news": "signed_out", "issuer": issuer, "client_id": client_id, "at": at });
        tab.happen(heard(text.to_string()));
    }
    assert!(tab.session().is_some());
}

/// RS-13, F16: tokens that arrive in one tab while another signs out are used by nobody.
#[test]
fn a_sign_out_elsewhere_drops_tokens_on_their_way() {
    let (mut browser, _) = sharing(2);
    browser.on_its_own(1, |tab| {
        tab.server = None;
        tab.silence(TOKEN_ENDPOINT);
    });
    browser.in_tab(1, renew);
    browser.in_tab(0, Tab::sign_out);
    browser.in_tab(1, |tab| tab.arrive(TOKEN_ENDPOINT, tokens("late", Some("late-refresh"), 3600)));
    for index in 0..2 {
        assert!(browser.tab(index).session().is_none());
    }
    assert!(browser.tab(0).shared.is_empty());
    assert!(browser.tab(1).locks.is_empty());
}

// A tab that is a copy

/// REF-12, A28, F16: a duplicated tab finds the lock of its session taken: it never presents the copied refresh token, and
/// keeps none; what is left of the access token it may use.
#[test]
fn a_duplicated_tab_drops_the_refresh_token() {
    let original = kept_in("session");
    let mut copy = storing("session").open();
    copy.storage.records.clone_from(&original.storage.records);
    copy.lock = Some(Lock::Foreign);
    copy.answering(API, document("{}"));
    copy.now = original.now;
    copy.reload();
    assert_eq!(access_token(&copy), ACCESS_TOKEN);
    assert!(!session(&copy).has_refresh_token());
    assert!(copy.storage.records.values().all(|record| !record.contains(FIRST)));
    copy.call(1, API);
    assert!(copy.answered[0].1.is_ok());
    for _ in 0..2 {
        renew(&mut copy);
        copy.pass(2 * 3600);
        copy.sleep(60);
        copy.call(2, API);
        copy.reload();
    }
    assert_eq!(presented(&copy), [""; 0]);
    assert!(copy.posted.iter().all(|text| !text.contains(FIRST)));
}

/// REF-12, F16: the copy may be in need of tokens before it knows that it is one: it waits, and presents nothing.
#[test]
fn a_duplicated_tab_waits_until_it_knows() {
    let original = kept_in("session");
    for (lock, expected) in [(Lock::Foreign, 0), (Lock::Held, 1)] {
        let mut copy = storing("session").open();
        copy.storage.records.clone_from(&original.storage.records);
        (copy.lock, copy.inherits) = (None, (false, false));
        copy.now = original.now + 4000;
        copy.reload();
        copy.call(1, API);
        assert_eq!((presented(&copy).len(), copy.sent_to(API).len()), (0, 0));
        copy.grant(lock);
        if lock == Lock::Held {
            assert_eq!((presented(&copy).len(), copy.sent_to(API).len()), (0, 0));
            copy.pass(2);
            copy.grant(lock);
        }
        assert_eq!(presented(&copy).len(), expected, "{lock:?}");
        assert_eq!(copy.sent_to(API).len(), 1, "{lock:?}");
    }
}

/// REF-12, A28: while the first tab is loaded anew nobody has its lock, and a copy that comes by just then is not taken for it. It
/// used to wait for the lock, so it had it then, and presented a token that the first tab might have spent.
#[test]
fn a_copy_does_not_take_over_while_the_first_tab_is_loaded_anew() {
    let original = kept_in("session");
    let mut copy = storing("session").open();
    copy.storage.records.clone_from(&original.storage.records);
    (copy.lock, copy.inherits, copy.now) = (None, (false, false), original.now);
    copy.reload();
    assert_eq!(copy.patience, [0], "it waits for no lock");
    copy.grant(Lock::Held);
    assert_eq!(copy.locks, [""; 0], "whoever comes back can have it");
    copy.pass(1);
    for _ in 0..3 {
        copy.happen(Event::Resumed);
    }
    assert_eq!(copy.wished, [], "it is too early to ask again");
    copy.pass(1);
    assert_eq!(copy.patience, [0, 0]);
    copy.grant(Lock::Foreign);
    assert!(!session(&copy).has_refresh_token());
    renew(&mut copy);
    assert_eq!(presented(&copy), [""; 0]);
}

/// REF-12, A28: a window that another one opened has that one's sessionStorage and asks for no lock, so it does not matter who has
/// it just then; what begins in it later is its own.
#[test]
fn an_opened_window_has_a_copy() {
    let original = kept_in("session");
    let mut copy = storing("session").open();
    copy.storage.records.clone_from(&original.storage.records);
    (copy.inherits, copy.now) = ((false, true), original.now);
    copy.reload();
    assert_eq!((copy.patience.len(), access_token(&copy)), (0, ACCESS_TOKEN));
    assert!(!session(&copy).has_refresh_token());
    assert!(copy.storage.records.values().all(|record| !record.contains(FIRST)));
    renew(&mut copy);
    assert_eq!(presented(&copy), [""; 0]);

    let mut own = kept_in("session");
    own.inherits = (true, true);
    own.reload();
    renew(&mut own);
    assert_eq!(presented(&own), [FIRST]);
}

/// REF-12: a tab whose page the browser has ended, to save memory or in a crash, is its own all the same; also where the clock
/// was set back meanwhile.
#[test]
fn a_tab_that_was_not_left_orderly_keeps_its_session() {
    for passed in [2, -3600] {
        let mut tab = kept_in("session");
        tab.inherits = (false, false);
        tab.reload();
        assert_eq!(tab.locks, [""; 0]);
        tab.now = tab.now.checked_add_signed(passed).expect("a time");
        tab.happen(Event::Woke);
        assert_eq!(tab.locks.len(), 1, "{passed}");
        renew(&mut tab);
        assert_eq!(presented(&tab), [FIRST], "{passed}");
    }
}

/// REF-12, F14: a page that is loaded anew has the lock at once, for the one before it is gone, and renews as before.
#[test]
fn a_reload_is_no_copy() {
    let mut tab = kept_in("session");
    for _ in 0..3 {
        tab.reload();
        assert_eq!(tab.locks.len(), 1);
    }
    assert_eq!(tab.patience, [1; 4], "for the page before it may not be gone yet");
    renew(&mut tab);
    assert_eq!(presented(&tab), [FIRST]);
    tab.sign_out();
    assert_eq!(tab.locks, [""; 0]);
}

/// REF-12: a session in memory is in no other tab, and one that is shared belongs to all: neither needs such a lock.
#[test]
fn only_a_session_in_the_tab_has_a_lock_for_life() {
    for storage in ["memory", "shared"] {
        assert_eq!(kept_in(storage).locks, [""; 0], "{storage}");
    }
}

/// F19: the lock of a session that could not be kept any longer is let go with it.
#[test]
fn the_lock_goes_with_the_session() {
    let mut tab = kept_in("session");
    tab.storage.fault = Some(StorageFault::Full);
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    renew(&mut tab);
    assert_eq!((access_token(&tab), session(&tab).token_storage()), ("new", TokenStorage::Memory));
    assert_eq!(tab.locks.len(), 1);
    tab.sign_out();
    assert_eq!(tab.locks, [""; 0]);
}

// Messages

/// WEB-17: nothing that tabs tell each other holds a token, whatever happens.
#[test]
fn no_message_holds_a_token() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = storing(storage).configured("idle_timeout", json!(600)).run();
        tab.answering(TOKEN_ENDPOINT, tokens("new", Some("next"), 3600));
        renew(&mut tab);
        tab.now += 5;
        tab.happen(Event::Active);
        tab.answering(TOKEN_ENDPOINT, lost());
        renew(&mut tab);
        tab.sign_out();
        assert!(!tab.posted.is_empty(), "{storage}");
        for text in &tab.posted {
            for token in [ACCESS_TOKEN, FIRST, "new", "next"] {
                assert!(!text.contains(&format!("\"{token}\"")), "{storage}: {text}");
            }
            assert!(TabMessage::parse(text, SchemePolicy::HttpsOnly).is_some(), "{text}");
        }
    }
}

/// WEB-17: what is no message of this library changes nothing.
#[test]
fn what_is_no_message_changes_nothing() {
    for text in [
        "",
        "{}",
        "signed_out",
        "null",
        "[]",
        r#"{"news":"signed_out"}"#,
        r#"{"news":"signed_out","issuer":"https://as.example","client_id":"spa"}"#,
        r#"{"news":"signed_out","issuer":"https://as.example","client_id":"spa","at":"9999999999"}"#,
        r#"{"news":"signed_out","issuer":"https://as.example","client_id":"spa","at":-1}"#,
        r#"{"news":"signed_out","issuer":"https://as.example/","client_id":"spa","at":1700009999}"#,
        r#"{"news":"SIGNED_OUT","issuer":"https://as.example","client_id":"spa","at":1700009999}"#,
        r#"{"news":"signed_in","issuer":"https://as.example","client_id":"spa","access_token":"x"}"#,
        r#"{"news":"signed_out","news":"changed","issuer":"https://as.example","client_id":"spa","at":1700009999}"#,
    ] {
        let mut tab = kept_in("memory");
        tab.happen(heard(text.to_owned()));
        assert!(tab.session().is_some(), "{text}");
        assert_eq!(tab.take_trace(), [""; 0], "{text}");
    }
}

/// WEB-17: that the record is another one is looked up, and believed in no other way.
#[test]
fn news_of_a_record_are_looked_up() {
    let changed = TabMessage { key: key(ISSUER), news: News::Changed }.encode();
    let mut tab = kept_in("shared");
    for _ in 0..3 {
        tab.happen(heard(changed.clone()));
        assert_eq!(tab.take_trace(), ["read shared"]);
    }
    assert_eq!(access_token(&tab), ACCESS_TOKEN);
    for storage in ["memory", "session"] {
        let mut tab = kept_in(storage);
        tab.happen(heard(changed.clone()));
        assert_eq!(tab.take_trace(), [""; 0], "{storage}");
    }
}

/// OUT-3, F17: whoever signs out while another tab exchanges its code is signed out there too, before the tokens come. They
/// used to be published.
#[test]
fn a_sign_out_reaches_a_sign_in_that_is_not_over() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = storing(storage).silent(TOKEN_ENDPOINT).open();
        tab.sign_in_from(Some("/deep"));
        tab.now += 5;
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        tab.happen(heard(signed_out_at(START + 4)));
        assert_eq!(tab.flow().activity(), Activity::Exchanging(key(ISSUER)), "{storage}: the sign-in is the later one");
        tab.happen(heard(signed_out_at(tab.now)));
        assert_eq!(tab.flow().activity(), Activity::Idle, "{storage}");
        tab.arrive(TOKEN_ENDPOINT, tokens("late", Some("r"), 3600));
        assert!(tab.session().is_none(), "{storage}");
        assert!(tab.shared.is_empty(), "{storage}");
        assert!(tab.flow().callback_failure().is_none(), "{storage}: nothing has failed");
    }
}

/// REF-2, REF-12: the lock is that of one session: of this issuer, this client and this sign-in. Nobody else waits for it.
#[test]
fn each_session_has_a_lock_of_its_own() {
    for storage in ["session", "shared"] {
        let names: Vec<String> = (0..2)
            .map(|attempt| {
                let mut tab = storing(storage).open();
                tab.lock = None;
                tab.draw_from(attempt * 30);
                tab.sign_in();
                tab.answering(TOKEN_ENDPOINT, tokens(ACCESS_TOKEN, Some(FIRST), 3600));
                tab.come_back(&format!("code={CODE}&state={{state}}"), "");
                renew(&mut tab);
                tab.wished.first().expect("it waits for a lock").1.clone()
            })
            .collect();
        for name in &names {
            assert!(name.starts_with(&format!("leptos-pkce {ISSUER} spa ")), "{name}");
        }
        assert_ne!(names[0], names[1], "{storage}: another sign-in");
    }
}

/// REF-2, REF-7: each state of the record has a version of its own, so that no tab writes over what it has not read.
#[test]
fn each_state_of_a_shared_record_has_a_version() {
    let version = |tab: &Tab| tab.shared.values().next().expect("a record").0.clone();
    let mut tab = kept_in("shared");
    let signed_in = version(&tab);
    tab.silence(TOKEN_ENDPOINT);
    renew(&mut tab);
    let marked = version(&tab);
    tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
    assert_eq!(access_token(&tab), "new");
    let renewed = version(&tab);
    let id = signed_in.strip_suffix(" 0 0").expect("never renewed, never presented");
    assert_eq!([marked, renewed], [format!("{id} 0 1"), format!("{id} 1 0")]);
    assert!(!id.is_empty());
}
