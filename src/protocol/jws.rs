//! Signed documents in compact form: taking them apart, and what it would take to believe them.
//!
//! In scope: the three parts, the header's policy, choosing keys, and the question for WebCrypto.
//! Out of scope: what the payload means, and computing signatures. Nothing that is taken apart here is trusted yet.
//!
//! Rule: the header names an algorithm and a key and decides nothing. The algorithm must be one that was allowed before
//! the document came; the key is looked up among the issuer's; `jwk`, `jku`, `x5c` and `x5u` are never read.
//!
//! Source: RFC 7515 §3.1, §4.1, §5.2, §7.1; RFC 8725 §2.1, §3.1, §3.10 to §3.12.

use std::fmt;

use super::algorithm::Algorithm;
use super::base64url;
use super::json::Value;
use super::jwk::{JwkSet, PublicKey};
use super::secret::AccessToken;
use super::text::{parts, shorten};

/// A document in compact form, taken apart. It may hold claims about somebody, so its `Debug` shows none.
pub struct Jws {
    /// The protected header.
    header: Value,
    /// The payload, decoded and not read.
    payload: Vec<u8>,
    /// What the signature is over: the first two parts as they came.
    signed: String,
    /// The signature; empty if there is none.
    signature: Vec<u8>,
}

/// Why a text is no signed document that is looked at.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwsError {
    /// A part is not base64url without padding.
    Base64url,
    /// Five parts: it is encrypted, and this client has no key for that.
    Encrypted,
    /// The header is no JSON object, or has a member twice.
    Header,
    /// It is in JSON form, not in compact form.
    JsonSerialization,
    /// Not three parts.
    Parts {
        /// How many there are.
        count: usize,
    },
    /// Longer than any token is.
    TooLong {
        /// The most octets that are looked at.
        limit: usize,
    },
}

/// Why no key could be asked about a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unverifiable {
    /// The algorithm is none of those allowed; what the header says.
    Algorithm(String),
    /// The header has `crit`: it wants something understood that is not (RFC 7515 §4.1.11).
    Critical,
    /// No key of the issuer has this name, or none is for this algorithm.
    Key,
    /// It could not be taken apart.
    Malformed,
    /// The signature does not have the length that its algorithm gives it.
    SignatureLength,
}

/// The question for WebCrypto: did one of these keys make this signature?
#[derive(Clone)]
pub struct Verification {
    /// By this algorithm.
    pub algorithm: Algorithm,
    /// The keys that may have made it, tried in this order; at least one.
    pub keys: Vec<PublicKey>,
    /// What was signed.
    pub signed: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
    /// An access token to hash with the algorithm's hash, for `at_hash`.
    pub hashed: Option<AccessToken>,
}

/// What WebCrypto says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether one of the keys made the signature.
    pub signature: Result<bool, SubtleUnavailable>,
    /// The hash of what was to be hashed; empty if nothing was, or nothing could be.
    pub hash: Vec<u8>,
}

/// This browser has no WebCrypto here, or not this algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubtleUnavailable;

/// The longest document that is looked at: 64 KiB.
pub const LONGEST: usize = 64 * 1024;

impl Jws {
    /// Takes a document apart.
    ///
    /// # Errors
    /// [`JwsError`], the outer form first.
    pub fn parse(text: &str) -> Result<Self, JwsError> {
        if text.len() > LONGEST {
            return Err(JwsError::TooLong { limit: LONGEST });
        }
        if text.starts_with('{') {
            return Err(JwsError::JsonSerialization);
        }
        let all: Vec<&str> = parts(text, b'.').collect();
        let [header, payload, signature] = all[..] else {
            return Err(if all.len() == 5 { JwsError::Encrypted } else { JwsError::Parts { count: all.len() } });
        };
        let decode = |part| base64url::decode(part).ok_or(JwsError::Base64url);
        let [header_octets, payload_octets, signature_octets] = [decode(header)?, decode(payload)?, decode(signature)?];
        let header_value = Value::parse(&header_octets).ok().filter(|value| value.as_object().is_some());
        let header_value = header_value.ok_or(JwsError::Header)?;
        Ok(Self {
            header: header_value,
            payload: payload_octets,
            signed: text.split_at(header.len() + 1 + payload.len()).0.to_owned(),
            signature: signature_octets,
        })
    }

    /// The payload, which nobody vouches for.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// A text of the header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header.text(name)
    }

    /// A member of the header; `null` counts as absent.
    pub fn header_member(&self, name: &str) -> Option<&Value> {
        self.header.member(name)
    }

    /// Whether it says of itself that it is a JWT and no more, or says nothing (RFC 7515 §4.1.9: a media type without its
    /// "application/", in any casing): a token of another kind names that (RFC 8725 §3.11).
    pub(super) fn is_plain_jwt(&self) -> bool {
        let typ = self.header_member("typ");
        typ.is_none_or(|typ| typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")))
    }

    /// The question whether the issuer's keys made the signature, by one of the `allowed` algorithms.
    ///
    /// # Errors
    /// [`Unverifiable`]: then nobody needs to be asked.
    pub fn verification(&self, allowed: &[Algorithm], keys: &JwkSet) -> Result<Verification, Unverifiable> {
        let algorithm = self.algorithm(allowed)?;
        // By its presence, whatever it holds: `null` counts too.
        if self.header.as_object().unwrap_or_default().iter().any(|(name, _)| name == "crit") {
            return Err(Unverifiable::Critical);
        }
        let candidates = match self.header.member("kid") {
            None => keys.candidates(algorithm, None),
            // A `kid` that is no string names nothing.
            Some(kid) => kid.as_str().map(|kid| keys.candidates(algorithm, Some(kid))).unwrap_or_default(),
        };
        if candidates.is_empty() {
            return Err(Unverifiable::Key);
        }
        let fitting: Vec<PublicKey> = candidates.into_iter().filter(|key| key.signs_in(self.signature.len())).collect();
        if fitting.is_empty() {
            return Err(Unverifiable::SignatureLength);
        }
        Ok(Verification {
            algorithm,
            keys: fitting,
            signed: self.signed.clone().into_bytes(),
            signature: self.signature.clone(),
            hashed: None,
        })
    }

    /// The header's algorithm, if it is one of the allowed ones, to the letter.
    fn algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, Unverifiable> {
        let named = self.header("alg").unwrap_or_default();
        let algorithm = Algorithm::parse(named).filter(|algorithm| allowed.contains(algorithm));
        algorithm.ok_or_else(|| Unverifiable::Algorithm(shorten(named, 40)))
    }
}

impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jws([redacted])")
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verification({}, {} keys)", self.algorithm.as_str(), self.keys.len())
    }
}

impl fmt::Display for Unverifiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm(_) => "none that could be checked: its algorithm is not allowed",
            Self::Critical => "none that could be checked: the header demands something unknown by crit",
            Self::Key => "none that could be checked: no key of the server has this kid and algorithm",
            Self::Malformed => "none that could be checked: the token cannot be taken apart",
            Self::SignatureLength => "one of the wrong length",
        })
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base64url => "a part that is not base64url",
            Self::Encrypted => "five parts, so it is encrypted",
            Self::Header => "a header that is no JSON object, or has a member twice",
            Self::JsonSerialization => "JSON form",
            Self::Parts { count } => return write!(f, "{count} parts"),
            Self::TooLong { limit } => return write!(f, "more than {limit} octets"),
        })
    }
}
