//! The ID token: every check that OpenID Connect asks for, each with what was expected and what was found.
//!
//! In scope: the thirteen checks of OpenID Connect Core §3.1.3.7 in their order, and what RFC 7515, RFC 7519, RFC 8725 and
//! §3.1.3.8 add. The list is always complete: a token that is wrong in three ways shows three failures.
//! Out of scope: computing signatures and hashes, which is an effect; its result is an argument.
//!
//! Rule: only a list without a failure becomes a [`VerifiedIdToken`], and only with one there is an OpenID session. There is
//! no way to leave a check out: the signature is verified although TLS would excuse one who does not (check 6). The one
//! exception: the record that this library wrote of a verified token is believed when the page is loaded anew, if it is about
//! this client and issuer. Who can write this tab's sessionStorage can run script in this page, and needs no token.
//!
//! One that comes with renewed tokens is held to the same checks, and to the one before it (§12.2).
//!
//! Source: OpenID Connect Core §2, §3.1.3.7, §3.1.3.8, §12.2; RFC 7519 §4.1; RFC 8725 §3.11; RFC 9470 §5.

use std::fmt;
use std::sync::Arc;

use super::algorithm::{self, Algorithm};
use super::base64url;
use super::claims::{Claims, numeric_date};
use super::client::{Authentication, ClientKey, MOST_CLOCK_TOLERANCE};
use super::clock::ClockDifference;
use super::json::{Members, Value};
use super::jws::{Jws, JwsError, Unverifiable, Verdict};
use super::pkce::CodeChallenge;
use super::quirks;
use super::secret::{CodeVerifier, IdToken, Nonce};
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
#[derive(Clone)]
pub struct VerifiedIdToken {
    claims: Claims,
    /// `None` for one that was verified before the page was loaded anew.
    examined: Option<Arc<Examined>>,
}

/// An ID token that did not.
#[derive(Clone)]
pub struct IdTokenError {
    failed: Vec<CheckId>,
    examined: Arc<Examined>,
}

/// A token beside everything that its checks look at.
struct Examined {
    jws: Result<Jws, JwsError>,
    /// `null` if they cannot be read.
    claims: Value,
    asked: IdTokenRequest,
    key: ClientKey,
    /// The claims of the one before it, if it came with renewed tokens.
    before: Option<Claims>,
    signature: Signature,
    /// The best known time at the issuer.
    now: UnixTime,
    /// The time by the clock here.
    here: UnixTime,
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
    /// The stable error code of a sign-in that failed by it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Encryption => "id_token.encryption",
            Self::Issuer => "id_token.iss",
            Self::Audience => "id_token.aud",
            Self::AuthorizedPartyPresent => "id_token.azp_missing",
            Self::AuthorizedParty => "id_token.azp",
            Self::Signature => "id_token.signature",
            Self::Algorithm => "id_token.alg",
            Self::Mac => "id_token.mac",
            Self::Expiry => "id_token.exp",
            Self::IssuedAt => "id_token.iat",
            Self::Nonce => "id_token.nonce",
            Self::Acr => "id_token.acr",
            Self::AuthTime => "id_token.auth_time",
            Self::Subject => "id_token.sub",
            Self::NotBefore => "id_token.nbf",
            Self::Type => "id_token.typ",
            Self::AtHash => "id_token.at_hash",
        }
    }

    /// Where it is asked for.
    pub fn section(self) -> &'static str {
        match self {
            Self::Encryption => "OpenID Connect Core §3.1.3.7 (1)",
            Self::Issuer => "OpenID Connect Core §3.1.3.7 (2)",
            Self::Audience => "OpenID Connect Core §3.1.3.7 (3)",
            Self::AuthorizedPartyPresent => "OpenID Connect Core §3.1.3.7 (4)",
            Self::AuthorizedParty => "OpenID Connect Core §3.1.3.7 (5)",
            Self::Signature => "OpenID Connect Core §3.1.3.7 (6)",
            Self::Algorithm => "OpenID Connect Core §3.1.3.7 (7)",
            Self::Mac => "OpenID Connect Core §3.1.3.7 (8)",
            Self::Expiry => "OpenID Connect Core §3.1.3.7 (9)",
            Self::IssuedAt => "OpenID Connect Core §3.1.3.7 (10)",
            Self::Nonce => "OpenID Connect Core §3.1.3.7 (11)",
            Self::Acr => "OpenID Connect Core §3.1.3.7 (12)",
            Self::AuthTime => "OpenID Connect Core §3.1.3.7 (13)",
            Self::Subject => "OpenID Connect Core §2",
            Self::NotBefore => "RFC 7519 §4.1.5",
            Self::Type => "RFC 8725 §3.11",
            Self::AtHash => "OpenID Connect Core §3.1.3.8",
        }
    }
}

/// Every check in its order: the thirteen of OpenID Connect Core §3.1.3.7, and what other sections ask for.
pub const CHECKS: [CheckId; 17] = [
    CheckId::Encryption,
    CheckId::Issuer,
    CheckId::Audience,
    CheckId::AuthorizedPartyPresent,
    CheckId::AuthorizedParty,
    CheckId::Signature,
    CheckId::Algorithm,
    CheckId::Mac,
    CheckId::Expiry,
    CheckId::IssuedAt,
    CheckId::Nonce,
    CheckId::Acr,
    CheckId::AuthTime,
    CheckId::Subject,
    CheckId::NotBefore,
    CheckId::Type,
    CheckId::AtHash,
];

/// Checks an ID token.
///
/// `before` are the claims of the session that it renews: it must be about the same person and the same sign-in (OpenID
/// Connect Core §12.2). `here` is the time by the clock here, and `clock` how far the issuer's is from it, as far as that is
/// known.
///
/// # Errors
/// [`IdTokenError`], which knows what became of every check.
pub fn check_id_token(
    token: &IdToken,
    asked: &IdTokenRequest,
    key: &ClientKey,
    before: Option<&Claims>,
    signature: Signature,
    here: UnixTime,
    clock: ClockDifference,
) -> Result<VerifiedIdToken, IdTokenError> {
    let before = before.cloned();
    let jws = Jws::parse(token.expose());
    let claims = jws.as_ref().ok().and_then(|jws| Value::parse(jws.payload()).ok());
    let claims = claims.filter(|claims| claims.as_object().is_some()).unwrap_or(Value::Null);
    let now = clock.applied(here);
    let examined = Examined { jws, claims, asked: asked.clone(), key: key.clone(), before, signature, now, here };
    let has_failed = |id: &CheckId| examined.outcome(*id) == Outcome::Failed;
    let failed: Vec<CheckId> = CHECKS.into_iter().filter(has_failed).collect();
    let examined = Arc::new(examined);
    if failed.is_empty() {
        Ok(VerifiedIdToken { claims: without_nonce(&examined.claims), examined: Some(examined) })
    } else {
        Err(IdTokenError { failed, examined })
    }
}

/// A value as it stands in the token.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => shorten(text, 200),
        Some(other) => shorten(&other.to_text(), 200),
    }
}

/// The audiences; none if they are neither a string nor an array.
fn audiences(claims: &Value) -> &[Value] {
    match claims.member("aud") {
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        Some(Value::Array(audiences)) => audiences,
        _ => &[],
    }
}

/// Whether there are audiences, and all are this client.
fn is_for(claims: &Value, client_id: &str) -> bool {
    let audiences = audiences(claims);
    !audiences.is_empty() && audiences.iter().all(|audience| audience.as_str() == Some(client_id))
}

/// The claims about the person: the nonce was a secret between this page and the server, and has done its work.
fn without_nonce(claims: &Value) -> Claims {
    let mut members = claims.as_object().unwrap_or_default().to_vec();
    members.retain(|(name, _)| name != "nonce");
    Claims(Value::Object(members))
}

impl Examined {
    /// The decision. What [`Examined::check`] says about it in words is another matter: an app that shows no words does not
    /// carry them.
    fn outcome(&self, id: CheckId) -> Outcome {
        if let Some(outcome) = self.before.as_ref().and_then(|before| self.continued(id, before)) {
            return outcome;
        }
        let Seconds(tolerance) = self.asked.clock_tolerance;
        let latest = self.now.plus(self.asked.clock_tolerance);
        let client_id = self.key.client_id.as_str();
        let is_so = match id {
            CheckId::Encryption => !matches!(self.claims, Value::Null),
            CheckId::Issuer => {
                let expected = quirks::expected_iss(&self.key.issuer, &self.claims);
                expected.is_some() && self.claims.text("iss") == expected.as_deref()
            }
            CheckId::Audience => is_for(&self.claims, client_id),
            CheckId::AuthorizedPartyPresent if audiences(&self.claims).len() < 2 => return Outcome::NotApplicable,
            CheckId::AuthorizedPartyPresent => self.claims.member("azp").is_some(),
            CheckId::AuthorizedParty if self.claims.member("azp").is_none() => return Outcome::NotApplicable,
            CheckId::AuthorizedParty => self.claims.text("azp") == Some(client_id),
            CheckId::Signature => matches!(self.signature, Signature::Asked(Verdict { signature: Ok(true), .. })),
            CheckId::Algorithm => {
                let algorithm = Algorithm::parse(self.header("alg"));
                algorithm.is_some_and(|algorithm| self.asked.algorithms.contains(&algorithm))
            }
            // There is no header to look at.
            CheckId::Mac | CheckId::Type if self.jws.is_err() => return Outcome::NotApplicable,
            CheckId::Mac => !self.header("alg").get(..2).is_some_and(|start| start.eq_ignore_ascii_case("HS")),
            CheckId::Expiry => self.time("exp").is_some_and(|exp| exp.plus(Seconds(tolerance)) > self.now),
            CheckId::IssuedAt => self.time("iat").is_some_and(|iat| iat <= latest),
            CheckId::Nonce => self.claims.text("nonce") == Some(self.asked.nonce.expose()),
            CheckId::Acr => match &self.asked.authentication.acr_values {
                None => return Outcome::NotApplicable,
                Some(asked) => self.claims.text("acr").is_some_and(|acr| parts(asked, b' ').any(|one| one == acr)),
            },
            CheckId::AuthTime => match self.asked.authentication.max_age {
                None => return Outcome::NotApplicable,
                Some(Seconds(max_age)) => {
                    let longest = max_age.saturating_add(tolerance);
                    self.time("auth_time").is_some_and(|time| time <= latest && self.now.since(time).0 <= longest)
                }
            },
            CheckId::Subject => {
                let is_sub = |sub: &str| !sub.is_empty() && sub.len() <= LONGEST_SUB && sub.is_ascii();
                self.claims.text("sub").is_some_and(is_sub)
            }
            CheckId::NotBefore if self.claims.member("nbf").is_none() => return Outcome::NotApplicable,
            CheckId::NotBefore => self.time("nbf").is_some_and(|nbf| nbf <= latest),
            CheckId::Type => self.jws.as_ref().is_ok_and(Jws::is_plain_jwt),
            // Nobody was asked to hash anything where nobody could be asked about the signature, which fails then.
            CheckId::AtHash
                if self.claims.member("at_hash").is_none() || matches!(self.signature, Signature::Unverifiable(_)) =>
            {
                return Outcome::NotApplicable;
            }
            CheckId::AtHash => !self.hash().is_empty() && self.claims.text("at_hash") == Some(&self.at_hash()),
        };
        if is_so { Outcome::Passed } else { Outcome::Failed }
    }

    /// What another measure is for where tokens were renewed (OpenID Connect Core §12.2): the same person, who signed in at
    /// the same time, however long ago that is by now.
    fn continued(&self, id: CheckId, before: &Claims) -> Option<Outcome> {
        let is_so = match id {
            // Of several tenants' issuers it is the one of before; whether that is right is looked at too.
            CheckId::Issuer if self.claims.text("iss") == before.0.text("iss") => return None,
            CheckId::Issuer => false,
            // It answers no request of its own: some servers repeat the nonce of the first one, most have none.
            CheckId::Nonce if self.claims.member("nonce").is_none() => return Some(Outcome::NotApplicable),
            CheckId::Nonce => {
                self.claims.text("nonce").is_some_and(|nonce| hashed(&Nonce::new(nonce)) == self.asked.nonce)
            }
            CheckId::Acr => return Some(Outcome::NotApplicable),
            CheckId::AuthTime => match (before.0.member("auth_time"), self.claims.member("auth_time")) {
                (Some(before), Some(now)) => before == now,
                _ => return Some(Outcome::NotApplicable),
            },
            CheckId::Subject => self.claims.text("sub") == Some(before.sub()),
            _ => return None,
        };
        Some(if is_so { Outcome::Passed } else { Outcome::Failed })
    }

    fn header(&self, name: &str) -> &str {
        self.jws.as_ref().ok().and_then(|jws| jws.header(name)).unwrap_or_default()
    }

    fn time(&self, name: &str) -> Option<UnixTime> {
        numeric_date(self.claims.member(name)?)
    }

    /// The hash of the access token; empty if it could not be computed.
    fn hash(&self) -> &[u8] {
        match &self.signature {
            Signature::Asked(verdict) => &verdict.hash,
            Signature::Unverifiable(_) => &[],
        }
    }

    /// OpenID Connect Core §3.1.3.6: the left half of the hash of the access token.
    fn at_hash(&self) -> String {
        base64url::encode(self.hash().get(..self.hash().len() / 2).unwrap_or_default())
    }

    // In words

    fn check(&self, id: CheckId) -> Check {
        let outcome = self.outcome(id);
        let [expected, found] = match outcome {
            Outcome::NotApplicable => [self.not_applicable(id).to_owned(), "nothing".to_owned()],
            Outcome::Passed | Outcome::Failed => [self.expected(id), self.found(id)],
        };
        Check { id, section: id.section(), expected, found, outcome }
    }

    fn not_applicable(&self, id: CheckId) -> &'static str {
        match id {
            CheckId::Nonce => "the nonce of the first request, where there is one",
            CheckId::Acr if self.before.is_some() => "what was asked for at sign-in, which is past",
            CheckId::AuthTime if self.before.is_some() => "the same as before, where both have it",
            CheckId::AuthorizedPartyPresent => "azp, where there are several audiences",
            CheckId::AuthorizedParty => "this client, where there is azp",
            CheckId::Acr => "acr, where acr_values were asked for",
            CheckId::AuthTime => "auth_time, where max_age was asked for",
            CheckId::NotBefore => "a time that has come, where there is nbf",
            CheckId::Mac | CheckId::Type => "the header, where the token can be taken apart",
            _ if self.claims.member("at_hash").is_some() => {
                "the access token's hash, where the signature can be checked"
            }
            _ => "the access token's hash, where there is at_hash",
        }
    }

    fn expected(&self, id: CheckId) -> String {
        let Seconds(tolerance) = self.asked.clock_tolerance;
        let words = match id {
            CheckId::Encryption => "a signed JWT in compact form, not encrypted",
            CheckId::Issuer => {
                let before = self.before.as_ref().and_then(|before| before.0.text("iss")).map(str::to_owned);
                let expected = before.or_else(|| quirks::expected_iss(&self.key.issuer, &self.claims));
                return expected.unwrap_or_else(|| "the issuer of a tenant, which tid names".to_owned());
            }
            CheckId::Audience | CheckId::AuthorizedParty => self.key.client_id.as_str(),
            CheckId::AuthorizedPartyPresent => "azp, because there are several audiences",
            CheckId::Signature => "a signature by a key of the issuer",
            CheckId::Algorithm => return self.allowed_algorithms(),
            CheckId::Mac => "no algorithm with a shared secret: a public client has none",
            CheckId::Expiry => return format!("a time ahead, or less than {tolerance} s ago"),
            CheckId::IssuedAt => {
                return format!("a time at most {tolerance} s ahead; otherwise one of the two clocks is wrong");
            }
            CheckId::Nonce => "the nonce of this request",
            CheckId::Acr => {
                let asked = self.asked.authentication.acr_values.as_deref();
                return format!("one of {}", asked.unwrap_or_default());
            }
            CheckId::AuthTime if self.before.is_some() => "the same as before",
            CheckId::AuthTime => {
                let max_age = self.asked.authentication.max_age.map_or(0, |Seconds(max_age)| max_age);
                return format!("a time at most {max_age} s ago");
            }
            CheckId::Subject if self.before.is_some() => "the person of this session",
            CheckId::Subject => "1 to 255 ASCII characters",
            CheckId::NotBefore => "a time that has come",
            CheckId::Type => "JWT or nothing",
            CheckId::AtHash if self.hash().is_empty() => "a hash that could not be computed",
            CheckId::AtHash => return self.at_hash(),
        };
        words.to_owned()
    }

    fn found(&self, id: CheckId) -> String {
        let words = match id {
            CheckId::Encryption => match &self.jws {
                Err(error) => return error.to_string(),
                Ok(_) if matches!(self.claims, Value::Null) => "claims that are no JSON object, or have a member twice",
                Ok(_) => "one",
            },
            CheckId::Issuer => return self.shown("iss"),
            CheckId::Audience => return self.shown("aud"),
            CheckId::AuthorizedPartyPresent | CheckId::AuthorizedParty => return self.shown("azp"),
            CheckId::Signature => match &self.signature {
                Signature::Asked(Verdict { signature: Ok(true), .. }) => "one",
                Signature::Asked(Verdict { signature: Ok(false), .. }) => "one that none of its keys made",
                Signature::Asked(_) => {
                    "one that this browser cannot check: WebCrypto is not there, or not for this algorithm"
                }
                Signature::Unverifiable(reason) => return reason.to_string(),
            },
            CheckId::Algorithm | CheckId::Mac | CheckId::Type => {
                let name = if id == CheckId::Type { "typ" } else { "alg" };
                let member = self.jws.as_ref().ok().and_then(|jws| jws.header_member(name));
                return shown(member);
            }
            CheckId::Expiry => return self.shown_time("exp"),
            CheckId::IssuedAt => return self.shown_time("iat"),
            CheckId::NotBefore => return self.shown_time("nbf"),
            CheckId::AuthTime => return self.shown_time("auth_time"),
            CheckId::Nonce if self.claims.member("nonce").is_none() => "nothing",
            CheckId::Nonce if self.outcome(id) == Outcome::Passed => "it",
            CheckId::Nonce => "another value",
            CheckId::Acr => return self.shown("acr"),
            CheckId::Subject => return self.shown("sub"),
            CheckId::AtHash => return self.shown("at_hash"),
        };
        words.to_owned()
    }

    /// A claim as it stands in the token.
    fn shown(&self, name: &str) -> String {
        shown(self.claims.member(name))
    }

    /// A time claim with its distance from now.
    fn shown_time(&self, name: &str) -> String {
        let Some(time) = self.time(name) else { return self.shown(name) };
        let is_past = time <= self.now;
        let Seconds(distance) = if is_past { self.now.since(time) } else { time.since(self.now) };
        let how = if is_past { "ago" } else { "ahead" };
        let here = self.here.0.to_string();
        let clock = if self.now == self.here {
            ["the clock here, ", &here].concat()
        } else {
            ["the server's clock, ", &self.now.0.to_string(), "; the one here says ", &here].concat()
        };
        format!("{} ({distance} s {how} by {clock})", time.0)
    }

    fn allowed_algorithms(&self) -> String {
        let is_allowed = |(_, algorithm): &&(&str, Algorithm)| self.asked.algorithms.contains(algorithm);
        let names: Vec<&str> = algorithm::NAMES.iter().filter(is_allowed).map(|(name, _)| *name).collect();
        names.join(" or ")
    }
}

impl VerifiedIdToken {
    /// The claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The checks that it passed, in words; empty if it was verified before the page was loaded anew.
    pub fn checks(&self) -> Vec<Check> {
        let Some(examined) = &self.examined else { return Vec::new() };
        CHECKS.into_iter().map(|id| examined.check(id)).collect()
    }

    /// The record of a token that this library verified: its claims.
    pub(super) fn encode(&self) -> Value {
        self.claims.encode()
    }

    /// Reads a record back; `None` if it is not about this client's person at this issuer.
    pub(super) fn decode(record: &Value, key: &ClientKey) -> Option<Self> {
        let claims = Claims::decode(record)?;
        let expected = quirks::expected_iss(&key.issuer, &claims.0)?;
        let is_issuers = claims.0.text("iss") == Some(&expected);
        let is_ours = is_issuers && is_for(&claims.0, key.client_id.as_str()) && !claims.sub().is_empty();
        is_ours.then_some(Self { claims, examined: None })
    }
}

impl IdTokenError {
    /// Every check in words, passed or not.
    pub fn checks(&self) -> Vec<Check> {
        CHECKS.into_iter().map(|id| self.examined.check(id)).collect()
    }

    /// The checks that failed, in their order; at least one.
    pub fn failed(&self) -> &[CheckId] {
        &self.failed
    }

    /// Whether nothing is wrong with it but its times, by the clock here.
    pub(super) fn is_about_time(&self) -> bool {
        self.failed.iter().all(|id| matches!(id, CheckId::Expiry | CheckId::IssuedAt | CheckId::NotBefore))
    }

    /// The one that says most: the first that failed, but of a signature that could not be checked because of its
    /// algorithm, the algorithm.
    pub fn primary(&self) -> CheckId {
        match self.failed.first() {
            Some(CheckId::Signature) if self.failed.contains(&CheckId::Algorithm) => CheckId::Algorithm,
            first => first.copied().unwrap_or(CheckId::Encryption),
        }
    }

    /// The code of that one.
    pub fn code(&self) -> &'static str {
        self.primary().code()
    }
}

/// A nonce that is only to be recognised.
fn hashed(nonce: &Nonce) -> Nonce {
    Nonce::new(CodeChallenge::s256(&CodeVerifier::new(nonce.expose())).as_str())
}

impl IdTokenRequest {
    /// The same for a session: its nonce has done its work, and is kept as a hash for servers that repeat it (OpenID Connect Core
    /// §12.2).
    pub(super) fn answered(&self) -> Self {
        Self { nonce: hashed(&self.nonce), ..self.clone() }
    }

    pub(super) fn encode(&self) -> Value {
        let algorithms = self.algorithms.iter().map(|algorithm| Value::string(algorithm.as_str()));
        let mut record = Members::default();
        record.text("nonce", Some(self.nonce.expose()));
        record.text("jwks_uri", Some(self.jwks_uri.as_str()));
        record.value("algorithms", Some(Value::Array(algorithms.collect())));
        record.number("max_age", self.authentication.max_age.map(|max_age| max_age.0));
        record.text("acr_values", self.authentication.acr_values.as_deref());
        record.number("clock_tolerance", Some(self.clock_tolerance.0));
        record.finish()
    }

    pub(super) fn decode(record: &Value, policy: SchemePolicy) -> Option<Self> {
        let nonce = record.text("nonce").filter(|nonce| !nonce.is_empty())?;
        let max_age = record.optional_number("max_age")?.map(Seconds);
        let acr_values = record.optional_text("acr_values")?;
        let clock_tolerance = record.number("clock_tolerance").filter(|seconds| *seconds <= MOST_CLOCK_TOLERANCE)?;
        let algorithms = record.member("algorithms")?.as_array()?.iter();
        let algorithms = algorithms.map(|name| Algorithm::parse(name.as_str()?)).collect::<Option<_>>()?;
        Some(Self {
            jwks_uri: server_url(record.text("jwks_uri")?, policy).ok()?,
            nonce: Nonce::new(nonce),
            algorithms,
            authentication: Authentication { max_age, acr_values: acr_values.map(str::to_owned) },
            clock_tolerance: Seconds(clock_tolerance),
        })
    }
}

// Two are alike if they say the same; what else was found is nobody's business in a comparison, or in a log.

impl PartialEq for VerifiedIdToken {
    fn eq(&self, other: &Self) -> bool {
        self.claims == other.claims
    }
}

impl Eq for VerifiedIdToken {}

impl fmt::Debug for VerifiedIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedIdToken([redacted])")
    }
}

impl PartialEq for IdTokenError {
    fn eq(&self, other: &Self) -> bool {
        self.failed == other.failed
    }
}

impl Eq for IdTokenError {}

impl fmt::Debug for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdTokenError({:?})", self.failed)
    }
}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ID token failed its checks:")?;
        for id in &self.failed {
            f.write_str(" ")?;
            f.write_str(id.code())?;
        }
        Ok(())
    }
}
