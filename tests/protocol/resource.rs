//! Resource indicators: what a token is asked for.

use leptos_pkce::protocol::client::{Client, ClientSettings};
use serde_json::{Value, json};

use crate::scenario::{Scenario, TOKEN_ENDPOINT, parameter};

const RESOURCES: [&str; 2] = ["https://api.example/photos?x=1&y=a b", "urn:example:photos"];

/// Every value of `resource` in a form, decoded; it may be there more than once, which no other parameter may.
fn resources(form: Option<&str>) -> Vec<String> {
    let pairs = form.unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("resource="));
    pairs.map(decoded).collect()
}

fn decoded(text: &str) -> String {
    parameter(Some(&format!("x={text}")), "x")
}

fn with(resource: Value) -> Scenario {
    Scenario::public_client().configured("resource", resource)
}

/// AUT-10: in the authorization request and in the token request, as often as there are resources.
#[test]
fn resources_are_asked_for_at_both_endpoints() {
    let listed = ["https://api.example/photos?x=1&y=a%20b", RESOURCES[1]];
    for (resource, expected) in
        [(json!(listed), listed.to_vec()), (json!(listed[0]), vec![listed[0]]), (json!([]), vec![])]
    {
        let tab = with(resource).run();
        assert_eq!(resources(tab.navigation().query()), expected);
        assert_eq!(resources(tab.token_request().body.as_deref()), expected);
        assert_eq!(tab.sent_to(TOKEN_ENDPOINT).len(), 1);
        assert!(tab.session().is_some());
    }
    let tab = Scenario::public_client().run();
    assert!(!tab.navigation().as_str().contains("resource="));
}

/// AUT-10: an absolute URI without a fragment, whatever its scheme; every other is named with its place.
#[test]
fn a_resource_is_an_absolute_uri_without_fragment() {
    let site = Scenario::public_client().site();
    let client = |resource: &str| {
        let (issuer, client_id) = (Some("https://as.example".to_owned()), "spa".to_owned());
        let resource = vec!["urn:good".to_owned(), resource.to_owned()];
        Client::new(ClientSettings { issuer, client_id, resource, ..ClientSettings::default() }, &site)
    };
    for good in ["https://api.example", "https://api.example/?a#".trim_end_matches('#'), "urn:x", "api+v1.0-x:y"] {
        assert!(client(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/photos",
        "photos",
        "//api.example",
        "https:",
        "1a:b",
        ":x",
        "https://a.example#",
        "urn:x#y",
        RESOURCES[0],
        "urn:\u{e4}",
        "a_b:c",
    ] {
        let error = client(bad).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("resource[1]: expected an absolute URI without fragment"), "{bad}: {error}");
    }
}

/// AUT-10, A45: nobody slips a resource in beside those that are configured.
#[test]
fn a_resource_is_no_extra_parameter() {
    let tab = with(json!("urn:x")).configured("extra_parameters", json!({ "resource": "urn:y" })).open();
    assert!(tab.flow().clients().is_empty());
    let tab = with(json!("urn:x"))
        .metadata("authorization_endpoint", json!("https://as.example/authorize?resource=urn:y"))
        .run();
    assert_eq!(tab.sign_in_error().to_string(), "parameter resource would be sent twice");
}
