//! What the server says about itself.
//!
//! Source: RFC 8414 §2, §3.1; OpenID Connect Discovery 1.0 §3, RP-Initiated Logout 1.0 §2.1; RFC 9126 §5; RFC 9207 §3; RFC 9449 §5.1;
//! RFC 9728 §4.

use super::authentication::LEVELS;
use super::crypto::{ES256, SUPPORTED};
use super::http::Response;
use super::switches::{self, Switches};
use super::{keys, resources};
use crate::protocol::json::Value;
use crate::protocol::url::Url;

/// What may be asked for; everything else is `invalid_scope`.
pub(super) const SCOPES: [&str; 6] = ["openid", "profile", "email", "photos:read", "photos:write", "offline_access"];

/// The path of the RFC 8414 document: the well-known part stands between host and path, without the trailing slash.
pub(super) fn rfc_8414_path(issuer: &Url) -> String {
    let path = issuer.path();
    format!("/.well-known/oauth-authorization-server{}", path.strip_suffix('/').unwrap_or(path))
}

/// The document, the same at both well-known URLs.
pub(super) fn document(issuer: &Url, switches: &Switches) -> Response {
    let endpoint = |path: &str| Some(Value::string(&format!("{}{path}", issuer.as_str())));
    let list = |words: &[&str]| Some(Value::Array(words.iter().map(|word| Value::string(word)).collect()));
    let flag = |flag: bool| Some(Value::Bool(flag));
    let has_revocation = !switches.has(switches::REVOCATION_MISSING);
    let has_end_session = !switches.has(switches::END_SESSION_MISSING);
    let is_listed = |algorithm| algorithm == ES256 || !switches.has(switches::ID_TOKEN_ALG_UNLISTED);
    let algorithms: Vec<_> = SUPPORTED.iter().filter(|known| is_listed(**known)).map(|known| known.as_str()).collect();
    Response::json(
        200,
        &Value::object(vec![
            ("issuer", endpoint(if switches.has(switches::METADATA_ISSUER_WRONG) { "INVALID" } else { "" })),
            ("authorization_endpoint", endpoint("authorize")),
            ("token_endpoint", endpoint("token")),
            ("pushed_authorization_request_endpoint", endpoint("par")),
            ("require_pushed_authorization_requests", flag(switches.has(switches::PAR_REQUIRED))),
            ("jwks_uri", endpoint(keys::path(switches))),
            ("userinfo_endpoint", endpoint("userinfo")),
            ("revocation_endpoint", endpoint("revoke").filter(|_| has_revocation)),
            ("revocation_endpoint_auth_methods_supported", list(&["none"]).filter(|_| has_revocation)),
            ("end_session_endpoint", endpoint("end_session").filter(|_| has_end_session)),
            ("scopes_supported", list(&SCOPES)),
            ("response_types_supported", list(&["code"])),
            ("response_modes_supported", list(&["query"])),
            ("grant_types_supported", list(&["authorization_code", "refresh_token"])),
            ("code_challenge_methods_supported", list(&["S256"])),
            ("token_endpoint_auth_methods_supported", list(&["none"])),
            ("subject_types_supported", list(&["public"])),
            ("id_token_signing_alg_values_supported", list(&algorithms)),
            ("userinfo_signing_alg_values_supported", list(&algorithms)),
            ("acr_values_supported", list(&LEVELS.map(|(name, _)| name))),
            ("claims_supported", list(&["sub", "name", "email", "email_verified", "auth_time", "acr"])),
            ("prompt_values_supported", list(&["none", "login", "consent", "select_account"])),
            ("authorization_response_iss_parameter_supported", flag(true)),
            ("request_parameter_supported", flag(false)),
            ("request_uri_parameter_supported", flag(false)),
            ("dpop_signing_alg_values_supported", list(&["ES256"])),
            ("protected_resources", list(&resources::urls(issuer).each_ref().map(String::as_str))),
        ]),
    )
}
