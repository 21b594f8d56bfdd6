//! What comes out of sessionStorage: a pending request, a session, and the keys and metadata of an issuer.

use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::flow::{ConfigurationSource, Effect, Event, Flow};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::pending_authorization::PendingAuthorization;
use leptos_pkce::protocol::return_path::ReturnPath;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::storage::{Record, RecordName};

use super::common::{NOW, POLICY, client, key, oracle, site};
use super::json::is_nearly;

/// WEB-2, OPS-3, AUT-14, CFG-14, A41: a record is one that this library wrote for this client, or none.
pub fn check(data: &[u8]) {
    let Ok(record) = Value::parse(data) else { return };
    pending(&record);
    let session = session(&record, data);
    assert_eq!(flow(&record), session.is_some(), "the flow takes up what is a session, and nothing else");
}

fn pending(record: &Value) {
    let Some(pending) = PendingAuthorization::decode(record, POLICY) else { return };
    let written = pending.encode();
    assert!(
        PendingAuthorization::decode(&reread(&written), POLICY).as_ref() == Some(&pending),
        "it reads as it was written"
    );
    assert!(pending.key().issuer.url().origin().starts_with("https://"), "CFG-2");
    assert!(
        written
            .text("token_endpoint")
            .is_some_and(|text| text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("https"))),
        "CFG-3"
    );
    assert!(written.text("return_path").is_none_or(|path| ReturnPath::parse(path).is_some()), "AUT-14");
    let verifier = written.text("code_verifier").unwrap_or_default();
    let is_unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    assert!((43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved), "AUT-3");
}

fn session(record: &Value, data: &[u8]) -> Option<Session> {
    let key = key();
    let decode = |record: &Value| Session::decode(record, &key, TokenStorage::Session, POLICY);
    let session = decode(record)?;
    assert!(session.key() == &key, "CFG-14");
    let again = decode(&reread(&session.encode())).expect("it reads what it wrote");
    let (before, after) = (session.encode(), again.encode());
    let [before, after] = [&before, &after].map(|record| record.as_object().expect("a record"));
    assert_eq!(before.len(), after.len());
    for ((name, before), (same, after)) in before.iter().zip(after) {
        let is_claims = ["id_token", "userinfo"].contains(&name.as_str());
        let is_so = before == after || (is_claims && is_nearly(&inner(before), &inner(after)));
        assert!(name == same && is_so, "{name} reads as it was written");
    }
    let asked = session.requested_scope().is_some_and(|scope| scope.contains("openid"));
    assert!(session.id_token().is_some() || !asked, "TOK-10");
    if let Some(claims) = session.id_token().map(|token| token.claims()) {
        assert!(claims.get("iss").and_then(Value::as_str) == Some(key.issuer.as_str()) && !claims.sub().is_empty());
        assert!(session.userinfo().is_none_or(|userinfo| userinfo.sub() == claims.sub()), "RS-4");
    }
    let shown = format!("{session:?}");
    let there = oracle(data);
    for member in ["access_token", "refresh_token", "id_token_hint"] {
        let token = there[member].as_str().unwrap_or_default();
        assert!(token.len() <= 20 || !shown.contains(token), "OPS-1: {member}");
    }
    Some(session)
}

/// Claims are kept as text; of their numbers not every digit is.
fn inner(claims: &Value) -> Value {
    Value::parse(claims.as_str().unwrap_or_default().as_bytes()).unwrap_or(Value::Bool(false))
}

/// Hands the record to a page that begins, under each name that it reads; whether somebody is signed in then.
fn flow(record: &Value) -> bool {
    let key = key();
    let start = Event::Started(ConfigurationSource::Clients(Ok(vec![client()])));
    let names = [RecordName::metadata(&key.issuer), RecordName::session(&key), RecordName::keys(&key.issuer)];
    let reads = names.into_iter().map(|name| Event::Read { name, record: Some(Record(record.clone())) });
    let mut flow = Flow::new(site());
    for event in std::iter::once(start).chain([Event::SignInLikely(key.clone())]).chain(reads) {
        let effects;
        (flow, effects) = flow.step(NOW, event);
        for effect in effects {
            assert!(!matches!(effect, Effect::Navigate(_) | Effect::Write { .. }), "a record alone does nothing");
            if let Effect::Fetch { request, .. } = effect {
                assert!(request.url.origin().starts_with("https://") && request.bearer.is_none());
            }
        }
    }
    flow.session(&key).is_some()
}

fn reread(record: &Value) -> Value {
    Value::parse(record.to_text().as_bytes()).expect("records are JSON")
}
