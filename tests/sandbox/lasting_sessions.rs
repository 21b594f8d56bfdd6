//! Each misbehaviour at a refresh against the real client: what becomes of the session, how often the refresh token is sent,
//! and what the app hears.

use leptos_pkce::protocol::client::ClientSettings;
use leptos_pkce::protocol::flow::SessionEvent;
use leptos_pkce::protocol::protected_resource::ResourceError;
use leptos_pkce::sandbox::switches::{ALL, Phase};

use crate::person::ISSUER;
use crate::world::{World, lasting, settings, signed_in};

/// What becomes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    Renewed,
    /// As it was, and it will be tried again.
    Kept,
    /// As it was, and the refresh token is sent no more.
    Unrenewable,
    Over,
}

/// What becomes of a session at a server that misbehaves: the switch, what the app hears, when the refresh token is sent, in
/// seconds, with the status of the answer, and what the session is like after half a minute.
struct Story(&'static str, &'static [&'static str], &'static [(u64, Option<u16>)], Session);

/// Every switch has a row, in its order.
#[rustfmt::skip]
const STORIES: [Story; 23] = {
    use Session::*;
    const ONCE: &[(u64, Option<u16>)] = &[(0, Some(200))];
    const TWICE_UNSEEN: &[(u64, Option<u16>)] = &[(0, None), (1, None)];
    const SPENT: &[(u64, Option<u16>)] = &[(0, Some(200)), (1, Some(400))];
    [
        Story("refresh-request-lost", &["token.unreachable", "token.unreachable"], TWICE_UNSEEN, Unrenewable),
        Story("refresh-answer-lost", &["token.unreachable", "over: session.answer_lost"], &[(0, None), (1, Some(400))], Over),
        Story("refresh-slow", &["token.timeout", "over: session.answer_lost"], &[(0, None), (21, Some(400))], Over),
        Story("refresh-429", &["token.refused"], &[(0, Some(429))], Kept),
        Story("refresh-503", &["token.refused"; 5], &[(0, Some(503)), (5, Some(503)), (10, Some(503)), (15, Some(503)), (23, Some(503))], Kept),
        Story("refresh-500", &["token.refused", "token.refused"], &[(0, Some(500)), (1, Some(500))], Unrenewable),
        Story("refresh-html", &["token.html", "over: session.answer_lost"], SPENT, Over),
        Story("refresh-garbage", &["token.malformed", "over: session.answer_lost"], SPENT, Over),
        Story("refresh-redirected", &["token.unreachable", "token.unreachable"], TWICE_UNSEEN, Unrenewable),
        Story("refresh-invalid-grant", &["over: session.expired"], &[(0, Some(400))], Over),
        Story("refresh-invalid-client", &["over: token.refused"], &[(0, Some(401))], Over),
        Story("refresh-not-rotated", &["renewed"], ONCE, Renewed),
        Story("refresh-token-type-other", &["token.unsupported_token_type", "over: session.answer_lost"], SPENT, Over),
        Story("refresh-scope-narrower", &["renewed"], ONCE, Renewed),
        Story("refresh-scope-wider", &["renewed"], ONCE, Renewed),
        Story("refresh-id-token-missing", &["renewed"], ONCE, Renewed),
        Story("refresh-id-token-nonce", &["renewed"], ONCE, Renewed),
        Story("refresh-id-token-nonce-wrong", &["over: id_token.nonce"], ONCE, Over),
        Story("refresh-id-token-iss-wrong", &["over: id_token.iss"], ONCE, Over),
        Story("refresh-id-token-sub-wrong", &["over: id_token.sub"], ONCE, Over),
        Story("refresh-id-token-aud-wrong", &["over: id_token.aud"], ONCE, Over),
        Story("refresh-id-token-auth-time-changed", &["over: id_token.auth_time"], ONCE, Over),
        Story("refresh-id-token-signature-wrong", &["over: id_token.signature"], ONCE, Over),
    ]
};

/// An access token of five minutes is renewed a minute before its end, which is this long after somebody has signed in.
const DUE: u64 = 220;

/// What the app heard since the last time, shortly.
fn heard(world: &mut World) -> Vec<String> {
    let word = |event: SessionEvent| match event {
        SessionEvent::Renewed => "renewed".to_owned(),
        SessionEvent::NotRenewed(error) => error.code().to_owned(),
        SessionEvent::Expired(error) => format!("over: {}", error.code()),
        other => format!("{other:?}"),
    };
    world.take_announced().into_iter().map(word).collect()
}

/// Seconds since `start` and status of each time that a refresh token was sent.
fn sent(world: &World, start: u64) -> Vec<(u64, Option<u16>)> {
    world.presented.iter().map(|it| (it.at - start, it.status)).collect()
}

/// Different refresh tokens that were sent.
fn different(world: &World) -> usize {
    let mut tokens: Vec<_> = world.presented.iter().map(|it| &it.token).collect();
    tokens.sort();
    tokens.dedup();
    tokens.len()
}

/// How the next call of the API ends: its status, or why there is none.
#[track_caller]
fn call(world: &mut World) -> Result<u16, ResourceError> {
    world.call_api();
    world.pass(35);
    world.answered.pop().expect("an answer").map(|response| response.status)
}

/// REF-4, REF-5, REF-6, REF-7: the whole list.
#[test]
fn every_misbehaviour_at_a_refresh_ends_as_it_should() {
    let refresh = ALL.iter().filter(|switch| switch.phase == Phase::Refresh);
    assert_eq!(refresh.map(|switch| switch.name).collect::<Vec<_>>(), STORIES.map(|Story(name, ..)| name));
    for Story(switch, events, times, expected) in STORIES {
        let mut world = signed_in(lasting(), &[switch]);
        let start = world.person.now;
        world.pass(DUE - 1);
        assert_eq!(world.presented.len(), 0, "{switch}: not before it is due");
        world.pass(30);
        assert_eq!(heard(&mut world), events, "{switch}");
        assert_eq!(sent(&world, start + DUE), times, "{switch}");
        assert_eq!(different(&world), 1, "{switch}");
        let generation = world.flow().session(&world.key()).map(|session| session.generation());
        let is_unrenewable = world.flow().is_unrenewable(&world.key());
        let found = match generation {
            None => Session::Over,
            Some(1) => Session::Renewed,
            Some(_) if is_unrenewable => Session::Unrenewable,
            Some(_) => Session::Kept,
        };
        assert_eq!(found, expected, "{switch}");
        // The page works as before: with the token that it has, or by signing in.
        world.switch(&[]);
        if expected == Session::Over {
            assert_eq!(world.end_code(), events.last().and_then(|event| event.strip_prefix("over: ")), "{switch}");
            assert_eq!(call(&mut world), Err(ResourceError::SignedOut), "{switch}");
            world.click_sign_in();
            world.settle();
            assert_eq!((world.error_code(), world.end_code(), world.is_signed_in()), (None, None, true), "{switch}");
        }
        let status = if switch == "refresh-scope-narrower" { 403 } else { 200 };
        assert_eq!(call(&mut world), Ok(status), "{switch}");
    }
}

/// REF-6, REF-7: the server has not seen the token, but nobody can know: it is sent once more, after something harmless was
/// asked, and is good then.
#[test]
fn what_was_lost_on_its_way_is_sent_once_more() {
    for switch in ["refresh-request-lost", "refresh-500", "refresh-redirected"] {
        let mut world = signed_in(lasting(), &[switch]);
        let before = world.asked.len();
        world.renew();
        world.pass(0);
        world.switch(&[]);
        world.pass(5);
        assert_eq!(heard(&mut world).last().map(String::as_str), Some("renewed"), "{switch}");
        let paths = ["token", "jwks", "token"].map(|path| format!("{ISSUER}{path}"));
        assert_eq!(world.asked[before..], paths, "{switch}");
        assert_eq!(different(&world), 1, "{switch}");
        // And the next one as if nothing had been.
        world.renew();
        world.pass(5);
        assert_eq!((heard(&mut world), different(&world)), (vec!["renewed".to_owned()], 2), "{switch}");
    }
}

/// REF-6, RS-12: while nothing can be renewed the token that there is does until it expires; an expired one is not sent.
#[test]
fn a_session_that_cannot_be_renewed_lives_as_long_as_its_token() {
    for switch in ["refresh-request-lost", "refresh-500", "refresh-redirected", "refresh-429", "refresh-503"] {
        let mut world = signed_in(lasting(), &[switch]);
        world.pass(DUE + 30);
        assert_eq!(call(&mut world), Ok(200), "{switch}");
        world.pass(60);
        let asked = |world: &World| world.asked.iter().filter(|url| url.ends_with("/api/photos")).count();
        assert_eq!(call(&mut world), Err(ResourceError::NotRenewed), "{switch}");
        assert_eq!((asked(&world), world.is_signed_in()), (1, true), "{switch}");
    }
}

/// REF-7: a refresh token that is spent without an answer is sent once more, and then the session is over. With
/// `restore` one quiet round trip brings the next one.
#[test]
fn an_answer_that_is_lost_costs_the_session() {
    for switch in ["refresh-answer-lost", "refresh-slow", "refresh-html", "refresh-garbage", "refresh-token-type-other"]
    {
        for restore in [false, true] {
            let mut world = signed_in(ClientSettings { restore, ..lasting() }, &[switch]);
            let person = world.sub();
            world.renew();
            world.pass(45);
            let mut events = heard(&mut world);
            assert_eq!(events.remove(1), "over: session.answer_lost", "{switch}");
            assert_eq!((world.presented.len(), different(&world)), (2, 1), "{switch}");
            if !restore {
                assert_eq!((world.departures, world.is_signed_in(), events.len()), (1, false, 1), "{switch}");
                continue;
            }
            assert_eq!((world.departures, &events[1..]), (2, &["SignedIn".to_owned()][..]), "{switch}");
            assert!(world.left_for[1].as_str().contains("prompt=none"), "{switch}");
            assert_eq!(world.sub(), person, "{switch}");
            assert_eq!(call(&mut world), Ok(200), "{switch}");
        }
    }
}

/// CB-17: where the server shows nothing and wants a page, that was it: nobody is sent around, and it is no error.
#[test]
fn a_quiet_round_trip_that_is_refused_is_the_last() {
    let settings = ClientSettings { restore: true, ..lasting() };
    let mut world = signed_in(settings, &["refresh-answer-lost", "login-required-always"]);
    world.renew();
    world.pass(45);
    assert_eq!((world.departures, world.is_signed_in(), world.error_code()), (2, false, None));
    world.open(None);
    world.pass(600);
    assert_eq!((world.departures, world.is_signed_in(), world.error_code()), (2, false, None));
    // Whoever clicks is asked, and signs in.
    world.click_sign_in();
    world.settle();
    assert!(world.is_signed_in());
}

/// CB-17: what only a page had is asked for once after a reload; where the server wants a page, not again at the next one.
#[test]
fn a_reload_makes_one_quiet_round_trip() {
    let settings = ClientSettings { restore: true, token_storage: None, ..lasting() };
    for (switches, departures) in [(&["login-required-always"][..], 2), (&[], 4)] {
        let mut world = signed_in(settings.clone(), switches);
        for _ in 0..3 {
            world.pass(60);
            world.open(None);
        }
        world.pass(60);
        assert_eq!((world.departures, world.is_signed_in()), (departures, switches.is_empty()), "{switches:?}");
        assert_eq!(world.error_code(), None);
    }
}

/// REF-6, JOSE-11: the keys cannot be had that a renewed ID token is to be verified with: they are asked for less and less
/// often, the refresh token is not sent again, and what it brought is used as soon as they are there.
#[test]
fn an_answer_waits_for_the_keys() {
    for switch in ["keys-500", "keys-lost", "keys-html"] {
        let mut world = signed_in(lasting(), &[]);
        world.pass(2 * 3_600);
        // What the last page has kept of them is too old.
        world.open(None);
        let (asked, sent) = (world.asked.len(), world.presented.len());
        world.take_announced();
        world.switch(&[switch]);
        world.renew();
        world.pass(100);
        let keys = world.asked[asked..].iter().filter(|url| url.ends_with("/jwks")).count();
        assert!((2..25).contains(&keys), "{switch}: {keys}");
        world.switch(&[]);
        world.pass(125);
        assert_eq!(heard(&mut world).last().map(String::as_str), Some("renewed"), "{switch}");
        assert_eq!(world.presented.len(), sent + 1, "{switch}");
        assert_eq!(call(&mut world), Ok(200), "{switch}");
    }
}

/// REF-6, RS-11: a busy server is left alone for as long as it says, whoever wants tokens meanwhile; then the same token is
/// good.
#[test]
fn a_busy_server_is_left_alone() {
    for (switch, delay) in [("refresh-429", 30), ("refresh-503", 5)] {
        let mut world = signed_in(lasting(), &[switch]);
        for _ in 0..200 {
            world.renew();
            world.resume();
            world.pass(1);
        }
        let times: Vec<u64> = world.presented.iter().map(|it| it.at).collect();
        assert!(times.len() > 4 && times.windows(2).all(|pair| pair[1] - pair[0] >= delay), "{switch}: {times:?}");
        world.switch(&[]);
        world.pass(90);
        assert_eq!(heard(&mut world).last().map(String::as_str), Some("renewed"), "{switch}");
        assert_eq!(different(&world), 1, "{switch}");
    }
}

/// REF-5, RS-12: the session is over with one event; nothing is sent any more, whatever wants it, also after a reload.
#[test]
fn a_refusal_is_final() {
    for (switch, code) in [("refresh-invalid-grant", "session.expired"), ("refresh-invalid-client", "token.refused")] {
        for restore in [false, true] {
            let mut world = signed_in(ClientSettings { restore, ..lasting() }, &[switch]);
            world.renew();
            for _ in 0..3 {
                world.renew();
                world.call_api();
                world.pass(3_600);
                world.resume();
            }
            world.open(None);
            world.pass(60);
            assert_eq!(heard(&mut world), [format!("over: {code}")], "{switch}");
            assert_eq!((world.presented.len(), world.departures, world.is_signed_in()), (1, 1, false), "{switch}");
        }
    }
}

/// REF-1, TOK-11: a server that gives no other refresh token means the one that there is.
#[test]
fn a_refresh_token_that_is_not_replaced_is_kept() {
    let mut world = signed_in(lasting(), &["refresh-not-rotated"]);
    for count in 1..4 {
        world.renew();
        world.pass(2);
        assert_eq!((world.presented.len(), different(&world)), (count, 1));
    }
    world.switch(&[]);
    world.open(None);
    for count in 1..4 {
        world.renew();
        world.pass(2);
        assert_eq!(different(&world), count);
    }
    assert!(world.presented.iter().all(|it| it.status == Some(200)));
}

/// REF-13: without an ID token the person is the one that it was. REF-4: and with one that repeats the nonce.
#[test]
fn lawful_answers_leave_the_person_as_it_was() {
    for switch in ["refresh-id-token-missing", "refresh-id-token-nonce", "keys-rotated"] {
        let mut world = signed_in(lasting(), &[switch]);
        let person = world.sub();
        world.renew();
        world.pass(2);
        assert_eq!(heard(&mut world), ["renewed"], "{switch}");
        world.ask_userinfo();
        world.pass(2);
        let session = world.flow().session(&world.key()).expect("a session");
        let about = session.userinfo().map(|claims| claims.sub().to_owned());
        assert_eq!((world.sub(), about), (person.clone(), person), "{switch}");
    }
}

/// REF-4, TOK-17: of an answer with a wrong ID token nothing is used: calls that waited for its access token are not made.
#[test]
fn nothing_is_used_of_an_answer_with_a_wrong_id_token() {
    let is_wrong = |Story(name, _, _, end): &Story| name.contains("id-token") && *end == Session::Over;
    for Story(switch, ..) in STORIES.into_iter().filter(is_wrong) {
        let mut world = signed_in(lasting(), &[switch]);
        let before = world.asked.len();
        world.doze(3_600);
        world.call_api();
        world.ask_userinfo();
        world.pass(60);
        assert!(matches!(&world.answered[..], [Err(ResourceError::SignedOut)]), "{switch}");
        let is_other = |url: &&String| !url.ends_with("/token") && !url.ends_with("/jwks");
        assert_eq!(world.asked[before..].iter().find(is_other), None, "{switch}");
        assert_eq!(world.presented.len(), 1, "{switch}");
        world.open(None);
        assert!(!world.is_signed_in(), "{switch}: no record is left");
    }
}

/// TOK-9, A48: the session says what was granted last.
#[test]
fn the_scope_of_a_refresh_is_shown() {
    let everything = "openid profile email photos:read photos:write offline_access";
    for (switch, granted) in [("refresh-scope-narrower", "openid"), ("refresh-scope-wider", everything)] {
        let mut world = signed_in(lasting(), &[switch]);
        world.renew();
        world.pass(2);
        let session = world.flow().session(&world.key()).expect("a session");
        assert_eq!(session.granted_scope().map(|scope| scope.as_str()), Some(granted), "{switch}");
        let [refused, unrequested] = [session.refused_scope(), session.unrequested_scope()];
        assert_eq!((refused.is_empty(), unrequested.is_empty()), (granted == everything, granted == "openid"));
        world.switch(&[]);
        world.renew();
        world.pass(2);
        let session = world.flow().session(&world.key()).expect("a session");
        assert_eq!(session.granted_scope().map(|scope| scope.as_str()), Some("openid offline_access photos:read"));
    }
}

/// REF-8, RS-7: tokens that live five seconds are renewed in time, each refresh token once, and no call meets an old one.
#[test]
fn tokens_that_live_shortly_are_renewed_in_time() {
    let mut world = signed_in(lasting(), &["token-lifetime-short"]);
    world.renew();
    for _ in 0..120 {
        world.pass(1);
        world.call_api();
    }
    world.pass(2);
    assert_eq!(world.answered.len(), 120);
    assert!(world.answered.iter().all(|answer| answer.as_ref().is_ok_and(|response| response.status == 200)));
    assert_eq!((world.presented.len(), different(&world)), (31, 31));
    assert_eq!(world.asked.iter().filter(|url| url.ends_with("/api/photos")).count(), 120);
}

/// REF-8: a computer that slept wakes up with a token of yesterday: one refresh, and the call is made with what it brings.
#[test]
fn after_sleep_there_is_one_refresh() {
    let mut world = signed_in(lasting(), &[]);
    world.doze(10 * 3_600);
    world.call_api();
    world.resume();
    world.resume();
    assert_eq!(call(&mut world), Ok(200));
    assert!(matches!(world.answered.pop(), Some(Ok(response)) if response.status == 200));
    assert_eq!((world.presented.len(), heard(&mut world)), (1, vec!["renewed".to_owned()]));
    // After more than a day the server has forgotten the refresh token.
    world.doze(30 * 3_600);
    world.resume();
    assert_eq!(call(&mut world), Err(ResourceError::SignedOut));
    assert_eq!(heard(&mut world), ["over: session.expired"]);
}

/// TOK-11, REF-11: without a refresh token nothing is renewed, and the session is none the worse until it expires; then
/// whoever restores comes back quietly.
#[test]
fn a_session_without_a_refresh_token_ends_with_its_token() {
    for (restore, scope, switches) in [
        (false, lasting().scope, &["refresh-token-missing"][..]),
        (true, lasting().scope, &["refresh-token-missing"]),
        (false, settings().scope, &[]),
        (true, settings().scope, &[]),
    ] {
        let mut world = signed_in(ClientSettings { restore, scope, ..lasting() }, &[]);
        world.sign_out();
        world.pass(5);
        world.switch(switches);
        world.click_sign_in();
        world.settle();
        world.take_announced();
        assert_eq!(call(&mut world), Ok(200));
        world.pass(400);
        assert_eq!((world.presented.len(), world.departures, world.is_signed_in()), (0, 2, true));
        if restore {
            // The call waits for the way back, and is gone with its page.
            world.call_api();
            world.pass(35);
            assert_eq!(world.answered.len(), 0);
        } else {
            assert_eq!(call(&mut world), Ok(401));
        }
        assert_eq!((world.departures, world.is_signed_in()), (if restore { 3 } else { 2 }, true));
        assert_eq!(call(&mut world), Ok(if restore { 200 } else { 401 }));
    }
}

/// DP-4, DP-7: bound tokens are renewed with the same key; a server that wants a nonce first has not looked at the token.
#[test]
fn a_bound_session_is_renewed_with_its_key() {
    let mut world = signed_in(ClientSettings { dpop: true, ..lasting() }, &[]);
    world.renew();
    world.pass(2);
    world.switch(&["dpop-nonce"]);
    world.renew();
    world.pass(2);
    let statuses: Vec<_> = world.presented.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [Some(200), Some(400), Some(200)]);
    assert_eq!((different(&world), heard(&mut world)), (2, vec!["renewed".to_owned(); 2]));
    assert_eq!(call(&mut world), Ok(200));
}

/// REF-7, REF-10: a page that ends while the answer is on its way leaves a mark, and the next one knows: it sends the token
/// once more, and then never again. A session of the page alone is simply gone.
#[test]
fn a_page_that_ends_while_it_renews_leaves_a_mark() {
    for (token_storage, switches) in
        [("session", &["refresh-slow"][..]), ("session", &["refresh-request-lost"]), ("memory", &[])]
    {
        let settings = ClientSettings { token_storage: Some(token_storage.to_owned()), ..lasting() };
        let mut world = signed_in(settings, switches);
        world.renew();
        // The request arrives, and its answer finds nobody.
        world.step();
        world.switch(&[]);
        world.open(None);
        world.pass(DUE + 80);
        match switches {
            ["refresh-slow"] => assert_eq!(heard(&mut world), ["over: session.answer_lost"]),
            ["refresh-request-lost"] => assert_eq!(heard(&mut world), ["renewed"]),
            _ => assert_eq!((heard(&mut world), world.is_signed_in()), (Vec::new(), false)),
        }
        let expected = if token_storage == "session" { 2 } else { 1 };
        assert_eq!((world.presented.len(), different(&world)), (expected, 1), "{switches:?}");
    }
}
