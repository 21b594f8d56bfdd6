//! The ID token: every check that OpenID Connect asks for, each with what was expected and what was found.
//!
//! In scope: the thirteen checks of OpenID Connect Core §3.1.3.7 in their order, and what RFC 7515, RFC 7519, RFC 8725 and
//! §3.1.3.8 add. The list is always complete: a token that is wrong in three ways shows three failures.
//! Out of scope: computing signatures and hashes, which is an effect; its result is an argument.
//!
//! Rule: only a list without a failure becomes a [`VerifiedIdToken`], and only with one there is an OpenID session. There is
//! no way to leave a check out: the signature is verified although TLS would excuse one who does not (check 6).
//!
//! Source: OpenID Connect Core §2, §3.1.3.7, §3.1.3.8; RFC 7519 §4.1; RFC 8725 §3.11; RFC 9470 §5.

use std::fmt;

use super::algorithm::{self, Algorithm};
use super::base64url;
use super::claims::{Claims, numeric_date};
use super::client::{Authentication, ClientKey};
use super::json::Value;
use super::jws::{Jws, JwsError, Unverifiable, Verdict};
use super::secret::{IdToken, Nonce};
use super::text::{parts, shorten};
use super::time::{Seconds, UnixTime};
use super::url::{SchemePolicy, Url};
use super::vocabulary::server_url;

/// What was asked of the server, that the ID token must answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenRequest {
    /// The value that it must repeat.
    pub nonce: Nonce,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// The algorithms that it may be signed by: those of the metadata that this client has.
    pub algorithms: Vec<Algorithm>,
    /// How the person must have signed in.
    pub authentication: Authentication,
    /// How far the clocks may differ.
    pub clock_tolerance: Seconds,
}

/// Names a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckId {
    /// 1: it is signed and not encrypted.
    Encryption,
    /// 2: the issuer is the one that was asked.
    Issuer,
    /// 3: it is for this client, and for nobody else.
    Audience,
    /// 4: several audiences need an authorized party.
    AuthorizedPartyPresent,
    /// 5: the authorized party is this client.
    AuthorizedParty,
    /// 6: one of the issuer's keys made the signature.
    Signature,
    /// 7: the algorithm is an allowed one.
    Algorithm,
    /// 8: no algorithm that needs a shared secret.
    Mac,
    /// 9: it has not expired.
    Expiry,
    /// 10: it was issued, and not in the future.
    IssuedAt,
    /// 11: it answers this request.
    Nonce,
    /// 12: the authentication context is one that was asked for.
    Acr,
    /// 13: the person signed in recently enough.
    AuthTime,
    /// Who it is about.
    Subject,
    /// It is valid already.
    NotBefore,
    /// It is an ID token and not a token of another kind.
    Type,
    /// It belongs to the access token that came with it.
    AtHash,
}

/// One check, with what was expected and what was found. Secrets are not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// Where it is asked for.
    pub section: &'static str,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Not as it should be: the token is refused.
    Failed,
    /// There was nothing to check.
    NotApplicable,
}

/// An ID token that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedIdToken {
    claims: Claims,
    checks: Vec<Check>,
}

/// An ID token that did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenError {
    checks: Vec<Check>,
}

/// What is known of the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// WebCrypto was asked.
    Asked(Verdict),
    /// Nobody could be asked.
    Unverifiable(Unverifiable),
}

/// The longest `sub` (OpenID Connect Core §2).
const LONGEST_SUB: usize = 255;

impl CheckId {
    /// A stable name, and where the check is asked for.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Encryption => ("id_token.encryption", "OpenID Connect Core §3.1.3.7 (1)"),
            Self::Issuer => ("id_token.iss", "OpenID Connect Core §3.1.3.7 (2)"),
            Self::Audience => ("id_token.aud", "OpenID Connect Core §3.1.3.7 (3)"),
            Self::AuthorizedPartyPresent => ("id_token.azp_missing", "OpenID Connect Core §3.1.3.7 (4)"),
            Self::AuthorizedParty => ("id_token.azp", "OpenID Connect Core §3.1.3.7 (5)"),
            Self::Signature => ("id_token.signature", "OpenID Connect Core §3.1.3.7 (6)"),
            Self::Algorithm => ("id_token.alg", "OpenID Connect Core §3.1.3.7 (7)"),
            Self::Mac => ("id_token.mac", "OpenID Connect Core §3.1.3.7 (8)"),
            Self::Expiry => ("id_token.exp", "OpenID Connect Core §3.1.3.7 (9)"),
            Self::IssuedAt => ("id_token.iat", "OpenID Connect Core §3.1.3.7 (10)"),
            Self::Nonce => ("id_token.nonce", "OpenID Connect Core §3.1.3.7 (11)"),
            Self::Acr => ("id_token.acr", "OpenID Connect Core §3.1.3.7 (12)"),
            Self::AuthTime => ("id_token.auth_time", "OpenID Connect Core §3.1.3.7 (13)"),
            Self::Subject => ("id_token.sub", "OpenID Connect Core §2"),
            Self::NotBefore => ("id_token.nbf", "RFC 7519 §4.1.5"),
            Self::Type => ("id_token.typ", "RFC 8725 §3.11"),
            Self::AtHash => ("id_token.at_hash", "OpenID Connect Core §3.1.3.8"),
        }
    }

    /// The stable error code of a sign-in that failed by it.
    pub fn code(self) -> &'static str {
        self.names().0
    }
}

/// Checks an ID token and says everything that it found.
///
/// `access_token` came in the same answer only if `hash` of the [`Verdict`] is its hash. `now` is the best known time.
///
/// # Errors
/// [`IdTokenError`] with the whole list.
pub fn check_id_token(
    token: &IdToken,
    asked: &IdTokenRequest,
    key: &ClientKey,
    signature: &Signature,
    now: UnixTime,
) -> Result<VerifiedIdToken, IdTokenError> {
    let jws = Jws::parse(token.expose());
    let claims = jws.as_ref().ok().and_then(|jws| Value::parse(jws.payload()).ok());
    let claims = claims.filter(|claims| claims.as_object().is_some());
    let mut list = List { checks: Vec::new(), claims: claims.unwrap_or(Value::Null), now, asked };
    list.check_form(&jws);
    list.check_parties(key);
    list.check_signature(&jws, signature);
    list.check_times();
    list.check_request();
    list.check_the_rest(&jws, signature);
    let List { checks, claims, .. } = list;
    if checks.iter().any(|check| check.outcome == Outcome::Failed) {
        return Err(IdTokenError { checks });
    }
    Ok(VerifiedIdToken { claims: Claims(claims), checks })
}

/// The checks so far, and what they look at.
struct List<'a> {
    checks: Vec<Check>,
    claims: Value,
    now: UnixTime,
    asked: &'a IdTokenRequest,
}

impl List<'_> {
    fn add(&mut self, id: CheckId, outcome: Outcome, expected: &str, found: String) {
        let section = id.names().1;
        self.checks.push(Check { id, section, expected: expected.to_owned(), found, outcome });
    }

    fn expect(&mut self, id: CheckId, is_so: bool, expected: &str, found: String) {
        self.add(id, if is_so { Outcome::Passed } else { Outcome::Failed }, expected, found);
    }

    fn nothing_to_check(&mut self, id: CheckId, why: &str) {
        self.add(id, Outcome::NotApplicable, why, "nothing".to_owned());
    }

    /// A claim as it stands in the token, for people.
    fn shown(&self, name: &str) -> String {
        self.claims.member(name).map_or_else(|| "nothing".to_owned(), |value| shorten(&value.to_text(), 200))
    }

    fn time(&self, name: &str) -> Option<UnixTime> {
        numeric_date(self.claims.member(name)?)
    }

    /// A time claim with its distance from now.
    fn shown_time(&self, name: &str) -> String {
        let Some(time) = self.time(name) else { return self.shown(name) };
        let (distance, how) = if time <= self.now { (self.now.since(time), "ago") } else { (time.since(self.now), "ahead") };
        format!("{} ({} s {how} by the clock here, {})", time.0, distance.0, self.now.0)
    }

    /// 1
    fn check_form(&mut self, jws: &Result<Jws, JwsError>) {
        let found = match jws {
            Err(error) => Some(error.to_string()),
            Ok(_) if self.claims == Value::Null => {
                Some("claims that are no JSON object, or have a member twice".to_owned())
            }
            Ok(_) => None,
        };
        let is_so = found.is_none();
        self.expect(
            CheckId::Encryption,
            is_so,
            "a signed JWT in compact form, not encrypted",
            found.unwrap_or_else(|| "one".to_owned()),
        );
    }

    /// 2 to 5
    fn check_parties(&mut self, key: &ClientKey) {
        let client_id = key.client_id.as_str();
        let issuer = key.issuer.as_str();
        self.expect(CheckId::Issuer, self.claims.text("iss") == Some(issuer), issuer, self.shown("iss"));
        let audiences: Vec<&str> = match self.claims.member("aud") {
            Some(Value::String(audience)) => vec![audience],
            // An audience that is no string is one that is not this client.
            Some(Value::Array(audiences)) => audiences.iter().map(|one| one.as_str().unwrap_or_default()).collect(),
            _ => Vec::new(),
        };
        let is_ours = !audiences.is_empty() && audiences.iter().all(|audience| *audience == client_id);
        let are_several = audiences.len() > 1;
        self.expect(CheckId::Audience, is_ours, client_id, self.shown("aud"));
        let azp = self.claims.text("azp").map(str::to_owned);
        if are_several {
            let expected = "azp, because there are several audiences";
            self.expect(CheckId::AuthorizedPartyPresent, azp.is_some(), expected, self.shown("azp"));
        } else {
            self.nothing_to_check(CheckId::AuthorizedPartyPresent, "azp only with several audiences");
        }
        match self.claims.member("azp") {
            None => self.nothing_to_check(CheckId::AuthorizedParty, "this client, if there is azp"),
            Some(_) => {
                let found = self.shown("azp");
                self.expect(CheckId::AuthorizedParty, azp.as_deref() == Some(client_id), client_id, found);
            }
        }
    }

    /// 6 to 8
    fn check_signature(&mut self, jws: &Result<Jws, JwsError>, signature: &Signature) {
        let found = match signature {
            Signature::Asked(Verdict { signature: Ok(true), .. }) => "one".to_owned(),
            Signature::Asked(Verdict { signature: Ok(false), .. }) => "one that none of its keys made".to_owned(),
            Signature::Asked(Verdict { signature: Err(_), .. }) => {
                "one that this browser cannot check: WebCrypto is not there, or not for this algorithm".to_owned()
            }
            Signature::Unverifiable(reason) => reason.to_string(),
        };
        let is_so = matches!(signature, Signature::Asked(Verdict { signature: Ok(true), .. }));
        self.expect(CheckId::Signature, is_so, "a signature by a key of the issuer", found);

        let named = jws.as_ref().ok().and_then(|jws| jws.header("alg")).unwrap_or_default();
        let algorithm = Algorithm::parse(named);
        let is_so = algorithm.is_some_and(|algorithm| self.asked.algorithms.contains(&algorithm));
        let mut allowed = String::new();
        for (name, algorithm) in algorithm::NAMES {
            if self.asked.algorithms.contains(&algorithm) {
                let separator = if allowed.is_empty() { "" } else { " or " };
                allowed = allowed + separator + name;
            }
        }
        let found = if named.is_empty() { "nothing".to_owned() } else { shorten(named, 40) };
        self.expect(CheckId::Algorithm, is_so, &allowed, found.clone());
        let expected = "no algorithm with a shared secret: a public client has none";
        self.expect(CheckId::Mac, !named.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("HS")), expected, found);
    }

    /// 9 and 10
    fn check_times(&mut self) {
        let Seconds(tolerance) = self.asked.clock_tolerance;
        let is_so = self.time("exp").is_some_and(|exp| exp.plus(Seconds(tolerance)) > self.now);
        self.expect(CheckId::Expiry, is_so, &format!("a time ahead, or at most {tolerance} s ago"), self.shown_time("exp"));
        let is_so = self.time("iat").is_some_and(|iat| iat <= self.now.plus(Seconds(tolerance)));
        let expected = format!("a time that is at most {tolerance} s ahead; otherwise one of the two clocks is wrong");
        self.expect(CheckId::IssuedAt, is_so, &expected, self.shown_time("iat"));
    }

    /// 11 to 13
    fn check_request(&mut self) {
        let nonce = self.claims.text("nonce");
        let is_so = nonce == Some(self.asked.nonce.expose());
        let found = match nonce {
            Some(_) if is_so => "it",
            Some(_) => "another value",
            None => "nothing",
        };
        self.expect(CheckId::Nonce, is_so, "the nonce of this request", found.to_owned());
        match &self.asked.authentication.acr_values {
            None => self.nothing_to_check(CheckId::Acr, "acr, if acr_values were asked for"),
            Some(asked) => {
                let is_so = self.claims.text("acr").is_some_and(|acr| parts(asked, b' ').any(|one| one == acr));
                self.expect(CheckId::Acr, is_so, &format!("one of {asked}"), self.shown("acr"));
            }
        }
        match self.asked.authentication.max_age {
            None => self.nothing_to_check(CheckId::AuthTime, "auth_time, if max_age was asked for"),
            Some(max_age) => {
                let latest = max_age.0.saturating_add(self.asked.clock_tolerance.0);
                let is_so = self.time("auth_time").is_some_and(|time| self.now.since(time).0 <= latest);
                let expected = format!("a time at most {} s ago", max_age.0);
                self.expect(CheckId::AuthTime, is_so, &expected, self.shown_time("auth_time"));
            }
        }
    }

    fn check_the_rest(&mut self, jws: &Result<Jws, JwsError>, signature: &Signature) {
        let is_sub = |sub: &str| !sub.is_empty() && sub.len() <= LONGEST_SUB && sub.is_ascii();
        let is_so = self.claims.text("sub").is_some_and(is_sub);
        self.expect(CheckId::Subject, is_so, "1 to 255 ASCII characters", self.shown("sub"));

        if self.claims.member("nbf").is_none() {
            self.nothing_to_check(CheckId::NotBefore, "a time that has come, if there is nbf");
        } else {
            let latest = self.now.plus(self.asked.clock_tolerance);
            let is_so = self.time("nbf").is_some_and(|nbf| nbf <= latest);
            self.expect(CheckId::NotBefore, is_so, "a time that has come", self.shown_time("nbf"));
        }

        // RFC 7515 §4.1.9: a media type without its "application/", in any casing.
        let typ = jws.as_ref().ok().and_then(|jws| jws.header("typ")).map(str::to_owned);
        let is_so = typ.as_ref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        let found = typ.map_or_else(|| "nothing".to_owned(), |typ| shorten(&typ, 40));
        self.expect(CheckId::Type, is_so, "JWT or nothing", found);

        if self.claims.member("at_hash").is_none() {
            self.nothing_to_check(CheckId::AtHash, "the access token's hash, if there is at_hash");
        } else {
            let hash = match signature {
                Signature::Asked(verdict) => verdict.hash.as_slice(),
                Signature::Unverifiable(_) => &[],
            };
            // OpenID Connect Core §3.1.3.6: the left half of the hash of the access token.
            let expected = base64url::encode(hash.get(..hash.len() / 2).unwrap_or_default());
            let is_so = !hash.is_empty() && self.claims.text("at_hash") == Some(&expected);
            let expected = if hash.is_empty() { "a hash that could not be computed" } else { &expected };
            self.expect(CheckId::AtHash, is_so, expected, self.shown("at_hash"));
        }
    }
}

impl VerifiedIdToken {
    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The checks that it passed; empty if it was verified before the page was loaded anew.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The record of a token that this library verified: its claims.
    pub(super) fn encode(&self) -> Value {
        self.claims.0.clone()
    }

    /// Reads a record back; `None` if it is not about this client's person at this issuer.
    pub(super) fn decode(record: &Value, key: &ClientKey) -> Option<Self> {
        let is_for_us = |audience: &Value| match audience {
            Value::Array(audiences) => audiences.iter().any(|one| one.as_str() == Some(key.client_id.as_str())),
            one => one.as_str() == Some(key.client_id.as_str()),
        };
        let is_ours = record.text("iss") == Some(key.issuer.as_str()) && record.member("aud").is_some_and(is_for_us);
        let has_subject = record.text("sub").is_some_and(|sub| !sub.is_empty());
        (is_ours && has_subject).then(|| Self { claims: Claims(record.clone()), checks: Vec::new() })
    }
}

impl IdTokenError {
    /// Every check, passed or not.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The failures in their order; at least one.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.outcome == Outcome::Failed)
    }

    /// The code of the first failure.
    pub fn code(&self) -> &'static str {
        self.failures().next().map_or("id_token.encryption", |check| check.id.code())
    }
}

impl IdTokenRequest {
    pub(super) fn encode(&self) -> Value {
        let algorithms = algorithm::NAMES.iter().filter(|(_, algorithm)| self.algorithms.contains(algorithm));
        Value::object(vec![
            ("nonce", Some(Value::string(self.nonce.expose()))),
            ("jwks_uri", Some(Value::string(self.jwks_uri.as_str()))),
            ("algorithms", Some(Value::Array(algorithms.map(|(name, _)| Value::string(name)).collect()))),
            ("max_age", self.authentication.max_age.map(|Seconds(max_age)| Value::from(max_age))),
            ("acr_values", self.authentication.acr_values.as_deref().map(Value::string)),
            ("clock_tolerance", Some(Value::from(self.clock_tolerance.0))),
        ])
    }

    pub(super) fn decode(record: &Value, policy: SchemePolicy) -> Option<Self> {
        let seconds = |value: &Value| value.as_whole_number().map(Seconds);
        let algorithms = record.member("algorithms")?.as_array()?.iter();
        Some(Self {
            nonce: Nonce::new(record.text("nonce").filter(|nonce| !nonce.is_empty())?),
            jwks_uri: server_url(record.text("jwks_uri")?, policy).ok()?,
            algorithms: algorithms.map(|name| Algorithm::parse(name.as_str()?)).collect::<Option<_>>()?,
            authentication: Authentication {
                max_age: match record.member("max_age") {
                    None => None,
                    Some(max_age) => Some(seconds(max_age)?),
                },
                acr_values: match record.member("acr_values") {
                    None => None,
                    Some(acr_values) => Some(acr_values.as_str()?.to_owned()),
                },
            },
            clock_tolerance: seconds(record.member("clock_tolerance")?)?,
        })
    }
}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ID token is refused: ")?;
        for (index, check) in self.failures().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{} expected, {} found ({})", check.expected, check.found, check.section)?;
        }
        Ok(())
    }
}
