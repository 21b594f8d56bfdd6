//! Renewing tokens when all goes well: the message, the moment, rotation, and who asks how often.

use leptos_pkce::protocol::flow::{Event, SessionEvent};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::session::Session;
use serde_json::json;

use crate::answers::{TOKENS, document};
use crate::browser::Server;
use crate::scenario::{
    ACCESS_TOKEN, API, CODE, ISSUER, START, Scenario, TOKEN_ENDPOINT, Tab, key, parameter, refresh_token,
};

/// The refresh token of the first answer.
pub(crate) const FIRST: &str = "tGzv3JOkF0XG5Qx2TlKWIA";

/// When the first session began.
const BEGIN: u64 = START + 60;

/// An answer with these tokens.
pub(crate) fn tokens(
    access_token: &str,
    refresh_token: Option<&str>,
    expires_in: u64,
) -> Result<HttpResponse, HttpFailure> {
    let mut body = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": expires_in });
    if let Some(refresh_token) = refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    document(body.to_string())
}

/// Signed in, with tokens that live for an hour.
pub(crate) fn signed_in() -> Tab {
    kept_in("memory")
}

/// The same, in this `token_storage`.
pub(crate) fn kept_in(storage: &str) -> Tab {
    let mut tab = Scenario::public_client().configured("token_storage", json!(storage)).run();
    tab.take_trace();
    tab.take_announced();
    tab
}

/// The refresh tokens that were presented, in order.
pub(crate) fn presented(tab: &Tab) -> Vec<String> {
    tab.refreshes().into_iter().filter_map(refresh_token).map(str::to_owned).collect()
}

#[track_caller]
pub(crate) fn session(tab: &Tab) -> &Session {
    tab.session().expect("somebody is signed in")
}

pub(crate) fn access_token(tab: &Tab) -> &str {
    session(tab).access_token().expose()
}

pub(crate) fn renew(tab: &mut Tab) {
    tab.happen(Event::Renew(key(ISSUER)));
}

// The message

/// REF-3, CFG-1, TOK-1: a form post with what RFC 6749 §6 asks for, no scope, and no secret.
#[test]
fn the_request_has_these_parameters_and_no_others() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    renew(&mut tab);
    let request = tab.refreshes()[0];
    assert_eq!(
        request.body.as_deref(),
        Some("grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=spa")
    );
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", TOKEN_ENDPOINT));
    let headers = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(request.bearer.is_none() && !request.keepalive);
    assert_eq!((request.limits.deadline.0, request.limits.body), (20, 256 * 1024));
}

/// AUT-10, REF-3: the same resources as at sign-in, and no more.
#[test]
fn the_request_names_the_resources_of_the_sign_in() {
    let mut tab = Scenario::public_client().configured("resource", json!(["urn:a", "urn:b"])).run();
    renew(&mut tab);
    let body = tab.refreshes()[0].body.clone().unwrap_or_default();
    assert!(body.ends_with("&client_id=spa&resource=urn%3Aa&resource=urn%3Ab"), "{body}");
}

/// CB-7: where the code was exchanged, whatever the server's metadata say by now.
#[test]
fn the_request_goes_where_the_session_comes_from() {
    let scenario = Scenario::public_client().configured("token_storage", json!("session"));
    let mut tab = scenario.run();
    let elsewhere = json!({ "token_endpoint": "https://evil.example/token" });
    tab.answering(
        crate::scenario::CONFIGURATION,
        document(
            json!({ "authorization_servers": [{
                "issuer": ISSUER, "client_id": "spa", "token_storage": "session", "metadata": elsewhere,
            }] })
            .to_string(),
        ),
    );
    tab.reload();
    renew(&mut tab);
    assert_eq!(presented(&tab), [FIRST]);
    assert_eq!(tab.refreshes()[0].url.as_str(), TOKEN_ENDPOINT);
}

/// REF-11: nobody asks for a refresh token beyond the scope that is configured, and a session without one is none the worse.
#[test]
fn no_scope_is_added_to_get_a_refresh_token() {
    let mut tab =
        Scenario::public_client().tokens(r#"{"access_token":"a","token_type":"Bearer","expires_in":100}"#).run();
    assert_eq!(parameter(tab.navigation().query(), "scope"), "photos:read");
    tab.take_announced();
    tab.pass(3600);
    renew(&mut tab);
    tab.sleep(3600);
    assert_eq!(presented(&tab), [""; 0]);
    assert_eq!(tab.take_announced(), []);
    assert_eq!(access_token(&tab), "a");
}

// The moment

/// REF-8: at lifetime − min(skew, lifetime / 4), a minute being the skew.
#[test]
fn tokens_are_renewed_a_little_before_their_end() {
    for (lifetime, margin) in [(3600, 60), (300, 60), (240, 60), (239, 59), (100, 25), (8, 2), (3, 0)] {
        let mut tab = Scenario::public_client().token_answer(tokens("first", Some(FIRST), lifetime)).run();
        tab.answering(TOKEN_ENDPOINT, tokens("second", None, 100_000));
        tab.pass(lifetime - margin - 1);
        assert_eq!(presented(&tab), [""; 0], "{lifetime}");
        tab.pass(1);
        assert_eq!(presented(&tab), [FIRST], "{lifetime}");
        assert_eq!(access_token(&tab), "second");
        assert_eq!(tab.announced.last(), Some(&SessionEvent::Renewed));
    }
}

/// REF-8: the skew is what is configured.
#[test]
fn the_margin_is_the_tolerance_for_clocks() {
    let mut tab = Scenario::public_client().configured("clock_tolerance", json!(300)).run();
    tab.pass(3299);
    assert_eq!(presented(&tab), [""; 0]);
    tab.pass(1);
    assert_eq!(presented(&tab), [FIRST]);
}

/// REF-8: however short they live, a second lies between two attempts.
#[test]
fn a_second_lies_between_two_attempts() {
    for lifetime in [0, 1, 2] {
        let mut tab = Scenario::public_client().token_answer(tokens("a", Some(FIRST), lifetime)).run();
        let mut last = presented(&tab).len();
        for _ in 0..30 {
            tab.pass(0);
            renew(&mut tab);
            tab.call(1, API);
            tab.happen(Event::Resumed);
            let count = presented(&tab).len();
            assert!(count - last <= 1, "{lifetime}");
            last = count;
            tab.now += 1;
        }
        assert!(last >= 14, "{lifetime}: {last}");
    }
}

/// REF-8, F12: after sleep the deadline is a matter of the clock on the wall: one refresh, however many events say so.
#[test]
fn after_sleep_tokens_are_renewed_once() {
    let mut tab = signed_in();
    let server = Server::new(FIRST);
    tab.server = Some(server.clone());
    tab.sleep(8 * 3600);
    tab.happen(Event::Resumed);
    tab.happen(Event::Restored);
    tab.happen(Event::Woke);
    assert_eq!(server.presented(), [FIRST]);
    assert_eq!(session(&tab).expires_at().map(|at| at.0), Some(tab.now + 3600));
}

/// REF-8, F15: a page that comes back too early only looks at its clock again.
#[test]
fn coming_back_early_renews_nothing() {
    let mut tab = signed_in();
    tab.sleep(1800);
    assert_eq!(presented(&tab), [""; 0]);
    tab.pass(1739);
    assert_eq!(presented(&tab), [""; 0]);
    tab.pass(1);
    assert_eq!(presented(&tab), [FIRST]);
}

/// REF-9: a lifetime counts from when it was asked for, so that it ends here before it does there.
#[test]
fn a_lifetime_counts_from_the_request() {
    let mut tab = signed_in();
    tab.silence(TOKEN_ENDPOINT);
    renew(&mut tab);
    let sent_at = tab.now;
    tab.now += 15;
    tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
    assert_eq!(session(&tab).obtained_at().0, sent_at);
    assert_eq!(session(&tab).expires_at().map(|at| at.0), Some(sent_at + 3600));
    assert_eq!(session(&tab).generation(), 1);
}

/// REF-9, F11: nobody knows how old a token is after the clock was turned back behind it.
#[test]
fn a_clock_that_was_turned_back_makes_tokens_due() {
    for by in [1, 3600, START] {
        let mut tab = signed_in();
        tab.now = BEGIN - by;
        tab.happen(Event::Resumed);
        assert_eq!(presented(&tab), [FIRST], "{by}");
        assert_eq!(session(&tab).obtained_at().0, tab.now);
        let due = session(&tab).obtained_at().0 + 3540;
        tab.pass(due - tab.now - 1);
        assert_eq!(presented(&tab).len(), 1, "{by}");
        tab.pass(1);
        assert_eq!(presented(&tab).len(), 2, "{by}");
    }
}

/// REF-9, F11: it is turned back while an attempt waits for its time: nobody waits for the old one.
#[test]
fn a_clock_that_was_turned_back_lets_nobody_wait() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, Err(HttpFailure::Offline));
    tab.pass(3540);
    assert_eq!(presented(&tab), [FIRST]);
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.now -= 4000;
    tab.happen(Event::Woke);
    tab.pass(2);
    assert_eq!(access_token(&tab), "new");
}

/// REF-9: it is put forward; tokens that look spent are renewed, and that is all.
#[test]
fn a_clock_that_was_put_forward_renews_once() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    tab.now += 10 * 365 * 86_400;
    tab.happen(Event::Woke);
    assert_eq!(presented(&tab), [FIRST]);
    assert_eq!(access_token(&tab), "new");
    assert!(!session(&tab).is_expired(leptos_pkce::protocol::time::UnixTime(tab.now)));
}

/// TOK-8, F26: of a lifetime that the server does not tell, nobody knows the end: such tokens are renewed when they are refused.
#[test]
fn tokens_without_a_lifetime_are_not_renewed_by_themselves() {
    let mut tab =
        Scenario::public_client().tokens(r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r"}"#).run();
    tab.pass(100_000);
    tab.sleep(100_000);
    tab.call(1, API);
    assert_eq!(presented(&tab), [""; 0]);
    renew(&mut tab);
    assert_eq!(presented(&tab), ["r"]);
}

/// REF-8: a page that has nothing to do is not woken.
#[test]
fn nobody_is_woken_without_need() {
    let mut tab = signed_in();
    let woken = tab.pass(3530);
    assert!(woken <= 1, "{woken}");
}

// Rotation

/// REF-1: the last one that came is presented, and the one before it never again.
#[test]
fn a_new_refresh_token_takes_the_place_of_the_old_one() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        tab.server = Some(Server::new(FIRST));
        for _ in 0..3 {
            tab.pass(3540);
        }
        assert_eq!(presented(&tab), [FIRST, "refresh-1", "refresh-2"], "{storage}");
        assert_eq!(access_token(&tab), "access-3");
        let everything = format!("{:?}{:?}", tab.storage.records, tab.shared);
        assert_eq!(everything.contains("refresh-3"), storage != "memory", "{storage}");
        assert!(!everything.contains("refresh-2") && !everything.contains(FIRST), "{storage}");
    }
}

/// REF-1, F26: where none comes, the old one is kept.
#[test]
fn the_old_refresh_token_is_kept_where_none_comes() {
    let mut tab = signed_in();
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    for _ in 0..3 {
        tab.pass(3540);
    }
    assert_eq!(presented(&tab), [FIRST; 3]);
    assert!(session(&tab).has_refresh_token());
}

/// TOK-9, F34: a scope that is not named is the one of before; one that is named is the granted one now.
#[test]
fn the_scope_stays_unless_it_is_named() {
    let mut tab = Scenario::public_client().configured("scope", json!("a b")).run();
    tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
    renew(&mut tab);
    assert_eq!(session(&tab).granted_scope().map(|scope| scope.as_str()), Some("a b"));
    let narrower = r#"{"access_token":"n","token_type":"Bearer","expires_in":3600,"scope":"a"}"#;
    tab.answering(TOKEN_ENDPOINT, document(narrower));
    tab.now += 10;
    renew(&mut tab);
    assert_eq!(session(&tab).granted_scope().map(|scope| scope.as_str()), Some("a"));
    assert_eq!(session(&tab).refused_scope(), ["b"]);
}

// Once

/// REF-2: fifty calls with an expired token make one token request, and each is made once, with the new one.
#[test]
fn fifty_calls_make_one_request_for_tokens() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        tab.silence(TOKEN_ENDPOINT);
        tab.now += 4000;
        (0..50).for_each(|call| tab.call(call, API));
        assert_eq!(tab.sent_to(API).len(), 0, "{storage}");
        assert_eq!(presented(&tab), [FIRST], "{storage}");
        tab.answering(API, document("{}"));
        tab.arrive(TOKEN_ENDPOINT, tokens("new", None, 3600));
        assert_eq!(tab.refreshes().len(), 1, "{storage}");
        let bearers = tab.sent_to(API);
        assert_eq!(bearers.len(), 50, "{storage}");
        assert!(bearers.iter().all(|request| request.bearer.as_ref().is_some_and(|token| token.expose() == "new")));
        let mut answered: Vec<u64> = tab.answered.iter().map(|(call, _)| call.0).collect();
        answered.sort_unstable();
        assert_eq!(answered, (0..50).collect::<Vec<_>>(), "{storage}");
    }
}

/// REF-2, F13: whoever asks while a request is on its way shares it.
#[test]
fn wishes_share_a_request() {
    let mut tab = signed_in();
    tab.silence(TOKEN_ENDPOINT);
    for _ in 0..5 {
        renew(&mut tab);
        tab.now += 2;
        tab.happen(Event::Woke);
        tab.happen(Event::Resumed);
    }
    assert_eq!(presented(&tab), [FIRST]);
    assert!(!tab.flow().is_unrenewable(&key(ISSUER)));
}

// Storage

/// REF-10: that the token is presented is written down before it is, and what came back before anybody sees it.
#[test]
fn tokens_are_stored_before_they_are_published() {
    for (storage, expected) in [
        (
            "session",
            vec![
                "read session",
                "write session",
                "fetch POST https://as.example/token",
                "write session",
                "announce Renewed",
            ],
        ),
        (
            "shared",
            vec![
                "lock",
                "read shared",
                "write shared",
                "fetch POST https://as.example/token",
                "write shared",
                "announce Renewed",
                "post changed",
            ],
        ),
    ] {
        let mut tab = kept_in(storage);
        tab.answering(TOKEN_ENDPOINT, tokens("new", Some("next"), 3600));
        renew(&mut tab);
        let mut trace = tab.take_trace();
        trace.retain(|line| !line.starts_with("wake") && line != "unlock");
        assert_eq!(trace, expected, "{storage}");
        assert!(storage == "session" || tab.locks.is_empty(), "the lock of a shared session is let go");
    }
}

/// REF-10: what is kept after a reload are the new tokens.
#[test]
fn renewed_tokens_survive_a_reload() {
    for storage in ["session", "shared"] {
        let mut tab = kept_in(storage);
        tab.answering(TOKEN_ENDPOINT, tokens("new", Some("next"), 3600));
        renew(&mut tab);
        tab.now += 10;
        tab.reload();
        assert_eq!((access_token(&tab), session(&tab).generation()), ("new", 1), "{storage}");
        renew(&mut tab);
        assert_eq!(presented(&tab), [FIRST, "next"], "{storage}");
    }
}

/// REF-7, REF-10, F31: a page that ends between answer and storage leaves a mark: the server is asked whether it is there, and
/// then gets the same token once more; never a third time.
#[test]
fn a_page_that_ends_before_the_answer_leaves_a_mark() {
    for storage in ["session", "shared"] {
        let mut tab = kept_in(storage);
        tab.silence(TOKEN_ENDPOINT);
        renew(&mut tab);
        for reloads in 1..4 {
            tab.now += 60;
            tab.reload();
            tab.take_trace();
            renew(&mut tab);
            let probes = tab.trace.iter().filter(|line| line.contains(".well-known")).count();
            assert_eq!((probes, presented(&tab).len()), (usize::from(reloads == 1), 2), "{storage}, reload {reloads}");
        }
        assert!(tab.flow().is_unrenewable(&key(ISSUER)), "{storage}");
        assert_eq!(access_token(&tab), ACCESS_TOKEN);
    }
}

// Late

/// RS-13, REF-5: an answer after sign-out is nobody's.
#[test]
fn an_answer_after_sign_out_is_dropped() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = kept_in(storage);
        tab.silence(TOKEN_ENDPOINT);
        renew(&mut tab);
        tab.sign_out();
        assert!(tab.trace.iter().any(|line| line == "cancel fetch"), "{storage}");
        tab.take_announced();
        tab.arrive(TOKEN_ENDPOINT, document(TOKENS));
        assert!(tab.session().is_none(), "{storage}");
        assert_eq!(tab.take_announced(), [], "{storage}");
        assert!(tab.storage.names("session").is_empty() && tab.shared.is_empty(), "{storage}");
        tab.pass(8000);
        assert_eq!(presented(&tab).len(), 1, "{storage}");
    }
}

/// RS-13: an answer to a session that another sign-in has replaced changes nothing of the new one.
#[test]
fn an_answer_for_the_session_before_is_dropped() {
    let mut tab = kept_in("session");
    tab.silence(TOKEN_ENDPOINT);
    renew(&mut tab);
    let refresh = tab.sent.iter().rfind(|(_, request)| refresh_token(request).is_some()).map(|(fetch, _)| *fetch);
    tab.sign_in();
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    tab.arrive(TOKEN_ENDPOINT, tokens("theirs", Some("r"), 3600));
    assert_eq!(access_token(&tab), "theirs");
    tab.happen(Event::Fetched { fetch: refresh.expect("sent"), outcome: tokens("late", None, 3600) });
    assert_eq!(access_token(&tab), "theirs");
}
