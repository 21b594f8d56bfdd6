//! Authorization server metadata: where it is asked for, what of it is believed, what is done without it.

use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::flow::Event;
use leptos_pkce::protocol::http::{HttpFailure, Limits};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::metadata::{
    Attempt, AttemptProblem, IssParameter, Metadata, MetadataError, PkceSupport, WrongMember, discovery_request,
    read_document, used_members, well_known_urls,
};
use leptos_pkce::protocol::problem::Expected;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::url::{SchemePolicy, Url};
use leptos_pkce::protocol::vocabulary::Issuer;
use serde_json::json;

use crate::answers::{TOKENS, answer, document, html, lost, status};
use crate::scenario::{
    AUTHORIZATION_ENDPOINT, DISCOVERY, DISCOVERY_8414, ISSUER, Scenario, TOKEN_ENDPOINT, key, value,
};

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text, SchemePolicy::HttpsOnly).expect("an issuer")
}

/// A good document with one member set, or removed by `null`.
fn with(member: &str, found: serde_json::Value) -> Value {
    let mut document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": AUTHORIZATION_ENDPOINT,
        "token_endpoint": TOKEN_ENDPOINT,
    });
    document[member] = found;
    value(&document.to_string())
}

fn check(document: &Value) -> Result<Metadata, MetadataError> {
    check_over(document, "{}")
}

fn check_over(document: &Value, overrides: &str) -> Result<Metadata, MetadataError> {
    Metadata::check(document, &value(overrides), &issuer(ISSUER), SchemePolicy::HttpsOnly)
}

/// CFG-8: OpenID Connect appends to the issuer, RFC 8414 inserts before its path; a trailing slash counts once.
#[test]
fn finds_both_well_known_urls() {
    for (text, openid, oauth) in [
        (
            "https://as.example",
            "https://as.example/.well-known/openid-configuration",
            "https://as.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://as.example/",
            "https://as.example/.well-known/openid-configuration",
            "https://as.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://as.example:8443/tenant",
            "https://as.example:8443/tenant/.well-known/openid-configuration",
            "https://as.example:8443/.well-known/oauth-authorization-server/tenant",
        ),
        (
            "https://as.example/realms/one/",
            "https://as.example/realms/one/.well-known/openid-configuration",
            "https://as.example/.well-known/oauth-authorization-server/realms/one",
        ),
    ] {
        assert_eq!(well_known_urls(&issuer(text)), [openid, oauth]);
    }
}

/// CFG-13: a plain GET without token, within ten seconds and a mebibyte.
#[test]
fn asks_for_metadata_with_limits() {
    let request = discovery_request(&issuer(ISSUER), 0).expect("a request");
    assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", DISCOVERY));
    assert_eq!(request.headers, [("accept".to_owned(), "application/json".to_owned())]);
    assert_eq!((&request.bearer, &request.body), (&None, &None));
    assert_eq!(request.limits, Limits { deadline: Seconds(10), body: 1024 * 1024 });
    assert_eq!(discovery_request(&issuer(ISSUER), 1).expect("a request").url.as_str(), DISCOVERY_8414);
    assert!(discovery_request(&issuer(ISSUER), 2).is_none());
}

/// CFG-13: only a 200 that says it is JSON, and is an object, is a document.
#[test]
fn reads_nothing_but_a_json_object() {
    assert!(read_document(document("{}")).is_ok());
    assert!(read_document(answer(200, "Application/JSON; charset=utf-8", "{}")).is_ok());
    assert!(read_document(answer(200, "application/jrd+json", "{}")).is_ok());
    let not_json = |media_type: &str| AttemptProblem::NotJson { media_type: media_type.to_owned() };
    for (outcome, problem) in [
        (html(200), not_json("text/html")),
        (answer(200, "text/plain", "{}"), not_json("text/plain")),
        (answer(200, "", "{}"), not_json("")),
        (document("[]"), not_json("application/json")),
        (document("{\"issuer\":\"a\",\"issuer\":\"b\"}"), not_json("application/json")),
        (document("\u{feff}{}"), not_json("application/json")),
        (document("{"), not_json("application/json")),
        (answer(404, "application/json", "{}"), AttemptProblem::Status(404)),
        (answer(201, "application/json", "{}"), AttemptProblem::Status(201)),
        (lost(), AttemptProblem::Failure(HttpFailure::Unreachable)),
    ] {
        assert_eq!(read_document(outcome).err(), Some(problem));
    }
}

/// CFG-7: the issuer is compared octet by octet, before anything else is looked at.
#[test]
fn refuses_the_document_of_another_issuer() {
    for found in [
        "https://as.example/",
        "https://AS.example",
        "HTTPS://as.example",
        "https://as.example:443",
        "https://as.exampleINVALID",
        "https://as.exampl",
        "https://other.example",
        " https://as.example",
        "",
    ] {
        let error = check(&with("issuer", json!(found))).err();
        assert_eq!(error, Some(MetadataError::IssuerMismatch { expected: issuer(ISSUER), found: found.to_owned() }));
    }
    for value in [json!(null), json!(5), json!([ISSUER])] {
        let error = check(&with("issuer", value)).err();
        assert_eq!(error, Some(MetadataError::IssuerMismatch { expected: issuer(ISSUER), found: String::new() }));
    }
    let worse = value(r#"{ "issuer": "https://other.example", "token_endpoint": "javascript:x" }"#);
    assert!(matches!(check(&worse), Err(MetadataError::IssuerMismatch { .. })));
}

/// CFG-7: the configuration overrides what the server says, but not whose document it is.
#[test]
fn an_override_does_not_mend_the_issuer() {
    let other = with("issuer", json!("https://other.example"));
    let overrides = json!({ "issuer": ISSUER }).to_string();
    assert!(matches!(check_over(&other, &overrides), Err(MetadataError::IssuerMismatch { .. })));
}

/// CFG-7: a mismatch ends the sign-in before anybody leaves the page, and no second place is asked.
#[test]
fn nobody_leaves_for_another_issuer() {
    let tab = Scenario::public_client().metadata("issuer", json!("https://as.exampleINVALID")).run();
    assert!(matches!(tab.sign_in_error(), Error::Metadata(MetadataError::IssuerMismatch { .. })));
    assert!(tab.navigations.is_empty());
    assert!(tab.sent_to(DISCOVERY_8414).is_empty());
    assert!(tab.storage.records.is_empty());
}

/// CFG-3, A44: every endpoint is https, whatever it is for.
#[test]
fn refuses_an_endpoint_that_is_not_https() {
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "end_session_endpoint",
        "revocation_endpoint",
        "jwks_uri",
    ] {
        for url in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://as.example/x",
            "http://localhost/x",
            "ftp://as.example/x",
            "//as.example/x",
            "/x",
            "",
            "https://as.example\\x",
            "https://user@as.example/x",
        ] {
            let error = check(&with(name, json!(url))).err();
            let Some(MetadataError::InvalidMember(wrong)) = error else { panic!("{name} {url}: {error:?}") };
            assert_eq!((wrong.name.as_str(), wrong.found.as_str()), (name, url));
        }
    }
}

/// CFG-3: a scheme that could run code is noticed before anybody leaves the page.
#[test]
fn nobody_leaves_for_an_endpoint_that_is_not_https() {
    for url in ["javascript:alert(document.domain)", "data:text/html,x", "http://as.example/authorize"] {
        let tab = Scenario::public_client().metadata("authorization_endpoint", json!(url)).run();
        assert!(matches!(tab.sign_in_error(), Error::Metadata(MetadataError::InvalidMember(_))), "{url}");
        assert!(tab.navigations.is_empty(), "{url}");
        let tab = Scenario::public_client().metadata("token_endpoint", json!(url)).run();
        assert!(tab.navigations.is_empty(), "{url}");
    }
}

/// CFG-3: RFC 6749 §3.1 and §3.2: "The endpoint URI MUST NOT include a fragment component."
#[test]
fn refuses_an_endpoint_with_a_fragment() {
    for name in ["authorization_endpoint", "token_endpoint"] {
        let error = check(&with(name, json!("https://as.example/x#y"))).err();
        assert!(matches!(error, Some(MetadataError::InvalidMember(_))), "{name}: {error:?}");
    }
}

/// CFG-10: a list without S256 ends the sign-in; no list is remarked on, and S256 is sent.
#[test]
fn wants_s256_where_the_server_lists_methods() {
    let listing = |methods: serde_json::Value| check(&with("code_challenge_methods_supported", methods));
    assert_eq!(listing(json!(["plain", "S256"])).map(|metadata| metadata.pkce), Ok(PkceSupport::Announced));
    assert_eq!(listing(json!(null)).map(|metadata| metadata.pkce), Ok(PkceSupport::Unsaid));
    for (methods, said) in [(json!(["plain"]), "plain"), (json!([]), ""), (json!(["s256", "S512"]), "s256, S512")] {
        assert_eq!(listing(methods).err(), Some(MetadataError::PkceUnsupported { methods: said.to_owned() }));
    }

    let tab = Scenario::public_client().metadata("code_challenge_methods_supported", json!(["plain"])).run();
    assert!(tab.navigations.is_empty());
    let tab = Scenario::public_client().metadata("code_challenge_methods_supported", json!(null)).run();
    assert!(tab.navigation().as_str().contains("code_challenge_method=S256"));
}

/// CFG-11: what is unknown is ignored, what is missing and optional is off, what is wrong is named.
#[test]
fn is_strict_about_known_members_only() {
    let metadata = check(&with("mtls_endpoint_aliases", json!({ "token_endpoint": 5 }))).expect("metadata");
    assert_eq!(metadata.userinfo_endpoint, None);
    assert_eq!(metadata.end_session_endpoint, None);
    assert_eq!(metadata.revocation_endpoint, None);
    assert_eq!(metadata.scopes_supported, [""; 0]);
    assert_eq!(metadata.iss_parameter, IssParameter::Unsaid);

    for (name, value, expected, found) in [
        ("token_endpoint", json!(5), Expected::Url, "a number"),
        ("userinfo_endpoint", json!([AUTHORIZATION_ENDPOINT]), Expected::Url, "an array"),
        ("scopes_supported", json!("openid"), Expected::Strings, "openid"),
        ("scopes_supported", json!(["openid", 1]), Expected::Strings, "an array"),
        ("code_challenge_methods_supported", json!({}), Expected::Strings, "an object"),
        ("authorization_response_iss_parameter_supported", json!("true"), Expected::Flag, "true"),
    ] {
        let (name, found) = (name.to_owned(), found.to_owned());
        let error = MetadataError::InvalidMember(WrongMember { name: name.clone(), expected, found });
        assert_eq!(check(&with(&name, value)).err(), Some(error));
    }
    for name in ["authorization_endpoint", "token_endpoint"] {
        assert_eq!(check(&with(name, json!(null))).err(), Some(MetadataError::MissingMember { name }));
    }
}

#[test]
fn reads_the_optional_members() {
    let metadata = check(&value(
        &json!({
            "issuer": ISSUER,
            "authorization_endpoint": AUTHORIZATION_ENDPOINT,
            "token_endpoint": TOKEN_ENDPOINT,
            "userinfo_endpoint": "https://as.example/me",
            "end_session_endpoint": "https://as.example/out",
            "revocation_endpoint": "https://as.example/revoke",
            "scopes_supported": ["openid", "photos:read"],
            "authorization_response_iss_parameter_supported": true,
        })
        .to_string(),
    ))
    .expect("metadata");
    let text = |url: Option<Url>| url.map(|url| url.as_str().to_owned());
    assert_eq!(text(metadata.userinfo_endpoint).as_deref(), Some("https://as.example/me"));
    assert_eq!(text(metadata.end_session_endpoint).as_deref(), Some("https://as.example/out"));
    assert_eq!(text(metadata.revocation_endpoint).as_deref(), Some("https://as.example/revoke"));
    assert_eq!(metadata.scopes_supported, ["openid", "photos:read"]);
    assert_eq!(metadata.iss_parameter, IssParameter::Announced);
}

/// CFG-9: members of the configuration override the server's one by one, and are checked the same way.
#[test]
fn the_configuration_overrides_members_one_by_one() {
    let wrong = with("userinfo_endpoint", json!("javascript:x"));
    let overrides = r#"{ "userinfo_endpoint": "https://as.example/me" }"#;
    let metadata = check_over(&wrong, overrides).expect("the override mends it");
    assert_eq!(metadata.userinfo_endpoint.map(|url| url.as_str().to_owned()).as_deref(), Some("https://as.example/me"));
    assert_eq!(metadata.token_endpoint.as_str(), TOKEN_ENDPOINT);

    let error = check_over(&with("x", json!(1)), r#"{ "token_endpoint": "javascript:x" }"#).err();
    assert!(matches!(error, Some(MetadataError::InvalidMember(_))));

    let tab = Scenario::public_client()
        .configured("metadata", json!({ "token_endpoint": "https://as.example/other" }))
        .answering("https://as.example/other", document(TOKENS))
        .run();
    assert!(tab.sent_to(TOKEN_ENDPOINT).is_empty());
    assert_eq!(tab.sent_to("https://as.example/other").len(), 1);
    assert!(tab.session().is_some());
}

#[test]
fn asks_rfc_8414_where_openid_gives_no_document() {
    let metadata = json!({
        "issuer": ISSUER, "authorization_endpoint": AUTHORIZATION_ENDPOINT, "token_endpoint": TOKEN_ENDPOINT,
    });
    for first in [status(404), html(200), document("[]"), lost(), status(500)] {
        let tab = Scenario::public_client()
            .answering(DISCOVERY, first)
            .answering(DISCOVERY_8414, document(metadata.to_string()))
            .run();
        assert!(tab.session().is_some());
    }
}

#[test]
fn tells_what_every_place_gave() {
    let tab = Scenario::public_client().answering(DISCOVERY, html(200)).run();
    let attempts = vec![
        Attempt { url: DISCOVERY.into(), problem: AttemptProblem::NotJson { media_type: "text/html".into() } },
        Attempt { url: DISCOVERY_8414.into(), problem: AttemptProblem::Status(404) },
    ];
    assert_eq!(*tab.sign_in_error(), Error::Metadata(MetadataError::Unavailable { attempts }));
    assert!(tab.navigations.is_empty());
}

#[test]
fn asks_no_second_place_where_the_browser_is_offline() {
    let tab = Scenario::public_client().answering(DISCOVERY, Err(HttpFailure::Offline)).run();
    assert!(matches!(tab.sign_in_error(), Error::Metadata(MetadataError::Unavailable { .. })));
    assert!(tab.sent_to(DISCOVERY_8414).is_empty());
}

/// CFG-9: endpoints of the configuration are enough where the server's own metadata cannot be read.
#[test]
fn does_with_configured_endpoints_where_nothing_answers() {
    let endpoints = json!({ "authorization_endpoint": AUTHORIZATION_ENDPOINT, "token_endpoint": TOKEN_ENDPOINT });
    let tab = Scenario::public_client().configured("metadata", endpoints.clone()).answering(DISCOVERY, lost()).run();
    assert!(tab.session().is_some());

    let without_issuer = Scenario::public_client().configured("issuer", json!(null)).configured("metadata", endpoints);
    let tab = without_issuer.run();
    assert!(tab.session().is_some());
    assert!(tab.sent_to(DISCOVERY).is_empty() && tab.sent_to(DISCOVERY_8414).is_empty());
}

/// The next page of the tab, `seconds` after metadata were cached, likely to be asked for a sign-in.
fn next_page(seconds: u64, tamper: impl FnOnce(&str) -> String) -> usize {
    let mut tab = Scenario::public_client().open();
    tab.happen(Event::SignInLikely(key(ISSUER)));
    let name = tab.storage.names("metadata")[0].to_owned();
    let record = tamper(&tab.storage.records[&name]);
    tab.storage.records.insert(name, record);
    tab.now += seconds;
    tab.reload();
    tab.happen(Event::SignInLikely(key(ISSUER)));
    tab.sent_to(DISCOVERY).len()
}

#[test]
fn keeps_metadata_for_an_hour() {
    assert_eq!(next_page(3600, str::to_owned), 1);
    assert_eq!(next_page(3601, str::to_owned), 2);
}

/// WEB-2: cached metadata are checked again, whoever wrote them.
#[test]
fn discards_cached_metadata_that_do_not_hold() {
    for (from, to) in [
        ("\"issuer\":\"https://as.example\"", "\"issuer\":\"https://evil.example\""),
        ("https://as.example/token", "javascript:x"),
        ("\"fetched_at\":1700000000", "\"fetched_at\":\"1700000000\""),
        // Still to come: it used to be believed until an hour after that.
        ("\"fetched_at\":1700000000", "\"fetched_at\":1700000061"),
        ("{", ""),
        ("S256", "plain"),
    ] {
        let asked = next_page(60, |record| {
            assert!(record.contains(from), "{record}");
            record.replacen(from, to, 1)
        });
        assert_eq!(asked, 2, "{from}");
    }
}

#[test]
fn keeps_only_the_members_that_are_used() {
    let document = with("claims_supported", json!(["sub"]));
    let names: Vec<_> =
        used_members(document).as_object().unwrap_or_default().iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["authorization_endpoint", "issuer", "token_endpoint"]);
}
