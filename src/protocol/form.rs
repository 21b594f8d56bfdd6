//! `application/x-www-form-urlencoded`: queries and form bodies.
//!
//! In scope: encoding pairs, decoding once, finding a name that appears twice.
//! Rule: what is encoded decodes to itself for every text; a `%` that starts no escape is kept as it stands, as
//! browsers do; octets that are no UTF-8 are an error, never replaced, because a code must be compared as sent.
//!
//! Source: RFC 6749 appendix B; §3.1 and §3.2 (no parameter more than once).

use super::text::{cut, parts, shorten};

/// Why a query or a form body could not be read.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormError {
    /// A parameter appeared more than once (RFC 6749 §3.1).
    Duplicate {
        /// The repeated name, at most 100 characters of it.
        name: String,
    },
    /// An escape decoded to octets that are no UTF-8 (RFC 6749 appendix B).
    NotUtf8,
    /// Longer than this client reads.
    TooLong {
        /// The most octets read.
        limit: usize,
    },
    /// More parameters than this client reads.
    TooMany {
        /// The most parameters read.
        limit: usize,
    },
}

/// The longest query or fragment read: codes of 8 kB and more are lawful (RFC 6749 §4.1.2 sets no size).
pub(super) const LONGEST: usize = 64 * 1024;

/// The most parameters read; each is compared with all before it.
const MOST: usize = 256;

/// Encodes pairs as `a=b&c=d`; pairs with an empty value are omitted (RFC 6749 §3.1: "without a value" is absent).
pub fn encode(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if value.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('&');
        }
        escape_into(&mut out, name);
        out.push('=');
        escape_into(&mut out, value);
    }
    out
}

/// Decodes `a=b&c=d`, without a leading `?` or `#`, into name and value pairs in the order they were sent.
///
/// # Errors
/// [`FormError`]: a repeated name, octets that are no UTF-8, or more than 64 KiB.
pub fn decode(text: &str) -> Result<Vec<(String, String)>, FormError> {
    if text.len() > LONGEST {
        return Err(FormError::TooLong { limit: LONGEST });
    }
    let mut pairs: Vec<(String, String)> = Vec::new();
    for part in parts(text, b'&').filter(|part| !part.is_empty()) {
        let (name, value) = cut(part, b'=');
        let name = unescaped(name)?;
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(FormError::Duplicate { name: shorten(&name, 100) });
        }
        if pairs.len() == MOST {
            return Err(FormError::TooMany { limit: MOST });
        }
        let value = unescaped(value.unwrap_or_default())?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// The value of `name`, if it was sent and is not empty.
pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

fn escape_into(out: &mut String, text: &str) {
    for octet in text.bytes() {
        match octet {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(octet.into()),
            b' ' => out.push('+'),
            _ => {
                let digit = |number: u8| char::from(b"0123456789ABCDEF"[usize::from(number)]);
                out.push('%');
                out.push(digit(octet / 16));
                out.push(digit(octet % 16));
            }
        }
    }
}

/// What `+` stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Plus {
    /// Itself, as in a path.
    IsPlus,
    /// A space, as in a form.
    IsSpace,
}

/// The octets of `text` with its escapes decoded, once; a `%` that starts none is kept.
pub(super) fn unescape(text: &str, plus: Plus) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        octets.push(match octet {
            b'+' if plus == Plus::IsSpace => b' ',
            b'%' => match escaped(tail) {
                Some(octet) => {
                    rest = &tail[2..];
                    octet
                }
                None => b'%',
            },
            other => other,
        });
    }
    octets
}

fn unescaped(text: &str) -> Result<String, FormError> {
    String::from_utf8(unescape(text, Plus::IsSpace)).map_err(|_| FormError::NotUtf8)
}

/// The octet that the two digits after a `%` stand for.
fn escaped(digits: &[u8]) -> Option<u8> {
    let digit = |index: usize| digits.get(index).and_then(|octet| char::from(*octet).to_digit(16));
    // Two hexadecimal digits always fit an octet.
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_rfc_6749_appendix_b_says() {
        // The five characters of the appendix: U+0020, U+0025, U+0026, U+002B, U+00A3, U+20AC.
        assert_eq!(encode(&[("x", " %&+£€")]), "x=+%25%26%2B%C2%A3%E2%82%AC");
    }

    #[test]
    fn keeps_a_percent_that_starts_no_escape() {
        assert_eq!(decode("a=100%&b=%zz"), Ok(vec![("a".into(), "100%".into()), ("b".into(), "%zz".into())]));
    }

    #[test]
    fn refuses_octets_that_are_no_utf_8() {
        assert_eq!(decode("code=%ff"), Err(FormError::NotUtf8));
    }

    #[test]
    fn names_a_duplicate_even_if_it_is_spelled_with_escapes() {
        assert_eq!(decode("code=a&c%6fde=b"), Err(FormError::Duplicate { name: "code".into() }));
    }

    #[test]
    fn refuses_more_than_64_kib() {
        assert_eq!(decode(&"a".repeat(LONGEST + 1)), Err(FormError::TooLong { limit: LONGEST }));
        assert!(decode(&format!("code={}", "a".repeat(LONGEST - "code=".len()))).is_ok());
    }
}
