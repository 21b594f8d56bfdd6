//! Protected resource metadata: what an API says about itself, above all whose tokens it takes.
//!
//! In scope: where the document is, and checking it against the API it was asked of.
//! Out of scope: `jwks_uri` and `signed_metadata`, because nothing that an API signs is read here (RFC 9728 §2.2 lets a
//! consumer ignore them), and whether a server on its list is one to sign in at: that is the configuration's to say.
//!
//! Order of checks: the resource first, because a document about another API is of no interest.
//!
//! Rule: identifiers are compared as they were written. `https://api.example` and `https://api.example/` are one place
//! to a browser and two names here (RFC 9728 §3.3), so the error shows what was asked and what the document says.
//!
//! Source: RFC 9728 §2, §3.1 to §3.3, §5.1, §7.3.

use std::fmt;

use super::challenge::Denial;
use super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::json::Value;
use super::metadata::{AttemptProblem, WrongMember, read_document, strings};
use super::problem::Expected;
use super::text::{cut, join, shorten};
use super::time::Seconds;
use super::url::{SchemePolicy, Url};
use super::vocabulary::{Issuer, NounError, server_url};

/// What a client needs to know of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// Servers whose tokens it takes; empty if it names none. It need not name all of them (RFC 9728 §2).
    pub authorization_servers: Vec<Issuer>,
    /// What stands among its servers and is no issuer for this client.
    pub unusable_servers: Vec<UnusableServer>,
    /// Scope tokens it lists; empty if it lists none.
    pub scopes_supported: Vec<String>,
    /// Its name for people, untrusted text; at most 100 characters are kept.
    pub resource_name: Option<String>,
    /// Whether it takes only tokens that are bound to a key.
    pub dpop: DpopBinding,
}

/// What the metadata says about `dpop_bound_access_tokens_required`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopBinding {
    /// A Bearer token is of no use here (RFC 9449).
    Required,
    /// False or absent.
    Unsaid,
}

/// An element of `authorization_servers` that is no issuer for this client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableServer {
    /// What stands there; at most 300 characters are kept.
    pub text: String,
    /// Why it is none.
    pub problem: NounError,
}

/// Why there is no usable metadata of an API.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceMetadataError {
    /// Tokens are not taken from the Authorization header, and this client puts them nowhere else (RFC 6750 §2.1).
    HeaderUnsupported {
        /// The methods it lists.
        methods: String,
    },
    /// A member has another type than its definition says.
    InvalidMember(WrongMember),
    /// The document is about another API (RFC 9728 §3.3).
    ResourceMismatch {
        /// What was asked for, as it was written.
        expected: String,
        /// What the document says; empty if it does not.
        found: String,
    },
    /// No document came.
    Unavailable(AttemptProblem),
    /// What was to be looked for is no URL of a server.
    Url(NounError),
}

/// The search for an API's metadata: at its well-known place, and where nothing is there, where the API itself says.
#[derive(Debug)]
pub struct Search {
    resource: Url,
    policy: SchemePolicy,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    WellKnown,
    /// The API is asked without a token, because its challenge may name the place (RFC 9728 §5).
    Api(ResourceMetadataError),
    Named,
}

/// How a search goes on.
#[derive(Debug)]
pub enum Progress {
    /// Send this; the answer is for [`Search::answered`].
    Ask(Search, HttpRequest),
    /// The search is over.
    Over(Result<ResourceMetadata, ResourceMetadataError>),
}

/// Bounds of the answer: 10 s, 1 MiB, as for a server's metadata.
const LIMITS: Limits = Limits { deadline: Seconds(10), body: 1024 * 1024 };

/// Where the metadata of `resource` is.
///
/// RFC 9728 §3.1: the suffix is inserted between the host and the path and query. A slash that is the whole path is
/// left out, one that ends a longer path stays; a fragment is no part of a resource identifier (§1.2).
pub fn well_known_url(resource: &Url) -> String {
    let path = if resource.path() == "/" { "" } else { resource.path() };
    let mut url = [resource.origin(), "/.well-known/oauth-protected-resource", path].concat();
    if let Some(query) = resource.query() {
        url.push('?');
        url.push_str(query);
    }
    url
}

/// The request for the metadata of `resource`; `None` if its URL grows too long.
pub fn request(resource: &Url) -> Option<HttpRequest> {
    Url::parse(&well_known_url(resource)).ok().map(request_to)
}

/// The request for metadata at a place that a challenge names in `resource_metadata` (RFC 9728 §5.1).
///
/// The place may be any server: what is found there counts only if [`ResourceMetadata::check`] accepts it for the URL
/// that the challenged request went to.
///
/// # Errors
/// [`NounError`] if `location` is no URL of a server.
pub fn request_at(location: &str, policy: SchemePolicy) -> Result<HttpRequest, NounError> {
    server_url(location, policy).map(request_to)
}

impl Search {
    /// Begins to look for the metadata of an API; one request, or two more.
    pub fn begin(resource: &str, policy: SchemePolicy) -> Progress {
        let resource = match server_url(resource, policy) {
            Ok(resource) => resource,
            Err(error) => return Progress::Over(Err(ResourceMetadataError::Url(error))),
        };
        match request(&resource) {
            Some(request) => Progress::Ask(Self { resource, policy, stage: Stage::WellKnown }, request),
            None => Progress::Over(Err(ResourceMetadataError::Url(NounError::Characters))),
        }
    }

    /// Takes the answer to the last request.
    pub fn answered(self, outcome: Result<HttpResponse, HttpFailure>) -> Progress {
        let Self { resource, policy, stage } = self;
        match stage {
            Stage::Api(error) => {
                let denial = outcome.ok().as_ref().and_then(Denial::of);
                let location = denial.and_then(|denial| denial.resource_metadata);
                match location.and_then(|location| request_at(&location, policy).ok()) {
                    Some(request) => Progress::Ask(Self { resource, policy, stage: Stage::Named }, request),
                    None => Progress::Over(Err(error)),
                }
            }
            Stage::WellKnown | Stage::Named => match ResourceMetadata::read(outcome, &resource, policy) {
                Err(error @ ResourceMetadataError::Unavailable(_)) if matches!(stage, Stage::WellKnown) => {
                    let request = request_to(resource.clone());
                    Progress::Ask(Self { resource, policy, stage: Stage::Api(error) }, request)
                }
                found => Progress::Over(found),
            },
        }
    }
}

impl ResourceMetadata {
    /// Reads the answer to one of the requests, and checks it.
    ///
    /// # Errors
    /// [`ResourceMetadataError`].
    pub fn read(
        outcome: Result<HttpResponse, HttpFailure>,
        resource: &Url,
        policy: SchemePolicy,
    ) -> Result<Self, ResourceMetadataError> {
        let document = read_document(outcome).map_err(ResourceMetadataError::Unavailable)?;
        Self::check(&document, resource, policy)
    }

    /// Checks a document.
    ///
    /// `resource` is the identifier that the well-known URL was made of; for a document from the `resource_metadata` of
    /// a challenge it is the URL that the challenged request went to, query and all.
    ///
    /// # Errors
    /// [`ResourceMetadataError`], the resource first.
    pub fn check(document: &Value, resource: &Url, policy: SchemePolicy) -> Result<Self, ResourceMetadataError> {
        // RFC 9728 §3.3: the resource value returned "MUST be identical to the protected resource's resource identifier
        // value into which the well-known URI path suffix was inserted", or, after a challenge, "to the URL that the
        // client used to make the request"; if not, the data "MUST NOT be used".
        // <https://www.rfc-editor.org/rfc/rfc9728#section-3.3>
        let expected = cut(resource.as_str(), b'#').0;
        let found = document.text("resource").unwrap_or_default();
        if found != expected {
            return Err(ResourceMetadataError::ResourceMismatch {
                expected: shorten(expected, 300),
                found: shorten(found, 300),
            });
        }
        let dpop = match document.member("dpop_bound_access_tokens_required") {
            Some(Value::Bool(true)) => DpopBinding::Required,
            Some(Value::Bool(false)) | None => DpopBinding::Unsaid,
            Some(other) => return Err(wrong("dpop_bound_access_tokens_required", Expected::Flag, other)),
        };
        // An empty list says that there are no Bearer methods at all, as an API for DPoP alone may say. That scheme
        // knows the header only (RFC 9449 §7.1).
        if let Some(methods) = list(document, "bearer_methods_supported")?
            && dpop == DpopBinding::Unsaid
            && !methods.iter().any(|method| method == "header")
        {
            return Err(ResourceMetadataError::HeaderUnsupported { methods: shorten(&join(&methods, ", "), 300) });
        }
        let resource_name = match document.member("resource_name") {
            None => None,
            Some(Value::String(name)) => Some(shorten(name, 100)),
            Some(other) => return Err(wrong("resource_name", Expected::String, other)),
        };
        let (mut authorization_servers, mut unusable_servers) = (Vec::new(), Vec::new());
        for text in list(document, "authorization_servers")?.unwrap_or_default() {
            match Issuer::parse(&text, policy) {
                Ok(issuer) => authorization_servers.push(issuer),
                Err(problem) => unusable_servers.push(UnusableServer { text: shorten(&text, 300), problem }),
            }
        }
        Ok(Self {
            authorization_servers,
            unusable_servers,
            scopes_supported: list(document, "scopes_supported")?.unwrap_or_default(),
            resource_name,
            dpop,
        })
    }
}

impl fmt::Display for ResourceMetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderUnsupported { methods } if methods.is_empty() => f.write_str("the API takes no Bearer tokens"),
            Self::HeaderUnsupported { methods } => {
                write!(f, "the API takes tokens by {methods}, and not in the Authorization header")
            }
            Self::InvalidMember(WrongMember { name, expected, found }) => {
                write!(f, "resource metadata member {name}: expected {expected}, found {found}")
            }
            Self::ResourceMismatch { expected, found } if found.is_empty() => {
                write!(f, "resource mismatch: asked for {expected}, the metadata names no resource")
            }
            Self::ResourceMismatch { expected, found } => {
                write!(f, "resource mismatch: asked for {expected}, the metadata says {found}")
            }
            Self::Url(error) => write!(f, "this is no URL of an API: {error}"),
            Self::Unavailable(problem) => write!(f, "no resource metadata: {problem}"),
        }
    }
}

fn request_to(url: Url) -> HttpRequest {
    HttpRequest {
        method: "GET".to_owned(),
        url,
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        bearer: None,
        body: None,
        limits: LIMITS,
        keepalive: false,
    }
}

fn list(document: &Value, name: &str) -> Result<Option<Vec<String>>, ResourceMetadataError> {
    let Some(value) = document.member(name) else { return Ok(None) };
    strings(value).map(Some).ok_or_else(|| wrong(name, Expected::Strings, value))
}

fn wrong(name: &str, expected: Expected, value: &Value) -> ResourceMetadataError {
    let found = value.as_str().unwrap_or_else(|| value.kind());
    ResourceMetadataError::InvalidMember(WrongMember { name: name.to_owned(), expected, found: shorten(found, 300) })
}
