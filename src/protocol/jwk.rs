//! Public keys of an authorization server: reading them, and which of them may verify what.
//!
//! In scope: RSA, EC and Ed25519 keys for signatures, and the key set that holds them.
//! Out of scope: the mathematics. A key that is well-formed here is still imported by WebCrypto, which looks at the point.
//!
//! Rule: a key that is malformed, weak or for something else is passed over, and the set stays usable (RFC 7517 §5). Keys
//! come from the `jwks_uri` of the issuer alone, never from a token's header.
//!
//! Source: RFC 7517 §4, §5; RFC 7518 §3.3, §6.2, §6.3; RFC 8037 §2; RFC 8725 §3.1, §3.5.

use super::algorithm::{Algorithm, Hash};
use super::base64url;
use super::json::Value;

/// A public key that may verify signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    kid: Option<String>,
    /// The only algorithm it may be used with, if it says so.
    alg: Option<Algorithm>,
    /// Whose tokens it signs, if it says so: no registered member, but servers of several issuers have it.
    issuer: Option<String>,
    key: PublicKey,
}

/// The numbers of a public key, base64url as in the JWK (RFC 7518 §6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Modulus and exponent.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// A point of the curve that goes with the hash.
    Ec {
        /// P-256, P-384 or P-521, by the hash it is used with.
        curve: Hash,
        /// The x coordinate.
        x: String,
        /// The y coordinate.
        y: String,
    },
    /// A point of Ed25519.
    Ed25519 {
        /// The encoded point.
        x: String,
    },
}

/// The keys of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// More keys than this are nobody's key set.
pub const MOST_KEYS: usize = 100;

/// The longest `kid` that is looked up; it is a name, not a document.
const LONGEST_KID: usize = 1024;

/// The fewest octets of an RSA modulus: 2048 bit (RFC 7518 §3.3); and the most, 16384 bit, which is what browsers take.
const RSA_OCTETS: std::ops::RangeInclusive<usize> = 256..=2048;

impl JwkSet {
    /// Reads a key set; keys that cannot verify anything here are left out.
    ///
    /// `None` if the document is no key set, or has more than [`MOST_KEYS`].
    pub fn read(document: &Value) -> Option<Self> {
        let keys = document.member("keys")?.as_array().filter(|keys| keys.len() <= MOST_KEYS)?;
        Some(Self { keys: keys.iter().filter_map(Jwk::read).collect() })
    }

    /// The keys that sign for one of these issuers, or do not say for whom.
    pub(super) fn of_issuers(&self, issuers: &[String]) -> Self {
        let is_theirs = |key: &&Jwk| key.issuer.as_deref().is_none_or(|issuer| issuers.iter().any(|one| one == issuer));
        Self { keys: self.keys.iter().filter(is_theirs).cloned().collect() }
    }

    /// The keys that may have made a signature: by name if the token gives one, else all of its kind.
    ///
    /// JOSE-12: without a name each of a few keys is tried, in the order of the set.
    pub fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> Vec<PublicKey> {
        let is_named = |key: &&Jwk| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
        let fitting = self.keys.iter().filter(is_named).filter(|key| key.fits(algorithm));
        fitting.take(MOST_TRIED).map(|key| key.key.clone()).collect()
    }
}

/// How many keys are tried for a token that names none.
const MOST_TRIED: usize = 8;

impl Jwk {
    /// Reads a key; `None` if it is no public key for signatures that this client would rely on.
    pub fn read(key: &Value) -> Option<Self> {
        // A member of the wrong type is not the same as an absent one: such a key is not understood.
        let is_for_signatures = key.optional_text("use")?.is_none_or(|usage| usage == "sig")
            && key.member("key_ops").is_none_or(|operations| {
                let mut operations = operations.as_array().unwrap_or_default().iter();
                operations.any(|operation| operation.as_str() == Some("verify"))
            });
        let alg = match key.optional_text("alg")? {
            None => None,
            Some(name) => Some(Algorithm::parse(name)?),
        };
        let kid = key.optional_text("kid")?.map(str::to_owned);
        if !is_for_signatures || kid.as_ref().is_some_and(|kid| kid.len() > LONGEST_KID) {
            return None;
        }
        let issuer = key.text("issuer").map(str::to_owned);
        Some(Self { kid, alg, issuer, key: PublicKey::read(key)? })
    }

    /// Its numbers.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether it may verify signatures of this algorithm (RFC 7517 §4.4; RFC 8725 §3.1).
    fn fits(&self, algorithm: Algorithm) -> bool {
        let is_its_kind = match (&self.key, algorithm) {
            (PublicKey::Rsa { .. }, Algorithm::Rs(_) | Algorithm::Ps(_)) => true,
            (PublicKey::Ec { curve, .. }, Algorithm::Es(hash)) => *curve == hash,
            (PublicKey::Ed25519 { .. }, Algorithm::Ed25519) => true,
            _ => false,
        };
        is_its_kind && self.alg.is_none_or(|alg| alg == algorithm)
    }
}

impl PublicKey {
    fn read(key: &Value) -> Option<Self> {
        let octets = |name: &str| base64url::decode(key.text(name)?);
        let text = |name: &str| key.text(name).map(str::to_owned);
        match key.text("kty")? {
            "RSA" => {
                let (n, e) = (octets("n")?, octets("e")?);
                (is_strong_modulus(&n) && is_usable_exponent(&e)).then_some(())?;
                Some(Self::Rsa { n: text("n")?, e: text("e")? })
            }
            "EC" => {
                let curves = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
                let curve = curves.into_iter().find(|hash| Some(hash.curve().0) == key.text("crv"))?;
                let is_coordinate = |name| octets(name).is_some_and(|octets| octets.len() == curve.curve().1);
                (is_coordinate("x") && is_coordinate("y")).then_some(())?;
                Some(Self::Ec { curve, x: text("x")?, y: text("y")? })
            }
            "OKP" if key.text("crv") == Some("Ed25519") && octets("x")?.len() == 32 => {
                Some(Self::Ed25519 { x: text("x")? })
            }
            _ => None,
        }
    }

    /// The JWK of these numbers and nothing else: the required members in lexicographic order, without white space. That is
    /// what WebCrypto imports, and what a thumbprint is a hash of (RFC 7638 §3.2).
    pub fn canonical(&self) -> String {
        match self {
            Self::Rsa { n, e } => [r#"{"e":""#, e, r#"","kty":"RSA","n":""#, n, r#""}"#].concat(),
            Self::Ec { curve, x, y } => {
                let crv = curve.curve().0;
                [r#"{"crv":""#, crv, r#"","kty":"EC","x":""#, x, r#"","y":""#, y, r#""}"#].concat()
            }
            Self::Ed25519 { x } => [r#"{"crv":"Ed25519","kty":"OKP","x":""#, x, r#""}"#].concat(),
        }
    }

    /// Whether a signature by this key has so many octets; r and s of ECDSA are as long as the order of the curve, each
    /// (RFC 7518 §3.4), and an RSA signature is as long as the modulus (RFC 8017 §8).
    pub fn signs_in(&self, octets: usize) -> bool {
        match self {
            Self::Rsa { n, .. } => base64url::decode(n).is_some_and(|n| n.len() == octets),
            Self::Ec { curve, .. } => octets == 2 * curve.curve().1,
            Self::Ed25519 { .. } => octets == 64,
        }
    }
}

/// At least 2048 bit, odd, and not one of the keys whose factors are easily found.
fn is_strong_modulus(n: &[u8]) -> bool {
    let is_long = RSA_OCTETS.contains(&n.len()) && (n.len() > *RSA_OCTETS.start() || n[0] >= 0x80);
    // A leading zero would make a short modulus look long (RFC 7518 §6.3.1.1 forbids it).
    is_long && n[0] != 0 && n.last().is_some_and(|last| last % 2 == 1) && !has_roca_fingerprint(n)
}

/// Odd, at least 3, and no longer than WebCrypto takes (RFC 8017 §3.1).
fn is_usable_exponent(e: &[u8]) -> bool {
    let is_small = matches!(e, [] | [0 | 1]);
    !is_small && e.len() <= 8 && e[0] != 0 && e.last().is_some_and(|last| last % 2 == 1)
}

/// Whether the modulus has the mark of CVE-2017-15361 ("ROCA"): modulo each small prime it is a power of 65537, because
/// its two factors were made so. Other moduli have it about once in 2^27.
fn has_roca_fingerprint(n: &[u8]) -> bool {
    const PRIMES: [u8; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
        109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.into_iter().map(u32::from).all(|prime| {
        let residue = n.iter().fold(0, |residue, octet| (residue * 256 + u32::from(*octet)) % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * 65537 % prime;
            power == residue
        })
    })
}
