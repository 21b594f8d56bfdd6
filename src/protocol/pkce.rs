//! Proof Key for Code Exchange: the code verifier and its S256 challenge.
//!
//! In scope: making both from octets that the caller drew at random.
//! Out of scope: the method `plain`, which is not expressible here (RFC 7636 §4.2 wants S256 of whoever can).
//!
//! Source: RFC 7636 §4.1, §4.2, appendix B.

use sha2::{Digest as _, Sha256};

use super::base64url;
use super::secret::CodeVerifier;

/// The value of `code_challenge_method`.
pub const CODE_CHALLENGE_METHOD: &str = "S256";

/// BASE64URL(SHA256(code_verifier)): 43 characters, public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeVerifier {
    /// Makes a verifier of 43 unreserved characters, 256 bit (RFC 7636 §4.1 and §7.1).
    pub fn from_octets(octets: &[u8; 32]) -> Self {
        Self::new(base64url::encode(octets))
    }

    /// Whether it has 43 to 128 unreserved characters (RFC 7636 §4.1): one that was read back from storage may not.
    pub(super) fn is_well_formed(&self) -> bool {
        let unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
        (43..=128).contains(&self.expose().len()) && self.expose().bytes().all(unreserved)
    }
}

impl CodeChallenge {
    /// The S256 challenge of `verifier` (RFC 7636 §4.2).
    pub fn s256(verifier: &CodeVerifier) -> Self {
        Self(base64url::encode(&Sha256::digest(verifier.expose().as_bytes())))
    }

    /// The challenge as it stands in the authorization request.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_7636_APPENDIX_B_OCTETS: [u8; 32] = [
        116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
        240, 91, 88, 5, 88, 83, 132, 141, 121,
    ];

    /// AUT-2, AUT-3: the vector of RFC 7636 appendix B.
    #[test]
    fn makes_the_pair_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier::from_octets(&RFC_7636_APPENDIX_B_OCTETS);
        assert_eq!(verifier.expose(), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(CodeChallenge::s256(&verifier).as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    /// AUT-2: a second pair, of a verifier that is no encoding of 32 octets.
    #[test]
    fn makes_the_challenge_of_a_longer_verifier() {
        let verifier = CodeVerifier::new("Th7UHJdLswIYQxwSg29DbK1a_d9o41uNMTRmuH0PM8zyoMAQ");
        assert_eq!(CodeChallenge::s256(&verifier).as_str(), "hKpKupTM391pE10xfQiorMxXarRKAHRhTfH_xkGf7U4");
    }

    /// AUT-3: 43 characters of the unreserved set, whatever the octets.
    #[test]
    fn verifier_has_43_unreserved_characters() {
        for octets in [[0; 32], [255; 32], RFC_7636_APPENDIX_B_OCTETS] {
            let verifier = CodeVerifier::from_octets(&octets);
            assert_eq!(verifier.expose().len(), 43);
            let unreserved = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
            assert!(verifier.expose().bytes().all(unreserved));
        }
    }
}
