//! Known servers: each row with what it matches, and the one that changes what is accepted in detail.

use std::collections::BTreeSet;

use leptos_pkce::inspect::advice::advise;
use leptos_pkce::inspect::quirks::may_explain;
use leptos_pkce::protocol::authorization_response::CallbackError;
use leptos_pkce::protocol::error::Error;
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::id_token::CheckId;
use leptos_pkce::protocol::keys::KeysError;
use leptos_pkce::protocol::metadata::{Attempt, AttemptProblem, Metadata, MetadataError};
use leptos_pkce::protocol::quirks::{Deviation, QUIRKS, known};
use leptos_pkce::protocol::token_response::{TokenError, TokenErrorResponse};
use leptos_pkce::protocol::url::SchemePolicy;
use leptos_pkce::protocol::userinfo::UserInfoError;
use leptos_pkce::protocol::vocabulary::Issuer;
use serde_json::json;

use crate::answers::document;
use crate::errors_of_every_kind::every_kind;
use crate::explanations::explanations;
use crate::id_tokens::{self, compact, header};
use crate::scenario::{Scenario, value};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

fn issuer(text: &str) -> Issuer {
    Issuer::parse(text, SchemePolicy::HttpsOnly).expect("an issuer")
}

fn ids(text: &str) -> Vec<&'static str> {
    known(&issuer(text)).map(|quirk| quirk.id).collect()
}

#[test]
fn each_row_is_found_by_its_server_and_by_no_other() {
    for (text, expected) in [
        ("https://login.microsoftonline.com/common/v2.0", &["entra-common-issuer", "entra-client-type"][..]),
        ("https://login.microsoftonline.com/organizations/v2.0", &["entra-organizations-issuer", "entra-client-type"]),
        ("https://login.microsoftonline.com/consumers/v2.0", &["entra-consumers-issuer", "entra-client-type"]),
        ("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", &["entra-client-type"]),
        ("https://accounts.google.com", &["google-client-secret", "google-sign-out"]),
        ("https://github.com", &["github-cors"]),
        ("https://appleid.apple.com", &["apple-form-post"]),
        ("https://example.eu.auth0.com/", &["auth0-trailing-slash", "auth0-sign-out"]),
        ("https://example.okta.com/oauth2/default", &["okta-trusted-origins"]),
        ("https://id.example/realms/main", &["keycloak-web-origins"]),
        ("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_2VghMWgNT", &["cognito-sign-out"]),
        ("https://cognito-idp.eu-central-1.amazonaws.com.evil.example/pool", &[]),
        ("https://other.eu-central-1.amazonaws.com/pool", &[]),
        ("https://accounts.google.com.evil.example", &[]),
        ("https://evil.example/login.microsoftonline.com/common/v2.0", &[]),
        ("https://evilauth0.com/", &[]),
        ("https://as.example/common/v2.0", &[]),
    ] {
        assert_eq!(ids(text), expected, "{text}");
    }
}

#[test]
fn each_row_has_a_source_and_words() {
    for quirk in QUIRKS {
        assert!(quirk.source.starts_with("https://github.com/"), "{}", quirk.id);
        assert!(explanations().quirk(quirk.id).is_some_and(|words| words.ends_with('.')), "{}", quirk.id);
        assert_eq!(QUIRKS.iter().filter(|other| other.id == quirk.id).count(), 1, "{}", quirk.id);
    }
}

/// What a browser says of a server that it may not read.
const UNREADABLE: [&str; 5] =
    ["keys.unavailable", "metadata.unavailable", "push.network", "token.unreachable", "userinfo.network"];

fn attempt(problem: AttemptProblem) -> Attempt {
    Attempt { url: "https://as.example/jwks".into(), problem }
}

/// Which errors each row may explain, of all that there are.
#[test]
fn each_row_may_explain_its_own_errors_and_no_other() {
    let refused = ["token.refused", "token.status"];
    let unreadable = || attempt(AttemptProblem::Failure(HttpFailure::Unreachable));
    let metadata = MetadataError::Unavailable { attempts: vec![attempt(AttemptProblem::Status(404)), unreadable()] };
    let every = every_kind().into_iter().map(|kind| kind.error);
    let every: Vec<Error> = every.chain([metadata.into(), KeysError::Unavailable(unreadable()).into()]).collect();
    let rows: [(&str, &[&str]); QUIRKS.len()] = [
        ("entra-common-issuer", &[]),
        ("entra-organizations-issuer", &[]),
        ("entra-consumers-issuer", &["metadata.issuer_mismatch"]),
        ("entra-client-type", &["token.refused", "token.status", "token.unreachable"]),
        ("google-client-secret", &refused),
        ("github-cors", &UNREADABLE),
        ("apple-form-post", &["callback.missing_code", "callback.refused"]),
        ("auth0-trailing-slash", &["metadata.issuer_mismatch"]),
        ("okta-trusted-origins", &UNREADABLE),
        ("keycloak-web-origins", &UNREADABLE),
        ("google-sign-out", &[]),
        ("auth0-sign-out", &[]),
        ("cognito-sign-out", &[]),
    ];
    for (quirk, (id, codes)) in QUIRKS.iter().zip(rows) {
        assert_eq!(quirk.id, id);
        let explained = every.iter().filter(|error| may_explain(quirk, error));
        let explained: BTreeSet<&str> = explained.map(Error::code).collect();
        assert_eq!(explained, codes.iter().copied().collect(), "{id}");
    }
}

/// A failure that says itself what it was is not explained by what the browser would hide.
#[test]
fn no_row_explains_what_is_clear() {
    let missing = attempt(AttemptProblem::Status(404));
    for error in [
        Error::Token(TokenError::Network(HttpFailure::Cancelled)),
        Error::Token(TokenError::Network(HttpFailure::Offline)),
        Error::UserInfo(UserInfoError::SubMismatch),
        Error::Keys(KeysError::Unavailable(missing.clone())),
        Error::Keys(KeysError::NotKeys),
        Error::Metadata(MetadataError::Unavailable { attempts: vec![missing] }),
        Error::Callback(CallbackError::UnknownState { error: None }),
    ] {
        assert!(QUIRKS.iter().all(|quirk| !may_explain(quirk, &error)), "{error}");
    }
}

fn entra(path: &str) -> Scenario {
    let configured = format!("https://login.microsoftonline.com/{path}");
    let metadata = json!({
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
        "authorization_endpoint": format!("{configured}/authorize"),
        "token_endpoint": "https://as.example/token",
        "jwks_uri": id_tokens::JWKS_URI,
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    Scenario::public_client()
        .openid()
        .configured("issuer", json!(configured))
        .answering(&format!("{configured}/.well-known/openid-configuration"), document(metadata.to_string()))
}

/// Signs in at the address that serves every tenant, with these claims in the ID token.
fn sign_in(changes: serde_json::Value) -> Result<(), Error> {
    sign_in_by(&id_tokens::key("1"), changes)
}

/// The same, where this is the server's key.
fn sign_in_by(key: &serde_json::Value, changes: serde_json::Value) -> Result<(), Error> {
    let mut claims = id_tokens::claims();
    claims["iss"] = json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
    claims["tid"] = json!(TENANT);
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    let scenario = entra("common/v2.0").answering(id_tokens::JWKS_URI, id_tokens::keys(std::slice::from_ref(key)));
    let mut tab = scenario.token_answer(id_tokens::tokens(&compact(&header(), &claims))).open();
    let key = tab.flow().clients()[0].key().clone();
    tab.ask(key.clone(), None, leptos_pkce::protocol::flow::Intent::Navigate);
    assert_eq!(tab.navigations.len(), 1, "the template is the issuer of this address");
    tab.now += 60;
    tab.come_back("code=x&state={state}", "");
    match tab.flow().callback_failure() {
        Some(failure) => Err((*failure.error).clone()),
        None => {
            assert!(tab.flow().session(&key).is_some());
            Ok(())
        }
    }
}

/// IDT-1: by the template the issuer is the tenant's, as the token names both, and nobody else.
#[test]
fn a_template_is_filled_by_the_tenant_and_by_nothing_else() {
    assert_eq!(sign_in(json!({})), Ok(()));
    for changes in [
        json!({ "tid": null }),
        json!({ "tid": "common" }),
        json!({ "tid": "../../evil" }),
        json!({ "tid": "72f988bf-86f1-41af-91ab-2d7cd011db48" }),
        json!({ "iss": "https://login.microsoftonline.com/{tenantid}/v2.0" }),
        json!({ "iss": "https://login.microsoftonline.com/common/v2.0" }),
        json!({ "iss": format!("https://login.evil.example/{TENANT}/v2.0") }),
        json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0/") }),
    ] {
        let Err(Error::IdToken(error)) = sign_in(changes.clone()) else { panic!("accepted: {changes}") };
        assert_eq!(error.failed(), [CheckId::Issuer], "{changes}");
    }
    // A tenant is a UUID: of another shape, or with other digits, it is none, also where both claims agree about it.
    for tenant in
        ["abc", "common", "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz", &TENANT.replace('-', ""), &format!("{TENANT}0")]
    {
        let iss = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let Err(Error::IdToken(error)) = sign_in(json!({ "tid": tenant, "iss": iss })) else {
            panic!("accepted: {tenant}")
        };
        assert_eq!(error.failed(), [CheckId::Issuer], "{tenant}");
    }
}

/// IDT-1, JOSE-11: a key that says whose tokens it signs signs for nobody else; one tenant's used to sign for all.
#[test]
fn a_key_of_one_tenant_signs_for_no_other() {
    let of = |issuer: serde_json::Value| {
        let mut key = id_tokens::key("1");
        key["issuer"] = issuer;
        key
    };
    let tenants = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    for issuer in [json!("https://login.microsoftonline.com/{tenantid}/v2.0"), json!(tenants), json!(null)] {
        assert_eq!(sign_in_by(&of(issuer.clone()), json!({})), Ok(()), "{issuer}");
    }
    for issuer in [
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
        "https://login.microsoftonline.com/{tenantid}",
        "https://sts.windows.net/{tenantid}/",
        "",
    ] {
        let Err(Error::IdToken(error)) = sign_in_by(&of(json!(issuer)), json!({})) else {
            panic!("accepted: {issuer}")
        };
        assert_eq!(error.failed(), [CheckId::Signature], "{issuer}");
    }
    // And what a token says of its issuer makes no other issuer's key its own.
    let other = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
    let Err(Error::IdToken(error)) = sign_in_by(&of(json!(other)), json!({ "iss": other })) else { panic!("accepted") };
    assert_eq!(error.failed(), [CheckId::Issuer]);
    // Elsewhere the member means nothing.
    let plain = Scenario::public_client().openid();
    let plain = plain.answering(id_tokens::JWKS_URI, id_tokens::keys(&[of(json!("https://other.example"))]));
    assert!(plain.run().session().is_some());
}

/// CFG-7: the template is accepted at those addresses, and nowhere else.
#[test]
fn no_other_server_may_name_itself_by_a_template() {
    let document = value(
        &json!({ "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "authorization_endpoint": "https://a.example/a",
            "token_endpoint": "https://a.example/t" })
        .to_string(),
    );
    let check = |configured: &str| {
        let policy = SchemePolicy::HttpsOnly;
        Metadata::check(&document, &value("{}"), &issuer(configured), policy)
    };
    assert!(check("https://login.microsoftonline.com/organizations/v2.0").is_ok());
    for configured in [
        "https://login.microsoftonline.com/consumers/v2.0",
        "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
        "https://login.microsoftonline.com/common",
        "https://as.example/common/v2.0",
    ] {
        assert!(matches!(check(configured), Err(MetadataError::IssuerMismatch { .. })), "{configured}");
    }
}

/// What may explain an error comes first in the advice for it, and only where it may.
#[test]
fn advice_begins_with_what_is_known_about_the_server() {
    let refused = Error::Token(TokenError::Refused(TokenErrorResponse {
        error: "invalid_request".into(),
        error_description: Some("client_secret is missing.".into()),
        error_uri: None,
        status: 400,
    }));
    let advice = |issuer: &str, error: &Error| {
        let scenario = Scenario::public_client().configured("issuer", json!(issuer));
        advise(error, Some(&scenario.client()), &scenario.site(), &explanations()).checks
    };
    let secret = QUIRKS.iter().find(|quirk| quirk.deviation == Deviation::SecretDemanded).expect("a row");
    let secret = explanations().quirk(secret.id).expect("its words").to_owned();
    assert_eq!(advice("https://accounts.google.com", &refused)[0], secret);
    assert!(!advice("https://as.example", &refused).contains(&secret));
    let other = Error::Token(TokenError::Html);
    assert!(!advice("https://accounts.google.com", &other).contains(&secret));
}
