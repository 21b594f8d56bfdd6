//! Two servers in one tab: whatever is one's is never the other's.

use leptos_pkce::protocol::authorization_request::AuthorizationRequestError;
use leptos_pkce::protocol::authorization_response::CallbackError;
use leptos_pkce::protocol::client::{Client, ClientSettings};
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{CallId, Event, Intent};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::id_token::CheckId;
use leptos_pkce::protocol::jwk::PublicKey;
use leptos_pkce::protocol::jws::{Verdict, Verification};
use leptos_pkce::protocol::protected_resource::{ResourceError, ResourceRequest};
use leptos_pkce::protocol::storage::RecordName;
use serde_json::{Value, json};

use crate::id_token::failed;
use crate::id_tokens::{claims, compact, header, nonce_of, tokens, yes};
use crate::scenario::{API, CONFIGURATION, ISSUER, OTHER_ISSUER, PAGE, Scenario, TOKEN_ENDPOINT, Tab, key, parameter};

const OTHER_TOKEN_ENDPOINT: &str = "https://other.example/token";
const OTHER_JWKS_URI: &str = "https://other.example/jwks";

type Outcome = Result<HttpResponse, HttpFailure>;

fn both() -> Scenario {
    Scenario::public_client().openid().configured("token_storage", json!("session")).second_openid_server()
}

/// A token response of either server, for an attempt of this tab; they count from 0.
fn of(issuer: &str, attempt: u8) -> Outcome {
    tokens(&compact(&header(), &claims_of(issuer, attempt)))
}

fn claims_of(issuer: &str, attempt: u8) -> Value {
    let mut claims = claims();
    claims["iss"] = json!(issuer);
    claims["aud"] = json!(if issuer == ISSUER { "spa" } else { "other spa" });
    claims["sub"] = json!(format!("somebody at {issuer}"));
    claims["nonce"] = json!(nonce_of(attempt));
    claims
}

/// Left for both, one after the other; the states that were sent.
fn left_for_both(scenario: &Scenario) -> (Tab, [String; 2]) {
    let mut tab = scenario.open();
    tab.ask(key(ISSUER), None, Intent::Navigate);
    tab.reload();
    tab.ask(key(OTHER_ISSUER), None, Intent::Navigate);
    tab.now += 60;
    let states: Vec<String> = tab.navigations.iter().map(|url| parameter(url.query(), "state")).collect();
    (tab, states.try_into().expect("two requests"))
}

fn back(tab: &mut Tab, state: &str, more: &str) {
    tab.redirected(&format!("code=a&state={state}{more}"), "");
}

/// Signed in at both.
fn signed_in_at_both() -> Tab {
    let (mut tab, [first, second]) = left_for_both(&both());
    tab.answering(TOKEN_ENDPOINT, of(ISSUER, 0));
    tab.answering(OTHER_TOKEN_ENDPOINT, of(OTHER_ISSUER, 1));
    back(&mut tab, &first, "");
    back(&mut tab, &second, "");
    for issuer in [ISSUER, OTHER_ISSUER] {
        let session = tab.flow().session(&key(issuer)).expect("a session");
        assert_eq!(session.claims().map(|claims| claims.sub().to_owned()), Some(format!("somebody at {issuer}")));
    }
    tab
}

/// A page shows the newest session first. One that was restored used to become it when the configuration, and with it the
/// record, came after the tokens.
#[test]
fn a_session_that_is_restored_late_is_not_the_newest() {
    let (mut tab, [first, second]) = left_for_both(&both());
    tab.answering(TOKEN_ENDPOINT, of(ISSUER, 0));
    tab.answering(OTHER_TOKEN_ENDPOINT, of(OTHER_ISSUER, 1));
    back(&mut tab, &first, "");
    let configuration = tab.silence(CONFIGURATION).expect("there is one");
    back(&mut tab, &second, "");
    tab.arrive(CONFIGURATION, configuration);
    let issuers: Vec<_> = tab.flow().sessions().iter().map(|session| session.key().issuer.as_str()).collect();
    assert_eq!(issuers, [ISSUER, OTHER_ISSUER]);
}

/// CFG-15, A5: each answer goes to the server of its own request, with that request's code verifier.
#[test]
fn each_answer_completes_its_own_request() {
    let tab = signed_in_at_both();
    assert_eq!((tab.sent_to(TOKEN_ENDPOINT).len(), tab.sent_to(OTHER_TOKEN_ENDPOINT).len()), (1, 1));
    let verifier = |url: &str| parameter(tab.sent_to(url)[0].body.as_deref(), "code_verifier");
    assert_ne!(verifier(TOKEN_ENDPOINT), verifier(OTHER_TOKEN_ENDPOINT));
    assert!(tab.storage.names("pending").is_empty());
}

/// CFG-15, CB-6, A5: an answer that names the other server is that of neither, and costs the other request nothing.
#[test]
fn an_answer_of_the_other_server_is_refused() {
    let (mut tab, [first, second]) = left_for_both(&both());
    back(&mut tab, &first, "&iss=https%3A%2F%2Fother.example");
    let expected = CallbackError::IssuerMismatch { expected: key(ISSUER).issuer, received: OTHER_ISSUER.to_owned() };
    assert_eq!(*tab.callback_error(), Error::Callback(expected));
    assert!(tab.sent_to(TOKEN_ENDPOINT).is_empty() && tab.sent_to(OTHER_TOKEN_ENDPOINT).is_empty());
    tab.answering(OTHER_TOKEN_ENDPOINT, of(OTHER_ISSUER, 1));
    back(&mut tab, &second, "&iss=https%3A%2F%2Fother.example");
    assert!(tab.flow().session(&key(OTHER_ISSUER)).is_some() && tab.session().is_none());
}

/// CFG-15, A5: the other server sends people on with its own request's state to this one, which does not say whose its
/// answers are: the code comes to this one's redirect URI, and nobody gets it.
#[test]
fn a_code_of_the_other_server_is_not_handed_over() {
    let (mut tab, [_, evil]) = left_for_both(&both());
    tab.callback = Some("/callback".to_owned());
    back(&mut tab, &evil, "");
    assert!(matches!(tab.callback_error(), Error::Callback(CallbackError::WrongRedirectUri { .. })));
    assert!(tab.sent_to(TOKEN_ENDPOINT).is_empty() && tab.sent_to(OTHER_TOKEN_ENDPOINT).is_empty());
}

/// The other server's client with this redirect URI.
fn sharing(redirect_uri: &str) -> Scenario {
    both().configured_second("redirect_uri", json!(redirect_uri))
}

/// CFG-15, A5: nobody is sent to a server that does not say whose its answers are if another's come to the same place.
#[test]
fn a_shared_redirect_uri_needs_answers_that_say_whose_they_are() {
    for redirect_uri in ["callback", "callback/", "callback.html", "callback?server=other"] {
        let mut tab = sharing(&[PAGE, redirect_uri].concat()).open();
        for (issuer, other) in [(ISSUER, OTHER_ISSUER), (OTHER_ISSUER, ISSUER)] {
            tab.ask(key(issuer), None, Intent::Navigate);
            let other = key(other).issuer;
            let expected = Error::from(AuthorizationRequestError::SharedRedirectUri { other });
            assert_eq!(tab.flow().sign_in_error(&key(issuer)).map(AsRef::as_ref), Some(&expected), "{redirect_uri}");
        }
        assert!(tab.navigations.is_empty() && tab.storage.names("pending").is_empty());
    }
    // One that says so may share it, and then the other one cannot.
    let announced = sharing("https://app.example/callback");
    let mut tab = announced.metadata("authorization_response_iss_parameter_supported", json!(true)).open();
    tab.ask(key(OTHER_ISSUER), None, Intent::Navigate);
    assert!(tab.navigations.is_empty());
    tab.ask(key(ISSUER), None, Intent::Navigate);
    assert_eq!(tab.navigations.len(), 1);
}

/// CFG-14, CFG-15: two clients of one server may share a redirect URI, and so may those of two pages.
#[test]
fn what_cannot_be_mixed_up_may_share_a_redirect_uri() {
    assert!(Scenario::public_client().second_client().run().session().is_some());
    let mut tab = sharing("https://dev.example/callback").open();
    tab.sign_in();
    assert_eq!(tab.navigations.len(), 1);
}

/// CFG-15: a server that is added later counts too.
#[test]
fn a_server_that_was_added_counts() {
    let mut tab = Scenario::public_client().open();
    let settings = |redirect_uri: &str| ClientSettings {
        issuer: Some(OTHER_ISSUER.to_owned()),
        client_id: "other spa".to_owned(),
        redirect_uri: Some(redirect_uri.to_owned()),
        ..ClientSettings::default()
    };
    let add = |tab: &mut Tab, redirect_uri: &str| {
        let client = Client::new(settings(redirect_uri), tab.flow().site());
        tab.happen(Event::ClientAdded(client.expect("the settings are in order")));
        tab.sign_in();
    };
    add(&mut tab, "https://app.example/callback");
    assert_eq!(tab.sign_in_error().code(), "request.shared_redirect_uri");
    add(&mut tab, "https://app.example/callback/other");
    assert_eq!(tab.navigations.len(), 1);
}

/// CFG-15, IDT-1, IDT-2, IDT-8: an ID token of the other server, or one for the other request, is no answer to this one.
#[test]
fn an_id_token_of_the_other_server_is_refused() {
    for (answer, expected) in [
        (of(OTHER_ISSUER, 0), vec![CheckId::Issuer, CheckId::Audience]),
        (of(OTHER_ISSUER, 1), vec![CheckId::Issuer, CheckId::Audience, CheckId::Nonce]),
        (of(ISSUER, 1), vec![CheckId::Nonce]),
    ] {
        let (mut tab, [first, _]) = left_for_both(&both());
        tab.answering(TOKEN_ENDPOINT, answer);
        back(&mut tab, &first, "");
        assert_eq!(failed(&tab), expected);
        assert!(tab.flow().sessions().is_empty());
    }
}

/// Says yes to what the second server's keys made, whatever they are called.
fn by_the_other(verification: &Verification) -> Verdict {
    let coordinate = leptos_pkce::protocol::base64url::encode(&[6; 32]);
    let is_others = |key: &PublicKey| matches!(key, PublicKey::Ec { x, .. } if *x == coordinate);
    Verdict { signature: Ok(verification.keys.iter().any(is_others)), ..yes(verification) }
}

/// CFG-15, JOSE-11: keys of the same name are not the same keys.
#[test]
fn each_server_is_verified_by_its_own_keys() {
    let (mut tab, [first, second]) = left_for_both(&both().verdict(by_the_other));
    tab.answering(TOKEN_ENDPOINT, of(ISSUER, 0));
    tab.answering(OTHER_TOKEN_ENDPOINT, of(OTHER_ISSUER, 1));
    back(&mut tab, &second, "");
    assert!(tab.flow().session(&key(OTHER_ISSUER)).is_some());
    back(&mut tab, &first, "");
    assert_eq!(failed(&tab), [CheckId::Signature]);
    assert_eq!(tab.storage.names("keys").len(), 2);
}

/// JOSE-11, A41: a record of keys under the other server's name is no record.
#[test]
fn keys_do_not_change_sides_in_storage() {
    let (mut tab, [first, _]) = left_for_both(&both().verdict(by_the_other));
    let name = |issuer: &str| RecordName::keys(&key(issuer).issuer).as_str().to_owned();
    let others = tab.storage.records[&name(OTHER_ISSUER)].clone();
    tab.storage.records.insert(name(ISSUER), others);
    tab.answering(TOKEN_ENDPOINT, of(ISSUER, 0));
    let before = tab.sent_to(OTHER_JWKS_URI).len();
    back(&mut tab, &first, "");
    assert_eq!(failed(&tab), [CheckId::Signature]);
    assert_eq!(tab.sent_to(OTHER_JWKS_URI).len(), before);
}

/// CFG-14, A41: neither does a session.
#[test]
fn sessions_do_not_change_sides_in_storage() {
    let mut tab = signed_in_at_both();
    let name = |issuer: &str| RecordName::session(&key(issuer)).as_str().to_owned();
    let others = tab.storage.records[&name(OTHER_ISSUER)].clone();
    tab.storage.records.insert(name(ISSUER), others);
    tab.reload();
    assert!(tab.session().is_none());
    assert!(tab.flow().session(&key(OTHER_ISSUER)).is_some());
}

/// RS-2, CFG-15: a token goes to the places of its own client.
#[test]
fn each_token_goes_to_its_own_places() {
    let mut tab = signed_in_at_both();
    let others = "https://other.example/api";
    for (call, issuer, url) in
        [(1, ISSUER, API), (2, OTHER_ISSUER, others), (3, ISSUER, others), (4, OTHER_ISSUER, API)]
    {
        let request = ResourceRequest { method: "GET".into(), url: url.into(), headers: vec![], body: None };
        tab.happen(Event::Call { call: CallId(call), key: key(issuer), request });
    }
    let is_refused = |outcome: &Result<_, ResourceError>| matches!(outcome, Err(ResourceError::NotAllowed { .. }));
    let mut refused: Vec<u64> =
        tab.answered.iter().filter(|(_, outcome)| is_refused(outcome)).map(|(call, _)| call.0).collect();
    refused.sort_unstable();
    assert_eq!(refused, [3, 4]);
}

/// OUT-3, CFG-15: signing out at one leaves the other as it is.
#[test]
fn signing_out_at_one_leaves_the_other() {
    let mut tab = signed_in_at_both();
    tab.sign_out();
    for _ in 0..2 {
        assert!(tab.session().is_none());
        assert!(tab.flow().session(&key(OTHER_ISSUER)).is_some());
        tab.reload();
    }
    assert!(tab.storage.records.keys().all(|name| name.contains(OTHER_ISSUER)), "{:?}", tab.storage.records.keys());
    assert_eq!(tab.storage.records.len(), 3, "session, metadata, keys");
}

/// IDT-4, CFG-15: one server's clock says nothing about the other's.
#[test]
fn each_server_has_its_own_clock() {
    let late = |outcome: Outcome| {
        outcome.map(|mut response| {
            response.headers.push(("date".to_owned(), "Tue, 14 Nov 2023 23:14:20 GMT".to_owned()));
            response
        })
    };
    let (mut tab, [first, second]) = left_for_both(&both());
    tab.answering(OTHER_TOKEN_ENDPOINT, late(of(OTHER_ISSUER, 1)));
    back(&mut tab, &second, "");
    tab.happen(Event::Redirected {
        path: "/callback".to_owned(),
        query: format!("code=a&state={first}"),
        fragment: String::new(),
    });
    let [ours, others] = [ISSUER, OTHER_ISSUER].map(|issuer| tab.flow().clock_of(&key(issuer).issuer).0);
    assert_eq!((ours, others), (0, 3_600));
}

/// DP-5, CFG-14: each client has a key of its own, also two at one server.
#[test]
fn each_client_has_its_own_proof_key() {
    let [ours, others] = [ISSUER, OTHER_ISSUER].map(|issuer| key(issuer).proof_key_name());
    assert_eq!(
        (ours.as_str(), others.as_str()),
        ("proof https://as.example spa", "proof https://other.example other spa")
    );
}
