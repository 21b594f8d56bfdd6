//! base64url without padding: the only use of the `base64` crate.
//!
//! Rule: strict both ways. Padding, white space, another alphabet or bits left over are no base64url here, because two
//! texts of one value would be two tokens with one signature.
//!
//! Source: RFC 4648 §5; RFC 7515 §2 and appendix C; RFC 7636 appendix A.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes octets; the result has only `A-Z a-z 0-9 - _`.
pub fn encode(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// Decodes text; `None` if it is not base64url to the letter.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn encodes_the_example_of_rfc_7636_appendix_a() {
        assert_eq!(super::encode(&[3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(super::decode("A-z_4ME").as_deref(), Some(&[3, 236, 255, 224, 193][..]));
    }

    /// JOSE-7: one value has one text.
    #[test]
    fn decodes_nothing_but_the_one_text_of_a_value() {
        for text in ["A-z_4MF", "A-z_4ME=", "A+z/4ME", "A-z_4ME\n", " A-z_4ME", "A-z_4", "é"] {
            assert_eq!(super::decode(text), None, "{text}");
        }
    }
}
