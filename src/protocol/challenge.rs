//! Challenges: what a resource server says in `WWW-Authenticate` when it refuses a token.
//!
//! In scope: the grammar of the field, and what the challenges for access tokens mean.
//! Out of scope: what is done about it. `resource_metadata` is handed on as text: whoever fetches it checks it.
//!
//! Rule: reading is total and bounded. What cannot be read ends the list, and what was read before it counts. CORS
//! hides the field unless the server exposes it, so its absence says nothing: then the status decides.
//!
//! Source: RFC 9110 §5.6, §11.2, §11.3, §11.6.1; RFC 6750 §3, §3.1; RFC 9449 §7.1, §9; RFC 9470 §3; RFC 9728 §5.1.

use super::http::HttpResponse;
use super::json::Value;
use super::text::{parts, shorten};
use super::time::Seconds;
use super::vocabulary::Scope;

/// One challenge as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The authentication scheme in lower case, e.g. `bearer`.
    pub scheme: String,
    /// What some schemes send in place of parameters.
    pub token68: Option<String>,
    /// Names in lower case, each once, and values without their quotation marks.
    pub parameters: Vec<(String, String)>,
}

/// Why an API refused a request that carried a token, or should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The status it came with: 400, 401 or 403.
    pub status: u16,
    /// What the server says is wrong.
    pub reason: Reason,
    /// Where that was read.
    pub source: Source,
    /// For developers, untrusted text; at most 500 characters are kept.
    pub description: Option<String>,
    /// The kinds of token that the server asks for, in its order; empty if it names none of these.
    pub schemes: Vec<TokenScheme>,
    /// Where the API's metadata is, as the server says (RFC 9728 §5.1); an unchecked text.
    pub resource_metadata: Option<String>,
}

/// What is wrong with a request, or with its token.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A challenge without `error`: no token was there, or the server says no more (RFC 6750 §3.1).
    Bare,
    /// No challenge can be read, and the body names no error: all that is known is the status.
    Hidden,
    /// The token does not cover this request (RFC 6750 §3.1); a renewed one would not either.
    InsufficientScope {
        /// What would cover it, if the server says.
        scope: Option<Scope>,
    },
    /// The DPoP proof is wrong (RFC 9449 §7.1).
    InvalidDpopProof,
    /// The request is malformed (RFC 6750 §3.1).
    InvalidRequest,
    /// The token is expired, revoked, malformed, or not for this API (RFC 6750 §3.1).
    InvalidToken,
    /// An error that this library does not know; at most 100 characters are kept.
    Other {
        /// The code.
        error: String,
    },
    /// The person must sign in again, in another way or just now (RFC 9470 §3).
    StepUp(StepUp),
    /// The DPoP proof needs a nonce of this server (RFC 9449 §9).
    UseDpopNonce,
}

/// The sign-in that an API asks for (RFC 9470 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// Authentication context classes, the preferred one first; empty if the server names none.
    pub acr_values: Vec<String>,
    /// How long ago the sign-in may be; `None` if the server does not say, or not in whole seconds.
    pub max_age: Option<Seconds>,
    /// The scope to ask for along with it.
    pub scope: Option<Scope>,
}

/// Where a reason was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A challenge.
    Challenge,
    /// A JSON body beside a hidden challenge: a hint, because no specification says what stands there.
    Body,
    /// Only the status.
    Status,
}

/// A scheme that carries access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenScheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449.
    Dpop,
}

/// The longest field read, in octets.
const LONGEST: usize = 8 * 1024;

/// The most challenges read, and the most parameters of one.
const MOST: usize = 32;

/// Reads the value of a `WWW-Authenticate` field, or of several that the browser joined.
///
/// Tolerated: empty list elements, as RFC 9110 §5.6.1.2 demands, and a line feed in the place of the comma between two
/// fields, as browsers have joined them (web-platform-tests/wpt#13006).
///
/// The list ends at what the grammar does not allow: a parameter that is cut short, unquoted where it must be quoted,
/// or not followed by a comma; a parameter of no scheme, or beside a token68; the 33rd challenge, and the 33rd
/// parameter of one. What was read before is kept, a challenge with the parameters read so far. A challenge with a
/// parameter twice is left out (RFC 9110 §11.2: it may be there once), and a value longer than 8 KiB is not read at
/// all.
pub fn parse(value: &str) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    if value.len() <= LONGEST {
        // Where it ended is of no interest.
        let _ = Reader { text: value, at: 0 }.list(&mut challenges);
    }
    challenges.retain(Challenge::says_nothing_twice);
    challenges
}

impl Challenge {
    /// The value of a parameter; `name` in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The kind of token it asks for, if that is one of these.
    pub fn token_scheme(&self) -> Option<TokenScheme> {
        match self.scheme.as_str() {
            "bearer" => Some(TokenScheme::Bearer),
            "dpop" => Some(TokenScheme::Dpop),
            _ => None,
        }
    }

    /// The error code, if it is a challenge for a token and has one.
    pub fn error(&self) -> Option<&str> {
        self.token_scheme().and_then(|_| self.parameter("error")).filter(|error| !error.is_empty())
    }

    /// The challenges of an answer that can be read.
    pub fn all_of(response: &HttpResponse) -> Vec<Self> {
        response.header("www-authenticate").map(parse).unwrap_or_default()
    }

    fn says_nothing_twice(&self) -> bool {
        let mut rest = self.parameters.as_slice();
        while let Some(((name, _), others)) = rest.split_first() {
            if others.iter().any(|(other, _)| other == name) {
                return false;
            }
            rest = others;
        }
        true
    }
}

impl Denial {
    /// Reads an answer of status 401 or 403, and one of 400 that has a challenge; every other is no denial.
    ///
    /// Of several challenges the first one for a token with an `error` counts.
    pub fn of(response: &HttpResponse) -> Option<Self> {
        let challenges = Challenge::all_of(response);
        match response.status {
            401 | 403 => {}
            400 if !challenges.is_empty() => {}
            _ => return None,
        }
        let mut denial = Self {
            status: response.status,
            reason: Reason::Bare,
            source: Source::Challenge,
            description: None,
            schemes: Vec::new(),
            // RFC 9728 §5.1 binds it to no scheme.
            resource_metadata: challenges.iter().find_map(|c| c.parameter("resource_metadata")).map(str::to_owned),
        };
        for scheme in challenges.iter().filter_map(Challenge::token_scheme) {
            if !denial.schemes.contains(&scheme) {
                denial.schemes.push(scheme);
            }
        }
        if let Some(challenge) = challenges.iter().find(|challenge| challenge.error().is_some()) {
            denial.read(&|name| challenge.parameter(name));
        } else if challenges.is_empty() {
            (denial.reason, denial.source) = (Reason::Hidden, Source::Status);
            if response.is_json()
                && let Ok(body) = Value::parse(&response.body)
                && body.text("error").is_some_and(|error| !error.is_empty())
            {
                denial.source = Source::Body;
                denial.read(&|name| body.text(name));
            }
        }
        Some(denial)
    }

    /// Whether another access token may mend it: `invalid_token`, or a 401 that gives no reason.
    ///
    /// Once at most. A new token covers no wider scope and proves no newer sign-in, so nothing else calls for one.
    pub fn calls_for_new_token(&self) -> bool {
        match self.reason {
            Reason::InvalidToken => true,
            Reason::Bare | Reason::Hidden => self.status == 401,
            _ => false,
        }
    }

    fn read<'a>(&mut self, parameter: &dyn Fn(&str) -> Option<&'a str>) {
        let scope = || parameter("scope").and_then(|text| Scope::parse(text).ok());
        self.description = parameter("error_description").map(|text| shorten(text, 500));
        self.reason = match parameter("error").unwrap_or_default() {
            "insufficient_scope" => Reason::InsufficientScope { scope: scope() },
            "insufficient_user_authentication" => Reason::StepUp(StepUp {
                acr_values: words(parameter("acr_values").unwrap_or_default()),
                max_age: parameter("max_age").and_then(seconds),
                scope: scope(),
            }),
            "invalid_dpop_proof" => Reason::InvalidDpopProof,
            "invalid_request" => Reason::InvalidRequest,
            "invalid_token" => Reason::InvalidToken,
            "use_dpop_nonce" => Reason::UseDpopNonce,
            other => Reason::Other { error: shorten(other, 100) },
        };
    }
}

fn words(text: &str) -> Vec<String> {
    parts(text, b' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A whole number without a sign; `parse` alone would take `+5`.
fn seconds(text: &str) -> Option<Seconds> {
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| text.parse().ok().map(Seconds)).flatten()
}

/// Reads a field front to back.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// `#challenge`. The comma separates challenges and parameters alike: a token before `=` is a parameter of the
    /// challenge at hand, any other begins the next one. `None` where reading ends, at the end of the text or before.
    fn list(&mut self, challenges: &mut Vec<Challenge>) -> Option<()> {
        loop {
            self.run(|octet| matches!(octet, b' ' | b'\t' | b',' | b'\n'));
            let name = self.token()?;
            let is_spaced = !self.run(is_blank).is_empty();
            if self.peek() == Some(b'=') {
                self.value_into(name, challenges.last_mut()?)?;
                continue;
            }
            let is_alone = self.ends_element();
            if challenges.len() == MOST || !(is_spaced || is_alone) {
                return None;
            }
            challenges.push(Challenge { scheme: name, token68: None, parameters: Vec::new() });
            let challenge = challenges.last_mut()?;
            if is_alone {
                continue;
            }
            challenge.token68 = self.token68();
            if challenge.token68.is_none() {
                let name = self.token()?;
                self.run(is_blank);
                self.value_into(name, challenge)?;
            }
        }
    }

    /// `BWS "=" BWS ( token / quoted-string )` and the end of the element.
    fn value_into(&mut self, name: String, challenge: &mut Challenge) -> Option<()> {
        if self.next()? != b'=' || challenge.token68.is_some() || challenge.parameters.len() == MOST {
            return None;
        }
        self.run(is_blank);
        let value = match self.peek()? {
            b'"' => self.quoted_string()?,
            _ => Some(self.run(is_tchar)).filter(|value| !value.is_empty())?.to_owned(),
        };
        if !self.ends_element() {
            return None;
        }
        challenge.parameters.push((name, value));
        Some(())
    }

    /// `"` and `\` end at no other octet than their own, so UTF-8 stays whole.
    fn quoted_string(&mut self) -> Option<String> {
        let mut octets = Vec::new();
        self.at += 1;
        loop {
            let octet = match self.next()? {
                b'"' => break,
                b'\\' => self.next()?,
                octet => octet,
            };
            if octet != b'\t' && octet.is_ascii_control() {
                return None;
            }
            octets.push(octet);
        }
        String::from_utf8(octets).ok()
    }

    /// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, if that is the whole element.
    fn token68(&mut self) -> Option<String> {
        let start = self.at;
        let body = self.run(|octet| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet));
        self.run(|octet| octet == b'=');
        let token68 = self.text.get(start..self.at)?;
        if body.is_empty() || !self.ends_element() {
            self.at = start;
            return None;
        }
        Some(token68.to_owned())
    }

    /// A token in lower case: the names of schemes and parameters are.
    fn token(&mut self) -> Option<String> {
        let token = self.run(is_tchar);
        (!token.is_empty()).then(|| token.to_ascii_lowercase())
    }

    /// Whether nothing but blanks stands before the next comma, or the end.
    fn ends_element(&mut self) -> bool {
        self.run(is_blank);
        matches!(self.peek(), None | Some(b',' | b'\n'))
    }

    /// The ASCII octets from here that are accepted.
    fn run(&mut self, is_accepted: fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(is_accepted) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let octet = self.peek()?;
        self.at += 1;
        Some(octet)
    }
}

/// RFC 9110 §5.6.3: `OWS` and `BWS`.
fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// RFC 9110 §5.6.2.
pub(super) fn is_tchar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}
