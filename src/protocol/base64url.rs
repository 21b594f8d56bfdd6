//! base64url without padding: the only use of the `base64` crate.
//!
//! Source: RFC 4648 §5; RFC 7636 appendix A.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes octets; the result has only `A-Z a-z 0-9 - _`.
pub fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

#[cfg(test)]
mod tests {
    #[test]
    fn encodes_the_example_of_rfc_7636_appendix_a() {
        assert_eq!(super::encode(&[3, 236, 255, 224, 193]), "A-z_4ME");
    }
}
