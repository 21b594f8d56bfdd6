//! The signature algorithms of JOSE that this client can verify: asymmetric ones, and only those WebCrypto has.
//!
//! In scope: their names, and what each demands of a key, a hash and a signature.
//! Out of scope: computing anything. `none` and the MAC algorithms are not expressible: a public client shares no secret
//! with anybody, and a public key used as one is the classic confusion (RFC 8725 §2.1).
//!
//! Source: RFC 7518 §3.1; RFC 8037 §3.1; RFC 9864 §2.2 (`Ed25519`).

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5.
    Rs(Hash),
    /// RSASSA-PSS, with MGF1 of the same hash and a salt as long as the hash.
    Ps(Hash),
    /// ECDSA on the curve that goes with the hash: P-256, P-384, P-521.
    Es(Hash),
    /// Ed25519, by the name `EdDSA` or `Ed25519`.
    Ed25519,
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Each name with its algorithm; case matters (RFC 7515 §4.1.1).
pub const NAMES: [(&str, Algorithm); 11] = [
    ("RS256", Algorithm::Rs(Hash::Sha256)),
    ("RS384", Algorithm::Rs(Hash::Sha384)),
    ("RS512", Algorithm::Rs(Hash::Sha512)),
    ("PS256", Algorithm::Ps(Hash::Sha256)),
    ("PS384", Algorithm::Ps(Hash::Sha384)),
    ("PS512", Algorithm::Ps(Hash::Sha512)),
    ("ES256", Algorithm::Es(Hash::Sha256)),
    ("ES384", Algorithm::Es(Hash::Sha384)),
    ("ES512", Algorithm::Es(Hash::Sha512)),
    ("EdDSA", Algorithm::Ed25519),
    ("Ed25519", Algorithm::Ed25519),
];

impl Algorithm {
    /// The algorithm of this name, if it is one of these.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Its name; the older one of Ed25519.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// The hash that goes with it, also for `at_hash` (OpenID Connect Core §3.1.3.6).
    pub fn hash(self) -> Hash {
        match self {
            Self::Rs(hash) | Self::Ps(hash) | Self::Es(hash) => hash,
            // RFC 8032 §5.1: Ed25519 is built on SHA-512.
            Self::Ed25519 => Hash::Sha512,
        }
    }
}

impl Hash {
    /// The name that WebCrypto knows it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// How many octets it gives.
    pub fn octets(self) -> u32 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The name of the curve that goes with it in ECDSA (RFC 7518 §3.4), and the octets of one coordinate.
    pub fn curve(self) -> (&'static str, usize) {
        match self {
            Self::Sha256 => ("P-256", 32),
            Self::Sha384 => ("P-384", 48),
            Self::Sha512 => ("P-521", 66),
        }
    }
}
