//! The seven contracts of `flow`, one test each, by number; the scrubbing of the address bar is the browser's.

use leptos_pkce::protocol::authorization_request::{AuthorizationRequestError, StorageFailure};
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Activity, Event, Intent};
use serde_json::json;

use crate::answers::{TOKENS, document, html, lost, refusal, status};
use crate::scenario::{API, CODE, ISSUER, START, Scenario, StorageFault, TOKEN_ENDPOINT, key};

/// AUT-8: what could not be kept, or came back changed, lets nobody leave the page.
#[test]
fn contract_1_the_record_is_saved_and_read_back_before_navigating() {
    let mut tab = Scenario::public_client().open();
    tab.take_trace();
    tab.sign_in();
    assert_eq!(
        tab.take_trace(),
        [
            "fetch GET https://as.example/.well-known/openid-configuration",
            "write metadata",
            "list",
            "write pending",
            "navigate https://as.example/authorize",
            "wake +10",
        ]
    );
    for (fault, failure) in [
        (StorageFault::Blocked, StorageFailure::Blocked),
        (StorageFault::Full, StorageFailure::Full),
        (StorageFault::Alters, StorageFailure::Altered),
        (StorageFault::Drops, StorageFailure::Altered),
    ] {
        let tab = Scenario::public_client().storage(fault).run();
        assert_eq!(*tab.sign_in_error(), Error::AuthorizationRequest(AuthorizationRequestError::Storage(failure)));
        assert!(tab.navigations.is_empty());
        assert!(tab.storage.names("pending").is_empty());
        assert_eq!(tab.flow().activity(), Activity::Idle);
    }
}

/// CB-3: the record is read and removed in one turn, and only then is there anything to send.
#[test]
fn contract_2_the_record_is_dropped_before_the_code_is_sent() {
    let mut tab = Scenario::public_client().silent(TOKEN_ENDPOINT).open();
    tab.sign_in();
    tab.take_trace();
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    let trace = tab.take_trace();
    assert_eq!(trace[..2], ["take pending", "fetch POST https://as.example/token"]);
    assert!(tab.storage.names("pending").is_empty());
    assert_eq!(tab.flow().activity(), Activity::Exchanging(key(ISSUER)));
}

/// TOK-14: whatever becomes of the answer, no second request is made.
#[test]
fn contract_3_a_code_is_sent_at_most_once() {
    for answer in [lost(), html(200), status(503), document("{"), document(TOKENS), refusal("invalid_grant")] {
        let mut tab = Scenario::public_client().token_answer(answer.clone()).run();
        tab.arrive(TOKEN_ENDPOINT, answer);
        tab.happen(Event::Woke);
        tab.happen(Event::Restored);
        tab.happen(Event::Redirected {
            path: "/callback".to_owned(),
            query: format!("code={CODE}&state=x"),
            fragment: String::new(),
        });
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
    }
}

/// TOK-17, OPS-3: an answer with anything wrong in it makes no session, and nothing is written.
#[test]
fn contract_4_tokens_are_published_only_after_every_check_passed() {
    for wrong in [
        r#"{"access_token":"a","token_type":"mac"}"#,
        r#"{"access_token":"a","token_type":"Bearer","expires_in":-1}"#,
        r#"{"access_token":"a","token_type":"Bearer","refresh_token":5}"#,
        r#"{"access_token":"a","access_token":"a","token_type":"Bearer"}"#,
        r#"{"access_token":"","token_type":"Bearer"}"#,
        r#"{"error":"invalid_grant"}"#,
    ] {
        let tab = Scenario::public_client().configured("token_storage", json!("session")).tokens(wrong).run();
        assert!(tab.flow().sessions().is_empty(), "{wrong}");
        assert!(tab.storage.names("session").is_empty(), "{wrong}");
        assert!(!tab.trace.iter().any(|line| line.starts_with("replace")), "{wrong}");
        assert_eq!(tab.flow().activity(), Activity::Idle, "{wrong}");
    }
}

/// OUT-3: tokens and answers that come late find nobody.
#[test]
fn contract_5_an_answer_that_arrives_after_sign_out_is_ignored() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).silent(TOKEN_ENDPOINT).run();
    tab.sign_out();
    tab.arrive(TOKEN_ENDPOINT, document(TOKENS));
    assert!(tab.session().is_none());
    assert!(tab.storage.names("session").is_empty());
    assert_eq!(tab.flow().activity(), Activity::Idle);

    let mut tab = Scenario::public_client().silent(API).run();
    tab.call(1, API);
    tab.take_trace();
    tab.sign_out();
    assert_eq!(tab.take_trace()[..2], ["cancel fetch", "answer 1"]);
    tab.arrive(API, document("[]"));
    assert_eq!(tab.answered.len(), 1);
}

/// The tab itself refuses any other wake-up; a clock that was turned back is asked again.
#[test]
fn contract_6_a_wake_up_is_strictly_later_than_the_now_that_asked_for_it() {
    let mut tab = Scenario::public_client().open();
    tab.sign_in();
    assert!(tab.trace.contains(&"wake +10".to_owned()));
    tab.take_trace();
    tab.now = START - 5;
    tab.happen(Event::Woke);
    assert_eq!(tab.take_trace(), ["wake +15"]);
    tab.now = START + 9;
    tab.happen(Event::Woke);
    assert_eq!(tab.take_trace(), ["wake +1"]);
    assert_eq!(tab.flow().activity(), Activity::Navigating(key(ISSUER)));
    tab.now = START + 10;
    tab.happen(Event::Woke);
    assert_eq!(tab.take_trace(), [""; 0]);
    assert_eq!(tab.flow().activity(), Activity::Idle);
}

/// CB-2, CB-4: neither storage nor sessions nor other sign-ins.
#[test]
fn contract_7_an_error_response_with_an_unknown_state_changes_nothing() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).run();
    tab.reload();
    tab.ask(key(ISSUER), None, Intent::Show);
    let before = tab.storage.records.clone();
    assert_eq!(tab.storage.names("pending").len(), 1);
    tab.take_trace();
    tab.redirected("error=access_denied&state=forged", "");
    assert_eq!(tab.storage.records, before);
    assert!(tab.session().is_some());
    let trace = tab.take_trace();
    assert!(!trace.iter().any(|line| line.starts_with("remove") || line.starts_with("write")), "{trace:?}");
}
