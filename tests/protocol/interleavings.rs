//! Clicks, reloads, answers, forgeries and sign-outs in any order: the contracts hold after every step.

use leptos_pkce::protocol::flow::{Activity, Event, Intent};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::answers::{TOKENS, document, lost, refusal};
use crate::properties::for_all;
use crate::scenario::{API, ISSUER, Scenario, TOKEN_ENDPOINT, Tab, key};

/// What a person, a server or an attacker does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    SignIn,
    ShowLink,
    Cancel,
    SignOut,
    PageRestored,
    Woke,
    Reload,
    ComeBack,
    ComeBackRefused,
    ComeBackForged,
    TokensArrive,
    RefusalArrives,
    AnswerIsLost,
    CallApi,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    prop_oneof![
        3 => Just(SignIn),
        1 => Just(ShowLink),
        1 => Just(Cancel),
        1 => Just(SignOut),
        1 => Just(PageRestored),
        1 => Just(Woke),
        2 => Just(Reload),
        4 => Just(ComeBack),
        1 => Just(ComeBackRefused),
        1 => Just(ComeBackForged),
        4 => Just(TokensArrive),
        1 => Just(RefusalArrives),
        1 => Just(AnswerIsLost),
        1 => Just(CallApi),
        2 => (0..4000_u64).prop_map(Wait),
    ]
}

/// Does it, as far as it is possible now.
fn take(tab: &mut Tab, step: Step) {
    let is_sent = !tab.sent_to(TOKEN_ENDPOINT).is_empty();
    let was_left = !tab.navigations.is_empty();
    match step {
        Step::SignIn => tab.sign_in(),
        Step::ShowLink => tab.ask(key(ISSUER), None, Intent::Show),
        Step::Cancel => tab.happen(Event::CancelSignIn),
        Step::SignOut => tab.sign_out(),
        Step::PageRestored => tab.happen(Event::Restored),
        Step::Woke => tab.happen(Event::Woke),
        Step::Reload => tab.reload(),
        // One code for each request, as servers give them.
        Step::ComeBack if was_left => tab.come_back("code=code-{state}&state={state}", ""),
        Step::ComeBackRefused if was_left => tab.come_back("error=access_denied&state={state}", ""),
        Step::ComeBackForged => tab.redirected("code=forged&state=forged", ""),
        Step::TokensArrive if is_sent => tab.arrive(TOKEN_ENDPOINT, document(TOKENS)),
        Step::RefusalArrives if is_sent => tab.arrive(TOKEN_ENDPOINT, refusal("invalid_grant")),
        Step::AnswerIsLost if is_sent => tab.arrive(TOKEN_ENDPOINT, lost()),
        Step::CallApi => tab.call(tab.sent.len() as u64, API),
        Step::Wait(seconds) => tab.now += seconds,
        _ => {}
    }
}

/// CB-2, CB-3, TOK-14, AUT-15, OUT-3: no order of events sends a code twice, believes a forgery, or keeps what was
/// forgotten.
#[test]
fn the_contracts_hold_in_any_order_of_events() {
    let scenario =
        Scenario::public_client().configured("token_storage", json!("session")).silent(TOKEN_ENDPOINT).silent(API);
    for_all(vec(step(), 1..30), |steps| {
        let mut tab = scenario.open();
        for step in steps {
            let was_signed_in = tab.session().is_some();
            take(&mut tab, step);

            let mut bodies: Vec<_> = tab.sent_to(TOKEN_ENDPOINT).iter().map(|request| request.body.clone()).collect();
            let sent = bodies.len();
            bodies.sort();
            bodies.dedup();
            prop_assert_eq!(bodies.len(), sent, "a code was sent twice");
            prop_assert!(!bodies.iter().flatten().any(|body| body.contains("forged")));
            prop_assert!(tab.storage.names("pending").len() <= 8);
            match step {
                Step::SignOut => {
                    prop_assert!(tab.session().is_none());
                    prop_assert!(tab.storage.names("session").is_empty() && tab.storage.names("pending").is_empty());
                }
                Step::Cancel => prop_assert!(matches!(tab.flow().activity(), Activity::Idle | Activity::Navigating(_))),
                // Only an answer with tokens signs anybody in, and only signing out signs anybody out.
                Step::TokensArrive => prop_assert!(tab.session().is_some() || !was_signed_in),
                _ => prop_assert_eq!(tab.session().is_some(), was_signed_in, "{:?}", step),
            }
        }
        Ok(())
    });
}
