//! One error of every kind, with what each must say of itself; those about whom to trust have a file of their own.

use leptos_pkce::protocol::authorization_request::{AuthorizationRequestError, StorageFailure};
use leptos_pkce::protocol::authorization_response::{AuthorizationErrorResponse, CallbackError, UnverifiedError};
use leptos_pkce::protocol::error::{Error, Fault};
use leptos_pkce::protocol::form::FormError;
use leptos_pkce::protocol::http::HttpFailure;
use leptos_pkce::protocol::json::{JsonError, JsonProblem};
use leptos_pkce::protocol::metadata::{Attempt, AttemptProblem, MetadataError, WrongMember};
use leptos_pkce::protocol::problem::{ConfigurationError, Expected, Problem};
use leptos_pkce::protocol::protected_resource::ResourceError;
use leptos_pkce::protocol::session::SessionError;
use leptos_pkce::protocol::time::Seconds;
use leptos_pkce::protocol::token_response::{TokenError, TokenErrorResponse, TokenType};
use leptos_pkce::protocol::url::{SchemePolicy, UrlError};
use leptos_pkce::protocol::vocabulary::RedirectUri;

use crate::errors_about_trust::{id_token, keys, push, resource_metadata, userinfo};
use crate::scenario::{ISSUER, key};

/// An error, its code, whose side it is on, and its words to the letter.
pub(crate) struct Kind {
    pub(crate) error: Error,
    pub(crate) code: String,
    pub(crate) fault: Fault,
    pub(crate) message: String,
}

pub(crate) fn kind(error: impl Into<Error>, code: &str, fault: Fault, message: &str) -> Kind {
    Kind { error: error.into(), code: code.to_owned(), fault, message: message.to_owned() }
}

pub(crate) fn every_kind() -> Vec<Kind> {
    let of_oauth = [configuration(), metadata(), request(), callback(), token(), session(), resource()];
    of_oauth.into_iter().chain([push(), keys(), id_token(), userinfo(), resource_metadata()]).flatten().collect()
}

fn configuration() -> Vec<Kind> {
    let problem = |place: &str| Problem { place: place.into(), expected: Expected::String, found: "a number".into() };
    let json = |problem| JsonError { problem, line: 3, column: 7 };
    vec![
        kind(
            ConfigurationError::Html,
            "configuration.html",
            Fault::Caller,
            "an HTML page came in the place of config.json",
        ),
        kind(
            ConfigurationError::Invalid(vec![problem("a"), problem("b[0].c")]),
            "configuration.invalid",
            Fault::Caller,
            "the configuration has problems: a: expected a string, found a number; b[0].c: expected a string, found a number",
        ),
        kind(
            ConfigurationError::Missing { status: 404 },
            "configuration.missing",
            Fault::Caller,
            "there is no config.json beside index.html (status 404)",
        ),
        kind(
            ConfigurationError::NotJson(json(JsonProblem::Syntax)),
            "configuration.not_json",
            Fault::Caller,
            "config.json: this is not JSON (line 3, column 7)",
        ),
        kind(
            ConfigurationError::NotJson(json(JsonProblem::Truncated)),
            "configuration.not_json",
            Fault::Caller,
            "config.json: the document ends too early (line 3, column 7)",
        ),
        kind(
            ConfigurationError::Unreachable(HttpFailure::Unreachable),
            "configuration.unreachable",
            Fault::Network,
            "config.json could not be fetched: no readable answer",
        ),
    ]
}

fn metadata() -> Vec<Kind> {
    let wrong = WrongMember { name: "token_endpoint".into(), expected: Expected::Url, found: "a number".into() };
    let attempt = |url: &str, problem| Attempt { url: url.into(), problem };
    vec![
        kind(
            MetadataError::InvalidMember(wrong),
            "metadata.invalid_member",
            Fault::AuthorizationServer,
            "metadata member token_endpoint: expected a URL, found a number",
        ),
        kind(
            MetadataError::IssuerMismatch { expected: key(ISSUER).issuer, found: "https://b.example".into() },
            "metadata.issuer_mismatch",
            Fault::AuthorizationServer,
            "issuer mismatch: expected https://as.example, the metadata says https://b.example",
        ),
        kind(
            MetadataError::MissingMember { name: "token_endpoint" },
            "metadata.missing_member",
            Fault::AuthorizationServer,
            "the metadata has no token_endpoint",
        ),
        kind(
            MetadataError::PkceUnsupported { methods: "plain".into() },
            "metadata.pkce_unsupported",
            Fault::AuthorizationServer,
            "the server lists the code challenge methods plain, and S256 is not among them",
        ),
        kind(
            MetadataError::Unavailable {
                attempts: vec![
                    attempt("https://a.example/1", AttemptProblem::Status(404)),
                    attempt("https://a.example/2", AttemptProblem::NotJson { media_type: "text/html".into() }),
                ],
            },
            "metadata.unavailable",
            Fault::AuthorizationServer,
            "no metadata: https://a.example/1 gave status 404; https://a.example/2 gave no JSON object (text/html)",
        ),
        kind(
            MetadataError::Unavailable {
                attempts: vec![attempt("https://a.example/1", AttemptProblem::Failure(HttpFailure::Offline))],
            },
            "metadata.unavailable",
            Fault::Network,
            "no metadata: https://a.example/1 gave the browser is offline",
        ),
    ]
}

fn request() -> Vec<Kind> {
    let redirect_uri = RedirectUri::parse("https://b.example/callback", SchemePolicy::HttpsOnly);
    let storage = AuthorizationRequestError::Storage;
    vec![
        kind(
            AuthorizationRequestError::Entropy,
            "request.entropy",
            Fault::Environment,
            "the browser gave no random numbers",
        ),
        kind(
            AuthorizationRequestError::Framed,
            "request.framed",
            Fault::Caller,
            "this page is shown inside of another one, where nobody signs in",
        ),
        kind(
            AuthorizationRequestError::Loop { last: Some("login_required".into()) },
            "request.loop",
            Fault::AuthorizationServer,
            "three sign-ins within a minute gave no session that lasts",
        ),
        kind(
            AuthorizationRequestError::NoAlgorithm,
            "request.no_algorithm",
            Fault::AuthorizationServer,
            "the server signs ID tokens by no algorithm that this client verifies",
        ),
        kind(
            AuthorizationRequestError::NoKeys,
            "request.no_keys",
            Fault::AuthorizationServer,
            "the metadata has no jwks_uri, so no ID token could be verified",
        ),
        kind(
            AuthorizationRequestError::NoProofKey,
            "request.no_proof_key",
            Fault::Environment,
            "the browser makes no key to bind the tokens to",
        ),
        kind(
            AuthorizationRequestError::NoPushEndpoint,
            "request.no_push_endpoint",
            Fault::AuthorizationServer,
            "the metadata has no pushed_authorization_request_endpoint",
        ),
        kind(
            AuthorizationRequestError::ParameterTwice { name: "audience".into() },
            "request.parameter_twice",
            Fault::Caller,
            "parameter audience would be sent twice",
        ),
        kind(
            AuthorizationRequestError::RedirectUriOrigin {
                redirect_uri: redirect_uri.expect("a redirect URI"),
                page_origin: "https://a.example".into(),
            },
            "request.redirect_uri_origin",
            Fault::Caller,
            "redirect URI https://b.example/callback is not on this page's origin, https://a.example",
        ),
        kind(
            AuthorizationRequestError::SharedRedirectUri { other: key(ISSUER).issuer },
            "request.shared_redirect_uri",
            Fault::Caller,
            "the redirect URI is that of https://as.example too, and the server does not announce iss",
        ),
        kind(
            storage(StorageFailure::Altered),
            "request.storage_altered",
            Fault::Environment,
            "the pending request could not be kept: sessionStorage gave back something else",
        ),
        kind(
            storage(StorageFailure::Blocked),
            "request.storage_blocked",
            Fault::Environment,
            "the pending request could not be kept: sessionStorage is blocked for this page",
        ),
        kind(
            storage(StorageFailure::Full),
            "request.storage_full",
            Fault::Environment,
            "the pending request could not be kept: sessionStorage is full",
        ),
    ]
}

fn callback() -> Vec<Kind> {
    let redirect_uri = RedirectUri::parse("https://a.example/callback", SchemePolicy::HttpsOnly);
    let expected = key(ISSUER).issuer;
    let refused = |code: &str| {
        CallbackError::Refused(AuthorizationErrorResponse {
            error: code.into(),
            error_description: Some("in the server's words".into()),
            error_uri: Some("https://as.example/errors".into()),
        })
    };
    vec![
        kind(
            CallbackError::Framed,
            "callback.framed",
            Fault::Caller,
            "this page is shown inside of another one, where nobody signs in",
        ),
        kind(
            CallbackError::FrontChannel { name: "access_token" },
            "callback.front_channel",
            Fault::AuthorizationServer,
            "access_token arrived where a code flow does not send it",
        ),
        kind(
            CallbackError::IssuerMismatch { expected: expected.clone(), received: "https://b.example".into() },
            "callback.issuer_mismatch",
            Fault::AuthorizationServer,
            "issuer mismatch: expected https://as.example, received https://b.example",
        ),
        kind(
            CallbackError::Malformed(FormError::Duplicate { name: "code".into() }),
            "callback.malformed",
            Fault::AuthorizationServer,
            "parameter code appeared twice",
        ),
        kind(
            CallbackError::Malformed(FormError::NotUtf8),
            "callback.malformed",
            Fault::AuthorizationServer,
            "a parameter is not UTF-8",
        ),
        kind(
            CallbackError::Malformed(FormError::TooLong { limit: 65_536 }),
            "callback.malformed",
            Fault::AuthorizationServer,
            "the response is longer than 65536 octets",
        ),
        kind(
            CallbackError::Malformed(FormError::TooMany { limit: 256 }),
            "callback.malformed",
            Fault::AuthorizationServer,
            "the response has more than 256 parameters",
        ),
        kind(
            CallbackError::MissingCode,
            "callback.missing_code",
            Fault::AuthorizationServer,
            "the response has neither code nor error",
        ),
        kind(
            CallbackError::MissingIssuer { expected },
            "callback.missing_issuer",
            Fault::AuthorizationServer,
            "the response has no iss, though https://as.example announces it",
        ),
        kind(
            refused("access_denied"),
            "callback.refused",
            Fault::EndUser,
            "the authorization server answered access_denied",
        ),
        kind(
            refused("invalid_scope"),
            "callback.refused",
            Fault::Caller,
            "the authorization server answered invalid_scope",
        ),
        kind(
            refused("server_error"),
            "callback.refused",
            Fault::AuthorizationServer,
            "the authorization server answered server_error",
        ),
        kind(
            refused("their_own"),
            "callback.refused",
            Fault::AuthorizationServer,
            "the authorization server answered their_own",
        ),
        kind(
            CallbackError::Stale { age: Seconds(3601), limit: Seconds(3600) },
            "callback.stale",
            Fault::EndUser,
            "the response came 3601 s after the request, later than 3600 s",
        ),
        kind(
            CallbackError::UnknownState { error: None },
            "callback.unknown_state",
            Fault::EndUser,
            "no sign-in of this tab is waiting for this response",
        ),
        kind(
            CallbackError::UnknownState { error: Some(UnverifiedError::new("access_denied")) },
            "callback.unknown_state",
            Fault::EndUser,
            "no sign-in of this tab is waiting for this response",
        ),
        kind(
            CallbackError::WrongRedirectUri {
                expected: redirect_uri.expect("a redirect URI"),
                received: "/other".to_owned(),
            },
            "callback.wrong_redirect_uri",
            Fault::Caller,
            "the response came to /other, not to the redirect URI https://a.example/callback",
        ),
    ]
}

/// Why no whole answer came: the last part of a code, whose side it is on, and the words.
fn failures() -> [(HttpFailure, &'static str, Fault, &'static str); 7] {
    [
        (
            HttpFailure::BodyTooLarge { limit: 1024 },
            "body_too_large",
            Fault::AuthorizationServer,
            "the answer is longer than 1024 octets",
        ),
        (HttpFailure::Cancelled, "cancelled", Fault::EndUser, "the request was cancelled"),
        (
            HttpFailure::NoProof,
            "no_proof",
            Fault::Environment,
            "the browser could not sign with the key that belongs to it",
        ),
        (HttpFailure::Offline, "offline", Fault::Network, "the browser is offline"),
        (HttpFailure::Timeout { after: Seconds(20) }, "timeout", Fault::Network, "no complete answer within 20 s"),
        (HttpFailure::Unreachable, "unreachable", Fault::Network, "no readable answer"),
        (HttpFailure::UrlDisagreement, "url_disagreement", Fault::Caller, "the browser reads the URL differently"),
    ]
}

fn token() -> Vec<Kind> {
    let refused = |code: &str| {
        TokenError::Refused(TokenErrorResponse {
            error: code.into(),
            error_description: Some("in the server's words".into()),
            error_uri: Some("javascript:alert(1)".into()),
            status: 400,
        })
    };
    let truncated = JsonError { problem: JsonProblem::Truncated, line: 1, column: 2 };
    let side = Fault::AuthorizationServer;
    let mut kinds = vec![
        kind(TokenError::Html, "token.html", side, "the token endpoint answered with an HTML page"),
        kind(
            TokenError::InvalidMember { name: "expires_in", expected: Expected::Lifetime },
            "token.invalid_member",
            side,
            "expires_in in the token response is not a number of seconds from 0 to 315360000 (ten years)",
        ),
        kind(
            TokenError::Malformed(truncated),
            "token.malformed",
            side,
            "the token response cannot be read: the document ends too early (line 1, column 2)",
        ),
        kind(
            TokenError::MissingAccessToken,
            "token.missing_access_token",
            side,
            "the token response has no access_token",
        ),
        kind(
            TokenError::MissingIdToken,
            "token.missing_id_token",
            side,
            "openid was asked for, and the token response has no id_token",
        ),
        kind(
            TokenError::NonceHidden,
            "token.nonce_hidden",
            side,
            "the server wants a DPoP nonce and gave none that this page can read",
        ),
        kind(
            TokenError::NotJson { media_type: "text/plain".into() },
            "token.not_json",
            side,
            "the token response is text/plain, not JSON",
        ),
        kind(refused("invalid_grant"), "token.refused", side, "the token endpoint answered invalid_grant"),
        kind(refused("invalid_client"), "token.refused", side, "the token endpoint answered invalid_client"),
        kind(refused("their_own"), "token.refused", side, "the token endpoint answered their_own"),
        kind(TokenError::Status { status: 503 }, "token.status", side, "the token endpoint answered with status 503"),
        kind(
            TokenError::UnsupportedTokenType { found: "mac".into(), expected: TokenType::Bearer },
            "token.unsupported_token_type",
            side,
            "token type mac is not Bearer",
        ),
        kind(
            TokenError::UnsupportedTokenType { found: "Bearer".into(), expected: TokenType::Dpop },
            "token.unsupported_token_type",
            side,
            "token type Bearer is not DPoP",
        ),
    ];
    kinds.extend(failures().map(|(failure, code, fault, message)| {
        kind(TokenError::Network(failure), &format!("token.{code}"), fault, &format!("no token response: {message}"))
    }));
    kinds
}

fn session() -> Vec<Kind> {
    let refusal = TokenErrorResponse {
        error: "invalid_grant".into(),
        error_description: Some("grant not found".into()),
        error_uri: None,
        status: 400,
    };
    vec![
        kind(
            SessionError::AnswerLost,
            "session.answer_lost",
            Fault::Network,
            "the answer to a renewal was lost, and there is no second one",
        ),
        kind(
            SessionError::Expired(refusal),
            "session.expired",
            Fault::AuthorizationServer,
            "the server renews the session no more",
        ),
    ]
}

fn resource() -> Vec<Kind> {
    let mut kinds = vec![
        kind(
            ResourceError::Header { name: "Cookie".into() },
            "resource.header",
            Fault::Caller,
            "header field Cookie cannot be sent",
        ),
        kind(ResourceError::Method, "resource.method", Fault::Caller, "this is no HTTP method"),
        kind(
            ResourceError::NonceHidden,
            "resource.nonce_hidden",
            Fault::AuthorizationServer,
            "the API wants a DPoP nonce and gave none that this page can read",
        ),
        kind(
            ResourceError::NotAllowed { url: "https://b.example/x".into(), allowed: vec!["https://a.example".into()] },
            "resource.not_allowed",
            Fault::Caller,
            "https://b.example/x is none of the places that the token may be sent to",
        ),
        kind(
            ResourceError::NotRenewed,
            "resource.not_renewed",
            Fault::Network,
            "the access token has expired and could not be renewed",
        ),
        kind(ResourceError::SignedOut, "resource.signed_out", Fault::EndUser, "nobody is signed in"),
        kind(
            ResourceError::Url(UrlError::Scheme),
            "resource.url",
            Fault::Caller,
            "this is no URL for a request: it does not begin with https:// or http://",
        ),
    ];
    kinds.extend(failures().map(|(failure, code, fault, message)| {
        kind(
            ResourceError::Network(failure),
            &format!("resource.{code}"),
            fault,
            &format!("no answer from the API: {message}"),
        )
    }));
    kinds
}
