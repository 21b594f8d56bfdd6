//! The ID token: what refuses it, and that nobody is signed in then.

use leptos_pkce::protocol::clock::ClockDifference;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::Event;
use leptos_pkce::protocol::http::{HttpFailure, HttpResponse};
use leptos_pkce::protocol::id_token::{CHECKS, Check, CheckId, Outcome};
use leptos_pkce::protocol::jws::{SubtleUnavailable, Verdict, Verification};
use leptos_pkce::protocol::protected_resource::ResourceError;
use serde_json::{Value, json};

use crate::answers::document;
use crate::errors_about_trust::failing;
use crate::id_tokens::{self, JWKS_URI, at_hash, claims, compact, header, no, nonce, tokens};
use crate::scenario::{ACCESS_TOKEN, API, DISCOVERY, ISSUER, START, Scenario, Tab, key};

/// When the token is looked at.
const NOW: u64 = START + 60;

fn openid() -> Scenario {
    Scenario::public_client().openid()
}

/// The checks that failed, in their order.
#[track_caller]
pub(crate) fn failed(tab: &Tab) -> &[CheckId] {
    match tab.callback_error() {
        Error::IdToken(error) => error.failed(),
        other => panic!("no error of an ID token: {other}"),
    }
}

/// Nobody is signed in: not in this page, not in storage, not at an API and not at the user info endpoint.
#[track_caller]
fn assert_refused(scenario: Scenario, expected: &[CheckId]) {
    let scenario = scenario
        .configured("token_storage", json!("session"))
        .metadata("userinfo_endpoint", json!("https://as.example/userinfo"));
    let mut tab = scenario.run();
    assert_eq!(failed(&tab), expected);
    tab.take_trace();
    tab.call(1, API);
    tab.happen(Event::AskUserInfo(key(ISSUER)));
    assert_eq!(tab.take_trace(), ["answer 1"]);
    assert!(matches!(tab.answered[..], [(_, Err(ResourceError::SignedOut))]));
    for _ in 0..2 {
        assert!(tab.session().is_none() && tab.storage.names("session").is_empty());
        tab.reload();
    }
}

/// This one check refuses the token if it has these claims.
#[track_caller]
fn assert_refuses(check: CheckId, changes: &[Value]) {
    for changes in changes {
        let tab = openid().claims(changes.clone()).run();
        assert_eq!(failed(&tab), [check], "{changes}");
        assert!(tab.session().is_none(), "{changes}");
    }
}

#[track_caller]
fn assert_accepts(scenario: &Scenario, what: &str) {
    let tab = scenario.run();
    let reason = tab.flow().callback_failure().map(|failure| failure.error.to_string());
    assert!(tab.session().is_some_and(|session| session.claims().is_some()), "{what}: {reason:?}");
}

fn good_checks() -> Vec<Check> {
    let tab = openid().run();
    tab.session().and_then(|session| session.id_token()).expect("an ID token").checks()
}

/// TOK-17, OPS-3: each check alone keeps everybody out, whatever else is right.
#[test]
fn every_check_alone_signs_nobody_in() {
    for check in CHECKS {
        let expected = failed(&failing(check).run()).to_vec();
        assert!(expected.contains(&check), "{check:?}");
        assert_refused(failing(check), &expected);
    }
}

/// OPS-2: codes and sections are stable, and the list is in this order.
#[test]
fn every_check_has_its_code_and_its_section() {
    let core = |number: usize| format!("OpenID Connect Core §3.1.3.7 ({number})");
    let named = [
        "encryption",
        "iss",
        "aud",
        "azp_missing",
        "azp",
        "signature",
        "alg",
        "mac",
        "exp",
        "iat",
        "nonce",
        "acr",
        "auth_time",
        "sub",
        "nbf",
        "typ",
        "at_hash",
    ];
    for (index, (check, name)) in CHECKS.into_iter().zip(named).enumerate() {
        let further = ["OpenID Connect Core §2", "RFC 7519 §4.1.5", "RFC 8725 §3.11", "OpenID Connect Core §3.1.3.8"];
        assert_eq!(check.code(), format!("id_token.{name}"));
        let section = if index < 13 { core(index + 1) } else { further[index - 13].to_owned() };
        assert_eq!(check.section(), section);
    }
}

/// IDT-1: the issuer to the letter.
#[test]
fn refuses_another_issuer() {
    let issuers = ["https://as.example1", "https://as.example/", "HTTPS://as.example", "http://as.example", "", "null"];
    for iss in issuers.map(|iss| json!(iss)).into_iter().chain([json!(null), json!([ISSUER]), json!({}), json!(5)]) {
        assert_refused(openid().claims(json!({ "iss": iss })), &[CheckId::Issuer]);
    }
}

/// IDT-2, A23: for this client and for nobody else; other types name nobody.
#[test]
fn refuses_another_audience() {
    let audiences = [json!("spa1"), json!("SPA"), json!(""), json!([]), json!(["other"]), json!([["spa"]]), json!({})];
    for aud in audiences.into_iter().chain([json!(null), json!(5), json!({ "spa": "spa" })]) {
        assert_refused(openid().claims(json!({ "aud": aud })), &[CheckId::Audience]);
    }
    for others in [json!(["spa", "other"]), json!(["other", "spa"]), json!(["spa", 5]), json!(["spa", null])] {
        assert_refuses(CheckId::Audience, &[json!({ "aud": others, "azp": "spa" })]);
    }
    assert_accepts(&openid().claims(json!({ "aud": ["spa"] })), "an array of one");
}

/// IDT-3: several audiences need `azp`, and wherever it is it is this client.
#[test]
fn refuses_another_authorized_party() {
    assert_refused(openid().claims(json!({ "aud": ["spa", "spa"] })), &[CheckId::AuthorizedPartyPresent]);
    assert_refused(
        openid().claims(json!({ "aud": ["spa", "other"] })),
        &[CheckId::Audience, CheckId::AuthorizedPartyPresent],
    );
    assert_refuses(
        CheckId::AuthorizedParty,
        &[json!("other"), json!(""), json!(["spa"]), json!(5)].map(|azp| json!({ "azp": azp })),
    );
    assert_accepts(&openid().claims(json!({ "azp": "spa" })), "azp");
    assert_accepts(&openid().claims(json!({ "aud": ["spa", "spa"], "azp": "spa" })), "twice the same");
}

/// IDT-4, IDT-5, IDT-6: to the second, for every tolerance that can be configured.
#[test]
fn times_are_compared_to_the_second() {
    for tolerance in [0, 60, 300] {
        let late = NOW - tolerance;
        let early = NOW + tolerance;
        for (claim, check, refused, accepted) in [
            ("exp", CheckId::Expiry, [late, late - 1], [late + 1, late + 2]),
            ("iat", CheckId::IssuedAt, [early + 1, early + 2], [early, early - 1]),
            ("nbf", CheckId::NotBefore, [early + 1, early + 2], [early, early - 1]),
        ] {
            let with =
                |time: u64| openid().configured("clock_tolerance", json!(tolerance)).claims(json!({ claim: time }));
            for time in refused {
                assert_refused(with(time), &[check]);
            }
            for time in accepted {
                assert_accepts(&with(time), claim);
            }
        }
    }
}

/// IDT-9: a person who signed in too long ago, in another way, or nobody knows when and how.
#[test]
fn holds_the_server_to_what_was_asked_about_signing_in() {
    for tolerance in [0, 60, 300] {
        let asked = openid().configured("max_age", json!(600)).configured("clock_tolerance", json!(tolerance));
        let oldest = NOW - 600 - tolerance;
        for auth_time in [json!(oldest - 1), json!(NOW + tolerance + 1), json!(null), json!("1700000000")] {
            assert_refused(asked.clone().claims(json!({ "auth_time": auth_time })), &[CheckId::AuthTime]);
        }
        for auth_time in [oldest, NOW, NOW + tolerance] {
            assert_accepts(&asked.clone().claims(json!({ "auth_time": auth_time })), "auth_time");
        }
    }
    let asked = openid().configured("acr_values", json!("gold silver"));
    for acr in [json!(null), json!("bronze"), json!("gold silver"), json!("GOLD"), json!(""), json!(["gold"])] {
        assert_refused(asked.clone().claims(json!({ "acr": acr })), &[CheckId::Acr]);
    }
    for acr in ["gold", "silver"] {
        assert_accepts(&asked.clone().claims(json!({ "acr": acr })), acr);
    }
}

/// IDT-7: a person is known by 1 to 255 ASCII characters.
#[test]
fn refuses_what_names_nobody() {
    let subjects = [json!(null), json!(""), json!("a".repeat(256)), json!("ä"), json!(5), json!(["x"]), json!({})];
    for sub in subjects {
        assert_refused(openid().claims(json!({ "sub": sub })), &[CheckId::Subject]);
    }
    for sub in ["a".repeat(255), " ".to_owned()] {
        let tab = openid().claims(json!({ "sub": sub, "email": "other@as.example" })).run();
        assert_eq!(tab.session().and_then(|session| session.claims()).map(|claims| claims.sub()), Some(sub.as_str()));
    }
}

/// IDT-8: the nonce of this request to the octet; a token for another attempt of the same tab is no answer to this one.
#[test]
fn refuses_another_nonce() {
    let upper = nonce().to_uppercase();
    for nonce in [json!(null), json!(""), json!(upper), json!(format!("{}1", nonce())), json!([nonce()]), json!(5)] {
        assert_refused(openid().claims(json!({ "nonce": nonce })), &[CheckId::Nonce]);
    }
    let mut tab = openid().run();
    assert!(tab.session().is_some());
    tab.sign_in();
    tab.come_back("code=second&state={state}", "");
    assert_eq!(failed(&tab), [CheckId::Nonce], "A24: the same token once more");
}

/// IDT-10: where `at_hash` is, it is that of the access token beside it.
#[test]
fn refuses_an_access_token_of_another_answer() {
    let hashes = [json!(at_hash("another")), json!(""), json!(at_hash(ACCESS_TOKEN) + "="), json!(5), json!([])];
    for hash in hashes {
        assert_refused(openid().claims(json!({ "at_hash": hash })), &[CheckId::AtHash]);
    }
    assert_accepts(&openid().claims(json!({ "at_hash": null })), "without");
    // OpenID Connect Core appendix A.3.
    assert_eq!(at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
}

/// IDT-11: a signature that is wrong, or that nobody can check, is not excused by TLS.
#[test]
fn refuses_a_signature_that_was_not_verified() {
    fn unavailable(verification: &Verification) -> Verdict {
        Verdict { signature: Err(SubtleUnavailable), ..id_tokens::yes(verification) }
    }
    for verdict in [no, unavailable] {
        assert_refused(openid().verdict(verdict), &[CheckId::Signature]);
    }
}

/// TOK-10: where `openid` was asked for, no ID token means nobody signed in; where it was not, none is believed.
#[test]
fn an_id_token_comes_where_it_was_asked_for() {
    let without = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer" });
    let tab = openid().tokens(&without.to_string()).run();
    assert_eq!(tab.callback_error().code(), "token.missing_id_token");
    assert!(tab.session().is_none());

    let unasked = Scenario::public_client().token_answer(tokens(&compact(&header(), &claims()))).run();
    let session = unasked.session().expect("a session");
    assert!(session.claims().is_none() && session.id_token().is_none());
}

/// OpenID Connect Core §5.1: a claim has the type that is its own, or it is not there.
#[test]
fn a_claim_of_another_type_is_none() {
    let read = |name: &str, value: Value| {
        let tab = openid().claims(json!({ name: value })).run();
        tab.session().and_then(|session| session.claims()).cloned().expect("claims")
    };
    for (value, expected) in [
        (json!(true), Some(true)),
        (json!(false), Some(false)),
        (json!("true"), None),
        (json!(1), None),
        (json!(null), None),
    ] {
        assert_eq!(read("email_verified", value.clone()).email_verified(), expected, "{value}");
    }
    for (value, expected) in
        [(json!(1_700_000_000.5), Some(1_700_000_000)), (json!("1700000000"), None), (json!(-1), None)]
    {
        assert_eq!(read("auth_time", value.clone()).auth_time().map(|time| time.0), expected, "{value}");
    }
}

/// Whoever asks whether a session has changed asks what its token says; of a refusal, what refused it.
#[test]
fn two_id_tokens_are_alike_if_they_say_the_same() {
    let token = |name: &str| {
        let tab = openid().claims(json!({ "name": name })).run();
        tab.session().and_then(|session| session.id_token()).cloned().expect("an ID token")
    };
    assert_eq!(
        format!("{:?} {:?}", token("Jane"), token("Jane").claims()),
        "VerifiedIdToken([redacted]) Claims([redacted])"
    );
    assert_eq!(token("Jane"), token("Jane"));
    assert_ne!(token("Jane"), token("June"));
    let error = |changes: Value| match openid().claims(changes).run().callback_error() {
        Error::IdToken(error) => error.clone(),
        other => panic!("no error of an ID token: {other}"),
    };
    assert!(format!("{:?}", error(json!({ "nonce": "a" }))).contains("Nonce"));
    assert_eq!(error(json!({ "nonce": "a" })), error(json!({ "nonce": "b" })));
    assert_ne!(error(json!({ "nonce": "a" })), error(json!({ "exp": 1 })));
}

/// JOSE-10, A21: a token of another kind is no ID token.
#[test]
fn refuses_tokens_of_other_kinds() {
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "application/at+jwt", "JWS", ""] {
        assert_refused(openid().id_token(json!({ "typ": typ }), json!({})), &[CheckId::Type]);
    }
    assert_refused(openid().id_token(json!({ "typ": 5 }), json!({})), &[CheckId::Type]);
    for typ in [json!(null), json!("jwt"), json!("JWT")] {
        assert_accepts(&openid().id_token(json!({ "typ": typ }), json!({})), "typ");
    }
}

/// IDT-4, IDT-5, IDT-6: what is no number is no time, and neither is one that no clock shows.
#[test]
fn refuses_times_of_other_types() {
    for (claim, check) in [("exp", CheckId::Expiry), ("iat", CheckId::IssuedAt), ("nbf", CheckId::NotBefore)] {
        let times = [json!("1700000360"), json!("1e400"), json!([NOW]), json!(true), json!(-1), json!(1e300)];
        assert_refuses(check, &times.map(|time| json!({ claim: time })));
    }
    assert_refuses(CheckId::Expiry, &[json!({ "exp": null })]);
    assert_refuses(CheckId::IssuedAt, &[json!({ "iat": null })]);
    assert_accepts(&openid().claims(json!({ "exp": NOW as f64 + 0.5, "iat": NOW as f64 - 0.5 })), "fractions");
}

/// The time at the server, where it may be read.
fn with_date(answer: Result<HttpResponse, HttpFailure>, date: &str) -> Result<HttpResponse, HttpFailure> {
    answer.map(|mut response| {
        response.headers.push(("date".to_owned(), date.to_owned()));
        response
    })
}

/// IDT-5: a clock an hour off is corrected by a Date that may be read, and by nothing in the token; what a cache may have
/// answered used to count too.
#[test]
fn the_clock_is_corrected_by_a_date_header_and_never_by_the_token() {
    for (off, date) in [(3_600_i64, "Tue, 14 Nov 2023 23:14:20 GMT"), (-3_600, "Tue, 14 Nov 2023 21:14:20 GMT")] {
        let there = NOW.saturating_add_signed(off);
        let token = {
            let mut claims = claims();
            claims["iat"] = json!(there);
            claims["exp"] = json!(there + 300);
            compact(&header(), &claims)
        };
        let scenario = openid().token_answer(tokens(&token));
        let check = if off > 0 { CheckId::IssuedAt } else { CheckId::Expiry };
        let mut tab = scenario.run();
        assert_eq!(failed(&tab), [check]);
        // It says the same every time; that makes it no truer.
        tab.sign_in();
        tab.come_back("code=second&state={state}", "");
        assert!(failed(&tab).contains(&check));

        assert_accepts(&openid().token_answer(with_date(tokens(&token), date)), "from the token response");
        let keys = with_date(id_tokens::keys(&[id_tokens::key("1")]), date);
        let mut metadata: Value = serde_json::from_str(&Scenario::metadata_text()).expect("JSON");
        metadata["jwks_uri"] = json!(JWKS_URI);
        metadata["id_token_signing_alg_values_supported"] = json!(["ES256"]);
        let metadata = with_date(document(metadata.to_string()), date);
        let cached = openid().token_answer(tokens(&token)).answering(JWKS_URI, keys).answering(DISCOVERY, metadata);
        let mut tab = cached.open();
        tab.happen(Event::SignInLikely(key(ISSUER)));
        assert_eq!(tab.flow().clock_of(&key(ISSUER).issuer), ClockDifference(0));
        tab.sign_in();
        tab.storage.records.retain(|name, _| !name.contains(" keys "));
        tab.now += 60;
        tab.come_back("code=a&state={state}", "");
        assert_eq!(failed(&tab), [check], "not from the keys");
        assert_eq!(failed(&openid().token_answer(with_date(tokens(&token), "now")).run()), [check]);
    }
}

/// TOK-12, JOSE-9, A22: a claim or header member twice is no claim and no header.
#[test]
fn refuses_members_that_are_there_twice() {
    let good = claims().to_string();
    for twice in [r#","sub":"248289761001"}"#, r#","exp":9999999999}"#, r#","\u0061ud":"spa"}"#] {
        let payload = good.replace(r#"}"#, twice);
        let [header, signature] = [header().to_string(), "7".repeat(64)];
        let encode = |text: &str| leptos_pkce::protocol::base64url::encode(text.as_bytes());
        let token = [encode(&header), encode(&payload), encode(&signature)].join(".");
        let tab = openid().token_answer(tokens(&token)).run();
        assert_eq!(failed(&tab)[0], CheckId::Encryption);
        let header = header.replace(r#"}"#, r#","alg":"ES256"}"#);
        let token = [encode(&header), encode(&good), encode(&signature)].join(".");
        let tab = openid().token_answer(tokens(&token)).run();
        assert_eq!(failed(&tab)[0], CheckId::Encryption);
    }
}

// The list

#[track_caller]
fn assert_complete(checks: &[Check], secrets: &[&str]) {
    let ids: Vec<CheckId> = checks.iter().map(|check| check.id).collect();
    assert_eq!(ids, CHECKS);
    for check in checks {
        assert_eq!(check.section, check.id.section());
        assert!(!check.expected.is_empty() && !check.found.is_empty(), "{check:?}");
        for secret in secrets {
            assert!(!check.expected.contains(secret) && !check.found.contains(secret), "{check:?}");
        }
    }
}

/// OPS-1: whatever is wrong with a token, all seventeen checks are listed, in their order, without a secret.
#[test]
fn the_list_is_always_complete_and_shows_no_secret() {
    let [nonce, token] = [nonce(), compact(&header(), &claims())];
    let parts: Vec<&str> = token.split('.').collect();
    let secrets = [nonce.as_str(), ACCESS_TOKEN, parts[1], parts[2]];
    assert_complete(&good_checks(), &secrets);
    for check in CHECKS {
        let tab = failing(check).run();
        let Error::IdToken(error) = tab.callback_error() else { panic!("an ID token failed") };
        assert_complete(&error.checks(), &secrets);
        let failed = error.checks().into_iter().filter(|check| check.outcome == Outcome::Failed).map(|check| check.id);
        assert!(failed.eq(error.failed().iter().copied()));
    }
}

/// JOSE-7, JOSE-15: what cannot be read is refused, and every check says so.
#[test]
fn an_unreadable_token_gives_a_complete_list_too() {
    let good = compact(&header(), &claims());
    let long = format!("{good}{}", "A".repeat(64 * 1024));
    let array = compact(&header(), &json!(["iss"]));
    for (token, found) in [
        ("a", "1 parts"),
        ("a.b.c.d.e", "five parts, so it is encrypted"),
        (r#"{"payload":"e30"}"#, "JSON form"),
        ("a.b.c", "a part that is not base64url"),
        ("W10.e30.AA", "a header that is no JSON object, or has a member twice"),
        (&long, "more than 65536 octets"),
        (&array, "claims that are no JSON object, or have a member twice"),
    ] {
        let tab = openid().token_answer(tokens(token)).run();
        let Error::IdToken(error) = tab.callback_error() else { panic!("an ID token failed: {token}") };
        assert_eq!(error.code(), "id_token.encryption");
        let checks = error.checks();
        assert_complete(&checks, &[ACCESS_TOKEN]);
        assert_eq!(checks[0].found, found);
        assert!(tab.session().is_none());
        // What has no header is not praised for it: these two used to pass.
        let of_the_header = |check: &&Check| matches!(check.id, CheckId::Mac | CheckId::Type);
        let expected = if token == array.as_str() { Outcome::Passed } else { Outcome::NotApplicable };
        let outcomes: Vec<Outcome> = checks.iter().filter(of_the_header).map(|check| check.outcome).collect();
        assert_eq!(outcomes, [expected; 2], "{token}");
        if expected == Outcome::NotApplicable {
            let waits_for = "the header, where the token can be taken apart";
            assert!(checks.iter().filter(of_the_header).all(|check| check.expected == waits_for), "{token}");
        }
    }
}

/// A good token passes what there is to check, and says what there was not.
#[test]
fn a_good_token_passes_every_check() {
    for check in good_checks() {
        let nothing_to_check = [
            CheckId::AuthorizedPartyPresent,
            CheckId::AuthorizedParty,
            CheckId::Acr,
            CheckId::AuthTime,
            CheckId::NotBefore,
        ];
        let expected = if nothing_to_check.contains(&check.id) { Outcome::NotApplicable } else { Outcome::Passed };
        assert_eq!(check.outcome, expected, "{check:?}");
    }
}

/// IDT-5: times are told by the clock that they were compared with. They used to be told by the clock here whichever it was.
#[test]
fn times_say_by_which_clock() {
    let found = |date: Option<&str>| {
        let token = {
            let mut claims = claims();
            claims["iat"] = json!(NOW + 4_000);
            compact(&header(), &claims)
        };
        let answer = date.map_or_else(|| tokens(&token), |date| with_date(tokens(&token), date));
        let tab = openid().token_answer(answer).run();
        let Error::IdToken(error) = tab.callback_error().clone() else { panic!("an ID token failed") };
        let checks = error.checks().into_iter();
        checks.filter(|check| check.id == CheckId::IssuedAt).map(|check| check.found).collect::<String>()
    };
    let (iat, there) = (NOW + 4_000, NOW + 3_600);
    assert_eq!(found(None), format!("{iat} (4000 s ahead by the clock here, {NOW})"));
    let by_the_server = format!("{iat} (400 s ahead by the server's clock, {there}; the one here says {NOW})");
    assert_eq!(found(Some("Tue, 14 Nov 2023 23:14:20 GMT")), by_the_server);
}

fn words(checks: &[Check], id: CheckId) -> (Outcome, &str, &str) {
    let check = checks.iter().find(|check| check.id == id).expect("the check");
    (check.outcome, &check.expected, &check.found)
}

/// IDT-10, OPS-3: a hash that is another one is shown beside the right one, if this browser can compute that.
#[test]
fn a_wrong_at_hash_is_shown_beside_the_right_one() {
    fn unhashed(verification: &Verification) -> Verdict {
        Verdict { hash: Vec::new(), ..id_tokens::yes(verification) }
    }
    let another = openid().claims(json!({ "at_hash": at_hash("another") }));
    for (scenario, expected) in [
        (another.clone(), at_hash(ACCESS_TOKEN)),
        (another.verdict(unhashed), "a hash that could not be computed".to_owned()),
    ] {
        let tab = scenario.run();
        let Error::IdToken(error) = tab.callback_error() else { panic!("an ID token failed") };
        assert_eq!(words(&error.checks(), CheckId::AtHash).1, expected);
    }
}

/// OPS-3: what was not checked says when it would be.
#[test]
fn a_check_without_anything_to_check_says_what_it_waits_for() {
    let good = good_checks();
    for (id, expected) in [
        (CheckId::AuthorizedPartyPresent, "azp, where there are several audiences"),
        (CheckId::AuthorizedParty, "this client, where there is azp"),
        (CheckId::Acr, "acr, where acr_values were asked for"),
        (CheckId::AuthTime, "auth_time, where max_age was asked for"),
        (CheckId::NotBefore, "a time that has come, where there is nbf"),
    ] {
        assert_eq!(words(&good, id), (Outcome::NotApplicable, expected, "nothing"));
    }
    let without = openid().claims(json!({ "at_hash": null })).run();
    let checks = without.session().and_then(|session| session.id_token()).expect("an ID token").checks();
    let expected = "the access token's hash, where there is at_hash";
    assert_eq!(words(&checks, CheckId::AtHash), (Outcome::NotApplicable, expected, "nothing"));

    let unverifiable = failing(CheckId::Algorithm).run();
    let Error::IdToken(error) = unverifiable.callback_error() else { panic!("an ID token failed") };
    let allowed = words(&error.checks(), CheckId::Algorithm).1.to_owned();
    assert!(allowed.split(" or ").any(|name| name == "ES256"), "{allowed}");
    let expected = "the access token's hash, where the signature can be checked";
    assert_eq!(words(&error.checks(), CheckId::AtHash), (Outcome::NotApplicable, expected, "nothing"));
}

/// OPS-3: a time is told with its distance, so that a clock that is wrong is seen; all else as it stands in the token.
#[test]
fn what_was_found_is_shown_and_a_time_with_its_distance_from_now() {
    let good = good_checks();
    let found = |id: CheckId| good.iter().find(|check| check.id == id).map(|check| check.found.as_str());
    let here = format!("by the clock here, {NOW}");
    assert_eq!(found(CheckId::IssuedAt), Some(&*format!("{NOW} (0 s ago {here})")));
    assert_eq!(found(CheckId::Expiry), Some(&*format!("{} (300 s ahead {here})", NOW + 300)));
    assert_eq!((found(CheckId::Encryption), found(CheckId::Nonce)), (Some("one"), Some("it")));
    for (id, header) in [(CheckId::Algorithm, "ES256"), (CheckId::Mac, "ES256"), (CheckId::Type, "JWT")] {
        assert!(found(id).is_some_and(|found| found.contains(header)), "{id:?}");
    }
}

/// OPS-3: a nonce that is missing and a nonce of another request are two things.
#[test]
fn a_missing_nonce_is_told_from_another_one() {
    for (nonce, found) in [(json!(null), "nothing"), (json!("another"), "another value"), (json!(5), "another value")] {
        let tab = openid().claims(json!({ "nonce": nonce })).run();
        let Error::IdToken(error) = tab.callback_error() else { panic!("an ID token failed") };
        assert_eq!(words(&error.checks(), CheckId::Nonce), (Outcome::Failed, "the nonce of this request", found));
    }
}

/// OPS-3: three faults are three failures, each with what was expected and what was found.
#[test]
fn three_faults_show_three_failures() {
    let tab = openid().claims(json!({ "iss": "https://evil.example", "exp": NOW - 100, "nonce": "another" })).run();
    assert_eq!(failed(&tab), [CheckId::Issuer, CheckId::Expiry, CheckId::Nonce]);
    let Error::IdToken(error) = tab.callback_error() else { panic!("an ID token failed") };
    let checks = error.checks();
    let words = |id: CheckId| {
        let check = checks.iter().find(|check| check.id == id).expect("it is listed");
        (check.expected.clone(), check.found.clone())
    };
    assert_eq!(words(CheckId::Issuer), (ISSUER.to_owned(), "https://evil.example".to_owned()));
    let found = format!("{} (100 s ago by the clock here, {NOW})", NOW - 100);
    assert_eq!(words(CheckId::Expiry), ("a time ahead, or less than 60 s ago".to_owned(), found));
    assert_eq!(words(CheckId::Nonce), ("the nonce of this request".to_owned(), "another value".to_owned()));
}
