//! Authorization server metadata: where it is, and what of it is used.
//!
//! In scope: the two well-known URLs, checking a document, and the configuration's overrides by the same rules.
//! Out of scope: when to fetch (`flow`), what a missing optional member means (its feature is off, nothing more).
//!
//! Order of checks: the issuer first, because nothing that another issuer says about itself is of interest.
//!
//! Source: OpenID Connect Discovery 1.0 §4; RFC 8414 §2, §3.1, §3.3; RFC 9207 §3; RFC 9126 §5;
//! RFC 9700 §2.1.1.

use std::fmt;

use super::algorithm::{Algorithm, Hash};
use super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::json::Value;
use super::problem::Expected;
use super::quirks;
use super::text;
use super::time::Seconds;
use super::url::{SchemePolicy, Url};
use super::vocabulary::{Issuer, NounError, server_url};

/// What a sign-in needs to know of an authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where the person is sent to.
    pub authorization_endpoint: Url,
    /// Where the code is exchanged.
    pub token_endpoint: Url,
    /// Claims about the person; implied as a place for the access token.
    pub userinfo_endpoint: Option<Url>,
    /// Sign-out at the server.
    pub end_session_endpoint: Option<Url>,
    /// Token revocation.
    pub revocation_endpoint: Option<Url>,
    /// Scope tokens the server lists; empty if it lists none.
    pub scopes_supported: Vec<String>,
    /// Whether the server says which PKCE methods it supports (S256 is then among them).
    pub pkce: PkceSupport,
    /// Whether the authorization response must carry `iss` (RFC 9207 §3).
    pub iss_parameter: IssParameter,
    /// The server's keys.
    pub jwks_uri: Option<Url>,
    /// The algorithms that ID tokens may be signed by: the listed ones that this client has; RS256 if none is listed.
    pub id_token_algorithms: Vec<Algorithm>,
    /// The same for the user info response.
    pub userinfo_algorithms: Vec<Algorithm>,
    /// Where authorization requests may be pushed to (RFC 9126 §5).
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Whether they must be pushed.
    pub requires_pushed_authorization_requests: bool,
}

/// What the metadata says about PKCE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PkceSupport {
    /// `code_challenge_methods_supported` lists S256.
    Announced,
    /// The member is absent: S256 is sent all the same, and the workbench says so.
    Unsaid,
}

/// Whether `authorization_response_iss_parameter_supported` is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssParameter {
    /// A response without `iss` is refused.
    Announced,
    /// A response without `iss` is accepted; one with another `iss` is not.
    Unsaid,
}

/// Why there is no usable metadata.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataError {
    /// A member has another type or form than its definition says.
    InvalidMember(WrongMember),
    /// The document is that of another issuer (RFC 8414 §3.3).
    IssuerMismatch {
        /// The configured issuer.
        expected: Issuer,
        /// What the document says.
        found: String,
    },
    /// A member without which nobody can sign in is absent.
    MissingMember {
        /// Its name.
        name: &'static str,
    },
    /// `code_challenge_methods_supported` does not list S256 (RFC 9700 §2.1.1).
    PkceUnsupported {
        /// What it lists.
        methods: String,
    },
    /// Neither well-known URL gave a document.
    Unavailable {
        /// What each URL gave, in the order they were asked.
        attempts: Vec<Attempt>,
    },
}

/// What one well-known URL gave instead of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The URL.
    pub url: String,
    /// What came.
    pub problem: AttemptProblem,
}

/// What came instead of a document.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptProblem {
    /// No whole answer.
    Failure(HttpFailure),
    /// An answer that is no JSON object, or does not say that it is one.
    NotJson {
        /// The media type it named.
        media_type: String,
    },
    /// A status other than 200.
    Status(u16),
}

/// A metadata member that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongMember {
    /// Its name.
    pub name: String,
    /// What its definition asks for.
    pub expected: Expected,
    /// What is there.
    pub found: String,
}

/// Members that are URLs of the server.
const ENDPOINTS: [&str; 7] = [
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
    "jwks_uri",
    "pushed_authorization_request_endpoint",
];
const STRING_LISTS: [&str; 4] =
    ["scopes_supported", "code_challenge_methods_supported", ID_TOKEN_ALGORITHMS, USERINFO_ALGORITHMS];
const FLAGS: [&str; 2] = [ISS_PARAMETER, REQUIRES_PUSHED];
const ISS_PARAMETER: &str = "authorization_response_iss_parameter_supported";
const REQUIRES_PUSHED: &str = "require_pushed_authorization_requests";
const ID_TOKEN_ALGORITHMS: &str = "id_token_signing_alg_values_supported";
const USERINFO_ALGORITHMS: &str = "userinfo_signing_alg_values_supported";

/// Bounds of a metadata answer: 10 s, 1 MiB.
const LIMITS: Limits = Limits { deadline: Seconds(10), body: 1024 * 1024 };

/// The two well-known URLs of an issuer, in the order they are asked.
///
/// OpenID Connect appends its suffix to the issuer (§4 of Discovery, without the issuer's trailing slash); RFC 8414
/// §3.1 inserts its own between host and path.
pub fn well_known_urls(issuer: &Issuer) -> [String; 2] {
    let url = issuer.url();
    let trimmed = issuer.as_str().strip_suffix('/').unwrap_or(issuer.as_str());
    let path = url.path();
    let path = path.strip_suffix('/').unwrap_or(path);
    [
        [trimmed, "/.well-known/openid-configuration"].concat(),
        [url.origin(), "/.well-known/oauth-authorization-server", path].concat(),
    ]
}

/// The request for one of the [`well_known_urls`]; `attempt` counts from 0.
pub fn discovery_request(issuer: &Issuer, attempt: usize) -> Option<HttpRequest> {
    let text = well_known_urls(issuer).into_iter().nth(attempt)?;
    Some(HttpRequest::get(Url::parse(&text).ok()?, "application/json", LIMITS))
}

/// Reads a document off an answer, without judging its members.
///
/// # Errors
/// [`AttemptProblem`]: then the next well-known URL is worth a try.
pub fn read_document(outcome: Result<HttpResponse, HttpFailure>) -> Result<Value, AttemptProblem> {
    let response = outcome.map_err(AttemptProblem::Failure)?;
    if response.status != 200 {
        return Err(AttemptProblem::Status(response.status));
    }
    let not_json = || AttemptProblem::NotJson { media_type: response.media_type().unwrap_or_default() };
    if !response.is_json() {
        return Err(not_json());
    }
    let document = Value::parse(&response.body).map_err(|_| not_json())?;
    if document.as_object().is_none() { Err(not_json()) } else { Ok(document) }
}

/// The members of a document that are used; the rest is not worth storing.
pub fn used_members(document: Value) -> Value {
    let used = |name: &str| {
        name == "issuer" || FLAGS.contains(&name) || ENDPOINTS.contains(&name) || STRING_LISTS.contains(&name)
    };
    let Value::Object(mut members) = document else { return document };
    members.retain(|(name, _)| used(name));
    Value::Object(members)
}

/// The members of `document` that are not what their definitions say; unknown ones are not looked at.
pub fn wrong_members(document: &Value, policy: SchemePolicy) -> Vec<WrongMember> {
    let mut wrong = Vec::new();
    let mut expect = |name: &str, expected: Expected, value: &Value| {
        let found = shorten(value.as_str().unwrap_or_else(|| value.kind()));
        wrong.push(WrongMember { name: name.to_owned(), expected, found });
    };
    if let Some(value) = document.member("issuer")
        && value.as_str().is_none()
    {
        expect("issuer", Expected::String, value);
    }
    for name in ENDPOINTS {
        let Some(value) = document.member(name) else { continue };
        let Some(text) = value.as_str() else {
            expect(name, Expected::Url, value);
            continue;
        };
        // RFC 6749 §3.1, §3.2: "The endpoint URI MUST NOT include a fragment component."
        let endpoint = server_url(text, policy).and_then(|url| match url.fragment() {
            None => Ok(()),
            Some(_) => Err(NounError::QueryOrFragment),
        });
        if let Err(error) = endpoint {
            expect(name, Expected::ServerUrl(error), value);
        }
    }
    for name in STRING_LISTS {
        let Some(value) = document.member(name) else { continue };
        if strings(value).is_none() {
            expect(name, Expected::Strings, value);
        }
    }
    for name in FLAGS {
        let Some(value) = document.member(name) else { continue };
        if !matches!(value, Value::Bool(_)) {
            expect(name, Expected::Flag, value);
        }
    }
    wrong
}

impl Metadata {
    /// Checks a document, with the members of `overrides` in the place of its own.
    ///
    /// # Errors
    /// [`MetadataError`], the issuer first.
    pub fn check(
        document: &Value,
        overrides: &Value,
        issuer: &Issuer,
        policy: SchemePolicy,
    ) -> Result<Self, MetadataError> {
        // RFC 8414 §3.3: "The "issuer" value returned MUST be identical to the authorization server's issuer
        // identifier value"; if not, the data "MUST NOT be used". <https://www.rfc-editor.org/rfc/rfc8414#section-3.3>
        let found = document.member("issuer").and_then(Value::as_str).unwrap_or_default();
        if !quirks::is_issuer_of(found, issuer) {
            return Err(MetadataError::IssuerMismatch { expected: issuer.clone(), found: shorten(found) });
        }
        let merged;
        let members = if cfg!(feature = "overrides") {
            merged = merge(document, overrides);
            &merged
        } else {
            document
        };
        if let Some(wrong) = wrong_members(members, policy).into_iter().next() {
            return Err(MetadataError::InvalidMember(wrong));
        }
        let url = |name: &str| members.member(name).and_then(Value::as_str).and_then(|text| Url::parse(text).ok());
        let needed = |name: &'static str| url(name).ok_or(MetadataError::MissingMember { name });
        let list = |name: &str| members.member(name).and_then(strings);
        let flag = |name: &str| matches!(members.member(name), Some(Value::Bool(true)));
        // Where nothing is said it is what every server must have (OpenID Connect Discovery §3).
        let algorithms = |name: &str| match list(name) {
            None => vec![Algorithm::Rs(Hash::Sha256)],
            Some(names) => names.iter().filter_map(|name| Algorithm::parse(name)).collect(),
        };
        let pkce = match list("code_challenge_methods_supported") {
            None => PkceSupport::Unsaid,
            Some(methods) if methods.iter().any(|method| method == "S256") => PkceSupport::Announced,
            Some(methods) => {
                return Err(MetadataError::PkceUnsupported { methods: shorten(&text::join(&methods, ", ")) });
            }
        };
        Ok(Self {
            authorization_endpoint: needed("authorization_endpoint")?,
            token_endpoint: needed("token_endpoint")?,
            userinfo_endpoint: url("userinfo_endpoint"),
            end_session_endpoint: url("end_session_endpoint"),
            revocation_endpoint: url("revocation_endpoint"),
            scopes_supported: list("scopes_supported").unwrap_or_default(),
            pkce,
            iss_parameter: if flag(ISS_PARAMETER) { IssParameter::Announced } else { IssParameter::Unsaid },
            jwks_uri: url("jwks_uri"),
            id_token_algorithms: algorithms(ID_TOKEN_ALGORITHMS),
            userinfo_algorithms: if cfg!(feature = "userinfo") { algorithms(USERINFO_ALGORITHMS) } else { Vec::new() },
            pushed_authorization_request_endpoint: if cfg!(feature = "par") {
                url("pushed_authorization_request_endpoint")
            } else {
                None
            },
            requires_pushed_authorization_requests: cfg!(feature = "par") && flag(REQUIRES_PUSHED),
        })
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidMember(WrongMember { name, expected, found }) => {
                write!(f, "metadata member {name}: expected {expected}, found {found}")
            }
            Self::IssuerMismatch { expected, found } => {
                write!(f, "issuer mismatch: expected {expected}, the metadata says {found}")
            }
            Self::MissingMember { name } => write!(f, "the metadata has no {name}"),
            Self::PkceUnsupported { methods } => {
                write!(f, "the server lists the code challenge methods {methods}, and S256 is not among them")
            }
            Self::Unavailable { attempts } => {
                f.write_str("no metadata: ")?;
                for (index, Attempt { url, problem }) in attempts.iter().enumerate() {
                    let separator = if index > 0 { "; " } else { "" };
                    write!(f, "{separator}{url} gave {problem}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for AttemptProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure(failure) => failure.fmt(f),
            Self::NotJson { media_type } => write!(f, "no JSON object ({media_type})"),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

fn merge(document: &Value, overrides: &Value) -> Value {
    let mut merged = overrides.as_object().unwrap_or_default().to_vec();
    for (name, value) in document.as_object().unwrap_or_default() {
        if !merged.iter().any(|(known, _)| known == name) {
            merged.push((name.clone(), value.clone()));
        }
    }
    Value::Object(merged)
}

/// What a server sends may be long; a message need not be.
fn shorten(text: &str) -> String {
    text::shorten(text, 300)
}

/// The elements of an array that holds nothing but strings.
pub(super) fn strings(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|element| element.as_str().map(str::to_owned)).collect()
}
