//! Clicks, reloads, answers, forgeries and sign-outs in any order: the contracts hold after every step.

use leptos_pkce::protocol::flow::{Activity, Event, Intent};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::answers::{TOKENS, document, lost, refusal};
use crate::id_tokens::{self, JWKS_URI};
use crate::properties::for_all;
use crate::scenario::{API, ISSUER, Scenario, TOKEN_ENDPOINT, Tab, key, parameter};

const USERINFO: &str = "https://as.example/userinfo";

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
    Likely,
    KeysArrive,
    KeysAreLost,
    AskUserInfo,
    UserInfoArrives,
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
        1 => Just(Likely),
        3 => Just(KeysArrive),
        1 => Just(KeysAreLost),
        2 => Just(AskUserInfo),
        2 => Just(UserInfoArrives),
        1 => Just(CallApi),
        2 => (0..4000_u64).prop_map(Wait),
    ]
}

/// Does it, as far as it is possible now.
fn take(tab: &mut Tab, step: Step) {
    let is_sent = !tab.sent_to(TOKEN_ENDPOINT).is_empty();
    let [keys_are_asked, userinfo_is_asked] = [JWKS_URI, USERINFO].map(|url| !tab.sent_to(url).is_empty());
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
        Step::TokensArrive if is_sent => tab.arrive(TOKEN_ENDPOINT, tokens(tab)),
        Step::RefusalArrives if is_sent => tab.arrive(TOKEN_ENDPOINT, refusal("invalid_grant")),
        Step::AnswerIsLost if is_sent => tab.arrive(TOKEN_ENDPOINT, lost()),
        Step::Likely => tab.happen(Event::SignInLikely(key(ISSUER))),
        Step::KeysArrive if keys_are_asked => tab.arrive(JWKS_URI, id_tokens::keys(&[id_tokens::key("1")])),
        Step::KeysAreLost if keys_are_asked => tab.arrive(JWKS_URI, lost()),
        Step::AskUserInfo => tab.happen(Event::AskUserInfo(key(ISSUER))),
        Step::UserInfoArrives if userinfo_is_asked => {
            tab.arrive(USERINFO, document(r#"{"sub":"248289761001","email":"jane@as.example"}"#));
        }
        Step::CallApi => tab.call(tab.sent.len() as u64, API),
        Step::Wait(seconds) => tab.now += seconds,
        _ => {}
    }
}

/// What the server says to the request that the page was left for last, with an ID token if there was one asked for.
fn tokens(tab: &Tab) -> Result<HttpResponse, HttpFailure> {
    let nonce = tab.navigations.last().map(|url| parameter(url.query(), "nonce")).unwrap_or_default();
    if nonce.is_empty() {
        return document(TOKENS);
    }
    let mut claims = id_tokens::claims();
    claims["nonce"] = json!(nonce);
    (claims["iat"], claims["exp"]) = (json!(tab.now), json!(tab.now + 300));
    id_tokens::tokens(&id_tokens::compact(&id_tokens::header(), &claims))
}

/// TOK-17, OUT-3, JOSE-13: no order of events publishes a token before its ID token was verified, keeps or writes anything
/// after signing out, or asks for keys without end.
#[test]
fn nobody_is_signed_in_before_the_id_token_is_verified() {
    let scenario = Scenario::public_client()
        .openid()
        .configured("token_storage", json!("session"))
        .metadata("userinfo_endpoint", json!(USERINFO))
        .silent(TOKEN_ENDPOINT)
        .silent(JWKS_URI)
        .silent(USERINFO)
        .silent(API);
    for_all(vec(step(), 1..40), |steps| {
        let mut tab = scenario.open();
        let (mut is_forgotten, mut opportunities) = (false, 0);
        for step in steps {
            let was_signed_in = tab.session().is_some();
            let verified = tab.trace.iter().filter(|line| *line == "verify").count();
            take(&mut tab, step);

            let has_verified = tab.trace.iter().filter(|line| *line == "verify").count() > verified;
            prop_assert!(was_signed_in || has_verified || tab.session().is_none(), "{:?}", step);
            prop_assert!(tab.session().is_none_or(|session| session.claims().is_some()));
            let stored = tab.storage.records.values().any(|record| record.contains("access_token"));
            prop_assert!(!stored || tab.session().is_some(), "{:?}", step);
            is_forgotten = match step {
                Step::SignOut => true,
                // What these ask for is known again afterwards.
                Step::SignIn | Step::ShowLink | Step::Likely | Step::ComeBack | Step::AskUserInfo => false,
                _ => is_forgotten,
            };
            prop_assert!(!is_forgotten || tab.storage.records.is_empty(), "{:?}: {:?}", step, tab.trace);
            // Each of these may ask for keys, and every request may be repeated twice.
            opportunities += usize::from(matches!(
                step,
                Step::SignIn | Step::ShowLink | Step::Likely | Step::ComeBack | Step::TokensArrive
            ));
            prop_assert!(tab.sent_to(JWKS_URI).len() <= 3 * opportunities, "{:?}", tab.trace);
        }
        Ok(())
    });
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
