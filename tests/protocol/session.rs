//! The session: what it allows, until when, and what of it is written down.

use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::flow::Intent;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::storage::RecordName;
use leptos_pkce::protocol::time::{Seconds, UnixTime};
use leptos_pkce::protocol::url::SchemePolicy;
use serde_json::json;

use crate::scenario::{ACCESS_TOKEN, ISSUER, OTHER_ISSUER, START, Scenario, Tab, as_json, key, value};

/// Signed in a minute after the request, in a tab that keeps the session.
fn kept() -> Tab {
    Scenario::public_client().configured("token_storage", json!("session")).run()
}

fn session(tab: &Tab) -> &Session {
    tab.session().expect("a session")
}

/// TOK-8: the lifetime counts from when the request was sent; unknown stays unknown.
#[test]
fn counts_the_lifetime_from_the_request() {
    let tab = Scenario::public_client().later(60).run();
    let session = session(&tab);
    assert_eq!(session.signed_in_at(), UnixTime(START + 60));
    assert_eq!(session.expires_at(), Some(UnixTime(START + 60 + 3600)));
    assert_eq!(session.lifetime(), Some(Seconds(3600)));
    assert_eq!(session.remaining(UnixTime(START + 61)), Some(Seconds(3599)));
    assert_eq!(session.remaining(UnixTime(START + 99_999)), Some(Seconds(0)));

    let tab = Scenario::public_client().tokens(r#"{"access_token":"a","token_type":"Bearer"}"#).run();
    let session = self::session(&tab);
    assert_eq!((session.expires_at(), session.lifetime(), session.remaining(UnixTime(START))), (None, None, None));
}

/// TOK-9, A48: what was granted is what the server says, or else what was asked; less and more can be seen.
#[test]
fn knows_what_was_granted() {
    let granted = |scope: &str| {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer"{scope}}}"#);
        let tab = Scenario::public_client().configured("scope", json!("photos:read photos:write")).tokens(&body).run();
        let session = session(&tab);
        let text = session.granted_scope().map(|scope| scope.as_str().to_owned()).unwrap_or_default();
        let [refused, unrequested] =
            [session.refused_scope(), session.unrequested_scope()].map(|tokens| tokens.join(" "));
        assert_eq!(session.requested_scope().map(|scope| scope.as_str()), Some("photos:read photos:write"));
        (text, refused, unrequested)
    };
    let three = |texts: [&str; 3]| texts.map(str::to_owned).into();
    assert_eq!(granted(""), three(["photos:read photos:write", "", ""]));
    assert_eq!(granted(r#","scope":"photos:read""#), three(["photos:read", "photos:write", ""]));
    let wider = "photos:read photos:write x photos:delete";
    assert_eq!(granted(&format!(r#","scope":"{wider}""#)), three([wider, "", "x photos:delete"]));
    assert_eq!(granted(r#","scope":"x""#), three(["x", "photos:read photos:write", "x"]));
}

/// A48: who asks for no scope asks for the server's default (RFC 6749 §3.3), whatever that is.
#[test]
fn a_default_scope_is_no_wider_than_was_asked_for() {
    let body = r#"{"access_token":"a","token_type":"Bearer","scope":"photos:read"}"#;
    let tab = Scenario::public_client().configured("scope", json!(null)).tokens(body).run();
    assert_eq!(session(&tab).granted_scope().map(|scope| scope.as_str()), Some("photos:read"));
    assert!(session(&tab).unrequested_scope().is_empty());
}

/// WEB-1: by default nothing of a session is written anywhere.
#[test]
fn is_not_written_unless_the_app_asks_for_it() {
    let mut tab = Scenario::public_client().run();
    assert!(tab.session().is_some());
    assert!(!tab.trace.iter().any(|line| line.contains("session")), "{:?}", tab.trace);
    assert!(!tab.storage.records.values().any(|record| record.contains(ACCESS_TOKEN)));
    tab.reload();
    assert!(tab.session().is_none());
}

#[test]
fn survives_a_reload_where_the_app_asks_for_it() {
    let mut tab = kept();
    let before = session(&tab).clone();
    tab.now += 100;
    tab.reload();
    let after = session(&tab);
    assert_eq!(after.access_token().expose(), ACCESS_TOKEN);
    assert_eq!(after.expires_at(), before.expires_at());
    assert_eq!(after.granted_scope(), before.granted_scope());
    assert_eq!(after.signed_in_at(), before.signed_in_at());
    assert_eq!(after.token_storage(), TokenStorage::Session);
}

/// WEB-1: a refresh token is written down where its session outlives the page by configuration, and nowhere else.
#[test]
fn writes_a_refresh_token_only_where_a_session_is_to_survive() {
    let mut tab = kept();
    assert!(session(&tab).has_refresh_token());
    let holders =
        |tab: &Tab| tab.storage.records.values().filter(|record| record.contains("tGzv3JOkF0XG5Qx2TlKWIA")).count();
    assert_eq!(holders(&tab), 1, "in the record of the session");
    tab.reload();
    assert!(session(&tab).has_refresh_token());
    assert_eq!(holders(&Scenario::public_client().run()), 0, "memory");
}

/// WEB-2: a record that was not written so is no session.
#[test]
fn refuses_a_record_that_encode_did_not_write() {
    let record = as_json(&session(&kept()).encode());
    let decode = |record: &serde_json::Value, issuer: &str| {
        Session::decode(&value(&record.to_string()), &key(issuer), TokenStorage::Session, SchemePolicy::HttpsOnly)
    };
    assert!(decode(&record, ISSUER).is_some());
    assert_eq!(decode(&record, OTHER_ISSUER), None);
    for (member, values) in [
        ("version", vec![json!(2), json!("3"), json!(null)]),
        ("dpop_jkt", vec![json!(5), json!(true), json!(["a"])]),
        ("issuer", vec![json!("https://other.example"), json!("http://as.example"), json!(null)]),
        ("client_id", vec![json!("other"), json!(""), json!(null)]),
        ("access_token", vec![json!(""), json!("a b"), json!("a\r\nb"), json!("ä"), json!(5), json!(null)]),
        ("id_token", vec![json!("no"), json!({}), json!({ "iss": ISSUER, "aud": "other", "sub": "a" })]),
        ("expires_at", vec![json!("1"), json!(-1), json!(1.5), json!([])]),
        ("requested_scope", vec![json!(""), json!(5)]),
        ("granted_scope", vec![json!("a  b"), json!({})]),
        ("signed_in_at", vec![json!("1"), json!(-1), json!(null)]),
        ("id", vec![json!(""), json!(5), json!(null)]),
        ("obtained_at", vec![json!("1"), json!(null)]),
        ("generation", vec![json!("1"), json!(0.5), json!(null)]),
        ("presented", vec![json!("1"), json!(5_000_000_000_u64), json!(null)]),
        ("presented_at", vec![json!("1"), json!(-1)]),
        ("refresh_token", vec![json!(""), json!("a b"), json!(5)]),
        ("id_token_hint", vec![json!(""), json!("a b"), json!(5)]),
        ("token_endpoint", vec![json!("http://as.example/token"), json!("javascript:alert(1)"), json!(null)]),
        ("resource", vec![json!("https://api.example"), json!([5])]),
        ("asked", vec![json!({}), json!("no")]),
    ] {
        for value in values {
            let mut record = record.clone();
            record[member] = value.clone();
            assert_eq!(decode(&record, ISSUER), None, "{member}: {value}");
        }
    }
}

/// IDT-7, OPS-3: who was signed in is so after a reload; what other people's token says, or none at all, signs nobody in.
#[test]
fn a_restored_session_is_about_the_same_person() {
    let mut tab = Scenario::public_client().openid().configured("token_storage", json!("session")).run();
    let name = RecordName::session(&key(ISSUER)).as_str().to_owned();
    let text = tab.storage.records[&name].clone();
    let before = session(&tab).claims().cloned();
    tab.reload();
    assert_eq!(session(&tab).claims(), before.as_ref());
    assert_eq!(session(&tab).id_token().map(|token| token.checks()), Some(Vec::new()), "verified by an earlier page");
    for (member, value) in [
        ("iss", json!("https://other.example")),
        ("iss", json!(null)),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("aud", json!(["spa", "other"])),
        ("aud", json!([])),
        ("aud", json!(null)),
        ("sub", json!("")),
        ("sub", json!(5)),
    ] {
        let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let claims = record["id_token"].as_str().expect("claims as text");
        let mut claims: serde_json::Value = serde_json::from_str(claims).expect("JSON");
        claims[member] = value.clone();
        record["id_token"] = json!(claims.to_string());
        tab.storage.records.insert(name.clone(), record.to_string());
        tab.reload();
        assert!(tab.session().is_none(), "{member}: {value}");
    }
    let mut record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    record.as_object_mut().expect("an object").remove("id_token");
    tab.storage.records.insert(name, record.to_string());
    tab.reload();
    assert!(tab.session().is_none(), "openid without an ID token");
}

/// CFG-14: another client's record is not taken for one's own, not even under one's own name.
#[test]
fn is_not_taken_from_another_client() {
    let mut tab = kept();
    let name = RecordName::session(&key(ISSUER)).as_str().to_owned();
    let moved = tab.storage.records[&name].replace("\"spa\"", "\"other\"");
    tab.storage.records.insert(name, moved);
    tab.reload();
    assert!(tab.session().is_none());
}

/// OUT-3: signing out leaves nothing of this client in the page or in storage.
#[test]
fn signing_out_forgets_everything() {
    let mut tab = kept();
    tab.ask(key(ISSUER), None, Intent::Show);
    assert_eq!(tab.storage.names("pending").len(), 1);
    tab.sign_out();
    assert!(tab.session().is_none());
    assert!(tab.flow().prepared(&key(ISSUER)).is_none());
    assert_eq!(tab.storage.records.keys().collect::<Vec<_>>(), [""; 0]);
    tab.reload();
    assert!(tab.session().is_none());
}

/// OUT-3: it does so without waiting for anything.
#[test]
fn signing_out_needs_no_network() {
    let mut tab = kept();
    tab.take_trace();
    tab.sign_out();
    assert!(!tab.trace.iter().any(|line| line.starts_with("fetch")), "{:?}", tab.trace);
}
