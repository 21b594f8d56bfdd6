//! One error of every kind about whom to trust: pushed requests, keys, ID tokens, user info.

use leptos_pkce::protocol::error::Fault;
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::id_token::{CHECKS, CheckId};
use leptos_pkce::protocol::keys::KeysError;
use leptos_pkce::protocol::metadata::{Attempt, AttemptProblem, WrongMember};
use leptos_pkce::protocol::problem::Expected;
use leptos_pkce::protocol::pushed_authorization::PushError;
use leptos_pkce::protocol::resource_metadata::ResourceMetadataError;
use leptos_pkce::protocol::token_response::TokenErrorResponse;
use leptos_pkce::protocol::userinfo::UserInfoError;
use leptos_pkce::protocol::vocabulary::NounError;
use serde_json::{Value, json};

use crate::errors_of_every_kind::{Kind, kind};
use crate::id_tokens::no;
use crate::scenario::{ACCESS_TOKEN, Scenario};

const SERVER: Fault = Fault::AuthorizationServer;

pub(crate) fn push() -> Vec<Kind> {
    let refused = TokenErrorResponse {
        error: "invalid_request".into(),
        error_description: Some("in the server's words".into()),
        error_uri: None,
        status: 400,
    };
    vec![
        kind(
            PushError::MissingRequestUri,
            "push.missing_request_uri",
            SERVER,
            "the answer to the pushed request has no request_uri",
        ),
        kind(
            PushError::Network(HttpFailure::Unreachable),
            "push.network",
            Fault::Network,
            "the request could not be pushed: no readable answer",
        ),
        kind(
            PushError::NonceHidden,
            "push.nonce_hidden",
            SERVER,
            "the server wants a DPoP nonce and gave none that this page can read",
        ),
        kind(
            PushError::Refused(refused),
            "push.refused",
            SERVER,
            "the server refused the pushed request: invalid_request",
        ),
        kind(
            PushError::Status { status: 503 },
            "push.status",
            SERVER,
            "the pushed request was answered with status 503",
        ),
    ]
}

pub(crate) fn keys() -> Vec<Kind> {
    let unavailable = |problem| KeysError::Unavailable(Attempt { url: "https://as.example/jwks".into(), problem });
    vec![
        kind(KeysError::NotKeys, "keys.not_keys", SERVER, "the server's key set is none, or has more than 100 keys"),
        kind(
            unavailable(AttemptProblem::Status(404)),
            "keys.unavailable",
            SERVER,
            "no keys: https://as.example/jwks gave status 404",
        ),
        kind(
            unavailable(AttemptProblem::Failure(HttpFailure::Offline)),
            "keys.unavailable",
            Fault::Network,
            "no keys: https://as.example/jwks gave the browser is offline",
        ),
    ]
}

/// Each made by the check itself: one thing about a good token is changed.
pub(crate) fn id_token() -> Vec<Kind> {
    let kinds = CHECKS.into_iter().map(|check| {
        let scenario = failing(check);
        let error = scenario.run().callback_error().clone();
        // Where the algorithm is not allowed, the signature was not checked.
        let also = match check {
            CheckId::Algorithm => vec![CheckId::Signature, check],
            CheckId::Mac => vec![CheckId::Signature, CheckId::Algorithm, check],
            CheckId::Encryption => {
                let needed: [CheckId; 9] = [
                    check,
                    CheckId::Issuer,
                    CheckId::Audience,
                    CheckId::Signature,
                    CheckId::Algorithm,
                    CheckId::Expiry,
                    CheckId::IssuedAt,
                    CheckId::Nonce,
                    CheckId::Subject,
                ];
                needed.into()
            }
            _ => vec![check],
        };
        let codes: Vec<_> = also.iter().map(|check| check.code()).collect();
        let message = format!("the ID token failed its checks: {}", codes.join(" "));
        let code = if codes.len() > 1 && check != CheckId::Encryption { codes[1] } else { codes[0] };
        Kind { error, code: code.to_owned(), fault: SERVER, message }
    });
    kinds.collect()
}

/// A sign-in whose ID token fails this check and, where possible, no other.
pub(crate) fn failing(check: CheckId) -> Scenario {
    let good = Scenario::public_client().openid();
    let header = |header| good.clone().id_token(header, Value::Null);
    match check {
        CheckId::Encryption => good.token_answer(crate::id_tokens::tokens("a.b.c.d.e")),
        CheckId::Issuer => good.claims(json!({ "iss": "https://as.example1" })),
        CheckId::Audience => good.claims(json!({ "aud": "spa1" })),
        CheckId::AuthorizedPartyPresent => good.claims(json!({ "aud": ["spa", "spa"] })),
        CheckId::AuthorizedParty => good.claims(json!({ "azp": "other" })),
        CheckId::Signature => good.verdict(no),
        CheckId::Algorithm => header(json!({ "alg": "RS256" })),
        CheckId::Mac => header(json!({ "alg": "HS256" })),
        CheckId::Expiry => good.claims(json!({ "exp": 1 })),
        CheckId::IssuedAt => good.claims(json!({ "iat": null })),
        CheckId::Nonce => good.claims(json!({ "nonce": "another" })),
        CheckId::Acr => good.configured("acr_values", json!("gold")),
        CheckId::AuthTime => good.configured("max_age", json!(600)),
        CheckId::Subject => good.claims(json!({ "sub": null })),
        CheckId::NotBefore => good.claims(json!({ "nbf": 4_000_000_000_u64 })),
        CheckId::Type => header(json!({ "typ": "at+jwt" })),
        CheckId::AtHash => good.claims(json!({ "at_hash": crate::id_tokens::at_hash(&ACCESS_TOKEN[1..]) })),
    }
}

pub(crate) fn userinfo() -> Vec<Kind> {
    vec![
        kind(UserInfoError::Expired, "userinfo.expired", SERVER, "the user info is signed for another time"),
        kind(
            UserInfoError::Foreign,
            "userinfo.foreign",
            SERVER,
            "the user info is signed for another client or by another issuer",
        ),
        kind(UserInfoError::Malformed, "userinfo.malformed", SERVER, "the user info cannot be read"),
        kind(UserInfoError::NoEndpoint, "userinfo.no_endpoint", SERVER, "the metadata has no userinfo_endpoint"),
        kind(
            UserInfoError::NoIdToken,
            "userinfo.no_id_token",
            Fault::Caller,
            "without an ID token there is nobody to compare the user info with",
        ),
        kind(
            UserInfoError::Network(HttpFailure::Unreachable),
            "userinfo.network",
            Fault::Network,
            "no user info: no readable answer",
        ),
        kind(
            UserInfoError::NotReadable { media_type: "text/html".into() },
            "userinfo.not_readable",
            SERVER,
            "the user info is text/html",
        ),
        kind(
            UserInfoError::Signature,
            "userinfo.signature",
            SERVER,
            "the signature of the user info is by no key of the issuer",
        ),
        kind(
            UserInfoError::Status { status: 401 },
            "userinfo.status",
            SERVER,
            "the user info endpoint answered with status 401",
        ),
        kind(
            UserInfoError::SubMismatch,
            "userinfo.sub_mismatch",
            SERVER,
            "the user info is not about the person who is signed in",
        ),
    ]
}

pub(crate) fn resource_metadata() -> Vec<Kind> {
    let wrong = WrongMember { name: "resource_name".into(), expected: Expected::String, found: "a number".into() };
    vec![
        kind(
            ResourceMetadataError::HeaderUnsupported { methods: "body".into() },
            "resource_metadata.header_unsupported",
            SERVER,
            "the API takes tokens by body, and not in the Authorization header",
        ),
        kind(
            ResourceMetadataError::InvalidMember(wrong),
            "resource_metadata.invalid_member",
            SERVER,
            "resource metadata member resource_name: expected a string, found a number",
        ),
        kind(
            ResourceMetadataError::ResourceMismatch {
                expected: "https://api.example".into(),
                found: "https://api.example/".into(),
            },
            "resource_metadata.resource_mismatch",
            SERVER,
            "resource mismatch: asked for https://api.example, the metadata says https://api.example/",
        ),
        kind(
            ResourceMetadataError::Unavailable(AttemptProblem::Status(404)),
            "resource_metadata.unavailable",
            SERVER,
            "no resource metadata: status 404",
        ),
        kind(
            ResourceMetadataError::Unavailable(AttemptProblem::Failure(HttpFailure::Unreachable)),
            "resource_metadata.unavailable",
            Fault::Network,
            "no resource metadata: no readable answer",
        ),
        kind(
            ResourceMetadataError::Url(NounError::Scheme),
            "resource_metadata.url",
            Fault::Caller,
            "this is no URL of an API: it must be https (http only on a loopback host, for a page on a loopback host)",
        ),
    ]
}
