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

/// The number that decimal digits write, if it is at most `most`; no sign, no space.
pub(crate) fn number(text: &str, most: u32) -> Option<u32> {
    let append = |number: u64, octet: u8| {
        let number = number * 10 + u64::from(octet.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        (number <= most.into()).then_some(number)
    };
    let number = text.bytes().try_fold(0, append).filter(|_| !text.is_empty())?;
    u32::try_from(number).ok()
}

/// At most `most` octets, cut between two characters: what others send may be long, a message need not be.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.split_at(end).0.to_owned()
}

/// The texts with a separator between them. The standard library has another copy of its code for each kind of text.
pub(crate) fn join(texts: &[String], separator: &str) -> String {
    let mut joined = String::new();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    joined
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
    fn reads_the_numbers_that_the_standard_library_reads() {
        for text in
            ["", "0", "7", "007", "255", "256", "65535", "65536", "4294967295", "4294967296", "99999999999999999999"]
        {
            assert_eq!(number(text, u32::MAX), text.parse().ok(), "{text}");
            assert_eq!(number(text, 255), text.parse::<u8>().ok().map(u32::from), "{text}");
        }
        for text in ["+1", "-1", " 1", "1 ", "1.0", "0x1", "a", ":", "/", "\u{661}"] {
            assert_eq!(number(text, u32::MAX), None, "{text}");
        }
    }

    #[test]
    fn joins_as_the_standard_library_does() {
        for texts in [&[][..], &["a"], &["", ""], &["a", "", "ü"]] {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(join(&texts, ", "), texts.join(", "));
        }
    }

    #[test]
    fn shortens_between_characters() {
        assert_eq!([0, 1, 2, 3, 4, 9].map(|most| shorten("aüb", most)), ["", "a", "a", "aü", "aüb", "aüb"]);
    }
}
