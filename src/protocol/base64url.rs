//! base64url without padding.
//!
//! By hand: the crate that the tests hold this against is made for speed, which is two kilobytes here.
//!
//! Rule: strict both ways. Padding, white space, another alphabet or bits left over are no base64url here, because two
//! texts of one value would be two tokens with one signature.
//!
//! Source: RFC 4648 §5; RFC 7515 §2 and appendix C; RFC 7636 appendix A.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes octets; the result has only `A-Z a-z 0-9 - _`.
pub fn encode(octets: &[u8]) -> String {
    let mut text = String::new();
    for three in octets.chunks(3) {
        let octet = |index: usize| three.get(index).map_or(0, |octet| usize::from(*octet));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        // One octet takes two digits, two take three, three take four.
        for digit in 0..=three.len() {
            text.push(DIGITS[bits >> (18 - 6 * digit) & 63].into());
        }
    }
    text
}

/// Decodes text; `None` if it is not base64url to the letter.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
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
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    /// JOSE-7: of every length modulo three, with every octet in every place.
    #[test]
    fn encodes_as_the_crate_does() {
        let octets: Vec<u8> = (0..=255).cycle().take(1024).collect();
        for start in 0..256 {
            for length in 0..8 {
                let octets = &octets[start..start + length];
                assert_eq!(encode(octets), URL_SAFE_NO_PAD.encode(octets), "{octets:?}");
            }
        }
        assert_eq!(encode(&octets), URL_SAFE_NO_PAD.encode(&octets));
    }

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
