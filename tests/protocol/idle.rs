//! Signing out who has left: after a time without a key or a pointer, in no tab.

use leptos_pkce::protocol::flow::{Event, SessionEvent};
use leptos_pkce::protocol::tab_message::{News, TabMessage};
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use serde_json::json;

use crate::browser::Browser;
use crate::refresh::FIRST;
use crate::scenario::{CODE, ISSUER, Scenario, Tab, key};

fn leaving(storage: &str) -> Scenario {
    Scenario::public_client()
        .configured("idle_timeout", json!(600))
        .configured("token_storage", json!(storage))
        .metadata("revocation_endpoint", json!("https://as.example/revoke"))
}

fn signed_in(storage: &str) -> Tab {
    let mut tab = leaving(storage).run();
    tab.take_announced();
    tab
}

fn remaining(tab: &Tab) -> Option<u64> {
    tab.flow().idle_remaining(&key(ISSUER), UnixTime(tab.now)).map(|Seconds(seconds)| seconds)
}

fn touch(tab: &mut Tab) {
    tab.happen(Event::Active);
}

/// What all tabs know of the last time that somebody was there.
fn write_active(tab: &mut Tab, at: u64) {
    tab.storage.of_origin.insert(format!("leptos-pkce active {ISSUER} spa"), json!({ "at": at }).to_string());
}

/// Nobody is there for as long as it takes: the person is signed out, the tokens are revoked, and the app hears why.
#[test]
fn who_has_left_is_signed_out() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = signed_in(storage);
        assert_eq!(remaining(&tab), Some(600), "{storage}");
        tab.pass(599);
        assert!(tab.session().is_some(), "{storage}");
        assert_eq!(remaining(&tab), Some(1));
        tab.pass(1);
        assert!(tab.session().is_none(), "{storage}");
        assert_eq!(tab.take_announced()[0], SessionEvent::SignedOutIdle, "{storage}");
        assert_eq!(remaining(&tab), None);
        let body = tab.sent_to("https://as.example/revoke")[0].body.clone().unwrap_or_default();
        assert!(body.starts_with(&format!("token={FIRST}&")), "{storage}");
        assert!(tab.storage.names("session").is_empty() && tab.shared.is_empty(), "{storage}");
        tab.reload();
        assert!(tab.session().is_none(), "{storage}");
    }
}

/// A key or a pointer begins the time anew.
#[test]
fn who_is_there_stays_signed_in() {
    let mut tab = signed_in("memory");
    for _ in 0..20 {
        tab.pass(500);
        touch(&mut tab);
        assert_eq!(remaining(&tab), Some(600));
    }
    assert!(tab.session().is_some());
    tab.pass(600);
    assert!(tab.session().is_none());
}

/// Without the setting nobody is signed out for being away, and nothing is written about when they were there.
#[test]
fn nobody_is_watched_unless_that_is_configured() {
    let mut tab = Scenario::public_client().run();
    touch(&mut tab);
    tab.pass(3000);
    touch(&mut tab);
    assert!(tab.session().is_some());
    assert_eq!(remaining(&tab), None);
    assert!(tab.posted.is_empty() && tab.storage.of_origin.is_empty());
}

/// F12: whoever comes back too late is signed out first, whichever event tells of it: also where that is the click that the
/// person comes back with. Such a click used to count as one in time.
#[test]
fn who_comes_back_too_late_is_signed_out() {
    for event in [|| Event::Active, || Event::Resumed, || Event::Restored, || Event::Woke] {
        for storage in ["memory", "session", "shared"] {
            let mut tab = signed_in(storage);
            tab.now += 601;
            tab.happen(event());
            assert!(tab.session().is_none(), "{storage}");
            assert_eq!(tab.take_announced()[0], SessionEvent::SignedOutIdle);
        }
    }
}

/// F14: nor is a reload a way back: the page before it knew when somebody was there last.
#[test]
fn a_reload_after_the_time_is_signed_out() {
    for storage in ["session", "shared"] {
        let mut tab = signed_in(storage);
        tab.now += 300;
        touch(&mut tab);
        tab.now += 599;
        tab.reload();
        assert!(tab.session().is_some(), "{storage}");
        assert_eq!(remaining(&tab), Some(1), "{storage}");
        tab.now += 1;
        tab.reload();
        assert!(tab.session().is_none(), "{storage}");
        assert!(tab.announced.contains(&SessionEvent::SignedOutIdle));
    }
}

/// Whoever has just signed in is there, also where the configuration comes after the tokens. They used to be signed out again
/// as soon as it came.
#[test]
fn whoever_has_just_signed_in_is_there() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = signed_in(storage);
        tab.sign_out();
        tab.now += 10_000;
        tab.sign_in();
        tab.now += 3000;
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        assert_eq!(remaining(&tab), Some(600), "{storage}");
        tab.pass(599);
        assert!(tab.session().is_some(), "{storage}");
    }
}

/// A session that began before it was configured how long somebody may be away counts from its beginning.
#[test]
fn a_session_without_a_record_counts_from_its_beginning() {
    let mut tab = signed_in("session");
    tab.storage.of_origin.clear();
    tab.now += 100;
    tab.reload();
    assert_eq!(remaining(&tab), Some(500));
}

/// The time is one for all tabs: whoever is there in one is in all.
#[test]
fn whoever_is_there_in_one_tab_is_in_all() {
    for has_messages in [true, false] {
        let mut browser = Browser::signed_in(&leaving("shared"), 2);
        if !has_messages {
            // Not heard of the sign-in either.
            browser.in_tab(1, Tab::reload);
        }
        browser.has_messages = has_messages;
        for _ in 0..4 {
            browser.pass(400);
            browser.in_tab(0, touch);
            assert_eq!(remaining(browser.tab(0)), Some(600));
            if has_messages {
                assert_eq!(remaining(browser.tab(1)), Some(600), "one countdown");
            }
        }
        assert!(browser.tab(1).session().is_some(), "messages: {has_messages}");
        browser.pass(600);
        for index in 0..2 {
            assert!(browser.tab(index).session().is_none(), "messages: {has_messages}");
        }
    }
}

/// OUT-3: the end is one for all tabs too.
#[test]
fn the_end_reaches_every_tab() {
    let mut browser = Browser::signed_in(&leaving("memory"), 2);
    browser.in_tab(1, Tab::sign_in);
    browser.in_tab(1, |tab| {
        tab.now += 100;
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    });
    browser.pass(600);
    for index in 0..2 {
        assert!(browser.tab(index).session().is_none());
    }
}

/// WEB-17, F11: a time that is still to come, from a message or a record, keeps nobody signed in.
#[test]
fn a_time_to_come_keeps_nobody_signed_in() {
    let mut tab = signed_in("memory");
    let ahead = tab.now + 100_000;
    tab.happen(Event::Heard(TabMessage { key: key(ISSUER), news: News::Active(UnixTime(ahead)) }.encode()));
    write_active(&mut tab, ahead);
    tab.pass(600);
    assert!(tab.session().is_none());
}

/// F11: a clock that was turned back gives nobody more than the time once more.
#[test]
fn a_clock_that_was_turned_back_begins_the_time_anew() {
    let mut tab = signed_in("memory");
    tab.now -= 50_000;
    tab.happen(Event::Resumed);
    tab.pass(599);
    assert!(tab.session().is_some());
    tab.pass(2);
    assert!(tab.session().is_none());
}

/// What people type makes no flood: other tabs hear of it once a second at most.
#[test]
fn a_second_lies_between_two_messages() {
    let mut tab = signed_in("memory");
    tab.now += 10;
    tab.posted.clear();
    (0..100).for_each(|_| touch(&mut tab));
    assert_eq!(tab.posted.len(), 1);
    tab.now += 1;
    touch(&mut tab);
    assert_eq!(tab.posted.len(), 2);
}

/// REF-8: that tokens are renewed is no sign of anybody.
#[test]
fn renewing_is_no_sign_of_anybody() {
    let short = r#"{"access_token":"a","token_type":"Bearer","expires_in":120,"refresh_token":"r"}"#;
    let mut tab = leaving("memory").tokens(short).run();
    tab.pass(599);
    assert!(tab.refreshes().len() >= 4);
    tab.pass(1);
    assert!(tab.session().is_none());
}
