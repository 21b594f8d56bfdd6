//! What happened, in one sentence, and what to check next, most likely first.
//!
//! Rule: every error code has a sentence and at least one thing to check. Text from a server is quoted, never
//! trusted; no secret is an argument here.

use super::{bound, denial, quirks, trust};
use crate::protocol::authorization_request::{AuthorizationRequestError, StorageFailure};
use crate::protocol::authorization_response::{AuthorizationErrorCode, CallbackError, UnverifiedError};
use crate::protocol::client::Client;
use crate::protocol::error::Error;
use crate::protocol::form::FormError;
use crate::protocol::http::HttpFailure;
use crate::protocol::metadata::{AttemptProblem, MetadataError};
use crate::protocol::problem::ConfigurationError;
use crate::protocol::protected_resource::ResourceError;
use crate::protocol::pushed_authorization::PushError;
use crate::protocol::quirks as protocol_quirks;
use crate::protocol::site::Site;
use crate::protocol::text::join;
use crate::protocol::token_response::{TokenError, TokenErrorCode, TokenType};
use crate::protocol::url::Url;
use crate::protocol::userinfo::UserInfoError;

/// What a person should know about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What happened, as a sentence.
    pub summary: String,
    /// What to check, most likely first.
    pub checks: Vec<String>,
    /// The exact values involved.
    pub values: Vec<(&'static str, String)>,
    /// A page about the error that the server named, if it is an https URL. Never followed by itself.
    pub more: Option<String>,
}

/// Explains `error` to somebody who uses `client` (if it is known whose error it is) on `site`.
pub fn advise(error: &Error, client: Option<&Client>, site: &Site) -> Advice {
    let (summary, checks) = match error {
        Error::Configuration(error) => configuration(error),
        Error::Metadata(error) => metadata(error),
        Error::AuthorizationRequest(error) => request(error),
        Error::Callback(error) => callback(error),
        Error::Token(error) => token(error),
        Error::Push(error) => bound::push(error),
        Error::UserInfo(error) => trust::userinfo(error),
        Error::ResourceMetadata(error) => denial::resource_metadata(error),
        Error::Keys(error) => trust::keys(error),
        Error::IdToken(error) => trust::id_token(error),
        Error::Resource(error) => resource(error),
    };
    // What is known about this very server comes first.
    let known = client.into_iter().flat_map(|client| protocol_quirks::known(&client.key().issuer));
    let known = known.filter(|quirk| quirks::may_explain(quirk, error));
    let checks: Vec<&'static str> = known.map(quirks::explain).chain(checks).collect();
    let mut values = Vec::new();
    if let Some(client) = client {
        values.push(("Issuer", client.key().issuer.to_string()));
        values.push(("Client ID", client.key().client_id.to_string()));
        values.push(("Redirect URI sent", client.redirect_uri().to_string()));
    }
    values.push(("Origin of this page", site.origin().to_owned()));
    // A server's words may be long; a panel need not be.
    values.extend(quoted(error).into_iter().map(|(name, text)| (name, text.chars().take(500).collect())));
    Advice {
        summary,
        checks: checks.into_iter().map(str::to_owned).chain(listed(error)).collect(),
        values,
        more: more(error),
    }
}

fn configuration(error: &ConfigurationError) -> (String, Vec<&'static str>) {
    match error {
        ConfigurationError::Html => (
            "Instead of config.json the host answered with an HTML page.".into(),
            vec![
                "Upload config.json beside index.html. Hosts that rewrite every unknown path to the app answer like this when the file is missing.",
                "If the file is there, exclude it from the host's rewrites.",
            ],
        ),
        ConfigurationError::Invalid(problems) => {
            let count = problems.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            (format!("The configuration has {count} {noun}; nothing of it is used until it is right."), vec![])
        }
        ConfigurationError::Missing { status } => (
            format!("There is no config.json beside index.html (the host answered {status})."),
            vec!["Put a config.json there; config.schema.json beside it describes its members."],
        ),
        ConfigurationError::NotJson(place) => (
            format!("config.json cannot be read: {place}."),
            vec!["Look at that line: a comma too many or a quotation mark too few is the usual cause."],
        ),
        ConfigurationError::Unreachable(failure) => {
            (format!("config.json could not be fetched: {failure}."), network_checks(failure))
        }
    }
}

fn metadata(error: &MetadataError) -> (String, Vec<&'static str>) {
    match error {
        MetadataError::InvalidMember(wrong) => (
            format!("The authorization server's metadata is wrong: {} should be {}.", wrong.name, wrong.expected),
            vec![
                "Tell the server's administrator.",
                "Until it is mended, give the right value under metadata in config.json.",
            ],
        ),
        MetadataError::IssuerMismatch { .. } => (
            "The metadata is that of another issuer, so nothing of it is used (RFC 8414 §3.3).".into(),
            vec![
                "Copy the issuer from the metadata into config.json exactly, trailing slash and all, if it is the server you mean.",
                "If it is not, this server hands out somebody else's metadata: do not sign in there.",
            ],
        ),
        MetadataError::MissingMember { name } => (
            format!("The authorization server's metadata has no {name}, and nobody can sign in without it."),
            vec!["Give it under metadata in config.json, if you know it from the server's documentation."],
        ),
        MetadataError::PkceUnsupported { .. } => (
            "The authorization server says that it does not support PKCE with S256, and this client sends nothing weaker (RFC 9700 §2.1.1).".into(),
            vec!["Switch S256 on at the server: without it a stolen code is as good as a password."],
        ),
        MetadataError::Unavailable { attempts } => {
            let unreadable = attempts.iter().any(|attempt| matches!(attempt.problem, AttemptProblem::Failure(_)));
            let mut checks = vec!["Check the issuer's spelling: each URL below is made from it."];
            if unreadable {
                checks.insert(0, "Check that the server is running and reachable from this browser.");
                checks.insert(1, "Check that the server lets this origin read its metadata (CORS): browsers report a refusal like a server that is not there.");
                checks.push("A server without CORS on its metadata works if authorization_endpoint and token_endpoint (and jwks_uri, for the scope openid) stand under metadata in config.json.");
            }
            ("The authorization server's metadata could not be had.".into(), checks)
        }
    }
}

fn request(error: &AuthorizationRequestError) -> (String, Vec<&'static str>) {
    match error {
        AuthorizationRequestError::Entropy => (
            "The browser gave no random numbers, and without them there is no safe sign-in.".into(),
            vec!["Restart the browser, or use another one."],
        ),
        AuthorizationRequestError::NoAlgorithm => (
            "The server signs ID tokens by no algorithm that this client verifies, so nobody was sent there.".into(),
            vec![
                "Switch on an asymmetric algorithm at the server, RS256 or ES256 for example: HS256 needs a secret that a page cannot keep.",
                "Without openid in scope no ID token is asked for.",
            ],
        ),
        AuthorizationRequestError::NoKeys => (
            "The server's metadata has no jwks_uri, so its ID token could not be verified and nobody was sent there."
                .into(),
            vec![
                "Give jwks_uri under metadata in config.json, if you know it from the server's documentation.",
                "Without openid in scope no ID token is asked for.",
            ],
        ),
        AuthorizationRequestError::NoProofKey => bound::no_proof_key(),
        AuthorizationRequestError::NoPushEndpoint => bound::no_push_endpoint(),
        AuthorizationRequestError::ParameterTwice { name } => (
            format!("The parameter {name} would be sent twice, which no server accepts (RFC 6749 §3.1)."),
            vec!["Remove it from extra_parameters in config.json, or from the query of authorization_endpoint."],
        ),
        AuthorizationRequestError::RedirectUriOrigin { .. } => (
            "The redirect URI is on another origin than this page, so the answer could never come back here.".into(),
            vec![
                "Open the app at the redirect URI's origin: localhost and 127.0.0.1 are two origins, and so are two ports.",
                "Or set redirect_uri in config.json to this origin, and register it at the server exactly so.",
            ],
        ),
        AuthorizationRequestError::SharedRedirectUri { .. } => (
            "Answers of another server come to the same redirect URI, and this server does not announce that its answers say whose they are (iss), so one could be taken for the other's. Nobody was sent there.".into(),
            vec![
                "Give each server its own redirect_uri (RFC 9700 §4.4.2), one with a path of its own, and register it there.",
                "Or switch on, at the server, that its answers carry iss (RFC 9207).",
            ],
        ),
        AuthorizationRequestError::Storage(StorageFailure::Full) => (
            "This site's storage is full, so the sign-in could not be remembered until its answer comes.".into(),
            vec!["Delete this site's data in the browser's settings, then try again."],
        ),
        AuthorizationRequestError::Storage(_) => (
            "The browser keeps nothing for this page, so the sign-in could not be remembered until its answer comes."
                .into(),
            vec![
                "Allow cookies and site data for this page: browsers block sessionStorage together with them.",
                "If the page is inside a frame or a private window, open it in a window of its own.",
            ],
        ),
    }
}

fn callback(error: &CallbackError) -> (String, Vec<&'static str>) {
    match error {
        CallbackError::FrontChannel { name } => (
            format!("The answer carried {name} in a place where a code flow never sends it, so it was thrown away."),
            vec!["Check that the client is registered for the code flow with response mode query, not for the implicit flow."],
        ),
        CallbackError::IssuerMismatch { .. } => (
            "The answer names another authorization server than the one that was asked, so it was thrown away (RFC 9207).".into(),
            vec![
                "If you did not follow a strange link, compare the two issuers below: config.json must spell it as the server does.",
                "If you did follow one: somebody may have tried to mix two servers up. Nothing was sent.",
            ],
        ),
        CallbackError::Malformed(FormError::Duplicate { .. }) => (
            "The answer has a parameter twice, so it is not clear what it says; it was thrown away.".into(),
            vec!["Start again. If it happens again, tell the server's administrator: RFC 6749 §3.1 forbids it."],
        ),
        CallbackError::Malformed(_) => {
            ("The answer cannot be read.".into(), vec!["Start again from the sign-in page."])
        }
        CallbackError::MissingCode => (
            "The answer has neither a code nor an error.".into(),
            vec!["Start again. If it happens again, tell the server's administrator."],
        ),
        CallbackError::MissingIssuer { .. } => (
            "The server announces that its answers carry iss, and this one does not; it was thrown away (RFC 9207 §2.4).".into(),
            vec![
                "Start again from here: a link from elsewhere may have been made up.",
                "If it happens again, tell the server's administrator.",
            ],
        ),
        CallbackError::Refused(refusal) => refused(&refusal.code()),
        CallbackError::Stale { limit, .. } => (
            format!("The answer came more than {} minutes after the request, and is no longer accepted.", limit.0 / 60),
            vec!["Sign in again."],
        ),
        CallbackError::UnknownState { error } => (
            match error.as_ref().and_then(UnverifiedError::registered) {
                None => "No sign-in of this tab is waiting for this answer; nothing was sent and nothing was changed.".into(),
                Some(error) => format!(
                    "An answer says “{}”, but no sign-in of this tab is waiting for one; nothing was changed.",
                    error.as_str()
                ),
            },
            vec![
                "Sign in again from this tab. A sign-in belongs to the tab it was started in: a link opened in another tab, a bookmark of this page or a restored window cannot complete it.",
                "If you did not start a sign-in, somebody may have sent you this link. There is nothing to undo.",
                "Some servers leave state out when they report an error: then check client ID and redirect URI.",
            ],
        ),
        CallbackError::WrongRedirectUri { .. } => (
            "The answer came to another address than the redirect URI that was sent, so it was thrown away (RFC 9700 §4.4.2.2).".into(),
            vec![
                "If the host redirects the redirect URI, set redirect_uri in config.json to the address that it ends at, and register that.",
                "If you followed a strange link: somebody may have tried to mix two servers up. Nothing was sent.",
            ],
        ),
    }
}

fn refused(error: &AuthorizationErrorCode) -> (String, Vec<&'static str>) {
    use AuthorizationErrorCode as Code;
    let (meaning, check) = match error {
        Code::AccessDenied => {
            ("permission was not given", "Sign in again and allow it, if you pressed Deny or Cancel by mistake.")
        }
        Code::InvalidScope => (
            "it does not know or allow the scope that was asked for",
            "Compare scope in config.json with what the server allows this client.",
        ),
        Code::UnauthorizedClient | Code::UnsupportedResponseType => (
            "this client may not ask for a code",
            "Register the client as a public one with the authorization code flow.",
        ),
        Code::ServerError => ("it failed inside", "Try again, and look into the server's log if it happens again."),
        Code::TemporarilyUnavailable => ("it is overloaded or being maintained", "Try again in a few minutes."),
        Code::LoginRequired | Code::InteractionRequired | Code::ConsentRequired | Code::AccountSelectionRequired => (
            "it must show something to the person first",
            "Sign in again without prompt=none among the extra parameters.",
        ),
        Code::InvalidTarget => (
            "it does not know the resource that was asked for",
            "Compare resource in config.json, or audience among the extra parameters, with what the server knows.",
        ),
        Code::Other(_) => ("it has a reason of its own", "Look the code up in the server's documentation."),
        _ => (
            "it cannot use this request",
            "Read the server's words below; a parameter is missing, wrong, or not supported there.",
        ),
    };
    // A code that is not registered is the server's own wording: it is shown below, where it is quoted.
    let code = if matches!(error, Code::Other(_)) { "a code of its own" } else { error.as_str() };
    (format!("The authorization server said no: {meaning} ({code})."), vec![check])
}

fn token(error: &TokenError) -> (String, Vec<&'static str>) {
    match error {
        TokenError::Html => (
            "The token endpoint answered with an HTML page instead of tokens.".into(),
            vec![
                "Check token_endpoint: a wrong path often ends at the server's web pages.",
                "A hotel or company network may have put its own sign-in page in between: open any other page, then sign in again.",
            ],
        ),
        TokenError::InvalidMember { name, expected } => (
            format!("The token response is wrong: {name} should be {expected}."),
            vec!["Tell the server's administrator (RFC 6749 §5.1)."],
        ),
        TokenError::Malformed(place) => (
            format!("The token response cannot be read: {place}."),
            vec!["Sign in again; the code is used up. If it happens again, tell the server's administrator."],
        ),
        TokenError::MissingAccessToken => {
            ("The token response has no access token.".into(), vec!["Tell the server's administrator (RFC 6749 §5.1)."])
        }
        TokenError::NonceHidden => bound::nonce_hidden("token endpoint"),
        TokenError::MissingIdToken => (
            "openid was asked for, and the token response has no ID token: whoever signed in is not known, so nobody is.".into(),
            vec![
                "Check that the client may ask for openid at this server, and that the person consented to it.",
                "Without openid in scope no ID token is asked for.",
            ],
        ),
        TokenError::Network(HttpFailure::Cancelled) => {
            ("Exchanging the code was cancelled.".into(), vec!["Sign in again; the code may be used up."])
        }
        TokenError::Network(failure) => {
            let mut checks = vec![
                "Sign in again. The code was not sent a second time, because the server may have used it already (RFC 6749 §4.1.2).",
            ];
            checks.extend(network_checks(failure));
            (format!("The code was sent, and no usable answer came: {failure}."), checks)
        }
        TokenError::NotJson { .. } => (
            "The token endpoint answered with something that is not JSON.".into(),
            vec!["Check token_endpoint.", "Tell the server's administrator (RFC 6749 §5.1 asks for application/json)."],
        ),
        TokenError::Refused(refusal) => match refusal.code() {
            TokenErrorCode::InvalidGrant => (
                "The server did not accept the code: it is expired or was used already (invalid_grant).".into(),
                vec![
                    "Sign in again: a code lives for minutes and works once.",
                    "If it happens every time, compare the redirect URI below with the registered one, character by character.",
                ],
            ),
            TokenErrorCode::InvalidClient | TokenErrorCode::UnauthorizedClient => (
                format!("The token endpoint does not accept this client ({}).", refusal.error),
                vec![
                    "Register the client as a public one (token endpoint authentication “none”). A page cannot keep a client secret, so it has none.",
                    "Check the client ID below.",
                ],
            ),
            TokenErrorCode::Other(_) => (
                "The token endpoint refused, with a code of its own.".into(),
                vec!["Look the code below up in the server's documentation.", "Sign in again; the code is used up."],
            ),
            _ => (
                format!("The token endpoint refused ({}).", refusal.error),
                vec!["Read the server's words below.", "Sign in again; the code is used up."],
            ),
        },
        TokenError::Status { status } => (
            format!("The token endpoint answered with status {status}, without saying why."),
            vec!["Sign in again; the code may be used up.", "Look into the server's log if it happens again."],
        ),
        TokenError::UnsupportedTokenType { expected: TokenType::Dpop, .. } => bound::not_bound(),
        TokenError::UnsupportedTokenType { .. } => (
            "The token is of a type that this client does not use, so it was thrown away.".into(),
            vec![
                "Register the client for bearer tokens.",
                "If the server wants tokens bound to a key, set dpop to true in config.json.",
            ],
        ),
    }
}

fn resource(error: &ResourceError) -> (String, Vec<&'static str>) {
    match error {
        ResourceError::Header { name } => (
            format!("The header field {name} cannot be sent."),
            vec![
                "Authorization and DPoP are set by this page, Cookie is not sent; other names and values are visible ASCII.",
            ],
        ),
        ResourceError::Method => (
            "This request cannot be sent with this method.".into(),
            vec!["GET and HEAD carry no body; CONNECT, TRACE and TRACK are refused by browsers."],
        ),
        ResourceError::Network(HttpFailure::Cancelled) => {
            ("The request was cancelled.".into(), vec!["Send it again if you want its answer."])
        }
        ResourceError::Network(failure) => {
            let mut checks = network_checks(failure);
            if *failure == HttpFailure::Unreachable {
                checks.insert(1, "Check that the API allows the header Authorization from this origin (CORS preflight), and that it does not redirect: a redirect would carry the token along, so it is not followed.");
            }
            (format!("No usable answer came from the API: {failure}."), checks)
        }
        ResourceError::NonceHidden => bound::nonce_hidden("API"),
        ResourceError::NotAllowed { .. } => (
            "The access token is not sent there: the URL is none of the configured resources.".into(),
            vec!["Add the API under resources in config.json, if the token is meant for it."],
        ),
        ResourceError::SignedOut => ("Nobody is signed in.".into(), vec!["Sign in, then send the request again."]),
        ResourceError::Url(error) => (
            format!("This is no URL for a request: {error}."),
            vec!["Write an absolute URL; characters that are not allowed in one must be percent-encoded."],
        ),
    }
}

fn network_checks(failure: &HttpFailure) -> Vec<&'static str> {
    match failure {
        HttpFailure::BodyTooLarge { .. } => {
            vec!["The answer is larger than this page reads: check that it is the right URL."]
        }
        HttpFailure::Cancelled => vec!["Try again."],
        HttpFailure::NoProof => vec![
            "Sign out and in again: the key that the token is bound to is gone, or the browser does not sign with it.",
        ],
        HttpFailure::Offline => vec!["Connect to the network, then try again."],
        HttpFailure::Timeout { .. } => vec!["The server is slow or hangs: try again, and look into its log."],
        HttpFailure::Unreachable => vec![
            "Check that the server is running and reachable from this browser.",
            "Check that it lets this origin read its answers (CORS). Browsers report a refusal, a redirect and a broken connection all alike, so this page cannot tell which it was; the browser's own console can.",
        ],
        HttpFailure::UrlDisagreement => {
            vec!["The browser reads this URL differently than it is written: write it in its plain form."]
        }
    }
}

/// Things to check that hold values: every problem of a configuration, every URL that gave no metadata.
fn listed(error: &Error) -> Vec<String> {
    match error {
        Error::Configuration(ConfigurationError::Invalid(problems)) => {
            problems.iter().map(ToString::to_string).collect()
        }
        Error::Metadata(MetadataError::Unavailable { attempts }) => {
            attempts.iter().map(|attempt| format!("{} gave: {}", attempt.url, attempt.problem)).collect()
        }
        _ => Vec::new(),
    }
}

/// The values that only this error knows.
fn quoted(error: &Error) -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    match error {
        Error::Metadata(MetadataError::IssuerMismatch { expected, found }) => {
            values.push(("Issuer expected", expected.to_string()));
            values.push(("Issuer in the metadata", found.clone()));
        }
        Error::Metadata(MetadataError::InvalidMember(wrong)) => values.push(("Found", wrong.found.clone())),
        Error::Metadata(MetadataError::PkceUnsupported { methods }) => {
            values.push(("Methods it lists", methods.clone()));
        }
        Error::AuthorizationRequest(AuthorizationRequestError::RedirectUriOrigin { redirect_uri, .. }) => {
            values.push(("Redirect URI", redirect_uri.to_string()));
        }
        Error::AuthorizationRequest(AuthorizationRequestError::SharedRedirectUri { other }) => {
            values.push(("Other server", other.to_string()));
        }
        Error::Callback(CallbackError::WrongRedirectUri { expected, received }) => {
            values.push(("Redirect URI expected", expected.to_string()));
            values.push(("Path received", received.clone()));
        }
        Error::Callback(CallbackError::IssuerMismatch { expected, received }) => {
            values.push(("Issuer expected", expected.to_string()));
            values.push(("Issuer received", received.clone()));
        }
        Error::Callback(CallbackError::Malformed(FormError::Duplicate { name })) => {
            values.push(("Parameter", name.clone()));
        }
        Error::Callback(CallbackError::Refused(refusal)) => {
            values.push(("error", refusal.error.clone()));
            values.extend(refusal.error_description.clone().map(|text| ("error_description", text)));
            values.extend(refusal.error_uri.clone().map(|text| ("error_uri", text)));
        }
        Error::Token(TokenError::Refused(refusal)) => {
            values.push(("Status", refusal.status.to_string()));
            values.push(("error", refusal.error.clone()));
            values.extend(refusal.error_description.clone().map(|text| ("error_description", text)));
            values.extend(refusal.error_uri.clone().map(|text| ("error_uri", text)));
        }
        Error::Token(TokenError::NotJson { media_type }) => values.push(("Media type", media_type.clone())),
        Error::Token(TokenError::UnsupportedTokenType { found, expected }) => {
            values.push(("token_type expected", expected.as_str().to_owned()));
            values.push(("token_type", found.clone()));
        }
        Error::Push(PushError::Refused(refusal)) => {
            values.push(("Status", refusal.status.to_string()));
            values.push(("error", refusal.error.clone()));
            values.extend(refusal.error_description.clone().map(|text| ("error_description", text)));
            values.extend(refusal.error_uri.clone().map(|text| ("error_uri", text)));
        }
        Error::UserInfo(UserInfoError::NotReadable { media_type }) => values.push(("Media type", media_type.clone())),
        Error::IdToken(error) => values.extend(trust::failures(error)),
        Error::Keys(error) => values.push(("Keys", error.to_string())),
        Error::Resource(ResourceError::NotAllowed { url, allowed }) => {
            values.push(("URL", url.clone()));
            values.push(("The token may go to", join(allowed, ", ")));
        }
        _ => {}
    }
    values
}

/// An `error_uri` that may be shown as a link: https and nothing else.
fn more(error: &Error) -> Option<String> {
    let uri = match error {
        Error::Callback(CallbackError::Refused(refusal)) => refusal.error_uri.as_deref()?,
        Error::Token(TokenError::Refused(refusal)) | Error::Push(PushError::Refused(refusal)) => {
            refusal.error_uri.as_deref()?
        }
        _ => return None,
    };
    let url = Url::parse(uri).ok()?;
    url.origin().starts_with("https://").then(|| uri.to_owned())
}
