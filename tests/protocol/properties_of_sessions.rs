//! Properties of what keeps sessions: nothing that arrives from storage or another tab panics, and nothing is lost on the way.

use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::end_session::came_back;
use leptos_pkce::protocol::flow::{CallId, Event};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::renewal::{Answer, Found, Input, Lock, Output, Renewal, Written};
use leptos_pkce::protocol::revocation::revoked;
use leptos_pkce::protocol::secret::State;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::tab_message::{News, TabMessage};
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use leptos_pkce::protocol::token_response::{TokenResponse, TokenType};
use leptos_pkce::protocol::url::SchemePolicy;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::answers::{document, html, lost, refusal, status};
use crate::browser::{Browser, Server};
use crate::properties::{for_all, json_value};
use crate::refresh::{FIRST, kept_in, tokens};
use crate::refresh_faults::with_headers;
use crate::scenario::{API, ISSUER, OTHER_ISSUER, Scenario, StorageFault, TOKEN_ENDPOINT, as_json, key, value};

/// Texts that may be messages, or resemble one.
fn texts() -> impl Strategy<Value = String> {
    let news = prop_oneof![
        select(vec![json!("changed"), json!("signed_out"), json!("active"), json!("x"), json!(null)]),
        json_value()
    ];
    let issuer =
        prop_oneof![select(vec![json!(ISSUER), json!("http://as.example"), json!("x"), json!(5)]), json_value()];
    let at = prop_oneof![any::<u64>().prop_map(|at| json!(at)), any::<f64>().prop_map(|at| json!(at)), json_value()];
    let message = (news, issuer, at, json_value()).prop_map(|(news, issuer, at, more)| {
        json!({ "news": news, "issuer": issuer, "client_id": "spa", "at": at, "more": more }).to_string()
    });
    prop_oneof![".{0,80}", json_value().prop_map(|value| value.to_string()), message]
}

/// WEB-17: whatever another tab says, nothing panics; and what is a message says the same when it is said again.
#[test]
fn no_text_makes_the_reader_of_messages_panic() {
    for_all((texts(), any::<u64>()), |(text, now)| {
        if let Some(message) = TabMessage::parse(&text, SchemePolicy::HttpsOnly) {
            prop_assert_eq!(TabMessage::parse(&message.encode(), SchemePolicy::HttpsOnly), Some(message));
        }
        let mut tab = Scenario::public_client().configured("idle_timeout", json!(60)).open();
        tab.now = now % 10_000_000_000;
        tab.happen(Event::Heard(text));
        Ok(())
    });
}

/// WEB-17: a message says what it is about, and nothing else.
#[test]
fn messages_survive_their_encoding() {
    for (news, text) in [
        (News::Changed, r#"{"news":"changed","issuer":"https://as.example","client_id":"spa"}"#),
        (
            News::SignedOut(UnixTime(7)),
            r#"{"news":"signed_out","issuer":"https://as.example","client_id":"spa","at":7}"#,
        ),
        (News::Active(UnixTime(8)), r#"{"news":"active","issuer":"https://as.example","client_id":"spa","at":8}"#),
    ] {
        let message = TabMessage { key: key(ISSUER), news };
        assert_eq!(message.encode(), text);
        assert_eq!(TabMessage::parse(text, SchemePolicy::HttpsOnly), Some(message));
    }
    let other = TabMessage { key: key(OTHER_ISSUER), news: News::Changed };
    assert_eq!(TabMessage::parse(&other.encode(), SchemePolicy::HttpsOnly), Some(other));
    let loopback = r#"{"news":"changed","issuer":"http://localhost:9000","client_id":"spa"}"#;
    assert!(TabMessage::parse(loopback, SchemePolicy::HttpOnLoopback).is_some());
    assert!(TabMessage::parse(loopback, SchemePolicy::HttpsOnly).is_none());
}

/// OUT-5, WEB-2: whatever stands in the record of a sign-out, nobody panics, and only its state confirms.
#[test]
fn no_record_makes_the_return_from_a_sign_out_panic() {
    let member = |name: &'static str| (Just(name), prop_oneof![json_value(), any::<u64>().prop_map(|n| json!(n))]);
    let records = prop_oneof![
        json_value(),
        vec(prop_oneof![member("version"), member("created_at"), member("state")], 0..4)
            .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    ];
    for_all((records, proptest::option::of(".{0,20}"), any::<u64>()), |(record, state, now)| {
        let state = state.map(|state: String| State::new(state));
        let _ = came_back(&value(&record.to_string()), state.as_ref(), UnixTime(now));
        Ok(())
    });
}

/// WEB-2, F21: nothing that stands in the place of a record keeps a page from beginning.
#[test]
fn no_record_keeps_a_page_from_beginning() {
    let names = ["session", "restore", "metadata", "keys", "signed-out", "active"];
    let names: Vec<String> = names.iter().map(|kind| format!("leptos-pkce {kind} {ISSUER} spa")).collect();
    let names = [names, vec!["leptos-pkce automatic".into(), "leptos-pkce sign-out".into()]].concat();
    let storages = select(vec!["memory", "session", "shared"]);
    for_all((select(names), json_value(), storages, any::<u64>()), |(name, record, storage, at)| {
        let mut tab = Scenario::public_client()
            .configured("token_storage", json!(storage))
            .configured("restore", json!(true))
            .configured("idle_timeout", json!(60))
            .open();
        for record in [record, json!({ "version": 1, "at": at, "created_at": at, "times": [at] })] {
            for records in [&mut tab.storage.records, &mut tab.storage.of_origin] {
                records.insert(name.clone(), record.to_string());
            }
            tab.shared.insert(name.clone(), ("x".into(), record.to_string()));
            tab.reload();
            tab.happen(Event::Restored);
            tab.pass(100);
            prop_assert!(tab.session().is_none());
        }
        Ok(())
    });
}

/// The answers of a token endpoint that hold tokens.
fn responses() -> impl Strategy<Value = TokenResponse> {
    let text = "[!-~]{1,20}";
    let parts = (
        text,
        proptest::option::of(text),
        proptest::option::of(0_u64..10_000_000),
        proptest::option::of("[a-z:]{1,8}( [a-z:]{1,8}){0,2}"),
    );
    parts.prop_map(|(access_token, refresh_token, expires_in, scope)| {
        let mut body = json!({ "access_token": access_token, "token_type": "Bearer" });
        let members = [("refresh_token", refresh_token.map(|it| json!(it))), ("scope", scope.map(|it| json!(it)))];
        for (name, value) in members.into_iter().chain([("expires_in", expires_in.map(|it| json!(it)))]) {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        TokenResponse::read(document(body.to_string()), TokenType::Bearer).expect("tokens")
    })
}

/// REF-1, REF-13, F26: what an answer does not bring stays as it was; what it brings is there; and nothing else changes.
#[test]
fn renewing_keeps_what_the_answer_does_not_bring() {
    let tab = Scenario::public_client().openid().configured("token_storage", json!("session")).run();
    let first = tab.session().expect("a session").clone();
    for_all(vec((responses(), 0_u64..10_000_000_000), 1..6), |answers| {
        let mut session = first.clone();
        for (index, (response, sent_at)) in answers.into_iter().enumerate() {
            let before = session.clone();
            session.renew(response.clone(), None, UnixTime(sent_at));
            prop_assert_eq!(session.access_token(), &response.access_token);
            prop_assert_eq!(
                session.has_refresh_token(),
                response.refresh_token.is_some() || before.has_refresh_token()
            );
            prop_assert_eq!(session.granted_scope(), response.scope.as_ref().or_else(|| before.granted_scope()));
            prop_assert_eq!(session.claims(), before.claims());
            prop_assert_eq!(session.lifetime(), response.expires_in);
            prop_assert_eq!(session.obtained_at(), UnixTime(sent_at));
            prop_assert_eq!(session.generation(), index as u64 + 1);
            let same = |session: &Session| {
                let storage = session.token_storage();
                (session.key().clone(), session.signed_in_at(), session.requested_scope().cloned(), storage)
            };
            prop_assert_eq!(same(&session), same(&before));
            // And all of it is in the record.
            let record = value(&session.encode().to_text());
            let read = Session::decode(&record, &key(ISSUER), TokenStorage::Session, SchemePolicy::HttpsOnly);
            let read = read.expect("it was written so");
            prop_assert_eq!(as_json(&read.encode()), as_json(&session.encode()));
            prop_assert_eq!(read.access_token(), session.access_token());
            prop_assert_eq!((read.expires_at(), read.obtained_at()), (session.expires_at(), session.obtained_at()));
        }
        Ok(())
    });
}

/// REF-8, REF-9: tokens are due before they expire, by a minute or a quarter at most, and never later; before the moment that
/// their lifetime counts from they are due too.
#[test]
fn tokens_are_due_before_they_expire() {
    let first = kept_in("memory").session().expect("a session").clone();
    for_all((0_u64..10_000_000, 0_u64..1_000, any::<u32>()), |(lifetime, skew, at)| {
        let mut session = first.clone();
        let body = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": lifetime }).to_string();
        let response = TokenResponse::read(document(body), TokenType::Bearer).expect("tokens");
        let start = 1_000_000 + u64::from(at);
        session.renew(response, None, UnixTime(start));
        let due = session.due_at(Seconds(skew)).expect("it has a lifetime");
        prop_assert_eq!(due.0, start + lifetime - skew.min(lifetime / 4));
        prop_assert!(!session.is_due(UnixTime(due.0.saturating_sub(1)), Seconds(skew)) || due.0 == start);
        prop_assert!(session.is_due(due, Seconds(skew)) && session.is_due(UnixTime(start - 1), Seconds(skew)));
        prop_assert!(session.is_expired(UnixTime(start + lifetime)) && session.is_expired(UnixTime(start - 1)));
        prop_assert!(lifetime == 0 || !session.is_expired(UnixTime(start + lifetime - 1)));
        Ok(())
    });
}

/// OUT-2: whatever a revocation endpoint answers, nothing panics.
#[test]
fn no_answer_makes_the_reader_of_revocations_panic() {
    let header = prop_oneof![Just("retry-after"), Just("date"), Just("content-type")];
    for_all((any::<u16>(), vec((header, ".{0,30}"), 0..3), ".{0,40}"), |(status, headers, body)| {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let _ = revoked(&Ok(HttpResponse { status, headers, body: body.into_bytes() }), UnixTime(1));
        Ok(())
    });
}

fn inputs() -> impl Strategy<Value = Input> {
    let found = prop_oneof![
        Just(Found::Gone),
        Just(Found::Newer),
        (0..4_u32, any::<bool>()).prop_map(|(presented, is_recent)| Found::Same { presented, is_recent }),
    ];
    let written = select(vec![Written::Done, Written::Conflict, Written::Failed]);
    let answers = vec![
        Answer::Tokens,
        Answer::NotNow(Seconds(7)),
        Answer::NotNow(Seconds(u64::MAX)),
        Answer::Unclear,
        Answer::InvalidGrant,
        Answer::Refused,
        Answer::Unusable,
    ];
    prop_oneof![
        select(vec![Input::Wanted, Input::Hint, Input::Resumed, Input::Ended]),
        select(vec![Lock::Held, Lock::Without, Lock::Foreign]).prop_map(Input::Locked),
        found.prop_map(Input::Found),
        any::<bool>().prop_map(Input::Probed),
        written.clone().prop_map(Input::Marked),
        select(answers).prop_map(Input::Answered),
        written.prop_map(Input::Stored),
    ]
}

/// REF-2, REF-7, REF-10: whatever a page is told, in whatever order: it sends only what it has marked, publishes only what it
/// has stored, lets go of each lock that it got, and asks one question at a time.
#[test]
fn whatever_a_page_is_told_its_order_is_kept() {
    for_all(vec((inputs(), any::<u32>(), any::<u32>()), 0..80), |steps| {
        let mut renewal = Renewal::default();
        let (mut is_marked, mut is_stored, mut is_locked, mut waits) = (false, false, false, false);
        for (input, now, seed) in steps {
            let was_over = renewal.is_over();
            let outputs = renewal.advance(input, UnixTime(u64::from(now)), seed);
            let asks = |output: &&Output| {
                matches!(
                    output,
                    Output::Lock | Output::Read | Output::Probe | Output::Mark(_) | Output::Send | Output::Store
                )
            };
            prop_assert!(outputs.iter().filter(asks).count() <= 1, "{outputs:?}");
            is_marked |= input == Input::Marked(Written::Done);
            is_stored |= matches!(input, Input::Stored(_));
            is_locked |= waits && input == Input::Locked(Lock::Held);
            waits &= !matches!(input, Input::Locked(_) | Input::Ended);
            waits |= outputs.contains(&Output::Lock);
            for output in outputs {
                match output {
                    Output::Send => prop_assert!(std::mem::take(&mut is_marked), "{input:?}"),
                    Output::Publish => prop_assert!(std::mem::take(&mut is_stored), "{input:?}"),
                    Output::Unlock => prop_assert!(std::mem::take(&mut is_locked) || was_over, "{input:?}"),
                    Output::Mark(presented) => prop_assert!(presented <= 2, "{presented}"),
                    _ => {}
                }
            }
            prop_assert!(!is_locked || renewal.is_under_way(), "a lock is kept: {input:?}");
        }
        Ok(())
    });
}

/// What may happen to a page that keeps a session.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Answers(usize),
    Call,
    Active,
    Clock(i64),
    Heard(u8),
    Pass(u16),
    Reload,
    Renew,
    Restored,
    Resumed,
    SharedFault(bool),
    SignIn,
    SignOut,
    SignOutAtServer,
    StorageFault(bool),
}

fn happenings() -> impl Strategy<Value = Happening> {
    use Happening as H;
    prop_oneof![
        (0..8_usize).prop_map(H::Answers),
        (-5_000..5_000_i64).prop_map(H::Clock),
        (0..3_u8).prop_map(H::Heard),
        (0..5_000_u16).prop_map(H::Pass),
        any::<bool>().prop_map(H::SharedFault),
        any::<bool>().prop_map(H::StorageFault),
        select(vec![
            H::Call,
            H::Active,
            H::Reload,
            H::Renew,
            H::Restored,
            H::Resumed,
            H::SignIn,
            H::SignOut,
            H::SignOutAtServer
        ]),
    ]
}

fn outcomes() -> [Option<Result<HttpResponse, HttpFailure>>; 8] {
    [
        Some(tokens("new", Some("next"), 3600)),
        Some(tokens("new", None, 60)),
        Some(lost()),
        Some(status(503)),
        Some(with_headers(429, &[("retry-after", "30")])),
        Some(html(200)),
        Some(refusal("invalid_grant")),
        None,
    ]
}

/// OPS-3, REF-6, RS-12, OUT-3, F12: whatever happens in whatever order: nothing panics, nobody is woken without end, each call is
/// answered once at most, and after a sign-out there is neither a session nor a token anywhere.
#[test]
fn whatever_happens_to_a_page_it_stays_sound() {
    let storages = select(vec!["memory", "session", "shared"]);
    for_all((storages, vec(happenings(), 1..30)), |(storage, happenings)| {
        let scenario = Scenario::public_client()
            .configured("token_storage", json!(storage))
            .configured("idle_timeout", json!(3000))
            .metadata("revocation_endpoint", json!("https://as.example/revoke"));
        let mut tab = scenario.run();
        let mut calls = 0;
        for happening in happenings {
            match happening {
                Happening::Answers(index) => match outcomes()[index].clone() {
                    Some(outcome) => tab.answering(TOKEN_ENDPOINT, outcome),
                    None => drop(tab.silence(TOKEN_ENDPOINT)),
                },
                Happening::Call => {
                    calls += 1;
                    tab.answering(API, status(if calls % 3 == 0 { 401 } else { 200 }));
                    tab.call(calls, API);
                }
                Happening::Active => tab.happen(Event::Active),
                Happening::Clock(by) => tab.now = tab.now.saturating_add_signed(by),
                Happening::Heard(kind) => {
                    let at = UnixTime(tab.now);
                    let news = [News::Changed, News::Active(at), News::SignedOut(at)][usize::from(kind)];
                    tab.happen(Event::Heard(TabMessage { key: key(ISSUER), news }.encode()));
                }
                Happening::Pass(seconds) => {
                    let seconds = u64::from(seconds);
                    let woken = tab.pass(seconds) as u64;
                    prop_assert!(woken <= seconds / 2 + 10, "woken {woken} times in {seconds} s");
                }
                Happening::Reload => tab.reload(),
                Happening::Renew => tab.happen(Event::Renew(key(ISSUER))),
                Happening::Restored => tab.happen(Event::Restored),
                Happening::Resumed => tab.happen(Event::Resumed),
                Happening::SharedFault(is_blocked) => tab.shared_is_blocked = is_blocked,
                Happening::SignIn => {
                    tab.sign_in();
                    tab.come_back("code=x&state={state}", "");
                }
                Happening::SignOut | Happening::SignOutAtServer => {
                    if matches!(happening, Happening::SignOut) {
                        tab.sign_out();
                    } else {
                        let entropy = Ok(crate::scenario::octets(9));
                        tab.happen(Event::SignOutAtServer { key: key(ISSUER), entropy });
                    }
                    prop_assert!(tab.session().is_none());
                    tab.pass(5);
                    let everything = format!("{:?}{:?}", tab.storage.records, tab.storage.of_origin);
                    let is_clean = !everything.contains("access_token") && tab.storage.names("session").is_empty();
                    prop_assert!(is_clean || tab.storage.fault.is_some(), "{everything}");
                    prop_assert!(tab.locks.is_empty(), "{:?}", tab.locks);
                    prop_assert!(tab.shared.is_empty() || tab.shared_is_blocked, "{:?}", tab.shared);
                }
                Happening::StorageFault(is_full) => tab.storage.fault = is_full.then_some(StorageFault::Full),
            }
        }
        let mut answered: Vec<u64> = tab.answered.iter().map(|(CallId(call), _)| *call).collect();
        answered.sort_unstable();
        let count = answered.len();
        answered.dedup();
        prop_assert_eq!(count, answered.len(), "a call was answered twice");
        Ok(())
    });
}

/// REF-1, REF-7, A27: at a server that takes a second presentation for theft, whatever network and page do, no token is presented
/// more than twice, and twice only after an answer was lost.
#[test]
fn no_token_is_presented_twice_without_a_lost_answer() {
    let storages = select(vec!["memory", "session", "shared"]);
    let steps = vec((any::<bool>(), 0..5_000_u64, any::<bool>(), any::<bool>()), 1..20);
    for_all((storages, steps), |(storage, steps)| {
        let mut tab = kept_in(storage);
        let server = Server::new(FIRST);
        tab.server = Some(server.clone());
        let mut has_lost = false;
        for (is_lost, seconds, is_reloaded, is_wished) in steps {
            has_lost |= is_lost;
            server.lose_answers(is_lost);
            if is_wished {
                tab.happen(Event::Renew(key(ISSUER)));
            }
            if is_reloaded && storage != "memory" {
                tab.reload();
            }
            tab.pass(seconds);
        }
        let mut presented = server.presented();
        presented.sort();
        let most = presented.chunk_by(|one, other| one == other).map(<[String]>::len).max().unwrap_or(0);
        prop_assert!(most <= 1 + usize::from(has_lost), "{:?}", server.presented());
        Ok(())
    });
}

/// What may happen to one of three tabs; the others have time only when the browser comes to rest.
#[derive(Clone, Copy, Debug)]
enum InTab {
    Call,
    LoseAnswers(bool),
    Pass(u16),
    Reload,
    Renew,
    Rest,
    Resumed,
    SignIn,
    SignOut,
    Sleep(u16),
}

fn in_tabs() -> impl Strategy<Value = Vec<(usize, InTab)>> {
    use InTab as T;
    let step = prop_oneof![
        3 => (0..5_000_u16).prop_map(T::Pass),
        2 => (0..20_000_u16).prop_map(T::Sleep),
        1 => any::<bool>().prop_map(T::LoseAnswers),
        8 => select(vec![T::Call, T::Reload, T::Renew, T::Rest, T::Rest, T::Resumed]),
        1 => select(vec![T::SignIn, T::SignOut]),
    ];
    vec((0..3_usize, step), 1..25)
}

/// REF-2, REF-7, A27, OUT-3, F17: whatever three tabs that share a session do, and whenever the others hear of it: no token is
/// presented twice without a lost answer, all tabs agree once they have come to rest, and after a sign-out nobody is signed in.
#[test]
fn tabs_that_share_a_session_agree() {
    for_all((in_tabs(), any::<bool>()), |(steps, has_messages)| {
        let scenario = Scenario::public_client().configured("token_storage", json!("shared"));
        let mut browser = Browser::signed_in(&scenario, 3);
        browser.has_messages = has_messages;
        let server = Server::new(FIRST);
        let (mut has_lost, mut sign_ins) = (false, 0);
        (0..3).for_each(|index| browser.on_its_own(index, |tab| tab.server = Some(server.clone())));
        for (index, step) in steps {
            match step {
                InTab::LoseAnswers(are_lost) => {
                    has_lost |= are_lost;
                    server.lose_answers(are_lost);
                }
                InTab::Rest => browser.settle(),
                InTab::SignIn => {
                    sign_ins += 1;
                    let token = format!("family-{sign_ins}");
                    server.begin(&token);
                    browser.on_its_own(index, |tab| {
                        tab.answering(TOKEN_ENDPOINT, tokens("signed-in", Some(&token), 3600));
                        tab.now += 5;
                        tab.sign_in();
                        tab.come_back("code=x&state={state}", "");
                    });
                }
                InTab::SignOut => {
                    browser.on_its_own(index, |tab| {
                        tab.now += 5;
                        tab.sign_out();
                    });
                    browser.settle();
                    for index in 0..3 {
                        if !has_messages {
                            browser.in_tab(index, |tab| tab.happen(Event::Restored));
                        }
                        prop_assert!(browser.tab(index).session().is_none(), "tab {index} is signed in");
                    }
                    prop_assert!(browser.tab(0).shared.is_empty());
                }
                _ => browser.on_its_own(index, |tab| match step {
                    InTab::Call => tab.call(1, API),
                    InTab::Pass(seconds) => drop(tab.pass(seconds.into())),
                    InTab::Reload => tab.reload(),
                    InTab::Renew => tab.happen(Event::Renew(key(ISSUER))),
                    InTab::Sleep(seconds) => tab.sleep(seconds.into()),
                    _ => tab.happen(Event::Resumed),
                }),
            }
        }
        browser.settle();
        server.lose_answers(false);
        // Once for what is due by now, and again for what came of it.
        for index in [0, 1, 2].repeat(4) {
            browser.in_tab(index, |tab| tab.sleep(5));
            browser.in_tab(index, |tab| tab.happen(Event::Restored));
        }
        let session = |index: usize| browser.tab(index).session().map(|it| it.access_token().expose().to_owned());
        prop_assert!((0..3).all(|index| session(index) == session(0)), "{:?}", (0..3).map(session).collect::<Vec<_>>());
        prop_assert!((0..3).all(|index| browser.tab(index).locks.is_empty()), "a lock is kept");
        let mut presented = server.presented();
        presented.sort();
        let most = presented.chunk_by(|one, other| one == other).map(<[String]>::len).max().unwrap_or(0);
        prop_assert!(most <= 1 + usize::from(has_lost), "{:?}", server.presented());
        Ok(())
    });
}
