//! What the platform computes for this server, and the keys that it holds for it.
//!
//! In scope: which computations these are, and public keys in JOSE's words.
//! Out of scope: which key signs what (`keys`).
//!
//! Source: RFC 7518 §3.3 to §3.5, §6.2, §6.3; RFC 8037 §2, §3.1; RFC 7638 §3.

use std::future::Future;

use crate::protocol::algorithm::{Algorithm, Hash};
use crate::protocol::base64url;
use crate::protocol::json::Value;

/// The platform cannot do it: it has no such algorithm, or no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CryptoFailure;

/// Signatures, hashes, and the server's own keys.
///
/// A platform has the algorithms of [`SUPPORTED`]. It makes a key when it is asked for first, and keeps it.
pub trait Crypto {
    /// The signature of `octets` by one of the server's keys, as a JWS has it: of ECDSA r and s, 64 octets.
    fn sign(&self, key: Key, octets: &[u8]) -> impl Future<Output = Result<Vec<u8>, CryptoFailure>>;

    /// The public half of one of the server's keys.
    fn public_key(&self, key: Key) -> impl Future<Output = Result<PublicKey, CryptoFailure>>;

    /// Whether `signature` is the ES256 signature of `octets` by somebody's key, the point `x`, `y` (base64url). What is
    /// no point of the curve, or no signature, is none of theirs.
    fn verify(
        &self,
        point: [&str; 2],
        octets: &[u8],
        signature: &[u8],
    ) -> impl Future<Output = Result<bool, CryptoFailure>>;

    /// The hash of `octets`.
    fn digest(&self, hash: Hash, octets: &[u8]) -> impl Future<Output = Result<Vec<u8>, CryptoFailure>>;

    /// SHA-256, 32 octets.
    fn sha_256(&self, octets: &[u8]) -> impl Future<Output = Result<Vec<u8>, CryptoFailure>> {
        self.digest(Hash::Sha256, octets)
    }
}

/// What a server signs with unless it is told otherwise.
pub const ES256: Algorithm = Algorithm::Es(Hash::Sha256);
/// RSASSA-PKCS1-v1_5, with keys of 2048 bit.
pub const RS256: Algorithm = Algorithm::Rs(Hash::Sha256);
/// RSASSA-PSS, with keys of 2048 bit.
pub const PS256: Algorithm = Algorithm::Ps(Hash::Sha256);

/// The algorithms that a platform signs with.
pub const SUPPORTED: [Algorithm; 4] = [ES256, RS256, PS256, Algorithm::Ed25519];

/// One of the server's keys: for each algorithm there are two, so that one can follow the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Which of the two it is.
    pub generation: Generation,
}

/// Which of two keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// The one that a server begins with.
    #[default]
    First,
    /// The one that takes its place.
    Second,
}

/// A public key in a JWK's words, base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A point of P-256: 43 characters each.
    Ec {
        /// The first coordinate.
        x: String,
        /// The second.
        y: String,
    },
    /// An RSA key.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// A point of Ed25519: 43 characters.
    Okp {
        /// The point.
        x: String,
    },
}

impl Generation {
    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl Key {
    /// The key that takes the place of this one.
    pub(super) fn successor(self) -> Self {
        Self { generation: self.generation.other(), ..self }
    }
}

impl PublicKey {
    /// The members that make the key, in the order of their names, as the thumbprint wants them (RFC 7638 §3.2).
    fn members(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Ec { x, y } => vec![("crv", "P-256"), ("kty", "EC"), ("x", x), ("y", y)],
            Self::Rsa { n, e } => vec![("e", e), ("kty", "RSA"), ("n", n)],
            Self::Okp { x } => vec![("crv", "Ed25519"), ("kty", "OKP"), ("x", x)],
        }
    }

    /// The key alone as a JWK, without a word on what it is for.
    pub(super) fn bare_jwk(&self) -> Value {
        let members = self.members().into_iter();
        Value::object(members.map(|(name, text)| (name, Some(Value::string(text)))).collect())
    }

    /// The thumbprint, which names it as `kid`: another key has another name.
    pub(super) async fn id(&self, crypto: &impl Crypto) -> Result<String, CryptoFailure> {
        Ok(base64url::encode(&crypto.sha_256(self.bare_jwk().to_text().as_bytes()).await?))
    }

    /// The JWK of a key that signs.
    pub(super) fn jwk(&self, algorithm: Algorithm, kid: &str) -> Value {
        let purpose = [("use", "sig"), ("alg", algorithm.as_str()), ("kid", kid)];
        let members = self.members().into_iter().chain(purpose);
        Value::object(members.map(|(name, text)| (name, Some(Value::string(text)))).collect())
    }
}
