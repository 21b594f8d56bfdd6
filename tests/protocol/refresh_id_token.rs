//! The ID token that comes with renewed tokens: about the same person, or nothing of the answer is used.

use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::{Event, Intent, SessionEvent};
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::id_token::{CheckId, Outcome};
use serde_json::{Value, json};

use crate::answers::{document, lost, status};
use crate::browser::Server;
use crate::id_tokens::{self, JWKS_URI, at_hash, compact, header, no, nonce};
use crate::refresh::{access_token, presented, renew, session, tokens};
use crate::scenario::{ACCESS_TOKEN, ISSUER, Scenario, TOKEN_ENDPOINT, Tab, key};

/// An OpenID session with a refresh token, in this `token_storage`.
pub(crate) fn openid(storage: &str) -> Scenario {
    let id_token = compact(&header(), &id_tokens::claims());
    let body = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "first",
        "id_token": id_token,
    });
    Scenario::public_client().openid().tokens(&body.to_string()).configured("token_storage", json!(storage))
}

fn signed_in(storage: &str) -> Tab {
    let mut tab = openid(storage).run();
    assert!(tab.session().is_some());
    tab.take_announced();
    tab.take_trace();
    tab
}

/// What a renewed ID token says at `now`.
fn claims(now: u64) -> Value {
    json!({
        "iss": ISSUER, "sub": "248289761001", "aud": "spa", "iat": now, "exp": now + 300, "at_hash": at_hash("new"),
        "name": "Jane Roe",
    })
}

/// The answer to a refresh with this ID token.
fn answer(claims: &Value) -> Result<HttpResponse, HttpFailure> {
    let id_token = compact(&header(), claims);
    document(
        json!({
            "access_token": "new", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "second",
            "id_token": id_token,
        })
        .to_string(),
    )
}

/// Renews with an ID token whose claims are changed so; `null` removes one.
fn renew_with(tab: &mut Tab, changes: &Value) {
    tab.now += 1000;
    let mut claims = claims(tab.now);
    for (name, value) in changes.as_object().cloned().unwrap_or_default() {
        match value {
            Value::Null => drop(claims.as_object_mut().expect("claims").remove(&name)),
            value => claims[name] = value,
        }
    }
    tab.answering(TOKEN_ENDPOINT, answer(&claims));
    renew(tab);
}

fn name_of(tab: &Tab) -> Option<&str> {
    session(tab).claims().and_then(|claims| claims.name())
}

/// REF-4: one about the same person takes the place of the one before it.
#[test]
fn a_renewed_id_token_about_the_same_person_is_taken() {
    for storage in ["memory", "session", "shared"] {
        for changes in [json!({}), json!({ "nonce": nonce() }), json!({ "aud": ["spa"] }), json!({ "azp": "spa" })] {
            let mut tab = signed_in(storage);
            assert_eq!(name_of(&tab), Some("Jane Doe"));
            renew_with(&mut tab, &changes);
            assert_eq!((access_token(&tab), name_of(&tab)), ("new", Some("Jane Roe")), "{storage}: {changes}");
            assert_eq!(tab.take_announced(), [SessionEvent::Renewed], "{storage}: {changes}");
            tab.reload();
            if storage != "memory" {
                assert_eq!(name_of(&tab), Some("Jane Roe"), "{storage}");
            }
        }
    }
}

/// REF-4, A26, F25, F27: one about somebody else, from somebody else or for somebody else takes the whole answer with it, and
/// ends the session: nothing of it is stored, published or used, and the app hears which check failed.
#[test]
fn a_renewed_id_token_about_somebody_else_ends_the_session() {
    for (changes, failed) in [
        (json!({ "sub": "somebody else" }), CheckId::Subject),
        (json!({ "sub": null }), CheckId::Subject),
        (json!({ "iss": "https://other.example" }), CheckId::Issuer),
        (json!({ "iss": format!("{ISSUER}/") }), CheckId::Issuer),
        (json!({ "iss": null }), CheckId::Issuer),
        (json!({ "aud": "other" }), CheckId::Audience),
        (json!({ "aud": ["spa", "other"], "azp": "spa" }), CheckId::Audience),
        (json!({ "azp": "other" }), CheckId::AuthorizedParty),
        (json!({ "nonce": "another" }), CheckId::Nonce),
        (json!({ "at_hash": at_hash("another") }), CheckId::AtHash),
    ] {
        for storage in ["memory", "session", "shared"] {
            let mut tab = signed_in(storage);
            renew_with(&mut tab, &changes);
            assert!(tab.session().is_none(), "{storage}: {changes}");
            let announced = tab.take_announced();
            let [SessionEvent::Expired(error)] = &announced[..] else { panic!("{storage}: {changes}: {announced:?}") };
            let Error::IdToken(error) = &**error else { panic!("{error:?}") };
            assert!(error.failed().contains(&failed), "{changes}: {error:?}");
            let everything = format!("{:?}{:?}", tab.storage.records, tab.shared);
            assert!(!everything.contains("second") && !everything.contains("\"new"), "{storage}: {everything}");
            tab.pass(10_000);
            assert_eq!(presented(&tab), ["first"], "{storage}");
        }
    }
}

/// REF-4: the person signed in once: `auth_time` stays what it was, where both have it.
#[test]
fn the_time_of_the_sign_in_stays() {
    for (before, after, is_taken) in [
        (json!(5000), json!(5000), true),
        (json!(5000), json!(5001), false),
        (json!(5000), json!(null), true),
        (json!(null), json!(5000), true),
        (json!(5000), json!("5000"), false),
    ] {
        let mut claims = id_tokens::claims();
        if !before.is_null() {
            claims["auth_time"] = before.clone();
        }
        let body = json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "first",
            "id_token": compact(&header(), &claims),
        });
        let mut tab = openid("memory").tokens(&body.to_string()).run();
        renew_with(&mut tab, &json!({ "auth_time": after }));
        assert_eq!(tab.session().is_some(), is_taken, "{before} {after}");
    }
}

/// REF-4: what was asked of the sign-in is past: its age is not measured again, and another class is no matter.
#[test]
fn what_was_asked_of_the_sign_in_is_past() {
    let mut claims = id_tokens::claims();
    (claims["auth_time"], claims["acr"]) = (json!(crate::scenario::START), json!("mfa"));
    let body = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 100_000, "refresh_token": "first",
        "id_token": compact(&header(), &claims),
    });
    let scenario = openid("memory").tokens(&body.to_string());
    let mut tab = scenario.configured("max_age", json!(300)).configured("acr_values", json!("mfa")).run();
    assert!(tab.session().is_some());
    tab.now += 10_000;
    renew_with(&mut tab, &json!({ "auth_time": crate::scenario::START, "acr": "pwd" }));
    assert_eq!(access_token(&tab), "new");
    let checks = session(&tab).id_token().expect("verified").checks();
    let said = |id| {
        let check = checks.iter().find(|check| check.id == id).expect("it is listed");
        (check.outcome, check.expected.as_str())
    };
    let past = "what was asked for at sign-in, which is past";
    assert_eq!(said(CheckId::Acr), (Outcome::NotApplicable, past));
    assert_eq!(said(CheckId::Nonce), (Outcome::NotApplicable, "the nonce of the first request, where there is one"));
    assert_eq!(said(CheckId::AuthTime), (Outcome::Passed, "the same as before"));
    assert_eq!(said(CheckId::Subject), (Outcome::Passed, "the person of this session"));
}

/// IDT-7, IDT-9: the same checks say of a first ID token, and of one beside which there was nothing to compare, what they are.
#[test]
fn the_checks_say_what_they_compare_with() {
    let said = |tab: &Tab, id| {
        let checks = session(tab).id_token().expect("verified").checks();
        let check = checks.into_iter().find(|check| check.id == id).expect("it is listed");
        (check.outcome, check.expected)
    };
    let mut tab = signed_in("memory");
    let words = |outcome, words: &str| (outcome, words.to_owned());
    assert_eq!(said(&tab, CheckId::Subject), words(Outcome::Passed, "1 to 255 ASCII characters"));
    assert_eq!(said(&tab, CheckId::Nonce), words(Outcome::Passed, "the nonce of this request"));
    let wish = words(Outcome::NotApplicable, "auth_time, where max_age was asked for");
    assert_eq!(said(&tab, CheckId::AuthTime), wish);
    assert_eq!(said(&tab, CheckId::Acr), words(Outcome::NotApplicable, "acr, where acr_values were asked for"));
    renew_with(&mut tab, &json!({}));
    let same = words(Outcome::NotApplicable, "the same as before, where both have it");
    assert_eq!(said(&tab, CheckId::AuthTime), same);

    let mut claims = id_tokens::claims();
    claims["auth_time"] = json!(crate::scenario::START);
    let body = json!({
        "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "id_token": compact(&header(), &claims),
    });
    let tab = openid("memory").tokens(&body.to_string()).configured("max_age", json!(300)).run();
    assert_eq!(said(&tab, CheckId::AuthTime), words(Outcome::Passed, "a time at most 300 s ago"));
}

/// REF-4, JOSE-1, IDT-11: its signature is verified like that of the first.
#[test]
fn a_renewed_id_token_with_a_bad_signature_ends_the_session() {
    let mut tab = openid("memory").run();
    tab.set_verdict(no);
    renew_with(&mut tab, &json!({}));
    assert!(tab.session().is_none());
    let mut tab = openid("memory").run();
    let unsigned = compact(&json!({ "alg": "none" }), &claims(tab.now));
    let body = json!({ "access_token": "new", "token_type": "Bearer", "id_token": unsigned });
    tab.answering(TOKEN_ENDPOINT, document(body.to_string()));
    renew(&mut tab);
    assert!(tab.session().is_none());
}

/// REF-10, REF-4: nothing is stored or published before it is verified.
#[test]
fn nothing_is_stored_before_it_is_verified() {
    let mut tab = signed_in("session");
    tab.answering(TOKEN_ENDPOINT, answer(&claims(tab.now)));
    renew(&mut tab);
    let trace = tab.take_trace();
    let place = |what: &str| trace.iter().rposition(|line| line == what).expect(what);
    assert!(place("verify") < place("write session") && place("write session") < place("announce Renewed"));
}

/// REF-13, F26: an answer without one leaves the person as they were.
#[test]
fn an_answer_without_an_id_token_keeps_the_claims() {
    for storage in ["memory", "session", "shared"] {
        let mut tab = signed_in(storage);
        tab.answering(TOKEN_ENDPOINT, tokens("new", None, 3600));
        renew(&mut tab);
        assert_eq!((access_token(&tab), name_of(&tab)), ("new", Some("Jane Doe")), "{storage}");
    }
}

/// IDT-1: one that nobody asked for, because `openid` was not, is not believed.
#[test]
fn an_id_token_that_nobody_asked_for_is_not_believed() {
    let mut tab = Scenario::public_client().run();
    tab.answering(TOKEN_ENDPOINT, answer(&json!({ "sub": "eve" })));
    renew(&mut tab);
    assert_eq!(access_token(&tab), "new");
    assert!(session(&tab).claims().is_none());
}

/// A26: after a reload too it is held to the person of the record.
#[test]
fn a_restored_session_keeps_its_person() {
    for storage in ["session", "shared"] {
        let mut tab = signed_in(storage);
        tab.reload();
        renew_with(&mut tab, &json!({ "sub": "somebody else" }));
        assert!(tab.session().is_none(), "{storage}");
        let mut tab = signed_in(storage);
        tab.reload();
        renew_with(&mut tab, &json!({}));
        assert_eq!(name_of(&tab), Some("Jane Roe"), "{storage}");
    }
}

/// F24: keys that the server has changed meanwhile are fetched once more.
#[test]
fn a_renewed_id_token_may_need_newer_keys() {
    let mut tab = signed_in("session");
    tab.answering(JWKS_URI, id_tokens::keys(&[id_tokens::key("1"), id_tokens::key("2")]));
    tab.now += 100;
    let id_token = compact(&json!({ "alg": "ES256", "kid": "2" }), &claims(tab.now));
    let body = json!({ "access_token": "new", "token_type": "Bearer", "id_token": id_token });
    tab.answering(TOKEN_ENDPOINT, document(body.to_string()));
    let before = tab.sent_to(JWKS_URI).len();
    renew(&mut tab);
    assert_eq!((access_token(&tab), tab.sent_to(JWKS_URI).len()), ("new", before + 1));
}

/// REF-6, REF-7: keys that cannot be had right now end no session: nobody presents a refresh token who could not look at the
/// answer. It used to be presented, its answer thrown away, and then presented once more.
#[test]
fn keys_that_cannot_be_had_end_no_session() {
    for fault in [lost(), status(503)] {
        let mut tab = signed_in("session");
        let server = Server::new("first");
        tab.server = Some(server.clone());
        tab.storage.records.retain(|name, _| !name.contains(" keys "));
        tab.answering(JWKS_URI, fault);
        tab.reload();
        renew(&mut tab);
        tab.pass(600);
        assert_eq!(server.presented(), [""; 0]);
        tab.answering(JWKS_URI, id_tokens::keys(&[id_tokens::key("1")]));
        tab.pass(100);
        assert_eq!(server.presented(), ["first"]);
        assert_eq!(access_token(&tab), "access-1");
    }
}

/// F11: a clock that was set while somebody was signed in ends no session: its ID token looks like one of another time, but is
/// about the same person. They stay as they were, with the new tokens.
#[test]
fn a_clock_that_was_set_ends_no_session() {
    for storage in ["memory", "session", "shared"] {
        for by in [-86_400, -3600, 3600, 86_400] {
            let mut tab = signed_in(storage);
            let there = tab.now + 1800;
            tab.now = there.saturating_add_signed(by);
            tab.answering(TOKEN_ENDPOINT, answer(&claims(there)));
            tab.happen(Event::Resumed);
            renew(&mut tab);
            assert_eq!((access_token(&tab), name_of(&tab)), ("new", Some("Jane Doe")), "{storage}: {by}");
            assert_eq!(presented(&tab), ["first"], "{storage}: {by}");
        }
    }
    let mut tab = signed_in("memory");
    let there = tab.now;
    tab.now -= 3600;
    let mut theirs = claims(there);
    theirs["sub"] = json!("somebody else");
    tab.answering(TOKEN_ENDPOINT, answer(&theirs));
    renew(&mut tab);
    assert!(tab.session().is_none());
}

/// RS-13: an answer whose ID token is being verified when the person signs out is dropped.
#[test]
fn a_verdict_after_sign_out_is_dropped() {
    let mut tab = signed_in("session");
    tab.answering(TOKEN_ENDPOINT, answer(&claims(tab.now)));
    tab.happen_slowly(Event::Renew(key(ISSUER)));
    for _ in 0..4 {
        let arriving = tab.take_arriving();
        if arriving.iter().any(|event| matches!(event, Event::Verified { .. })) {
            tab.sign_out();
            arriving.into_iter().for_each(|event| tab.happen(event));
            break;
        }
        arriving.into_iter().for_each(|event| tab.happen_slowly(event));
    }
    assert!(tab.session().is_none());
    assert!(tab.trace.iter().any(|line| line == "verify"));
    assert!(tab.storage.names("session").is_empty());
}

/// REF-4, A26: at a server with many tenants the tenant stays too: whoever has an account in two may be the same `sub` in both.
#[test]
fn a_renewed_id_token_is_of_the_same_tenant() {
    const TENANTS: [&str; 2] = ["9122040d-6c67-4c5b-b112-36a304b66dad", "72f988bf-86f1-41af-91ab-2d7cd011db47"];
    let of_tenant = |mut claims: Value, tenant: &str| {
        claims["iss"] = json!(format!("https://login.microsoftonline.com/{tenant}/v2.0"));
        claims["tid"] = json!(tenant);
        claims
    };
    let configured = "https://login.microsoftonline.com/common/v2.0";
    for (tenant, is_taken) in [(TENANTS[0], true), (TENANTS[1], false)] {
        let metadata = json!({
            "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
            "authorization_endpoint": format!("{configured}/authorize"),
            "token_endpoint": TOKEN_ENDPOINT,
            "jwks_uri": JWKS_URI,
            "id_token_signing_alg_values_supported": ["ES256"],
        });
        let body = json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "first",
            "id_token": compact(&header(), &of_tenant(id_tokens::claims(), TENANTS[0])),
        });
        let mut tab = Scenario::public_client()
            .openid()
            .configured("issuer", json!(configured))
            .answering(&format!("{configured}/.well-known/openid-configuration"), document(metadata.to_string()))
            .tokens(&body.to_string())
            .open();
        let key = tab.flow().clients()[0].key().clone();
        tab.ask(key.clone(), None, Intent::Navigate);
        tab.now += 60;
        tab.come_back("code=x&state={state}", "");
        assert!(tab.flow().session(&key).is_some());
        tab.answering(TOKEN_ENDPOINT, answer(&of_tenant(claims(tab.now), tenant)));
        tab.happen(Event::Renew(key.clone()));
        assert_eq!(tab.flow().session(&key).is_some(), is_taken, "{tenant}");
        let Some(SessionEvent::Expired(error)) = tab.announced.last().filter(|_| !is_taken) else { continue };
        let Error::IdToken(error) = &**error else { panic!("{error:?}") };
        assert_eq!(error.failed(), [CheckId::Issuer]);
        let check = error.checks().into_iter().find(|check| check.id == CheckId::Issuer).expect("it is checked");
        assert!(check.expected.contains(TENANTS[0]) && check.found.contains(TENANTS[1]), "{check:?}");
    }
}
