//! Signing in once more as an API demands it: from its 401 to the place where the person was.

use leptos_pkce::protocol::challenge::{Denial, Reason, StepUp};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::id_token::CheckId;
use leptos_pkce::protocol::time::Seconds;
use serde_json::{Value, json};

use crate::answers::{document, status};
use crate::id_token::failed;
use crate::id_tokens::{self, compact, header, tokens};
use crate::scenario::{API, START, Scenario, TOKEN_ENDPOINT, Tab, parameter};

/// RFC 9470 §3, the example, and a scope beside it.
const CHALLENGE: &str = "Bearer error=\"insufficient_user_authentication\", \
    error_description=\"A different authentication level is required\", \
    acr_values=\"myACR other\", max_age=\"5\", scope=\"photos:delete\"";

fn refused_with(challenge: &str) -> Result<HttpResponse, HttpFailure> {
    status(401).map(|mut response| {
        response.headers.push(("www-authenticate".to_owned(), challenge.to_owned()));
        response
    })
}

/// What the API demands of the person who is signed in.
#[track_caller]
fn demand(tab: &mut Tab) -> StepUp {
    tab.call(1, API);
    let (_, outcome) = tab.answered.pop().expect("an answer");
    match Denial::of(&outcome.expect("a response")).map(|denial| denial.reason) {
        Some(Reason::StepUp(demand)) => demand,
        other => panic!("no demand: {other:?}"),
    }
}

/// Signed in, refused by the API, and gone to the server once more from `/album`.
fn stepping_up(scenario: &Scenario, challenge: &str) -> Tab {
    let scenario =
        scenario.clone().configured("token_storage", json!("session")).answering(API, refused_with(challenge));
    let mut tab = scenario.run();
    assert!(tab.session().is_some());
    let demand = demand(&mut tab);
    tab.now += 60;
    tab.step_up(demand, "/album?photo=1");
    tab
}

/// The token of the second sign-in, two minutes after the first request.
fn second_token(changes: &Value) -> String {
    let mut claims = id_tokens::claims();
    claims["nonce"] = json!(id_tokens::nonce_of(1));
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    compact(&header(), &claims)
}

fn come_back(tab: &mut Tab, changes: &Value) {
    tab.answering(TOKEN_ENDPOINT, tokens(&second_token(changes)));
    tab.take_trace();
    tab.come_back("code=second&state={state}", "");
}

fn openid() -> Scenario {
    Scenario::public_client().openid()
}

/// RS-9: the request asks for what the API demands, and for the configured scope with the API's.
#[test]
fn the_request_asks_for_what_the_api_demands() {
    let tab = stepping_up(&openid(), CHALLENGE);
    let sent = |name: &str| parameter(tab.navigation().query(), name);
    assert_eq!(tab.navigations.len(), 2);
    assert_eq!((sent("acr_values"), sent("max_age")), ("myACR other".to_owned(), "5".to_owned()));
    assert_eq!(sent("scope"), "openid photos:read photos:delete");
    assert_eq!(sent("nonce"), id_tokens::nonce_of(1));
    let first = &tab.navigations[0];
    assert_eq!(
        (parameter(first.query(), "acr_values"), parameter(first.query(), "max_age")),
        (String::new(), String::new())
    );
}

/// RS-9: the ID token must answer the demand; then the person is back where they were, with the new token.
#[test]
fn an_id_token_that_meets_the_demand_ends_where_it_began() {
    let mut tab = stepping_up(&openid(), CHALLENGE);
    come_back(&mut tab, &json!({ "acr": "other", "auth_time": START + 100 }));
    assert!(tab.take_trace().contains(&"replace /album?photo=1".to_owned()));
    let session = tab.session().expect("a session");
    assert_eq!(session.claims().and_then(|claims| claims.acr()), Some("other"));
    assert_eq!(session.granted_scope().map(|scope| scope.as_str()), Some("openid photos:read photos:delete"));
    tab.answering(API, document("{}"));
    tab.call(2, API);
    assert!(matches!(tab.answered[..], [(_, Ok(_))]));
}

/// IDT-9, RS-9: a server that took the demand lightly is not believed; who was signed in before still is.
#[test]
fn an_id_token_that_does_not_meet_the_demand_changes_nothing() {
    for (changes, expected) in [
        (json!({}), vec![CheckId::Acr, CheckId::AuthTime]),
        (json!({ "acr": "myACR" }), vec![CheckId::AuthTime]),
        (json!({ "acr": "myACR", "auth_time": START + 54 }), vec![CheckId::AuthTime]),
        (json!({ "acr": "0", "auth_time": START + 120 }), vec![CheckId::Acr]),
    ] {
        let mut tab = stepping_up(&openid(), CHALLENGE);
        come_back(&mut tab, &changes);
        assert_eq!(failed(&tab), expected, "{changes}");
        let session = tab.session().expect("the session of before");
        assert_eq!(session.granted_scope().map(|scope| scope.as_str()), Some("openid photos:read"));
        let failure = tab.flow().callback_failure().expect("a failure");
        assert_eq!(failure.return_path.as_ref().map(|path| path.as_str()), Some("/album?photo=1"));
    }
}

/// RS-9, IDT-9: a demand used to take the place of what is configured, so that an API could ask for less than the app.
#[test]
fn a_demand_weakens_nothing_that_is_configured() {
    let scenario = openid().configured("acr_values", json!("silver")).configured("max_age", json!(300));
    let scenario = scenario.claims(json!({ "acr": "silver", "auth_time": START }));
    for (demand, acr_values, max_age) in [
        ("max_age=0", "silver", "0"),
        ("max_age=300", "silver", "300"),
        ("max_age=86400", "silver", "300"),
        ("acr_values=\"gold other\"", "gold other", "300"),
        ("scope=\"photos:delete\"", "silver", "300"),
    ] {
        let tab = stepping_up(&scenario, &format!("Bearer error=\"insufficient_user_authentication\", {demand}"));
        let sent = |name: &str| parameter(tab.navigation().query(), name);
        assert_eq!((sent("acr_values").as_str(), sent("max_age").as_str()), (acr_values, max_age), "{demand}");
    }
    // And the ID token is held to both.
    let mut tab = stepping_up(&scenario, "Bearer error=\"insufficient_user_authentication\", max_age=86400");
    come_back(&mut tab, &json!({ "acr": "bronze", "auth_time": START - 301 }));
    assert_eq!(failed(&tab), [CheckId::Acr, CheckId::AuthTime]);
}

/// CFG-12: an API says what it needs; that the server goes on giving tokens is for the configuration to ask for.
#[test]
fn a_demand_asks_for_no_offline_access() {
    let demand = "Bearer error=\"insufficient_user_authentication\", scope=\"offline_access photos:delete\"";
    let scope = |configured: Value| {
        let tokens = r#"{"access_token":"a","token_type":"Bearer"}"#;
        let tab = stepping_up(&Scenario::public_client().tokens(tokens).configured("scope", configured), demand);
        parameter(tab.navigation().query(), "scope")
    };
    assert_eq!(scope(json!("photos:read")), "photos:read photos:delete");
    assert_eq!(scope(json!("offline_access")), "offline_access photos:delete");
    assert_eq!(scope(json!(null)), "photos:delete");
    let only = demand.replace(" photos:delete", "");
    let tab = stepping_up(&Scenario::public_client().configured("scope", json!(null)), &only);
    assert_eq!(parameter(tab.navigation().query(), "scope"), "");
}

/// AUT-9: a demand can only be met by somebody who is asked: `prompt=none` used to be sent along with `max_age=0`.
#[test]
fn a_demand_is_not_sent_with_prompt_none() {
    for challenge in [CHALLENGE, "Bearer error=\"insufficient_user_authentication\", max_age=0"] {
        let tab =
            stepping_up(&openid().configured("extra_parameters", json!({ "prompt": "none", "a": "b" })), challenge);
        let prompts: Vec<String> = tab.navigations.iter().map(|url| parameter(url.query(), "prompt")).collect();
        assert_eq!(prompts, ["none", ""]);
        assert_eq!(parameter(tab.navigation().query(), "a"), "b");
    }
    let tab = stepping_up(&openid().configured("extra_parameters", json!({ "prompt": "login" })), CHALLENGE);
    assert_eq!(parameter(tab.navigation().query(), "prompt"), "login");
}

/// AUT-6, RS-9: an API that demands `openid` gets it whole: a nonce, an ID token that is verified, a session that lasts.
#[test]
fn a_demand_for_openid_brings_an_id_token() {
    let plain = openid().configured("scope", json!("photos:read"));
    let plain = plain.tokens(r#"{"access_token":"a","token_type":"Bearer"}"#);
    let challenge = "Bearer error=\"insufficient_user_authentication\", scope=\"openid\"";
    let mut tab = stepping_up(&plain, challenge);
    assert_eq!(parameter(tab.navigation().query(), "scope"), "photos:read openid");
    assert_eq!(parameter(tab.navigation().query(), "nonce"), id_tokens::nonce_of(1));
    come_back(&mut tab, &json!({}));
    for _ in 0..2 {
        let claims = tab.session().and_then(|session| session.claims());
        assert_eq!(claims.map(|claims| claims.sub()), Some("248289761001"));
        tab.reload();
    }
    let mut tab = stepping_up(&plain, challenge);
    come_back(&mut tab, &json!({ "nonce": "another" }));
    assert_eq!(failed(&tab), [CheckId::Nonce]);
}

/// RS-9: without a configured scope there is only the API's.
#[test]
fn a_demand_without_a_configured_scope_asks_for_its_own() {
    let plain = Scenario::public_client().configured("scope", json!(null));
    let tab = stepping_up(&plain, CHALLENGE);
    assert_eq!(parameter(tab.navigation().query(), "scope"), "photos:delete");
    let mut again = Scenario::public_client().open();
    let twice = StepUp { max_age: Some(Seconds(1)), ..StepUp::default() };
    again.step_up(twice.clone(), "/");
    again.step_up(twice, "/");
    assert_eq!(again.navigations.len(), 1, "AUT-13: a second click does nothing");
}
