//! The protected resources: which there are, what a token is good for, and what they say about themselves.
//!
//! Source: RFC 8707 §2 (`resource`); RFC 9728 §2, §3.1, §5.1.

use super::http::Response;
use super::switches::{self, Switches};
use crate::protocol::json::Value;
use crate::protocol::url::Url;

/// A part of the API.
struct Resource {
    /// Its path below the issuer.
    path: &'static str,
    name: &'static str,
    scopes: &'static [&'static str],
}

const RESOURCES: [Resource; 2] = [
    Resource { path: "api/photos", name: "Photos", scopes: &["photos:read", "photos:write"] },
    Resource { path: "api/safe", name: "Safe", scopes: &["photos:read"] },
];

/// The most resources that one request may name.
const MOST: usize = 8;

/// Checks what a request names as resources: absolute URIs without fragment, at or below the API.
///
/// # Errors
/// The description of `invalid_target`.
pub(super) fn check(issuer: &Url, resources: &[String]) -> Result<(), &'static str> {
    if resources.len() > MOST {
        return Err("more than eight resources");
    }
    let api = format!("{}api/", issuer.as_str());
    for resource in resources {
        let Ok(url) = Url::parse(resource) else { return Err("a resource is no absolute URI") };
        if url.fragment().is_some() {
            return Err("a resource has a fragment");
        }
        if !resource.starts_with(&api) {
            return Err("a resource is unknown here");
        }
    }
    Ok(())
}

/// Where a token is to be good: at those of the allowed resources that its request names, or at all of them if it names
/// none (RFC 8707 §2.2).
///
/// # Errors
/// The description of `invalid_target`.
pub(super) fn narrowed(issuer: &Url, allowed: &[String], asked: &[String]) -> Result<Vec<String>, &'static str> {
    check(issuer, asked)?;
    if !allowed.is_empty() && !asked.iter().all(|resource| allowed.contains(resource)) {
        return Err("a resource was not asked for in the authorization request");
    }
    Ok(if asked.is_empty() { allowed.to_vec() } else { asked.to_vec() })
}

/// Whether a token for `resources` is good at `url`: at one of them or below it. A token without any is good everywhere.
pub(super) fn cover(resources: &[String], url: &Url) -> bool {
    let is_below = |resource: &String| {
        let rest = url.without_query().strip_prefix(resource.as_str());
        rest.is_some_and(|rest| rest.is_empty() || resource.ends_with('/') || rest.starts_with('/'))
    };
    resources.is_empty() || resources.iter().any(is_below)
}

/// Reads the member `resources` of a record.
pub(super) fn decode(record: &Value) -> Option<Vec<String>> {
    let resources = record.member("resources")?.as_array()?;
    resources.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// The URLs of all.
pub(super) fn urls(issuer: &Url) -> [String; 2] {
    RESOURCES.map(|resource| format!("{}{}", issuer.as_str(), resource.path))
}

/// Where the metadata of the resource at `url` are, if it is one that has any.
pub(super) fn metadata_url(issuer: &Url, url: &Url) -> Option<String> {
    let below = url.path().strip_prefix(issuer.path())?;
    let resource = RESOURCES.iter().find(|resource| below.starts_with(resource.path))?;
    Some(format!("{}{}", issuer.origin(), metadata_path(issuer, resource)))
}

/// The metadata at a path of the origin, if there are any.
pub(super) fn metadata(issuer: &Url, switches: &Switches, path: &str) -> Option<Response> {
    let resource = RESOURCES.iter().find(|resource| metadata_path(issuer, resource) == path)?;
    let text = |text: &str| Some(Value::string(text));
    let list = |words: &[&str]| Some(Value::Array(words.iter().map(|word| Value::string(word)).collect()));
    let members = vec![
        ("resource", text(&format!("{}{}", issuer.as_str(), resource.path))),
        ("authorization_servers", list(&[issuer.as_str()])),
        ("scopes_supported", list(resource.scopes)),
        ("bearer_methods_supported", list(&["header"])),
        ("resource_name", text(resource.name)),
        ("dpop_signing_alg_values_supported", list(&["ES256"])),
        ("dpop_bound_access_tokens_required", Some(Value::Bool(switches.has(switches::DPOP_REQUIRED)))),
    ];
    Some(Response::json(200, &Value::object(members)))
}

/// The well-known part stands between host and path (RFC 9728 §3.1).
fn metadata_path(issuer: &Url, resource: &Resource) -> String {
    format!("/.well-known/oauth-protected-resource{}{}", issuer.path(), resource.path)
}
