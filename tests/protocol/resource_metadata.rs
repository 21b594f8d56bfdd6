//! Metadata of an API: where it is, and what of it is believed.

use leptos_pkce::protocol::http::{HttpFailure, HttpResponse, Limits};
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::metadata::{AttemptProblem, WrongMember};
use leptos_pkce::protocol::problem::Expected;
use leptos_pkce::protocol::resource_metadata::{
    DpopBinding, Progress, ResourceMetadata, ResourceMetadataError, Search, UnusableServer, request, request_at,
    well_known_url,
};
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::url::{SchemePolicy, Url, UrlError};
use leptos_pkce::protocol::vocabulary::NounError;
use serde_json::json;

use crate::answers::{document, html, lost, status};
use crate::properties::{for_all, json_value};
use crate::scenario::{API, ISSUER, OTHER_ISSUER, value};

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

/// A good document with one member set, or removed by `null`.
fn with(member: &str, found: serde_json::Value) -> Value {
    let mut document = json!({ "resource": API, "authorization_servers": [ISSUER] });
    document[member] = found;
    value(&document.to_string())
}

fn check(document: &Value) -> Result<ResourceMetadata, ResourceMetadataError> {
    ResourceMetadata::check(document, &url(API), SchemePolicy::HttpsOnly)
}

#[track_caller]
fn checked(member: &str, found: serde_json::Value) -> ResourceMetadata {
    check(&with(member, found)).expect("usable metadata")
}

/// RFC 9728 §3.1: between the host and what follows it; a slash alone does not count, one at the end of a path does.
#[test]
fn finds_the_well_known_url() {
    for (resource, expected) in [
        ("https://r.example", "https://r.example/.well-known/oauth-protected-resource"),
        ("https://r.example/", "https://r.example/.well-known/oauth-protected-resource"),
        ("https://r.example/one", "https://r.example/.well-known/oauth-protected-resource/one"),
        ("https://r.example/one/", "https://r.example/.well-known/oauth-protected-resource/one/"),
        ("https://r.example:8443/one/two", "https://r.example:8443/.well-known/oauth-protected-resource/one/two"),
        ("https://r.example?tenant=1", "https://r.example/.well-known/oauth-protected-resource?tenant=1"),
        ("https://r.example/?tenant=1", "https://r.example/.well-known/oauth-protected-resource?tenant=1"),
        ("https://r.example/one?a=/b/", "https://r.example/.well-known/oauth-protected-resource/one?a=/b/"),
        ("https://r.example/one#part", "https://r.example/.well-known/oauth-protected-resource/one"),
        ("HTTPS://R.example:443/One", "https://r.example/.well-known/oauth-protected-resource/One"),
    ] {
        assert_eq!(well_known_url(&url(resource)), expected, "{resource}");
    }
}

/// CFG-13: a plain GET without token, within ten seconds and a mebibyte.
#[test]
fn asks_with_limits_and_without_a_token() {
    let at = "https://api.example/.well-known/oauth-protected-resource/photos";
    let by_challenge = request_at(at, SchemePolicy::HttpsOnly).expect("a request");
    for request in [request(&url(API)).expect("a request"), by_challenge] {
        assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", at));
        assert_eq!(request.headers, [("accept".to_owned(), "application/json".to_owned())]);
        assert_eq!((&request.bearer, &request.body), (&None, &None));
        assert_eq!(request.limits, Limits { deadline: Seconds(10), body: 1024 * 1024 });
    }
    let longest = url(&format!("https://r.example/{}", "a".repeat(16 * 1024 - 18)));
    assert!(request(&longest).is_none());
}

/// What a challenge names is followed only if it is the URL of a server.
#[test]
fn asks_nobody_but_servers() {
    for (location, error) in [
        ("", NounError::Url(UrlError::Scheme)),
        ("/.well-known/oauth-protected-resource", NounError::Url(UrlError::Scheme)),
        ("javascript:alert(1)", NounError::Url(UrlError::Scheme)),
        ("https://a@r.example/", NounError::Url(UrlError::UserInformation)),
        ("http://r.example/", NounError::Scheme),
        ("http://127.0.0.1/", NounError::Scheme),
    ] {
        assert_eq!(request_at(location, SchemePolicy::HttpsOnly).err(), Some(error), "{location}");
    }
    assert!(request_at("http://127.0.0.1/", SchemePolicy::HttpOnLoopback).is_ok());
}

#[test]
fn reads_what_an_api_says_about_itself() {
    let all = json!({
        "resource": API,
        "authorization_servers": [ISSUER, OTHER_ISSUER],
        "scopes_supported": ["photos:read", "photos:write"],
        "bearer_methods_supported": ["header", "body"],
        "resource_name": "Photos",
        "dpop_bound_access_tokens_required": true,
        "jwks_uri": 5,
        "signed_metadata": 5,
        "unknown": { "member": [] },
    });
    let read = check(&value(&all.to_string())).expect("usable metadata");
    let servers: Vec<&str> = read.authorization_servers.iter().map(|issuer| issuer.as_str()).collect();
    assert_eq!(servers, [ISSUER, OTHER_ISSUER]);
    assert_eq!(read.unusable_servers, []);
    assert_eq!(read.scopes_supported, ["photos:read", "photos:write"]);
    assert_eq!((read.resource_name.as_deref(), read.dpop), (Some("Photos"), DpopBinding::Required));

    let least = check(&value(&json!({ "resource": API }).to_string())).expect("usable metadata");
    let nothing = ResourceMetadata {
        authorization_servers: vec![],
        unusable_servers: vec![],
        scopes_supported: vec![],
        resource_name: None,
        dpop: DpopBinding::Unsaid,
    };
    assert_eq!(least, nothing);
}

/// RFC 9728 §3.3: compared octet by octet, before anything else is looked at; the error shows both.
#[test]
fn refuses_the_document_of_another_resource() {
    for found in [
        "https://api.example/photos/",
        "https://api.example/Photos",
        "https://API.example/photos",
        "https://api.example:443/photos",
        "https://api.example/photos?",
        "https://api.example/photo",
        "https://api.example",
        "https://evil.example/photos",
        " https://api.example/photos",
        "",
    ] {
        let error = check(&with("resource", json!(found))).err();
        let mismatch = ResourceMetadataError::ResourceMismatch { expected: API.into(), found: found.into() };
        assert_eq!(error, Some(mismatch));
    }
    for absent in [json!(null), json!(5), json!([API])] {
        let error = check(&with("resource", absent)).err();
        let mismatch = ResourceMetadataError::ResourceMismatch { expected: API.into(), found: String::new() };
        assert_eq!(error, Some(mismatch));
    }
    let worse = json!({ "resource": "https://evil.example", "authorization_servers": 5 }).to_string();
    assert!(matches!(check(&value(&worse)), Err(ResourceMetadataError::ResourceMismatch { .. })));
    // What was typed counts: a slash more is another name.
    let typed = url("https://api.example");
    let document = value(r#"{ "resource": "https://api.example/" }"#);
    let error = ResourceMetadata::check(&document, &typed, SchemePolicy::HttpsOnly).expect_err("a mismatch");
    assert_eq!(
        error.to_string(),
        "resource mismatch: asked for https://api.example, the metadata says https://api.example/"
    );
}

/// RFC 9728 §3.3: after a challenge the resource is the whole URL that was asked, without its fragment.
#[test]
fn the_resource_of_a_challenge_is_the_url_that_was_asked() {
    let asked = url("https://api.example/photos/1?size=2#top");
    let said = |resource: &str| {
        let document = value(&json!({ "resource": resource }).to_string());
        ResourceMetadata::check(&document, &asked, SchemePolicy::HttpsOnly).is_ok()
    };
    assert!(said("https://api.example/photos/1?size=2"));
    assert!(!said("https://api.example/photos/1"));
    assert!(!said("https://api.example/photos/1?size=2#top"));
    assert!(!said("https://api.example"));
}

/// One wrong issuer does not spoil the others, and does not vanish either.
#[test]
fn reports_servers_that_are_no_issuers() {
    let found = json!([ISSUER, "http://as.example", "https://as.example?x", "as.example", OTHER_ISSUER]);
    let read = checked("authorization_servers", found);
    assert_eq!(read.authorization_servers.len(), 2);
    let unusable = [
        ("http://as.example", NounError::Scheme),
        ("https://as.example?x", NounError::QueryOrFragment),
        ("as.example", NounError::Url(UrlError::Scheme)),
    ];
    let unusable = unusable.map(|(text, problem)| UnusableServer { text: text.to_owned(), problem });
    assert_eq!(read.unusable_servers, unusable);
}

/// RS-1: an API that takes tokens only where this client never puts them is of no use to it.
#[test]
fn wants_tokens_in_the_header() {
    assert!(check(&with("bearer_methods_supported", json!(["body", "header"]))).is_ok());
    assert!(check(&with("bearer_methods_supported", json!(null))).is_ok());
    for (methods, listed) in [(json!(["body", "query"]), "body, query"), (json!([]), ""), (json!(["Header"]), "Header")]
    {
        let error = check(&with("bearer_methods_supported", methods)).err();
        assert_eq!(error, Some(ResourceMetadataError::HeaderUnsupported { methods: listed.into() }));
    }
    // An API for DPoP alone has no Bearer methods, and its tokens go into the header all the same.
    let dpop = json!({ "resource": API, "bearer_methods_supported": [], "dpop_bound_access_tokens_required": true });
    assert_eq!(check(&value(&dpop.to_string())).map(|read| read.dpop), Ok(DpopBinding::Required));
}

#[test]
fn refuses_members_of_another_type() {
    let array = Expected::Strings;
    for (name, found, expected, shown) in [
        ("authorization_servers", json!(ISSUER), array.clone(), ISSUER),
        ("authorization_servers", json!([ISSUER, 5]), array.clone(), "an array"),
        ("scopes_supported", json!("photos:read"), array.clone(), "photos:read"),
        ("bearer_methods_supported", json!({}), array, "an object"),
        ("resource_name", json!(5), Expected::String, "a number"),
        ("dpop_bound_access_tokens_required", json!("true"), Expected::Flag, "true"),
    ] {
        let wrong = WrongMember { name: name.into(), expected, found: shown.into() };
        assert_eq!(check(&with(name, found)).err(), Some(ResourceMetadataError::InvalidMember(wrong)));
    }
    assert_eq!(checked("resource_name", json!("x".repeat(1000))).resource_name, Some("x".repeat(100)));
}

/// RFC 9728 §3.2: a 200 with a JSON object, as for every metadata.
#[test]
fn reads_nothing_but_a_document() {
    let read = |outcome| ResourceMetadata::read(outcome, &url(API), SchemePolicy::HttpsOnly).err();
    assert_eq!(read(document(json!({ "resource": API }).to_string())), None);
    let not_json = AttemptProblem::NotJson { media_type: "text/html".into() };
    for (outcome, problem) in [
        (html(200), not_json),
        (status(404), AttemptProblem::Status(404)),
        (lost(), AttemptProblem::Failure(HttpFailure::Unreachable)),
    ] {
        assert_eq!(read(outcome), Some(ResourceMetadataError::Unavailable(problem)));
    }
}

/// The next request of a search, which goes to `expected`.
#[track_caller]
fn asks(progress: Progress, expected: &str) -> Search {
    let Progress::Ask(search, request) = progress else { panic!("the search is over: {progress:?}") };
    assert_eq!((request.url.as_str(), request.bearer.is_none()), (expected, true));
    search
}

#[track_caller]
fn is_over(progress: Progress) -> Result<ResourceMetadata, ResourceMetadataError> {
    let Progress::Over(found) = progress else { panic!("the search goes on: {progress:?}") };
    found
}

/// RFC 9728 §5: where nothing is at the well-known place the API is asked where its metadata is, and nobody is asked twice.
#[test]
fn searches_where_the_api_says_if_nothing_is_at_the_well_known_place() {
    const WELL_KNOWN: &str = "https://api.example/.well-known/oauth-protected-resource/photos";
    let good = || document(json!({ "resource": API }).to_string());
    let challenge = |field: &str| {
        let headers = vec![("www-authenticate".to_owned(), field.to_owned())];
        Ok(HttpResponse { status: 401, headers, body: Vec::new() })
    };
    let begin = || asks(Search::begin(API, SchemePolicy::HttpsOnly), WELL_KNOWN);
    assert!(is_over(begin().answered(good())).is_ok());
    let elsewhere = document(json!({ "resource": "https://evil.example" }).to_string());
    let found = is_over(begin().answered(elsewhere));
    assert!(matches!(found, Err(ResourceMetadataError::ResourceMismatch { .. })), "what is there is not passed over");

    let at_api = || asks(begin().answered(status(404)), API);
    let there = r#"Bearer resource_metadata="https://api.example/about""#;
    let named = || asks(at_api().answered(challenge(there)), "https://api.example/about");
    assert!(is_over(named().answered(good())).is_ok());
    let nothing = |code| Some(ResourceMetadataError::Unavailable(AttemptProblem::Status(code)));
    assert_eq!(is_over(named().answered(status(410))).err(), nothing(410));
    for silent in
        [challenge("Bearer"), challenge(r#"Bearer resource_metadata="http://api.example""#), status(200), lost()]
    {
        assert_eq!(is_over(at_api().answered(silent)).err(), nothing(404));
    }
    let none = is_over(Search::begin("api.example", SchemePolicy::HttpsOnly));
    assert!(matches!(none, Err(ResourceMetadataError::Url(_))));
}

#[test]
fn each_error_is_one_sentence() {
    let said = |member: &str, found| check(&with(member, found)).expect_err("an error").to_string();
    for (sentence, expected) in [
        (
            said("resource", json!(null)),
            "resource mismatch: asked for https://api.example/photos, the metadata names no resource",
        ),
        (
            said("scopes_supported", json!(5)),
            "resource metadata member scopes_supported: expected an array of strings, found a number",
        ),
        (
            said("bearer_methods_supported", json!(["body", "query"])),
            "the API takes tokens by body, query, and not in the Authorization header",
        ),
        (said("bearer_methods_supported", json!([])), "the API takes no Bearer tokens"),
        (
            ResourceMetadataError::Unavailable(AttemptProblem::Status(404)).to_string(),
            "no resource metadata: status 404",
        ),
    ] {
        assert_eq!(sentence, expected);
    }
}

/// TOK-18: no document makes it panic, and none about another API is believed.
#[test]
fn checking_is_total() {
    for_all((json_value(), json_value()), |(document, member)| {
        let read = check(&value(&document.to_string()));
        proptest::prop_assert!(read.is_err() || document["resource"] == API);
        for name in ["authorization_servers", "scopes_supported", "bearer_methods_supported", "resource_name"] {
            let _ = check(&with(name, member.clone()));
        }
        Ok(())
    });
}
