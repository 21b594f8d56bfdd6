//! JWS in compact form: making one, and taking one apart.
//!
//! In scope: header and payload as JSON, in strict base64url; and the MAC of the one forgery that needs it.
//! Out of scope: what they say.
//!
//! Source: RFC 7515 §3.1, §5.1, §7.1; RFC 2104 §2; RFC 4648 §5.

use super::crypto::{Crypto, CryptoFailure};
use crate::protocol::base64url;
use crate::protocol::json::Value;

/// A JWS, taken apart; nothing is verified yet.
pub(super) struct Parts<'a> {
    pub header: Value,
    pub payload: Value,
    /// What the signature is of.
    pub signed: &'a str,
    pub signature: Vec<u8>,
}

/// Names and values in their order; a name may stand there twice.
pub(super) type Members = Vec<(&'static str, Value)>;

/// What a signature is of: header and payload.
pub(super) fn signing_input(header: Members, payload: Members) -> String {
    let encode = |members: Members| {
        let members = members.into_iter().map(|(name, value)| (name, Some(value))).collect();
        base64url::encode(Value::object(members).to_text().as_bytes())
    };
    format!("{}.{}", encode(header), encode(payload))
}

/// The JWS of both.
pub(super) fn closed(signing_input: &str, signature: &[u8]) -> String {
    format!("{signing_input}.{}", base64url::encode(signature))
}

/// A signature with its last bit flipped.
pub(super) fn flipped(mut signature: Vec<u8>) -> Vec<u8> {
    if let Some(octet) = signature.last_mut() {
        *octet ^= 1;
    }
    signature
}

/// Takes a JWS apart; `None` if it is none.
pub(super) fn parts(jws: &str) -> Option<Parts<'_>> {
    let (signed, signature) = jws.rsplit_once('.')?;
    // A payload with a further dot in it is not base64url.
    let (header, payload) = signed.split_once('.')?;
    let object = |part: &str| Value::parse(&decode(part)?).ok().filter(|value| value.as_object().is_some());
    Some(Parts { header: object(header)?, payload: object(payload)?, signed, signature: decode(signature)? })
}

/// HMAC with SHA-256 (RFC 2104 §2).
pub(super) async fn hmac_sha_256(crypto: &impl Crypto, secret: &[u8], octets: &[u8]) -> Result<Vec<u8>, CryptoFailure> {
    const BLOCK: usize = 64;
    let mut key = match secret.len() > BLOCK {
        true => crypto.sha_256(secret).await?,
        false => secret.to_vec(),
    };
    key.resize(BLOCK, 0);
    let padded = |pad: u8, octets: &[u8]| [key.iter().map(|octet| octet ^ pad).collect(), octets.to_vec()].concat();
    let inner = crypto.sha_256(&padded(0x36, octets)).await?;
    crypto.sha_256(&padded(0x5c, &inner)).await
}

/// Decodes base64url without padding; `None` for any other text, bits that are left over included.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    (count < 6 && bits == 0).then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_is_encoded_and_nothing_else() {
        for octets in [&b""[..], b"a", b"ab", b"abc", &[3, 236, 255, 224, 193], &[255; 32]] {
            assert_eq!(decode(&base64url::encode(octets)).as_deref(), Some(octets));
        }
        for wrong in ["A", "AB", "AAB", "AA==", "A+", "A/A", "A A", "A\n"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
