//! Cutting text at ASCII separators, and shortening it for messages.
//!
//! By octets: the standard library searches for any pattern in any script, which is kilobytes that no grammar here needs.

/// What stands before the first `separator`, and what stands after it.
pub(crate) fn cut(text: &str, separator: u8) -> (&str, Option<&str>) {
    around(text, text.bytes().position(|octet| octet == separator))
}

/// What stands before the last `separator`, and what stands after it.
pub(crate) fn cut_last(text: &str, separator: u8) -> (&str, Option<&str>) {
    around(text, text.bytes().rposition(|octet| octet == separator))
}

/// The parts between separators; text without one is one part.
pub(crate) fn parts(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let (part, after) = cut(rest?, separator);
        rest = after;
        Some(part)
    })
}

/// At most `most` octets, cut between two characters: what others send may be long, a message need not be.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0.to_owned()
}

fn around(text: &str, position: Option<usize>) -> (&str, Option<&str>) {
    let Some(position) = position else { return (text, None) };
    let (before, after) = text.split_at(position);
    // The separator is ASCII, one octet.
    (before, after.get(1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_as_the_standard_library_does() {
        for text in ["", "a", ",", "a,b", ",a,,ü,b,"] {
            assert_eq!(cut(text, b','), text.split_once(',').map_or((text, None), |(a, b)| (a, Some(b))), "{text}");
            assert_eq!(
                cut_last(text, b','),
                text.rsplit_once(',').map_or((text, None), |(a, b)| (a, Some(b))),
                "{text}"
            );
            assert!(parts(text, b',').eq(text.split(',')), "{text}");
        }
    }

    #[test]
    fn shortens_between_characters() {
        assert_eq!([0, 1, 2, 3, 4, 9].map(|most| shorten("aüb", most)), ["", "a", "a", "aü", "aüb", "aüb"]);
    }
}
