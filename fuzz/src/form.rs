//! Form encoding, against the decoder of browsers.

use ::url::form_urlencoded;
use leptos_pkce::protocol::form::{self, FormError};

use super::common::text;

/// AUT-1, CB-5, A46: decoded once, as browsers do; what is encoded decodes to itself; nothing is there twice.
pub fn check(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let theirs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let is_twice =
        |(index, (name, _)): (usize, &(String, String))| theirs[..index].iter().any(|(known, _)| known == name);
    match form::decode(text) {
        Ok(pairs) => {
            assert_eq!(pairs, theirs);
            assert!(pairs.len() <= 256 && !theirs.iter().enumerate().any(is_twice), "CB-5");
            let borrowed: Vec<(&str, &str)> =
                pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let encoded = form::encode(&borrowed);
            assert!(encoded.len() <= 3 * text.len() + 1 && encoded.bytes().all(|octet| octet.is_ascii_graphic()));
            let again = form::decode(&encoded);
            let expected: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
            assert_eq!(again, Ok(expected));
        }
        Err(FormError::Duplicate { name }) => {
            assert!(name.len() <= 100 && theirs.iter().enumerate().any(is_twice));
        }
        Err(FormError::NotUtf8) => {
            assert!(theirs.iter().any(|(name, value)| [name, value].iter().any(|it| it.contains('\u{fffd}'))))
        }
        Err(FormError::TooLong { limit }) => assert!(text.len() > limit),
        Err(FormError::TooMany { limit }) => assert!(theirs.len() > limit),
        Err(_) => {}
    }
}
