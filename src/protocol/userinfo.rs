//! The user info endpoint: more claims about the person who is signed in.
//!
//! Rule: the answer counts only if it is about the person of the ID token (`sub`), because a token substituted on its way
//! would bring somebody else's. A signed answer is verified like an ID token, and is for this client at this issuer, of no
//! other kind, and of this time, where it says so.
//!
//! Source: OpenID Connect Core §5.3.1, §5.3.2, §5.3.4; RFC 7519 §4.1.4, §4.1.5; RFC 8725 §3.11.

use std::fmt;

use super::claims::{Claims, numeric_date};
use super::client::ClientKey;
use super::http::{HttpFailure, HttpRequest, HttpResponse, Limits};
use super::json::Value;
use super::jws::Jws;
use super::secret::AccessToken;
use super::text::shorten;
use super::time::{Seconds, UnixTime};
use super::url::Url;

/// Why there are no claims from the user info endpoint.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserInfoError {
    /// The answer is signed, and its time has passed, or has not come.
    Expired,
    /// The answer is signed for another client, or by another issuer.
    Foreign,
    /// The answer says that it is JSON or a signed JWT, and cannot be read as such, or is a token of another kind.
    Malformed,
    /// The metadata has no `userinfo_endpoint`.
    NoEndpoint,
    /// No OpenID session: there is nobody to compare the answer with.
    NoIdToken,
    /// No whole answer.
    Network(HttpFailure),
    /// The media type is neither JSON nor a signed JWT.
    NotReadable {
        /// The media type.
        media_type: String,
    },
    /// The signature was not made by a key of the issuer, or could not be checked.
    Signature,
    /// A status other than 200.
    Status {
        /// The status.
        status: u16,
    },
    /// The answer is about somebody else, or does not say about whom; all of it was dropped.
    SubMismatch,
}

/// What came.
pub enum UserInfoAnswer {
    /// Claims that TLS alone vouches for.
    Plain(Value),
    /// A signed document.
    Signed(Jws),
}

/// Bounds of the answer: 15 s, 256 KiB.
const LIMITS: Limits = Limits { deadline: Seconds(15), body: 256 * 1024 };

/// The request for claims; the token goes into the header and nowhere else.
pub fn userinfo_request(endpoint: Url, access_token: AccessToken) -> HttpRequest {
    let request = HttpRequest::get(endpoint, "application/json, application/jwt", LIMITS);
    HttpRequest { bearer: Some(access_token), ..request }
}

/// Reads an answer, without believing it.
///
/// # Errors
/// [`UserInfoError`].
pub fn read_userinfo(outcome: Result<HttpResponse, HttpFailure>) -> Result<UserInfoAnswer, UserInfoError> {
    let response = outcome.map_err(UserInfoError::Network)?;
    if response.status != 200 {
        return Err(UserInfoError::Status { status: response.status });
    }
    if response.is_json() {
        let claims = Value::parse(&response.body).ok().filter(|claims| claims.as_object().is_some());
        return claims.map(UserInfoAnswer::Plain).ok_or(UserInfoError::Malformed);
    }
    match response.media_type().unwrap_or_default() {
        media_type if media_type == "application/jwt" => {
            let text = std::str::from_utf8(&response.body).unwrap_or_default();
            Jws::parse(text.trim_ascii()).map(UserInfoAnswer::Signed).map_err(|_| UserInfoError::Malformed)
        }
        media_type => Err(UserInfoError::NotReadable { media_type: shorten(&media_type, 100) }),
    }
}

/// Checks what a signed answer says of itself: its kind and its time.
///
/// `now` is the best known time at the issuer, from which clocks may differ by `tolerance`.
///
/// # Errors
/// [`UserInfoError::Malformed`] and [`UserInfoError::Expired`].
pub fn check_signed(jws: &Jws, claims: &Value, now: UnixTime, tolerance: Seconds) -> Result<(), UserInfoError> {
    if !jws.is_plain_jwt() {
        return Err(UserInfoError::Malformed);
    }
    let has_passed = |exp: UnixTime| exp.plus(tolerance) <= now;
    let is_to_come = |nbf: UnixTime| nbf > now.plus(tolerance);
    // What is no time is not one that fits.
    let is_over = claims.member("exp").is_some_and(|exp| numeric_date(exp).is_none_or(has_passed));
    let is_early = claims.member("nbf").is_some_and(|nbf| numeric_date(nbf).is_none_or(is_to_come));
    if is_over || is_early { Err(UserInfoError::Expired) } else { Ok(()) }
}

/// Checks claims against who is signed in.
///
/// `signed_for` is whose the answer must say it is, if it came signed.
///
/// # Errors
/// [`UserInfoError::Foreign`] and [`UserInfoError::SubMismatch`].
pub fn check_userinfo(claims: Value, sub: &str, signed_for: Option<&ClientKey>) -> Result<Claims, UserInfoError> {
    if let Some(key) = signed_for {
        let client_id = Some(key.client_id.as_str());
        let is_for_us = match claims.member("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience.as_str() == client_id),
            audience => audience.and_then(Value::as_str) == client_id,
        };
        if claims.text("iss") != Some(key.issuer.as_str()) || !is_for_us {
            return Err(UserInfoError::Foreign);
        }
    }
    // OpenID Connect Core §5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim
    // in the ID Token; if they do not match, the UserInfo Response values MUST NOT be used."
    if claims.text("sub") != Some(sub) {
        return Err(UserInfoError::SubMismatch);
    }
    Ok(Claims(claims))
}

impl fmt::Display for UserInfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the user info is signed for another time",
            Self::Foreign => "the user info is signed for another client or by another issuer",
            Self::Malformed => "the user info cannot be read",
            Self::NoEndpoint => "the metadata has no userinfo_endpoint",
            Self::NoIdToken => "without an ID token there is nobody to compare the user info with",
            Self::Network(failure) => return write!(f, "no user info: {failure}"),
            Self::NotReadable { media_type } => return write!(f, "the user info is {media_type}"),
            Self::Signature => "the signature of the user info is by no key of the issuer",
            Self::Status { status } => return write!(f, "the user info endpoint answered with status {status}"),
            Self::SubMismatch => "the user info is not about the person who is signed in",
        })
    }
}
