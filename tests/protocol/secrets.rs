//! What is printed: no secret, whatever it is part of.

use leptos_pkce::protocol::authorization_response::AuthorizationResponse;
use leptos_pkce::protocol::flow::Intent;
use leptos_pkce::protocol::form;
use leptos_pkce::protocol::secret::{
    AccessToken, AuthorizationCode, CodeVerifier, IdToken, Nonce, RefreshToken, State,
};
use leptos_pkce::protocol::storage::{Record, RecordName};
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::token_request::TokenRequest;
use leptos_pkce::protocol::token_response::{TokenResponse, TokenType};
use serde_json::json;

use crate::answers::document;
use crate::id_tokens;
use crate::scenario::{API, ISSUER, START, Scenario, key, parameter};

const CODE: &str = "canary-code";
/// With an ID token whose claims are canaries too.
const TOKENS: &str = r#"{"access_token":"canary-access","refresh_token":"canary-refresh","id_token":"{id_token}","token_type":"Bearer","expires_in":3600,"scope":"photos:read"}"#;

fn scenario() -> Scenario {
    Scenario::public_client()
        .openid()
        .configured("token_storage", json!("session"))
        .answering(API, document("\"canary-body\""))
        .response(&format!("code={CODE}&state={{state}}"))
        .tokens(&tokens())
        .from("/album")
}

fn tokens() -> String {
    let mut claims = id_tokens::claims();
    for (name, value) in [("name", "canary-name"), ("email", "canary@as.example")] {
        claims[name] = json!(value);
    }
    claims["at_hash"] = json!(id_tokens::at_hash("canary-access"));
    TOKENS.replace("{id_token}", &id_tokens::compact(&id_tokens::header(), &claims))
}

/// Every secret of the scenario: what servers send, and what was drawn.
fn secrets() -> Vec<String> {
    let pending = scenario().pending().encode();
    let drawn = ["state", "nonce", "code_verifier"].map(|name| {
        let asked = pending.member("id_token");
        let text = pending.text(name).or_else(|| asked?.text(name));
        text.expect("the record holds it").to_owned()
    });
    let id_token = tokens().split('"').find(|text| text.starts_with("ey")).map(str::to_owned);
    let parts = id_token.expect("an ID token").split('.').map(str::to_owned).collect::<Vec<_>>();
    drawn.into_iter().chain(["canary".to_owned()]).chain(parts).collect()
}

#[track_caller]
fn assert_shows_no_secret(shown: &str) {
    for secret in secrets() {
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
}

/// OPS-1: not one effect of a whole sign-in, a call, a reload and a sign-out prints a secret.
#[test]
fn no_debug_output_of_a_whole_flow_shows_a_secret() {
    let mut tab = scenario().run();
    assert!(tab.session().is_some());
    tab.call(1, API);
    assert_eq!(tab.answered.len(), 1);
    tab.reload();
    tab.ask(key(ISSUER), None, Intent::Show);
    tab.sign_out();
    let kinds =
        ["Fetch", "Take", "Write", "Remove", "List", "Navigate", "ReplaceRoute", "Answer", "WakeAt", "Read", "Verify"];
    for kind in kinds {
        assert!(tab.debug.contains(kind), "{kind} did not happen");
    }
    assert_shows_no_secret(&tab.debug);
}

/// OPS-1: nor does any value that holds one print it.
#[test]
fn no_debug_output_of_a_value_shows_a_secret() {
    let (url, pending) = scenario().request().expect("a request");
    let state = parameter(url.query(), "state");
    assert_shows_no_secret(&format!("{url:?}"));
    assert_shows_no_secret(&format!("{pending:?}"));
    let response =
        AuthorizationResponse::parse("/callback", &format!("code={CODE}&state={state}"), "").expect("a response");
    let response = response.expect("a response");
    assert_shows_no_secret(&format!("{:?}", response.state()));
    assert_shows_no_secret(&format!("{:?} {}", response.unknown_state(), response.unknown_state()));
    assert_shows_no_secret(&format!("{:?}", RecordName::pending(&State::new(state))));
    assert_shows_no_secret(&format!("{:?}", Record(pending.encode())));
    let grant = pending.complete(&response, UnixTime(START)).expect("a grant");
    assert_shows_no_secret(&format!("{grant:?}"));
    let request = TokenRequest::new(grant);
    assert_shows_no_secret(&format!("{request:?}"));
    let response = TokenResponse::read(document(tokens()), TokenType::Bearer).expect("tokens");
    assert_shows_no_secret(&format!("{response:?} {:?}", document(tokens())));
    let mut tab = scenario().run();
    let session = tab.session().expect("a session");
    assert_shows_no_secret(&format!("{session:?} {:?} {:?}", session.claims(), session.id_token()));
    tab.call(1, API);
    assert_shows_no_secret(&format!("{:?} {:?}", tab.sent, tab.answered));
}

/// OPS-1: a secret prints its name and no character of its value.
#[test]
fn every_kind_of_secret_is_redacted() {
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        AccessToken::new("canary"),
        AuthorizationCode::new("canary"),
        CodeVerifier::new("canary"),
        IdToken::new("canary"),
        Nonce::new("canary"),
        RefreshToken::new("canary"),
        State::new("canary"),
    );
    assert_shows_no_secret(&shown);
    assert_eq!(shown.matches("([redacted])").count(), 7);
    let pending = scenario().pending().encode();
    let stored = format!("{:?} {:?}", RecordName::pending(&State::new("canary")), Record(pending));
    assert_eq!(stored, "RecordName([redacted]) Record([redacted])");
}

/// CFG-4: a code leaves this page in one request body and nowhere else.
#[test]
fn the_code_and_the_verifier_leave_in_one_body_only() {
    let tab = scenario().run();
    let verifier = parameter(tab.token_request().body.as_deref(), "code_verifier");
    for secret in [CODE, verifier.as_str()] {
        let bodies =
            tab.sent.iter().filter(|(_, request)| request.body.as_deref().unwrap_or_default().contains(secret));
        assert_eq!(bodies.count(), 1);
        assert!(!tab.sent.iter().any(|(_, request)| request.url.as_str().contains(secret)));
        assert!(!tab.navigations.iter().any(|url| url.as_str().contains(secret)));
        assert!(!tab.storage.records.values().any(|record| record.contains(secret)));
    }
    assert_eq!(form::encode(&[("code", CODE)]), "code=canary-code");
}
