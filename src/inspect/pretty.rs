//! Indents a JSON text for reading, without changing anything else in it: numbers keep their digits, members their
//! order.

use crate::protocol::json::Value;

/// The indented text, or `None` if `octets` are no JSON document.
///
/// It ends soon after `most` octets: of a document that is nested deep the blanks alone are a hundred times as long.
pub fn pretty_json(octets: &[u8], most: usize) -> Option<String> {
    let text = std::str::from_utf8(octets).ok().filter(|_| Value::is_document(octets))?;
    let mut out = String::with_capacity(most.min(text.len() * 2));
    let mut depth = 0;
    let mut characters = text.chars().peekable();
    while out.len() <= most
        && let Some(character) = characters.next()
    {
        match character {
            '"' => {
                out.push('"');
                // The document was parsed, so the string ends.
                while let Some(inner) = characters.next() {
                    out.push(inner);
                    match inner {
                        '\\' => out.extend(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(character);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                match characters.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth -= 1;
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    Some(out)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indents_and_changes_nothing_else() {
        let text = r#"{"a":[1.50,{"b":"x:,{ \" }"}],"c":{ },"d":[]}"#;
        let expected =
            "{\n  \"a\": [\n    1.50,\n    {\n      \"b\": \"x:,{ \\\" }\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}";
        assert_eq!(pretty_json(text.as_bytes(), 1000).as_deref(), Some(expected));
        assert_eq!(pretty_json(expected.as_bytes(), 1000).as_deref(), Some(expected));
    }

    /// A39: sixteen megabytes used to come of this one.
    #[test]
    fn ends_after_what_is_shown() {
        let nested = [&b"[".repeat(127)[..], &b"1,".repeat(65_536), b"1", &b"]".repeat(127)].concat();
        assert!(pretty_json(&nested, 10_000).is_some_and(|text| (10_000..11_000).contains(&text.len())));
    }

    #[test]
    fn leaves_what_is_no_json_alone() {
        assert_eq!(pretty_json(b"<html>", 1000), None);
    }
}
