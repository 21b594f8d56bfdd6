//! Every transition of a sign-in. The seven contracts have a module of their own.

use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Activity, CallId, Configuration, ConfigurationSource, Event, FetchId, Intent};
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::metadata::MetadataError;
use leptos_pkce::protocol::protected_resource::ResourceError;
use leptos_pkce::protocol::storage::RecordName;
use leptos_pkce::protocol::token_response::TokenError;
use serde_json::json;

use crate::answers::{TOKENS, document, html, lost};
use crate::scenario::{
    API, AUTHORIZATION_ENDPOINT, CODE, CONFIGURATION, DISCOVERY, ISSUER, OTHER_ISSUER, Scenario, StorageFault,
    TOKEN_ENDPOINT, Tab, key, parameter,
};

fn activity(tab: &Tab) -> Activity {
    tab.flow().activity()
}

// The page begins

#[test]
fn a_whole_sign_in_takes_these_steps() {
    let mut tab = Scenario::public_client().openid().configured("token_storage", json!("session")).run();
    assert_eq!(
        tab.take_trace(),
        [
            "fetch GET https://app.example/config.json",
            "read metadata",
            "read automatic",
            "take sign-out",
            "read signed-out",
            "read session",
            "fetch GET https://as.example/.well-known/openid-configuration",
            "write metadata",
            // The keys are on their way before the person is.
            "read keys",
            "list",
            "fetch GET https://as.example/jwks",
            "write pending",
            "navigate https://as.example/authorize",
            "wake +10",
            "write keys",
            // The page is another one now; the exchange waits for nothing.
            "take pending",
            "fetch POST https://as.example/token",
            "read keys",
            "verify",
            "write session",
            "announce SignedIn",
            "replace /",
            "fetch GET https://app.example/config.json",
            "read metadata",
            "read automatic",
            "take sign-out",
            "read signed-out",
            "read session",
        ]
    );
    assert_eq!(activity(&tab), Activity::Idle);
}

/// CFG-13: config.json is fetched plainly and with limits.
#[test]
fn asks_for_the_configuration_with_limits() {
    let tab = Scenario::public_client().open();
    let sent = tab.sent_to(CONFIGURATION);
    assert_eq!((sent[0].method.as_str(), sent[0].bearer.is_none()), ("GET", true));
    assert_eq!((sent[0].limits.deadline.0, sent[0].limits.body), (10, 256 * 1024));
}

#[test]
fn a_click_before_the_configuration_is_there_does_nothing() {
    let mut tab = Scenario::public_client().silent(CONFIGURATION).open();
    assert!(matches!(tab.flow().configuration(), Configuration::Loading(Some(_))));
    tab.sign_in();
    assert_eq!(activity(&tab), Activity::Idle);
    assert!(tab.navigations.is_empty());
}

#[test]
fn clients_made_in_code_need_no_file() {
    let scenario = Scenario::public_client().answering(CONFIGURATION, html(404));
    let mut tab = scenario.open();
    tab.happen(Event::Started(ConfigurationSource::Clients(Ok(vec![scenario.client()]))));
    assert_eq!(tab.flow().clients().len(), 1);
    tab.sign_in();
    assert_eq!(tab.navigations.len(), 1);
}

// Discovering

#[test]
fn metadata_are_fetched_ahead_of_a_click_and_once() {
    let mut tab = Scenario::public_client().silent(DISCOVERY).open();
    tab.happen(Event::SignInLikely(key(ISSUER)));
    tab.happen(Event::SignInLikely(key(ISSUER)));
    assert_eq!(activity(&tab), Activity::Idle);
    assert!(tab.flow().metadata(&key(ISSUER)).is_none());
    tab.sign_in();
    assert_eq!(activity(&tab), Activity::Discovering(key(ISSUER)));
    assert_eq!(tab.sent_to(DISCOVERY).len(), 1);

    let metadata = document(Scenario::metadata_text());
    tab.arrive(DISCOVERY, metadata);
    assert_eq!(activity(&tab), Activity::Navigating(key(ISSUER)));
    assert!(matches!(tab.flow().metadata(&key(ISSUER)), Some(Ok(_))));
}

#[test]
fn a_failed_discovery_is_tried_again_with_the_next_click() {
    let mut tab = Scenario::public_client().answering(DISCOVERY, lost()).run();
    assert!(matches!(tab.sign_in_error(), Error::Metadata(MetadataError::Unavailable { .. })));
    assert!(matches!(tab.flow().metadata(&key(ISSUER)), Some(Err(_))));
    tab.answering(DISCOVERY, document(Scenario::metadata_text()));
    tab.sign_in();
    assert_eq!(tab.navigations.len(), 1);
    assert!(tab.flow().sign_in_error(&key(ISSUER)).is_none());
}

#[test]
fn cancelling_stops_waiting_for_metadata() {
    let mut tab = Scenario::public_client().silent(DISCOVERY).open();
    tab.sign_in();
    tab.take_trace();
    tab.happen(Event::CancelSignIn);
    assert_eq!(tab.take_trace(), ["cancel fetch"]);
    assert_eq!(activity(&tab), Activity::Idle);
    tab.arrive(DISCOVERY, document(Scenario::metadata_text()));
    assert_eq!(activity(&tab), Activity::Idle);
    assert!(tab.navigations.is_empty());
    tab.sign_in();
    assert_eq!(tab.sent_to(DISCOVERY).len(), 2);
}

#[test]
fn cancelling_nothing_does_nothing() {
    let mut tab = Scenario::public_client().open();
    tab.take_trace();
    tab.happen(Event::CancelSignIn);
    assert_eq!(tab.take_trace(), [""; 0]);
}

// Saving and navigating

/// AUT-13: a second click changes nothing while the first is on its way, whatever it waits for.
#[test]
fn a_second_click_does_nothing() {
    let mut tab = Scenario::public_client().silent(DISCOVERY).open();
    tab.sign_in();
    tab.sign_in();
    assert_eq!(tab.sent_to(DISCOVERY).len(), 1);
    tab.arrive(DISCOVERY, document(Scenario::metadata_text()));
    assert_eq!(tab.navigations.len(), 1);
    let pending = tab.storage.only("pending");
    tab.sign_in();
    tab.ask(key(ISSUER), None, Intent::Show);
    assert_eq!(tab.navigations.len(), 1);
    assert!(tab.storage.only("pending") == pending);

    let mut tab = Scenario::public_client().silent(TOKEN_ENDPOINT).run();
    tab.sign_in();
    assert_eq!(activity(&tab), Activity::Exchanging(key(ISSUER)));
    assert_eq!(tab.navigations.len(), 1);
}

/// AUT-12: the authorization endpoint is a place to go to; nothing is ever fetched from there.
#[test]
fn nobody_fetches_the_authorization_endpoint() {
    let mut tab = Scenario::public_client().openid().run();
    tab.ask(key(ISSUER), None, Intent::Show);
    tab.call(1, AUTHORIZATION_ENDPOINT);
    assert_eq!(tab.navigation().without_query(), AUTHORIZATION_ENDPOINT);
    assert!(tab.sent_to(AUTHORIZATION_ENDPOINT).is_empty());
}

#[test]
fn coming_back_without_an_answer_makes_the_button_ready() {
    let mut tab = Scenario::public_client().open();
    tab.sign_in();
    tab.happen(Event::Restored);
    assert_eq!(activity(&tab), Activity::Idle);
    tab.sign_in();
    assert_eq!(tab.navigations.len(), 2);
    tab.happen(Event::Restored);
    tab.happen(Event::Restored);
    tab.happen(Event::Woke);
    assert_eq!(activity(&tab), Activity::Idle);
}

#[test]
fn a_request_can_be_shown_and_followed_as_a_link() {
    let mut tab = Scenario::public_client().open();
    tab.ask(key(ISSUER), Some("/album"), Intent::Show);
    assert!(tab.navigations.is_empty());
    assert_eq!(activity(&tab), Activity::Idle);
    let url = tab.flow().prepared(&key(ISSUER)).expect("a link").clone();
    assert!(tab.flow().prepared(&key(OTHER_ISSUER)).is_none());
    let state = parameter(url.query(), "state");
    tab.redirected(&format!("code={CODE}&state={state}"), "");
    assert!(tab.session().is_some());
    assert!(tab.trace.contains(&"replace /album".to_owned()));
}

#[test]
fn a_new_sign_in_takes_back_the_link_that_was_shown() {
    let mut tab = Scenario::public_client().open();
    tab.ask(key(ISSUER), None, Intent::Show);
    tab.ask(key(ISSUER), None, Intent::Show);
    let second = tab.flow().prepared(&key(ISSUER)).expect("a link").clone();
    tab.sign_in();
    assert!(tab.flow().prepared(&key(ISSUER)).is_none());
    assert_ne!(parameter(second.query(), "state"), parameter(tab.navigation().query(), "state"));
}

// Coming back

#[test]
fn comes_back_to_where_the_person_was() {
    let tab = Scenario::public_client().from("/album?page=2#top").run();
    assert!(tab.trace.contains(&"replace /album?page=2#top".to_owned()));
    let tab = Scenario::public_client().page("https://app.example/sub/path/").run();
    assert!(tab.trace.contains(&"replace /sub/path/".to_owned()));
}

#[test]
fn a_failed_response_knows_where_the_person_was() {
    for scenario in [Scenario::public_client().refused("access_denied"), Scenario::public_client().token_answer(lost())]
    {
        let tab = scenario.from("/album").run();
        let failure = tab.flow().callback_failure().expect("a failure");
        assert_eq!(failure.key, Some(key(ISSUER)));
        assert_eq!(failure.return_path.as_ref().map(|path| path.as_str()), Some("/album"));
    }
    let tab = Scenario::public_client().from("/album").response("code=a&state=x").run();
    let failure = tab.flow().callback_failure().expect("a failure");
    assert_eq!((&failure.key, &failure.return_path), (&None, &None));
}

#[test]
fn a_failed_response_is_forgotten_with_the_next_sign_in() {
    let mut tab = Scenario::public_client().refused("access_denied").run();
    tab.sign_in();
    assert!(tab.flow().callback_failure().is_none());
    assert_eq!(tab.navigations.len(), 2);
}

#[test]
fn two_sign_ins_can_be_pending_and_complete_in_any_order() {
    let mut tab = Scenario::public_client().open();
    tab.sign_in();
    tab.reload();
    tab.sign_in();
    let states: Vec<String> = tab.navigations.iter().map(|url| parameter(url.query(), "state")).collect();
    for state in states.iter().rev() {
        tab.redirected(&format!("code={CODE}&state={state}"), "");
        assert!(tab.session().is_some());
    }
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 2);
    assert!(tab.storage.names("pending").is_empty());
}

/// CB-3: two components that bring the same response get one exchange, and it succeeds.
#[test]
fn a_response_that_is_brought_twice_counts_once() {
    let mut tab = Scenario::public_client().silent(TOKEN_ENDPOINT).run();
    let state = parameter(tab.navigation().query(), "state");
    let query = format!("code={CODE}&state={state}");
    tab.happen(Event::Redirected { path: "/callback".to_owned(), query: query.clone(), fragment: String::new() });
    tab.happen(Event::Redirected { path: "/callback".to_owned(), query, fragment: String::new() });
    assert_eq!(activity(&tab), Activity::Exchanging(key(ISSUER)));
    tab.arrive(TOKEN_ENDPOINT, document(TOKENS));
    assert!(tab.session().is_some());
    assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
}

#[test]
fn cancelling_an_exchange_stops_waiting_and_says_so() {
    let mut tab = Scenario::public_client().silent(TOKEN_ENDPOINT).from("/album").run();
    tab.take_trace();
    tab.happen(Event::CancelSignIn);
    assert_eq!(tab.take_trace(), ["cancel fetch"]);
    assert_eq!(*tab.callback_error(), Error::Token(TokenError::Network(HttpFailure::Cancelled)));
    tab.arrive(TOKEN_ENDPOINT, document(TOKENS));
    assert!(tab.session().is_none());
}

// Session

/// CB-19: who signs in second is the only one signed in.
#[test]
fn a_second_sign_in_replaces_the_session() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).run();
    tab.answering(TOKEN_ENDPOINT, document(r#"{"access_token":"second","token_type":"Bearer"}"#));
    tab.sign_in();
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert_eq!(tab.session().map(|session| session.access_token().expose()), Some("second"));
    assert_eq!(tab.storage.names("session").len(), 1);

    // In a page that is signed in as somebody else.
    tab.answering(TOKEN_ENDPOINT, document(r#"{"access_token":"third","token_type":"Bearer"}"#));
    tab.sign_in();
    tab.happen(Event::Restored);
    let state = parameter(tab.navigation().query(), "state");
    tab.happen(Event::Redirected {
        path: "/callback".to_owned(),
        query: format!("code={CODE}&state={state}"),
        fragment: String::new(),
    });
    assert_eq!(tab.flow().sessions().len(), 1);
    assert_eq!(tab.session().map(|session| session.access_token().expose()), Some("third"));
}

/// OPS-3: a sign-in that fails leaves the session that is there alone.
#[test]
fn a_failed_sign_in_keeps_the_session_that_is_there() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).run();
    for (response, answer) in [
        ("error=access_denied&state={state}".to_owned(), document(TOKENS)),
        (format!("code={CODE}&state={{state}}"), lost()),
        (format!("code={CODE}&state={{state}}"), document(r#"{"access_token":"x","token_type":"mac"}"#)),
    ] {
        tab.answering(TOKEN_ENDPOINT, answer);
        tab.sign_in();
        tab.come_back(&response, "");
        assert!(tab.flow().callback_failure().is_some());
        assert_eq!(tab.session().map(|session| session.access_token().expose()), Some("2YotnFZFEjr1zCsicMWpAA"));
    }
    // The answer comes after the page has taken the session up again.
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).run();
    tab.sign_in();
    tab.silence(TOKEN_ENDPOINT);
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    tab.arrive(TOKEN_ENDPOINT, lost());
    assert!(tab.flow().callback_failure().is_some());
    assert!(tab.session().is_some());
    // A refusal comes into a page that is signed in.
    let mut tab = Scenario::public_client().run();
    tab.sign_in();
    tab.happen(Event::Restored);
    let state = parameter(tab.navigation().query(), "state");
    tab.happen(Event::Redirected {
        path: "/callback".to_owned(),
        query: format!("error=access_denied&state={state}"),
        fragment: String::new(),
    });
    assert!(tab.flow().callback_failure().is_some());
    assert!(tab.session().is_some());
}

/// WEB-1: where storage refuses a session, it lives on in the page, and the page can say so.
#[test]
fn a_session_that_cannot_be_written_lives_in_this_page() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).open();
    tab.sign_in();
    tab.storage.fault = Some(StorageFault::Full);
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert_eq!(tab.session().map(|session| session.token_storage()), Some(TokenStorage::Memory));
}

/// The record of the session before used to stay, and a reload brought its owner back.
#[test]
fn a_session_that_cannot_be_written_leaves_no_older_one_behind() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).run();
    tab.answering(TOKEN_ENDPOINT, document(r#"{"access_token":"second","token_type":"Bearer"}"#));
    tab.sign_in();
    tab.storage.fault = Some(StorageFault::Full);
    tab.come_back(&format!("code={CODE}&state={{state}}"), "");
    assert_eq!(tab.session().map(|session| session.access_token().expose()), Some("second"));
    assert!(tab.storage.names("session").is_empty());
}

/// Storage that forgets or changes a session used to be taken for storage that keeps it.
#[test]
fn a_session_that_storage_alters_is_kept_in_this_page_only() {
    for fault in [StorageFault::Alters, StorageFault::Drops] {
        let mut tab = Scenario::public_client().configured("token_storage", json!("session")).open();
        tab.sign_in();
        tab.storage.fault = Some(fault);
        tab.come_back(&format!("code={CODE}&state={{state}}"), "");
        assert_eq!(tab.session().map(|session| session.token_storage()), Some(TokenStorage::Memory));
    }
}

#[test]
fn signing_out_of_one_client_keeps_the_other_signed_in() {
    let mut tab = Scenario::public_client().second_server().run();
    tab.ask(key(OTHER_ISSUER), None, Intent::Navigate);
    // Two sessions in memory need one page: the second response arrives in it.
    let state = parameter(tab.navigation().query(), "state");
    tab.happen(Event::Restored);
    tab.happen(Event::Redirected {
        path: "/callback/other".to_owned(),
        query: format!("code={CODE}&state={state}"),
        fragment: String::new(),
    });
    assert_eq!(tab.flow().sessions().len(), 2);
    tab.sign_out();
    assert!(tab.session().is_none());
    assert!(tab.flow().session(&key(OTHER_ISSUER)).is_some());
}

/// Signing out at one server used to end a sign-in that was waiting for another server's metadata.
#[test]
fn signing_out_of_one_client_leaves_a_sign_in_at_another_alone() {
    let other = "https://other.example/.well-known/openid-configuration";
    let mut tab = Scenario::public_client().second_server().silent(other).run();
    tab.ask(key(OTHER_ISSUER), None, Intent::Navigate);
    assert_eq!(activity(&tab), Activity::Discovering(key(OTHER_ISSUER)));
    tab.sign_out();
    assert_eq!(activity(&tab), Activity::Discovering(key(OTHER_ISSUER)));
}

/// Signing out while metadata were on their way used to leave a record of them behind.
#[test]
fn signing_out_stops_a_discovery_that_would_write_again() {
    let mut tab = Scenario::public_client().silent(DISCOVERY).open();
    tab.happen(Event::SignInLikely(key(ISSUER)));
    tab.sign_out();
    tab.arrive(DISCOVERY, document(Scenario::metadata_text()));
    assert!(tab.storage.records.is_empty());
}

/// Signing out asks for metadata, to revoke the tokens; where they were not known, a record of them used to be left behind.
#[test]
fn signing_out_asks_for_metadata_and_keeps_none() {
    let mut tab = Scenario::public_client().configured("token_storage", json!("session")).run();
    tab.storage.records.retain(|name, _| name.contains("session"));
    tab.silence(DISCOVERY);
    tab.reload();
    assert!(tab.session().is_some());
    tab.sign_out();
    tab.arrive(DISCOVERY, document(Scenario::metadata_text()));
    assert!(tab.storage.records.is_empty(), "{:?}", tab.storage.records);
}

/// Signing out at one server used to take back the link that was shown for another.
#[test]
fn signing_out_of_one_client_keeps_the_link_of_another() {
    let mut tab = Scenario::public_client().second_server().run();
    tab.ask(key(OTHER_ISSUER), None, Intent::Show);
    tab.sign_out();
    assert!(tab.flow().prepared(&key(OTHER_ISSUER)).is_some());
}

#[test]
fn signing_out_sweeps_pending_requests_of_that_client_only() {
    let mut tab = Scenario::public_client().second_server().open();
    tab.sign_in();
    tab.reload();
    tab.ask(key(OTHER_ISSUER), None, Intent::Navigate);
    tab.reload();
    assert_eq!(tab.storage.names("pending").len(), 2);
    tab.sign_out();
    assert!(tab.storage.only("pending").member("issuer").and_then(|issuer| issuer.as_str()) == Some(OTHER_ISSUER));
}

// Protected resources

#[test]
fn calls_are_answered_each_by_its_own() {
    let mut tab = Scenario::public_client().silent(API).silent("https://api.example/photos/1").run();
    tab.call(1, API);
    tab.call(2, "https://api.example/photos/1");
    tab.arrive(API, document("[1]"));
    tab.arrive("https://api.example/photos/1", document("[2]"));
    let answered: Vec<_> = tab
        .answered
        .iter()
        .map(|(call, outcome)| (call.0, outcome.as_ref().map(|response| response.body.clone())))
        .collect();
    assert_eq!(answered, [(1, Ok(b"[1]".to_vec())), (2, Ok(b"[2]".to_vec()))]);
}

#[test]
fn cancelling_a_call_answers_it_and_leaves_others_alone() {
    let mut tab = Scenario::public_client().silent(API).silent("https://api.example/photos/1").run();
    tab.call(1, API);
    tab.call(2, "https://api.example/photos/1");
    tab.happen(Event::CancelCall(CallId(1)));
    assert_eq!(tab.answered, [(CallId(1), Err(ResourceError::Network(HttpFailure::Cancelled)))]);
    tab.arrive(API, document("[]"));
    assert_eq!(tab.answered.len(), 1);
    tab.arrive("https://api.example/photos/1", document("[]"));
    assert_eq!(tab.answered.len(), 2);
    tab.happen(Event::CancelCall(CallId(2)));
    assert_eq!(tab.answered.len(), 2);
}

// Events that nobody asked for

#[test]
fn an_event_out_of_turn_changes_nothing() {
    let mut tab = Scenario::public_client().run();
    tab.take_trace();
    let before = tab.session().cloned();
    tab.happen(Event::Taken { record: None });
    tab.happen(Event::Listed { records: Vec::new() });
    tab.happen(Event::Written { name: RecordName::session(&key(OTHER_ISSUER)), outcome: Ok(None) });
    tab.happen(Event::Read { name: RecordName::session(&key(ISSUER)), record: None });
    tab.happen(Event::Fetched { fetch: FetchId(9999), outcome: lost() });
    tab.happen(Event::CancelCall(CallId(9)));
    tab.happen(Event::SignInLikely(key(OTHER_ISSUER)));
    tab.ask(key(OTHER_ISSUER), None, Intent::Navigate);
    assert_eq!(tab.take_trace(), [""; 0]);
    assert_eq!(tab.session().cloned(), before);
    assert!(tab.flow().callback_failure().is_none());
}
