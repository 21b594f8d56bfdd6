//! Properties: what is encoded decodes, what arrives never panics, and what was changed never signs anybody in.

use leptos_pkce::inspect::pretty::pretty_json;
use leptos_pkce::protocol::authorization_response::AuthorizationResponse;
use leptos_pkce::protocol::client::TokenStorage;
use leptos_pkce::protocol::configuration::parse_configuration;
use leptos_pkce::protocol::form;
use leptos_pkce::protocol::http::HttpResponse;
use leptos_pkce::protocol::json::Value;
use leptos_pkce::protocol::metadata::{Metadata, read_document, used_members};
use leptos_pkce::protocol::pending_authorization::PendingAuthorization;
use leptos_pkce::protocol::return_path::ReturnPath;
use leptos_pkce::protocol::secret::CodeVerifier;
use leptos_pkce::protocol::session::Session;
use leptos_pkce::protocol::site::Site;
use leptos_pkce::protocol::time::UnixTime;
use leptos_pkce::protocol::token_response::{TokenResponse, TokenType};
use leptos_pkce::protocol::url::{SchemePolicy, Url};
use leptos_pkce::protocol::vocabulary::{ClientId, Issuer, RedirectUri, Scope};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use crate::answers::{TOKENS, answer, document};
use crate::scenario::{CODE, ISSUER, START, Scenario, as_json, key, parameter, value};

/// Tries `property` on 96 values that are the same in every run; `PROPTEST_CASES` says otherwise.
#[track_caller]
pub(crate) fn for_all<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = std::env::var("PROPTEST_CASES").map_or(96, |_| Config::default().cases);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(&strategy, property) {
        panic!("{error}");
    }
}

/// Any text, and often one of the characters that mean something somewhere.
fn text() -> impl Strategy<Value = String> {
    let meaningful =
        "[ -~]{0,6}|[%&=+?#/@:.\\\\;,{}\\[\\]\"']{0,6}|[\\x00-\\x1f\\x7f]{1,2}|https://|//|%[0-9a-fA-F]{2}|%";
    vec(prop_oneof![4 => meaningful, 1 => any::<String>()], 0..5).prop_map(|parts| parts.concat())
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        text().prop_map(String::into_bytes),
        json_value().prop_map(|v| v.to_string().into_bytes())
    ]
}

/// Any JSON, with members that some document has.
pub(crate) fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        text().prop_map(|value| json!(value)),
    ];
    let name = prop_oneof![proptest::sample::select(MEMBERS).prop_map(str::to_owned), text()];
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|array| json!(array)),
            btree_map(name.clone(), inner, 0..6).prop_map(|object| json!(object)),
        ]
    })
}

/// Members of the documents that are read here.
const MEMBERS: &[&str] = &[
    "access_token",
    "authorization_endpoint",
    "authorization_servers",
    "client_id",
    "client_secret",
    "code_verifier",
    "created_at",
    "error",
    "expires",
    "expires_at",
    "expires_in",
    "extra_parameters",
    "id_token",
    "iss_announced",
    "issuer",
    "jwks_uri",
    "metadata",
    "nonce",
    "redirect_uri",
    "refresh_token",
    "resources",
    "return_path",
    "scope",
    "state",
    "token_endpoint",
    "token_storage",
    "token_type",
    "url",
    "version",
];

/// One member of `document`, by index, put in the place of another value or removed.
fn mutated(
    document: &serde_json::Value,
    member: usize,
    value: Option<serde_json::Value>,
) -> (String, serde_json::Value) {
    let mut mutant = document.as_object().expect("an object").clone();
    let name = mutant.keys().nth(member % mutant.len()).expect("a member").clone();
    match value {
        Some(value) => mutant.insert(name.clone(), value),
        None => mutant.remove(&name),
    };
    (name, mutant.into())
}

fn parsed(document: &serde_json::Value) -> Value {
    value(&document.to_string())
}

fn site() -> Site {
    Site::parse("http://localhost:8080/sub/").expect("a page")
}

/// AUT-1: encoded pairs decode to themselves, whatever they hold; what is empty is left out.
#[test]
fn what_is_form_encoded_decodes_to_itself() {
    for_all(btree_map(text(), text(), 0..4), |pairs| {
        let encoded =
            form::encode(&pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>());
        prop_assert!(encoded.bytes().all(|octet| octet.is_ascii_graphic()));
        let expected: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        prop_assert_eq!(form::decode(&encoded), Ok(expected));
        Ok(())
    });
}

/// AUT-1: a whole request decodes to what was put in, whatever the extra parameters hold.
#[test]
fn every_extra_parameter_arrives_as_it_is() {
    let name = "[a-z]{1,4}[ -~]{0,6}";
    for_all((name, text()), |(name, value)| {
        let mut extra = serde_json::Map::new();
        extra.insert(name.clone(), json!(value));
        let scenario = Scenario::public_client().configured("extra_parameters", json!(extra));
        let Ok((url, _)) = scenario.request() else { return Ok(()) };
        let pairs = form::decode(url.query().unwrap_or_default()).expect("well-formed parameters");
        prop_assert_eq!(form::value(&pairs, &name).unwrap_or_default(), value);
        prop_assert_eq!(Url::parse(url.as_str()), Ok(url));
        Ok(())
    });
}

/// AUT-3: 43 characters of the unreserved set, whatever the octets.
#[test]
fn a_verifier_has_43_unreserved_characters() {
    for_all(any::<[u8; 32]>(), |octets| {
        let verifier = CodeVerifier::from_octets(&octets);
        prop_assert_eq!(verifier.expose().len(), 43);
        prop_assert!(verifier.expose().bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet)));
        Ok(())
    });
}

/// AUT-14: a path that is accepted is a path of this origin for a browser's parser too, and keeps its text.
#[test]
fn an_accepted_return_path_stays_on_this_origin() {
    for_all(text(), |text| {
        for path in [text.clone(), format!("/{text}"), format!("%2f{text}")] {
            let Some(accepted) = ReturnPath::parse(&path) else { continue };
            prop_assert_eq!(accepted.as_str(), path.as_str());
            prop_assert!(path.starts_with('/') && !path[1..].starts_with(['/', '\\']), "{:?}", path);
            prop_assert!(path.bytes().all(|octet| octet.is_ascii_graphic()), "{:?}", path);
        }
        Ok(())
    });
}

/// What was parsed is what is sent, and parses again.
#[test]
fn an_accepted_url_keeps_its_text() {
    for_all(("https?", text(), text()), |(scheme, host, rest)| {
        for text in [format!("{scheme}://{host}{rest}"), format!("{scheme}://a.example{rest}"), rest] {
            let Ok(url) = Url::parse(&text) else { continue };
            prop_assert_eq!(url.as_str(), text.as_str());
            prop_assert!(!url.origin().contains(['@', '\\']) && url.path().starts_with('/'));
            let origin = Url::parse(url.origin()).expect("an origin is a URL");
            prop_assert_eq!(origin.origin(), url.origin());
        }
        Ok(())
    });
}

/// TOK-18: nothing that reads text panics, whatever the text.
#[test]
fn no_text_makes_a_parser_panic() {
    for_all((text(), text()), |(one, other)| {
        let _ = Url::parse(&one);
        let _ = form::decode(&one);
        let _ = Site::parse(&one);
        let _ = ReturnPath::parse(&one);
        let _ = ClientId::parse(&one);
        let _ = Scope::parse(&one);
        for policy in [SchemePolicy::HttpsOnly, SchemePolicy::HttpOnLoopback] {
            let _ = Issuer::parse(&one, policy);
            let _ = RedirectUri::parse(&one, policy);
        }
        let pending = Scenario::public_client().pending();
        let state = pending.encode().member("state").and_then(|state| state.as_str().map(str::to_owned));
        let query = format!("state={}&{one}", state.unwrap_or_default());
        for (query, fragment) in [(&one, &other), (&query, &other), (&other, &query)] {
            for path in ["/callback", fragment] {
                if let Ok(Some(response)) = AuthorizationResponse::parse(path, query, fragment) {
                    let _ = (response.state(), response.unknown_state());
                    let _ = Scenario::public_client().pending().complete(&response, UnixTime(START));
                }
            }
        }
        Ok(())
    });
}

/// TOK-18, WEB-2: nothing that reads octets panics, whatever the octets.
#[test]
fn no_octets_make_a_parser_panic() {
    for_all((octets(), any::<u16>(), text()), |(octets, status, media_type)| {
        let _ = pretty_json(&octets, 1 << 20);
        let _ = parse_configuration(&octets, &site());
        for media_type in ["application/json", &media_type] {
            let response: Result<HttpResponse, _> = answer(status, media_type, octets.clone());
            let _ = read_document(response.clone());
            let _ = TokenResponse::read(response, TokenType::Bearer);
            let _ = TokenResponse::read(answer(200, media_type, octets.clone()), TokenType::Bearer);
        }
        if let Ok(document) = Value::parse(&octets) {
            let issuer = key(ISSUER).issuer;
            let _ = Metadata::check(&document, &document, &issuer, SchemePolicy::HttpsOnly);
            let _ = used_members(document.clone());
            let _ = PendingAuthorization::decode(&document, SchemePolicy::HttpsOnly);
            let _ = Session::decode(&document, &key(ISSUER), TokenStorage::Session, SchemePolicy::HttpsOnly);
        }
        Ok(())
    });
}

/// TOK-18: a document cut off anywhere is no document.
#[test]
fn a_truncated_token_response_is_refused() {
    for end in 0..TOKENS.len() {
        assert!(TokenResponse::read(document(&TOKENS[..end]), TokenType::Bearer).is_err(), "{end}");
    }
}

/// JSON that is indented says the same as before.
#[test]
fn indenting_changes_no_value() {
    for_all(json_value(), |document| {
        let text = document.to_string();
        let pretty = pretty_json(text.as_bytes(), 1 << 20).expect("a JSON document");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a JSON document");
        prop_assert_eq!(read(&pretty), read(&text));
        prop_assert_eq!(pretty_json(pretty.as_bytes(), 1 << 20), Some(pretty));
        Ok(())
    });
}

/// CFG-11: one member changed to anything: a metadata error of its own kind, or metadata that differ in it alone.
#[test]
fn metadata_with_one_member_changed_are_refused_or_differ_in_it_alone() {
    let good = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token",
        "userinfo_endpoint": "https://as.example/me",
        "end_session_endpoint": "https://as.example/out",
        "revocation_endpoint": "https://as.example/revoke",
        "jwks_uri": "https://as.example/keys",
        "scopes_supported": ["openid"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "response_types_supported": ["code"],
    });
    let check = |document: &serde_json::Value| {
        Metadata::check(&parsed(document), &value("{}"), &key(ISSUER).issuer, SchemePolicy::HttpsOnly)
    };
    let base = check(&good).expect("metadata");
    for_all((0..11_usize, proptest::option::of(json_value())), |(member, value)| {
        let (name, mutant) = mutated(&good, member, value);
        let Ok(found) = check(&mutant) else { return Ok(()) };
        prop_assert_ne!(&name, "issuer");
        prop_assert_ne!(&name, "authorization_endpoint");
        prop_assert_ne!(&name, "token_endpoint");
        prop_assert_eq!(&found.authorization_endpoint, &base.authorization_endpoint);
        prop_assert_eq!(&found.token_endpoint, &base.token_endpoint);
        prop_assert!(found.userinfo_endpoint == base.userinfo_endpoint || name == "userinfo_endpoint");
        prop_assert!(found.end_session_endpoint == base.end_session_endpoint || name == "end_session_endpoint");
        prop_assert!(found.revocation_endpoint == base.revocation_endpoint || name == "revocation_endpoint");
        prop_assert!(found.scopes_supported == base.scopes_supported || name == "scopes_supported");
        prop_assert!(found.pkce == base.pkce || name == "code_challenge_methods_supported");
        prop_assert!(found.iss_parameter == base.iss_parameter || name.starts_with("authorization_response_iss"));
        Ok(())
    });
}

/// WEB-2, OPS-3: a stored request with one member changed is no record, or one that differs in it alone.
#[test]
fn a_pending_record_with_one_member_changed_completes_nothing_else() {
    let good = as_json(&Scenario::public_client().openid().from("/a").pending().encode());
    for_all((0..13_usize, proptest::option::of(json_value())), |(member, value)| {
        let (name, mutant) = mutated(&good, member, value);
        let Some(found) = PendingAuthorization::decode(&parsed(&mutant), SchemePolicy::HttpsOnly) else {
            return Ok(());
        };
        let found = as_json(&found.encode());
        for (member, value) in good.as_object().expect("an object") {
            prop_assert!(*member == name || found.get(member) == Some(value), "{} changed {}", name, member);
        }
        prop_assert!(
            ["client_id", "scope", "return_path", "state", "created_at", "code_verifier"].contains(&name.as_str())
                || found == good,
            "{}",
            name
        );
        Ok(())
    });
}

/// OPS-3: one parameter of a good response changed: nobody is signed in, unless it is the code, which the server judges.
#[test]
fn a_response_with_one_parameter_changed_signs_nobody_in() {
    let scenario = Scenario::public_client().metadata("authorization_response_iss_parameter_supported", json!(true));
    for_all((0..3_usize, text()), |(changed, value)| {
        let mut tab = scenario.open();
        tab.sign_in();
        let state = parameter(tab.navigation().query(), "state");
        let mut parameters = [("code", CODE), ("state", state.as_str()), ("iss", ISSUER)];
        let original = std::mem::replace(&mut parameters[changed].1, value.as_str());
        tab.redirected(&form::encode(&parameters), "");
        let equivalent = value == original || (changed == 0 && !value.is_empty());
        prop_assert_eq!(tab.session().is_some(), equivalent);
        prop_assert_eq!(tab.trace.iter().any(|line| line.starts_with("fetch POST")), equivalent);
        Ok(())
    });
}

/// OUT-6: whatever an address says, it signs nobody in and nobody out.
#[test]
fn no_address_signs_anybody_in_or_out() {
    let scenario = Scenario::public_client().configured("token_storage", json!("session"));
    let signed_in = scenario.run();
    let command = "(logout|destroy_session|sign_out|code|state|access_token)=[a-z0-9]{0,5}&?";
    for_all((vec(prop_oneof![command, text()], 0..3), text()), |(query, fragment)| {
        for was_signed_in in [false, true] {
            let mut tab = scenario.open();
            if was_signed_in {
                tab.storage = signed_in.storage.clone();
            }
            tab.redirected(&query.concat(), &fragment);
            prop_assert_eq!(tab.session().is_some(), was_signed_in);
            prop_assert!(!tab.trace.iter().any(|line| line.starts_with("fetch POST") || line.starts_with("navigate")));
        }
        Ok(())
    });
}

/// OPS-3: one member of a good token response changed: no session, or one that has what the answer says.
#[test]
fn a_token_response_with_one_member_changed_makes_no_other_session() {
    let good = json!({
        "access_token": "a", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", "scope": "photos:read",
    });
    for_all((0..5_usize, proptest::option::of(json_value())), |(member, value)| {
        let (name, mutant) = mutated(&good, member, value);
        let Ok(response) = TokenResponse::read(document(mutant.to_string()), TokenType::Bearer) else { return Ok(()) };
        prop_assert_eq!(mutant["access_token"].as_str(), Some(response.access_token.expose()));
        let token_type = mutant["token_type"].as_str().map(str::to_ascii_lowercase);
        prop_assert!(matches!(token_type.as_deref(), None | Some("bearer")));
        prop_assert!(name == "expires_in" || response.expires_in.map(|lifetime| lifetime.0) == Some(3600));
        let refresh_token = response.refresh_token.as_ref().map(|token| token.expose());
        prop_assert_eq!(mutant["refresh_token"].as_str(), refresh_token);
        prop_assert!(name == "scope" || response.scope.is_some());
        Ok(())
    });
}

/// TOK-8: whatever is believed as a lifetime is a whole number of seconds from zero to ten years.
#[test]
fn a_lifetime_is_within_bounds_or_refused() {
    let number = prop_oneof![
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number.to_string())),
        "[0-9eE+.infNa-]{0,6}".prop_map(|text| json!(text)),
    ];
    for_all(number, |number| {
        let body = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": number });
        let Ok(response) = TokenResponse::read(document(body.to_string()), TokenType::Bearer) else { return Ok(()) };
        let lifetime = response.expires_in.map(|lifetime| lifetime.0);
        let said = number.as_f64().or_else(|| number.as_str().and_then(|text| text.parse().ok()));
        prop_assert!(
            lifetime.is_none_or(
                |lifetime| lifetime <= 315_360_000 && said.is_some_and(|said| said.floor() == lifetime as f64)
            )
        );
        prop_assert!(lifetime.is_some() || number.is_null() || said.is_some_and(|said| said < 1.0));
        Ok(())
    });
}
