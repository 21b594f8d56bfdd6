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
///
/// By hand: the crate's decoder is made for speed, which is a kilobyte here. The tests hold the two against each other.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        let digit = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // A digit alone is no octet, and bits left over must be zero.
    (count < 6 && bits == 0).then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// JOSE-7: what one of the two decoders accepts the other one does too, and both find the same.
    #[test]
    fn decodes_as_the_crate_does() {
        let alphabet = ["", "A", "Z", "_", "-", "9", "a", "Q", "=", "+", " "];
        for parts in 0..alphabet.len().pow(4) {
            let pick = |place: u32| alphabet[parts / alphabet.len().pow(place) % alphabet.len()];
            let text = format!("{}{}{}{}", pick(0), pick(1), pick(2), pick(3));
            assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok(), "{text}");
        }
        let octets: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&octets)), Some(octets));
    }

    #[test]
    fn encodes_the_example_of_rfc_7636_appendix_a() {
        assert_eq!(encode(&[3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").as_deref(), Some(&[3, 236, 255, 224, 193][..]));
    }

    /// JOSE-7: one value has one text.
    #[test]
    fn decodes_nothing_but_the_one_text_of_a_value() {
        for text in ["A-z_4MF", "A-z_4ME=", "A+z/4ME", "A-z_4ME\n", " A-z_4ME", "A-z_4", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
