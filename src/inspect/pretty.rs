//! Indents a JSON text for reading, without changing anything else in it: numbers keep their digits, members their
//! order.

use crate::protocol::json::Value;

/// The indented text, or `None` if `octets` are no JSON document.
pub fn pretty_json(octets: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(octets).ok().filter(|_| Value::is_document(octets))?;
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
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
        assert_eq!(pretty_json(text.as_bytes()).as_deref(), Some(expected));
        assert_eq!(pretty_json(expected.as_bytes()).as_deref(), Some(expected));
    }

    #[test]
    fn leaves_what_is_no_json_alone() {
        assert_eq!(pretty_json(b"<html>"), None);
    }
}
